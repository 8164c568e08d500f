// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_S3SERVER_IMPL_H
#define TESTS_S3SERVER_IMPL_H

/*
 * What the files of the server share.  server.c listens, exchange.c reads a
 * request and delivers its answer, script.c chooses what is done to it,
 * signature.c lets it in, operations.c carries it out on what shelf.c keeps.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/span.h"
#include "tests/s3server/s3server.h"

#define S3SERVER_KEY_MAX 1024
#define S3SERVER_ID_CHARS 33
#define S3SERVER_HEADERS 64
#define S3SERVER_PARAMS 16
#define S3SERVER_XMLNS "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

/* Bytes that a stored version and answers under way share. */
struct s3_blob {
    atomic_uint refs;
    size_t len;
    uint8_t p[];
};

struct s3_blob *s3server_blob_new(const void *p, size_t len); /* NULL p: 0s */
struct s3_blob *s3server_blob_ref(struct s3_blob *b);
void s3server_blob_unref(struct s3_blob *b); /* NULL is fine */

void *s3server_alloc(size_t n); /* zeroed; ends the process without memory */
void *s3server_grow(void *p, size_t n, size_t size);
char *s3server_copy(const char *text);

enum s3_mode { S3_MODE_NONE, S3_MODE_GOVERNANCE, S3_MODE_COMPLIANCE };

struct s3_lock {
    enum s3_mode mode;
    int64_t until;
    bool hold;
};

struct s3_version {
    char id[S3SERVER_ID_CHARS]; /* "null", or 32 characters */
    bool marker;
    struct s3_blob *body; /* NULL: a delete marker */
    char *headers;        /* content-type and x-amz-meta-*, as lines */
    char *checksum;       /* the same; "" where none was sent */
    char etag[33];
    int64_t modified;
    struct s3_lock lock;
};

/* Stays when its last version goes, for the count. */
struct s3_object {
    char *key;
    struct s3_version **versions; /* oldest first */
    size_t n;
    unsigned puts;
};

struct s3_bucket {
    char name[64];
    enum s3server_versioning versioning;
    bool lock;
    enum s3_mode default_mode;
    unsigned default_days;
    char *lifecycle; /* the document, as it was put; NULL: none.  Nothing is
                        done by it. */
    struct s3_object **objects; /* by key, in byte order */
    size_t n, cap;
    struct s3_bucket *next;
};

struct s3_header {
    char *name; /* lower case */
    char *value;
};

struct s3_param { /* decoded */
    char *name;
    char *value;
};

struct s3_request {
    char *text; /* owns method, target and headers */
    char *method;
    char *path; /* as it was sent */
    char *query;
    struct s3_header headers[S3SERVER_HEADERS];
    size_t nheaders;
    struct s3_param params[S3SERVER_PARAMS];
    size_t nparams;
    char bucket[64];
    char *key; /* decoded; "" for a bucket */
    const char *op;
    struct s3_blob *body;
};

struct s3_answer {
    int status;
    struct buf headers;   /* lines, each with CRLF */
    struct s3_blob *body; /* NULL: none */
    size_t from, len;     /* the part of it that is sent */
    bool is_head;         /* len is announced, nothing is sent */
    char request_id[17];
};

struct s3_rule {
    struct s3server_rule r; /* texts owned */
    unsigned seen, acted;
};

struct s3_identity {
    char key[160], secret[160];
    char token[2048]; /* "": none */
};

struct s3_worker { /* a connection, or a request to be repeated later */
    struct s3server *s;
    pthread_t thread;
    int fd; /* guarded by the server's lock; -1: none */
    bool ended;
    struct s3_request *late;
    int64_t late_ms;
    struct s3_worker *next;
};

struct s3_tally { /* requests by operation */
    const char *op;
    uint64_t n;
};

#define S3SERVER_OPS 32

struct s3server {
    struct s3server_opts opts; /* texts owned, defaults filled in */
    char endpoint[64];
    unsigned port;
    int listener;
    int stop[2];
    pthread_t thread;
    atomic_llong clock_offset;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t stopping;
    bool ends;
    struct s3_worker *workers;
    struct s3_identity now, before;
    struct s3_rule *rules;
    size_t nrules;
    uint64_t dice;
    struct s3server_counts counts;
    unsigned running;
    struct s3_tally tally[S3SERVER_OPS];
    uint64_t ids;
    pthread_mutex_t shelf; /* guards the objects; taken after nothing */
    struct s3_bucket *buckets;
};

int64_t s3server_now(struct s3server *s);
/* Sleeps; false: the server ends. */
bool s3server_pause(struct s3server *s, int64_t ms);
uint64_t s3server_next_id(struct s3server *s);
/* Runs the request once more, ms from now; takes q over. */
void s3server_repeat(struct s3server *s, struct s3_request *q, int64_t ms);

/* exchange.c: a connection until its end. */
void s3server_serve(struct s3server *s, struct s3_worker *w, int fd);
void s3server_request_free(struct s3_request *q);

/* script.c: out is the caller's, to be given to s3server_rule_free. */
bool s3server_match(struct s3server *s, const struct s3_request *q,
                    struct s3server_rule *out);
void s3server_rule_free(struct s3server_rule *r);
void s3server_script_free(struct s3server *s);

/* request.c: takes a head (NUL-terminated, owned by q afterwards) apart. */
bool s3server_parse(struct s3server *s, struct s3_request *q, char *text);
const char *s3server_header(const struct s3_request *q, const char *name);
const char *s3server_param(const struct s3_request *q, const char *name);
/* Percent-decodes n bytes; a copy. */
char *s3server_decode(const char *text, size_t n);
/* AWS's encoding: unreserved characters stay, '/' where slash says so. */
void s3server_encode(struct buf *out, const char *text, bool slash);

/* answer.c */
void s3server_error(struct s3_answer *a, const struct s3_request *q, int status,
                    const char *code, const char *message, const char *more);
void s3server_xml(struct s3_answer *a, struct buf *xml);
const char *s3server_reason(int status);
void s3server_escape(struct buf *xml, const char *text);
/* The text of the first <tag> in doc from *at on (NULL: the start), decoded,
 * in out; moves *at behind it.  False: there is none. */
bool s3server_element(const char *doc, const char **at, const char *tag,
                      char *out, size_t cap);

/* signature.c: true where the request may be carried out; else a is filled. */
bool s3server_admit(struct s3server *s, const struct s3_request *q,
                    struct s3_answer *a);
/* digests.c: the same for what vouches for the body.  *vouched: Content-MD5 or
 * a checksum header was there (and right); checksum: its line. */
bool s3server_check_body(const struct s3_request *q, struct s3_answer *a,
                         bool *vouched, char checksum[128]);

/* operations.c */
void s3server_execute(struct s3server *s, struct s3_request *q,
                      struct s3_answer *a);

/* The operations; the shelf is locked. */
struct s3_work {
    struct s3server *s;
    const struct s3_request *q;
    struct s3_answer *a;
    struct s3_bucket *b;
    bool vouched;
    char checksum[128];
};

void s3server_fail(struct s3_work *w, int status, const char *code,
                   const char *message);
void s3server_put_object(struct s3_work *w);
void s3server_get_object(struct s3_work *w);
void s3server_delete_object(struct s3_work *w);
void s3server_delete_objects(struct s3_work *w);
void s3server_list_keys(struct s3_work *w);
void s3server_list_versions(struct s3_work *w);
void s3server_put_retention(struct s3_work *w);
void s3server_get_retention(struct s3_work *w);
void s3server_put_hold(struct s3_work *w);
void s3server_get_hold(struct s3_work *w);
void s3server_create_bucket(struct s3_work *w);
void s3server_delete_bucket(struct s3_work *w);
void s3server_get_location(struct s3_work *w);
void s3server_get_versioning(struct s3_work *w);
void s3server_put_versioning(struct s3_work *w);
void s3server_get_lock_config(struct s3_work *w);
void s3server_put_lock_config(struct s3_work *w);
void s3server_get_lifecycle(struct s3_work *w);
void s3server_put_lifecycle(struct s3_work *w);

/* lock rules, shared */
bool s3server_mode(const char *text, enum s3_mode *mode);
const char *s3server_mode_name(enum s3_mode mode);
/* Does the lock forbid to delete this version now? */
bool s3server_is_held(struct s3_work *w, const struct s3_version *v);
bool s3server_bypasses(const struct s3_work *w);
/* Reads the lock headers of a PutObject, and the bucket's default.  False: the
 * answer is filled. */
bool s3server_lock_of_put(struct s3_work *w, struct s3_lock *lock);
/* The version that the request names, no marker; NULL: the answer is filled. */
struct s3_version *s3server_target(struct s3_work *w);

/* shelf.c */
struct s3_bucket *s3server_find_bucket(struct s3server *s, const char *name);
struct s3_bucket *s3server_add_bucket(struct s3server *s, const char *name);
void s3server_drop_bucket(struct s3server *s, struct s3_bucket *b);
/* The index of the first key that is not below `key`. */
size_t s3server_lower_bound(const struct s3_bucket *b, const char *key);
struct s3_object *s3server_find(const struct s3_bucket *b, const char *key);
struct s3_version *s3server_newest(const struct s3_object *o); /* or NULL */
struct s3_version *s3server_find_version(const struct s3_object *o,
                                         const char *id);
/* Makes v the newest of the key by the bucket's versioning, which also gives
 * it its id; takes v over. */
void s3server_shelve(struct s3server *s, struct s3_bucket *b, const char *key,
                     struct s3_version *v);
void s3server_remove_version(struct s3_object *o, struct s3_version *v);
bool s3server_version_id_is_sound(const char *id);
void s3server_shelf_free(struct s3server *s);

#endif
