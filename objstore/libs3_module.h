// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_LIBS3_MODULE_H
#define OBJSTORE_LIBS3_MODULE_H

/*
 * The border between objvault and the module objvault-libs3.so: one table of
 * functions over plain C types, found under one name.  The module knows libs3
 * and nothing of objvault; libs3.c, on this side, knows what an answer means
 * and nothing of libs3.  Private to objstore/.
 */
#include <stddef.h>
#include <stdint.h>

/* Grows with every change of this file. */
#define OBJ_LIBS3_ABI 1
#define OBJ_LIBS3_TABLE "obj_libs3_table"
#define OBJ_LIBS3_FILE "objvault-libs3.so"

enum obj_libs3_verb {
    OBJ_LIBS3_GET,
    OBJ_LIBS3_HEAD,
    OBJ_LIBS3_PUT,
    OBJ_LIBS3_DELETE,
    OBJ_LIBS3_MAKE_BUCKET,
};

/* All borrowed until the end of the request.  Strings are never NULL unless
 * that is said. */
struct obj_libs3_request {
    enum obj_libs3_verb verb;
    const char *host; /* with port; libs3 puts it into the URL as it is */
    const char *bucket;
    int virtual_host;
    const char *access_key;
    const char *secret_key;
    const char *key;      /* "": the bucket itself */
    uint64_t offset, len; /* GET; 0, 0: whole; len 0: to the end */
    const void *body;     /* PUT */
    size_t body_len;
    const char *md5; /* PUT: Content-MD5, base64 */
    const char *content_type;
    int64_t limit_ms; /* the request's whole time */
    int fresh;        /* on a new connection */
    void *ctx;        /* of the two functions */
    /* The answer's body, piece by piece; nonzero: no more of it. */
    int (*data)(void *ctx, const void *p, size_t len);
    /* Asked at least ten times a second; nonzero: end the request. */
    int (*stop)(void *ctx);
};

enum obj_libs3_end {
    OBJ_LIBS3_DONE,    /* libs3 has come to a status */
    OBJ_LIBS3_STOPPED, /* by stop() */
    OBJ_LIBS3_LATE,    /* by limit_ms */
    OBJ_LIBS3_BROKEN,  /* libs3 could not run it: status has its word */
};

struct obj_libs3_result {
    enum obj_libs3_end end;
    char status[64]; /* the name of libs3's status: "OK", "ErrorNoSuchKey" */
    char message[256];
    char request_id[64];
    char region[32]; /* that an error names */
    uint64_t sent;   /* bytes of the body that libs3 has fetched */
    /* Of a good answer, as far as libs3 saw its headers in time: those of a
     * PUT it does not. */
    int headers;
    uint64_t length; /* 0 too where none was announced */
    char etag[80];   /* as it came; "": none */
    char nonce[64];  /* x-amz-meta-objvault-nonce, or "" */
    int64_t modified;
};

struct obj_libs3_table {
    unsigned abi; /* OBJ_LIBS3_ABI; whatever the rest looks like */
    const char *built_for;
    /* Once per process, before anything else; NULL, or what is wrong. */
    const char *(*start)(const char *user_agent);
    /* A line of requests, one at a time: it keeps its connection.  NULL: no
     * memory.  Of any thread, but never of two at once. */
    void *(*line_open)(void);
    void (*line_close)(void *line);
    /* Runs one request to one of the four ends. */
    void (*run)(void *line, const struct obj_libs3_request *request,
                struct obj_libs3_result *result);
};

#endif
