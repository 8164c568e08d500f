// SPDX-License-Identifier: Apache-2.0
/* Key slots: rules, and writing.  Reading is in slot_decode.c. */
#include "manifest/slot.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/jsonw.h"
#include "manifest/canon.h"
#include "manifest/keys.h"
#include "manifest/name.h"
#include "manifest/slot_priv.h"

#define TEXT_MAX (MF_SLOT_TEXT_CHARS - 1)
#define RSA_BYTES_MIN 256 /* 2,048 bits */

const char *const mf_slot_type_words[] = { "password", "recovery", "kms",
                                           "pubkey",   "removed",  NULL };
const char *const mf_slot_mode_words[] = { "get", "remote", NULL };
const char *const mf_slot_alg_words[] = { "rsa-oaep-sha256", "x25519", NULL };

const char *mf_slot_type_word(enum mf_slot_type type)
{
    return mf_slot_type_words[type];
}

/* Of which documents a field is, by the slot's type. */
bool mf_slot_has_password(const struct mf_slot *s)
{
    return s->type == MF_SLOT_PASSWORD || s->type == MF_SLOT_RECOVERY;
}

bool mf_slot_has_tag(const struct mf_slot *s)
{
    return s->type != MF_SLOT_REMOVED &&
           !(s->type == MF_SLOT_PUBKEY && s->pubkey.alg == MF_SLOT_RSA_OAEP);
}

/* --- rules --- */

static bool is_hex(const char *s, size_t size, size_t bytes)
{
    uint8_t raw[32];

    return digest_unhex(s, strnlen(s, size), raw, bytes);
}

static bool scrypt_ok(const struct mf_slot *s)
{
    uint32_t n = s->password.n;
    uint32_t r = s->password.r;

    return n >= MF_SCRYPT_N_MIN && n <= MF_SCRYPT_N_MAX && (n & (n - 1)) == 0 &&
           r >= 1 && r <= MF_SCRYPT_R_MAX && s->password.p >= 1 &&
           s->password.p <= MF_SCRYPT_P_MAX &&
           128ull * n * r <= MF_SCRYPT_BYTES_MAX;
}

bool mf_slot_label_ok(const char *label)
{
    return mf_name_is_plain(label, TEXT_MAX);
}

static const char *bad_type(const struct mf_slot *s)
{
    if (mf_slot_has_password(s)) {
        if (s->password.hint[0] != '\0' &&
            !mf_name_is_text(s->password.hint, TEXT_MAX))
            return "password.hint is no text of up to 256 bytes";
        if (!scrypt_ok(s))
            return "password.n, r or p is out of range";
    }
    if (s->type == MF_SLOT_KMS) {
        if (!mf_name_is_plain(s->kms.name, TEXT_MAX) ||
            !mf_name_is_plain(s->kms.key, TEXT_MAX) ||
            !mf_name_is_plain(s->kms.key_name, TEXT_MAX))
            return "kms.name, key or key_name is no name of up to 256 bytes";
        if (s->kms.mode == MF_SLOT_REMOTE && s->kms.has_kcv)
            return "kms.kcv is of a key that never leaves its server";
    }
    return NULL;
}

static bool data_ok(const struct mf_slot *s)
{
    if (s->type == MF_SLOT_REMOVED)
        return s->data_len == 0;
    if (mf_slot_has_tag(s))
        return s->data_len == MF_DATA_KEY_BYTES;
    return s->data_len >= RSA_BYTES_MIN && s->data_len <= MF_SLOT_DATA_MAX;
}

static const char *bad(const struct mf_slot *s)
{
    if (!is_hex(s->repo, sizeof(s->repo), 16))
        return "repo is no repository's id";
    if (!mf_keyset_ok(s->keyset))
        return "keyset is no keyset's name";
    if (!mf_slot_label_ok(s->label))
        return "label is no name of up to 256 bytes";
    if (s->created < 0 || s->created > MF_TIME_MAX || s->made < 0 ||
        s->made > MF_TIME_MAX)
        return "created or made is out of range";
    if (s->supersedes[0] != '\0' &&
        (!mf_keyset_ok(s->supersedes) || strcmp(s->supersedes, s->keyset) == 0))
        return "supersedes is no other keyset's name";
    if (!is_hex(s->slot, sizeof(s->slot), 8))
        return "slot is no slot's id";
    if (s->gen < 1 || s->gen > MF_SLOT_GEN_MAX)
        return "gen is out of range";
    return bad_type(s);
}

int mf_slot_check(const struct mf_slot *s, enum mf_slot_part part,
                  enum err_kind kind, struct err *e)
{
    const char *what = bad(s);

    if (what == NULL && part != MF_SLOT_BARE && !data_ok(s))
        what = "data does not have the length of its type";
    if (what != NULL)
        return err_set(e, kind, 0, "slot: %s", what);
    return 0;
}

/* --- writing --- */

static void khex(struct jsonw *w, const char *k, bool has, const uint8_t *p,
                 size_t len)
{
    jsonw_key(w, k);
    if (has)
        jsonw_hex(w, p, len);
    else
        jsonw_null(w);
}

static void ktext(struct jsonw *w, const char *k, const char *text)
{
    jsonw_kstring(w, k, text[0] != '\0' ? text : NULL);
}

static void write_password(struct jsonw *w, const struct mf_slot *s)
{
    jsonw_key(w, "password");
    if (!mf_slot_has_password(s)) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    ktext(w, "hint", s->password.hint);
    jsonw_kuint(w, "n", s->password.n);
    jsonw_kuint(w, "r", s->password.r);
    jsonw_kuint(w, "p", s->password.p);
    khex(w, "salt", true, s->password.salt, sizeof(s->password.salt));
    jsonw_end_object(w);
}

static void write_kms(struct jsonw *w, const struct mf_slot *s)
{
    jsonw_key(w, "kms");
    if (s->type != MF_SLOT_KMS) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    jsonw_kstring(w, "name", s->kms.name);
    jsonw_kstring(w, "key", s->kms.key);
    jsonw_kstring(w, "key_name", s->kms.key_name);
    jsonw_kstring(w, "mode", mf_slot_mode_words[s->kms.mode]);
    khex(w, "kcv", s->kms.has_kcv, s->kms.kcv, sizeof(s->kms.kcv));
    jsonw_end_object(w);
}

static void write_pubkey(struct jsonw *w, const struct mf_slot *s)
{
    jsonw_key(w, "pubkey");
    if (s->type != MF_SLOT_PUBKEY) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    jsonw_kstring(w, "alg", mf_slot_alg_words[s->pubkey.alg]);
    khex(w, "fingerprint", true, s->pubkey.fingerprint,
         sizeof(s->pubkey.fingerprint));
    khex(w, "ephemeral", s->pubkey.alg == MF_SLOT_X25519, s->pubkey.ephemeral,
         sizeof(s->pubkey.ephemeral));
    jsonw_end_object(w);
}

void mf_slot_write(const struct mf_slot *s, enum mf_slot_part part,
                   struct buf *out)
{
    struct jsonw w = jsonw_init(out, false);
    bool wrapped = part != MF_SLOT_BARE;
    bool tag = wrapped && mf_slot_has_tag(s);
    bool data = wrapped && s->type != MF_SLOT_REMOVED;

    jsonw_object(&w);
    jsonw_kuint(&w, "objvault", MF_FORMAT_VERSION);
    jsonw_kstring(&w, "repo", s->repo);
    jsonw_kstring(&w, "keyset", s->keyset);
    jsonw_kstring(&w, "label", s->label);
    jsonw_ktime(&w, "created", s->created);
    ktext(&w, "supersedes", s->supersedes);
    jsonw_kstring(&w, "slot", s->slot);
    jsonw_kuint(&w, "gen", s->gen);
    jsonw_ktime(&w, "made", s->made);
    jsonw_kstring(&w, "type", mf_slot_type_word(s->type));
    write_password(&w, s);
    write_kms(&w, s);
    write_pubkey(&w, s);
    khex(&w, "key_print", s->type != MF_SLOT_REMOVED, s->key_print,
         sizeof(s->key_print));
    khex(&w, "iv", tag, s->iv, sizeof(s->iv));
    khex(&w, "data", data, s->data, s->data_len);
    khex(&w, "tag", tag, s->tag, sizeof(s->tag));
    khex(&w, "mac", part == MF_SLOT_WHOLE, s->mac, sizeof(s->mac));
    jsonw_end_object(&w);
}

static int encode(const struct mf_slot *s, enum mf_slot_part part,
                  struct buf *out, struct err *e)
{
    if (mf_slot_check(s, part, ERR_FAILED, e) < 0)
        return -1;
    mf_slot_write(s, part, out);
    return buf_check(out, e);
}

int mf_slot_encode(const struct mf_slot *s, struct buf *out, struct err *e)
{
    return encode(s, MF_SLOT_WHOLE, out, e);
}

int mf_slot_aad(const struct mf_slot *s, struct buf *out, struct err *e)
{
    return encode(s, MF_SLOT_BARE, out, e);
}

static int mac_of(const struct mf_slot *s, const struct mf_keys *keys,
                  uint8_t mac[MF_SLOT_MAC_BYTES], struct err *e)
{
    AUTO_BUF struct buf json = buf_init(MF_SLOT_JSON_MAX);

    if (encode(s, MF_SLOT_WRAPPED, &json, e) < 0)
        return -1;
    return mf_keys_slot_mac(keys, buf_span(&json), mac, e);
}

int mf_slot_sign(struct mf_slot *s, const struct mf_keys *keys, struct err *e)
{
    return mac_of(s, keys, s->mac, e);
}

int mf_slot_proven(const struct mf_slot *s, const struct mf_keys *keys,
                   struct err *e)
{
    uint8_t mac[MF_SLOT_MAC_BYTES];

    if (mac_of(s, keys, mac, e) < 0)
        return -1;
    return memcmp(mac, s->mac, sizeof(mac)) == 0 ? 1 : 0;
}

int mf_slot_verify(const struct mf_slot *s, const char *repo, const char *key,
                   struct err *e)
{
    if (strcmp(s->repo, repo) != 0)
        return err_set(e, ERR_CORRUPT, 0, "%s: it is a slot of repository %s",
                       key, s->repo);
    if (strcmp(mf_key_slot(s->keyset, s->gen, s->slot).s, key) != 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "%s: it is generation %" PRIu32
                       " of slot %s of keyset %s",
                       key, s->gen, s->slot, s->keyset);
    return 0;
}
