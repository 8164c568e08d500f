// SPDX-License-Identifier: Apache-2.0
//
// Counters of tasks, raised by several threads while another one looks.
#include "base/progress.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/utc.h"

#define THREADS 4
#define ROUNDS 5000

static bool no_memory;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory ? NULL : __real_calloc(n, size);
}

static struct progress *make(void)
{
    struct err e = { 0 };
    struct progress *p = progress_new(&e);
    assert_non_null(p);
    return p;
}

static void a_snapshot_shows_tasks_oldest_first(void **state)
{
    (void)state;
    AUTO_PROGRESS struct progress *p = make();
    struct progress_view v[3];
    assert_int_equal(progress_snapshot(p, v, 3), 0);

    int64_t before = utc_mono_ms();
    struct progress_task *a = progress_begin(p, "backup", "web1/vda", 100);
    struct progress_task *b = progress_begin(p, "restore", "web1/vdb", 200);
    progress_add(a, 10, 5, 3);
    progress_add(a, 1, 1, 1);
    progress_end(b);

    assert_int_equal(progress_snapshot(p, v, 3), 2);
    assert_string_equal(v[0].verb, "backup");
    assert_string_equal(v[0].name, "web1/vda");
    assert_true(v[0].total == 100 && v[0].done == 11);
    assert_true(v[0].read == 6 && v[0].moved == 4);
    assert_true(v[0].started_ms >= before && v[0].ended_ms == 0);
    assert_string_equal(v[1].name, "web1/vdb");
    assert_true(v[1].ended_ms >= v[1].started_ms && v[1].ended_ms > 0);
}

static void a_snapshot_fills_no_more_than_asked(void **state)
{
    (void)state;
    AUTO_PROGRESS struct progress *p = make();
    struct progress_view v[2] = { 0 };
    progress_begin(p, "a", "1", 0);
    progress_begin(p, "a", "2", 0);
    assert_int_equal(progress_snapshot(p, v, 1), 2);
    assert_string_equal(v[0].name, "1");
    assert_string_equal(v[1].name, "");
    assert_int_equal(progress_snapshot(p, NULL, 0), 2);
}

static void long_names_are_cut_between_characters(void **state)
{
    (void)state;
    AUTO_PROGRESS struct progress *p = make();
    struct progress_view v;
    char name[200];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memcpy(name + PROGRESS_NAME_CHARS - 2, "\xc3\xa9", 2);
    progress_begin(p, "a verb that is too long", name, 0);
    assert_int_equal(progress_snapshot(p, &v, 1), 1);
    assert_int_equal(strlen(v.name), PROGRESS_NAME_CHARS - 2);
    assert_string_equal(v.verb, "a verb that is ");
}

static void nothing_is_accepted_everywhere(void **state)
{
    (void)state;
    struct progress_view v;
    struct progress_task *t = progress_begin(NULL, "a", "b", 1);
    assert_null(t);
    progress_add(t, 1, 1, 1);
    progress_end(t);
    assert_int_equal(progress_snapshot(NULL, &v, 1), 0);
    progress_expect(NULL, 3);
    assert_int_equal(progress_expected(NULL), 0);
    assert_null(progress_begin_group(NULL, "a"));
    progress_total(NULL, 1);
    progress_end(NULL);
    assert_int_equal(progress_groups(NULL, &v, 1), 0);
    progress_free(NULL);
}

static void without_memory_only_the_display_is_lost(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_PROGRESS struct progress *p = make();
    no_memory = true;
    struct progress *none = progress_new(&e);
    struct progress_task *t = progress_begin(p, "a", "b", 1);
    no_memory = false;
    assert_null(none);
    assert_int_equal(e.kind, ERR_NOMEM);
    assert_null(t);
    assert_int_equal(progress_snapshot(p, NULL, 0), 0);
}

static void a_group_counts_what_its_tasks_count(void **state)
{
    (void)state;
    AUTO_PROGRESS struct progress *p = make();
    struct progress_view v[2];
    assert_int_equal(progress_expected(p), 0);
    progress_expect(p, 20);
    struct progress_task *g = progress_begin_group(p, "web1");
    progress_total(g, 300);
    assert_int_equal(progress_groups(p, v, 2), 1);
    assert_string_equal(v[0].verb, "");
    struct progress_task *a = progress_begin_in(p, g, "backup", "web1/a", 100);
    struct progress_task *b = progress_begin_in(p, g, "read", "web1/b", 200);
    struct progress_task *other = progress_begin(p, "backup", "db/a", 50);
    progress_add(a, 10, 9, 8);
    progress_add(b, 1, 2, 3);
    progress_add(other, 50, 50, 50);
    progress_end(a);

    assert_int_equal(progress_expected(p), 20);
    assert_int_equal(progress_snapshot(p, v, 2), 3);
    assert_int_equal(progress_groups(p, v, 2), 1);
    assert_string_equal(v[0].name, "web1");
    assert_string_equal(v[0].verb, "backup");
    assert_true(v[0].total == 300 && v[0].done == 11);
    assert_true(v[0].read == 11 && v[0].moved == 11 && v[0].ended_ms == 0);
    progress_end(g);
    assert_int_equal(progress_groups(p, v, 2), 1);
    assert_true(v[0].ended_ms >= v[0].started_ms && v[0].ended_ms > 0);
}

static void *work(void *ctx)
{
    struct progress *p = ctx;
    struct progress_task *t = progress_begin(p, "work", "own", 0);
    for (int i = 0; i < ROUNDS; i++)
        progress_add(t, 3, 2, 1);
    progress_end(t);
    return NULL;
}

static void an_ended_task_shows_its_final_counters(void **state)
{
    (void)state;
    AUTO_PROGRESS struct progress *p = make();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, p), 0);

    struct progress_view v[THREADS];
    int ended = 0;
    while (ended < THREADS) {
        size_t n = progress_snapshot(p, v, THREADS);
        ended = 0;
        for (size_t i = 0; i < n; i++) {
            assert_true(v[i].done <= 3 * ROUNDS);
            if (v[i].ended_ms == 0)
                continue;
            ended++;
            assert_true(v[i].done == 3 * ROUNDS && v[i].read == 2 * ROUNDS);
            assert_true(v[i].moved == ROUNDS);
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_shows_tasks_oldest_first),
        cmocka_unit_test(a_snapshot_fills_no_more_than_asked),
        cmocka_unit_test(long_names_are_cut_between_characters),
        cmocka_unit_test(a_group_counts_what_its_tasks_count),
        cmocka_unit_test(nothing_is_accepted_everywhere),
        cmocka_unit_test(without_memory_only_the_display_is_lost),
        cmocka_unit_test(an_ended_task_shows_its_final_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
