// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/fixture.h"

#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/utc.h"
#include "engine/repo/index.h"

static struct mf_id id_of(uint64_t n)
{
    struct mf_id id;

    fixture_noise(id.b, sizeof(id.b), n);
    return id;
}

static struct eng_index *open_at(struct fixture *f, const char *repo_id)
{
    struct err e = { 0 };
    char dir[128];

    snprintf(dir, sizeof(dir), "%s/index", f->dir);
    struct eng_index *ix = eng_index_open(dir, repo_id, &e);
    if (ix == NULL)
        fail_msg("%s", e.msg);
    return ix;
}

static void an_unknown_id_is_the_first_claimants_to_put(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct mf_id id = id_of(1);
    struct err e = { 0 };

    assert_int_equal(eng_index_claim(ix, ENG_INDEX_BLOCK, &id, NULL, &e), 0);
    eng_index_settle(ix, ENG_INDEX_BLOCK, &id, true);
    assert_int_equal(eng_index_claim(ix, ENG_INDEX_BLOCK, &id, NULL, &e), 1);
    /* A page of the same hash is another object. */
    assert_int_equal(eng_index_claim(ix, ENG_INDEX_PAGE, &id, NULL, &e), 0);
    eng_index_close(ix);
}

static void an_id_whose_put_failed_is_claimed_again(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct mf_id id = id_of(2);
    struct err e = { 0 };

    assert_int_equal(eng_index_claim(ix, ENG_INDEX_BLOCK, &id, NULL, &e), 0);
    eng_index_settle(ix, ENG_INDEX_BLOCK, &id, false);
    assert_int_equal(eng_index_claim(ix, ENG_INDEX_BLOCK, &id, NULL, &e), 0);
    eng_index_settle(ix, ENG_INDEX_BLOCK, &id, true);
    eng_index_close(ix);
}

static void what_was_learned_outlives_a_close(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct err e = { 0 };

    assert_false(eng_index_complete(ix));
    for (uint64_t i = 0; i < 5000; i++) {
        struct mf_id id = id_of(100 + i);
        must(eng_index_add(ix, ENG_INDEX_BLOCK, &id, why));
    }
    must(eng_index_mark_seen(ix, "plain/points/vm/x.json", why));
    must(eng_index_set_complete(ix, why));
    eng_index_close(ix);

    ix = open_at(*state, "r1");
    assert_true(eng_index_complete(ix));
    assert_true(eng_index_seen(ix, "plain/points/vm/x.json"));
    assert_false(eng_index_seen(ix, "plain/points/vm/y.json"));
    for (uint64_t i = 0; i < 5000; i++) {
        struct mf_id id = id_of(100 + i);
        assert_int_equal(eng_index_claim(ix, ENG_INDEX_BLOCK, &id, NULL, &e),
                         1);
    }
    eng_index_close(ix);
}

static void the_index_of_another_repository_is_thrown_away(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct mf_id id = id_of(3);

    must(eng_index_add(ix, ENG_INDEX_BLOCK, &id, why));
    must(eng_index_set_complete(ix, why));
    eng_index_close(ix);
    ix = open_at(*state, "r2");
    assert_false(eng_index_complete(ix));
    assert_false(eng_index_knows(ix, ENG_INDEX_BLOCK, &id));
    eng_index_close(ix);
}

static void a_damaged_index_is_thrown_away(void **state)
{
    struct fixture *f = *state;
    struct eng_index *ix = open_at(f, "r1");
    char path[160];

    must(eng_index_set_complete(ix, why));
    eng_index_close(ix);
    snprintf(path, sizeof(path), "%s/index/index.db", f->dir);
    FILE *db = fopen(path, "w");
    assert_non_null(db);
    for (int i = 0; i < 5000; i++)
        fputs("no database ", db);
    fclose(db);
    ix = open_at(f, "r1");
    assert_false(eng_index_complete(ix));
    eng_index_close(ix);
}

struct contest {
    struct eng_index *ix;
    struct mf_id id;
    unsigned puts; /* under the claim */
};

static void *contend(void *ctx)
{
    struct contest *c = ctx;
    struct err e = { 0 };

    if (eng_index_claim(c->ix, ENG_INDEX_BLOCK, &c->id, NULL, &e) == 0) {
        c->puts++;
        usleep(20000);
        eng_index_settle(c->ix, ENG_INDEX_BLOCK, &c->id, true);
    }
    return NULL;
}

static void of_many_threads_one_puts_and_the_others_wait_for_it(void **state)
{
    struct contest c = { .ix = open_at(*state, "r1"), .id = id_of(4) };
    pthread_t t[16];

    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&t[i], NULL, contend, &c), 0);
    for (int i = 0; i < 16; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(c.puts, 1);
    eng_index_close(c.ix);
}

static void one_who_waits_for_a_claim_can_be_cancelled(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct mf_id id = id_of(5);
    struct cancel c;
    struct err e = { 0 };

    must(cancel_init(&c, NULL, why));
    assert_int_equal(eng_index_claim(ix, ENG_INDEX_BLOCK, &id, NULL, &e), 0);
    cancel_request(&c);
    int64_t t0 = utc_mono_ms();
    assert_int_equal(eng_index_claim(ix, ENG_INDEX_BLOCK, &id, &c, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_true(utc_mono_ms() - t0 < 1000);
    eng_index_settle(ix, ENG_INDEX_BLOCK, &id, false);
    cancel_fini(&c);
    eng_index_close(ix);
}

static struct mf_entry composed_of(uint64_t base, uint64_t over, uint64_t whole)
{
    return (struct mf_entry){ .kind = MF_OVER,
                              .has_base = base != 0,
                              .has_over = over != 0,
                              .has_whole = true,
                              .units = UINT64_C(1) << 63 | 5,
                              .id = id_of(base),
                              .over = id_of(over),
                              .whole = id_of(whole) };
}

static void
composed_content_counts_while_both_its_objects_are_known(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct mf_entry m = composed_of(1, 2, 3);
    struct mf_entry zeros = composed_of(1, 0, 4);
    struct mf_entry out = { 0 };

    eng_index_add_composed(ix, &m, 4096);
    eng_index_add_composed(ix, &zeros, 4096);
    assert_false(eng_index_find_composed(ix, &m.whole, 4096, &out));
    must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.id, why));
    assert_false(eng_index_find_composed(ix, &m.whole, 4096, &out));
    assert_true(eng_index_find_composed(ix, &zeros.whole, 4096, &out));
    assert_true(mf_entry_eq(&out, &zeros));
    must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.over, why));
    assert_true(eng_index_find_composed(ix, &m.whole, 4096, &out));
    assert_true(mf_entry_eq(&out, &m));
    assert_false(eng_index_find_composed(ix, &m.whole, 8192, &out));
    assert_false(eng_index_find_composed(ix, &m.id, 4096, &out));

    must(eng_index_clear(ix, "", why));
    must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.id, why));
    must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.over, why));
    assert_false(eng_index_find_composed(ix, &m.whole, 4096, &out));
    eng_index_close(ix);
}

/* It would make a point that nobody can restore. */
static void composed_content_of_a_damaged_row_does_not_count(void **state)
{
    static const char *const damage[] = {
        "units=units|8", "over=base",       "base=NULL",
        "whole=over",    "block_size=8192", "checksum=x\'00\'",
    };
    struct fixture *f = *state;
    struct mf_entry m = composed_of(1, 2, 3);
    struct mf_entry out = { 0 };

    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        char path[128];
        char sql[128];
        sqlite3 *db = NULL;
        struct eng_index *ix = open_at(f, "r1");
        must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.id, why));
        must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.over, why));
        eng_index_add_composed(ix, &m, 4096);
        assert_true(eng_index_find_composed(ix, &m.whole, 4096, &out));
        eng_index_close(ix);

        snprintf(path, sizeof(path), "%s/index/index.db", f->dir);
        snprintf(sql, sizeof(sql), "UPDATE composed SET %s", damage[i]);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        ix = open_at(f, "r1");
        assert_false(eng_index_find_composed(ix, &m.whole, 4096, &out));
        assert_false(eng_index_find_composed(ix, &m.whole, 8192, &out));
        assert_false(eng_index_find_composed(ix, &m.over, 4096, &out));
        must(eng_index_clear(ix, "", why));
        eng_index_close(ix);
    }
}

static struct eng_index_version version_of(const char *id, int64_t until)
{
    struct eng_index_version v = { .until = until };

    snprintf(v.id, sizeof v.id, "%s", id);
    return v;
}

static void assert_version(struct eng_index *ix, const struct mf_id *id,
                           const char *version, int64_t until)
{
    struct eng_index_version v;

    assert_int_equal(eng_index_get_version(ix, ENG_INDEX_BLOCK, id, &v),
                     version != NULL);
    assert_string_equal(v.id, version != NULL ? version : "");
    assert_int_equal(v.until, until);
}

static void a_version_and_its_date_are_kept_until_others_are_told(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct mf_id id = id_of(1), plain = id_of(2);
    struct eng_index_version one = version_of("v1", 100);
    struct eng_index_version two = version_of("v2", 50);

    for (int written = 0; written < 2; written++) {
        must(eng_index_set_version(ix, ENG_INDEX_BLOCK, &id, &one, why));
        must(eng_index_add(ix, ENG_INDEX_BLOCK, &plain, why));
        /* Who only knows that it is there takes nothing away. */
        must(eng_index_add(ix, ENG_INDEX_BLOCK, &id, why));
        assert_version(ix, &id, "v1", 100);
        assert_version(ix, &plain, NULL, 0);
        eng_index_close(ix);
        ix = open_at(*state, "r1");
        must(eng_index_add(ix, ENG_INDEX_BLOCK, &id, why));
        assert_version(ix, &id, "v1", 100);
        must(eng_index_set_version(ix, ENG_INDEX_BLOCK, &id, &two, why));
        assert_version(ix, &id, "v2", 50);
        eng_index_close(ix);
        ix = open_at(*state, "r1");
        assert_version(ix, &id, "v2", 50);
    }
    eng_index_forget(ix, ENG_INDEX_BLOCK, &id);
    assert_version(ix, &id, NULL, 0);
    assert_false(eng_index_knows(ix, ENG_INDEX_BLOCK, &id));
    assert_true(eng_index_knows(ix, ENG_INDEX_BLOCK, &plain));
    eng_index_close(ix);
}

/* It would leave an object without its lock. */
static void a_date_of_a_damaged_row_does_not_count(void **state)
{
    static const char *const damage[] = { "until=until+1", "version='v2'",
                                          "checksum=NULL", "checksum=x'00'" };
    struct fixture *f = *state;
    struct mf_id id = id_of(1);
    struct eng_index_version one = version_of("v1", 100);

    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        char path[128];
        char sql[128];
        sqlite3 *db = NULL;
        struct eng_index *ix = open_at(f, "r1");
        must(eng_index_set_version(ix, ENG_INDEX_BLOCK, &id, &one, why));
        eng_index_close(ix);
        snprintf(path, sizeof(path), "%s/index/index.db", f->dir);
        snprintf(sql, sizeof(sql), "UPDATE object SET %s", damage[i]);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        ix = open_at(f, "r1");
        assert_version(ix, &id, NULL, 0);
        assert_true(eng_index_knows(ix, ENG_INDEX_BLOCK, &id));
        must(eng_index_clear(ix, "", why));
        eng_index_close(ix);
    }
}

static void composed_content_waits_for_a_file_that_another_holds(void **state)
{
    struct fixture *f = *state;
    struct eng_index *ix = open_at(f, "r1");
    struct mf_entry m = composed_of(1, 2, 3);
    struct mf_entry newer = composed_of(1, 4, 3);
    struct mf_entry out = { 0 };
    sqlite3 *db = NULL;
    char path[128];

    snprintf(path, sizeof(path), "%s/index/index.db", f->dir);
    for (uint64_t i = 1; i <= 4; i++) {
        struct mf_id id = id_of(i);
        must(eng_index_add(ix, ENG_INDEX_BLOCK, &id, why));
    }
    must(eng_index_set_complete(ix, why));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    eng_index_add_composed(ix, &m, 4096);
    eng_index_add_composed(ix, &newer, 4096);
    usleep(1100000); /* the batch is due, and does not wait for the other */
    int64_t t0 = utc_mono_ms();
    eng_index_add_composed(ix, &m, 8192);
    assert_true(utc_mono_ms() - t0 < 2000);
    sqlite3_close(db);
    assert_true(eng_index_find_composed(ix, &m.whole, 4096, &out));
    assert_true(mf_entry_eq(&out, &newer));
    assert_true(eng_index_close(ix));

    ix = open_at(f, "r1");
    assert_true(eng_index_find_composed(ix, &m.whole, 4096, &out));
    assert_true(mf_entry_eq(&out, &newer));
    assert_true(eng_index_find_composed(ix, &m.whole, 8192, &out));
    assert_true(mf_entry_eq(&out, &m));
    eng_index_close(ix);
}

static void composed_content_of_many_blocks_is_kept(void **state)
{
    struct eng_index *ix = open_at(*state, "r1");
    struct mf_entry m = composed_of(1, 2, 3);
    struct mf_entry out = { 0 };
    enum { MANY = 10000 }; /* more than wait in memory */

    must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.id, why));
    must(eng_index_add(ix, ENG_INDEX_BLOCK, &m.over, why));
    for (uint64_t i = 0; i < MANY; i++) {
        m.whole = id_of(100 + i);
        eng_index_add_composed(ix, &m, 4096);
    }
    eng_index_close(ix);
    ix = open_at(*state, "r1");
    for (uint64_t i = 0; i < MANY; i++) {
        m.whole = id_of(100 + i);
        assert_true(eng_index_find_composed(ix, &m.whole, 4096, &out));
        assert_true(mf_entry_eq(&out, &m));
    }
    eng_index_close(ix);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_unknown_id_is_the_first_claimants_to_put),
        T(an_id_whose_put_failed_is_claimed_again),
        T(what_was_learned_outlives_a_close),
        T(the_index_of_another_repository_is_thrown_away),
        T(a_damaged_index_is_thrown_away),
        T(of_many_threads_one_puts_and_the_others_wait_for_it),
        T(one_who_waits_for_a_claim_can_be_cancelled),
        T(composed_content_counts_while_both_its_objects_are_known),
        T(composed_content_of_a_damaged_row_does_not_count),
        T(a_version_and_its_date_are_kept_until_others_are_told),
        T(a_date_of_a_damaged_row_does_not_count),
        T(composed_content_waits_for_a_file_that_another_holds),
        T(composed_content_of_many_blocks_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
