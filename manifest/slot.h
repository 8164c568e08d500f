// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_SLOT_H
#define MANIFEST_SLOT_H

/*
 * A key slot: the data key of a keyset, wrapped in one way (FORMAT.md "Slots").
 * Wrapping itself is not done here: this is the document, and what a wrap
 * binds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "manifest/descriptor.h" /* MF_REPO_ID_CHARS */
#include "manifest/keys.h"       /* MF_SLOT_MAC_BYTES */
#include "manifest/objkey.h"     /* MF_KEYSET_CHARS, MF_SLOT_ID_CHARS */

#define MF_SLOT_JSON_MAX 16384
#define MF_SLOT_TEXT_CHARS 257 /* label, hint, names: 256 bytes and NUL */
#define MF_SLOT_DATA_MAX 1024  /* bytes of a wrapped key: RSA of 8,192 bits */
#define MF_SLOT_IV_BYTES 12
#define MF_SLOT_TAG_BYTES 16
#define MF_SLOT_SALT_BYTES 16
#define MF_SLOT_KCV_BYTES 8
#define MF_SLOT_PRINT_BYTES 16
/* What a reader takes of scrypt's parameters; memory is 128 * n * r bytes. */
#define MF_SCRYPT_N_MIN 1024u
#define MF_SCRYPT_N_MAX (1u << 20)
#define MF_SCRYPT_R_MAX 16u
#define MF_SCRYPT_P_MAX 4u
#define MF_SCRYPT_BYTES_MAX (512ull << 20)

enum mf_slot_type {
    MF_SLOT_PASSWORD,
    MF_SLOT_RECOVERY, /* a password too, made by the program */
    MF_SLOT_KMS,
    MF_SLOT_PUBKEY,
    MF_SLOT_REMOVED, /* this slot id has no key any more */
};
enum mf_slot_mode { MF_SLOT_GET, MF_SLOT_REMOTE };
enum mf_slot_alg { MF_SLOT_RSA_OAEP, MF_SLOT_X25519 };

/* Texts are UTF-8; "" is null where null is possible. */
struct mf_slot {
    char repo[MF_REPO_ID_CHARS];
    char keyset[MF_KEYSET_CHARS];
    char label[MF_SLOT_TEXT_CHARS];
    int64_t created;                  /* the keyset */
    char supersedes[MF_KEYSET_CHARS]; /* or "" */
    char slot[MF_SLOT_ID_CHARS];
    uint32_t gen; /* 1..MF_SLOT_GEN_MAX */
    int64_t made; /* this generation of the slot */
    enum mf_slot_type type;
    struct {
        char hint[MF_SLOT_TEXT_CHARS]; /* or "" */
        uint32_t n, r, p;              /* scrypt's */
        uint8_t salt[MF_SLOT_SALT_BYTES];
    } password; /* of MF_SLOT_PASSWORD and MF_SLOT_RECOVERY */
    struct {
        char name[MF_SLOT_TEXT_CHARS]; /* of the key server, as configured */
        char key[MF_SLOT_TEXT_CHARS];  /* its unique identifier there */
        char key_name[MF_SLOT_TEXT_CHARS]; /* and its name */
        enum mf_slot_mode mode;
        bool has_kcv;
        uint8_t kcv[MF_SLOT_KCV_BYTES];
    } kms; /* of MF_SLOT_KMS */
    struct {
        enum mf_slot_alg alg;
        uint8_t fingerprint[32]; /* SHA-256 of the public key */
        uint8_t ephemeral[32];   /* of MF_SLOT_X25519 */
    } pubkey;                    /* of MF_SLOT_PUBKEY */
    /* Not of MF_SLOT_REMOVED. */
    uint8_t key_print[MF_SLOT_PRINT_BYTES];
    uint8_t data[MF_SLOT_DATA_MAX]; /* the wrapped key */
    size_t data_len;
    /* Not with MF_SLOT_RSA_OAEP, which has neither. */
    uint8_t iv[MF_SLOT_IV_BYTES];
    uint8_t tag[MF_SLOT_TAG_BYTES];
    /* Of every type: who made the slot had the data key. */
    uint8_t mac[MF_SLOT_MAC_BYTES];
};

/* Appends the canonical JSON.  ERR_FAILED for what mf_slot_decode would
 * refuse. */
int mf_slot_encode(const struct mf_slot *s, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* What a wrap binds: the canonical JSON with iv, data, tag and mac null.  Those
 * of *s need not be set yet. */
int mf_slot_aad(const struct mf_slot *s, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* Sets the mac of a slot whose other fields are set; keys: its keyset's.
 * ERR_FAILED as of mf_slot_encode. */
int mf_slot_sign(struct mf_slot *s, const struct mf_keys *keys, struct err *e)
    __attribute__((warn_unused_result));

/* Whether all of a slot was written by somebody who had the data key: 1, 0. */
int mf_slot_proven(const struct mf_slot *s, const struct mf_keys *keys,
                   struct err *e) __attribute__((warn_unused_result));

/* Decodes hostile bytes, strictly.  ERR_CORRUPT, ERR_UNSUPPORTED (newer
 * version). */
int mf_slot_decode(struct span bytes, struct mf_slot *s, struct err *e)
    __attribute__((warn_unused_result));

/* That a decoded slot is that of this repository and object name; ERR_CORRUPT:
 * it was moved. */
int mf_slot_verify(const struct mf_slot *s, const char *repo, const char *key,
                   struct err *e) __attribute__((warn_unused_result));

/* "password", "recovery", "kms", "pubkey", "removed". */
const char *mf_slot_type_word(enum mf_slot_type type);

/* What a keyset can be labelled: a name of up to 256 bytes. */
bool mf_slot_label_ok(const char *label);

#endif
