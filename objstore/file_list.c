// SPDX-License-Identifier: Apache-2.0
/*
 * Listing for the file driver: byte order of keys, one page at a time.  A
 * folder's names are sorted as they appear in keys, folders with their slash
 * ("a-b" and "a.b" come before "a/b"), and walked depth first; that is the
 * order of the keys.  A page continues behind the last key of the one before;
 * whole subtrees before it are skipped by their name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "objstore/file_private.h"

/* The names of one folder, sorted; folders carry their slash. */
struct names {
    char **at;
    size_t n, cap;
};

static void names_free(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
    *l = (struct names){ 0 };
}

/* One folder on the way down. */
struct level {
    struct names names;
    size_t next;     /* index of the name to look at */
    size_t path_len; /* of the folder, slash included; 0: the root */
};

struct walk {
    int root;
    const struct obj_req *req;
    const char *prefix, *after;
    size_t limit;
    struct obj_page *page;
    struct obj_attempt *a;
    struct level *levels;
    size_t depth, cap;
    char path[OBJ_KEY_MAX + NAME_MAX + 3];
    bool full;
};

static void walk_fini(struct walk *w)
{
    while (w->depth > 0)
        names_free(&w->levels[--w->depth].names);
    free(w->levels);
}
#define AUTO_WALK AUTO(walk_fini)

static int fail(struct walk *w, int sys)
{
    obj_file_fail(w->a, sys, "read folder");
    /* Entries that the caller cannot see must not look like an end. */
    if (w->a->outcome == OBJ_ABSENT)
        w->a->outcome = OBJ_UNAVAIL;
    return -1;
}

static int by_bytes(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

static int names_add(struct names *l, const char *name, bool folder)
{
    size_t len = strlen(name);

    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? 2 * l->cap : 64;
        char **more = reallocarray(l->at, cap, sizeof *more);
        if (more == NULL)
            return -1;
        l->at = more;
        l->cap = cap;
    }
    char *copy = malloc(len + 2);
    if (copy == NULL)
        return -1;
    memcpy(copy, name, len);
    copy[len] = '/';
    copy[len + (folder ? 1 : 0)] = '\0';
    l->at[l->n++] = copy;
    return 0;
}

enum what { FOLDER, PLAIN, OTHER };

static enum what what_is(int dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type == DT_DIR)
        return FOLDER;
    if (entry->d_type == DT_REG)
        return PLAIN;
    if (entry->d_type != DT_UNKNOWN ||
        fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return OTHER;
    if (S_ISDIR(st.st_mode))
        return FOLDER;
    return S_ISREG(st.st_mode) ? PLAIN : OTHER;
}

/* Names that are no part of any key. */
static bool is_ours(const struct walk *w, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return true;
    return w->depth == 0 &&
           (strcmp(name, OBJ_FILE_TMP) == 0 || strcmp(name, "lost+found") == 0);
}

static int read_names(struct walk *w, DIR *d, struct names *l)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (entry == NULL && errno != 0)
            return fail(w, errno);
        if (entry == NULL)
            break;
        enum what what =
            is_ours(w, entry->d_name) ? OTHER : what_is(dirfd(d), entry);
        if (what != OTHER && names_add(l, entry->d_name, what == FOLDER) < 0)
            return fail(w, ENOMEM);
    }
    if (l->n > 1)
        qsort(l->at, l->n, sizeof *l->at, by_bytes);
    return 0;
}

/* Goes into the folder w->path[0..len).  One that vanished is empty. */
static int push(struct walk *w, size_t len)
{
    if (w->depth == w->cap) {
        size_t cap = w->cap > 0 ? 2 * w->cap : 8;
        struct level *more = reallocarray(w->levels, cap, sizeof *more);
        if (more == NULL)
            return fail(w, ENOMEM);
        w->levels = more;
        w->cap = cap;
    }
    AUTO_FD int fd = openat(w->root, len > 0 ? w->path : ".",
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && len > 0 ? 0 : fail(w, errno);
    AUTO_DIR DIR *d = fdopendir(fd);
    if (d == NULL)
        return fail(w, errno);
    (void)STEAL_FD(fd);
    struct level *l = &w->levels[w->depth];
    *l = (struct level){ .path_len = len };
    int r = read_names(w, d, &l->names);
    w->depth++;
    return r;
}

/* May a key in the folder w->path (with slash) belong to this page? */
static bool enter_folder(const struct walk *w, size_t len)
{
    size_t prefix_len = strlen(w->prefix);
    size_t common = len < prefix_len ? len : prefix_len;

    if (len > OBJ_KEY_MAX || memcmp(w->path, w->prefix, common) != 0)
        return false;
    return strncmp(w->after, w->path, len) == 0 ||
           strcmp(w->path, w->after) > 0;
}

static int take_file(struct walk *w, size_t len)
{
    struct stat st;
    struct obj_info info;

    if (len > OBJ_KEY_MAX ||
        strncmp(w->path, w->prefix, strlen(w->prefix)) != 0 ||
        strcmp(w->path, w->after) <= 0)
        return 0;
    if (w->page->n == w->limit) {
        w->full = true;
        w->page->next = strdup(w->page->entries[w->limit - 1].key);
        return w->page->next != NULL ? 0 : fail(w, ENOMEM);
    }
    if (fstatat(w->root, w->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(w, errno);
    obj_file_info(&st, &info);
    return obj_page_add(w->page, w->path, &info) ? 0 : fail(w, ENOMEM);
}

/* Looks at one name of the deepest folder. */
static int step(struct walk *w)
{
    struct level *l = &w->levels[w->depth - 1];

    if (l->next == l->names.n) {
        names_free(&l->names);
        w->depth--;
        return 0;
    }
    const char *name = l->names.at[l->next++];
    size_t len = strlen(name);
    if (l->path_len + len >= sizeof w->path)
        return 0;
    memcpy(w->path + l->path_len, name, len + 1);
    len += l->path_len;
    if (w->path[len - 1] != '/')
        return take_file(w, len);
    return enter_folder(w, len) ? push(w, len) : 0;
}

void obj_file_list(void *self, const struct obj_req *r,
                   const struct obj_list_opts *o, struct obj_page *page,
                   struct obj_attempt *a)
{
    if (o->versions) {
        a->outcome = OBJ_UNABLE;
        return;
    }
    AUTO_MEM char *from = STEAL(page->next);
    AUTO_FD int root = obj_file_root(self, a);
    if (root < 0)
        return;
    AUTO_WALK struct walk w = { .root = root,
                                .req = r,
                                .prefix = r->key,
                                .after = "",
                                .limit = o->page > 0 ? o->page : 1000,
                                .page = page,
                                .a = a };
    if (from != NULL)
        w.after = from;
    else if (o->after != NULL)
        w.after = o->after;
    if (push(&w, 0) < 0)
        return;
    while (w.depth > 0 && !w.full) {
        if (cancel_requested(r->cancel)) {
            a->outcome = OBJ_STOPPED;
            return;
        }
        if (step(&w) < 0)
            return;
    }
    a->outcome = OBJ_OK;
}
