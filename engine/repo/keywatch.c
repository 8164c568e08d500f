// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/keywatch.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/internal.h"

/* A server that did not answer is asked again soon. */
#define AGAIN_MS 10000

struct eng_keywatch {
    struct eng_key_way way;
    struct mf_slot slot;
    _Atomic int64_t due_ms; /* monotonic */
    pthread_mutex_t lock;   /* of what follows, and of asking */
    int64_t silent_ms;      /* since when nobody answers; 0: they do */
};

int eng_keywatch_new(const struct eng_key_way *way, const struct mf_slot *s,
                     struct eng_keywatch **out, struct err *e)
{
    eng_keywatch_free(*out);
    *out = NULL;
    if (way->ask == NULL)
        return 0;
    struct eng_keywatch *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return err_nomem(e);
    w->way = *way;
    w->slot = *s;
    atomic_init(&w->due_ms, utc_mono_ms() + way->ask_s * 1000);
    pthread_mutex_init(&w->lock, NULL);
    *out = w;
    return 0;
}

int eng_keywatch_copy(const struct eng_keywatch *w, struct eng_keywatch **out,
                      struct err *e)
{
    *out = NULL;
    return w != NULL ? eng_keywatch_new(&w->way, &w->slot, out, e) : 0;
}

void eng_keywatch_free(struct eng_keywatch *w)
{
    if (w == NULL)
        return;
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* Nobody answered; 0: the run may go on all the same. */
static int unanswered(struct eng_keywatch *w, int64_t asked_ms,
                      const struct err *e)
{
    if (w->silent_ms == 0)
        w->silent_ms = asked_ms;
    int64_t now = utc_mono_ms();
    int64_t left_ms = w->silent_ms + w->way.grace_s * 1000 - now;
    if (left_ms <= 0)
        return -1;
    log_warn("repo",
             "whether the key may still be used is not known (%s); the run "
             "goes on for %" PRId64 " s",
             e->msg, (left_ms + 999) / 1000);
    atomic_store(&w->due_ms, now + (left_ms < AGAIN_MS ? left_ms : AGAIN_MS));
    return 0;
}

/* Once no was said, `due` is past, and everybody else hears it too. */
static int ask(struct eng_keywatch *w, const struct cancel *cancel,
               struct err *e)
{
    int64_t now = utc_mono_ms();

    if (w->way.ask(w->way.ctx, cancel, &w->slot, e) == 0) {
        w->silent_ms = 0;
        atomic_store(&w->due_ms, utc_mono_ms() + w->way.ask_s * 1000);
        return 0;
    }
    if (e->kind == ERR_UNREACHABLE && unanswered(w, now, e) == 0)
        return 0;
    if (e->kind == ERR_NOTFOUND)
        e->kind = ERR_DENIED;
    return err_ctx(e, "%s: the key of this run", w->way.name);
}

int eng_keywatch_tick(struct eng_repo *r, const struct cancel *cancel,
                      struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(r, eng_repo_keyset(r));
    struct eng_keywatch *w = k != NULL ? k->watch : NULL;

    if (w == NULL || utc_mono_ms() < atomic_load(&w->due_ms) ||
        pthread_mutex_trylock(&w->lock) != 0)
        return 0;
    int result = 0;
    if (utc_mono_ms() >= atomic_load(&w->due_ms))
        result = ask(w, cancel, e);
    pthread_mutex_unlock(&w->lock);
    return result;
}
