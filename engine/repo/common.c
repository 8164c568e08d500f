// SPDX-License-Identifier: Apache-2.0
/* Handles of one open repository, and what they have together. */
#include "engine/repo/common.h"

#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "engine/repo/internal.h"
#include "engine/repo/keywatch.h"
#include "engine/repo/runlease.h"

#define LOOK_MS 200 /* between looks at the token of who waits */

void eng_commons_init(struct eng_commons *all)
{
    pthread_mutex_init(&all->lock, NULL);
    cond_init(&all->free);
    all->making = false;
    all->first = NULL;
}

void eng_commons_fini(struct eng_commons *all)
{
    pthread_cond_destroy(&all->free);
    pthread_mutex_destroy(&all->lock);
}

static struct eng_common *find_or_add(struct eng_commons *all,
                                      const char *keyset)
{
    struct eng_common *c = all->first;

    while (c != NULL && strcmp(c->keyset, keyset) != 0)
        c = c->next;
    if (c != NULL)
        return c;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    memcpy(c->keyset, keyset, strlen(keyset));
    c->mark.fd = -1;
    c->next = all->first;
    all->first = c;
    return c;
}

int eng_common_join(struct eng_repo *r, struct err *e)
{
    struct eng_commons *all = &r->root->commons;

    pthread_mutex_lock(&all->lock);
    struct eng_common *c = find_or_add(all, eng_repo_keyset(r));
    if (c != NULL)
        c->users++;
    pthread_mutex_unlock(&all->lock);
    r->common = c;
    return c != NULL ? 0 : err_nomem(e);
}

/* Nobody else can join while the lock is held, so none finds it half closed;
 * writing what is pending takes a moment. */
static void close_common(struct eng_commons *all, struct eng_common *c)
{
    struct eng_common **at = &all->first;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    eng_runmark_end(&c->mark, eng_index_close(c->index));
    free(c);
}

void eng_common_leave(struct eng_repo *r)
{
    struct eng_commons *all = &r->root->commons;

    if (r->common == NULL)
        return;
    pthread_mutex_lock(&all->lock);
    (void)eng_index_close(r->index);
    r->index = NULL;
    if (--r->common->users == 0)
        close_common(all, r->common);
    pthread_mutex_unlock(&all->lock);
    r->common = NULL;
}

/* busy: of the first handle. */
static int begin_turn(struct eng_repo *r, bool *busy,
                      const struct cancel *cancel, struct err *e)
{
    struct eng_commons *all = &r->root->commons;
    int result = 0;

    pthread_mutex_lock(&all->lock);
    while (*busy && result == 0) {
        (void)cond_wait_ms(&all->free, &all->lock, LOOK_MS);
        pthread_mutex_unlock(&all->lock);
        eng_runlease_tick(r, cancel);
        result = cancel_check(cancel, e);
        pthread_mutex_lock(&all->lock);
    }
    if (result == 0)
        *busy = true;
    pthread_mutex_unlock(&all->lock);
    return result;
}

static void end_turn(struct eng_repo *r, bool *busy)
{
    struct eng_commons *all = &r->root->commons;

    pthread_mutex_lock(&all->lock);
    *busy = false;
    pthread_cond_broadcast(&all->free);
    pthread_mutex_unlock(&all->lock);
}

int eng_common_begin(struct eng_repo *r, const struct cancel *cancel,
                     struct err *e)
{
    return begin_turn(r, &r->common->busy, cancel, e);
}

void eng_common_end(struct eng_repo *r)
{
    end_turn(r, &r->common->busy);
}

int eng_commons_begin_making(struct eng_repo *r, const struct cancel *cancel,
                             struct err *e)
{
    return begin_turn(r, &r->root->commons.making, cancel, e);
}

void eng_commons_end_making(struct eng_repo *r)
{
    end_turn(r, &r->root->commons.making);
}

/* --- another handle --- */

/* What it has of the settings is a copy, all of it its own. */
static int copy_settings(struct eng_repo *to, const struct eng_repo *from,
                         struct err *e)
{
    to->name = strdup(from->name);
    to->state_dir = strdup(from->state_dir);
    to->dir = from->dir != NULL ? strdup(from->dir) : NULL;
    to->simple = from->simple;
    to->descriptor = from->descriptor;
    to->immutability_s = from->immutability_s;
    to->lock_shift_s = from->lock_shift_s;
    to->quota = from->quota;
    to->quota_hard = from->quota_hard;
    to->probe = from->probe;
    if (to->name == NULL || to->state_dir == NULL ||
        (from->dir != NULL && to->dir == NULL))
        return err_nomem(e);
    return 0;
}

static int copy_keys(struct eng_repo *to, const struct eng_repo *from,
                     struct err *e)
{
    to->plain = mf_keys_copy(from->plain, e);
    if (to->plain == NULL ||
        eng_keysets_copy(&from->keysets, &to->keysets, e) < 0)
        return -1;
    to->keys = to->plain;
    return eng_repo_select(to, eng_repo_keyset(from), e);
}

struct eng_repo *eng_repo_again(struct eng_repo *r, struct err *e)
{
    AUTO_ENG_REPO struct eng_repo *again = calloc(1, sizeof(*again));

    if (again == NULL) {
        err_nomem(e);
        return NULL;
    }
    again->root = r->root;
    pthread_mutex_init(&again->versions.lock, NULL);
    again->store = obj_store_again(r->root->store, e);
    if (again->store == NULL || copy_settings(again, r, e) < 0 ||
        copy_keys(again, r, e) < 0)
        return NULL;
    return STEAL(again);
}
