// SPDX-License-Identifier: Apache-2.0
//
// Opening images.  Whatever the format, we hold QEMU's locks on the file as
// long as it is open: nobody writes to it now, and a machine that is started
// meanwhile is refused by its own QEMU.
#include "engine/source/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/source/qemu_lock.h"
#include "engine/source/reader.h"

const char *eng_image_format_name(enum eng_image_format f)
{
    static const char *const names[] = {
        [ENG_IMAGE_RAW] = "raw",   [ENG_IMAGE_QCOW2] = "qcow2",
        [ENG_IMAGE_VMDK] = "vmdk", [ENG_IMAGE_VHDX] = "vhdx",
        [ENG_IMAGE_VDI] = "vdi",
    };
    return names[f];
}

void eng_image_close(struct eng_image *im)
{
    if (im == NULL)
        return;
    int saved = errno;
    eng_qemu_nbd_free(im->server);
    if (im->raw.direct_fd >= 0)
        close(im->raw.direct_fd);
    if (im->fd >= 0)
        close(im->fd);
    free(im->path);
    free(im);
    errno = saved;
}

uint64_t eng_image_size(const struct eng_image *im)
{
    return im->size;
}

static int open_error(const char *path, int sys, struct err *e)
{
    if (sys == EBUSY)
        return err_set(e, ERR_BUSY, 0,
                       "%s: the device is in use (mounted, or part of a "
                       "volume group, RAID or another device)",
                       path);
    if (sys == ELOOP)
        return err_set(e, ERR_USAGE, 0, "%s: has become a link", path);
    return err_set(e, err_of_errno(sys), sys, "%s", path);
}

/* Opens a regular file or (not for plain files) a block device. */
static int open_fd(struct eng_image *im, bool plain, bool *is_device,
                   struct err *e)
{
    /* O_NONBLOCK: a FIFO must not stop us. */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct stat st;

    if (stat(im->path, &st) < 0)
        return open_error(im->path, errno, e);
    /* O_EXCL refuses a device that the kernel itself uses, and keeps it from
     * being mounted while we read. */
    if (S_ISBLK(st.st_mode))
        flags |= O_EXCL;
    /* The file of a VM was no link when it was found. */
    if (plain)
        flags |= O_NOFOLLOW;
    im->fd = open(im->path, flags);
    if (im->fd < 0)
        return open_error(im->path, errno, e);
    mode_t type = st.st_mode & S_IFMT;
    if (fstat(im->fd, &st) < 0)
        return open_error(im->path, errno, e);
    *is_device = S_ISBLK(st.st_mode);
    if ((st.st_mode & S_IFMT) != type || (plain && *is_device) ||
        (!S_ISREG(st.st_mode) && !*is_device))
        return err_set(e, ERR_USAGE, 0, "%s: is not a regular file%s", im->path,
                       plain ? "" : " or block device");
    return 0;
}

/* A file without a name, so that readers have one way to read. */
static int open_text(struct eng_image *im, const char *text, struct err *e)
{
    im->fd = memfd_create("objvault", MFD_CLOEXEC);
    if (im->fd < 0)
        return err_set(e, ERR_IO, errno, "%s: make a file in memory", im->path);
    return io_write_full(im->fd, text, strlen(text), im->path, e);
}

static int open_image(struct eng_image *im, const struct eng_image_opts *opts,
                      struct err *e)
{
    bool is_device = false;
    if (opts->text != NULL)
        return open_text(im, opts->text, e) < 0 ? -1
                                                : eng_raw_open(im, false, e);
    if (open_fd(im, opts->plain_file, &is_device, e) < 0)
        return -1;
    if (opts->plain_file)
        return eng_raw_open(im, false, e);
    if (eng_qemu_lock(im->fd, ENG_QEMU_READ, ENG_QEMU_WRITE | ENG_QEMU_RESIZE,
                      im->path, e) < 0)
        return -1;
    if (opts->format == ENG_IMAGE_RAW)
        return eng_raw_open(im, is_device, e);
    return eng_nbd_open(im, opts->format, e);
}

struct eng_image *eng_image_open(const char *path,
                                 const struct eng_image_opts *opts,
                                 struct err *e)
{
    AUTO_ENG_IMAGE struct eng_image *im = calloc(1, sizeof(*im));
    if (im != NULL) {
        im->fd = -1;
        im->raw.direct_fd = -1;
        im->path = strdup(path);
    }
    if (im == NULL || im->path == NULL) {
        err_nomem(e);
        return NULL;
    }
    if (open_image(im, opts, e) < 0)
        return NULL;
    return STEAL(im);
}

void eng_image_reader_close(struct eng_image_reader *r)
{
    if (r == NULL)
        return;
    int saved = errno;
    eng_nbd_conn_close(r->conn);
    free(r->known);
    free(r);
    errno = saved;
}

struct eng_image_reader *eng_image_reader_open(struct eng_image *im,
                                               struct err *e)
{
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        err_nomem(e);
        return NULL;
    }
    r->image = im;
    if (im->server != NULL && eng_nbd_reader_open(r, e) < 0)
        return NULL;
    return STEAL(r);
}

int eng_image_read(struct eng_image_reader *r, uint64_t offset, uint32_t len,
                   uint8_t *out, uint32_t *data_bytes, struct err *e)
{
    struct eng_image *im = r->image;
    *data_bytes = 0;
    if (offset % ENG_IMAGE_ALIGN != 0 || offset > im->size ||
        len > im->size - offset)
        return err_set(e, ERR_INTERNAL, 0,
                       "%s: read of %u bytes at %" PRIu64 " of %" PRIu64,
                       im->path, len, offset, im->size);
    if (r->conn != NULL)
        return eng_nbd_read(r, offset, len, out, data_bytes, e);
    return eng_raw_read(im, offset, len, out, data_bytes, e);
}
