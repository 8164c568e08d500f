// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of an open S3 store: read when it is opened, again before they
 * expire, and again when a server refuses them.  One thread at a time reads;
 * the others go on with the old keys as long as these are valid.
 */
#include "base/cond.h"
#include "base/log.h"
#include "base/utc.h"
#include "objstore/s3.h"

/* As AWS's tools do: a request that is long on its way must not arrive late,
 * and there has to be time to try again. */
#define EARLY_S 300
/* Between two attempts while the old keys are still good. */
#define PAUSE_MS 30000
#define TICK_MS 100

int obj_s3_keys_init(struct obj_s3 *s3, struct err *e)
{
    return obj_credentials_load(s3->credentials_file, s3->cancel,
                                &s3->locked.credentials, e);
}

/* Reads the keys anew; called and left with the lock held, which is free in
 * between. */
static int renew(struct obj_s3 *s3, bool *changed, struct err *e)
{
    struct obj_credentials newer;

    s3->locked.renewing = true;
    pthread_mutex_unlock(&s3->locked.mutex);
    int r = obj_credentials_load(s3->credentials_file, s3->cancel, &newer, e);
    pthread_mutex_lock(&s3->locked.mutex);
    s3->locked.renewing = false;
    s3->locked.pause_until = utc_mono_ms() + PAUSE_MS;
    *changed =
        r == 0 && !obj_credentials_equal(&newer, &s3->locked.credentials);
    if (r == 0) {
        obj_credentials_fini(&s3->locked.credentials);
        s3->locked.credentials = newer;
    } else {
        s3->locked.failures++;
        s3->locked.failure = *e;
    }
    if (*changed) {
        secret_free(STEAL(s3->locked.key));
        s3->locked.generation++;
        log_debug("s3", "new keys from %s", s3->locked.credentials.origin);
    }
    pthread_cond_broadcast(&s3->locked.renewed);
    return r;
}

/* Sleeps until another thread has read the keys, or for a moment. */
static void wait_a_moment(struct obj_s3 *s3)
{
    (void)cond_wait_ms(&s3->locked.renewed, &s3->locked.mutex, TICK_MS);
}

int obj_s3_keys_fresh(struct obj_s3 *s3, int64_t now,
                      const struct cancel *cancel, struct err *e)
{
    unsigned failures = s3->locked.failures;
    bool changed;

    for (;;) {
        int64_t expires = s3->locked.credentials.expires;
        bool valid = expires > now;
        if (expires == 0 || expires - now > EARLY_S)
            return 0;
        if (!s3->locked.renewing) {
            if (valid && utc_mono_ms() < s3->locked.pause_until)
                return 0;
            if (renew(s3, &changed, e) == 0)
                return 0;
            if (!valid)
                return err_ctx(e, "the keys have expired");
            if (e->kind == ERR_CANCELLED)
                return -1;
            log_warn("s3", "cannot renew the keys, which expire in %lld s: %s",
                     (long long)(expires - now), e->msg);
            return 0;
        }
        if (valid)
            return 0;
        wait_a_moment(s3);
        if (cancel_check(cancel, e) < 0)
            return -1;
        if (s3->locked.failures != failures) {
            *e = s3->locked.failure;
            return err_ctx(e, "the keys have expired");
        }
    }
}

void obj_s3_keys_refused(struct obj_s3 *s3, unsigned generation)
{
    pthread_mutex_lock(&s3->locked.mutex);
    if (generation != s3->locked.generation)
        s3->locked.outdated = true;
    pthread_mutex_unlock(&s3->locked.mutex);
}

bool obj_s3_keys_refresh(void *self)
{
    struct obj_s3 *s3 = self;
    struct err e;

    pthread_mutex_lock(&s3->locked.mutex);
    unsigned generation = s3->locked.generation;
    bool changed = s3->locked.outdated;
    s3->locked.outdated = false;
    while (!changed && s3->locked.renewing)
        wait_a_moment(s3);
    changed = changed || s3->locked.generation != generation;
    int r = changed ? 0 : renew(s3, &changed, &e);
    pthread_mutex_unlock(&s3->locked.mutex);
    if (r < 0 && e.kind != ERR_CANCELLED)
        log_warn("s3", "cannot read the keys again: %s", e.msg);
    return changed;
}
