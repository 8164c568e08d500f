// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an answer of an S3 server: all readers run over it.  What a
// listing gives must keep its promises, whatever the document said.
#include <stdlib.h>
#include <string.h>

#include "objstore/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_page(const struct obj_page *p, const char *prefix, size_t max,
                       bool versions)
{
    must(p->n <= max);
    for (size_t i = 0; i < p->n; i++) {
        const struct obj_list_entry *e = &p->entries[i];
        must(e->key != NULL && e->key[0] != '\0');
        must(strlen(e->key) <= OBJ_KEY_MAX);
        must(strncmp(e->key, prefix, strlen(prefix)) == 0);
        must(versions == (e->info.version[0] != '\0'));
    }
    must(p->next == NULL || p->next[0] != '\0');
}

static void list(struct span doc, bool versions, const char *prefix)
{
    const size_t max = 5;
    struct obj_page page;
    struct err e;

    if (obj_xml_list(doc, versions, prefix, max, &page, &e) == 0)
        check_page(&page, prefix, max, versions);
    obj_page_clear(&page);
}

static void on_deleted(void *ctx, const char *key, const char *version,
                       const char *code, const char *message)
{
    (void)ctx;
    must(key != NULL);
    must(version == NULL || version[0] != '\0');
    must((code == NULL) == (message == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span doc = span_of(data, size);
    struct obj_xml_error x;
    struct obj_lock lock = { 0 };
    struct obj_bucket bucket = { 0 };
    enum obj_versioning versioning;
    char region[32];
    bool on;
    struct err e;

    must(obj_xml_error(doc, &x) == (x.code[0] != '\0'));
    list(doc, false, "");
    list(doc, true, "");
    list(doc, false, "p/");
    (void)!obj_xml_delete_result(doc, on_deleted, NULL, &e);
    if (obj_xml_retention(doc, &lock, &e) == 0)
        must((lock.mode == OBJ_LOCK_NONE) == (lock.until == 0));
    (void)!obj_xml_legal_hold(doc, &on, &e);
    (void)!obj_xml_lock_config(doc, &bucket, &e);
    (void)!obj_xml_versioning(doc, &versioning, &e);
    if (obj_xml_location(doc, region, sizeof region, &e) == 0)
        must(region[0] != '\0');
    return 0;
}
