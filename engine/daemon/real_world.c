// SPDX-License-Identifier: Apache-2.0
/*
 * The world as it is: work is a process of this program, whose end its pidfd
 * tells; inotify tells of changes of files; a look around each half minute
 * catches what neither tells (a clock that was set, a folder that inotify does
 * not watch).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/utc.h"
#include "engine/daemon/daemon.h"

#define LOOK_AROUND_MS 30000
#define GRACE_MS 60000 /* between SIGTERM and SIGKILL */
#define SETTLE_MS 50   /* of several changes at once */
#define ARGS_MAX 16
#define COLLECT_WAIT "2h" /* for runs that are in the way */

struct child {
    uint64_t handle;
    pid_t pid;
    int pidfd;       /* -1: this kernel has none */
    int64_t kill_at; /* utc_mono_ms; 0: it was not asked to stop */
};

struct eng_real_world {
    const struct eng_home *home;
    const char *program;
    const struct cancel *cancel;
    struct child *children;
    size_t n, cap;
    uint64_t handles; /* given out so far */
    int changes;      /* inotify; -1: there is none */
    int woken;        /* eventfd */
};

static int64_t real_now(void *ctx)
{
    (void)ctx;
    return utc_now();
}

/* Goes on while the machine sleeps, so that this is no set clock. */
static int64_t real_steady(void *ctx)
{
    struct timespec t = { 0 };

    (void)ctx;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec + 1; /* never 0 */
}

/* Folders may be made at any time, so all are asked for each time; one that is
 * watched already stays so. */
static void watch(struct eng_real_world *w)
{
    static const char *const folders[] = { "",        "jobs", "repos",
                                           "sources", "kms",  "credentials" };
    struct err ignored = { 0 };

    if (w->changes < 0)
        return;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        AUTO_MEM char *path = io_join(w->home->config, folders[i], &ignored);
        if (path != NULL)
            (void)inotify_add_watch(w->changes, path,
                                    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE |
                                        IN_MOVED_FROM | IN_MOVED_TO |
                                        IN_ATTRIB);
    }
    /* The history's files. */
    (void)inotify_add_watch(w->changes, w->home->state, IN_MODIFY);
}

static void drain(int fd)
{
    uint8_t room[4096];

    while (read(fd, room, sizeof room) > 0)
        continue;
}

static int least(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

/* Milliseconds to sleep at most: children that were asked to stop are killed in
 * time. */
static int sleep_ms(const struct eng_real_world *w, int64_t seconds)
{
    int ms = seconds < LOOK_AROUND_MS / 1000 ? (int)(seconds * 1000)
                                             : LOOK_AROUND_MS;

    for (size_t i = 0; i < w->n; i++) {
        const struct child *c = &w->children[i];
        if (c->pidfd < 0)
            ms = least(ms, 200);
        if (c->kill_at != 0) {
            int64_t left = c->kill_at - utc_mono_ms();
            ms = least(ms, left > 0 ? left : 0);
        }
    }
    return ms;
}

/* The group of a child that has not been waited for yet. */
static void kill_overdue(struct eng_real_world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->children[i].kill_at != 0 &&
            w->children[i].kill_at <= utc_mono_ms()) {
            kill(-w->children[i].pid, SIGKILL);
            w->children[i].kill_at = utc_mono_ms() + GRACE_MS;
        }
}

static int real_wait(void *ctx, int64_t seconds, struct err *e)
{
    struct eng_real_world *w = ctx;
    enum { CANCELLED, CHANGES, WOKEN, CHILDREN };
    AUTO_MEM struct pollfd *fds = calloc(CHILDREN + w->n, sizeof *fds);

    if (fds == NULL)
        return err_nomem(e);
    watch(w);
    fds[CANCELLED] = (struct pollfd){ .fd = w->cancel->fd, .events = POLLIN };
    fds[CHANGES] = (struct pollfd){ .fd = w->changes, .events = POLLIN };
    fds[WOKEN] = (struct pollfd){ .fd = w->woken, .events = POLLIN };
    for (size_t i = 0; i < w->n; i++)
        fds[CHILDREN + i] =
            (struct pollfd){ .fd = w->children[i].pidfd, .events = POLLIN };
    int ready = poll(fds, CHILDREN + w->n, sleep_ms(w, seconds));
    if (ready < 0 && errno != EINTR)
        return err_set(e, ERR_IO, errno, "wait for something to do");
    if (cancel_check(w->cancel, e) < 0)
        return -1;
    if (ready > 0 && fds[CHANGES].revents != 0) {
        if (cancel_sleep(w->cancel, SETTLE_MS, e) < 0)
            return -1;
        drain(w->changes);
    }
    if (ready > 0 && fds[WOKEN].revents != 0)
        drain(w->woken);
    kill_overdue(w);
    return 0;
}

/* The words of a piece of work, after the global options. */
static void words(const char **argv, size_t n, enum eng_work what,
                  const char *name, const struct eng_work_opts *how)
{
    const char *const run[] = { "job",
                                "run",
                                name,
                                "--scheduled",
                                what == ENG_WORK_AGAIN ? "--retry" : NULL,
                                NULL };
    const char *const deleted[] = { "job", "forget-deleted", name, "--yes",
                                    NULL };
    const char *const gc[] = { "repo",           "gc",     name,
                               "--yes",          "--wait", COLLECT_WAIT,
                               "--keys-of-jobs", NULL };
    const char *const check[] = { "repo",    "check",          name,
                                  "--level", how->check_level, "--keys-of-jobs",
                                  NULL };
    const char *const *all[ENG_WORKS] = { [ENG_WORK_RUN] = run,
                                          [ENG_WORK_AGAIN] = run,
                                          [ENG_WORK_DELETED] = deleted,
                                          [ENG_WORK_GC] = gc,
                                          [ENG_WORK_CHECK] = check };

    for (const char *const *word = all[what]; *word != NULL; word++)
        argv[n++] = *word;
    argv[n] = NULL;
}

/* A rehearsal's time goes on in the child: it must not be behind ours, or what
 * it records would be before what was due. */
static int pass_time(struct err *e)
{
    char iso[UTC_ISO_CHARS];

    if (utc_shift() == 0)
        return 0;
    utc_format_iso(utc_now() + 1, iso);
    /* The only other thread waits for signals.
     * NOLINTNEXTLINE(concurrency-mt-unsafe) */
    if (setenv("OBJVAULT_NOW", iso, 1) < 0)
        return err_set(e, ERR_NOMEM, errno, "OBJVAULT_NOW");
    return 0;
}

static int room_for_child(struct eng_real_world *w, struct err *e)
{
    if (w->n < w->cap)
        return 0;
    size_t cap = w->cap == 0 ? 16 : w->cap * 2;
    struct child *more = reallocarray(w->children, cap, sizeof *more);
    if (more == NULL)
        return err_nomem(e);
    w->children = more;
    w->cap = cap;
    return 0;
}

static int real_begin(void *ctx, enum eng_work what, const char *name,
                      const struct eng_work_opts *how, uint64_t *handle,
                      struct err *e)
{
    struct eng_real_world *w = ctx;
    const char *argv[ARGS_MAX] = {
        w->program, "--home",       w->home->config,
        "--state",  w->home->state, "--no-progress"
    };
    struct child c = { .handle = w->handles + 1 };

    words(argv, 6, what, name, how);
    if (room_for_child(w, e) < 0 || pass_time(e) < 0 ||
        process_start(argv, STDERR_FILENO, &c.pid, e) < 0)
        return -1;
    c.pidfd = (int)syscall(SYS_pidfd_open, c.pid, 0);
    w->children[w->n++] = c;
    *handle = w->handles = c.handle;
    return 0;
}

static int exit_code(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int real_ended(void *ctx, uint64_t handle, int *code)
{
    struct eng_real_world *w = ctx;

    for (size_t i = 0; i < w->n; i++) {
        int status = 0;
        if (w->children[i].handle != handle)
            continue;
        if (!process_ended(w->children[i].pid, &status))
            return 0;
        *code = exit_code(status);
        auto_fd_closep(&w->children[i].pidfd);
        w->children[i] = w->children[--w->n];
        return 1;
    }
    *code = 127;
    return 1;
}

static void real_stop(void *ctx, uint64_t handle)
{
    struct eng_real_world *w = ctx;

    for (size_t i = 0; i < w->n; i++)
        if (w->children[i].handle == handle && w->children[i].kill_at == 0) {
            kill(-w->children[i].pid, SIGTERM);
            w->children[i].kill_at = utc_mono_ms() + GRACE_MS;
        }
}

/* Its end is seen, but the process stays to be waited for by real_ended. */
static bool still_runs(pid_t pid)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

static void real_finish(void *ctx)
{
    struct eng_real_world *w = ctx;
    struct timespec tick = { .tv_nsec = 5000000 };

    for (size_t i = 0; i < w->n; i++)
        while (w->children[i].kill_at != 0 && still_runs(w->children[i].pid)) {
            kill_overdue(w);
            nanosleep(&tick, NULL);
        }
}

struct eng_real_world *eng_real_world_new(const struct eng_home *h,
                                          const char *program,
                                          const struct cancel *cancel,
                                          struct eng_world *out, struct err *e)
{
    AUTO_ENG_REAL_WORLD struct eng_real_world *w = calloc(1, sizeof *w);

    if (w == NULL) {
        (void)err_nomem(e);
        return NULL;
    }
    w->home = h;
    w->program = program;
    w->cancel = cancel;
    /* Without it changes are seen at the next look around. */
    w->changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->woken = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->woken < 0) {
        (void)err_set(e, ERR_IO, errno, "eventfd");
        return NULL;
    }
    *out = (struct eng_world){ .now = real_now,
                               .steady = real_steady,
                               .wait = real_wait,
                               .begin = real_begin,
                               .ended = real_ended,
                               .stop = real_stop,
                               .finish = real_finish,
                               .ctx = w };
    return STEAL(w);
}

void eng_real_world_wake(struct eng_real_world *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->woken, &one, sizeof one);

    (void)n; /* full: it is woken already */
}

void eng_real_world_free(struct eng_real_world *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n; i++) {
        auto_fd_closep(&w->children[i].pidfd);
        process_stop(w->children[i].pid, 0);
    }
    auto_fd_closep(&w->changes);
    auto_fd_closep(&w->woken);
    free(w->children);
    free(w);
}
