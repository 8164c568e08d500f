// SPDX-License-Identifier: Apache-2.0
/* `over` entries, which no writer makes yet, are read, restored and verified:
 * the points here are put together by hand. */
#include "tests/unit/engine/fixture.h"

#include <sys/stat.h>

#include "base/digest.h"
#include "engine/repo/learn.h"
#include "engine/repo/map.h"
#include "engine/repo/point_store.h"
#include "engine/restore/restore.h"

#define UNIT (FIXTURE_BLOCK / 64)
#define TIME 1763805600

/* A disk of three blocks, the last one short by half a unit. */
#define DISK_BYTES (2 * FIXTURE_BLOCK + 10 * UNIT + UNIT / 2)

struct scene {
    struct fixture *f;
    struct eng_repo *repo;
    struct eng_blockio *io;
    uint8_t *want; /* the disk as it must come back */
    struct eng_map map;
};

static struct mf_id put_block(struct scene *s, const void *p, size_t len)
{
    struct mf_id id;

    must(mf_id_of(span_of(p, len), &id, why));
    must(eng_block_put(s->io, &id, span_of(p, len), why));
    return id;
}

static void scene_init(struct scene *s, struct fixture *f)
{
    struct err e = { 0 };

    *s = (struct scene){ .f = f, .repo = fixture_open(f) };
    must(eng_repo_prepare_writes(s->repo, ENG_UPLOAD_NEW, NULL, why));
    s->io = eng_blockio_new(s->repo, 3, NULL, &e);
    assert_non_null(s->io);
    s->want = calloc(1, DISK_BYTES);
    must(eng_map_init(&s->map, DISK_BYTES, FIXTURE_BLOCK, why));
}

static void scene_fini(struct scene *s)
{
    eng_map_fini(&s->map);
    free(s->want);
    eng_blockio_free(s->io);
    eng_repo_close(s->repo);
}

/* Block 0: units 1 and 63 of a whole block replaced, `whole` known. */
static void compose_first(struct scene *s)
{
    struct mf_entry *m = &s->map.entries[0];
    uint8_t *over = calloc(2, UNIT);

    fixture_noise(s->want, FIXTURE_BLOCK, 1);
    *m = (struct mf_entry){ .kind = MF_OVER,
                            .has_base = true,
                            .has_over = true,
                            .has_whole = true,
                            .units = 1ull << 1 | 1ull << 63 };
    m->id = put_block(s, s->want, FIXTURE_BLOCK);
    fixture_noise(over, (size_t)2 * UNIT, 2);
    m->over = put_block(s, over, (size_t)2 * UNIT);
    memcpy(s->want + UNIT, over, UNIT);
    memcpy(s->want + 63ul * UNIT, over + UNIT, UNIT);
    must(mf_id_of(span_of(s->want, FIXTURE_BLOCK), &m->whole, why));
    free(over);
}

/* Block 1: some units of a whole block became zeros. */
static void compose_second(struct scene *s)
{
    struct mf_entry *m = &s->map.entries[1];
    uint8_t *block = s->want + FIXTURE_BLOCK;

    fixture_noise(block, FIXTURE_BLOCK, 3);
    *m = (struct mf_entry){ .kind = MF_OVER, .has_base = true, .units = 6 };
    m->id = put_block(s, block, FIXTURE_BLOCK);
    memset(block + UNIT, 0, (size_t)2 * UNIT);
}

/* Block 2: zeros, but for its last, short unit. */
static void compose_third(struct scene *s)
{
    struct mf_entry *m = &s->map.entries[2];
    uint8_t *last = s->want + 2ul * FIXTURE_BLOCK + 10ul * UNIT;

    fixture_noise(last, UNIT / 2, 4);
    *m = (struct mf_entry){ .kind = MF_OVER,
                            .has_over = true,
                            .units = 1ull << 10 };
    m->over = put_block(s, last, UNIT / 2);
}

static void publish(struct scene *s, struct eng_point *out)
{
    struct err e = { 0 };
    struct mf_point *p = mf_point_new(&e);

    assert_non_null(p);
    p->vm.name = strdup("vm");
    p->vm.source = strdup("dir:/x");
    p->program = strdup("test");
    p->time = p->chain = TIME;
    p->kind = MF_FULL;
    p->disks = calloc(1, sizeof(*p->disks));
    p->n_disks = 1;
    p->disks[0].name = strdup("d.raw");
    p->disks[0].format = strdup("raw");
    p->disks[0].size = DISK_BYTES;
    p->disks[0].block_size = FIXTURE_BLOCK;
    must(eng_map_store(s->repo, &s->map, NULL, &p->disks[0], NULL, why));
    struct eng_point_made made = { 0 };
    must(eng_point_put(s->repo, NULL, p, &made, why));
    mf_point_free(p);
    must(eng_point_find(s->repo, NULL, "vm@latest", out, why));
}

static void over_entries_are_restored_byte_for_byte(void **state)
{
    struct scene s;
    struct eng_point point;
    struct eng_restore_opts o = { 0 };
    struct eng_restore_result res;
    struct eng_verify_result v;

    scene_init(&s, *state);
    compose_first(&s);
    compose_second(&s);
    compose_third(&s);
    publish(&s, &point);
    char *path = fixture_path(s.f, "out.raw");
    must(eng_restore_disk(s.repo, &point, NULL, path, &o, &res, why));
    AUTO_BUF struct buf got = buf_init(DISK_BYTES + 1);
    must(io_read_file(path, &got, why));
    assert_int_equal(got.len, DISK_BYTES);
    assert_memory_equal(got.p, s.want, DISK_BYTES);

    must(eng_verify_point(s.repo, &point, ENG_VERIFY_FULL, &o, NULL, NULL, &v,
                          why));
    assert_int_equal(v.damaged, 0);
    assert_int_equal(v.blocks, 3);
    must(eng_verify_point(s.repo, &point, ENG_VERIFY_LIST, &o, NULL, NULL, &v,
                          why));
    assert_int_equal(v.damaged, 0);
    free(path);
    eng_point_free(&point);
    scene_fini(&s);
}

static void a_wrong_whole_is_damage_and_restores_nothing(void **state)
{
    struct scene s;
    struct eng_point point;
    struct eng_restore_opts o = { 0 };
    struct eng_restore_result res;
    struct eng_verify_result v;
    struct err e = { 0 };
    struct stat st;

    scene_init(&s, *state);
    compose_first(&s);
    s.map.entries[0].whole.b[0] ^= 1;
    publish(&s, &point);
    char *path = fixture_path(s.f, "out.raw");
    assert_int_equal(
        eng_restore_disk(s.repo, &point, "d.raw", path, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(stat(path, &st), -1);
    must(eng_verify_point(s.repo, &point, ENG_VERIFY_FULL, &o, NULL, NULL, &v,
                          why));
    assert_int_equal(v.damaged, 1);
    free(path);
    eng_point_free(&point);
    scene_fini(&s);
}

/* Removes the object of an id; both levels of verify must name it. */
static void lose_and_verify(struct scene *s, const struct mf_id *id,
                            const struct eng_point *point)
{
    struct eng_restore_opts o = { 0 };
    struct eng_verify_result v;
    struct mf_key key = mf_key_block("plain", id);
    struct obj_req req = { .key = key.s };

    must(obj_delete(eng_repo_store(s->repo), &req, false, why));
    must(eng_verify_point(s->repo, point, ENG_VERIFY_LIST, &o, NULL, NULL, &v,
                          why));
    assert_int_equal(v.damaged, 1);
    must(eng_verify_point(s->repo, point, ENG_VERIFY_FULL, &o, NULL, NULL, &v,
                          why));
    assert_int_equal(v.damaged, 1);
}

static void a_lost_base_is_found_by_both_levels(void **state)
{
    struct scene s;
    struct eng_point point;

    scene_init(&s, *state);
    compose_first(&s);
    publish(&s, &point);
    lose_and_verify(&s, &s.map.entries[0].id, &point);
    eng_point_free(&point);
    scene_fini(&s);
}

static void a_lost_over_is_found_by_both_levels(void **state)
{
    struct scene s;
    struct eng_point point;

    scene_init(&s, *state);
    compose_third(&s);
    publish(&s, &point);
    lose_and_verify(&s, &s.map.entries[2].over, &point);
    eng_point_free(&point);
    scene_fini(&s);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(over_entries_are_restored_byte_for_byte),
        T(a_wrong_whole_is_damage_and_restores_nothing),
        T(a_lost_base_is_found_by_both_levels),
        T(a_lost_over_is_found_by_both_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
