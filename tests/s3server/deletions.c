// SPDX-License-Identifier: Apache-2.0
/*
 * Deletions, of one and of many.
 */
#include <stdio.h>
#include <string.h>

#include "tests/s3server/impl.h"

#define MANY 1000

/* What became of one deletion. */
struct gone {
    const char *code; /* NULL: done */
    const char *message;
    bool marker;                /* one was made, or was what went */
    char id[S3SERVER_ID_CHARS]; /* of the marker that was made; "" */
};

static void leave_marker(struct s3_work *w, const char *key, struct gone *g)
{
    struct s3_version *v = s3server_alloc(sizeof *v);

    v->marker = true;
    v->headers = s3server_copy("");
    v->checksum = s3server_copy("");
    v->modified = s3server_now(w->s);
    s3server_shelve(w->s, w->b, key, v);
    g->marker = true;
    memcpy(g->id, v->id, sizeof g->id);
}

static struct gone delete_one(struct s3_work *w, const char *key,
                              const char *id)
{
    struct s3_object *o = s3server_find(w->b, key);
    struct gone g = { 0 };

    if (id == NULL && w->b->versioning != S3SERVER_NEVER) {
        leave_marker(w, key, &g);
        return g;
    }
    if (id != NULL && !s3server_version_id_is_sound(id)) {
        g.code = "InvalidArgument";
        g.message = "Invalid version id specified";
        return g;
    }
    struct s3_version *v = s3server_find_version(o, id == NULL ? "null" : id);
    if (v == NULL)
        return g;
    if (s3server_is_held(w, v)) {
        g.code = "AccessDenied";
        g.message = "Access Denied because object protected by object lock.";
        return g;
    }
    g.marker = v->marker;
    s3server_remove_version(o, v);
    return g;
}

void s3server_delete_object(struct s3_work *w)
{
    const char *id = s3server_param(w->q, "versionId");
    struct gone g = delete_one(w, w->q->key, id);

    if (g.code != NULL) {
        s3server_fail(w, strcmp(g.code, "AccessDenied") == 0 ? 403 : 400,
                      g.code, g.message);
        return;
    }
    w->a->status = 204;
    if (g.marker)
        buf_append_str(&w->a->headers, "x-amz-delete-marker: true\r\n");
    if (id != NULL || g.id[0] != '\0')
        buf_printf(&w->a->headers, "x-amz-version-id: %s\r\n",
                   id != NULL ? id : g.id);
}

static void add_result(struct buf *xml, const char *key, const char *id,
                       const struct gone *g, bool quiet)
{
    if (g->code == NULL && quiet)
        return;
    buf_printf(xml, "<%s><Key>", g->code == NULL ? "Deleted" : "Error");
    s3server_escape(xml, key);
    buf_append_str(xml, "</Key>");
    if (id != NULL)
        buf_printf(xml, "<VersionId>%s</VersionId>", id);
    if (g->code != NULL)
        buf_printf(xml, "<Code>%s</Code><Message>%s</Message></Error>", g->code,
                   g->message);
    else if (g->marker)
        buf_printf(xml,
                   "<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>%s"
                   "</DeleteMarkerVersionId></Deleted>",
                   g->id[0] != '\0' ? g->id : id);
    else
        buf_append_str(xml, "</Deleted>");
}

void s3server_delete_objects(struct s3_work *w)
{
    const char *doc = (const char *)w->q->body->p;
    AUTO_BUF struct buf xml = buf_init(16u << 20);
    const char *at = NULL;
    char text[16], key[S3SERVER_KEY_MAX + 8], id[64];
    unsigned n = 0;

    if (!w->vouched) {
        s3server_fail(w, 400, "InvalidRequest",
                      "Missing required header for this request: Content-MD5");
        return;
    }
    bool quiet = s3server_element(doc, &at, "Quiet", text, sizeof text) &&
                 strcmp(text, "true") == 0;
    for (const char *o = strstr(doc, "<Object>"); o != NULL;
         o = strstr(o + 1, "<Object>"))
        n++;
    if (n == 0 || n > MANY) {
        s3server_fail(w, 400, "MalformedXML",
                      "The XML you provided was not well-formed or did not "
                      "validate against our published schema");
        return;
    }
    buf_append_str(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<DeleteResult " S3SERVER_XMLNS ">");
    for (const char *o = strstr(doc, "<Object>"); o != NULL;
         o = strstr(o + 1, "<Object>")) {
        const char *end = strstr(o, "</Object>");
        at = o;
        if (!s3server_element(doc, &at, "Key", key, sizeof key))
            continue;
        at = o;
        bool has_id = s3server_element(doc, &at, "VersionId", id, sizeof id) &&
                      end != NULL && at <= end;
        struct gone g = delete_one(w, key, has_id ? id : NULL);
        add_result(&xml, key, has_id ? id : NULL, &g, quiet);
    }
    buf_append_str(&xml, "</DeleteResult>");
    s3server_xml(w->a, &xml);
}
