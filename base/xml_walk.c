// SPDX-License-Identifier: Apache-2.0
/*
 * Goes through an XML document with expat and hands each element's path and
 * text to a handler, within bounds of depth, path and text that the documents
 * of S3 and libvirt do not reach.
 */
#include "base/xml_walk.h"

#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"

#define DEPTH_MAX 32
#define PATH_MAX_CHARS 512
/* A key in encoding-type=url is up to 3 * 1,024 bytes; continuation tokens are
 * of the same order. */
#define TEXT_MAX (16u << 10)

struct walk {
    XML_Parser parser;
    xml_walk_begin_fn begin; /* may be NULL */
    xml_walk_end_fn end;
    void *ctx;
    struct err *e;
    bool failed;
    char path[PATH_MAX_CHARS];
    size_t path_len;
    size_t parent[DEPTH_MAX]; /* path_len outside each open element */
    unsigned depth;
    struct buf text;
};

static void stop(struct walk *w)
{
    w->failed = true;
    XML_StopParser(w->parser, XML_FALSE);
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **atts)
{
    struct walk *w = ctx;
    const char *colon = strrchr(name, ':');
    const char *local = colon == NULL ? name : colon + 1;
    size_t len = strlen(local);

    if (w->failed)
        return;
    if (w->depth == DEPTH_MAX || w->path_len + len + 2 > PATH_MAX_CHARS) {
        err_set(w->e, ERR_CORRUPT, 0, "elements nest too deeply");
        stop(w);
        return;
    }
    w->parent[w->depth++] = w->path_len;
    if (w->path_len > 0)
        w->path[w->path_len++] = '/';
    memcpy(w->path + w->path_len, local, len + 1);
    w->path_len += len;
    buf_reset(&w->text);
    if (w->begin != NULL &&
        w->begin(w->ctx, w->path, (const char *const *)atts, w->e) < 0)
        stop(w);
}

static void on_text(void *ctx, const XML_Char *s, int len)
{
    struct walk *w = ctx;

    if (w->failed || len <= 0)
        return;
    /* All of it at once: STS answers with keys, and growing leaves copies. */
    buf_reserve(&w->text, TEXT_MAX - w->text.len);
    buf_append(&w->text, s, (size_t)len);
}

static void on_end(void *ctx, const XML_Char *name)
{
    struct walk *w = ctx;

    (void)name;
    if (w->failed)
        return;
    if (buf_check(&w->text, w->e) < 0) {
        err_ctx(w->e, "element %s", w->path);
        stop(w);
        return;
    }
    buf_cstr(&w->text);
    /* buf_cstr may have found no memory for the NUL. */
    if (buf_check(&w->text, w->e) < 0 ||
        (w->end != NULL &&
         w->end(w->ctx, w->path, (char *)w->text.p, w->e) < 0)) {
        stop(w);
        return;
    }
    buf_reset(&w->text);
    w->path_len = w->parent[--w->depth];
    w->path[w->path_len] = '\0';
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *sysid,
                       const XML_Char *pubid, int subset)
{
    struct walk *w = ctx;

    (void)name;
    (void)sysid;
    (void)pubid;
    (void)subset;
    err_set(w->e, ERR_CORRUPT, 0, "document type declarations are refused");
    stop(w);
}

static int walk_run(struct walk *w, struct span doc)
{
    XML_SetUserData(w->parser, w);
    XML_SetElementHandler(w->parser, on_start, on_end);
    XML_SetCharacterDataHandler(w->parser, on_text);
    XML_SetStartDoctypeDeclHandler(w->parser, on_doctype);
    enum XML_Status s =
        XML_Parse(w->parser, (const char *)doc.p, (int)doc.len, XML_TRUE);
    if (w->failed)
        return -1;
    if (s == XML_STATUS_OK)
        return 0;
    enum XML_Error code = XML_GetErrorCode(w->parser);
    if (code == XML_ERROR_NO_MEMORY)
        return err_nomem(w->e);
    return err_set(w->e, ERR_CORRUPT, 0, "line %lu: %s",
                   (unsigned long)XML_GetCurrentLineNumber(w->parser),
                   XML_ErrorString(code));
}

/* Messages quote the document; a terminal must not obey it. */
static void replace_controls(char *msg)
{
    for (char *s = msg; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
    }
}

int xml_walk(struct span doc, xml_walk_begin_fn begin, xml_walk_end_fn end,
             void *ctx, struct err *e)
{
    struct walk w = { .begin = begin, .end = end, .ctx = ctx, .e = e };

    if (doc.len == 0)
        return err_set(e, ERR_CORRUPT, 0, "empty document");
    if (doc.len > INT_MAX)
        return err_set(e, ERR_CORRUPT, 0, "document of %zu bytes", doc.len);
    w.parser = XML_ParserCreate(NULL);
    if (w.parser == NULL)
        return err_nomem(e);
    w.text = secret_buf(TEXT_MAX); /* a session's keys come by XML */
    int r = walk_run(&w, doc);
    if (r < 0)
        replace_controls(e->msg);
    buf_free(&w.text);
    XML_ParserFree(w.parser);
    return r;
}

const char *xml_walk_attribute(const char *const *attributes, const char *name)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2)
        if (strcmp(attributes[i], name) == 0)
            return attributes[i + 1];
    return NULL;
}
