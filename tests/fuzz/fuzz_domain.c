// SPDX-License-Identifier: Apache-2.0
/* A domain's XML is written by whoever may define one, its metadata by anybody:
 * what is taken from it keeps its bounds. */
#include <stdlib.h>
#include <string.h>

#include "engine/inventory/domain.h"
#include "manifest/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_names(char *const *names, size_t n)
{
    must(n <= ENG_DOMAIN_NAMES_MAX);
    for (size_t i = 0; i < n; i++)
        must(mf_name_is_plain(names[i], ENG_TAG_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span xml = span_of(data, size);
    struct err e = { 0 };
    AUTO_MEM char *path = NULL;
    AUTO_ENG_DOMAIN struct eng_domain d;

    must(eng_pool_parse(xml, &path, &e) == 0 || path == NULL);
    if (eng_domain_parse(xml, &d, &e) < 0) {
        must(e.kind == ERR_CORRUPT);
        return 0;
    }
    must(d.n_disks <= ENG_DOMAIN_DISKS_MAX);
    check_names(d.networks, d.n_networks);
    check_names(d.tags, d.n_tags);
    for (size_t i = 0; i < d.n_disks; i++) {
        enum eng_image_format format;
        if (eng_domain_disk_check(&d.disks[i], d.disks[i].path, &format, &e) ==
            0)
            must(d.disks[i].path == NULL || d.disks[i].path[0] == '/');
    }
    return 0;
}
