// SPDX-License-Identifier: Apache-2.0
/* Requests of KMIP.  The order of fields is the specification's: servers refuse
 * another. */
#include <string.h>

#include "base/utf8.h"
#include "kms/kmip_priv.h"

/* --- what may be asked --- */

static bool is_text(struct span s)
{
    for (size_t i = 0, n = 0; i < s.len; i += n) {
        n = utf8_len(s.p + i, s.len - i);
        if (n == 0)
            return false;
    }
    return true;
}

static int check_version(const struct kmip_request *q, struct err *e)
{
    struct kmip_version v = q->version;
    bool known = (v.major == 1 && v.minor >= 0 && v.minor <= 4) ||
                 (v.major == 2 && v.minor >= 0 && v.minor <= 1);

    if (!known)
        return err_set(e, ERR_UNSUPPORTED, 0, "no KMIP version %d.%d", v.major,
                       v.minor);
    if (q->count == 0 || q->count > KMIP_BATCH_MAX)
        return err_set(e, ERR_INTERNAL, 0, "KMIP request of %zu items",
                       q->count);
    if (q->username != NULL &&
        (!is_text(span_str(q->username)) || !is_text(q->password)))
        return err_set(e, ERR_CONFIG, 0,
                       "the key server's username or password is not UTF-8");
    return 0;
}

static bool names_object(enum kmip_operation op)
{
    return op != KMIP_CREATE && op != KMIP_REGISTER && op != KMIP_LOCATE &&
           op != KMIP_QUERY && op != KMIP_DISCOVER_VERSIONS;
}

static int check_names(const struct kmip_attrs *a, struct err *e)
{
    if (((a->has & KMIP_ATTR_NAME) != 0 && a->name_count == 0) ||
        a->name_count > KMIP_NAMES_MAX)
        return err_set(e, ERR_INTERNAL, 0, "%zu names of a key", a->name_count);
    for (size_t i = 0; i < a->name_count; i++)
        if (a->names[i].len == 0 || !is_text(a->names[i]))
            return err_set(e, ERR_USAGE, 0, "a key's name is not UTF-8");
    return 0;
}

static int check_gcm(const struct kmip_item *it, struct err *e)
{
    bool encrypt = it->op == KMIP_ENCRYPT;
    bool iv = it->iv.len == GCM_IV_BYTES || (encrypt && it->iv.len == 0);

    if (!iv || it->tag.len != (encrypt ? 0 : GCM_TAG_BYTES))
        return err_set(e, ERR_INTERNAL, 0,
                       "GCM with a nonce of %zu bytes and "
                       "a tag of %zu",
                       it->iv.len, it->tag.len);
    return 0;
}

static int check_item(struct kmip_version v, const struct kmip_item *it,
                      struct err *e)
{
    int minor = v.major > 1 ? 9 : v.minor;
    bool gcm = it->op == KMIP_ENCRYPT || it->op == KMIP_DECRYPT;

    if ((it->op == KMIP_DISCOVER_VERSIONS && minor < 1) || (gcm && minor < 4))
        return err_set(e, ERR_UNSUPPORTED, 0, "KMIP %d.%d has no %s%s", v.major,
                       v.minor, kmip_operation_name(it->op),
                       gcm ? " with AES-GCM; it needs 1.4" : "");
    if (names_object(it->op) &&
        (it->uid == NULL || !kmip_uid_valid(span_str(it->uid))))
        return err_set(e, ERR_USAGE, 0,
                       "a key's identifier has 1 to %d bytes of UTF-8 without "
                       "control characters",
                       KMIP_UID_CHARS - 1);
    if (it->op == KMIP_REGISTER && it->key.len == 0)
        return err_set(e, ERR_INTERNAL, 0, "no key to be registered");
    if (it->compromised != 0 && it->revoke != KMIP_KEY_COMPROMISE &&
        it->revoke != KMIP_CA_COMPROMISE)
        return err_set(e, ERR_INTERNAL, 0,
                       "a revocation that is no "
                       "compromise has no date of one");
    if (it->message != NULL && !is_text(span_str(it->message)))
        return err_set(e, ERR_USAGE, 0, "the reason is not UTF-8");
    if (gcm && check_gcm(it, e) < 0)
        return -1;
    /* Elsewhere attributes are named, and have no values. */
    bool told = it->op == KMIP_CREATE || it->op == KMIP_REGISTER ||
                it->op == KMIP_LOCATE;
    return told ? check_names(&it->attrs, e) : 0;
}

/* --- payloads --- */

static void put_version(struct ttlv_writer *w, struct kmip_version v)
{
    ttlv_begin(w, TAG_PROTOCOL_VERSION);
    ttlv_put_int(w, TAG_VERSION_MAJOR, v.major);
    ttlv_put_int(w, TAG_VERSION_MINOR, v.minor);
    ttlv_end(w);
}

/* The attributes of a new object; its type stands before them. */
static void put_template(struct ttlv_writer *w, struct kmip_version v,
                         const struct kmip_attrs *a)
{
    struct kmip_attrs rest = *a;

    rest.has &= ~(uint32_t)KMIP_ATTR_OBJECT_TYPE;
    ttlv_put_enum(w, TAG_OBJECT_TYPE, KMIP_SYMMETRIC_KEY);
    if (v.major < 2)
        ttlv_begin(w, TAG_TEMPLATE_ATTRIBUTE);
    kmip_put_attrs(w, v, &rest);
    if (v.major < 2)
        ttlv_end(w);
}

static void put_key(struct ttlv_writer *w, const struct kmip_item *it)
{
    ttlv_begin(w, TAG_SYMMETRIC_KEY);
    ttlv_begin(w, TAG_KEY_BLOCK);
    ttlv_put_enum(w, TAG_KEY_FORMAT, KEY_FORMAT_RAW);
    ttlv_begin(w, TAG_KEY_VALUE);
    ttlv_put_bytes(w, TAG_KEY_MATERIAL, it->key);
    ttlv_end(w);
    ttlv_put_enum(w, TAG_ALGORITHM, it->attrs.algorithm);
    ttlv_put_int(w, TAG_LENGTH, it->attrs.length);
    ttlv_end(w);
    ttlv_end(w);
}

static void put_locate(struct ttlv_writer *w, struct kmip_version v,
                       const struct kmip_item *it)
{
    if (it->max_items > 0)
        ttlv_put_int(w, TAG_MAXIMUM_ITEMS, it->max_items);
    kmip_put_attrs(w, v, &it->attrs);
}

static void put_revoke(struct ttlv_writer *w, const struct kmip_item *it)
{
    ttlv_begin(w, TAG_REVOCATION_REASON);
    ttlv_put_enum(w, TAG_REVOCATION_CODE, (uint32_t)it->revoke);
    if (it->message != NULL)
        ttlv_put_text(w, TAG_REVOCATION_MESSAGE, span_str(it->message));
    ttlv_end(w);
    if (it->compromised != 0)
        ttlv_put_date(w, TAG_COMPROMISE_OCCURRENCE, it->compromised);
}

static void put_gcm(struct ttlv_writer *w, const struct kmip_item *it)
{
    ttlv_begin(w, TAG_CRYPTOGRAPHIC_PARAMETERS);
    ttlv_put_enum(w, TAG_BLOCK_CIPHER_MODE, 9); /* GCM */
    ttlv_put_enum(w, TAG_ALGORITHM, KMIP_AES);
    if (it->iv.len == 0) {
        ttlv_put_bool(w, TAG_RANDOM_IV, true);
        ttlv_put_int(w, TAG_IV_LENGTH, GCM_IV_BYTES);
    }
    ttlv_put_int(w, TAG_TAG_LENGTH, GCM_TAG_BYTES);
    ttlv_end(w);
    ttlv_put_bytes(w, TAG_DATA, it->data);
    if (it->iv.len > 0)
        ttlv_put_bytes(w, TAG_IV, it->iv);
    if (it->aad.len > 0)
        ttlv_put_bytes(w, TAG_AAD, it->aad);
    if (it->op == KMIP_DECRYPT)
        ttlv_put_bytes(w, TAG_AUTHENTICATED_TAG, it->tag);
}

static void put_query(struct ttlv_writer *w, const struct kmip_item *it)
{
    for (uint32_t f = 1; f < 32; f++)
        if ((it->functions & (uint32_t)1 << f) != 0)
            ttlv_put_enum(w, TAG_QUERY_FUNCTION, f);
}

static void put_payload(struct ttlv_writer *w, struct kmip_version v,
                        const struct kmip_item *it)
{
    if (names_object(it->op))
        ttlv_put_text(w, TAG_UID, span_str(it->uid));
    switch (it->op) {
    case KMIP_CREATE:
        put_template(w, v, &it->attrs);
        break;
    case KMIP_REGISTER:
        put_template(w, v, &it->attrs);
        put_key(w, it);
        break;
    case KMIP_LOCATE:
        put_locate(w, v, it);
        break;
    case KMIP_GET_ATTRIBUTES:
        kmip_put_attr_names(w, v, it->attrs.has);
        break;
    case KMIP_REVOKE:
        put_revoke(w, it);
        break;
    case KMIP_QUERY:
        put_query(w, it);
        break;
    case KMIP_DISCOVER_VERSIONS:
        for (size_t i = 0; i < it->version_count; i++)
            put_version(w, it->versions[i]);
        break;
    case KMIP_ENCRYPT:
    case KMIP_DECRYPT:
        put_gcm(w, it);
        break;
    case KMIP_GET:
    case KMIP_GET_ATTRIBUTE_LIST:
    case KMIP_ACTIVATE:
    case KMIP_DESTROY:
        break;
    }
}

/* --- the message --- */

static void put_credential(struct ttlv_writer *w, const struct kmip_request *q)
{
    ttlv_begin(w, TAG_AUTHENTICATION);
    ttlv_begin(w, TAG_CREDENTIAL);
    ttlv_put_enum(w, TAG_CREDENTIAL_TYPE, 1); /* username and password */
    ttlv_begin(w, TAG_CREDENTIAL_VALUE);
    ttlv_put_text(w, TAG_USERNAME, span_str(q->username));
    if (q->password.len > 0)
        ttlv_put_text(w, TAG_PASSWORD, q->password);
    ttlv_end(w);
    ttlv_end(w);
    ttlv_end(w);
}

static void put_header(struct ttlv_writer *w, const struct kmip_request *q)
{
    ttlv_begin(w, TAG_REQUEST_HEADER);
    put_version(w, q->version);
    if (q->max_response > 0)
        ttlv_put_int(w, TAG_MAXIMUM_RESPONSE, q->max_response);
    if (q->username != NULL)
        put_credential(w, q);
    ttlv_put_int(w, TAG_BATCH_COUNT, (int32_t)q->count);
    ttlv_end(w);
}

static void put_item(struct ttlv_writer *w, const struct kmip_request *q,
                     size_t i)
{
    uint8_t id = (uint8_t)(i + 1);

    ttlv_begin(w, TAG_BATCH_ITEM);
    ttlv_put_enum(w, TAG_OPERATION, (uint32_t)q->items[i].op);
    if (q->count > 1)
        ttlv_put_bytes(w, TAG_BATCH_ITEM_ID, span_of(&id, sizeof(id)));
    ttlv_begin(w, TAG_REQUEST_PAYLOAD);
    put_payload(w, q->version, &q->items[i]);
    ttlv_end(w);
    ttlv_end(w);
}

int kmip_encode(const struct kmip_request *request, struct buf *out,
                struct err *e)
{
    struct ttlv_writer w = ttlv_writer(out);

    if (check_version(request, e) < 0)
        return -1;
    for (size_t i = 0; i < request->count; i++)
        if (check_item(request->version, &request->items[i], e) < 0)
            return -1;
    ttlv_begin(&w, TAG_REQUEST);
    put_header(&w, request);
    for (size_t i = 0; i < request->count; i++)
        put_item(&w, request, i);
    ttlv_end(&w);
    return ttlv_written(&w, e);
}
