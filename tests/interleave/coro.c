// SPDX-License-Identifier: Apache-2.0
/*
 * Coroutines by ucontext.  Stacks are kept for the next one: thousands of
 * schedules would spend their time on mapping them.  AddressSanitizer is told
 * of each change of stacks.
 */
#include "tests/interleave/coro.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define WATCHED 1
#else
#define WATCHED 0
#endif

#define STACK_BYTES ((size_t)2 << 20)
#define GUARD_BYTES ((size_t)4096)

struct coro {
    ucontext_t context;
    uint8_t *stack; /* mapped; the guard lies at its low end */
    void *shadow;   /* the sanitizer's, while it does not run */
    void (*fn)(void *arg);
    void *arg;
    bool ended;
    struct coro *next; /* in the list of free ones */
};

static struct coro *spare;
static struct coro *running;
static ucontext_t outside;
static ucontext_t blank; /* what each begins as */
static struct {
    void *shadow;
    const void *stack;
    size_t bytes;
} around;

static void leaving(void **shadow, const void *to, size_t bytes)
{
#if WATCHED
    __sanitizer_start_switch_fiber(shadow, to, bytes);
#else
    (void)shadow;
    (void)to;
    (void)bytes;
#endif
}

static void arrived(void *shadow, const void **from, size_t *bytes)
{
#if WATCHED
    __sanitizer_finish_switch_fiber(shadow, from, bytes);
#else
    (void)shadow;
    (void)from;
    (void)bytes;
#endif
}

static void give_up(const char *what)
{
    perror(what);
    abort();
}

static void enter(void)
{
    struct coro *c = running;

    arrived(NULL, &around.stack, &around.bytes);
    c->fn(c->arg);
    c->ended = true;
    leaving(NULL, around.stack, around.bytes); /* this stack is done with */
    setcontext(&outside);
}

static struct coro *with_stack(void)
{
    struct coro *c = spare;

    if (c != NULL) {
        spare = c->next;
        return c;
    }
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        give_up("coroutine");
    c->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c->stack == MAP_FAILED ||
        mprotect(c->stack, GUARD_BYTES, PROT_NONE) < 0)
        give_up("stack");
    return c;
}

/* No local lives across it: it could come back twice. */
static void take_blank(void)
{
    if (getcontext(&blank) < 0)
        give_up("getcontext");
}

struct coro *coro_new(void (*fn)(void *arg), void *arg)
{
    struct coro *c = with_stack();

    c->fn = fn;
    c->arg = arg;
    c->ended = false;
    c->shadow = NULL;
    take_blank();
    c->context = blank;
    c->context.uc_stack.ss_sp = c->stack + GUARD_BYTES;
    c->context.uc_stack.ss_size = STACK_BYTES - GUARD_BYTES;
    c->context.uc_link = NULL;
    makecontext(&c->context, enter, 0);
    return c;
}

void coro_free(struct coro *c)
{
    if (c == NULL)
        return;
    c->next = spare;
    spare = c;
}

void coro_resume(struct coro *c)
{
    running = c;
    leaving(&around.shadow, c->stack + GUARD_BYTES, STACK_BYTES - GUARD_BYTES);
    if (swapcontext(&outside, &c->context) < 0)
        give_up("swapcontext");
    arrived(around.shadow, NULL, NULL);
    running = NULL;
}

void coro_yield(void)
{
    struct coro *c = running;

    leaving(&c->shadow, around.stack, around.bytes);
    if (swapcontext(&c->context, &outside) < 0)
        give_up("swapcontext");
    arrived(c->shadow, &around.stack, &around.bytes);
}

bool coro_ended(const struct coro *c)
{
    return c->ended;
}
