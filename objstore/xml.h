// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_XML_H
#define OBJSTORE_XML_H

/*
 * The XML documents that S3 servers answer with, read with expat.  The input
 * is hostile: document types (and so entities) are refused, depth and text
 * lengths are bounded, numbers and dates are checked.  Elements that are not
 * known are passed over.  Pure functions over memory; private to objstore/.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "objstore/driver.h"

struct obj_xml_error {
    char code[64];
    char message[256]; /* control characters replaced */
    char region[64];
    char request_id[64];
};

/* True where doc is an <Error> document; out is all "" otherwise. */
bool obj_xml_error(struct span doc, struct obj_xml_error *out);

/* Reads a page of a listing (of versions: ListVersionsResult) whose names were
 * asked for in encoding-type=url; it must have at most max entries, in the
 * form of keys below prefix.  page is overwritten and belongs to the caller
 * (obj_page_clear), also after a failure.  -1: ERR_CORRUPT, ERR_NOMEM. */
int obj_xml_list(struct span doc, bool versions, const char *prefix, size_t max,
                 struct obj_page *page, struct err *e)
    __attribute__((warn_unused_result));

/* The same for version 1 of the request: page->next is the last key, which is
 * what the next request begins behind.  (NextMarker is not used: some servers
 * append to it what no key has.) */
int obj_xml_list_marked(struct span doc, const char *prefix, size_t max,
                        struct obj_page *page, struct err *e)
    __attribute__((warn_unused_result));

/* One <Deleted> (code NULL) or <Error> of a multi-delete's result; version is
 * NULL where the answer has none.  Borrowed during the call. */
typedef void (*obj_xml_deleted_fn)(void *ctx, const char *key,
                                   const char *version, const char *code,
                                   const char *message);

int obj_xml_delete_result(struct span doc, obj_xml_deleted_fn fn, void *ctx,
                          struct err *e) __attribute__((warn_unused_result));

/* Appends the body of a multi-delete of names.  False where a key holds a
 * character that XML cannot say (out is then of no use). */
bool obj_xml_delete_request(const struct obj_name *names, size_t n,
                            struct buf *out);

/* Sets mode and until; an empty <Retention/> is none. */
int obj_xml_retention(struct span doc, struct obj_lock *lock, struct err *e)
    __attribute__((warn_unused_result));
int obj_xml_legal_hold(struct span doc, bool *on, struct err *e)
    __attribute__((warn_unused_result));
/* Sets object_lock and default_mode. */
int obj_xml_lock_config(struct span doc, struct obj_bucket *b, struct err *e)
    __attribute__((warn_unused_result));
int obj_xml_versioning(struct span doc, enum obj_versioning *v, struct err *e)
    __attribute__((warn_unused_result));
/* What a bucket's lifecycle would do below prefix ("" or without a slash at the
 * end). */
int obj_xml_lifecycle(struct span doc, const char *prefix,
                      struct obj_lifecycle *out, struct err *e)
    __attribute__((warn_unused_result));
/* The bucket's region; the old names "" and "EU" are translated. */
int obj_xml_location(struct span doc, char *region, size_t cap, struct err *e)
    __attribute__((warn_unused_result));

/* "COMPLIANCE" or "GOVERNANCE", in any case; false for anything else. */
bool obj_xml_lock_mode(const char *text, enum obj_lock_mode *mode);

/* Decodes %XX and '+' in place. */
void obj_xml_url_decode(char *text);

/* Copies as much of text as fits, control characters replaced by '?'. */
void obj_xml_copy(char *out, size_t cap, const char *text);

#endif
