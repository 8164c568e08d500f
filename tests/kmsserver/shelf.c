// SPDX-License-Identifier: Apache-2.0
/*
 * What the server knows: KMIP 1.4 as far as the client speaks it, written by
 * the tags of the specification.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kms/kmip.h"
#include "kms/ttlv.h"
#include "tests/kmsserver/impl.h"

#define UNKNOWN 0x42fffe
#define VENDOR 0x540001

struct answer {
    struct ttlv_writer w;
    enum kmsserver_act act;
    uint32_t reason;
    unsigned items; /* answered so far */
    bool foreign;   /* asked in a version that is not spoken here */
};

static bool child(const struct ttlv_item *of, uint32_t tag,
                  struct ttlv_item *item)
{
    struct ttlv_cursor c = ttlv_children(of);

    while (ttlv_next(&c, item)) {
        if (item->tag == tag)
            return true;
    }
    return false;
}

uint32_t kmsserver_operation(struct span request)
{
    struct ttlv_item root, item, op;
    uint32_t number = 0;

    if (ttlv_root(request, &root) && child(&root, 0x42000f, &item) &&
        child(&item, 0x42005c, &op) && ttlv_enum(&op, &number))
        return number;
    return 0;
}

static bool is_text(const struct ttlv_item *of, uint32_t tag, const char *text)
{
    struct ttlv_item item;

    return child(of, tag, &item) && item.type == TTLV_TEXT &&
           span_eq(item.value, span_str(text));
}

bool kmsserver_is_user(struct span request, const char *user,
                       const char *password)
{
    struct ttlv_item root, header, authentication, credential, value;

    return ttlv_root(request, &root) && child(&root, 0x420077, &header) &&
           child(&header, 0x42000c, &authentication) &&
           child(&authentication, 0x420023, &credential) &&
           child(&credential, 0x420025, &value) &&
           is_text(&value, 0x420099, user) &&
           is_text(&value, 0x4200a1, password);
}

static void strange(struct answer *a)
{
    if (a->act != KMSSERVER_UNKNOWN_TAGS)
        return;
    ttlv_put_text(&a->w, UNKNOWN, span_str("what is this?"));
    ttlv_begin(&a->w, VENDOR);
    ttlv_put_int(&a->w, VENDOR + 1, 7);
    ttlv_end(&a->w);
}

static void begin(struct answer *a, uint32_t tag)
{
    ttlv_begin(&a->w, tag);
    strange(a);
}

static void attribute(struct answer *a, const char *name)
{
    begin(a, 0x420008);
    ttlv_put_text(&a->w, 0x42000a, span_str(name));
}

static void put_uid(struct answer *a, unsigned uid)
{
    char text[24];

    if (a->act == KMSSERVER_WRONG_UID)
        uid++;
    (void)snprintf(text, sizeof text, "%u", uid);
    ttlv_put_text(&a->w, 0x420094, span_str(text));
}

static void number(struct answer *a, const char *name, uint32_t value)
{
    attribute(a, name);
    ttlv_put_enum(&a->w, 0x42000b, value);
    ttlv_end(&a->w);
}

static void integer(struct answer *a, const char *name, int32_t value)
{
    attribute(a, name);
    ttlv_put_int(&a->w, 0x42000b, value);
    ttlv_end(&a->w);
}

static void put_attributes(struct answer *a, unsigned uid,
                           const struct shelf_key *k)
{
    put_uid(a, uid);
    number(a, "Object Type", 2);
    number(a, "Cryptographic Algorithm", 3);
    integer(a, "Cryptographic Length", 256);
    integer(a, "Cryptographic Usage Mask", 0x3c);
    attribute(a, "Name");
    begin(a, 0x42000b);
    ttlv_put_text(&a->w, 0x420055, span_str(k->name));
    ttlv_put_enum(&a->w, 0x420054, 1);
    ttlv_end(&a->w);
    ttlv_end(&a->w);
    number(a, "State", k->state);
}

static size_t key_bytes(enum kmsserver_act act)
{
    switch ((int)act) {
    case KMSSERVER_KEY_16:
        return 16;
    case KMSSERVER_KEY_31:
        return 31;
    case KMSSERVER_KEY_64:
        return 64;
    default:
        return 32;
    }
}

static void put_key(struct answer *a, unsigned uid, const struct shelf_key *k)
{
    bool transparent = a->act == KMSSERVER_TRANSPARENT;
    uint8_t bytes[64];
    struct span material = span_of(bytes, key_bytes(a->act));

    memset(bytes, k->bytes[0], sizeof bytes);
    ttlv_put_enum(&a->w, 0x420057, 2);
    put_uid(a, uid);
    begin(a, 0x42008f);
    begin(a, 0x420040);
    ttlv_put_enum(&a->w, 0x420042, transparent ? 7 : 1);
    begin(a, 0x420045);
    if (transparent) {
        begin(a, 0x420043);
        ttlv_put_bytes(&a->w, 0x42003f, material);
        ttlv_end(&a->w);
    } else {
        ttlv_put_bytes(&a->w, 0x420043, material);
    }
    if (a->act == KMSSERVER_ATTRIBUTE)
        integer(a, "Cryptographic Usage Mask", 0x0c);
    ttlv_end(&a->w);
    ttlv_put_enum(&a->w, 0x420028, 3);
    ttlv_put_int(&a->w, 0x42002a, (int32_t)material.len * 8);
    ttlv_end(&a->w);
    ttlv_end(&a->w);
}

/* The text of NameValue anywhere in a template or filter. */
// NOLINTNEXTLINE(misc-no-recursion): ttlv_check has bounded the depth
static bool find_name(const struct ttlv_item *in, struct span *name)
{
    struct ttlv_cursor c = ttlv_children(in);
    struct ttlv_item item;

    while (ttlv_next(&c, &item)) {
        if (item.tag == 0x420055) {
            *name = item.value;
            return true;
        }
        if (item.type == TTLV_STRUCTURE && find_name(&item, name))
            return true;
    }
    return false;
}

static void create(struct answer *a, struct shelf *s,
                   const struct ttlv_item *payload)
{
    struct shelf_key *k = &s->keys[s->count];
    struct span name = span_str("");

    if (s->count == SHELF_MAX)
        return;
    find_name(payload, &name);
    memset(k, 0, sizeof *k);
    memcpy(k->name, name.p,
           name.len < sizeof k->name ? name.len : sizeof k->name - 1);
    k->state = KMIP_PRE_ACTIVE;
    memset(k->bytes, (int)s->count + 1, sizeof k->bytes);
    s->count++;
    ttlv_put_enum(&a->w, 0x420057, 2);
    put_uid(a, s->count);
}

static void locate(struct answer *a, const struct shelf *s,
                   const struct ttlv_item *payload)
{
    struct span name = span_str("");

    find_name(payload, &name);
    for (unsigned i = 0; i < s->count; i++) {
        if (a->act == KMSSERVER_ANY_KEY
                ? i == 0
                : span_eq(name, span_str(s->keys[i].name)))
            put_uid(a, i + 1);
    }
}

static void version(struct answer *a, const struct shelf *s)
{
    begin(a, 0x420069);
    ttlv_put_int(&a->w, 0x42006a, 1);
    ttlv_put_int(&a->w, 0x42006b, s->minor != 0 ? s->minor : 4);
    ttlv_end(&a->w);
}

static bool is_foreign(const struct shelf *s, const struct ttlv_item *root)
{
    struct ttlv_item header, asked, minor;
    int32_t number = 0;

    return s->minor != 0 && child(root, 0x420077, &header) &&
           child(&header, 0x420069, &asked) &&
           child(&asked, 0x42006b, &minor) && ttlv_int(&minor, &number) &&
           number != s->minor;
}

/* The states by their rules (1.6 of the reference), as far as tests go. */
static void change(struct answer *a, unsigned uid, struct shelf_key *k,
                   uint32_t op, const struct ttlv_item *payload)
{
    struct ttlv_item why, code;
    uint32_t reason = 0;

    if (op == KMIP_ACTIVATE)
        k->state = KMIP_ACTIVE;
    if (op == KMIP_DESTROY)
        k->state = KMIP_DESTROYED;
    if (op == KMIP_REVOKE && child(payload, 0x420081, &why) &&
        child(&why, 0x420082, &code) && ttlv_enum(&code, &reason))
        k->state = reason == 2 ? KMIP_COMPROMISED : KMIP_DEACTIVATED;
    put_uid(a, uid);
}

static void put_payload(struct answer *a, struct shelf *s, uint32_t op,
                        const struct ttlv_item *payload, unsigned uid)
{
    struct shelf_key *k = uid == 0 ? NULL : &s->keys[uid - 1];

    begin(a, 0x42007c);
    if (op == KMIP_CREATE)
        create(a, s, payload);
    else if (op == KMIP_LOCATE)
        locate(a, s, payload);
    else if (op == KMIP_DISCOVER_VERSIONS)
        version(a, s);
    else if (op == KMIP_QUERY)
        ttlv_put_text(&a->w, 0x42009d, span_str("kmsserver"));
    else if (op == KMIP_GET && k != NULL)
        put_key(a, uid, k);
    else if (op == KMIP_GET_ATTRIBUTES && k != NULL)
        put_attributes(a, uid, k);
    else if (k != NULL)
        change(a, uid, k, op, payload);
    ttlv_end(&a->w);
}

static unsigned uid_of(const struct ttlv_item *payload)
{
    struct ttlv_item uid;
    char text[24] = "";

    if (!child(payload, 0x420094, &uid) || uid.value.len >= sizeof text)
        return 0;
    memcpy(text, uid.value.p, uid.value.len);
    return (unsigned)strtoul(text, NULL, 10);
}

/* What the item is answered by, as status and reason; 0, 0: success. */
static uint32_t refusal(const struct answer *a, const struct shelf *s,
                        const struct ttlv_item *payload, unsigned *uid)
{
    struct ttlv_item asked;

    *uid = uid_of(payload);
    if (a->foreign)
        return KMIP_INVALID_MESSAGE;
    if (a->act == KMSSERVER_REFUSE ||
        (a->act == KMSSERVER_REFUSE_SECOND && a->items == 1))
        return a->reason;
    if (child(payload, 0x420094, &asked) && (*uid == 0 || *uid > s->count))
        return KMIP_ITEM_NOT_FOUND;
    return 0;
}

static bool answer_item(struct answer *a, struct shelf *s,
                        const struct ttlv_item *item)
{
    struct ttlv_item payload = { .type = TTLV_STRUCTURE }, op, id;
    uint32_t number_of_op = 0;
    unsigned uid = 0;

    child(item, 0x420079, &payload);
    if (child(item, 0x42005c, &op))
        (void)ttlv_enum(&op, &number_of_op);
    uint32_t reason = refusal(a, s, &payload, &uid);
    bool lies = a->act == KMSSERVER_FAILED_GIVES;
    begin(a, 0x42000f);
    ttlv_put_enum(&a->w, 0x42005c,
                  a->act == KMSSERVER_WRONG_OPERATION ? number_of_op + 1
                                                      : number_of_op);
    if (child(item, 0x420093, &id))
        ttlv_put_bytes(&a->w, 0x420093, id.value);
    uint32_t status = reason != 0 || lies ? KMIP_FAILED : KMIP_SUCCESS;
    if (a->act == KMSSERVER_PENDING)
        status = KMIP_PENDING;
    ttlv_put_enum(&a->w, 0x42007f, status);
    if (status == KMIP_FAILED) {
        ttlv_put_enum(&a->w, 0x42007e, reason != 0 ? reason : 0x0c);
        ttlv_put_text(&a->w, 0x42007d,
                      span_str("\033[31mred\nis not for logs"));
    }
    if (status == KMIP_SUCCESS || lies)
        put_payload(a, s, number_of_op, &payload, uid);
    ttlv_end(&a->w);
    a->items++;
    return status == KMIP_SUCCESS || lies;
}

static void answer_items(struct answer *a, struct shelf *s,
                         const struct ttlv_item *root, unsigned most)
{
    struct ttlv_cursor c = ttlv_children(root);
    struct ttlv_item item;

    while (most > 0 && ttlv_next(&c, &item)) {
        if (item.tag != 0x42000f)
            continue;
        most--;
        if (!answer_item(a, s, &item))
            break;
    }
}

static unsigned count_items(const struct ttlv_item *root)
{
    struct ttlv_cursor c = ttlv_children(root);
    struct ttlv_item item;
    unsigned n = 0;

    while (ttlv_next(&c, &item))
        n += item.tag == 0x42000f;
    return n;
}

void kmsserver_answer(struct shelf *s, struct span request,
                      enum kmsserver_act act, uint32_t reason, struct buf *out)
{
    struct answer a = { .w = ttlv_writer(out), .act = act, .reason = reason };
    AUTO_BUF struct buf items = buf_init(1 << 20);
    struct ttlv_item root;
    struct err e;

    if (!ttlv_root(request, &root))
        return;
    unsigned asked = count_items(&root);
    unsigned most = act == KMSSERVER_ONE_MISSING ? asked - 1 : asked;
    /* The header comes first and holds how many there are: once for counting,
     * on keys that nobody sees. */
    struct shelf copy = *s;
    a.foreign = is_foreign(s, &root);
    struct answer dry = { .w = ttlv_writer(&items),
                          .act = act,
                          .reason = reason,
                          .foreign = a.foreign };
    ttlv_begin(&dry.w, 0x42007b);
    answer_items(&dry, &copy, &root, most);
    ttlv_end(&dry.w);
    struct ttlv_item counted;
    unsigned n =
        ttlv_root(buf_span(&items), &counted) ? count_items(&counted) : 0;
    if (act == KMSSERVER_WRONG_COUNT)
        n++;
    begin(&a, 0x42007b);
    begin(&a, 0x42007a);
    version(&a, s);
    ttlv_put_date(&a.w, 0x420092, 1767225600);
    ttlv_put_int(&a.w, 0x42000d, (int32_t)n);
    ttlv_end(&a.w);
    answer_items(&a, s, &root, most);
    ttlv_end(&a.w);
    if (ttlv_written(&a.w, &e) < 0)
        (void)fprintf(stderr, "kmsserver: %s\n", e.msg);
}
