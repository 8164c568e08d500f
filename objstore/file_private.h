// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_FILE_PRIVATE_H
#define OBJSTORE_FILE_PRIVATE_H

/* Private to the file driver (file.c, file_put.c, file_list.c). */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "objstore/driver.h"

/* Unfinished files live here, directly below the root; no key begins with it,
 * no listing shows it. */
#define OBJ_FILE_TMP ".tmp"

#define OBJ_FILE_DIRS 1024 /* a power of two */

struct obj_file {
    char *root;
    atomic_bool no_tmpfile; /* O_TMPFILE does not work here: learned */
    struct {
        pthread_mutex_t lock;
        /* Folders that are known to be there and durable, by hash; a newer
         * name takes the place of an older one.  Guarded, owned. */
        char *known[OBJ_FILE_DIRS];
    } dirs;
};

/* The root folder, opened for one call.  -1: a is filled. */
int obj_file_root(const struct obj_file *f, struct obj_attempt *a);

/* Fills a from an errno; what: "fsync", for the text. */
void obj_file_fail(struct obj_attempt *a, int sys, const char *what);

void obj_file_info(const struct stat *st, struct obj_info *info);

/* False, with a filled: the driver keeps this name for itself. */
bool obj_file_key_ok(const char *key, struct obj_attempt *a);

int obj_file_fsync_dir(int fd); /* 0 or errno; quiet where it cannot be done */

/* file_put.c */
void obj_file_put(void *self, const struct obj_req *r, struct span body,
                  const struct obj_put_opts *o, struct obj_info *info,
                  struct obj_attempt *a);

/* Removes what dead writers left more than a day ago. */
void obj_file_sweep(const struct obj_file *f);

/* file_list.c */
void obj_file_list(void *self, const struct obj_req *r,
                   const struct obj_list_opts *o, struct obj_page *page,
                   struct obj_attempt *a);

#endif
