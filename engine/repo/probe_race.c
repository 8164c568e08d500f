// SPDX-License-Identifier: Apache-2.0
/*
 * Probe: conditional PUT.  Many threads want one name at the same moment; one
 * must get it, the others must be told, and what is there must be the winner's.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "base/workers.h"
#include "engine/repo/probing.h"

#define RACERS 16
#define RACERS_QUICK 4
#define ROUNDS 3

struct race {
    struct eng_probing *p;
    char name[32];
    atomic_uint ready;
    unsigned racers;
    struct {
        enum err_kind kind; /* ERR_NONE: won */
        struct err e;
    } results[RACERS];
};

static void racer_text(uint64_t i, char out[32])
{
    (void)snprintf(out, 32, "racer %u", (unsigned)i);
}

static int racer(void *ctx, struct workers *w, unsigned index, struct err *e)
{
    struct race *race = ctx;
    struct obj_put_opts opts = { .if_absent = true };
    struct obj_req req = { .cancel = workers_cancel(w) };
    struct eng_probing_key key = eng_probing_key(race->p, race->name);
    char text[32];
    uint64_t i;

    (void)index;
    req.key = key.s;
    while (workers_claim(w, &i)) {
        /* The closer together, the better the proof; never for ever. */
        atomic_fetch_add(&race->ready, 1);
        for (int ms = 0; ms < 100 && atomic_load(&race->ready) < race->racers;
             ms++)
            if (cancel_sleep(req.cancel, 1, e) < 0)
                return -1;
        racer_text(i, text);
        int r = obj_put(race->p->store, &req, span_of(text, strlen(text)),
                        &opts, NULL, &race->results[i].e);
        race->results[i].kind = r == 0 ? ERR_NONE : race->results[i].e.kind;
    }
    return 0;
}

/* 1: well; 0: the row is filled; -1. */
static int judge(struct race *race, struct err *e)
{
    struct eng_probing *p = race->p;
    unsigned winners = 0;
    uint64_t winner = 0;
    char text[32];

    for (unsigned i = 0; i < race->racers; i++) {
        if (race->results[i].kind == ERR_NONE) {
            winners++;
            winner = i;
        } else if (race->results[i].kind != ERR_EXISTS) {
            *e = race->results[i].e;
            return eng_probing_failed(p, ENG_PROBE_CONDITIONAL_PUT, e);
        }
    }
    if (winners != 1) {
        eng_probing_set(p, ENG_PROBE_CONDITIONAL_PUT, ENG_PROBE_NO,
                        "%u of %u that wanted one name at once got it", winners,
                        race->racers);
        return 0;
    }
    racer_text(winner, text);
    int r = eng_probing_holds(p, race->name, NULL, text, e);
    if (r < 0)
        return eng_probing_failed(p, ENG_PROBE_CONDITIONAL_PUT, e);
    if (r == 0)
        eng_probing_set(p, ENG_PROBE_CONDITIONAL_PUT, ENG_PROBE_NO,
                        "what is stored is not what the winner put");
    return r;
}

int eng_probing_race(struct eng_probing *p, struct err *e)
{
    unsigned rounds = p->opts->quick ? 1 : ROUNDS;
    unsigned racers = p->opts->quick ? RACERS_QUICK : RACERS;

    for (unsigned i = 0; i < rounds; i++) {
        struct race race = { .p = p, .racers = racers };
        (void)snprintf(race.name, sizeof race.name, "race-%u", i);
        if (workers_run(racers, racers, p->cancel, racer, &race, e) < 0)
            return -1;
        int r = judge(&race, e);
        if (r <= 0)
            return r;
    }
    eng_probing_set(p, ENG_PROBE_CONDITIONAL_PUT, ENG_PROBE_YES,
                    "one of %u got the name, %u times", racers, rounds);
    return 0;
}
