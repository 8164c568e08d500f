// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_LEARN_H
#define ENGINE_REPO_LEARN_H

/* Bringing the local index up to date before a run writes. */
#include "engine/repo/points.h"
#include "engine/repo/repo.h"

/* What a run puts. */
enum eng_upload {
    ENG_UPLOAD_NEW,     /* what the index does not know */
    ENG_UPLOAD_MISSING, /* what a listing, made now, does not show */
    ENG_UPLOAD_ALL,     /* everything, known or not: repairs damaged objects */
};

/* Opens the index; fills a new one by listing the blocks (in parallel once
 * there are more than a thousand); reads the pages of manifests that it has
 * not seen (other hosts' work, or another process's).  Any mode but NEW
 * trusts no cache, but lists what is there.  A state folder
 * that cannot be used costs a warning: the index is kept in memory then.  Call
 * once, before any put.  On a locked repository the errors of a storage that
 * does not lock (ERR_CONFIG, ERR_UNSUPPORTED) and of a shifted time
 * (ERR_USAGE).  ERR_QUOTA: the hard quota is reached (quota.h). */
int eng_repo_prepare_writes(struct eng_repo *r, enum eng_upload upload,
                            const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* A point that was loaded, and that the index may not have seen: another host
 * made it since it was brought up to date.  The repository was prepared. */
int eng_repo_learn(struct eng_repo *r, const struct eng_point *p,
                   const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* The repository was found to lack (or to have damaged) what the index knows:
 * blocks are listed anew, pages put whether known or not. */
int eng_repo_distrust(struct eng_repo *r, const struct cancel *cancel,
                      struct err *e) __attribute__((warn_unused_result));

#endif
