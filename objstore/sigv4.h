// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_SIGV4_H
#define OBJSTORE_SIGV4_H

/*
 * Signatures of AWS, version 4, as S3 wants them: paths are encoded once and
 * never normalised.  Pure functions over memory, callable from any thread;
 * private to objstore/.  What is signed here must go out byte for byte.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"

#define OBJ_SIGV4_PAIRS_MAX                                                    \
    32 /* headers, or query parameters, of a request                           \
        */
#define OBJ_SIGV4_KEY_BYTES DIGEST_SHA256_BYTES
#define OBJ_SIGV4_HEX_CHARS 65 /* of a digest or signature, with NUL */

#define OBJ_SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define OBJ_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
#define OBJ_SIGV4_EMPTY_SHA256                                                 \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A header or a query parameter, not encoded; borrowed. */
struct obj_sigv4_pair {
    const char *name; /* headers: any case */
    const char *value;
};

/* What a signature is valid for. */
struct obj_sigv4_scope {
    int64_t time; /* unix seconds: the signing time, as in x-amz-date */
    const char *region;
    const char *service; /* "s3" */
};

struct obj_sigv4_request {
    const char *method;
    const char *path;                     /* encoded; as it goes out */
    const char *query;                    /* made by obj_sigv4_query, or "" */
    const struct obj_sigv4_pair *headers; /* all that are to be signed */
    size_t nheaders;
    const char *payload; /* value of x-amz-content-sha256 */
};

/* Appends text with every byte but A-Za-z0-9-_.~ (and '/', if kept) as %XX. */
void obj_sigv4_encode(struct buf *out, const char *text, bool keep_slash);

/* Appends the query in canonical form ("a=1&b="), which is also how it goes
 * out.  ERR_INTERNAL over OBJ_SIGV4_PAIRS_MAX. */
int obj_sigv4_query(const struct obj_sigv4_pair *params, size_t n,
                    struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* Appends the canonical request to canonical, and the names of its headers to
 * signed_headers. */
int obj_sigv4_canonical(const struct obj_sigv4_request *r,
                        struct buf *canonical, struct buf *signed_headers,
                        struct err *e) __attribute__((warn_unused_result));

/* Appends "20130524/us-east-1/s3/aws4_request". */
void obj_sigv4_scope_text(const struct obj_sigv4_scope *s, struct buf *out);

/* Appends the text that is signed for a canonical request. */
int obj_sigv4_string_to_sign(const struct obj_sigv4_scope *s,
                             struct span canonical, struct buf *out,
                             struct err *e) __attribute__((warn_unused_result));

/* The key of a scope's day, region and service; the caller wipes it. */
int obj_sigv4_key(struct span secret, const struct obj_sigv4_scope *s,
                  uint8_t key[OBJ_SIGV4_KEY_BYTES], struct err *e)
    __attribute__((warn_unused_result));

/* The signature of a text, in hex. */
int obj_sigv4_signature(const uint8_t key[OBJ_SIGV4_KEY_BYTES],
                        struct span text, char hex[OBJ_SIGV4_HEX_CHARS],
                        struct err *e) __attribute__((warn_unused_result));

/* All of it: appends the value of the Authorization header. */
int obj_sigv4_authorization(const struct obj_sigv4_request *r,
                            const struct obj_sigv4_scope *s,
                            const char *access_key,
                            const uint8_t key[OBJ_SIGV4_KEY_BYTES],
                            struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

#endif
