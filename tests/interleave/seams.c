// SPDX-License-Identifier: Apache-2.0
/*
 * Where the product meets the world outside, as long as a test's world is on:
 * the linker leads these calls here (--wrap), so the product is the real one,
 * compiled once, and has no hook for tests.
 *
 * With one thread in all there is nobody to wait for at a condition but a mate:
 * who would wait without one has found a bug, and is told so.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>

#include "base/digest.h"
#include "base/workers.h"
#include "engine/repo/dirlock.h"
#include "objstore/retry.h"
#include "tests/interleave/net.h"
#include "tests/interleave/world.h"

#define FLOCK_LOOK_MS 500

/* The names that the linker gives the real and the replaced functions. */
int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __real_cancel_sleep(const struct cancel *c, int64_t ms, struct err *e);
int __wrap_cancel_sleep(const struct cancel *c, int64_t ms, struct err *e);
int __real_flock(int fd, int op);
int __wrap_flock(int fd, int op);
int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
                                  const struct timespec *t);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
                                  const struct timespec *t);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);
int __real_digest_random(void *p, size_t len, struct err *e);
int __wrap_digest_random(void *p, size_t len, struct err *e);
uint32_t __real_arc4random_uniform(uint32_t below);
uint32_t __wrap_arc4random_uniform(uint32_t below);
int __real_workers_run(unsigned n, uint64_t items, const struct cancel *parent,
                       workers_fn fn, void *ctx, struct err *e);
int __wrap_workers_run(unsigned n, uint64_t items, const struct cancel *parent,
                       workers_fn fn, void *ctx, struct err *e);
int __real_eng_dirlock_probe(const char *dir, struct err *e);
int __wrap_eng_dirlock_probe(const char *dir, struct err *e);
struct obj_store *__real_obj_store_open(const struct obj_config *c,
                                        struct err *e);
struct obj_store *__wrap_obj_store_open(const struct obj_config *c,
                                        struct err *e);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    if (!world_is_on())
        return __real_clock_gettime(id, t);
    int64_t ms = id == CLOCK_REALTIME ? world_wall_ms() : world_mono_ms();
    t->tv_sec = ms / 1000;
    t->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

int __wrap_cancel_sleep(const struct cancel *c, int64_t ms, struct err *e)
{
    if (!world_is_on())
        return __real_cancel_sleep(c, ms, e);
    if (cancel_check(c, e) < 0)
        return -1;
    if (ms > 0)
        world_sleep(ms);
    const struct actor *a = world_current();
    if (a != NULL && a->dead)
        return err_set(e, ERR_CANCELLED, 0, "dead");
    return cancel_check(c, e);
}

int __wrap_flock(int fd, int op)
{
    if (!world_is_on() || (op & (LOCK_NB | LOCK_UN)) != 0)
        return __real_flock(fd, op);
    for (;;) {
        if (__real_flock(fd, op | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK)
            return -1;
        world_sleep(FLOCK_LOOK_MS);
        if (world_current() == NULL || world_current()->dead) {
            errno = EINTR;
            return -1;
        }
    }
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
                                  const struct timespec *t)
{
    const struct actor *a = world_current();

    if (!world_is_on())
        return __real_pthread_cond_timedwait(c, m, t);
    if (a != NULL && a->mate != NULL) {
        int64_t until = t->tv_sec * 1000 + t->tv_nsec / 1000000;
        pthread_mutex_unlock(m);
        world_wait_for_mate();
        pthread_mutex_lock(m);
        return world_mono_ms() >= until ? ETIMEDOUT : 0;
    }
    fprintf(stderr, "a wait for another thread, where there is one alone\n");
    abort();
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg)
{
    if (!world_is_on())
        return __real_pthread_create(t, a, fn, arg);
    fprintf(stderr, "a thread, where chance must decide everything\n");
    abort();
}

int __wrap_digest_random(void *p, size_t len, struct err *e)
{
    uint8_t *to = p;

    if (!world_is_on())
        return __real_digest_random(p, len, e);
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)world_random(256);
    return 0;
}

uint32_t __wrap_arc4random_uniform(uint32_t below)
{
    return world_is_on() ? (uint32_t)world_random(below)
                         : __real_arc4random_uniform(below);
}

int __wrap_workers_run(unsigned n, uint64_t items, const struct cancel *parent,
                       workers_fn fn, void *ctx, struct err *e)
{
    return __real_workers_run(world_is_on() ? 1 : n, items, parent, fn, ctx, e);
}

/* Two processes for each collection would be most of what a schedule costs, and
 * the answer is the kernel's: once is enough. */
int __wrap_eng_dirlock_probe(const char *dir, struct err *e)
{
    static bool good;

    if (!world_is_on() || !good)
        good = __real_eng_dirlock_probe(dir, e) == 0;
    return good ? 0 : -1;
}

struct obj_store *__wrap_obj_store_open(const struct obj_config *c,
                                        struct err *e)
{
    return world_is_on() ? net_open(c, e) : __real_obj_store_open(c, e);
}
