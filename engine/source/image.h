// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_SOURCE_IMAGE_H
#define ENGINE_SOURCE_IMAGE_H

/*
 * Reading disk images.  Raw files and block devices are read directly;
 * qcow2, vmdk, vhdx and vdi through a qemu-nbd of our own on a Unix socket.
 * Holes and unallocated areas are never read: they come back as zeros.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"

enum eng_image_format {
    ENG_IMAGE_RAW,
    ENG_IMAGE_QCOW2,
    ENG_IMAGE_VMDK,
    ENG_IMAGE_VHDX,
    ENG_IMAGE_VDI,
};

const char *eng_image_format_name(enum eng_image_format f); /* "qcow2" */

/* Every buffer given to eng_image_read begins at a multiple of this (direct
 * I/O needs it). */
#define ENG_IMAGE_ALIGN 4096

struct eng_image;

struct eng_image_opts {
    enum eng_image_format format;
    bool plain_file; /* a VM's configuration file: no image, no locks */
    /* What the file holds, where it is none on disk (path only names it in
     * messages); or NULL.  Copied. */
    const char *text;
};

/* Opens an image for reading.  Refuses one that a running QEMU or another
 * program holds for writing (ERR_BUSY), and holds it against writers by QEMU's
 * own locks until closed.  A qemu-nbd that serves it ends with the thread that
 * called this, so that is one that outlives the readers.  ERR_USAGE: neither a
 * regular file nor (but for plain files) a block device.  qemu-nbd or qemu-img
 * missing: ERR_UNSUPPORTED with the package to install.  ERR_NOTFOUND,
 * ERR_DENIED, ERR_IO, ERR_TIMEOUT, ERR_CORRUPT (qemu-nbd cannot open it, or
 * qemu-img check finds damage, as in an image that was cut off; their words
 * are in the message). */
struct eng_image *eng_image_open(const char *path,
                                 const struct eng_image_opts *opts,
                                 struct err *e);
void eng_image_close(struct eng_image *im); /* NULL is fine */

uint64_t eng_image_size(const struct eng_image *im); /* bytes */

/* One reader per worker thread. */
struct eng_image_reader;
struct eng_image_reader *eng_image_reader_open(struct eng_image *im,
                                               struct err *e);
void eng_image_reader_close(struct eng_image_reader *r);

/* Fills out with the image's bytes [offset, offset + len), within its size.
 * offset is a multiple of ENG_IMAGE_ALIGN; out has room for len rounded up to
 * that.  *data_bytes: how many of them were allocated and read; with 0 the
 * whole range is a hole, out is not even touched, and is to be taken as
 * zeros.  -1: ERR_IO, naming image and offset; nothing writes to out any more.
 */
int eng_image_read(struct eng_image_reader *r, uint64_t offset, uint32_t len,
                   uint8_t *out, uint32_t *data_bytes, struct err *e)
    __attribute__((warn_unused_result));

static inline void eng_image_closep(struct eng_image **im)
{
    eng_image_close(*im);
}
#define AUTO_ENG_IMAGE AUTO(eng_image_closep)

static inline void eng_image_reader_closep(struct eng_image_reader **r)
{
    eng_image_reader_close(*r);
}
#define AUTO_ENG_IMAGE_READER AUTO(eng_image_reader_closep)

#endif
