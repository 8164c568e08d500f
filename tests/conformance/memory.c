// SPDX-License-Identifier: Apache-2.0
/*
 * Buckets in memory.  One sorted array of versions per bucket, by key and then
 * newest first; one lock over everything; nothing is clever.
 */
#include "tests/conformance/memory.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"

#define BUCKETS_MAX 64
#define PIECE_BYTES ((size_t)4 << 20)

struct version {
    char *key;     /* owned */
    uint8_t *body; /* owned; NULL: a delete marker */
    struct obj_info info;
    char nonce[33];
};

struct bucket {
    char name[64];
    bool object_lock;   /* and versions */
    struct version **v; /* owned */
    size_t n, cap;
};

static struct {
    pthread_mutex_t lock;
    struct bucket buckets[BUCKETS_MAX];
    size_t n;
    uint64_t changes; /* names versions and etags */
    int64_t shift;    /* of the clock */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t now(void)
{
    return utc_real_now() + all.shift;
}

void memory_pass(int64_t seconds)
{
    pthread_mutex_lock(&all.lock);
    all.shift += seconds;
    pthread_mutex_unlock(&all.lock);
}

void memory_forget(void)
{
    for (size_t b = 0; b < all.n; b++) {
        for (size_t i = 0; i < all.buckets[b].n; i++) {
            free(all.buckets[b].v[i]->key);
            free(all.buckets[b].v[i]->body);
            free(all.buckets[b].v[i]);
        }
        free(all.buckets[b].v);
    }
    all.n = 0;
    all.changes = 0;
}

/* With the lock held; NULL: no such bucket. */
static struct bucket *named(const char *name)
{
    for (size_t i = 0; i < all.n; i++) {
        if (strcmp(all.buckets[i].name, name) == 0)
            return &all.buckets[i];
    }
    return NULL;
}

/* The begin of every call: takes the lock and finds the bucket, whose name is
 * a store's handle.  NULL, without the lock: a says why. */
static struct bucket *enter(const char *name, const struct obj_req *r,
                            enum obj_verb verb, struct obj_attempt *a)
{
    a->verb = verb;
    if (cancel_requested(r->cancel)) {
        a->outcome = OBJ_STOPPED;
        return NULL;
    }
    pthread_mutex_lock(&all.lock);
    a->server_time = now();
    struct bucket *b = named(name);
    if (b == NULL) {
        pthread_mutex_unlock(&all.lock);
        a->outcome = OBJ_NO_BUCKET;
    }
    return b;
}

static void leave(struct obj_attempt *a, enum obj_outcome outcome)
{
    a->outcome = outcome;
    pthread_mutex_unlock(&all.lock);
}

/* The index of key's newest version, or of where one would stand. */
static size_t newest(const struct bucket *b, const char *key)
{
    size_t low = 0, high = b->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(b->v[mid]->key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_of(const struct bucket *b, size_t i, const char *key)
{
    return i < b->n && strcmp(b->v[i]->key, key) == 0;
}

/* The version that a request names (without one: the newest); NULL: none. */
static struct version *find(const struct bucket *b, const struct obj_req *r)
{
    for (size_t i = newest(b, r->key); is_of(b, i, r->key); i++) {
        if (r->version == NULL ||
            strcmp(b->v[i]->info.version, r->version) == 0)
            return b->v[i];
    }
    return NULL;
}

/* The same for who wants to read: a marker is nothing. */
static struct version *find_object(const struct bucket *b,
                                   const struct obj_req *r)
{
    struct version *v = find(b, r);

    return v != NULL && v->body != NULL ? v : NULL;
}

static void drop(struct bucket *b, size_t i)
{
    free(b->v[i]->key);
    free(b->v[i]->body);
    free(b->v[i]);
    memmove(&b->v[i], &b->v[i + 1], (b->n - i - 1) * sizeof *b->v);
    b->n--;
}

/* Puts a version (owned by the bucket from now on) in front of its key's
 * others, or in their place.  False: no memory. */
static bool insert(struct bucket *b, const char *key, struct version v)
{
    size_t i = newest(b, key);

    if (b->n == b->cap) {
        size_t cap = b->cap > 0 ? 2 * b->cap : 64;
        struct version **more = reallocarray(b->v, cap, sizeof *more);
        if (more == NULL)
            return false;
        b->v = more;
        b->cap = cap;
    }
    struct version *kept = malloc(sizeof *kept);
    v.key = strdup(key);
    if (kept == NULL || v.key == NULL) {
        free(kept);
        free(v.key);
        return false;
    }
    all.changes++;
    v.info.modified = now();
    v.info.delete_marker = v.body == NULL;
    snprintf(v.info.etag, sizeof v.info.etag, "%016" PRIx64, all.changes);
    if (b->object_lock)
        snprintf(v.info.version, sizeof v.info.version,
                 "00000000-0000-4000-8000-%012" PRIx64, all.changes);
    else if (is_of(b, i, key))
        drop(b, i);
    memmove(&b->v[i + 1], &b->v[i], (b->n - i) * sizeof *b->v);
    *kept = v;
    b->v[i] = kept;
    b->n++;
    return true;
}

static bool is_held(const struct version *v, bool bypass)
{
    const struct obj_lock *l = &v->info.lock;

    if (l->legal_hold)
        return true;
    if (l->mode == OBJ_LOCK_NONE || l->until <= now())
        return false;
    return l->mode == OBJ_LOCK_COMPLIANCE || !bypass;
}

/* Appends in pieces, between which the caller may stop.  OBJ_OK, OBJ_STOPPED,
 * OBJ_LOCAL. */
static enum obj_outcome copy(struct span from, const struct cancel *token,
                             struct buf *out, struct obj_attempt *a)
{
    size_t before = out->len;

    buf_reserve(out, from.len); /* what fails here fails below */
    for (size_t at = 0; at < from.len && !cancel_requested(token);) {
        size_t n = from.len - at < PIECE_BYTES ? from.len - at : PIECE_BYTES;
        buf_append(out, from.p + at, n);
        at += n;
    }
    if (buf_check(out, &a->err) < 0)
        return OBJ_LOCAL;
    if (out->len - before == from.len)
        return OBJ_OK;
    out->len = before;
    return OBJ_STOPPED;
}

static void *memory_open(const struct obj_config *c, char **name_out,
                         struct err *e)
{
    char *name = strdup(c->bucket);

    *name_out = strdup(c->bucket);
    if (name != NULL && *name_out != NULL)
        return name;
    free(name);
    free(*name_out);
    *name_out = NULL;
    err_nomem(e);
    return NULL;
}

static void memory_close(void *self)
{
    free(self);
}

static enum obj_outcome may_put(const struct bucket *b, const struct obj_req *r,
                                const struct obj_put_opts *o)
{
    const struct obj_req whole = { .key = r->key };

    if (o->if_absent && find_object(b, &whole) != NULL)
        return OBJ_THERE;
    if ((o->lock.mode != OBJ_LOCK_NONE || o->lock.legal_hold) &&
        !b->object_lock)
        return OBJ_UNABLE;
    if (o->lock.mode != OBJ_LOCK_NONE && o->lock.until <= now())
        return OBJ_REJECTED;
    return OBJ_OK;
}

static void memory_put(void *self, const struct obj_req *r, struct span body,
                       const struct obj_put_opts *o, struct obj_info *info,
                       struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_PUT, a);

    if (b == NULL)
        return;
    enum obj_outcome may = may_put(b, r, o);
    struct version v = { .info = { .size = body.len, .lock = o->lock } };
    /* One byte more: an empty body is no marker. */
    AUTO_BUF struct buf stored = buf_init(body.len + 1);
    memcpy(v.nonce, a->nonce, sizeof v.nonce);
    if (may == OBJ_OK)
        may = copy(body, r->cancel, &stored, a);
    if (may == OBJ_OK) {
        buf_append_char(&stored, '\0');
        v.body = stored.p;
        if (v.body == NULL || !insert(b, r->key, v)) {
            err_nomem(&a->err);
            may = OBJ_LOCAL;
        }
    }
    if (may == OBJ_OK) {
        stored.p = NULL; /* the bucket's now */
        a->sent = body.len;
        *info = find_object(b, &(struct obj_req){ .key = r->key })->info;
        info->server_time = a->server_time;
    }
    leave(a, may);
}

static void memory_get(void *self, const struct obj_req *r,
                       const struct obj_range *range, struct buf *out,
                       struct obj_info *info, struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_GET, a);
    uint64_t offset = range != NULL ? range->offset : 0;

    if (b == NULL)
        return;
    const struct version *v = find_object(b, r);
    if (v == NULL || (offset > 0 && offset >= v->info.size)) {
        leave(a, v == NULL ? OBJ_ABSENT : OBJ_REJECTED);
        return;
    }
    uint64_t len = v->info.size - offset;
    if (range != NULL && range->len > 0 && range->len < len)
        len = range->len;
    *info = v->info;
    info->server_time = a->server_time;
    a->received = len;
    leave(a, copy(span_of(v->body + offset, len), r->cancel, out, a));
}

static void memory_head(void *self, const struct obj_req *r,
                        struct obj_info *info, struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_HEAD, a);

    if (b == NULL)
        return;
    const struct version *v = find_object(b, r);
    if (v != NULL) {
        *info = v->info;
        info->server_time = a->server_time;
        memcpy(a->nonce, v->nonce, sizeof a->nonce);
    }
    leave(a, v != NULL ? OBJ_OK : OBJ_ABSENT);
}

/* Where a listing begins: behind the page before, or behind `after`. */
static size_t list_start(const struct bucket *b, const struct obj_req *r,
                         const struct obj_list_opts *o,
                         const struct obj_page *page)
{
    const char *behind = page->next != NULL ? page->next : o->after;
    const char *version = page->next_version;
    size_t i = newest(b, r->key);

    if (behind == NULL || strcmp(behind, r->key) < 0)
        return i;
    for (i = newest(b, behind); is_of(b, i, behind); i++) {
        if (page->next != NULL && version != NULL &&
            strcmp(b->v[i]->info.version, version) == 0)
            return i + 1;
    }
    return i;
}

/* Continues behind the page's last entry.  False: no memory. */
static bool set_next(struct obj_page *page, bool versions)
{
    const struct obj_list_entry *last = &page->entries[page->n - 1];

    page->next = strdup(last->key);
    page->next_version = versions ? strdup(last->info.version) : NULL;
    return page->next != NULL && (!versions || page->next_version != NULL);
}

static void memory_list(void *self, const struct obj_req *r,
                        const struct obj_list_opts *o, struct obj_page *page,
                        struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_LIST, a);
    struct obj_page got = { 0 };
    size_t max = o->page > 0 && o->page < 1000 ? o->page : 1000;
    bool good = true;

    if (b == NULL)
        return;
    for (size_t i = list_start(b, r, o, page);
         good && i < b->n && strncmp(b->v[i]->key, r->key, strlen(r->key)) == 0;
         i++) {
        struct obj_info info = b->v[i]->info;
        info.latest = i == 0 || strcmp(b->v[i - 1]->key, b->v[i]->key) != 0;
        info.server_time = a->server_time;
        if (!o->versions && (!info.latest || info.delete_marker))
            continue;
        if (got.n == max) {
            good = set_next(&got, o->versions);
            break;
        }
        good = obj_page_add(&got, b->v[i]->key, &info);
    }
    if (good) {
        obj_page_clear(page);
        *page = got;
    } else {
        obj_page_clear(&got);
        err_nomem(&a->err);
    }
    leave(a, good ? OBJ_OK : OBJ_LOCAL);
}

/* With the lock held. */
static enum obj_outcome remove_one(struct bucket *b, const struct obj_req *r,
                                   bool bypass)
{
    const struct version *v = find(b, r);

    if (v == NULL)
        return OBJ_OK;
    if (r->version == NULL && b->object_lock) {
        /* A second marker would say nothing new. */
        if (v->body == NULL ||
            insert(b, r->key, (struct version){ .body = NULL }))
            return OBJ_OK;
        return OBJ_UNAVAIL;
    }
    if (is_held(v, bypass))
        return OBJ_WORM;
    size_t i = newest(b, r->key);
    while (b->v[i] != v)
        i++;
    drop(b, i);
    return OBJ_OK;
}

static void memory_remove(void *self, const struct obj_req *r, bool bypass,
                          struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_DELETE, a);

    if (b != NULL)
        leave(a, remove_one(b, r, bypass));
}

static void memory_remove_many(void *self, const struct obj_req *r,
                               struct obj_name *names, size_t n, bool bypass,
                               struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_DELETE, a);

    if (b == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct obj_req one = { .key = names[i].key,
                                     .version = names[i].version };
        enum obj_outcome o = remove_one(b, &one, bypass);
        names[i].result = ERR_NONE;
        if (o != OBJ_OK)
            names[i].result = o == OBJ_WORM ? ERR_LOCKED : ERR_UNREACHABLE;
    }
    leave(a, OBJ_OK);
}

static enum obj_outcome may_lock(const struct version *v,
                                 const struct obj_lock *lock, bool bypass)
{
    const struct obj_lock *is = &v->info.lock;

    if (lock->mode == OBJ_LOCK_NONE)
        return OBJ_OK;
    if (lock->until <= now())
        return OBJ_REJECTED;
    if (is->mode == OBJ_LOCK_NONE || is->until <= now())
        return OBJ_OK;
    if (lock->mode == is->mode && lock->until >= is->until)
        return OBJ_OK;
    return is->mode == OBJ_LOCK_GOVERNANCE && bypass ? OBJ_OK : OBJ_WORM;
}

static void memory_set_lock(void *self, const struct obj_req *r,
                            const struct obj_lock *lock, bool bypass,
                            struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_RETENTION, a);
    enum obj_outcome o = OBJ_UNABLE;

    if (b == NULL)
        return;
    struct version *v = find_object(b, r);
    if (b->object_lock)
        o = v == NULL ? OBJ_ABSENT : may_lock(v, lock, bypass);
    if (o == OBJ_OK && lock->mode == OBJ_LOCK_NONE) {
        v->info.lock.legal_hold = lock->legal_hold;
    } else if (o == OBJ_OK) {
        v->info.lock.mode = lock->mode;
        v->info.lock.until = lock->until;
    }
    leave(a, o);
}

static void memory_get_lock(void *self, const struct obj_req *r,
                            struct obj_lock *lock, struct obj_attempt *a)
{
    struct bucket *b = enter(self, r, OBJ_RETENTION, a);

    if (b == NULL)
        return;
    const struct version *v = find_object(b, r);
    if (v != NULL)
        *lock = v->info.lock;
    leave(a, v != NULL ? OBJ_OK : OBJ_ABSENT);
}

static void memory_bucket_info(void *self, const struct obj_req *r,
                               struct obj_bucket *out, struct obj_attempt *a)
{
    const struct bucket *b = enter(self, r, OBJ_BUCKET, a);

    if (b == NULL)
        return;
    *out = (struct obj_bucket){
        .versioning = b->object_lock ? OBJ_VERSIONS_ON : OBJ_VERSIONS_NEVER,
        .object_lock = b->object_lock,
        .server_time = a->server_time,
    };
    leave(a, OBJ_OK);
}

static void memory_bucket_create(void *self, const struct obj_req *r,
                                 bool object_lock, struct obj_attempt *a)
{
    (void)r;
    a->verb = OBJ_BUCKET;
    pthread_mutex_lock(&all.lock);
    a->server_time = now();
    struct bucket *b = named(self);
    if (b == NULL && all.n < BUCKETS_MAX) {
        b = &all.buckets[all.n++];
        *b = (struct bucket){ .object_lock = object_lock };
        snprintf(b->name, sizeof b->name, "%s", (const char *)self);
    }
    if (b == NULL)
        leave(a, OBJ_NO_SPACE);
    else
        leave(a, object_lock && !b->object_lock ? OBJ_THERE : OBJ_OK);
}

const struct obj_driver memory_driver = {
    .name = "memory",
    .open = memory_open,
    .close = memory_close,
    .put = memory_put,
    .get = memory_get,
    .head = memory_head,
    .list = memory_list,
    .remove = memory_remove,
    .remove_many = memory_remove_many,
    .set_lock = memory_set_lock,
    .get_lock = memory_get_lock,
    .bucket_info = memory_bucket_info,
    .bucket_create = memory_bucket_create,
};
