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

/* Signs a slot that is complete but for that, puts it as eng_slot_put does, and
 * reads it back: it is in force then.  keys: its keyset's.  ERR_EXISTS,
 * ERR_PRECONDITION, ERR_CORRUPT: another host was quicker. */
int eng_slot_store(struct eng_repo *r, struct mf_slot *s,
                   const struct mf_keys *keys, int64_t until,
                   const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* What a slot wraps, if it is the data key of its keyset. */
struct secret *eng_slot_unwrap(const struct eng_key_way *way,
                               const struct mf_slot *s, bool restoring,
                               const struct cancel *cancel, struct err *e);

/* --- keyset_proof.c --- */

/* One more generation; first: no higher one of its slot counts. */
int eng_keyset_add_slot(struct eng_keyset *k, const struct eng_slot *slot,
                        bool first, struct err *e)
    __attribute__((warn_unused_result));
int eng_keyset_add_junk(struct eng_keyset *k, const struct mf_key *key,
                        bool forged, struct err *e)
    __attribute__((warn_unused_result));

/* Sorts the slots that were read by these keys: those in force, earlier ones,
 * and forged ones.  Once for each list that was read. */
int eng_keyset_prove(struct eng_keyset *k, const struct mf_keys *keys,
                     struct err *e) __attribute__((warn_unused_result));

/* Warns of the forged ones, if any; how many there are. */
size_t eng_keyset_say_forged(const struct eng_keyset *k);

/* Whether a generation is in force; *index: which of the slots it is, their
 * number if none. */
bool eng_keyset_in_force(const struct eng_keyset *k, const char *key,
                         size_t *index);

/* ERR_DENIED: what opened the keyset is not good enough to change its slots. */
int eng_keyset_check_change(const struct eng_keyset *k, struct err *e)
    __attribute__((warn_unused_result));

/* Reads the generation under a key; oldest: of several versions of it, the
 * first that is a slot.  1: it is no slot of ours, gone by now, or refused by
 * the server (logged). */
int eng_slot_read(struct eng_repo *r, const char *key, bool oldest,
                  const struct cancel *cancel, struct mf_slot *out,
                  struct err *e) __attribute__((warn_unused_result));

/* A random id as text: 16 hex digits. */
#define ENG_KEYSET_ID_CHARS 17
int eng_keyset_random_id(char out[ENG_KEYSET_ID_CHARS], struct err *e)
    __attribute__((warn_unused_result));

#endif
