// SPDX-License-Identifier: Apache-2.0
/*
 * One run of a job at a time, on this machine: <state>/jobs/NAME/lock is held
 * by flock for as long as the run lives, however it ends.  It says who holds
 * it.  Beside it `stop` asks the run to stop, and names the run that it means,
 * so that one that comes late stops no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/run/job_run_impl.h"

/* Who only looks whether a job runs holds its lock for a moment. */
#define TRIES 20
#define TRY_MS 10
#define WAIT_MS 50
#define TEXT_MAX ((size_t)256)

#define LOST "the program or the machine was lost during the run"

static char *file_of(const struct eng_home *h, const char *job,
                     const char *name, struct err *e)
{
    return io_format(e, "%s/jobs/%s/%s", h->state, job, name);
}

/* What a lock says; "" where it says nothing yet. */
static void read_who(int fd, char *out, size_t cap)
{
    ssize_t n = pread(fd, out, cap - 1, 0);

    out[n > 0 ? n : 0] = '\0';
}

static int busy(const char *job, const char *who, struct err *e)
{
    char since[UTC_ISO_CHARS];
    char host[64];
    int pid = 0;

    /* NOLINTNEXTLINE(cert-err34-c): only a message */
    if (sscanf(who, "%d %20s %63s", &pid, since, host) != 3)
        return err_set(e, ERR_BUSY, 0, "job %s runs already", job);
    return err_set(e, ERR_BUSY, 0,
                   "job %s runs already, since %s (process %d on %s)", job,
                   since, pid, host);
}

static int hold(struct eng_job_lock *l, const char *path, const char *job,
                struct err *e)
{
    char who[sizeof(l->who)];
    char host[64] = "";

    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
    if (l->fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", path);
    for (int n = 0; flock(l->fd, LOCK_EX | LOCK_NB) < 0; n++) {
        if (errno != EWOULDBLOCK)
            return err_set(e, ERR_IO, errno, "lock %s", path);
        if (n == TRIES) {
            read_who(l->fd, who, sizeof(who));
            return busy(job, who, e);
        }
        if (cancel_sleep(NULL, TRY_MS, e) < 0)
            return -1;
    }
    char now[UTC_ISO_CHARS];
    utc_format_iso(utc_now(), now);
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(l->who, sizeof(l->who), "%d %s %s\n", (int)getpid(), now,
                   host);
    if (ftruncate(l->fd, 0) < 0)
        return err_set(e, ERR_IO, errno, "%s", path);
    return io_pwrite_full(l->fd, l->who, strlen(l->who), 0, path, e);
}

int eng_job_lock_take(struct eng_job_lock *l, const struct eng_home *h,
                      const char *job, struct err *e)
{
    AUTO_MEM char *path = file_of(h, job, "lock", e);

    *l = (struct eng_job_lock){ .fd = -1 };
    l->stop = file_of(h, job, "stop", e);
    if (path == NULL || l->stop == NULL || io_mkdirs_for(path, 0700, e) < 0 ||
        hold(l, path, job, e) < 0) {
        eng_job_lock_release(l);
        return -1;
    }
    return 0;
}

void eng_job_lock_release(struct eng_job_lock *l)
{
    if (l->fd >= 0) {
        (void)unlink(l->stop);
        close(l->fd);
    }
    free(l->stop);
    *l = (struct eng_job_lock){ .fd = -1 };
}

bool eng_job_lock_asked(const struct eng_job_lock *l, enum eng_stop *how)
{
    AUTO_BUF struct buf text = buf_init(TEXT_MAX);
    struct err none = { 0 };

    if (io_read_file(l->stop, &text, &none) < 0)
        return false;
    const char *said = buf_cstr(&text);
    const char *whom = strchr(said, ' ');
    if (whom == NULL || strcmp(whom + 1, l->who) != 0)
        return false;
    *how = strncmp(said, "graceful ", strlen("graceful ")) == 0
               ? ENG_STOP_GRACEFULLY
               : ENG_STOP_NOW;
    return true;
}

/* 1: somebody holds it, and *who says who; 0: nobody; -1. */
static int look(const struct eng_home *h, const char *job, char who[TEXT_MAX],
                struct err *e)
{
    AUTO_MEM char *path = file_of(h, job, "lock", e);

    who[0] = '\0';
    if (path == NULL)
        return -1;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", path);
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return err_set(e, ERR_IO, errno, "lock %s", path);
    read_who(fd, who, TEXT_MAX);
    return 1;
}

int eng_job_runs(const struct eng_home *h, const char *job, struct err *e)
{
    char who[TEXT_MAX];

    return look(h, job, who, e);
}

int eng_job_stop(const struct eng_home *h, const char *job, enum eng_stop how,
                 struct err *e)
{
    AUTO_MEM char *path = file_of(h, job, "stop", e);
    char who[TEXT_MAX];
    char after[TEXT_MAX];

    if (path == NULL)
        return -1;
    int runs = look(h, job, who, e);
    while (runs == 1) {
        AUTO_BUF struct buf text = buf_init(2 * TEXT_MAX);
        buf_printf(&text, "%s %s", how == ENG_STOP_NOW ? "now" : "graceful",
                   who);
        if (io_write_file(path, buf_span(&text), 0600, false, e) < 0)
            return -1;
        /* Another run may have begun meanwhile, or not yet said who it is. */
        runs = look(h, job, after, e);
        if (runs == 1 && strcmp(who, after) == 0)
            return 0;
        memcpy(who, after, sizeof(who));
    }
    if (runs < 0)
        return -1;
    return err_set(e, ERR_NOTFOUND, 0, "job %s does not run on this machine",
                   job);
}

int eng_job_wait(const struct eng_home *h, const char *job, int64_t timeout_ms,
                 const struct cancel *cancel, struct err *e)
{
    int64_t until = utc_mono_ms() + timeout_ms;
    int runs = 1;

    while ((runs = eng_job_runs(h, job, e)) == 1) {
        if (utc_mono_ms() >= until)
            return err_set(e, ERR_TIMEOUT, 0, "job %s still runs", job);
        if (cancel_sleep(cancel, WAIT_MS, e) < 0)
            return -1;
    }
    return runs;
}

int eng_job_lock_close_lost(struct eng_history *history, const char *job,
                            struct err *e)
{
    size_t n = 0;

    if (eng_history_close_lost(history, job, utc_now(), LOST, &n, e) < 0)
        return -1;
    if (n > 0)
        log_warn("run", "job %s: its last run did not end: " LOST, job);
    return 0;
}

int eng_job_close_lost(const struct eng_home *h, struct eng_history *history,
                       const char *job, struct err *e)
{
    struct eng_job_lock l;
    int runs = eng_job_runs(h, job, e);

    if (runs != 0)
        return runs < 0 ? -1 : 0;
    /* Held, so that no run begins while its predecessors are closed. */
    if (eng_job_lock_take(&l, h, job, e) < 0)
        return e->kind == ERR_BUSY ? 0 : -1;
    int result = eng_job_lock_close_lost(history, job, e);
    eng_job_lock_release(&l);
    return result;
}
