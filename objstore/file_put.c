// SPDX-License-Identifier: Apache-2.0
/*
 * Writing for the file driver.  A body goes to a file without a name, or with
 * a temporary one under .tmp, is synced, and only then gets its name: by link
 * where nothing may be replaced, by rename else.  Then the folder is synced,
 * and every folder above it that this process has not yet seen durable (it
 * may have been made by another writer that has not come to its own sync).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/utc.h"
#include "objstore/file_private.h"

#define PIECE_BYTES ((size_t)4 << 20)
#define TMP_PREFIX "objvault-"
#define TMP_CHARS 64
#define STALE_S (INT64_C(24) * 3600)
#define FILE_MODE 0600
#define DIR_MODE 0700

/* One put under way. */
struct put {
    struct obj_file *file;
    const struct obj_req *req;
    struct span body;
    struct obj_attempt *a;
    int root;
    int dir;          /* folder of the object; owned */
    const char *name; /* last component of the key */
    bool fresh;       /* only if absent */
};

static size_t slot_of(const char *dir)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *dir != '\0'; dir++)
        h = (h ^ (uint8_t)*dir) * UINT64_C(1099511628211);
    return (size_t)(h ^ (h >> 32)) & (OBJ_FILE_DIRS - 1);
}

static bool is_known(struct obj_file *f, const char *dir)
{
    pthread_mutex_lock(&f->dirs.lock);
    const char *there = f->dirs.known[slot_of(dir)];
    bool known = there != NULL && strcmp(there, dir) == 0;
    pthread_mutex_unlock(&f->dirs.lock);
    return known;
}

/* NULL forgets all.  Without memory nothing is remembered. */
static void set_known(struct obj_file *f, const char *dir)
{
    pthread_mutex_lock(&f->dirs.lock);
    if (dir != NULL) {
        char **slot = &f->dirs.known[slot_of(dir)];
        free(*slot);
        *slot = strdup(dir);
    }
    for (size_t i = 0; dir == NULL && i < OBJ_FILE_DIRS; i++) {
        free(f->dirs.known[i]);
        f->dirs.known[i] = NULL;
    }
    pthread_mutex_unlock(&f->dirs.lock);
}

/* Makes folder `path` below the root, whose own parent is durable already, and
 * syncs that parent.  0 or errno. */
static int make_dir(int root, char *path)
{
    if (mkdirat(root, path, DIR_MODE) < 0 && errno != EEXIST)
        return errno;
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    AUTO_FD int parent = openat(root, slash != NULL ? path : ".",
                                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int sys = parent < 0 ? errno : obj_file_fsync_dir(parent);
    if (slash != NULL)
        *slash = '/';
    return sys;
}

/* Opens the folder that holds the object; makes it durable first. */
static int open_dir(struct put *p)
{
    char path[OBJ_KEY_MAX + 1];
    size_t n = strlen(p->req->key);

    memcpy(path, p->req->key, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (path[i] != '/')
            continue;
        path[i] = '\0';
        int sys = is_known(p->file, path) ? 0 : make_dir(p->root, path);
        if (sys != 0)
            return sys;
        set_known(p->file, path);
        path[i] = '/';
    }
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    p->name = slash != NULL ? p->req->key + (slash - path) + 1 : p->req->key;
    p->dir = openat(p->root, slash != NULL ? path : ".",
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return p->dir >= 0 ? 0 : errno;
}

/* Body and fsync.  False: the attempt is filled. */
static bool write_body(struct put *p, int fd)
{
    struct obj_attempt *a = p->a;

    for (size_t done = 0; done < p->body.len;) {
        size_t left = p->body.len - done;
        size_t piece = left < PIECE_BYTES ? left : PIECE_BYTES;
        if (cancel_requested(p->req->cancel)) {
            a->outcome = OBJ_STOPPED;
            return false;
        }
        if (io_write_full(fd, p->body.p + done, piece, p->req->key, &a->err) <
            0) {
            obj_file_fail(a, a->err.sys, "write");
            return false;
        }
        done += piece;
        a->sent += piece;
    }
    if (fsync(fd) < 0) {
        obj_file_fail(a, errno, "fsync");
        return false;
    }
    return true;
}

/* Something has the name.  Only a file is an object. */
static void found(struct put *p, const struct stat *st)
{
    if (S_ISREG(st->st_mode)) {
        p->a->outcome = OBJ_THERE;
        return;
    }
    obj_file_fail(p->a, EISDIR, "the key is the beginning of others");
}

/* True: there was something, the attempt is filled. */
static bool name_taken(struct put *p)
{
    struct stat st;

    if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    found(p, &st);
    return true;
}

enum linked { LINK_DONE, LINK_FAILED, LINK_UNABLE };

/* Whether an errno says that this file system cannot do such a thing. */
static bool unable(int sys)
{
    return sys == ENOTSUP || sys == EOPNOTSUPP || sys == EISDIR ||
           sys == EINVAL || sys == ENOSYS || sys == EPERM || sys == ENOENT ||
           sys == EXDEV;
}

static enum linked link_failed(struct put *p, int sys)
{
    if (sys == EEXIST) {
        if (!name_taken(p)) /* it went away again */
            p->a->outcome = OBJ_CONFLICT;
        return LINK_FAILED;
    }
    if (unable(sys)) {
        p->a->sent = 0; /* is written once more */
        return LINK_UNABLE;
    }
    obj_file_fail(p->a, sys, "link");
    return LINK_FAILED;
}

/* A file without a name, which vanishes with its writer. */
static enum linked put_nameless(struct put *p)
{
    char proc[40];
    AUTO_FD int fd =
        openat(p->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);

    if (fd < 0 && unable(errno))
        return LINK_UNABLE;
    if (fd < 0) {
        obj_file_fail(p->a, errno, "make a temporary file");
        return LINK_FAILED;
    }
    if (!write_body(p, fd))
        return LINK_FAILED;
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, proc, p->dir, p->name, AT_SYMLINK_FOLLOW) == 0)
        return LINK_DONE;
    return link_failed(p, errno);
}

/* Opens .tmp and a new file in it.  0 or errno. */
static int open_tmp(struct put *p, int *tmp_dir, int *fd, char name[TMP_CHARS])
{
    uint8_t raw[16];
    char hex[2 * sizeof raw + 1];

    if (mkdirat(p->root, OBJ_FILE_TMP, DIR_MODE) < 0 && errno != EEXIST)
        return errno;
    *tmp_dir = openat(p->root, OBJ_FILE_TMP,
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (*tmp_dir < 0)
        return errno;
    if (digest_random(raw, sizeof raw, &p->a->err) < 0)
        return EIO;
    digest_hex(span_of(raw, sizeof raw), hex);
    snprintf(name, TMP_CHARS, TMP_PREFIX "%s.part", hex);
    *fd =
        openat(*tmp_dir, name,
               O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    return *fd >= 0 ? 0 : errno;
}

/* Gives a finished temporary file its name where nothing has it. */
static bool name_fresh(struct put *p, int tmp_dir, const char *tmp, int fd)
{
    struct stat st;

    if (linkat(tmp_dir, tmp, p->dir, p->name, 0) == 0)
        return true;
    int sys = errno;
    /* A network file system may have linked it and lost the answer. */
    if (fstat(fd, &st) == 0 && st.st_nlink == 2)
        return true;
    if (sys != EEXIST && sys != ENOENT && unable(sys)) {
        if (renameat2(tmp_dir, tmp, p->dir, p->name, RENAME_NOREPLACE) == 0)
            return true;
        sys = errno;
    }
    if (link_failed(p, sys) == LINK_UNABLE) {
        p->a->outcome = OBJ_UNABLE;
        p->a->sys = sys;
        snprintf(p->a->message, sizeof p->a->message,
                 "this file system cannot make a file only if it is absent");
    }
    return false;
}

static bool name_over(struct put *p, int tmp_dir, const char *tmp)
{
    if (renameat(tmp_dir, tmp, p->dir, p->name) == 0)
        return true;
    obj_file_fail(p->a, errno, "rename");
    return false;
}

static bool put_named(struct put *p)
{
    char tmp[TMP_CHARS];
    AUTO_FD int tmp_dir = -1;
    AUTO_FD int fd = -1;

    int sys = open_tmp(p, &tmp_dir, &fd, tmp);
    if (sys != 0) {
        obj_file_fail(p->a, sys, "make a temporary file");
        return false;
    }
    bool done = write_body(p, fd) && (p->fresh ? name_fresh(p, tmp_dir, tmp, fd)
                                               : name_over(p, tmp_dir, tmp));
    if (!done || p->fresh)
        (void)unlinkat(tmp_dir, tmp, 0);
    return done;
}

static bool put_body(struct put *p)
{
    if (!p->fresh)
        return put_named(p);
    if (name_taken(p))
        return false;
    if (!atomic_load(&p->file->no_tmpfile)) {
        enum linked l = put_nameless(p);
        if (l != LINK_UNABLE)
            return l == LINK_DONE;
        atomic_store(&p->file->no_tmpfile, true);
    }
    return put_named(p);
}

/* From here on the object is visible: an error must not say that it is not. */
static void finish(struct put *p, struct obj_info *info)
{
    struct stat st;

    int sys = obj_file_fsync_dir(p->dir);
    if (sys != 0) {
        p->a->outcome = OBJ_LOCAL; /* final: a retry would find our own */
        p->a->maybe_done = true;
        err_set(&p->a->err, err_of_errno(sys), sys,
                "stored, but the folder cannot be synced");
        return;
    }
    if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        obj_file_info(&st, info);
    p->a->outcome = OBJ_OK;
}

void obj_file_put(void *self, const struct obj_req *r, struct span body,
                  const struct obj_put_opts *o, struct obj_info *info,
                  struct obj_attempt *a)
{
    struct put p = { .file = self,
                     .req = r,
                     .body = body,
                     .a = a,
                     .dir = -1,
                     .fresh = o->if_absent };

    if (o->lock.mode != OBJ_LOCK_NONE || o->lock.legal_hold) {
        a->outcome = OBJ_UNABLE;
        snprintf(a->message, sizeof a->message, "a directory has no locks");
        return;
    }
    if (!obj_file_key_ok(r->key, a))
        return;
    AUTO_FD int root = obj_file_root(p.file, a);
    if (root < 0)
        return;
    p.root = root;
    int sys = open_dir(&p);
    if (sys == ENOENT) { /* somebody removed a folder that we knew */
        set_known(p.file, NULL);
        sys = open_dir(&p);
    }
    AUTO_FD int dir __attribute__((unused)) = p.dir; /* closes it */
    if (sys != 0)
        obj_file_fail(a, sys,
                      sys == ENOTDIR ? "a part of the key is an object"
                                     : "make the folder");
    else if (put_body(&p))
        finish(&p, info);
    if (a->outcome == OBJ_ABSENT) /* the root went away under us */
        a->outcome = OBJ_NO_BUCKET;
}

static bool is_stale(int dir, const char *name, int64_t now)
{
    struct stat st;

    return strncmp(name, TMP_PREFIX, strlen(TMP_PREFIX)) == 0 &&
           fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && st.st_mtim.tv_sec < now - STALE_S;
}

void obj_file_sweep(const struct obj_file *f)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", f->root, OBJ_FILE_TMP);

    if (n < 0 || (size_t)n >= sizeof path)
        return;
    AUTO_DIR DIR *d = opendir(path);
    if (d == NULL)
        return;
    int64_t now = utc_real_now();
    for (;;) {
        /* A stream of one thread: readdir is safe there. */
        const struct dirent *entry = readdir(d);
        if (entry == NULL)
            return;
        if (is_stale(dirfd(d), entry->d_name, now))
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    }
}
