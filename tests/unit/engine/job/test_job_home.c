// SPDX-License-Identifier: Apache-2.0
/* What a job names must be configured, and fit; and all of that is what a check
 * of the configuration tells. */
#include "tests/unit/engine/job/jobs.h"

static void put_world(const struct fixture *f)
{
    put(f, "repos/main.json", "{\"url\":\"s3://bucket\"}");
    put(f, "repos/disk.json", "{\"url\":\"file:///srv/r\"}");
    put(f, "sources/lab.json", "{\"place\":\"dir:/srv/vms\"}");
    put(f, "kms/vault.json",
        "{\"server\":\"kms1\",\"ca\":\"/c\",\"cert\":\"/c\",\"key\":\"/k\"}");
    put(f, "credentials/guests.json",
        "{\"user\":\"admin\",\"password\":{\"file\":\"/p\"}}");
    put(f, "credentials/keys.json",
        "{\"access_key_id\":\"a\",\"secret_access_key\":\"b\"}");
}

/* The job j of these fields does not fit into the home, and is told so. */
static void misfits(const struct fixture *f, const char *more,
                    const char *message)
{
    struct err e = { 0 };
    AUTO_ENG_JOB struct eng_job j = { 0 };

    put_job(f, "j", more);
    must(eng_job_load(&f->home, "j", &j, why));
    if (eng_job_check_home(&f->home, &j, &e) == 0)
        fail_msg("%s: fits", more);
    assert_int_equal(e.kind, ERR_USAGE);
    if (strncmp(e.msg, message, strlen(message)) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", more, e.msg, message);
}

static void fits(const struct fixture *f, const char *name, const char *more)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };

    put_job(f, name, more);
    must(eng_job_load(&f->home, name, &j, why));
    must(eng_job_check_home(&f->home, &j, why));
}

static void what_a_job_names_is_configured(void **state)
{
    const struct fixture *f = *state;

    put_world(f);
    fits(f, "j",
         ",\"encrypt\":\"kms:vault\",\"guest\":{\"mode\":\"try\","
         "\"credentials\":\"guests\"},"
         "\"timezone\":\"UTC\",\"active_full\":\"sat\"");
    misfits(f, ",\"encrypt\":\"kms:valt\"",
            "encrypt: no key server \"valt\" is configured; the nearest is "
            "\"vault\"");
    misfits(f, ",\"containers\":[\"lap:\"]",
            "containers: no source \"lap\" is configured; the nearest is "
            "\"lab\"");
    misfits(f, ",\"guest\":{\"mode\":\"try\",\"credentials\":\"guest\"}",
            "guest.credentials: no file of credentials \"guest\" is "
            "configured; the nearest is \"guests\"");
    misfits(f,
            ",\"guests\":[{\"vm\":\"lab:web\"},{\"vm\":\"lab:db\","
            "\"mode\":\"try\",\"credentials\":\"keys\"}]",
            "guests[1].credentials: credentials \"keys\" have the keys of an "
            "S3 server, and no user and password of an account in guests");
    misfits(f, ",\"schedule\":\"after k\"",
            "schedule: after: no job \"k\" is configured; the nearest is "
            "\"j\"");
    misfits(
        f, ",\"timezone\":\"Europe/Berlinn\"",
        "timezone: this machine does not know the time zone Europe/Berlinn");
}

static void a_repository_and_a_source_that_are_not_there_are_told(void **state)
{
    const struct fixture *f = *state;

    misfits(f, "",
            "repo: no repository \"main\" is configured; there is none at all");
    put(f, "repos/mein.json", "{\"url\":\"s3://bucket\"}");
    put(f, "repos/other.json", "{\"url\":\"s3://bucket\"}");
    misfits(f, "",
            "repo: no repository \"main\" is configured; the nearest is "
            "\"mein\"");
    put(f, "repos/main.json", "{\"url\":\"s3://bucket\"}");
    misfits(f, "",
            "vms: no source \"lab\" is configured; there is none at all");
}

static void a_synthetic_full_is_refused_on_object_storage(void **state)
{
    const struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_JOB struct eng_job j = { 0 };

    put_world(f);
    misfits(f, ",\"synthetic_full\":\"sat\"",
            "synthetic_full: repository main is on object storage, which "
            "cannot join what is stored on its side, and needs no such full: "
            "every point there is restored as a full is; use active_full to "
            "read everything anew");
    put(f, "jobs/k.json",
        "{\"vms\":[\"lab:a\"],\"repo\":\"disk\",\"synthetic_full\":\"sat\"}");
    must(eng_job_load(&f->home, "k", &j, why));
    if (eng_job_check_home(&f->home, &j, &e) < 0)
        fail_msg("%s", e.msg);
}

static void jobs_that_wait_for_each_other_are_refused(void **state)
{
    const struct fixture *f = *state;

    put_world(f);
    put_job(f, "a", ",\"schedule\":\"after j\"");
    put_job(f, "b", ",\"schedule\":\"after a\"");
    misfits(f, ",\"schedule\":\"after a\"",
            "schedule: jobs that wait for each other never begin: j after a "
            "after j");
    misfits(f, ",\"schedule\":\"after b\"",
            "schedule: jobs that wait for each other never begin: j after b "
            "after a after j");
    /* A ring of others, which it would only follow. */
    put_job(f, "c", ",\"schedule\":\"after d\"");
    put_job(f, "d", ",\"schedule\":\"after c\"");
    misfits(f, ",\"schedule\":\"after c\"",
            "schedule: jobs that wait for each other never begin: c after d "
            "after c");
    put_job(f, "e", "");
    fits(f, "g", ",\"schedule\":\"after e\"");
    fits(f, "h", ",\"schedule\":\"after g\"");
    /* What is wrong with others is told of them. */
    put(f, "jobs/e.json", "{");
    fits(f, "h", ",\"schedule\":\"after g\"");
    put_job(f, "e", ",\"schedule\":\"after nobody\"");
    fits(f, "h", ",\"schedule\":\"after g\"");
    /* A job is looked at as it is going to be, not as it still is. */
    put_job(f, "x", ",\"schedule\":\"after y\"");
    put_job(f, "y", ",\"schedule\":\"after x\"");
    fits(f, "y", "");
}

static void a_check_of_all_files_reads_jobs(void **state)
{
    const struct fixture *f = *state;
    struct seen s = { 0 };
    size_t bad = 0;

    put_world(f);
    put_job(f, "good", ",\"schedule\":\"daily 22:00\"");
    put_job(f, "ring", ",\"schedule\":\"after ring2\"");
    put_job(f, "ring2", ",\"schedule\":\"after ring\"");
    put_job(f, "field", ",\"repoo\":\"x\"");
    put_job(f, "member", ",\"retries\":\"0\"");
    put(f, "jobs/syntax.json", "{\"vms\":\n[,]}");
    put(f, "jobs/repo.json", "{\"vms\":[\"lab:a\"],\"repo\":\"mian\"}");
    put(f, "credentials/none.json", "{}");
    put(f, "credentials/half.json", "{\"user\":\"admin\"}");
    put(f, "credentials/both.json",
        "{\"access_key_id\":\"a\",\"secret_access_key\":\"b\",\"user\":\"u\","
        "\"password\":\"p\"}");
    AUTO_MEM char *kms =
        io_format(&(struct err){ 0 }, "%s/kms/vault.json", f->config);
    assert_int_equal(remove(kms), 0);
    must(eng_config_check(&f->home, on_file, &s, &bad, why));
    assert_string_equal(
        s.messages,
        "half.json: password: the field is missing; user is there\n"
        "none.json: top level: has none of its fields\n"
        "field.json: repoo: unknown field; the nearest known one is \"repo\"\n"
        "member.json: retries: \"0\" is neither none, a number up to 100, nor "
        "such as 3 after 10m, with up to 1d between\n"
        "repo.json: repo: no repository \"mian\" is configured; the nearest is "
        "\"main\"\n"
        "ring.json: schedule: jobs that wait for each other never begin: ring "
        "after ring2 after ring\n"
        "ring2.json: schedule: jobs that wait for each other never begin: "
        "ring2 after ring after ring2\n"
        "syntax.json: line 2, column 2: syntax error\n");
    assert_int_equal(bad, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOMED(what_a_job_names_is_configured),
        HOMED(a_repository_and_a_source_that_are_not_there_are_told),
        HOMED(a_synthetic_full_is_refused_on_object_storage),
        HOMED(jobs_that_wait_for_each_other_are_refused),
        HOMED(a_check_of_all_files_reads_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
