// SPDX-License-Identifier: Apache-2.0
/*
 * Signals as a thread's input, not as interruptions: nothing here runs in a
 * handler, so nothing has to be async-signal-safe but signals_child_reset.
 */
#include "base/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

static sigset_t waited; /* written before the thread starts */
static struct cancel *token;
static pthread_t thread;

static pthread_mutex_t hook_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hook_idle = PTHREAD_COND_INITIALIZER;
struct hook {
    void (*fn)(void *ctx);
    void *ctx;
    bool running;
};
static struct hook on_usr1, on_hup; /* under hook_lock */

/* The hook runs without the lock, so that it may take others.  False: there is
 * none. */
static bool run_hook(struct hook *h)
{
    pthread_mutex_lock(&hook_lock);
    void (*fn)(void *) = h->fn;
    void *ctx = h->ctx;
    h->running = fn != NULL;
    pthread_mutex_unlock(&hook_lock);
    if (fn == NULL)
        return false;
    fn(ctx);
    pthread_mutex_lock(&hook_lock);
    h->running = false;
    pthread_cond_broadcast(&hook_idle);
    pthread_mutex_unlock(&hook_lock);
    return true;
}

static void *signals_main(void *arg)
{
    bool asked = false;

    (void)arg;
    pthread_setname_np(pthread_self(), "signals");
    for (;;) {
        int sig = 0;
        if (sigwait(&waited, &sig) != 0)
            continue;
        if (sig == SIGUSR1) {
            run_hook(&on_usr1);
            continue;
        }
        if (sig == SIGHUP && run_hook(&on_hup))
            continue;
        if (asked)
            _exit(EXIT_INTERRUPTED);
        asked = true;
        cancel_request(token);
    }
    return NULL;
}

/* A signal that the parent made us ignore stays ignored: a shell does that to
 * the INT of its background jobs. */
static void wait_for(int sig)
{
    struct sigaction now;

    if (sigaction(sig, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        sigaddset(&waited, sig);
}

int signals_start(struct cancel *c, struct err *e)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    token = c;
    sigemptyset(&waited);
    wait_for(SIGINT);
    wait_for(SIGTERM);
    wait_for(SIGHUP);
    sigaddset(&waited, SIGUSR1);
    sigaction(SIGPIPE, &ignore, NULL);
    int r = pthread_sigmask(SIG_BLOCK, &waited, NULL);
    if (r == 0)
        r = pthread_create(&thread, NULL, signals_main, NULL);
    if (r != 0)
        return err_set(e, ERR_FAILED, r, "start the signal thread");
    return 0;
}

static void set_hook(struct hook *h, void (*fn)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&hook_lock);
    h->fn = fn;
    h->ctx = ctx;
    /* The old ctx may be freed once this returns, so a call of the old hook
     * has to end first; a hook that replaces itself cannot wait for itself. */
    while (h->running && !pthread_equal(pthread_self(), thread))
        pthread_cond_wait(&hook_idle, &hook_lock);
    pthread_mutex_unlock(&hook_lock);
}

void signals_on_usr1(void (*fn)(void *ctx), void *ctx)
{
    set_hook(&on_usr1, fn, ctx);
}

void signals_on_hup(void (*fn)(void *ctx), void *ctx)
{
    set_hook(&on_hup, fn, ctx);
}

void signals_child_reset(void)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigset_t none;

    sigemptyset(&none);
    sigaction(SIGPIPE, &standard, NULL);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}
