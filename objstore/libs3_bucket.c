// SPDX-License-Identifier: Apache-2.0
/*
 * Driver libs3: buckets and listings.
 *
 * libs3's own listing is not used.  It takes an answer that was cut, and any
 * document that is no listing, for the end of one, and shows nothing by which
 * that could be told: an incomplete listing would be taken for the truth by
 * whoever deletes what it does not show.  So the document is fetched like an
 * object, which has the empty name, and read by our own reader.  libs3 2.0
 * puts the host's name into the URL as it is given, and the old signature
 * covers no such query: the parameters stand behind the host.
 */
#include <stdio.h>
#include <string.h>

#include "objstore/libs3.h"
#include "objstore/sigv4.h"
#include "objstore/xml.h"

#define PAGE_MAX 1000
#define XML_MAX (16u << 20)
#define URL_MAX (8u << 10)

/* HOST/bucket/?prefix=...&objvault=, behind which libs3 puts "/bucket/". */
static int list_host(const struct obj_libs3 *s, const char *prefix,
                     const char *marker, unsigned max, struct buf *out,
                     struct err *e)
{
    char max_keys[16];

    snprintf(max_keys, sizeof max_keys, "%u", max);
    const struct obj_sigv4_pair query[] = {
        { "encoding-type", "url" },
        { "max-keys", max_keys },
        { "prefix", prefix },
        { "marker", marker },
    };
    buf_append_str(out, s->host);
    if (!s->virtual_host)
        buf_printf(out, "/%s", s->bucket);
    buf_append_str(out, "/?");
    if (obj_sigv4_query(query, marker[0] != '\0' ? 4 : 3, out, e) < 0)
        return -1;
    buf_append_str(out, "&x-objvault=");
    (void)buf_cstr(out);
    return buf_check(out, e);
}

/* Where the page begins.  A marker that does not begin with the prefix is not
 * implemented by some servers.  False: nothing can come behind it. */
static bool marker_of(const char *prefix, const char *after,
                      const char **marker)
{
    *marker = "";
    if (after == NULL || strncmp(after, prefix, strlen(prefix)) == 0) {
        *marker = after == NULL ? "" : after;
        return true;
    }
    return strcmp(after, prefix) < 0;
}

/* The document must be whole: as long as announced, or, where nothing was
 * announced (chunks), closed. */
static bool fetch(struct obj_libs3_call *c, struct buf *xml)
{
    struct obj_xml_error refusal;

    c->out = xml;
    if (!obj_libs3_send(c))
        return false;
    if (c->r.length != 0 && c->r.length != c->got)
        return obj_libs3_end(c->a, OBJ_UNAVAIL, "the listing ended early");
    if (!obj_xml_error(buf_span(xml), &refusal))
        return true;
    obj_xml_copy(c->a->code, sizeof c->a->code, refusal.code);
    return obj_libs3_end(c->a, OBJ_UNAVAIL, refusal.message);
}

void obj_libs3_list(void *self, const struct obj_req *r,
                    const struct obj_list_opts *o, struct obj_page *page,
                    struct obj_attempt *a)
{
    static const struct obj_list_opts plain = { 0 };
    AUTO_BUF struct buf xml = buf_init(XML_MAX);
    AUTO_BUF struct buf host = buf_init(URL_MAX);
    struct obj_libs3 *s = self;
    const char *marker;
    struct err e;

    a->verb = OBJ_LIST;
    if (o == NULL)
        o = &plain;
    if (o->versions) {
        obj_libs3_end(a, OBJ_UNABLE, "driver libs3 knows no versions");
        return;
    }
    if (!obj_libs3_can_send(r, a))
        return;
    unsigned max = o->page == 0 || o->page > PAGE_MAX ? PAGE_MAX : o->page;
    if (!marker_of(r->key, page->next != NULL ? page->next : o->after,
                   &marker)) {
        obj_page_clear(page);
        a->outcome = OBJ_OK;
        return;
    }
    if (list_host(s, r->key, marker, max, &host, &e) < 0) {
        obj_libs3_fail(a, &e);
        return;
    }
    struct obj_libs3_call c =
        obj_libs3_call_of(s, r, OBJ_LIBS3_GET, false, OBJ_LIST, a);
    c.q.host = buf_cstr(&host);
    if (!fetch(&c, &xml))
        return;
    struct obj_page got;
    if (obj_xml_list_marked(buf_span(&xml), r->key, max, &got, &e) < 0) {
        obj_page_clear(&got);
        obj_libs3_fail(a, &e);
        return;
    }
    obj_page_clear(page);
    *page = got;
}

static bool bucket_there(struct obj_libs3 *s, const struct obj_req *r,
                         struct obj_attempt *a)
{
    struct obj_libs3_call c =
        obj_libs3_call_of(s, r, OBJ_LIBS3_HEAD, false, OBJ_BUCKET, a);

    return obj_libs3_send(&c);
}

void obj_libs3_bucket_info(void *self, const struct obj_req *r,
                           struct obj_bucket *b, struct obj_attempt *a)
{
    a->verb = OBJ_BUCKET;
    /* Whether it keeps versions cannot be asked. */
    if (bucket_there(self, r, a))
        *b = (struct obj_bucket){ 0 };
}

void obj_libs3_bucket_create(void *self, const struct obj_req *r,
                             bool object_lock, struct obj_attempt *a)
{
    a->verb = OBJ_BUCKET;
    if (object_lock) {
        obj_libs3_end(a, OBJ_UNABLE, "driver libs3 has no locks");
        return;
    }
    struct obj_libs3_call c =
        obj_libs3_call_of(self, r, OBJ_LIBS3_MAKE_BUCKET, false, OBJ_BUCKET, a);
    bool made = obj_libs3_send(&c);
    if (strcmp(a->code, "BucketAlreadyOwnedByYou") == 0) {
        a->outcome = OBJ_OK;
        return;
    }
    if (strcmp(a->code, "BucketAlreadyExists") == 0) {
        a->outcome = OBJ_THERE; /* somebody else's */
        return;
    }
    /* As with every PUT of libs3: only looking tells. */
    if ((made || strcmp(c.r.status, "ConnectionFailed") == 0) &&
        !bucket_there(self, r, a) && a->outcome == OBJ_NO_BUCKET)
        obj_libs3_end(a, OBJ_UNAVAIL,
                      "the server took it and does not have it");
}
