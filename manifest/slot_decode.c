// SPDX-License-Identifier: Apache-2.0
/* Reading of key slots: whoever can write to the bucket can have made them. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "manifest/canon.h"
#include "manifest/slot_priv.h"

/* A text, or null (""), into room. */
static void read_text(const struct json *parent, const char *field, char *out,
                      size_t room)
{
    struct json v = json_field(parent, field);

    out[0] = '\0';
    if (json_is_null(&v))
        return;
    (void)snprintf(out, room, "%s", json_string(&v, room - 1));
    /* It would be taken for null. */
    if (out[0] == '\0')
        json_reject(&v, "is empty");
}

/* Bytes in hex, or null where they must not be there. */
static void read_hex(const struct json *parent, const char *field, bool has,
                     uint8_t *out, size_t len)
{
    struct json v = json_field(parent, field);

    if (has)
        json_hex(&v, out, len);
    else if (!json_is_null(&v))
        json_reject(&v, "must be null here");
}

static uint32_t read_uint(const struct json *parent, const char *field,
                          uint32_t max)
{
    struct json v = json_field(parent, field);

    return (uint32_t)json_uint(&v, max);
}

/* An object of these fields that a slot of its type has; else null. */
static struct json read_object(const struct json *root, const char *field,
                               bool has, const char *const *fields)
{
    struct json v = json_field(root, field);

    if (has)
        json_object(&v, fields);
    else if (!json_is_null(&v))
        json_reject(&v, "must be null here");
    return v;
}

static void read_password(const struct json *root, struct mf_slot *s)
{
    static const char *const fields[] = { "hint", "n", "r", "p", "salt", NULL };
    bool has = mf_slot_has_password(s);
    struct json v = read_object(root, "password", has, fields);

    if (!has)
        return;
    read_text(&v, "hint", s->password.hint, sizeof(s->password.hint));
    s->password.n = read_uint(&v, "n", MF_SCRYPT_N_MAX);
    s->password.r = read_uint(&v, "r", MF_SCRYPT_R_MAX);
    s->password.p = read_uint(&v, "p", MF_SCRYPT_P_MAX);
    read_hex(&v, "salt", true, s->password.salt, sizeof(s->password.salt));
}

static void read_kms(const struct json *root, struct mf_slot *s)
{
    static const char *const fields[] = { "name", "key", "key_name",
                                          "mode", "kcv", NULL };
    bool has = s->type == MF_SLOT_KMS;
    struct json v = read_object(root, "kms", has, fields);

    if (!has)
        return;
    read_text(&v, "name", s->kms.name, sizeof(s->kms.name));
    read_text(&v, "key", s->kms.key, sizeof(s->kms.key));
    read_text(&v, "key_name", s->kms.key_name, sizeof(s->kms.key_name));
    struct json mode = json_field(&v, "mode");
    s->kms.mode = (enum mf_slot_mode)json_word(&mode, mf_slot_mode_words);
    struct json kcv = json_field(&v, "kcv");
    s->kms.has_kcv = !json_is_null(&kcv);
    read_hex(&v, "kcv", s->kms.has_kcv, s->kms.kcv, sizeof(s->kms.kcv));
}

static void read_pubkey(const struct json *root, struct mf_slot *s)
{
    static const char *const fields[] = { "alg", "fingerprint", "ephemeral",
                                          NULL };
    bool has = s->type == MF_SLOT_PUBKEY;
    struct json v = read_object(root, "pubkey", has, fields);

    if (!has)
        return;
    struct json alg = json_field(&v, "alg");
    s->pubkey.alg = (enum mf_slot_alg)json_word(&alg, mf_slot_alg_words);
    read_hex(&v, "fingerprint", true, s->pubkey.fingerprint,
             sizeof(s->pubkey.fingerprint));
    read_hex(&v, "ephemeral", s->pubkey.alg == MF_SLOT_X25519,
             s->pubkey.ephemeral, sizeof(s->pubkey.ephemeral));
}

static void read_wrap(const struct json *root, struct mf_slot *s)
{
    bool key = s->type != MF_SLOT_REMOVED;
    bool tag = mf_slot_has_tag(s);
    struct json data = json_field(root, "data");

    read_hex(root, "key_print", key, s->key_print, sizeof(s->key_print));
    read_hex(root, "iv", tag, s->iv, sizeof(s->iv));
    if (key) {
        size_t digits = strlen(json_string(&data, sizeof(s->data) * 2));
        s->data_len = digits / 2;
        json_hex(&data, s->data, s->data_len);
    } else if (!json_is_null(&data)) {
        json_reject(&data, "must be null here");
    }
    read_hex(root, "tag", tag, s->tag, sizeof(s->tag));
    read_hex(root, "mac", true, s->mac, sizeof(s->mac));
}

static int read_slot(struct json_doc *doc, struct mf_slot *s, struct err *e)
{
    static const char *const fields[] = {
        "objvault",   "repo", "keyset", "label",     "created",
        "supersedes", "slot", "gen",    "made",      "type",
        "password",   "kms",  "pubkey", "key_print", "iv",
        "data",       "tag",  "mac",    NULL
    };

    if (mf_canon_version(doc, "objvault", "slot", e) < 0)
        return -1;
    struct json root = json_root(doc);
    json_object(&root, fields);
    read_text(&root, "repo", s->repo, sizeof(s->repo));
    read_text(&root, "keyset", s->keyset, sizeof(s->keyset));
    read_text(&root, "label", s->label, sizeof(s->label));
    struct json created = json_field(&root, "created");
    s->created = json_time(&created);
    read_text(&root, "supersedes", s->supersedes, sizeof(s->supersedes));
    read_text(&root, "slot", s->slot, sizeof(s->slot));
    s->gen = read_uint(&root, "gen", MF_SLOT_GEN_MAX);
    struct json made = json_field(&root, "made");
    s->made = json_time(&made);
    struct json type = json_field(&root, "type");
    s->type = (enum mf_slot_type)json_word(&type, mf_slot_type_words);
    read_password(&root, s);
    read_kms(&root, s);
    read_pubkey(&root, s);
    read_wrap(&root, s);
    return json_failed(doc, e);
}

int mf_slot_decode(struct span bytes, struct mf_slot *s, struct err *e)
{
    *s = (struct mf_slot){ 0 };
    if (bytes.len > MF_SLOT_JSON_MAX)
        return err_set(e, ERR_CORRUPT, 0, "slot: has %zu bytes", bytes.len);

    AUTO_JSON struct json_doc *doc =
        json_parse(bytes, JSON_STRICT, ERR_CORRUPT, e);
    if (doc == NULL)
        return err_ctx(e, "slot");
    if (read_slot(doc, s, e) < 0)
        return e->kind == ERR_UNSUPPORTED ? -1 : err_ctx(e, "slot");
    if (mf_slot_check(s, MF_SLOT_WHOLE, ERR_CORRUPT, e) < 0)
        return -1;

    AUTO_BUF struct buf again = buf_init(bytes.len);
    mf_slot_write(s, MF_SLOT_WHOLE, &again);
    if (mf_canon_check(bytes, &again, e) < 0)
        return err_ctx(e, "slot");
    return 0;
}
