// SPDX-License-Identifier: Apache-2.0
/*
 * What the points of VMs go by.  All VMs of the sources count, not only those
 * of the job: so two jobs, each with one of two VMs of a name, file them apart.
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "engine/job/selection_impl.h"

/* NAME; where several have it ID; where these are the same SOURCE/ID. */
enum { BY_NAME, BY_ID, BY_SOURCE };

struct filed {
    const struct seen *seen;
    char *name; /* owned */
    int how;
    bool again; /* another has it, too */
};

static void free_filed(struct filed *f, size_t n)
{
    for (size_t i = 0; f != NULL && i < n; i++)
        free(f[i].name);
    free(f);
}

static int set_name(const struct selecting *s, struct filed *f, struct err *e)
{
    const struct eng_vm *vm = f->seen->vm;

    free(f->name);
    f->name =
        f->how == BY_NAME ? io_format(e, "%s", vm->name)
        : f->how == BY_ID
            ? io_format(e, "%s", vm->id)
            : io_format(e, "%s/%s", s->looked[f->seen->looked].source, vm->id);
    return f->name != NULL ? 0 : -1;
}

static int compare(const void *a, const void *b)
{
    const struct filed *x = a;
    const struct filed *y = b;

    return strcmp(x->name, y->name);
}

/* Marks those that are not alone with their name; true: there are some. */
static bool mark(struct filed *f, size_t n)
{
    bool some = false;

    qsort(f, n, sizeof *f, compare);
    for (size_t i = 0; i < n; i++) {
        f[i].again = (i > 0 && compare(&f[i - 1], &f[i]) == 0) ||
                     (i + 1 < n && compare(&f[i], &f[i + 1]) == 0);
        some |= f[i].again;
    }
    return some;
}

/* Whose name is another's gets a longer one, until all have their own. */
static int tell_apart(const struct selecting *s, struct filed *f, size_t n,
                      struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (set_name(s, &f[i], e) < 0)
            return -1;
    while (mark(f, n)) {
        bool some = false;
        for (size_t i = 0; i < n; i++) {
            if (!f[i].again || f[i].how == BY_SOURCE)
                continue;
            some = true;
            f[i].how++;
            if (set_name(s, &f[i], e) < 0)
                return -1;
        }
        for (size_t i = 0; !some && i < n; i++)
            if (f[i].again)
                return err_set(e, ERR_USAGE, 0,
                               "two VMs would both be filed as \"%s\": give "
                               "one of them another name",
                               f[i].name);
    }
    return 0;
}

static int by_seen(const void *a, const void *b)
{
    const struct filed *x = a;
    const struct filed *y = b;

    return x->seen < y->seen ? -1 : x->seen > y->seen;
}

static int by_place(const void *a, const void *b)
{
    const struct eng_selected *x = a;
    const struct filed *y = b;

    if (x->looked != y->seen->looked)
        return x->looked < y->seen->looked ? -1 : 1;
    return x->vm < y->seen->vm ? -1 : x->vm > y->seen->vm;
}

int eng_select_names(struct selecting *s, struct err *e)
{
    size_t n = s->n_all;
    struct filed *f = calloc(n + 1, sizeof *f);

    if (f == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++)
        f[i].seen = &s->all[i];
    int r = tell_apart(s, f, n, e);
    qsort(f, n, sizeof *f, by_seen);
    for (size_t i = 0; r == 0 && i < s->out->n_vms; i++) {
        struct eng_selected *v = &s->out->vms[i];
        struct filed *mine = bsearch(v, f, n, sizeof *f, by_place);
        v->name = mine->name;
        mine->name = NULL;
    }
    free_filed(f, n);
    return r;
}
