// SPDX-License-Identifier: Apache-2.0
/*
 * vm list, vm find: what machines sources have.
 */
#include <string.h>

#include "cli/cli.h"
#include "engine/inventory/find.h"
#include "engine/job/source_config.h"

/* What is gathered from one source or several. */
struct found {
    struct buf vms, containers; /* elements of JSON arrays */
    struct cli_table vm_table, container_table;
    size_t n_vms, n_containers;
};

static void found_fini(struct found *f)
{
    buf_free(&f->vms);
    buf_free(&f->containers);
    cli_table_free(&f->vm_table);
    cli_table_free(&f->container_table);
}

static void found_init(struct found *f)
{
    static const char *const vm_heads[] = { "VM", "SOURCE", "IN", "DISKS",
                                            "REMARK" };
    static const char *const container_heads[] = { "CONTAINER", "SOURCE",
                                                   "KIND", "VMS" };

    f->vms = buf_init((size_t)1 << 30);
    f->containers = buf_init((size_t)1 << 30);
    f->vm_table.align = "lllrl";
    f->container_table.align = "lllr";
    for (size_t i = 0; i < sizeof vm_heads / sizeof vm_heads[0]; i++)
        cli_table_add(&f->vm_table, "%s", vm_heads[i]);
    for (size_t i = 0; i < sizeof container_heads / sizeof container_heads[0];
         i++)
        cli_table_add(&f->container_table, "%s", container_heads[i]);
}

static void json_vm(struct buf *out, const char *source,
                    const struct eng_vm *vm)
{
    struct jsonw w = jsonw_init(out, false);

    jsonw_object(&w);
    cli_json_text(&w, "vm", vm->name);
    jsonw_kstring(&w, "source", source);
    cli_json_text(&w, "id", vm->id);
    jsonw_kbool(&w, "live", vm->live);
    jsonw_key(&w, "containers");
    jsonw_array(&w);
    for (size_t i = 0; i < vm->n_containers; i++)
        cli_json_container(&w, NULL, &vm->containers[i], false);
    jsonw_end_array(&w);
    jsonw_key(&w, "disks");
    jsonw_array(&w);
    for (size_t i = 0; i < vm->n_disks; i++) {
        const struct eng_vm_disk *d = &vm->disks[i];
        jsonw_object(&w);
        cli_json_text(&w, "name", d->name);
        cli_json_text(&w, "path", d->path);
        jsonw_kstring(&w, "format", eng_image_format_name(d->format));
        cli_json_text(&w, "problem", d->problem);
        jsonw_end_object(&w);
    }
    jsonw_end_array(&w);
    jsonw_key(&w, "files");
    jsonw_array(&w);
    for (size_t i = 0; i < vm->n_files; i++) {
        AUTO_BUF struct buf clean = buf_init(SIZE_MAX / 2);
        cli_clean(&clean, vm->files[i]);
        jsonw_string(&w, buf_cstr(&clean));
    }
    jsonw_end_array(&w);
    cli_json_text(&w, "problem", vm->problem);
    jsonw_end_object(&w);
}

/* Of folders only the innermost, which says all of them. */
static void add_containers(struct cli_table *t, const struct eng_vm *vm)
{
    AUTO_BUF struct buf text = buf_init(8000);

    for (size_t i = 0; i < vm->n_containers; i++) {
        const struct eng_container *c = &vm->containers[i];
        const struct eng_container *next =
            i + 1 < vm->n_containers ? c + 1 : NULL;
        if (c->kind == ENG_FOLDER && next != NULL && next->kind == ENG_FOLDER)
            continue;
        if (c->kind != ENG_FOLDER)
            buf_printf(&text, "%s%s ", text.len > 0 ? ", " : "",
                       eng_container_kind_name(c->kind));
        buf_append_str(&text, c->name);
    }
    cli_table_add(t, "%s", text.failed ? "(many)" : buf_cstr(&text));
}

static void add_remark(struct cli_table *t, const struct eng_vm *vm)
{
    for (size_t i = 0; vm->problem == NULL && i < vm->n_disks; i++)
        if (vm->disks[i].problem != NULL) {
            cli_table_add(t, "disk %s: %s", vm->disks[i].name,
                          vm->disks[i].problem);
            return;
        }
    cli_table_add(t, "%s", vm->problem != NULL ? vm->problem : "");
}

static void add_vm(struct found *f, const char *source, const struct eng_vm *vm)
{
    if (f->n_vms++ > 0)
        buf_append_char(&f->vms, ',');
    json_vm(&f->vms, source, vm);
    cli_table_add(&f->vm_table, "%s", vm->name);
    cli_table_add(&f->vm_table, "%s", source);
    add_containers(&f->vm_table, vm);
    cli_table_add(&f->vm_table, "%zu", vm->n_disks);
    add_remark(&f->vm_table, vm);
}

static void add_container(struct found *f, const char *source,
                          const struct eng_container *container)
{
    struct jsonw w = jsonw_init(&f->containers, false);

    if (f->n_containers++ > 0)
        buf_append_char(&f->containers, ',');
    cli_json_container(&w, source, container, true);
    cli_table_add(&f->container_table, "%s", container->name);
    cli_table_add(&f->container_table, "%s", source);
    cli_table_add(&f->container_table, "%s",
                  eng_container_kind_name(container->kind));
    cli_table_add(&f->container_table, "%zu", container->n_vms);
}

static void json_array(struct jsonw *w, const char *key, struct buf *elements)
{
    jsonw_key(w, key);
    jsonw_array(w);
    if (elements->len > 0)
        jsonw_raw(w, buf_cstr(elements));
    jsonw_end_array(w);
}

int cli_vm_list(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        eng_config_source_look(&c->home, name, c->cancel, e);
    AUTO(found_fini) struct found f = { 0 };

    if (inv == NULL)
        return -1;
    found_init(&f);
    for (size_t i = 0; i < inv->n_vms; i++)
        add_vm(&f, name, &inv->vms[i]);
    int exit_code = cli_source_notes(c, inv);
    if (buf_check(&f.vms, e) < 0)
        return -1;
    if (!c->json) {
        if (f.n_vms > 0)
            cli_table_print(&f.vm_table, &c->out);
        return exit_code;
    }
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "source", name);
    json_array(&w, "vms", &f.vms);
    cli_json_notes(&w, inv);
    return cli_json_end(c, &w, e) < 0 ? -1 : exit_code;
}

/* What of one source has the part. */
static int find_in(struct found *f, const struct eng_find *part,
                   const char *source, const struct eng_inventory *inv,
                   struct err *e)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < inv->n_vms; i++) {
        r = eng_find_vm(part, &inv->vms[i], e);
        if (r > 0)
            add_vm(f, source, &inv->vms[i]);
    }
    for (size_t i = 0; r >= 0 && i < inv->n_containers; i++) {
        r = eng_find_container(part, &inv->containers[i], e);
        if (r > 0)
            add_container(f, source, &inv->containers[i]);
    }
    return r < 0 ? -1 : 0;
}

/* One source that cannot be looked at does not hide what others have.  The exit
 * code, or -1 where nothing more makes sense. */
static int find_or_warn(struct cli_ctx *c, struct found *f,
                        const struct eng_find *part, const char *source,
                        struct err *e)
{
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        eng_config_source_look(&c->home, source, c->cancel, e);

    if (inv == NULL) {
        if (e->kind == ERR_NOMEM || e->kind == ERR_CANCELLED)
            return -1;
        (void)err_ctx(e, "source %s", source);
        cli_error_line(e);
        *e = (struct err){ 0 };
        return 3;
    }
    if (find_in(f, part, source, inv, e) < 0)
        return -1;
    return cli_source_notes(c, inv);
}

static int find_everywhere(struct cli_ctx *c, struct found *f,
                           const struct eng_find *part, struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    int exit_code = 0;

    if (eng_config_names(&c->home, "sources", &names, &n, e) < 0)
        return -1;
    for (size_t i = 0; exit_code >= 0 && i < n; i++) {
        int r = find_or_warn(c, f, part, names[i], e);
        exit_code = r != 0 ? r : exit_code;
    }
    eng_config_names_free(names, n);
    if (n == 0)
        return err_set(e, ERR_NOTFOUND, 0,
                       "no source is configured; see objvault source add");
    return exit_code;
}

static int find_in_one(struct cli_ctx *c, struct found *f,
                       const struct eng_find *part, const char *source,
                       struct err *e)
{
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        eng_config_source_look(&c->home, source, c->cancel, e);

    if (inv == NULL || find_in(f, part, source, inv, e) < 0)
        return -1;
    return cli_source_notes(c, inv);
}

int cli_vm_find(struct cli_ctx *c, struct err *e)
{
    const char *source = cli_text(c, CLI_OPT_SOURCE);
    AUTO_ENG_FIND struct eng_find part = { 0 };
    AUTO(found_fini) struct found f = { 0 };

    if (eng_find_init(&part, c->call->args[0], e) < 0)
        return -1;
    found_init(&f);
    int exit_code = source != NULL ? find_in_one(c, &f, &part, source, e)
                                   : find_everywhere(c, &f, &part, e);
    if (exit_code < 0 || buf_check(&f.vms, e) < 0 ||
        buf_check(&f.containers, e) < 0)
        return -1;
    if (!c->json) {
        if (f.n_vms > 0)
            cli_table_print(&f.vm_table, &c->out);
        if (f.n_vms > 0 && f.n_containers > 0)
            cli_print(c, "%s", "");
        if (f.n_containers > 0)
            cli_table_print(&f.container_table, &c->out);
        return exit_code;
    }
    struct jsonw w = cli_json_begin(c);
    json_array(&w, "vms", &f.vms);
    json_array(&w, "containers", &f.containers);
    return cli_json_end(c, &w, e) < 0 ? -1 : exit_code;
}
