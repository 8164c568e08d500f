// SPDX-License-Identifier: Apache-2.0
//
// Makes a machine from what a path holds: one image, one device, or a folder
// whose images are its disks.
#include "engine/source/machine.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/source/machine_scan.h"

void eng_machine_free(struct eng_machine *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_disks; i++) {
        free(m->disks[i].name);
        free(m->disks[i].path);
    }
    for (size_t i = 0; i < m->n_files; i++) {
        free(m->files[i].name);
        free(m->files[i].path);
        free(m->files[i].text);
    }
    free(m->disks);
    free(m->files);
    free(m->name);
    free(m->source);
    free(m);
}

static int set_names(struct eng_machine *m, const char *kind, const char *path,
                     size_t stem, struct err *e)
{
    const char *base = strrchr(path, '/') + 1;
    m->name = strndup(base, stem);
    m->source = io_format(e, "%s:%s", kind, path);
    if (m->name == NULL || m->source == NULL)
        return err_nomem(e);
    if (m->name[0] == '\0')
        return err_set(e, ERR_USAGE, 0, "%s: is no machine's folder", path);
    return eng_scan_name("the path", path, e);
}

static int add_disk(struct eng_machine *m, const char *name, const char *path,
                    enum eng_image_format format, struct err *e)
{
    struct eng_machine_disk *d = &m->disks[m->n_disks++];
    d->name = strdup(name);
    d->path = strdup(path);
    d->format = format;
    return d->name == NULL || d->path == NULL ? err_nomem(e) : 0;
}

static int add_file(struct eng_machine *m, const struct eng_found *f,
                    struct err *e)
{
    struct eng_machine_file *to = &m->files[m->n_files++];
    to->name = strdup(f->name);
    to->path = strdup(f->path);
    to->mode = f->mode;
    to->size = f->size;
    return to->name == NULL || to->path == NULL ? err_nomem(e) : 0;
}

static int make_room(struct eng_machine *m, size_t n, struct err *e)
{
    m->disks = calloc(n + 1, sizeof(*m->disks));
    m->files = calloc(n + 1, sizeof(*m->files));
    return m->disks == NULL || m->files == NULL ? err_nomem(e) : 0;
}

static int from_folder(struct eng_machine *m, const char *path, struct err *e)
{
    AUTO_ENG_SCAN struct eng_scan s = { 0 };
    if (set_names(m, "dir", path, strlen(path), e) < 0 ||
        eng_scan_folder(&s, path, e) < 0 || make_room(m, s.n, e) < 0)
        return -1;
    for (size_t i = 0; i < s.n; i++) {
        const struct eng_found *f = &s.found[i];
        if (f->part)
            continue;
        /* A plain file is read without locks, so this must not become one. */
        if (f->image && strchr(f->name, '/') != NULL)
            return err_set(e, ERR_USAGE, 0,
                           "%s: is an image in a subfolder; a machine's disks "
                           "lie in its folder itself",
                           f->path);
        int r = f->image ? add_disk(m, f->name, f->path, f->format, e)
                         : add_file(m, f, e);
        if (r < 0)
            return -1;
    }
    if (m->n_disks == 0)
        return err_set(e, ERR_USAGE, 0,
                       "%s: holds no disk image (raw, img, qcow2, vmdk, vhdx, "
                       "vdi)",
                       path);
    return 0;
}

static int from_file(struct eng_machine *m, const char *path, struct err *e)
{
    AUTO_ENG_SCAN struct eng_scan s = { 0 };
    const char *base = strrchr(path, '/') + 1;
    enum eng_image_format format;
    bool guess;
    size_t stem;

    (void)eng_scan_extension(base, &format, &guess, &stem);
    if (set_names(m, "file", path, stem, e) < 0 ||
        eng_scan_file(&s, path, e) < 0 || make_room(m, 1, e) < 0)
        return -1;
    if (!s.found[0].image)
        return err_set(e, ERR_USAGE, 0,
                       "%s: neither its name (raw, img, qcow2, vmdk, vhdx, "
                       "vdi) nor its content is that of a disk image; rename "
                       "it to .raw if it is a raw disk",
                       path);
    return add_disk(m, base, path, s.found[0].format, e);
}

/* The number of a device changes from boot to boot, so the machine goes by the
 * name that was given (/dev/vg/web1). */
static int from_device(struct eng_machine *m, const char *given,
                       const char *device, struct err *e)
{
    const char *slash = strrchr(given, '/');
    AUTO_MEM char *folder = slash == NULL ? strdup(".")
                            : slash == given
                                ? strdup("/")
                                : strndup(given, (size_t)(slash - given));
    AUTO_MEM char *real = folder == NULL ? NULL : realpath(folder, NULL);
    if (real == NULL)
        return err_set(e, err_of_errno(errno), errno, "%s", given);
    AUTO_MEM char *named = io_join(real, slash == NULL ? given : slash + 1, e);
    if (named == NULL)
        return -1;
    const char *base = strrchr(named, '/') + 1;
    if (set_names(m, "file", named, strlen(base), e) < 0 ||
        make_room(m, 1, e) < 0)
        return -1;
    return add_disk(m, base, device, ENG_IMAGE_RAW, e);
}

struct eng_machine *eng_machine_scan(const char *path, struct err *e)
{
    AUTO_ENG_MACHINE struct eng_machine *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        err_nomem(e);
        return NULL;
    }
    AUTO_MEM char *real = realpath(path, NULL);
    struct stat st;
    if (real == NULL || stat(real, &st) < 0) {
        err_set(e, err_of_errno(errno), errno, "%s", path);
        return NULL;
    }
    int r;
    if (S_ISDIR(st.st_mode))
        r = from_folder(m, real, e);
    else if (S_ISREG(st.st_mode))
        r = from_file(m, real, e);
    else if (S_ISBLK(st.st_mode))
        r = from_device(m, path, real, e);
    else
        r = err_set(e, ERR_USAGE, 0,
                    "%s: is neither an image, a block device nor a folder",
                    path);
    if (r < 0)
        return NULL;
    return STEAL(m);
}
