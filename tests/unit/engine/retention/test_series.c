// SPDX-License-Identifier: Apache-2.0
/* What a whole series keeps, and why. */
#include "tests/unit/engine/retention/flags.h"

static char utc[] = "UTC";
static char tokyo[] = "Asia/Tokyo";
static char atlantis[] = "Europe/Atlantis";

static const struct mf_retention none = { 0 };
static const struct mf_retention week = { .present = true,
                                          .days = 7,
                                          .timezone = utc };
static const struct mf_retention day = { .present = true,
                                         .days = 1,
                                         .timezone = utc };
static const struct mf_retention gfs = { .present = true,
                                         .days = 7,
                                         .weekly = 4,
                                         .monthly = 12,
                                         .yearly = 3,
                                         .timezone = utc };

static struct eng_kept at(const char *made, const char *flags,
                          const struct mf_retention *policy)
{
    return (struct eng_kept){ .time = when(made),
                              .gfs = flags_of(flags),
                              .policy = policy };
}

static void apply(struct eng_kept *series, size_t n, const char *now)
{
    struct err e = { 0 };

    if (eng_retention_apply(series, n, when(now), &e) < 0)
        fail_msg("%s", e.msg);
}

/* until NULL: no end. */
static void is(const struct eng_kept *p, enum eng_keep_reason reason,
               const char *until)
{
    char iso[UTC_ISO_CHARS];

    utc_format_iso(p->time, iso);
    if (p->reason != reason)
        fail_msg("%s: %s, not %s", iso, eng_keep_text(p->reason),
                 eng_keep_text(reason));
    assert_int_equal(p->expired, reason == ENG_KEEP_NOT);
    if (until == NULL)
        assert_true(p->until == 0);
    else
        same_time(p->until, until, iso);
}

/* 7 days: the 1st is over at the beginning of the 8th, not a second before. */
static void a_point_is_over_when_its_last_day_is(void **state)
{
    (void)state;
    struct eng_kept s[] = { at("2026-01-01", "", &week),
                            at("2026-01-05", "", &week),
                            at("2026-01-06", "", &week),
                            at("2026-01-07", "", &week) };

    apply(s, 4, "2026-01-07T23:59:59Z");
    is(&s[0], ENG_KEEP_DAYS, "2026-01-08T00:00:00Z");
    apply(s, 4, "2026-01-08T00:00:00Z");
    is(&s[0], ENG_KEEP_NOT, "2026-01-08T00:00:00Z");
    is(&s[1], ENG_KEEP_DAYS, "2026-01-12T00:00:00Z");
}

static void the_newest_three_stay_whatever_their_age(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-01", "", &day), at("2026-01-02", "", &day),
        at("2026-01-03", "", &day), at("2026-01-04", "", &day),
        at("2026-01-05", "", &day),
    };

    apply(s, 5, "2027-01-01");
    is(&s[0], ENG_KEEP_NOT, "2026-01-02T00:00:00Z");
    is(&s[1], ENG_KEEP_NOT, "2026-01-03T00:00:00Z");
    for (size_t i = 2; i < 5; i++)
        is(&s[i], ENG_KEEP_NEWEST, NULL);
    /* three or fewer: all of them */
    apply(s, 3, "2027-01-01");
    for (size_t i = 0; i < 3; i++)
        is(&s[i], ENG_KEEP_NEWEST, NULL);
    apply(s, 1, "2027-01-01");
    is(&s[0], ENG_KEEP_NEWEST, NULL);
    apply(s, 0, "2027-01-01");
}

/* While its own date lies ahead that is said, also of the newest. */
static void a_new_point_shows_its_own_date(void **state)
{
    (void)state;
    struct eng_kept s[] = { at("2026-01-04", "WMY", &gfs) };

    apply(s, 1, "2026-01-04");
    is(&s[0], ENG_KEEP_YEARLY, "2029-01-05T00:00:00Z");
}

static void flagged_points_outlive_the_days(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-04", "WMY", &gfs), at("2026-01-05", "", &gfs),
        at("2026-01-11", "W", &gfs),   at("2026-02-01", "WM", &gfs),
        at("2026-04-10", "", &gfs),    at("2026-04-11", "", &gfs),
        at("2026-04-12", "W", &gfs),
    };

    apply(s, 7, "2026-04-12");
    is(&s[0], ENG_KEEP_YEARLY, "2029-01-05T00:00:00Z");
    is(&s[1], ENG_KEEP_NOT, "2026-01-12T00:00:00Z");
    is(&s[2], ENG_KEEP_NOT, "2026-02-08T00:00:00Z");
    is(&s[3], ENG_KEEP_MONTHLY, "2027-02-02T00:00:00Z");
    is(&s[4], ENG_KEEP_DAYS, "2026-04-17T00:00:00Z");
    is(&s[6], ENG_KEEP_WEEKLY, "2026-05-10T00:00:00Z");
}

/* The newest point's policy counts for all, with flags as they were given. */
static void an_edited_policy_rules_the_whole_series(void **state)
{
    (void)state;
    static const struct mf_retention longer = {
        .present = true, .days = 30, .monthly = 1, .timezone = utc
    };
    struct eng_kept s[] = {
        at("2026-01-04", "WMY", &gfs), at("2026-01-11", "W", &gfs),
        at("2026-01-29", "", &gfs),    at("2026-01-30", "", &gfs),
        at("2026-01-31", "", &longer),
    };

    apply(s, 5, "2026-02-03");
    /* yearly and weekly are counted no longer; 4 February and a day */
    is(&s[0], ENG_KEEP_MONTHLY, "2026-02-05T00:00:00Z");
    /* 11 + 30 = 41 = 31 + 10 */
    is(&s[1], ENG_KEEP_DAYS, "2026-02-10T00:00:00Z");
    /* counts changed: 12 months again */
    s[4].policy = &gfs;
    apply(s, 5, "2026-02-03");
    is(&s[0], ENG_KEEP_YEARLY, "2029-01-05T00:00:00Z");
    is(&s[1], ENG_KEEP_WEEKLY, "2026-02-08T00:00:00Z");
    /* days shortened */
    s[4].policy = &day;
    apply(s, 5, "2026-02-03");
    is(&s[0], ENG_KEEP_NOT, "2026-01-05T00:00:00Z");
    is(&s[1], ENG_KEEP_NOT, "2026-01-12T00:00:00Z");
    is(&s[2], ENG_KEEP_NEWEST, NULL);
}

static void a_new_zone_counts_for_old_points_too(void **state)
{
    (void)state;
    static const struct mf_retention there = { .present = true,
                                               .days = 1,
                                               .timezone = tokyo };
    /* 16:00 UTC is the next day in Tokyo */
    struct eng_kept s[] = { at("2026-01-04T16:00:00Z", "", &day),
                            at("2026-01-05", "", &day),
                            at("2026-01-05T13:00:00Z", "", &day),
                            at("2026-01-05T14:00:00Z", "", &day) };

    apply(s, 4, "2026-01-05T14:59:59Z");
    is(&s[0], ENG_KEEP_NOT, "2026-01-05T00:00:00Z");
    s[3].policy = &there;
    apply(s, 4, "2026-01-05T14:59:59Z");
    is(&s[0], ENG_KEEP_DAYS, "2026-01-05T15:00:00Z");
    apply(s, 4, "2026-01-05T15:00:00Z");
    is(&s[0], ENG_KEEP_NOT, "2026-01-05T15:00:00Z");
}

static void points_without_a_policy_stay(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-01", "", &none), at("2026-01-02", "", NULL),
        at("2026-01-03", "", &day),  at("2026-01-04", "", &day),
        at("2026-01-05", "", &day),  at("2026-01-06", "", &day)
    };

    apply(s, 6, "2027-01-01");
    is(&s[0], ENG_KEEP_NO_POLICY, NULL);
    is(&s[1], ENG_KEEP_NO_POLICY, NULL);
    is(&s[2], ENG_KEEP_NOT, "2026-01-04T00:00:00Z");
    /* they count among the newest */
    s[4].policy = &none;
    apply(s, 6, "2027-01-01");
    is(&s[2], ENG_KEEP_NOT, "2026-01-04T00:00:00Z");
    is(&s[3], ENG_KEEP_NEWEST, NULL);
    is(&s[4], ENG_KEEP_NO_POLICY, NULL);
}

static void a_newest_point_without_a_policy_ends_retention(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-01", "", &day),  at("2026-01-02", "", &day),
        at("2026-01-03", "", &day),  at("2026-01-04", "", &day),
        at("2026-01-05", "", &none),
    };

    apply(s, 5, "2027-01-01");
    for (size_t i = 0; i < 5; i++)
        is(&s[i], ENG_KEEP_NO_POLICY, NULL);
}

static void protected_points_stay(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-01", "", &day), at("2026-01-02", "", &day),
        at("2026-01-03", "", &day), at("2026-01-04", "", &day),
        at("2026-01-05", "", &day),
    };

    s[0].protect = true;
    apply(s, 5, "2027-01-01");
    is(&s[0], ENG_KEEP_PROTECTED, NULL);
    is(&s[1], ENG_KEEP_NOT, "2026-01-03T00:00:00Z");
    /* it is one of the newest all the same: the floor does not move on */
    s[0].protect = false;
    s[4].protect = true;
    apply(s, 5, "2027-01-01");
    is(&s[4], ENG_KEEP_PROTECTED, NULL);
    is(&s[2], ENG_KEEP_NEWEST, NULL);
    is(&s[1], ENG_KEEP_NOT, "2026-01-03T00:00:00Z");
}

static void damaged_points_count_for_nothing(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-01", "", &day), at("2026-01-02", "", &day),
        at("2026-01-03", "", &day), at("2026-01-04", "", &day),
        at("2026-01-05", "", &day), at("2026-01-06", "", NULL),
    };

    s[5].damaged = true; /* else it would end retention */
    s[3].damaged = true; /* else it were among the newest */
    apply(s, 6, "2027-01-01");
    is(&s[0], ENG_KEEP_NOT, "2026-01-02T00:00:00Z");
    is(&s[1], ENG_KEEP_NEWEST, NULL);
    is(&s[2], ENG_KEEP_NEWEST, NULL);
    is(&s[3], ENG_KEEP_DAMAGED, NULL);
    is(&s[4], ENG_KEEP_NEWEST, NULL);
    is(&s[5], ENG_KEEP_DAMAGED, NULL);
    for (size_t i = 0; i < 6; i++)
        s[i].damaged = true;
    apply(s, 6, "2027-01-01");
    for (size_t i = 0; i < 6; i++)
        is(&s[i], ENG_KEEP_DAMAGED, NULL);
}

/* A point of a clock that ran ahead neither rules nor takes a place. */
static void points_of_the_future_do_not_rule(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-01", "", &week), at("2026-01-02", "", &week),
        at("2026-01-03", "", &week), at("2026-01-04", "", &week),
        at("2030-01-01", "", &none), at("2030-01-02", "", &day),
    };

    apply(s, 6, "2026-02-01");
    is(&s[0], ENG_KEEP_NOT, "2026-01-08T00:00:00Z");
    is(&s[1], ENG_KEEP_NEWEST, NULL);
    is(&s[4], ENG_KEEP_NO_POLICY, NULL);
    is(&s[5], ENG_KEEP_DAYS, "2030-01-09T00:00:00Z");
    /* all of them: nothing rules */
    apply(s, 6, "2025-01-01");
    is(&s[0], ENG_KEEP_NO_POLICY, NULL);
}

static void no_point_is_over_before_its_lock(void **state)
{
    (void)state;
    struct eng_kept s[] = {
        at("2026-01-01", "", &day),
        at("2026-01-02", "", &day),
        at("2026-01-03", "", &day),
        at("2026-01-04", "", &day),
    };

    s[0].locked_until = when("2026-01-15T12:00:00Z");
    apply(s, 4, "2026-01-15T11:59:59Z");
    is(&s[0], ENG_KEEP_LOCK, "2026-01-15T12:00:00Z");
    apply(s, 4, "2026-01-15T12:00:00Z");
    is(&s[0], ENG_KEEP_NOT, "2026-01-15T12:00:00Z");
    /* a lock that ends before says nothing */
    s[0].locked_until = when("2026-01-01T13:00:00Z");
    apply(s, 4, "2026-01-01T23:59:59Z");
    is(&s[0], ENG_KEEP_DAYS, "2026-01-02T00:00:00Z");
}

/* Of two points of one time the second is the newer. */
static void of_one_time_the_last_name_is_newest(void **state)
{
    (void)state;
    struct eng_kept s[] = { at("2026-01-01", "", &day),
                            at("2026-01-04", "", &day),
                            at("2026-01-04", "", &day),
                            at("2026-01-04", "", &day),
                            at("2026-01-04", "", &none) };

    apply(s, 5, "2027-01-01");
    is(&s[0], ENG_KEEP_NO_POLICY, NULL);
    s[3].policy = &none;
    s[4].policy = &day;
    apply(s, 5, "2027-01-01");
    is(&s[0], ENG_KEEP_NOT, "2026-01-02T00:00:00Z");
    is(&s[1], ENG_KEEP_NOT, "2026-01-05T00:00:00Z");
    is(&s[2], ENG_KEEP_NEWEST, NULL);
}

static void a_zone_that_is_not_known_removes_nothing(void **state)
{
    (void)state;
    static const struct mf_retention lost = { .present = true,
                                              .days = 1,
                                              .timezone = atlantis };
    struct eng_kept s[] = { at("2026-01-01", "", &lost),
                            at("2026-01-02", "", &lost),
                            at("2026-01-03", "", &lost),
                            at("2026-01-04", "", &lost) };
    struct err e = { 0 };

    assert_int_equal(eng_retention_apply(s, 4, when("2027-01-01"), &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    for (size_t i = 0; i < 4; i++)
        is(&s[i], ENG_KEEP_NO_POLICY, NULL);
}

static void every_reason_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (int i = ENG_KEEP_NOT; i <= ENG_KEEP_DAMAGED; i++) {
        enum eng_keep_reason r = (enum eng_keep_reason)i;
        assert_non_null(eng_keep_text(r));
        assert_int_equal(eng_keep_word(r) == NULL, r == ENG_KEEP_NOT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_is_over_when_its_last_day_is),
        cmocka_unit_test(the_newest_three_stay_whatever_their_age),
        cmocka_unit_test(a_new_point_shows_its_own_date),
        cmocka_unit_test(flagged_points_outlive_the_days),
        cmocka_unit_test(an_edited_policy_rules_the_whole_series),
        cmocka_unit_test(a_new_zone_counts_for_old_points_too),
        cmocka_unit_test(points_without_a_policy_stay),
        cmocka_unit_test(a_newest_point_without_a_policy_ends_retention),
        cmocka_unit_test(protected_points_stay),
        cmocka_unit_test(damaged_points_count_for_nothing),
        cmocka_unit_test(points_of_the_future_do_not_rule),
        cmocka_unit_test(no_point_is_over_before_its_lock),
        cmocka_unit_test(of_one_time_the_last_name_is_newest),
        cmocka_unit_test(a_zone_that_is_not_known_removes_nothing),
        cmocka_unit_test(every_reason_has_a_word_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
