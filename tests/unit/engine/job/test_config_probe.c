// SPDX-License-Identifier: Apache-2.0
//
// A probe's result in the repository's file: kept, read back, checked, and
// nobody's comments are lost for it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/job/config.h"

struct fixture {
    char dir[40];
    char path[80];
    struct eng_home home;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = { 0 };

    snprintf(f->dir, sizeof f->dir, "/tmp/objvault-unit-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/repos/main.json", f->dir);
    assert_int_equal(io_mkdirs_for(f->path, 0700, &e), 0);
    assert_int_equal(eng_home_init(&f->home, f->dir, f->dir, &e), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[80];

    eng_home_fini(&f->home);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int r = system(command); /* NOLINT(cert-env33-c): a path of our own */
    free(f);
    return r;
}

static void write_file(const struct fixture *f, const char *text, mode_t mode)
{
    struct err e = { 0 };

    assert_int_equal(
        io_write_file(f->path, span_of(text, strlen(text)), mode, false, &e),
        0);
}

static struct eng_probe_record a_record(void)
{
    struct eng_probe_record r = { .time = 1764230400 };

    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        r.results[i] = (enum eng_probe_result)(i % ENG_PROBE_RESULTS);
    return r;
}

static void a_result_is_kept_and_read_back(void **state)
{
    struct fixture *f = *state;
    struct eng_probe_record record = a_record();
    AUTO_ENG_CONFIG_REPO struct eng_config_repo got = { 0 };
    struct err e = { 0 };
    struct stat st;

    write_file(f, "{\"url\":\"s3://bucket\",\"region\":\"r1\"}", 0640);
    assert_int_equal(eng_config_repo_set_probe(&f->home, "main", &record, &e),
                     0);
    if (eng_config_repo_load(&f->home, "main", &got, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(got.region, "r1");
    assert_int_equal(got.probe.time, record.time);
    assert_memory_equal(got.probe.results, record.results,
                        sizeof record.results);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);

    record.results[0] = ENG_PROBE_NO;
    assert_int_equal(eng_config_repo_set_probe(&f->home, "main", &record, &e),
                     0);
    AUTO_ENG_CONFIG_REPO struct eng_config_repo again = { 0 };
    assert_int_equal(eng_config_repo_load(&f->home, "main", &again, &e), 0);
    assert_int_equal(again.probe.results[0], ENG_PROBE_NO);
}

static void a_file_with_comments_stays_as_it_is(void **state)
{
    static const char text[] = "// mine\n{\"url\":\"s3://bucket\"}";
    struct fixture *f = *state;
    struct eng_probe_record record = a_record();
    AUTO_BUF struct buf now = buf_init(4096);
    struct err e = { 0 };

    write_file(f, text, 0600);
    assert_int_equal(eng_config_repo_set_probe(&f->home, "main", &record, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "comments"));
    assert_int_equal(io_read_file(f->path, &now, &e), 0);
    assert_string_equal(buf_cstr(&now), text);
}

static void a_repository_that_is_not_there_gets_no_file(void **state)
{
    struct fixture *f = *state;
    struct eng_probe_record record = a_record();
    struct err e = { 0 };

    assert_int_equal(eng_config_repo_set_probe(&f->home, "other", &record, &e),
                     -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void wrong_results_are_refused_by_name(void **state)
{
    static const struct {
        const char *probe, *said;
    } cases[] = {
        { "{}", "probe.time" },
        { "{\"time\":\"yesterday\"}", "probe.time" },
        { "{\"time\":\"2026-11-22T10:00:00Z\",\"crc32c\":\"maybe\"}",
          "probe.crc32c" },
        { "{\"time\":\"2026-11-22T10:00:00Z\",\"crc32\":\"yes\"}", "crc32c" },
        { "[]", "probe" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
        struct err e = { 0 };
        char text[200];
        snprintf(text, sizeof text, "{\"url\":\"s3://bucket\",\"probe\":%s}",
                 cases[i].probe);
        write_file(f, text, 0600);
        assert_int_equal(eng_config_repo_load(&f->home, "main", &r, &e), -1);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (strstr(e.msg, cases[i].said) == NULL)
            fail_msg("%s: %s", cases[i].probe, e.msg);
    }
}

static void the_schema_knows_every_capability(void **state)
{
    AUTO_BUF struct buf schema = buf_init(1u << 20);
    struct err e = { 0 };

    (void)state;
    assert_int_equal(eng_config_schema("repo", false, &schema, &e), 0);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        if (strstr(buf_cstr(&schema), eng_probe_name((enum eng_probe_item)i)) ==
            NULL)
            fail_msg("%s", eng_probe_name((enum eng_probe_item)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_kept_and_read_back),
        cmocka_unit_test(a_file_with_comments_stays_as_it_is),
        cmocka_unit_test(a_repository_that_is_not_there_gets_no_file),
        cmocka_unit_test(wrong_results_are_refused_by_name),
        cmocka_unit_test(the_schema_knows_every_capability),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
