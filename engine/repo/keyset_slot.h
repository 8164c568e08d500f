// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_KEYSET_SLOT_H
#define ENGINE_REPO_KEYSET_SLOT_H

/* Private to engine/repo: one slot as an object. */
#include "engine/repo/keyset_open.h"

/* Decodes what is stored under a slot's key: it must be a slot of this
 * repository, and of this name.  ERR_CORRUPT, ERR_UNSUPPORTED. */
int eng_slot_decode(const struct eng_repo *r, const char *key,
                    struct span bytes, struct mf_slot *out, struct err *e)
    __attribute__((warn_unused_result));

/* Wraps data_key by way in a slot that says which one it is (keyset, label,
 * slot, generation, times), puts it, locked until `until` (0: as for a point of
 * now), reads it back, opens it again where way can, and compares. */
int eng_slot_put(struct eng_repo *r, struct mf_slot *s, struct span data_key,
                 const struct eng_key_way *way, int64_t until,
                 const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* What a slot wraps, if it is the data key of its keyset. */
struct secret *eng_slot_unwrap(const struct eng_key_way *way,
                               const struct mf_slot *s, bool restoring,
                               const struct cancel *cancel, struct err *e);

/* The objects of a slot's generations before `gen`, as they are listed. */
struct eng_slot_keys {
    struct mf_key *keys; /* owned */
    size_t n;
};
int eng_slot_earlier(struct eng_repo *r, const char *keyset, const char *slot,
                     uint32_t gen, const struct cancel *cancel,
                     struct eng_slot_keys *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_slot_keys_free(struct eng_slot_keys *l);
#define AUTO_ENG_SLOT_KEYS AUTO(eng_slot_keys_free)

/* Reads the generation under a key; oldest: of several versions of it, the
 * first that is a slot.  1: it is no slot of ours, or gone by now (logged). */
int eng_slot_read(struct eng_repo *r, const char *key, bool oldest,
                  const struct cancel *cancel, struct mf_slot *out,
                  struct err *e) __attribute__((warn_unused_result));

/* A random id as text: 16 hex digits. */
#define ENG_KEYSET_ID_CHARS 17
int eng_keyset_random_id(char out[ENG_KEYSET_ID_CHARS], struct err *e)
    __attribute__((warn_unused_result));

#endif
