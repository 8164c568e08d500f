// SPDX-License-Identifier: Apache-2.0
/* Zone files as bytes: what is refused, and the rule at their end. */
#include <stdlib.h>

#include "engine/calendar/tzif.h"
#include "tests/unit/engine/calendar/when.h"

/* A file with two changes: UTC+1, from 1000 on UTC+2, from 2000 on UTC+1. */
struct made {
    uint8_t p[256];
    size_t len;
};

static void put(struct made *f, const void *p, size_t len)
{
    assert_true(f->len + len <= sizeof(f->p));
    memcpy(f->p + f->len, p, len);
    f->len += len;
}

static void put_number(struct made *f, uint64_t v, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;) {
        uint8_t b = (uint8_t)(v >> (8 * i));
        put(f, &b, 1);
    }
}

static void put_header(struct made *f, char version, uint32_t leap,
                       uint32_t times, uint32_t types, uint32_t chars)
{
    static const uint8_t zeros[15];

    put(f, "TZif", 4);
    put(f, &version, 1);
    put(f, zeros, sizeof(zeros));
    put_number(f, 0, 4);
    put_number(f, 0, 4);
    put_number(f, leap, 4);
    put_number(f, times, 4);
    put_number(f, types, 4);
    put_number(f, chars, 4);
}

static struct made make(const char *last_line)
{
    struct made f = { 0 };

    put_header(&f, '2', 0, 0, 1, 4);
    put(&f, "\0\0\0\0\0\0OLD", 10); /* a type, a name */
    put_header(&f, '2', 0, 2, 2, 4);
    put_number(&f, 1000, 8);
    put_number(&f, 2000, 8);
    put(&f, "\1\0", 2);
    put_number(&f, 3600, 4);
    put(&f, "\0\0", 2);
    put_number(&f, 7200, 4);
    put(&f, "\1\0", 2);
    put(&f, "NEW", 4);
    put(&f, last_line, strlen(last_line));
    return f;
}

static int decode(const struct made *f, struct eng_tz *z, struct err *e)
{
    return eng_tz_decode(span_of(f->p, f->len), z, e);
}

static void offsets_change_where_the_file_says_so(void **state)
{
    (void)state;
    struct made f = make("\n\n");
    AUTO_ENG_TZ struct eng_tz z;
    struct err e = { 0 };
    int64_t next = 0;

    assert_int_equal(decode(&f, &z, &e), 0);
    assert_int_equal(eng_tz_offset(&z, 999, &next), 3600);
    assert_int_equal(next, 1000);
    assert_int_equal(eng_tz_offset(&z, 1000, &next), 7200);
    assert_int_equal(eng_tz_offset(&z, 1999, &next), 7200);
    assert_int_equal(next, 2000);
    assert_int_equal(eng_tz_offset(&z, 2000, &next), 3600);
    assert_true(next == INT64_MAX);
}

static void a_cut_file_is_refused(void **state)
{
    (void)state;
    const struct made whole = make("\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    struct eng_tz z;
    struct err e = { 0 };

    assert_int_equal(decode(&whole, &z, &e), 0);
    eng_tz_fini(&z);
    for (size_t n = 0; n < whole.len; n++) {
        struct made f = whole;
        f.len = n;
        if (decode(&f, &z, &e) == 0)
            fail_msg("%zu bytes were taken", n);
        assert_int_equal(e.kind, ERR_CORRUPT);
    }
}

static int decode_changed(size_t at, uint8_t to, struct err *e)
{
    struct made f = make("\n\n");
    struct eng_tz z;

    f.p[at] = to;
    int r = decode(&f, &z, e);
    if (r == 0)
        eng_tz_fini(&z);
    return r;
}

static void what_no_zone_says_is_refused(void **state)
{
    (void)state;
    enum {
        second = 44 + 10, /* the second header */
        times = second + 44,
        indices = times + 16,
        types = indices + 2
    };
    struct err e = { 0 };

    assert_int_equal(decode_changed(4, 0, &e), -1); /* version 1 */
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_int_equal(decode_changed(second + 31, 1, &e), -1); /* leap seconds */
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    static const struct {
        size_t at;
        uint8_t to;
    } bad[] = { { 0, 'X' },
                { second, 'X' },
                { second + 35, 3 }, /* one time more than there are */
                { second + 32, 0xff },
                { second + 39, 0 },  /* no type */
                { times, 0x7f },     /* times that do not ascend */
                { indices, 2 },      /* a type that is not there */
                { types + 1, 0x02 }, /* an offset of 36 hours */
                { types, 0xff } };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (decode_changed(bad[i].at, bad[i].to, &e) == 0)
            fail_msg("%zu: was taken", i);
        assert_int_equal(e.kind, ERR_CORRUPT);
    }
}

static bool parse(const char *text, struct eng_tz_rule *r)
{
    return eng_tz_rule_parse(span_str(text), r);
}

static void rules_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "CET",
        "CE-1",
        "<CET-1",
        "CET-25",
        "CET-1x",
        "CET-1:60",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,J366,J365",
        "CET-1CEST,0,366",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0,",
        "CET-1CEST,M3.5.0,M10.5.0 ",
        "CET-1CEST,M3.5.0,M10.5.0/",
        "CET-1CEST,M3.5,M10.5.0",
    };
    struct eng_tz_rule r;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse(bad[i], &r))
            fail_msg("\"%s\" was taken", bad[i]);
}

/* By what comes before it an instant is in standard or in summer time. */
static void rules_hold_in_every_year(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *at;
        int32_t offset_s;
    } rows[] = {
        { "UTC0", "2050-07-01", 0 },
        { "<+0545>-5:45", "2050-07-01", 20700 },
        { "<-02>2", "2050-07-01", -7200 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T00:59:59Z", 3600 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T01:00:00Z", 7200 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2050-10-30T00:59:59Z", 7200 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", "2050-10-30T01:00:00Z", 3600 },
        /* south of the equator the year begins in summer */
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-01-01", 39600 },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-07-01", 36000 },
        /* summer time that is behind: the winter of Dublin */
        { "IST-1GMT0,M10.5.0,M3.5.0/1", "2050-01-01", 0 },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", "2050-07-01", 3600 },
        /* day 60 is 1 March in every year, day 59 counted from 0 is not */
        { "AAA0BBB,J60/0,J300/0", "2048-02-29T23:59:59Z", 0 },
        { "AAA0BBB,J60/0,J300/0", "2048-03-01T00:00:00Z", 3600 },
        { "AAA0BBB,59/0,300/0", "2048-02-29T00:00:00Z", 3600 },
        { "AAA0BBB,59/0,300/0", "2050-02-28T23:59:59Z", 0 },
        /* hours before and behind the day */
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T00:59:59Z", -7200 },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T01:00:00Z", -3600 },
        { "EET-2EEST,M4.5.5/0,M10.5.4/24", "2050-10-27T20:59:59Z", 10800 },
        { "EET-2EEST,M4.5.5/0,M10.5.4/24", "2050-10-27T21:00:00Z", 7200 },
        /* summer time all the year */
        { "XXX3EDT4,0/0,J365/23", "2050-01-01T04:00:00Z", -14400 },
        { "XXX3EDT4,0/0,J365/23", "2050-12-31T23:59:59Z", -14400 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct eng_tz_rule r;
        int64_t next = 0;
        int64_t t = when(rows[i].at);
        if (!parse(rows[i].rule, &r))
            fail_msg("\"%s\" was refused", rows[i].rule);
        int32_t got = eng_tz_rule_offset(&r, t, &next);
        if (got != rows[i].offset_s)
            fail_msg("%s at %s: %d", rows[i].rule, rows[i].at, got);
        assert_true(next > t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_change_where_the_file_says_so),
        cmocka_unit_test(a_cut_file_is_refused),
        cmocka_unit_test(what_no_zone_says_is_refused),
        cmocka_unit_test(rules_that_are_none_are_refused),
        cmocka_unit_test(rules_hold_in_every_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
