// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_INTERNAL_H
#define ENGINE_REPO_INTERNAL_H

/* Private to engine/repo: what an open repository is made of.  Where several
 * runs write to it at once each has a handle of its own (eng_repo_again), and
 * all in here is of that run alone, but for what `store` and `common` lead to.
 */
#include <pthread.h>

#include "base/buf.h"
#include "engine/repo/common.h"
#include "engine/repo/damaged.h"
#include "engine/repo/index.h"
#include "engine/repo/keysets.h"
#include "engine/repo/learn.h"
#include "engine/repo/repo.h"
#include "engine/repo/sweeping.h"

/* Threads for many small requests (manifests, pages, listings): enough to hide
 * latency, few enough to cost nothing. */
#define ENG_REPO_READERS 8

struct eng_runlease;

struct eng_repo {
    struct eng_repo *root;      /* the handle that all were made from; itself */
    struct eng_commons commons; /* of the root */
    char *name;
    char *state_dir; /* <state>/<repository id> */
    struct obj_store *store;
    bool simple; /* in a directory */
    char *dir;   /* which; NULL: a bucket */
    struct mf_descriptor descriptor;
    struct mf_keys *plain;      /* of the keyset without a key */
    const struct mf_keys *keys; /* of the selected keyset; in keysets, or
                                   plain */
    struct eng_keysets keysets;
    uint64_t other_bytes; /* stored in the other keysets, once a quota asked */
    bool other_known;
    uint64_t immutability_s; /* what this host locks for; at least the
                                descriptor's */
    int64_t retention_end;   /* of the point that is being made; 0: none */
    int64_t lock_shift_s;    /* lock dates are shifted by it, in rehearsals */
    uint64_t quota, quota_hard;    /* 0: none */
    struct eng_probe_record probe; /* what the last probe found */
    struct {                       /* versions.c */
        pthread_mutex_t lock;
        bool known, kept; /* the bucket's setting */
        bool told;        /* that objects are hidden or overwritten */
    } versions;
    struct eng_runlease *at_work;  /* a run's part; NULL: none */
    char sweep[ENG_COUNTER_CHARS]; /* the counter that the index is good for */
    struct eng_common *common;     /* NULL until eng_repo_prepare_writes */
    struct eng_index *index;       /* as common; a handle of our own */
    enum eng_upload upload;
    bool put_pages;             /* known or not */
    struct eng_damaged damaged; /* marks, as this run found them */
};

/* Gets an object, whole, into out (bounded by out's maximum).  The error names
 * the object. */
int eng_repo_get(struct eng_repo *r, const struct cancel *cancel,
                 const char *key, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* Lists blocks and pages into the index (learn.c), blocks by their 256 prefixes
 * in parallel where they are many.  What it knows already it keeps. */
int eng_learn_listing(struct eng_repo *r, const struct cancel *cancel,
                      bool large, struct err *e)
    __attribute__((warn_unused_result));

/* Stored bytes of blocks and pages of all keysets but the selected one, by
 * listing them (stats.c). */
int eng_repo_other_bytes(struct eng_repo *r, const struct cancel *cancel,
                         uint64_t *bytes, struct err *e)
    __attribute__((warn_unused_result));

/* The index, where there is one and the repository is not open for writing
 * (gone.c); never made here.  NULL: there is none, or it cannot be used. */
struct eng_index *eng_repo_existing_index(const struct eng_repo *r);

/* Reads the descriptor: on a bucket that keeps versions the oldest one that is
 * one, for whoever has the keys can lay another over it. */
int eng_repo_read_descriptor(struct obj_store *store,
                             const struct cancel *cancel,
                             struct mf_descriptor *d, struct err *e)
    __attribute__((warn_unused_result));

/* Deletes an object: on a bucket with versions each of them by its id, delete
 * markers too. */
int eng_object_erase(struct eng_repo *r, const struct cancel *cancel,
                     const char *key, struct err *e)
    __attribute__((warn_unused_result));

/* ERR_LOCKED, with the date; returns -1. */
int eng_erase_locked(int64_t until, struct err *e);

#endif
