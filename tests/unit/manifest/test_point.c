// SPDX-License-Identifier: Apache-2.0
/* A point in memory: encoding it, and what the encoder refuses. */
#include "manifest/block.h"
#include "manifest/point.h"
#include "tests/unit/manifest/mf_test.h"
#include "tests/unit/manifest/point_sample.h"

static char *text(const char *s)
{
    char *copy = strdup(s);

    assert_non_null(copy);
    return copy;
}

static void set(char **field, const char *s)
{
    free(*field);
    *field = s == NULL ? NULL : text(s);
}

/* The point that `point_sample` says, made by hand. */
static struct mf_point *make(void)
{
    struct err e = { 0 };
    struct mf_point *p = mf_point_new(&e);

    assert_non_null(p);
    p->vm.name = text("B\xc3\xbcro 1");
    p->vm.uuid = text("u-1");
    p->vm.source = text("dir:/a\tb");
    p->vm.container = text("pool");
    p->job = text("nightly");
    p->time = 1795428000;
    p->kind = MF_INCREMENTAL;
    p->chain = 1795341600;
    p->parent = text("20261122T100000Z-0123456789abcdef.json");
    p->consistency = MF_APP;
    p->retention = (struct mf_retention){ .present = true,
                                          .days = 14,
                                          .weekly = 4,
                                          .monthly = 12,
                                          .yearly = 3,
                                          .timezone = text("Europe/Berlin") };
    p->gfs = MF_GFS_WEEKLY | MF_GFS_YEARLY;
    p->locked_until = 1796637600;
    p->n_disks = 1;
    p->disks = calloc(1, sizeof(*p->disks));
    p->n_files = 2;
    p->files = calloc(2, sizeof(*p->files));
    assert_true(p->disks != NULL && p->files != NULL);
    p->disks[0] = (struct mf_stream){ .name = text("a.qcow2"),
                                      .bus = text("virtio"),
                                      .format = text("qcow2"),
                                      .size = 1024ull * MF_BLOCK_MIN + 1,
                                      .block_size = MF_BLOCK_MIN,
                                      .n_pages = 2 };
    p->disks[0].pages = calloc(2, sizeof(*p->disks[0].pages));
    assert_non_null(p->disks[0].pages);
    p->disks[0].pages[0].id = id_of_hex(HEX_A);
    p->disks[0].pages[1].zero = true;
    p->files[0] = (struct mf_stream){ .name = text("conf/vm.xml"),
                                      .mode = 04750,
                                      .block_size = MF_BLOCK_MAX };
    p->files[1] = (struct mf_stream){ .name = text("conf-2"),
                                      .mode = 07,
                                      .block_size = MF_BLOCK_MAX };
    p->stats.source_bytes = 1;
    p->stats.read_bytes = 2;
    p->stats.new_bytes = 3;
    p->stats.stored_bytes = 4;
    p->stats.seconds = 9007199254740991;
    p->program = text("objvault 0.1.0");
    return p;
}

static void a_point_is_written_in_the_documented_order(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p = make();
    AUTO_BUF struct buf out = buf_init(MF_POINT_JSON_MAX);

    assert_int_equal(mf_point_encode(p, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), point_sample);
}

static void all_that_may_be_null_is_null(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p = make();
    AUTO_BUF struct buf out = buf_init(MF_POINT_JSON_MAX);

    set(&p->vm.uuid, NULL);
    set(&p->vm.container, NULL);
    set(&p->job, NULL);
    set(&p->parent, NULL);
    set(&p->disks[0].bus, NULL);
    p->kind = MF_FULL;
    p->chain = p->time;
    p->consistency = MF_CRASH;
    p->retention.present = false;
    p->gfs = 0;
    p->locked_until = 0;
    assert_int_equal(mf_point_encode(p, &out, &e), 0);
    const char *json = buf_cstr(&out);
    assert_non_null(strstr(json, "\"uuid\":null,"));
    assert_non_null(strstr(json, "\"container\":null}"));
    assert_non_null(strstr(json, "\"job\":null,"));
    assert_non_null(strstr(json, "\"parent\":null,"));
    assert_non_null(strstr(json, "\"bus\":null,"));
    assert_non_null(strstr(json, "\"retention\":null,\"gfs\":[],"
                                 "\"locked_until\":null,"));
    AUTO_MF_POINT struct mf_point *back = mf_point_decode(buf_span(&out), &e);
    assert_non_null(back);
    assert_null(back->vm.uuid);
    assert_null(back->parent);
    assert_false(back->retention.present);
    assert_int_equal(back->locked_until, 0);
}

/* Any one of the numbers is a policy. */
static void a_policy_may_have_one_number_only(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct err e = { 0 };
        AUTO_MF_POINT struct mf_point *p = make();
        AUTO_BUF struct buf out = buf_init(MF_POINT_JSON_MAX);

        p->retention.days = i == 0;
        p->retention.weekly = i == 1;
        p->retention.monthly = i == 2;
        p->retention.yearly = i == 3;
        assert_int_equal(mf_point_encode(p, &out, &e), 0);
    }
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    mf_point_free(NULL);
}

static void no_room_is_an_error(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p = make();
    AUTO_BUF struct buf out = buf_init(100);

    assert_int_equal(mf_point_encode(p, &out, &e), -1);
    assert_err(&e, ERR_CORRUPT, "100 bytes");
}

/* Each breaks one rule of a good point. */
static void no_vm_name(struct mf_point *p)
{
    set(&p->vm.name, NULL);
}
static void bad_vm_name(struct mf_point *p)
{
    set(&p->vm.name, "a\nb");
}
static void bad_uuid(struct mf_point *p)
{
    set(&p->vm.uuid, "");
}
static void bad_source(struct mf_point *p)
{
    set(&p->vm.source, "dir:/\xff");
}
static void bad_container(struct mf_point *p)
{
    set(&p->vm.container, "");
}
static void bad_job(struct mf_point *p)
{
    set(&p->job, "a\x7f");
}
static void no_program(struct mf_point *p)
{
    set(&p->program, NULL);
}
static void early_time(struct mf_point *p)
{
    p->time = -1;
}
static void late_chain(struct mf_point *p)
{
    p->chain = 253402300800;
}
static void unknown_kind(struct mf_point *p)
{
    p->kind = (enum mf_kind)7;
}
static void unknown_consistency(struct mf_point *p)
{
    p->consistency = (enum mf_consistency)3;
}
static void negative_lock(struct mf_point *p)
{
    p->locked_until = -5;
}
static void full_with_parent(struct mf_point *p)
{
    p->kind = MF_FULL;
    p->chain = p->time;
}
static void full_of_another_chain(struct mf_point *p)
{
    p->kind = MF_FULL;
    set(&p->parent, NULL);
}
static void no_parent(struct mf_point *p)
{
    set(&p->parent, NULL);
}
static void parent_is_no_file(struct mf_point *p)
{
    set(&p->parent, "../20261122T100000Z-0123456789abcdef.json");
}
static void parent_before_chain(struct mf_point *p)
{
    set(&p->parent, "20261122T095959Z-0123456789abcdef.json");
}
static void parent_not_before_point(struct mf_point *p)
{
    set(&p->parent, "20261123T100000Z-0123456789abcdef.json");
}
static void gfs_flags(struct mf_point *p)
{
    p->gfs = 8;
}
static void many_days(struct mf_point *p)
{
    p->retention.days = MF_RETENTION_DAYS_MAX + 1;
}
static void many_years(struct mf_point *p)
{
    p->retention.yearly = MF_GFS_MAX + 1;
}
static void keeps_nothing(struct mf_point *p)
{
    p->retention.days = p->retention.weekly = p->retention.monthly =
        p->retention.yearly = 0;
}
static void no_zone(struct mf_point *p)
{
    set(&p->retention.timezone, NULL);
}
static void large_stats(struct mf_point *p)
{
    p->stats.new_bytes = UINT64_C(1) << 53;
}
static void large_source_bytes(struct mf_point *p)
{
    p->stats.source_bytes = UINT64_C(1) << 53;
}
static void large_read_bytes(struct mf_point *p)
{
    p->stats.read_bytes = UINT64_C(1) << 53;
}
static void large_stored_bytes(struct mf_point *p)
{
    p->stats.stored_bytes = UINT64_C(1) << 53;
}
static void large_seconds(struct mf_point *p)
{
    p->stats.seconds = UINT64_C(1) << 53;
}
static void many_weeks(struct mf_point *p)
{
    p->retention.weekly = MF_GFS_MAX + 1;
}
static void many_months(struct mf_point *p)
{
    p->retention.monthly = MF_GFS_MAX + 1;
}
static void late_lock(struct mf_point *p)
{
    p->locked_until = 253402300800;
}
static void no_source(struct mf_point *p)
{
    set(&p->vm.source, NULL);
}
static void no_name(struct mf_point *p)
{
    set(&p->files[0].name, NULL);
}
static void disk_in_a_folder(struct mf_point *p)
{
    set(&p->disks[0].name, "a/b");
}
static void file_outside(struct mf_point *p)
{
    set(&p->files[1].name, "a/../../b");
}
static void no_format(struct mf_point *p)
{
    set(&p->disks[0].format, NULL);
}
static void bad_bus(struct mf_point *p)
{
    set(&p->disks[0].bus, "");
}
static void bad_mode(struct mf_point *p)
{
    p->files[0].mode = 010000;
}
static void huge(struct mf_point *p)
{
    p->disks[0].size = MF_SIZE_MAX + 1;
}
static void odd_block_size(struct mf_point *p)
{
    p->disks[0].block_size = 0;
}
static void page_missing(struct mf_point *p)
{
    p->disks[0].n_pages = 1;
}
static void page_too_many(struct mf_point *p)
{
    p->disks[0].size--;
}
static void same_names(struct mf_point *p)
{
    set(&p->files[1].name, "a.qcow2");
}
static void name_is_folder(struct mf_point *p)
{
    set(&p->files[1].name, "conf");
}
static void too_many_files(struct mf_point *p)
{
    free(p->files[0].name);
    free(p->files[1].name);
    free(p->files);
    p->n_files = MF_FILES_MAX + 1;
    p->files = calloc(p->n_files, sizeof(*p->files));
}

static void encoding_refuses_what_no_reader_takes(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct mf_point *p);
        const char *text;
    } cases[] = {
        { no_vm_name, "vm.name" },
        { bad_vm_name, "vm.name" },
        { bad_uuid, "vm.uuid" },
        { bad_source, "vm.source" },
        { bad_container, "vm.container" },
        { bad_job, "job" },
        { no_program, "program" },
        { early_time, "time or chain" },
        { late_chain, "time or chain" },
        { unknown_kind, "kind" },
        { unknown_consistency, "consistency" },
        { negative_lock, "locked_until" },
        { full_with_parent, "parent is set" },
        { full_of_another_chain, "chain" },
        { no_parent, "parent is missing" },
        { parent_is_no_file, "parent is not a manifest's" },
        { parent_before_chain, "parent is not between" },
        { parent_not_before_point, "parent is not between" },
        { gfs_flags, "gfs" },
        { many_days, "retention is out of range" },
        { many_years, "retention is out of range" },
        { keeps_nothing, "keeps nothing" },
        { no_zone, "retention.timezone" },
        { large_stats, "stats" },
        { large_source_bytes, "stats" },
        { large_read_bytes, "stats" },
        { large_stored_bytes, "stats" },
        { large_seconds, "stats" },
        { many_weeks, "retention is out of range" },
        { many_months, "retention is out of range" },
        { late_lock, "locked_until" },
        { no_source, "vm.source" },
        { no_name, "files[0]: name" },
        { disk_in_a_folder, "disks[0]: name" },
        { file_outside, "files[1]: name" },
        { no_format, "disks[0]: format" },
        { bad_bus, "disks[0]: bus" },
        { bad_mode, "files[0]: mode" },
        { huge, "disks[0]: size" },
        { odd_block_size, "disks[0]: block_size" },
        { page_missing, "disks[0]: pages" },
        { page_too_many, "disks[0]: pages" },
        { same_names, "\"a.qcow2\" is there twice" },
        { name_is_folder, "\"conf\" is also a folder, of \"conf/vm.xml\"" },
        { too_many_files, "65537 files" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = { 0 };
        AUTO_MF_POINT struct mf_point *p = make();
        AUTO_BUF struct buf out = buf_init(MF_POINT_JSON_MAX);

        cases[i].spoil(p);
        if (mf_point_encode(p, &out, &e) == 0)
            fail_msg("case %zu (%s) was written", i, cases[i].text);
        assert_err(&e, ERR_FAILED, cases[i].text);
        assert_int_equal(out.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_is_written_in_the_documented_order),
        cmocka_unit_test(all_that_may_be_null_is_null),
        cmocka_unit_test(a_policy_may_have_one_number_only),
        cmocka_unit_test(freeing_nothing_is_fine),
        cmocka_unit_test(no_room_is_an_error),
        cmocka_unit_test(encoding_refuses_what_no_reader_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
