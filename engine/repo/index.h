// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_INDEX_H
#define ENGINE_REPO_INDEX_H

/*
 * The local index of one keyset: which blocks and pages the repository holds,
 * and which manifests were looked at.  A cache in SQLite: it may lack what is
 * there (then it is put again, harmlessly), it must never claim what is not.
 * So an id enters only after its put was answered, or when a visible manifest
 * or a listing named it.  Any thread.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/err.h"
#include "manifest/entry.h"
#include "objstore/store.h"

struct eng_index;

enum eng_index_kind {
    ENG_INDEX_BLOCK,
    ENG_INDEX_PAGE,
    ENG_INDEX_OBJECT, /* any other; its id is the SHA-256 of its key */
};

/* Opens (or makes) the index in this folder (NULL: a temporary one).  One that
 * belongs to another repository, is of another version or damaged is thrown
 * away and begun anew. ERR_IO, ERR_FULL, ERR_NOMEM. */
struct eng_index *eng_index_open(const char *dir, const char *repo_id,
                                 struct err *e);
/* Another handle on an open index, for another run in this process: what one
 * learns all know, and nobody puts what another is putting.  Each has its own
 * idea of the sweep counter.  NULL: ERR_NOMEM. */
struct eng_index *eng_index_again(struct eng_index *ix, struct err *e);
/* Writes what is pending; false: that failed, and the index lacks some of what
 * was put.  NULL is fine. */
bool eng_index_close(struct eng_index *ix);

/* Whether the index was once filled from a listing (or the repository was
 * empty when it was begun). */
bool eng_index_complete(struct eng_index *ix);
int eng_index_set_complete(struct eng_index *ix, struct err *e)
    __attribute__((warn_unused_result));

/* Whether the index was begun under this sweep counter (sweeping.h); "": before
 * any sweep.  If so, what we add from now on is written only as long as it is:
 * whoever has seen a later sweep, here or in another process, begins it anew
 * under another. */
#define ENG_INDEX_SWEEP_CHARS 65
bool eng_index_has_sweep(struct eng_index *ix, const char *counter);

/* Learns that the repository holds id.  Kept in memory and written by one
 * transaction a second, or every 32,768 ids: memory does not grow with the
 * repository. */
int eng_index_add(struct eng_index *ix, enum eng_index_kind kind,
                  const struct mf_id *id, struct err *e)
    __attribute__((warn_unused_result));

bool eng_index_knows(struct eng_index *ix, enum eng_index_kind kind,
                     const struct mf_id *id);

/* Looks id up on behalf of somebody about to put it.  1: the repository holds
 * it.  0: it is the caller's to put; others who want the same id wait until
 * the caller settles it.  -1: ERR_CANCELLED, ERR_NOMEM, ERR_IO. */
int eng_index_claim(struct eng_index *ix, enum eng_index_kind kind,
                    const struct mf_id *id, const struct cancel *cancel,
                    struct err *e) __attribute__((warn_unused_result));

/* Ends a claim: stored, so the index learns it; or not, so one of those who
 * wait gets the claim. */
void eng_index_settle(struct eng_index *ix, enum eng_index_kind kind,
                      const struct mf_id *id, bool stored);

/* What is known of an object as it was put or listed.  Of locked repositories
 * one version, and until when that very version is locked, as the server was
 * told or said; 0: not known. */
struct eng_index_version {
    char id[OBJ_VERSION_CHARS]; /* "": not known, or there are none */
    int64_t until;
    uint64_t size; /* as stored; 0: not known */
};
/* As eng_index_add. */
int eng_index_set_version(struct eng_index *ix, enum eng_index_kind kind,
                          const struct mf_id *id,
                          const struct eng_index_version *v, struct err *e)
    __attribute__((warn_unused_result));
/* False: no version is known; *v is empty. */
bool eng_index_get_version(struct eng_index *ix, enum eng_index_kind kind,
                           const struct mf_id *id, struct eng_index_version *v);
/* What was known before the index was cleared; true again only where this very
 * version, or an object of this size, is found to be there.  Until the index is
 * complete. */
bool eng_index_get_held(struct eng_index *ix, enum eng_index_kind kind,
                        const struct mf_id *id, struct eng_index_version *v);
/* The object is gone. */
void eng_index_forget(struct eng_index *ix, enum eng_index_kind kind,
                      const struct mf_id *id);

/* Remembers that the repository holds the content m->whole as base and overlay
 * (of a stream with this block size); other entries are ignored.  Find: such an
 * entry for this content, if the index knows both of its objects. */
void eng_index_add_composed(struct eng_index *ix, const struct mf_entry *m,
                            uint32_t block_size);
bool eng_index_find_composed(struct eng_index *ix, const struct mf_id *whole,
                             uint32_t block_size, struct mf_entry *out);

/* Bytes of blocks and pages in the repository: what a listing found (set), and
 * what was stored since (add; written as ids are). */
void eng_index_add_bytes(struct eng_index *ix, uint64_t n);
int eng_index_set_bytes(struct eng_index *ix, uint64_t n, struct err *e)
    __attribute__((warn_unused_result));
int eng_index_bytes(struct eng_index *ix, uint64_t *n, struct err *e)
    __attribute__((warn_unused_result));

/* Forgets everything: it is to be filled anew, under this sweep counter. */
int eng_index_clear(struct eng_index *ix, const char *counter, struct err *e)
    __attribute__((warn_unused_result));

/* Manifests whose pages the index knows, by their key below the keyset. */
bool eng_index_seen(struct eng_index *ix, const char *manifest);
int eng_index_mark_seen(struct eng_index *ix, const char *manifest,
                        struct err *e) __attribute__((warn_unused_result));

/* The first marked manifest whose key begins so, into out. */
bool eng_index_seen_prefix(struct eng_index *ix, const char *prefix, char *out,
                           size_t cap);

/* Calls fn for each marked manifest, in byte order.  fn must not use the index;
 * -1 with e filled ends it. */
int eng_index_each_seen(struct eng_index *ix,
                        int (*fn)(void *ctx, const char *manifest,
                                  struct err *e),
                        void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* Takes a mark back, as well as that goes. */
void eng_index_unmark_seen(struct eng_index *ix, const char *manifest);

/* Which marked manifests are gone: begin before the listing (marks that others
 * make meanwhile do not count), tell it each name that was listed, and ask how
 * many were not. */
int eng_index_begin_listing(struct eng_index *ix, struct err *e)
    __attribute__((warn_unused_result));
int eng_index_listed(struct eng_index *ix, const char *manifest, struct err *e)
    __attribute__((warn_unused_result));
int eng_index_unlisted(struct eng_index *ix, uint64_t *n, struct err *e)
    __attribute__((warn_unused_result));

#endif
