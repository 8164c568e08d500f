// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_LOCKCHECK_H
#define ENGINE_REPO_LOCKCHECK_H

/* Private to engine/repo: whether a storage is one for a locked repository. */
#include "engine/repo/probe.h"
#include "objstore/store.h"

/* The bucket's settings.  ERR_CONFIG: no versions (status Enabled), no object
 * lock, a default retention (it would lock what must be deletable), or a
 * lifecycle rule that touches our objects.  Settings that these keys may not
 * read are logged as a warning. */
int eng_lockcheck_bucket(struct obj_store *store, const struct cancel *cancel,
                         struct err *e) __attribute__((warn_unused_result));

/* What a probe found.  ERR_UNSUPPORTED: locks do not hold here.  Nothing is
 * known: 0. */
int eng_lockcheck_probe(const struct eng_probe_record *probe, struct err *e)
    __attribute__((warn_unused_result));

/* Is this very version (NULL: the newest) locked until `until` or longer?
 * 1: it is; 0: these keys may not see it; -1: ERR_FAILED where it is not. */
int eng_lockcheck_object(struct obj_store *store, const struct cancel *cancel,
                         const char *key, const char *version, int64_t until,
                         struct err *e) __attribute__((warn_unused_result));

#endif
