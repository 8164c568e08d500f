// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_SOURCE_MACHINE_H
#define ENGINE_SOURCE_MACHINE_H

/* A machine (VM) as found on disk: an image file, a block device, or a
 * directory whose images are the disks and whose other files the
 * configuration. */
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "engine/source/image.h"

struct eng_machine_disk {
    char *name; /* file name; of a libvirt domain: the target ("vda") */
    char *path; /* absolute */
    enum eng_image_format format;
};

struct eng_machine_file {
    char *name; /* relative path, '/' between components */
    char *path; /* absolute; with text: what messages call it */
    uint32_t mode;
    uint64_t size; /* when scanned */
    char *text;    /* what it holds, where it is no file on disk; or NULL */
};

struct eng_machine {
    char *name;   /* default: base name of the directory; file name of the
                     image without extension */
    char *source; /* "dir:/abs/path", "file:/abs/path", "libvirt:UUID" */
    struct eng_machine_disk *disks; /* sorted by name */
    size_t n_disks;
    struct eng_machine_file *files; /* sorted by name */
    size_t n_files;
};

/* Looks at path without reading images beyond their headers.
 *
 * What is an image: the extensions raw, qcow2, vmdk, vhdx and vdi (in either
 * case) say so and name the format whatever the content is.  ".img" and any
 * other name go by the magic; without one ".img" is raw, the rest no image.
 * What the magic alone makes an image was perhaps made so by a guest, writing
 * to its raw disk: it may refer to files within the directory only (ERR_USAGE).
 *
 * Backing files, external data files and extents are part of the image that
 * names them, and no disks of their own.  Links, devices, sockets and images in
 * subfolders of a directory, names that are not UTF-8 or have control
 * characters, and a directory without any image are refused (ERR_USAGE),
 * naming the entry.  A link given as the path itself is followed; a device
 * keeps the name that it was given by, its path is the real one.
 * ERR_NOTFOUND, ERR_DENIED, ERR_IO, ERR_CORRUPT (an image by its magic with a
 * broken header), ERR_NOMEM. */
struct eng_machine *eng_machine_scan(const char *path, struct err *e);
void eng_machine_free(struct eng_machine *m);

static inline void eng_machine_freep(struct eng_machine **m)
{
    eng_machine_free(*m);
}
#define AUTO_ENG_MACHINE AUTO(eng_machine_freep)

#endif
