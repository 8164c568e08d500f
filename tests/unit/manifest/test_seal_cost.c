// SPDX-License-Identifier: Apache-2.0
/* What sealing costs beside hashing and compressing: 64 MiB are encoded in turn
 * with and without keys, in processor time of this thread, so that others on
 * the machine matter little.  What a run does besides (reading, sending) is not
 * in it, so the share is larger here than in a run. */
#include "tests/unit/manifest/mf_test.h"

#include <time.h>

#include "manifest/block.h"

/* The smallest blocks, for what is done once for each weighs most there. */
#define BLOCK MF_BLOCK_MIN
#define BLOCKS ((64u << 20) / BLOCK)
#define ROUNDS 5

/* Hashing and compressing this content is 0.12 to 0.2 s, sealing 0.02 to 0.03.
 * One more SHA-256 over the plaintext is 0.04, as is AES-GCM over it twice. */
#define MOST_TIMES_PLAIN 1.25

/* Content begins with a page, as in a run, and objects do not.  At the same
 * place of a page, processors take reads of the one for reads of what was just
 * written to the other, and wait: without keys alone, for a seal begins with
 * its head. */
#define PAGE 4096

struct work {
    uint8_t *content; /* BLOCKS blocks */
    struct zst *z;
    struct buf object;
};

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Noise in four of seven blocks, as in tests/bench; else words, of which every
 * fourth is a new one, so that they shrink to about a third. */
static void fill(uint8_t *content)
{
    static const char letters[] = "etaoinsrhldcumfpgwybvk  \n";
    uint64_t state = 88172645463325252U;
    char words[512][8];

    for (size_t w = 0; w < 512; w++)
        for (size_t i = 0; i < 8; i++)
            words[w][i] = letters[next(&state) % 25];
    for (size_t b = 0; b < BLOCKS; b++) {
        uint8_t *at = content + b * BLOCK;
        bool noise = b % 7 < 4;
        for (size_t i = 0; i < BLOCK; i += 8) {
            uint64_t v = next(&state);
            if (!noise && i % 32 != 0)
                memcpy(&v, words[v >> 55], sizeof(v));
            memcpy(at + i, &v, sizeof(v));
        }
    }
}

static int setup(void **state)
{
    struct err e = { 0 };
    struct work *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->content = aligned_alloc(PAGE, (size_t)BLOCKS * BLOCK);
    w->z = zst_new(&e);
    w->object = buf_init(mf_object_max(BLOCK));
    assert_non_null(w->content);
    assert_non_null(w->z);
    fill(w->content);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct work *w = *state;

    buf_free(&w->object);
    zst_free(w->z);
    free(w->content);
    free(w);
    return 0;
}

static double cpu_seconds(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct sum {
    double seconds;
    uint64_t stored; /* bytes */
};

/* Makes the id and the object of block b, and adds what they take. */
static void encode(struct work *w, const struct mf_keys *k, size_t b,
                   struct sum *sum)
{
    struct span plain = span_of(w->content + b * BLOCK, BLOCK);
    struct err e = { 0 };
    struct mf_id id;
    double begin = cpu_seconds();

    buf_reset(&w->object);
    if (mf_keys_id(k, MF_OBJECT_BLOCK, plain, &id, &e) < 0 ||
        mf_block_encode(k, w->z, 1, &id, plain, &w->object, &e) < 0)
        fail_msg("%s", e.msg);
    sum->seconds += cpu_seconds() - begin;
    sum->stored += w->object.len;
}

/* How many times as much as without keys a round costs with them.  They take
 * turns block by block, and so do who begins: whatever else the machine does
 * meets both. */
static double times_plain(struct work *w, const struct mf_keys *sealed)
{
    struct sum clear = { 0 };
    struct sum closed = { 0 };

    for (size_t b = 0; b < BLOCKS; b++) {
        if (b % 2 == 0)
            encode(w, plain_keys(), b, &clear);
        encode(w, sealed, b, &closed);
        if (b % 2 == 1)
            encode(w, plain_keys(), b, &clear);
    }
    assert_int_equal(closed.stored - clear.stored, BLOCKS * MF_SEAL_BYTES);
    /* All of the noise, and a third to a half of the rest. */
    assert_in_range(clear.stored >> 20, 43, 50);
    print_message("plain %.3f s, sealed %.3f s\n", clear.seconds,
                  closed.seconds);
    return closed.seconds / clear.seconds;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
sealing_costs_at_most_a_quarter_of_hashing_and_compressing(void **state)
{
    struct work *w = *state;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    double times[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        times[i] = times_plain(w, k);
    qsort(times, ROUNDS, sizeof(*times), by_size);
    double median = times[ROUNDS / 2];
    print_message("%.3f times (%.3f to %.3f)\n", median, times[0],
                  times[ROUNDS - 1]);
    if (median > MOST_TIMES_PLAIN)
        fail_msg("%.2f times plain, at most %.2f", median, MOST_TIMES_PLAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            sealing_costs_at_most_a_quarter_of_hashing_and_compressing, setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
