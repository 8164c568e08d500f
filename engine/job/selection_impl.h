// SPDX-License-Identifier: Apache-2.0
/* Private to engine/job/. */
#ifndef ENGINE_JOB_SELECTION_IMPL_H
#define ENGINE_JOB_SELECTION_IMPL_H

/* One resolving of a job, in steps. */
#include "engine/job/reference.h"
#include "engine/job/selection.h"

/* A VM that a source has. */
struct seen {
    size_t looked; /* index of its source */
    const struct eng_vm *vm;
    bool excluded, taken;
};

struct selecting {
    const struct eng_job *j;
    const struct eng_looked *looked;
    size_t n;
    struct seen *all; /* owned: source by source, by id in each */
    size_t n_all;
    struct seen **by_name; /* owned: of `all`, in the order of names */
    bool whole;            /* every source was looked at: what is not in `all`
                              is not there */
    struct eng_selection *out;
    struct eng_texts warnings; /* owned */
};

/* Takes the text over (NULL: it found no memory; -1). */
int eng_selecting_warn(struct selecting *s, char *text, struct err *e)
    __attribute__((warn_unused_result));

/* Which disks of each selected VM are wanted; one without any is left out. */
int eng_select_disks(struct selecting *s, struct err *e)
    __attribute__((warn_unused_result));

/* What the points of each selected VM go by. */
int eng_select_names(struct selecting *s, struct err *e)
    __attribute__((warn_unused_result));

#endif
