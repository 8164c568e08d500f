// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_POINT_STORE_H
#define ENGINE_REPO_POINT_STORE_H

/* Points as a writer sees them: names without manifests, the newest one, and
 * making a new one visible. */
#include "engine/repo/points.h"

/* The names of all points (of one VM), manifests not read yet, for whoever goes
 * by what is not among them (collection).  ERR_CORRUPT: some may be hidden
 * (folders.h). */
int eng_points_names(struct eng_repo *r, const struct cancel *cancel,
                     const char *vm, struct eng_points *out, struct err *e)
    __attribute__((warn_unused_result));

/* The same of any keyset, by its name and a vm key (or NULL): takes no key. */
int eng_points_names_of(struct eng_repo *r, const struct cancel *cancel,
                        const char *keyset, const char *vm_key,
                        struct eng_points *out, struct err *e)
    __attribute__((warn_unused_result));

/* The same for a run, which goes on without those that are hidden, with a
 * warning: out->hidden_by. */
int eng_points_visible(struct eng_repo *r, const struct cancel *cancel,
                       const char *vm, struct eng_points *out, struct err *e)
    __attribute__((warn_unused_result));

/* Reads p's manifest; damage is no error but p->why. */
int eng_point_load(struct eng_repo *r, const struct cancel *cancel,
                   struct eng_point *p, struct err *e)
    __attribute__((warn_unused_result));

/* All visible names of a VM, and among them the newest point that verifies and
 * is not in the future (loaded), or NULL: what `latest` means, and a run's
 * parent. */
int eng_points_newest(struct eng_repo *r, const struct cancel *cancel,
                      const char *vm, struct eng_points *names,
                      struct eng_point **newest, struct err *e)
    __attribute__((warn_unused_result));

struct eng_point_made {
    int64_t sign_before;            /* in: as in struct obj_req */
    char file[MF_POINT_FILE_CHARS]; /* the manifest's file name */
    struct mf_key key;
    struct obj_info info; /* the answer to its put */
};

/* Puts the manifest: the moment at which the point becomes visible.  Every
 * page and block that it names was put, and answered, before; on a locked
 * repository all of it is locked until m->locked_until (extend.h), and so is
 * the manifest from its put on. */
int eng_point_put(struct eng_repo *r, const struct cancel *cancel,
                  const struct mf_point *m, struct eng_point_made *made,
                  struct err *e) __attribute__((warn_unused_result));

#endif
