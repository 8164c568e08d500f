// SPDX-License-Identifier: Apache-2.0
//
// Child programs.  Between fork and exec only async-signal-safe calls are
// made; what goes wrong there comes back as an errno through a pipe that a
// successful exec closes.  Each child leads a process group of its own: a
// Ctrl-C at the terminal reaches us alone, who then decide what ends when, and
// what a child has started ends with it.
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/secret.h"
#include "base/signals.h"
#include "base/utc.h"
#include "base/utf8.h"

#define CHUNK_BYTES 16384
#define TAIL_CHARS 300  /* of stderr, for the message */
#define DRAIN_ROUNDS 64 /* of CHUNK_BYTES: what a pipe can hold */
#define TICK_MS 50      /* between looks at the child and the token */
#define TICK_CLOSED_MS 2
#define WAITED_FDS 6
#define STATUS_UNKNOWN (127 << 8) /* as if it had ended with 127 */

/* What the child needs; descriptors are over 2, so dup2 cannot cross them (but
 * err may be our own stderr, which stays where it is). */
struct launch {
    const char *const *argv;
    int in, out, err;
    int fault; /* written to where exec fails */
    pid_t parent;
};

struct pipe_fds {
    int r, w;
};

static void pipe_close(struct pipe_fds *p)
{
    auto_fd_closep(&p->r);
    auto_fd_closep(&p->w);
}
#define AUTO_PIPE AUTO(pipe_close)
#define PIPE_NONE                                                              \
    {                                                                          \
        -1, -1                                                                 \
    }

/* Moves a descriptor over 2, where one of 0..2 was closed. */
static int lift(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int saved = errno;
    close(fd);
    errno = saved;
    return high;
}

static int pipe_open(struct pipe_fds *p, struct err *e)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_set(e, ERR_IO, errno, "pipe");
    p->r = lift(fds[0]);
    p->w = lift(fds[1]);
    if (p->r < 0 || p->w < 0)
        return err_set(e, ERR_IO, errno, "pipe");
    return 0;
}

static int null_open(struct err *e)
{
    int fd = lift(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (fd < 0)
        err_set(e, err_of_errno(errno), errno, "open /dev/null");
    return fd;
}

/* Lets exec close everything over 2, whoever opened it. */
static void close_inherited(void)
{
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    /* Kernels before 5.11. */
    for (int fd = STDERR_FILENO + 1; fd < 65536; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static _Noreturn void child_main(const struct launch *l)
{
    union {
        const char *const *ours;
        char *const *execs; /* which does not change them */
    } argv = { .ours = l->argv };

    signals_child_reset();
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != l->parent)
        _exit(127); /* the parent died before prctl could see it */
    if (dup2(l->in, STDIN_FILENO) >= 0 && dup2(l->out, STDOUT_FILENO) >= 0 &&
        dup2(l->err, STDERR_FILENO) >= 0) {
        close_inherited();
        execvp(argv.ours[0], argv.execs);
    }
    int sys = errno;
    ssize_t n = write(l->fault, &sys, sizeof(sys));
    (void)n; /* then the parent sees an exit of 127 */
    _exit(127);
}

static int wait_blocking(pid_t pid)
{
    int status = STATUS_UNKNOWN;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

/* The child's errno, or 0 once it runs its program. */
static int read_fault(int fd)
{
    int sys = 0;
    ssize_t n;
    do
        n = read(fd, &sys, sizeof(sys));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(sys) ? sys : 0;
}

/* Starts argv; in, out and err are borrowed, -1 is /dev/null. */
static int launch(const char *const *argv, int in, int out, int err, pid_t *pid,
                  struct err *e)
{
    AUTO_PIPE struct pipe_fds fault = PIPE_NONE;
    AUTO_FD int null = null_open(e);
    if (null < 0 || pipe_open(&fault, e) < 0)
        return -1;

    struct launch l = {
        .argv = argv,
        .in = in < 0 ? null : in,
        .out = out < 0 ? null : out,
        .err = err < 0 ? null : err,
        .fault = fault.w,
        .parent = getpid(),
    };
    pid_t child = fork();
    if (child < 0)
        return err_set(e, err_of_errno(errno), errno, "fork");
    if (child == 0)
        child_main(&l);

    close(STEAL_FD(fault.w));
    int sys = read_fault(fault.r);
    if (sys != 0) {
        wait_blocking(child);
        return err_set(e, err_of_errno(sys), sys, "start the program");
    }
    *pid = child;
    return 0;
}

/* A running child as process_run sees it. */
struct watch {
    pid_t pid;
    int in;              /* its stdin; -1: /dev/null */
    int out, err;        /* what it writes; -1 once closed */
    struct buf *buf;     /* for out; may be NULL */
    bool secret;         /* stderr is not ours to read */
    int64_t deadline_ms; /* by utc_mono_ms; -1: none */
    const struct cancel *cancel;
    char tail[TAIL_CHARS + 1]; /* the end of its stderr */
    size_t tail_len;
    int status;
};

static void tail_append(struct watch *w, const uint8_t *p, size_t len)
{
    if (len > TAIL_CHARS) {
        p += len - TAIL_CHARS;
        len = TAIL_CHARS;
    }
    size_t keep = w->tail_len;
    if (keep > TAIL_CHARS - len)
        keep = TAIL_CHARS - len;
    memmove(w->tail, w->tail + (w->tail_len - keep), keep);
    memcpy(w->tail + keep, p, len);
    w->tail_len = keep + len;
}

/* One read; false where there is nothing more for now. */
static bool read_some(struct watch *w, int *fd)
{
    uint8_t chunk[CHUNK_BYTES];
    if (*fd < 0)
        return false;
    ssize_t n = read(*fd, chunk, sizeof(chunk));
    if (n < 0)
        return errno == EINTR;
    if (n == 0) {
        auto_fd_closep(fd);
        return false;
    }
    if (fd == &w->err)
        tail_append(w, chunk, (size_t)n);
    else if (w->buf != NULL)
        buf_append(w->buf, chunk, (size_t)n);
    secret_wipe(chunk, (size_t)n); /* a program may print a password */
    return true;
}

/* Takes what is in the pipes after the child's end; descendants that still
 * hold them are not waited for. */
static void drain(struct watch *w)
{
    for (int i = 0; i < DRAIN_ROUNDS && read_some(w, &w->out); i++)
        continue;
    for (int i = 0; i < DRAIN_ROUNDS && read_some(w, &w->err); i++)
        continue;
}

/* Milliseconds that poll may sleep; -1 with ERR_TIMEOUT or ERR_CANCELLED where
 * the child's time is over. */
static int next_sleep(const struct watch *w, struct err *e)
{
    if (cancel_check(w->cancel, e) < 0)
        return -1;
    int64_t ms = w->out < 0 && w->err < 0 ? TICK_CLOSED_MS : TICK_MS;
    if (w->deadline_ms >= 0) {
        int64_t left = w->deadline_ms - utc_mono_ms();
        if (left <= 0)
            return err_set(e, ERR_TIMEOUT, 0, "killed, it took too long");
        ms = left < ms ? left : ms;
    }
    return (int)ms;
}

/* Waits for output, a request to stop, or the end of the sleep. */
static void wait_event(struct watch *w, int ms)
{
    struct pollfd fds[WAITED_FDS] = {
        { .fd = w->out, .events = POLLIN },
        { .fd = w->err, .events = POLLIN },
    };
    nfds_t n = 2;
    /* A longer chain of tokens is seen at the next tick. */
    for (const struct cancel *c = w->cancel; c != NULL && n < WAITED_FDS;
         c = c->parent)
        fds[n++] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
    if (poll(fds, n, ms) <= 0)
        return;
    if (fds[0].revents != 0)
        read_some(w, &w->out);
    if (fds[1].revents != 0)
        read_some(w, &w->err);
}

static void kill_group(pid_t pid, int sig)
{
    if (kill(-pid, sig) < 0)
        kill(pid, sig);
}

/* Reads until the child has ended. */
static int watch_child(struct watch *w, struct err *e)
{
    for (;;) {
        pid_t r = waitpid(w->pid, &w->status, WNOHANG);
        if (r == w->pid) {
            drain(w);
            return w->buf == NULL ? 0 : buf_check(w->buf, e);
        }
        int ms = -1;
        if (w->buf == NULL || buf_check(w->buf, e) == 0)
            ms = next_sleep(w, e);
        if (ms < 0) {
            kill_group(w->pid, SIGKILL);
            wait_blocking(w->pid);
            return -1;
        }
        wait_event(w, ms);
    }
}

/* The end of the child's stderr, on one line. */
static const char *tail_text(struct watch *w)
{
    size_t from = 0;
    w->tail[w->tail_len] = '\0';
    /* A character whose beginning was pushed out. */
    while (((uint8_t)w->tail[from] & 0xc0) == 0x80)
        from++;
    utf8_clean(w->tail, false);
    size_t end = w->tail_len;
    while (end > from && w->tail[end - 1] == ' ')
        w->tail[--end] = '\0';
    return w->tail + from;
}

static int verdict(struct watch *w, struct err *e)
{
    const char *said = tail_text(w);
    const char *colon = said[0] == '\0' ? "" : ": ";
    if (WIFSIGNALED(w->status))
        return err_set(e, ERR_FAILED, 0, "ended by signal %d%s%s",
                       WTERMSIG(w->status), colon, said);
    if (WEXITSTATUS(w->status) != 0)
        return err_set(e, ERR_FAILED, 0, "exit status %d%s%s",
                       WEXITSTATUS(w->status), colon, said);
    return 0;
}

static int run(const char *const *argv, struct watch *w, struct err *e)
{
    AUTO_PIPE struct pipe_fds out = PIPE_NONE;
    AUTO_PIPE struct pipe_fds err = PIPE_NONE;
    int shown = isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : -1;
    if ((!w->secret && pipe_open(&err, e) < 0) ||
        (w->buf != NULL && pipe_open(&out, e) < 0))
        return -1;
    /* The reading ends only: a pipe's ends have flags of their own. */
    if ((err.r >= 0 && fcntl(err.r, F_SETFL, O_NONBLOCK) < 0) ||
        (out.r >= 0 && fcntl(out.r, F_SETFL, O_NONBLOCK) < 0))
        return err_set(e, ERR_IO, errno, "pipe");
    if (launch(argv, w->in, out.w, w->secret ? shown : err.w, &w->pid, e) < 0)
        return -1;
    auto_fd_closep(&out.w);
    auto_fd_closep(&err.w);

    w->out = STEAL_FD(out.r);
    w->err = STEAL_FD(err.r);
    int r = watch_child(w, e);
    auto_fd_closep(&w->out);
    auto_fd_closep(&w->err);
    return r < 0 ? -1 : verdict(w, e);
}

static int run_within(const char *const *argv, int64_t timeout_ms,
                      struct watch *w, struct err *e)
{
    w->out = -1;
    w->err = -1;
    w->deadline_ms = timeout_ms < 0 ? -1 : utc_mono_ms() + timeout_ms;
    if (cancel_check(w->cancel, e) < 0 || run(argv, w, e) < 0)
        return err_ctx(e, "%s", argv[0]);
    return 0;
}

int process_run(const char *const *argv, int64_t timeout_ms,
                const struct cancel *cancel, struct buf *out, struct err *e)
{
    struct watch w = { .in = -1, .buf = out, .cancel = cancel };

    return run_within(argv, timeout_ms, &w, e);
}

int process_run_secret(const char *const *argv, int64_t timeout_ms,
                       const struct cancel *cancel, struct buf *out,
                       struct err *e)
{
    struct watch w = { .in = -1, .buf = out, .cancel = cancel, .secret = true };

    return run_within(argv, timeout_ms, &w, e);
}

/* A file in memory: unlike a pipe it has room for all of it, and whether the
 * program reads it is the program's matter. */
static int input_open(struct span input, struct err *e)
{
    AUTO_FD int fd = lift(memfd_create("input", MFD_CLOEXEC));

    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "memfd_create");
    if (io_write_full(fd, input.p, input.len, "stdin", e) < 0)
        return -1;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_set(e, ERR_IO, errno, "stdin");
    return STEAL_FD(fd);
}

int process_run_input(const char *const *argv, struct span input,
                      int64_t timeout_ms, const struct cancel *cancel,
                      struct err *e)
{
    AUTO_FD int fd = input_open(input, e);
    struct watch w = { .in = fd, .cancel = cancel };

    return fd < 0 ? -1 : run_within(argv, timeout_ms, &w, e);
}

int process_start(const char *const *argv, int stderr_fd, pid_t *pid,
                  struct err *e)
{
    AUTO_FD int err = -1;
    if (stderr_fd >= 0) {
        err = fcntl(stderr_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (err < 0)
            return err_set(e, ERR_IO, errno, "%s: duplicate descriptor %d",
                           argv[0], stderr_fd);
    }
    if (launch(argv, -1, -1, err, pid, e) < 0)
        return err_ctx(e, "%s", argv[0]);
    return 0;
}

/* True where pid is a child of ours that still runs.  An ended one stays
 * unreaped, so its number and its group's stay its own. */
static bool still_runs(pid_t pid, bool *ours)
{
    siginfo_t info = { 0 };
    *ours = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    return *ours && info.si_pid == 0;
}

void process_stop(pid_t pid, int64_t grace_ms)
{
    bool ours = false;
    if (pid <= 0)
        return;
    if (still_runs(pid, &ours)) {
        int64_t deadline = utc_mono_ms() + grace_ms;
        struct timespec tick = { .tv_nsec = 5000000 };
        kill_group(pid, SIGTERM);
        while (still_runs(pid, &ours) && utc_mono_ms() < deadline)
            nanosleep(&tick, NULL);
    }
    /* Somebody else reaped it: the number may be anyone's by now. */
    if (!ours)
        return;
    kill_group(pid, SIGKILL);
    wait_blocking(pid);
}

int process_ended(pid_t pid, int *status)
{
    *status = 0;
    pid_t r = waitpid(pid, status, WNOHANG);
    if (r < 0 && errno != EINTR) {
        *status = STATUS_UNKNOWN;
        return 1;
    }
    return r == pid;
}
