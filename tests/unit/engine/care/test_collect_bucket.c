// SPDX-License-Identifier: Apache-2.0
/* Collection in buckets, on a server whose clock is ours to set. */
#include "tests/unit/engine/care/collecting.h"

struct marking {
    struct attacked *a;
    char key[ENG_DAMAGED_KEY_CHARS];
};

static void mark_again(void *ctx, enum eng_collect_word word, const char *what)
{
    struct marking *m = ctx;

    (void)what;
    if (word == ENG_COLLECT_JUNK)
        attacked_put(m->a, m->key, "");
}

/* A cleared mark goes; not one that was put again while it was collected. */
static void a_mark_that_stands_again_stays(void **state)
{
    struct attacked *a = *state;
    struct marking m = { .a = a };
    const struct eng_collect_opts o = { .report = mark_again, .ctx = &m };
    struct eng_collect_result res;
    struct eng_repo *r = fixture_open(&a->f);
    struct mf_id id;

    assert_true(mf_key_parse_block(attacked_key(a, "plain/blocks/"),
                                   MF_KEYSET_PLAIN, &id));
    eng_damaged_key(ENG_INDEX_BLOCK, &id, m.key);
    attacked_put(a, m.key, "cleared");
    collect(r, false);
    assert_int_equal(count(r, ENG_DAMAGED_PREFIX), 0);
    attacked_put(a, m.key, "cleared");
    attacked_put(a, "plain/blocks/00/junk", "not ours");
    must(eng_collect_run(r, &o, &res, why));
    assert_int_equal(count(r, ENG_DAMAGED_PREFIX), 1);
    eng_repo_close(r);
}

/* The garbage of a point that is removed; r is open. */
static struct eng_repo *with_garbage(struct attacked *a)
{
    struct eng_repo *r = fixture_open(&a->f);

    new_disk(a->vm, 7);
    vm_run(r, a->vm, NULL);
    delete_oldest(r);
    return r;
}

static void a_bucket_holds_no_more_than_what_is_needed(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = with_garbage(a);

    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1);
    assert_int_equal(count(r, "plain/blocks/"), VM_BLOCKS + 1);
    assert_int_equal(count(r, "plain/pages/"), 2);
    assert_int_equal(count(r, "plain/points/"), 1);
    /* Leases and marks of sweeps are over, and gone. */
    assert_int_equal(count(r, "gc/"), 1);
    vm_check_restore(r, &a->f, a->vm);
    eng_repo_close(r);
}

static void a_lease_is_named_and_nothing_deleted(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = with_garbage(a);
    struct eng_repo *run = fixture_open(&a->f);

    must(eng_runlease_begin(run, "other", NULL, why));
    size_t before = count(r, "plain/");
    struct eng_collect_result res = collect(r, false);
    assert_true(res.blocked);
    assert_non_null(strstr(res.way.who, "lease"));
    assert_true(res.way.until > eng_lease_now(eng_repo_store(r)) + HOUR);
    assert_int_equal(count(r, "plain/"), before);
    eng_repo_close(run); /* which ends it */
    assert_int_equal(collect(r, false).deleted.objects, VM_BLOCKS + 1);
    eng_repo_close(r);
}

/* The run goes on after its lease: what it had put is gone, and put again. */
static void a_run_that_lost_its_lease_loses_nothing(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req any = { .key = "" };
    struct obj_bucket b;
    int64_t sign_before = 0;
    bool swept = false;
    struct mf_id id;

    must(eng_runlease_begin(run, "vm", NULL, why));
    must(eng_repo_prepare_writes(run, ENG_UPLOAD_NEW, NULL, why));
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(run, 1, NULL, &(struct err){ 0 });
    must(mf_id_of(span_str("something"), &id, why));
    must(eng_block_put(io, &id, span_str("something"), why));
    s3server_set_clock(a->server, 2 * HOUR);
    must(obj_bucket_info(eng_repo_store(run), &any, &b, why));
    must(obj_bucket_info(eng_repo_store(r), &any, &b, why));
    assert_int_equal(collect(r, false).deleted.objects, 1);
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_true(swept);
    assert_true(eng_block_known(io, &id));
    must(eng_repo_distrust(run, NULL, why));
    assert_false(eng_block_known(io, &id));
    eng_repo_close(r);
    eng_blockio_free(STEAL(io));
    eng_repo_close(run);
}

static int on_marker(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    (void)key;
    (void)e;
    if (!info->delete_marker)
        return 0;
    memcpy(ctx, info->version, OBJ_VERSION_CHARS);
    return 1;
}

static void a_delete_marker_stops_wherever_it_lies(void **state)
{
    static const char *const where[] = { "plain/blocks/", "plain/pages/",
                                         "plain/points/", "plain/keep/",
                                         "objvault.json" };
    struct attacked *a = *state;
    struct eng_repo *r = with_garbage(a);
    AUTO_ENG_POINTS struct eng_points all = { 0 };
    bool changed = false;

    must(eng_points_list(r, NULL, NULL, &all, why));
    must(eng_keep_put(r, NULL, &all.p[0], &changed, why));
    a->n = 0;
    struct obj_req any = { .key = "" };
    must(obj_list(eng_repo_store(r), &any, NULL, attacked_on_key, a, why));
    for (size_t i = 0; i < sizeof where / sizeof where[0]; i++) {
        const char *key = attacked_key(a, where[i]);
        attacked_hide(a, key);
        stops(r);
        /* Uncovered again. */
        struct obj_req req = { .key = key };
        struct obj_list_opts o = { .versions = true };
        char marker[OBJ_VERSION_CHARS] = "";
        must(obj_list(eng_repo_store(r), &req, &o, on_marker, marker, why));
        req.version = marker;
        must(obj_delete(eng_repo_store(r), &req, false, why));
    }
    assert_int_equal(collect(r, false).deleted.objects, VM_BLOCKS + 1);
    eng_repo_close(r);
}

/* Six points, of which two are over; the first of them is protected. */
static void put_old_ones(struct eng_repo *r, struct eng_points *all)
{
    bool changed = false;

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    for (int i = 0; i < 6; i++)
        put_old(r, 1767268800 + i * DAY);
    must(eng_points_list(r, NULL, "old", all, why));
    must(eng_keep_put(r, NULL, &all->p[0], &changed, why));
}

/* Else the point would be removed before the marker is found. */
static void a_hidden_mark_of_a_protected_point_stops(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    AUTO_ENG_POINTS struct eng_points all = { 0 };

    put_old_ones(r, &all);
    struct mf_key key =
        mf_key_keep(MF_KEYSET_PLAIN, all.p[0].vm_key, all.p[0].file);
    attacked_hide(a, key.s);
    stops(r);
    assert_int_equal(count(r, "plain/points/old/"), 6);
    eng_repo_close(r);
}

/* Its point was removed; of another, two hosts have put a mark at once. */
static void marks_of_points_that_are_gone_go(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    AUTO_ENG_POINTS struct eng_points all = { 0 };
    bool changed = false;

    put_old_ones(r, &all);
    must(eng_keep_put(r, NULL, &all.p[1], &changed, why));
    struct mf_key again =
        mf_key_keep(MF_KEYSET_PLAIN, all.p[1].vm_key, all.p[1].file);
    attacked_put(a, again.s, "");
    attacked_put(a, "plain/keep/old/notes.txt", "not ours");
    must(eng_point_delete(r, NULL, &all.p[0], why));
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.removed, 1);
    assert_int_equal(res.garbage.objects, 1);
    assert_int_equal(res.surplus.objects, 1);
    assert_int_equal(res.deleted.objects, 2);
    assert_int_equal(res.junk, 1);
    assert_int_equal(count(r, "plain/keep/"), 2);
    assert_int_equal(count(r, again.s), 1);
    eng_repo_close(r);
}

static void surplus_versions_go_and_a_good_one_stays(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    struct eng_backup_opts again = { .full = true, .upload = ENG_UPLOAD_ALL };

    vm_run(r, a->vm, &again);
    attacked_put(a, attacked_key(a, "plain/blocks/"), "rubbish");
    attacked_put(a, attacked_key(a, "plain/pages/"), "rubbish");
    attacked_put(a, attacked_key(a, "plain/points/"), "rubbish");
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.surplus.objects, VM_BLOCKS + 1 + 2 + 3);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1 + 2 + 3);
    assert_int_equal(count(r, "plain/"), VM_BLOCKS + 1 + 2 + 2);
    vm_check_restore(r, &a->f, a->vm);
    eng_repo_close(r);
}

/* Of none of the versions it can be said that it is good. */
static void without_a_good_version_all_stay(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    const char *key = attacked_key(a, "plain/blocks/");
    struct obj_req req = { .key = key };
    struct obj_info info;

    must(obj_head(eng_repo_store(r), &req, &info, why));
    attacked_put(a, key, "rubbish");
    attacked_put(a, key, "more rubbish");
    req.version = info.version;
    must(obj_delete(eng_repo_store(r), &req, false, why));
    assert_int_equal(collect(r, false).deleted.objects, 0);
    assert_int_equal(count(r, key), 2);
    eng_repo_close(r);
}

static void what_never_was_a_manifest_is_junk(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);

    attacked_put(a, "plain/points/vm/20260101T000000Z-0011223344556677.json",
                 "rubbish");
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.junk, 1);
    assert_int_equal(count(r, "plain/points/"), 2);
    eng_repo_close(r);
}

/* --- with locks --- */

static void what_is_locked_stays_until_its_date(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req any = { .key = "" };
    struct obj_bucket b;

    /* Garbage that a run left which never had its point. */
    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(r, 1, NULL, &(struct err){ 0 });
    struct mf_id id;
    must(mf_id_of(span_str("something"), &id, why));
    must(eng_block_put(io, &id, span_str("something"), why));
    s3server_set_clock(a->server, 60);
    must(obj_bucket_info(eng_repo_store(r), &any, &b, why));
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.garbage.objects, 1);
    assert_int_equal(res.locked.objects, 1);
    assert_int_equal(res.deleted.objects, 0);
    assert_true(res.locked_first >= b.server_time + HOUR - 120);
    assert_true(res.locked_last == res.locked_first);
    /* Twice the immutability, and a generation. */
    s3server_set_clock(a->server, 3 * HOUR);
    must(obj_bucket_info(eng_repo_store(r), &any, &b, why));
    assert_int_equal(collect(r, false).deleted.objects, 1);
    vm_check_restore(r, &a->f, a->vm);
    eng_repo_close(r);
}

/* Meanwhile time passes, once: when junk is named, which is while it counts. */
struct hour_glass {
    struct attacked *a;
    int64_t to; /* of the server's clock */
    bool turned;
};

static void turn(void *ctx, enum eng_collect_word word, const char *what)
{
    struct hour_glass *h = ctx;

    (void)what;
    if (word != ENG_COLLECT_JUNK || h->turned)
        return;
    h->turned = true;
    s3server_set_clock(h->a->server, h->to);
}

/* Garbage that nothing locks any more, three hours from now; collected with so
 * many seconds between the mark and its deletions. */
static struct eng_collect_result
collect_slowly(struct attacked *a, uint64_t immutability_s, int64_t seconds)
{
    struct hour_glass h = { .a = a, .to = 3 * HOUR + seconds };
    const struct eng_collect_opts o = { .report = turn, .ctx = &h };
    struct eng_collect_result res;
    struct obj_req any = { .key = "" };
    struct obj_bucket b;

    a->f.place.immutability_s = immutability_s;
    struct eng_repo *r = fixture_open(&a->f);
    new_disk(a->vm, 7);
    vm_run(r, a->vm, NULL);
    s3server_set_clock(a->server, 3 * HOUR);
    must(obj_bucket_info(eng_repo_store(r), &any, &b, why));
    delete_oldest(r);
    attacked_put(a, "plain/blocks/00/junk", "not ours");
    must(eng_collect_run(r, &o, &res, why));
    assert_true(h.turned);
    assert_int_equal(res.junk, 1);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1);
    assert_int_equal(count(r, "plain/blocks/"), VM_BLOCKS + 1 + 1);
    assert_int_equal(count(r, "plain/pages/"), 2);
    vm_check_restore(r, &a->f, a->vm);
    eng_repo_close(r);
    return res;
}

/* ... of blocks and of pages. */
static void a_mark_that_ran_out_is_made_anew_for_all(void **state)
{
    assert_int_equal(collect_slowly(*state, 0, HOUR / 2 + 60).marks, 2);
}

static void a_mark_is_good_for_half_of_the_immutability(void **state)
{
    assert_int_equal(collect_slowly(*state, 0, HOUR / 2 - 120).marks, 1);
}

/* This host locks for longer; others need not. */
static void a_mark_lives_by_the_immutability_of_all(void **state)
{
    assert_int_equal(collect_slowly(*state, 7300, HOUR / 2 + 60).marks, 2);
}

static void nobody_waits_on_a_locked_repository(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    struct eng_repo *run = fixture_open(&a->f);

    must(eng_runlease_begin(run, "other", NULL, why));
    struct eng_collect_result res = collect(r, false);
    assert_false(res.blocked);
    eng_repo_close(run);
    eng_repo_close(r);
}

/* The one that stays is locked first. */
static void surplus_versions_go_once_another_is_locked(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req req = { .key = attacked_key(a, "plain/blocks/") };
    AUTO_BUF struct buf body = buf_init(1 << 20);
    struct obj_req any = { .key = "" };
    struct obj_bucket b;
    struct obj_lock lock;

    must(obj_get(eng_repo_store(r), &req, NULL, &body, NULL, why));
    must(obj_put(eng_repo_store(r), &req, buf_span(&body), NULL, NULL, why));
    s3server_set_clock(a->server, 2 * DAY);
    must(obj_bucket_info(eng_repo_store(r), &any, &b, why));
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.surplus.objects, 1);
    assert_int_equal(res.deleted.objects, 1);
    assert_int_equal(count(r, req.key), 1);
    must(obj_get_lock(eng_repo_store(r), &req, &lock, why));
    /* Longer than this mark was good for. */
    assert_true(lock.until > b.server_time + HOUR / 2);
    vm_check_restore(r, &a->f, a->vm);
    eng_repo_close(r);
}

#define P(name)                                                                \
    cmocka_unit_test_setup_teardown(name, attacked_setup_plain,                \
                                    attacked_teardown)
#define V(name)                                                                \
    cmocka_unit_test_setup_teardown(name, attacked_setup, attacked_teardown)
#define L(name)                                                                \
    cmocka_unit_test_setup_teardown(name, attacked_setup_locked,               \
                                    attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        P(a_mark_that_stands_again_stays),
        V(a_mark_that_stands_again_stays),
        P(a_bucket_holds_no_more_than_what_is_needed),
        V(a_bucket_holds_no_more_than_what_is_needed),
        P(a_lease_is_named_and_nothing_deleted),
        P(a_run_that_lost_its_lease_loses_nothing),
        V(a_delete_marker_stops_wherever_it_lies),
        V(a_hidden_mark_of_a_protected_point_stops),
        V(marks_of_points_that_are_gone_go),
        V(surplus_versions_go_and_a_good_one_stays),
        V(without_a_good_version_all_stay),
        V(what_never_was_a_manifest_is_junk),
        L(what_is_locked_stays_until_its_date),
        L(a_mark_that_ran_out_is_made_anew_for_all),
        L(a_mark_is_good_for_half_of_the_immutability),
        L(a_mark_lives_by_the_immutability_of_all),
        L(nobody_waits_on_a_locked_repository),
        L(surplus_versions_go_once_another_is_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
