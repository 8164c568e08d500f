// SPDX-License-Identifier: Apache-2.0
/* Dates and day numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/civil.h"

static void known_days_have_their_numbers(void **state)
{
    (void)state;
    static const struct {
        struct civil_date date;
        int64_t day;
        int weekday;
    } known[] = {
        { { 1970, 1, 1 }, 0, 4 },         { { 1969, 12, 31 }, -1, 3 },
        { { 1970, 1, 4 }, 3, 0 },         { { 2000, 2, 29 }, 11016, 2 },
        { { 2026, 11, 22 }, 20779, 0 },   { { 2100, 3, 1 }, 47541, 1 },
        { { 9999, 12, 31 }, 2932896, 5 }, { { 1, 1, 1 }, -719162, 1 },
        { { 0, 3, 1 }, -719468, 3 },      { { -1, 12, 31 }, -719529, 5 },
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_int_equal(civil_to_day(known[i].date), known[i].day);
        assert_int_equal(civil_weekday(known[i].day), known[i].weekday);
    }
}

static void every_day_follows_the_one_before(void **state)
{
    (void)state;
    struct civil_date last = civil_from_day(-800000);

    for (int64_t day = -799999; day < 4000000; day++) {
        struct civil_date d = civil_from_day(day);
        assert_true(civil_to_day(d) == day);
        if (d.day == 1) {
            assert_int_equal(last.day, civil_month_days(last.year, last.month));
            assert_int_equal(d.month, last.month % 12 + 1);
            assert_int_equal(d.year, last.year + (d.month == 1));
        } else {
            assert_true(d.day == last.day + 1 && d.month == last.month &&
                        d.year == last.year);
        }
        last = d;
    }
}

static void months_are_added_up_to_their_last_day(void **state)
{
    (void)state;
    static const struct {
        struct civil_date from;
        int months;
        struct civil_date to;
    } rows[] = {
        { { 2026, 1, 31 }, 1, { 2026, 2, 28 } },
        { { 2024, 1, 31 }, 1, { 2024, 2, 29 } },
        { { 2026, 12, 31 }, 1, { 2027, 1, 31 } },
        { { 2026, 3, 31 }, -1, { 2026, 2, 28 } },
        { { 2026, 1, 15 }, -1, { 2025, 12, 15 } },
        { { 2026, 6, 15 }, 0, { 2026, 6, 15 } },
        { { 2024, 2, 29 }, 48, { 2028, 2, 29 } },
        { { 2024, 2, 29 }, -12, { 2023, 2, 28 } },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct civil_date d = civil_add_months(rows[i].from, rows[i].months);
        assert_int_equal(civil_to_day(d), civil_to_day(rows[i].to));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days_have_their_numbers),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(months_are_added_up_to_their_last_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
