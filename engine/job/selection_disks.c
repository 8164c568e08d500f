// SPDX-License-Identifier: Apache-2.0
/*
 * Which disks of the VMs a job backs up: those that its `disks` choose, else
 * all, without those that are excluded.
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "engine/job/selection_impl.h"

/* An entry of `disks` or `exclude_disks`. */
struct entry {
    struct eng_vm_pattern vm;
    const char *disks; /* behind it */
};

static bool means(const struct selecting *s, const struct entry *entry,
                  size_t looked, const struct eng_vm *vm)
{
    return eng_vm_pattern_matches(&entry->vm, s->looked[looked].source, vm->id,
                                  vm->name);
}

/* The entry of `disks` that holds for a VM: one that names it before one that
 * is a pattern, the first of several.  False: none. */
static bool choice_of(const struct selecting *s, const struct eng_selected *v,
                      struct entry *out)
{
    bool found = false;

    for (size_t i = 0; i < s->j->disks.n; i++) {
        struct entry entry;
        if (!eng_disk_ref_split(s->j->disks.v[i], '=', &entry.vm,
                                &entry.disks) ||
            !means(s, &entry, v->looked, v->vm))
            continue;
        bool named = !eng_is_pattern(entry.vm.vm);
        if (!found || named)
            *out = entry;
        found = true;
        if (named)
            return true;
    }
    return found;
}

/* DISK,DISK,...; one that the VM does not have is told. */
static int choose(struct selecting *s, struct eng_selected *v,
                  const char *disks, struct err *e)
{
    for (;;) {
        size_t n = strcspn(disks, ",");
        bool some = false;
        for (size_t i = 0; i < v->vm->n_disks; i++) {
            if (!eng_pattern_matches(span_of(disks, n), v->vm->disks[i].name))
                continue;
            some = true;
            v->disks[i] = true;
        }
        if (!some && v->vm->problem == NULL &&
            eng_selecting_warn(s,
                               io_format(e, "VM %s:%s has no disk \"%.*s\"",
                                         s->looked[v->looked].source, v->vm->id,
                                         (int)n, disks),
                               e) < 0)
            return -1;
        if (disks[n] == '\0')
            return 0;
        disks += n + 1;
    }
}

static int wanted_of(struct selecting *s, struct eng_selected *v, struct err *e)
{
    struct entry chosen = { .disks = "all" };

    v->disks = calloc(v->vm->n_disks + 1, sizeof *v->disks);
    if (v->disks == NULL)
        return err_nomem(e);
    (void)choice_of(s, v, &chosen);
    bool all = strcmp(chosen.disks, "all") == 0;
    bool first = strcmp(chosen.disks, "first") == 0;
    for (size_t i = 0; i < v->vm->n_disks; i++)
        v->disks[i] = all || (first && i == 0);
    if (!all && !first && choose(s, v, chosen.disks, e) < 0)
        return -1;
    for (size_t i = 0; i < s->j->exclude_disks.n; i++) {
        struct entry out;
        if (!eng_disk_ref_split(s->j->exclude_disks.v[i], ':', &out.vm,
                                &out.disks) ||
            !means(s, &out, v->looked, v->vm))
            continue;
        for (size_t k = 0; k < v->vm->n_disks; k++)
            if (eng_pattern_matches(span_str(out.disks), v->vm->disks[k].name))
                v->disks[k] = false;
    }
    return 0;
}

/* What names a VM or disk that is not there; patterns are rules that may come
 * to mean something later. */
static int tell_unused(struct selecting *s, const char *field,
                       const struct eng_texts *texts, char at, struct err *e)
{
    for (size_t i = 0; i < texts->n && s->whole; i++) {
        struct entry entry;
        bool used = false;
        if (eng_is_pattern(span_str(texts->v[i])) ||
            !eng_disk_ref_split(texts->v[i], at, &entry.vm, &entry.disks))
            continue;
        for (size_t k = 0; k < s->n_all && !used; k++) {
            const struct eng_vm *vm = s->all[k].vm;
            if (!means(s, &entry, s->all[k].looked, vm))
                continue;
            /* What disks a VM lacks of those chosen is told of the VM. */
            used = at == '=' || vm->problem != NULL;
            for (size_t d = 0; d < vm->n_disks && !used; d++)
                used = eng_pattern_matches(span_str(entry.disks),
                                           vm->disks[d].name);
        }
        if (!used &&
            eng_selecting_warn(s,
                               io_format(e, "%s: no %s is \"%s\"", field,
                                         at == '=' ? "VM" : "disk of a VM",
                                         texts->v[i]),
                               e) < 0)
            return -1;
    }
    return 0;
}

/* A VM that has a problem of its own stays: it is not the choice that leaves it
 * without disks. */
static bool has_disks(const struct eng_selected *v)
{
    bool some = v->vm->problem != NULL;

    for (size_t i = 0; i < v->vm->n_disks; i++)
        some |= v->disks[i];
    return some;
}

int eng_select_disks(struct selecting *s, struct err *e)
{
    struct eng_selection *out = s->out;
    size_t kept = 0;

    if (tell_unused(s, "disks", &s->j->disks, '=', e) < 0 ||
        tell_unused(s, "exclude_disks", &s->j->exclude_disks, ':', e) < 0)
        return -1;
    for (size_t i = 0; i < out->n_vms; i++)
        if (wanted_of(s, &out->vms[i], e) < 0)
            return -1;
    for (size_t i = 0; i < out->n_vms; i++) {
        struct eng_selected *v = &out->vms[i];
        if (has_disks(v)) {
            struct eng_selected moved = *v;
            *v = (struct eng_selected){ 0 };
            out->vms[kept++] = moved;
            continue;
        }
        free(v->disks);
        v->disks = NULL;
        if (eng_selecting_warn(s,
                               io_format(e, "VM %s:%s is left out: %s",
                                         s->looked[v->looked].source, v->vm->id,
                                         v->vm->n_disks == 0
                                             ? "it has no disks"
                                             : "none of its disks is wanted"),
                               e) < 0)
            return -1;
    }
    out->n_vms = kept;
    return 0;
}
