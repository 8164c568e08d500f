// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_MODEL_READ_H
#define TESTS_INTERLEAVE_MODEL_READ_H

/* How the model reads a repository: by the formats alone, through the test's
 * own view of the storage.  Private to the model. */
#include "manifest/point.h"
#include "objstore/store.h"
#include "tests/interleave/guest.h"

struct model_refs {
    char **keys; /* owned, each once */
    size_t n, cap;
};

void model_refs_add(struct model_refs *r, const char *key);
void model_refs_free(struct model_refs *r);
bool model_refs_have(const struct model_refs *r, const char *key);

/* Reads the pages of a manifest into refs, and compares each entry with what
 * the machine held (NULL: not known; else ERR_CORRUPT where it differs). */
int model_read_point(struct obj_store *s, const struct mf_point *m,
                     const struct guest *g, struct model_refs *refs,
                     struct err *e);

/* An object of this name is there, in a version that is locked until then (0:
 * need not be). */
bool model_read_there(struct obj_store *s, const char *key, int64_t until,
                      char *why, size_t cap);

/* What lies under these names verifies. */
void model_read_bytes(struct obj_store *s, const char *point,
                      const struct model_refs *refs);

#endif
