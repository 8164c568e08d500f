// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_HISTORY_RUNS_H
#define TESTS_UNIT_ENGINE_HISTORY_RUNS_H

/* Records as engine/run makes them. */
#include <stdlib.h>
#include <string.h>

#include "engine/history/history.h"
#include "tests/unit/must.h"

#define T0 1795860000 /* 2026-11-28T10:00:00Z */

static inline void runs_set(char **member, const char *text)
{
    free(*member);
    *member = text != NULL ? strdup(text) : NULL;
}

static inline struct eng_run_record run_new(const char *job, int64_t started)
{
    struct eng_run_record r = { .why = ENG_WHY_SCHEDULE, .started = started };

    runs_set(&r.job, job);
    runs_set(&r.repo, "main");
    runs_set(&r.host, "backup1");
    return r;
}

/* A VM with its point, every figure another one. */
static inline struct eng_vm_record vm_new(const char *name, int64_t started)
{
    struct eng_vm_record v = {
        .status = ENG_STATUS_SUCCESS,
        .tried = 1,
        .started = started,
        .ended = started + 64,
        .source_bytes = UINT64_C(40) << 30,
        .read_bytes = UINT64_C(6) << 30,
        .new_bytes = UINT64_C(900) << 20,
        .stored_bytes = UINT64_C(410) << 20,
        .new_blocks = 225,
        .reused_blocks = 1311,
        .seconds = 63.5,
        .busy = { 41.5, 4.25, 17.125, 2.5, 12 },
        .requests = { 231, 7, 3, 2, 1, 5 },
    };

    runs_set(&v.source, "prod");
    runs_set(&v.id, name);
    runs_set(&v.vm, name);
    runs_set(&v.point, "x@2026-11-28T10:00:00Z");
    runs_set(&v.kind, "incremental");
    runs_set(&v.keyset, "plain");
    runs_set(&v.bottleneck, "source");
    return v;
}

/* Takes v over. */
static inline void run_add_vm(struct eng_run_record *r, struct eng_vm_record v)
{
    r->vms = reallocarray(r->vms, r->n_vms + 1, sizeof(*r->vms));
    assert_non_null(r->vms);
    r->vms[r->n_vms++] = v;
}

static inline void run_warn(struct eng_run_record *r, const char *text)
{
    r->warnings =
        reallocarray(r->warnings, r->n_warnings + 1, sizeof(*r->warnings));
    assert_non_null(r->warnings);
    r->warnings[r->n_warnings++] = strdup(text);
}

#endif
