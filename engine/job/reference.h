// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_REFERENCE_H
#define ENGINE_JOB_REFERENCE_H

/* How the texts of a job name VMs, containers and disks.  Pure; any thread. */
#include <stdbool.h>

#include "base/span.h"
#include "engine/inventory/inventory.h"
#include "engine/job/job.h"

/* "SOURCE:REST", taken apart at the first ':'.  Views of the text. */
struct eng_ref {
    struct span source;
    const char *rest;
};
/* False: no ':', or what is before it is no name. */
bool eng_ref_split(const char *text, struct eng_ref *out);

/* Whether a text SOURCE:ID or SOURCE:NAME means this VM. */
bool eng_ref_is_vm(const char *text, const char *source, const char *id,
                   const char *name);

/* What is behind SOURCE: of a container.  "pool=x", "network=x" and "tag=x" are
 * those kinds; "folder=x" and all else is a folder, "" the whole source. */
struct eng_container_ref {
    enum eng_container_kind kind;
    const char *name;
};
struct eng_container_ref eng_container_ref_of(const char *rest);
/* The same the other way: what a job writes behind SOURCE:.  malloc'd. */
char *eng_container_text(const struct eng_container *k, struct err *e);

/* A pattern of VMs: [SOURCE:]NAME.  What is before the first ':' is a source,
 * if it could be the name of one but for '*' and '?'. */
struct eng_vm_pattern {
    struct span source; /* len 0: any */
    struct span vm;
};
struct eng_vm_pattern eng_vm_pattern_of(struct span text);

/* "VM:DISK" or "VM=DISKS", taken apart at the last such character.  False:
 * there is none, or nothing before or behind it. */
bool eng_disk_ref_split(const char *text, char at, struct eng_vm_pattern *vm,
                        const char **disks);

/* '*' is any text, '?' any one character (of UTF-8); case counts. */
bool eng_pattern_matches(struct span pattern, const char *text);
bool eng_is_pattern(struct span text); /* has '*' or '?' */

/* Whether the pattern means a VM. */
bool eng_vm_pattern_matches(const struct eng_vm_pattern *p, const char *source,
                            const char *id, const char *name);

#endif
