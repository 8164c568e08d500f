// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_INDEX_IMPL_H
#define ENGINE_REPO_INDEX_IMPL_H

/* Private to engine/repo/index*.c: what an open index is made of. */
#include <pthread.h>
#include <sqlite3.h>

#include "engine/repo/index.h"

#define ENG_INDEX_BUSY_MS 5000   /* how long to wait for another process */
#define ENG_INDEX_CLAIMS_MAX 256 /* threads that put at the same time */

struct fresh_slot {
    bool used;
    uint8_t kind;
    struct mf_id id;
    char *version; /* owned; NULL: not known */
    int64_t until;
    uint64_t size; /* as stored; 0: not known */
};

struct composed_slot; /* of index_composed.c */

struct claim {
    uint8_t kind;
    struct mf_id id;
};

/* What all handles of one open index have together. */
struct index_core {
    sqlite3 *db;
    sqlite3_stmt *find, *insert, *find_seen, *insert_seen, *find_composed,
        *insert_composed, *find_version, *find_held;
    struct {
        pthread_mutex_t lock;
        pthread_cond_t settled;
        struct fresh_slot *fresh; /* open addressing, a power of two */
        size_t fresh_cap, fresh_n;
        struct composed_slot *composed; /* pending, as fresh; lazily made */
        size_t composed_n;
        struct claim claims[ENG_INDEX_CLAIMS_MAX];
        size_t n_claims;
        uint64_t bytes; /* stored, and not written yet */
        int64_t flushed_ms;
        bool failing; /* the last write of the batch failed */
        bool complained;
        char sweep[ENG_INDEX_SWEEP_CHARS]; /* the counter that what is pending
                                              was learned under */
        unsigned handles;
    } locked;
};

struct eng_index {
    struct index_core *core;
    char sweep[ENG_INDEX_SWEEP_CHARS]; /* the counter that this handle knows it
                                          under; guarded by the core's lock */
};

/* With the lock held.  False: somebody has begun the index anew after a sweep,
 * and what this handle learned before may be gone, so it teaches nothing. */
bool eng_index_is_current(const struct eng_index *ix);

/* With the lock held, all of them.  sql_error: ERR_CORRUPT where the file is no
 * good and may be begun anew; else ERR_IO. */
int eng_index_sql_error(struct eng_index *ix, struct err *e, const char *what);
int eng_index_exec(struct eng_index *ix, const char *sql, struct err *e)
    __attribute__((warn_unused_result));
/* Writes what is pending. */
int eng_index_flush(struct eng_index *ix, struct err *e)
    __attribute__((warn_unused_result));
/* Writes what is due.  A failed write of a cache is no failure of the run: the
 * batch stays, and is tried again with the next second, however full it is. */
void eng_index_flush_when_due(struct eng_index *ix);
/* index_objects.c.  True: it is there; else *slot is where it would be. */
bool eng_index_fresh_find(const struct eng_index *ix, uint8_t kind,
                          const struct mf_id *id, size_t *slot);
/* v NULL: only that it is there. */
int eng_index_fresh_add(struct eng_index *ix, uint8_t kind,
                        const struct mf_id *id,
                        const struct eng_index_version *v, struct err *e)
    __attribute__((warn_unused_result));
void eng_index_fresh_clear(struct eng_index *ix);
/* Writes a slot as a row. */
int eng_index_insert(struct eng_index *ix, const struct fresh_slot *f,
                     struct err *e) __attribute__((warn_unused_result));
/* index_composed.c: the most that is pending at a time; writes all of it within
 * the caller's transaction; forgets it. */
#define ENG_INDEX_COMPOSED_MAX ((size_t)4096)
int eng_index_insert_composed(struct eng_index *ix, struct err *e)
    __attribute__((warn_unused_result));
void eng_index_forget_composed(struct eng_index *ix);
/* index_bytes.c, within the caller's transaction. */
int eng_index_insert_bytes(struct eng_index *ix, struct err *e)
    __attribute__((warn_unused_result));
bool eng_index_known(struct eng_index *ix, enum eng_index_kind kind,
                     const struct mf_id *id);

#endif
