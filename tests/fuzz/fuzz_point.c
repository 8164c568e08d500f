// SPDX-License-Identifier: Apache-2.0
/* Point manifests: what decodes is canonical, and its names are safe. */
#include <string.h>

#include "manifest/objkey.h"
#include "manifest/point.h"
#include "tests/fuzz/fuzz_mf.h"

static void check_name(const char *name, bool disk)
{
    MUST(name[0] != '\0' && name[0] != '/');
    MUST(strcmp(name, "..") != 0 && strncmp(name, "../", 3) != 0);
    MUST(strstr(name, "/../") == NULL && strstr(name, "//") == NULL);
    MUST(!disk || strchr(name, '/') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct span in = span_of(data, size);
    AUTO_MF_POINT struct mf_point *p = mf_point_decode(in, &e);
    AUTO_BUF struct buf again = buf_init(size);
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    if (p == NULL) {
        MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
        return 0;
    }
    MUST(mf_point_encode(p, &again, &e) == 0);
    MUST(span_eq(buf_span(&again), in));
    MUST(mf_vmkey_encode(p->vm.name, vm_key, &e) == 0);
    MUST(mf_point_file(p->time, in, file, &e) == 0);
    for (size_t i = 0; i < p->n_disks; i++)
        check_name(p->disks[i].name, true);
    for (size_t i = 0; i < p->n_files; i++)
        check_name(p->files[i].name, false);
    return 0;
}
