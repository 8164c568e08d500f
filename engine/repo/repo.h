// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_REPO_H
#define ENGINE_REPO_REPO_H

/*
 * A repository: where formats (manifest/) and storage (objstore/) meet.  What
 * comes from storage is verified here before anybody sees it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/err.h"
#include "engine/repo/probe.h"
#include "manifest/descriptor.h"
#include "manifest/keys.h"
#include "objstore/store.h"

/* An open repository; any thread, but one run at a time: see eng_repo_again. */
struct eng_repo;

struct eng_repo_place {
    const char *name;      /* as configured; for messages */
    const char *state_dir; /* where caches live; made when needed */
    struct obj_config store;
    uint64_t immutability_s; /* this host's, where it is longer than that of
                                the repository; else 0 */
    /* Stored bytes from which on a run warns, and from which on none begins; 0:
     * no such bound (quota.h). */
    uint64_t quota, quota_hard;
    struct eng_probe_record probe; /* what a probe found last */
};

struct eng_repo_create_opts {
    bool create_bucket;
    uint32_t block_size; /* 0: MF_BLOCK_DEFAULT */
    /* A locked repository: a bucket that is made has object lock then, and the
     * probe tries locks as well. */
    bool locked;
    enum mf_lock_mode mode;
    uint64_t immutability_s;
    enum mf_lock_scope scope;
    uint64_t generation_s; /* 0: ENG_GENERATION_DEFAULT_S */
    /* Probes what it needs before it makes anything, and fills this; its time
     * stays 0 where nothing could be tried.  NULL: no probe. */
    struct eng_probe *probe;
};

#define ENG_GENERATION_DEFAULT_S (UINT64_C(10) * 86400)
/* Shorter immutabilities are for tests: servers take signatures for a quarter
 * of an hour, and the fence that rests on it needs room. */
#define ENG_IMMUTABILITY_SAFE_S (UINT64_C(4) * 3600)

/* Makes a repository: the bucket where wanted, and the descriptor.  ERR_EXISTS
 * where there is one, or anything else below the prefix; ERR_USAGE inside
 * another repository; ERR_NOTFOUND without the bucket; ERR_UNSUPPORTED where
 * the probe found that this storage would lose data or ignores locks;
 * ERR_CONFIG where the bucket is none for a locked repository. */
int eng_repo_create(const struct eng_repo_place *place,
                    const struct eng_repo_create_opts *opts,
                    const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* Opens: reads and checks the descriptor.
 * ERR_NOTFOUND: no repository there; ERR_UNSUPPORTED: a newer format. */
struct eng_repo *eng_repo_open(const struct eng_repo_place *place,
                               const struct cancel *cancel, struct err *e);
void eng_repo_close(struct eng_repo *r); /* NULL is fine */

/* Another handle on an open repository, for another run at the same time: the
 * same connections and limits, a copy of the keys that are open, the same
 * selected keyset.  Runs of two handles do not disturb each other; what one has
 * stored the others know at once.  Counters of eng_repo_store are the handle's.
 * r, which nobody changes meanwhile, and the one that it was made from are
 * closed after it.  NULL: ERR_NOMEM. */
struct eng_repo *eng_repo_again(struct eng_repo *r, struct err *e);

/* Whether the bucket keeps versions, or did once: asked once per open
 * repository.  Where these keys may not ask: on a locked one yes, else no. */
int eng_repo_keeps_versions(struct eng_repo *r, const struct cancel *cancel,
                            bool *kept, struct err *e)
    __attribute__((warn_unused_result));

/* How long this host locks what a new point needs: the repository's
 * immutability, or a longer one of its own.  0: not a locked repository. */
uint64_t eng_repo_immutability(const struct eng_repo *r);

/* Under scope `retention`: everything that is put from now on is locked at
 * least until the end of the retention of the point that is being made (unix
 * seconds; 0: it has none that a lock could wait for). */
void eng_repo_set_retention_end(struct eng_repo *r, int64_t end);

const char *eng_repo_name(const struct eng_repo *r);
const struct mf_descriptor *eng_repo_descriptor(const struct eng_repo *r);
struct obj_store *eng_repo_store(struct eng_repo *r);
/* In a directory, by the file driver; else it is an object repository. */
bool eng_repo_is_simple(const struct eng_repo *r);
/* Where caches of this repository lie on this machine; may not exist. */
const char *eng_repo_state_dir(const struct eng_repo *r);

/* The keyset that r works on, and its keys: `plain` until eng_repo_select
 * (keysets.h).  Keys are borrowed until r is closed. */
const char *eng_repo_keyset(const struct eng_repo *r);
const struct mf_keys *eng_repo_keys(const struct eng_repo *r);

/* Totals over the whole repository, by listing it and reading its manifests.
 * A VM in two keysets counts twice; one in a keyset whose key is not at hand
 * counts. */
struct eng_repo_stats {
    uint64_t points, vms, damaged_points;
    uint64_t sealed_points; /* of the points: their key is not at hand */
    uint64_t source_bytes;  /* sum over points of the sizes of their disks */
    uint64_t blocks, block_bytes; /* objects and their stored bytes */
    uint64_t pages, page_bytes;
    uint64_t manifest_bytes;
    uint64_t new_bytes; /* plaintext of all blocks put, as points report it */
};
int eng_repo_stats(struct eng_repo *r, const struct cancel *cancel,
                   struct eng_repo_stats *out, struct err *e)
    __attribute__((warn_unused_result));

static inline void eng_repo_closep(struct eng_repo **r)
{
    eng_repo_close(*r);
}
#define AUTO_ENG_REPO AUTO(eng_repo_closep)

#endif
