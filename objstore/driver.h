// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_DRIVER_H
#define OBJSTORE_DRIVER_H

/*
 * What a driver is: one table of functions that make a single attempt each and
 * say precisely what became of it.  Drivers never retry, never sleep for their
 * own reasons, never log secrets; the retry layer above (retry.c) decides from
 * struct obj_attempt alone.  Private to objstore/.
 */
#include "objstore/probe.h"
#include "objstore/store.h"

/* Outcome classes: the rows of the retry table in DESIGN.md. */
enum obj_outcome {
    OBJ_OK,
    OBJ_ABSENT, /* 404 of the key (or version) */
    OBJ_NO_BUCKET,
    OBJ_THERE,      /* if_absent: an object is there */
    OBJ_CONFLICT,   /* 409: a concurrent conditional request; try again */
    OBJ_PRECOND,    /* 412 of another condition */
    OBJ_AUTH,       /* key, token or signature refused; refresh may help */
    OBJ_FORBIDDEN,  /* policy */
    OBJ_WORM,       /* retention or legal hold */
    OBJ_DIGEST,     /* server or driver found body and digest to differ */
    OBJ_UNREADABLE, /* the server cannot read its own data */
    OBJ_THROTTLE,
    OBJ_UNAVAIL, /* 500, 502, 504 */
    OBJ_NETWORK, /* DNS, connect, reset, short body */
    OBJ_SLOW,    /* stalled or too slow */
    OBJ_TLS,     /* the peer's certificate does not verify */
    OBJ_CLOCK,   /* RequestTimeTooSkewed; server_time is set */
    OBJ_REGION,  /* another region; region is set */
    OBJ_NO_SPACE,
    OBJ_UNABLE,   /* 501, or the driver cannot */
    OBJ_REJECTED, /* other 4xx: our request is wrong */
    OBJ_STOPPED,  /* the caller's token */
    OBJ_LOCAL,    /* local failure: e is filled (memory, file) */
};

/* One attempt's result.  The driver sets outcome always, the rest as known. */
struct obj_attempt {
    enum obj_outcome outcome;
    enum obj_verb verb;
    int http;               /* status, as far as one came: a GET whose body
                               ends early is OBJ_NETWORK with its 2xx */
    int sys;                /* errno, file driver */
    int64_t retry_after_ms; /* server's wish; 0: none */
    bool maybe_done;        /* the request may have been carried out */
    bool fresh_connection;  /* in: do not reuse a connection */
    int64_t deadline;       /* in: utc_mono_ms at which to give up; 0: none */
    int64_t server_time;    /* Date header; 0: none */
    int64_t clock_offset;   /* in: server's time minus ours, for signing; the
                               request's sign_before was checked against it,
                               drivers check it again as they sign */
    char nonce[33];         /* hex; put, in: stored with the object as
                               x-amz-meta-objvault-nonce; head, out: what is
                               stored there, or "" */
    char region[32];        /* with OBJ_REGION */
    char code[64];          /* <Code> or x-minio-error-code */
    char message[256];
    char request_id[64];
    uint64_t sent, received; /* body bytes */
    struct err err;          /* with OBJ_LOCAL */
};

struct obj_page { /* one page of a listing */
    struct obj_list_entry {
        char *key; /* owned by the page */
        struct obj_info info;
    } * entries;
    size_t n, cap;
    char *next;         /* opaque continuation, or NULL: the last page */
    char *next_version; /* for version listings */
};

/* Appends an entry; false: no memory. */
bool obj_page_add(struct obj_page *p, const char *key,
                  const struct obj_info *info);

void obj_page_clear(struct obj_page *p);

/* Keys given to drivers are complete (prefix included) and were checked.  All
 * functions may be called from any thread.  Each returns nothing: the attempt
 * says it all.  A function that a driver cannot do is NULL (OBJ_UNABLE). */
struct obj_driver {
    const char *name;

    /* NULL with e filled on a bad configuration.  *name_out: malloc'd name for
     * messages. */
    void *(*open)(const struct obj_config *c, char **name_out, struct err *e);
    void (*close)(void *self);

    void (*put)(void *self, const struct obj_req *r, struct span body,
                const struct obj_put_opts *o, struct obj_info *info,
                struct obj_attempt *a);
    void (*get)(void *self, const struct obj_req *r,
                const struct obj_range *range, struct buf *out,
                struct obj_info *info, struct obj_attempt *a);
    void (*head)(void *self, const struct obj_req *r, struct obj_info *info,
                 struct obj_attempt *a);
    /* One page.  `page->next` and `next_version` continue a former one. */
    void (*list)(void *self, const struct obj_req *r,
                 const struct obj_list_opts *o, struct obj_page *page,
                 struct obj_attempt *a);
    void (*remove)(void *self, const struct obj_req *r, bool bypass,
                   struct obj_attempt *a);
    void (*remove_many)(void *self, const struct obj_req *r,
                        struct obj_name *names, size_t n, bool bypass,
                        struct obj_attempt *a); /* n <= 1000 */
    void (*set_lock)(void *self, const struct obj_req *r,
                     const struct obj_lock *lock, bool bypass,
                     struct obj_attempt *a);
    void (*get_lock)(void *self, const struct obj_req *r, struct obj_lock *lock,
                     struct obj_attempt *a);
    void (*bucket_info)(void *self, const struct obj_req *r,
                        struct obj_bucket *b, struct obj_attempt *a);
    void (*bucket_create)(void *self, const struct obj_req *r, bool object_lock,
                          struct obj_attempt *a);
    /* r->key is the store's prefix.  NULL: there is no lifecycle. */
    void (*lifecycle)(void *self, const struct obj_req *r,
                      struct obj_lifecycle *l, struct obj_attempt *a);
    /* Requests that are wrong on purpose (probe.h). */
    void (*probe_put)(void *self, const struct obj_req *r, struct span body,
                      const struct obj_probe *how, struct obj_attempt *a);
    void (*probe_unlock)(void *self, const struct obj_req *r,
                         struct obj_attempt *a);
    /* After OBJ_AUTH: reads the credentials again; false: nothing newer. */
    bool (*refresh)(void *self);
    /* After OBJ_REGION: sign for this region from now on. */
    void (*set_region)(void *self, const char *region);
};

extern const struct obj_driver obj_s3_driver;
extern const struct obj_driver obj_file_driver;
/* open() loads objvault-libs3.so (libs3_load.c); ERR_CONFIG without it. */
extern const struct obj_driver obj_libs3_driver;

#endif
