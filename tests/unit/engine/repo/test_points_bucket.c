// SPDX-License-Identifier: Apache-2.0
/* Points that come and go while they are listed and loaded. */
#include "tests/unit/engine/care/attacked.h"

#include "engine/repo/points.h"

/* The manifest is not there when it is asked for. */
static void lose_manifest(struct attacked *a, unsigned times)
{
    const struct s3server_rule absent = { .op = "GetObject",
                                          .key = "*plain/points/*",
                                          .times = times,
                                          .act = S3SERVER_REPLY,
                                          .status = 404,
                                          .code = "NoSuchKey" };

    s3server_script(a->server, &absent, 1);
}

static void a_point_that_came_back_is_not_damaged(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    AUTO_ENG_POINTS struct eng_points all = { 0 };
    AUTO_ENG_POINT struct eng_point found = { 0 };
    char text[MF_NAME_MAX + 8];

    lose_manifest(a, 1);
    must(eng_points_list(r, NULL, NULL, &all, why));
    assert_int_equal(s3server_acted(a->server, 0), 1);
    assert_int_equal(all.n, 1);
    assert_non_null(all.p[0].manifest);
    lose_manifest(a, 1);
    snprintf(text, sizeof text, "%s@latest", all.p[0].vm);
    must(eng_point_find(r, NULL, text, &found, why));
    assert_int_equal(s3server_acted(a->server, 0), 1);
    assert_non_null(found.manifest);
    eng_repo_close(r);
}

static void a_point_that_is_there_and_cannot_be_had_is_damaged(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    AUTO_ENG_POINTS struct eng_points all = { 0 };

    lose_manifest(a, 0);
    must(eng_points_list(r, NULL, NULL, &all, why));
    assert_int_equal(all.n, 1);
    assert_null(all.p[0].manifest);
    assert_true(all.p[0].absent);

    eng_repo_close(r);
}

#define P(name)                                                                \
    cmocka_unit_test_setup_teardown(name, attacked_setup_plain,                \
                                    attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        P(a_point_that_came_back_is_not_damaged),
        P(a_point_that_is_there_and_cannot_be_had_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
