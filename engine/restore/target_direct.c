// SPDX-License-Identifier: Apache-2.0
//
// Writing past the page cache.  A restored disk is larger than what the cache
// should hold, and filling it costs more than all else that a restore does:
// of 2 GiB into a file on ext4, 4.3 s of processor time through the cache,
// 0.15 s past it.  Pieces that the file system takes only through the cache,
// or that are too short to wait for the disk for, go the usual way; no page is
// ever written in both.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "engine/restore/target_impl.h"

/* A shorter piece is cheaper to copy than to wait for. */
#define DIRECT_MIN (64u << 10)

void eng_target_direct_open(struct eng_target_direct *d, int fd)
{
    char path[32];

    /* Anew, because the flag belongs to an open file, not to a call. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    d->fd = fd;
    d->direct = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
    atomic_init(&d->refused, d->direct < 0);
}

void eng_target_direct_close(struct eng_target_direct *d)
{
    auto_fd_closep(&d->direct);
}

/* How much of a piece may go past the cache: whole pages from aligned memory
 * to an aligned place. */
static size_t direct_part(struct eng_target_direct *d, struct span data,
                          uint64_t offset)
{
    if (data.len < DIRECT_MIN || offset % ENG_TARGET_ALIGN != 0 ||
        (uintptr_t)data.p % ENG_TARGET_ALIGN != 0 || atomic_load(&d->refused))
        return 0;
    return data.len / ENG_TARGET_ALIGN * ENG_TARGET_ALIGN;
}

int eng_target_direct_write(struct eng_target_direct *d, struct span data,
                            uint64_t offset, const char *path, struct err *e)
{
    size_t left = direct_part(d, data, offset);

    while (left > 0) {
        ssize_t n = pwrite(d->direct, data.p, left, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        /* A file system that took the flag but not the write, or one that
         * wrote a part of a page: what is left goes the usual way. */
        if (n < 0 && errno == EINVAL)
            atomic_store(&d->refused, true);
        if (n == 0 || (n < 0 && errno == EINVAL))
            break;
        if (n < 0)
            return err_set(e, err_of_errno(errno), errno,
                           "%s: write %zu bytes at %llu", path, left,
                           (unsigned long long)offset);
        data = span_of(data.p + n, data.len - (size_t)n);
        offset += (uint64_t)n;
        left -= (size_t)n;
    }
    return io_pwrite_full(d->fd, data.p, data.len, offset, path, e);
}
