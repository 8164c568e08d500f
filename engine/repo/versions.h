// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_VERSIONS_H
#define ENGINE_REPO_VERSIONS_H

/*
 * Private to engine/repo: on buckets that keep versions, any version of an
 * object whose content verifies is as good as any other.  Whoever has the keys
 * can hide an object by a delete marker, or lay rubbish over it; what was there
 * before is still there.
 */
#include "base/buf.h"
#include "base/cancel.h"
#include "base/span.h"
#include "engine/repo/repo.h"

struct eng_version {
    char id[OBJ_VERSION_CHARS];
    uint64_t size;
    int64_t modified; /* unix seconds, the server's */
    bool marker;      /* a delete marker */
};

struct eng_versions {
    struct eng_version *v; /* oldest first */
    size_t n, cap;
};

/* All versions of one key, delete markers included; none is no error.
 * ERR_UNSUPPORTED: the driver knows no versions. */
int eng_versions_of(struct obj_store *store, const struct cancel *cancel,
                    const char *key, struct eng_versions *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_versions_free(struct eng_versions *v);
#define AUTO_ENG_VERSIONS AUTO(eng_versions_free)

/* Whether anything is there under a key: 1, 0.  On a bucket that keeps versions
 * any of them counts; markers: delete markers, too. */
int eng_versions_any(struct eng_repo *r, const struct cancel *cancel,
                     const char *key, bool markers, struct err *e)
    __attribute__((warn_unused_result));

/* Says whether bytes are what an object should hold: -1 with e filled
 * (ERR_CORRUPT) where they are not. */
typedef int (*eng_verify_fn)(void *ctx, struct span bytes, struct err *e);

struct eng_verify {
    eng_verify_fn fn;
    void *ctx;
};

/* Gets the oldest version that verifies into out (emptied before); version,
 * unless NULL, gets its id.  ERR_NOTFOUND: there is none at all; ERR_CORRUPT:
 * none verifies. */
int eng_versions_find(struct obj_store *store, const struct cancel *cancel,
                      const char *key, const struct eng_verify *verify,
                      struct buf *out, char version[OBJ_VERSION_CHARS],
                      struct err *e) __attribute__((warn_unused_result));

/* How often an object is fetched that does not verify: its bytes may have been
 * hurt on their way. */
#define ENG_GET_TRIES 3

/* The newest version is gone or does not verify, as *e says: looks for another
 * one where the bucket keeps them.  -1: there is none; *e stays as it is,
 * unless looking failed for another reason. */
int eng_versions_rescue(struct eng_repo *r, const struct cancel *cancel,
                        const char *key, const struct eng_verify *verify,
                        struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* The newest version if it verifies, else any other that does; into out, which
 * is emptied. */
int eng_versions_get(struct eng_repo *r, const struct cancel *cancel,
                     const char *key, const struct eng_verify *verify,
                     struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

#endif
