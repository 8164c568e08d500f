// SPDX-License-Identifier: Apache-2.0
/* Programs that a job runs before and after its VMs. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/process.h"
#include "engine/run/job_run_impl.h"

#define TIME_MS (INT64_C(3600) * 1000)

/* env(1), with what the program is told, and the program. */
struct line {
    char *told[3];
    const char **argv;
};

static void line_free(struct line *l)
{
    for (size_t i = 0; i < sizeof(l->told) / sizeof(l->told[0]); i++)
        free(l->told[i]);
    free(l->argv);
}

static int fill(struct line *l, const struct eng_job *job,
                const struct eng_texts *program, int64_t run,
                const char *status, struct err *e)
{
    size_t n = 0;

    l->argv = calloc(program->n + 5, sizeof(*l->argv));
    l->told[0] = io_format(e, "OBJVAULT_JOB=%s", job->name);
    l->told[1] = io_format(e, "OBJVAULT_RUN=%lld", (long long)run);
    if (status != NULL)
        l->told[2] = io_format(e, "OBJVAULT_STATUS=%s", status);
    if (l->argv == NULL || l->told[0] == NULL || l->told[1] == NULL ||
        (status != NULL && l->told[2] == NULL))
        return err_nomem(e);
    l->argv[n++] = "env";
    for (size_t i = 0; i < 3 && l->told[i] != NULL; i++)
        l->argv[n++] = l->told[i];
    for (size_t i = 0; i < program->n; i++)
        l->argv[n++] = program->v[i];
    return 0;
}

int eng_job_script(const struct eng_job *job, const struct eng_texts *program,
                   int64_t run, const char *status, const struct cancel *cancel,
                   struct err *e)
{
    static const char env[] = "env: ";
    AUTO(line_free) struct line l = { .argv = NULL };

    if (program->n == 0)
        return 0;
    if (fill(&l, job, program, run, status, e) < 0)
        return -1;
    if (process_run(l.argv, TIME_MS, cancel, NULL, e) == 0)
        return 0;
    if (strncmp(e->msg, env, strlen(env)) == 0)
        memmove(e->msg, e->msg + strlen(env), strlen(e->msg) - strlen(env) + 1);
    return err_ctx(e, "the program that runs %s the job, %s",
                   status == NULL ? "before" : "after", program->v[0]);
}
