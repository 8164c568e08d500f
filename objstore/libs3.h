// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_LIBS3_H
#define OBJSTORE_LIBS3_H

/*
 * Private to objstore/: what the files of the driver libs3 share.  libs3_load.c
 * finds the module, libs3.c opens and closes and sends one request, the others
 * are the driver's functions.  What libs3 2.0 cannot do, and what is done about
 * it, is a table in DESIGN.md.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "objstore/credentials.h"
#include "objstore/driver.h"
#include "objstore/libs3_module.h"

#define OBJ_LIBS3_LINES 64

struct obj_libs3 {
    const struct obj_libs3_table *table;
    char *bucket;
    char *host; /* with port */
    char *credentials_file;
    const struct cancel *cancel; /* stops the reading of keys; or NULL */
    bool virtual_host;
    int64_t limit_ms; /* 0: none */
    struct {
        pthread_mutex_t mutex;
        struct obj_credentials credentials;
        void *idle[OBJ_LIBS3_LINES]; /* lines; last in, first out */
        size_t n_idle;
    } locked;
};

/* The module's table, loaded and started by the first call; from any thread.
 * NULL with ERR_CONFIG: where it was looked for, or what is wrong with it. */
const struct obj_libs3_table *obj_libs3_load(struct err *e);

/* One request of an attempt; lives on the stack of a driver function. */
struct obj_libs3_call {
    struct obj_libs3 *s;
    const struct obj_req *req;
    struct obj_attempt *a;
    enum obj_verb verb;
    struct obj_libs3_request q;
    struct obj_libs3_result r;
    struct buf *out; /* takes the body of a good answer; NULL: none */
    size_t got;      /* bytes of it */
};

/* A request about req->key (of_key) or the bucket.  The caller fills what else
 * is wanted of c->q. */
struct obj_libs3_call obj_libs3_call_of(struct obj_libs3 *s,
                                        const struct obj_req *req,
                                        enum obj_libs3_verb how, bool of_key,
                                        enum obj_verb verb,
                                        struct obj_attempt *a);

/* Sends and classifies: true where the outcome is OBJ_OK.  Counts of bytes are
 * added to those of the attempt. */
bool obj_libs3_send(struct obj_libs3_call *c);

/* False, with the attempt ended, for a key that libs3 2.0 would change on its
 * way, and for a version. */
bool obj_libs3_can_send(const struct obj_req *req, struct obj_attempt *a);

/* Only A-Z, a-z, 0-9 and "._/-". */
bool obj_libs3_key_ok(const char *key);

/* Ends an attempt; always false. */
bool obj_libs3_end(struct obj_attempt *a, enum obj_outcome outcome,
                   const char *message);
bool obj_libs3_fail(struct obj_attempt *a, const struct err *e);

/* What libs3's status means (libs3_answer.c): sets outcome, http, code,
 * message, request_id, region and maybe_done.  ms: how long it took. */
void obj_libs3_classify(const struct obj_libs3_result *r, enum obj_verb verb,
                        bool of_key, uint64_t body_len, int64_t ms,
                        struct obj_attempt *a);

/* Size, ETag and time of a good answer to GET or HEAD.  False where what libs3
 * shows of the headers cannot be trusted: the attempt is ended. */
bool obj_libs3_info(const struct obj_libs3_result *r, struct obj_info *info,
                    struct obj_attempt *a);

/* The functions of the driver. */
void obj_libs3_put(void *self, const struct obj_req *r, struct span body,
                   const struct obj_put_opts *o, struct obj_info *info,
                   struct obj_attempt *a);
void obj_libs3_get(void *self, const struct obj_req *r,
                   const struct obj_range *range, struct buf *out,
                   struct obj_info *info, struct obj_attempt *a);
void obj_libs3_head(void *self, const struct obj_req *r, struct obj_info *info,
                    struct obj_attempt *a);
void obj_libs3_list(void *self, const struct obj_req *r,
                    const struct obj_list_opts *o, struct obj_page *page,
                    struct obj_attempt *a);
void obj_libs3_remove(void *self, const struct obj_req *r, bool bypass,
                      struct obj_attempt *a);
void obj_libs3_bucket_info(void *self, const struct obj_req *r,
                           struct obj_bucket *b, struct obj_attempt *a);
void obj_libs3_bucket_create(void *self, const struct obj_req *r,
                             bool object_lock, struct obj_attempt *a);

#endif
