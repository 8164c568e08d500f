// SPDX-License-Identifier: Apache-2.0
//
// A block device.  It has old content, so zeros are written, by a request that
// most devices carry out without being sent them.
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "engine/restore/target_impl.h"
#include "engine/source/qemu_lock.h"

#define SECTOR                                                                 \
    4096 /* of any device that we know; the ioctl wants whole ones             \
          */
#define ZERO_STEP (64ull << 20) /* between looks at the cancel token */

struct target_device {
    struct eng_target base;
    int fd;
    struct eng_target_direct out;
};

static const uint8_t zeros[64 << 10];

static int device_write(struct eng_target *t, const struct cancel *c,
                        uint64_t offset, struct span data, struct err *e)
{
    struct target_device *d = (struct target_device *)t;
    (void)c;
    return eng_target_direct_write(&d->out, data, offset, t->path, e);
}

static int write_zeros(struct eng_target *t, const struct cancel *c,
                       uint64_t offset, uint64_t len, struct err *e)
{
    while (len > 0) {
        size_t n = (size_t)checked_min(len, sizeof(zeros));
        if (cancel_check(c, e) < 0 ||
            device_write(t, c, offset, span_of(zeros, n), e) < 0)
            return -1;
        offset += n;
        len -= n;
    }
    return 0;
}

static int device_zero(struct eng_target *t, const struct cancel *c,
                       uint64_t offset, uint64_t len, struct err *e)
{
    const struct target_device *d = (struct target_device *)t;
    uint64_t whole = offset % SECTOR == 0 ? len / SECTOR * SECTOR : 0;
    while (whole > 0) {
        uint64_t range[2] = { offset, checked_min(whole, ZERO_STEP) };
        if (cancel_check(c, e) < 0)
            return -1;
        if (ioctl(d->fd, BLKZEROOUT, range) < 0) {
            if (errno != EINVAL && errno != EOPNOTSUPP && errno != ENOTTY)
                return err_set(e, err_of_errno(errno), errno,
                               "%s: zero %llu bytes at %llu", t->path,
                               (unsigned long long)range[1],
                               (unsigned long long)range[0]);
            break; /* the loop below does it */
        }
        offset += range[1];
        len -= range[1];
        whole -= range[1];
    }
    return write_zeros(t, c, offset, len, e);
}

static int device_commit(struct eng_target *t, struct err *e)
{
    const struct target_device *d = (struct target_device *)t;
    if (fsync(d->fd) < 0)
        return err_set(e, err_of_errno(errno), errno, "%s: flush", t->path);
    return 0;
}

static void device_close(struct eng_target *t)
{
    struct target_device *d = (struct target_device *)t;
    eng_target_direct_close(&d->out);
    if (d->fd >= 0)
        close(d->fd);
    free(d->base.path);
    free(d);
}

static const struct eng_target_ops device_ops = { device_write, device_zero,
                                                  device_commit, device_close };

static int open_device(struct target_device *d, struct err *e)
{
    const char *path = d->base.path;
    const unsigned all = ENG_QEMU_READ | ENG_QEMU_WRITE | ENG_QEMU_RESIZE;
    struct stat st;
    uint64_t size = 0;

    /* O_EXCL: not mounted, no part of another device, and it stays so. */
    d->fd = open(path, O_RDWR | O_CLOEXEC | O_EXCL | O_NOCTTY | O_NONBLOCK);
    if (d->fd < 0 && errno == EBUSY)
        return err_set(e, ERR_BUSY, 0,
                       "%s: the device is in use (mounted, or part of a volume "
                       "group, RAID or another device)",
                       path);
    if (d->fd < 0 || fstat(d->fd, &st) < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", path);
    if (!S_ISBLK(st.st_mode))
        return err_set(e, ERR_USAGE, 0, "%s: is no block device", path);
    if (eng_qemu_lock(d->fd, all, all, path, e) < 0)
        return -1;
    if (ioctl(d->fd, BLKGETSIZE64, &size) < 0)
        return err_set(e, ERR_IO, errno, "%s: size of the device", path);
    if (size < d->base.size)
        return err_set(
            e, ERR_FULL, 0, "%s: the device has %llu bytes, the disk %llu",
            path, (unsigned long long)size, (unsigned long long)d->base.size);
    return 0;
}

struct eng_target *eng_target_device_open(const struct eng_target_opts *o,
                                          struct err *e)
{
    struct target_device *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        err_nomem(e);
        return NULL;
    }
    d->fd = -1;
    d->out.direct = -1;
    AUTO_ENG_TARGET struct eng_target *t = &d->base;
    if (eng_target_init(t, &device_ops, o, e) < 0 || open_device(d, e) < 0)
        return NULL;
    eng_target_direct_open(&d->out, d->fd);
    return STEAL(t);
}
