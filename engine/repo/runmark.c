// SPDX-License-Identifier: Apache-2.0
/* Marks of runs: `run-<hex>` files, locked as long as their run lives. */
#include "engine/repo/runmark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/io.h"

#define PREFIX "run-"
#define FRESH "new-" /* not yet locked: nobody may take it for dead */

/* Opens and locks the mark `name`: its fd, or -1 where its run lives (or it
 * went away meanwhile). */
static int lock_dead(int dir, const char *name)
{
    AUTO_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -1;
    return STEAL_FD(fd);
}

/* Calls for every killed run's mark: counts them, and with `bury` removes
 * them. */
static size_t each_dead(const char *path, bool bury)
{
    AUTO_DIR DIR *d = opendir(path);
    size_t n = 0;

    if (d == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        AUTO_FD int fd = lock_dead(dirfd(d), entry->d_name);
        if (fd < 0)
            continue;
        n++;
        if (bury)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    return n;
}

/* Makes the file, locks it, and only then gives it the name that others look
 * for. */
static int leave_mark(struct eng_runmark *m, struct err *e)
{
    uint8_t random[8];
    char hex[2 * sizeof(random) + 1];

    if (digest_random(random, sizeof(random), e) < 0)
        return -1;
    digest_hex(span_of(random, sizeof(random)), hex);
    AUTO_MEM char *fresh = io_format(e, "%s/" FRESH "%s", m->dir, hex);
    AUTO_MEM char *path = io_format(e, "%s/" PREFIX "%s", m->dir, hex);
    if (fresh == NULL || path == NULL)
        return -1;
    AUTO_FD int fd =
        open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)0600);
    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", fresh);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || rename(fresh, path) < 0) {
        err_set(e, err_of_errno(errno), errno, "%s", fresh);
        unlink(fresh);
        return -1;
    }
    m->fd = STEAL_FD(fd);
    m->path = STEAL(path);
    return 0;
}

int eng_runmark_begin(struct eng_runmark *m, const char *dir, struct err *e)
{
    *m = (struct eng_runmark){ .fd = -1 };
    m->dir = strdup(dir);
    if (m->dir == NULL)
        return err_nomem(e);
    m->dead = each_dead(dir, false);
    if (leave_mark(m, e) == 0)
        return 0;
    eng_runmark_end(m, true);
    return -1;
}

void eng_runmark_bury(struct eng_runmark *m)
{
    if (m->dead > 0)
        each_dead(m->dir, true);
    m->dead = 0;
}

void eng_runmark_end(struct eng_runmark *m, bool clean)
{
    if (m->path != NULL) {
        if (clean)
            unlink(m->path);
        close(m->fd);
    }
    free(m->path);
    free(m->dir);
    *m = (struct eng_runmark){ .fd = -1 };
}
