// SPDX-License-Identifier: Apache-2.0
/*
 * S3 driver: listings, of keys (version 2 of the request) and of versions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objstore/s3.h"
#include "objstore/xml.h"

#define PAGE_MAX 1000

static void add_keys(struct obj_s3_call *c, const struct obj_list_opts *o,
                     const struct obj_page *page)
{
    obj_s3_call_query(c, "list-type", "2");
    if (page->next != NULL)
        obj_s3_call_query(c, "continuation-token", page->next);
    else if (o->after != NULL && o->after[0] != '\0')
        obj_s3_call_query(c, "start-after", o->after);
}

static void add_versions(struct obj_s3_call *c, const struct obj_list_opts *o,
                         const struct obj_page *page)
{
    obj_s3_call_query(c, "versions", "");
    if (page->next != NULL) {
        obj_s3_call_query(c, "key-marker", page->next);
        if (page->next_version != NULL && page->next_version[0] != '\0')
            obj_s3_call_query(c, "version-id-marker", page->next_version);
    } else if (o->after != NULL && o->after[0] != '\0') {
        obj_s3_call_query(c, "key-marker", o->after);
    }
}

/* A server that sends its reader in a circle would keep us for ever. */
static bool stands_still(const struct obj_page *was, const struct obj_page *is)
{
    if (was->next == NULL || is->next == NULL ||
        strcmp(was->next, is->next) != 0)
        return false;
    const char *a = was->next_version == NULL ? "" : was->next_version;
    const char *b = is->next_version == NULL ? "" : is->next_version;
    return strcmp(a, b) == 0;
}

void obj_s3_list(void *self, const struct obj_req *r,
                 const struct obj_list_opts *o, struct obj_page *page,
                 struct obj_attempt *a)
{
    static const struct obj_list_opts plain = { 0 };
    AUTO_BUF struct buf xml = buf_init(OBJ_S3_XML_MAX);
    char max_keys[16];
    struct err e;

    if (o == NULL)
        o = &plain;
    unsigned max = o->page == 0 || o->page > PAGE_MAX ? PAGE_MAX : o->page;
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, NULL, OBJ_LIST, "GET", a);
    if (o->versions)
        add_versions(&c, o, page);
    else
        add_keys(&c, o, page);
    snprintf(max_keys, sizeof max_keys, "%u", max);
    obj_s3_call_query(&c, "max-keys", max_keys);
    obj_s3_call_query(&c, "prefix", r->key);
    /* Keys may hold what XML cannot. */
    obj_s3_call_query(&c, "encoding-type", "url");
    c.out = &xml;
    if (!obj_s3_send(&c) || !obj_s3_body_is_good(&c, buf_span(&xml)))
        return;

    struct obj_page got;
    int read = obj_xml_list(buf_span(&xml), o->versions, r->key, max, &got, &e);
    if (read == 0 && stands_still(page, &got))
        read = err_set(&e, ERR_CORRUPT, 0,
                       "listing: the server repeats the same page");
    if (read < 0) {
        obj_page_clear(&got);
        obj_s3_fail(a, &e);
        return;
    }
    for (size_t i = 0; i < got.n; i++)
        got.entries[i].info.server_time = a->server_time;
    /* Only now: a failed attempt is repeated from the same place. */
    obj_page_clear(page);
    *page = got;
}
