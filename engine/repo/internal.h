// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_INTERNAL_H
#define ENGINE_REPO_INTERNAL_H

/* Private to engine/repo: what an open repository is made of. */
#include "base/buf.h"
#include "engine/repo/index.h"
#include "engine/repo/learn.h"
#include "engine/repo/repo.h"
#include "engine/repo/runmark.h"

/* Threads for many small requests (manifests, pages, listings): enough to hide
 * latency, few enough to cost nothing. */
#define ENG_REPO_READERS 8

struct eng_repo {
    char *name;
    char *state_dir; /* <state>/<repository id> */
    struct obj_store *store;
    bool simple; /* in a directory */
    struct mf_descriptor descriptor;
    struct eng_index *index; /* NULL until eng_repo_prepare_writes */
    enum eng_upload upload;
    bool put_pages;          /* known or not */
    struct eng_runmark mark; /* with the index: this run is under way */
};

/* Gets an object, whole, into out (bounded by out's maximum).  The error names
 * the object. */
int eng_repo_get(struct eng_repo *r, const struct cancel *cancel,
                 const char *key, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* Deletes an object: on a bucket with versions each of them by its id, delete
 * markers too. */
int eng_object_erase(struct eng_repo *r, const struct cancel *cancel,
                     const char *key, struct err *e)
    __attribute__((warn_unused_result));

#endif
