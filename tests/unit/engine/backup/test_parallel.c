// SPDX-License-Identifier: Apache-2.0
/* Runs at the same time in one process, each with a handle of its own on one
 * open repository. */
#include "tests/unit/engine/care/attacked.h"

#include <pthread.h>

#include "engine/repo/damaged.h"
#include "engine/repo/internal.h"
#include "engine/repo/runlease.h"
#include "tests/unit/engine/keyed.h"

#define BLOCKS 24
#define MAX 8

struct one {
    char name[16];
    char *dir;
    struct eng_repo *repo; /* its own handle */
    struct eng_backup_opts o;
    struct eng_backup_result res;
    struct err e;
    int made;
    pthread_t thread;
};

/* A folder with one disk; machines of one seed are twins. */
static char *make_vm(struct fixture *f, const char *name, unsigned seed)
{
    char *dir = fixture_path(f, name);
    uint8_t *block = malloc(FIXTURE_BLOCK);
    struct err e = { 0 };
    char *disk = io_join(dir, "disk.raw", &e);

    must(io_mkdirs(dir, 0700, why));
    FILE *out = fopen(disk, "w");
    assert_non_null(out);
    for (unsigned i = 0; i < BLOCKS; i++) {
        fixture_noise(block, FIXTURE_BLOCK, seed * 100u + i);
        assert_int_equal(fwrite(block, FIXTURE_BLOCK, 1, out), 1);
    }
    fclose(out);
    free(disk);
    free(block);
    return dir;
}

static void *run_thread(void *ctx)
{
    struct one *o = ctx;
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(o->dir, &o->e);

    o->made =
        m == NULL ? -1 : eng_backup_machine(o->repo, m, &o->o, &o->res, &o->e);
    return NULL;
}

/* VMs vm0, vm1, ... with the disks of these seeds. */
static void begin(struct fixture *f, struct one *v, unsigned n,
                  const unsigned *seeds)
{
    for (unsigned i = 0; i < n; i++) {
        snprintf(v[i].name, sizeof v[i].name, "vm%u", i);
        v[i].dir = make_vm(f, v[i].name, seeds[i]);
    }
}

static void run_all(struct eng_repo *r, struct one *v, unsigned n)
{
    struct err e = { 0 };

    for (unsigned i = 0; i < n; i++) {
        v[i].repo = eng_repo_again(r, &e);
        assert_non_null(v[i].repo);
    }
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(pthread_create(&v[i].thread, NULL, run_thread, &v[i]),
                         0);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(pthread_join(v[i].thread, NULL), 0);
    for (unsigned i = 0; i < n; i++)
        if (v[i].made < 0)
            fail_msg("%s: %s", v[i].name, v[i].e.msg);
}

static void close_all(struct one *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        eng_repo_close(v[i].repo);
        free(v[i].dir);
    }
}

/* The newest point of each VM holds what its disk holds. */
static void check_restores(struct eng_repo *r, struct fixture *f,
                           const struct one *v, unsigned n)
{
    struct eng_restore_opts o = { .force = true };
    char *out = fixture_path(f, "out.raw");
    char text[512];

    for (unsigned i = 0; i < n; i++) {
        AUTO_ENG_POINT struct eng_point p = { 0 };
        struct eng_restore_result res;
        snprintf(text, sizeof text, "%s@latest", v[i].name);
        must(eng_point_find(r, NULL, text, &p, why));
        must(eng_restore_disk(r, &p, "disk.raw", out, &o, &res, why));
        snprintf(text, sizeof text, "cmp '%s/disk.raw' '%s'", v[i].dir, out);
        assert_int_equal(system(text), 0); /* NOLINT(cert-env33-c) */
    }
    free(out);
}

static uint64_t new_blocks(const struct one *v, unsigned n)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += v[i].res.new_blocks;
    return sum;
}

/* The sum over all handles is what the server got. */
static void twins_at_once_put_each_block_once(void **state)
{
    static const unsigned seeds[MAX] = { 1, 1, 1, 1, 1, 1, 2, 2 };
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct one v[MAX] = { 0 };

    begin(f, v, MAX, seeds);
    run_all(r, v, MAX);
    assert_int_equal(new_blocks(v, MAX), 2 * BLOCKS);
    check_restores(r, f, v, MAX);
    close_all(v, MAX);
    eng_repo_close(r);
}

static void in_a_bucket(struct attacked *a)
{
    static const unsigned seeds[MAX] = { 1, 2, 1, 2, 1, 2, 1, 2 };
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req blocks = { .key = "plain/blocks/" };
    struct one v[MAX] = { 0 };

    begin(&a->f, v, MAX, seeds);
    run_all(r, v, MAX);
    assert_int_equal(new_blocks(v, MAX), 2 * BLOCKS);
    a->n = 0;
    must(obj_list(eng_repo_store(r), &blocks, NULL, attacked_on_key, a, why));
    assert_int_equal(a->n, 2 * BLOCKS + VM_BLOCKS + 1);
    for (size_t i = 0; i < a->n; i++)
        assert_int_equal(s3server_puts(a->server, ATTACKED_BUCKET, a->keys[i]),
                         1);
    check_restores(r, &a->f, v, MAX);
    close_all(v, MAX);
    eng_repo_close(r);
}

static void in_a_bucket_no_block_is_put_twice(void **state)
{
    in_a_bucket(*state);
}

static void nor_in_a_locked_one(void **state)
{
    in_a_bucket(*state);
}

static uint64_t requests(struct eng_repo *r)
{
    struct obj_counters c;
    uint64_t sum = 0;

    obj_store_counters(eng_repo_store(r), &c);
    for (int i = 0; i < OBJ_VERBS; i++)
        sum += c.requests[i];
    return sum;
}

static void each_handle_counts_its_own_requests(void **state)
{
    static const unsigned seeds[] = { 1, 2, 3 };
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_counters c;
    struct one v[3] = { 0 };
    uint64_t puts = 0;
    uint64_t gets = 0;

    begin(&a->f, v, 3, seeds);
    uint64_t puts_before = s3server_requests(a->server, "PutObject");
    uint64_t gets_before = s3server_requests(a->server, "GetObject");
    uint64_t firsts = requests(r);
    run_all(r, v, 3);
    assert_int_equal(requests(r), firsts);
    for (unsigned i = 0; i < 3; i++) {
        obj_store_counters(eng_repo_store(v[i].repo), &c);
        /* A page, a manifest, and a lease that is put and ended. */
        assert_int_equal(c.requests[OBJ_PUT], BLOCKS + 4);
        puts += c.requests[OBJ_PUT];
        gets += c.requests[OBJ_GET];
    }
    assert_int_equal(puts,
                     s3server_requests(a->server, "PutObject") - puts_before);
    assert_int_equal(gets,
                     s3server_requests(a->server, "GetObject") - gets_before);
    close_all(v, 3);
    eng_repo_close(r);
}

/* The second waits: its parent is the point of the first. */
static void the_same_vm_is_never_processed_twice_at_once(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct one v[2] = { 0 };

    for (unsigned i = 0; i < 2; i++) {
        snprintf(v[i].name, sizeof v[i].name, "vm");
        v[i].dir = make_vm(f, "vm", 1);
    }
    run_all(r, v, 2);
    assert_int_not_equal(v[0].res.kind, v[1].res.kind);
    assert_int_equal(new_blocks(v, 2), BLOCKS);
    check_restores(r, f, v, 1);
    close_all(v, 2);
    eng_repo_close(r);
}

/* Handles are used for one run after the other, as a job's workers do. */
static void a_handle_is_good_for_many_runs(void **state)
{
    static const unsigned seeds[] = { 1, 1, 2 };
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct one v[3] = { 0 };

    begin(f, v, 3, seeds);
    run_all(r, v, 3);
    for (unsigned i = 0; i < 3; i++) {
        v[i].res = (struct eng_backup_result){ 0 };
        v[i].o.full = i == 1; /* lists what is there, while others work */
        assert_int_equal(pthread_create(&v[i].thread, NULL, run_thread, &v[i]),
                         0);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(v[i].thread, NULL), 0);
        if (v[i].made < 0)
            fail_msg("%s: %s", v[i].name, v[i].e.msg);
        assert_int_equal(v[i].res.kind == MF_FULL, i == 1);
        assert_int_equal(v[i].res.new_blocks, 0);
    }
    check_restores(r, f, v, 3);
    close_all(v, 3);
    eng_repo_close(r);
}

/* Another index, other names, other keys; the clear is one of them. */
static void runs_into_different_keysets_share_nothing(void **state)
{
    static const unsigned seeds[] = { 1, 1, 1, 1 };
    static const char *const labels[] = { "default", "other" };
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct eng_encrypt_opts clear = { .what = ENG_ENCRYPT_NONE };
    struct eng_encrypt_opts how[2];
    struct keyed k;
    struct one v[4] = { 0 };
    bool made = false;

    keyed_init(&k, "key");
    begin(f, v, 4, seeds);
    for (unsigned i = 0; i < 4; i++) {
        how[i % 2] = k.how;
        how[i % 2].label = labels[i % 2];
        v[i].o.encrypt = i < 2 ? &how[i] : i == 2 ? &clear : &how[0];
    }
    for (unsigned i = 0; i < 2; i++)
        must(eng_encrypt_choose(r, &how[i], NULL, &made, why));
    run_all(r, v, 4);
    /* vm0 and vm3 are twins in one keyset. */
    assert_int_equal(new_blocks(v, 4), 3 * BLOCKS);
    assert_string_equal(v[0].res.keyset, v[3].res.keyset);
    assert_string_not_equal(v[0].res.keyset, v[1].res.keyset);
    assert_string_equal(v[2].res.keyset, "plain");
    for (unsigned i = 0; i < 4; i++) {
        struct one *one = &v[i];
        must(eng_repo_select(r, one->res.keyset, why));
        check_restores(r, f, one, 1);
    }
    close_all(v, 4);
    eng_repo_close(r);
    keyed_free(&k);
}

/* Somebody swept, one handle has seen it and filled the index anew: what
 * another one had stored before may be gone, so it teaches nothing. */
static void a_handle_that_knows_an_older_sweep_teaches_nothing(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct err e = { 0 };
    struct eng_repo *a = eng_repo_again(r, &e);
    struct eng_repo *b = eng_repo_again(r, &e);
    struct mf_id id = { .b = { 7 } };

    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    must(eng_repo_prepare_writes(b, ENG_UPLOAD_NEW, NULL, why));
    assert_ptr_equal(a->common, b->common);
    must(eng_index_add(a->index, ENG_INDEX_BLOCK, &id, why));
    assert_true(eng_index_knows(b->index, ENG_INDEX_BLOCK, &id));

    struct eng_sweep s;
    struct eng_sweep_way way;
    assert_int_equal(eng_sweep_begin(r, NULL, 0, &s, &way, &e), 0);
    must(eng_sweep_count(&s, NULL, why));
    eng_sweep_end(&s);
    must(eng_repo_prepare_writes(b, ENG_UPLOAD_NEW, NULL, why));
    assert_false(eng_index_knows(b->index, ENG_INDEX_BLOCK, &id));
    must(eng_index_add(a->index, ENG_INDEX_BLOCK, &id, why));
    assert_false(eng_index_knows(b->index, ENG_INDEX_BLOCK, &id));

    /* With its next run it knows better, without another listing. */
    uint64_t before = requests(a);
    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    assert_true(requests(a) - before < 4);
    must(eng_index_add(a->index, ENG_INDEX_BLOCK, &id, why));
    assert_true(eng_index_knows(b->index, ENG_INDEX_BLOCK, &id));
    eng_repo_close(b);
    eng_repo_close(a);
    eng_repo_close(r);
}

/* Nor does it say of a manifest that the index knows what that names. */
static void and_a_point_that_it_has_seen_is_looked_at_again(void **state)
{
    static const char name[] = "plain/points/vm/x.json";
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct err e = { 0 };
    struct eng_repo *a = eng_repo_again(r, &e);
    struct eng_repo *b = eng_repo_again(r, &e);

    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    must(eng_repo_prepare_writes(b, ENG_UPLOAD_NEW, NULL, why));
    must(eng_index_clear(b->index, "another", why));
    must(eng_index_mark_seen(a->index, name, why));
    assert_false(eng_index_seen(b->index, name));
    must(eng_index_mark_seen(b->index, name, why));
    assert_true(eng_index_seen(a->index, name));
    eng_repo_close(b);
    eng_repo_close(a);
    eng_repo_close(r);
}

static void known_block(const struct attacked *a, struct mf_id *id)
{
    assert_true(
        mf_key_parse_block(attacked_key(a, "plain/blocks/"), "plain", id));
}

/* A run that lists what is there is stopped: the index knows little then. */
static void an_index_that_was_half_filled_is_filled_by_the_next(void **state)
{
    struct attacked *at = *state;
    struct eng_repo *r = fixture_open(&at->f);
    struct err e = { 0 };
    struct eng_repo *a = eng_repo_again(r, &e);
    struct eng_repo *b = eng_repo_again(r, &e);
    /* Of sweeps, of points; then of blocks. */
    const struct s3server_rule rule = { .op = "ListObject*",
                                        .skip = 2,
                                        .act = S3SERVER_REPLY,
                                        .status = 403,
                                        .code = "AccessDenied" };
    struct mf_id id;

    known_block(at, &id);
    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    assert_true(eng_index_knows(a->index, ENG_INDEX_BLOCK, &id));
    s3server_script(at->server, &rule, 1);
    assert_int_equal(eng_repo_prepare_writes(b, ENG_UPLOAD_MISSING, NULL, &e),
                     -1);
    assert_int_not_equal(s3server_acted(at->server, 0), 0);
    s3server_script(at->server, NULL, 0);
    assert_false(eng_index_knows(a->index, ENG_INDEX_BLOCK, &id));
    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    assert_true(eng_index_knows(a->index, ENG_INDEX_BLOCK, &id));
    eng_repo_close(b);
    eng_repo_close(a);
    eng_repo_close(r);
}

/* A check found damage while a job goes on: its next run heals it. */
static void each_run_knows_what_is_marked_as_damaged(void **state)
{
    struct attacked *at = *state;
    struct eng_repo *r = fixture_open(&at->f);
    struct err e = { 0 };
    struct eng_repo *a = eng_repo_again(r, &e);
    struct mf_id id;

    known_block(at, &id);
    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    must(eng_damaged_mark(eng_repo_store(r), NULL, ENG_INDEX_BLOCK, &id, why));
    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    assert_false(eng_index_knows(a->index, ENG_INDEX_BLOCK, &id));
    assert_non_null(eng_damaged_find(&a->damaged, ENG_INDEX_BLOCK, &id));
    eng_repo_close(a);
    eng_repo_close(r);
}

/* Who is in its turn is not waited for by who is stopped; and who was stopped
 * keeps nobody else. */
static void
who_is_stopped_while_it_waits_for_its_turn_delays_nobody(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct err e = { 0 };
    struct eng_repo *a = eng_repo_again(r, &e);
    struct eng_repo *b = eng_repo_again(r, &e);
    struct cancel c;

    must(cancel_init(&c, NULL, why));
    must(eng_repo_prepare_writes(a, ENG_UPLOAD_NEW, NULL, why));
    must(eng_common_begin(a, NULL, why));
    cancel_request(&c);
    assert_int_equal(eng_repo_prepare_writes(b, ENG_UPLOAD_NEW, &c, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_null(b->common);
    assert_null(b->index);
    eng_common_end(a);
    must(eng_repo_prepare_writes(b, ENG_UPLOAD_NEW, NULL, why));
    assert_ptr_equal(a->common, b->common);
    eng_repo_close(a);
    assert_true(b->common->users == 1);
    eng_repo_close(b);
    eng_repo_close(r);
    cancel_fini(&c);
}

/* The first run of each of a job's VMs into a new keyset. */
static void runs_that_need_a_new_keyset_make_one(void **state)
{
    static const unsigned seeds[] = { 1, 1, 1, 1 };
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    const struct s3server_rule slow = {
        .op = "PutObject", .key = "keysets/*", .act = S3SERVER_DELAY, .ms = 200
    };
    struct keyed k;
    struct one v[4] = { 0 };
    unsigned made = 0;

    s3server_script(a->server, &slow, 1);
    keyed_init(&k, "key");
    begin(&a->f, v, 4, seeds);
    for (unsigned i = 0; i < 4; i++)
        v[i].o.encrypt = &k.how;
    run_all(r, v, 4);
    for (unsigned i = 0; i < 4; i++) {
        made += v[i].res.keyset_made;
        assert_string_equal(v[i].res.keyset, v[0].res.keyset);
    }
    assert_int_equal(made, 1);
    assert_int_equal(new_blocks(v, 4), BLOCKS);
    must(eng_keysets_load(r, NULL, why));
    assert_int_equal(eng_repo_keysets(r)->n, 1);
    close_all(v, 4);
    eng_repo_close(r);
    keyed_free(&k);
}

int main(void)
{
#define FOLDER(test)                                                           \
    cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define BUCKET(test, setup)                                                    \
    cmocka_unit_test_setup_teardown(test, setup, attacked_teardown)
    const struct CMUnitTest tests[] = {
        FOLDER(twins_at_once_put_each_block_once),
        BUCKET(in_a_bucket_no_block_is_put_twice, attacked_setup_plain),
        BUCKET(nor_in_a_locked_one, attacked_setup_locked),
        BUCKET(each_handle_counts_its_own_requests, attacked_setup_plain),
        FOLDER(the_same_vm_is_never_processed_twice_at_once),
        FOLDER(a_handle_is_good_for_many_runs),
        FOLDER(runs_into_different_keysets_share_nothing),
        FOLDER(a_handle_that_knows_an_older_sweep_teaches_nothing),
        FOLDER(and_a_point_that_it_has_seen_is_looked_at_again),
        BUCKET(an_index_that_was_half_filled_is_filled_by_the_next,
               attacked_setup_plain),
        BUCKET(each_run_knows_what_is_marked_as_damaged, attacked_setup_plain),
        FOLDER(who_is_stopped_while_it_waits_for_its_turn_delays_nobody),
        BUCKET(runs_that_need_a_new_keyset_make_one, attacked_setup_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
