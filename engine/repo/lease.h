// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_LEASE_H
#define ENGINE_REPO_LEASE_H

/*
 * Leases of runs and marks of sweeps: small objects below gc/ that say who is
 * at work in a repository, and until when (DESIGN.md "Leases and sweeps").
 * They are never locked, and hold no machine's name but that of the host.
 * All times are the server's, in unix seconds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "objstore/store.h"

#define ENG_LEASE_NAME_CHARS 17 /* 16 hex digits and NUL */
#define ENG_LEASE_VM_CHARS 33
#define ENG_LEASE_HOST_CHARS 65
#define ENG_LEASE_KEY_CHARS 48
#define ENG_LEASE_BYTES_MAX 1024

/* A run's lasts so long, unless it is renewed. */
#define ENG_LEASE_S 3600
#define ENG_LEASE_RENEW_S 300
/* One counts for so long after its end: servers take a signature for a quarter
 * of an hour, and clocks may differ. */
#define ENG_LEASE_GRACE_S 1800
/* One that cannot be read counts for so long after it was written. */
#define ENG_LEASE_UNREADABLE_S 5400

enum eng_lease_kind {
    ENG_LEASE_RUN,   /* gc/leases/<name> */
    ENG_LEASE_SWEEP, /* gc/sweeps/<name> */
    ENG_LEASE_KINDS
};

struct eng_lease {
    enum eng_lease_kind kind;        /* the key's, not stored */
    char name[ENG_LEASE_NAME_CHARS]; /* the key's, not stored */
    char host[ENG_LEASE_HOST_CHARS]; /* whose */
    uint32_t pid;                    /* ... process there */
    char vm[ENG_LEASE_VM_CHARS];     /* 32 hex digits that tell the VM from
                                        others; "": none */
    char lock[ENG_LEASE_NAME_CHARS]; /* a file in the host's state folder,
                                        locked as long as the run lives; "" */
    int64_t begun, until;
    bool ended; /* every request made under it was answered */
    /* Not stored: when the server wrote it, and when it showed it to us, by the
     * Date of that answer. */
    int64_t written, seen;
};

/* --- lease_text.c: what is stored --- */

/* Canonical JSON.  ERR_INTERNAL: a field is not what it must be. */
int eng_lease_encode(const struct eng_lease *l, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));
/* Fills all but kind and name.  ERR_CORRUPT, ERR_UNSUPPORTED. */
int eng_lease_decode(struct span bytes, struct eng_lease *l, struct err *e)
    __attribute__((warn_unused_result));

/* --- lease.c: the objects --- */

void eng_lease_key(enum eng_lease_kind kind, const char *name,
                   char key[ENG_LEASE_KEY_CHARS]);
/* "gc/leases/", "gc/sweeps/". */
const char *eng_lease_prefix(enum eng_lease_kind kind);
/* False: no lease's key. */
bool eng_lease_parse_key(const char *key, enum eng_lease_kind *kind,
                         char name[ENG_LEASE_NAME_CHARS]);

/* The server's time, as well as it is known. */
int64_t eng_lease_now(struct obj_store *store);

/* A new one of this host with a name of its own, lasting seconds from now; not
 * put yet. */
int eng_lease_init(struct obj_store *store, enum eng_lease_kind kind,
                   int64_t lasts_s, struct eng_lease *l, struct err *e)
    __attribute__((warn_unused_result));

/* Writes it.  sign_before and deadline as in struct obj_req. */
int eng_lease_put(struct obj_store *store, const struct cancel *cancel,
                  const struct eng_lease *l, int64_t sign_before,
                  int64_t deadline, struct err *e)
    __attribute__((warn_unused_result));

/* Reads the lease of l's kind and name into the rest of l.  ERR_NOTFOUND;
 * ERR_CORRUPT, ERR_UNSUPPORTED: cannot be read, or claims a longer time after
 * it was written (as the server says) than any lease has: who wrote it had a
 * wrong clock, and others do not wait for it so long.  Its owner hears it here,
 * too.  After an error `seen` is set all the same. */
int eng_lease_get(struct obj_store *store, const struct cancel *cancel,
                  struct eng_lease *l, int64_t deadline, struct err *e)
    __attribute__((warn_unused_result));

/* One of a list. */
struct eng_lease_seen {
    struct eng_lease l; /* unreadable: kind, name, seen; begun: when written */
    bool unreadable;
    int64_t counts_until; /* it keeps others away before; 0: it is ended */
};

struct eng_leases {
    struct eng_lease_seen *s; /* owned; oldest first: by begun, then name */
    size_t n, cap;
};

/* All of a kind, ended ones too.  Other names are ignored. */
int eng_leases_list(struct obj_store *store, const struct cancel *cancel,
                    enum eng_lease_kind kind, struct eng_leases *out,
                    struct err *e) __attribute__((warn_unused_result));
void eng_leases_free(struct eng_leases *s);
#define AUTO_ENG_LEASES AUTO(eng_leases_free)

/* Whether it kept others away when the server showed it.  By our clock it must
 * not be asked: that may have been set since. */
bool eng_lease_counts(const struct eng_lease_seen *s);

/* Whether a comes before b: of two, it goes on. */
bool eng_lease_before(const struct eng_lease *a, const struct eng_lease *b);

/* "a run on host alpha, process 71, since 2026-11-22T10:00:00Z (lease
 * 0123456789abcdef)", for messages. */
#define ENG_LEASE_TEXT_CHARS 200
void eng_lease_text(const struct eng_lease_seen *s,
                    char out[ENG_LEASE_TEXT_CHARS]);

/* Makes the lease of this name (of whatever kind) end now: who holds it takes a
 * new one before it goes on, and others wait for ENG_LEASE_GRACE_S from now at
 * most.  *was: as it is now.  ERR_NOTFOUND: there is none, or it is ended. */
int eng_lease_break(struct obj_store *store, const struct cancel *cancel,
                    const char *name, struct eng_lease_seen *was, struct err *e)
    __attribute__((warn_unused_result));

#endif
