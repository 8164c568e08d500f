// SPDX-License-Identifier: Apache-2.0
/* Private to manifest/. */
#ifndef MANIFEST_SLOT_PRIV_H
#define MANIFEST_SLOT_PRIV_H

/* What reading and writing of slots share. */
#include "manifest/slot.h"

/* The words of the enums, in their order. */
extern const char *const mf_slot_type_words[];
extern const char *const mf_slot_mode_words[];
extern const char *const mf_slot_alg_words[];

/* Which fields a slot of this type has. */
bool mf_slot_has_password(const struct mf_slot *s);
bool mf_slot_has_tag(const struct mf_slot *s); /* and iv */

/* How much of a slot there is; the rest is null. */
enum mf_slot_part {
    MF_SLOT_BARE,    /* without iv, data, tag and mac: what a wrap binds */
    MF_SLOT_WRAPPED, /* without mac: what that proves */
    MF_SLOT_WHOLE,
};

/* Checks every rule that is not one of shape; errors are of this kind. */
int mf_slot_check(const struct mf_slot *s, enum mf_slot_part part,
                  enum err_kind kind, struct err *e)
    __attribute__((warn_unused_result));

/* Writes a slot that was checked; errors stay in out. */
void mf_slot_write(const struct mf_slot *s, enum mf_slot_part part,
                   struct buf *out);

#endif
