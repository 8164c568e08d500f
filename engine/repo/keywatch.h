// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_KEYWATCH_H
#define ENGINE_REPO_KEYWATCH_H

/*
 * A run may take hours, and the key that opened its keyset may be revoked
 * meanwhile: whoever works for the run asks the key server now and then.  There
 * is no thread for it, as there is none for leases.  No key, no data: where the
 * answer is no, the run stops, and makes no point; where there is none, it goes
 * on for as long as was configured, which is not at all unless somebody said
 * so.
 */
#include "engine/repo/keyset_open.h"

struct eng_keywatch; /* of one keyset that was opened to be written to */

/* Of what opened a slot just now.  way's ctx is borrowed until it is freed.
 * *out was NULL or is freed; NULL where there is nothing to ask. */
int eng_keywatch_new(const struct eng_key_way *way, const struct mf_slot *s,
                     struct eng_keywatch **out, struct err *e)
    __attribute__((warn_unused_result));
/* One more that asks the same, for another handle; NULL where w is. */
int eng_keywatch_copy(const struct eng_keywatch *w, struct eng_keywatch **out,
                      struct err *e) __attribute__((warn_unused_result));
void eng_keywatch_free(struct eng_keywatch *w); /* NULL is fine */

/* Asks for the selected keyset, where it is time to.  Cheap otherwise; any
 * thread.  -1: nothing more may be written by this key; ERR_DENIED,
 * ERR_UNREACHABLE, ...; ERR_CANCELLED. */
int eng_keywatch_tick(struct eng_repo *r, const struct cancel *cancel,
                      struct err *e) __attribute__((warn_unused_result));

#endif
