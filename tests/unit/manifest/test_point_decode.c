// SPDX-License-Identifier: Apache-2.0
/* Point manifests from bytes that nobody vouches for. */
#include "manifest/block.h"
#include "manifest/point.h"
#include "tests/unit/manifest/mf_test.h"
#include "tests/unit/manifest/point_sample.h"

static void every_field_is_read(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p =
        mf_point_decode(span_str(point_sample), &e);
    struct mf_id a = id_of_hex(HEX_A);

    if (p == NULL)
        fail_msg("%s", e.msg);
    assert_string_equal(p->vm.name, "B\xc3\xbcro 1");
    assert_string_equal(p->vm.uuid, "u-1");
    assert_string_equal(p->vm.source, "dir:/a\tb");
    assert_string_equal(p->vm.container, "pool");
    assert_string_equal(p->job, "nightly");
    assert_int_equal(p->time, 1795428000);
    assert_int_equal(p->kind, MF_INCREMENTAL);
    assert_int_equal(p->chain, 1795341600);
    assert_string_equal(p->parent, "20261122T100000Z-0123456789abcdef.json");
    assert_int_equal(p->consistency, MF_APP);
    assert_true(p->retention.present);
    assert_int_equal(p->retention.days, 14);
    assert_int_equal(p->retention.weekly, 4);
    assert_int_equal(p->retention.monthly, 12);
    assert_int_equal(p->retention.yearly, 3);
    assert_string_equal(p->retention.timezone, "Europe/Berlin");
    assert_int_equal(p->gfs, MF_GFS_WEEKLY | MF_GFS_YEARLY);
    assert_int_equal(p->locked_until, 1796637600);
    assert_int_equal(p->n_disks, 1);
    assert_string_equal(p->disks[0].name, "a.qcow2");
    assert_string_equal(p->disks[0].bus, "virtio");
    assert_string_equal(p->disks[0].format, "qcow2");
    assert_int_equal(p->disks[0].size, 268435457);
    assert_int_equal(p->disks[0].block_size, MF_BLOCK_MIN);
    assert_int_equal(p->disks[0].n_pages, 2);
    assert_false(p->disks[0].pages[0].zero);
    assert_true(mf_id_eq(&p->disks[0].pages[0].id, &a));
    assert_true(p->disks[0].pages[1].zero);
    assert_int_equal(p->n_files, 2);
    assert_string_equal(p->files[0].name, "conf/vm.xml");
    assert_int_equal(p->files[0].mode, 04750);
    assert_int_equal(p->files[1].mode, 07);
    assert_int_equal(p->files[0].n_pages, 0);
    assert_int_equal(p->stats.source_bytes, 1);
    assert_int_equal(p->stats.read_bytes, 2);
    assert_int_equal(p->stats.new_bytes, 3);
    assert_int_equal(p->stats.stored_bytes, 4);
    assert_int_equal(p->stats.seconds, 9007199254740991);
    assert_string_equal(p->program, "objvault 0.1.0");
}

struct change {
    const char *from, *to;
    enum err_kind kind;
    const char *text;
};

static void expect_refused(const struct change *c, size_t n)
{
    AUTO_BUF struct buf b = buf_init(1u << 20);

    for (size_t i = 0; i < n; i++) {
        struct err e = { 0 };
        struct span json = replaced(&b, point_sample, c[i].from, c[i].to);
        AUTO_MF_POINT struct mf_point *p = mf_point_decode(json, &e);
        if (p != NULL)
            fail_msg("case %zu was taken: %s", i, c[i].to);
        assert_err(&e, c[i].kind, c[i].text);
        assert_err(&e, c[i].kind, "manifest");
    }
}
#define EXPECT_REFUSED(c) expect_refused(c, sizeof(c) / sizeof((c)[0]))

static void a_newer_version_is_named_before_anything_else(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "\"objvault\":1", "\"objvault\":2", ERR_UNSUPPORTED, "version 2" },
        { "\"objvault\":1,\"vm\":{", "\"objvault\":3,\"machine\":{",
          ERR_UNSUPPORTED, "version 3" },
        { "\"objvault\":1", "\"objvault\":0", ERR_CORRUPT, "objvault" },
        { "\"objvault\":1,", "", ERR_CORRUPT, "objvault" },
        { "\"objvault\":1", "\"objvault\":\"1\"", ERR_CORRUPT, "objvault" },
    };
    EXPECT_REFUSED(c);
}

static void fields_must_be_those_of_the_format(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "\"job\":", "\"jobs\":", ERR_CORRUPT, "jobs" },
        { "\"job\":\"nightly\",", "", ERR_CORRUPT, "job" },
        { "\"job\":\"nightly\",", "\"job\":null,\"job\":null,", ERR_CORRUPT,
          "job" },
        { "\"uuid\":\"u-1\",", "", ERR_CORRUPT, "vm.uuid" },
        { "\"uuid\":\"u-1\",", "\"uuid\":1,", ERR_CORRUPT, "vm.uuid" },
        { "\"container\":\"pool\"", "\"container\":\"pool\",\"x\":1",
          ERR_CORRUPT, "vm" },
        { "\"days\":14,", "", ERR_CORRUPT, "retention.days" },
        { "\"yearly\":3", "\"yearly\":3,\"daily\":3", ERR_CORRUPT,
          "retention.gfs" },
        { "\"bus\":\"virtio\",", "", ERR_CORRUPT, "disks[0].bus" },
        { "\"bus\":\"virtio\",", "\"mode\":\"0644\",", ERR_CORRUPT,
          "disks[0]" },
        { "\"mode\":\"4750\",", "\"bus\":null,", ERR_CORRUPT, "files[0]" },
        { "\"seconds\"", "\"minutes\"", ERR_CORRUPT, "stats" },
        { ",\"program\":\"objvault 0.1.0\"", "", ERR_CORRUPT, "program" },
        { "\"stats\":{", "\"stats\":null,\"x\":{", ERR_CORRUPT, "x" },
    };
    EXPECT_REFUSED(c);
}

static void values_must_be_in_their_limits(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "\"2026-11-23T10:00:00Z\"", "\"2026-11-23 10:00:00\"", ERR_CORRUPT,
          "time" },
        { "\"2026-11-23T10:00:00Z\"", "0", ERR_CORRUPT, "time" },
        { "\"incremental\"", "\"synthetic\"", ERR_CORRUPT, "kind" },
        { "\"incremental\"", "\"full\"", ERR_CORRUPT, "parent" },
        { "\"app\"", "\"App\"", ERR_CORRUPT, "consistency" },
        { "\"days\":14", "\"days\":1000001", ERR_CORRUPT, "retention.days" },
        { "\"weekly\":4", "\"weekly\":5001", ERR_CORRUPT,
          "retention.gfs.weekly" },
        { "\"weekly\":4", "\"weekly\":-1", ERR_CORRUPT,
          "retention.gfs.weekly" },
        { "\"Europe/Berlin\"", "null", ERR_CORRUPT, "retention.timezone" },
        { "[\"weekly\",", "[\"daily\",", ERR_CORRUPT, "gfs[0]" },
        { "[\"weekly\",", "[\"weekly\",\"weekly\",", ERR_CORRUPT, "canonical" },
        { "[\"weekly\",\"yearly\"]", "[\"yearly\",\"weekly\"]", ERR_CORRUPT,
          "canonical" },
        { "[\"weekly\",\"yearly\"]",
          "[\"weekly\",\"weekly\",\"weekly\",\"weekly\"]", ERR_CORRUPT, "gfs" },
        { "\"2026-12-07T10:00:00Z\"", "\"1970-01-01T00:00:00Z\"", ERR_CORRUPT,
          "canonical" },
        { "20261122T100000Z-", "20261122T100000Z_", ERR_CORRUPT, "parent" },
        { "\"seconds\":9007199254740991", "\"seconds\":9007199254740992",
          ERR_CORRUPT, "stats.seconds" },
        { "\"read_bytes\":2", "\"read_bytes\":2.5", ERR_CORRUPT,
          "stats.read_bytes" },
    };
    EXPECT_REFUSED(c);
}

static void names_cannot_leave_their_folder(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "\"a.qcow2\"", "\"\"", ERR_CORRUPT, "disks[0]" },
        { "\"a.qcow2\"", "\".\"", ERR_CORRUPT, "disks[0]" },
        { "\"a.qcow2\"", "\"..\"", ERR_CORRUPT, "disks[0]" },
        { "\"a.qcow2\"", "\"/etc\"", ERR_CORRUPT, "disks[0]" },
        { "\"a.qcow2\"", "\"a/b\"", ERR_CORRUPT, "disks[0]" },
        { "\"a.qcow2\"", "\"a\\n\"", ERR_CORRUPT, "disks[0]" },
        { "\"conf/vm.xml\"", "\"../vm.xml\"", ERR_CORRUPT, "files[0]" },
        { "\"conf/vm.xml\"", "\"/conf/vm.xml\"", ERR_CORRUPT, "files[0]" },
        { "\"conf/vm.xml\"", "\"conf//vm.xml\"", ERR_CORRUPT, "files[0]" },
        { "\"conf/vm.xml\"", "\"conf/./vm.xml\"", ERR_CORRUPT, "files[0]" },
        { "\"conf/vm.xml\"", "\"conf/..\"", ERR_CORRUPT, "files[0]" },
        { "\"conf/vm.xml\"", "\"conf/\"", ERR_CORRUPT, "files[0]" },
        { "\"conf/vm.xml\"", "\"conf\\u0000/vm\"", ERR_CORRUPT, "manifest" },
        { "\"conf/vm.xml\"", "\"conf\\u001b/vm\"", ERR_CORRUPT, "files[0]" },
        { "\"conf/vm.xml\"", "\"a.qcow2\"", ERR_CORRUPT, "twice" },
        { "\"conf/vm.xml\"", "\"a.qcow2/x\"", ERR_CORRUPT, "also a folder" },
        { "\"conf-2\"", "\"conf\"", ERR_CORRUPT, "also a folder" },
        { "\"B\xc3\xbcro 1\"", "\"\xff\"", ERR_CORRUPT, "manifest" },
        { "\"B\xc3\xbcro 1\"", "\"a\\u0007\"", ERR_CORRUPT, "vm.name" },
    };
    EXPECT_REFUSED(c);
}

static void streams_must_fit_their_size(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "\"size\":268435457", "\"size\":268435456", ERR_CORRUPT,
          "disks[0].pages" },
        { "\"size\":268435457", "\"size\":1125899906842624", ERR_CORRUPT,
          "disks[0].pages" },
        { "\"size\":268435457", "\"size\":1125899906842625", ERR_CORRUPT,
          "disks[0].size" },
        { "\"size\":0", "\"size\":1", ERR_CORRUPT, "files[0].pages" },
        { "\"block_size\":262144", "\"block_size\":0", ERR_CORRUPT,
          "disks[0].block_size" },
        { "\"block_size\":262144", "\"block_size\":262145", ERR_CORRUPT,
          "disks[0].block_size" },
        { "\"block_size\":8388608", "\"block_size\":16777216", ERR_CORRUPT,
          "files[0].block_size" },
        { ",null]", "]", ERR_CORRUPT, "disks[0].pages" },
        { ",null]", ",null,null]", ERR_CORRUPT, "disks[0].pages" },
        { ",null]", ",0]", ERR_CORRUPT, "disks[0].pages[1]" },
        { ",null]", ",\"aa\"]", ERR_CORRUPT, "disks[0].pages[1]" },
        { "\"pages\":[]", "\"pages\":null", ERR_CORRUPT, "files[0].pages" },
        { "\"4750\"", "\"475\"", ERR_CORRUPT, "files[0].mode" },
        { "\"4750\"", "\"04750\"", ERR_CORRUPT, "files[0].mode" },
        { "\"4750\"", "\"4780\"", ERR_CORRUPT, "files[0].mode" },
        { "\"4750\"", "2536", ERR_CORRUPT, "files[0].mode" },
    };
    EXPECT_REFUSED(c);
}

static void other_encodings_of_the_same_content_are_refused(void **state)
{
    (void)state;
    static const struct change c[] = {
        { "{\"objvault\"", " {\"objvault\"", ERR_CORRUPT, "byte 0 on" },
        { "0.1.0\"}", "0.1.0\"}\n", ERR_CORRUPT, "canonical" },
        { "\"objvault\":1", "\"objvault\": 1", ERR_CORRUPT, "canonical" },
        { "\"days\":14", "\"days\":14.0", ERR_CORRUPT, "canonical" },
        { "\"days\":14", "\"days\":1.4e1", ERR_CORRUPT, "canonical" },
        { "dir:/a\\tb", "dir:/a\\u0009b", ERR_CORRUPT, "canonical" },
        { "dir:/a", "dir:\\/a", ERR_CORRUPT, "canonical" },
        { "B\xc3\xbcro", "B\\u00fcro", ERR_CORRUPT, "canonical" },
        { "\"weekly\":4,\"monthly\":12", "\"monthly\":12,\"weekly\":4",
          ERR_CORRUPT, "canonical" },
    };
    EXPECT_REFUSED(c);
}

static void every_cut_manifest_is_corrupt(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(point_sample) - 1; n++) {
        struct err e = { 0 };
        AUTO_MF_POINT struct mf_point *p =
            mf_point_decode(span_of(point_sample, n), &e);
        assert_null(p);
        assert_err(&e, ERR_CORRUPT, "manifest");
    }
}

static void a_manifest_over_the_limit_is_not_parsed(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p = mf_point_decode(
        span_of(point_sample, (size_t)MF_POINT_JSON_MAX + 1), &e);

    assert_null(p);
    assert_err(&e, ERR_CORRUPT, "268435457 bytes");
}

/* One disk and `files` files of one name length. */
static struct span with_files(struct buf *b, size_t files)
{
    const char *end = strstr(point_sample, "{\"name\":\"conf/vm.xml\"");
    const char *stats = strstr(point_sample, "],\"stats\"");

    buf_append(b, point_sample, (size_t)(end - point_sample));
    for (size_t i = 0; i < files; i++)
        buf_printf(b,
                   "%s{\"name\":\"f/%zu\",\"mode\":\"0600\",\"size\":0,"
                   "\"block_size\":262144,\"pages\":[]}",
                   i > 0 ? "," : "", i);
    buf_append_str(b, stats);
    return buf_span(b);
}

static void as_many_files_as_the_limit_are_read(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(64u << 20);
    AUTO_BUF struct buf more = buf_init(64u << 20);
    AUTO_MF_POINT struct mf_point *p =
        mf_point_decode(with_files(&b, MF_FILES_MAX), &e);

    if (p == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(p->n_files, MF_FILES_MAX);
    assert_string_equal(p->files[65535].name, "f/65535");
    AUTO_MF_POINT struct mf_point *q =
        mf_point_decode(with_files(&more, MF_FILES_MAX + 1), &e);
    assert_null(q);
    assert_err(&e, ERR_CORRUPT, "files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(a_newer_version_is_named_before_anything_else),
        cmocka_unit_test(fields_must_be_those_of_the_format),
        cmocka_unit_test(values_must_be_in_their_limits),
        cmocka_unit_test(names_cannot_leave_their_folder),
        cmocka_unit_test(streams_must_fit_their_size),
        cmocka_unit_test(other_encodings_of_the_same_content_are_refused),
        cmocka_unit_test(every_cut_manifest_is_corrupt),
        cmocka_unit_test(a_manifest_over_the_limit_is_not_parsed),
        cmocka_unit_test(as_many_files_as_the_limit_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
