// SPDX-License-Identifier: Apache-2.0
/* Schedules as text: what is understood, its one form, and what is refused. */
#include "base/utc.h"
#include "engine/schedule/schedule.h"
#include "tests/unit/engine/calendar/when.h"
#include "tests/unit/must.h"

/* Parses, and writes what was understood; "" where it was refused. */
static const char *canonical(const char *text, struct buf *out)
{
    struct eng_schedule s;
    struct err e = { 0 };

    buf_reset(out);
    if (eng_schedule_parse(text, &s, &e) < 0)
        fail_msg("\"%s\": %s", text, e.msg);
    eng_schedule_text(&s, out);
    return buf_cstr(out);
}

/* NULL: the text is its own canonical form. */
static const struct {
    const char *text, *form;
} good[] = {
    { "manual", NULL },
    { "daily 22:00", NULL },
    { "daily 9:05", "daily 09:05" },
    { "  daily\t22:00\n", "daily 22:00" },
    { "daily 22:00 weekdays", NULL },
    { "daily 22:00 mon-fri", "daily 22:00 weekdays" },
    { "daily 22:00 fri,mon , wed", "daily 22:00 mon,wed,fri" },
    { "daily 22:00 weekdays,sat", "daily 22:00 mon,tue,wed,thu,fri,sat" },
    { "daily 22:00 sat-mon", "daily 22:00 mon,sat,sun" },
    { "daily 22:00 mon-sun", "daily 22:00" },
    { "monthly second sat 03:00", NULL },
    { "monthly last sun 03:00 in jan,jul", NULL },
    { "monthly last sun 03:00 in jul,jan",
      "monthly last sun 03:00 in jan,jul" },
    { "monthly first mon 03:00 in nov-feb",
      "monthly first mon 03:00 in jan,feb,nov,dec" },
    { "monthly first mon 03:00 in jan-dec", "monthly first mon 03:00" },
    { "monthly day 15 03:00", NULL },
    { "monthly day 31 03:00 in jan,feb", NULL },
    { "monthly day 29 03:00 in feb", NULL },
    { "monthly last day 03:00", NULL },
    { "every 2h", NULL },
    { "every 120m", "every 2h" },
    { "every 900s offset 300s", "every 15m offset 5m" },
    { "every 90m offset 0m", "every 90m" },
    { "every 1d", "every 24h" },
    { "every 3h offset 2h", NULL },
    { "continuously", NULL },
    { "after nightly", NULL },
    { "after terminate", NULL },
    { "after web.01_x-2 missed skip", NULL },
    { "daily 22:00 between 22:00-06:00", NULL },
    { "daily 22:00 between 18:00-24:00", "daily 22:00 between 18:00-00:00" },
    { "every 2h allowed mon-fri 9-17, sat 10-12",
      "every 2h allowed weekdays 09-17, sat 10-12" },
    { "every 2h allowed 09-17", NULL },
    { "every 2h allowed mon 09-12, 13-17, tue 00-24",
      "every 2h allowed mon 09-12, 13-17, tue 00-24" },
    { "every 2h allowed sun 09-12, mon 12-13, sun 11-15",
      "every 2h allowed mon 12-13, sun 09-15" },
    { "every 2h allowed tue,thu 09-12, mon,tue,thu 12-13",
      "every 2h allowed mon 12-13, tue,thu 09-13" },
    { "daily 22:00 missed skip terminate between 22:00-06:00",
      "daily 22:00 between 22:00-06:00 terminate missed skip" },
    { "daily 22:00 missed run", "daily 22:00" },
    { "continuously allowed sat 10-12 terminate", NULL },
};

static void texts_have_one_form(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = buf_init(ENG_SCHEDULE_TEXT_MAX);

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *form = good[i].form != NULL ? good[i].form : good[i].text;
        assert_string_equal(canonical(good[i].text, &out), form);
    }
}

static void the_form_means_the_same(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = buf_init(ENG_SCHEDULE_TEXT_MAX);

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct eng_schedule a;
        struct eng_schedule b;
        must(eng_schedule_parse(good[i].text, &a, why));
        must(eng_schedule_parse(canonical(good[i].text, &out), &b, why));
        assert_memory_equal(&a, &b, sizeof(a));
    }
}

/* Every hour of the week by itself or not: the longest text that there is. */
static void the_longest_form_can_be_read_back(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = buf_init(ENG_SCHEDULE_TEXT_MAX);
    struct eng_schedule a = { .kind = ENG_SCHEDULE_AFTER,
                              .window = ENG_SCHEDULE_HOURS,
                              .terminate = true,
                              .skip_missed = true };
    struct eng_schedule b;

    memset(a.after, 'x', sizeof(a.after) - 1);
    for (unsigned d = 0; d < 7; d++)
        a.hours[d] = 0x555555u & ~(1u << (2 * d));
    eng_schedule_text(&a, &out);
    must(buf_check(&out, why));
    must(eng_schedule_parse(buf_cstr(&out), &b, why));
    assert_memory_equal(&a, &b, sizeof(a));
}

static const struct {
    const char *text, *says;
} bad[] = {
    { "", "ends too early" },
    { "dayly 22:00", "nearest known word is \"daily\"" },
    { "Daily 22:00", "nearest known word is \"daily\"" },
    { "daily", "ends too early; write a time such as 22:00" },
    { "daily 25:00", "\"25:00\"" },
    { "daily 24:00", "\"24:00\"" },
    { "daily 22:60", "\"22:60\"" },
    { "daily 22", "\"22\"" },
    { "daily 22:0", "\"22:0\"" },
    { "daily 022:00", "\"022:00\"" },
    { "daily -1:00", "\"-1:00\"" },
    { "daily 22:00 weekday", "nearest known word is \"weekdays\"" },
    { "daily 22:00 mon,", "ends too early" },
    { "daily 22:00 mon,,tue", "\",\"" },
    { "daily 22:00 mon tue", "\"tue\"" },
    { "daily 22:00 mon-", "\"mon-\"" },
    { "daily 22:00 mon-tue-wed", "\"mon-tue-wed\"" },
    { "daily 22:00 betwen 22:00-06:00", "nearest known word is \"between\"" },
    { "daily 22:00 , mon", "\",\"" },
    { "monthly", "ends too early" },
    { "monthly fith sat 03:00", "nearest known word is \"fi" },
    { "monthly second day 03:00", "\"day\"" },
    { "monthly last sunday 03:00", "nearest known word is \"sun\"" },
    { "monthly day 0 03:00", "from 1 to 31" },
    { "monthly day 32 03:00", "from 1 to 31" },
    { "monthly day 30 03:00 in feb", "no month of the schedule has a day 30" },
    { "monthly day 31 03:00 in feb,apr,jun,sep,nov", "write last day" },
    { "monthly last sun 03:00 in januar", "nearest known word is \"jan\"" },
    { "monthly last sun 03:00 jan", "\"jan\"" },
    { "monthly last sun 03:00 in", "ends too early" },
    { "every", "ends too early" },
    { "every 0m", "a period such as 2h" },
    { "every 30s", "a period such as 2h" },
    { "every 90s", "a period such as 2h" },
    { "every 25h", "at most 24h" },
    { "every 99999999999999999999h", "at most 24h" },
    { "every 2h offset 2h", "less than the period" },
    { "every 2h ofset 1h", "nearest known word is \"offset\"" },
    { "every 2h offset", "ends too early" },
    { "after", "the name of a job" },
    { "after ,", "the name of a job" },
    { "after a b", "\"b\"" },
    { "after "
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "the name of a job" },
    { "manual terminate", "nothing behind" },
    { "manual missed run", "nothing behind" },
    { "continuously missed skip", "misses nothing" },
    { "daily 22:00 between 22:00", "two times such as" },
    { "daily 22:00 between 22:00-22:00", "two times such as" },
    { "daily 22:00 between 00:00-24:00", "two times such as" },
    { "daily 22:00 between 24:00-06:00", "two times such as" },
    { "daily 22:00 between 22:00-24:01", "two times such as" },
    { "daily 22:00 terminate", "no window" },
    { "daily 22:00 allowed 17-09", "whole hours" },
    { "daily 22:00 allowed 09-25", "whole hours" },
    { "daily 22:00 allowed 09-09", "whole hours" },
    { "daily 22:00 allowed 09:00-17:00", "whole hours" },
    { "daily 22:00 allowed mon", "ends too early" },
    { "daily 22:00 allowed mon 09-17,", "ends too early" },
    { "daily 22:00 allowed 00-24", "every hour" },
    { "daily 22:00 allowed mon-sun 00-12, 12-24", "every hour" },
    { "daily 22:00 allowed 09-17 between 22:00-06:00", "two windows" },
    { "daily 22:00 missed", "ends too early" },
    { "daily 22:00 missed later", "known word is" },
    { "daily 22:00 missed run missed run", "missed twice" },
    { "daily 22:00 between 22:00-06:00 terminate terminate",
      "terminate twice" },
};

static void what_is_no_schedule_is_refused_with_the_word(void **state)
{
    (void)state;
    static const struct eng_schedule none;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct eng_schedule s;
        struct err e = { 0 };
        if (eng_schedule_parse(bad[i].text, &s, &e) == 0)
            fail_msg("\"%s\" was taken", bad[i].text);
        assert_int_equal(e.kind, ERR_USAGE);
        if (strstr(e.msg, bad[i].says) == NULL)
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", bad[i].text, e.msg,
                     bad[i].says);
        assert_memory_equal(&s, &none, sizeof(s));
    }
}

static void a_text_without_end_is_refused(void **state)
{
    (void)state;
    char text[4096];
    struct eng_schedule s;
    struct err e = { 0 };

    memset(text, ' ', sizeof(text));
    memcpy(text, "manual", 6);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(eng_schedule_parse(text, &s, &e), -1);
    assert_non_null(strstr(e.msg, "longer than"));
}

static void control_characters_are_not_repeated(void **state)
{
    (void)state;
    struct eng_schedule s;
    struct err e = { 0 };

    assert_int_equal(eng_schedule_parse("da\033[31mily 22:00", &s, &e), -1);
    assert_null(strchr(e.msg, '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_one_form),
        cmocka_unit_test(the_form_means_the_same),
        cmocka_unit_test(the_longest_form_can_be_read_back),
        cmocka_unit_test(what_is_no_schedule_is_refused_with_the_word),
        cmocka_unit_test(a_text_without_end_is_refused),
        cmocka_unit_test(control_characters_are_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
