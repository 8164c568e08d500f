// SPDX-License-Identifier: Apache-2.0
/*
 * Calls about many objects: listings, walked page by page with the callback on
 * the caller's thread and no lock held, and deletions of whole lists.  What a
 * server lists is not trusted: keys must ascend and lie below the prefix, else
 * the listing is an error rather than incomplete.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objstore/key.h"
#include "objstore/retry.h"

#define DELETE_BATCH 1000

void obj_page_clear(struct obj_page *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->entries[i].key);
    free(p->entries);
    free(p->next);
    free(p->next_version);
    *p = (struct obj_page){ 0 };
}

bool obj_page_add(struct obj_page *p, const char *key,
                  const struct obj_info *info)
{
    if (p->n == p->cap) {
        size_t cap = p->cap > 0 ? 2 * p->cap : 64;
        struct obj_list_entry *more =
            reallocarray(p->entries, cap, sizeof *more);
        if (more == NULL)
            return false;
        p->entries = more;
        p->cap = cap;
    }
    char *copy = strdup(key);
    if (copy == NULL)
        return false;
    p->entries[p->n++] = (struct obj_list_entry){ .key = copy, .info = *info };
    return true;
}
#define AUTO_PAGE AUTO(obj_page_clear)

/* One walk; owns where it stands. */
struct walk {
    struct obj_store *s;
    const struct obj_list_opts *opts; /* for the driver: complete, never NULL */
    const struct obj_req *req;
    const char *prefix; /* the complete one, to be found in each key */
    size_t skip;        /* bytes of the store's prefix in each key */
    struct obj_page page;
    char *next, *next_version; /* continuation; owned */
    char last[OBJ_KEY_MAX + 1];
    unsigned empty_runs;
};

static void walk_fini(struct walk *w)
{
    obj_page_clear(&w->page);
    free(w->next);
    free(w->next_version);
}
#define AUTO_WALK AUTO(walk_fini)

/* Each attempt starts from the same place, whatever the last one left. */
static void attempt_list(struct obj_store *s, void *ctx, struct obj_attempt *a)
{
    struct walk *w = ctx;

    obj_page_clear(&w->page);
    if (w->next != NULL)
        w->page.next = strdup(w->next);
    if (w->next_version != NULL)
        w->page.next_version = strdup(w->next_version);
    if ((w->next != NULL && w->page.next == NULL) ||
        (w->next_version != NULL && w->page.next_version == NULL)) {
        a->outcome = OBJ_LOCAL;
        err_nomem(&a->err);
        return;
    }
    s->driver->list(s->self, w->req, w->opts, &w->page, a);
}

/* Takes over the continuation.  ERR_CORRUPT where the server leads nowhere. */
static int advance(struct walk *w, struct err *e)
{
    bool more = w->page.next != NULL;

    if (w->page.n > 0)
        w->empty_runs = 0;
    else if (more && ++w->empty_runs > w->s->tuning.list_empty_runs)
        return err_set(e, ERR_CORRUPT, 0,
                       "list %s: the storage sends empty pages without end",
                       w->prefix);
    free(w->next);
    free(w->next_version);
    w->next = STEAL(w->page.next);
    w->next_version = STEAL(w->page.next_version);
    return 0;
}

/* Does this key belong here?  Versions of one key follow each other. */
static int check_entry(struct walk *w, const char *key, struct err *e)
{
    size_t len = strlen(key);

    if (len > OBJ_KEY_MAX)
        return err_set(e, ERR_CORRUPT, 0, "list %s: a key of %zu bytes",
                       w->prefix, len);
    if (strncmp(key, w->prefix, strlen(w->prefix)) != 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "list %s: the storage sent another key, %.200s",
                       w->prefix, key);
    int order = strcmp(key, w->last);
    if (order < 0 || (order == 0 && !w->opts->versions))
        return err_set(e, ERR_CORRUPT, 0,
                       "list %s: not in byte order at %.200s; this storage "
                       "cannot be used",
                       w->prefix, key);
    memcpy(w->last, key, len + 1);
    return 0;
}

/* 0: go on; 1: the callback had enough. */
static int hand_out(struct walk *w, obj_list_fn fn, void *ctx, struct err *e)
{
    for (size_t i = 0; i < w->page.n; i++) {
        const struct obj_list_entry *entry = &w->page.entries[i];
        if (check_entry(w, entry->key, e) < 0)
            return -1;
        int r = fn(ctx, entry->key + w->skip, &entry->info, e);
        if (r != 0)
            return r;
    }
    return 0;
}

static int walk_pages(struct walk *w, const char *shown, obj_list_fn fn,
                      void *ctx, struct err *e)
{
    do {
        struct obj_call c = {
            .verb = OBJ_LIST,
            .what = w->opts->versions ? "list versions of" : "list",
            .key = shown,
            .req = w->req,
            .attempt = attempt_list,
            .ctx = w,
        };
        if (obj_retry_run(w->s, &c, e) < 0 || advance(w, e) < 0)
            return -1;
        int r = hand_out(w, fn, ctx, e);
        if (r != 0)
            return r < 0 ? -1 : 0;
    } while (w->next != NULL);
    return 0;
}

int obj_list(struct obj_store *s, const struct obj_req *req,
             const struct obj_list_opts *opts, obj_list_fn fn, void *ctx,
             struct err *e)
{
    char prefix[OBJ_KEY_MAX + 1];
    char after[OBJ_KEY_MAX + 1];
    struct obj_req whole = *req;
    struct obj_list_opts o = { 0 };

    if (opts != NULL)
        o = *opts;
    if (o.page == 0)
        o.page = s->tuning.list_page;
    if (obj_key_join_part(s->prefix, req->key, prefix, e) < 0)
        return -1;
    if (o.after != NULL && o.after[0] == '\0')
        o.after = NULL;
    if (o.after != NULL) {
        if (obj_key_join_part(s->prefix, o.after, after, e) < 0)
            return -1;
        o.after = after;
    }
    whole.key = prefix;
    AUTO_WALK struct walk w = {
        .s = s,
        .opts = &o,
        .req = &whole,
        .prefix = prefix,
        .skip = s->prefix[0] != '\0' ? strlen(s->prefix) + 1 : 0,
    };
    if (o.after != NULL)
        memcpy(w.last, after, strlen(after) + 1);
    return walk_pages(&w, req->key, fn, ctx, e);
}

/* One request's worth of names: `full` shrinks to those that are still to be
 * answered, `at` says where in the caller's list each is. */
struct batch {
    const struct obj_req *req;
    struct obj_name *names; /* the caller's */
    struct obj_name *full;
    size_t *at;
    char *keys;
    size_t n;
    bool bypass;
    bool answered; /* every name has a result */
};

static void batch_fini(struct batch *b)
{
    free(b->full);
    free(b->at);
    free(b->keys);
}
#define AUTO_BATCH AUTO(batch_fini)

/* Results that another request may better. */
static bool passing(enum err_kind k)
{
    return k == ERR_THROTTLED || k == ERR_UNREACHABLE || k == ERR_TIMEOUT ||
           k == ERR_BUSY;
}

static void attempt_delete_many(struct obj_store *s, void *ctx,
                                struct obj_attempt *a)
{
    struct batch *b = ctx;
    size_t kept = 0;
    bool throttled = false;

    if (s->driver->remove_many == NULL) {
        a->outcome = OBJ_UNABLE;
        return;
    }
    s->driver->remove_many(s->self, b->req, b->full, b->n, b->bypass, a);
    if (a->outcome != OBJ_OK)
        return;
    b->answered = true;
    for (size_t i = 0; i < b->n; i++) {
        enum err_kind result = b->full[i].result;
        b->names[b->at[i]].result = result == ERR_NOTFOUND ? ERR_NONE : result;
        if (!passing(result))
            continue;
        throttled = throttled || result == ERR_THROTTLED;
        b->full[kept] = b->full[i];
        b->at[kept++] = b->at[i];
    }
    b->n = kept;
    if (kept > 0)
        a->outcome = throttled ? OBJ_THROTTLE : OBJ_UNAVAIL;
}

static int batch_fill(const struct obj_store *s, struct batch *b,
                      struct obj_name *names, size_t n, struct err *e)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += strlen(s->prefix) + strlen(names[i].key) + 2;
    b->names = names;
    b->n = n;
    b->full = calloc(n, sizeof *b->full);
    b->at = calloc(n, sizeof *b->at);
    b->keys = malloc(bytes);
    if (b->full == NULL || b->at == NULL || b->keys == NULL)
        return err_nomem(e);
    char *to = b->keys;
    for (size_t i = 0; i < n; i++) {
        char key[OBJ_KEY_MAX + 1];
        if (obj_key_join(s->prefix, names[i].key, key, e) < 0)
            return -1;
        size_t len = strlen(key) + 1;
        memcpy(to, key, len);
        b->full[i] =
            (struct obj_name){ .key = to, .version = names[i].version };
        b->at[i] = i;
        to += len;
    }
    return 0;
}

static int delete_batch(struct obj_store *s, const struct obj_req *req,
                        struct obj_name *names, size_t n, bool bypass,
                        struct err *e)
{
    AUTO_BATCH struct batch b = { .req = req, .bypass = bypass };
    char shown[OBJ_KEY_MAX + 64];

    if (batch_fill(s, &b, names, n, e) < 0)
        return -1;
    snprintf(shown, sizeof shown, "%zu objects from %s on", n, names[0].key);
    struct obj_call c = {
        .verb = OBJ_DELETE,
        .what = "delete",
        .key = shown,
        .req = req,
        .attempt = attempt_delete_many,
        .ctx = &b,
    };
    int r = obj_retry_run(s, &c, e);
    if (r < 0 && b.answered && e->kind != ERR_CANCELLED &&
        e->kind != ERR_PRECONDITION)
        return 0;
    return r;
}

int obj_delete_many(struct obj_store *s, const struct obj_req *req,
                    struct obj_name *names, size_t n, bool bypass,
                    struct err *e)
{
    struct obj_req bare = *req;

    bare.key = "";
    for (size_t done = 0; done < n;) {
        size_t batch = n - done < DELETE_BATCH ? n - done : DELETE_BATCH;
        if (delete_batch(s, &bare, names + done, batch, bypass, e) < 0)
            return -1;
        done += batch;
    }
    return 0;
}
