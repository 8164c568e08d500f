// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_EXTEND_ONE_H
#define ENGINE_REPO_EXTEND_ONE_H

/* Private to engine/repo: extending the lock of one object. */
#include "engine/repo/blockio.h"
#include "engine/repo/internal.h"

/* Extensions are small requests; as many at once as the store lets through. */
#define ENG_EXTEND_WORKERS 32

struct eng_extend_item {
    enum eng_index_kind kind;
    bool gone; /* out: no version of it is there, or none that verifies */
    struct mf_id id;
    const char *key; /* ENG_INDEX_OBJECT; static, or outlives the step */
    bool slot;       /* ... a slot of the keyset, which is never put again */
};

/* One worker; io is made when content has to be verified. */
struct eng_extend_worker {
    struct eng_repo *repo;
    int64_t until;
    const struct cancel *cancel;
    struct eng_blockio *io;
};

/* Locks the object until the worker's date or longer, by the version that the
 * index knows, else by the oldest one that is good, and tells the index. */
int eng_extend_one(struct eng_extend_worker *w, struct eng_extend_item *item,
                   struct err *e) __attribute__((warn_unused_result));

#endif
