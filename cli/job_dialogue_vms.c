// SPDX-License-Identifier: Apache-2.0
/* Steps of the dialogue: what is backed up, and what of it is left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "cli/job_dialogue.h"
#include "engine/inventory/find.h"
#include "engine/job/reference.h"

#define SHOWN_MAX 50 /* a longer list is better searched in */

/* What a search has found. */
struct finds {
    struct cli_job_draft *d;
    struct find {
        struct eng_texts *list; /* of the job, that it would go to */
        char *text;             /* as the job has it; owned */
        char *kind, *remark;    /* owned */
    } * v;
    size_t n;
};

static void finds_clear(struct finds *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->v[i].text);
        free(f->v[i].kind);
        free(f->v[i].remark);
    }
    free(f->v);
    f->v = NULL;
    f->n = 0;
}

/* Takes the texts over; one may be NULL for lack of memory. */
static int add_find(struct finds *f, struct eng_texts *list, char *text,
                    char *kind, char *remark, struct err *e)
{
    struct find *more = reallocarray(f->v, f->n + 1, sizeof *more);

    if (more != NULL)
        f->v = more;
    if (more == NULL || text == NULL || kind == NULL || remark == NULL) {
        free(text);
        free(kind);
        free(remark);
        return err_nomem(e);
    }
    f->v[f->n++] = (struct find){
        .list = list, .text = text, .kind = kind, .remark = remark
    };
    return 0;
}

/* A VM goes by its name where that tells it apart, else by its id. */
static const char *own_name(const struct eng_inventory *inv,
                            const struct eng_vm *vm)
{
    for (size_t i = 0; i < inv->n_vms; i++) {
        const struct eng_vm *other = &inv->vms[i];
        if (other != vm && (strcmp(other->name, vm->name) == 0 ||
                            strcmp(other->id, vm->name) == 0))
            return vm->id;
    }
    return vm->name;
}

/* The VM's disks, or why it cannot be backed up. */
static void remark_of(const struct eng_vm *vm, struct buf *out)
{
    if (vm->problem != NULL)
        buf_append_str(out, vm->problem);
    for (size_t i = 0; vm->problem == NULL && i < vm->n_disks; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", vm->disks[i].name);
}

static int add_vm(struct finds *f, const struct cli_job_source *s,
                  const struct eng_vm *vm, struct err *e)
{
    AUTO_BUF struct buf remark = buf_init(4096);

    remark_of(vm, &remark);
    return add_find(
        f, &f->d->j->vms,
        io_format(e, "%s:%s", s->name, own_name(s->inventory, vm)),
        io_format(e, "VM"),
        io_format(e, "%s", remark.failed ? "many disks" : buf_cstr(&remark)),
        e);
}

static int add_container(struct finds *f, const char *source,
                         const struct eng_container *k, struct err *e)
{
    AUTO_MEM char *text = eng_container_text(k, e);

    if (text == NULL)
        return -1;
    return add_find(f, &f->d->j->containers,
                    io_format(e, "%s:%s", source, text),
                    io_format(e, "%s", eng_container_kind_name(k->kind)),
                    io_format(e, "%zu VMs", k->n_vms), e);
}

/* part NULL: everything. */
static int search_source(struct finds *f, const struct cli_job_source *s,
                         const struct eng_find *part, struct err *e)
{
    const struct eng_inventory *inv = s->inventory;

    if (part == NULL &&
        add_find(f, &f->d->j->containers, io_format(e, "%s:", s->name),
                 io_format(e, "source"),
                 io_format(e, "all of it, %zu VMs", inv->n_vms), e) < 0)
        return -1;
    for (size_t i = 0; i < inv->n_containers; i++) {
        int hit =
            part != NULL ? eng_find_container(part, &inv->containers[i], e) : 1;
        if (hit < 0 ||
            (hit > 0 && add_container(f, s->name, &inv->containers[i], e) < 0))
            return -1;
    }
    for (size_t i = 0; i < inv->n_vms; i++) {
        int hit = part != NULL ? eng_find_vm(part, &inv->vms[i], e) : 1;
        if (hit < 0 || (hit > 0 && add_vm(f, s, &inv->vms[i], e) < 0))
            return -1;
    }
    return 0;
}

static void show_finds(const struct finds *f)
{
    AUTO_CLI_TABLE struct cli_table t = { .align = "rlll" };
    AUTO_BUF struct buf text = buf_init((size_t)1 << 20);

    for (size_t i = 0; i < f->n && i < SHOWN_MAX; i++) {
        cli_table_add(&t, "%zu", i + 1);
        cli_table_add(&t, "%s", f->v[i].kind);
        cli_table_add(&t, "%s", f->v[i].text);
        cli_table_add(&t, "%s", f->v[i].remark);
    }
    cli_table_print(&t, &text);
    (void)fprintf(stderr, "%s", buf_cstr(&text));
    if (f->n > SHOWN_MAX)
        cli_tell("... and %zu more: search for a longer part of the name",
                 f->n - SHOWN_MAX);
}

/* "*" finds everything; '-' takes away what was chosen. */
static int take_search(void *ctx, const char *answer, struct err *e)
{
    struct finds *f = ctx;
    struct eng_job *j = f->d->j;
    bool all = strcmp(answer, "*") == 0;
    AUTO_ENG_FIND struct eng_find part = { 0 };

    finds_clear(f);
    if (strcmp(answer, "-") == 0) {
        eng_texts_fini(&j->vms);
        eng_texts_fini(&j->containers);
        return 0;
    }
    if (eng_find_init(&part, answer, e) < 0)
        return -1;
    for (size_t i = 0; i < f->d->sources.n; i++)
        if (f->d->sources.v[i].inventory != NULL &&
            search_source(f, &f->d->sources.v[i], all ? NULL : &part, e) < 0)
            return -1;
    if (f->n == 0)
        return err_set(e, ERR_NOTFOUND, 0,
                       "no VM or container has \"%.60s\" in its name", answer);
    show_finds(f);
    return 0;
}

static bool has_text(const struct eng_texts *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i], text) == 0)
            return true;
    return false;
}

/* Chosen twice is chosen. */
static int pick(void *ctx, size_t i, struct err *e)
{
    const struct finds *f = ctx;
    const struct find *at = &f->v[i];

    if (has_text(at->list, at->text))
        return 0;
    return eng_texts_add(at->list, at->text, e);
}

static int take_numbers(void *ctx, const char *answer, struct err *e)
{
    struct finds *f = ctx;

    return cli_dialogue_numbers(answer, f->n, pick, f, e);
}

static void show_chosen(const struct eng_job *j)
{
    for (size_t i = 0; i < j->vms.n; i++)
        cli_tell("  chosen: VM %s", j->vms.v[i]);
    for (size_t i = 0; i < j->containers.n; i++)
        cli_tell("  chosen: container %s", j->containers.v[i]);
}

static int choose(struct finds *f, struct err *e)
{
    struct eng_job *j = f->d->j;
    struct cli_question search = {
        .text = "Search for a part of a name (* shows all)",
        .help = "VMs and containers (folders, pools, networks, tags) of all "
                "sources are found by a part of their name, without regard to "
                "case.  What a container has is looked up anew at each run.  "
                "- takes away what was chosen.",
        .take = take_search,
        .ctx = f,
    };
    const struct cli_question numbers = {
        .text = "Numbers to choose, as in 1,3-5, or all",
        .shown = "none",
        .help = "What stands behind these numbers is backed up by the job.  "
                "Then you can search for more.",
        .take = take_numbers,
        .ctx = f,
    };

    for (;;) {
        show_chosen(j);
        search.shown = j->vms.n + j->containers.n > 0 ? "no more" : NULL;
        int r = cli_dialogue_ask(f->d->c, &search, e);
        if (r < 0 || r == CLI_BACK || r == CLI_RETURN)
            return r;
        if (f->n == 0)
            continue;
        r = cli_dialogue_ask(f->d->c, &numbers, e);
        if (r < 0 || r == CLI_BACK)
            return r;
    }
}

int cli_job_step_vms(struct cli_job_draft *d, struct err *e)
{
    AUTO(finds_clear) struct finds f = { .d = d };

    return choose(&f, e);
}

/* --- exclusions --- */

/* What is selected with what was left out so far. */
static int tell_selection(const struct cli_job_draft *d, struct err *e)
{
    AUTO_ENG_SELECTION struct eng_selection s = { 0 };

    if (cli_job_select(d->j, &d->sources, &s, e) < 0)
        return -1;
    for (size_t i = 0; i < s.n_vms && i < SHOWN_MAX; i++) {
        const struct eng_vm *vm = s.vms[i].vm;
        AUTO_BUF struct buf line = buf_init(4096);
        for (size_t k = 0; k < vm->n_disks; k++)
            if (s.vms[i].disks[k])
                buf_printf(&line, "%s%s", line.len > 0 ? ", " : ": ",
                           vm->disks[k].name);
        cli_tell("  %s%s", s.vms[i].name, line.failed ? "" : buf_cstr(&line));
    }
    if (s.n_vms > SHOWN_MAX)
        cli_tell("  ... and %zu more", s.n_vms - SHOWN_MAX);
    for (size_t i = 0; i < s.n_warnings; i++)
        cli_tell("Mind: %s", s.warnings[i]);
    cli_tell("The job has %zu VM%s now.", s.n_vms, s.n_vms == 1 ? "" : "s");
    return 0;
}

int cli_job_step_exclusions(struct cli_job_draft *d, struct err *e)
{
    const struct {
        struct eng_texts *list;
        const char *text;
        enum cli_opt opt;
    } lists[] = {
        { &d->j->exclude_vms, "VM to leave out, by name or pattern",
          CLI_OPT_EXCLUDE_VM },
        { &d->j->exclude_disks, "Disk to leave out, VM:DISK",
          CLI_OPT_EXCLUDE_DISK },
        { &d->j->disks,
          "VM of which only some disks count, VM=first or "
          "VM=DISK,DISK",
          CLI_OPT_DISKS },
    };

    if (tell_selection(d, e) < 0)
        return -1;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        int r =
            cli_job_ask_list(d, lists[i].list, lists[i].text, lists[i].opt, e);
        if (r < 0 || r == CLI_BACK)
            return r;
    }
    return tell_selection(d, e);
}
