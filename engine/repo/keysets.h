// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_KEYSETS_H
#define ENGINE_REPO_KEYSETS_H

/*
 * The keysets of a repository.  `plain` has no key and is always there; each
 * other one has its data key in slots, wrapped (FORMAT.md "Slots").  An open
 * repository works on one keyset at a time (eng_repo_keyset); whoever has to do
 * with all of them goes through those whose keys are at hand, and says which
 * ones were left out.  No key, no data: a keyset that was not opened is neither
 * read nor written.
 *
 * One thread at a time; keys, once there, are any thread's.
 */
#include "engine/repo/repo.h"
#include "manifest/slot.h"

/* One generation of a slot, as it is stored. */
struct eng_slot {
    struct mf_key key;
    struct mf_slot s;
};

/* A name that holds no slot of its keyset. */
struct eng_false_slot {
    struct mf_key key;
    bool forged; /* it is one by its form, and nobody made it who had the key */
};

struct eng_keywatch;

struct eng_keyset {
    char name[MF_KEYSET_CHARS];
    /* From a slot that decodes.  Before one was unwrapped nothing proves them,
     * and no decision but which keyset to open rests on them. */
    char label[MF_SLOT_TEXT_CHARS];
    int64_t created;
    char supersedes[MF_KEYSET_CHARS]; /* "": none */
    struct eng_slot *slots;           /* owned; those that are in force */
    size_t n_slots, cap_slots;
    /* Generations out of force: those that a later one replaces, and `removed`
     * ones.  Before the keyset is open a later one may be a false one, so these
     * are tried when none that is in force opens. */
    struct eng_slot *earlier; /* owned */
    size_t n_earlier, cap_earlier;
    struct eng_false_slot *junk; /* owned */
    size_t n_junk, cap_junk;
    struct mf_keys *keys; /* owned; NULL: not opened */
    /* By what only who has the key can have made: all above is then.  A private
     * key opens what anybody may have wrapped. */
    bool proven;
    bool current;  /* opened by a slot in force: slots may be changed */
    bool writable; /* opened by what may be used to write, too */
    struct eng_keywatch *watch; /* owned; NULL: that does not change */
    char why[300];              /* why it was not; "": nobody has tried */
    enum err_kind why_kind;
};

struct eng_keysets {
    struct eng_keyset **k; /* owned, each; by creation time and name */
    size_t n, cap;
    bool loaded;
    /* An object in place of a folder of slots (repo/folders.h): there may be
     * keysets that were not listed; "": there is none. */
    char hidden_by[MF_KEY_CHARS];
};

/* Reads which keysets there are, and their slots.  May be called again: keys
 * that were opened stay, and slots are proven by them.  Slots that cannot be
 * read are logged and left out.  ERR_CORRUPT: there are more names than any
 * repository has. */
int eng_keysets_load(struct eng_repo *r, const struct cancel *cancel,
                     struct err *e) __attribute__((warn_unused_result));

/* ERR_CORRUPT where the list that was read may lack keysets: then nothing is
 * concluded from it that would make, remove or pass over one. */
int eng_keysets_whole(const struct eng_repo *r, struct err *e)
    __attribute__((warn_unused_result));

/* What was read last; none before.  Borrowed until the next reading. */
const struct eng_keysets *eng_repo_keysets(const struct eng_repo *r);
const struct eng_keyset *eng_keysets_find(const struct eng_repo *r,
                                          const char *name); /* or NULL */

/* Switches the repository to a keyset (`plain` too): index, fingerprints and
 * state folder are the keyset's own, so what is open of another one is closed.
 * No run may be under way.  ERR_DENIED: it is not open; ERR_NOTFOUND. */
int eng_repo_select(struct eng_repo *r, const char *keyset, struct err *e)
    __attribute__((warn_unused_result));

/* Whether its key is: `plain`, and keysets that are open. */
bool eng_keyset_at_hand(const struct eng_repo *r, const char *keyset);

/* Calls fn with the repository switched to `plain`, and to each keyset whose
 * key is at hand; it is as before then.  Reads the list where nobody has.  -1
 * of fn ends it.  closed (may be NULL) is called for each of the others. */
int eng_keysets_each(struct eng_repo *r, const struct cancel *cancel,
                     int (*fn)(void *ctx, struct eng_repo *r, struct err *e),
                     int (*closed)(void *ctx, const struct eng_keyset *k,
                                   struct err *e),
                     void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* The keyset in whose folder a key lies ("plain/…", "k-…/…"): how many bytes of
 * the key that folder is; 0: none. */
size_t eng_keyset_in_key(const char *key, char keyset[MF_KEYSET_CHARS]);

/* Whether an object has the form of a slot of this keyset, which is open, and
 * was made by nobody who has its key. */
bool eng_keyset_is_forged(const struct eng_keyset *k, const char *key);

/* --- private to engine/repo --- */

void eng_keysets_free(struct eng_keysets *all);
/* All of it once more, open keys too; *to is to be freed also where it
 * failed. */
int eng_keysets_copy(const struct eng_keysets *from, struct eng_keysets *to,
                     struct err *e) __attribute__((warn_unused_result));

/* Forgets what is open of the selected keyset: index, marks, lease. */
void eng_repo_rest(struct eng_repo *r);

#endif
