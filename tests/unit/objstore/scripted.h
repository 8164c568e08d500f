// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_SCRIPTED_H
#define TESTS_UNIT_OBJSTORE_SCRIPTED_H

/* A driver that answers by script: each attempt, of whatever verb, takes the
 * next answer; the last one is repeated.  It notes what it was asked. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "objstore/retry.h"
#include "quick_tuning.h"

#define SCRIPT_MAX 64

struct answer {
    struct obj_attempt a; /* outcome and what goes with it */
    const char *body;     /* GET: appended; HEAD: "ours" echoes the nonce */
    int64_t takes_ms;
};

struct seen {
    char verb[16];
    char key[128];
    struct obj_attempt in;
    int64_t at_ms;
};

struct script {
    struct answer answers[SCRIPT_MAX];
    size_t n;
    pthread_mutex_t lock;
    size_t calls;
    struct seen seen[SCRIPT_MAX];
    char nonce[33]; /* of the first put */
    unsigned refreshes, refresh_works;
    char region[32];
    unsigned in_flight, peak;
};

static struct script script; /* one store per test */

static inline void script_reset(void)
{
    pthread_mutex_destroy(&script.lock);
    memset(&script, 0, sizeof script);
    pthread_mutex_init(&script.lock, NULL);
}

static inline void script_add(struct answer a)
{
    script.answers[script.n++] = a;
}

static inline struct answer script_next(const char *verb, const char *key,
                                        const struct obj_attempt *in)
{
    pthread_mutex_lock(&script.lock);
    size_t i = script.calls < script.n ? script.calls : script.n - 1;
    struct answer got = script.answers[i];
    if (script.calls < SCRIPT_MAX) {
        struct seen *s = &script.seen[script.calls];
        snprintf(s->verb, sizeof s->verb, "%s", verb);
        snprintf(s->key, sizeof s->key, "%s", key);
        s->in = *in;
        s->at_ms = utc_mono_ms();
    }
    if (script.nonce[0] == '\0')
        memcpy(script.nonce, in->nonce, sizeof script.nonce);
    script.calls++;
    script.in_flight++;
    if (script.in_flight > script.peak)
        script.peak = script.in_flight;
    pthread_mutex_unlock(&script.lock);
    return got;
}

static inline void script_settle(const struct answer *got,
                                 struct obj_attempt *a)
{
    struct err ignored;
    int64_t offset = a->clock_offset;

    if (got->takes_ms > 0)
        (void)!cancel_sleep(NULL, got->takes_ms, &ignored);
    *a = got->a;
    a->clock_offset = offset;
    pthread_mutex_lock(&script.lock);
    script.in_flight--;
    pthread_mutex_unlock(&script.lock);
}

static void *scripted_open(const struct obj_config *c, char **name_out,
                           struct err *e)
{
    (void)c;
    *name_out = strdup("s3://bucket on http://127.0.0.1:1");
    if (*name_out == NULL)
        err_nomem(e);
    return *name_out != NULL ? &script : NULL;
}

static void scripted_close(void *self)
{
    (void)self;
}

static void scripted_put(void *self, const struct obj_req *r, struct span body,
                         const struct obj_put_opts *o, struct obj_info *info,
                         struct obj_attempt *a)
{
    (void)self;
    (void)o;
    struct answer got = script_next("put", r->key, a);
    script_settle(&got, a);
    if (a->outcome == OBJ_OK) {
        info->size = body.len;
        a->sent = body.len;
    }
}

static void scripted_get(void *self, const struct obj_req *r,
                         const struct obj_range *range, struct buf *out,
                         struct obj_info *info, struct obj_attempt *a)
{
    (void)self;
    (void)range;
    (void)info;
    struct answer got = script_next("get", r->key, a);
    script_settle(&got, a);
    if (got.body != NULL) {
        buf_append_str(out, got.body);
        if (a->received == 0)
            a->received = strlen(got.body);
    }
}

static void scripted_head(void *self, const struct obj_req *r,
                          struct obj_info *info, struct obj_attempt *a)
{
    (void)self;
    struct answer got = script_next("head", r->key, a);
    script_settle(&got, a);
    info->size = 7;
    if (got.body != NULL && strcmp(got.body, "ours") == 0)
        memcpy(a->nonce, script.nonce, sizeof a->nonce);
}

static void scripted_remove(void *self, const struct obj_req *r, bool bypass,
                            struct obj_attempt *a)
{
    (void)self;
    (void)bypass;
    struct answer got = script_next("delete", r->key, a);
    script_settle(&got, a);
}

static bool scripted_refresh(void *self)
{
    (void)self;
    script.refreshes++;
    return script.refreshes <= script.refresh_works;
}

static void scripted_set_region(void *self, const char *region)
{
    (void)self;
    memcpy(script.region, region, strlen(region) + 1);
}

#endif
