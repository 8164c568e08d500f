// SPDX-License-Identifier: Apache-2.0
/*
 * Local files.  Short reads, short writes and interrupted calls are dealt with
 * here, so nobody else calls read or write in a loop.  A file is replaced by
 * the usual sequence of temporary file, fsync, rename and fsync of the folder:
 * after a crash there is the old content or the new, never a mixture.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/digest.h"

/* Linux moves no more than about 2 GiB per call. */
#define IO_STEP_MAX ((size_t)1 << 30)

static int check_range(size_t len, uint64_t offset, const char *path,
                       struct err *e)
{
    if (offset > INT64_MAX || len > INT64_MAX - offset)
        return err_set(e, ERR_IO, EFBIG, "%s: %zu bytes at %" PRIu64, path, len,
                       offset);
    return 0;
}

int io_pread_full(int fd, void *p, size_t len, uint64_t offset,
                  const char *path, struct err *e)
{
    uint8_t *at = p;

    if (check_range(len, offset, path, e) < 0)
        return -1;
    while (len > 0) {
        size_t step = len < IO_STEP_MAX ? len : IO_STEP_MAX;
        ssize_t n = pread(fd, at, step, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, err_of_errno(errno), errno,
                           "%s: read %zu bytes at %" PRIu64, path, len, offset);
        if (n == 0)
            return err_set(e, ERR_IO, 0,
                           "%s: ends at byte %" PRIu64 ", %zu bytes early",
                           path, offset, len);
        at += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int io_pwrite_full(int fd, const void *p, size_t len, uint64_t offset,
                   const char *path, struct err *e)
{
    const uint8_t *at = p;

    if (check_range(len, offset, path, e) < 0)
        return -1;
    while (len > 0) {
        size_t step = len < IO_STEP_MAX ? len : IO_STEP_MAX;
        ssize_t n = pwrite(fd, at, step, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, err_of_errno(errno), errno,
                           "%s: write %zu bytes at %" PRIu64, path, len,
                           offset);
        /* A device that takes nothing and reports nothing is at its end. */
        if (n == 0)
            return err_set(e, ERR_FULL, 0,
                           "%s: ends at byte %" PRIu64 ", %zu bytes early",
                           path, offset, len);
        at += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int io_write_full(int fd, const void *p, size_t len, const char *path,
                  struct err *e)
{
    const uint8_t *at = p;

    while (len > 0) {
        size_t step = len < IO_STEP_MAX ? len : IO_STEP_MAX;
        ssize_t n = write(fd, at, step);
        if (n >= 0) {
            at += n;
            len -= (size_t)n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return err_set(e, err_of_errno(errno), errno, "%s: write %zu bytes",
                           path, len);
        /* A standard output that somebody else made non-blocking. */
        struct pollfd pfd = { .fd = fd, .events = POLLOUT };
        if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
            return err_set(e, ERR_IO, errno, "%s: wait to write", path);
    }
    return 0;
}

/* Appends what is left of fd.  The last step asks for one byte more than out
 * may hold, to tell a file of exactly that size from a larger one. */
static int read_rest(int fd, const char *path, struct buf *out, struct err *e)
{
    const size_t step = (size_t)64 * 1024;

    for (;;) {
        uint8_t extra = 0;
        uint8_t *at = &extra;
        size_t room = out->max - out->len;
        size_t want = room < step ? room : step;
        if (room > 0)
            at = buf_reserve(out, want);
        if (at == NULL)
            break;
        ssize_t n = read(fd, at, room > 0 ? want : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, err_of_errno(errno), errno, "%s: read", path);
        if (n == 0)
            return 0;
        if (room == 0) {
            out->failed = true;
            break;
        }
        out->len += (size_t)n;
    }
    (void)!buf_check(out, e); /* it failed: this fills e */
    return err_ctx(e, "%s", path);
}

int io_read_file(const char *path, struct buf *out, struct err *e)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s: open", path);

    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (uint64_t)st.st_size <= out->max - out->len)
        buf_reserve(out, (size_t)st.st_size);
    return read_rest(fd, path, out, e);
}

/* malloc'd folder part of path: "." without a slash, "/" for the root. */
static char *folder_of(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return io_format(e, ".");
    while (slash > path && slash[-1] == '/')
        slash--;
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    char *dir = strndup(path, len);
    if (dir == NULL)
        err_nomem(e);
    return dir;
}

static int fill_temp(const char *temp, struct span data, mode_t mode,
                     struct err *e)
{
    AUTO_FD int fd =
        open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s: create", temp);
    int r = io_write_full(fd, data.p, data.len, temp, e);
    if (r == 0 && fsync(fd) < 0)
        r = err_set(e, err_of_errno(errno), errno, "%s: fsync", temp);
    /* Network file systems report a full disk no sooner than here. */
    if (close(STEAL_FD(fd)) < 0 && r == 0)
        r = err_set(e, err_of_errno(errno), errno, "%s: close", temp);
    if (r < 0)
        unlink(temp);
    return r;
}

/* Gives the file its name only where the name is free.  Some file systems
 * know no RENAME_NOREPLACE, others no hard links; few know neither. */
static int rename_fresh(const char *temp, const char *path)
{
    if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(temp, path) < 0)
        return -1;
    unlink(temp);
    return 0;
}

int io_write_file(const char *path, struct span data, mode_t mode, bool fresh,
                  struct err *e)
{
    AUTO_MEM char *dir = folder_of(path, e);
    uint64_t nonce = 0;

    if (dir == NULL || digest_random(&nonce, sizeof(nonce), e) < 0)
        return -1;
    /* Not derived from the file's name, which may be as long as names get. */
    AUTO_MEM char *temp =
        io_format(e, "%s/.tmp-%ld-%016" PRIx64, dir, (long)getpid(), nonce);
    if (temp == NULL)
        return -1;
    if (fill_temp(temp, data, mode, e) < 0)
        return err_ctx(e, "write %s", path);

    int r = fresh ? rename_fresh(temp, path) : rename(temp, path);
    if (r < 0) {
        int sys = errno;
        unlink(temp);
        return err_set(e, err_of_errno(sys), sys, "write %s", path);
    }
    return io_fsync_dir(dir, e);
}

/* Makes one folder.  Its name is made durable too: a file that is fsynced
 * inside it would otherwise be lost with it. */
static int make_one(const char *path, mode_t mode, struct err *e)
{
    if (mkdir(path, mode) == 0) {
        AUTO_MEM char *dir = folder_of(path, e);
        return dir == NULL ? -1 : io_fsync_dir(dir, e);
    }
    int sys = errno;
    struct stat st;
    if (sys == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    if (sys == EEXIST)
        return err_set(e, ERR_EXISTS, 0, "%s: there, but not a folder", path);
    return err_set(e, err_of_errno(sys), sys, "%s: make folder", path);
}

int io_mkdirs(const char *path, mode_t mode, struct err *e)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;

    AUTO_MEM char *copy = strdup(path);
    if (copy == NULL)
        return err_nomem(e);
    size_t len = strlen(copy);
    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = '\0';
    for (size_t i = 1; i < len; i++) {
        if (copy[i] != '/' || copy[i - 1] == '/')
            continue;
        copy[i] = '\0';
        int r = make_one(copy, mode, e);
        copy[i] = '/';
        if (r < 0)
            return -1;
    }
    return make_one(copy, mode, e);
}

int io_mkdirs_for(const char *path, mode_t mode, struct err *e)
{
    AUTO_MEM char *dir = folder_of(path, e);

    return dir == NULL ? -1 : io_mkdirs(dir, mode, e);
}

int io_fsync_dir(const char *path, struct err *e)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s: open folder", path);
    /* EINVAL: a file system that cannot do this for folders at all. */
    if (fsync(fd) < 0 && errno != EINVAL)
        return err_set(e, err_of_errno(errno), errno, "%s: fsync folder", path);
    return 0;
}

char *io_join(const char *a, const char *b, struct err *e)
{
    size_t len = strlen(a);
    const char *slash = len == 0 || a[len - 1] == '/' ? "" : "/";

    return io_format(e, "%s%s%s", a, slash, b);
}

char *io_format(struct err *e, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        err_nomem(e);
        return NULL;
    }
    return text;
}

bool io_all_zero(const void *p, size_t len)
{
    const uint8_t *at = p;

    /* The first byte is zero and each equals its neighbour: libc's memcmp
     * uses the widest vectors of this processor. */
    return len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0);
}
