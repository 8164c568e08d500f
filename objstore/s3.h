// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_S3_H
#define OBJSTORE_S3_H

/*
 * Private to objstore/: what the files of the S3 driver share.  s3.c opens and
 * closes, s3_keys.c keeps keys valid, s3_call.c sends one signed request,
 * s3_answer.c says what became of it, the others are the driver's functions.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "objstore/credentials.h"
#include <stdatomic.h>

#include "objstore/driver.h"
#include "objstore/http.h"
#include "objstore/sigv4.h"

#define OBJ_S3_REGION_CHARS 64
#define OBJ_S3_ACCESS_KEY_CHARS 257
#define OBJ_S3_BYPASS_HEADER "x-amz-bypass-governance-retention"
#define OBJ_S3_NONCE_HEADER "x-amz-meta-objvault-nonce"
/* A page of 1,000 keys that are encoded to three times their length. */
#define OBJ_S3_XML_MAX (16u << 20)

struct obj_s3 {
    char *bucket;
    char *scheme; /* "http" or "https" */
    char *host;   /* the endpoint's; NULL: AWS, by region */
    char *credentials_file;
    const struct cancel *cancel; /* stops the reading of keys; or NULL */
    bool virtual_host;           /* the bucket is part of the host's name */
    bool aws;                    /* an endpoint of Amazon's */
    atomic_bool wants_checksum;  /* each put carries one: learned */
    enum obj_payload payload;
    atomic_bool takes_crc32c; /* an answer has shown it */
    atomic_bool sign_bulk;    /* ... or has not, or the request was refused */
    struct obj_http *http;
    struct {
        pthread_mutex_t mutex;
        struct obj_credentials credentials;
        char region[OBJ_S3_REGION_CHARS];
        /* The signing key of the last day and region, and what it is of. */
        struct secret *key;
        char key_day[9];
        char key_region[OBJ_S3_REGION_CHARS];
        /* Of s3_keys.c. */
        pthread_cond_t renewed;
        bool renewing;       /* a thread is reading the keys, without lock */
        bool outdated;       /* a request was refused that had older keys */
        unsigned generation; /* counts changes of credentials */
        unsigned failures;   /* counts vain attempts to read them */
        struct err failure;  /* of the last */
        int64_t pause_until; /* by utc_mono_ms */
    } locked;
};

/* Reads the keys at first; from obj_credentials_load. */
int obj_s3_keys_init(struct obj_s3 *s3, struct err *e)
    __attribute__((warn_unused_result));

/* With the lock held, which may be free for a while in between: makes sure that
 * the keys are valid at `now` (unix seconds, of the server) and for a while
 * after.  Others go on with the old ones meanwhile, and where reading anew
 * fails these are used to their end.  -1: they have expired; the errors of
 * obj_credentials_load, or ERR_CANCELLED. */
int obj_s3_keys_fresh(struct obj_s3 *s3, int64_t now,
                      const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* A request that was signed with the keys of that generation was refused. */
void obj_s3_keys_refused(struct obj_s3 *s3, unsigned generation);

/* The driver's refresh. */
bool obj_s3_keys_refresh(void *self);

/* One request and its answer; lives on the stack of a driver function. */
struct obj_s3_call {
    struct obj_s3 *s3;
    const struct obj_req *req;
    struct obj_attempt *a;
    enum obj_verb verb;
    const char *method;
    const char *key; /* NULL: the bucket itself */
    struct obj_sigv4_pair query[8];
    size_t nquery;
    struct obj_sigv4_pair headers[16];
    size_t nheaders;
    struct span body;
    bool has_body;
    const char *payload;   /* x-amz-content-sha256; NULL: the body's */
    uint64_t expect_bytes; /* of the answer's body */
    struct buf *out;       /* body of a good answer, or NULL */
    bool if_absent;        /* what a 412 means */
    const char *region;    /* sign for this one; NULL: the store's */
    bool overfull;         /* too many headers or parameters: a bug */
    char digest[48];       /* text of the header that vouches for the body */
    struct obj_http_call *http; /* once sent: the answer's headers */
};

/* A call about req->key (or, with a NULL key, about the bucket). */
void obj_s3_call_init(struct obj_s3_call *c, struct obj_s3 *s3,
                      const struct obj_req *req, const char *key,
                      enum obj_verb verb, const char *method,
                      struct obj_attempt *a);
void obj_s3_call_fini(struct obj_s3_call *c);
#define AUTO_OBJ_S3_CALL AUTO(obj_s3_call_fini)

/* Both borrow their texts until the call's end. */
void obj_s3_call_query(struct obj_s3_call *c, const char *name,
                       const char *value);
void obj_s3_call_header(struct obj_s3_call *c, const char *name,
                        const char *value);
/* An XML body, and the header that vouches for it.  False: a->outcome. */
bool obj_s3_call_xml(struct obj_s3_call *c, struct buf *xml);

/* Signs, sends, classifies, logs: true where the outcome is OBJ_OK. */
bool obj_s3_send(struct obj_s3_call *c);

/* Ends an attempt with a local failure, or with an answer that makes no sense
 * (e is filled); always false. */
bool obj_s3_fail(struct obj_attempt *a, const struct err *e);

/* A fresh attempt with the same circumstances, for a further question. */
struct obj_attempt obj_s3_further(const struct obj_attempt *a);

/* What an answer says, gathered for obj_s3_classify. */
struct obj_s3_answer {
    int status;
    enum obj_verb verb;
    bool if_absent;     /* the request was conditional */
    bool of_key;        /* it named a key, not the bucket */
    bool delete_marker; /* x-amz-delete-marker: true */
    const char *code;   /* "" where there is none */
    const char *message;
    const char *region;     /* that the server names; "" */
    const char *signed_for; /* region of the signature */
};

enum obj_outcome obj_s3_classify(const struct obj_s3_answer *s);

/* Reads an answer into the attempt: of one that was cut (the outcome says so
 * already) what its head tells, of any other what it means. */
void obj_s3_answer(struct obj_s3_call *c, struct span error_body,
                   const char *signed_for);

/* Fills info from the headers.  False: they make no sense (a->outcome). */
bool obj_s3_info(const struct obj_s3_call *c, struct obj_info *info);

/* A good status whose body is an <Error>: classifies that; false then. */
bool obj_s3_body_is_good(struct obj_s3_call *c, struct span body);

/* The functions of the driver. */
void obj_s3_put(void *self, const struct obj_req *r, struct span body,
                const struct obj_put_opts *o, struct obj_info *info,
                struct obj_attempt *a);
void obj_s3_get(void *self, const struct obj_req *r,
                const struct obj_range *range, struct buf *out,
                struct obj_info *info, struct obj_attempt *a);
void obj_s3_head(void *self, const struct obj_req *r, struct obj_info *info,
                 struct obj_attempt *a);
void obj_s3_list(void *self, const struct obj_req *r,
                 const struct obj_list_opts *o, struct obj_page *page,
                 struct obj_attempt *a);
void obj_s3_remove(void *self, const struct obj_req *r, bool bypass,
                   struct obj_attempt *a);
void obj_s3_remove_many(void *self, const struct obj_req *r,
                        struct obj_name *names, size_t n, bool bypass,
                        struct obj_attempt *a);
void obj_s3_set_lock(void *self, const struct obj_req *r,
                     const struct obj_lock *lock, bool bypass,
                     struct obj_attempt *a);
void obj_s3_get_lock(void *self, const struct obj_req *r, struct obj_lock *lock,
                     struct obj_attempt *a);
void obj_s3_bucket_info(void *self, const struct obj_req *r,
                        struct obj_bucket *b, struct obj_attempt *a);
void obj_s3_bucket_create(void *self, const struct obj_req *r, bool object_lock,
                          struct obj_attempt *a);

void obj_s3_lifecycle(void *self, const struct obj_req *r,
                      struct obj_lifecycle *l, struct obj_attempt *a);

/* s3_probe.c: requests that are wrong on purpose. */
void obj_s3_probe_put(void *self, const struct obj_req *r, struct span body,
                      const struct obj_probe *how, struct obj_attempt *a);
void obj_s3_probe_unlock(void *self, const struct obj_req *r,
                         struct obj_attempt *a);

/* True where retention or a hold forbids what was refused; asks the server. */
bool obj_s3_is_locked(struct obj_s3 *s3, const struct obj_req *r,
                      const struct obj_attempt *a, struct obj_lock *lock);

#endif
