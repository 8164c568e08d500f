// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_RECOVER_IMPL_H
#define ENGINE_CARE_RECOVER_IMPL_H

/* Private to the files of recover. */
#include <pthread.h>

#include "engine/care/look.h"
#include "engine/care/names.h"
#include "engine/care/recover.h"

#define RECOVER_BATCH 1000 /* deletions in one request */

/* One version of a key, or a delete marker. */
struct recover_version {
    char id[OBJ_VERSION_CHARS];
    char etag[OBJ_ETAG_CHARS];
    uint64_t size;
    int64_t modified;
    bool marker;
};

/* All versions of one key, newest first. */
struct recover_key {
    char key[OBJ_KEY_MAX];
    struct recover_version *v; /* owned */
    size_t n, cap;
};

/* Deletions that are to be sent. */
struct recover_batch {
    struct obj_name names[RECOVER_BATCH];
    char keys[RECOVER_BATCH][MF_KEY_CHARS];
    char versions[RECOVER_BATCH][OBJ_VERSION_CHARS];
    size_t n;
};

struct recover {
    struct eng_repo *repo;
    const struct eng_recover_opts *o;
    struct eng_recover_result *res;
    bool rest;              /* what lies in no keyset is still to be done */
    struct eng_names known; /* manifests of the keyset that somebody knows of */
    pthread_mutex_t lock;   /* around the result, lost, and the reports */
    struct eng_damaged lost; /* blocks and pages without a good version */
};

/* One worker. */
struct recover_worker {
    struct recover *r;
    const struct cancel *cancel;
    struct eng_looker *looker;
    enum eng_recover_area area; /* of what is being listed */
    struct recover_key key;
    struct recover_batch *batch; /* owned; delete markers of this area */
};

struct eng_recover_count *eng_recover_area_count(struct recover_worker *w);
/* Adds to a counter of the worker's area, and says what of. */
void eng_recover_note(struct recover_worker *w, uint64_t *counter,
                      enum eng_recover_word word, const char *what);

/* --- recover_folders.c --- */

/* Removes objects that stand where the repository has folders: before anything
 * is listed, for they may hide what lies below.  Those over slots go first, and
 * keysets are opened then. */
int eng_recover_folders(struct recover *r, struct err *e)
    __attribute__((warn_unused_result));
/* Whether a key is that of such an object. */
bool eng_recover_is_folder(const struct recover *r, const char *key);

/* --- recover_list.c --- */

/* Goes through the selected keyset, and with `rest` through what is of none
 * that is at hand. */
int eng_recover_list(struct recover *r, struct err *e)
    __attribute__((warn_unused_result));

/* --- recover_key.c --- */

/* All versions of w->key are known: what was done to it, and undoing it. */
int eng_recover_one(struct recover_worker *w, struct err *e)
    __attribute__((warn_unused_result));
/* Deletes one version.  1: done; 0: refused, which is noted; -1. */
int eng_recover_delete(struct recover_worker *w, const char *key,
                       const char *version, struct err *e)
    __attribute__((warn_unused_result));
/* Sends the deletions of delete markers. */
int eng_recover_flush(struct recover_worker *w, struct err *e)
    __attribute__((warn_unused_result));

#endif
