// SPDX-License-Identifier: Apache-2.0
/* A job's file: what may be in it, what is refused with which reason, and how
 * it comes and goes. */
#include "tests/unit/engine/job/jobs.h"

/* Every field, in the form in which it is written. */
static const char whole[] =
    "{\n"
    "  \"description\": \"all of it\",\n"
    "  \"enabled\": false,\n"
    "  \"vms\": [\n"
    "    \"lab:web\",\n"
    "    \"lab:a/b/db\"\n"
    "  ],\n"
    "  \"containers\": [\n"
    "    \"lab:prod/east\",\n"
    "    \"virt:pool=fast\",\n"
    "    \"virt:network=default\",\n"
    "    \"virt:tag=gold\",\n"
    "    \"old:\"\n"
    "  ],\n"
    "  \"exclude_vms\": [\n"
    "    \"*-tmp\",\n"
    "    \"lab:x?\",\n"
    "    \"old:*\"\n"
    "  ],\n"
    "  \"exclude_disks\": [\n"
    "    \"web:swap*\",\n"
    "    \"lab:db:temp.raw\"\n"
    "  ],\n"
    "  \"disks\": [\n"
    "    \"web=first\",\n"
    "    \"lab:db=a.raw,b.raw\",\n"
    "    \"*=all\"\n"
    "  ],\n"
    "  \"repo\": \"main\",\n"
    "  \"retention\": \"14d\",\n"
    "  \"gfs\": \"weekly=4,monthly=12\",\n"
    "  \"timezone\": \"Europe/Berlin\",\n"
    "  \"method\": \"forward\",\n"
    "  \"active_full\": \"sat,sun\",\n"
    "  \"synthetic_full\": \"monthly last sun in jan,jul\",\n"
    "  \"compression\": \"high\",\n"
    "  \"block_size\": \"512K\",\n"
    "  \"limit_upload\": \"50M\",\n"
    "  \"encrypt\": \"kms:vault\",\n"
    "  \"keyset\": \"default\",\n"
    "  \"password\": {\n"
    "    \"command\": [\n"
    "      \"pass\",\n"
    "      \"show\",\n"
    "      \"backup\"\n"
    "    ]\n"
    "  },\n"
    "  \"guest\": {\n"
    "    \"mode\": \"try\",\n"
    "    \"credentials\": \"guests\",\n"
    "    \"logs\": \"process\"\n"
    "  },\n"
    "  \"guests\": [\n"
    "    {\n"
    "      \"vm\": \"lab:web\",\n"
    "      \"mode\": \"require\"\n"
    "    },\n"
    "    {\n"
    "      \"vm\": \"lab:a/b/db\",\n"
    "      \"credentials\": \"db\",\n"
    "      \"logs\": \"copy-only\"\n"
    "    }\n"
    "  ],\n"
    "  \"schedule\": \"daily 22:00 weekdays\",\n"
    "  \"retries\": \"5 after 2m\",\n"
    "  \"parallel\": 4,\n"
    "  \"deleted_vms_after\": \"30d\",\n"
    "  \"before\": [\n"
    "    \"/usr/local/bin/quiet\",\n"
    "    \"on\"\n"
    "  ],\n"
    "  \"after\": [\n"
    "    \"/usr/local/bin/quiet\",\n"
    "    \"off\"\n"
    "  ],\n"
    "  \"notify\": {\n"
    "    \"on\": \"warning,failed\",\n"
    "    \"webhook\": \"https://hooks.example/x\",\n"
    "    \"mail\": [\n"
    "      \"/usr/sbin/sendmail\",\n"
    "      \"-t\"\n"
    "    ],\n"
    "    \"mail_to\": \"a@example.org\",\n"
    "    \"mail_from\": \"b@example.org\"\n"
    "  }\n"
    "}\n";

static void a_job_of_every_field_is_written_as_it_was_read(void **state)
{
    const struct fixture *f = *state;
    AUTO_ENG_JOB struct eng_job j = { 0 };
    AUTO_ENG_JOB struct eng_job again = { 0 };
    AUTO_BUF struct buf text = buf_init(1 << 16);
    AUTO_BUF struct buf saved = buf_init(1 << 16);
    struct err e = { 0 };
    AUTO_MEM char *path = io_join(f->config, "jobs/copy.json", &e);

    put(f, "jobs/whole.json", whole);
    must(eng_job_load(&f->home, "whole", &j, why));
    must(eng_job_text(&j, &text, why));
    assert_string_equal(buf_cstr(&text), whole);

    assert_true(j.disabled);
    assert_int_equal(j.vms.n, 2);
    assert_string_equal(j.containers.v[4], "old:");
    assert_null(j.containers.v[5]);
    assert_int_equal(j.block_size, 512 << 10);
    assert_string_equal(j.password,
                        "{\"command\":[\"pass\",\"show\",\"backup\"]}");
    assert_int_equal(j.n_guests, 2);
    assert_null(j.guests[0].guest.logs);
    assert_string_equal(j.guests[1].guest.logs, "copy-only");
    assert_int_equal(j.deleted_vms_s, 30 * 86400);
    assert_int_equal(j.mail.n, 2);

    free(j.name);
    j.name = strdup("copy");
    must(eng_job_save(&f->home, &j, false, why));
    must(io_read_file(path, &saved, why));
    assert_string_equal(buf_cstr(&saved), whole);
    must(eng_job_load(&f->home, "copy", &again, why));
}

static void what_is_not_said_has_its_default(void **state)
{
    const struct fixture *f = *state;
    AUTO_ENG_JOB struct eng_job j = { 0 };
    struct eng_schedule s;
    struct eng_schedule_retry retry;
    struct eng_keeping keeping;
    char room[ENG_ZONE_NAME_CHARS];
    char here[ENG_ZONE_NAME_CHARS];
    bool has = true;

    put_job(f, "j",
            ",\"guest\":{},\"guests\":[],\"before\":[],\"enabled\":"
            "null,\"notify\":{}");
    must(eng_job_load(&f->home, "j", &j, why));
    assert_false(j.disabled);
    must(eng_job_schedule(&j, &s, why));
    assert_int_equal(s.kind, ENG_SCHEDULE_MANUAL);
    must(eng_job_retry(&j, &retry, why));
    assert_int_equal(retry.times, 3);
    assert_int_equal(retry.wait_s, 600);
    assert_int_equal(eng_compression_of(j.compression), ENG_COMPRESS_OPTIMAL);
    must(eng_job_keeping(&j, room, &keeping, &has, why));
    assert_false(has);
    eng_zone_here(here);
    assert_string_equal(eng_job_zone(&j, room), here);
    assert_null(eng_job_guest(&j, "lab", "web", "web").mode);
}

static void what_is_said_is_what_it_means(void **state)
{
    const struct fixture *f = *state;
    AUTO_ENG_JOB struct eng_job j = { 0 };
    struct eng_schedule s;
    struct eng_schedule_retry retry;
    struct eng_keeping keeping;
    char room[ENG_ZONE_NAME_CHARS];
    bool has = false;

    put(f, "jobs/whole.json", whole);
    must(eng_job_load(&f->home, "whole", &j, why));
    must(eng_job_schedule(&j, &s, why));
    assert_int_equal(s.kind, ENG_SCHEDULE_DAILY);
    must(eng_job_retry(&j, &retry, why));
    assert_int_equal(retry.times, 5);
    assert_int_equal(retry.wait_s, 120);
    assert_int_equal(eng_compression_of(j.compression), ENG_COMPRESS_HIGH);
    must(eng_job_keeping(&j, room, &keeping, &has, why));
    assert_true(has);
    assert_int_equal(keeping.days, 14);
    assert_int_equal(keeping.gfs.monthly, 12);
    assert_string_equal(keeping.timezone, "Europe/Berlin");
    j.retries[0] = '\0';
    free(j.retries);
    j.retries = strdup("none");
    must(eng_job_retry(&j, &retry, why));
    assert_int_equal(retry.times, 0);
}

static void a_guest_has_its_own_settings_and_the_job_s(void **state)
{
    const struct fixture *f = *state;
    AUTO_ENG_JOB struct eng_job j = { 0 };

    put(f, "jobs/whole.json", whole);
    must(eng_job_load(&f->home, "whole", &j, why));
    struct eng_guest web = eng_job_guest(&j, "lab", "east/web", "web");
    assert_string_equal(web.mode, "require");
    assert_string_equal(web.credentials, "guests");
    assert_string_equal(web.logs, "process");
    struct eng_guest db = eng_job_guest(&j, "lab", "a/b/db", "db");
    assert_string_equal(db.mode, "try");
    assert_string_equal(db.credentials, "db");
    assert_string_equal(db.logs, "copy-only");
    struct eng_guest other = eng_job_guest(&j, "virt", "web", "web");
    assert_string_equal(other.mode, "try");
}

static void what_cannot_be_done_is_refused_with_its_reason(void **state)
{
    const struct fixture *f = *state;

    refused(f, ",\"method\":\"reverse\"",
            "method: reverse incremental is not done: it rewrites the newest "
            "full");
    refused(f, ",\"guest\":{\"logs\":\"backup\"}",
            "guest.logs: log backup is not done by a job that stores images");
    refused(f, ",\"guests\":[{\"vm\":\"lab:web\",\"logs\":\"backup\"}]",
            "guests[0].logs: log backup is not done");
    refused(f, ",\"password\":\"secret\"",
            "password: must not be here itself; write where it is");
    refused(f, ",\"gfs\":\"weekly=4\"", "gfs: needs retention");
    refused(f, ",\"schedule\":\"after j\"",
            "schedule: a job cannot run after itself");
}

static void unknown_words_are_answered_with_the_nearest(void **state)
{
    const struct fixture *f = *state;

    refused(f, ",\"scedule\":\"manual\"",
            "scedule: unknown field; the nearest known one is \"schedule\"");
    refused(f, ",\"guest\":{\"credential\":\"x\"}",
            "guest.credential: unknown field; the nearest known one is "
            "\"credentials\"");
    refused(f, ",\"notify\":{\"web\":\"x\"}",
            "notify.web: unknown field; the nearest known one is \"on\"");
    refused(f, ",\"guests\":[{\"vm\":\"lab:a\",\"mod\":\"try\"}]",
            "guests[0].mod: unknown field; the nearest known one is \"mode\"");
    refused(f, ",\"compression\":\"optimum\"",
            "compression: expected one of \"none\", \"fast\", \"optimal\"");
    refused(f, ",\"guest\":{\"mode\":\"required\"}",
            "guest.mode: expected one of \"require\", \"try\", \"disable\"");
    refused(f, ",\"schedule\":\"dayly 22:00\"",
            "schedule: the schedule has "
            "\"dayly\", which is not known there; the nearest known word is "
            "\"daily\"");
    refused(f, ",\"active_full\":\"sut\"",
            "active_full: the schedule has "
            "\"sut\", which is not known there; the nearest known word is "
            "\"sun\"");
    refused(f, ",\"encrypt\":\"passwort\"",
            "encrypt: \"passwort\" is neither none, password nor kms:NAME; the "
            "nearest is \"password\"");
    refused(f,
            ",\"notify\":{\"on\":\"failed,warnings\",\"webhook\":"
            "\"http://x/\"}",
            "notify.on: \"warnings\" is no result; the nearest known one is "
            "\"warning\"");
    refused(f, ",\"exclude_vms\":[\"lap:x\"]",
            "exclude_vms[0]: no VM or container of the job is in a source "
            "\"lap\"; the nearest that it has is \"lab\"");
}

static void keyset_and_password_are_refused_without_encrypt(void **state)
{
    struct fixture *f = *state;

    refused(f, ",\"keyset\":\"a\"",
            "encrypt: is missing, so nothing would be encrypted; keyset is "
            "there");
    refused(f, ",\"password\":{\"env\":\"P\"}",
            "encrypt: is missing, so nothing would be encrypted; password is "
            "there");
}

static void wrong_members_are_named(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *more, *message;
    } cases[] = {
        { ",\"enabled\":1", "enabled: expected true or false" },
        { ",\"vms\":[\"x:y\"]", "vms: the field is there twice" },
        { ",\"containers\":[\"lab\"]", "containers[0]: \"lab\" is no" },
        { ",\"containers\":[\"lab:a//b\"]", "containers[0]: \"lab:a//b\" is" },
        { ",\"containers\":[\"lab:../b\"]", "containers[0]: \"lab:../b\" is" },
        { ",\"containers\":[\"lab:/b\"]", "containers[0]: \"lab:/b\" is no" },
        { ",\"containers\":[\"lab:pool=\"]", "containers[0]: \"lab:pool=\"" },
        { ",\"containers\":[\"lab:\",\"lab:\"]",
          "containers[1]: \"lab:\" is there twice" },
        { ",\"containers\":\"lab:\"", "containers: expected an array" },
        { ",\"containers\":[\"\"]", "containers[0]: is empty" },
        { ",\"exclude_vms\":[\"lab:\"]", "exclude_vms[0]: \"lab:\" is no" },
        { ",\"exclude_disks\":[\"web\"]", "exclude_disks[0]: \"web\" is no" },
        { ",\"exclude_disks\":[\":x\"]", "exclude_disks[0]: \":x\" is no" },
        { ",\"exclude_disks\":[\"web:\"]", "exclude_disks[0]: \"web:\" is" },
        { ",\"disks\":[\"web=\"]", "disks[0]: \"web=\" is no choice" },
        { ",\"disks\":[\"web=a,,b\"]", "disks[0]: \"web=a,,b\" is no" },
        { ",\"disks\":[\"first\"]", "disks[0]: \"first\" is no choice" },
        { ",\"retention\":\"14\"", "retention: " },
        { ",\"retention\":\"14d\",\"gfs\":\"daily=3\"", "gfs: " },
        { ",\"block_size\":\"300K\"", "block_size: block size 307200" },
        { ",\"block_size\":\"big\"", "block_size: is no size such as" },
        { ",\"limit_upload\":7", "limit_upload: expected a string" },
        { ",\"encrypt\":\"kms:\"", "encrypt: \"\" is no name" },
        { ",\"encrypt\":\"none\",\"keyset\":\"a\"", "keyset: has no use with" },
        { ",\"encrypt\":\"none\",\"password\":{\"env\":\"P\"}",
          "password: has no use with" },
        { ",\"password\":{\"fil\":\"p\"}", "password.fil: unknown field; the" },
        { ",\"password\":{}", "password: needs exactly one of" },
        { ",\"password\":[1]", "password: expected an object" },
        { ",\"guest\":{\"credentials\":\"../x\"}",
          "guest.credentials: \"../x" },
        { ",\"guest\":{\"credentials\":\"x\"}",
          "guest.credentials: has no use with mode disable, which is the "
          "default; write require or try" },
        { ",\"guest\":{\"mode\":\"disable\",\"logs\":\"process\"}",
          "guest.logs: has no use with mode disable; write" },
        { ",\"guest\":{\"mode\":\"try\"},\"guests\":[{\"vm\":\"lab:a\","
          "\"mode\":\"disable\",\"credentials\":\"x\"}]",
          "guests[0].credentials: has no use with mode disable; write" },
        { ",\"guests\":[{\"mode\":\"try\"}]",
          "guests[0].vm: the field is missing" },
        { ",\"guests\":[{\"vm\":\"web\"}]", "guests[0].vm: \"web\" is no VM" },
        { ",\"guests\":[{\"vm\":\"lab:a\"},{\"vm\":\"lab:a\"}]",
          "guests[1].vm: \"lab:a\" is there twice" },
        { ",\"schedule\":\"after a/b\"",
          "schedule: after: \"a/b\" is no name" },
        { ",\"retries\":\"often\"", "retries: \"often\" is neither none, a" },
        { ",\"retries\":\"0\"", "retries: \"0\" is neither" },
        { ",\"retries\":\"101\"", "retries: \"101\" is neither" },
        { ",\"retries\":\"3 after 2d\"", "retries: \"3 after 2d\" is neither" },
        { ",\"retries\":\"3 after\"", "retries: \"3 after\" is neither" },
        { ",\"parallel\":0", "parallel: must be at least 1" },
        { ",\"parallel\":65", "parallel: the number is over 64" },
        { ",\"parallel\":1.5", "parallel: expected a whole number" },
        { ",\"deleted_vms_after\":\"1h\"",
          "deleted_vms_after: must be at least 1d" },
        { ",\"before\":[\"\"]", "before[0]: is empty" },
        { ",\"before\":\"x\"", "before: expected an array" },
        { ",\"notify\":{\"on\":\"failed\"}", "notify.on: needs webhook or" },
        { ",\"notify\":{\"webhook\":\"ftp://x\"}", "notify.webhook: must be" },
        { ",\"notify\":{\"webhook\":\"https:///x\"}", "notify.webhook: must" },
        { ",\"notify\":{\"mail\":[\"sendmail\"]}",
          "notify.mail_to: the field is missing; mail is there" },
        { ",\"notify\":{\"mail\":[],\"mail_to\":\"x@y\"}",
          "notify.mail: is empty" },
        { ",\"notify\":{\"mail_to\":\"x@y\"}",
          "notify.mail: the field is missing; mail_to is there" },
        { ",\"notify\":{\"mail\":[\"m\"],\"mail_to\":\"a\\nBcc: b\"}",
          "notify.mail_to: has a control character" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(f, cases[i].more, cases[i].message);
}

static void a_job_selects_something_and_has_a_repository(void **state)
{
    const struct fixture *f = *state;
    static const char *const texts[][2] = {
        { "{\"repo\":\"main\"}", "the job has neither vms nor containers" },
        { "{\"vms\":[],\"repo\":\"main\"}", "the job has neither vms nor" },
        { "{\"vms\":[\"lab:a\"]}", "repo: the field is missing" },
        { "{\"vms\":[\"web\"],\"repo\":\"main\"}",
          "vms[0]: \"web\" is no VM; write SOURCE:NAME or SOURCE:ID" },
        { "{\"vms\":[\"lab:\"],\"repo\":\"main\"}", "vms[0]: \"lab:\" is no" },
        { "{\"vms\":[\"a b:x\"],\"repo\":\"m\"}", "vms[0]: \"a b:x\" is no" },
        { "{\"vms\":[\"lab:a\",\"lab:b\",\"lab:a\"],\"repo\":\"m\"}",
          "vms[2]: \"lab:a\" is there twice" },
        { "{\n\"repo\":\n}", "line 3, column 1: " },
        { "[]", "top level: expected an object" },
        { "", "line 1" },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err e = { 0 };
        AUTO_ENG_JOB struct eng_job j = { 0 };
        put(f, "jobs/j.json", texts[i][0]);
        assert_int_equal(eng_job_load(&f->home, "j", &j, &e), -1);
        assert_int_equal(e.kind, ERR_CONFIG);
        const char *said = strstr(e.msg, "jobs/j.json: ");
        assert_non_null(said);
        if (strncmp(said + strlen("jobs/j.json: "), texts[i][1],
                    strlen(texts[i][1])) != 0)
            fail_msg("%s: %s", texts[i][0], e.msg);
    }
}

static void forms_that_look_odd_are_taken(void **state)
{
    const struct fixture *f = *state;

    taken(f, ",\"containers\":[\"lab:pools=x\",\"lab:folder=pool=x\",\"lab:a "
             "b/c\"]");
    taken(f, ",\"exclude_vms\":[\"*:x\",\"l*:web\",\"a b:c\"]");
    taken(f, ",\"disks\":[\"a=b=c=first\",\"*=*.raw\"]");
    taken(f, ",\"retries\":\"100 after 1d\"");
    taken(f, ",\"schedule\":\"manual\"");
    /* The job's account, for the one guest that takes part. */
    taken(f, ",\"guest\":{\"credentials\":\"x\"},\"guests\":[{\"vm\":"
             "\"lab:a\",\"mode\":\"try\"}]");
    taken(f, ",\"notify\":{\"webhook\":\"http://[::1]:8080/a?b=c\"}");
}

static void a_job_made_by_hand_is_held_to_the_same(void **state)
{
    const struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_JOB struct eng_job j = { .name = strdup("j"),
                                      .repo = strdup("main") };

    must(eng_texts_add(&j.vms, "lab:web", why));
    must(eng_job_check(&j, why));
    j.compression = strdup("optimum");
    assert_int_equal(eng_job_save(&f->home, &j, false, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_non_null(strstr(e.msg, "compression: expected one of"));
    free(j.compression);
    j.compression = NULL;
    /* Nothing gets into the file beside the password's place. */
    static const char *const places[] = { "{\"file\":\"x\"},\"repo\":\"y\"",
                                          "\"secret\"", "7", "", "{}" };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        j.password = strdup(places[i]);
        assert_int_equal(eng_job_save(&f->home, &j, false, &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
        if (strncmp(e.msg, "password: ", 10) != 0)
            fail_msg("%s: %s", places[i], e.msg);
        free(j.password);
        j.password = NULL;
    }
    j.parallel = ENG_JOB_PARALLEL_MAX + 1;
    assert_int_equal(eng_job_check(&j, &e), -1);
    assert_non_null(strstr(e.msg, "parallel: the number is over 64"));
}

static void a_job_is_saved_replaced_and_removed(void **state)
{
    const struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_JOB struct eng_job j = { 0 };
    AUTO_ENG_JOB struct eng_job got = { 0 };

    put_job(f, "a", "");
    must(eng_job_load(&f->home, "a", &j, why));
    assert_int_equal(eng_job_save(&f->home, &j, false, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_non_null(strstr(e.msg, "a job \"a\" is configured already"));
    j.disabled = true;
    must(eng_job_save(&f->home, &j, true, why));
    must(eng_job_load(&f->home, "a", &got, why));
    assert_true(got.disabled);

    put(f, "jobs/a.json", "{ // ours\n\"vms\":[\"lab:a\"],\"repo\":\"r\"}");
    assert_int_equal(eng_job_save(&f->home, &j, true, &e), -1);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "has comments"));

    must(eng_job_remove(&f->home, "a", why));
    assert_int_equal(eng_job_remove(&f->home, "a", &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(eng_job_save(&f->home, &j, true, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    put_job(f, "b", "");
    AUTO_ENG_JOB struct eng_job none = { 0 };
    assert_int_equal(eng_job_load(&f->home, "a", &none, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_string_equal(e.msg, "no job \"a\" is configured; there is b");
    assert_int_equal(eng_job_load(&f->home, "../a", &none, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOMED(a_job_of_every_field_is_written_as_it_was_read),
        HOMED(what_is_not_said_has_its_default),
        HOMED(what_is_said_is_what_it_means),
        HOMED(a_guest_has_its_own_settings_and_the_job_s),
        HOMED(what_cannot_be_done_is_refused_with_its_reason),
        HOMED(unknown_words_are_answered_with_the_nearest),
        HOMED(keyset_and_password_are_refused_without_encrypt),
        HOMED(wrong_members_are_named),
        HOMED(a_job_selects_something_and_has_a_repository),
        HOMED(forms_that_look_odd_are_taken),
        HOMED(a_job_made_by_hand_is_held_to_the_same),
        HOMED(a_job_is_saved_replaced_and_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
