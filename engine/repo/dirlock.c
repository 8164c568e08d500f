// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/dirlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/utc.h"

#define VM_PREFIX "vm-"
#define PROBE_PREFIX "lockprobe-"
#define PROBE_OLD_S 3600

bool eng_dirlock_owns(const char *key)
{
    return strcmp(key, "gc/" ENG_DIRLOCK_RUNS) == 0 ||
           strncmp(key, "gc/" VM_PREFIX, strlen("gc/" VM_PREFIX)) == 0 ||
           strncmp(key, "gc/" PROBE_PREFIX, strlen("gc/" PROBE_PREFIX)) == 0;
}

static int unsupported(const char *path, int sys, struct err *e)
{
    if (sys != ENOLCK && sys != EOPNOTSUPP && sys != EINVAL && sys != ENOSYS)
        return err_set(e, err_of_errno(sys), sys, "lock %s", path);
    return err_set(e, ERR_UNSUPPORTED, sys, "%s: files cannot be locked here",
                   path);
}

static int open_lock(const char *path, bool make)
{
    int flags = O_CLOEXEC | O_NOFOLLOW | (make ? O_RDWR | O_CREAT : O_RDONLY);

    return open(path, flags, (mode_t)0666);
}

/* The path still leads to the file that is open: nobody removed it between its
 * opening and its lock. */
static bool is_same(int fd, const char *path)
{
    struct stat here;
    struct stat there;

    return fstat(fd, &here) == 0 && lstat(path, &there) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

static int try_path(const char *path, bool make, bool exclusive, int *fd,
                    struct err *e)
{
    for (;;) {
        AUTO_FD int open_fd = open_lock(path, make);
        if (open_fd < 0)
            return err_set(e, err_of_errno(errno), errno, "%s", path);
        if (flock(open_fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? 0 : unsupported(path, errno, e);
        if (!is_same(open_fd, path))
            continue;
        *fd = STEAL_FD(open_fd);
        return 1;
    }
}

int eng_dirlock_try(const char *dir, const char *name, bool exclusive, int *fd,
                    struct err *e)
{
    AUTO_MEM char *folder = io_join(dir, "gc", e);
    AUTO_MEM char *path = folder != NULL ? io_join(folder, name, e) : NULL;

    *fd = -1;
    if (path == NULL || io_mkdirs(folder, 0777, e) < 0)
        return -1;
    return try_path(path, true, exclusive, fd, e);
}

int eng_dirlock_is_swept(const char *dir, struct err *e)
{
    AUTO_MEM char *path = io_join(dir, "gc/" ENG_DIRLOCK_RUNS, e);
    AUTO_FD int fd = -1;

    if (path == NULL)
        return -1;
    int r = try_path(path, false, false, &fd, e);
    /* Without the file, or without locks, nobody ever swept. */
    if (r < 0)
        return e->kind == ERR_NOTFOUND || e->kind == ERR_UNSUPPORTED ? 0 : -1;
    return r == 0;
}

/* What another process finds: 1 where it gets the lock, 0 where not. */
static int ask_child(const char *path, struct err *e)
{
    pid_t child = fork();
    int status = 0;

    if (child < 0)
        return err_set(e, ERR_IO, errno, "start a process");
    if (child == 0) { /* only calls that are safe after fork */
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            _exit(2);
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            _exit(1);
        _exit(errno == EWOULDBLOCK ? 0 : 2);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(e, ERR_IO, errno, "wait for a process");
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "%s: another process cannot try its lock", path);
    return WEXITSTATUS(status);
}

static int probe_path(const char *path, struct err *e)
{
    AUTO_FD int fd = -1;

    if (try_path(path, true, false, &fd, e) != 1)
        return e->kind == ERR_NONE
                   ? err_set(e, ERR_BUSY, 0, "%s is locked", path)
                   : -1;
    int while_held = ask_child(path, e);
    if (while_held < 0)
        return -1;
    if (flock(fd, LOCK_UN) < 0)
        return unsupported(path, errno, e);
    int when_free = ask_child(path, e);
    if (when_free < 0)
        return -1;
    if (while_held == 0 && when_free == 1)
        return 0;
    return err_set(e, ERR_UNSUPPORTED, 0,
                   "%s: locks of one process do not keep another out", path);
}

int eng_dirlock_probe(const char *dir, struct err *e)
{
    uint8_t raw[8];
    char hex[2 * sizeof(raw) + 1];
    AUTO_MEM char *folder = io_join(dir, "gc", e);

    if (folder == NULL || io_mkdirs(folder, 0777, e) < 0 ||
        digest_random(raw, sizeof(raw), e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof(raw)), hex);
    AUTO_MEM char *path = io_format(e, "%s/" PROBE_PREFIX "%s", folder, hex);
    if (path == NULL)
        return -1;
    int r = probe_path(path, e);
    unlink(path);
    return r;
}

/* A probe takes no turn: its file may be in use, unless it is old. */
static bool is_old(int folder, const char *name)
{
    struct stat st;

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mtim.tv_sec + PROBE_OLD_S < utc_real_now();
}

void eng_dirlock_tidy(const char *dir)
{
    struct err e = { 0 };
    AUTO_MEM char *folder = io_join(dir, "gc", &e);
    AUTO_DIR DIR *d = folder != NULL ? opendir(folder) : NULL;

    if (d == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(d)) != NULL;)
        if (strncmp(entry->d_name, VM_PREFIX, strlen(VM_PREFIX)) == 0 ||
            (strncmp(entry->d_name, PROBE_PREFIX, strlen(PROBE_PREFIX)) == 0 &&
             is_old(dirfd(d), entry->d_name)))
            unlinkat(dirfd(d), entry->d_name, 0);
}
