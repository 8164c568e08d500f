// SPDX-License-Identifier: Apache-2.0
//
// Walks a machine's folder and tells images from other files.  Guests are
// hostile: what one writes to the first sectors of a raw disk may look like a
// qcow2 header that names any file of the host as its backing file.  So an
// image that only its magic makes one may refer to nothing but files of its
// own machine's folder, and they in turn to nothing else.
#include "engine/source/machine_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/utf8.h"

#define PATH_BYTES_MAX 4096 /* a manifest takes no longer names */

bool eng_scan_extension(const char *name, enum eng_image_format *format,
                        bool *guess, size_t *stem)
{
    static const struct {
        const char *text;
        enum eng_image_format format;
        bool guess;
    } known[] = {
        { ".raw", ENG_IMAGE_RAW, false },
        { ".img", ENG_IMAGE_RAW, true },
        { ".qcow2", ENG_IMAGE_QCOW2, false },
        { ".vmdk", ENG_IMAGE_VMDK, false },
        { ".vhdx", ENG_IMAGE_VHDX, false },
        { ".vdi", ENG_IMAGE_VDI, false },
    };
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash == NULL ? name : slash, '.');

    *stem = strlen(name);
    *guess = true;
    if (dot == NULL || dot == name || dot[-1] == '/')
        return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(dot, known[i].text) != 0)
            continue;
        *format = known[i].format;
        *guess = known[i].guess;
        *stem = (size_t)(dot - name);
        return true;
    }
    return false;
}

int eng_scan_name(const char *what, const char *name, struct err *e)
{
    const uint8_t *p = (const uint8_t *)name;
    size_t left = strlen(name);
    bool bad = false;

    if (left > PATH_BYTES_MAX)
        return err_set(e, ERR_USAGE, 0, "%s has a name of over %d bytes", what,
                       PATH_BYTES_MAX);
    while (left > 0 && !bad) {
        size_t n = utf8_len(p, left);
        bad = n == 0 || utf8_is_control(p, n);
        p += n;
        left -= n;
    }
    if (!bad)
        return 0;
    AUTO_MEM char *shown = strdup(name);
    if (shown == NULL)
        return err_nomem(e);
    utf8_clean(shown, false);
    return err_set(e, ERR_USAGE, 0,
                   "%s '%s': the name is not UTF-8, or has control characters; "
                   "rename it",
                   what, shown);
}

static void found_fini(struct eng_found *f)
{
    free(f->name);
    free(f->path);
    eng_imagehead_fini(&f->head);
}

void eng_scan_fini(struct eng_scan *s)
{
    for (size_t i = 0; i < s->n; i++)
        found_fini(&s->found[i]);
    for (size_t i = 0; i < s->n_folders; i++)
        free(s->folders[i]);
    free(s->folders);
    free(s->found);
    free(s->root);
    *s = (struct eng_scan){ 0 };
}

static int append(struct eng_scan *s, const struct eng_found *f, struct err *e)
{
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 16 : s->cap * 2;
        struct eng_found *more = realloc(s->found, cap * sizeof(*more));
        if (more == NULL)
            return err_nomem(e);
        s->found = more;
        s->cap = cap;
    }
    s->found[s->n++] = *f;
    return 0;
}

/* The extension decides; ".img" and no known one leave it to the magic.  A
 * broken header is of no interest in a raw disk, where the guest may have
 * written anything. */
static int classify(struct eng_found *f, struct span head, struct err *e)
{
    bool guess;
    size_t stem;
    f->image = eng_scan_extension(f->name, &f->format, &guess, &stem);
    if (eng_imagehead_parse(head, &f->head, e) < 0) {
        if (guess || e->kind != ERR_CORRUPT)
            return err_ctx(e, "%s", f->path);
        eng_imagehead_fini(&f->head);
        f->broken = true;
        return 0;
    }
    if (guess && f->head.known) {
        f->image = true;
        f->by_magic = true;
        f->format = f->head.format;
    }
    return 0;
}

static int read_head(int dirfd, const char *entry, struct eng_found *f,
                     struct err *e)
{
    AUTO_MEM uint8_t *head = malloc(ENG_IMAGEHEAD_BYTES);
    if (head == NULL)
        return err_nomem(e);
    AUTO_FD int fd =
        openat(dirfd, entry, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", f->path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_USAGE, 0, "%s: is no regular file", f->path);
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->mode = (uint32_t)st.st_mode & 07777;
    f->size = (uint64_t)st.st_size;
    size_t len =
        f->size < ENG_IMAGEHEAD_BYTES ? (size_t)f->size : ENG_IMAGEHEAD_BYTES;
    if (io_pread_full(fd, head, len, 0, f->path, e) < 0)
        return -1;
    return classify(f, span_of(head, len), e);
}

static int add_file(struct eng_scan *s, int dirfd, const char *entry,
                    const char *name, const char *path, struct err *e)
{
    struct eng_found f = { .name = strdup(name), .path = strdup(path) };
    int r = -1;
    if (f.name == NULL || f.path == NULL)
        err_nomem(e);
    else
        r = read_head(dirfd, entry, &f, e);
    if (r == 0)
        r = append(s, &f, e);
    if (r < 0)
        found_fini(&f);
    return r;
}

static int by_name(const void *a, const void *b)
{
    const struct eng_found *x = a;
    const struct eng_found *y = b;
    return strcmp(x->name, y->name);
}

/* Notes a folder to be read; takes name over, also after an error. */
static int add_folder(struct eng_scan *s, char *name, struct err *e)
{
    AUTO_MEM char *owned = name;
    char **more = name == NULL
                      ? NULL
                      : realloc(s->folders, (s->n_folders + 1) * sizeof(*more));
    if (more == NULL)
        return err_nomem(e);
    s->folders = more;
    s->folders[s->n_folders++] = STEAL(owned);
    return 0;
}

static const char *kind_of(mode_t mode)
{
    if (S_ISLNK(mode))
        return "symbolic link";
    if (S_ISSOCK(mode))
        return "socket";
    return S_ISFIFO(mode) ? "named pipe" : "device";
}

/* folder: relative to the root, "" for the root itself. */
static int read_entry(struct eng_scan *s, int dirfd, const char *entry,
                      const char *folder, struct err *e)
{
    AUTO_MEM char *name =
        folder[0] == '\0' ? strdup(entry) : io_join(folder, entry, e);
    AUTO_MEM char *path = name == NULL ? NULL : io_join(s->root, name, e);
    struct stat st;

    if (path == NULL)
        return err_nomem(e);
    if (eng_scan_name("the entry", name, e) < 0)
        return -1;
    if (fstatat(dirfd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return add_folder(s, STEAL(name), e);
    if (S_ISREG(st.st_mode))
        return add_file(s, dirfd, entry, name, path, e);
    if (s->skip != NULL)
        return err_set(e, ERR_USAGE, 0, "%s: is a %s, which is passed over",
                       path, kind_of(st.st_mode));
    return err_set(e, ERR_USAGE, 0,
                   "%s: is a %s; a machine's folder holds regular files only, "
                   "move it away",
                   path, kind_of(st.st_mode));
}

/* What could not be taken, for the reason in e: passed over, but for images. */
static int pass_over(struct eng_scan *s, const char *entry, struct err *e)
{
    struct err why = *e;
    struct err ignored = { 0 };
    struct eng_found f = { .image = true, .broken = true };
    bool guess;
    size_t stem;

    *e = (struct err){ 0 };
    if (why.kind == ERR_NOMEM) {
        *e = why;
        return -1;
    }
    if (eng_scan_name("the entry", entry, &ignored) < 0) {
        (void)err_ctx(&why, "%s", s->root);
        return s->skip(s->ctx, false, &why, e);
    }
    bool harmless = why.kind == ERR_USAGE || why.kind == ERR_NOTFOUND;
    if (harmless || !eng_scan_extension(entry, &f.format, &guess, &stem))
        return s->skip(s->ctx, harmless, &why, e);
    f.name = strdup(entry);
    f.path = io_join(s->root, entry, e);
    if (f.name != NULL && f.path != NULL && append(s, &f, e) == 0)
        return 0;
    found_fini(&f);
    return err_nomem(e);
}

static int read_folder(struct eng_scan *s, const char *folder, struct err *e)
{
    AUTO_MEM char *path =
        folder[0] == '\0' ? strdup(s->root) : io_join(s->root, folder, e);
    if (path == NULL)
        return err_nomem(e);
    AUTO_FD int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
    AUTO_DIR DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL)
        return err_set(e, err_of_errno(errno), errno, "%s", path);
    int dirfd = STEAL_FD(fd); /* now d's */
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (entry == NULL && errno != 0)
            return err_set(e, ERR_IO, errno, "%s", path);
        if (entry == NULL)
            return 0;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (read_entry(s, dirfd, entry->d_name, folder, e) < 0 &&
            (s->skip == NULL || pass_over(s, entry->d_name, e) < 0))
            return -1;
    }
}

static int read_folders(struct eng_scan *s, struct err *e)
{
    if (add_folder(s, strdup(""), e) < 0)
        return -1;
    while (s->n_folders > 0) {
        AUTO_MEM char *folder = s->folders[--s->n_folders];
        if (read_folder(s, folder, e) < 0)
            return -1;
    }
    return 0;
}

/* What the reference `ref` of f stands for: one of the files found, or NULL
 * where it is none of them. */
static struct eng_found *resolve(struct eng_scan *s, const struct eng_found *f,
                                 const char *ref, struct err *e)
{
    struct stat st;
    if (strncmp(ref, "file:", 5) == 0)
        ref += 5;
    /* QEMU takes what stands before a colon for a protocol. */
    size_t plain = strcspn(ref, ":/");
    if (ref[plain] == ':')
        return NULL;
    AUTO_MEM char *path = NULL;
    if (ref[0] == '/') {
        path = strdup(ref);
    } else {
        int folder = (int)(strrchr(f->path, '/') - f->path);
        path = io_format(e, "%.*s/%s", folder, f->path, ref);
    }
    if (path == NULL) {
        err_nomem(e);
        return NULL;
    }
    if (stat(path, &st) < 0)
        return NULL; /* QEMU will say so when it opens the image */
    for (size_t i = 0; i < s->n; i++)
        if (s->found[i].dev == st.st_dev && s->found[i].ino == st.st_ino)
            return &s->found[i];
    return NULL;
}

static int leaves(const struct eng_found *top, const char *ref, struct err *e)
{
    const char *format = eng_image_format_name(top->format);
    return err_set(e, ERR_USAGE, 0,
                   "%s: its content is that of a %s image which needs '%s', "
                   "not in its folder, and its name is not; rename it to .%s "
                   "if that is right, or to .raw if it is a raw disk whose "
                   "machine writes such things",
                   top->path, format, ref, format);
}

/* top, and what it refers to, and so on, stays within the files found.  Each
 * file is looked at once (seen), so circles end. */
static int check_within(struct eng_scan *s, struct eng_found *top,
                        struct err *e)
{
    size_t stamp = (size_t)(top - s->found) + 1;
    AUTO_MEM struct eng_found **todo = calloc(s->n, sizeof(struct eng_found *));
    size_t n = 1;
    if (todo == NULL)
        return err_nomem(e);
    todo[0] = top;
    top->seen = stamp;
    while (n > 0) {
        const struct eng_found *f = todo[--n];
        for (size_t i = 0; i < f->head.n_refs; i++) {
            struct eng_found *to = resolve(s, f, f->head.refs[i], e);
            if (e->kind != ERR_NONE)
                return -1;
            if (to == NULL || to->broken)
                return leaves(top, f->head.refs[i], e);
            if (to->seen == stamp)
                continue;
            to->seen = stamp;
            todo[n++] = to;
        }
    }
    return 0;
}

static int relate(struct eng_scan *s, struct err *e)
{
    /* resolve has no other way to say "no memory" than e. */
    *e = (struct err){ 0 };
    for (size_t i = 0; i < s->n; i++) {
        struct eng_found *f = &s->found[i];
        if (!f->image || !f->head.known || f->format != f->head.format)
            continue;
        if (f->by_magic && s->skip != NULL)
            continue;
        if (f->by_magic && check_within(s, f, e) < 0)
            return -1;
        for (size_t k = 0; k < f->head.n_refs; k++) {
            struct eng_found *to = resolve(s, f, f->head.refs[k], e);
            if (e->kind != ERR_NONE)
                return -1;
            if (to != NULL && to != f)
                to->part = true;
        }
    }
    return 0;
}

static int set_root(struct eng_scan *s, const char *root, struct err *e)
{
    s->root = strdup(root);
    return s->root == NULL ? err_nomem(e) : 0;
}

static int in_order(struct eng_scan *s, struct err *e)
{
    if (s->n > 1)
        qsort(s->found, s->n, sizeof(*s->found), by_name);
    return relate(s, e);
}

int eng_scan_folder(struct eng_scan *s, const char *root, struct err *e)
{
    if (set_root(s, root, e) < 0 || read_folders(s, e) < 0)
        return -1;
    return in_order(s, e);
}

int eng_scan_level(struct eng_scan *s, const char *root, struct err *e)
{
    if (set_root(s, root, e) < 0 || read_folder(s, "", e) < 0)
        return -1;
    return in_order(s, e);
}

int eng_scan_file(struct eng_scan *s, const char *path, struct err *e)
{
    const char *name = strrchr(path, '/') + 1;
    if (add_file(s, AT_FDCWD, path, name, path, e) < 0)
        return -1;
    return relate(s, e);
}
