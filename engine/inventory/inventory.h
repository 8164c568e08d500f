// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_INVENTORY_INVENTORY_H
#define ENGINE_INVENTORY_INVENTORY_H

/*
 * What machines a place has, looked at anew each time: names, containers,
 * disks, and why one cannot be backed up.  What is listed may have changed
 * when its turn comes, so a run takes the machine itself by
 * eng_inventory_machine, which looks again.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/err.h"
#include "engine/inventory/place.h"
#include "engine/source/image.h"
#include "engine/source/machine.h"

/* Bounds of what is believed of a place. */
#define ENG_VMS_MAX 100000
#define ENG_FOLDERS_MAX 1000000
#define ENG_FOLDERS_DEEP 32
#define ENG_NOTES_MAX 1000

enum eng_container_kind {
    ENG_FOLDER,
    ENG_POOL,    /* libvirt: where a disk lies */
    ENG_NETWORK, /* libvirt: what an interface is on */
    ENG_TAG,     /* libvirt: <tag> in the domain's <metadata> */
    ENG_CONTAINER_KINDS
};
const char *eng_container_kind_name(enum eng_container_kind k); /* "folder" */

struct eng_container {
    enum eng_container_kind kind;
    char *name;   /* of a folder: its path below the source's */
    size_t n_vms; /* in the inventory's list; folders count those below, too */
};

struct eng_vm_disk {
    char *name; /* as in struct eng_machine_disk */
    char *path; /* absolute; NULL: it is no file or device here */
    enum eng_image_format format;
    char *problem; /* why it cannot be read; NULL: it can */
};

struct eng_vm {
    char *id; /* within the place, for good: the path below the folder, or the
                 domain's UUID */
    char *name;
    bool live; /* it runs (or is paused): its disks change */
    struct eng_container *containers; /* sorted; a VM is in all folders above */
    size_t n_containers;
    struct eng_vm_disk *disks;
    size_t n_disks;
    char **files; /* names of its configuration's */
    size_t n_files;
    char *problem; /* why none of it can be backed up; or NULL */
};

/* What is told about a place besides its machines. */
struct eng_note {
    bool warning; /* something could not be looked at, so machines may lack */
    char *text;
};

struct eng_inventory {
    struct eng_place place;
    struct eng_vm *vms; /* sorted by id */
    size_t n_vms;
    struct eng_container *containers; /* sorted by kind and name; empty ones
                                         are among them */
    size_t n_containers;
    struct eng_note *notes;
    size_t n_notes;
};

/* Looks at a place.  Machines that cannot be backed up are in it, with the
 * reason.
 *
 * A folder: each folder below it that holds an image itself is a VM, as
 * eng_machine_scan makes it; other folders are containers.  An image in the
 * place's own folder is a VM of one disk, unless it is a part of another one
 * there (noted).  Links are not followed (noted).  Folders that cannot be read
 * are a warning.
 *
 * libvirt: every domain, by its configuration for the next start.  Read-only:
 * nothing is changed, started or refreshed.  Cancel does not reach into a call
 * to libvirt.
 *
 * NULL: ERR_NOTFOUND, ERR_DENIED, ERR_IO (the folder), ERR_UNREACHABLE,
 * ERR_DENIED (libvirt), ERR_USAGE (over a bound), ERR_CANCELLED, ERR_NOMEM. */
struct eng_inventory *eng_inventory_read(const struct eng_place *place,
                                         const struct cancel *cancel,
                                         struct err *e);
void eng_inventory_free(struct eng_inventory *inv); /* NULL is fine */

/* Whether a disk is to be backed up; by its name. */
typedef bool (*eng_disk_wanted_fn)(void *ctx, const char *disk);

/* The machine as it is now, for eng_backup_machine, with the disks that are
 * wanted (NULL: all).  id: of struct eng_vm.  NULL: ERR_NOTFOUND (it is gone),
 * ERR_BUSY (it runs), ERR_UNSUPPORTED (a wanted disk cannot be read), and what
 * eng_inventory_read and eng_machine_scan say. */
struct eng_machine *eng_inventory_machine(const struct eng_place *place,
                                          const char *id,
                                          eng_disk_wanted_fn wanted, void *ctx,
                                          struct err *e);

static inline void eng_inventory_freep(struct eng_inventory **inv)
{
    eng_inventory_free(*inv);
}
#define AUTO_ENG_INVENTORY AUTO(eng_inventory_freep)

#endif
