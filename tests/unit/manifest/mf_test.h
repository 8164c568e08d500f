// SPDX-License-Identifier: Apache-2.0
/* Private to the tests of manifest/: what all of them include. */
#ifndef TESTS_UNIT_MANIFEST_MF_TEST_H
#define TESTS_UNIT_MANIFEST_MF_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "manifest/id.h"
#include "manifest/keys.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX_C "00000000000000000000000000000000000000000000000000000000000000ff"

static inline struct mf_id id_of_hex(const char *hex)
{
    struct mf_id id;

    assert_true(mf_id_parse(hex, &id));
    return id;
}

/* Those of `plain`, for as long as the program lives. */
static inline const struct mf_keys *plain_keys(void)
{
    static struct mf_keys *k;
    struct err e = { 0 };

    if (k == NULL)
        k = mf_keys_plain(&e);
    return k;
}

/* Keys of an encrypted keyset, owned by the caller; `first` tells data keys
 * apart. */
static inline struct mf_keys *sealed_keys(uint8_t first)
{
    struct err e = { 0 };
    uint8_t data_key[MF_DATA_KEY_BYTES];

    for (size_t i = 0; i < sizeof(data_key); i++)
        data_key[i] = (uint8_t)(first + i);
    struct mf_keys *k =
        mf_keys_derive("000102030405060708090a0b0c0d0e0f", "k-0123456789abcdef",
                       span_of(data_key, sizeof(data_key)), &e);
    if (k == NULL)
        fail_msg("%s", e.msg);
    return k;
}

/* The error is of this kind, and its text has this in it. */
static inline void assert_err(const struct err *e, enum err_kind kind,
                              const char *text)
{
    if (e->kind != kind || strstr(e->msg, text) == NULL)
        fail_msg("kind %d \"%s\", expected %d and \"%s\"", (int)e->kind, e->msg,
                 (int)kind, text);
}

/* text with the first `from` replaced by `to`, NUL-terminated, in b. */
static inline struct span replaced(struct buf *b, const char *text,
                                   const char *from, const char *to)
{
    const char *at = strstr(text, from);

    if (at == NULL)
        fail_msg("nothing to replace: %s", from);
    buf_reset(b);
    buf_append(b, text, (size_t)(at - text));
    buf_append_str(b, to);
    buf_append_str(b, at + strlen(from));
    (void)buf_cstr(b);
    return buf_span(b);
}

#endif
