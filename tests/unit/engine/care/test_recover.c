// SPDX-License-Identifier: Apache-2.0
/* Recovering, on a server that can be told to refuse. */
#include "tests/unit/engine/care/attacked.h"

#include "engine/care/recover.h"
#include "engine/repo/point_store.h"

static struct eng_recover_result recover(struct attacked *a, bool dry,
                                         bool *complete)
{
    struct eng_repo *r = fixture_open(&a->f);
    const struct eng_recover_opts o = { .dry_run = dry };
    struct eng_recover_result res;

    must(eng_recover_run(r, &o, &res, why));
    if (complete != NULL)
        *complete = eng_recover_complete(r, &res);
    eng_repo_close(r);
    return res;
}

static struct eng_recover_count sum(const struct eng_recover_result *r)
{
    struct eng_recover_count s = { 0 };

    for (int i = 0; i < ENG_RECOVER_AREAS; i++) {
        s.markers += r->areas[i].markers;
        s.removed += r->areas[i].removed;
        s.overwritten += r->areas[i].overwritten;
        s.uncovered += r->areas[i].uncovered;
        s.put += r->areas[i].put;
        s.lost += r->areas[i].lost;
        s.junk += r->areas[i].junk;
        s.refused += r->areas[i].refused;
    }
    return s;
}

static void restores(struct attacked *a)
{
    struct eng_repo *r = fixture_open(&a->f);

    vm_check_restore(r, &a->f, a->vm);
    eng_repo_close(r);
}

static void a_sound_repository_stays_as_it_is(void **state)
{
    struct attacked *a = *state;
    struct s3server_counts before, after;
    bool complete = false;

    s3server_counts(a->server, &before);
    struct eng_recover_result res = recover(a, false, &complete);
    s3server_counts(a->server, &after);
    struct eng_recover_count s = sum(&res);
    assert_true(complete);
    assert_int_equal(s.markers + s.overwritten + s.lost + s.junk, 0);
    assert_int_equal(after.puts, before.puts);
    assert_int_equal(s3server_requests(a->server, "DeleteObject"), 0);
    assert_int_equal(s3server_requests(a->server, "DeleteObjects"), 0);
}

/* This server hides nothing; that a listing may not be whole is told all the
 * same. */
static void objects_in_place_of_folders_are_told_and_go(void **state)
{
    struct attacked *a = *state;
    struct eng_points ps = { 0 };
    struct err e = { 0 };
    bool complete = false;

    attacked_put(a, "plain/points/vm", "junk");
    attacked_put(a, "plain/pages", "junk");
    attacked_hide(a, "plain/pages");
    attacked_put(a, "plain/keep/vm", "junk");
    struct eng_repo *r = fixture_open(&a->f);
    assert_int_equal(eng_points_names(r, NULL, NULL, &ps, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "plain/points/vm is an object"));
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 1);
    eng_points_free(&ps);
    eng_repo_close(r);

    struct eng_recover_result res = recover(a, true, &complete);
    assert_int_equal(res.hiding, 3);
    assert_false(complete);
    res = recover(a, false, &complete);
    assert_int_equal(sum(&res).junk, 3);
    assert_int_equal(res.hiding, 0);
    assert_true(complete);
    restores(a);
    res = recover(a, false, &complete);
    assert_int_equal(sum(&res).junk, 0);
    assert_true(complete);
}

static void an_object_in_place_of_a_folder_may_have_to_stay(void **state)
{
    static const struct s3server_rule rules[] = {
        { .op = "DeleteObject*",
          .key = "plain/points",
          .act = S3SERVER_REPLY,
          .status = 400,
          .code = "InvalidRequest",
          .message = "Object is WORM protected and cannot be overwritten" },
    };
    struct attacked *a = *state;
    bool complete = true;
    const char *block = attacked_key(a, "plain/blocks/");

    attacked_put(a, "plain/points", "junk");
    attacked_put(a, block, "rubbish");
    s3server_script(a->server, rules, 1);
    struct eng_recover_result res = recover(a, false, &complete);
    assert_int_equal(res.hiding, 1);
    assert_false(complete);
    assert_int_equal(sum(&res).uncovered, 1);
    assert_int_equal(sum(&res).refused, 1);
}

static void everything_hidden_and_overwritten_comes_back(void **state)
{
    struct attacked *a = *state;
    bool complete = false;

    for (size_t i = 0; i < a->n; i++) {
        if (i % 3 != 1)
            attacked_put(a, a->keys[i], "rubbish");
        if (i % 3 != 0)
            attacked_hide(a, a->keys[i]);
        if (i % 4 == 0)
            attacked_put(a, a->keys[i], "more rubbish");
    }
    restores(a);
    struct eng_recover_result dry = recover(a, true, &complete);
    assert_true(complete);
    assert_int_equal(sum(&dry).removed, 0);
    struct eng_recover_result res = recover(a, false, &complete);
    struct eng_recover_count s = sum(&res);
    assert_true(complete);
    assert_int_equal(s.markers, sum(&dry).markers);
    assert_int_equal(s.overwritten, sum(&dry).overwritten);
    assert_int_equal(s.removed, s.markers);
    assert_int_equal(s.uncovered, s.overwritten);
    assert_int_equal(res.points.hidden, 0);
    for (size_t i = 0; i < a->n; i++)
        assert_int_equal(
            s3server_versions(a->server, ATTACKED_BUCKET, a->keys[i]), 1);
    restores(a);
}

static void
without_the_right_to_delete_good_versions_are_put_again(void **state)
{
    static const struct s3server_rule rules[] = {
        { .op = "DeleteObject*",
          .act = S3SERVER_REPLY,
          .status = 403,
          .code = "AccessDenied" },
    };
    struct attacked *a = *state;
    const char *block = attacked_key(a, "plain/blocks/");
    const char *page = attacked_key(a, "plain/pages/");
    bool complete = false;

    attacked_put(a, block, "rubbish");
    attacked_hide(a, page);
    s3server_script(a->server, rules, 1);
    struct eng_recover_result res = recover(a, false, &complete);
    struct eng_recover_count s = sum(&res);
    assert_true(complete);
    assert_true(res.denied);
    assert_int_equal(s.put, 1);
    assert_int_equal(s.refused, 2);
    assert_int_equal(s3server_versions(a->server, ATTACKED_BUCKET, block), 3);
    s3server_script(a->server, NULL, 0);
    res = recover(a, false, &complete);
    assert_false(res.denied);
    assert_int_equal(sum(&res).overwritten, 0);
    assert_int_equal(sum(&res).removed, 1);
    restores(a);
}

static void
an_object_without_a_good_version_is_lost_and_its_point_too(void **state)
{
    struct attacked *a = *state;
    const char *block = attacked_key(a, "plain/blocks/");
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req req = { .key = block };
    struct obj_info info;
    bool complete = true;

    must(obj_head(eng_repo_store(r), &req, &info, why));
    req.version = info.version;
    must(obj_delete(eng_repo_store(r), &req, false, why));
    eng_repo_close(r);
    attacked_put(a, block, "rubbish");
    attacked_put(a, block, "other rubbish");
    struct eng_recover_result res = recover(a, false, &complete);
    assert_false(complete);
    assert_int_equal(sum(&res).lost, 1);
    assert_int_equal(res.points.damaged_points, 1);
    /* It is marked: the next run puts it again, over the rubbish. */
    attacked_back_up(a);
    res = recover(a, false, &complete);
    assert_true(complete);
    restores(a);
}

static void a_server_that_fails_now_and_then_delays_and_no_more(void **state)
{
    static const struct s3server_rule rules[] = {
        { .chance = 50,
          .act = S3SERVER_REPLY,
          .status = 503,
          .code = "SlowDown" },
        { .op = "DeleteObject*", .times = 2, .act = S3SERVER_LOSE_ANSWER },
        { .op = "PutObject", .times = 2, .act = S3SERVER_LOSE_ANSWER },
    };
    struct attacked *a = *state;
    bool complete = false;

    for (size_t i = 0; i < a->n; i += 2) {
        attacked_put(a, a->keys[i], "rubbish");
        attacked_hide(a, a->keys[i]);
    }
    s3server_script(a->server, rules, 3);
    struct eng_recover_result res = recover(a, false, &complete);
    s3server_script(a->server, NULL, 0);
    assert_true(complete);
    assert_int_equal(res.points.hidden, 0);
    for (size_t i = 0; i < a->n; i++)
        assert_int_equal(
            s3server_versions(a->server, ATTACKED_BUCKET, a->keys[i]), 1);
    restores(a);
}

static void false_manifests_go_and_others_names_stay(void **state)
{
    struct attacked *a = *state;
    static const char junk[] =
        "plain/points/vm/20200101T000000Z-0123456789abcdef.json";
    bool complete = false;

    attacked_put(a, junk, "{}");
    attacked_put(a, "plain/points/vm/notes.txt", "x");
    struct eng_recover_result res = recover(a, false, &complete);
    assert_true(complete);
    assert_int_equal(res.areas[ENG_RECOVER_POINTS].junk, 2);
    assert_int_equal(res.areas[ENG_RECOVER_POINTS].junk_removed, 1);
    assert_int_equal(s3server_versions(a->server, ATTACKED_BUCKET, junk), 0);
    assert_int_equal(s3server_versions(a->server, ATTACKED_BUCKET,
                                       "plain/points/vm/notes.txt"),
                     1);
}

/* Of a newer format, say: its digest is that of its name. */
static void a_manifest_that_cannot_be_read_is_not_junk(void **state)
{
    struct attacked *a = *state;
    static const char text[] = "{\"v\":99}";
    char file[MF_POINT_FILE_CHARS];
    bool complete = true;

    must(mf_point_file(1700000000, span_str(text), file, why));
    struct mf_key key = mf_key_point(MF_KEYSET_PLAIN, "vm", file);
    attacked_put(a, key.s, text);
    struct eng_recover_result res = recover(a, false, &complete);
    assert_false(complete);
    assert_int_equal(res.areas[ENG_RECOVER_POINTS].junk, 0);
    assert_int_equal(res.areas[ENG_RECOVER_POINTS].lost, 1);
    assert_int_equal(s3server_versions(a->server, ATTACKED_BUCKET, key.s), 1);
}

/* A manifest that was ours is never deleted, however damaged it is. */
static void a_damaged_manifest_of_ours_stays(void **state)
{
    struct attacked *a = *state;
    const char *key = attacked_key(a, "plain/points/");
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req req = { .key = key };
    struct obj_info info;
    bool complete = true;

    must(obj_head(eng_repo_store(r), &req, &info, why));
    req.version = info.version;
    must(obj_delete(eng_repo_store(r), &req, false, why));
    eng_repo_close(r);
    attacked_put(a, key, "{}");
    struct eng_recover_result res = recover(a, false, &complete);
    assert_false(complete);
    assert_int_equal(res.areas[ENG_RECOVER_POINTS].junk, 0);
    assert_int_equal(res.areas[ENG_RECOVER_POINTS].lost, 1);
    assert_int_equal(s3server_versions(a->server, ATTACKED_BUCKET, key), 1);
}

static void a_good_version_is_put_again_with_its_lock(void **state)
{
    struct attacked *a = *state;
    const char *block = attacked_key(a, "plain/blocks/");
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_store *s = eng_repo_store(r);
    struct obj_req req = { .key = block };
    struct obj_info good, rubbish, now;
    bool complete = false;

    must(obj_head(s, &req, &good, why));
    const struct obj_put_opts locked = { .lock = { .mode = OBJ_LOCK_COMPLIANCE,
                                                   .until = good.lock.until } };
    must(obj_put(s, &req, span_str("rubbish"), &locked, &rubbish, why));
    eng_repo_close(r);
    restores(a);
    struct eng_recover_result res = recover(a, false, &complete);
    assert_true(complete);
    assert_int_equal(sum(&res).put, 1);
    r = fixture_open(&a->f);
    must(obj_head(eng_repo_store(r), &req, &now, why));
    eng_repo_close(r);
    assert_int_equal(now.size, good.size);
    assert_string_equal(now.etag, good.etag);
    assert_int_equal(now.lock.mode, OBJ_LOCK_COMPLIANCE);
    assert_int_equal(now.lock.until, good.lock.until);
    /* Once is enough. */
    res = recover(a, false, &complete);
    assert_int_equal(sum(&res).put, 0);
}

/* Who puts a false manifest writes any date into it: what is repaired must not
 * be locked until then. */
static void a_repair_locks_no_longer_than_the_server_holds_a_point(void **state)
{
    struct attacked *a = *state;
    struct fixture other = a->f;
    const struct eng_repo_create_opts made = { .block_size = FIXTURE_BLOCK };
    const char *manifest = attacked_key(a, "plain/points/");
    struct obj_req req = { .key = attacked_key(a, "plain/blocks/") };
    AUTO_BUF struct buf bytes = buf_init(1 << 20);
    char file[MF_POINT_FILE_CHARS];
    struct obj_info info;

    snprintf(other.store, sizeof other.store, "%s/other", a->f.dir);
    other.place = (struct eng_repo_place){
        .name = "other",
        .state_dir = a->f.state,
        .store = { .driver = OBJ_DRIVER_FILE, .path = other.store },
    };
    must(eng_repo_create(&other.place, &made, NULL, why));
    struct eng_repo *from = fixture_open(&other);
    vm_run(from, a->vm, NULL);
    struct eng_repo *r = fixture_open(&a->f);
    assert_true(s3server_read(a->server, ATTACKED_BUCKET, manifest, &bytes));
    AUTO_MF_POINT struct mf_point *p = mf_point_decode(buf_span(&bytes), NULL);
    assert_non_null(p);
    int64_t until = p->locked_until;
    p->locked_until += INT64_C(100) * 365 * 86400;
    p->time -= 86400;
    p->chain = p->time;
    buf_reset(&bytes);
    must(mf_point_encode(p, &bytes, why));
    must(mf_point_file(p->time, buf_span(&bytes), file, why));
    struct mf_key key = mf_key_point(MF_KEYSET_PLAIN, "vm", file);
    s3server_write(a->server, ATTACKED_BUCKET, key.s, bytes.p, bytes.len);

    /* The block's lock has ended, the true manifest's has not. */
    s3server_set_clock(a->server, 4 * 3600);
    must(obj_head(eng_repo_store(r), &req, &info, why));
    req.version = info.version;
    must(obj_delete(eng_repo_store(r), &req, false, why));
    s3server_set_clock(a->server, 0);
    eng_repo_close(r);
    r = fixture_open(&a->f);
    const struct eng_check_opts o = { .repair = true, .from = from };
    struct eng_check_result res;
    must(eng_check_run(r, &o, &res, why));
    assert_int_equal(res.repaired, 1);
    req.version = NULL;
    must(obj_head(eng_repo_store(r), &req, &info, why));
    assert_true(info.lock.until >= until);
    assert_true(info.lock.until < until + 3600);
    eng_repo_close(from);
    eng_repo_close(r);
}

static void a_bucket_without_versions_is_refused(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    const struct eng_recover_opts o = { .dry_run = true };
    struct eng_recover_result res;
    struct err e = { 0 };

    assert_int_equal(eng_recover_run(r, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    eng_repo_close(r);
}

#define CASE(name, setup)                                                      \
    cmocka_unit_test_setup_teardown(name, setup, attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_sound_repository_stays_as_it_is, attacked_setup),
        CASE(objects_in_place_of_folders_are_told_and_go, attacked_setup),
        CASE(an_object_in_place_of_a_folder_may_have_to_stay, attacked_setup),
        CASE(everything_hidden_and_overwritten_comes_back, attacked_setup),
        CASE(without_the_right_to_delete_good_versions_are_put_again,
             attacked_setup),
        CASE(an_object_without_a_good_version_is_lost_and_its_point_too,
             attacked_setup),
        CASE(a_server_that_fails_now_and_then_delays_and_no_more,
             attacked_setup),
        CASE(false_manifests_go_and_others_names_stay, attacked_setup),
        CASE(a_manifest_that_cannot_be_read_is_not_junk, attacked_setup),
        CASE(a_damaged_manifest_of_ours_stays, attacked_setup),
        CASE(a_good_version_is_put_again_with_its_lock, attacked_setup_locked),
        CASE(a_repair_locks_no_longer_than_the_server_holds_a_point,
             attacked_setup_locked),
        CASE(a_bucket_without_versions_is_refused, attacked_setup_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
