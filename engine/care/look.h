// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_LOOK_H
#define ENGINE_CARE_LOOK_H

/*
 * Looking at one object that is named by its content: is what is stored what
 * the name says?  On buckets that keep versions the older ones are looked at
 * where the newest is not.
 */
#include "base/buf.h"
#include "base/cancel.h"
#include "base/span.h"
#include "engine/repo/repo.h"
#include "manifest/id.h"
#include "manifest/objkey.h"

enum eng_look_kind {
    ENG_LOOK_BLOCK,
    ENG_LOOK_PAGE,
    ENG_LOOK_MANIFEST,
    ENG_LOOK_DESCRIPTOR, /* says nothing of itself but that it is one */
    ENG_LOOK_SLOT,       /* that it is one, and which */
};

/* What should be there. */
struct eng_look_want {
    enum eng_look_kind kind;
    struct mf_id id; /* blocks and pages */
    uint32_t len;    /* bytes of a block; 0: any length */
    struct mf_key key;
};
/* Of the keyset that r works on. */
struct eng_look_want eng_look_block(const struct eng_repo *r,
                                    const struct mf_id *id, uint32_t len);
struct eng_look_want eng_look_page(const struct eng_repo *r,
                                   const struct mf_id *id);
/* false: key is no name of a manifest. */
bool eng_look_manifest(const struct eng_repo *r, const char *key,
                       struct eng_look_want *w);

struct eng_look_want eng_look_descriptor(void);
struct eng_look_want eng_look_slot(const char *key);

enum eng_look_state {
    ENG_LOOK_GOOD,   /* the newest version verifies */
    ENG_LOOK_OLDER,  /* an older one does: hidden, or overwritten */
    ENG_LOOK_BAD,    /* something is there; nothing of it verifies */
    ENG_LOOK_ABSENT, /* nothing is there */
};

/* What the server recorded when the bytes were uploaded, compared with the
 * bytes that it hands out now.  Proves damage on the storage, not forgery: who
 * uploads rubbish has its record match. */
enum eng_look_record {
    ENG_RECORD_NONE,    /* nothing that could be compared */
    ENG_RECORD_MATCHES, /* it was uploaded like that */
    ENG_RECORD_DIFFERS, /* it changed where it lies */
};
/* Where the plaintext cannot be verified this is all that can be said.  The
 * record is the ETag, where it is an MD5. */
enum eng_look_record eng_look_record(struct span stored,
                                     const struct obj_info *info);

/* Whether a version that does not verify never was what its name says: it lies
 * there as it was uploaded, and (of manifests) its digest is not that of the
 * name.  A manifest of a newer format, say, is none of ours to judge. */
bool eng_look_false(const struct eng_look_want *w, struct span stored,
                    const struct obj_info *info);

struct eng_looked {
    enum eng_look_state state;
    char version[OBJ_VERSION_CHARS]; /* GOOD, OLDER: the one that verifies; ""
                                        where the bucket keeps none */
    enum eng_look_record record;     /* BAD: of the newest version */
    bool never;                      /* BAD: all versions are kept, and none of
                                        them was ever uploaded as it should be */
    char why[300];                   /* what is wrong with the newest version */
};

struct eng_looker; /* buffers and codec of one thread */
struct eng_looker *eng_looker_new(struct eng_repo *r,
                                  const struct cancel *cancel, struct err *e);
void eng_looker_free(struct eng_looker *l); /* NULL is fine */
static inline void eng_looker_freep(struct eng_looker **l)
{
    eng_looker_free(*l);
}
#define AUTO_ENG_LOOKER AUTO(eng_looker_freep)

/* Looks at an object.  What does not verify may have been hurt on its way: it
 * is fetched three times before it counts as bad, unless it is what the server
 * recorded.  -1: it could not be
 * looked at (network, rights, memory). */
int eng_look(struct eng_looker *l, const struct eng_look_want *w,
             struct eng_looked *out, struct err *e)
    __attribute__((warn_unused_result));
/* Whether this very version verifies: 1, 0, -1; its bytes as below. */
int eng_look_version(struct eng_looker *l, const struct eng_look_want *w,
                     const char *version, struct obj_info *info, struct err *e)
    __attribute__((warn_unused_result));

struct eng_repo *eng_looker_repo(const struct eng_looker *l);

/* After GOOD and OLDER, until the next look: the object's bytes, and what they
 * hold (a page's JSON, a manifest's). */
struct span eng_looker_stored(const struct eng_looker *l);
struct span eng_looker_plain(const struct eng_looker *l);

/* Stored bytes and plaintext that were fetched and verified so far. */
uint64_t eng_looker_bytes(const struct eng_looker *l);

#endif
