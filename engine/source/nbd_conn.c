// SPDX-License-Identifier: Apache-2.0
//
// Pipelined NBD over libnbd.  Requests are of 256 KiB, 16 in flight: larger
// ones cost qemu-nbd a fresh mapping each (half the speed at 1 MiB), and with
// scattered 64 KiB pieces a depth of 16 is four times as fast as one at a
// time.
#include "engine/source/nbd_conn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

#include "base/checked.h"

#define REQUEST_BYTES (256u << 10)
#define DEPTH 16

/* One request in flight. */
struct slot {
    struct eng_nbd_conn *conn;
    uint64_t offset;
    uint32_t len;
    bool write, busy;
};

struct eng_nbd_conn {
    struct nbd_handle *h; /* NULL: dead */
    char *name;
    uint64_t size;
    bool extents; /* the server tells allocation */
    struct slot slots[DEPTH];
    unsigned in_flight;
    /* The first request that the server refused since the last finish. */
    struct {
        int sys;
        uint64_t offset;
        uint32_t len;
        bool write;
    } bad;
};

void eng_nbd_conn_close(struct eng_nbd_conn *c)
{
    if (c == NULL)
        return;
    int saved = errno;
    /* Says goodbye; a server that is gone makes no difference. */
    if (c->h != NULL && c->in_flight == 0)
        (void)nbd_shutdown(c->h, 0);
    nbd_close(c->h);
    free(c->name);
    free(c);
    errno = saved;
}

uint64_t eng_nbd_conn_size(const struct eng_nbd_conn *c)
{
    return c->size;
}

static enum err_kind kind_of(int sys)
{
    return sys == ENOSPC || sys == EDQUOT || sys == EFBIG ? ERR_FULL : ERR_IO;
}

/* libnbd's last error.  The connection is given up: with it go the requests in
 * flight, so that no memory of the caller is written any more. */
static int died(struct eng_nbd_conn *c, const char *what, struct err *e)
{
    const char *text = nbd_get_error();
    err_set(e, kind_of(nbd_get_errno()), 0, "%s: %s: %s", c->name, what,
            text != NULL ? text : "unknown error");
    nbd_close(c->h);
    c->h = NULL;
    c->in_flight = 0;
    return -1;
}

/* A request that failed may have left a dead handle behind. */
static int alive(const struct eng_nbd_conn *c, struct err *e)
{
    if (c->h == NULL || nbd_aio_is_dead(c->h) > 0 ||
        nbd_aio_is_closed(c->h) > 0)
        return err_set(e, ERR_IO, 0, "%s: the connection to qemu-nbd is lost",
                       c->name);
    return 0;
}

static int greet(struct eng_nbd_conn *c, const char *socket, struct err *e)
{
    c->h = nbd_create();
    if (c->h == NULL)
        return err_nomem(e);
    if (nbd_add_meta_context(c->h, LIBNBD_CONTEXT_BASE_ALLOCATION) < 0 ||
        nbd_connect_unix(c->h, socket) < 0)
        return died(c, "connect to qemu-nbd", e);
    int64_t size = nbd_get_size(c->h);
    if (size < 0)
        return died(c, "size of the disk", e);
    c->size = (uint64_t)size;
    c->extents =
        nbd_can_meta_context(c->h, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
    return 0;
}

struct eng_nbd_conn *eng_nbd_conn_open(const char *socket, const char *name,
                                       struct err *e)
{
    AUTO_ENG_NBD_CONN struct eng_nbd_conn *c = calloc(1, sizeof(*c));
    if (c != NULL)
        c->name = strdup(name);
    if (c == NULL || c->name == NULL) {
        err_nomem(e);
        return NULL;
    }
    for (unsigned i = 0; i < DEPTH; i++)
        c->slots[i].conn = c;
    if (greet(c, socket, e) < 0)
        return NULL;
    return STEAL(c);
}

/* The signatures of callbacks are libnbd's. */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int on_done(void *user_data, int *error)
{
    struct slot *s = user_data;
    struct eng_nbd_conn *c = s->conn;
    if (*error != 0 && c->bad.sys == 0) {
        c->bad.sys = *error;
        c->bad.offset = s->offset;
        c->bad.len = s->len;
        c->bad.write = s->write;
    }
    s->busy = false;
    if (c->in_flight > 0)
        c->in_flight--;
    return 1; /* libnbd may forget the command */
}

static int pump(struct eng_nbd_conn *c, struct err *e)
{
    if (nbd_poll(c->h, -1) >= 0 || nbd_get_errno() == EINTR)
        return 0;
    return died(c, "talk to qemu-nbd", e);
}

static struct slot *free_slot(struct eng_nbd_conn *c, struct err *e)
{
    if (alive(c, e) < 0)
        return NULL;
    while (c->in_flight >= DEPTH)
        if (pump(c, e) < 0)
            return NULL;
    for (unsigned i = 0; i < DEPTH; i++)
        if (!c->slots[i].busy)
            return &c->slots[i];
    err_set(e, ERR_INTERNAL, 0, "%s: no free NBD slot", c->name);
    return NULL;
}

/* Queues one request; out or in, the other is NULL. */
static int submit(struct eng_nbd_conn *c, uint64_t offset, uint32_t len,
                  uint8_t *out, const uint8_t *in, struct err *e)
{
    struct slot *s = free_slot(c, e);
    if (s == NULL)
        return -1;
    s->offset = offset;
    s->len = len;
    s->write = in != NULL;
    s->busy = true;
    c->in_flight++;
    nbd_completion_callback cb = { .callback = on_done, .user_data = s };
    int64_t r = -1;
    if (in != NULL)
        r = nbd_aio_pwrite(c->h, in, len, offset, cb, 0);
    else if (out != NULL)
        r = nbd_aio_pread(c->h, out, len, offset, cb, 0);
    if (r < 0) {
        s->busy = false;
        return died(c, in != NULL ? "send a write" : "send a read", e);
    }
    return 0;
}

int eng_nbd_conn_read(struct eng_nbd_conn *c, uint64_t offset, uint64_t len,
                      uint8_t *out, struct err *e)
{
    while (len > 0) {
        uint32_t step = (uint32_t)checked_min(len, REQUEST_BYTES);
        if (submit(c, offset, step, out, NULL, e) < 0)
            return -1;
        offset += step;
        out += step;
        len -= step;
    }
    return 0;
}

int eng_nbd_conn_write(struct eng_nbd_conn *c, uint64_t offset,
                       struct span data, struct err *e)
{
    while (data.len > 0) {
        uint32_t step = (uint32_t)checked_min(data.len, REQUEST_BYTES);
        if (submit(c, offset, step, NULL, data.p, e) < 0)
            return -1;
        offset += step;
        data.p += step;
        data.len -= step;
    }
    return 0;
}

int eng_nbd_conn_finish(struct eng_nbd_conn *c, struct err *e)
{
    if (alive(c, e) < 0)
        return -1;
    while (c->in_flight > 0)
        if (pump(c, e) < 0)
            return -1;
    if (c->bad.sys == 0)
        return 0;
    int sys = c->bad.sys;
    c->bad.sys = 0;
    return err_set(e, kind_of(sys), sys, "%s: %s %u bytes at %" PRIu64, c->name,
                   c->bad.write ? "write" : "read", c->bad.len, c->bad.offset);
}

int eng_nbd_conn_flush(struct eng_nbd_conn *c, struct err *e)
{
    if (alive(c, e) < 0)
        return -1;
    if (nbd_can_flush(c->h) == 1 && nbd_flush(c->h, 0) < 0)
        return died(c, "flush", e);
    return 0;
}

struct walk {
    eng_nbd_extent_fn fn;
    void *ctx;
    bool some, ended;
};

/* NOLINTBEGIN(readability-non-const-parameter) */
static int on_extents(void *user_data, const char *metacontext, uint64_t offset,
                      uint32_t *entries, size_t nr_entries, int *error)
/* NOLINTEND(readability-non-const-parameter) */
{
    struct walk *w = user_data;
    (void)offset;
    (void)error;
    if (strcmp(metacontext, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0)
        return 0;
    for (size_t i = 0; i + 1 < nr_entries && !w->ended; i += 2) {
        /* A hole need not read as zeros: only the zero flag counts. */
        bool zero = (entries[i + 1] & LIBNBD_STATE_ZERO) != 0;
        w->some = true;
        w->ended = !w->fn(w->ctx, entries[i], zero);
    }
    return 0;
}

int eng_nbd_conn_extents(struct eng_nbd_conn *c, uint64_t offset, uint64_t len,
                         eng_nbd_extent_fn fn, void *ctx, struct err *e)
{
    struct walk w = { .fn = fn, .ctx = ctx };
    if (alive(c, e) < 0)
        return -1;
    if (c->extents) {
        nbd_extent_callback cb = { .callback = on_extents, .user_data = &w };
        if (nbd_block_status(c->h, len, offset, cb, 0) < 0)
            return died(c, "ask for the allocation", e);
    }
    if (!w.some)
        fn(ctx, len, false);
    return 0;
}
