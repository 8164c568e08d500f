// SPDX-License-Identifier: Apache-2.0
/* Times: formats, strict parsers, the shift. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utc.h"

#define LAST INT64_C(253402300799)

static const struct {
    int64_t t;
    const char *iso, *basic, *http;
} known[] = {
    { 0, "1970-01-01T00:00:00Z", "19700101T000000Z",
      "Thu, 01 Jan 1970 00:00:00 GMT" },
    { 784111777, "1994-11-06T08:49:37Z", "19941106T084937Z",
      "Sun, 06 Nov 1994 08:49:37 GMT" },
    { 951782400, "2000-02-29T00:00:00Z", "20000229T000000Z",
      "Tue, 29 Feb 2000 00:00:00 GMT" },
    { 1795341600, "2026-11-22T10:00:00Z", "20261122T100000Z",
      "Sun, 22 Nov 2026 10:00:00 GMT" },
    { 4107542399, "2100-02-28T23:59:59Z", "21000228T235959Z",
      "Sun, 28 Feb 2100 23:59:59 GMT" },
    { 4107542400, "2100-03-01T00:00:00Z", "21000301T000000Z",
      "Mon, 01 Mar 2100 00:00:00 GMT" },
    { LAST, "9999-12-31T23:59:59Z", "99991231T235959Z",
      "Fri, 31 Dec 9999 23:59:59 GMT" },
};

static void known_times_are_formatted_and_parsed(void **state)
{
    char iso[UTC_ISO_CHARS];
    char basic[UTC_BASIC_CHARS];
    char http[UTC_HTTP_CHARS];

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        int64_t t = -1;
        utc_format_iso(known[i].t, iso);
        utc_format_basic(known[i].t, basic);
        utc_format_http(known[i].t, http);
        assert_string_equal(iso, known[i].iso);
        assert_string_equal(basic, known[i].basic);
        assert_string_equal(http, known[i].http);
        assert_true(utc_parse_iso(iso, &t));
        assert_true(t == known[i].t);
        t = -1;
        assert_true(utc_parse_basic(basic, &t));
        assert_true(t == known[i].t);
        t = -1;
        assert_true(utc_parse_http(http, &t));
        assert_true(t == known[i].t);
        t = -1;
        assert_true(utc_parse_rfc3339(iso, &t));
        assert_true(t == known[i].t);
    }
}

/* Every day of four centuries, and odd seconds, against the C library. */
static void every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t t = 0; t < INT64_C(400) * 366 * 86400; t += 86400 + 1) {
        char iso[UTC_ISO_CHARS];
        char expected[UTC_ISO_CHARS + 8];
        time_t in = (time_t)t;
        struct tm tm;
        int64_t back = -1;
        utc_format_iso(t, iso);
        assert_non_null(strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm));
        tm.tm_isdst = 0;
        assert_true(timegm(&tm) == in);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
        assert_string_equal(iso, expected);
        assert_true(utc_parse_iso(iso, &back));
        assert_true(back == t);
        char http[UTC_HTTP_CHARS];
        strftime(http, sizeof(http), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_true(utc_parse_http(http, &back));
        assert_true(back == t);
    }
}

static void times_out_of_range_are_formatted_as_the_nearest(void **state)
{
    char iso[UTC_ISO_CHARS];

    (void)state;
    utc_format_iso(-1, iso);
    assert_string_equal(iso, "1970-01-01T00:00:00Z");
    utc_format_iso(INT64_MIN, iso);
    assert_string_equal(iso, "1970-01-01T00:00:00Z");
    utc_format_iso(INT64_MAX, iso);
    assert_string_equal(iso, "9999-12-31T23:59:59Z");
}

static void refuse(bool (*parse)(const char *, int64_t *), const char *s)
{
    int64_t t = 77;

    if (parse(s, &t))
        fail_msg("\"%s\" was taken for a time", s);
    assert_true(t == 77); /* untouched */
}

/* Each prefix of a good text, and the text with something behind it. */
static void refuse_parts(bool (*parse)(const char *, int64_t *),
                         const char *good)
{
    char text[64];
    int64_t t = 0;
    size_t len = strlen(good);

    assert_true(parse(good, &t));
    for (size_t i = 0; i < len; i++) {
        memcpy(text, good, i);
        text[i] = '\0';
        refuse(parse, text);
        memcpy(text, good, len + 1);
        text[i] = '~';
        refuse(parse, text);
    }
    memcpy(text, good, len);
    memcpy(text + len, " ", 2);
    refuse(parse, text);
    memcpy(text + len, "0", 2);
    refuse(parse, text);
}

static void incomplete_or_longer_texts_are_refused(void **state)
{
    (void)state;
    refuse_parts(utc_parse_iso, "2026-11-22T10:00:00Z");
    refuse_parts(utc_parse_basic, "20261122T100000Z");
    refuse_parts(utc_parse_http, "Sun, 22 Nov 2026 10:00:00 GMT");
    refuse_parts(utc_parse_rfc3339, "2026-11-22T10:00:00Z");
    refuse_parts(utc_parse_rfc3339, "2026-11-22T10:00:00.125Z");
    refuse_parts(utc_parse_rfc3339, "2026-11-22T10:00:00.5+02:00");
}

static void dates_that_do_not_exist_are_refused(void **state)
{
    static const char *const bad[] = {
        "2026-00-22T10:00:00Z", "2026-13-22T10:00:00Z", "2026-11-00T10:00:00Z",
        "2026-11-31T10:00:00Z", "2026-02-29T10:00:00Z", "2100-02-29T10:00:00Z",
        "2024-02-30T10:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z",
        "2026-11-22T10:00:60Z", "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-99-99T99:99:99Z",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refuse(utc_parse_iso, bad[i]);
        refuse(utc_parse_rfc3339, bad[i]);
    }
    refuse(utc_parse_basic, "20260229T100000Z");
    refuse(utc_parse_http, "Sun, 29 Feb 2026 10:00:00 GMT");
}

static void iso_takes_one_spelling_only(void **state)
{
    (void)state;
    refuse(utc_parse_iso, "2026-11-22t10:00:00z");
    refuse(utc_parse_iso, "2026-11-22 10:00:00Z");
    refuse(utc_parse_iso, "2026-11-22T10:00:00.0Z");
    refuse(utc_parse_iso, "2026-11-22T10:00:00+00:00");
    refuse(utc_parse_iso, " 2026-11-22T10:00:00Z");
    refuse(utc_parse_iso, "+026-11-22T10:00:00Z");
    refuse(utc_parse_iso, "");
}

static void http_dates_need_their_real_weekday(void **state)
{
    (void)state;
    refuse(utc_parse_http, "Mon, 22 Nov 2026 10:00:00 GMT");
    refuse(utc_parse_http, "sun, 22 Nov 2026 10:00:00 GMT");
    refuse(utc_parse_http, "Sun, 22 nov 2026 10:00:00 GMT");
    refuse(utc_parse_http, "Sun, 22 ovD 2026 10:00:00 GMT");
    refuse(utc_parse_http, "unM, 22 Nov 2026 10:00:00 GMT");
    refuse(utc_parse_http, "Sunday, 22-Nov-26 10:00:00 GMT");
    refuse(utc_parse_http, "Sun Nov 22 10:00:00 2026");
    refuse(utc_parse_http, "Sun, 22 Nov 2026 10:00:00 UTC");
}

static void rfc3339_cuts_fractions_and_applies_offsets(void **state)
{
    static const struct {
        const char *text;
        int64_t t;
    } good[] = {
        { "2026-11-22T10:00:00.000Z", 1795341600 },
        { "2026-11-22T10:00:00.999999999Z", 1795341600 },
        { "2026-11-22T12:30:00+02:30", 1795341600 },
        { "2026-11-22T07:00:00.1234-03:00", 1795341600 },
        { "2026-11-23T00:00:00+14:00", 1795341600 },
        { "2026-11-22T10:00:00+00:00", 1795341600 },
        { "2026-11-22T10:00:00-00:00", 1795341600 },
        { "1970-01-01T01:00:00+01:00", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t t = -1;
        assert_true(utc_parse_rfc3339(good[i].text, &t));
        assert_true(t == good[i].t);
    }
    refuse(utc_parse_rfc3339, "2026-11-22T10:00:00.Z");
    refuse(utc_parse_rfc3339, "2026-11-22T10:00:00");
    refuse(utc_parse_rfc3339, "2026-11-22T10:00:00+0200");
    refuse(utc_parse_rfc3339, "2026-11-22T10:00:00+24:00");
    refuse(utc_parse_rfc3339, "2026-11-22T10:00:00+02:60");
    refuse(utc_parse_rfc3339, "2026-11-22T10:00:00+02:00Z");
    refuse(utc_parse_rfc3339, "2026-11-22T10:00:00ZZ");
    refuse(utc_parse_rfc3339, "1970-01-01T00:00:00+00:01");
    refuse(utc_parse_rfc3339, "9999-12-31T23:59:59-00:01");
    refuse(utc_parse_rfc3339, "0001-01-01T00:00:00Z");
}

static void the_environment_shifts_the_engines_time(void **state)
{
    struct err e = { 0 };
    int64_t t = 0;

    (void)state;
    assert_true(utc_parse_iso("2031-01-31T22:00:00Z", &t));
    setenv("OBJVAULT_NOW", "2031-01-31T22:00:00Z", 1);
    assert_int_equal(utc_shift_from_env(&e), 0);
    assert_in_range(utc_now(), t, t + 60);
    assert_in_range(utc_real_now(), time(NULL) - 60, time(NULL) + 60);

    unsetenv("OBJVAULT_NOW");
    assert_int_equal(utc_shift_from_env(&e), 0);
    assert_in_range(utc_now(), time(NULL) - 60, time(NULL) + 60);
}

static void a_wrong_time_in_the_environment_is_a_usage_error(void **state)
{
    static const char *const bad[] = { "tomorrow", "", "2026-01-31" };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = { 0 };
        setenv("OBJVAULT_NOW", bad[i], 1);
        assert_int_equal(utc_shift_from_env(&e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
        assert_non_null(strstr(e.msg, "OBJVAULT_NOW"));
    }
    unsetenv("OBJVAULT_NOW");
}

static void the_steady_clock_advances(void **state)
{
    struct timespec nap = { .tv_nsec = 5000000 };

    (void)state;
    int64_t ns = utc_mono_ns();
    int64_t ms = utc_mono_ms();
    assert_true(ms >= ns / 1000000);
    nanosleep(&nap, NULL);
    assert_true(utc_mono_ns() - ns >= 5000000);
    assert_true(utc_mono_ms() - ms >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_formatted_and_parsed),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(times_out_of_range_are_formatted_as_the_nearest),
        cmocka_unit_test(incomplete_or_longer_texts_are_refused),
        cmocka_unit_test(dates_that_do_not_exist_are_refused),
        cmocka_unit_test(iso_takes_one_spelling_only),
        cmocka_unit_test(http_dates_need_their_real_weekday),
        cmocka_unit_test(rfc3339_cuts_fractions_and_applies_offsets),
        cmocka_unit_test(the_environment_shifts_the_engines_time),
        cmocka_unit_test(a_wrong_time_in_the_environment_is_a_usage_error),
        cmocka_unit_test(the_steady_clock_advances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
