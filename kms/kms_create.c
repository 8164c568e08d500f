// SPDX-License-Identifier: Apache-2.0
/*
 * A new key: Create, Activate, read back.  Where the answer to Create is lost,
 * the key may exist or not: it is looked for by its name, which nobody else
 * uses, and taken if it is the only one.  A second Create would leave a key
 * behind that nobody knows, so it never happens.
 */
#include <string.h>

#include "base/log.h"
#include "kms/kms_impl.h"

/* A server that lost a connection may still be at work, and replicas lag. */
#define ADOPT_TRIES 5
#define ADOPT_PAUSE_MS 400

static int check_name(const char *name, struct err *e)
{
    return kms_check_text("name", name, KMS_NAME_CHARS, ERR_USAGE, e);
}

/* Without this a key of somebody else could be taken for ours. */
static int check_new(struct kms *k, const char *name,
                     const struct kms_limits *l, struct err *e)
{
    char uid[KMS_UID_CHARS] = "";

    if (kms_find(k, name, l, uid, e) == 0)
        return err_set(e, ERR_EXISTS, 0,
                       "key server %s already has a key named %s (%s)", k->name,
                       name, uid);
    return e->kind == ERR_NOTFOUND ? 0 : -1;
}

static int adopt(struct kms *k, const char *name, const struct kms_limits *l,
                 char uid[KMS_UID_CHARS], const struct err *lost, struct err *e)
{
    for (unsigned i = 0; i < ADOPT_TRIES; i++) {
        if (kms_find(k, name, l, uid, e) == 0) {
            log_warn("kms",
                     "the answer to Create was lost (%s); key %s, named "
                     "%s, is the one that it made",
                     lost->msg, uid, name);
            return 0;
        }
        if (e->kind != ERR_NOTFOUND ||
            cancel_sleep(l->cancel, ADOPT_PAUSE_MS, e) < 0)
            break;
    }
    /* All ends alike: what was lost, and what that leaves. */
    if (e->kind == ERR_NOTFOUND)
        *e = *lost;
    return err_hint(e,
                    "a key named %s may have been made, and none was made "
                    "in its place",
                    name);
}

static int create(struct kms *k, const char *name, const struct kms_limits *l,
                  char uid[KMS_UID_CHARS], struct err *e)
{
    struct kms_ask ask = {
        .items = { { .op = KMIP_CREATE, .attrs = kms_key_kind() } },
        .count = 1,
        .max = KMS_REPLY_MAX,
        .changes = true,
    };
    struct kmip_attrs *of = &ask.items[0].attrs;
    AUTO_ANSWER struct kms_answer a = { 0 };

    of->has |= KMIP_ATTR_USAGE | KMIP_ATTR_NAME;
    of->usage = KMS_KEY_USES;
    of->names[0] = span_str(name);
    of->name_count = 1;
    if (kms_call(k, &ask, l, &a, e) == 0) {
        memcpy(uid, a.results[0].uid, KMS_UID_CHARS);
        return 0;
    }
    err_ctx(e, "make key %s", name);
    if (!a.unclear)
        return -1;
    if (e->kind == ERR_CANCELLED)
        return err_hint(e, "a key with this name may have been made");
    const struct err lost = *e;
    return adopt(k, name, l, uid, &lost, e);
}

static bool is_active(uint32_t state)
{
    return state == KMIP_ACTIVE;
}

/* What the server has is what was asked for, and ready. */
static int read_back(struct kms *k, const char *name, const char *uid,
                     const struct kms_limits *l, uint32_t *state, struct err *e)
{
    const uint32_t which =
        kms_key_kind().has | KMIP_ATTR_NAME | KMIP_ATTR_STATE | KMIP_ATTR_USAGE;
    const struct kms_ask ask = {
        .items = { kms_ask_attributes(uid, which) },
        .count = 1,
        .max = KMS_REPLY_MAX,
    };
    AUTO_ANSWER struct kms_answer a = { 0 };

    if (kms_call(k, &ask, l, &a, e) < 0)
        return err_ctx(e, "key %s", uid);
    const struct kmip_attrs *told = &a.results[0].attrs;
    if (kms_check_kind(told, name, uid, e) < 0)
        return -1;
    if ((told->has & KMIP_ATTR_USAGE) == 0 ||
        (told->usage & KMS_KEY_USES) != KMS_KEY_USES)
        return err_set(e, ERR_CORRUPT, 0,
                       "key %s may be used for %#x only, not for all of %#x",
                       uid, told->usage, KMS_KEY_USES);
    *state = (told->has & KMIP_ATTR_STATE) != 0 ? told->state : 0;
    return 0;
}

/* Activates a key that is not yet, and reads back what there is then. */
static int make_ready(struct kms *k, const char *name, const char *uid,
                      const struct kms_limits *l, uint32_t *state,
                      struct err *e)
{
    const struct kmip_item activate = { .op = KMIP_ACTIVATE, .uid = uid };

    if (read_back(k, name, uid, l, state, e) < 0)
        return -1;
    if (*state != KMIP_PRE_ACTIVE)
        return 0;
    return kms_change_state(k, &activate, is_active, l, e) < 0
               ? -1
               : read_back(k, name, uid, l, state, e);
}

static int create_ready(struct kms *k, const char *name,
                        const struct kms_limits *l, char uid[KMS_UID_CHARS],
                        struct err *e)
{
    uint32_t state = 0;

    if (create(k, name, l, uid, e) < 0)
        return -1;
    if (make_ready(k, name, uid, l, &state, e) < 0)
        return err_hint(e, "key %s was made and is not used", uid);
    if (state != KMIP_ACTIVE)
        return err_set(e, ERR_DENIED, 0,
                       "key %s was made and is %s, not active", uid,
                       kmip_state_name(state));
    return 0;
}

int kms_key_create(struct kms *k, const struct cancel *cancel, const char *name,
                   char uid[KMS_UID_CHARS], struct err *e)
{
    struct kms_limits l = kms_limits(k, cancel);

    if (check_name(name, e) < 0 || check_new(k, name, &l, e) < 0)
        return -1;
    return create_ready(k, name, &l, uid, e);
}

int kms_key_take(struct kms *k, const struct cancel *cancel, const char *name,
                 char uid[KMS_UID_CHARS], struct err *e)
{
    struct kms_limits l = kms_limits(k, cancel);
    uint32_t state = 0;
    struct err none = { 0 };

    if (check_name(name, e) < 0)
        return -1;
    if (kms_find(k, name, &l, uid, &none) < 0) {
        if (none.kind == ERR_NOTFOUND)
            return create_ready(k, name, &l, uid, e);
        *e = none;
        return -1;
    }
    if (make_ready(k, name, uid, &l, &state, e) < 0)
        return -1;
    if (state != KMIP_ACTIVE)
        return err_set(e, ERR_EXISTS, 0, "key %s, named %s, is %s", uid, name,
                       kmip_state_name(state));
    log_info("kms", "key %s, named %s, was there already and is taken", uid,
             name);
    return 0;
}
