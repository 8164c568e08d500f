// SPDX-License-Identifier: Apache-2.0
/* Keysets of a locked repository: slots are locked and extended like the
 * descriptor, and never put again. */
#include "tests/unit/engine/keyed.h"

#include "base/utc.h"
#include "engine/care/locks.h"
#include "engine/care/recover.h"
#include "tests/s3server/s3server.h"

#define DAY INT64_C(86400)

struct scene {
    struct fixture f; /* its folder; the store is the server's */
    struct s3server *server;
    struct eng_repo *repo;
    struct keyed k;
    char *vm;
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    const struct eng_repo_create_opts o = { .create_bucket = true,
                                            .block_size = FIXTURE_BLOCK,
                                            .locked = true,
                                            .immutability_s = 8 * DAY,
                                            .generation_s = 4 * DAY };

    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    unsetenv("AWS_SESSION_TOKEN");
    s->server = s3server_start(NULL);
    snprintf(s->f.dir, sizeof s->f.dir, "/tmp/objvault-unit-XXXXXX");
    assert_non_null(mkdtemp(s->f.dir));
    snprintf(s->f.state, sizeof s->f.state, "%s/state", s->f.dir);
    s->vm = vm_make(&s->f, "vm");
    s->f.place = (struct eng_repo_place){
        .name = "test",
        .state_dir = s->f.state,
        .store = { .bucket = "bucket",
                   .prefix = "p",
                   .region = "us-east-1",
                   .endpoint = s3server_endpoint(s->server) },
    };
    must(eng_repo_create(&s->f.place, &o, NULL, why));
    s->repo = fixture_open(&s->f);
    keyed_init(&s->k, "correct horse");
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    char command[128];

    eng_repo_close(s->repo);
    s3server_stop(s->server);
    snprintf(command, sizeof command, "rm -rf '%s'", s->f.dir);
    int r = system(command); /* NOLINT(cert-env33-c): a path of our own */
    keyed_free(&s->k);
    free(s->vm);
    free(s);
    return r;
}

static struct mf_key slot_key(struct scene *s)
{
    must(eng_keysets_load(s->repo, NULL, why));
    const struct eng_keysets *all = eng_repo_keysets(s->repo);
    assert_int_equal(all->n, 1);
    assert_int_equal(all->k[0]->n_slots, 1);
    return all->k[0]->slots[0].key;
}

static int64_t locked_until(struct scene *s, const char *key)
{
    struct obj_req req = { .key = key };
    struct obj_lock lock = { 0 };

    must(obj_get_lock(eng_repo_store(s->repo), &req, &lock, why));
    return lock.mode != OBJ_LOCK_NONE ? lock.until : 0;
}

static int64_t newest_until(struct scene *s)
{
    AUTO_ENG_POINT struct eng_point p = { 0 };

    must(eng_point_find(s->repo, NULL, "vm@latest", &p, why));
    return p.manifest->locked_until;
}

static void a_slot_is_locked_as_long_as_the_points_that_need_it(void **state)
{
    struct scene *s = *state;

    vm_run(s->repo, s->vm, &s->k.run);
    struct mf_key key = slot_key(s);
    assert_true(locked_until(s, key.s) >= newest_until(s));

    s3server_set_clock(s->server, 6 * DAY);
    s->repo = keyed_again(&s->f, s->repo);
    vm_run(s->repo, s->vm, &s->k.run);
    assert_true(locked_until(s, key.s) >= newest_until(s));
    assert_int_equal(newest_until(s) / DAY, (utc_real_now() + 14 * DAY) / DAY);
}

static void a_new_slot_is_locked_until_the_latest_point_is_free(void **state)
{
    struct scene *s = *state;
    struct keyed second;
    struct err e = { 0 };

    s->f.place.immutability_s = 30 * DAY;
    s->repo = keyed_again(&s->f, s->repo);
    vm_run(s->repo, s->vm, &s->k.run);
    int64_t until = newest_until(s);
    s->f.place.immutability_s = 0;
    s->repo = keyed_again(&s->f, s->repo);
    struct mf_key old = slot_key(s);
    const struct eng_keyset *k = eng_repo_keysets(s->repo)->k[0];
    AUTO_SECRET struct secret *key = eng_keyset_unwrap(
        s->repo, k->name, &s->k.how.ways, false, NULL, NULL, &e);
    assert_non_null(key);
    must(eng_keyset_open(s->repo, k->name, &s->k.how.ways, false, NULL, why));
    keyed_init(&second, "battery staple");
    must(eng_slot_add(s->repo, k, NULL, key, &second.way, NULL, why));
    must(eng_keysets_load(s->repo, NULL, why));
    k = eng_repo_keysets(s->repo)->k[0];
    assert_int_equal(k->n_slots, 2);
    for (size_t i = 0; i < 2; i++)
        if (strcmp(k->slots[i].key.s, old.s) != 0)
            assert_true(locked_until(s, k->slots[i].key.s) >= until);
    keyed_free(&second);
}

static void the_oldest_version_of_a_slot_counts(void **state)
{
    struct scene *s = *state;
    static const char rubbish[] = "rubbish";

    vm_run(s->repo, s->vm, &s->k.run);
    struct mf_key key = slot_key(s);
    struct obj_req req = { .key = key.s };
    AUTO_BUF struct buf forged = buf_init(MF_SLOT_JSON_MAX);
    must(obj_get(eng_repo_store(s->repo), &req, NULL, &forged, NULL, why));
    char *at = strstr((char *)forged.p, "\"tag\":\"");
    assert_non_null(at);
    at[7] = at[7] == '0' ? '1' : '0'; /* well formed, and opens nothing */
    must(obj_put(eng_repo_store(s->repo), &req, buf_span(&forged), NULL, NULL,
                 why));
    must(obj_put(eng_repo_store(s->repo), &req, span_str(rubbish), NULL, NULL,
                 why));
    s->repo = keyed_again(&s->f, s->repo);
    assert_int_equal(vm_run(s->repo, s->vm, &s->k.run).kind, MF_INCREMENTAL);
}

static void without_any_slot_no_point_is_made(void **state)
{
    struct scene *s = *state;

    vm_run(s->repo, s->vm, &s->k.run);
    int64_t until = newest_until(s);
    struct mf_key key = slot_key(s);
    /* Its lock is over, and somebody deletes it. */
    s3server_set_clock(s->server, 13 * DAY);
    struct obj_info info;
    struct obj_req req = { .key = key.s };
    must(obj_head(eng_repo_store(s->repo), &req, &info, why));
    req.version = info.version;
    must(obj_delete(eng_repo_store(s->repo), &req, false, why));
    struct err e = keyed_fails(s->repo, s->vm, &s->k.run);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_non_null(strstr(e.msg, "no slot"));
    assert_true(newest_until(s) == until);
}

static int on_first(void *ctx, const char *key, const struct obj_info *info,
                    struct err *e)
{
    (void)info;
    (void)e;
    (void)snprintf(ctx, 200, "%s", key);
    return 1;
}

static void find_first(struct scene *s, const char *prefix, char out[200])
{
    struct obj_req req = { .key = prefix };

    out[0] = '\0';
    must(obj_list(eng_repo_store(s->repo), &req, NULL, on_first, out, why));
    assert_true(out[0] != '\0');
}

/* Rubbish over a block, and a delete marker on a manifest. */
static void attack(struct scene *s, const char *keyset)
{
    char key[200];
    struct obj_req req = { .key = key };
    struct mf_key blocks = mf_key_blocks_prefix(keyset, -1);
    struct mf_key points = mf_key_points_prefix(keyset, NULL);

    find_first(s, blocks.s, key);
    must(obj_put(eng_repo_store(s->repo), &req, span_str("rubbish"), NULL, NULL,
                 why));
    find_first(s, points.s, key);
    must(obj_delete(eng_repo_store(s->repo), &req, false, why));
}

static void a_recovery_goes_over_the_keysets_at_hand(void **state)
{
    struct scene *s = *state;
    struct eng_recover_opts o = { 0 };
    struct eng_recover_result res;

    struct eng_backup_result made = vm_run(s->repo, s->vm, &s->k.run);
    attack(s, made.keyset);
    /* Without the key only the marker goes. */
    s->repo = keyed_again(&s->f, s->repo);
    must(eng_recover_run(s->repo, &o, &res, why));
    assert_int_equal(res.areas[ENG_RECOVER_OTHER].removed, 1);
    assert_int_equal(res.areas[ENG_RECOVER_BLOCKS].overwritten, 0);
    assert_int_equal(res.points.keysets_skipped, 1);

    attack(s, made.keyset);
    s->repo = keyed_again(&s->f, s->repo);
    size_t closed = 0;
    must(eng_keysets_open(s->repo, &s->k.how.ways, NULL, &closed, why));
    must(eng_recover_run(s->repo, &o, &res, why));
    assert_int_equal(res.areas[ENG_RECOVER_POINTS].removed, 1);
    assert_int_equal(res.areas[ENG_RECOVER_BLOCKS].uncovered, 1);
    assert_int_equal(res.points.points, 1);
    assert_int_equal(res.points.damaged, 0);
    assert_true(eng_recover_complete(s->repo, &res));
}

static struct eng_locks_result verify_locks(struct scene *s)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    struct eng_locks_opts o = { .sample_ppm = ENG_LOCKS_ALL_PPM };
    struct eng_locks_result res;

    must(eng_points_list_all(s->repo, NULL, NULL, &ps, why));
    must(eng_locks_verify(s->repo, &ps, &o, &res, why));
    return res;
}

static void the_locks_of_slots_are_verified_too(void **state)
{
    struct scene *s = *state;

    vm_run(s->repo, s->vm, &s->k.run);
    must(eng_repo_select(s->repo, "plain", why));
    struct eng_locks_result res = verify_locks(s);
    /* Descriptor, slot, manifest, two pages, blocks. */
    assert_int_equal(res.points, 1);
    assert_int_equal(res.objects, 1 + 1 + 1 + 2 + VM_BLOCKS + 1);
    assert_int_equal(res.asked, res.objects);
    assert_false(eng_locks_broken(&res));
    assert_string_equal(eng_repo_keyset(s->repo), "plain");

    /* The same slot once more, without a lock; what is locked is gone. */
    struct mf_key key = slot_key(s);
    struct obj_req req = { .key = key.s };
    AUTO_BUF struct buf bytes = buf_init(MF_SLOT_JSON_MAX);
    struct obj_info info;
    must(obj_get(eng_repo_store(s->repo), &req, NULL, &bytes, &info, why));
    s3server_set_clock(s->server, 13 * DAY);
    must(obj_put(eng_repo_store(s->repo), &req, buf_span(&bytes), NULL, NULL,
                 why));
    req.version = info.version;
    must(obj_delete(eng_repo_store(s->repo), &req, false, why));
    s3server_set_clock(s->server, 0);
    s->repo = keyed_again(&s->f, s->repo);
    size_t closed = 0;
    must(eng_keysets_open(s->repo, &s->k.how.ways, NULL, &closed, why));
    res = verify_locks(s);
    assert_int_equal(res.shorts, 1);

    s->repo = keyed_again(&s->f, s->repo);
    res = verify_locks(s);
    assert_int_equal(res.sealed, 1);
    assert_int_equal(res.asked, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_slot_is_locked_as_long_as_the_points_that_need_it),
        T(a_new_slot_is_locked_until_the_latest_point_is_free),
        T(the_oldest_version_of_a_slot_counts),
        T(without_any_slot_no_point_is_made),
        T(a_recovery_goes_over_the_keysets_at_hand),
        T(the_locks_of_slots_are_verified_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
