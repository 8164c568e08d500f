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

void *secret_pages(size_t *bytes)
{
    size_t map_bytes = 0;

    if (!whole_pages(*bytes, &map_bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    if (mlock(map, map_bytes) < 0)
        warn_once(errno);
    /* Fails only on kernels built without core dumps. */
    (void)madvise(map, map_bytes, MADV_DONTDUMP);
    *bytes = map_bytes;
    return map;
}

void secret_pages_free(void *p, size_t bytes)
{
    if (p == NULL)
        return;
    int saved = errno;
    secret_wipe(p, bytes);
    munmap(p, bytes); /* unlocks too */
    errno = saved;
}

struct secret *secret_new(struct span in, struct err *e)
{
    size_t bytes = 0;

    if (!checked_add_size(in.len, sizeof(struct secret) + 1, &bytes)) {
        err_nomem(e);
        return NULL;
    }
    struct secret *s = secret_pages(&bytes);
    if (s == NULL) {
        err_set(e, ERR_NOMEM, errno, "%zu bytes for a secret", bytes);
        return NULL;
    }

    /* The pages come zeroed: the NUL is there already. */
    s->map_bytes = bytes;
    s->len = in.len;
    if (in.len > 0)
        memcpy(s->bytes, in.p, in.len);
    return s;
}

void secret_free(struct secret *s)
{
    if (s != NULL)
        secret_pages_free(s, s->map_bytes);
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
