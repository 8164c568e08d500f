// SPDX-License-Identifier: Apache-2.0
/* KMIP's messages.  Input: a selector (1 byte), then bytes.  The selector's low
 * half chooses what was asked (the table below, both of a batch or one item),
 * bits 4 and 5 the version, bit 6 whether the bytes are a response to it, or
 * the text, key and data that a request has.  A response that failed, or that
 * is none, yields no key; a request that is written passes its own check, and
 * holds what was put in. */
#include <string.h>

#include "kms/kmip.h"
#include "kms/ttlv.h"
#include "tests/fuzz/fuzz_mf.h"

static const struct kmip_version versions[] = {
    { 1, 0 }, { 1, 2 }, { 1, 4 }, { 2, 0 }
};

static const enum kmip_operation ops[] = {
    KMIP_CREATE,  KMIP_REGISTER, KMIP_LOCATE,
    KMIP_GET,     KMIP_ACTIVATE, KMIP_GET_ATTRIBUTES,
    KMIP_REVOKE,  KMIP_DESTROY,  KMIP_GET_ATTRIBUTE_LIST,
    KMIP_ENCRYPT, KMIP_DECRYPT,  KMIP_DISCOVER_VERSIONS,
    KMIP_QUERY,   KMIP_GET,      KMIP_ENCRYPT,
    KMIP_GET,
};

static const uint8_t zeros[32];

/* What is asked of one operation.  13: of a key of AES-256; 14: with a nonce of
 * the server's. */
static struct kmip_item ask(unsigned which, const char *uid)
{
    struct kmip_item it = { .op = ops[which],
                            .uid = uid,
                            .revoke = KMIP_SUPERSEDED,
                            .functions = 2,
                            .key = span_of(zeros, 32),
                            .data = span_of(zeros, 32) };

    if (it.op == KMIP_CREATE || it.op == KMIP_LOCATE ||
        it.op == KMIP_REGISTER || it.op == KMIP_QUERY ||
        it.op == KMIP_DISCOVER_VERSIONS)
        it.uid = NULL;
    if (which == 13)
        it.attrs = (struct kmip_attrs){
            .has = KMIP_ATTR_ALGORITHM | KMIP_ATTR_LENGTH,
            .algorithm = KMIP_AES,
            .length = 256,
        };
    if (which != 14)
        it.iv = span_of(zeros, 12);
    if (it.op == KMIP_DECRYPT)
        it.tag = span_of(zeros, 16);
    return it;
}

static void check_result(const struct kmip_item *asked,
                         const struct kmip_result *r)
{
    struct err e = { 0 };

    MUST(r->op == asked->op);
    MUST(strlen(r->uid) < KMIP_UID_CHARS);
    MUST(strlen(r->message) < KMIP_MESSAGE_CHARS);
    MUST(r->attrs.name_count <= KMIP_NAMES_MAX);
    MUST((kmip_result_check(r, &e) == 0) ==
         (r->answered && r->status == KMIP_SUCCESS));
    if (!r->answered || r->status != KMIP_SUCCESS) {
        MUST(r->key == NULL && r->data == NULL && r->uid[0] == '\0');
        MUST(r->found == 0 && r->attrs.has == 0 && r->version_count == 0);
        return;
    }
    MUST((r->key != NULL) == (asked->op == KMIP_GET));
    MUST((r->data != NULL) ==
         (asked->op == KMIP_ENCRYPT || asked->op == KMIP_DECRYPT));
    if (asked->uid != NULL)
        MUST(strcmp(asked->uid, r->uid) == 0);
    if (asked->attrs.has != 0)
        MUST(secret_span(r->key).len == 32);
    if (asked->op == KMIP_ENCRYPT)
        MUST(r->tag_len == 16 && (asked->iv.len > 0 || r->iv_len == 12));
}

static void fuzz_response(const struct kmip_request *q, struct span message)
{
    struct kmip_result results[2];
    struct err e = { 0 };

    if (kmip_decode(q, message, results, &e) < 0) {
        MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
        for (size_t i = 0; i < q->count; i++)
            MUST(results[i].key == NULL && results[i].data == NULL);
        return;
    }
    for (size_t i = 0; i < q->count; i++)
        check_result(&q->items[i], &results[i]);
    kmip_results_free(results, q->count);
}

/* The bytes as identifier, name, message, key, data and additional data. */
static void fuzz_request(struct kmip_request *q, struct kmip_item *it,
                         struct span bytes)
{
    char text[KMIP_UID_CHARS + 8];
    size_t n = bytes.len < sizeof(text) - 1 ? bytes.len : sizeof(text) - 1;
    struct err e = { 0 };
    struct ttlv_item root;
    AUTO_SECRET_BUF struct buf b = secret_buf(KMIP_REQUEST_MAX);

    memcpy(text, bytes.p, n);
    text[n] = '\0';
    if (it->uid != NULL)
        it->uid = text;
    it->message = text;
    it->key = it->data = it->aad = bytes;
    it->attrs.names[0] = span_str(text);
    it->attrs.name_count = 1;
    it->attrs.has |= KMIP_ATTR_NAME;
    q->username = text;
    q->password = bytes;
    if (kmip_encode(q, &b, &e) < 0)
        return;
    MUST(ttlv_check(buf_span(&b), &e) == 0);
    MUST(ttlv_root(buf_span(&b), &root) && root.tag == 0x420078);
    if (it->op == KMIP_REGISTER || it->op == KMIP_ENCRYPT)
        MUST(memmem(b.p, b.len, bytes.p, bytes.len) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    unsigned which = data[0] & 15;
    struct kmip_item items[2] = { ask(which, "1"), ask(5, "1") };
    struct kmip_request q = { .version = versions[data[0] >> 4 & 3],
                              .items = items,
                              .count = which == 15 ? 2 : 1 };
    struct span bytes = span_of(data + 1, size - 1);

    if ((data[0] & 0x40) == 0)
        fuzz_response(&q, bytes);
    else
        fuzz_request(&q, items, bytes);
    return 0;
}
