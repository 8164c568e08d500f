// SPDX-License-Identifier: Apache-2.0
/* Sizes and durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include <cmocka.h>

static void sizes_are_powers_of_1024(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        { "0", 0 },
        { "1", 1 },
        { "007", 7 },
        { "256K", 262144 },
        { "4M", 4194304 },
        { "1G", 1073741824 },
        { "2T", UINT64_C(2) << 40 },
        { "3P", UINT64_C(3) << 50 },
        { "15E", UINT64_C(15) << 60 },
        { "18446744073709551615", UINT64_MAX },
        { "0E", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint64_t v = 99;
        assert_true(units_parse_size(good[i].text, &v));
        assert_true(v == good[i].bytes);
    }
}

static void other_sizes_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "K",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1 K",
        "1.5M",
        "1k",
        "1KB",
        "1Ki",
        "0x1",
        "1KK",
        "16E",
        "1Z",
        "18446744073709551616",
        "1s",
        "99999999999999999999999",
        "18014398509481984K",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t v = 99;
        if (units_parse_size(bad[i], &v))
            fail_msg("\"%s\" was taken for a size", bad[i]);
    }
}

static void durations_are_seconds_to_weeks(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        { "0", 0 },
        { "45", 45 },
        { "30s", 30 },
        { "15m", 900 },
        { "12h", 43200 },
        { "7d", 604800 },
        { "3w", 1814400 },
        { "0w", 0 },
        { "9223372036854775807", INT64_MAX },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t v = 99;
        assert_true(units_parse_duration(good[i].text, &v));
        assert_true(v == good[i].seconds);
    }
}

static void other_durations_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "s",
        "-1s",
        "1 s",
        "1S",
        "1M",
        "1y",
        "1.5h",
        "1hm",
        "1h ",
        "9223372036854775808",
        "15250284452472w",
        "18446744073709551615w",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t v = 99;
        if (units_parse_duration(bad[i], &v))
            fail_msg("\"%s\" was taken for a duration", bad[i]);
    }
}

static void sizes_are_shown_in_the_fitting_unit(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } shown[] = {
        { 0, "0 B" },
        { 512, "512 B" },
        { 1023, "1023 B" },
        { 1024, "1.0 KiB" },
        { 1536, "1.5 KiB" },
        { 4194304, "4.0 MiB" },
        { 1048575, "1.0 MiB" },
        { UINT64_C(5) << 40, "5.0 TiB" },
        { UINT64_MAX, "16.0 EiB" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        char text[UNITS_TEXT_CHARS];
        units_format_size(shown[i].bytes, text);
        assert_string_equal(text, shown[i].text);
    }
}

static void durations_are_shown_in_two_units(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } shown[] = {
        { 0, "0 s" },
        { 12, "12 s" },
        { 59, "59 s" },
        { 60, "1m 0s" },
        { 125, "2m 5s" },
        { 3600, "1h 0m" },
        { 5025, "1h 23m" },
        { 86399, "23h 59m" },
        { 3 * 86400 + 4 * 3600 + 59, "3d 4h" },
        { -90, "-1m 30s" },
        { INT64_MIN, "-106751991167300d 15h" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        char text[UNITS_TEXT_CHARS];
        units_format_duration(shown[i].seconds, text);
        assert_string_equal(text, shown[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(other_sizes_are_refused),
        cmocka_unit_test(durations_are_seconds_to_weeks),
        cmocka_unit_test(other_durations_are_refused),
        cmocka_unit_test(sizes_are_shown_in_the_fitting_unit),
        cmocka_unit_test(durations_are_shown_in_two_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
