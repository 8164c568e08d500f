// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_SELECTION_H
#define ENGINE_JOB_SELECTION_H

/*
 * Which VMs a job means, of those that its sources have now.  Pure: resolved
 * anew at each run from the inventories, so that what came into a container is
 * in, and what vanished is a warning.
 *
 * - What is excluded is out, however it was included.
 * - A VM that is named and also lies in a container is there once.
 * - A VM lies in all folders above it, so a folder means what is below, too.
 * - A text names a VM by its id, else by its name.  Patterns ('*' any text, '?'
 *   one character) are held against both.  Case counts, as it does where VMs
 *   are filed: else one of "Web" and "web" could not be left out alone.
 * - Of `disks` an entry that names a VM comes before one that is a pattern;
 *   the first of several holds.  "first" is the inventory's first disk.  What
 *   exclude_disks means is out, whatever was chosen.
 * - VMs are filed by name.  Two of one name (in two folders, in two sources) go
 *   by what tells them apart: SOURCE's id of the VM, with '/' as it is
 *   ("prod/web1", "test/web1"), and by SOURCE/ID where the ids are the same.
 *   All VMs of the sources count for that, also those that the job leaves out:
 *   so two jobs with one of them each file them apart.  Where a second one
 *   comes or goes, the first changes its name, and begins a chain.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"
#include "engine/inventory/inventory.h"
#include "engine/job/job.h"

/* What one source has: inventory NULL where it could not be looked at. */
struct eng_looked {
    const char *source; /* its configured name; no two are the same */
    const struct eng_inventory *inventory;
    const char *problem; /* why not; NULL where it could be */
};

struct eng_selected {
    size_t looked;           /* index of its source */
    const struct eng_vm *vm; /* in that inventory; borrowed */
    char *name;              /* that its points go by; owned */
    bool *disks;             /* of vm->disks: whether each is wanted; owned */
};

struct eng_selection {
    struct eng_selected *vms; /* in the order of the job, then by id */
    size_t n_vms;
    char **warnings; /* a VM, container or chosen disk that is named and not
                        there, a source, or a part of one, that could not be
                        looked at.  A pattern may mean nothing: it is a rule */
    size_t n_warnings;
};

/* Resolves.  A VM without one wanted disk is left out, with a warning; one that
 * cannot be backed up (vm->problem) is in, for its run to fail.
 * ERR_USAGE: a text of the job is ambiguous (two VMs of one name: say the id);
 * ERR_NOMEM. */
int eng_select(const struct eng_job *j, const struct eng_looked *looked,
               size_t n, struct eng_selection *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_selection_fini(struct eng_selection *s); /* zeroed is fine */
#define AUTO_ENG_SELECTION AUTO(eng_selection_fini)

/* Looks at the sources that a job names (each once, by its configuration), and
 * resolves.  Inventories live in *held until eng_held_free.  A source that
 * cannot be looked at is a warning of the selection, unless none can be: then
 * its error. */
struct eng_held;
int eng_job_select(const struct eng_home *h, const struct eng_job *j,
                   const struct cancel *cancel, struct eng_held **held,
                   struct eng_selection *out, struct err *e)
    __attribute__((warn_unused_result));
/* The place of a selected VM, for eng_inventory_machine; borrowed. */
const struct eng_place *eng_held_place(const struct eng_held *held,
                                       size_t looked);
const char *eng_held_source(const struct eng_held *held, size_t looked);
/* Whether that source was looked at, and has no VM of this id (any more). */
bool eng_held_lacks(const struct eng_held *held, const char *source,
                    const char *id);
void eng_held_free(struct eng_held *held); /* NULL is fine */

#endif
