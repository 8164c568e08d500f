// SPDX-License-Identifier: Apache-2.0
/*
 * A folder of machines.  What is an image, and what of a folder is a machine,
 * is said by engine/source/, so that a job takes what `backup run` takes.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/inventory/inventory_impl.h"
#include "engine/source/machine_scan.h"
#include "manifest/name.h"

struct walk {
    struct eng_inventory *inv;
    const char *root;
    char **todo; /* folders to be read, by their path below root */
    size_t n_todo;
    size_t n_folders;      /* read, or to be read */
    struct eng_note *seen; /* what the present folder's scan passed over */
    size_t n_seen;
};

static void forget_seen(struct walk *w)
{
    for (size_t i = 0; i < w->n_seen; i++)
        free(w->seen[i].text);
    free(w->seen);
    w->seen = NULL;
    w->n_seen = 0;
}

static void walk_fini(struct walk *w)
{
    eng_list_free(w->todo, w->n_todo);
    forget_seen(w);
}
#define AUTO_WALK AUTO(walk_fini)

static int on_skip(void *ctx, bool harmless, const struct err *why,
                   struct err *e)
{
    struct walk *w = ctx;

    if (w->n_seen > ENG_NOTES_MAX) {
        w->seen[ENG_NOTES_MAX].warning |= !harmless;
        return 0;
    }
    struct eng_note *more = eng_list_grown(w->seen, w->n_seen, sizeof *more, e);
    if (more == NULL)
        return -1;
    w->seen = more;
    more[w->n_seen] = (struct eng_note){ !harmless, strdup(why->msg) };
    if (more[w->n_seen].text == NULL)
        return err_nomem(e);
    w->n_seen++;
    return 0;
}

static int tell_seen(struct walk *w, struct err *e)
{
    for (size_t i = 0; i < w->n_seen; i++)
        if (eng_inventory_note(w->inv, w->seen[i].warning, w->seen[i].text, e) <
            0)
            return -1;
    return 0;
}

static int copy(char **to, const char *from, struct err *e)
{
    *to = strdup(from);
    return *to != NULL ? 0 : err_nomem(e);
}

/* All folders above the path id. */
static int into_folders(struct eng_vm *vm, const char *id, struct err *e)
{
    for (const char *s = strchr(id, '/'); s != NULL; s = strchr(s + 1, '/')) {
        AUTO_MEM char *folder = strndup(id, (size_t)(s - id));
        if (folder == NULL)
            return err_nomem(e);
        if (eng_vm_in(vm, ENG_FOLDER, folder, e) < 0)
            return -1;
    }
    return 0;
}

static int from_machine(struct eng_vm *vm, const struct eng_machine *m,
                        struct err *e)
{
    for (size_t i = 0; i < m->n_disks; i++) {
        struct eng_vm_disk disk = { .name = m->disks[i].name,
                                    .path = m->disks[i].path,
                                    .format = m->disks[i].format };
        if (eng_vm_disk(vm, &disk, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < m->n_files; i++)
        if (eng_list_text(&vm->files, &vm->n_files, m->files[i].name, e) < 0)
            return -1;
    return 0;
}

/* The machine at the path id below root; one that cannot be is in the list
 * with the reason. */
static int add_vm(struct walk *w, const char *id, bool image, struct err *e)
{
    AUTO_ENG_VM struct eng_vm vm = { 0 };
    AUTO_MEM char *path = io_join(w->root, id, e);
    struct err why = { 0 };

    if (path == NULL || copy(&vm.id, id, e) < 0 || into_folders(&vm, id, e) < 0)
        return -1;
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(path, &why);
    if (m == NULL && why.kind == ERR_NOMEM)
        return err_nomem(e);
    if (m == NULL) {
        const char *base = strrchr(path, '/') + 1;
        enum eng_image_format format;
        bool guess;
        size_t stem = strlen(base);
        if (image)
            (void)eng_scan_extension(base, &format, &guess, &stem);
        vm.name = strndup(base, stem);
        if (vm.name == NULL || copy(&vm.problem, why.msg, e) < 0)
            return err_nomem(e);
    } else if (copy(&vm.name, m->name, e) < 0 || from_machine(&vm, m, e) < 0) {
        return -1;
    }
    if (vm.problem == NULL && !mf_name_is_plain(vm.name, MF_NAME_MAX)) {
        vm.problem = io_format(e, "%s: the name is too long", path);
        if (vm.problem == NULL)
            return -1;
    }
    return eng_inventory_add(w->inv, &vm, e);
}

static int note(struct walk *w, bool warning, const char *path,
                const char *text, struct err *e)
{
    AUTO_MEM char *line = io_format(e, "%s: %s", path, text);

    return line == NULL ? -1 : eng_inventory_note(w->inv, warning, line, e);
}

/* Notes the folders below `folder` as to be read. */
static int push(struct walk *w, const char *folder, const struct eng_scan *s,
                struct err *e)
{
    size_t deep = folder[0] != '\0';

    for (const char *c = folder; *c != '\0'; c++)
        deep += *c == '/';
    if (deep >= ENG_FOLDERS_DEEP && s->n_folders > 0)
        return note(w, true, s->root, "folders are nested too deeply", e);
    for (size_t i = 0; i < s->n_folders; i++) {
        AUTO_MEM char *path = io_join(folder, s->folders[i], e);
        if (path == NULL || eng_list_text(&w->todo, &w->n_todo, path, e) < 0)
            return -1;
        if (++w->n_folders > ENG_FOLDERS_MAX)
            return err_set(e, ERR_USAGE, 0, "%s: has more than %d folders",
                           w->inv->place.text, ENG_FOLDERS_MAX);
    }
    return 0;
}

static bool holds_image(const struct eng_scan *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->found[i].image)
            return true;
    return false;
}

/* The images of the place's own folder are machines of their own. */
static int add_images(struct walk *w, const struct eng_scan *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct eng_found *f = &s->found[i];
        if (!f->image)
            continue;
        int r = f->part
                    ? note(w, false, f->path,
                           "is a part of another image, no VM of its own", e)
                    : add_vm(w, f->name, true, e);
        if (r < 0)
            return -1;
    }
    return 0;
}

/* folder: below root, "" for root itself. */
static int read_one(struct walk *w, const char *folder, struct err *e)
{
    AUTO_ENG_SCAN struct eng_scan s = { .skip = on_skip, .ctx = w };
    AUTO_MEM char *path = folder[0] == '\0' ? io_format(e, "%s", w->root)
                                            : io_join(w->root, folder, e);

    forget_seen(w);
    if (path == NULL)
        return -1;
    if (eng_scan_level(&s, path, e) < 0) {
        if (e->kind == ERR_NOMEM || folder[0] == '\0')
            return -1;
        struct err why = *e;
        *e = (struct err){ 0 };
        return eng_inventory_note(w->inv, why.kind != ERR_NOTFOUND, why.msg, e);
    }
    if (folder[0] != '\0' && holds_image(&s))
        return add_vm(w, folder, false, e);
    if (tell_seen(w, e) < 0 || add_images(w, &s, e) < 0)
        return -1;
    if (folder[0] != '\0' &&
        eng_inventory_container(w->inv, ENG_FOLDER, folder, e) < 0)
        return -1;
    return push(w, folder, &s, e);
}

int eng_folder_read(struct eng_inventory *inv, const struct cancel *cancel,
                    struct err *e)
{
    AUTO_WALK struct walk w = { .inv = inv, .root = inv->place.path };

    if (read_one(&w, "", e) < 0)
        return -1;
    while (w.n_todo > 0) {
        AUTO_MEM char *folder = w.todo[--w.n_todo];
        if (cancel_check(cancel, e) < 0 || read_one(&w, folder, e) < 0)
            return -1;
    }
    return 0;
}

/* A link in the path would make it another machine than the one listed. */
struct eng_machine *eng_folder_machine(const struct eng_place *place,
                                       const char *id, struct err *e)
{
    struct stat st;

    if (!mf_name_is_path(id)) {
        (void)err_set(e, ERR_USAGE, 0, "\"%s\" is no VM's path below %s", id,
                      place->path);
        return NULL;
    }
    AUTO_MEM char *path = io_join(place->path, id, e);
    if (path == NULL)
        return NULL;
    if (lstat(path, &st) < 0) {
        (void)err_set(e, err_of_errno(errno), errno, "%s", path);
        return NULL;
    }
    if (S_ISLNK(st.st_mode)) {
        (void)err_set(e, ERR_USAGE, 0, "%s: has become a link", path);
        return NULL;
    }
    return eng_machine_scan(path, e);
}
