// SPDX-License-Identifier: Apache-2.0
// Private to engine/source/: what the readers of the two kinds of images share.
#ifndef ENGINE_SOURCE_READER_H
#define ENGINE_SOURCE_READER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "engine/source/image.h"
#include "engine/source/nbd_conn.h"
#include "engine/source/qemu_nbd.h"

struct eng_image {
    char *path;
    uint64_t size;
    int fd; /* open as long as the image: it carries the locks */
    struct {
        int direct_fd;      /* O_DIRECT, or -1 */
        atomic_bool direct; /* until a read is refused */
        atomic_bool holes;  /* until SEEK_DATA is refused */
    } raw;
    struct eng_qemu_nbd *server; /* NULL: the image is read directly */
};

struct eng_nbd_window; /* known allocation, see nbd.c */

struct eng_image_reader {
    struct eng_image *image;      /* borrowed */
    struct eng_nbd_conn *conn;    /* with a server */
    struct eng_nbd_window *known; /* with a server */
};

int eng_raw_open(struct eng_image *im, bool is_device, struct err *e)
    __attribute__((warn_unused_result));
int eng_raw_read(struct eng_image *im, uint64_t offset, uint32_t len,
                 uint8_t *out, uint32_t *data_bytes, struct err *e)
    __attribute__((warn_unused_result));

int eng_nbd_open(struct eng_image *im, enum eng_image_format format,
                 struct err *e) __attribute__((warn_unused_result));
int eng_nbd_reader_open(struct eng_image_reader *r, struct err *e)
    __attribute__((warn_unused_result));
int eng_nbd_read(struct eng_image_reader *r, uint64_t offset, uint32_t len,
                 uint8_t *out, uint32_t *data_bytes, struct err *e)
    __attribute__((warn_unused_result));

#endif
