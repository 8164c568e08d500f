// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a bucket's lifecycle: is there a rule that would hide, delete or move
 * objects of ours?  What is not known counts as such an action; only what can
 * do no harm is named here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xml_walk.h"
#include "objstore/xml.h"
#include "objstore/xml_answer.h"

struct rule_reader {
    const char *prefix; /* of the store, "" or without slash at the end */
    struct obj_lifecycle *out;
    bool enabled, acts;
    bool tagged;        /* only for objects with tags: ours have none */
    char *id, *applies; /* owned; applies: the rule's own prefix */
};

static void rule_clear(struct rule_reader *r)
{
    free(STEAL(r->id));
    free(STEAL(r->applies));
    r->enabled = r->acts = r->tagged = false;
}

/* Whether keys that begin with `applies` and keys of the store can be the
 * same. */
static bool meets(const struct rule_reader *r)
{
    const char *applies = r->applies != NULL ? r->applies : "";
    size_t own = strlen(r->prefix);
    size_t n = strlen(applies);

    if (own == 0)
        return true;
    if (n <= own)
        return strncmp(applies, r->prefix, n) == 0;
    return strncmp(applies, r->prefix, own) == 0 && applies[own] == '/';
}

static void rule_end(struct rule_reader *r)
{
    if (r->enabled && r->acts && !r->tagged && meets(r) && !r->out->touches) {
        r->out->touches = true;
        obj_xml_copy(r->out->rule, sizeof r->out->rule,
                     r->id != NULL ? r->id : "");
    }
    rule_clear(r);
}

static bool begins(const char *path, const char *with)
{
    size_t n = strlen(with);

    return strncmp(path, with, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool ends_in(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && strcmp(slash + 1, name) == 0;
}

/* An element of a rule; path begins below it. */
static int rule_part(struct rule_reader *r, const char *path, char *text,
                     struct err *e)
{
    if (strcmp(path, "ID") == 0)
        return obj_xml_set_text(&r->id, text, e);
    if (strcmp(path, "Status") == 0) {
        r->enabled = strcasecmp(text, "Enabled") == 0;
        return 0;
    }
    if (strcmp(path, "Prefix") == 0 ||
        (begins(path, "Filter") && ends_in(path, "Prefix")))
        return obj_xml_set_text(&r->applies, text, e);
    if (begins(path, "Filter")) {
        r->tagged = r->tagged || ends_in(path, "Tag");
        return 0;
    }
    /* Markers without a version behind them, and uploads that never ended. */
    if (begins(path, "AbortIncompleteMultipartUpload") ||
        strcmp(path, "Expiration") == 0 ||
        strcmp(path, "Expiration/ExpiredObjectDeleteMarker") == 0)
        return 0;
    r->acts = true;
    return 0;
}

static int lifecycle_end(void *ctx, const char *path, char *text, struct err *e)
{
    static const char root[] = "LifecycleConfiguration";
    static const char rule[] = "LifecycleConfiguration/Rule";
    struct rule_reader *r = ctx;

    if (strcmp(path, rule) == 0)
        rule_end(r);
    else if (begins(path, rule))
        return rule_part(r, path + sizeof rule, text, e);
    return obj_xml_root(path, root, e);
}

int obj_xml_lifecycle(struct span doc, const char *prefix,
                      struct obj_lifecycle *out, struct err *e)
{
    struct rule_reader r = { .prefix = prefix, .out = out };

    *out = (struct obj_lifecycle){ 0 };
    int result = xml_walk(doc, NULL, lifecycle_end, &r, e);
    rule_clear(&r);
    return result < 0 ? err_ctx(e, "the bucket's lifecycle") : 0;
}
