// SPDX-License-Identifier: Apache-2.0
//
// Chooses the kind of target, and what all kinds have in common.
#include "engine/restore/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/restore/target_impl.h"
#include "engine/source/qemu_lock.h"

int eng_target_init(struct eng_target *t, const struct eng_target_ops *ops,
                    const struct eng_target_opts *o, struct err *e)
{
    t->ops = ops;
    t->size = o->size;
    t->path = strdup(o->path);
    return t->path == NULL ? err_nomem(e) : 0;
}

bool eng_target_next_run(struct span data, uint64_t offset, uint32_t grain,
                         size_t *start, size_t *end)
{
    size_t at = *end;
    bool found = false;
    while (at < data.len) {
        /* Up to the next multiple of the grain within the target. */
        size_t n = grain - (size_t)((offset + at) % grain);
        if (n > data.len - at)
            n = data.len - at;
        bool zero = io_all_zero(data.p + at, n);
        if (zero && found)
            break;
        if (!zero && !found) {
            *start = at;
            found = true;
        }
        at += n;
        *end = at;
    }
    return found;
}

static int refuse_existing(const char *path, struct err *e)
{
    return err_set(e, ERR_EXISTS, 0,
                   "%s: is there already; it is replaced only with --force",
                   path);
}

/* An image that a machine runs on would live on without a name, and its guest
 * with it. */
static int check_unused(const char *path, struct err *e)
{
    const unsigned writers = ENG_QEMU_WRITE | ENG_QEMU_RESIZE;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) /* not readable: replacing it is a matter of the folder */
        return 0;
    return eng_qemu_lock(fd, 0, writers, path, e);
}

static struct eng_target *open_path(const struct eng_target_opts *o,
                                    struct err *e)
{
    struct stat st;
    int r = stat(o->path, &st);
    if (r < 0 && errno != ENOENT) {
        err_set(e, err_of_errno(errno), errno, "%s", o->path);
        return NULL;
    }
    if (r < 0 && lstat(o->path, &st) == 0) {
        err_set(e, ERR_EXISTS, 0, "%s: is a link to nowhere", o->path);
        return NULL;
    }
    if (r == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        err_set(e, S_ISDIR(st.st_mode) ? ERR_EXISTS : ERR_USAGE, 0,
                "%s: is neither a file nor a block device", o->path);
        return NULL;
    }
    if (r == 0 && !o->force) {
        refuse_existing(o->path, e);
        return NULL;
    }
    bool qcow2 = o->format == ENG_TARGET_QCOW2;
    if (r == 0 && S_ISBLK(st.st_mode)) {
        if (!qcow2)
            return eng_target_device_open(o, e);
        err_set(e, ERR_USAGE, 0, "%s: a device takes the format raw only",
                o->path);
        return NULL;
    }
    if (r == 0 && check_unused(o->path, e) < 0)
        return NULL;
    return qcow2 ? eng_target_nbd_open(o, e) : eng_target_file_open(o, e);
}

struct eng_target *eng_target_open(const struct eng_target_opts *o,
                                   struct err *e)
{
    if (o->size > INT64_MAX) {
        err_set(e, ERR_FULL, EFBIG, "%s", o->path);
        return NULL;
    }
    if (strcmp(o->path, "-") != 0)
        return open_path(o, e);
    if (o->format == ENG_TARGET_RAW)
        return eng_target_pipe_open(o, e);
    err_set(e, ERR_USAGE, 0, "stdout takes the format raw only");
    return NULL;
}

static int check_range(const struct eng_target *t, uint64_t offset,
                       uint64_t len, struct err *e)
{
    if (offset > t->size || len > t->size - offset)
        return err_set(e, ERR_INTERNAL, 0,
                       "%s: write of %llu bytes at %llu of %llu", t->path,
                       (unsigned long long)len, (unsigned long long)offset,
                       (unsigned long long)t->size);
    return 0;
}

int eng_target_write(struct eng_target *t, const struct cancel *c,
                     uint64_t offset, struct span data, struct err *e)
{
    if (check_range(t, offset, data.len, e) < 0)
        return -1;
    return data.len == 0 ? 0 : t->ops->write(t, c, offset, data, e);
}

int eng_target_zero(struct eng_target *t, const struct cancel *c,
                    uint64_t offset, uint64_t len, struct err *e)
{
    if (check_range(t, offset, len, e) < 0)
        return -1;
    return len == 0 ? 0 : t->ops->zero(t, c, offset, len, e);
}

int eng_target_commit(struct eng_target *t, struct err *e)
{
    return t->ops->commit(t, e);
}

void eng_target_close(struct eng_target *t)
{
    if (t == NULL)
        return;
    int saved = errno;
    t->ops->close(t);
    errno = saved;
}
