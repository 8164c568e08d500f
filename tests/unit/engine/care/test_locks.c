// SPDX-License-Identifier: Apache-2.0
/* Locks as points promise them, and as the server has them. */
#include "tests/unit/engine/care/attacked.h"

#include "base/utc.h"
#include "engine/care/locks.h"

#define HOUR INT64_C(3600)
/* Of attacked_setup_locked. */
#define IMMUTABLE HOUR
#define GENERATION (HOUR / 2)
/* A descriptor, a manifest, a page of the disk and one of the file, the blocks
 * of the disk and one of the file. */
#define OBJECTS (4 + VM_BLOCKS + 1)

static int setup_governance(void **state)
{
    const struct eng_repo_create_opts o = { .block_size = FIXTURE_BLOCK,
                                            .locked = true,
                                            .mode = MF_LOCK_GOVERNANCE,
                                            .immutability_s = IMMUTABLE,
                                            .generation_s = GENERATION };

    return attacked_setup_bucket(state, S3SERVER_ENABLED, &o, 0);
}

/* The findings of a verification. */
struct heard {
    size_t n;
    struct {
        enum eng_locks_word word;
        char key[200];
        char version[OBJ_VERSION_CHARS];
        char mode[16];
        char point[100];
        int64_t has, wants;
    } f[64];
};

static void on_finding(void *ctx, const struct eng_locks_finding *f)
{
    struct heard *h = ctx;

    assert_true(h->n < 64);
    h->f[h->n].word = f->word;
    h->f[h->n].has = f->has;
    h->f[h->n].wants = f->wants;
    snprintf(h->f[h->n].key, sizeof h->f[0].key, "%s", f->key);
    snprintf(h->f[h->n].version, sizeof h->f[0].version, "%s", f->version);
    snprintf(h->f[h->n].mode, sizeof h->f[0].mode, "%s", f->mode);
    snprintf(h->f[h->n++].point, sizeof h->f[0].point, "%s", f->point);
}

static struct eng_locks_result verify(struct attacked *a,
                                      struct eng_locks_opts o, struct heard *h)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    struct eng_repo *r = fixture_open(&a->f);
    struct eng_locks_result res;

    *h = (struct heard){ 0 };
    if (o.sample_ppm == 0)
        o.sample_ppm = ENG_LOCKS_ALL_PPM;
    o.report = on_finding;
    o.ctx = h;
    must(eng_points_list(r, NULL, NULL, &ps, why));
    must(eng_locks_verify(r, &ps, &o, &res, why));
    eng_repo_close(r);
    assert_int_equal(res.shorts + res.missing + res.unreadable, h->n);
    assert_int_equal(eng_locks_broken(&res), h->n > 0);
    return res;
}

static const struct eng_locks_opts all = { 0 };

static struct eng_locks_empty empty(struct attacked *a)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    struct eng_repo *r = fixture_open(&a->f);

    must(eng_points_list(r, NULL, NULL, &ps, why));
    struct eng_locks_empty d = eng_locks_empty(r, &ps);
    eng_repo_close(r);
    return d;
}

/* The newest version of a key. */
static void newest(struct eng_repo *r, const char *key,
                   char version[OBJ_VERSION_CHARS])
{
    struct obj_req req = { .key = key };
    struct obj_info info;

    must(obj_head(eng_repo_store(r), &req, &info, why));
    memcpy(version, info.version, sizeof info.version);
}

/* What somebody may do who can bypass GOVERNANCE. */
static void shorten(struct attacked *a, const char *key, int64_t seconds,
                    char version[OBJ_VERSION_CHARS])
{
    struct eng_repo *r = fixture_open(&a->f);

    newest(r, key, version);
    struct obj_req req = { .key = key, .version = version };
    struct obj_lock lock = { .mode = OBJ_LOCK_GOVERNANCE,
                             .until = utc_real_now() + seconds };
    must(obj_set_lock(eng_repo_store(r), &req, &lock, true, why));
    eng_repo_close(r);
}

static void destroy(struct attacked *a, const char *key)
{
    struct eng_repo *r = fixture_open(&a->f);
    char version[OBJ_VERSION_CHARS];

    newest(r, key, version);
    struct obj_req req = { .key = key, .version = version };
    must(obj_delete(eng_repo_store(r), &req, true, why));
    eng_repo_close(r);
}

static void put_locked(struct attacked *a, const char *key, const char *text,
                       int64_t seconds)
{
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req req = { .key = key };
    struct obj_put_opts o = { .lock = { .mode = OBJ_LOCK_GOVERNANCE,
                                        .until = utc_real_now() + seconds } };

    must(obj_put(eng_repo_store(r), &req, span_str(text), &o, NULL, why));
    eng_repo_close(r);
}

static void forget(struct attacked *a)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", a->f.state);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void every_object_is_asked_for_once_and_found_locked(void **state)
{
    struct attacked *a = *state;
    struct eng_locks_empty dates = empty(a);
    struct heard h;

    attacked_back_up(a); /* needs the same, but its manifest, later */
    for (int round = 0; round < 2; round++) {
        uint64_t before = s3server_requests(a->server, "HeadObject");
        struct eng_locks_result res = verify(a, all, &h);
        assert_int_equal(res.points, 2);
        assert_int_equal(res.objects, OBJECTS + 1);
        assert_int_equal(res.asked, OBJECTS + 1);
        assert_int_equal(res.denied, 0);
        assert_int_equal(h.n, 0);
        assert_int_equal(s3server_requests(a->server, "HeadObject") - before,
                         OBJECTS + 1);
        assert_true(res.latest >= dates.from);
        assert_true(res.latest < empty(a).by);
        forget(a); /* nothing local is needed */
    }
}

static void dates_without_a_request_for_an_object(void **state)
{
    struct attacked *a = *state;
    int64_t now = utc_real_now();
    uint64_t heads = s3server_requests(a->server, "HeadObject");
    uint64_t asked = s3server_requests(a->server, "GetObjectRetention");
    struct eng_locks_empty d = empty(a);

    assert_in_range(d.from - now, IMMUTABLE - 60, IMMUTABLE + 60);
    assert_int_equal(d.by - d.from, GENERATION);
    assert_int_equal(s3server_requests(a->server, "HeadObject"), heads);
    assert_int_equal(s3server_requests(a->server, "GetObjectRetention"), asked);
}

static const char *const kinds[] = { "objvault.json", "plain/points/",
                                     "plain/pages/", "plain/blocks/" };

static void a_lock_that_was_shortened_is_named_with_its_dates(void **state)
{
    struct attacked *a = *state;
    char version[OBJ_VERSION_CHARS];
    int64_t until = empty(a).from;
    struct heard h;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *key = attacked_key(a, kinds[i]);
        shorten(a, key, 60, version);
        struct eng_locks_result res = verify(a, all, &h);
        assert_int_equal(res.shorts, i + 1);
        assert_int_equal(res.asked, OBJECTS);
        size_t at = 0;
        while (at < h.n && strcmp(h.f[at].key, key) != 0)
            at++;
        assert_true(at < h.n);
        assert_int_equal(h.f[at].word, ENG_LOCKS_SHORT);
        assert_string_equal(h.f[at].version, version);
        assert_string_equal(h.f[at].mode, "governance");
        assert_in_range(h.f[at].has - utc_real_now(), 0, 60);
        assert_int_equal(h.f[at].wants, until);
        assert_ptr_equal(strstr(h.f[at].point, "vm@"), h.f[at].point);
    }
}

/* Also of the page: what it named is not known then, and not counted. */
static void what_is_gone_is_missing(void **state)
{
    struct attacked *a = *state;
    struct heard h;

    destroy(a, attacked_key(a, "plain/blocks/"));
    struct eng_locks_result res = verify(a, all, &h);
    assert_int_equal(res.missing, 1);
    assert_int_equal(h.n, 1);
    assert_string_equal(h.f[0].key, attacked_key(a, "plain/blocks/"));
    destroy(a, attacked_key(a, "plain/pages/"));
    res = verify(a, all, &h);
    assert_in_range(res.missing, 1, 2);
    assert_true(res.objects < OBJECTS);
}

static void a_page_that_cannot_be_read_is_named(void **state)
{
    struct attacked *a = *state;
    const char *key = attacked_key(a, "plain/pages/");
    struct heard h;

    destroy(a, key);
    put_locked(a, key, "rubbish", 2 * HOUR);
    struct eng_locks_result res = verify(a, all, &h);
    assert_int_equal(res.unreadable, 1);
    assert_int_equal(h.n, 1);
    assert_string_equal(h.f[0].key, key);
    assert_int_equal(h.f[0].word, ENG_LOCKS_UNREADABLE);
}

/* As far as anybody can tell who has seen it before: a single version, put in
 * place of one that was deleted. */
static void a_block_that_was_replaced_by_locked_rubbish_is_named(void **state)
{
    struct attacked *a = *state;
    const char *key = attacked_key(a, "plain/blocks/");
    struct heard h;

    destroy(a, key);
    put_locked(a, key, "rubbish", 2 * HOUR);
    struct eng_locks_result res = verify(a, all, &h);
    assert_int_equal(res.unreadable, 1);
    assert_string_equal(h.f[0].key, key);
}

static void what_lies_over_a_locked_version_changes_nothing(void **state)
{
    struct attacked *a = *state;
    struct heard h;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        attacked_put(a, attacked_key(a, kinds[i]), "{}");
        attacked_hide(a, attacked_key(a, kinds[i]));
    }
    for (int round = 0; round < 2; round++) {
        struct eng_locks_result res = verify(a, all, &h);
        assert_int_equal(h.n, 0);
        assert_int_equal(res.asked, OBJECTS);
        forget(a); /* the content decides */
    }
}

static void rubbish_that_is_locked_for_longer_does_not_count(void **state)
{
    struct attacked *a = *state;
    const char *key = attacked_key(a, "plain/blocks/");
    char version[OBJ_VERSION_CHARS];
    struct heard h;

    shorten(a, key, 60, version);
    put_locked(a, key, "rubbish", 9 * HOUR);
    for (int round = 0; round < 2; round++) {
        struct eng_locks_result res = verify(a, all, &h);
        assert_int_equal(res.shorts, 1);
        assert_string_equal(h.f[0].version, version);
        forget(a);
    }
}

/* Whoever has no right to see locks learns that, and no false alarm. */
static void a_refused_right_is_not_a_short_lock(void **state)
{
    static const struct s3server_rule refuse[] = {
        { .op = "HeadObject",
          .key = "plain/blocks/*",
          .act = S3SERVER_REPLY,
          .status = 403,
          .code = "AccessDenied" },
    };
    struct attacked *a = *state;
    struct heard h;

    s3server_script(a->server, refuse, 1);
    struct eng_locks_result res = verify(a, all, &h);
    assert_int_equal(h.n, 0);
    assert_int_equal(res.asked, OBJECTS);
    assert_int_equal(res.denied, VM_BLOCKS + 1);
    s3server_script(a->server, NULL, 0);
}

static void ranges_of_ids_give_the_same(void **state)
{
    struct attacked *a = *state;
    const struct eng_locks_opts small = { .ids_max = 2 };
    char version[OBJ_VERSION_CHARS];
    struct heard h;

    shorten(a, attacked_key(a, "plain/blocks/"), 60, version);
    shorten(a, attacked_key(a, "plain/pages/"), 60, version);
    struct eng_locks_result res = verify(a, small, &h);
    assert_int_equal(res.objects, OBJECTS);
    assert_int_equal(res.asked, OBJECTS);
    assert_int_equal(res.shorts, 2);
}

static void a_sample_is_of_blocks_alone(void **state)
{
    struct attacked *a = *state;
    const struct eng_locks_opts few = { .sample_ppm = 1 };
    struct heard h;
    struct eng_locks_result res = verify(a, few, &h);

    assert_int_equal(res.objects, OBJECTS);
    assert_in_range(res.asked, OBJECTS - VM_BLOCKS - 1, OBJECTS - 1);
}

static void nothing_is_asked_for_when_the_locks_are_over(void **state)
{
    struct attacked *a = *state;
    struct heard h;

    s3server_set_clock(a->server, 2 * HOUR);
    struct eng_locks_result res = verify(a, all, &h);
    assert_int_equal(res.points, 0);
    assert_int_equal(res.asked, 0);
    s3server_set_clock(a->server, 0);
}

static void without_locks_there_is_nothing_to_verify(void **state)
{
    struct attacked *a = *state;
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    struct eng_repo *r = fixture_open(&a->f);
    struct eng_locks_result res;
    struct err e = { 0 };

    assert_int_equal(eng_locks_verify(r, &ps, &all, &res, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(eng_locks_empty(r, &ps).from, 0);
    assert_int_equal(eng_locks_empty(r, &ps).by, 0);
    eng_repo_close(r);
}

#define CASE(name, setup)                                                      \
    cmocka_unit_test_setup_teardown(name, setup, attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_object_is_asked_for_once_and_found_locked,
             attacked_setup_locked),
        CASE(dates_without_a_request_for_an_object, attacked_setup_locked),
        CASE(a_lock_that_was_shortened_is_named_with_its_dates,
             setup_governance),
        CASE(what_is_gone_is_missing, setup_governance),
        CASE(a_page_that_cannot_be_read_is_named, setup_governance),
        CASE(a_block_that_was_replaced_by_locked_rubbish_is_named,
             setup_governance),
        CASE(what_lies_over_a_locked_version_changes_nothing,
             attacked_setup_locked),
        CASE(rubbish_that_is_locked_for_longer_does_not_count,
             setup_governance),
        CASE(a_refused_right_is_not_a_short_lock, attacked_setup_locked),
        CASE(ranges_of_ids_give_the_same, setup_governance),
        CASE(a_sample_is_of_blocks_alone, attacked_setup_locked),
        CASE(nothing_is_asked_for_when_the_locks_are_over,
             attacked_setup_locked),
        CASE(without_locks_there_is_nothing_to_verify, attacked_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
