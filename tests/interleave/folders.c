// SPDX-License-Identifier: Apache-2.0
/* Copying and removing folders of a test. */
#include "tests/interleave/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/auto.h"

static const char *copied_from; /* of the walk that runs */
static char copied_to[PATH_MAX];

static void give_up(const char *what)
{
    perror(what);
    abort();
}

static int copy_file(const char *from, const char *to, const struct stat *st)
{
    AUTO_FD int in = open(from, O_RDONLY | O_CLOEXEC);
    AUTO_FD int out =
        open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 0777);

    if (in < 0 || out < 0)
        return -1;
    for (off_t left = st->st_size; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n <= 0)
            return -1;
        left -= n;
    }
    return 0;
}

static int copy_one(const char *path, const struct stat *st, int type,
                    struct FTW *at)
{
    char to[PATH_MAX];

    (void)at;
    if (snprintf(to, sizeof(to), "%s%s", copied_to,
                 path + strlen(copied_from)) >= (int)sizeof(to))
        return -1;
    return type == FTW_D ? mkdir(to, 0700) : copy_file(path, to, st);
}

void folder_copy(const char *from, const char *to)
{
    struct stat st;

    copied_from = from;
    snprintf(copied_to, sizeof(copied_to), "%s", to);
    folder_remove(to);
    if (stat(from, &st) < 0 && errno == ENOENT)
        return;
    if (nftw(from, copy_one, 16, FTW_PHYS) != 0)
        give_up(from);
}

void folder_put_aside(const char *path)
{
    char aside[PATH_MAX];

    snprintf(aside, sizeof(aside), "%s.dead", path);
    folder_copy(path, aside);
}

void folder_put_back(const char *path)
{
    char aside[PATH_MAX];

    snprintf(aside, sizeof(aside), "%s.dead", path);
    folder_remove(path);
    if (rename(aside, path) < 0 && errno != ENOENT)
        give_up(aside);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        give_up(path);
}
