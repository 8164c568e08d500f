// SPDX-License-Identifier: Apache-2.0
/* Which VMs a run, or a further try of one, processes. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "engine/job/reference.h"
#include "engine/run/job_past.h"
#include "engine/run/job_run_impl.h"

/* SOURCE:NAME, SOURCE:ID, or the name that its points go by. */
static bool is_meant(const struct eng_job_work *w, const struct eng_selected *s,
                     const char *text)
{
    return strcmp(text, s->name) == 0 ||
           eng_ref_is_vm(text, eng_held_source(w->held, s->looked), s->vm->id,
                         s->vm->name);
}

static bool is_asked_for(const struct eng_job_work *w,
                         const struct eng_selected *s)
{
    for (size_t i = 0; i < w->o->n_only; i++)
        if (is_meant(w, s, w->o->only[i]))
            return true;
    return w->o->n_only == 0;
}

static int check_only(const struct eng_job_work *w, struct err *e)
{
    for (size_t i = 0; i < w->o->n_only; i++) {
        bool found = false;
        for (size_t j = 0; j < w->selection.n_vms && !found; j++)
            found = is_meant(w, &w->selection.vms[j], w->o->only[i]);
        if (!found)
            return err_set(e, ERR_NOTFOUND, 0, "job %s does not select VM %s",
                           w->job->name, w->o->only[i]);
    }
    return 0;
}

/* Its record in the run's; NULL: there is none. */
static struct eng_vm_record *record_of(const struct eng_job_work *w,
                                       const struct eng_selected *s)
{
    const char *source = eng_held_source(w->held, s->looked);

    for (size_t i = 0; i < w->run->n_vms; i++) {
        struct eng_vm_record *v = &w->run->vms[i];
        if (v->id != NULL && v->source != NULL &&
            strcmp(v->id, s->vm->id) == 0 && strcmp(v->source, source) == 0)
            return v;
    }
    return NULL;
}

/* A run that failed before it knew its VMs has no record of any. */
static bool is_to_do(const struct eng_job_work *w, const struct eng_selected *s)
{
    if (!w->o->retry || w->run->n_vms == 0)
        return true;
    const struct eng_vm_record *v = record_of(w, s);
    return v != NULL && eng_job_vm_is_left(v);
}

/* A record that says that its turn will come. */
static int begin_record(const struct eng_job_work *w, struct eng_vm_record *v,
                        const struct eng_selected *s, struct err *e)
{
    eng_vm_record_fini(v);
    *v = (struct eng_vm_record){
        .source = strdup(eng_held_source(w->held, s->looked)),
        .id = strdup(s->vm->id),
        .vm = strdup(s->name),
        .status = ENG_STATUS_RUNNING,
        .tried = w->run->tries,
    };
    if (v->source == NULL || v->id == NULL || v->vm == NULL)
        return err_nomem(e);
    return 0;
}

static int add_item(struct eng_job_work *w, const struct eng_selected *s,
                    struct err *e)
{
    struct eng_vm_record *v = record_of(w, s);

    if (v == NULL)
        v = &w->run->vms[w->run->n_vms++];
    w->items[w->n_items++] =
        (struct eng_job_item){ .vm = s, .at = (size_t)(v - w->run->vms) };
    return begin_record(w, v, s, e);
}

static int add_items(struct eng_job_work *w, struct err *e)
{
    size_t most = w->run->n_vms + w->selection.n_vms;

    w->items = calloc(w->selection.n_vms + 1, sizeof(*w->items));
    struct eng_vm_record *grown =
        realloc(w->run->vms, (most + 1) * sizeof(*grown));
    if (grown != NULL)
        w->run->vms = grown;
    if (w->items == NULL || grown == NULL)
        return err_nomem(e);
    memset(grown + w->run->n_vms, 0,
           (most + 1 - w->run->n_vms) * sizeof(*grown));
    /* What is left is told by the records as they were. */
    AUTO_MEM bool *take = calloc(w->selection.n_vms + 1, sizeof(*take));
    if (take == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < w->selection.n_vms; i++)
        take[i] = is_asked_for(w, &w->selection.vms[i]) &&
                  is_to_do(w, &w->selection.vms[i]);
    for (size_t i = 0; i < w->selection.n_vms; i++)
        if (take[i] && add_item(w, &w->selection.vms[i], e) < 0)
            return -1;
    return 0;
}

/* What is named by itself and not there is told by the selection. */
static bool is_named(const struct eng_job *j, const struct eng_vm_record *v)
{
    const char *name = v->vm != NULL ? v->vm : v->id;

    for (size_t i = 0; i < j->vms.n; i++)
        if (eng_ref_is_vm(j->vms.v[i], v->source, v->id, name))
            return true;
    return false;
}

/* What the last run had, by a container, and its source has no more: nobody
 * would miss it otherwise. */
static void warn_of_vanished(struct eng_job_work *w)
{
    struct eng_run_record *last = NULL;
    struct err e = { 0 };
    size_t n = 0;

    if (w->history == NULL || w->o->retry || w->o->n_only > 0 ||
        eng_history_runs(w->history, w->job->name, 1, &last, &n, &e) < 0)
        return;
    for (size_t i = 0; n == 1 && i < last->n_vms; i++) {
        const struct eng_vm_record *v = &last->vms[i];
        if (v->source != NULL && v->id != NULL && !is_named(w->job, v) &&
            eng_held_lacks(w->held, v->source, v->id))
            eng_job_warn(w->run, io_format(&e,
                                           "VM %s:%s, which the last run had, "
                                           "is not there any more",
                                           v->source, v->id));
    }
    eng_history_runs_free(last, n);
}

int eng_job_choose(struct eng_job_work *w, struct err *e)
{
    if (eng_job_select(w->o->home, w->job, &w->cancel, &w->held, &w->selection,
                       e) < 0)
        return -1;
    for (size_t i = 0; i < w->selection.n_warnings; i++)
        eng_job_warn(w->run, strdup(w->selection.warnings[i]));
    warn_of_vanished(w);
    return check_only(w, e) < 0 ? -1 : add_items(w, e);
}
