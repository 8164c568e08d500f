// SPDX-License-Identifier: Apache-2.0
// Private to engine/restore/: the kinds of targets behind one table of
// functions, and the partial file that two of them write.
#ifndef ENGINE_RESTORE_TARGET_IMPL_H
#define ENGINE_RESTORE_TARGET_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/restore/target.h"

/* The caller has checked that ranges lie within the size and are not empty. */
struct eng_target_ops {
    int (*write)(struct eng_target *t, const struct cancel *c, uint64_t offset,
                 struct span data, struct err *e);
    int (*zero)(struct eng_target *t, const struct cancel *c, uint64_t offset,
                uint64_t len, struct err *e);
    int (*commit)(struct eng_target *t, struct err *e);
    void (*close)(struct eng_target *t); /* frees t itself */
};

/* The first member of each kind. */
struct eng_target {
    const struct eng_target_ops *ops;
    char *path; /* owned */
    uint64_t size;
};

/* Fills what all kinds have; -1: ERR_NOMEM. */
int eng_target_init(struct eng_target *t, const struct eng_target_ops *ops,
                    const struct eng_target_opts *o, struct err *e)
    __attribute__((warn_unused_result));

struct eng_target *eng_target_file_open(const struct eng_target_opts *o,
                                        struct err *e);
struct eng_target *eng_target_device_open(const struct eng_target_opts *o,
                                          struct err *e);
struct eng_target *eng_target_pipe_open(const struct eng_target_opts *o,
                                        struct err *e);
struct eng_target *eng_target_nbd_open(const struct eng_target_opts *o,
                                       struct err *e);

/* The next piece of data that is not zero, in steps of `grain` bytes counted
 * from offset 0 of the target: [*start, *end) within data.  False: none left.
 * *end is where the last piece ended; begin with 0. */
bool eng_target_next_run(struct span data, uint64_t offset, uint32_t grain,
                         size_t *start, size_t *end);

/* A file or device that is written past the page cache where it can be.  Any
 * thread; a page must lie within one write. */
struct eng_target_direct {
    int fd;              /* through the cache; borrowed */
    int direct;          /* past it; -1: refused at once */
    atomic_bool refused; /* by a write: not tried again */
};

/* fd stays the caller's and open.  A file system that knows no O_DIRECT is no
 * error: all goes through fd then. */
void eng_target_direct_open(struct eng_target_direct *d, int fd);
void eng_target_direct_close(struct eng_target_direct *d);

/* Writes all of data; what did not go past the cache is in it, so the caller
 * makes both durable with fsync(fd).  ERR_FULL and others name path. */
int eng_target_direct_write(struct eng_target_direct *d, struct span data,
                            uint64_t offset, const char *path, struct err *e)
    __attribute__((warn_unused_result));

/* "<path>.objvault-part", ours by a lock. */
struct eng_target_part {
    char *final; /* the name it will get */
    char *part;
    int fd; /* read and write */
    uint32_t mode;
    bool force;
};

/* Makes the file, or replaces one that an interrupted restore left.
 * ERR_BUSY: another restore is writing it. */
int eng_target_part_open(struct eng_target_part *p,
                         const struct eng_target_opts *o, struct err *e)
    __attribute__((warn_unused_result));

/* Durable, with its mode and its final name. */
int eng_target_part_commit(struct eng_target_part *p, struct err *e)
    __attribute__((warn_unused_result));

/* Removes it, unless it was committed. */
void eng_target_part_close(struct eng_target_part *p);

#endif
