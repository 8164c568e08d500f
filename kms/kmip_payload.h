// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KMIP_PAYLOAD_H
#define KMS_KMIP_PAYLOAD_H

/* Private to kms/kmip*.c: what a successful item brings. */
#include "kms/kmip_priv.h"

/* Fills r from the item's payload and holds it to what was asked.  -1 as
 * kmip_decode; what r owns then is freed by the caller. */
int kmip_read_payload(const struct kmip_item *asked,
                      const struct ttlv_item *item, struct kmip_result *r,
                      struct err *e);

/* A server's text for a log: whole characters up to the room, '?' for those
 * that move a terminal. */
void kmip_copy_clean(struct span text, char out[KMIP_MESSAGE_CHARS]);

bool kmip_read_version(const struct ttlv_item *item, struct kmip_version *v);

#endif
