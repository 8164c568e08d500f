// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_POINTS_H
#define ENGINE_REPO_POINTS_H

/* Restore points: listing, finding, loading, deleting. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/repo/repo.h"
#include "manifest/keys.h"
#include "manifest/objkey.h"
#include "manifest/point.h"

struct eng_point {
    char keyset[MF_KEYSET_CHARS]; /* that it lies in */
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
    int64_t time;
    struct mf_point *manifest; /* owned; NULL: damaged, `why` says how */
    char *why;
    bool absent; /* why: there was no such object */
    bool sealed; /* the key of its keyset is not at hand: only its time is
                    known, and vm is its vm key */
    char vm[MF_NAME_MAX + 1]; /* manifest's name, or what the key tells */
};

/* The key of its manifest below the prefix. */
static inline struct mf_key eng_point_key(const struct eng_point *p)
{
    return mf_key_point(p->keyset, p->vm_key, p->file);
}

struct eng_points {
    struct eng_point *p; /* by VM name, then time */
    size_t n, cap;
    /* An object that may hide others (folders.h); "": there is none. */
    char hidden_by[MF_KEY_CHARS];
};

/* All points of the selected keyset (of one VM: vm not NULL), with their
 * manifests read and verified, damaged ones included.  No point at all is no
 * error; that some may be hidden (folders.h) is a warning, or, where none is
 * seen, ERR_CORRUPT. */
int eng_points_list(struct eng_repo *r, const struct cancel *cancel,
                    const char *vm, struct eng_points *out, struct err *e)
    __attribute__((warn_unused_result));
/* The same of all VMs, where even that all may be hidden is a warning. */
int eng_points_list_visible(struct eng_repo *r, const struct cancel *cancel,
                            struct eng_points *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_points_free(struct eng_points *ps);

/* The same over all keysets (keysets.h), one after the other, each in that
 * order.  Of those whose key is not at hand only `sealed` entries are there,
 * and none where a VM is asked for. */
int eng_points_list_all(struct eng_repo *r, const struct cancel *cancel,
                        const char *vm, struct eng_points *out, struct err *e)
    __attribute__((warn_unused_result));

/* eng_repo_stats, and the points that were read for it (eng_points_list). */
int eng_points_stats(struct eng_repo *r, const struct cancel *cancel,
                     struct eng_points *points, struct eng_repo_stats *out,
                     struct err *e) __attribute__((warn_unused_result));
#define AUTO_ENG_POINTS AUTO(eng_points_free)

/* "vm@2026-11-22T10:00:00Z" or "vm@latest", with "-<hex>" after the time; of
 * one point, malloc'd.  The suffix is written where ps has two of that time. */
char *eng_point_text(const struct eng_points *ps, const struct eng_point *p,
                     struct err *e);

/* Finds the point that text names ("vm@time", "vm@latest", "vm@time-<hex>");
 * its manifest may be damaged (NULL) unless "latest", which means the newest
 * that verifies and is not in the future.  Fills *out, to be freed with
 * eng_point_free.  ERR_USAGE: not a point's name, or ambiguous;
 * ERR_NOTFOUND; ERR_CORRUPT: it was lost, or may be hidden. */
int eng_point_find(struct eng_repo *r, const struct cancel *cancel,
                   const char *text, struct eng_point *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_point_free(struct eng_point *p);

/* The same in all keysets whose keys are at hand; the repository is switched to
 * the point's.  "latest" is the newest of all; a warning where some were
 * closed, or where it is in the clear and others are encrypted.  ERR_USAGE: two
 * of them have a point of this name. */
int eng_point_find_any(struct eng_repo *r, const struct cancel *cancel,
                       const char *text, struct eng_point *out, struct err *e)
    __attribute__((warn_unused_result));
#define AUTO_ENG_POINT AUTO(eng_point_free)

/* Removes the point's manifest; its blocks stay until collection. */
int eng_point_delete(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_point *p, struct err *e)
    __attribute__((warn_unused_result));

/* Whether the point's manifest is still there, in whatever version: 1, 0. */
int eng_point_is_there(struct eng_repo *r, const struct cancel *cancel,
                       const struct eng_point *p, struct err *e)
    __attribute__((warn_unused_result));

/* Something that the point needs is missing or damaged, as *e says.  If the
 * point was removed meanwhile that is no damage: *e becomes ERR_NOTFOUND and
 * says so.  Always -1. */
int eng_point_explain(struct eng_repo *r, const struct cancel *cancel,
                      const struct eng_point *p, struct err *e);

/* Appends the manifest's JSON, verified: in `plain` as it is stored. */
int eng_point_export(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_point *p, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

#endif
