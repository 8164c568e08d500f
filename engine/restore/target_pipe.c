// SPDX-License-Identifier: Apache-2.0
//
// Stdout.  Writers come in any order and wait for their turn: the one whose
// range begins where the last ended.  Nobody ever blocks in write itself for
// long, so a reader that stalls does not keep us from being cancelled.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/cond.h"
#include "engine/restore/target_impl.h"

#define TICK_MS 50 /* between looks at the cancel token */

struct target_pipe {
    struct eng_target base;
    int fd;      /* stdout, or the same pipe opened anew */
    bool own;    /* fd is to be closed */
    size_t step; /* what a write takes at most */
    bool made;   /* lock and turn are there */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    struct {
        uint64_t at; /* written so far */
        bool broken; /* a write failed: nobody's turn comes any more */
    } locked;
};

static const uint8_t zeros[64 << 10];

static int wait_turn(struct target_pipe *p, const struct cancel *c,
                     uint64_t offset, struct err *e)
{
    int r = 0;
    pthread_mutex_lock(&p->lock);
    while (r == 0 && p->locked.at != offset) {
        if (p->locked.broken)
            r = err_set(e, ERR_CANCELLED, 0, "another write to stdout failed");
        else if (p->locked.at > offset)
            r = err_set(
                e, ERR_INTERNAL, 0, "stdout: byte %llu comes again, at %llu",
                (unsigned long long)offset, (unsigned long long)p->locked.at);
        else if (cancel_check(c, e) < 0)
            r = -1;
        else
            (void)cond_wait_ms(&p->turn, &p->lock, TICK_MS);
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

/* Writes all of data; the turn is ours, so the lock is not needed. */
static int put(const struct target_pipe *p, const struct cancel *c,
               struct span data, struct err *e)
{
    while (data.len > 0) {
        struct pollfd fd = { .fd = p->fd, .events = POLLOUT };
        if (cancel_check(c, e) < 0)
            return -1;
        if (poll(&fd, 1, TICK_MS) <= 0)
            continue;
        ssize_t n = write(p->fd, data.p, checked_min(data.len, p->step));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return err_set(e, err_of_errno(errno), errno, "write to stdout");
        data.p += n;
        data.len -= (size_t)n;
    }
    return 0;
}

static void end_turn(struct target_pipe *p, uint64_t at, bool failed)
{
    pthread_mutex_lock(&p->lock);
    if (failed)
        p->locked.broken = true;
    else
        p->locked.at = at;
    pthread_cond_broadcast(&p->turn);
    pthread_mutex_unlock(&p->lock);
}

static int pipe_write(struct eng_target *t, const struct cancel *c,
                      uint64_t offset, struct span data, struct err *e)
{
    struct target_pipe *p = (struct target_pipe *)t;
    if (wait_turn(p, c, offset, e) < 0)
        return -1;
    int r = put(p, c, data, e);
    end_turn(p, offset + data.len, r < 0);
    return r;
}

static int pipe_zero(struct eng_target *t, const struct cancel *c,
                     uint64_t offset, uint64_t len, struct err *e)
{
    struct target_pipe *p = (struct target_pipe *)t;
    int r = 0;
    if (wait_turn(p, c, offset, e) < 0)
        return -1;
    for (uint64_t left = len; left > 0 && r == 0;) {
        size_t n = (size_t)checked_min(left, sizeof(zeros));
        r = put(p, c, span_of(zeros, n), e);
        left -= n;
    }
    end_turn(p, offset + len, r < 0);
    return r;
}

static int pipe_commit(struct eng_target *t, struct err *e)
{
    const struct target_pipe *p = (struct target_pipe *)t;
    if (p->locked.at != t->size)
        return err_set(e, ERR_INTERNAL, 0, "stdout: %llu of %llu bytes written",
                       (unsigned long long)p->locked.at,
                       (unsigned long long)t->size);
    /* Pipes and sockets have nothing to be made durable. */
    if (fsync(p->fd) < 0 && errno != EINVAL && errno != EROFS)
        return err_set(e, err_of_errno(errno), errno, "flush stdout");
    return 0;
}

static void pipe_close(struct eng_target *t)
{
    struct target_pipe *p = (struct target_pipe *)t;
    if (p->own)
        close(p->fd);
    if (p->made) {
        pthread_cond_destroy(&p->turn);
        pthread_mutex_destroy(&p->lock);
    }
    free(p->base.path);
    free(p);
}

static const struct eng_target_ops pipe_ops = { pipe_write, pipe_zero,
                                                pipe_commit, pipe_close };

/* A pipe is opened anew to be O_NONBLOCK: set on stdout itself, the flag would
 * hit everybody who shares it.  Where that does not work a write is short
 * enough to fit once poll says so. */
static int take_stdout(struct target_pipe *p, struct err *e)
{
    struct stat st;
    p->fd = STDOUT_FILENO;
    p->step = PIPE_BUF;
    if (fstat(STDOUT_FILENO, &st) < 0)
        return err_set(e, ERR_USAGE, errno, "stdout");
    if (isatty(STDOUT_FILENO))
        return err_set(e, ERR_USAGE, 0,
                       "stdout is a terminal: send a disk to a file or pipe");
    if (S_ISFIFO(st.st_mode)) {
        int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        p->own = fd >= 0;
        p->fd = fd >= 0 ? fd : STDOUT_FILENO;
    }
    if (p->own || S_ISREG(st.st_mode))
        p->step = 1u << 20;
    return 0;
}

static int make_locks(struct target_pipe *p, struct err *e)
{
    if (pthread_mutex_init(&p->lock, NULL) != 0)
        return err_nomem(e);
    cond_init(&p->turn);
    p->made = true;
    return 0;
}

struct eng_target *eng_target_pipe_open(const struct eng_target_opts *o,
                                        struct err *e)
{
    struct target_pipe *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        err_nomem(e);
        return NULL;
    }
    p->fd = -1;
    AUTO_ENG_TARGET struct eng_target *t = &p->base;
    if (eng_target_init(t, &pipe_ops, o, e) < 0 || make_locks(p, e) < 0 ||
        take_stdout(p, e) < 0)
        return NULL;
    return STEAL(t);
}
