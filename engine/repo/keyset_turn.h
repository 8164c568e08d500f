// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_KEYSET_TURN_H
#define ENGINE_REPO_KEYSET_TURN_H

/* Private to engine/repo: what rotating keys and renewing a keyset share. */
#include "engine/repo/keyset_rotate.h"

/* One turn of a keyset. */
struct turning {
    struct eng_repo *r;
    const struct eng_rotate_opts *o;
    const struct cancel *cancel;
    char keyset[MF_KEYSET_CHARS];
    const struct secret *data_key; /* borrowed; the keyset's */
};

/* The slots of a keyset as they were, while the list is read anew. */
struct eng_slots {
    struct eng_slot *s; /* owned */
    size_t n;
};
int eng_slots_copy(const struct eng_keyset *k, struct eng_slots *out,
                   struct err *e) __attribute__((warn_unused_result));
void eng_slots_free(struct eng_slots *s);
#define AUTO_ENG_SLOTS AUTO(eng_slots_free)

/* One entry of *out for each slot, kept and without a reason. */
int eng_rotation_begin(const struct eng_slots *slots, struct eng_rotation *out,
                       struct err *e) __attribute__((warn_unused_result));

/* Notes why a slot is kept, or its key not retired. */
void eng_turned_why(struct eng_turned *t, const struct err *why);

/* Errors that end it all. */
bool eng_turn_ends(const struct err *e);

/* Whether a server's key opens a slot, and what it holds.  1: the keyset's data
 * key; 0: another one; -1: it does not open it.  *why: why it is not 1. */
int eng_turn_opens(const struct turning *t, const struct eng_kms *server,
                   const struct mf_slot *s, struct err *why);

/* The key server that a slot is of: the one that opens it; else, where that one
 * answers, the one that it names, whose key is lost or may not be used.  NULL:
 * *why says why not. */
const struct eng_kms *eng_turn_server(const struct turning *t,
                                      const struct mf_slot *s, struct err *why);

/* A key in this server that only this turn of this slot makes; *with is a way
 * to wrap by it then, and borrows from *made. */
enum eng_new_key { ENG_NEXT_KEY, ENG_KEY_OF_NEXT_KEYSET };
struct eng_made_key {
    char uid[MF_SLOT_TEXT_CHARS], name[MF_SLOT_TEXT_CHARS];
    struct eng_kms with;
    struct eng_key_way way;
};
int eng_turn_key(const struct turning *t, const struct eng_kms *server,
                 const struct mf_slot *s, enum eng_new_key what,
                 struct eng_made_key *made, struct err *e)
    __attribute__((warn_unused_result));

/* Whether an earlier generation of a slot (or the one that was in force,
 * `former`, if not NULL) names another key that still wraps: that of a turn
 * that was cut off.  retire: retires those that no slot in force needs, and
 * says so in *out; then what there is of earlier generations is deleted. */
int eng_turn_unfinished(const struct turning *t, const struct eng_slot *now,
                        const struct eng_kms *server, bool *unfinished,
                        struct err *e) __attribute__((warn_unused_result));
int eng_turn_retire(const struct turning *t, const struct eng_slot *now,
                    const struct mf_slot *former, const struct eng_kms *server,
                    struct eng_turned *out, struct err *e)
    __attribute__((warn_unused_result));

#endif
