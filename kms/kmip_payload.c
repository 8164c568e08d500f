// SPDX-License-Identifier: Apache-2.0
/* What a successful item of a response brings, by its operation. */
#include "kms/kmip_payload.h"

#include <string.h>

/* No key that a server gives us is longer. */
#define KEY_BYTES_MAX 1024

static int copy_uid(struct span uid, struct kmip_result *r, struct err *e)
{
    if (!kmip_uid_valid(uid))
        return err_set(e, ERR_CORRUPT, 0,
                       "an identifier that is empty, too long, or has control "
                       "characters");
    memcpy(r->uid, uid.p, uid.len);
    r->uid[uid.len] = '\0';
    return 0;
}

/* The object's identifier; it must be the one that was asked for, if one was.
 */
static int read_uid(const struct kmip_item *asked, const struct ttlv_item *in,
                    struct kmip_result *r, struct err *e)
{
    struct ttlv_item uid;

    if (!ttlv_find(in, TAG_UID, TTLV_TEXT, &uid))
        return err_set(e, ERR_CORRUPT, 0, "no identifier of the object");
    if (copy_uid(uid.value, r, e) < 0)
        return -1;
    if (asked->uid != NULL && !span_eq(uid.value, span_str(asked->uid)))
        return err_set(e, ERR_CORRUPT, 0,
                       "an answer about \"%.64s\", not "
                       "\"%.64s\"",
                       r->uid, asked->uid);
    return 0;
}

/* --- keys --- */

/* The bytes within KeyMaterial, in either format. */
static int find_material(const struct ttlv_item *block,
                         const struct ttlv_item *value, struct span *material,
                         struct err *e)
{
    struct ttlv_item format, item;
    uint32_t f = 0;

    if (!ttlv_find(block, TAG_KEY_FORMAT, TTLV_ENUM, &format) ||
        !ttlv_enum(&format, &f))
        return err_set(e, ERR_CORRUPT, 0, "a key without a format");
    if (f != KEY_FORMAT_RAW && f != KEY_FORMAT_TRANSPARENT)
        return err_set(e, ERR_UNSUPPORTED, 0, "a key in format %u", f);
    bool found = false;
    if (f == KEY_FORMAT_RAW)
        found = ttlv_find(value, TAG_KEY_MATERIAL, TTLV_BYTES, &item);
    else
        found = ttlv_find(value, TAG_KEY_MATERIAL, TTLV_STRUCTURE, &item) &&
                ttlv_find(&item, TAG_KEY, TTLV_BYTES, &item);
    if (!found || item.value.len == 0 || item.value.len > KEY_BYTES_MAX)
        return err_set(e, ERR_CORRUPT, 0, "a key without key material");
    *material = item.value;
    return 0;
}

/* Algorithm and length stand in the key block; where the block leaves them out,
 * among the attributes within the key value. */
static int read_kind(const struct ttlv_item *block,
                     const struct ttlv_item *value, struct kmip_attrs *out,
                     struct err *e)
{
    struct kmip_attrs within = { .has = 0 };
    struct ttlv_item item;

    if (kmip_read_attrs(value, &within, e) < 0)
        return -1;
    out->algorithm = within.algorithm;
    out->length = within.length;
    out->has = within.has & (KMIP_ATTR_ALGORITHM | KMIP_ATTR_LENGTH);
    if (ttlv_find(block, TAG_ALGORITHM, TTLV_ENUM, &item)) {
        (void)ttlv_enum(&item, &out->algorithm);
        out->has |= KMIP_ATTR_ALGORITHM;
    }
    if (ttlv_find(block, TAG_LENGTH, TTLV_INTEGER, &item)) {
        (void)ttlv_int(&item, &out->length);
        out->has |= KMIP_ATTR_LENGTH;
    }
    if (((within.has & KMIP_ATTR_ALGORITHM) != 0 &&
         within.algorithm != out->algorithm) ||
        ((within.has & KMIP_ATTR_LENGTH) != 0 && within.length != out->length))
        return err_set(e, ERR_CORRUPT, 0, "a key of two kinds at once");
    return 0;
}

static int check_kind(const struct kmip_attrs *asked,
                      const struct kmip_attrs *got, size_t bytes, struct err *e)
{
    uint32_t want = asked->has & (KMIP_ATTR_ALGORITHM | KMIP_ATTR_LENGTH);
    bool aes =
        (got->has & KMIP_ATTR_ALGORITHM) != 0 && got->algorithm == KMIP_AES;

    if ((want & ~got->has) != 0 ||
        ((want & KMIP_ATTR_ALGORITHM) != 0 &&
         got->algorithm != asked->algorithm) ||
        ((want & KMIP_ATTR_LENGTH) != 0 && got->length != asked->length))
        return err_set(e, ERR_CORRUPT, 0,
                       "a key of algorithm %u and %d bits, not of %u and %d",
                       got->algorithm, (int)got->length, asked->algorithm,
                       (int)asked->length);
    /* Other algorithms count otherwise: triple DES leaves parity bits out. */
    if (aes && (got->has & KMIP_ATTR_LENGTH) != 0 &&
        (got->length < 0 || (size_t)got->length != bytes * 8))
        return err_set(e, ERR_CORRUPT, 0, "an AES key of %d bits in %zu bytes",
                       (int)got->length, bytes);
    return 0;
}

static int read_key(const struct kmip_item *asked, const struct ttlv_item *in,
                    struct kmip_result *r, struct err *e)
{
    struct ttlv_item type, object, block, value, wrapping;
    struct span material = { NULL, 0 };

    r->attrs.has = 0;
    if (!ttlv_find(in, TAG_OBJECT_TYPE, TTLV_ENUM, &type) ||
        !ttlv_enum(&type, &r->attrs.object_type))
        return err_set(e, ERR_CORRUPT, 0, "an object without a type");
    if (r->attrs.object_type != KMIP_SYMMETRIC_KEY)
        return err_set(e, ERR_CORRUPT, 0,
                       "an object of type %u, which is no symmetric key",
                       r->attrs.object_type);
    if (!ttlv_find(in, TAG_SYMMETRIC_KEY, TTLV_STRUCTURE, &object) ||
        !ttlv_find(&object, TAG_KEY_BLOCK, TTLV_STRUCTURE, &block))
        return err_set(e, ERR_CORRUPT, 0, "no key in the answer");
    if (ttlv_find(&block, TAG_KEY_WRAPPING_DATA, TTLV_STRUCTURE, &wrapping) ||
        ttlv_find(&block, TAG_KEY_VALUE, TTLV_BYTES, &value))
        return err_set(e, ERR_UNSUPPORTED, 0, "the server gives a wrapped key");
    if (!ttlv_find(&block, TAG_KEY_VALUE, TTLV_STRUCTURE, &value))
        return err_set(e, ERR_CORRUPT, 0, "a key without a value");
    if (find_material(&block, &value, &material, e) < 0 ||
        read_kind(&block, &value, &r->attrs, e) < 0 ||
        check_kind(&asked->attrs, &r->attrs, material.len, e) < 0)
        return -1;
    r->attrs.has |= KMIP_ATTR_OBJECT_TYPE;
    r->key = secret_new(material, e);
    return r->key != NULL ? 0 : -1;
}

/* --- the other operations --- */

static void read_object_type(const struct ttlv_item *in, struct kmip_result *r)
{
    struct ttlv_item type;

    if (ttlv_find(in, TAG_OBJECT_TYPE, TTLV_ENUM, &type) &&
        ttlv_enum(&type, &r->attrs.object_type))
        r->attrs.has |= KMIP_ATTR_OBJECT_TYPE;
}

static int read_located(const struct ttlv_item *in, struct kmip_result *r,
                        struct err *e)
{
    struct ttlv_cursor c = ttlv_children(in);
    struct ttlv_item item;
    int32_t all = 0;

    while (ttlv_next(&c, &item)) {
        if (item.tag != TAG_UID || item.type != TTLV_TEXT)
            continue;
        if (r->found++ == 0 && copy_uid(item.value, r, e) < 0)
            return -1;
    }
    /* A server may tell fewer than fit: what is one of many is not the one. */
    if (r->found > 0 && ttlv_find(in, TAG_LOCATED_ITEMS, TTLV_INTEGER, &item) &&
        ttlv_int(&item, &all) && all > 0 && (size_t)all > r->found)
        r->found = (size_t)all;
    return 0;
}

static int read_gcm_tag(const struct ttlv_item *in, struct kmip_result *r,
                        struct err *e)
{
    struct ttlv_item tag;

    if (!ttlv_find(in, TAG_AUTHENTICATED_TAG, TTLV_BYTES, &tag))
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "the server encrypts without giving GCM's tag");
    if (tag.value.len != GCM_TAG_BYTES)
        return err_set(e, ERR_CORRUPT, 0, "a tag of %zu bytes", tag.value.len);
    memcpy(r->tag, tag.value.p, tag.value.len);
    r->tag_len = tag.value.len;
    return 0;
}

static int read_iv(const struct kmip_item *asked, const struct ttlv_item *in,
                   struct kmip_result *r, struct err *e)
{
    struct ttlv_item iv;
    bool told = ttlv_find(in, TAG_IV, TTLV_BYTES, &iv);

    if (!told && asked->iv.len > 0)
        return 0;
    if (!told || iv.value.len != GCM_IV_BYTES ||
        (asked->iv.len > 0 && !span_eq(iv.value, asked->iv)))
        return err_set(e, ERR_CORRUPT, 0,
                       "no nonce in the answer, or not the one that was sent");
    memcpy(r->iv, iv.value.p, iv.value.len);
    r->iv_len = iv.value.len;
    return 0;
}

static int read_gcm(const struct kmip_item *asked, const struct ttlv_item *in,
                    struct kmip_result *r, struct err *e)
{
    struct ttlv_item data;

    if (asked->op == KMIP_ENCRYPT &&
        (read_gcm_tag(in, r, e) < 0 || read_iv(asked, in, r, e) < 0))
        return -1;
    if (!ttlv_find(in, TAG_DATA, TTLV_BYTES, &data) ||
        data.value.len != asked->data.len)
        return err_set(
            e, ERR_CORRUPT, 0,
            "no data in the answer, or not as long as what was sent");
    r->data = secret_new(data.value, e);
    return r->data != NULL ? 0 : -1;
}

static void read_query(const struct ttlv_item *in, struct kmip_result *r)
{
    struct ttlv_cursor c = ttlv_children(in);
    struct ttlv_item item;
    uint32_t op = 0;

    while (ttlv_next(&c, &item)) {
        if (item.tag == TAG_OPERATION && ttlv_enum(&item, &op) && op < 64)
            r->operations |= (uint64_t)1 << op;
        else if (item.tag == TAG_VENDOR && item.type == TTLV_TEXT)
            kmip_copy_clean(item.value, r->vendor);
    }
}

static void read_versions(const struct ttlv_item *in, struct kmip_result *r)
{
    struct ttlv_cursor c = ttlv_children(in);
    struct ttlv_item item;

    while (r->version_count < KMIP_VERSIONS_MAX && ttlv_next(&c, &item))
        if (item.tag == TAG_PROTOCOL_VERSION &&
            kmip_read_version(&item, &r->versions[r->version_count]))
            r->version_count++;
}

static int read_operation(const struct kmip_item *asked,
                          const struct ttlv_item *in, struct kmip_result *r,
                          struct err *e)
{
    switch (asked->op) {
    case KMIP_CREATE:
        read_object_type(in, r);
        return read_uid(asked, in, r, e);
    case KMIP_LOCATE:
        return read_located(in, r, e);
    case KMIP_QUERY:
        read_query(in, r);
        return 0;
    case KMIP_DISCOVER_VERSIONS:
        read_versions(in, r);
        return 0;
    case KMIP_GET:
        return read_uid(asked, in, r, e) < 0 ? -1 : read_key(asked, in, r, e);
    case KMIP_GET_ATTRIBUTES:
        return read_uid(asked, in, r, e) < 0
                   ? -1
                   : kmip_read_attrs(in, &r->attrs, e);
    case KMIP_GET_ATTRIBUTE_LIST:
        r->attrs.has = kmip_read_attr_names(in);
        return read_uid(asked, in, r, e);
    case KMIP_ENCRYPT:
    case KMIP_DECRYPT:
        return read_uid(asked, in, r, e) < 0 ? -1 : read_gcm(asked, in, r, e);
    case KMIP_REGISTER:
    case KMIP_ACTIVATE:
    case KMIP_REVOKE:
    case KMIP_DESTROY:
        return read_uid(asked, in, r, e);
    }
    return err_set(e, ERR_INTERNAL, 0, "no such KMIP operation");
}

int kmip_read_payload(const struct kmip_item *asked,
                      const struct ttlv_item *item, struct kmip_result *r,
                      struct err *e)
{
    struct ttlv_item payload = { .type = TTLV_STRUCTURE };
    const char *name = kmip_operation_name((uint32_t)asked->op);

    /* Where nothing was found some leave the payload out: then it is empty. */
    if (!ttlv_find(item, TAG_RESPONSE_PAYLOAD, TTLV_STRUCTURE, &payload))
        payload = (struct ttlv_item){ .type = TTLV_STRUCTURE };
    if (read_operation(asked, &payload, r, e) < 0)
        return err_ctx(e, "KMIP %s", name);
    return 0;
}
