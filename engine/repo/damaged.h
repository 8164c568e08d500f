// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_DAMAGED_H
#define ENGINE_REPO_DAMAGED_H

/*
 * Marks of blocks and pages that were found damaged or missing: objects
 * gc/damaged/<block|page>-<id>, never locked.  An empty one says "damaged": a
 * run takes the id as not stored, so whoever meets its content puts it again.
 * One with content (the time) is a mark that was cleared: a writer may have no
 * right to delete, and writing over needs none that it lacks; one listing tells
 * the two apart by their sizes.  Whoever may delete takes cleared ones away.
 */
#include <stdbool.h>

#include "base/cancel.h"
#include "base/err.h"
#include "engine/repo/index.h"
#include "objstore/store.h"

#define ENG_DAMAGED_PREFIX "gc/damaged/"
#define ENG_DAMAGED_KEY_CHARS 96

struct eng_repo;

struct eng_damaged_id {
    enum eng_index_kind kind; /* block or page */
    struct mf_id id;
    bool cleared;
};

struct eng_damaged {
    struct eng_damaged_id *ids; /* owned; by kind and id */
    size_t n, cap;
};

/* The mark's key below the prefix. */
void eng_damaged_key(enum eng_index_kind kind, const struct mf_id *id,
                     char key[ENG_DAMAGED_KEY_CHARS]);

/* All marks, by one listing.  Other names below gc/damaged/ are ignored. */
int eng_damaged_list(struct obj_store *store, const struct cancel *cancel,
                     struct eng_damaged *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_damaged_free(struct eng_damaged *d);
#define AUTO_ENG_DAMAGED AUTO(eng_damaged_free)

/* The mark of this id, cleared or not; or NULL. */
const struct eng_damaged_id *eng_damaged_find(const struct eng_damaged *d,
                                              enum eng_index_kind kind,
                                              const struct mf_id *id);

int eng_damaged_mark(struct obj_store *store, const struct cancel *cancel,
                     enum eng_index_kind kind, const struct mf_id *id,
                     struct err *e) __attribute__((warn_unused_result));

/* Removes a mark where these keys may delete (every version of it); a failure
 * only leaves it. */
void eng_damaged_remove(struct obj_store *store, const struct cancel *cancel,
                        enum eng_index_kind kind, const struct mf_id *id);

/* A run begins (its index is up to date): reads the marks and makes the index
 * forget the ids. */
int eng_damaged_begin(struct eng_repo *r, const struct cancel *cancel,
                      struct err *e) __attribute__((warn_unused_result));

/* This run has put the object, and the server has verified what it got: clears
 * its mark, if it has one.  A failure is logged.  Any thread. */
void eng_damaged_stored(struct eng_repo *r, const struct cancel *cancel,
                        enum eng_index_kind kind, const struct mf_id *id);

#endif
