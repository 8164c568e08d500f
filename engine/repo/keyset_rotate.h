// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_KEYSET_ROTATE_H
#define ENGINE_REPO_KEYSET_ROTATE_H

/*
 * Rotation: a keyset's data key is wrapped by new keys of its key servers, and
 * the old ones are retired there.  Nothing but slots is written, and no data
 * object is touched.  Or a new data key: a keyset of the same label, which
 * takes the place of the old one for all that is written from then on.
 *
 * A rotation that was cut off is gone on with by the next one, from any
 * machine: nothing is noted down anywhere but in slots, and the name of a new
 * key follows from the data key and the old key, so that one that was made is
 * found again.
 */
#include "engine/repo/keyset_open.h"

enum eng_turn {
    ENG_TURN_ROTATED,  /* a new key is in place of the old one */
    ENG_TURN_FINISHED, /* that was so already, and the old key was not retired
                          yet */
    ENG_TURN_KEPT,     /* left as it is */
};

/* What became of one slot. */
struct eng_turned {
    char slot[MF_SLOT_ID_CHARS];
    enum mf_slot_type type;
    enum eng_turn what;
    /* Of MF_SLOT_KMS: its key server, as it is configured here, and the keys
     * before and after; "": none. */
    char kms[MF_SLOT_TEXT_CHARS];
    char old_key[MF_SLOT_TEXT_CHARS], key[MF_SLOT_TEXT_CHARS];
    bool retired;  /* the old key wraps nothing new any more */
    bool stays;    /* a generation that the old key opens cannot be deleted */
    char why[300]; /* why it was kept, or its key not retired; or "" */
    enum err_kind why_kind; /* ERR_NONE: nothing is wrong */
};

struct eng_rotation {
    struct eng_turned *of; /* owned: one for each slot that was in force */
    size_t n;
    char keyset[MF_KEYSET_CHARS]; /* that is written to now */
};
void eng_rotation_free(struct eng_rotation *x); /* zeroed is fine */

struct eng_rotate_opts {
    struct eng_key_ways ways;       /* to open the keyset */
    struct eng_kms *const *servers; /* those that are configured */
    size_t n_servers;
    bool dry_run; /* nothing is made: what would be */
    /* Of a new data key: a password, which the new keyset gets a slot by (of
     * the kind, and with the hint, of the old keyset's slot that it opens), and
     * a recovery password that it gets beside; borrowed, or NULL. */
    const struct secret *password, *recovery;
};

/* Gives each slot of a key server a new key, which is made there, put as one
 * more generation, read back and unwrapped; then, where no slot of the
 * repository is left that an old key is needed for, that key is retired, and
 * what it had wrapped is deleted as far as locks allow.  A slot whose old key
 * is not retired yet gets no newer one before.  The keyset must be open.
 *
 * Slots that cannot be rotated are kept and say why.  ERR_USAGE: the keyset has
 * no slot of a key server; if all of them are kept, the first one's error. What
 * is done stays done after any error. */
int eng_keyset_rotate(struct eng_repo *r, const char *keyset,
                      const struct eng_rotate_opts *o,
                      const struct cancel *cancel, struct eng_rotation *out,
                      struct err *e) __attribute__((warn_unused_result));

/* Makes a keyset that supersedes this one, which must be the newest of its
 * label (ERR_USAGE), with a slot for each way that is at hand to open the old
 * one: o->password, and a new key in each of its key servers.  One that
 * supersedes another, has no data yet and lacks such slots is an earlier
 * attempt that was cut off, and gets what it lacks.  The old keyset and its
 * keys stay as they are: they open its points. out: of each slot of the old
 * one, whether the new one is opened like it. */
int eng_keyset_renew(struct eng_repo *r, const char *keyset,
                     const struct eng_rotate_opts *o,
                     const struct cancel *cancel, struct eng_rotation *out,
                     struct err *e) __attribute__((warn_unused_result));

#endif
