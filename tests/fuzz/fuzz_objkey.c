// SPDX-License-Identifier: Apache-2.0
/* Object names: what is taken apart is what its parts make, and every VM name
 * makes a key that is a name. */
#include <string.h>

#include "manifest/name.h"
#include "manifest/objkey.h"
#include "tests/fuzz/fuzz_mf.h"

static void as_name(const char *s)
{
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
    struct mf_id id;
    uint8_t hash[8];
    int64_t time;
    struct mf_slot_name n;

    if (mf_key_parse_slot(s, &n)) {
        MUST(strcmp(mf_key_slot(n.keyset, n.gen, n.slot).s, s) == 0);
        MUST(mf_keyset_ok(n.keyset) && n.gen > 0 && n.gen <= MF_SLOT_GEN_MAX);
    }
    if (mf_key_parse_block(s, MF_KEYSET_PLAIN, &id))
        MUST(strcmp(mf_key_block(MF_KEYSET_PLAIN, &id).s, s) == 0);
    if (mf_key_parse_page(s, MF_KEYSET_PLAIN, &id))
        MUST(strcmp(mf_key_page(MF_KEYSET_PLAIN, &id).s, s) == 0);
    if (mf_key_parse_point(s, MF_KEYSET_PLAIN, vm_key, file)) {
        MUST(strcmp(mf_key_point(MF_KEYSET_PLAIN, vm_key, file).s, s) == 0);
        MUST(mf_point_file_parse(file, &time, hash));
        MUST(time >= 0);
        MUST(strchr(vm_key, '/') == NULL && vm_key[0] != '.');
    }
    if (mf_key_parse_keep(s, MF_KEYSET_PLAIN, vm_key, file))
        MUST(strcmp(mf_key_keep(MF_KEYSET_PLAIN, vm_key, file).s, s) == 0);
    (void)mf_point_file_parse(s, &time, hash);
}

static void as_vm_key(const char *s)
{
    char name[MF_VMKEY_CHARS];
    char again[MF_VMKEY_CHARS];
    struct err e = { 0 };

    if (!mf_vmkey_decode(s, name))
        return;
    MUST(mf_vmkey_encode(name, again, &e) == 0);
    MUST(strcmp(again, s) == 0);
}

static void as_vm_name(const char *s)
{
    static const char file[] = "20261122T100000Z-ba7816bf8f01cfea.json";
    char key[MF_VMKEY_CHARS];
    char name[MF_VMKEY_CHARS];
    char key_back[MF_VMKEY_CHARS];
    char file_back[MF_POINT_FILE_CHARS];
    struct err e = { 0 };

    if (mf_vmkey_encode(s, key, &e) < 0) {
        MUST(s[0] == '\0' || strlen(s) > MF_NAME_MAX);
        return;
    }
    if (mf_vmkey_decode(key, name))
        MUST(strcmp(name, s) == 0);
    else
        MUST(strlen(key) == 137);
    MUST(mf_key_parse_point(mf_key_point(MF_KEYSET_PLAIN, key, file).s,
                            MF_KEYSET_PLAIN, key_back, file_back));
    MUST(strcmp(key, key_back) == 0 && strcmp(file, file_back) == 0);
    if (mf_name_is_disk(s))
        MUST(mf_name_is_path(s) && mf_name_is_plain(s, MF_NAME_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = malloc(size + 1);

    MUST(s != NULL);
    if (size > 0)
        memcpy(s, data, size);
    s[size] = '\0';
    as_name(s);
    as_vm_key(s);
    as_vm_name(s);
    free(s);
    return 0;
}
