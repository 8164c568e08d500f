// SPDX-License-Identifier: Apache-2.0
/*
 * Operations on keys that exist: found by their name, fetched, looked at,
 * revoked, destroyed.  A key is always named by its identifier; a name only
 * serves to learn it, and is compared with what the server says it is.
 */
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "kms/kms_impl.h"

#define CHANGE_TRIES 3

int kms_check_text(const char *what, const char *text, size_t chars,
                   enum err_kind kind, struct err *e)
{
    size_t len = strnlen(text, chars);
    bool good = len > 0 && len < chars;

    for (size_t i = 0, n = 0; good && i < len; i += n) {
        const uint8_t *p = (const uint8_t *)text + i;
        n = utf8_len(p, len - i);
        good = n > 0 && !utf8_is_control(p, n);
    }
    if (!good)
        return err_set(e, kind, 0,
                       "the %s of a key has 1 to %zu bytes of UTF-8 and no "
                       "control characters",
                       what, chars - 1);
    return 0;
}

int kms_check_uid(const char *uid, struct err *e)
{
    return kms_check_text("identifier", uid, KMS_UID_CHARS, ERR_CONFIG, e);
}

struct kmip_attrs kms_key_kind(void)
{
    return (struct kmip_attrs){
        .has = KMIP_ATTR_OBJECT_TYPE | KMIP_ATTR_ALGORITHM | KMIP_ATTR_LENGTH,
        .object_type = KMIP_SYMMETRIC_KEY,
        .algorithm = KMIP_AES,
        .length = KMS_KEY_BITS,
    };
}

int kms_check_kind(const struct kmip_attrs *told, const char *name,
                   const char *uid, struct err *e)
{
    const struct kmip_attrs want = kms_key_kind();

    if ((told->has & want.has) != want.has ||
        told->object_type != want.object_type ||
        told->algorithm != want.algorithm || told->length != want.length)
        return err_set(e, ERR_CORRUPT, 0,
                       "key %s is no AES key of %d bits (type %u, algorithm "
                       "%u, %d bits)",
                       uid, KMS_KEY_BITS, told->object_type, told->algorithm,
                       (int)told->length);
    if (!kmip_attrs_named(told, name))
        return err_set(e, ERR_CORRUPT, 0,
                       "key %s, which the server found by the name %s, does "
                       "not have it",
                       uid, name);
    return 0;
}

struct kmip_item kms_ask_attributes(const char *uid, uint32_t which)
{
    return (struct kmip_item){
        .op = KMIP_GET_ATTRIBUTES,
        .uid = uid,
        .attrs = { .has = which },
    };
}

static bool is_destroyed(uint32_t state)
{
    return state == KMIP_DESTROYED || state == KMIP_DESTROYED_COMPROMISED;
}

int kms_check_state(const char *uid, uint32_t state, enum kms_use use,
                    bool allow_compromised, bool *deactivated, struct err *e)
{
    if (deactivated != NULL)
        *deactivated = state == KMIP_DEACTIVATED;
    if (state == KMIP_ACTIVE)
        return 0;
    if (is_destroyed(state))
        return err_set(e, ERR_NOTFOUND, 0, "key %s is %s", uid,
                       kmip_state_name(state));
    if (use == KMS_RESTORE && state == KMIP_DEACTIVATED) {
        log_warn("kms",
                 "key %s is deactivated: it still opens what it closed, "
                 "and nothing new",
                 uid);
        return 0;
    }
    if (use == KMS_RESTORE && state == KMIP_COMPROMISED) {
        if (allow_compromised) {
            log_warn("kms",
                     "key %s is compromised: what it opens may be made by "
                     "somebody else",
                     uid);
            return 0;
        }
        return err_set(e, ERR_DENIED, 0,
                       "key %s is compromised; it opens only what is restored "
                       "with compromised keys allowed",
                       uid);
    }
    return err_set(e, ERR_DENIED, 0, "key %s is %s and may not be used%s", uid,
                   kmip_state_name(state),
                   use == KMS_RESTORE ? "" : " for anything new");
}

int kms_state_allows(const char *uid, uint32_t state, enum kms_use use,
                     struct err *e)
{
    return kms_check_state(uid, state, use, false, NULL, e);
}

/* What a server said about the state, before it refused the rest. */
static void add_state(const struct kms_answer *a, struct err *e)
{
    const struct kmip_result *r = &a->results[0];

    if (r->answered && r->status == KMIP_SUCCESS &&
        (r->attrs.has & KMIP_ATTR_STATE) != 0)
        err_hint(e, "the key is %s", kmip_state_name(r->attrs.state));
}

static int state_of(const struct kmip_result *r, const char *uid,
                    uint32_t *state, struct err *e)
{
    if ((r->attrs.has & KMIP_ATTR_STATE) == 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "the server does not say in which state key %s is", uid);
    *state = r->attrs.state;
    return 0;
}

int kms_use_key(struct kms *k, const struct kms_wish *w,
                const struct kmip_item *item, struct kms_answer *a,
                bool *deactivated, struct err *e)
{
    const struct kms_ask ask = {
        /* First the state: it is known then, too, where the rest is refused. */
        .items = { kms_ask_attributes(item->uid, KMIP_ATTR_STATE), *item },
        .count = 2,
        .max = KMS_REPLY_MAX,
    };
    struct kms_limits l = kms_limits(k, w->cancel);
    uint32_t state = 0;

    if (kms_check_uid(item->uid, e) < 0)
        return -1;
    if (kms_call(k, &ask, &l, a, e) < 0) {
        add_state(a, e);
        return err_ctx(e, "key %s", item->uid);
    }
    if (state_of(&a->results[0], item->uid, &state, e) < 0)
        return -1;
    return kms_check_state(item->uid, state, w->use, w->allow_compromised,
                           deactivated, e);
}

int kms_key_get(struct kms *k, const struct cancel *cancel, const char *uid,
                enum kms_use use, bool allow_compromised, struct secret **key,
                bool *deactivated, struct err *e)
{
    const struct kmip_item get = {
        .op = KMIP_GET,
        .uid = uid,
        .attrs = kms_key_kind(),
    };
    const struct kms_wish w = {
        .cancel = cancel,
        .use = use,
        .allow_compromised = allow_compromised,
    };
    AUTO_ANSWER struct kms_answer a = { 0 };

    if (kms_use_key(k, &w, &get, &a, deactivated, e) < 0)
        return -1;
    struct kmip_result *r = &a.results[1];
    if (r->key == NULL || secret_span(r->key).len != KMS_KEY_BITS / 8)
        return err_set(e, ERR_CORRUPT, 0, "key %s does not have %d bits", uid,
                       KMS_KEY_BITS);
    *key = STEAL(r->key);
    return 0;
}

int kms_read_state(struct kms *k, const char *uid, const struct kms_limits *l,
                   uint32_t *state, struct err *e)
{
    const struct kms_ask ask = {
        .items = { kms_ask_attributes(uid, KMIP_ATTR_STATE) },
        .count = 1,
        .max = KMS_REPLY_MAX,
    };
    AUTO_ANSWER struct kms_answer a = { 0 };

    if (kms_check_uid(uid, e) < 0)
        return -1;
    if (kms_call(k, &ask, l, &a, e) < 0)
        return err_ctx(e, "key %s", uid);
    return state_of(&a.results[0], uid, state, e);
}

int kms_key_state(struct kms *k, const struct cancel *cancel, const char *uid,
                  enum kmip_state *state, struct err *e)
{
    struct kms_limits l = kms_limits(k, cancel);
    uint32_t told = 0;

    if (kms_read_state(k, uid, &l, &told, e) < 0)
        return -1;
    *state = (enum kmip_state)told;
    return 0;
}

int kms_find(struct kms *k, const char *name, const struct kms_limits *l,
             char uid[KMS_UID_CHARS], struct err *e)
{
    const struct kms_ask ask = {
        .items = { {
            .op = KMIP_LOCATE,
            .attrs = { .has = KMIP_ATTR_OBJECT_TYPE | KMIP_ATTR_NAME,
                       .object_type = KMIP_SYMMETRIC_KEY,
                       .names = { span_str(name) },
                       .name_count = 1 },
            .max_items = 2, /* enough to know that it is not unique */
        } },
        .count = 1,
        .max = KMS_LONG_REPLY_MAX,
    };
    AUTO_ANSWER struct kms_answer a = { 0 };

    if (kms_call(k, &ask, l, &a, e) < 0)
        return err_ctx(e, "look for key %s", name);
    const struct kmip_result *r = &a.results[0];
    if (r->found == 0)
        return err_set(e, ERR_NOTFOUND, 0, "key server %s has no key named %s",
                       k->name, name);
    if (r->found > 1)
        return err_set(e, ERR_EXISTS, 0,
                       "key server %s has more than one key named %s", k->name,
                       name);
    memcpy(uid, r->uid, KMS_UID_CHARS);
    return 0;
}

int kms_key_find(struct kms *k, const struct cancel *cancel, const char *name,
                 char uid[KMS_UID_CHARS], struct err *e)
{
    struct kms_limits l = kms_limits(k, cancel);

    if (kms_find(k, name, &l, uid, e) < 0)
        return -1;
    const struct kms_ask ask = {
        .items = { kms_ask_attributes(uid,
                                      kms_key_kind().has | KMIP_ATTR_NAME) },
        .count = 1,
        .max = KMS_REPLY_MAX,
    };
    AUTO_ANSWER struct kms_answer a = { 0 };
    if (kms_call(k, &ask, &l, &a, e) < 0)
        return err_ctx(e, "key %s", uid);
    return kms_check_kind(&a.results[0].attrs, name, uid, e);
}

int kms_change_state(struct kms *k, const struct kmip_item *change,
                     bool (*is_made)(uint32_t state),
                     const struct kms_limits *l, struct err *e)
{
    const struct kms_ask ask = {
        .items = { *change },
        .count = 1,
        .max = KMS_REPLY_MAX,
        .changes = true,
    };

    for (unsigned tries = 0; tries < CHANGE_TRIES; tries++) {
        AUTO_ANSWER struct kms_answer a = { 0 };
        struct err why;
        uint32_t state = 0;
        if (kms_call(k, &ask, l, &a, e) == 0)
            return 0;
        err_ctx(e, "key %s", change->uid);
        if (!a.unclear || e->kind == ERR_CANCELLED)
            return -1;
        if (kms_read_state(k, change->uid, l, &state, &why) < 0) {
            /* Destroyed keys are often forgotten as well. */
            if (why.kind == ERR_NOTFOUND && is_made(KMIP_DESTROYED))
                return 0;
            *e = why;
            return -1;
        }
        if (is_made(state))
            return 0;
    }
    return -1;
}

static bool is_deactivated(uint32_t state)
{
    return state == KMIP_DEACTIVATED;
}

static bool is_compromised(uint32_t state)
{
    return state == KMIP_COMPROMISED || state == KMIP_DESTROYED_COMPROMISED;
}

int kms_key_revoke(struct kms *k, const struct cancel *cancel, const char *uid,
                   enum kmip_revocation why, struct err *e)
{
    const struct kmip_item revoke = {
        .op = KMIP_REVOKE,
        .uid = uid,
        .revoke = why,
    };
    bool (*is_made)(uint32_t) =
        why == KMIP_KEY_COMPROMISE ? is_compromised : is_deactivated;
    struct kms_limits l = kms_limits(k, cancel);
    uint32_t state = 0;

    if (kms_read_state(k, uid, &l, &state, e) < 0)
        return -1;
    return is_made(state) ? 0 : kms_change_state(k, &revoke, is_made, &l, e);
}

int kms_key_destroy(struct kms *k, const struct cancel *cancel, const char *uid,
                    struct err *e)
{
    const struct kmip_item destroy = { .op = KMIP_DESTROY, .uid = uid };
    struct kms_limits l = kms_limits(k, cancel);

    if (kms_check_uid(uid, e) < 0)
        return -1;
    return kms_change_state(k, &destroy, is_destroyed, &l, e);
}
