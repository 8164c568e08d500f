// SPDX-License-Identifier: Apache-2.0
/* Responses of KMIP: the envelope, which item answers which, and what failed.
 * What an operation brings is read in kmip_payload.c. */
#include <string.h>

#include "base/utf8.h"
#include "kms/kmip_payload.h"

void kmip_results_free(struct kmip_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        secret_free(results[i].key);
        secret_free(results[i].data);
        memset(&results[i], 0, sizeof(results[i]));
    }
}

void kmip_copy_clean(struct span text, char out[KMIP_MESSAGE_CHARS])
{
    size_t len = text.len;

    if (len >= KMIP_MESSAGE_CHARS) {
        len = KMIP_MESSAGE_CHARS - 1;
        while (len > 0 && (text.p[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(out, text.p != NULL ? (const char *)text.p : "", len);
    for (size_t i = 0; i < len; i++)
        if (out[i] == '\0')
            out[i] = '?';
    out[len] = '\0';
    utf8_clean(out, false);
}

bool kmip_read_version(const struct ttlv_item *item, struct kmip_version *v)
{
    struct ttlv_item major, minor;
    int32_t a = 0, b = 0;

    if (!ttlv_find(item, TAG_VERSION_MAJOR, TTLV_INTEGER, &major) ||
        !ttlv_find(item, TAG_VERSION_MINOR, TTLV_INTEGER, &minor) ||
        !ttlv_int(&major, &a) || !ttlv_int(&minor, &b))
        return false;
    *v = (struct kmip_version){ a, b };
    return true;
}

/* The message taken apart: lent items. */
struct envelope {
    struct kmip_version version;
    struct ttlv_item items[KMIP_BATCH_MAX];
    size_t count;
};

static int open_header(const struct ttlv_item *root, struct envelope *v,
                       int32_t *count, struct err *e)
{
    struct ttlv_item header, version, number;

    if (!ttlv_find(root, TAG_RESPONSE_HEADER, TTLV_STRUCTURE, &header) ||
        !ttlv_find(&header, TAG_PROTOCOL_VERSION, TTLV_STRUCTURE, &version) ||
        !kmip_read_version(&version, &v->version) ||
        !ttlv_find(&header, TAG_BATCH_COUNT, TTLV_INTEGER, &number) ||
        !ttlv_int(&number, count))
        return err_set(e, ERR_CORRUPT, 0,
                       "the answer's header has no version or count");
    return 0;
}

/* There is one item, and it failed. */
static bool is_refusal(const struct envelope *v)
{
    struct ttlv_item status;
    uint32_t code = KMIP_SUCCESS;

    return v->count == 1 &&
           ttlv_find(&v->items[0], TAG_RESULT_STATUS, TTLV_ENUM, &status) &&
           ttlv_enum(&status, &code) && code == KMIP_FAILED;
}

static int open_envelope(struct span message, size_t asked, struct envelope *v,
                         struct err *e)
{
    struct ttlv_item root, item;
    int32_t count = 0;

    if (ttlv_check(message, e) < 0)
        return -1;
    if (!ttlv_root(message, &root) || root.tag != KMIP_RESPONSE_TAG)
        return err_set(e, ERR_CORRUPT, 0, "not a KMIP response");
    if (open_header(&root, v, &count, e) < 0)
        return -1;
    struct ttlv_cursor c = ttlv_children(&root);
    while (ttlv_next(&c, &item)) {
        if (item.tag != TAG_BATCH_ITEM || item.type != TTLV_STRUCTURE)
            continue;
        if (v->count == asked)
            return err_set(e, ERR_CORRUPT, 0,
                           "more answers than the %zu that were asked for",
                           asked);
        v->items[v->count++] = item;
    }
    /* Where the message as a whole is refused, servers were seen to count
     * nothing; what is refused brings nothing that could be miscounted. */
    bool right = count >= 0 && (size_t)count == v->count;
    if (v->count == 0 || (!right && !is_refusal(v)))
        return err_set(e, ERR_CORRUPT, 0,
                       "%zu answers, where the header says %d", v->count,
                       (int)count);
    return 0;
}

/* What every item says, whatever its operation. */
struct outcome {
    uint32_t status, reason, op;
    bool has_op, has_id;
    struct span id, message;
};

static int read_outcome(const struct ttlv_item *item, struct outcome *o,
                        struct err *e)
{
    struct ttlv_item field;

    if (!ttlv_find(item, TAG_RESULT_STATUS, TTLV_ENUM, &field) ||
        !ttlv_enum(&field, &o->status) || o->status > KMIP_UNDONE)
        return err_set(e, ERR_CORRUPT, 0, "an answer without a status");
    if (ttlv_find(item, TAG_RESULT_REASON, TTLV_ENUM, &field))
        (void)ttlv_enum(&field, &o->reason);
    if (ttlv_find(item, TAG_RESULT_MESSAGE, TTLV_TEXT, &field))
        o->message = field.value;
    o->has_op = ttlv_find(item, TAG_OPERATION, TTLV_ENUM, &field) &&
                ttlv_enum(&field, &o->op);
    o->has_id = ttlv_find(item, TAG_BATCH_ITEM_ID, TTLV_BYTES, &field);
    if (o->has_id)
        o->id = field.value;
    return 0;
}

static void note_outcome(const struct envelope *v, const struct outcome *o,
                         struct kmip_result *r)
{
    r->answered = true;
    r->spoken = v->version;
    r->status = o->status;
    r->reason = o->reason;
    kmip_copy_clean(o->message, r->message);
}

/* Which result an item of a batch answers.  Servers may answer in any order. */
static int place(const struct kmip_request *q, const struct outcome *o,
                 const struct kmip_result *results, size_t *index,
                 struct err *e)
{
    *index = 0;
    if (q->count == 1)
        return 0;
    if (!o->has_id || o->id.len != 1 || o->id.p[0] == 0 ||
        o->id.p[0] > q->count || results[o->id.p[0] - 1].answered)
        return err_set(e, ERR_CORRUPT, 0,
                       "an answer with the id of no open question");
    *index = (size_t)o->id.p[0] - 1;
    return 0;
}

static int read_item(const struct kmip_request *q, const struct envelope *v,
                     const struct ttlv_item *item, struct kmip_result *results,
                     struct err *e)
{
    struct outcome o = { .status = KMIP_FAILED };
    size_t at = 0;

    if (read_outcome(item, &o, e) < 0)
        return -1;
    /* A refusal of the whole message has no operation and no id, and a version
     * that is the server's own. */
    if (o.status != KMIP_SUCCESS && v->count == 1 && !o.has_id) {
        if (o.has_op && o.op != (uint32_t)q->items[0].op)
            return err_set(e, ERR_CORRUPT, 0, "an answer to %s",
                           kmip_operation_name(o.op));
        for (size_t i = 0; i < q->count; i++)
            note_outcome(v, &o, &results[i]);
        return 0;
    }
    if (place(q, &o, results, &at, e) < 0)
        return -1;
    const struct kmip_item *asked = &q->items[at];
    if (o.has_op ? o.op != (uint32_t)asked->op : o.status == KMIP_SUCCESS)
        return err_set(e, ERR_CORRUPT, 0, "an answer to %s instead of %s",
                       o.has_op ? kmip_operation_name(o.op) : "nothing",
                       kmip_operation_name((uint32_t)asked->op));
    note_outcome(v, &o, &results[at]);
    if (o.status != KMIP_SUCCESS)
        return 0;
    results[at].reason = 0;
    /* Servers answer in the version of the question, or in their own; what is
     * one version's form and not the other's, only the first number tells. */
    if (asked->op != KMIP_DISCOVER_VERSIONS &&
        v->version.major != q->version.major)
        return err_set(e, ERR_CORRUPT, 0,
                       "an answer in version %d.%d to a question in %d.%d",
                       v->version.major, v->version.minor, q->version.major,
                       q->version.minor);
    return kmip_read_payload(asked, item, &results[at], e);
}

/* Items may only be missing behind one that failed. */
static int check_missing(const struct kmip_request *q,
                         const struct kmip_result *results, struct err *e)
{
    size_t missing = 0;
    bool failed = false;

    for (size_t i = 0; i < q->count; i++) {
        missing += results[i].answered ? 0 : 1;
        failed = failed ||
                 (results[i].answered && results[i].status != KMIP_SUCCESS);
    }
    if (missing > 0 && !failed)
        return err_set(e, ERR_CORRUPT, 0, "%zu of %zu questions not answered",
                       missing, q->count);
    return 0;
}

static int decode(const struct kmip_request *q, struct span message,
                  struct kmip_result *results, struct err *e)
{
    struct envelope v = { .count = 0 };

    if (open_envelope(message, q->count, &v, e) < 0)
        return -1;
    for (size_t i = 0; i < v.count; i++)
        if (read_item(q, &v, &v.items[i], results, e) < 0)
            return -1;
    return check_missing(q, results, e);
}

int kmip_decode(const struct kmip_request *request, struct span message,
                struct kmip_result *results, struct err *e)
{
    if (request->count == 0 || request->count > KMIP_BATCH_MAX)
        return err_set(e, ERR_INTERNAL, 0, "KMIP request of %zu items",
                       request->count);
    memset(results, 0, request->count * sizeof(*results));
    for (size_t i = 0; i < request->count; i++) {
        results[i].op = request->items[i].op;
        results[i].status = KMIP_UNDONE;
    }
    if (decode(request, message, results, e) == 0)
        return 0;
    kmip_results_free(results, request->count);
    return -1;
}
