// SPDX-License-Identifier: Apache-2.0
//
// The partial file of a restore.  A lock on it tells one that is being written
// from one that a killed restore left behind; the lock is on a byte far from
// those that QEMU uses, because qemu-nbd opens the same file.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/restore/target_impl.h"

#define LOCK_BYTE 0x6f626a76 /* any that QEMU (100 to 299) leaves alone */
#define TRIES 10

/* 1: somebody else has it. */
static int take_lock(int fd)
{
    struct flock fl = { .l_type = F_WRLCK,
                        .l_whence = SEEK_SET,
                        .l_start = LOCK_BYTE,
                        .l_len = 1 };
    /* On a file system without locks two restores to one path at once are the
     * user's to avoid. */
    return fcntl(fd, F_OFD_SETLK, &fl) < 0 &&
           (errno == EAGAIN || errno == EACCES);
}

static int busy(const struct eng_target_part *p, struct err *e)
{
    return err_set(e, ERR_BUSY, 0, "%s: another restore is writing it",
                   p->part);
}

/* Removes what an interrupted restore left under the partial name. */
static int remove_stale(const struct eng_target_part *p, struct err *e)
{
    AUTO_FD int fd =
        open(p->part, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, errno == ELOOP ? ERR_EXISTS : err_of_errno(errno),
                       errno, "%s is in the way", p->part);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_EXISTS, 0, "%s is in the way, and no file",
                       p->part);
    if (take_lock(fd))
        return busy(p, e);
    if (unlink(p->part) < 0 && errno != ENOENT)
        return err_set(e, err_of_errno(errno), errno, "remove %s", p->part);
    return 0;
}

static int create(struct eng_target_part *p, struct err *e)
{
    struct stat st;
    for (int i = 0; i < TRIES; i++) {
        /* The final mode comes last: it may forbid writing. */
        p->fd = open(p->part,
                     O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (p->fd < 0 && errno != EEXIST)
            return err_set(e, err_of_errno(errno), errno, "create %s", p->part);
        if (p->fd < 0) {
            if (remove_stale(p, e) < 0)
                return -1;
            continue;
        }
        /* Between creating and locking it looked like a stale one. */
        if (take_lock(p->fd) == 0 && fstat(p->fd, &st) == 0 && st.st_nlink > 0)
            return 0;
        auto_fd_closep(&p->fd);
    }
    return busy(p, e);
}

/* "<path>.objvault-part", a name that nobody else gives to a file of theirs; of
 * a name too long for that, as much as fits. */
static char *part_name(const char *path, struct err *e)
{
    static const char suffix[] = ".objvault-part";
    const char *slash = strrchr(path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    size_t name = strlen(path) - folder;
    size_t most = NAME_MAX - strlen(suffix);

    if (name > most)
        name = most;
    return io_format(e, "%.*s%s", (int)(folder + name), path, suffix);
}

int eng_target_part_open(struct eng_target_part *p,
                         const struct eng_target_opts *o, struct err *e)
{
    *p = (struct eng_target_part){ .fd = -1, .force = o->force };
    /* Set-user-id and the like would be granted to whoever restores. */
    p->mode = o->mode == 0 ? 0600 : o->mode & 0777;
    p->final = strdup(o->path);
    p->part = part_name(o->path, e);
    if (p->final == NULL || p->part == NULL)
        return err_nomem(e);
    return create(p, e);
}

/* rename that never replaces; some network file systems have no such call. */
static int rename_new(const struct eng_target_part *p)
{
    if (renameat2(AT_FDCWD, p->part, AT_FDCWD, p->final, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(p->part, p->final) < 0)
        return -1;
    return unlink(p->part);
}

static int fsync_folder(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return io_fsync_dir(".", e);
    if (slash == path)
        return io_fsync_dir("/", e);
    AUTO_MEM char *dir = strndup(path, (size_t)(slash - path));
    return dir == NULL ? err_nomem(e) : io_fsync_dir(dir, e);
}

int eng_target_part_commit(struct eng_target_part *p, struct err *e)
{
    if (fchmod(p->fd, p->mode) < 0 || fsync(p->fd) < 0)
        return err_set(e, err_of_errno(errno), errno, "make %s durable",
                       p->part);
    int r = p->force ? rename(p->part, p->final) : rename_new(p);
    if (r < 0 && errno == EEXIST)
        return err_set(e, ERR_EXISTS, 0,
                       "%s: has come into being meanwhile and is left alone",
                       p->final);
    if (r < 0)
        return err_set(e, err_of_errno(errno), errno, "rename %s to %s",
                       p->part, p->final);
    auto_fd_closep(&p->fd); /* nothing to remove any more */
    return fsync_folder(p->final, e);
}

void eng_target_part_close(struct eng_target_part *p)
{
    if (p->fd >= 0) {
        unlink(p->part);
        close(p->fd);
    }
    free(p->final);
    free(p->part);
    *p = (struct eng_target_part){ .fd = -1 };
}
