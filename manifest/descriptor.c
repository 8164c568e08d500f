// SPDX-License-Identifier: Apache-2.0
/* The repository descriptor: who this repository is and what rules its
 * objects live under. */
#include "manifest/descriptor.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "manifest/block.h"
#include "manifest/canon.h"

#define ID_BYTES ((MF_REPO_ID_CHARS - 1) / 2)

static const char *const mode_words[] = { "compliance", "governance", NULL };
static const char *const scope_words[] = { "minimum", "retention", NULL };

static void write_descriptor(const struct mf_descriptor *d, struct buf *out)
{
    struct jsonw w = jsonw_init(out, false);

    jsonw_object(&w);
    jsonw_kuint(&w, "objvault", MF_FORMAT_VERSION);
    jsonw_kstring(&w, "id", d->id);
    jsonw_ktime(&w, "created", d->created);
    jsonw_kuint(&w, "block_size", d->block_size);
    jsonw_key(&w, "lock");
    if (d->locked) {
        jsonw_object(&w);
        jsonw_kstring(&w, "mode", mode_words[d->mode]);
        jsonw_kuint(&w, "immutability", d->immutability_s);
        jsonw_kstring(&w, "scope", scope_words[d->scope]);
        jsonw_kuint(&w, "generation", d->generation_s);
        jsonw_end_object(&w);
    } else {
        jsonw_null(&w);
    }
    jsonw_end_object(&w);
}

static bool seconds_ok(uint64_t s)
{
    return s >= 1 && s <= MF_LOCK_SECONDS_MAX;
}

int mf_descriptor_encode(const struct mf_descriptor *d, struct buf *out,
                         struct err *e)
{
    uint8_t id[ID_BYTES];

    if (!digest_unhex(d->id, strnlen(d->id, sizeof(d->id)), id, sizeof(id)))
        return err_set(e, ERR_INTERNAL, 0,
                       "descriptor: id is not 32 lower-case hex digits");
    if (d->created < 0 || d->created > MF_TIME_MAX)
        return err_set(e, ERR_INTERNAL, 0,
                       "descriptor: creation time is out of range");
    if (!mf_block_size_ok(d->block_size))
        return err_set(e, ERR_INTERNAL, 0,
                       "descriptor: block size %u is not a power of two "
                       "from 256 KiB to 8 MiB",
                       d->block_size);
    if (d->locked &&
        (d->mode > MF_LOCK_GOVERNANCE || d->scope > MF_SCOPE_RETENTION ||
         !seconds_ok(d->immutability_s) || !seconds_ok(d->generation_s)))
        return err_set(e, ERR_INTERNAL, 0,
                       "descriptor: lock settings are out of range");
    write_descriptor(d, out);
    return buf_check(out, e);
}

static uint64_t read_seconds(const struct json *lock, const char *field)
{
    struct json v = json_field(lock, field);
    uint64_t s = json_uint(&v, MF_LOCK_SECONDS_MAX);

    if (s == 0)
        json_reject(&v, "must be at least 1 second");
    return s;
}

static void read_lock(const struct json *root, struct mf_descriptor *d)
{
    static const char *const fields[] = { "mode", "immutability", "scope",
                                          "generation", NULL };
    struct json lock = json_field(root, "lock");

    d->locked = !json_is_null(&lock);
    if (!d->locked)
        return;
    json_object(&lock, fields);
    struct json mode = json_field(&lock, "mode");
    struct json scope = json_field(&lock, "scope");
    d->mode = (enum mf_lock_mode)json_word(&mode, mode_words);
    d->scope = (enum mf_lock_scope)json_word(&scope, scope_words);
    d->immutability_s = read_seconds(&lock, "immutability");
    d->generation_s = read_seconds(&lock, "generation");
}

static int read_descriptor(struct json_doc *doc, struct mf_descriptor *d,
                           struct err *e)
{
    static const char *const fields[] = { "objvault",   "id",   "created",
                                          "block_size", "lock", NULL };
    uint8_t id[ID_BYTES] = { 0 };

    if (mf_canon_version(doc, "objvault", "repository", e) < 0)
        return -1;
    struct json root = json_root(doc);
    json_object(&root, fields);
    struct json v = json_field(&root, "id");
    json_hex(&v, id, sizeof(id));
    digest_hex(span_of(id, sizeof(id)), d->id);
    struct json created = json_field(&root, "created");
    d->created = json_time(&created);
    struct json size = json_field(&root, "block_size");
    d->block_size = (uint32_t)json_uint(&size, MF_BLOCK_MAX);
    if (!mf_block_size_ok(d->block_size))
        json_reject(&size, "is not a power of two from 256 KiB to 8 MiB");
    read_lock(&root, d);
    return json_failed(doc, e);
}

int mf_descriptor_decode(struct span bytes, struct mf_descriptor *d,
                         struct err *e)
{
    *d = (struct mf_descriptor){ 0 };
    if (bytes.len > MF_DESCRIPTOR_JSON_MAX)
        return err_set(e, ERR_CORRUPT, 0, "descriptor: has %zu bytes",
                       bytes.len);

    AUTO_JSON struct json_doc *doc =
        json_parse(bytes, JSON_STRICT, ERR_CORRUPT, e);
    if (doc == NULL)
        return err_ctx(e, "descriptor");
    if (read_descriptor(doc, d, e) < 0)
        return e->kind == ERR_UNSUPPORTED ? -1 : err_ctx(e, "descriptor");

    AUTO_BUF struct buf again = buf_init(bytes.len);
    write_descriptor(d, &again);
    if (mf_canon_check(bytes, &again, e) < 0)
        return err_ctx(e, "descriptor");
    return 0;
}
