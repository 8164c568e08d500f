// SPDX-License-Identifier: Apache-2.0
/*
 * What the server keeps: buckets, keys in byte order, versions.  Memory is
 * asked for here; without it the test that uses the server has no meaning.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "tests/s3server/impl.h"

void *s3server_alloc(size_t n)
{
    void *p = calloc(1, n > 0 ? n : 1);

    if (p == NULL)
        abort();
    return p;
}

void *s3server_grow(void *p, size_t n, size_t size)
{
    void *bigger = reallocarray(p, n, size);

    if (bigger == NULL)
        abort();
    return bigger;
}

char *s3server_copy(const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(s3server_alloc(n), text, n);
}

struct s3_blob *s3server_blob_new(const void *p, size_t len)
{
    /* A NUL behind: XML is searched as a text. */
    struct s3_blob *b = s3server_alloc(sizeof *b + len + 1);

    atomic_init(&b->refs, 1);
    b->len = len;
    if (p != NULL && len > 0)
        memcpy(b->p, p, len);
    return b;
}

struct s3_blob *s3server_blob_ref(struct s3_blob *b)
{
    if (b != NULL)
        atomic_fetch_add(&b->refs, 1);
    return b;
}

void s3server_blob_unref(struct s3_blob *b)
{
    if (b != NULL && atomic_fetch_sub(&b->refs, 1) == 1)
        free(b);
}

static void version_free(struct s3_version *v)
{
    s3server_blob_unref(v->body);
    free(v->headers);
    free(v->checksum);
    free(v);
}

struct s3_bucket *s3server_find_bucket(struct s3server *s, const char *name)
{
    struct s3_bucket *b = s->buckets;

    while (b != NULL && strcmp(b->name, name) != 0)
        b = b->next;
    return b;
}

struct s3_bucket *s3server_add_bucket(struct s3server *s, const char *name)
{
    struct s3_bucket *b = s3server_alloc(sizeof *b);

    snprintf(b->name, sizeof b->name, "%s", name);
    b->next = s->buckets;
    s->buckets = b;
    return b;
}

static void bucket_free(struct s3_bucket *b)
{
    for (size_t i = 0; i < b->n; i++) {
        for (size_t j = 0; j < b->objects[i]->n; j++)
            version_free(b->objects[i]->versions[j]);
        free(b->objects[i]->versions);
        free(b->objects[i]->key);
        free(b->objects[i]);
    }
    free(b->objects);
    free(b->lifecycle);
    free(b);
}

void s3server_drop_bucket(struct s3server *s, struct s3_bucket *b)
{
    struct s3_bucket **at = &s->buckets;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    bucket_free(b);
}

void s3server_shelf_free(struct s3server *s)
{
    while (s->buckets != NULL)
        s3server_drop_bucket(s, s->buckets);
}

size_t s3server_lower_bound(const struct s3_bucket *b, const char *key)
{
    size_t low = 0, high = b->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(b->objects[mid]->key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct s3_object *s3server_find(const struct s3_bucket *b, const char *key)
{
    size_t at = s3server_lower_bound(b, key);

    if (at == b->n || strcmp(b->objects[at]->key, key) != 0)
        return NULL;
    return b->objects[at];
}

static struct s3_object *find_or_add(struct s3_bucket *b, const char *key)
{
    size_t at = s3server_lower_bound(b, key);

    if (at < b->n && strcmp(b->objects[at]->key, key) == 0)
        return b->objects[at];
    if (b->n == b->cap) {
        b->cap = b->cap == 0 ? 64 : 2 * b->cap;
        b->objects =
            s3server_grow(b->objects, b->cap, sizeof(struct s3_object *));
    }
    memmove(b->objects + at + 1, b->objects + at,
            (b->n - at) * sizeof(struct s3_object *));
    struct s3_object *o = s3server_alloc(sizeof *o);
    o->key = s3server_copy(key);
    b->objects[at] = o;
    b->n++;
    return o;
}

struct s3_version *s3server_newest(const struct s3_object *o)
{
    return o == NULL || o->n == 0 ? NULL : o->versions[o->n - 1];
}

struct s3_version *s3server_find_version(const struct s3_object *o,
                                         const char *id)
{
    for (size_t i = 0; o != NULL && i < o->n; i++) {
        if (strcmp(o->versions[i]->id, id) == 0)
            return o->versions[i];
    }
    return NULL;
}

void s3server_remove_version(struct s3_object *o, struct s3_version *v)
{
    size_t at = 0;

    while (o->versions[at] != v)
        at++;
    memmove(o->versions + at, o->versions + at + 1,
            (o->n - at - 1) * sizeof(struct s3_version *));
    o->n--;
    version_free(v);
}

/* Like AWS's: 32 characters without an order that would mean anything. */
static void make_id(struct s3server *s, char id[S3SERVER_ID_CHARS])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345._";
    uint64_t x = s3server_next_id(s);

    for (size_t i = 0; i < S3SERVER_ID_CHARS - 1; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        id[i] = letters[x % (sizeof letters - 1)];
    }
    id[S3SERVER_ID_CHARS - 1] = '\0';
}

bool s3server_version_id_is_sound(const char *id)
{
    /* Opaque; but what is this short was never one. */
    return strcmp(id, "null") == 0 || strlen(id) >= S3SERVER_ID_CHARS - 1;
}

void s3server_shelve(struct s3server *s, struct s3_bucket *b, const char *key,
                     struct s3_version *v)
{
    struct s3_object *o = find_or_add(b, key);

    if (b->versioning == S3SERVER_ENABLED) {
        make_id(s, v->id);
    } else {
        struct s3_version *old = s3server_find_version(o, "null");
        if (old != NULL)
            s3server_remove_version(o, old);
        snprintf(v->id, sizeof v->id, "null");
    }
    o->versions =
        s3server_grow(o->versions, o->n + 1, sizeof(struct s3_version *));
    o->versions[o->n++] = v;
    if (!v->marker)
        o->puts++;
}

void s3server_bucket(struct s3server *s, const char *name,
                     enum s3server_versioning versioning, bool object_lock)
{
    pthread_mutex_lock(&s->shelf);
    struct s3_bucket *b = s3server_add_bucket(s, name);
    b->versioning = object_lock ? S3SERVER_ENABLED : versioning;
    b->lock = object_lock;
    pthread_mutex_unlock(&s->shelf);
}

bool s3server_read(struct s3server *s, const char *bucket, const char *key,
                   struct buf *out)
{
    pthread_mutex_lock(&s->shelf);
    const struct s3_bucket *b = s3server_find_bucket(s, bucket);
    const struct s3_version *v =
        b == NULL ? NULL : s3server_newest(s3server_find(b, key));
    bool is = v != NULL && !v->marker;
    if (is)
        buf_append(out, v->body->p, v->body->len);
    pthread_mutex_unlock(&s->shelf);
    return is;
}

void s3server_write(struct s3server *s, const char *bucket, const char *key,
                    const void *body, size_t len)
{
    struct s3_version *v = s3server_alloc(sizeof *v);
    uint8_t md5[DIGEST_MD5_BYTES];
    struct err e;

    if (digest_md5(span_of(body, len), md5, &e) < 0)
        abort();
    digest_hex(span_of(md5, sizeof md5), v->etag);
    v->body = s3server_blob_new(body, len);
    v->headers = s3server_copy("");
    v->checksum = s3server_copy("");
    v->modified = s3server_now(s);
    pthread_mutex_lock(&s->shelf);
    s3server_shelve(s, s3server_find_bucket(s, bucket), key, v);
    pthread_mutex_unlock(&s->shelf);
}

unsigned s3server_puts(struct s3server *s, const char *bucket, const char *key)
{
    pthread_mutex_lock(&s->shelf);
    const struct s3_bucket *b = s3server_find_bucket(s, bucket);
    const struct s3_object *o = b == NULL ? NULL : s3server_find(b, key);
    unsigned n = o == NULL ? 0 : o->puts;
    pthread_mutex_unlock(&s->shelf);
    return n;
}

unsigned s3server_versions(struct s3server *s, const char *bucket,
                           const char *key)
{
    unsigned n = 0;

    pthread_mutex_lock(&s->shelf);
    const struct s3_bucket *b = s3server_find_bucket(s, bucket);
    const struct s3_object *o = b == NULL ? NULL : s3server_find(b, key);
    for (size_t i = 0; o != NULL && i < o->n; i++)
        n += o->versions[i]->marker ? 0 : 1;
    pthread_mutex_unlock(&s->shelf);
    return n;
}

size_t s3server_keys(struct s3server *s, const char *bucket)
{
    size_t n = 0;

    pthread_mutex_lock(&s->shelf);
    const struct s3_bucket *b = s3server_find_bucket(s, bucket);
    for (size_t i = 0; b != NULL && i < b->n; i++) {
        const struct s3_version *v = s3server_newest(b->objects[i]);
        n += v != NULL && !v->marker ? 1 : 0;
    }
    pthread_mutex_unlock(&s->shelf);
    return n;
}
