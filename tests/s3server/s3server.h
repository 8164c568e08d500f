// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_S3SERVER_S3SERVER_H
#define TESTS_S3SERVER_S3SERVER_H

/*
 * An S3 server in memory, for tests: on the loopback, a free port, a thread
 * per connection.  It checks signatures as strictly as AWS, with code of its
 * own, keeps objects, versions and locks by AWS's rules, and disturbs whatever
 * it is told to by rules.  Functions may be called from any thread while it
 * runs; what goes wrong inside ends the process.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct s3server;

#define S3SERVER_KEY "AKIDS3SERVER"
#define S3SERVER_SECRET "s3server/secret+key"

/* What a server says to a signature for another region than its own. */
enum s3server_elsewhere {
    S3SERVER_MALFORMED, /* 400 AuthorizationHeaderMalformed, names it */
    S3SERVER_REDIRECT,  /* 301 PermanentRedirect, x-amz-bucket-region */
    S3SERVER_SILENT,    /* 301 that names nothing: GET ?location tells */
};

/* Zero means the default, everywhere.  Texts are copied. */
struct s3server_opts {
    const char *region;     /* us-east-1 */
    const char *access_key; /* S3SERVER_KEY */
    const char *secret_key; /* S3SERVER_SECRET */
    const char *token;      /* of a session; none */
    const char *domain;     /* "s3.test": Host bucket.s3.test names a bucket */
    int64_t clock_offset_s; /* the server's clock minus the real one */
    unsigned page;          /* entries per listing page, at most; 1000 */
    enum s3server_elsewhere elsewhere;
    uint64_t seed; /* of rules with a chance */
};

/* opts may be NULL. */
struct s3server *s3server_start(const struct s3server_opts *opts);
void s3server_stop(struct s3server *s); /* NULL is fine */

/* "http://127.0.0.1:PORT"; owned by the server. */
const char *s3server_endpoint(const struct s3server *s);
unsigned s3server_port(const struct s3server *s);

enum s3server_versioning {
    S3SERVER_NEVER,
    S3SERVER_ENABLED,
    S3SERVER_SUSPENDED
};

/* Makes a bucket without a request (clients may make theirs by one). */
void s3server_bucket(struct s3server *s, const char *name,
                     enum s3server_versioning versioning, bool object_lock);

/* From now on.  The identity before is told that its token has expired
 * (without a token: that its key is unknown). */
void s3server_set_keys(struct s3server *s, const char *access_key,
                       const char *secret_key, const char *token);
void s3server_set_clock(struct s3server *s, int64_t offset_s);

/* What is done to a request that a rule matches. */
enum s3server_act {
    S3SERVER_REPLY,        /* not carried out; answers status, code, headers.
                              With 200 and a code: an <Error> in a good answer */
    S3SERVER_REPLY_AFTER,  /* the same, but it was carried out */
    S3SERVER_DELAY,        /* ms before it is carried out */
    S3SERVER_RESET_ACCEPT, /* a new connection is reset at once; of the match,
                              only skip, times and chance count */
    S3SERVER_RESET_HEAD,   /* reset when the head is there, body unread */
    S3SERVER_RESET_UPLOAD, /* reset behind byte `at` of the request's body */
    S3SERVER_RESET_BEFORE, /* reset, the request read and not carried out */
    S3SERVER_LOSE_ANSWER,  /* carried out, then reset instead of the answer */
    S3SERVER_CLOSE_ANSWER, /* the same, but closed in good order */
    S3SERVER_RESET_ANSWER_HEAD, /* reset within the head of the answer */
    S3SERVER_RESET_ANSWER_BODY, /* reset behind byte `at` of its body */
    S3SERVER_CUT_ANSWER,        /* closed behind byte `at` of its body */
    S3SERVER_STALL_ANSWER,      /* carried out; ms before the answer */
    S3SERVER_STALL_BODY,        /* ms behind byte `at` of the answer's body */
    S3SERVER_OVERLONG,          /* `at` bytes more than the length announced */
    S3SERVER_NO_LENGTH,     /* nobody says where the body ends: it is closed */
    S3SERVER_NO_LENGTH_CUT, /* ... behind byte `at` */
    S3SERVER_WRONG_ETAG,
    S3SERVER_TWICE,        /* carried out once more, ms after the answer */
    S3SERVER_FLIP_ANSWER,  /* a bit of byte `at` of the answer's body */
    S3SERVER_FLIP_REQUEST, /* a bit of byte `at` of the request's body */
    S3SERVER_SKEW_DATE,    /* the answer's Date is off by ms / 1000 s */
    S3SERVER_NOT_HTTP,     /* answers something that is no HTTP */
};

/* The first rule that matches, and whose turn it is, acts on a request. */
struct s3server_rule {
    const char *op;  /* glob of AWS's names: "PutObject"; NULL: any */
    const char *key; /* glob of the key; NULL: any */
    unsigned skip;   /* matches to let pass before */
    unsigned times;  /* then so many are acted upon; 0: all */
    unsigned chance; /* per mille of those; 0: every one */
    enum s3server_act act;
    int status;          /* replies */
    const char *code;    /* replies; NULL: a page that is no XML */
    const char *message; /* replies; NULL: the code's name */
    const char *headers; /* replies: further lines, each with CRLF */
    int64_t ms;
    uint64_t at; /* at most the body's length counts */
};

/* Replaces all rules, by copies; n 0: none. */
void s3server_script(struct s3server *s, const struct s3server_rule *rules,
                     size_t n);
/* How often rule i has acted since it was set. */
unsigned s3server_acted(struct s3server *s, size_t i);

struct s3server_counts {
    uint64_t connections;
    uint64_t requests;
    uint64_t puts;    /* objects stored */
    uint64_t refused; /* signatures, tokens, clocks, digests */
    unsigned peak;    /* most requests at the same time */
};

void s3server_counts(struct s3server *s, struct s3server_counts *out);
/* Requests of this operation (exact name) since the start. */
uint64_t s3server_requests(struct s3server *s, const char *op);

/* The content, past all rules.  False: no such key, or a delete marker. */
bool s3server_read(struct s3server *s, const char *bucket, const char *key,
                   struct buf *out);
/* Stores a body without a request, as PutObject would. */
void s3server_write(struct s3server *s, const char *bucket, const char *key,
                    const void *body, size_t len);
/* How often PutObject stored this key; versions that are there now. */
unsigned s3server_puts(struct s3server *s, const char *bucket, const char *key);
unsigned s3server_versions(struct s3server *s, const char *bucket,
                           const char *key);
/* Keys whose newest version is an object. */
size_t s3server_keys(struct s3server *s, const char *bucket);

static inline void s3server_stopp(struct s3server **s)
{
    s3server_stop(*s);
}
#define AUTO_S3SERVER AUTO(s3server_stopp)

#endif
