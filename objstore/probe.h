// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_PROBE_H
#define OBJSTORE_PROBE_H

/*
 * Requests that are wrong on purpose, to find out what a server refuses.  Kept
 * away from store.h so that nothing else can send one: only engine/repo's
 * probe includes this.  The key must be one of the probe's own.
 */
#include "objstore/store.h"

/* What vouches for the body. */
enum obj_probe_guard {
    OBJ_PROBE_SIGNED, /* its SHA-256 in the signature */
    OBJ_PROBE_CRC32C, /* UNSIGNED-PAYLOAD, x-amz-checksum-crc32c */
    OBJ_PROBE_MD5,    /* UNSIGNED-PAYLOAD, Content-MD5 */
    OBJ_PROBE_SHA256, /* UNSIGNED-PAYLOAD, x-amz-checksum-sha256 */
};

struct obj_probe {
    enum obj_probe_guard guard;
    bool wrong;           /* the guard is that of another body */
    int64_t signed_ago_s; /* the signature is as old as that */
    const char *region;   /* sign for this one; NULL: the right one */
};

/* What the server made of it. */
enum obj_probe_answer {
    OBJ_PROBE_TAKEN,
    OBJ_PROBE_REFUSED,
    OBJ_PROBE_FORBIDDEN, /* by policy: nothing is learned */
    OBJ_PROBE_UNABLE,    /* this driver has no such thing */
};

/* Puts body under req->key as `how` says.  0: *answer is filled; -1: there was
 * no answer (network, cancelled, memory), after the retries of every call.
 * Any thread. */
int obj_probe_put(struct obj_store *s, const struct obj_req *req,
                  struct span body, const struct obj_probe *how,
                  enum obj_probe_answer *answer, struct err *e)
    __attribute__((warn_unused_result));

/* Asks for the retention of req->version to be emptied, with the bypass of
 * GOVERNANCE: some servers take that from anybody.  Results as above. */
int obj_probe_unlock(struct obj_store *s, const struct obj_req *req,
                     enum obj_probe_answer *answer, struct err *e)
    __attribute__((warn_unused_result));

#endif
