// SPDX-License-Identifier: Apache-2.0
/* Lock dates at their edges. */
#include "engine/repo/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A hash whose phase in any generation above n is n. */
static const uint8_t *hash_of(uint64_t n)
{
    static uint8_t h[ENG_LOCK_HASH_BYTES];

    for (int i = 0; i < 8; i++)
        h[i] = (uint8_t)(n >> (56 - 8 * i));
    return h;
}

static void phase_is_the_big_endian_hash_modulo_the_generation(void **state)
{
    static const uint8_t h[] = { 1, 0, 0, 0, 0, 0, 0, 3 };

    (void)state;
    assert_int_equal(eng_lock_phase(h, 1000),
                     (UINT64_C(0x0100000000000003)) % 1000);
    assert_int_equal(eng_lock_phase(hash_of(7), 10), 7);
    assert_int_equal(eng_lock_phase(hash_of(7), 1), 0);
    assert_int_equal(eng_lock_phase(hash_of(UINT64_MAX), 864000),
                     UINT64_MAX % 864000);
}

static void cover_is_the_first_moment_of_the_phase(void **state)
{
    (void)state;
    assert_int_equal(eng_lock_cover(100, hash_of(0), 10), 100);
    assert_int_equal(eng_lock_cover(101, hash_of(0), 10), 110);
    assert_int_equal(eng_lock_cover(109, hash_of(9), 10), 109);
    assert_int_equal(eng_lock_cover(110, hash_of(9), 10), 119);
    assert_int_equal(eng_lock_cover(0, hash_of(0), 10), 0);
    assert_int_equal(eng_lock_cover(0, hash_of(3), 10), 3);
    assert_int_equal(eng_lock_cover(12345, hash_of(999), 1), 12345);
    /* A generation that is longer than all time. */
    assert_int_equal(eng_lock_cover(100, hash_of(50), 1000000), 1000050);
}

static void cover_is_never_before_and_less_than_a_generation_after(void **state)
{
    static const uint64_t generations[] = { 1, 2, 7, 864000, 3153600000u };

    (void)state;
    for (size_t g = 0; g < sizeof generations / sizeof generations[0]; g++)
        for (uint64_t i = 0; i < 2000; i++) {
            uint64_t G = generations[g];
            uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
            int64_t until = (int64_t)(x % 4102444800u);
            int64_t u = eng_lock_cover(until, hash_of(~x), G);
            assert_true(u >= until && (uint64_t)(u - until) < G);
            assert_int_equal((uint64_t)u % G, ~x % G);
        }
}

static void cover_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(eng_lock_cover(INT64_MAX, hash_of(0), 1), INT64_MAX);
    assert_int_equal(eng_lock_cover(INT64_MAX - 1, hash_of(0), 1000),
                     INT64_MAX);
}

static void scope_says_how_long_a_point_is_locked(void **state)
{
    (void)state;
    assert_int_equal(eng_lock_until(MF_SCOPE_MINIMUM, 100, 1000, 5000), 1100);
    assert_int_equal(eng_lock_until(MF_SCOPE_RETENTION, 100, 1000, 5000), 5000);
    assert_int_equal(eng_lock_until(MF_SCOPE_RETENTION, 100, 1000, 1050), 1100);
    assert_int_equal(eng_lock_until(MF_SCOPE_RETENTION, 100, 1000, 0), 1100);
}

static void manifests_are_signed_in_the_first_quarter(void **state)
{
    (void)state;
    assert_int_equal(eng_lock_sign_before(1000, 14400), 1000 + 3600);
    assert_int_equal(eng_lock_sign_before(1000, UINT64_C(14) * 86400),
                     1000 + 43200);
    assert_int_equal(eng_lock_sign_before(1000, 172800), 1000 + 43200);
    assert_int_equal(eng_lock_sign_before(1000, 172796), 1000 + 43199);
    assert_int_equal(eng_lock_sign_before(1000, 1), 1001);
}

static void key_has_the_hash_of_its_name(void **state)
{
    /* printf objvault.json | sha256sum */
    static const uint8_t want[] = { 0x9b, 0x63, 0x1e, 0x1c,
                                    0x38, 0xcd, 0x3a, 0xe5 };
    uint8_t h[ENG_LOCK_HASH_BYTES];
    struct err e = { 0 };

    (void)state;
    assert_int_equal(eng_lock_key_hash("objvault.json", h, &e), 0);
    assert_memory_equal(h, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phase_is_the_big_endian_hash_modulo_the_generation),
        cmocka_unit_test(cover_is_the_first_moment_of_the_phase),
        cmocka_unit_test(
            cover_is_never_before_and_less_than_a_generation_after),
        cmocka_unit_test(cover_does_not_overflow),
        cmocka_unit_test(scope_says_how_long_a_point_is_locked),
        cmocka_unit_test(manifests_are_signed_in_the_first_quarter),
        cmocka_unit_test(key_has_the_hash_of_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
