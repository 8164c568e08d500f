// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_OBJKEY_H
#define MANIFEST_OBJKEY_H

/* Object names below the repository's prefix (FORMAT.md "Names"). */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "manifest/id.h"

#define MF_KEY_CHARS 512
#define MF_KEYSET_PLAIN "plain"
#define MF_KEYSET_CHARS 19  /* "k-", 16 hex digits, NUL; or "plain" */
#define MF_SLOT_ID_CHARS 17 /* 16 hex digits and NUL */
#define MF_SLOT_GEN_MAX 99999999u
#define MF_DESCRIPTOR_KEY "objvault.json"
#define MF_VMKEY_CHARS 256
#define MF_POINT_FILE_CHARS 40 /* "YYYYMMDDThhmmssZ-<16 hex>.json" and NUL */

struct mf_key { /* a name, by value */
    char s[MF_KEY_CHARS];
};

struct mf_key mf_key_block(const char *keyset, const struct mf_id *id);
struct mf_key mf_key_page(const char *keyset, const struct mf_id *id);
/* "<keyset>/blocks/" or, with prefix 0..255, "<keyset>/blocks/ab/". */
struct mf_key mf_key_blocks_prefix(const char *keyset, int prefix);
struct mf_key mf_key_pages_prefix(const char *keyset, int prefix);
/* "<keyset>/points/" or, with a vm key, "<keyset>/points/<vm key>/". */
struct mf_key mf_key_points_prefix(const char *keyset, const char *vm_key);
struct mf_key mf_key_point(const char *keyset, const char *vm_key,
                           const char *file);
/* "<keyset>/keep/" or, with a vm key, "<keyset>/keep/<vm key>/"; and the mark
 * in it that protects a point. */
struct mf_key mf_key_keeps_prefix(const char *keyset, const char *vm_key);
struct mf_key mf_key_keep(const char *keyset, const char *vm_key,
                          const char *file);

/* The id in a block's or page's name; false: junk. */
bool mf_key_parse_block(const char *key, const char *keyset, struct mf_id *id);
bool mf_key_parse_page(const char *key, const char *keyset, struct mf_id *id);

/* vm key and file name in a point's name (copied); false: junk. */
bool mf_key_parse_point(const char *key, const char *keyset,
                        char vm_key[MF_VMKEY_CHARS],
                        char file[MF_POINT_FILE_CHARS]);

/* The same of a mark's name. */
bool mf_key_parse_keep(const char *key, const char *keyset,
                       char vm_key[MF_VMKEY_CHARS],
                       char file[MF_POINT_FILE_CHARS]);

/* Whether key is the name of a folder in which objects of the keyset lie
 * ("plain", "plain/points/<vm key>", "plain/blocks/ab").  No object of ours is
 * named so, and no other may be: servers that keep objects as files leave out
 * of listings what lies below it. */
bool mf_key_is_folder(const char *key, const char *keyset);

/* The same of slots: "keysets", "keysets/k-...", "keysets/k-.../slots". */
bool mf_key_is_slot_folder(const char *key);

/* "k-" and 16 lower-case hex digits: an encrypted keyset. */
bool mf_keyset_ok(const char *keyset);

/* A key slot; "keysets/" or, with a keyset, "keysets/<keyset>/slots/"; and what
 * a slot's name says (copied; false: junk). */
struct mf_key mf_key_slot(const char *keyset, uint32_t gen, const char *slot);
struct mf_key mf_key_slots_prefix(const char *keyset);
struct mf_slot_name {
    char keyset[MF_KEYSET_CHARS];
    uint32_t gen; /* 1..MF_SLOT_GEN_MAX */
    char slot[MF_SLOT_ID_CHARS];
};
bool mf_key_parse_slot(const char *key, struct mf_slot_name *n);

/* The vm key of a name in `plain`: bytes outside [A-Za-z0-9.-] as _XX (upper
 * hex), a leading dot too; over 200 bytes, or where that looks like a cut key:
 * its first 120, '-', 16 hex digits of the name's SHA-256.  ERR_USAGE: the
 * name is empty or over MF_NAME_MAX bytes. */
int mf_vmkey_encode(const char *name, char out[MF_VMKEY_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* The name that a vm key stands for; false where it cannot be known (cut).
 * For showing points whose manifest cannot be read. */
bool mf_vmkey_decode(const char *vm_key, char out[MF_VMKEY_CHARS]);

/* File name of the manifest stored as `bytes`, and back: time and the 16 hex
 * digits (first 8 bytes of the bytes' SHA-256). */
int mf_point_file(int64_t time, struct span bytes,
                  char out[MF_POINT_FILE_CHARS], struct err *e)
    __attribute__((warn_unused_result));
bool mf_point_file_parse(const char *file, int64_t *time, uint8_t hash[8]);

/* Checks that the stored bytes are those that the file name promises. */
int mf_point_file_verify(const char *file, struct span bytes, struct err *e)
    __attribute__((warn_unused_result));

#endif
