// SPDX-License-Identifier: Apache-2.0
/*
 * Which VMs a job means.  All VMs that its sources have are looked at: those
 * that exclusions mean are marked first, then what the job includes is taken,
 * in its order.
 */
#include "engine/job/selection.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "engine/job/selection_impl.h"

void eng_selection_fini(struct eng_selection *s)
{
    for (size_t i = 0; i < s->n_vms; i++) {
        free(s->vms[i].name);
        free(s->vms[i].disks);
    }
    free(s->vms);
    for (size_t i = 0; i < s->n_warnings; i++)
        free(s->warnings[i]);
    free(s->warnings);
    *s = (struct eng_selection){ 0 };
}

static void selecting_fini(struct selecting *s)
{
    free(s->all);
    free(s->by_name);
    eng_texts_fini(&s->warnings);
}

int eng_selecting_warn(struct selecting *s, char *text, struct err *e)
{
    return eng_texts_take(&s->warnings, text, e);
}

static int by_name(const void *a, const void *b)
{
    const struct seen *x = *(struct seen *const *)a;
    const struct seen *y = *(struct seen *const *)b;
    int r = strcmp(x->vm->name, y->vm->name);

    if (r != 0 || x == y)
        return r;
    return x < y ? -1 : 1;
}

static int list_seen(struct selecting *s, struct err *e)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += s->looked[i].inventory != NULL ? s->looked[i].inventory->n_vms : 0;
    s->all = calloc(n + 1, sizeof *s->all);
    s->by_name = calloc(n + 1, sizeof(struct seen *));
    s->out->vms = calloc(n + 1, sizeof *s->out->vms);
    if (s->all == NULL || s->by_name == NULL || s->out->vms == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < s->n; i++) {
        const struct eng_inventory *inv = s->looked[i].inventory;
        for (size_t k = 0; inv != NULL && k < inv->n_vms; k++) {
            s->all[s->n_all] = (struct seen){ i, &inv->vms[k], false, false };
            s->by_name[s->n_all] = &s->all[s->n_all];
            s->n_all++;
        }
    }
    qsort(s->by_name, s->n_all, sizeof(struct seen *), by_name);
    return 0;
}

/* What a source itself has to say. */
static int tell_sources(struct selecting *s, struct err *e)
{
    s->whole = true;
    for (size_t i = 0; i < s->n; i++) {
        const struct eng_looked *l = &s->looked[i];
        if (l->inventory == NULL) {
            s->whole = false;
            if (eng_selecting_warn(s,
                                   io_format(e,
                                             "source %s cannot be looked at: "
                                             "%s",
                                             l->source, l->problem),
                                   e) < 0)
                return -1;
            continue;
        }
        for (size_t k = 0; k < l->inventory->n_notes; k++) {
            const struct eng_note *note = &l->inventory->notes[k];
            if (note->warning &&
                eng_selecting_warn(
                    s, io_format(e, "source %s: %s", l->source, note->text),
                    e) < 0)
                return -1;
        }
    }
    return 0;
}

static int mark_excluded(struct selecting *s, struct err *e)
{
    for (size_t i = 0; i < s->j->exclude_vms.n; i++) {
        const char *text = s->j->exclude_vms.v[i];
        struct eng_vm_pattern p = eng_vm_pattern_of(span_str(text));
        bool some = false;
        for (size_t k = 0; k < s->n_all; k++) {
            struct seen *v = &s->all[k];
            if (!eng_vm_pattern_matches(&p, s->looked[v->looked].source,
                                        v->vm->id, v->vm->name))
                continue;
            some = true;
            v->excluded = true;
        }
        if (!some && s->whole && !eng_is_pattern(span_str(text)) &&
            eng_selecting_warn(
                s, io_format(e, "exclude_vms: no VM is \"%s\"", text), e) < 0)
            return -1;
    }
    return 0;
}

static void take(struct selecting *s, struct seen *v)
{
    if (v->excluded || v->taken)
        return;
    v->taken = true;
    s->out->vms[s->out->n_vms++] =
        (struct eng_selected){ .looked = v->looked, .vm = v->vm };
}

/* The source of a text; NULL: it could not be looked at, which is told once and
 * for all of it. */
static const struct eng_looked *source_of(const struct selecting *s,
                                          const struct eng_ref *ref)
{
    for (size_t i = 0; i < s->n; i++)
        if (span_eq(ref->source, span_str(s->looked[i].source)))
            return s->looked[i].inventory != NULL ? &s->looked[i] : NULL;
    return NULL;
}

static int compare_id(const void *id, const void *vm)
{
    return strcmp(id, ((const struct eng_vm *)vm)->id);
}

static struct seen *by_id(struct selecting *s, size_t looked, const char *id)
{
    const struct eng_inventory *inv = s->looked[looked].inventory;
    struct seen *first = s->all;

    for (size_t i = 0; i < looked; i++)
        if (s->looked[i].inventory != NULL)
            first += s->looked[i].inventory->n_vms;
    const struct eng_vm *vm = inv->n_vms > 0 ? bsearch(id, inv->vms, inv->n_vms,
                                                       sizeof *vm, compare_id)
                                             : NULL;
    return vm != NULL ? first + (vm - inv->vms) : NULL;
}

/* The first of a name in by_name that is not before it. */
static size_t first_of_name(const struct selecting *s, const char *name)
{
    size_t from = 0;
    size_t until = s->n_all;

    while (from < until) {
        size_t middle = from + (until - from) / 2;
        if (strcmp(s->by_name[middle]->vm->name, name) < 0)
            from = middle + 1;
        else
            until = middle;
    }
    return from;
}

/* The VM of a source by its name; NULL with e->kind ERR_NONE: there is none. */
static struct seen *named(const struct selecting *s, size_t looked,
                          const char *name, struct err *e)
{
    size_t i = first_of_name(s, name);

    while (i < s->n_all && s->by_name[i]->looked != looked &&
           strcmp(s->by_name[i]->vm->name, name) == 0)
        i++;
    if (i == s->n_all || s->by_name[i]->looked != looked ||
        strcmp(s->by_name[i]->vm->name, name) != 0)
        return NULL;
    struct seen *v = s->by_name[i];
    const struct seen *next = i + 1 < s->n_all ? s->by_name[i + 1] : NULL;
    if (next == NULL || next->looked != looked ||
        strcmp(next->vm->name, name) != 0)
        return v;
    const char *source = s->looked[looked].source;
    (void)err_set(e, ERR_USAGE, 0,
                  "vms: %s:%s means several VMs, %s and %s among them; write "
                  "%s:%s",
                  source, name, v->vm->id, next->vm->id, source, v->vm->id);
    return NULL;
}

/* An id is looked for first: where it is another's name, it still means this
 * one. */
static int take_vm(struct selecting *s, const char *text, struct err *e)
{
    struct eng_ref ref;
    struct err several = { 0 };
    const struct eng_looked *l =
        eng_ref_split(text, &ref) ? source_of(s, &ref) : NULL;

    if (l == NULL)
        return 0;
    size_t looked = (size_t)(l - s->looked);
    struct seen *v = by_id(s, looked, ref.rest);
    if (v == NULL)
        v = named(s, looked, ref.rest, &several);
    if (several.kind != ERR_NONE) {
        *e = several;
        return -1;
    }
    if (v == NULL)
        return eng_selecting_warn(
            s, io_format(e, "VM %s is not there (any more)", text), e);
    take(s, v);
    return 0;
}

static bool is_in(const struct eng_container *list, size_t n,
                  const struct eng_container_ref *c)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].kind == c->kind && strcmp(list[i].name, c->name) == 0)
            return true;
    return false;
}

static int take_container(struct selecting *s, const char *text, struct err *e)
{
    struct eng_ref ref;
    const struct eng_looked *l =
        eng_ref_split(text, &ref) ? source_of(s, &ref) : NULL;

    if (l == NULL)
        return 0;
    bool everything = ref.rest[0] == '\0';
    struct eng_container_ref c = eng_container_ref_of(ref.rest);
    if (!everything &&
        !is_in(l->inventory->containers, l->inventory->n_containers, &c))
        return eng_selecting_warn(
            s, io_format(e, "container %s is not there (any more)", text), e);
    for (size_t i = 0; i < s->n_all; i++) {
        struct seen *v = &s->all[i];
        if (v->looked == (size_t)(l - s->looked) &&
            (everything || is_in(v->vm->containers, v->vm->n_containers, &c)))
            take(s, v);
    }
    return 0;
}

static int resolve(struct selecting *s, struct err *e)
{
    if (list_seen(s, e) < 0 || tell_sources(s, e) < 0 ||
        mark_excluded(s, e) < 0)
        return -1;
    for (size_t i = 0; i < s->j->vms.n; i++)
        if (take_vm(s, s->j->vms.v[i], e) < 0)
            return -1;
    for (size_t i = 0; i < s->j->containers.n; i++)
        if (take_container(s, s->j->containers.v[i], e) < 0)
            return -1;
    return eng_select_disks(s, e) < 0 ? -1 : eng_select_names(s, e);
}

int eng_select(const struct eng_job *j, const struct eng_looked *looked,
               size_t n, struct eng_selection *out, struct err *e)
{
    AUTO_ENG_SELECTION struct eng_selection made = { 0 };
    AUTO(selecting_fini)
    struct selecting s = { .j = j, .looked = looked, .n = n, .out = &made };

    *out = (struct eng_selection){ 0 };
    if (resolve(&s, e) < 0)
        return -1;
    made.warnings = s.warnings.v;
    made.n_warnings = s.warnings.n;
    s.warnings = (struct eng_texts){ 0 };
    *out = made;
    made = (struct eng_selection){ 0 };
    return 0;
}
