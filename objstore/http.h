// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_HTTP_H
#define OBJSTORE_HTTP_H

/*
 * HTTP requests over libcurl, one at a time per call: a pool of handles, each
 * with its own connection, handed out last in, first out.  Knows nothing of S3;
 * besides objstore/ it is what engine/run notifies by.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/span.h"
#include "objstore/driver.h"
#include "objstore/sigv4.h"

struct obj_http;      /* the pool; any thread */
struct obj_http_call; /* a handle taken from it; one thread */

#define OBJ_HTTP_ERROR_BODY_MAX (64u << 10)

struct obj_http_request {
    const char *method;
    const char *url; /* encoded; sent as it is */
    const struct obj_sigv4_pair *headers;
    size_t nheaders;
    struct span body;       /* with has_body; borrowed during the call */
    bool has_body;          /* send one, if only of 0 bytes */
    uint64_t expect_bytes;  /* of the larger body, for the time limit */
    struct buf *out;        /* gets the body of a 2xx; NULL: error_body does */
    struct buf *error_body; /* gets the start of any other body; or NULL */
    const struct cancel *cancel;
};

/* ca_file: trust these certificates only; NULL: the system's.  limit_ms: upper
 * end of a request's time; 0: by its size.  NULL: ERR_CONFIG (ca_file),
 * ERR_NOMEM. */
struct obj_http *obj_http_new(const char *ca_file, int64_t limit_ms,
                              struct err *e);
void obj_http_free(struct obj_http *h); /* NULL is fine; no call may run */

/* No proxy, whatever the environment says.  Before the first call. */
void obj_http_direct(struct obj_http *h);

/* Takes a handle out; NULL: ERR_NOMEM. */
struct obj_http_call *obj_http_begin(struct obj_http *h, struct err *e);
/* Puts it back with its connection; c may be NULL. */
void obj_http_end(struct obj_http *h, struct obj_http_call *c);

/* Makes the request.  Reads a->fresh_connection and a->deadline; sets outcome,
 * http, sent, received, maybe_done, message and, with OBJ_LOCAL, err.  OBJ_OK
 * means that an answer came in full, whatever its status; else OBJ_NETWORK,
 * OBJ_SLOW, OBJ_TLS, OBJ_STOPPED, OBJ_LOCAL, OBJ_REJECTED (no HTTP server).
 *
 * libcurl itself repeats a request whose kept connection turned out dead.
 * maybe_done is set on any answer where that may have happened. */
void obj_http_perform(struct obj_http *h, struct obj_http_call *c,
                      const struct obj_http_request *r, struct obj_attempt *a);

/* A header of the answer, names in any case; NULL: none.  Valid until the
 * call's next request or its end. */
const char *obj_http_header(const struct obj_http_call *c, const char *name);

/* The answer's Content-Length; false: it has none. */
bool obj_http_length(const struct obj_http_call *c, uint64_t *bytes);

/* Takes "http[s]://host[:port][/]" apart: scheme, and host with a port that is
 * not the scheme's own; both malloc'd.  ERR_USAGE for anything else. */
int obj_http_endpoint(const char *url, char **scheme, char **host,
                      struct err *e) __attribute__((warn_unused_result));

/* The host of a URL, without its port and in lower case (numbers of IPv6 in
 * brackets), as libcurl will understand it; malloc'd.  *tls: https.  ERR_USAGE
 * for what is no http(s) URL or holds a user name. */
int obj_http_host(const char *url, bool *tls, char **host, struct err *e)
    __attribute__((warn_unused_result));

static inline void obj_http_freep(struct obj_http **h)
{
    obj_http_free(*h);
}
#define AUTO_OBJ_HTTP AUTO(obj_http_freep)

#endif
