// SPDX-License-Identifier: Apache-2.0
#include "tests/interleave/twins.h"

#include <stdio.h>
#include <string.h>

#include "engine/repo/repo.h"
#include "engine/repo/runlease.h"
#include "tests/interleave/world.h"

static struct {
    const struct eng_repo *repo; /* the run's handle; NULL: free */
    const struct actor *actor;
    char vm[32];
} runs[WORLD_ACTORS];

int __real_eng_runlease_begin(struct eng_repo *r, const char *vm,
                              const struct cancel *cancel, struct err *e);
int __wrap_eng_runlease_begin(struct eng_repo *r, const char *vm,
                              const struct cancel *cancel, struct err *e);
void __real_eng_runlease_end(struct eng_repo *r);
void __wrap_eng_runlease_end(struct eng_repo *r);

void twins_forget(void)
{
    memset(runs, 0, sizeof(runs));
}

/* A lock on a file does not run out; a lease does where its run stands still or
 * is cut off, or where the time is wrong. */
static bool never_runs_out(struct eng_repo *r)
{
    const struct weather *w = world_weather();

    return eng_repo_is_simple(r) ||
           (w->stall == 0 && w->outage == 0 && w->jump == 0 &&
            w->lose_asked == 0 && w->lose_told == 0);
}

static void note(struct eng_repo *r, const char *vm)
{
    unsigned at = 0;

    for (unsigned i = 0; i < WORLD_ACTORS; i++) {
        if (runs[i].repo == NULL)
            at = i;
        else if (strcmp(runs[i].vm, vm) == 0 && !runs[i].actor->dead &&
                 never_runs_out(r))
            world_fail("%s backs up %s, and so does %s", world_current()->name,
                       vm, runs[i].actor->name);
    }
    runs[at].repo = r;
    runs[at].actor = world_current();
    (void)snprintf(runs[at].vm, sizeof(runs[at].vm), "%s", vm);
}

int __wrap_eng_runlease_begin(struct eng_repo *r, const char *vm,
                              const struct cancel *cancel, struct err *e)
{
    int result = __real_eng_runlease_begin(r, vm, cancel, e);

    if (result == 0 && world_current() != NULL)
        note(r, vm);
    return result;
}

void __wrap_eng_runlease_end(struct eng_repo *r)
{
    /* From here on it changes nothing that is stored but its lease. */
    for (unsigned i = 0; i < WORLD_ACTORS; i++)
        if (runs[i].repo == r)
            runs[i].repo = NULL;
    __real_eng_runlease_end(r);
}
