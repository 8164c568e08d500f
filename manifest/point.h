// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_POINT_H
#define MANIFEST_POINT_H

/*
 * The point manifest: the JSON that describes one restore point (FORMAT.md
 * "Manifest").  In memory everything is owned by the struct; strings are
 * UTF-8, malloc'd, NULL where the JSON says null.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "manifest/id.h"
#include "manifest/keys.h"
#include "manifest/name.h" /* MF_NAME_MAX, MF_PATH_MAX, MF_TEXT_MAX */

#define MF_DISKS_MAX 1024
#define MF_FILES_MAX 65536
#define MF_SIZE_MAX (1ull << 50) /* bytes of a disk: 1 PiB */
#define MF_POINT_JSON_MAX (256u << 20)
#define MF_RETENTION_DAYS_MAX 1000000u /* keeps dates below the year 9999 */
#define MF_GFS_MAX 5000u               /* weeks, months or years kept */

enum mf_kind { MF_FULL, MF_INCREMENTAL };
enum mf_consistency { MF_CRASH, MF_FS, MF_APP };
enum mf_gfs { MF_GFS_WEEKLY = 1, MF_GFS_MONTHLY = 2, MF_GFS_YEARLY = 4 };

/* A stream of blocks: a disk, or a file of the VM. */
struct mf_stream {
    char *name;    /* disk: file name; file: path relative to the VM, '/' */
    char *bus;     /* disk: "virtio", ... or NULL */
    char *format;  /* disk: "raw", "qcow2", ... what the source was */
    uint32_t mode; /* file: permission bits (07777) */
    uint64_t size;
    uint32_t block_size;
    struct mf_page_ref {
        bool zero; /* null: a page of zeros */
        struct mf_id id;
    } * pages; /* mf_page_count(mf_block_count(size, block_size)) */
    uint64_t n_pages;
};

/* Retention policy in force; all zero: none, the point stays. */
struct mf_retention {
    bool present; /* then at least one of the numbers is not 0 */
    uint32_t days;
    uint32_t weekly, monthly, yearly;
    char *timezone; /* IANA name */
};

struct mf_point {
    struct {
        char *name;
        char *uuid;      /* or NULL */
        char *source;    /* "file:/path", "dir:/path", "libvirt:///system" */
        char *container; /* or NULL */
    } vm;
    char *job;    /* or NULL */
    int64_t time; /* the point in time, unix seconds */
    enum mf_kind kind;
    int64_t chain; /* time of the full that this chain began with */
    char *parent;  /* manifest file name of the parent, or NULL */
    enum mf_consistency consistency;
    struct mf_retention retention;
    unsigned gfs;         /* enum mf_gfs bits */
    int64_t locked_until; /* 0: null */
    struct mf_stream *disks;
    size_t n_disks;
    struct mf_stream *files;
    size_t n_files;
    struct {
        uint64_t source_bytes; /* sizes of disks and files */
        uint64_t read_bytes;
        uint64_t new_bytes;    /* plaintext of what was put */
        uint64_t stored_bytes; /* objects put: blocks and pages */
        uint64_t seconds;
    } stats;
    char *program; /* "objvault 0.1.0" */
};

struct mf_point *mf_point_new(struct err *e);
void mf_point_free(struct mf_point *p); /* NULL is fine */

/* Appends the manifest's bytes as they are stored in `plain`: canonical.
 * Refuses what mf_point_decode would refuse: ERR_FAILED. */
int mf_point_encode(const struct mf_point *p, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* Decodes hostile bytes; strict: names are safe to join to a folder (relative,
 * no "." or ".." components, no control characters; disks without '/'), all
 * names of a point are distinct, page counts fit sizes, encoding is canonical.
 * NULL: ERR_CORRUPT, ERR_UNSUPPORTED (newer version), ERR_NOMEM. */
struct mf_point *mf_point_decode(struct span bytes, struct err *e);

/* The manifest of a keyset: appends the bytes that are stored (the JSON in
 * `plain`, else an envelope that seals it), at most MF_POINT_JSON_MAX, and says
 * under which name.  ERR_FAILED as mf_point_encode. */
int mf_point_seal(const struct mf_keys *k, const struct mf_point *p,
                  struct buf *out, char vm_key[MF_VMKEY_CHARS],
                  char file[MF_POINT_FILE_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* The JSON in the stored bytes of <vm key>/<file>, which are checked against
 * the hash in the name.  In `plain` *json is `bytes`; else it is appended to
 * room.  ERR_CORRUPT: damaged, or of another name, keyset or repository. */
int mf_point_open(const struct mf_keys *k, const char *vm_key, const char *file,
                  struct span bytes, struct buf *room, struct span *json,
                  struct err *e) __attribute__((warn_unused_result));

/* The same and mf_point_decode, and that the manifest is that of the name's VM
 * and time. */
struct mf_point *mf_point_unseal(const struct mf_keys *k, const char *vm_key,
                                 const char *file, struct span bytes,
                                 struct err *e);

/* Whether stored bytes have the form of a sealed manifest: all that can be said
 * of them without their key.  ERR_CORRUPT: they are junk; ERR_UNSUPPORTED. */
int mf_point_is_sealed(struct span bytes, struct err *e)
    __attribute__((warn_unused_result));

static inline void mf_point_freep(struct mf_point **p)
{
    mf_point_free(*p);
}
#define AUTO_MF_POINT AUTO(mf_point_freep)

#endif
