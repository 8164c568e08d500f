// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_BASE_JSON_RIG_H
#define TESTS_UNIT_BASE_JSON_RIG_H

/* Parsing, and refusals with their words, for the tests of json.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static inline struct json_doc *parse(const char *text)
{
    struct err e = { 0 };
    struct json_doc *d =
        json_parse(span_str(text), JSON_STRICT, ERR_CORRUPT, &e);
    if (d == NULL)
        fail_msg("%s: %s", text, e.msg);
    return d;
}

static inline void refused_as(struct span text, enum json_flags flags,
                              const char *why)
{
    struct err e = { 0 };
    AUTO_JSON struct json_doc *d = json_parse(text, flags, ERR_CONFIG, &e);
    assert_null(d);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_string_equal(e.msg, why);
}

static inline void refused(const char *text, const char *why)
{
    refused_as(span_str(text), JSON_STRICT, why);
}

static inline void failed_as(const struct json_doc *d, const char *why)
{
    struct err e = { 0 };
    assert_int_equal(json_failed(d, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_string_equal(e.msg, why);
}

static inline void clean(const struct json_doc *d)
{
    struct err e = { 0 };
    if (json_failed(d, &e) < 0)
        fail_msg("%s", e.msg);
}

#endif
