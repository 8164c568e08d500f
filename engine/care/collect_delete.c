// SPDX-License-Identifier: Apache-2.0
/* Deletions: a thousand in a request, by version where there are any, and none
 * signed after its time. */
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "engine/care/collect_impl.h"
#include "engine/repo/locked.h"

/* So many leftovers are asked for their dates. */
#define ASK_MAX 1000

bool eng_collect_time_is_up(const struct collect *c)
{
    if (c->in_turn)
        return !eng_sweep_has_time(&c->turn);
    return c->sign_before != 0 &&
           eng_locked_server_now(c->repo) >= c->sign_before;
}

/* Whoever trusts an index hears of the deletions before there are any. */
static int count_first(struct collect *c, const struct cancel *cancel,
                       struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&c->lock);
    if (c->in_turn) {
        r = eng_sweep_count(&c->turn, cancel, e);
    } else if (!c->counted) {
        r = eng_counter_renew(c->repo, cancel, c->sign_before, e);
        c->counted = r == 0;
    }
    pthread_mutex_unlock(&c->lock);
    return r;
}

void eng_collect_left(struct collect *c, const struct cancel *cancel,
                      const char *key, const char *version, uint64_t size)
{
    struct obj_req req = { .key = key, .version = version, .cancel = cancel };
    struct obj_lock lock = { 0 };
    struct err ignored = { 0 };

    pthread_mutex_lock(&c->lock);
    c->res->locked.objects++;
    c->res->locked.bytes += size;
    bool ask = c->asked++ < ASK_MAX;
    pthread_mutex_unlock(&c->lock);
    if (!ask ||
        obj_get_lock(eng_repo_store(c->repo), &req, &lock, &ignored) < 0 ||
        lock.mode == OBJ_LOCK_NONE)
        return;
    pthread_mutex_lock(&c->lock);
    struct eng_collect_result *res = c->res;
    if (res->locked_first == 0 || lock.until < res->locked_first)
        res->locked_first = lock.until;
    if (lock.until > res->locked_last)
        res->locked_last = lock.until;
    pthread_mutex_unlock(&c->lock);
}

/* A server without requests for many names. */
static int delete_singly(struct collect_batch *b, struct err *e)
{
    for (size_t i = 0; i < b->n; i++) {
        struct obj_req req = { .key = b->names[i].key,
                               .version = b->names[i].version,
                               .cancel = b->cancel,
                               .sign_before = b->c->sign_before };
        b->names[i].result = ERR_NONE;
        if (obj_delete(eng_repo_store(b->c->repo), &req, false, e) == 0)
            continue;
        if (e->kind != ERR_LOCKED && e->kind != ERR_DENIED)
            return -1;
        b->names[i].result = e->kind;
    }
    return 0;
}

static int send(struct collect_batch *b, struct err *e)
{
    struct obj_req req = { .key = "",
                           .cancel = b->cancel,
                           .sign_before = b->c->sign_before };

    if (obj_delete_many(eng_repo_store(b->c->repo), &req, b->names, b->n, false,
                        e) == 0)
        return 0;
    return e->kind == ERR_UNSUPPORTED ? delete_singly(b, e) : -1;
}

static int judge(struct collect_batch *b, size_t i, struct err *e)
{
    struct collect *c = b->c;
    const struct obj_name *n = &b->names[i];

    if (n->result == ERR_NONE || n->result == ERR_NOTFOUND) {
        pthread_mutex_lock(&c->lock);
        if (b->done != NULL) {
            ++*b->done;
        } else {
            c->res->deleted.objects++;
            c->res->deleted.bytes += b->sizes[i];
        }
        pthread_mutex_unlock(&c->lock);
        return 0;
    }
    /* Some servers do not say why they refuse. */
    if (n->result == ERR_LOCKED ||
        (n->result == ERR_DENIED && c->locked && c->versions)) {
        eng_collect_left(c, b->cancel, n->key, n->version, b->sizes[i]);
        return 0;
    }
    if (n->result == ERR_DENIED) {
        err_set(e, ERR_DENIED, 0, "%s: these keys may not delete it", n->key);
        return err_hint(e, "collection needs the rights of the collector "
                           "(SECURITY.md)");
    }
    return err_set(e, n->result, 0, "%s was not deleted", n->key);
}

int eng_collect_flush(struct collect_batch *b, struct err *e)
{
    struct collect *c = b->c;
    int r = 0;

    if (b->n == 0)
        return 0;
    if (eng_collect_time_is_up(c)) {
        b->n = 0;
        return 1;
    }
    if ((b->done == NULL && count_first(c, b->cancel, e) < 0) ||
        send(b, e) < 0) {
        b->n = 0;
        /* What was not signed any more is for the next turn. */
        return e->kind == ERR_PRECONDITION && eng_collect_time_is_up(c) ? 1
                                                                        : -1;
    }
    for (size_t i = 0; r == 0 && i < b->n; i++)
        r = judge(b, i, e);
    b->n = 0;
    return r;
}

int eng_collect_doom(struct collect_batch *b, const char *key,
                     const struct collect_version *v, struct err *e)
{
    size_t n = b->n++;

    (void)snprintf(b->keys[n], sizeof(b->keys[n]), "%s", key);
    (void)snprintf(b->versions[n], sizeof(b->versions[n]), "%s", v->id);
    b->sizes[n] = v->size;
    b->names[n] = (struct obj_name){
        .key = b->keys[n],
        .version = b->c->versions ? b->versions[n] : NULL,
    };
    return b->n == COLLECT_BATCH ? eng_collect_flush(b, e) : 0;
}
