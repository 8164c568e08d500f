// SPDX-License-Identifier: Apache-2.0
/*
 * Manifests as they are stored: the JSON itself in `plain`, else an envelope,
 * JSON too, that holds a sealed object in its parts.  An envelope has one
 * layout, so it is read by position.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/utc.h"
#include "base/zst.h"
#include "manifest/block.h"
#include "manifest/canon.h"
#include "manifest/point.h"

/* As pages: what a manifest is made of does not compress much. */
#define MANIFEST_LEVEL 3

#define HEAD "{\"objvault\":1,\"sealed\":{\"v\":1,\"nonce\":\""
#define TAG "\",\"tag\":\""
#define DATA "\",\"data\":\""
#define END "\"}}"
#define LEN(s) (sizeof(s) - 1)
#define NONCE_BYTES (MF_SEAL_HEAD_BYTES - MF_SEAL_NONCE_AT)
#define NONCE_DIGITS ((size_t)2 * NONCE_BYTES)
#define TAG_DIGITS ((size_t)2 * MF_SEAL_TAG_BYTES)

/* What the seal of a manifest binds: "<vm key>/<time>". */
struct point_id {
    char s[MF_VMKEY_CHARS + UTC_BASIC_CHARS];
};

static struct span point_id(const char *vm_key, int64_t time,
                            struct point_id *id)
{
    char basic[UTC_BASIC_CHARS];

    utc_format_basic(time, basic);
    int n = snprintf(id->s, sizeof(id->s), "%s/%s", vm_key, basic);
    return span_of(id->s, (size_t)n);
}

static void append_hex(struct buf *out, struct span bytes)
{
    uint8_t *at = buf_reserve(out, 2 * bytes.len + 1);

    if (at == NULL)
        return;
    digest_hex(bytes, (char *)at);
    out->len += 2 * bytes.len;
}

static void append_base64(struct buf *out, struct span bytes)
{
    size_t chars = (bytes.len + 2) / 3 * 4;
    uint8_t *at = buf_reserve(out, chars + 1);

    if (at == NULL)
        return;
    digest_base64(bytes, (char *)at);
    out->len += chars;
}

static void write_envelope(struct span object, struct buf *out)
{
    size_t content = object.len - MF_SEAL_BYTES;
    const uint8_t *tag = object.p + object.len - MF_SEAL_TAG_BYTES;

    buf_append_str(out, HEAD);
    append_hex(out, span_of(object.p + MF_SEAL_NONCE_AT, NONCE_BYTES));
    buf_append_str(out, TAG);
    append_hex(out, span_of(tag, MF_SEAL_TAG_BYTES));
    buf_append_str(out, DATA);
    append_base64(out, span_of(object.p + MF_SEAL_HEAD_BYTES, content));
    buf_append_str(out, END);
}

/* Takes n bytes from the front of rest. */
static struct span take(struct span *rest, size_t n)
{
    struct span s = span_of(rest->p, n);

    *rest = span_of(rest->p + n, rest->len - n);
    return s;
}

static bool take_text(struct span *rest, const char *text)
{
    size_t n = strlen(text);

    return rest->len >= n && span_eq(take(rest, n), span_of(text, n));
}

static bool take_hex(struct span *rest, uint8_t *out, size_t bytes)
{
    if (rest->len < 2 * bytes)
        return false;
    struct span s = take(rest, 2 * bytes);
    return digest_unhex((const char *)s.p, s.len, out, bytes);
}

/* An envelope's parts; `object` has room for them as a sealed object. */
static bool read_envelope(struct span bytes, uint8_t *object, size_t *len)
{
    uint8_t tag[MF_SEAL_TAG_BYTES];
    size_t content = 0;

    memcpy(object, mf_seal_head, sizeof(mf_seal_head));
    if (!take_text(&bytes, HEAD) ||
        !take_hex(&bytes, object + MF_SEAL_NONCE_AT, NONCE_BYTES) ||
        !take_text(&bytes, TAG) || !take_hex(&bytes, tag, sizeof(tag)) ||
        !take_text(&bytes, DATA) || bytes.len < LEN(END))
        return false;
    struct span data = take(&bytes, bytes.len - LEN(END));
    if (!take_text(&bytes, END) ||
        !digest_unbase64((const char *)data.p, data.len,
                         object + MF_SEAL_HEAD_BYTES, &content))
        return false;
    memcpy(object + MF_SEAL_HEAD_BYTES + content, tag, sizeof(tag));
    *len = content + MF_SEAL_BYTES;
    return true;
}

/* Why bytes are no envelope: a later version, or junk. */
static int refuse(struct span bytes, struct err *e)
{
    AUTO_JSON struct json_doc *doc =
        json_parse(bytes, JSON_STRICT, ERR_CORRUPT, e);

    if (doc == NULL || mf_canon_version(doc, "objvault", "manifest", e) < 0)
        return -1;
    return err_set(e, ERR_CORRUPT, 0, "is not a sealed manifest");
}

/* The sealed object in an envelope. */
static int unwrap(struct span bytes, struct buf *object, struct err *e)
{
    size_t len = 0;

    if (bytes.len > MF_POINT_JSON_MAX)
        return err_set(e, ERR_CORRUPT, 0, "has %zu bytes", bytes.len);
    uint8_t *at = buf_reserve(object, MF_SEAL_BYTES + bytes.len / 4 * 3 + 3);
    if (at == NULL)
        return buf_check(object, e);
    if (!read_envelope(bytes, at, &len))
        return refuse(bytes, e);
    object->len += len;
    return 0;
}

int mf_point_is_sealed(struct span bytes, struct err *e)
{
    AUTO_BUF struct buf object = buf_init(mf_object_max(MF_POINT_JSON_MAX));

    if (unwrap(bytes, &object, e) < 0)
        return e->kind == ERR_UNSUPPORTED ? -1 : err_ctx(e, "manifest");
    return 0;
}

static int seal(const struct mf_keys *k, const char *vm_key, int64_t time,
                struct span json, struct buf *out, struct err *e)
{
    struct point_id id;
    AUTO_BUF struct buf object = buf_init(mf_object_max(MF_POINT_JSON_MAX));
    AUTO_ZST struct zst *z = zst_new(e);

    if (z == NULL)
        return -1;
    size_t at = mf_keys_seal_begin(k, &object);
    if (zst_compress(z, MANIFEST_LEVEL, json, &object, e) < 0 ||
        mf_keys_seal_end(k, MF_OBJECT_MANIFEST, point_id(vm_key, time, &id),
                         &object, at, e) < 0)
        return -1;
    write_envelope(buf_span(&object), out);
    return buf_check(out, e);
}

int mf_point_seal(const struct mf_keys *k, const struct mf_point *p,
                  struct buf *out, char vm_key[MF_VMKEY_CHARS],
                  char file[MF_POINT_FILE_CHARS], struct err *e)
{
    AUTO_BUF struct buf json = buf_init(MF_POINT_JSON_MAX);
    struct buf *to = mf_keys_sealed(k) ? &json : out;
    size_t at = out->len;

    if (mf_point_encode(p, to, e) < 0)
        return -1;
    if (mf_keys_vm_key(k, p->vm.name, vm_key, e) < 0 ||
        (mf_keys_sealed(k) &&
         seal(k, vm_key, p->time, buf_span(&json), out, e) < 0))
        return err_ctx(e, "manifest");
    return mf_point_file(p->time, span_of(out->p + at, out->len - at), file, e);
}

static int unseal(const struct mf_keys *k, struct span id, struct span bytes,
                  struct buf *room, struct span *json, struct err *e)
{
    struct span frame;
    size_t len = 0;
    AUTO_BUF struct buf object = buf_init(mf_object_max(MF_POINT_JSON_MAX));
    AUTO_BUF struct buf opened = buf_init(mf_object_max(MF_POINT_JSON_MAX));
    AUTO_ZST struct zst *z = zst_new(e);

    if (z == NULL || unwrap(bytes, &object, e) < 0 ||
        mf_keys_open(k, MF_OBJECT_MANIFEST, id, buf_span(&object), &opened,
                     &frame, e) < 0 ||
        zst_content_size(frame, MF_POINT_JSON_MAX, &len, e) < 0)
        return -1;
    uint8_t *at = buf_reserve(room, len);
    if (at == NULL)
        return buf_check(room, e);
    if (zst_decompress(z, frame, at, len, &len, e) < 0)
        return -1;
    room->len += len;
    *json = span_of(at, len);
    return 0;
}

int mf_point_open(const struct mf_keys *k, const char *vm_key, const char *file,
                  struct span bytes, struct buf *room, struct span *json,
                  struct err *e)
{
    struct point_id id;
    int64_t time = 0;
    uint8_t hash[8];

    if (mf_point_file_verify(file, bytes, e) < 0)
        return -1;
    *json = bytes;
    if (!mf_keys_sealed(k) || !mf_point_file_parse(file, &time, hash))
        return 0;
    if (unseal(k, point_id(vm_key, time, &id), bytes, room, json, e) < 0)
        return e->kind == ERR_UNSUPPORTED ? -1
                                          : err_ctx(e, "manifest %s", file);
    return 0;
}

/* A manifest says itself which VM and time it is for. */
static int check_identity(const struct mf_keys *k, const struct mf_point *p,
                          const char *vm_key, const char *file, struct err *e)
{
    char own[MF_VMKEY_CHARS];
    int64_t time = 0;
    uint8_t hash[8];

    if (mf_keys_vm_key(k, p->vm.name, own, e) < 0)
        return -1;
    if (!mf_point_file_parse(file, &time, hash) || strcmp(own, vm_key) != 0 ||
        p->time != time)
        return err_set(e, ERR_CORRUPT, 0,
                       "manifest %s/%s belongs to another VM or time", vm_key,
                       file);
    return 0;
}

struct mf_point *mf_point_unseal(const struct mf_keys *k, const char *vm_key,
                                 const char *file, struct span bytes,
                                 struct err *e)
{
    struct span json;
    AUTO_BUF struct buf room = buf_init(MF_POINT_JSON_MAX);

    if (mf_point_open(k, vm_key, file, bytes, &room, &json, e) < 0)
        return NULL;
    AUTO_MF_POINT struct mf_point *p = mf_point_decode(json, e);
    if (p == NULL || check_identity(k, p, vm_key, file, e) < 0)
        return NULL;
    return STEAL(p);
}
