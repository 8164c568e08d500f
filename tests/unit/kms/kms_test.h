// SPDX-License-Identifier: Apache-2.0
/* Private to the tests of kms/: what several of them use. */
#ifndef TESTS_UNIT_KMS_KMS_TEST_H
#define TESTS_UNIT_KMS_KMS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/span.h"
#include "tests/unit/must.h"

/* Appends the bytes of lower-case hex. */
static inline void add_hex(struct buf *b, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *at = buf_reserve(b, len);

    assert_non_null(at);
    if (!digest_unhex(hex, strlen(hex), at, len))
        fail_msg("no hex: %s", hex);
    b->len += len;
}

/* The bytes are these; both are shown where they differ. */
static inline void assert_hex(struct span got, const char *want)
{
    char *hex = malloc(2 * got.len + 1);

    assert_non_null(hex);
    digest_hex(got, hex);
    assert_string_equal(hex, want);
    free(hex);
}

/* The error is of this kind, and its text has this in it. */
static inline void assert_err(const struct err *e, enum err_kind kind,
                              const char *text)
{
    if (e->kind != kind || strstr(e->msg, text) == NULL)
        fail_msg("%s \"%s\", expected %s and \"%s\"", err_kind_name(e->kind),
                 e->msg, err_kind_name(kind), text);
}

/* n bytes that count from first. */
static inline struct span counting(uint8_t first, uint8_t *room, size_t n)
{
    for (size_t i = 0; i < n; i++)
        room[i] = (uint8_t)(first + i);
    return span_of(room, n);
}

#endif
