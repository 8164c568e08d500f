// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_MODEL_H
#define TESTS_INTERLEAVE_MODEL_H

/*
 * What must be so, whatever happened: a visible manifest's pages and blocks are
 * there, hold what the machine held, and on a locked repository are locked for
 * as long as the manifest says.  Looked at when a manifest appears, when
 * anything is removed, and at the end.
 */
#include "base/span.h"
#include "objstore/store.h"
#include "tests/interleave/guest.h"

/* store: the test's own view (net_observe), borrowed.  Without a beginning
 * nothing is looked at. */
void model_begin(struct obj_store *store, bool locked);
void model_end(void);

/* The machine that the running actor is about to back up, or NULL. */
void model_machine(const struct guest *g);

/* The line's reports: about to be sent; stored; removed. */
void model_signed(const char *key);
void model_put(const char *key, struct span body);
void model_removed(const char *key);

/* Looks at all that is visible, down to the bytes. */
void model_check(void);

/* Blocks and pages that no visible point needs (and no lock holds). */
unsigned model_garbage(void);

/* Whether this manifest is there, by what the model saw. */
bool model_is_visible(const char *key);

/* Points that ever became visible, and those that are. */
unsigned model_points_made(void);
unsigned model_points(void);

#endif
