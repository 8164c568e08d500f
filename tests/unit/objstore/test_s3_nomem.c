// SPDX-License-Identifier: Apache-2.0
//
// Each allocation of the S3 driver fails once: the call ends with an error
// that says so, nothing leaks, and the driver goes on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/digest.h"
#include "s3_rig.h"

/* The main thread's allocation of that number from now on fails; 0: none. */
static _Thread_local unsigned fail_nth;

static bool fails_now(void)
{
    return fail_nth > 0 && --fail_nth == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return fails_now() ? NULL : __real_reallocarray(p, n, size);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
    return fails_now() ? NULL : __real_strdup(s);
}

char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n)
{
    return fails_now() ? NULL : __real_strndup(s, n);
}

/* Digests of OpenSSL that are not to be had, as MD5 in FIPS mode. */
static bool no_md5, no_sha256;

int __real_digest_md5(struct span in, uint8_t *out, struct err *e);
int __wrap_digest_md5(struct span in, uint8_t *out, struct err *e);
int __wrap_digest_md5(struct span in, uint8_t *out, struct err *e)
{
    if (no_md5)
        return err_set(e, ERR_INTERNAL, 0, "no such digest");
    return __real_digest_md5(in, out, e);
}

int __real_digest_sha256(struct span in, uint8_t *out, struct err *e);
int __wrap_digest_sha256(struct span in, uint8_t *out, struct err *e);
int __wrap_digest_sha256(struct span in, uint8_t *out, struct err *e)
{
    if (no_sha256)
        return err_set(e, ERR_INTERNAL, 0, "no such digest");
    return __real_digest_sha256(in, out, e);
}

/* One call; the server has an answer for it. */
typedef void (*call_fn)(struct rig *rig);

/* Runs the call with its nth allocation failing, for each n until there is
 * none left. */
static void fail_each(struct rig *rig, call_fn call, const char *reply)
{
    for (unsigned nth = 1; nth < 200; nth++) {
        fake_forget(rig->fake);
        for (int i = 0; i < 4; i++)
            fake_add(rig->fake, reply, FAKE_NONE);
        rig->a = (struct obj_attempt){ 0 };
        fail_nth = nth;
        call(rig);
        bool done = fail_nth > 0;
        fail_nth = 0;
        if (done) {
            assert_true(nth > 3);
            assert_outcome(&rig->a, OBJ_OK);
            return;
        }
        assert_outcome(&rig->a, OBJ_LOCAL);
        assert_int_equal(rig->a.err.kind, ERR_NOMEM);
    }
    fail_msg("the call never succeeded");
}

static void call_put(struct rig *rig)
{
    D.put(rig->self, &rig->r, span_str("body"), NULL, NULL, &rig->a);
}

static void failing_put_says_so(void **state)
{
    fail_each(*state, call_put, OK_EMPTY);
}

static void call_get(struct rig *rig)
{
    AUTO_BUF struct buf out = buf_init(100);

    D.get(rig->self, &rig->r, NULL, &out, NULL, &rig->a);
}

static void failing_get_says_so(void **state)
{
    fail_each(*state, call_get,
              "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
}

static void call_list(struct rig *rig)
{
    struct obj_page page = { 0 };

    rig->r.key = "p";
    D.list(rig->self, &rig->r, NULL, &page, &rig->a);
    obj_page_clear(&page);
}

static void failing_list_says_so(void **state)
{
    char text[512];

    with_body(text, sizeof text, "200 OK",
              "<ListBucketResult><IsTruncated>true</IsTruncated>"
              "<NextContinuationToken>t</NextContinuationToken>"
              "<Contents><Key>p1</Key><Size>1</Size></Contents>"
              "<Contents><Key>p2</Key><Size>1</Size></Contents>"
              "</ListBucketResult>");
    fail_each(*state, call_list, text);
}

static void call_remove_many(struct rig *rig)
{
    struct obj_name names[] = { { .key = "a" },
                                { .key = "b", .version = "v" } };

    D.remove_many(rig->self, &rig->r, names, 2, false, &rig->a);
}

static void failing_multi_delete_says_so(void **state)
{
    char text[512];

    with_body(text, sizeof text, "200 OK",
              "<DeleteResult><Deleted><Key>a</Key></Deleted>"
              "<Error><Key>b</Key><VersionId>v</VersionId><Code>ObjectLocked"
              "</Code><Message>m</Message></Error></DeleteResult>");
    fail_each(*state, call_remove_many, text);
}

static void call_set_lock(struct rig *rig)
{
    const struct obj_lock lock = { OBJ_LOCK_COMPLIANCE, DATE_UNIX, false };

    D.set_lock(rig->self, &rig->r, &lock, false, &rig->a);
}

static void failing_lock_says_so(void **state)
{
    fail_each(*state, call_set_lock, OK_EMPTY);
}

static void call_bucket_create(struct rig *rig)
{
    D.set_region(rig->self, "eu-west-1");
    D.bucket_create(rig->self, &rig->r, false, &rig->a);
}

static void failing_bucket_creation_says_so(void **state)
{
    fail_each(*state, call_bucket_create, OK_EMPTY);
}

static void failing_open_says_so(void **state)
{
    const struct obj_config c = { .bucket = "bucket",
                                  .endpoint = "http://127.0.0.1:9",
                                  .ca_file = "/etc/hosts",
                                  .prefix = "p" };

    (void)state;
    unsetenv("AWS_REGION");
    for (unsigned nth = 1; nth < 200; nth++) {
        struct err e = { 0 };
        char *name = NULL;
        fail_nth = nth;
        void *self = D.open(&c, &name, &e);
        bool done = fail_nth > 0;
        fail_nth = 0;
        if (self != NULL) {
            assert_true(done && nth > 3);
            D.close(self);
            free(name);
            return;
        }
        assert_null(name);
        assert_int_equal(e.kind, ERR_NOMEM);
    }
    fail_msg("the driver was never opened");
}

static void machine_without_md5_sends_another_checksum(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    no_md5 = true;
    call_set_lock(rig);
    assert_outcome(&rig->a, OBJ_OK);
    assert_null(header_of(rig->fake, 0, "content-md5"));
    assert_non_null(header_of(rig->fake, 0, "x-amz-checksum-sha256"));
    no_sha256 = true;
    call_set_lock(rig);
    no_md5 = false;
    assert_outcome(&rig->a, OBJ_LOCAL);
    call_set_lock(rig);
    assert_outcome(&rig->a, OBJ_LOCAL);
    call_put(rig);
    assert_outcome(&rig->a, OBJ_LOCAL);
    call_get(rig);
    assert_outcome(&rig->a, OBJ_LOCAL);
    no_sha256 = false;
    assert_int_equal(rig->a.err.kind, ERR_INTERNAL);
    assert_int_equal(fake_requests(rig->fake), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(failing_put_says_so),
        WITH_SERVER(failing_get_says_so),
        WITH_SERVER(failing_list_says_so),
        WITH_SERVER(failing_multi_delete_says_so),
        WITH_SERVER(failing_lock_says_so),
        WITH_SERVER(failing_bucket_creation_says_so),
        WITH_SERVER(failing_open_says_so),
        WITH_SERVER(machine_without_md5_sends_another_checksum),
    };

    no_proxy();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
