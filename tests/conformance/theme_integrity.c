// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: what is damaged on the way up is refused, and a writer that
 * dies leaves nothing half.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "suite.h"

/* The digest that a driver computes over this body comes out wrong, as if the
 * body had changed afterwards. */
static _Atomic(const uint8_t *) damaged;

int __real_digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                         struct err *e);
int __wrap_digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                         struct err *e);
int __real_digest_md5(struct span in, uint8_t out[DIGEST_MD5_BYTES],
                      struct err *e);
int __wrap_digest_md5(struct span in, uint8_t out[DIGEST_MD5_BYTES],
                      struct err *e);
uint32_t __real_digest_crc32c(struct span in);
uint32_t __wrap_digest_crc32c(struct span in);

static bool is_damaged(struct span in)
{
    return in.len > 0 && in.p == damaged;
}

int __wrap_digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                         struct err *e)
{
    int r = __real_digest_sha256(in, out, e);

    out[0] ^= is_damaged(in) ? 1 : 0;
    return r;
}

int __wrap_digest_md5(struct span in, uint8_t out[DIGEST_MD5_BYTES],
                      struct err *e)
{
    int r = __real_digest_md5(in, out, e);

    out[0] ^= is_damaged(in) ? 1 : 0;
    return r;
}

uint32_t __wrap_digest_crc32c(struct span in)
{
    return __real_digest_crc32c(in) ^ (is_damaged(in) ? 1 : 0);
}

static void refuse_damage(const struct place *p, const struct obj_put_opts *o)
{
    static const size_t sizes[] = { 1, 1000, 1 << 20 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO_MEM uint8_t *body = make_body(sizes[i], 3);
        struct span whole = span_of(body, sizes[i]);
        damaged = body;
        struct obj_attempt a = put_as(p, "k", whole, o, NULL);
        damaged = NULL;
        assert_outcome(a, OBJ_DIGEST);
        assert_false(a.maybe_done);
        assert_outcome(head(p, "k", NULL, NULL), OBJ_ABSENT);
    }
    assert_outcome(put_as(p, "k", span_str("whole"), o, NULL), OBJ_OK);
    assert_outcome(removed(p, "k", NULL, false), OBJ_OK);
}

static void damaged_body_is_refused(void **state)
{
    const struct obj_put_opts only_new = { .if_absent = true };

    (void)state;
    refuse_damage(&plain, NULL);
    if ((spec->caps & CAP_IF_ABSENT) != 0)
        refuse_damage(&plain, &only_new);
}

static void damaged_bulk_body_is_refused_under_every_protection(void **state)
{
    static const enum obj_payload payloads[] = { OBJ_PAYLOAD_SIGNED,
                                                 OBJ_PAYLOAD_CRC32C };
    const struct obj_put_opts bulk = { .bulk = true };

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        const struct obj_config like = { .payload = payloads[i] };
        struct place p = place_open(plain.bucket, &like);
        refuse_damage(&p, &bulk);
        place_close(&p);
    }
}

static void damaged_body_with_a_lock_is_refused(void **state)
{
    const struct obj_put_opts locked = {
        .lock = { OBJ_LOCK_COMPLIANCE, server_now(&versioned) + 60, false },
    };
    const struct obj_config crc = { .payload = OBJ_PAYLOAD_CRC32C };
    AUTO_MEM uint8_t *body = make_body(1000, 5);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct obj_put_opts o = locked;
        o.bulk = i == 1;
        struct place p = place_open(versioned.bucket, &crc);
        damaged = body;
        struct obj_attempt a = put_as(&p, "k", span_of(body, 1000), &o, NULL);
        damaged = NULL;
        place_close(&p);
        assert_outcome(a, OBJ_DIGEST);
        assert_outcome(head(&versioned, "k", NULL, NULL), OBJ_ABSENT);
    }
}

static void bulk_body_survives_under_every_protection(void **state)
{
    static const enum obj_payload payloads[] = { OBJ_PAYLOAD_SIGNED,
                                                 OBJ_PAYLOAD_CRC32C };
    static const size_t sizes[] = { 0, 1, 100000, 4 << 20 };
    const struct obj_put_opts bulk = { .bulk = true };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const struct obj_config like = { .payload = payloads[i % 2] };
        size_t len = sizes[i / 2];
        AUTO_MEM uint8_t *body = make_body(len, (unsigned)i);
        AUTO_BUF struct buf out = buf_init(len);
        struct place p = place_open(plain.bucket, &like);
        assert_outcome(put_as(&p, "k", span_of(body, len), &bulk, NULL),
                       OBJ_OK);
        assert_outcome(get(&p, "k", NULL, NULL, &out, NULL), OBJ_OK);
        assert_true(span_eq(buf_span(&out), span_of(body, len)));
        place_close(&p);
    }
}

static void bulk_body_carries_its_lock_and_condition(void **state)
{
    const struct obj_config crc = { .payload = OBJ_PAYLOAD_CRC32C };
    const struct obj_put_opts o = {
        .bulk = true,
        .if_absent = true,
        .lock = { OBJ_LOCK_COMPLIANCE, server_now(&versioned) + 2, false },
    };
    struct obj_info info = { 0 };
    struct obj_lock got = { 0 };

    (void)state;
    struct place p = place_open(versioned.bucket, &crc);
    assert_outcome(put_as(&p, "k", span_str("body"), &o, &info), OBJ_OK);
    assert_outcome(put_as(&p, "k", span_str("body"), &o, NULL), OBJ_THERE);
    place_close(&p);
    assert_outcome(get_lock(&versioned, "k", info.version, &got), OBJ_OK);
    assert_int_equal(got.mode, OBJ_LOCK_COMPLIANCE);
    assert_int_equal(got.until, o.lock.until);
}

#define PIECE (1u << 20)
#define REPLACED 5 /* names of a writer that puts them anew */

/* A writer in another process, which is killed. */
struct writer {
    unsigned number;
    struct obj_put_opts opts;
    _Atomic unsigned *begun; /* its puts; in memory that both see */
};

static unsigned id_of(const struct writer *w, unsigned i)
{
    return w->opts.if_absent ? i : i % REPLACED;
}

static const char *name_of(const struct writer *w, unsigned i)
{
    static char name[64];

    snprintf(name, sizeof name, "w%u/d%u/k%u", w->number, id_of(w, i) % 3,
             id_of(w, i));
    return name;
}

static uint8_t letter_of(unsigned i)
{
    return (uint8_t)('a' + i % 26);
}

/* Puts bodies of one letter until it is killed. */
static void write_forever(const struct writer *w)
{
    struct place p = { 0 };
    struct err e = { 0 };
    uint8_t *body = malloc(PIECE);

    p.store = spec->open(plain.bucket, NULL, &e);
    if (p.store == NULL || body == NULL)
        _exit(1);
    memcpy(p.prefix, plain.prefix, sizeof p.prefix);
    for (unsigned i = 0;; i++) {
        memset(body, letter_of(i), PIECE);
        *w->begun = i + 1;
        if (put_as(&p, name_of(w, i), span_of(body, PIECE), &w->opts, NULL)
                .outcome != OBJ_OK)
            _exit(2);
    }
}

/* Whether put i left a body; that is a whole one, put i's, or where that may
 * not have got through the one that it replaces. */
static bool is_whole(const struct writer *w, unsigned i, bool got_through)
{
    AUTO_BUF struct buf out = buf_init(PIECE);
    bool replaces = id_of(w, i) != i;
    struct obj_attempt a = get(&plain, name_of(w, i), NULL, NULL, &out, NULL);

    /* What a busy server has under the name of a put whose client went away is
     * its own doing; MinIO lists it, and has nothing.  Without a server what
     * was there before must be there still. */
    if (a.outcome == OBJ_ABSENT && !got_through &&
        (!replaces || (spec->caps & CAP_CHECKED) != 0))
        return false;
    assert_outcome(a, OBJ_OK);
    assert_int_equal(out.len, PIECE);
    assert_int_equal(memcmp(out.p, out.p + 1, out.len - 1), 0);
    if (got_through || !replaces || out.p[0] != letter_of(i - REPLACED))
        assert_int_equal(out.p[0], letter_of(i));
    return true;
}

/* Of what a writer put all is there and whole, but for its last put, which was
 * under way: that is there as a whole or not at all. */
static void assert_all_whole(const struct writer *w)
{
    AUTO_LISTING struct listing l = { 0 };
    char folder[16];
    const unsigned begun = *w->begun;
    const unsigned first =
        w->opts.if_absent || begun < REPLACED ? 0 : begun - REPLACED;

    snprintf(folder, sizeof folder, "w%u/", w->number);
    list(&plain, folder, NULL, &l);
    assert_in_range(l.n, begun - first - 1, begun - first);
    for (size_t i = 0; i < l.n; i++)
        assert_int_equal(l.rows[i].info.size, PIECE);
    for (unsigned i = first; i < begun; i++)
        if (is_whole(w, i, i + 1 < begun))
            assert_outcome(removed(&plain, name_of(w, i), NULL, false), OBJ_OK);
}

/* Kills a writer once it has begun so many puts, and a moment later. */
static void kill_writer(const struct writer *w, unsigned puts, unsigned ms)
{
    struct err e;
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        write_forever(w);
    for (int i = 0; i < 30000 && *w->begun < puts; i++)
        (void)!cancel_sleep(NULL, 1, &e);
    (void)!cancel_sleep(NULL, ms, &e);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* else it had failed before */
    assert_true(*w->begun >= puts);
}

static void killed_writer_leaves_no_visible_part(void **state)
{
    const unsigned kinds = (spec->caps & CAP_IF_ABSENT) != 0 ? 2 : 1;
    _Atomic unsigned *begun = mmap(NULL, sizeof *begun, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_ptr_not_equal(begun, MAP_FAILED);
    for (unsigned i = 0; i < 16; i++) {
        const struct writer w = { .number = i,
                                  .opts.if_absent = i % kinds == 1,
                                  .begun = begun };
        *begun = 0;
        kill_writer(&w, 1 + i, 2 * (i % 5));
        assert_all_whole(&w);
    }
    munmap(begun, sizeof *begun);
}

static const struct test tests[] = {
    TEST(damaged_body_is_refused, CAP_CHECKED),
    TEST(damaged_bulk_body_is_refused_under_every_protection, CAP_CHECKED),
    TEST(damaged_body_with_a_lock_is_refused, CAP_CHECKED | CAP_LOCK),
    TEST(bulk_body_survives_under_every_protection, 0),
    TEST(bulk_body_carries_its_lock_and_condition, CAP_LOCK | CAP_IF_ABSENT),
    TEST(killed_writer_leaves_no_visible_part, CAP_SHARED),
};
THEME(theme_integrity, "integrity");
