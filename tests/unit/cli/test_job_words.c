// SPDX-License-Identifier: Apache-2.0
/* Moments on the clocks of a zone, what is told of a job's next run, and its
 * summary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/utc.h"
#include "cli/job.h"

static void moments_are_shown_with_the_offset_of_their_zone(void **state)
{
    static const struct {
        const char *zone, *utc, *people, *programs;
    } cases[] = {
        { "UTC", "2026-11-22T21:00:00Z", "2026-11-22 21:00:00 +00:00",
          "2026-11-22T21:00:00+00:00" },
        { "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59 +01:00",
          "2026-03-29T01:59:59+01:00" },
        { "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00 +02:00",
          "2026-03-29T03:00:00+02:00" },
        { "Asia/Kolkata", "2026-12-31T20:00:00Z", "2027-01-01 01:30:00 +05:30",
          "2027-01-01T01:30:00+05:30" },
        { "America/St_Johns", "2027-01-01T02:00:00Z",
          "2026-12-31 22:30:00 -03:30", "2026-12-31T22:30:00-03:30" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CLI_MOMENT_CHARS];
        struct err e = { 0 };
        int64_t t = 0;
        AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(cases[i].zone, &e);
        assert_non_null(z);
        assert_true(utc_parse_iso(cases[i].utc, &t));
        cli_moment_text(z, t, false, text);
        assert_string_equal(text, cases[i].people);
        cli_moment_text(z, t, true, text);
        assert_string_equal(text, cases[i].programs);
    }
}

static void what_has_no_moment_says_why(void **state)
{
    static const struct {
        char schedule[20];
        bool disabled;
        const char *why;
    } cases[] = {
        { "", false, "by hand only" },
        { "manual", false, "by hand only" },
        { "after nightly", false, "after job nightly" },
        { "continuously", false, "again whenever a run of it has ended" },
        { "daily 22:00", true, "not by itself: it is disabled" },
        { "after nightly", true, "not by itself: it is disabled" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[20];
        memcpy(text, cases[i].schedule, sizeof text);
        const struct eng_job j = { .schedule = text[0] != '\0' ? text : NULL,
                                   .disabled = cases[i].disabled };
        struct err e = { 0 };
        int64_t at = 7;
        AUTO_BUF struct buf why = buf_init(200);
        assert_int_equal(cli_job_next_moment(&j, 1000, &at, &why, &e), 0);
        assert_int_equal(at, 0);
        assert_string_equal(buf_cstr(&why), cases[i].why);
    }
}

static void a_schedule_with_moments_says_the_next_one(void **state)
{
    static char daily[] = "daily 22:00";
    static char berlin[] = "Europe/Berlin";
    const struct eng_job j = { .schedule = daily, .timezone = berlin };
    struct err e = { 0 };
    int64_t now = 0;
    int64_t at = 0;
    char iso[UTC_ISO_CHARS];
    AUTO_BUF struct buf why = buf_init(200);
    (void)state;
    assert_true(utc_parse_iso("2026-10-25T20:00:00Z", &now));
    assert_int_equal(cli_job_next_moment(&j, now, &at, &why, &e), 0);
    utc_format_iso(at, iso);
    assert_string_equal(iso, "2026-10-25T21:00:00Z");
    assert_int_equal(why.len, 0);
}

static void a_name_from_elsewhere_does_no_harm_to_a_terminal(void **state)
{
    static char name[] = "n";
    static char text[] = "red \x1b[31m\nline";
    const struct eng_job j = { .name = name,
                               .description = text,
                               .repo = name };
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(10000);
    (void)state;
    cli_job_summary(&j, &out);
    assert_int_equal(buf_check(&out, &e), 0);
    assert_non_null(
        strstr(buf_cstr(&out), "Description:     red  [31m line\n"));
    assert_null(strchr(buf_cstr(&out), '\x1b'));
}

static void the_key_in_a_webhooks_url_is_not_shown(void **state)
{
    static char name[] = "n";
    static char url[] = "https://me:secret@chat.example:8443/hooks/t0ken?k=v";
    const struct eng_job j = { .name = name, .repo = name, .webhook = url };
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(10000);
    (void)state;
    cli_job_summary(&j, &out);
    assert_int_equal(buf_check(&out, &e), 0);
    assert_non_null(
        strstr(buf_cstr(&out), "Webhook:         https://chat.example:8443\n"));
    assert_null(strstr(buf_cstr(&out), "secret"));
    assert_null(strstr(buf_cstr(&out), "t0ken"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_shown_with_the_offset_of_their_zone),
        cmocka_unit_test(what_has_no_moment_says_why),
        cmocka_unit_test(a_schedule_with_moments_says_the_next_one),
        cmocka_unit_test(a_name_from_elsewhere_does_no_harm_to_a_terminal),
        cmocka_unit_test(the_key_in_a_webhooks_url_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
