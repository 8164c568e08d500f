// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RESTORE_TARGET_H
#define ENGINE_RESTORE_TARGET_H

/*
 * Where a restore writes to: a new file (raw or qcow2), a block device, or
 * stdout.  A file is written as "<path>.objvault-part", made durable and
 * renamed by commit; nothing under the final name is ever incomplete.  Zeros
 * become holes at a granularity of 4 KiB in files and 64 KiB (a cluster) in
 * qcow2, zeroed ranges on devices, bytes on stdout.  A qcow2 image has whole
 * sectors: its size is rounded up to 512 bytes.
 *
 * Raw files and devices are written past the page cache (O_DIRECT) where they
 * allow it.  Nothing is allocated beforehand: on ext4 that made direct writes
 * no cheaper, and it would fill the holes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/span.h"

enum eng_target_format { ENG_TARGET_RAW, ENG_TARGET_QCOW2 };

struct eng_target_opts {
    const char *path; /* "-": stdout */
    enum eng_target_format format;
    uint64_t size;    /* bytes */
    uint32_t mode;    /* rwx bits of a new file; 0: 0600 */
    bool force;       /* replace an existing file; write to a device with
                         content */
    unsigned writers; /* how many threads will write */
};

struct eng_target;

/* ERR_EXISTS: the path is there and force is not set (the file is untouched);
 * also for a block device, which always needs force.  ERR_FULL: a device that
 * is too small.  ERR_BUSY: a device in use, an image that a running QEMU holds
 * for writing, a partial file of another restore.  ERR_UNSUPPORTED: no QEMU
 * tools for qcow2; their server ends with the calling thread, which therefore
 * outlives the writers. */
struct eng_target *eng_target_open(const struct eng_target_opts *o,
                                   struct err *e);

/* Memory that begins at a multiple of this can be written past the page
 * cache.  It is what the strictest devices ask for. */
#define ENG_TARGET_ALIGN 4096

/* Writes data at offset, in any order, from any of the writers; each range
 * once, and no page of ENG_TARGET_ALIGN bytes in two calls.  stdout: ranges
 * must cover [0, size) without gaps, and a call waits (until cancelled) for its
 * turn.  ERR_FULL names the target. */
int eng_target_write(struct eng_target *t, const struct cancel *c,
                     uint64_t offset, struct span data, struct err *e)
    __attribute__((warn_unused_result));

/* The same for len zero bytes. */
int eng_target_zero(struct eng_target *t, const struct cancel *c,
                    uint64_t offset, uint64_t len, struct err *e)
    __attribute__((warn_unused_result));

/* Makes everything durable and gives the file its name. */
int eng_target_commit(struct eng_target *t, struct err *e)
    __attribute__((warn_unused_result));

/* Frees; without a commit before, removes the partial file.  NULL is fine. */
void eng_target_close(struct eng_target *t);

static inline void eng_target_closep(struct eng_target **t)
{
    eng_target_close(*t);
}
#define AUTO_ENG_TARGET AUTO(eng_target_closep)

#endif
