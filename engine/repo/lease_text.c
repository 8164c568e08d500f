// SPDX-License-Identifier: Apache-2.0
/* What a lease looks like as an object. */
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "engine/repo/lease.h"
#include "manifest/canon.h"

static const char *or_null(const char *s)
{
    return s[0] != '\0' ? s : NULL;
}

static void write_lease(const struct eng_lease *l, struct buf *out)
{
    struct jsonw w = jsonw_init(out, false);

    jsonw_object(&w);
    jsonw_kuint(&w, "objvault", 1);
    jsonw_kstring(&w, "host", l->host);
    jsonw_kuint(&w, "pid", l->pid);
    jsonw_ktime(&w, "begun", l->begun);
    jsonw_ktime(&w, "until", l->until);
    jsonw_kbool(&w, "ended", l->ended);
    jsonw_kstring(&w, "vm", or_null(l->vm));
    jsonw_kstring(&w, "lock", or_null(l->lock));
    jsonw_end_object(&w);
}

/* Lower-case hex digits, as many as the array holds, or none. */
static bool is_hex(const char *s, size_t cap)
{
    uint8_t raw[(ENG_LEASE_VM_CHARS - 1) / 2];

    return s[0] == '\0' || digest_unhex(s, strnlen(s, cap), raw, (cap - 1) / 2);
}

static bool times_ok(const struct eng_lease *l)
{
    return l->begun >= 0 && l->until >= 0 && l->begun <= MF_TIME_MAX &&
           l->until <= MF_TIME_MAX;
}

int eng_lease_encode(const struct eng_lease *l, struct buf *out, struct err *e)
{
    if (!is_hex(l->vm, sizeof(l->vm)) || !is_hex(l->lock, sizeof(l->lock)) ||
        !times_ok(l))
        return err_set(e, ERR_INTERNAL, 0, "lease: a field is out of range");
    write_lease(l, out);
    return buf_check(out, e);
}

/* A field of hex digits, or null. */
static void read_hex(const struct json *root, const char *field, char *out,
                     size_t cap)
{
    uint8_t raw[(ENG_LEASE_VM_CHARS - 1) / 2] = { 0 };
    struct json v = json_field(root, field);

    out[0] = '\0';
    if (json_is_null(&v))
        return;
    json_hex(&v, raw, (cap - 1) / 2);
    digest_hex(span_of(raw, (cap - 1) / 2), out);
}

static int read_lease(struct json_doc *doc, struct eng_lease *l, struct err *e)
{
    static const char *const fields[] = { "objvault", "host",  "pid",
                                          "begun",    "until", "ended",
                                          "vm",       "lock",  NULL };

    if (mf_canon_version(doc, "objvault", "lease", e) < 0)
        return -1;
    struct json root = json_root(doc);
    json_object(&root, fields);
    struct json host = json_field(&root, "host");
    const char *name = json_string(&host, sizeof(l->host) - 1);
    memcpy(l->host, name, strnlen(name, sizeof(l->host) - 1));
    struct json pid = json_field(&root, "pid");
    l->pid = (uint32_t)json_uint(&pid, UINT32_MAX);
    struct json begun = json_field(&root, "begun");
    l->begun = json_time(&begun);
    struct json until = json_field(&root, "until");
    l->until = json_time(&until);
    struct json ended = json_field(&root, "ended");
    l->ended = json_bool(&ended);
    read_hex(&root, "vm", l->vm, sizeof(l->vm));
    read_hex(&root, "lock", l->lock, sizeof(l->lock));
    return json_failed(doc, e);
}

int eng_lease_decode(struct span bytes, struct eng_lease *l, struct err *e)
{
    memset(l->host, 0, sizeof(l->host));
    l->begun = l->until = 0;
    if (bytes.len > ENG_LEASE_BYTES_MAX)
        return err_set(e, ERR_CORRUPT, 0, "lease: has %zu bytes", bytes.len);

    AUTO_JSON struct json_doc *doc =
        json_parse(bytes, JSON_STRICT, ERR_CORRUPT, e);
    if (doc == NULL)
        return err_ctx(e, "lease");
    if (read_lease(doc, l, e) < 0)
        return e->kind == ERR_UNSUPPORTED ? -1 : err_ctx(e, "lease");

    AUTO_BUF struct buf again = buf_init(bytes.len);
    write_lease(l, &again);
    if (mf_canon_check(bytes, &again, e) < 0)
        return err_ctx(e, "lease");
    return 0;
}
