// SPDX-License-Identifier: Apache-2.0
/*
 * getaddrinfo knows no deadline, so a thread of its own calls it, and whoever
 * asked waits for that thread's eventfd.  A question that nobody waits for any
 * more is freed by the thread, whenever the name service lets it go.
 */
#include "kms/resolve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kms/wait.h"

struct question {
    char *host;
    char port[6];
    int done; /* eventfd: readable once code, sys and found are set */
    int sys;
    struct addrinfo *found;
    atomic_int code; /* of getaddrinfo; set last, so that who reads it may read
                        sys and found */
    atomic_int holders; /* the thread, and who asked; the last one frees */
};

static void question_drop(struct question *q)
{
    if (atomic_fetch_sub(&q->holders, 1) > 1)
        return;
    if (q->found != NULL)
        freeaddrinfo(q->found);
    if (q->done >= 0)
        close(q->done);
    free(q->host);
    free(q);
}

static void ask(struct question *q, int flags)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | flags,
    };

    int code = getaddrinfo(q->host, q->port, &hints, &q->found);

    q->sys = errno;
    if (code != 0)
        q->found = NULL;
    atomic_store(&q->code, code);
}

static void *ask_thread(void *arg)
{
    struct question *q = arg;
    uint64_t one = 1;

    ask(q, AI_ADDRCONFIG);
    (void)!write(q->done, &one, sizeof one);
    question_drop(q);
    return NULL;
}

static struct question *question_new(const char *host, uint16_t port,
                                     struct err *e)
{
    struct question *q = calloc(1, sizeof *q);

    if (q == NULL) {
        err_nomem(e);
        return NULL;
    }
    atomic_init(&q->holders, 1);
    q->done = -1;
    q->host = strdup(host);
    if (q->host == NULL) {
        question_drop(q);
        err_nomem(e);
        return NULL;
    }
    (void)snprintf(q->port, sizeof q->port, "%u", (unsigned)port);
    return q;
}

static int ask_beside(struct question *q, int64_t deadline,
                      const struct cancel *cancel, struct err *e)
{
    pthread_t thread;

    q->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (q->done < 0)
        return err_set(e, ERR_FAILED, errno, "make an eventfd");
    atomic_fetch_add(&q->holders, 1);
    int sys = pthread_create(&thread, NULL, ask_thread, q);
    if (sys != 0) {
        atomic_fetch_sub(&q->holders, 1);
        return err_set(e, ERR_FAILED, sys, "start a thread");
    }
    pthread_detach(thread);
    if (kms_wait(q->done, POLLIN, deadline, cancel, e) < 0)
        return err_ctx(e, "look up the name %s", q->host);
    return 0;
}

int kms_resolve(const char *host, uint16_t port, int64_t deadline,
                const struct cancel *cancel, struct addrinfo **out,
                struct err *e)
{
    struct question *q = question_new(host, port, e);
    int result = 0;

    if (q == NULL)
        return -1;
    ask(q, AI_NUMERICHOST);
    if (atomic_load(&q->code) == EAI_NONAME)
        result = ask_beside(q, deadline, cancel, e);
    int code = atomic_load(&q->code);
    if (result == 0 && code != 0)
        result = err_set(e, code == EAI_MEMORY ? ERR_NOMEM : ERR_UNREACHABLE,
                         code == EAI_SYSTEM ? q->sys : 0,
                         "look up the name %s: %s", host, gai_strerror(code));
    if (result == 0) {
        *out = q->found;
        q->found = NULL;
    }
    question_drop(q);
    return result;
}
