// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_KEYS_H
#define MANIFEST_KEYS_H

/*
 * What one keyset gives to its objects: their ids, the vm keys of machines, and
 * the sealing of what is stored (FORMAT.md "Keysets").  In the keyset `plain`
 * there is no key: ids are SHA-256, and nothing is sealed.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "manifest/id.h"
#include "manifest/objkey.h"

#define MF_DATA_KEY_BYTES 32
#define MF_SLOT_MAC_BYTES 16
/* A sealed object: "OVE1", version (1 byte, 1), nonce; the content; the tag. */
#define MF_SEAL_NONCE_AT 5
#define MF_SEAL_HEAD_BYTES 17
#define MF_SEAL_TAG_BYTES 16
#define MF_SEAL_BYTES (MF_SEAL_HEAD_BYTES + MF_SEAL_TAG_BYTES)

/* With what every sealed object begins. */
extern const uint8_t mf_seal_head[MF_SEAL_NONCE_AT];

/* What an object is; part of what its seal binds. */
enum mf_object {
    MF_OBJECT_BLOCK = 1,
    MF_OBJECT_PAGE = 2,
    MF_OBJECT_MANIFEST = 3,
};

/* Keys of one keyset.  They lie in locked memory and are wiped by
 * mf_keys_free.  Read-only once made: any thread. */
struct mf_keys;

/* Those of `plain`. */
struct mf_keys *mf_keys_plain(struct err *e);

/* repo: the repository's id, 32 hex digits; keyset: "k-" and 16 hex digits;
 * data_key: MF_DATA_KEY_BYTES, the caller's to wipe.  NULL: ERR_NOMEM,
 * ERR_INTERNAL. */
struct mf_keys *mf_keys_derive(const char *repo, const char *keyset,
                               struct span data_key, struct err *e);
/* The same keys once more.  NULL: ERR_NOMEM. */
struct mf_keys *mf_keys_copy(const struct mf_keys *k, struct err *e);
void mf_keys_free(struct mf_keys *k); /* NULL is fine */

/* Whether two are of one keyset and one data key. */
bool mf_keys_same(const struct mf_keys *a, const struct mf_keys *b);

const char *mf_keys_keyset(const struct mf_keys *k);
bool mf_keys_sealed(const struct mf_keys *k);

/* The id of a block's plaintext, or of a page's JSON. */
int mf_keys_id(const struct mf_keys *k, enum mf_object kind, struct span plain,
               struct mf_id *id, struct err *e)
    __attribute__((warn_unused_result));

/* The vm key of a machine's name: in `plain` mf_vmkey_encode's; else 32 hex
 * digits that tell nothing of the name.  ERR_USAGE: no name. */
int mf_keys_vm_key(const struct mf_keys *k, const char *name,
                   char out[MF_VMKEY_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* What proves a slot of this keyset, of which `json` is the canonical JSON
 * without it (slot.h).  ERR_INTERNAL: `plain` has no slots. */
int mf_keys_slot_mac(const struct mf_keys *k, struct span json,
                     uint8_t mac[MF_SLOT_MAC_BYTES], struct err *e)
    __attribute__((warn_unused_result));

/* That plain has this id; ERR_CORRUPT. */
int mf_keys_check_id(const struct mf_keys *k, enum mf_object kind,
                     struct span plain, const struct mf_id *id, struct err *e)
    __attribute__((warn_unused_result));

/* Sealing without a copy.  mf_keys_seal_begin makes room for a seal's head at
 * the end of out and returns where that is; the caller appends the content (one
 * zstd frame); mf_keys_seal_end seals it, where it lies, as the object `id` of
 * a kind: MF_SEAL_BYTES more than the content.  In `plain` both do nothing. */
size_t mf_keys_seal_begin(const struct mf_keys *k, struct buf *out);
int mf_keys_seal_end(const struct mf_keys *k, enum mf_object kind,
                     struct span id, struct buf *out, size_t at, struct err *e)
    __attribute__((warn_unused_result));

/* The content of an object: in `plain` the object itself; else what its seal
 * holds, which is appended to room.  ERR_CORRUPT: it was changed, or is no
 * object of this repository, keyset, kind and id. */
int mf_keys_open(const struct mf_keys *k, enum mf_object kind, struct span id,
                 struct span object, struct buf *room, struct span *content,
                 struct err *e) __attribute__((warn_unused_result));

static inline void mf_keys_freep(struct mf_keys **k)
{
    mf_keys_free(*k);
}
#define AUTO_MF_KEYS AUTO(mf_keys_freep)

#endif
