// SPDX-License-Identifier: Apache-2.0
/* The list of machines: filled by the places' readers, sorted and counted. */
#include "engine/inventory/inventory.h"

#include <string.h>

#include "engine/inventory/inventory_impl.h"

#define NOTES_LEFT_OUT "there is more to tell than is listed here"

const char *eng_container_kind_name(enum eng_container_kind k)
{
    static const char *const names[ENG_CONTAINER_KINDS] = {
        [ENG_FOLDER] = "folder",
        [ENG_POOL] = "pool",
        [ENG_NETWORK] = "network",
        [ENG_TAG] = "tag",
    };
    return names[k];
}

void *eng_list_grown(void *list, size_t n, size_t size, struct err *e)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return list;
    void *more = reallocarray(list, n == 0 ? 1 : n * 2, size);
    if (more == NULL)
        (void)err_nomem(e);
    return more;
}

int eng_list_text(char ***list, size_t *n, const char *text, struct err *e)
{
    char **more = eng_list_grown(*list, *n, sizeof *more, e);

    if (more == NULL)
        return -1;
    *list = more;
    more[*n] = strdup(text);
    if (more[*n] == NULL)
        return err_nomem(e);
    (*n)++;
    return 0;
}

void eng_list_free(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

static void containers_free(struct eng_container *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(c[i].name);
    free(c);
}

static void disk_fini(struct eng_vm_disk *d)
{
    free(d->name);
    free(d->path);
    free(d->problem);
}

void eng_vm_fini(struct eng_vm *vm)
{
    for (size_t i = 0; i < vm->n_disks; i++)
        disk_fini(&vm->disks[i]);
    free(vm->disks);
    containers_free(vm->containers, vm->n_containers);
    eng_list_free(vm->files, vm->n_files);
    free(vm->id);
    free(vm->name);
    free(vm->problem);
    *vm = (struct eng_vm){ 0 };
}

void eng_inventory_free(struct eng_inventory *inv)
{
    if (inv == NULL)
        return;
    for (size_t i = 0; i < inv->n_vms; i++)
        eng_vm_fini(&inv->vms[i]);
    for (size_t i = 0; i < inv->n_notes; i++)
        free(inv->notes[i].text);
    free(inv->vms);
    free(inv->notes);
    containers_free(inv->containers, inv->n_containers);
    eng_place_fini(&inv->place);
    free(inv);
}

int eng_inventory_add(struct eng_inventory *inv, struct eng_vm *vm,
                      struct err *e)
{
    if (inv->n_vms == ENG_VMS_MAX)
        return err_set(e, ERR_USAGE, 0, "%s: has more than %d machines",
                       inv->place.text, ENG_VMS_MAX);
    struct eng_vm *more = eng_list_grown(inv->vms, inv->n_vms, sizeof *more, e);
    if (more == NULL)
        return -1;
    inv->vms = more;
    inv->vms[inv->n_vms++] = *vm;
    *vm = (struct eng_vm){ 0 };
    return 0;
}

static int add_container(struct eng_container **list, size_t *n,
                         enum eng_container_kind kind, const char *name,
                         size_t n_vms, struct err *e)
{
    struct eng_container *more = eng_list_grown(*list, *n, sizeof *more, e);

    if (more == NULL)
        return -1;
    *list = more;
    more[*n] = (struct eng_container){ kind, strdup(name), n_vms };
    if (more[*n].name == NULL)
        return err_nomem(e);
    (*n)++;
    return 0;
}

int eng_inventory_container(struct eng_inventory *inv,
                            enum eng_container_kind kind, const char *name,
                            struct err *e)
{
    return add_container(&inv->containers, &inv->n_containers, kind, name, 0,
                         e);
}

int eng_vm_in(struct eng_vm *vm, enum eng_container_kind kind, const char *name,
              struct err *e)
{
    for (size_t i = 0; i < vm->n_containers; i++)
        if (vm->containers[i].kind == kind &&
            strcmp(vm->containers[i].name, name) == 0)
            return 0;
    return add_container(&vm->containers, &vm->n_containers, kind, name, 1, e);
}

int eng_vm_disk(struct eng_vm *vm, const struct eng_vm_disk *disk,
                struct err *e)
{
    struct eng_vm_disk *more =
        eng_list_grown(vm->disks, vm->n_disks, sizeof *more, e);

    if (more == NULL)
        return -1;
    vm->disks = more;
    struct eng_vm_disk *to = &more[vm->n_disks++];
    *to = (struct eng_vm_disk){
        .name = strdup(disk->name),
        .path = disk->path != NULL ? strdup(disk->path) : NULL,
        .format = disk->format,
        .problem = disk->problem != NULL ? strdup(disk->problem) : NULL,
    };
    if (to->name == NULL || (disk->path != NULL && to->path == NULL) ||
        (disk->problem != NULL && to->problem == NULL))
        return err_nomem(e);
    return 0;
}

int eng_inventory_note(struct eng_inventory *inv, bool warning,
                       const char *text, struct err *e)
{
    if (inv->n_notes > ENG_NOTES_MAX) {
        inv->notes[ENG_NOTES_MAX].warning |= warning;
        return 0;
    }
    struct eng_note *more =
        eng_list_grown(inv->notes, inv->n_notes, sizeof *more, e);
    if (more == NULL)
        return -1;
    inv->notes = more;
    more[inv->n_notes] = (struct eng_note){
        .warning = warning,
        .text = strdup(inv->n_notes == ENG_NOTES_MAX ? NOTES_LEFT_OUT : text),
    };
    if (more[inv->n_notes].text == NULL)
        return err_nomem(e);
    inv->n_notes++;
    return 0;
}

static int by_container(const void *a, const void *b)
{
    const struct eng_container *x = a;
    const struct eng_container *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_id(const void *a, const void *b)
{
    const struct eng_vm *x = a;
    const struct eng_vm *y = b;

    return strcmp(x->id, y->id);
}

static int by_text(const void *a, const void *b)
{
    const struct eng_note *x = a;
    const struct eng_note *y = b;

    return strcmp(x->text, y->text);
}

static void sort(void *list, size_t n, size_t size,
                 int (*compare)(const void *, const void *))
{
    if (n > 1)
        qsort(list, n, size, compare);
}

/* Equal ones become one, with the VMs of all. */
static void merge(struct eng_inventory *inv)
{
    size_t kept = 0;

    for (size_t i = 0; i < inv->n_containers; i++) {
        struct eng_container *c = &inv->containers[i];
        if (kept > 0 && by_container(&inv->containers[kept - 1], c) == 0) {
            inv->containers[kept - 1].n_vms += c->n_vms;
            free(c->name);
        } else {
            inv->containers[kept++] = *c;
        }
    }
    inv->n_containers = kept;
}

static int finish(struct eng_inventory *inv, struct err *e)
{
    sort(inv->vms, inv->n_vms, sizeof *inv->vms, by_id);
    sort(inv->notes, inv->n_notes, sizeof *inv->notes, by_text);
    for (size_t i = 0; i < inv->n_vms; i++) {
        struct eng_vm *vm = &inv->vms[i];
        sort(vm->containers, vm->n_containers, sizeof *vm->containers,
             by_container);
        for (size_t k = 0; k < vm->n_containers; k++)
            if (add_container(&inv->containers, &inv->n_containers,
                              vm->containers[k].kind, vm->containers[k].name, 1,
                              e) < 0)
                return -1;
    }
    sort(inv->containers, inv->n_containers, sizeof *inv->containers,
         by_container);
    merge(inv);
    return 0;
}

struct eng_inventory *eng_inventory_read(const struct eng_place *place,
                                         const struct cancel *cancel,
                                         struct err *e)
{
    AUTO_ENG_INVENTORY struct eng_inventory *inv = calloc(1, sizeof *inv);

    if (inv == NULL) {
        (void)err_nomem(e);
        return NULL;
    }
    if (eng_place_parse(place->text, &inv->place, e) < 0)
        return NULL;
    int r = place->kind == ENG_PLACE_FOLDER ? eng_folder_read(inv, cancel, e)
                                            : eng_libvirt_read(inv, cancel, e);
    if (r < 0 || finish(inv, e) < 0)
        return NULL;
    return STEAL(inv);
}

/* Keeps the disks that are wanted. */
static void drop_disks(struct eng_machine *m, eng_disk_wanted_fn wanted,
                       void *ctx)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->n_disks; i++) {
        if (wanted == NULL || wanted(ctx, m->disks[i].name)) {
            m->disks[kept++] = m->disks[i];
            continue;
        }
        free(m->disks[i].name);
        free(m->disks[i].path);
    }
    m->n_disks = kept;
}

struct eng_machine *eng_inventory_machine(const struct eng_place *place,
                                          const char *id,
                                          eng_disk_wanted_fn wanted, void *ctx,
                                          struct err *e)
{
    if (place->kind == ENG_PLACE_LIBVIRT)
        return eng_libvirt_machine(place, id, wanted, ctx, e);
    struct eng_machine *m = eng_folder_machine(place, id, e);
    if (m != NULL)
        drop_disks(m, wanted, ctx);
    return m;
}
