// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_SIM_CELLS_H
#define TESTS_UNIT_OBJSTORE_SIM_CELLS_H

/* A matrix of faults and operations.  Each cell has a server and a store of
 * its own; several run at once, since they mostly wait. */
#include "sim_ops.h"

#include <stdatomic.h>

#define SIM_THREADS 12
/* Times are in the order of what a request takes: sanitizers need more. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SIM_SLOWER 3
#else
#define SIM_SLOWER 1
#endif
/* What a loaded machine may add to a wait before it counts as a hang. */
#define SIM_SLACK_MS 4000

struct sim_fault {
    const char *name;
    const char *except; /* names of operations that it says nothing about,
                           each between commas: ",get,head," */
    struct s3server_rule rule; /* without its op */
    int64_t limit_ms;          /* of one request; 0: 2000 */
    int64_t deadline_ms;       /* of the call; 0: 8000 */
    enum err_kind kind;        /* ERR_NONE: it heals */
    const char *cause;         /* what an error says; NULL: the rule's code */
    bool once;                 /* not tried again */
    bool no_id;                /* there is no request id to tell */
};

struct sim_cell {
    const struct sim_fault *fault;
    const struct sim_op *op;
    char wrong[1500];
};

struct sim_matrix {
    struct sim_cell cells[512];
    size_t n;
    atomic_size_t next;
};

static inline bool sim_applies(const struct sim_fault *f,
                               const struct sim_op *op)
{
    char wanted[64];

    snprintf(wanted, sizeof wanted, ",%s,", op->name);
    return f->except == NULL || strstr(f->except, wanted) == NULL;
}

static inline void sim_judge_error(struct sim *s, const struct sim_cell *c,
                                   const struct err *e)
{
    const struct sim_fault *f = c->fault;
    const char *cause = f->cause != NULL ? f->cause : f->rule.code;

    if (f->kind == ERR_NONE)
        SIM_WRONG(s, "did not heal");
    else if (e->kind != f->kind)
        SIM_WRONG(s, "%s instead of %s", err_kind_name(e->kind),
                  err_kind_name(f->kind));
    if (strstr(e->msg, c->op->subject) == NULL)
        SIM_WRONG(s, "does not name %s", c->op->subject);
    /* The answer to HEAD has no room for a code. */
    if (cause != NULL && strcmp(c->op->name, "head") != 0 &&
        strstr(e->msg, cause) == NULL)
        SIM_WRONG(s, "does not say %s", cause);
    if (!f->once && strstr(e->msg, " attempts over ") == NULL)
        SIM_WRONG(s, "does not say how often it was tried");
    if (!f->no_id && strstr(e->msg, "request id ") == NULL)
        SIM_WRONG(s, "does not tell the request id");
}

static inline void sim_run_cell(struct sim_cell *c)
{
    const struct sim_fault *f = c->fault;
    int64_t limit = SIM_SLOWER * (f->limit_ms != 0 ? f->limit_ms : 2000);
    int64_t deadline =
        SIM_SLOWER * (f->deadline_ms != 0 ? f->deadline_ms : 8000);
    struct s3server_rule rule = f->rule;
    struct err e = { 0 };
    struct sim s;

    sim_open(&s, c->op->bucket, limit, deadline);
    c->op->prepare(&s);
    rule.op = c->op->request;
    s3server_script(s.server, &rule, 1);
    int64_t from = utc_mono_ms();
    int r = c->op->run(&s, &e);
    int64_t took = utc_mono_ms() - from;
    if (s3server_acted(s.server, 0) == 0 && rule.act != S3SERVER_RESET_ACCEPT)
        SIM_WRONG(&s, "the fault did not happen");
    s3server_script(s.server, NULL, 0);
    if (took > deadline + SIM_SLACK_MS)
        SIM_WRONG(&s, "took %lld ms", (long long)took);
    if (r < 0)
        sim_judge_error(&s, c, &e);
    else if (f->kind != ERR_NONE)
        SIM_WRONG(&s, "no error");
    c->op->look(&s, r);
    if (s.wrong[0] != '\0')
        snprintf(c->wrong, sizeof c->wrong, "%s: %s: %s (%lld ms; %s)", f->name,
                 c->op->name, s.wrong, (long long)took,
                 r < 0 ? e.msg : "no error");
    sim_close(&s);
}

static inline void *sim_work(void *ctx)
{
    struct sim_matrix *m = ctx;

    for (;;) {
        size_t i = atomic_fetch_add(&m->next, 1);
        if (i >= m->n)
            return NULL;
        sim_run_cell(&m->cells[i]);
    }
}

/* Every fault at every operation; fails with all findings. */
static inline void sim_matrix_holds(const struct sim_fault *faults, size_t n)
{
    struct sim_matrix *m = calloc(1, sizeof *m);
    pthread_t threads[SIM_THREADS];
    size_t bad = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < SIM_OPS; j++) {
            if (sim_applies(&faults[i], &sim_ops[j]))
                m->cells[m->n++] =
                    (struct sim_cell){ .fault = &faults[i], .op = &sim_ops[j] };
        }
    }
    for (size_t i = 0; i < SIM_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sim_work, m), 0);
    for (size_t i = 0; i < SIM_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < m->n; i++) {
        if (m->cells[i].wrong[0] == '\0')
            continue;
        fprintf(stderr, "%s\n", m->cells[i].wrong);
        bad++;
    }
    size_t all = m->n;
    free(m);
    if (bad > 0)
        fail_msg("%zu of %zu cells", bad, all);
}

#endif
