// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * Strict reading of JSON over cJSON.  Unknown, duplicate, missing and mistyped
 * fields are errors that carry the path of the field ("disks[2].size: ...").
 * The first error sticks: later getters do nothing and leave zero values, so
 * that a decoder reads everything and asks json_failed once, at its end.
 *
 * Refused beyond cJSON: bytes after the document, nesting over 32 levels, more
 * than 2^22 values and keys, NUL in strings (also as \u0000), control
 * characters outside white space, numbers like 01 and 1., text that is not
 * UTF-8, integers outside 0..2^53 where one is asked for, and numbers with a
 * fraction there.
 *
 * An absent view is accepted everywhere: getters leave zero values, fields and
 * elements of it are absent, and nothing is recorded.  So an optional value
 * whose default is zero needs no json_present.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"

struct json_doc; /* a parsed document; owns all nodes */

/* One value within a document: a cheap view, passed by pointer, valid as long
 * as the doc and the parent view. */
struct json {
    struct json_doc *doc;
    const cJSON *node; /* NULL: absent, or an error came before */
    const struct json *parent;
    const char *name; /* field in the parent, or NULL */
    size_t index;     /* element of the parent, if name is NULL */
};

enum json_flags {
    JSON_STRICT = 0,
    JSON_COMMENTS = 1, /* also accept // and block comments (configuration) */
};

/* Parses text.  kind is what every error of this document will be (ERR_CORRUPT
 * for stored formats, ERR_CONFIG for configuration).  NULL: e is filled, with
 * line and column where the text is no JSON. */
struct json_doc *json_parse(struct span text, enum json_flags flags,
                            enum err_kind kind, struct err *e);
void json_doc_free(struct json_doc *d);
struct json json_root(struct json_doc *d);

/* -1 and e filled, where any getter failed. */
int json_failed(const struct json_doc *d, struct err *e)
    __attribute__((warn_unused_result));

/* Records an error at this value, as a decoder's own rule ("is not a power of
 * two"). */
void json_reject(const struct json *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* v must be an object whose fields are all in the NULL-terminated list, none
 * twice; an unknown one is named with its nearest neighbour. */
void json_object(const struct json *v, const char *const *fields);

/* Field of an object; missing is an error (json_field) or an absent view
 * (json_optional; also where the value is null). */
struct json json_field(const struct json *v, const char *name);
struct json json_optional(const struct json *v, const char *name);
bool json_present(const struct json *v);
bool json_is_null(const struct json *v);
bool json_is_string(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_object(const struct json *v);

/* v must be an array of at most max elements; its length. */
size_t json_array(const struct json *v, size_t max);
struct json json_at(const struct json *v, size_t i);

/* Walks an array in order in linear time: start with json_first. */
struct json json_first(const struct json *v);
struct json json_next(const struct json *element);

/* v as a value of that type; "" / 0 / false where it is not.  The text is
 * owned by the doc. */
const char *json_string(const struct json *v, size_t max_bytes);
uint64_t json_uint(const struct json *v, uint64_t max);
/* A number, also with a fraction, from 0 to max. */
double json_number(const struct json *v, double max);
bool json_bool(const struct json *v);
/* An ISO time ("2026-11-22T10:00:00Z"). */
int64_t json_time(const struct json *v);
/* Exactly len bytes as lower-case hex. */
void json_hex(const struct json *v, uint8_t *out, size_t len);
/* One of the NULL-terminated words; its index. */
size_t json_word(const struct json *v, const char *const *words);

static inline void json_doc_freep(struct json_doc **d)
{
    json_doc_free(*d);
}
#define AUTO_JSON AUTO(json_doc_freep)

#endif
