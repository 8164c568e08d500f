// SPDX-License-Identifier: Apache-2.0
/*
 * Secrets in memory.  Each has pages of its own, taken from the kernel and not
 * from malloc: locking and leaving out of core dumps work on whole pages, and
 * nothing else may share them.
 */
#include "base/secret.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/checked.h"
#include "base/log.h"

/* Lies at the start of its own mapping. */
struct secret {
    size_t map_bytes; /* whole pages */
    size_t len;
    uint8_t bytes[]; /* len and a NUL */
};

void secret_forbid_dumps(void)
{
    /* Fails only for a value that is none. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void warn_once(int sys)
{
    static atomic_bool warned;
    struct err why = { 0 };

    if (atomic_exchange(&warned, true))
        return;
    err_set(&why, ERR_FAILED, sys, "cannot lock memory");
    log_warn("secret",
             "%s; keys may reach the swap space, raise the limit on locked "
             "memory (ulimit -l) to prevent it",
             why.msg);
}

static bool whole_pages(size_t bytes, size_t *out)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t up = 0;

    if (!checked_add_size(bytes, page - 1, &up))
        return false;
    *out = up / page * page;
    return true;
}

struct secret *secret_new(struct span in, struct err *e)
{
    size_t need = 0;
    size_t map_bytes = 0;

    if (!checked_add_size(in.len, sizeof(struct secret) + 1, &need) ||
        !whole_pages(need, &map_bytes)) {
        err_nomem(e);
        return NULL;
    }
    void *map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        err_set(e, ERR_NOMEM, errno, "%zu bytes for a secret", map_bytes);
        return NULL;
    }
    if (mlock(map, map_bytes) < 0)
        warn_once(errno);
    /* Fails only on kernels built without core dumps. */
    (void)madvise(map, map_bytes, MADV_DONTDUMP);

    /* The mapping comes zeroed: the NUL is there already. */
    struct secret *s = map;
    s->map_bytes = map_bytes;
    s->len = in.len;
    if (in.len > 0)
        memcpy(s->bytes, in.p, in.len);
    return s;
}

void secret_free(struct secret *s)
{
    if (s == NULL)
        return;
    int saved = errno;
    size_t map_bytes = s->map_bytes;
    secret_wipe(s, map_bytes);
    munmap(s, map_bytes); /* unlocks too */
    errno = saved;
}

struct span secret_span(const struct secret *s)
{
    return span_of(s->bytes, s->len);
}

void secret_wipe(void *p, size_t len)
{
    if (len > 0)
        explicit_bzero(p, len);
}

struct buf secret_buf(size_t max)
{
    struct buf b = buf_init(max);

    buf_reserve(&b, max);
    return b;
}

void secret_buf_free(struct buf *b)
{
    if (b->p != NULL)
        secret_wipe(b->p, b->cap);
    buf_free(b);
}
