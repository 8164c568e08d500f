// SPDX-License-Identifier: Apache-2.0
/* Looking at the sources that a job names, for its selection. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "engine/job/selection.h"
#include "engine/job/source_config.h"

/* Sources in the order of the job. */
struct eng_held {
    struct eng_texts sources;
    struct eng_looked *looked;    /* of each; what it points to is here */
    struct eng_inventory **lists; /* or NULL */
    struct err *problems;
};

const struct eng_place *eng_held_place(const struct eng_held *held,
                                       size_t looked)
{
    return &held->lists[looked]->place;
}

const char *eng_held_source(const struct eng_held *held, size_t looked)
{
    return held->sources.v[looked];
}

bool eng_held_lacks(const struct eng_held *held, const char *source,
                    const char *id)
{
    for (size_t i = 0; i < held->sources.n; i++) {
        const struct eng_inventory *inv = held->lists[i];
        if (inv == NULL || strcmp(held->sources.v[i], source) != 0)
            continue;
        for (size_t k = 0; k < inv->n_vms; k++)
            if (strcmp(inv->vms[k].id, id) == 0)
                return false;
        return true;
    }
    return false;
}

void eng_held_free(struct eng_held *held)
{
    if (held == NULL)
        return;
    for (size_t i = 0; held->lists != NULL && i < held->sources.n; i++)
        eng_inventory_free(held->lists[i]);
    free(held->looked);
    free(held->lists);
    free(held->problems);
    eng_texts_fini(&held->sources);
    free(held);
}

static void held_freep(struct eng_held **held)
{
    eng_held_free(*held);
}

static int look_all(const struct eng_home *h, struct eng_held *held,
                    const struct cancel *cancel, struct err *e)
{
    size_t n = held->sources.n;
    bool some = false;

    held->looked = calloc(n, sizeof *held->looked);
    held->lists = calloc(n, sizeof(struct eng_inventory *));
    held->problems = calloc(n, sizeof *held->problems);
    if (held->looked == NULL || held->lists == NULL || held->problems == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        struct err *why = &held->problems[i];
        held->lists[i] =
            eng_config_source_look(h, held->sources.v[i], cancel, why);
        if (held->lists[i] == NULL &&
            (why->kind == ERR_CANCELLED || why->kind == ERR_NOMEM)) {
            *e = *why;
            return -1;
        }
        some |= held->lists[i] != NULL;
        held->looked[i] = (struct eng_looked){
            .source = held->sources.v[i],
            .inventory = held->lists[i],
            .problem = held->lists[i] == NULL ? why->msg : NULL,
        };
    }
    if (some)
        return 0;
    *e = held->problems[0];
    return err_ctx(e, "source %s", held->sources.v[0]);
}

int eng_job_select(const struct eng_home *h, const struct eng_job *j,
                   const struct cancel *cancel, struct eng_held **held,
                   struct eng_selection *out, struct err *e)
{
    AUTO(held_freep) struct eng_held *made = calloc(1, sizeof *made);

    *held = NULL;
    *out = (struct eng_selection){ 0 };
    if (made == NULL)
        return err_nomem(e);
    if (eng_job_sources(j, &made->sources, e) < 0)
        return -1;
    if (made->sources.n == 0)
        return err_set(e, ERR_USAGE, 0, "job %s names no source", j->name);
    if (look_all(h, made, cancel, e) < 0 ||
        eng_select(j, made->looked, made->sources.n, out, e) < 0)
        return -1;
    *held = made;
    made = NULL;
    return 0;
}
