// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_KEYSET_OPEN_H
#define ENGINE_REPO_KEYSET_OPEN_H

/*
 * Opening keysets by what is at hand, choosing the one that a run writes to,
 * and making it where there is none yet.  A wrong password opens nothing, and
 * never makes a new keyset; what cannot be opened is refused, and nothing is
 * ever written in the clear instead.
 */
#include "base/cancel.h"
#include "base/secret.h"
#include "engine/repo/keysets.h"
#include "kms/wrap.h"
#include "kms/wrap_public.h"

/* MAYBE: after all that is likelier.  A slot names its key server as a hint;
 * another one may have the same key; a password slot may ask for more than ours
 * ever do. */
enum eng_fit { ENG_FIT_NO, ENG_FIT_MAYBE, ENG_FIT_LIKELY };

/* One way to a data key: a password, a key in a key server, a private or public
 * key.  All functions get ctx, which its owner keeps for as long. */
struct eng_key_way {
    void *ctx;
    const char *name; /* for messages: "password", "kms:main", ... */
    /* Whether it may open this slot; nothing is asked. */
    enum eng_fit (*fits)(const void *ctx, const struct mf_slot *s);
    /* The data key of a slot, owned by the caller; restoring: only to read what
     * is there.  NULL: ERR_DENIED (a wrong password, a key that may not be
     * used), ERR_CORRUPT, ERR_UNREACHABLE, ...; the function too, where it
     * cannot open. */
    struct secret *(*unwrap)(void *ctx, const struct cancel *cancel,
                             const struct mf_slot *s, struct span aad,
                             bool restoring, struct err *e);
    /* Fills in the part of a new slot that says how it is wrapped, and wraps
     * the key by it; NULL functions: it cannot. */
    int (*describe)(void *ctx, const struct cancel *cancel, struct mf_slot *s,
                    struct err *e);
    int (*wrap)(void *ctx, const struct cancel *cancel, const struct mf_slot *s,
                struct span aad, struct span key, struct wrapped *out,
                struct err *e);
    /* Whether what opened this slot may still be used to write (keywatch.h);
     * NULL: that does not change.  ERR_DENIED: no; ERR_UNREACHABLE: nobody
     * says. */
    int (*ask)(void *ctx, const struct cancel *cancel, const struct mf_slot *s,
               struct err *e);
    int64_t ask_s,
        grace_s; /* seconds: how often; without an answer, how long on */
};

struct eng_key_ways {
    const struct eng_key_way *w;
    size_t n;
};

/* Passwords, for slots of the types password and recovery. */
struct eng_password {
    const struct secret *password; /* borrowed */
    const char *hint;              /* of a slot that is made; or NULL */
    bool recovery;                 /* a slot that is made is one */
};
struct eng_key_way eng_way_password(struct eng_password *p);

/* A private key opens slots; a public one makes them, and cannot read them
 * back. */
struct eng_pkey {
    const struct wrap_pkey *key; /* borrowed */
    bool private_half;
    struct secret *ephemeral; /* of the slot that is being made */
};
struct eng_key_way eng_way_pkey(struct eng_pkey *p);
void eng_pkey_fini(struct eng_pkey *p);

/* A key server under its configured name.  The functions are its client's. */
struct eng_kms {
    const char *name;
    void *client;
    /* The key itself, for mode `get`. */
    int (*key_get)(void *client, const struct cancel *cancel, const char *uid,
                   bool wrapping, bool restoring, struct secret **kek,
                   struct err *e);
    /* Whether the key may still be used to write. */
    int (*key_ask)(void *client, const struct cancel *cancel, const char *uid,
                   struct err *e);
    int64_t ask_s, grace_s; /* as in a way */
    /* The server's own Encrypt and Decrypt, for mode `remote`; or NULL. */
    int (*wrap_remote)(void *client, const struct cancel *cancel,
                       const char *uid, struct span aad, struct span key,
                       struct wrapped *out, struct err *e);
    struct secret *(*unwrap_remote)(void *client, const struct cancel *cancel,
                                    const char *uid, struct span aad,
                                    const struct wrapped *in, bool restoring,
                                    struct err *e);
    /* For rotation.  key_take: a key of this name that wraps, made or, where it
     * is there already, taken; its identifier.  ERR_EXISTS: the name is used
     * up.  key_active: whether a key still wraps anything new; of one that is
     * gone *active is false.  key_retire: from now on it does not. */
    int (*key_take)(void *client, const struct cancel *cancel, const char *name,
                    char uid[MF_SLOT_TEXT_CHARS], struct err *e);
    int (*key_active)(void *client, const struct cancel *cancel,
                      const char *uid, bool *active, struct err *e);
    int (*key_retire)(void *client, const struct cancel *cancel,
                      const char *uid, struct err *e);
    /* Of a slot that is made. */
    const char *key, *key_name;
    bool remote;
};
struct eng_key_way eng_way_kms(struct eng_kms *k);

/* Opens every keyset that these ways can open, for reading; `why` of the others
 * says what is missing.  Loads the list where nobody did.  *closed: how many
 * stay closed. */
int eng_keysets_open(struct eng_repo *r, const struct eng_key_ways *ways,
                     const struct cancel *cancel, size_t *closed, struct err *e)
    __attribute__((warn_unused_result));

/* Opens one keyset of the list.  Its slots are proven then: those that nobody
 * made who has its key are named in a warning, and count no more.  By a
 * generation that a later one replaces it is opened to be read only, with a
 * warning.  ERR_DENIED names it, the slots that there are, and their hints;
 * else the error of the way that came furthest. */
int eng_keyset_open(struct eng_repo *r, const char *keyset,
                    const struct eng_key_ways *ways, bool restoring,
                    const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

enum eng_encrypt {
    ENG_ENCRYPT_UNSAID, /* in the clear, if no keyset says that it matters */
    ENG_ENCRYPT_NONE,
    ENG_ENCRYPT_KEY,
};

#define ENG_KEYSET_LABEL "default"

/* That a keyset can have this label; ERR_USAGE. */
int eng_keyset_check_label(const char *label, struct err *e)
    __attribute__((warn_unused_result));

/* Where a run writes to. */
struct eng_encrypt_opts {
    enum eng_encrypt what;
    const char *label;         /* NULL: ENG_KEYSET_LABEL */
    struct eng_key_ways ways;  /* to open it */
    struct eng_key_ways slots; /* of the keyset, if it has to be made */
    bool dry_run;              /* ERR_NOTFOUND instead of making one */
};

/* Opens or makes the keyset that a run writes to, and selects it.  *made: it is
 * new.  Reads the list where nobody has, and once more before it makes one.
 * ERR_USAGE: nothing was said, and the repository has keysets; ERR_DENIED: it
 * is there, and cannot be opened. */
int eng_encrypt_choose(struct eng_repo *r, const struct eng_encrypt_opts *o,
                       const struct cancel *cancel, bool *made, struct err *e)
    __attribute__((warn_unused_result));

/* The keyset of a label that is written to: of those of the label that replace
 * no other the oldest, and from there the newest of the line of those that
 * replaced it.  NULL: there is none. */
const struct eng_keyset *eng_keysets_of_label(const struct eng_repo *r,
                                              const char *label);

/* Makes a keyset with a new data key and selects nothing.  Each slot is put,
 * read back, unwrapped and compared before the keyset counts as made; name gets
 * its name.  supersedes: the keyset that it replaces, or NULL. */
int eng_keyset_make(struct eng_repo *r, const char *label,
                    const char *supersedes, const struct eng_key_ways *slots,
                    const struct cancel *cancel, char name[MF_KEYSET_CHARS],
                    struct err *e) __attribute__((warn_unused_result));

/* Puts one more slot for an open keyset (or generation eng_slot_next of the
 * slot `of`, unless NULL), by way.  On a locked repository it is locked at
 * least until the latest lock date of the keyset's points.  data_key: the
 * keyset's. ERR_DENIED: what opened it is out of force, or proves nothing. */
int eng_slot_add(struct eng_repo *r, const struct eng_keyset *k,
                 const struct eng_slot *of, const struct secret *data_key,
                 const struct eng_key_way *way, const struct cancel *cancel,
                 struct err *e) __attribute__((warn_unused_result));

/* The next generation of a slot in force: the first after it whose name is not
 * taken by something that is no slot of ours. */
uint32_t eng_slot_next(const struct eng_keyset *k, const struct eng_slot *of);

/* The data key of a keyset, for a new slot of it; owned by the caller.  Its
 * slots are proven by it, as where the keyset is opened.  *slot (may be NULL):
 * which of those in force it came from; their number, if from none. */
struct secret *eng_keyset_unwrap(struct eng_repo *r, const char *keyset,
                                 const struct eng_key_ways *ways,
                                 bool restoring, const struct cancel *cancel,
                                 size_t *slot, struct err *e);

/* Whether a slot of an open keyset may be taken out of force.  ERR_USAGE: it is
 * the last one that is proven; ERR_DENIED as of eng_slot_add. */
int eng_slot_check_removal(const struct eng_keyset *k, struct err *e)
    __attribute__((warn_unused_result));

/* Takes a slot out of force: one more generation says that it has no key any
 * more.  Then what there is of earlier ones is deleted (eng_slot_forget).
 * Errors: those of eng_slot_check_removal. */
int eng_slot_remove(struct eng_repo *r, const struct eng_keyset *k,
                    const struct eng_slot *of, const struct cancel *cancel,
                    bool *stays, struct err *e)
    __attribute__((warn_unused_result));

/* Deletes what is still there of a slot that was removed: a lock, or an end in
 * between, had left it.  The keyset is open.  ERR_NOTFOUND: there is no removed
 * slot of this id. */
int eng_slot_clear(struct eng_repo *r, const struct eng_keyset *k,
                   const char *slot, const struct cancel *cancel, bool *stays,
                   struct err *e) __attribute__((warn_unused_result));

/* Deletes the generations of a slot before `gen`, which nobody looks at any
 * more.  *stays: a lock forbids it; who reads the bucket and has the old
 * password can open them as long as they are there. */
int eng_slot_forget(struct eng_repo *r, const char *keyset, const char *slot,
                    uint32_t gen, const struct cancel *cancel, bool *stays,
                    struct err *e) __attribute__((warn_unused_result));

#endif
