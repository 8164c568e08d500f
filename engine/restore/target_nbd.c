// SPDX-License-Identifier: Apache-2.0
//
// A new qcow2 image, made by qemu-img and written through a qemu-nbd of our
// own.  Each writer borrows a connection from a pool.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "engine/restore/target_impl.h"
#include "engine/source/nbd_conn.h"
#include "engine/source/qemu_nbd.h"

/* qcow2's default cluster: a smaller hole would be written all the same. */
#define GRAIN (64u << 10)
#define CREATE_MS 60000
#define SECTOR 512 /* qcow2 sizes are whole sectors */

struct target_nbd {
    struct eng_target base;
    struct eng_target_part part;
    struct eng_qemu_nbd *server; /* NULL for a disk of 0 bytes */
    bool made;                   /* the lock is there */
    pthread_mutex_t lock;
    struct {
        struct eng_nbd_conn **idle; /* room for all */
        unsigned n_idle;
    } locked;
    unsigned n_conns;
};

/* There are as many as writers, so one is always idle. */
static struct eng_nbd_conn *borrow(struct target_nbd *n, struct err *e)
{
    struct eng_nbd_conn *c = NULL;
    pthread_mutex_lock(&n->lock);
    if (n->locked.n_idle > 0)
        c = n->locked.idle[--n->locked.n_idle];
    pthread_mutex_unlock(&n->lock);
    if (c == NULL)
        err_set(e, ERR_INTERNAL, 0, "%s: more writers than connections",
                n->base.path);
    return c;
}

static void give_back(struct target_nbd *n, struct eng_nbd_conn *c)
{
    pthread_mutex_lock(&n->lock);
    n->locked.idle[n->locked.n_idle++] = c;
    pthread_mutex_unlock(&n->lock);
}

static int nbd_put(struct eng_target *t, const struct cancel *cancel,
                   uint64_t offset, struct span data, struct err *e)
{
    struct target_nbd *n = (struct target_nbd *)t;
    size_t start = 0;
    size_t end = 0;
    int r = 0;
    (void)cancel;

    struct eng_nbd_conn *c = borrow(n, e);
    if (c == NULL)
        return -1;
    while (r == 0 && eng_target_next_run(data, offset, GRAIN, &start, &end))
        r = eng_nbd_conn_write(c, offset + start,
                               span_of(data.p + start, end - start), e);
    if (r == 0)
        r = eng_nbd_conn_finish(c, e);
    give_back(n, c);
    return r;
}

static int nbd_zero(struct eng_target *t, const struct cancel *c,
                    uint64_t offset, uint64_t len, struct err *e)
{
    (void)t;
    (void)c;
    (void)offset;
    (void)len;
    (void)e;
    return 0; /* a new image reads as zeros */
}

static void close_conns(struct target_nbd *n)
{
    while (n->locked.n_idle > 0)
        eng_nbd_conn_close(n->locked.idle[--n->locked.n_idle]);
}

static int nbd_commit(struct eng_target *t, struct err *e)
{
    struct target_nbd *n = (struct target_nbd *)t;
    if (n->server != NULL) {
        /* One flush is for all: they share one image in one process. */
        if (eng_nbd_conn_flush(n->locked.idle[0], e) < 0)
            return -1;
        close_conns(n);
        if (eng_qemu_nbd_stop(n->server, e) < 0)
            return -1;
    }
    return eng_target_part_commit(&n->part, e);
}

static void nbd_target_close(struct eng_target *t)
{
    struct target_nbd *n = (struct target_nbd *)t;
    close_conns(n);
    eng_qemu_nbd_free(n->server);
    eng_target_part_close(&n->part);
    if (n->made)
        pthread_mutex_destroy(&n->lock);
    free(n->locked.idle);
    free(n->base.path);
    free(n);
}

static const struct eng_target_ops nbd_ops = { nbd_put, nbd_zero, nbd_commit,
                                               nbd_target_close };

/* Formats the partial file, which is there already and stays the same inode. */
static int format_image(struct target_nbd *n, const char *real, struct err *e)
{
    char size[32];
    uint64_t bytes = (n->base.size + SECTOR - 1) / SECTOR * SECTOR;
    const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2",
                           "--",       real,     size, NULL };
    snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes);
    if (process_run(argv, CREATE_MS, NULL, NULL, e) == 0)
        return 0;
    /* Of the program's words only these tell what to do. */
    if (e->kind == ERR_FAILED && strstr(e->msg, "No space left") != NULL)
        e->kind = ERR_FULL;
    eng_qemu_missing(e);
    return err_ctx(e, "make the qcow2 image %s", n->part.part);
}

static int connect_all(struct target_nbd *n, unsigned writers, struct err *e)
{
    n->n_conns = writers == 0 ? 1 : writers;
    n->locked.idle = calloc(n->n_conns, sizeof(struct eng_nbd_conn *));
    if (n->locked.idle == NULL)
        return err_nomem(e);
    while (n->locked.n_idle < n->n_conns) {
        struct eng_nbd_conn *c =
            eng_nbd_conn_open(eng_qemu_nbd_socket(n->server), n->base.path, e);
        if (c == NULL)
            return -1;
        n->locked.idle[n->locked.n_idle++] = c;
    }
    return 0;
}

static int nbd_start(struct target_nbd *n, const struct eng_target_opts *o,
                     struct err *e)
{
    if (pthread_mutex_init(&n->lock, NULL) != 0)
        return err_nomem(e);
    n->made = true;
    if (eng_target_part_open(&n->part, o, e) < 0)
        return -1;
    AUTO_MEM char *real = realpath(n->part.part, NULL);
    if (real == NULL)
        return err_set(e, err_of_errno(errno), errno, "%s", n->part.part);
    if (format_image(n, real, e) < 0)
        return -1;
    if (o->size == 0)
        return 0;
    n->server = eng_qemu_nbd_start(real, "qcow2", true, e);
    return n->server == NULL ? -1 : connect_all(n, o->writers, e);
}

struct eng_target *eng_target_nbd_open(const struct eng_target_opts *o,
                                       struct err *e)
{
    struct target_nbd *n = calloc(1, sizeof(*n));
    if (n == NULL) {
        err_nomem(e);
        return NULL;
    }
    n->part.fd = -1;
    AUTO_ENG_TARGET struct eng_target *t = &n->base;
    if (eng_target_init(t, &nbd_ops, o, e) < 0 || nbd_start(n, o, e) < 0)
        return NULL;
    return STEAL(t);
}
