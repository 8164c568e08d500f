// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_STORE_H
#define OBJSTORE_STORE_H

/*
 * Objects in a bucket (or a directory): the only interface that the rest of
 * the program has to storage.  Above the drivers lies one retry and rate layer
 * (retry.c): callers never retry, and every call here either did it, or says
 * for good that it did not.  Keys are relative to the store's prefix.
 *
 * All functions may be called from any thread on one store; each running call
 * uses a connection of its own.  What an object holds is verified by the
 * caller: the store promises length and transport, not content.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/span.h"

#define OBJ_KEY_MAX 1024 /* bytes of prefix and key, without NUL */
#define OBJ_VERSION_CHARS 128
#define OBJ_ETAG_CHARS 80
#define OBJ_BODY_MAX (64u << 20) /* one PUT, no multipart */

struct obj_store;

enum obj_driver_kind { OBJ_DRIVER_S3, OBJ_DRIVER_FILE, OBJ_DRIVER_LIBS3 };
enum obj_addressing { OBJ_ADDR_AUTO, OBJ_ADDR_PATH, OBJ_ADDR_VIRTUAL };

/* How the body of a bulk PUT is protected on its way: by UNSIGNED-PAYLOAD and a
 * signed x-amz-checksum-crc32c header (one hash pass less on both sides), or by
 * its SHA-256 in the signature.  Always something that the server verifies: one
 * whose answer does not show that it took the checksum gets signed bodies. */
enum obj_payload { OBJ_PAYLOAD_CRC32C, OBJ_PAYLOAD_SIGNED };

/* Zero means the default, everywhere. */
struct obj_config {
    enum obj_driver_kind driver;
    const char *bucket;   /* s3 */
    const char *prefix;   /* s3: "" or "a/b", without slash at either end */
    const char *path;     /* file: the directory, absolute */
    const char *endpoint; /* s3: "http://127.0.0.1:9000"; NULL: AWS */
    const char *region;   /* s3; NULL: AWS_REGION, the profile's, us-east-1 */
    enum obj_addressing addressing; /* auto: virtual for *.amazonaws.com */
    const char *ca_file;            /* s3: trust these certificates instead */
    const char *credentials_file;   /* s3: credentials/NAME.json, or NULL: the
                                       environment, then AWS profile files */
    const struct cancel *cancel;    /* stops the reading of keys (which may wait
                                       for a program or a server), now and when
                                       they are renewed; outlives the store */
    enum obj_payload payload;
    unsigned max_in_flight;      /* upper end of the adaptive limit; 64 */
    unsigned min_in_flight;      /* its lower end, and its start; 4 */
    uint64_t upload_bytes_per_s; /* 0: no limit */
    uint64_t download_bytes_per_s;
    int64_t deadline_ms;      /* per call, all attempts and waits; 15 minutes.
                                 Interactive commands set a minute. */
    int64_t max_clock_skew_s; /* a server's clock further off than this stops
                                 every call: ERR_PRECONDITION; 0: any */
};

/* Opens a store: reads credentials, checks the configuration; no traffic.
 * Copies all of config but the token.  A bucket or directory that is not there
 * is found out by the first request (obj_bucket_create may make it).  NULL:
 * ERR_CONFIG, ERR_USAGE, ERR_DENIED (no credentials found), ERR_CANCELLED,
 * ERR_NOMEM. */
struct obj_store *obj_store_open(const struct obj_config *config,
                                 struct err *e);
void obj_store_close(struct obj_store *s); /* NULL is fine */

/* Another handle on an open store: the same connections, limits, clock and
 * credentials, and counters of its own.  s is closed after it.  NULL:
 * ERR_NOMEM. */
struct obj_store *obj_store_again(const struct obj_store *s, struct err *e);

/* "s3://bucket/prefix on http://host" or "file:///dir": for messages; owned by
 * the store. */
const char *obj_store_name(const struct obj_store *s);

/* What every request carries.  Borrowed during the call. */
struct obj_req {
    const char *key;
    const char *version;         /* NULL: the newest */
    const struct cancel *cancel; /* NULL: cannot be cancelled; else the call
                                    ends within a second of a request */
    int64_t deadline;            /* utc_mono_ms at which to give up, where that
                                    is before the store's; 0: as the store's */
    int64_t sign_before;         /* server's time (unix s) after which no
                                    attempt is signed any more: then
                                    ERR_PRECONDITION; 0: no limit */
};

enum obj_lock_mode { OBJ_LOCK_NONE, OBJ_LOCK_GOVERNANCE, OBJ_LOCK_COMPLIANCE };

struct obj_lock {
    enum obj_lock_mode mode;
    int64_t until; /* unix seconds; 0 with OBJ_LOCK_NONE */
    bool legal_hold;
};

struct obj_info {
    uint64_t size;
    int64_t modified;                /* unix seconds, the server's */
    int64_t server_time;             /* Date of the answer; 0: unknown */
    char etag[OBJ_ETAG_CHARS];       /* without quotes */
    char version[OBJ_VERSION_CHARS]; /* "" where the bucket keeps none */
    bool delete_marker;              /* in version lists */
    bool latest;                     /* in version lists */
    struct obj_lock lock;            /* put, head, get: as the server says */
};

struct obj_put_opts {
    bool if_absent; /* ERR_EXISTS where an object is there already.  A
                       success whose answer was lost is recognised. */
    bool bulk;      /* payload protection as configured; else signed */
    struct obj_lock lock;
    const char *content_type; /* NULL: application/octet-stream */
};

/* Stores body (at most OBJ_BODY_MAX) under req->key; opts and info may be
 * NULL.  Durable when it returns 0. */
int obj_put(struct obj_store *s, const struct obj_req *req, struct span body,
            const struct obj_put_opts *opts, struct obj_info *info,
            struct err *e) __attribute__((warn_unused_result));

/* A part of an object; len 0: from offset to the end.  What reaches past the
 * end is cut; an offset at or behind it is ERR_CORRUPT (but 0). */
struct obj_range {
    uint64_t offset;
    uint64_t len;
};

/* Appends the object (or range; NULL: whole) to out, whose maximum bounds it
 * (ERR_CORRUPT beyond).  The length is checked against what the server
 * announced.  ERR_NOTFOUND; ERR_CORRUPT where the server cannot read it. */
int obj_get(struct obj_store *s, const struct obj_req *req,
            const struct obj_range *range, struct buf *out,
            struct obj_info *info, struct err *e)
    __attribute__((warn_unused_result));

int obj_head(struct obj_store *s, const struct obj_req *req,
             struct obj_info *info, struct err *e)
    __attribute__((warn_unused_result));

/* One entry of a listing; key is relative to the store's prefix, valid during
 * the call.  Return 0 to go on, 1 to stop (not an error), -1 with e filled. */
typedef int (*obj_list_fn)(void *ctx, const char *key,
                           const struct obj_info *info, struct err *e);

struct obj_list_opts {
    const char *after; /* only keys behind this one */
    bool versions;     /* all versions and delete markers, newest first per
                          key; ERR_UNSUPPORTED without versions */
    unsigned page;     /* keys per request; 0: 1000 */
};

/* Lists keys that begin with req->key ("" for all) in byte order.  Called back
 * on the calling thread. */
int obj_list(struct obj_store *s, const struct obj_req *req,
             const struct obj_list_opts *opts, obj_list_fn fn, void *ctx,
             struct err *e) __attribute__((warn_unused_result));

/* Deletes; what is not there is deleted.  With req->version that version, else
 * on a bucket with versions the server leaves a delete marker.  bypass lifts
 * GOVERNANCE.  ERR_LOCKED where retention or a hold forbids it. */
int obj_delete(struct obj_store *s, const struct obj_req *req, bool bypass,
               struct err *e) __attribute__((warn_unused_result));

struct obj_name {
    const char *key;
    const char *version;  /* NULL: newest */
    enum err_kind result; /* set: ERR_NONE, ERR_LOCKED, ERR_DENIED, ... */
};

/* Deletes many in requests of at most 1,000.  0 where every request was
 * answered: then each name has its own result.  req->key is not used. */
int obj_delete_many(struct obj_store *s, const struct obj_req *req,
                    struct obj_name *names, size_t n, bool bypass,
                    struct err *e) __attribute__((warn_unused_result));

/* Sets mode and date (mode not NONE), or the legal hold only (mode NONE).
 * Never shortens under COMPLIANCE: ERR_LOCKED. */
int obj_set_lock(struct obj_store *s, const struct obj_req *req,
                 const struct obj_lock *lock, bool bypass, struct err *e)
    __attribute__((warn_unused_result));

/* Reads retention and hold; none is OBJ_LOCK_NONE and 0. */
int obj_get_lock(struct obj_store *s, const struct obj_req *req,
                 struct obj_lock *lock, struct err *e)
    __attribute__((warn_unused_result));

enum obj_versioning { OBJ_VERSIONS_NEVER, OBJ_VERSIONS_ON, OBJ_VERSIONS_OFF };

struct obj_bucket {
    enum obj_versioning versioning; /* OFF: was on once, suspended */
    bool object_lock;
    enum obj_lock_mode default_mode; /* of the bucket's default retention */
    int64_t server_time;
};

/* ERR_NOTFOUND: no such bucket (or directory). */
int obj_bucket_info(struct obj_store *s, const struct obj_req *req,
                    struct obj_bucket *b, struct err *e)
    __attribute__((warn_unused_result));

/* What the bucket's lifecycle does to objects of this store. */
struct obj_lifecycle {
    bool touches;  /* an enabled rule hides, deletes or moves some */
    char rule[64]; /* its id, cut off where it is longer; "" without one */
};

/* None where none was ever set, and where the driver knows no such thing. */
int obj_bucket_lifecycle(struct obj_store *s, const struct obj_req *req,
                         struct obj_lifecycle *l, struct err *e)
    __attribute__((warn_unused_result));

/* Makes the bucket (with object lock) or the directory.  One of one's own that
 * is there already is fine, unless lock is wanted and it has none. */
int obj_bucket_create(struct obj_store *s, const struct obj_req *req,
                      bool object_lock, struct err *e)
    __attribute__((warn_unused_result));

enum obj_verb {
    OBJ_PUT,
    OBJ_GET,
    OBJ_HEAD,
    OBJ_LIST,
    OBJ_DELETE,
    OBJ_RETENTION,
    OBJ_BUCKET,
    OBJ_VERBS
};

struct obj_counters {
    uint64_t requests[OBJ_VERBS]; /* attempts that went out, by kind */
    uint64_t retries;
    uint64_t throttled;
    uint64_t unanswered; /* changes (puts, deletions, locks) that went out and
                            may be carried out yet, for all that is known */
    uint64_t sent_bytes, received_bytes; /* bodies */
    uint64_t stored, stored_bytes; /* puts that succeeded, their bodies; those
                                      with a sign_before (leases, manifests)
                                      are not counted */
    uint64_t network_ns;           /* summed over calls, waits included */
};

void obj_store_counters(struct obj_store *s, struct obj_counters *out);
const char *obj_verb_name(enum obj_verb v);

/* Server's clock minus ours, in seconds, as last seen; 0 before. */
int64_t obj_store_clock_offset(struct obj_store *s);

static inline void obj_store_closep(struct obj_store **s)
{
    obj_store_close(*s);
}
#define AUTO_OBJ_STORE AUTO(obj_store_closep)

#endif
