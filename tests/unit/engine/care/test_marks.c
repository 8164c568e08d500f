// SPDX-License-Identifier: Apache-2.0
/* Marks of damaged objects, with and without the rights to set and clear them.
 */
#include "tests/unit/engine/care/attacked.h"

#include "engine/care/check.h"
#include "engine/repo/damaged.h"

struct heard {
    unsigned notes;
};

static void hear(void *ctx, enum eng_check_word word, const char *what)
{
    struct heard *h = ctx;

    (void)what;
    h->notes += word == ENG_CHECK_NOTE;
}

static struct eng_check_result
check(struct attacked *a, enum eng_check_level level, struct heard *h)
{
    struct eng_repo *r = fixture_open(&a->f);
    const struct eng_check_opts o = {
        .level = level,
        .report = h != NULL ? hear : NULL,
        .ctx = h,
    };
    struct eng_check_result res;

    must(eng_check_run(r, &o, &res, why));
    eng_repo_close(r);
    return res;
}

struct marks {
    size_t standing, cleared;
};

static struct marks marks_of(struct attacked *a)
{
    struct eng_repo *r = fixture_open(&a->f);
    AUTO_ENG_DAMAGED struct eng_damaged d = { 0 };
    struct marks m = { 0 };

    must(eng_damaged_list(eng_repo_store(r), NULL, &d, why));
    for (size_t i = 0; i < d.n; i++)
        *(d.ids[i].cleared ? &m.cleared : &m.standing) += 1;
    eng_repo_close(r);
    return m;
}

static const struct s3server_rule no_deletes[] = {
    { .op = "DeleteObject*",
      .act = S3SERVER_REPLY,
      .status = 403,
      .code = "AccessDenied" },
};

static void a_writer_clears_marks_without_a_right_to_delete(void **state)
{
    struct attacked *a = *state;

    attacked_put(a, attacked_key(a, "plain/blocks/"), "rubbish");
    assert_int_equal(check(a, ENG_CHECK_FULL, NULL).marked, 1);
    assert_int_equal(marks_of(a).standing, 1);

    s3server_script(a->server, no_deletes, 1);
    attacked_back_up(a);
    assert_int_equal(s3server_acted(a->server, 0), 0); /* it did not try */
    assert_int_equal(marks_of(a).standing, 0);
    assert_int_equal(marks_of(a).cleared, 1);
    assert_int_equal(check(a, ENG_CHECK_FULL, NULL).damaged, 0);
    assert_int_equal(marks_of(a).cleared, 1);
    /* A cleared mark does not make the next run put anything. */
    attacked_back_up(a);
    s3server_script(a->server, NULL, 0);
    (void)check(a, ENG_CHECK_LIST, NULL);
    assert_int_equal(marks_of(a).cleared, 0);
}

static void damaged_again_it_is_marked_again(void **state)
{
    struct attacked *a = *state;

    s3server_script(a->server, no_deletes, 1);
    for (int i = 0; i < 2; i++) {
        attacked_put(a, attacked_key(a, "plain/blocks/"), "rubbish");
        assert_int_equal(check(a, ENG_CHECK_FULL, NULL).marked, 1);
        assert_int_equal(marks_of(a).standing, 1);
        attacked_back_up(a);
        assert_int_equal(marks_of(a).cleared, 1);
    }
    s3server_script(a->server, NULL, 0);
}

static void whoever_may_not_write_is_told_so(void **state)
{
    static const struct s3server_rule rules[] = {
        { .op = "PutObject",
          .act = S3SERVER_REPLY,
          .status = 403,
          .code = "AccessDenied" },
    };
    struct attacked *a = *state;
    struct heard h = { 0 };

    attacked_put(a, attacked_key(a, "plain/blocks/"), "rubbish");
    s3server_script(a->server, rules, 1);
    struct eng_check_result res = check(a, ENG_CHECK_FULL, &h);
    s3server_script(a->server, NULL, 0);
    assert_int_equal(res.damaged, 1);
    assert_int_equal(res.damaged_points, 1);
    assert_int_equal(res.marked, 0);
    assert_int_equal(h.notes, 1);
}

static void a_listing_reads_what_is_marked(void **state)
{
    struct attacked *a = *state;
    const char *block = attacked_key(a, "plain/blocks/");
    struct buf good = buf_init(1 << 20);

    assert_true(s3server_read(a->server, ATTACKED_BUCKET, block, &good));
    attacked_put(a, block, "rubbish");
    assert_int_equal(check(a, ENG_CHECK_LIST, NULL).damaged, 0);
    assert_int_equal(check(a, ENG_CHECK_FULL, NULL).damaged, 1);
    assert_int_equal(check(a, ENG_CHECK_LIST, NULL).damaged, 1);
    /* Put right by hand: the mark goes with its reason. */
    s3server_write(a->server, ATTACKED_BUCKET, block, good.p, good.len);
    assert_int_equal(check(a, ENG_CHECK_LIST, NULL).damaged, 0);
    assert_int_equal(marks_of(a).standing, 0);
    buf_free(&good);
}

static void marks_go_without_leaving_versions(void **state)
{
    struct attacked *a = *state;
    const char *block = attacked_key(a, "plain/blocks/");
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req req = { .key = block };
    struct obj_info info;
    struct mf_id id;
    char mark[ENG_DAMAGED_KEY_CHARS];

    must(obj_head(eng_repo_store(r), &req, &info, why));
    req.version = info.version;
    must(obj_delete(eng_repo_store(r), &req, false, why));
    eng_repo_close(r);
    assert_true(mf_key_parse_block(block, MF_KEYSET_PLAIN, &id));
    eng_damaged_key(ENG_INDEX_BLOCK, &id, mark);
    assert_int_equal(check(a, ENG_CHECK_LIST, NULL).marked, 1);
    attacked_back_up(a);
    assert_int_equal(s3server_versions(a->server, ATTACKED_BUCKET, mark), 2);
    assert_int_equal(check(a, ENG_CHECK_LIST, NULL).damaged, 0);
    assert_int_equal(s3server_versions(a->server, ATTACKED_BUCKET, mark), 0);
}

#define CASE(name, setup)                                                      \
    cmocka_unit_test_setup_teardown(name, setup, attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_writer_clears_marks_without_a_right_to_delete,
             attacked_setup_plain),
        CASE(damaged_again_it_is_marked_again, attacked_setup_plain),
        CASE(whoever_may_not_write_is_told_so, attacked_setup_plain),
        CASE(a_listing_reads_what_is_marked, attacked_setup_plain),
        CASE(marks_go_without_leaving_versions, attacked_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
