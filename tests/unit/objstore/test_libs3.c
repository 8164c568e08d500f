// SPDX-License-Identifier: Apache-2.0
/* The driver libs3: what goes over the wire, what is refused before anything
 * does, and what its answers mean where libs3 says something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libs3_rig.h"

static void sent(struct rig *rig, size_t nth, const char *text)
{
    const char *head = fake_head(rig->fake, nth);

    if (strstr(head, text) == NULL)
        fail_msg("request %zu does not say \"%s\": %s", nth, text, head);
}

static void an_object_comes_whole_with_its_size_and_time(void **state)
{
    struct rig *rig = *state;
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_info info;

    fake_add(rig->fake, HELLO, FAKE_NONE);
    D.get(rig->self, &rig->r, NULL, &out, &info, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_string_equal(buf_cstr(&out), "hello");
    assert_int_equal(info.size, 5);
    assert_int_equal(info.modified, MODIFIED_UNIX);
    assert_string_equal(info.etag, MD5);
    assert_int_equal(rig->a.received, 5);
    sent(rig, 0, "GET /bucket/k HTTP/1.1\r\n");
    sent(rig, 0, "Authorization: AWS AKID:");
    assert_null(strstr(fake_head(rig->fake, 0), SECRET));
}

static void a_put_carries_its_md5_and_is_looked_at_afterwards(void **state)
{
    struct rig *rig = *state;
    struct obj_info info = { 0 };

    fake_add(rig->fake, OK "ETag: \"" MD5 "\"\r\nContent-Length: 0\r\n\r\n",
             FAKE_NONE);
    fake_add(rig->fake, HELLO_HEAD, FAKE_NONE);
    put_hello(rig, &info);
    assert_outcome(&rig->a, OBJ_OK);
    assert_int_equal(info.size, 5);
    assert_string_equal(info.etag, MD5);
    assert_int_equal(rig->a.sent, 5);
    sent(rig, 0, "PUT /bucket/k HTTP/1.1\r\n");
    sent(rig, 0, "Content-MD5: " MD5_BASE64 "\r\n");
    sent(rig, 0, "Content-Length: 5\r\n");
    sent(rig, 1, "HEAD /bucket/k HTTP/1.1\r\n");
    /* On one connection. */
    assert_int_equal(rig->fake->requests[1].connection, 1);
}

/* libs3 reads a PUT's status before the server has one. */
static void a_put_refused_without_a_text_is_no_success(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
             FAKE_NONE);
    fake_add(rig->fake, NOT_FOUND, FAKE_NONE);
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE); /* the bucket */
    put_hello(rig, NULL);
    assert_outcome(&rig->a, OBJ_UNAVAIL);
    assert_int_equal(rig->a.verb, OBJ_PUT);
    assert_int_equal(fake_requests(rig->fake), 3);
}

static void a_put_over_an_older_object_that_stays_is_no_success(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    fake_add(rig->fake,
             OK "ETag: \"" MD5_EMPTY "\"\r\nContent-Length: 5\r\n\r\n",
             FAKE_NONE);
    put_hello(rig, NULL);
    assert_outcome(&rig->a, OBJ_UNAVAIL);
}

static void a_put_that_cannot_be_checked_is_refused(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    fake_add(rig->fake, OK "ETag: \"abc-1\"\r\nContent-Length: 5\r\n\r\n",
             FAKE_NONE);
    put_hello(rig, NULL);
    assert_outcome(&rig->a, OBJ_UNABLE);
    assert_non_null(strstr(rig->a.message, "no MD5"));
}

/* libs3 takes it for a lost connection, after its second of waiting. */
static void a_put_that_nobody_told_to_go_on_is_done(void **state)
{
    struct rig *rig = *state;

    rig->fake->silent = true;
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    fake_add(rig->fake, HELLO_HEAD, FAKE_NONE);
    put_hello(rig, NULL);
    assert_outcome(&rig->a, OBJ_OK);
    assert_false(rig->a.maybe_done);
}

static void a_put_whose_answer_is_an_error_says_so(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, ERROR("400", "BadDigest", "differs"), FAKE_CLOSE);
    put_hello(rig, NULL);
    assert_outcome(&rig->a, OBJ_DIGEST);
    assert_string_equal(rig->a.request_id, "RID");
    assert_int_equal(fake_requests(rig->fake), 1);
}

static void conditions_locks_and_versions_are_refused_unsent(void **state)
{
    struct rig *rig = *state;
    const struct obj_put_opts options[] = {
        { .if_absent = true },
        { .lock = { .mode = OBJ_LOCK_COMPLIANCE, .until = 1 } },
        { .lock = { .legal_hold = true } },
    };
    struct obj_page page = { 0 };
    const struct obj_list_opts versions = { .versions = true };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        D.put(rig->self, &rig->r, span_str("x"), &options[i], NULL, &rig->a);
        assert_outcome(&rig->a, OBJ_UNABLE);
    }
    D.list(rig->self, &rig->r, &versions, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_UNABLE);
    D.bucket_create(rig->self, &rig->r, true, &rig->a);
    assert_outcome(&rig->a, OBJ_UNABLE);
    rig->r.version = "1";
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_UNABLE);
    D.remove(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_UNABLE);
    assert_null(D.set_lock);
    assert_null(D.get_lock);
    assert_int_equal(fake_requests(rig->fake), 0);
}

static void keys_that_libs3_changes_are_refused_unsent(void **state)
{
    static const char *const keys[] = { "a b", "a+b",  "\xc3\xa9", "a%20",
                                        "a?b", "a\\b", "a~b",      "a:b" };
    struct rig *rig = *state;
    struct obj_page page = { 0 };
    char text[10];

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        rig->r.key = keys[i];
        put_hello(rig, NULL);
        assert_outcome(&rig->a, OBJ_UNABLE);
        get_text(rig, NULL, text, sizeof text);
        assert_outcome(&rig->a, OBJ_UNABLE);
        D.head(rig->self, &rig->r, NULL, &rig->a);
        assert_outcome(&rig->a, OBJ_UNABLE);
        D.remove(rig->self, &rig->r, false, &rig->a);
        assert_outcome(&rig->a, OBJ_UNABLE);
        D.list(rig->self, &rig->r, NULL, &page, &rig->a);
        assert_outcome(&rig->a, OBJ_UNABLE);
    }
    assert_int_equal(fake_requests(rig->fake), 0);
}

static void the_keys_of_a_repository_go_out_as_they_are(void **state)
{
    struct rig *rig = *state;

    /* A vm key with its escapes, between a prefix and a manifest's name. */
    rig->r.key = "a-b.c/plain/points/B_C3_BCro_2Fweb/20261122T100000Z-0f.json";
    fake_add(rig->fake, HELLO, FAKE_NONE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    sent(rig, 0,
         " /bucket/a-b.c/plain/points/B_C3_BCro_2Fweb/"
         "20261122T100000Z-0f.json HTTP/1.1\r\n");
}

static void a_part_is_checked_against_the_whole(void **state)
{
    struct rig *rig = *state;
    const struct obj_range tail = { .offset = 3, .len = 100 };
    const struct obj_range behind = { .offset = 5 };
    char text[20];

    fake_add(rig->fake, HELLO_HEAD, FAKE_NONE);
    fake_add(rig->fake,
             "HTTP/1.1 206 Part\r\nETag: \"" MD5 "\"\r\n"
             "Content-Length: 2\r\n\r\nlo",
             FAKE_NONE);
    get_text(rig, &tail, text, sizeof text);
    assert_outcome(&rig->a, OBJ_OK);
    assert_string_equal(text, "lo");
    sent(rig, 1, "Range: bytes=3-4\r\n");

    fake_forget(rig->fake);
    fake_add(rig->fake, HELLO_HEAD, FAKE_NONE);
    fake_add(rig->fake, HELLO, FAKE_NONE); /* all of it */
    get_text(rig, &tail, text, sizeof text);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_int_equal(rig->a.err.kind, ERR_UNSUPPORTED);

    fake_forget(rig->fake);
    fake_add(rig->fake, HELLO_HEAD, FAKE_NONE);
    get_text(rig, &behind, text, sizeof text);
    assert_outcome(&rig->a, OBJ_REJECTED);
    assert_int_equal(rig->a.http, 416);
}

static void a_missing_key_and_a_missing_bucket_are_told_apart(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, NOT_FOUND, FAKE_NONE);
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_ABSENT);
    sent(rig, 1, "HEAD /bucket/ HTTP/1.1\r\n");

    fake_forget(rig->fake);
    fake_add(rig->fake, NOT_FOUND, FAKE_NONE);
    fake_add(rig->fake, NOT_FOUND, FAKE_NONE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NO_BUCKET);

    fake_forget(rig->fake);
    fake_add(rig->fake, ERROR("404", "NoSuchKey", "none"), FAKE_CLOSE);
    fails_to_get(rig, OBJ_ABSENT);

    /* Not from an S3 server. */
    fake_forget(rig->fake);
    fake_add(rig->fake, NOT_FOUND, FAKE_NONE);
    fails_to_get(rig, OBJ_REJECTED);
}

static void what_is_not_there_is_removed(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, "HTTP/1.1 204 No Content\r\n\r\n", FAKE_NONE);
    fake_add(rig->fake, ERROR("404", "NoSuchKey", "none"), FAKE_CLOSE);
    for (int i = 0; i < 2; i++) {
        D.remove(rig->self, &rig->r, true, &rig->a);
        assert_outcome(&rig->a, OBJ_OK);
    }
    sent(rig, 0, "DELETE /bucket/k HTTP/1.1\r\n");
}

#define ENTRY(key)                                                             \
    "<Contents><Key>" key "</Key><Size>7</Size><ETag>&quot;e&quot;</ETag>"     \
    "<LastModified>2026-11-22T19:55:06.000Z</LastModified></Contents>"
#define LISTING(more, entries)                                                 \
    "<ListBucketResult><Prefix>p</Prefix><NextMarker>zzz[x]</NextMarker>"      \
    "<IsTruncated>" more "</IsTruncated>" entries "</ListBucketResult>"

static void listing(struct rig *rig, const char *body, size_t length)
{
    char text[4096];

    snprintf(text, sizeof text, OK "Content-Length: %zu\r\n\r\n%s", length,
             body);
    fake_add(rig->fake, text, length > strlen(body) ? FAKE_CLOSE : FAKE_NONE);
}

static void listings_go_on_behind_the_last_key(void **state)
{
    struct rig *rig = *state;
    struct obj_page page = { 0 };
    const struct obj_list_opts o = { .after = "p/0", .page = 2 };
    const char *first = LISTING("true", ENTRY("p/a_2F") ENTRY("p/b"));
    const char *last = LISTING("false", ENTRY("p/c"));

    /* The clock of the listing is not this machine's. */
    setenv("TZ", "America/New_York", 1);
    tzset();
    rig->r.key = "p";
    listing(rig, first, strlen(first));
    listing(rig, last, strlen(last));
    D.list(rig->self, &rig->r, &o, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    sent(rig, 0,
         "GET /bucket/?encoding-type=url&marker=p%2F0&max-keys=2&"
         "prefix=p&");
    assert_int_equal(page.n, 2);
    assert_string_equal(page.entries[0].key, "p/a_2F");
    assert_int_equal(page.entries[0].info.size, 7);
    assert_int_equal(page.entries[0].info.modified, MODIFIED_UNIX);
    assert_string_equal(page.next, "p/b");
    D.list(rig->self, &rig->r, &o, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    sent(rig, 1, "marker=p%2Fb&");
    assert_int_equal(page.n, 1);
    assert_null(page.next);
    obj_page_clear(&page);
    unsetenv("TZ");
    tzset();
}

static void a_listing_that_is_none_is_no_empty_one(void **state)
{
    static const char whole[] = LISTING("false", ENTRY("p/a"));
    static const char refusal[] = "<Error><Code>SlowDown</Code></Error>";
    struct rig *rig = *state;
    struct obj_page page = { 0 };

    rig->r.key = "p";
    for (size_t cut = 0; cut < sizeof whole - 1; cut += 40) {
        char part[sizeof whole] = "";
        memcpy(part, whole, cut);
        fake_forget(rig->fake);
        listing(rig, part, strlen(whole));
        D.list(rig->self, &rig->r, NULL, &page, &rig->a);
        assert_outcome(&rig->a, OBJ_UNAVAIL);
        /* Announced as what came. */
        fake_forget(rig->fake);
        listing(rig, part, cut);
        D.list(rig->self, &rig->r, NULL, &page, &rig->a);
        assert_outcome(&rig->a, OBJ_LOCAL);
        assert_int_equal(rig->a.err.kind, ERR_CORRUPT);
        assert_int_equal(page.n, 0);
    }
    fake_forget(rig->fake);
    listing(rig, refusal, strlen(refusal));
    D.list(rig->self, &rig->r, NULL, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_UNAVAIL);
    assert_string_equal(rig->a.code, "SlowDown");
}

static void a_marker_outside_the_prefix_is_never_sent(void **state)
{
    static const char empty[] = LISTING("false", "");
    struct rig *rig = *state;
    struct obj_page page = { 0 };
    const struct obj_list_opts before = { .after = "a" };
    const struct obj_list_opts behind = { .after = "q" };

    rig->r.key = "p";
    listing(rig, empty, strlen(empty));
    D.list(rig->self, &rig->r, &before, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_null(strstr(fake_head(rig->fake, 0), "marker"));
    D.list(rig->self, &rig->r, &behind, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_int_equal(fake_requests(rig->fake), 1);
}

static void a_bucket_is_made_and_looked_at(void **state)
{
    struct rig *rig = *state;
    struct obj_req none = { .key = "" };
    struct obj_bucket b;

    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    D.bucket_create(rig->self, &none, false, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    sent(rig, 0, "PUT /bucket/ HTTP/1.1\r\n");

    fake_forget(rig->fake);
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    fake_add(rig->fake, NOT_FOUND, FAKE_NONE);
    D.bucket_create(rig->self, &none, false, &rig->a);
    assert_outcome(&rig->a, OBJ_UNAVAIL);

    fake_forget(rig->fake);
    fake_add(rig->fake, ERROR("409", "BucketAlreadyOwnedByYou", "x"),
             FAKE_CLOSE);
    fake_add(rig->fake, ERROR("409", "BucketAlreadyExists", "x"), FAKE_CLOSE);
    D.bucket_create(rig->self, &none, false, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    D.bucket_create(rig->self, &none, false, &rig->a);
    assert_outcome(&rig->a, OBJ_THERE);

    fake_forget(rig->fake);
    fake_add(rig->fake, NOT_FOUND, FAKE_NONE);
    D.bucket_info(rig->self, &none, &b, &rig->a);
    assert_outcome(&rig->a, OBJ_NO_BUCKET);
}

/* What open says to a configuration; NULL: it took it. */
static const char *refusal_of(const struct obj_config *c)
{
    static struct err e;
    char *name = NULL;
    void *self = D.open(c, &name, &e);

    free(name);
    D.close(self);
    return self == NULL ? e.msg : NULL;
}

static void refuses_to_open(const struct obj_config *c, const char *why)
{
    const char *said = refusal_of(c);

    if (said == NULL || strstr(said, why) == NULL)
        fail_msg("not refused for \"%s\": %s", why, said == NULL ? "" : said);
}

static void what_libs3_cannot_do_safely_is_not_opened(void **state)
{
    const struct obj_config good = { .bucket = "bucket",
                                     .prefix = "p/q",
                                     .endpoint = "http://127.0.0.1:1" };
    struct obj_config c = good;

    (void)state;
    keys_of_test();
    assert_null(refusal_of(&good));
    c.endpoint = "https://127.0.0.1:1";
    refuses_to_open(&c, "does not speak https");
    c.endpoint = NULL;
    refuses_to_open(&c, "needs an endpoint");
    c = good;
    c.ca_file = "/etc/hosts";
    refuses_to_open(&c, "CA");
    c = good;
    c.prefix = "a b";
    refuses_to_open(&c, "prefix \"a b\"");
    c = good;
    c.bucket = "a?b";
    refuses_to_open(&c, "no bucket's name");
    setenv("AWS_SESSION_TOKEN", "token", 1);
    refuses_to_open(&good, "session token");
    unsetenv("AWS_SESSION_TOKEN");
    setenv("AWS_ACCESS_KEY_ID",
           "a123456789b123456789c123456789d123456789e123456789f123456789"
           "01234",
           1);
    refuses_to_open(&good, "access key of more than 64");
    keys_of_test();
    assert_null(refusal_of(&good));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(an_object_comes_whole_with_its_size_and_time),
        WITH_SERVER(a_put_carries_its_md5_and_is_looked_at_afterwards),
        WITH_SERVER(a_put_refused_without_a_text_is_no_success),
        WITH_SERVER(a_put_over_an_older_object_that_stays_is_no_success),
        WITH_SERVER(a_put_that_cannot_be_checked_is_refused),
        WITH_SERVER(a_put_that_nobody_told_to_go_on_is_done),
        WITH_SERVER(a_put_whose_answer_is_an_error_says_so),
        WITH_SERVER(conditions_locks_and_versions_are_refused_unsent),
        WITH_SERVER(keys_that_libs3_changes_are_refused_unsent),
        WITH_SERVER(the_keys_of_a_repository_go_out_as_they_are),
        WITH_SERVER(a_part_is_checked_against_the_whole),
        WITH_SERVER(a_missing_key_and_a_missing_bucket_are_told_apart),
        WITH_SERVER(what_is_not_there_is_removed),
        WITH_SERVER(listings_go_on_behind_the_last_key),
        WITH_SERVER(a_listing_that_is_none_is_no_empty_one),
        WITH_SERVER(a_marker_outside_the_prefix_is_never_sent),
        WITH_SERVER(a_bucket_is_made_and_looked_at),
        cmocka_unit_test(what_libs3_cannot_do_safely_is_not_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
