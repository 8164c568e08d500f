// SPDX-License-Identifier: Apache-2.0
/* Private to the tests of kms/kmip*: the requests of the vectors, and answers
 * that no honest server gives. */
#ifndef TESTS_UNIT_KMS_KMIP_RIG_H
#define TESTS_UNIT_KMS_KMIP_RIG_H

#include "kms/kmip.h"
#include "kms/ttlv.h"
#include "tests/unit/kms/kms_test.h"
#include "tests/unit/kms/vectors.h"

#define V10 ((struct kmip_version){ 1, 0 })
#define V11 ((struct kmip_version){ 1, 1 })
#define V12 ((struct kmip_version){ 1, 2 })
#define V14 ((struct kmip_version){ 1, 4 })
#define V20 ((struct kmip_version){ 2, 0 })

#define O2_UID "49a1ca88-6bea-4fb2-b450-7e58802c3038"

static inline struct kmip_request
asking(struct kmip_version v, const struct kmip_item *items, size_t count)
{
    return (
        struct kmip_request){ .version = v, .items = items, .count = count };
}

static inline struct kmip_item create_aes128(void)
{
    return (struct kmip_item){
        .op = KMIP_CREATE,
        .attrs = { .has =
                       KMIP_ATTR_ALGORITHM | KMIP_ATTR_LENGTH | KMIP_ATTR_USAGE,
                   .algorithm = KMIP_AES,
                   .length = 128,
                   .usage = KMIP_USE_ENCRYPT | KMIP_USE_DECRYPT },
    };
}

/* Encrypt of 32 'D' under 00..1f, as the captured request has it. */
static inline struct kmip_item encrypt_item(void)
{
    static const uint8_t iv[12];

    return (struct kmip_item){
        .op = KMIP_ENCRYPT,
        .uid = "1",
        .data = span_str("DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"),
        .iv = span_of(iv, sizeof(iv)),
        .aad = span_str("repo=r1"),
    };
}

/* The request is these bytes. */
static inline void encodes(const struct kmip_request *q, const char *hex)
{
    AUTO_SECRET_BUF struct buf b = secret_buf(KMIP_REQUEST_MAX);

    must(kmip_encode(q, &b, why));
    assert_hex(buf_span(&b), hex);
}

/* Decodes a message that is given as hex; it stays in b. */
static inline void decodes(const struct kmip_request *q, struct buf *b,
                           const char *hex, struct kmip_result *results)
{
    add_hex(b, hex);
    must(kmip_decode(q, buf_span(b), results, why));
}

/* --- answers, put together --- */

struct answer {
    struct buf b;
    struct ttlv_writer w;
};

static inline void answer_free(struct answer *a)
{
    buf_free(&a->b);
}
#define AUTO_ANSWER AUTO(answer_free)

/* Begins a response whose header says that it has `count` items. */
static inline void answer_begin(struct answer *a, struct kmip_version v,
                                int32_t count)
{
    a->b = secret_buf(1 << 16);
    a->w = ttlv_writer(&a->b);
    ttlv_begin(&a->w, KMIP_RESPONSE_TAG);
    ttlv_begin(&a->w, 0x42007a);
    ttlv_begin(&a->w, 0x420069);
    ttlv_put_int(&a->w, 0x42006a, v.major);
    ttlv_put_int(&a->w, 0x42006b, v.minor);
    ttlv_end(&a->w);
    ttlv_put_date(&a->w, 0x420092, 1790000000);
    ttlv_put_int(&a->w, 0x42000d, count);
    ttlv_end(&a->w);
}

/* Begins an item and its payload.  op, id, reason 0: left out. */
static inline void item_begin(struct answer *a, uint32_t op, uint8_t id,
                              uint32_t status, uint32_t reason)
{
    ttlv_begin(&a->w, 0x42000f);
    if (op != 0)
        ttlv_put_enum(&a->w, 0x42005c, op);
    if (id != 0)
        ttlv_put_bytes(&a->w, 0x420093, span_of(&id, 1));
    ttlv_put_enum(&a->w, 0x42007f, status);
    if (reason != 0)
        ttlv_put_enum(&a->w, 0x42007e, reason);
    ttlv_begin(&a->w, 0x42007c);
}

static inline void item_end(struct answer *a)
{
    ttlv_end(&a->w);
    ttlv_end(&a->w);
}

static inline struct span answer_end(struct answer *a)
{
    ttlv_end(&a->w);
    must(ttlv_written(&a->w, why));
    return buf_span(&a->b);
}

static inline void put_uid(struct answer *a, const char *uid)
{
    ttlv_put_text(&a->w, 0x420094, span_str(uid));
}

#endif
