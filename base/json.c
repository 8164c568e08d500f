// SPDX-License-Identifier: Apache-2.0
//
// Strict reading of JSON.  json_text.c has looked at every character before
// cJSON builds the tree; the getters here add the types, limits and names that
// a decoder asks for.  A document remembers its first error, with the path of
// the value, which is found by walking the views of the decoder's own frames.
#include "base/json.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_text.h"
#include "base/nearest.h"
#include "base/secret.h"
#include "base/utc.h"
#include "base/utf8.h"

#define PATH_CHARS 256
#define PATH_LEVELS 33           /* the nesting limit, and a value inside */
#define NAME_CHARS NEAREST_CHARS /* of foreign names that messages show */
#define UINT_MAX_EXACT (UINT64_C(1) << 53)

struct json_doc {
    cJSON *root; /* owned */
    enum err_kind kind;
    bool failed;
    struct err err; /* where failed */
};

/* cJSON tells a lack of memory and bad syntax alike by NULL. */
static _Thread_local bool parse_nomem;

static void *node_malloc(size_t size)
{
    void *p = malloc(size);
    if (p == NULL)
        parse_nomem = true;
    return p;
}

/* Configuration may hold a password, so no node leaves its text behind. */
static void node_free(void *p)
{
    if (p != NULL)
        secret_wipe(p, malloc_usable_size(p));
    free(p);
}

static void hooks_install(void)
{
    cJSON_Hooks hooks = { .malloc_fn = node_malloc, .free_fn = node_free };
    cJSON_InitHooks(&hooks);
}

static int fail_at(const char *text, const struct json_text_fault *f,
                   enum err_kind kind, struct err *e)
{
    size_t line;
    size_t column;
    json_text_place(text, f->at, &line, &column);
    return err_set(e, kind, 0, "line %zu, column %zu: %s", line, column,
                   f->what);
}

/* text[len] is the NUL that cJSON wants behind the document. */
static cJSON *tree_parse(char *text, size_t len, bool comments,
                         enum err_kind kind, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct json_text_fault fault = { 0 };
    const char *end = NULL;

    if (!json_text_check(text, len, comments, &fault)) {
        fail_at(text, &fault, kind, e);
        return NULL;
    }
    pthread_once(&once, hooks_install);
    parse_nomem = false;
    cJSON *root = cJSON_ParseWithLengthOpts(text, len + 1, &end, 1);
    if (root != NULL)
        return root;
    if (parse_nomem) {
        err_nomem(e);
        return NULL;
    }
    fault.what = "syntax error";
    if (end != NULL)
        fault.at = (size_t)(end - text);
    fail_at(text, &fault, kind, e);
    return NULL;
}

struct json_doc *json_parse(struct span text, enum json_flags flags,
                            enum err_kind kind, struct err *e)
{
    /* On the heap, as the tree is: wiped, but a document may be too large to
     * be locked. */
    AUTO_BUF struct buf copy = buf_init(text.len);
    buf_append(&copy, text.p, text.len);
    (void)buf_cstr(&copy);
    if (buf_check(&copy, e) < 0)
        return NULL;
    cJSON *root = tree_parse((char *)copy.p, copy.len,
                             (flags & JSON_COMMENTS) != 0, kind, e);
    secret_wipe(copy.p, copy.cap);
    if (root == NULL)
        return NULL;

    struct json_doc *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        cJSON_Delete(root);
        err_nomem(e);
        return NULL;
    }
    d->root = root;
    d->kind = kind;
    return d;
}

void json_doc_free(struct json_doc *d)
{
    if (d == NULL)
        return;
    cJSON_Delete(d->root);
    free(d);
}

struct json json_root(struct json_doc *d)
{
    return (struct json){ .doc = d, .node = d->failed ? NULL : d->root };
}

int json_failed(const struct json_doc *d, struct err *e)
{
    if (!d->failed)
        return 0;
    *e = d->err;
    return -1;
}

/* True where there is a value to look at and nothing went wrong so far. */
static bool usable(const struct json *v)
{
    return v->node != NULL && !v->doc->failed;
}

/* "disks[2].size"; a path that does not fit loses its end. */
static void path_of(const struct json *v, char out[PATH_CHARS])
{
    const struct json *up[PATH_LEVELS];
    size_t levels = 0;
    for (; v->parent != NULL && levels < PATH_LEVELS; v = v->parent)
        up[levels++] = v;

    size_t at = 0;
    out[0] = '\0';
    while (levels-- > 0 && at < PATH_CHARS) {
        v = up[levels];
        int n;
        if (v->name == NULL)
            n = snprintf(out + at, PATH_CHARS - at, "[%zu]", v->index);
        else
            n = snprintf(out + at, PATH_CHARS - at, "%s%s", at > 0 ? "." : "",
                         v->name);
        at += n > 0 ? (size_t)n : 0;
    }
}

void json_reject(const struct json *v, const char *fmt, ...)
{
    struct json_doc *d = v->doc;
    if (d->failed)
        return;

    char msg[sizeof(d->err.msg) - PATH_CHARS];
    char path[PATH_CHARS];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    path_of(v, path);
    err_set(&d->err, d->kind, 0, "%s: %s", path[0] == '\0' ? "top level" : path,
            msg);
    d->failed = true;
}

/* A foreign text as a message may show it: short and without controls. */
static void shown_name(char out[NAME_CHARS], const char *s)
{
    utf8_copy(out, NAME_CHARS, s);
    utf8_clean(out, false);
}

static size_t word_index(const char *const *words, const char *s)
{
    size_t i = 0;
    while (words[i] != NULL && strcmp(words[i], s) != 0)
        i++;
    return i;
}

static void reject_unknown(const struct json *v, const char *const *fields,
                           const char *name)
{
    char shown[NAME_CHARS];
    shown_name(shown, name);
    struct json at = { .doc = v->doc, .parent = v, .name = shown };
    const char *near = nearest_word(fields, shown);
    if (near == NULL)
        json_reject(&at, "unknown field");
    else
        json_reject(&at, "unknown field; the nearest known one is \"%s\"",
                    near);
}

void json_object(const struct json *v, const char *const *fields)
{
    if (!usable(v))
        return;
    if (!cJSON_IsObject(v->node)) {
        json_reject(v, "expected an object");
        return;
    }
    /* No more children are looked at than there are fields, and one: that one
     * is unknown or a duplicate. */
    for (const cJSON *c = v->node->child; c != NULL; c = c->next) {
        if (fields[word_index(fields, c->string)] == NULL) {
            reject_unknown(v, fields, c->string);
            return;
        }
        for (const cJSON *b = v->node->child; b != c; b = b->next) {
            if (strcmp(b->string, c->string) != 0)
                continue;
            struct json at = { .doc = v->doc, .parent = v, .name = c->string };
            json_reject(&at, "the field is there twice");
            return;
        }
    }
}

/* Looks at every child, so that a duplicate is found in objects that may have
 * other fields, too. */
static struct json field_find(const struct json *v, const char *name)
{
    struct json f = { .doc = v->doc, .parent = v, .name = name };
    if (!usable(v))
        return f;
    if (!cJSON_IsObject(v->node)) {
        json_reject(v, "expected an object");
        return f;
    }
    for (const cJSON *c = v->node->child; c != NULL; c = c->next) {
        if (strcmp(c->string, name) != 0)
            continue;
        if (f.node != NULL) {
            json_reject(&f, "the field is there twice");
            f.node = NULL;
            return f;
        }
        f.node = c;
    }
    return f;
}

struct json json_field(const struct json *v, const char *name)
{
    struct json f = field_find(v, name);
    if (f.node == NULL && usable(v))
        json_reject(&f, "the field is missing");
    return f;
}

struct json json_optional(const struct json *v, const char *name)
{
    struct json f = field_find(v, name);
    if (f.node != NULL && cJSON_IsNull(f.node))
        f.node = NULL;
    return f;
}

bool json_present(const struct json *v)
{
    return v->node != NULL;
}

bool json_is_null(const struct json *v)
{
    return cJSON_IsNull(v->node);
}

bool json_is_string(const struct json *v)
{
    return cJSON_IsString(v->node);
}

bool json_is_array(const struct json *v)
{
    return cJSON_IsArray(v->node);
}

bool json_is_object(const struct json *v)
{
    return cJSON_IsObject(v->node);
}

static bool check_array(const struct json *v)
{
    if (!usable(v))
        return false;
    if (!cJSON_IsArray(v->node)) {
        json_reject(v, "expected an array");
        return false;
    }
    return true;
}

size_t json_array(const struct json *v, size_t max)
{
    if (!check_array(v))
        return 0;
    size_t n = 0;
    for (const cJSON *c = v->node->child; c != NULL; c = c->next) {
        if (n == max) {
            json_reject(v, "more than %zu elements", max);
            return 0;
        }
        n++;
    }
    return n;
}

struct json json_at(const struct json *v, size_t i)
{
    struct json el = { .doc = v->doc, .parent = v, .index = i };
    if (!check_array(v))
        return el;
    const cJSON *c = v->node->child;
    for (size_t n = 0; c != NULL && n < i; n++)
        c = c->next;
    if (c == NULL)
        json_reject(&el, "the element is missing");
    el.node = c;
    return el;
}

struct json json_first(const struct json *v)
{
    struct json el = { .doc = v->doc, .parent = v };
    if (check_array(v))
        el.node = v->node->child;
    return el;
}

struct json json_next(const struct json *element)
{
    struct json el = *element;
    el.index++;
    el.node = usable(element) ? element->node->next : NULL;
    return el;
}

/* The text of a string value; NULL, with `expected` recorded, where it is none
 * (without record where there is no value at all). */
static const char *text_of(const struct json *v, const char *expected)
{
    if (!usable(v))
        return NULL;
    if (!cJSON_IsString(v->node)) {
        json_reject(v, "expected %s", expected);
        return NULL;
    }
    return v->node->valuestring;
}

const char *json_string(const struct json *v, size_t max_bytes)
{
    const char *s = text_of(v, "a string");
    if (s == NULL)
        return "";
    if (strlen(s) > max_bytes) {
        json_reject(v, "the text is longer than %zu bytes", max_bytes);
        return "";
    }
    return s;
}

uint64_t json_uint(const struct json *v, uint64_t max)
{
    if (!usable(v))
        return 0;
    uint64_t limit = max < UINT_MAX_EXACT ? max : UINT_MAX_EXACT;
    double n = v->node->valuedouble;
    if (!cJSON_IsNumber(v->node) || !(n >= 0)) {
        json_reject(v, "expected a whole number");
        return 0;
    }
    if (n > (double)limit) {
        json_reject(v, "the number is over %" PRIu64, limit);
        return 0;
    }
    uint64_t u = (uint64_t)n;
    if ((double)u < n) {
        json_reject(v, "expected a whole number");
        return 0;
    }
    return u;
}

double json_number(const struct json *v, double max)
{
    if (!usable(v))
        return 0;
    double n = v->node->valuedouble;
    if (cJSON_IsNumber(v->node) && n >= 0 && n <= max)
        return n;
    json_reject(v, "expected a number from 0 to %.0f", max);
    return 0;
}

bool json_bool(const struct json *v)
{
    if (!usable(v))
        return false;
    if (!cJSON_IsBool(v->node))
        json_reject(v, "expected true or false");
    return cJSON_IsTrue(v->node);
}

int64_t json_time(const struct json *v)
{
    static const char expected[] = "a time like \"2026-11-22T10:00:00Z\"";
    const char *s = text_of(v, expected);
    int64_t t = 0;
    if (s == NULL)
        return 0;
    if (!utc_parse_iso(s, &t)) {
        json_reject(v, "expected %s", expected);
        return 0;
    }
    return t;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void json_hex(const struct json *v, uint8_t *out, size_t len)
{
    memset(out, 0, len);
    const char *s = text_of(v, "a string of hex digits");
    if (s == NULL)
        return;
    bool good = strlen(s) / 2 == len && strlen(s) % 2 == 0;
    for (size_t i = 0; good && i < len; i++) {
        int high = hex_value(s[2 * i]);
        int low = hex_value(s[2 * i + 1]);
        good = high >= 0 && low >= 0;
        out[i] = good ? (uint8_t)(high * 16 + low) : 0;
    }
    if (good)
        return;
    memset(out, 0, len);
    json_reject(v, "expected %zu bytes as lower-case hex digits", len);
}

size_t json_word(const struct json *v, const char *const *words)
{
    const char *s = text_of(v, "a string");
    if (s == NULL)
        return 0;
    size_t i = word_index(words, s);
    if (words[i] != NULL)
        return i;

    char shown[NAME_CHARS];
    char list[PATH_CHARS] = "";
    size_t at = 0;
    for (i = 0; words[i] != NULL && at < sizeof(list); i++) {
        int n = snprintf(list + at, sizeof(list) - at, "%s\"%s\"",
                         i > 0 ? ", " : "", words[i]);
        at += n > 0 ? (size_t)n : 0;
    }
    shown_name(shown, s);
    json_reject(v, "expected one of %s, not \"%s\"", list, shown);
    return 0;
}
