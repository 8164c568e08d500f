// SPDX-License-Identifier: Apache-2.0
/*
 * Wrapping at the server: AES-256-GCM with additional data, which KMIP has
 * since 1.4.  The nonce is ours; before 1.4 there are servers that answer
 * without the tag, so older versions are refused.
 */
#include <string.h>

#include "base/digest.h"
#include "kms/kms_impl.h"

int kms_wrap_remote(struct kms *k, const struct cancel *cancel, const char *uid,
                    struct span aad, struct span key, uint8_t iv[12],
                    uint8_t *data, uint8_t tag[16], struct err *e)
{
    const struct kms_wish w = { .cancel = cancel, .use = KMS_WRAP };
    AUTO_ANSWER struct kms_answer a = { 0 };

    if (digest_random(iv, 12, e) < 0)
        return -1;
    const struct kmip_item encrypt = {
        .op = KMIP_ENCRYPT,
        .uid = uid,
        .data = key,
        .iv = span_of(iv, 12),
        .aad = aad,
    };
    if (kms_use_key(k, &w, &encrypt, &a, NULL, e) < 0)
        return -1;
    const struct kmip_result *r = &a.results[1];
    if (r->data == NULL || secret_span(r->data).len != key.len ||
        r->tag_len != 16)
        return err_set(e, ERR_CORRUPT, 0,
                       "key %s: the server encrypts to another length", uid);
    if (key.len > 0)
        memcpy(data, secret_span(r->data).p, key.len);
    memcpy(tag, r->tag, 16);
    return 0;
}

int kms_unwrap_remote(struct kms *k, const struct cancel *cancel,
                      const char *uid, enum kms_use use, bool allow_compromised,
                      struct span aad, const uint8_t iv[12], struct span data,
                      const uint8_t tag[16], struct secret **key,
                      bool *deactivated, struct err *e)
{
    const struct kms_wish w = {
        .cancel = cancel,
        .use = use,
        .allow_compromised = allow_compromised,
    };
    const struct kmip_item decrypt = {
        .op = KMIP_DECRYPT,
        .uid = uid,
        .data = data,
        .iv = span_of(iv, 12),
        .aad = aad,
        .tag = span_of(tag, 16),
    };
    AUTO_ANSWER struct kms_answer a = { 0 };

    if (kms_use_key(k, &w, &decrypt, &a, deactivated, e) < 0) {
        /* Some servers have no better word for a tag that does not fit. */
        if (a.results[1].answered &&
            a.results[1].reason == KMIP_GENERAL_FAILURE) {
            e->kind = ERR_CORRUPT;
            err_hint(e, "the slot may be damaged, or the key another one");
        }
        return -1;
    }
    struct kmip_result *r = &a.results[1];
    if (r->data == NULL || secret_span(r->data).len != data.len)
        return err_set(e, ERR_CORRUPT, 0,
                       "key %s: the server decrypts to another length", uid);
    *key = STEAL(r->data);
    return 0;
}
