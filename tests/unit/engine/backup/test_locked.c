// SPDX-License-Identifier: Apache-2.0
/* Backups into a locked repository, on a server whose clock is ours to set. */
#include "tests/unit/engine/backup/vm.h"

#include "base/utc.h"
#include "engine/repo/lockcheck.h"
#include "manifest/objkey.h"
#include "tests/s3server/s3server.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

struct scene {
    struct fixture f; /* its folder; the store is the server's */
    struct s3server *server;
    struct eng_repo *repo;
    char *vm;
};

static void place(struct scene *s, uint64_t immutability_s,
                  uint64_t generation_s)
{
    const struct eng_repo_create_opts o = { .create_bucket = true,
                                            .block_size = FIXTURE_BLOCK,
                                            .locked = true,
                                            .immutability_s = immutability_s,
                                            .generation_s = generation_s };

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
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);

    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    unsetenv("AWS_SESSION_TOKEN");
    s->server = s3server_start(NULL);
    snprintf(s->f.dir, sizeof s->f.dir, "/tmp/objvault-unit-XXXXXX");
    assert_non_null(mkdtemp(s->f.dir));
    snprintf(s->f.state, sizeof s->f.state, "%s/state", s->f.dir);
    s->vm = vm_make(&s->f, "vm");
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
    free(s->vm);
    free(s);
    return r;
}

/* A program that is started anew, its state folder lost or not. */
static void again(struct scene *s, bool forget)
{
    char command[128];

    eng_repo_close(s->repo);
    snprintf(command, sizeof command, "rm -rf '%s'", s->f.state);
    if (forget)
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    s->repo = fixture_open(&s->f);
}

/* Each version that is there. */
struct seen {
    char key[200];
    char version[OBJ_VERSION_CHARS];
};
struct all {
    struct seen v[200];
    size_t n;
};

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct all *a = ctx;

    (void)e;
    if (info->delete_marker)
        return 0;
    assert_true(a->n < 200);
    snprintf(a->v[a->n].key, sizeof a->v[0].key, "%s", key);
    snprintf(a->v[a->n++].version, sizeof a->v[0].version, "%s", info->version);
    return 0;
}

static void versions(struct scene *s, const char *prefix, struct all *a)
{
    struct obj_req req = { .key = prefix };
    struct obj_list_opts o = { .versions = true };

    a->n = 0;
    must(obj_list(eng_repo_store(s->repo), &req, &o, on_version, a, why));
}

static struct obj_lock lock_of(struct scene *s, const struct seen *v)
{
    struct obj_req req = { .key = v->key, .version = v->version };
    struct obj_lock lock = { 0 };

    must(obj_get_lock(eng_repo_store(s->repo), &req, &lock, why));
    return lock;
}

static int64_t newest_locked_until(struct scene *s)
{
    struct eng_point p;

    must(eng_point_find(s->repo, NULL, "vm@latest", &p, why));
    int64_t until = p.manifest->locked_until;
    eng_point_free(&p);
    return until;
}

/* Some version of each key that begins so is locked until then. */
static void assert_locked(struct scene *s, const char *prefix, int64_t until)
{
    struct all a;

    versions(s, prefix, &a);
    assert_true(a.n > 0);
    for (size_t i = 0; i < a.n; i++) {
        bool held = false;
        for (size_t j = 0; j < a.n; j++)
            held = held || (strcmp(a.v[i].key, a.v[j].key) == 0 &&
                            lock_of(s, &a.v[j]).until >= until);
        if (!held)
            fail_msg("%s is not locked", a.v[i].key);
    }
}

static void assert_all_locked(struct scene *s)
{
    int64_t until = newest_locked_until(s);

    assert_locked(s, "objvault.json", until);
    assert_locked(s, "plain/", until);
}

static uint64_t extensions(struct scene *s)
{
    return s3server_requests(s->server, "PutObjectRetention");
}

static void only_what_is_short_is_extended(void **state)
{
    struct scene *s = *state;

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    assert_all_locked(s);
    again(s, false);
    uint64_t before = extensions(s);
    vm_run(s->repo, s->vm, NULL);
    /* Nothing but what comes into its phase within these seconds. */
    assert_in_range(extensions(s) - before, 0, 1);

    /* Half a generation later about half of the objects are. */
    s3server_set_clock(s->server, 2 * DAY);
    again(s, false);
    before = extensions(s);
    vm_run(s->repo, s->vm, NULL);
    uint64_t some = extensions(s) - before;
    assert_in_range(some, 1, VM_BLOCKS + 3);
    vm_run(s->repo, s->vm, NULL);
    assert_in_range(extensions(s) - before - some, 0, 1);
    assert_int_equal(newest_locked_until(s) / DAY,
                     (utc_real_now() + 10 * DAY) / DAY);
}

static void a_full_run_calls_for_nothing_that_is_covered(void **state)
{
    struct scene *s = *state;
    struct eng_backup_opts full = { .full = true };

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    again(s, false);
    uint64_t before = extensions(s);
    /* It lists anew what is there. */
    vm_run(s->repo, s->vm, &full);
    assert_in_range(extensions(s) - before, 0, 1);
    assert_all_locked(s);
    vm_run(s->repo, s->vm, NULL);
    assert_in_range(extensions(s) - before, 0, 2);
}

static void leases_and_probes_are_not_locked(void **state)
{
    struct scene *s = *state;
    struct all a;

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    versions(s, "gc/", &a);
    for (size_t i = 0; i < a.n; i++)
        assert_int_equal(lock_of(s, &a.v[i]).mode, OBJ_LOCK_NONE);
}

/* What a collector would do that saw nobody need them. */
static void remove_all(struct scene *s, const struct all *a)
{
    for (size_t i = 0; i < a->n; i++) {
        struct obj_req req = { .key = a->v[i].key, .version = a->v[i].version };
        must(obj_delete(eng_repo_store(s->repo), &req, false, why));
    }
}

static void a_block_that_is_gone_is_read_again_and_put_whole(void **state)
{
    struct scene *s = *state;
    struct all a;

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    vm_poke(s->vm, 10, "an overlay");
    vm_run(s->repo, s->vm, NULL);
    s3server_set_clock(s->server, 30 * DAY);
    again(s, false);
    versions(s, "plain/blocks/", &a);
    remove_all(s, &a);
    uint64_t puts = vm_puts_so_far(s->repo);
    /* Nothing has changed, the pages are there: the step finds it out. */
    struct eng_backup_result res = vm_run(s->repo, s->vm, NULL);
    assert_int_equal(res.reused_blocks, VM_BLOCKS + 1);
    assert_int_equal(res.new_blocks, VM_BLOCKS + 1);
    /* The blocks, the page of the overlay, the manifest, the lease and its
     * end. */
    assert_int_equal(vm_puts_so_far(s->repo) - puts, VM_BLOCKS + 1 + 2 + 2);
    vm_check_restore(s->repo, &s->f, s->vm);
    assert_locked(s, "plain/blocks/", newest_locked_until(s));
}

/* Each block's version is deleted, which nothing forbids any more, and rubbish
 * is put in its place: the only version there is now. */
static void replace_blocks(struct scene *s)
{
    struct all a;

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    s3server_set_clock(s->server, 30 * DAY);
    again(s, false);
    versions(s, "plain/blocks/", &a);
    remove_all(s, &a);
    for (size_t i = 0; i < a.n; i++) {
        struct obj_req req = { .key = a.v[i].key };
        must(obj_put(eng_repo_store(s->repo), &req, span_str("rubbish"), NULL,
                     NULL, why));
    }
}

static void a_block_that_was_replaced_is_put_again(void **state)
{
    struct scene *s = *state;

    replace_blocks(s);
    struct eng_backup_result res = vm_run(s->repo, s->vm, NULL);
    assert_int_equal(res.new_blocks, VM_BLOCKS + 1);
    vm_check_restore(s->repo, &s->f, s->vm);
}

static void a_full_run_puts_a_block_of_another_version_again(void **state)
{
    struct scene *s = *state;
    const struct eng_backup_opts full = { .full = true,
                                          .upload = ENG_UPLOAD_MISSING };

    replace_blocks(s);
    struct eng_backup_result res = vm_run(s->repo, s->vm, &full);
    assert_int_equal(res.new_blocks, VM_BLOCKS + 1);
    vm_check_restore(s->repo, &s->f, s->vm);
}

static void a_page_that_is_gone_is_put_again(void **state)
{
    struct scene *s = *state;
    char zeros[16] = { 0 };
    struct all a;

    place(s, 8 * DAY, 4 * DAY);
    int fd = vm_disk_open(s->vm);
    must(io_pwrite_full(fd, zeros, sizeof zeros, 10, "disk", why));
    vm_run(s->repo, s->vm, NULL);
    versions(s, "plain/pages/", &a);
    vm_poke(s->vm, 10, "an overlay");
    vm_run(s->repo, s->vm, NULL);
    /* As it was at first, and so is its page. */
    must(io_pwrite_full(fd, zeros, sizeof zeros, 10, "disk", why));
    close(fd);
    s3server_set_clock(s->server, 30 * DAY);
    again(s, false);
    /* That of the file is the same in all points: only the disk's goes. */
    struct eng_point p;
    must(eng_point_find(s->repo, NULL, "vm@latest", &p, why));
    char hex[MF_ID_CHARS];
    mf_id_hex(&p.manifest->files[0].pages[0].id, hex);
    eng_point_free(&p);
    size_t kept = 0;
    for (size_t i = 0; i < a.n; i++)
        if (strstr(a.v[i].key, hex) == NULL)
            a.v[kept++] = a.v[i];
    a.n = kept;
    assert_int_equal(a.n, 1);
    remove_all(s, &a);
    vm_run(s->repo, s->vm, NULL);
    vm_check_restore(s->repo, &s->f, s->vm);
    versions(s, a.v[0].key, &a);
    assert_int_equal(a.n, 1);
    assert_locked(s, a.v[0].key, newest_locked_until(s));
}

static void a_parent_that_is_gone_is_no_parent(void **state)
{
    struct scene *s = *state;
    struct all a;

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    s3server_set_clock(s->server, 30 * DAY);
    again(s, false);
    versions(s, "plain/blocks/", &a);
    remove_all(s, &a);
    versions(s, "plain/pages/", &a);
    remove_all(s, &a);
    vm_run(s->repo, s->vm, NULL);
    vm_check_restore(s->repo, &s->f, s->vm);
    assert_locked(s, "plain/blocks/", newest_locked_until(s));
}

/* Blocks that are small to store, each another. */
static void make_many(const char *vm, unsigned n)
{
    int fd = vm_disk_open(vm);

    for (unsigned i = 0; i < n; i++)
        must(io_pwrite_full(fd, &i, sizeof i, (uint64_t)i * FIXTURE_BLOCK + 8,
                            "disk", why));
    must(io_pwrite_full(fd, "end", 3, (uint64_t)n * FIXTURE_BLOCK - 3, "disk",
                        why));
    close(fd);
}

static void many_unknown_versions_take_one_listing(void **state)
{
    struct scene *s = *state;
    const unsigned many = 1200;

    place(s, 8 * DAY, 4 * DAY);
    make_many(s->vm, many);
    struct eng_repo_place other = s->f.place;
    char state_dir[96];
    snprintf(state_dir, sizeof state_dir, "%s/other", s->f.dir);
    other.state_dir = state_dir;
    struct err e = { 0 };
    AUTO_ENG_REPO struct eng_repo *b = eng_repo_open(&other, NULL, &e);
    assert_non_null(b);
    /* That machine's index is complete before there is anything. */
    must(eng_repo_prepare_writes(b, ENG_UPLOAD_NEW, NULL, why));
    eng_repo_close(b);
    vm_run(s->repo, s->vm, NULL);
    b = eng_repo_open(&other, NULL, &e);
    assert_non_null(b);
    uint64_t listings = s3server_requests(s->server, "ListObjectVersions");
    struct eng_backup_result res = vm_run(b, s->vm, NULL);
    assert_int_equal(res.new_blocks, 0);
    assert_in_range(s3server_requests(s->server, "ListObjectVersions") -
                        listings,
                    256, 256 + 40);
    uint64_t before = extensions(s);
    vm_run(b, s->vm, NULL);
    assert_in_range(extensions(s) - before, 0, 5);
}

static void a_lock_that_is_later_already_counts(void **state)
{
    struct scene *s = *state;
    struct all a;

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    versions(s, "plain/blocks/", &a);
    struct obj_req req = { .key = a.v[0].key, .version = a.v[0].version };
    struct obj_lock far = { OBJ_LOCK_COMPLIANCE, utc_real_now() + 900 * DAY,
                            false };
    must(obj_set_lock(eng_repo_store(s->repo), &req, &far, false, why));
    /* Without state no date is known: all are called for, one is refused. */
    again(s, true);
    uint64_t before = extensions(s);
    vm_run(s->repo, s->vm, NULL);
    assert_true(extensions(s) - before >= VM_BLOCKS);
    assert_all_locked(s);
    assert_int_equal(lock_of(s, &a.v[0]).until, far.until);
    before = extensions(s);
    vm_run(s->repo, s->vm, NULL);
    assert_in_range(extensions(s) - before, 0, 1);
}

static void of_several_versions_the_one_that_verifies_is_extended(void **state)
{
    struct scene *s = *state;
    struct all a, now;

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    versions(s, "plain/blocks/", &a);
    for (size_t i = 0; i < a.n; i++) {
        struct obj_req req = { .key = a.v[i].key };
        must(obj_put(eng_repo_store(s->repo), &req, span_str("rubbish"), NULL,
                     NULL, why));
    }
    s3server_set_clock(s->server, 30 * DAY);
    again(s, true);
    struct eng_backup_result res = vm_run(s->repo, s->vm, NULL);
    assert_int_equal(res.new_blocks, 0);
    int64_t until = newest_locked_until(s);
    for (size_t i = 0; i < a.n; i++)
        assert_true(lock_of(s, &a.v[i]).until >= until);
    versions(s, "plain/blocks/", &now);
    assert_int_equal(now.n, 2 * a.n);
    vm_check_restore(s->repo, &s->f, s->vm);
}

static void a_manifest_is_never_signed_late(void **state)
{
    struct scene *s = *state;
    const struct s3server_rule slow = { .op = "PutObjectRetention",
                                        .times = 1,
                                        .act = S3SERVER_DELAY,
                                        .ms = 3500 };

    /* A quarter of the immutability is two seconds; with generations of a
     * second every step extends everything. */
    place(s, 8, 1);
    s3server_script(s->server, &slow, 1);
    int64_t began = utc_real_now();
    vm_run(s->repo, s->vm, NULL);
    assert_int_equal(s3server_acted(s->server, 0), 1);
    /* The second step came after the delay. */
    assert_true(newest_locked_until(s) >= began + 3 + 8);
}

static void a_locked_point_is_not_deleted(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    struct eng_point p;
    char day[UTC_ISO_CHARS];

    place(s, 8 * DAY, 4 * DAY);
    vm_run(s->repo, s->vm, NULL);
    must(eng_point_find(s->repo, NULL, "vm@latest", &p, why));
    assert_int_equal(eng_point_delete(s->repo, NULL, &p, &e), -1);
    assert_int_equal(e.kind, ERR_LOCKED);
    struct all a;
    versions(s, "plain/points/", &a);
    utc_format_iso(lock_of(s, &a.v[0]).until, day);
    assert_non_null(strstr(e.msg, day));
    s3server_set_clock(s->server, 30 * DAY);
    again(s, false);
    must(eng_point_delete(s->repo, NULL, &p, why));
    versions(s, "plain/points/", &a);
    assert_int_equal(a.n, 0);
    eng_point_free(&p);
}

static void the_oldest_descriptor_counts(void **state)
{
    struct scene *s = *state;
    struct mf_descriptor d;
    AUTO_BUF struct buf text = buf_init(MF_DESCRIPTOR_JSON_MAX);
    struct obj_req req = { .key = MF_DESCRIPTOR_KEY };

    place(s, 8 * DAY, 4 * DAY);
    d = *eng_repo_descriptor(s->repo);
    d.immutability_s = 1;
    must(mf_descriptor_encode(&d, &text, why));
    must(obj_put(eng_repo_store(s->repo), &req, buf_span(&text), NULL, NULL,
                 why));
    again(s, false);
    assert_int_equal(eng_repo_immutability(s->repo), 8 * DAY);
    must(obj_delete(eng_repo_store(s->repo), &req, false, why));
    again(s, false);
    assert_int_equal(eng_repo_immutability(s->repo), 8 * DAY);
    /* This machine's own may be longer, never shorter. */
    s->f.place.immutability_s = 1;
    again(s, false);
    assert_int_equal(eng_repo_immutability(s->repo), 8 * DAY);
    s->f.place.immutability_s = 9 * DAY;
    again(s, false);
    assert_int_equal(eng_repo_immutability(s->repo), 9 * DAY);
}

static void an_object_without_its_lock_is_noticed(void **state)
{
    struct scene *s = *state;
    struct obj_req req = { .key = "gc/x" };
    int64_t until = utc_real_now() + 100;
    const struct obj_put_opts locked = { .lock = { OBJ_LOCK_COMPLIANCE, until,
                                                   false } };
    struct err e = { 0 };

    place(s, 8 * DAY, 4 * DAY);
    struct obj_store *store = eng_repo_store(s->repo);
    must(obj_put(store, &req, span_str("x"), NULL, NULL, why));
    assert_int_equal(eng_lockcheck_object(store, NULL, "gc/x", NULL, until, &e),
                     -1);
    assert_int_equal(e.kind, ERR_FAILED);
    must(obj_put(store, &req, span_str("x"), &locked, NULL, why));
    assert_int_equal(eng_lockcheck_object(store, NULL, "gc/x", NULL, until, &e),
                     1);
    assert_int_equal(
        eng_lockcheck_object(store, NULL, "gc/x", NULL, until + 1, &e), -1);
}

static void
a_run_on_a_server_that_a_probe_found_wanting_is_refused(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };

    place(s, 8 * DAY, 4 * DAY);
    s->f.place.probe.results[ENG_PROBE_LOCK_KEPT] = ENG_PROBE_NO;
    again(s, false);
    assert_int_equal(eng_repo_prepare_writes(s->repo, ENG_UPLOAD_NEW, NULL, &e),
                     -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(only_what_is_short_is_extended),
        T(a_full_run_calls_for_nothing_that_is_covered),
        T(leases_and_probes_are_not_locked),
        T(a_block_that_is_gone_is_read_again_and_put_whole),
        T(a_block_that_was_replaced_is_put_again),
        T(a_full_run_puts_a_block_of_another_version_again),
        T(a_page_that_is_gone_is_put_again),
        T(a_parent_that_is_gone_is_no_parent),
        T(many_unknown_versions_take_one_listing),
        T(a_lock_that_is_later_already_counts),
        T(of_several_versions_the_one_that_verifies_is_extended),
        T(a_manifest_is_never_signed_late),
        T(a_locked_point_is_not_deleted),
        T(the_oldest_descriptor_counts),
        T(an_object_without_its_lock_is_noticed),
        T(a_run_on_a_server_that_a_probe_found_wanting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
