// SPDX-License-Identifier: Apache-2.0
/* The index of a large repository is filled, as a listing does it, without
 * taking memory for it.  INDEX_IDS=4000000 fills it as far as that (about a
 * minute, 250 MB of disk). */
#include "tests/unit/engine/fixture.h"

#include <pthread.h>

#include "engine/repo/index.h"

#define THREADS 8 /* as listings have them */
#define GROWTH_MAX_KIB (8 << 10)

static uint64_t count; /* ids of each thread */

/* Peak resident memory of this process so far, in KiB. */
static uint64_t peak_kib(void)
{
    unsigned long kib = 0;
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmHWM: %lu kB", &kib) == 1)
            break;
    fclose(f);
    assert_true(kib > 0);
    return kib;
}

static bool sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true; /* freed memory is kept there for a while */
#else
    return false;
#endif
}

struct filler {
    struct eng_index *ix;
    uint64_t first;
    pthread_t thread;
};

/* As listings bring them: each thread has a prefix, and ids in order. */
static struct mf_id id_of(uint64_t n)
{
    uint64_t at = (n % count) * (UINT32_MAX / count);
    struct mf_id id;

    fixture_noise(id.b, sizeof(id.b), n + 1);
    id.b[0] = (uint8_t)(n / count);
    for (unsigned i = 0; i < 4; i++)
        id.b[1 + i] = (uint8_t)(at >> (24 - 8 * i));
    return id;
}

static void *fill(void *arg)
{
    const struct filler *f = arg;
    struct err e = { 0 };

    for (uint64_t i = 0; i < count; i++) {
        struct mf_id id = id_of(f->first + i);
        if (eng_index_add(f->ix, ENG_INDEX_BLOCK, &id, &e) < 0)
            return arg;
    }
    return NULL;
}

static void fills_in_bounded_memory(const char *dir)
{
    struct filler f[THREADS];
    struct err e = { 0 };
    struct eng_index *ix = eng_index_open(dir, "r1", &e);

    if (ix == NULL)
        fail_msg("%s", e.msg);
    uint64_t before = peak_kib();
    for (unsigned i = 0; i < THREADS; i++) {
        f[i] = (struct filler){ .ix = ix, .first = i * count };
        assert_int_equal(pthread_create(&f[i].thread, NULL, fill, &f[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(f[i].thread, &failed);
        assert_null(failed);
    }
    uint64_t growth = peak_kib() - before;
    struct mf_id last = id_of(THREADS * count - 1);
    struct mf_id none = id_of(THREADS * count);
    assert_true(eng_index_knows(ix, ENG_INDEX_BLOCK, &last));
    assert_false(eng_index_knows(ix, ENG_INDEX_BLOCK, &none));
    print_message("%llu ids: %llu KiB\n", (unsigned long long)(THREADS * count),
                  (unsigned long long)growth);
    if (growth > GROWTH_MAX_KIB && !sanitized())
        fail_msg("peak memory grew by %llu KiB", (unsigned long long)growth);
    assert_true(eng_index_close(ix));
}

/* The one without a folder is filled first: the peak would hide its growth. */
static void an_index_without_a_folder_takes_no_memory_either(void **state)
{
    (void)state;
    fills_in_bounded_memory(NULL);
}

static void an_index_is_filled_in_bounded_memory(void **state)
{
    struct fixture *f = *state;
    char dir[128];

    snprintf(dir, sizeof(dir), "%s/index", f->dir);
    fills_in_bounded_memory(dir);
}

int main(void)
{
    const char *wanted = getenv("INDEX_IDS");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_index_without_a_folder_takes_no_memory_either, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(an_index_is_filled_in_bounded_memory,
                                        fixture_setup, fixture_teardown),
    };

    count = (wanted != NULL ? strtoull(wanted, NULL, 10) : 200000) / THREADS;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
