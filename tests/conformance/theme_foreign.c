// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: a client that shares no code with the driver
 * (tests/e2e/objects.py) reads what it stored, and the other way round.
 */
#include "base/process.h"
#include "suite.h"

/* objects.py URL VERB [NAME] [MORE...] with a body at its stdin; its answer,
 * in a buffer that lives until the next call. */
static const char *foreign(const struct place *p, const char *body,
                           const char *verb, const char *name,
                           const char *more0, const char *more1)
{
    static const char script[] = "body=$1; shift; printf %s \"$body\" | "
                                 "python3 -B \"" OBJECTS_PY "\" \"$@\"";
    static struct buf out;
    char url[256];
    char key[OBJ_KEY_MAX + 1];
    struct err e = { 0 };
    const char *argv[12] = { "/bin/sh", "-c", script, "sh", body, url, verb };
    size_t n = 7;

    spec->url(p->bucket, url, sizeof url);
    if (name != NULL) {
        whole_key(p, name, key);
        argv[n++] = key;
    }
    argv[n++] = more0;
    argv[n++] = more1;
    buf_free(&out);
    out = buf_init(1 << 20);
    if (process_run(argv, 60000, NULL, &out, &e) < 0)
        fail_msg("objects.py %s: %s", verb, e.msg);
    return buf_cstr(&out);
}

static void foreign_client_reads_our_objects(void **state)
{
    AUTO_BUF struct buf want = buf_init(4000);

    (void)state;
    must_put(&plain, "a/b", "hello");
    must_put(&plain, "a/c", "");
    assert_string_equal(foreign(&plain, "", "get", "a/b", NULL, NULL), "hello");
    assert_string_equal(foreign(&plain, "", "get", "a/c", NULL, NULL), "");
    buf_printf(&want, "%sa/b\n%sa/c\n", plain.prefix, plain.prefix);
    assert_string_equal(foreign(&plain, "", "ls", "", NULL, NULL),
                        buf_cstr(&want));
}

static void we_read_objects_of_a_foreign_client(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    struct obj_info info = { 0 };

    (void)state;
    foreign(&plain, "from elsewhere", "put", "x/y", NULL, NULL);
    assert_holds(&plain, "x/y", NULL, "from elsewhere");
    struct obj_attempt a = head(&plain, "x/y", NULL, &info);
    assert_outcome(a, OBJ_OK);
    assert_int_equal(info.size, 14);
    assert_string_equal(a.nonce, "");
    list(&plain, "", NULL, &l);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.rows[0].name, "x/y");
    foreign(&plain, "", "rm", "x/y", NULL, NULL);
    assert_outcome(head(&plain, "x/y", NULL, NULL), OBJ_ABSENT);
}

static void odd_keys_mean_the_same_to_both(void **state)
{
    static const char ours[] = "ours/a b+c %41&<\xc3\xa9>'\"";
    static const char theirs[] = "theirs/a b+c %41&<\xc3\xa9>'\"";

    (void)state;
    must_put(&plain, ours, "ours");
    assert_string_equal(foreign(&plain, "", "get", ours, NULL, NULL), "ours");
    foreign(&plain, "theirs", "put", theirs, NULL, NULL);
    assert_holds(&plain, theirs, NULL, "theirs");
}

/* We never make such a key, but must not stumble over one. */
static void foreign_key_with_control_characters_is_listed(void **state)
{
    static const char name[] = "tab\there/new\nline/\x01\x7f";
    AUTO_LISTING struct listing l = { 0 };

    (void)state;
    foreign(&plain, "x", "put", name, NULL, NULL);
    list(&plain, "", NULL, &l);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.rows[0].name, name);
    if ((spec->caps & CAP_ANY_KEY) != 0)
        assert_holds(&plain, name, NULL, "x");
}

static void foreign_lock_is_read_whatever_its_date_looks_like(void **state)
{
    char date[64];
    char iso[UTC_ISO_CHARS];
    struct obj_lock got = { 0 };

    (void)state;
    struct obj_info put = must_put(&versioned, "k", "x");
    int64_t until = server_now(&versioned) + 600;
    utc_format_iso(until, iso);
    snprintf(date, sizeof date, "%.19s.987654321Z", iso);
    foreign(&versioned, "", "retain", "k", "GOVERNANCE", date);
    assert_outcome(get_lock(&versioned, "k", put.version, &got), OBJ_OK);
    assert_int_equal(got.mode, OBJ_LOCK_GOVERNANCE);
    assert_int_equal(got.until, until);
    assert_outcome(removed(&versioned, "k", put.version, true), OBJ_OK);
}

static void default_retention_of_the_bucket_is_seen_and_applies(void **state)
{
    char name[sizeof plain.bucket];
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = "" };
    struct err e = { 0 };
    struct obj_bucket b = { 0 };
    struct obj_info info = { 0 };

    (void)state;
    snprintf(name, sizeof name, "%.50s-def", versioned.bucket);
    struct place p = place_open(name, NULL);
    if (obj_bucket_create(p.store, &r, true, &e) < 0)
        fail_msg("%s", e.msg);
    foreign(&p, "", "default-retention", NULL, "GOVERNANCE", "1");
    assert_outcome(bucket_info(&p, &b), OBJ_OK);
    assert_true(b.object_lock);
    assert_int_equal(b.default_mode, OBJ_LOCK_GOVERNANCE);
    /* A server may want a checksum now: the store learns it. */
    struct obj_info put = { 0 };
    r.key = key;
    whole_key(&p, "k", key);
    if (obj_put(p.store, &r, span_str("x"), NULL, &put, &e) < 0)
        fail_msg("%s", e.msg);
    assert_outcome(head(&p, "k", put.version, &info), OBJ_OK);
    assert_int_equal(info.lock.mode, OBJ_LOCK_GOVERNANCE);
    assert_true(llabs(info.lock.until - b.server_time - 86400) < 60);
    assert_outcome(removed(&p, "k", put.version, false), OBJ_WORM);
    assert_outcome(removed(&p, "k", put.version, true), OBJ_OK);
    place_close(&p);
}

static const struct test tests[] = {
    TEST(foreign_client_reads_our_objects, CAP_FOREIGN),
    TEST(we_read_objects_of_a_foreign_client, CAP_FOREIGN),
    TEST(odd_keys_mean_the_same_to_both, CAP_FOREIGN | CAP_ANY_KEY),
    TEST(foreign_key_with_control_characters_is_listed, CAP_FOREIGN),
    TEST(foreign_lock_is_read_whatever_its_date_looks_like,
         CAP_FOREIGN | CAP_LOCK),
    TEST(default_retention_of_the_bucket_is_seen_and_applies,
         CAP_FOREIGN | CAP_LOCK),
};
THEME(theme_foreign, "foreign clients");
