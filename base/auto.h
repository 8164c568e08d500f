// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

/* Scope clean-up: a local that owns something carries AUTO_*, starts as NULL
 * (or -1), and gives ownership away through STEAL. */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(fn) __attribute__((cleanup(fn)))

static inline void auto_mem_freep(void *p)
{
    void **at = p;
    free(*at);
    *at = NULL;
}
#define AUTO_MEM AUTO(auto_mem_freep)

static inline void auto_fd_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
#define AUTO_FD AUTO(auto_fd_closep)

static inline void auto_dir_closep(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
    *d = NULL;
}
#define AUTO_DIR AUTO(auto_dir_closep)

/* Ownership moves out: yields p and sets p to NULL. */
#define STEAL(p)                                                               \
    __extension__({                                                            \
        __typeof__(p) steal_ = (p);                                            \
        (p) = NULL;                                                            \
        steal_;                                                                \
    })

/* The same for a file descriptor: yields it and leaves -1. */
#define STEAL_FD(fd)                                                           \
    __extension__({                                                            \
        int steal_ = (fd);                                                     \
        (fd) = -1;                                                             \
        steal_;                                                                \
    })

#endif
