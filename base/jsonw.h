// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

/*
 * Writes JSON in the order of the calls: canonical (no spaces) for stored
 * formats, or indented for people.  Commas are its business.  Errors stay in
 * the buffer: check with buf_check at the end.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define JSONW_DEPTH 32

struct jsonw {
    struct buf *out; /* borrowed */
    bool indented;   /* two spaces per level */
    unsigned depth;
    bool some[JSONW_DEPTH]; /* the open container has an element */
    bool after_key;
};

struct jsonw jsonw_init(struct buf *out, bool indented);

void jsonw_key(struct jsonw *w, const char *name);
void jsonw_object(struct jsonw *w); /* opens */
void jsonw_array(struct jsonw *w);
void jsonw_end_object(struct jsonw *w);
void jsonw_end_array(struct jsonw *w);

/* s is UTF-8; NULL writes null.  Escapes: \" \\ \b \f \n \r \t, and \u00xx in
 * lower-case hex for the other control characters; everything else as is. */
void jsonw_string(struct jsonw *w, const char *s);
void jsonw_uint(struct jsonw *w, uint64_t v);
void jsonw_int(struct jsonw *w, int64_t v);
/* %.{decimals}f; for reports only. */
void jsonw_double(struct jsonw *w, double v, int decimals);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_time(struct jsonw *w, int64_t t); /* ISO text */
void jsonw_hex(struct jsonw *w, const uint8_t *p, size_t len);
/* A whole JSON value that is text already. */
void jsonw_raw(struct jsonw *w, const char *json);

/* Key and value at once. */
void jsonw_kstring(struct jsonw *w, const char *k, const char *s);
void jsonw_kuint(struct jsonw *w, const char *k, uint64_t v);
void jsonw_kbool(struct jsonw *w, const char *k, bool v);
void jsonw_knull(struct jsonw *w, const char *k);
void jsonw_ktime(struct jsonw *w, const char *k, int64_t t);

#endif
