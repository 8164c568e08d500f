// SPDX-License-Identifier: Apache-2.0
/*
 * Driver `file`: a directory that behaves like a bucket without versions and
 * without locks.  An object is a file, named by its key; it becomes visible at
 * once and whole, or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/utc.h"
#include "objstore/file_private.h"

/* A token is looked at between pieces of this size. */
#define PIECE_BYTES ((size_t)4 << 20)

void obj_file_fail(struct obj_attempt *a, int sys, const char *what)
{
    a->sys = sys;
    snprintf(a->message, sizeof a->message, "%s", what);
    switch (sys) {
    case ENOENT:
        a->outcome = OBJ_ABSENT;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        a->outcome = OBJ_FORBIDDEN;
        break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        a->outcome = OBJ_NO_SPACE;
        break;
    case ESTALE:
    case ETIMEDOUT:
        a->outcome = OBJ_UNAVAIL;
        break;
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
        a->outcome = OBJ_REJECTED;
        break;
    default:
        a->outcome = OBJ_LOCAL;
        err_set(&a->err, err_of_errno(sys), sys, "%s", what);
        break;
    }
}

int obj_file_root(const struct obj_file *f, struct obj_attempt *a)
{
    int fd = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    a->server_time = utc_real_now();
    if (fd >= 0)
        return fd;
    obj_file_fail(a, errno, f->root);
    if (a->sys == ENOENT || a->sys == ENOTDIR)
        a->outcome = OBJ_NO_BUCKET;
    return -1;
}

bool obj_file_key_ok(const char *key, struct obj_attempt *a)
{
    size_t first = strcspn(key, "/");

    if (first != strlen(OBJ_FILE_TMP) || memcmp(key, OBJ_FILE_TMP, first) != 0)
        return true;
    a->outcome = OBJ_REJECTED;
    snprintf(a->message, sizeof a->message, "names below %s are reserved",
             OBJ_FILE_TMP);
    return false;
}

static bool version_ok(const struct obj_req *r, struct obj_attempt *a)
{
    if (r->version == NULL || r->version[0] == '\0')
        return true;
    a->outcome = OBJ_UNABLE;
    snprintf(a->message, sizeof a->message, "a directory keeps no versions");
    return false;
}

/* The checks of every call about one object; the root's descriptor, or -1. */
static int enter(const struct obj_file *f, const struct obj_req *r,
                 struct obj_attempt *a)
{
    if (!version_ok(r, a) || !obj_file_key_ok(r->key, a))
        return -1;
    return obj_file_root(f, a);
}

void obj_file_info(const struct stat *st, struct obj_info *info)
{
    *info = (struct obj_info){
        .size = (uint64_t)st->st_size,
        .modified = st->st_mtim.tv_sec,
        .server_time = utc_real_now(),
        .latest = true,
    };
    snprintf(info->etag, sizeof info->etag, "%llx-%llx-%llx%08lx",
             (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
             (unsigned long long)st->st_mtim.tv_sec,
             (unsigned long)st->st_mtim.tv_nsec);
}

/* A folder or a part of the path that is a file: no such object. */
static void fail_lookup(struct obj_attempt *a, int sys, const char *what)
{
    obj_file_fail(a, sys, what);
    if (sys == ENOTDIR || sys == EISDIR || sys == ELOOP)
        a->outcome = OBJ_ABSENT;
    if (a->outcome == OBJ_ABSENT) {
        a->sys = 0;
        a->message[0] = '\0';
    }
}

static void file_head(void *self, const struct obj_req *r,
                      struct obj_info *info, struct obj_attempt *a)
{
    struct stat st;
    AUTO_FD int root = enter(self, r, a);

    if (root < 0)
        return;
    if (fstatat(root, r->key, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        fail_lookup(a, errno, "look up");
        return;
    }
    if (!S_ISREG(st.st_mode)) {
        a->outcome = OBJ_ABSENT;
        return;
    }
    obj_file_info(&st, info);
    a->outcome = OBJ_OK;
}

/* What of the file was asked for.  False: behind its end. */
static bool clip(const struct obj_range *range, uint64_t size, uint64_t *offset,
                 uint64_t *len, struct obj_attempt *a)
{
    *offset = range != NULL ? range->offset : 0;
    *len = range != NULL ? range->len : 0;
    if (*offset > 0 && *offset >= size) {
        a->outcome = OBJ_REJECTED;
        snprintf(a->code, sizeof a->code, "InvalidRange");
        return false;
    }
    if (*len == 0 || *len > size - *offset)
        *len = size - *offset;
    return true;
}

static void read_body(int fd, const struct obj_req *r, uint64_t offset,
                      uint64_t len, struct buf *out, struct obj_attempt *a)
{
    /* All at once: growing by doubling would take twice the memory. */
    if (buf_reserve(out, len <= SIZE_MAX ? (size_t)len : SIZE_MAX) == NULL) {
        a->outcome = OBJ_LOCAL;
        if (buf_check(out, &a->err) == 0)
            err_nomem(&a->err);
        return;
    }
    while (len > 0) {
        size_t piece = len < PIECE_BYTES ? (size_t)len : PIECE_BYTES;
        uint8_t *to = out->p + out->len;
        if (cancel_requested(r->cancel)) {
            a->outcome = OBJ_STOPPED;
            return;
        }
        if (io_pread_full(fd, to, piece, offset, r->key, &a->err) < 0) {
            /* The disk cannot read it, or the file ends before its length. */
            a->outcome = a->err.sys == EIO || a->err.sys == 0 ? OBJ_UNREADABLE
                                                              : OBJ_LOCAL;
            a->sys = a->err.sys;
            return;
        }
        out->len += piece;
        offset += piece;
        len -= piece;
        a->received += piece;
    }
    a->outcome = OBJ_OK;
}

static void file_get(void *self, const struct obj_req *r,
                     const struct obj_range *range, struct buf *out,
                     struct obj_info *info, struct obj_attempt *a)
{
    struct stat st;
    uint64_t offset = 0;
    uint64_t len = 0;
    AUTO_FD int root = enter(self, r, a);

    if (root < 0)
        return;
    AUTO_FD int fd =
        openat(root, r->key, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        fail_lookup(a, errno, "open");
        return;
    }
    if (!S_ISREG(st.st_mode)) {
        a->outcome = OBJ_ABSENT;
        return;
    }
    if (!clip(range, (uint64_t)st.st_size, &offset, &len, a))
        return;
    obj_file_info(&st, info);
    read_body(fd, r, offset, len, out, a);
}

int obj_file_fsync_dir(int fd)
{
    if (fsync(fd) == 0)
        return 0;
    /* Some network file systems cannot, and make entries durable themselves. */
    return errno == EINVAL || errno == ENOTSUP || errno == ENOSYS ? 0 : errno;
}

/* Unlinks one name; the folder is left, since another writer may be about to
 * put into it.  0 or errno; what is not there is fine. */
static int unlink_one(int root, const char *key)
{
    if (unlinkat(root, key, 0) == 0)
        return 0;
    return errno == ENOENT || errno == ENOTDIR || errno == EISDIR ? 0 : errno;
}

/* Makes the loss of entries in key's folder durable. */
static int fsync_parent(int root, const char *key)
{
    char dir[OBJ_KEY_MAX + 1];
    const char *slash = strrchr(key, '/');
    size_t len = slash != NULL ? (size_t)(slash - key) : 0;

    memcpy(dir, key, len);
    dir[len] = '\0';
    AUTO_FD int fd =
        openat(root, len > 0 ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
    return obj_file_fsync_dir(fd);
}

static void file_remove(void *self, const struct obj_req *r, bool bypass,
                        struct obj_attempt *a)
{
    (void)bypass;
    AUTO_FD int root = enter(self, r, a);

    if (root < 0)
        return;
    int sys = unlink_one(root, r->key);
    if (sys == 0)
        sys = fsync_parent(root, r->key);
    if (sys != 0)
        obj_file_fail(a, sys, "remove");
    else
        a->outcome = OBJ_OK;
}

static bool same_parent(const char *a, const char *b)
{
    const char *sa = strrchr(a, '/');
    const char *sb = strrchr(b, '/');
    size_t la = sa != NULL ? (size_t)(sa - a) : 0;
    size_t lb = sb != NULL ? (size_t)(sb - b) : 0;

    return la == lb && memcmp(a, b, la) == 0;
}

static enum err_kind remove_named(int root, const struct obj_name *name)
{
    struct obj_attempt a = { 0 };

    if (name->version != NULL && name->version[0] != '\0')
        return ERR_UNSUPPORTED;
    if (!obj_file_key_ok(name->key, &a))
        return ERR_USAGE;
    int sys = unlink_one(root, name->key);
    return sys == 0 ? ERR_NONE : err_of_errno(sys);
}

/* A folder is synced once for a stretch of names in it. */
static void file_remove_many(void *self, const struct obj_req *r,
                             struct obj_name *names, size_t n, bool bypass,
                             struct obj_attempt *a)
{
    (void)bypass;
    AUTO_FD int root = obj_file_root(self, a);

    if (root < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (cancel_requested(r->cancel)) {
            a->outcome = OBJ_STOPPED;
            return;
        }
        names[i].result = remove_named(root, &names[i]);
        if (i + 1 < n && same_parent(names[i].key, names[i + 1].key))
            continue;
        int sys = fsync_parent(root, names[i].key);
        if (sys != 0) {
            obj_file_fail(a, sys, "fsync after removal");
            return;
        }
    }
    a->outcome = OBJ_OK;
}

static void file_get_lock(void *self, const struct obj_req *r,
                          struct obj_lock *lock, struct obj_attempt *a)
{
    struct obj_info info;

    file_head(self, r, &info, a);
    *lock = (struct obj_lock){ .mode = OBJ_LOCK_NONE };
}

static void file_bucket_info(void *self, const struct obj_req *r,
                             struct obj_bucket *b, struct obj_attempt *a)
{
    (void)r;
    AUTO_FD int root = obj_file_root(self, a);

    if (root < 0)
        return;
    *b = (struct obj_bucket){ .versioning = OBJ_VERSIONS_NEVER,
                              .server_time = a->server_time };
    a->outcome = OBJ_OK;
}

/* Makes the root and what is missing above it, durably. */
static int make_root(const char *root, struct err *e)
{
    struct stat st;
    size_t len = strlen(root);

    AUTO_MEM char *path = strdup(root);
    if (path == NULL)
        return err_nomem(e);
    /* The longest part that is there already. */
    while (len > 1 && stat(path, &st) < 0 && errno == ENOENT) {
        while (len > 1 && path[len - 1] != '/')
            path[--len] = '\0';
        while (len > 1 && path[len - 1] == '/')
            path[--len] = '\0';
    }
    if (io_mkdirs(root, 0700, e) < 0)
        return -1;
    /* From there down: each folder that got a new entry. */
    while (len < strlen(root)) {
        if (io_fsync_dir(path, e) < 0)
            return -1;
        len += strspn(root + len, "/");
        len += strcspn(root + len, "/");
        memcpy(path, root, len);
        path[len] = '\0';
        if (root[len + strspn(root + len, "/")] == '\0')
            break;
    }
    return 0;
}

static void file_bucket_create(void *self, const struct obj_req *r,
                               bool object_lock, struct obj_attempt *a)
{
    const struct obj_file *f = self;

    (void)r;
    if (object_lock) {
        a->outcome = OBJ_UNABLE;
        snprintf(a->message, sizeof a->message,
                 "a directory has no object lock");
        return;
    }
    if (make_root(f->root, &a->err) < 0) {
        a->outcome = OBJ_LOCAL;
        return;
    }
    AUTO_FD int root = obj_file_root(f, a);
    if (root >= 0)
        a->outcome = OBJ_OK;
}

static void file_close(void *self)
{
    struct obj_file *f = self;

    for (size_t i = 0; i < OBJ_FILE_DIRS; i++)
        free(f->dirs.known[i]);
    pthread_mutex_destroy(&f->dirs.lock);
    free(f->root);
    free(f);
}

/* A folder that is not there is no error yet: bucket_create may make it. */
static void *file_open(const struct obj_config *c, char **name_out,
                       struct err *e)
{
    if (c->path == NULL || c->path[0] != '/') {
        err_set(e, ERR_CONFIG, 0, "directory \"%s\" is not an absolute path",
                c->path != NULL ? c->path : "");
        return NULL;
    }
    struct obj_file *f = calloc(1, sizeof *f);
    if (f == NULL || pthread_mutex_init(&f->dirs.lock, NULL) != 0) {
        free(f);
        err_nomem(e);
        return NULL;
    }
    f->root = strdup(c->path);
    *name_out = io_format(e, "file://%s", c->path);
    if (f->root == NULL || *name_out == NULL) {
        free(*name_out);
        *name_out = NULL;
        file_close(f);
        err_nomem(e);
        return NULL;
    }
    obj_file_sweep(f);
    return f;
}

const struct obj_driver obj_file_driver = {
    .name = "file",
    .open = file_open,
    .close = file_close,
    .put = obj_file_put,
    .get = file_get,
    .head = file_head,
    .list = obj_file_list,
    .remove = file_remove,
    .remove_many = file_remove_many,
    .get_lock = file_get_lock,
    .bucket_info = file_bucket_info,
    .bucket_create = file_bucket_create,
};
