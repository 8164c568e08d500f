// SPDX-License-Identifier: Apache-2.0
/* Private to engine/inventory/: what libvirt's XML says of a domain and of a
 * storage pool. */
#ifndef ENGINE_INVENTORY_DOMAIN_H
#define ENGINE_INVENTORY_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/source/image.h"

/* Bounds of what is believed. */
#define ENG_DOMAIN_DISKS_MAX 1024
#define ENG_DOMAIN_NAMES_MAX 256 /* networks; tags */
#define ENG_TAG_MAX 255          /* bytes */

struct eng_domain_disk {
    char *target; /* "vda" */
    char *type;   /* "file", "block", "volume", "network", ... */
    char *device; /* "disk", "cdrom", "floppy", "lun"; NULL: "disk" */
    char *format; /* the driver's type; NULL: raw */
    char *path;   /* of a file or block device */
    char *pool, *volume;
    char *protocol; /* of a network disk */
    bool shared;    /* with other domains */
};

struct eng_domain {
    struct eng_domain_disk *disks; /* in their order there */
    size_t n_disks;
    char **networks; /* and bridges */
    size_t n_networks;
    char **tags;
    size_t n_tags;
    char *nvram; /* path of the firmware's variables; or NULL */
};

/* Reads a domain's XML, hostile as it may be.  A tag is the text of an element
 * <tag> of any name space below <metadata>, without blanks around it; one that
 * is empty, too long or has control characters is passed over.  *out is to be
 * ended by eng_domain_fini, also after a failure.  ERR_CORRUPT, ERR_NOMEM. */
int eng_domain_parse(struct span xml, struct eng_domain *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_domain_fini(struct eng_domain *d);
#define AUTO_ENG_DOMAIN AUTO(eng_domain_fini)

/* CDs and floppies come and go; they are no disks of the machine. */
bool eng_domain_disk_counts(const struct eng_domain_disk *d);

/* The format of a disk, and whether it can be read: path is
 * where it lies (NULL where none is known).  -1: no; e says why, without the
 * disk's name. */
int eng_domain_disk_check(const struct eng_domain_disk *d, const char *path,
                          enum eng_image_format *format, struct err *e)
    __attribute__((warn_unused_result));

/* The path of a pool's volumes; *path: malloc'd, or NULL where it has none. */
int eng_pool_parse(struct span xml, char **path, struct err *e)
    __attribute__((warn_unused_result));

#endif
