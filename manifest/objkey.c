// SPDX-License-Identifier: Apache-2.0
/* Object names: making them, and telling our own from junk when a listing
 * comes back. */
#include "manifest/objkey.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "manifest/canon.h"
#include "manifest/name.h"

#define ID_DIGITS (MF_ID_CHARS - 1)
#define VMKEY_MAX 200 /* longer ones are cut ... */
#define CUT_HEAD 120  /* ... to so many bytes, '-' and the name's hash */
#define HASH_BYTES 8
#define HASH_DIGITS 16
#define CUT_CHARS (CUT_HEAD + 1 + HASH_DIGITS)
#define JSON_SUFFIX ".json"

/* A name that does not fit becomes "", which no store takes, rather than a
 * shorter name of something else. */
static struct mf_key key_format(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
static struct mf_key key_format(const char *fmt, ...)
{
    struct mf_key k;
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(k.s, sizeof(k.s), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(k.s))
        k.s[0] = '\0';
    return k;
}

static struct mf_key object_key(const char *keyset, const char *folder,
                                const struct mf_id *id)
{
    char hex[MF_ID_CHARS];

    mf_id_hex(id, hex);
    return key_format("%s/%s/%.2s/%s", keyset, folder, hex, hex);
}

static struct mf_key objects_prefix(const char *keyset, const char *folder,
                                    int prefix)
{
    if (prefix < 0)
        return key_format("%s/%s/", keyset, folder);
    return key_format("%s/%s/%02x/", keyset, folder, (unsigned)prefix & 0xffu);
}

struct mf_key mf_key_block(const char *keyset, const struct mf_id *id)
{
    return object_key(keyset, "blocks", id);
}

struct mf_key mf_key_page(const char *keyset, const struct mf_id *id)
{
    return object_key(keyset, "pages", id);
}

struct mf_key mf_key_blocks_prefix(const char *keyset, int prefix)
{
    return objects_prefix(keyset, "blocks", prefix);
}

struct mf_key mf_key_pages_prefix(const char *keyset, int prefix)
{
    return objects_prefix(keyset, "pages", prefix);
}

/* "<keyset>/<folder>/" or, with a vm key, "<keyset>/<folder>/<vm key>/". */
static struct mf_key series_prefix(const char *keyset, const char *folder,
                                   const char *vm_key)
{
    if (vm_key == NULL)
        return key_format("%s/%s/", keyset, folder);
    return key_format("%s/%s/%s/", keyset, folder, vm_key);
}

struct mf_key mf_key_points_prefix(const char *keyset, const char *vm_key)
{
    return series_prefix(keyset, "points", vm_key);
}

struct mf_key mf_key_keeps_prefix(const char *keyset, const char *vm_key)
{
    return series_prefix(keyset, "keep", vm_key);
}

struct mf_key mf_key_point(const char *keyset, const char *vm_key,
                           const char *file)
{
    return key_format("%s/points/%s/%s", keyset, vm_key, file);
}

struct mf_key mf_key_keep(const char *keyset, const char *vm_key,
                          const char *file)
{
    return key_format("%s/keep/%s/%s", keyset, vm_key, file);
}

/* What stands behind "<keyset>/<folder>/" in key, or NULL. */
static const char *below(const char *key, const char *keyset,
                         const char *folder)
{
    struct mf_key prefix = key_format("%s/%s/", keyset, folder);
    size_t n = strlen(prefix.s);

    return n > 0 && strncmp(key, prefix.s, n) == 0 ? key + n : NULL;
}

static bool parse_object(const char *key, const char *keyset,
                         const char *folder, struct mf_id *id)
{
    const char *rest = below(key, keyset, folder);

    if (rest == NULL || strlen(rest) != 3 + ID_DIGITS || rest[2] != '/' ||
        strncmp(rest, rest + 3, 2) != 0)
        return false;
    return mf_id_parse(rest + 3, id);
}

bool mf_key_parse_block(const char *key, const char *keyset, struct mf_id *id)
{
    return parse_object(key, keyset, "blocks", id);
}

bool mf_key_parse_page(const char *key, const char *keyset, struct mf_id *id)
{
    return parse_object(key, keyset, "pages", id);
}

static bool is_clear(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '.' || c == '-';
}

/* The length of the vm key at s; 0: there is none. */
static size_t vm_key_len(const char *s)
{
    size_t n = 0;

    while (is_clear(s[n]) || s[n] == '_')
        n++;
    return s[0] == '.' || n > VMKEY_MAX ? 0 : n;
}

bool mf_key_is_folder(const char *key, const char *keyset)
{
    static const struct {
        const char *name;
        bool by_vm; /* folders in it are named by VMs, else by a byte */
    } areas[] = {
        { "blocks", false },
        { "pages", false },
        { "points", true },
        { "keep", true },
    };
    size_t n = strlen(keyset);

    if (strncmp(key, keyset, n) != 0)
        return false;
    if (key[n] == '\0')
        return true;
    if (key[n] != '/')
        return false;
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        size_t len = strlen(areas[i].name);
        if (strncmp(key + n + 1, areas[i].name, len) != 0)
            continue;
        const char *rest = key + n + 1 + len;
        if (rest[0] != '/')
            return rest[0] == '\0';
        rest++;
        size_t last = areas[i].by_vm ? vm_key_len(rest)
                                     : strspn(rest, "0123456789abcdef");
        return rest[last] == '\0' && (areas[i].by_vm ? last > 0 : last == 2);
    }
    return false;
}

bool mf_key_is_slot_folder(const char *key)
{
    const size_t top = strlen("keysets");
    char keyset[MF_KEYSET_CHARS];

    if (strncmp(key, "keysets", top) != 0)
        return false;
    if (key[top] == '\0')
        return true;
    if (key[top] != '/' || strlen(key + top + 1) < MF_KEYSET_CHARS - 1)
        return false;
    memcpy(keyset, key + top + 1, MF_KEYSET_CHARS - 1);
    keyset[MF_KEYSET_CHARS - 1] = '\0';
    const char *rest = key + top + MF_KEYSET_CHARS;
    return mf_keyset_ok(keyset) &&
           (rest[0] == '\0' || strcmp(rest, "/slots") == 0);
}

/* A manifest's name below "<keyset>/<folder>/". */
static bool parse_of_point(const char *key, const char *keyset,
                           const char *folder, char vm_key[MF_VMKEY_CHARS],
                           char file[MF_POINT_FILE_CHARS])
{
    const char *rest = below(key, keyset, folder);
    int64_t time;
    uint8_t hash[HASH_BYTES];

    size_t n = rest != NULL ? vm_key_len(rest) : 0;
    if (n == 0 || rest[n] != '/' ||
        !mf_point_file_parse(rest + n + 1, &time, hash))
        return false;
    memcpy(vm_key, rest, n);
    vm_key[n] = '\0';
    memcpy(file, rest + n + 1, strlen(rest + n + 1) + 1);
    return true;
}

bool mf_key_parse_point(const char *key, const char *keyset,
                        char vm_key[MF_VMKEY_CHARS],
                        char file[MF_POINT_FILE_CHARS])
{
    return parse_of_point(key, keyset, "points", vm_key, file);
}

bool mf_key_parse_keep(const char *key, const char *keyset,
                       char vm_key[MF_VMKEY_CHARS],
                       char file[MF_POINT_FILE_CHARS])
{
    return parse_of_point(key, keyset, "keep", vm_key, file);
}

/* HASH_DIGITS lower-case hex digits at s. */
static bool is_hash(const char *s)
{
    uint8_t bytes[HASH_BYTES];

    return digest_unhex(s, HASH_DIGITS, bytes, sizeof(bytes));
}

bool mf_keyset_ok(const char *keyset)
{
    return strnlen(keyset, MF_KEYSET_CHARS) == 2 + HASH_DIGITS &&
           strncmp(keyset, "k-", 2) == 0 && is_hash(keyset + 2);
}

struct mf_key mf_key_slot(const char *keyset, uint32_t gen, const char *slot)
{
    return key_format("keysets/%s/slots/%08" PRIu32 "-%s" JSON_SUFFIX, keyset,
                      gen, slot);
}

struct mf_key mf_key_slots_prefix(const char *keyset)
{
    return keyset == NULL ? key_format("keysets/")
                          : key_format("keysets/%s/slots/", keyset);
}

bool mf_key_parse_slot(const char *key, struct mf_slot_name *n)
{
    const size_t keyset_at = strlen("keysets/");
    const size_t gen_at = keyset_at + MF_KEYSET_CHARS - 1 + strlen("/slots/");
    const size_t slot_at = gen_at + 8 + 1;

    if (strlen(key) != slot_at + HASH_DIGITS + strlen(JSON_SUFFIX))
        return false;
    *n = (struct mf_slot_name){ 0 };
    memcpy(n->keyset, key + keyset_at, MF_KEYSET_CHARS - 1);
    memcpy(n->slot, key + slot_at, MF_SLOT_ID_CHARS - 1);
    for (size_t i = gen_at; i < gen_at + 8; i++) {
        if (key[i] < '0' || key[i] > '9')
            return false;
        n->gen = n->gen * 10 + (uint32_t)(key[i] - '0');
    }
    return n->gen > 0 && mf_keyset_ok(n->keyset) && is_hash(n->slot) &&
           strcmp(mf_key_slot(n->keyset, n->gen, n->slot).s, key) == 0;
}

static bool is_cut(const char *vm_key)
{
    return strlen(vm_key) == CUT_CHARS && vm_key[CUT_HEAD] == '-' &&
           is_hash(vm_key + CUT_HEAD + 1);
}

/* Escapes name; false where it has more than VMKEY_MAX bytes then, of which
 * key holds at least the first CUT_HEAD. */
static bool escape(const char *name, char key[MF_VMKEY_CHARS])
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;

    for (const char *p = name; *p != '\0'; p++) {
        if (n + 3 > MF_VMKEY_CHARS - 1)
            break;
        if (is_clear(*p) && !(*p == '.' && p == name)) {
            key[n++] = *p;
            continue;
        }
        key[n++] = '_';
        key[n++] = digits[(uint8_t)*p >> 4];
        key[n++] = digits[(uint8_t)*p & 15];
    }
    key[n] = '\0';
    return n <= VMKEY_MAX;
}

int mf_vmkey_encode(const char *name, char out[MF_VMKEY_CHARS], struct err *e)
{
    uint8_t hash[DIGEST_SHA256_BYTES];

    if (name[0] == '\0' || strlen(name) > MF_NAME_MAX)
        return err_set(e, ERR_USAGE, 0,
                       "a VM's name must have 1 to %d bytes, this has %zu",
                       MF_NAME_MAX, strlen(name));
    /* A name that looks like a cut key is cut too, so that nobody can choose
     * a name that shares the folder of another VM. */
    if (escape(name, out) && !is_cut(out))
        return 0;
    if (digest_sha256(span_str(name), hash, e) < 0)
        return -1;
    out[CUT_HEAD] = '-';
    digest_hex(span_of(hash, HASH_BYTES), out + CUT_HEAD + 1);
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool mf_vmkey_decode(const char *vm_key, char out[MF_VMKEY_CHARS])
{
    char again[MF_VMKEY_CHARS];
    size_t n = 0;

    if (strlen(vm_key) > VMKEY_MAX || vm_key[0] == '\0' || is_cut(vm_key))
        return false;
    for (const char *p = vm_key; *p != '\0'; p++) {
        if (*p != '_') {
            out[n++] = *p;
            continue;
        }
        int high = hex_digit(p[1]);
        int low = high < 0 ? -1 : hex_digit(p[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        out[n++] = (char)(high << 4 | low);
        p += 2;
    }
    out[n] = '\0';
    /* Whatever escapes to another key was not made by us. */
    return escape(out, again) && strcmp(again, vm_key) == 0;
}

int mf_point_file(int64_t time, struct span bytes,
                  char out[MF_POINT_FILE_CHARS], struct err *e)
{
    uint8_t hash[DIGEST_SHA256_BYTES];
    char basic[UTC_BASIC_CHARS];
    char hex[HASH_DIGITS + 1];

    if (time < 0 || time > MF_TIME_MAX)
        return err_set(e, ERR_INTERNAL, 0, "a point's time is out of range");
    if (digest_sha256(bytes, hash, e) < 0)
        return -1;
    utc_format_basic(time, basic);
    digest_hex(span_of(hash, HASH_BYTES), hex);
    (void)snprintf(out, MF_POINT_FILE_CHARS, "%s-%s" JSON_SUFFIX, basic, hex);
    return 0;
}

bool mf_point_file_parse(const char *file, int64_t *time, uint8_t hash[8])
{
    const size_t at = UTC_BASIC_CHARS - 1;
    char basic[UTC_BASIC_CHARS];

    if (strlen(file) != at + 1 + HASH_DIGITS + strlen(JSON_SUFFIX) ||
        file[at] != '-' ||
        strcmp(file + at + 1 + HASH_DIGITS, JSON_SUFFIX) != 0)
        return false;
    memcpy(basic, file, at);
    basic[at] = '\0';
    return utc_parse_basic(basic, time) &&
           digest_unhex(file + at + 1, HASH_DIGITS, hash, HASH_BYTES);
}

int mf_point_file_verify(const char *file, struct span bytes, struct err *e)
{
    uint8_t hash[DIGEST_SHA256_BYTES];
    uint8_t promised[HASH_BYTES];
    int64_t time;

    if (!mf_point_file_parse(file, &time, promised))
        return err_set(e, ERR_CORRUPT, 0, "%s is not a manifest's name", file);
    if (digest_sha256(bytes, hash, e) < 0)
        return -1;
    if (memcmp(hash, promised, HASH_BYTES) != 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "manifest %s: content does not have the SHA-256 of its "
                       "name",
                       file);
    return 0;
}
