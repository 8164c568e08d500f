// SPDX-License-Identifier: Apache-2.0
//
// Starting and ending qemu-nbd.  The socket lies in a fresh folder of mode
// 0700, so that no other user reaches the disk through it; what qemu-nbd says
// on stderr goes to memory and becomes the error message.
#include "engine/source/qemu_nbd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/utc.h"
#include "base/utf8.h"

#define START_MS 60000 /* a header on a slow network file system */
#define STOP_MS 120000 /* caches going to a slow disk */
#define TICK_MS 2
#define SAID_CHARS 400
#define TMP_CHARS 80 /* a longer TMPDIR leaves no room in sun_path */

struct eng_qemu_nbd {
    pid_t pid; /* 0: ended and reaped */
    char *path;
    char *dir;
    char *socket;
    int said; /* memory file that is its stderr */
    bool writable;
};

const char *eng_qemu_nbd_socket(const struct eng_qemu_nbd *q)
{
    return q->socket;
}

int eng_qemu_missing(struct err *e)
{
    if (e->kind == ERR_NOTFOUND) {
        e->kind = ERR_UNSUPPORTED;
        err_hint(e, "install it: package qemu-utils (Debian, Ubuntu) or "
                    "qemu-img (Fedora, RHEL, SUSE)");
    }
    return -1;
}

void eng_qemu_nbd_free(struct eng_qemu_nbd *q)
{
    if (q == NULL)
        return;
    int saved = errno;
    process_stop(q->pid, q->writable ? STOP_MS : 1000);
    if (q->socket != NULL)
        unlink(q->socket); /* gone already, where it ended by itself */
    if (q->dir != NULL)
        rmdir(q->dir);
    if (q->said >= 0)
        close(q->said);
    free(q->path);
    free(q->dir);
    free(q->socket);
    free(q);
    errno = saved;
}

/* What it wrote to stderr, on one line. */
static void words(const struct eng_qemu_nbd *q, char out[SAID_CHARS])
{
    static const char prefix[] = "qemu-nbd: ";
    ssize_t n = pread(q->said, out, SAID_CHARS - 1, 0);
    size_t len = n < 0 ? 0 : (size_t)n;

    out[len] = '\0';
    utf8_clean(out, false);
    while (len > 0 && out[len - 1] == ' ')
        out[--len] = '\0';
    size_t skip = sizeof(prefix) - 1;
    if (strncmp(out, prefix, skip) == 0)
        memmove(out, out + skip, len - skip + 1);
    if (out[0] == '\0')
        snprintf(out, SAID_CHARS, "it said nothing");
}

/* It ended before it took connections.  Only its words tell why. */
static int refused(struct eng_qemu_nbd *q, struct err *e)
{
    char said[SAID_CHARS];
    words(q, said);
    if (strstr(said, "Failed to get ") != NULL && strstr(said, " lock"))
        return err_set(e, ERR_BUSY, 0,
                       "%s: in use by another program, a running machine or a "
                       "QEMU tool: qemu-nbd: %s",
                       q->path, said);
    if (strstr(said, "Unknown driver") || strstr(said, "Unknown block driver"))
        return err_set(e, ERR_UNSUPPORTED, 0, "%s: qemu-nbd: %s", q->path,
                       said);
    return err_set(e, q->writable ? ERR_IO : ERR_CORRUPT, 0,
                   "%s: qemu-nbd cannot open it: %s", q->path, said);
}

static void tick(void)
{
    struct timespec ts = { .tv_nsec = TICK_MS * 1000000L };
    nanosleep(&ts, NULL);
}

/* A connection, or -1 while nothing listens. */
static int try_connect(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    if (len >= sizeof(sa.sun_path))
        return -1;
    memcpy(sa.sun_path, path, len + 1);
    AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        return -1;
    return STEAL_FD(fd);
}

/* True once it greets.  It listens before it opens the image, so a connection
 * alone says nothing. */
static bool greets(const char *path, int *fd)
{
    char c;
    if (*fd < 0)
        *fd = try_connect(path);
    struct pollfd p = { .fd = *fd, .events = POLLIN };
    if (*fd < 0 || poll(&p, 1, TICK_MS) <= 0) {
        if (*fd < 0)
            tick();
        return false;
    }
    if (recv(*fd, &c, 1, 0) == 1)
        return true;
    auto_fd_closep(fd);
    tick();
    return false;
}

static int wait_ready(struct eng_qemu_nbd *q, struct err *e)
{
    AUTO_FD int fd = -1;
    int64_t deadline = utc_mono_ms() + START_MS;
    while (!greets(q->socket, &fd)) {
        int status = 0;
        if (process_ended(q->pid, &status)) {
            q->pid = 0;
            return refused(q, e);
        }
        if (utc_mono_ms() > deadline)
            return err_set(e, ERR_TIMEOUT, 0,
                           "%s: qemu-nbd is not ready after %d seconds",
                           q->path, START_MS / 1000);
    }
    return 0;
}

static int make_folder(struct eng_qemu_nbd *q, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    if (tmp == NULL || tmp[0] != '/' || strlen(tmp) > TMP_CHARS)
        tmp = "/tmp";
    AUTO_MEM char *dir = io_join(tmp, "objvault-nbd-XXXXXX", e);
    if (dir == NULL)
        return -1;
    if (mkdtemp(dir) == NULL)
        return err_set(e, err_of_errno(errno), errno,
                       "make a temporary folder in %s", tmp);
    q->dir = STEAL(dir);
    q->socket = io_join(q->dir, "s", e);
    if (q->socket == NULL)
        return -1;
    q->said = memfd_create("qemu-nbd-stderr", MFD_CLOEXEC);
    if (q->said < 0)
        return err_set(e, ERR_IO, errno, "memfd_create");
    return 0;
}

static int launch(struct eng_qemu_nbd *q, const char *format, struct err *e)
{
    /* -e 0: any number of clients.  Ours are as many as there are workers,
     * and one that looks whether the socket is there. */
    const char *argv[16] = { "qemu-nbd", "-t",      "-e", "0",
                             "-k",       q->socket, "-f", format };
    size_t n = 8;
    if (!q->writable)
        argv[n++] = "-r";
    argv[n++] = "--";
    argv[n] = q->path;
    if (process_start(argv, q->said, &q->pid, e) < 0)
        return eng_qemu_missing(e);
    return 0;
}

struct eng_qemu_nbd *eng_qemu_nbd_start(const char *path, const char *format,
                                        bool writable, struct err *e)
{
    AUTO_ENG_QEMU_NBD struct eng_qemu_nbd *q = calloc(1, sizeof(*q));
    if (q == NULL) {
        err_nomem(e);
        return NULL;
    }
    q->said = -1;
    q->writable = writable;
    /* An absolute path is never taken for a protocol ("nbd:..."). */
    q->path = realpath(path, NULL);
    if (q->path == NULL) {
        err_set(e, err_of_errno(errno), errno, "%s", path);
        return NULL;
    }
    if (make_folder(q, e) < 0 || launch(q, format, e) < 0 ||
        wait_ready(q, e) < 0)
        return NULL;
    return STEAL(q);
}

int eng_qemu_nbd_stop(struct eng_qemu_nbd *q, struct err *e)
{
    char said[SAID_CHARS];
    int status = 0;
    int64_t deadline = utc_mono_ms() + STOP_MS;

    if (q->pid <= 0)
        return 0;
    if (process_ended(q->pid, &status)) {
        q->pid = 0;
        words(q, said);
        return err_set(e, ERR_IO, 0, "%s: qemu-nbd ended too early: %s",
                       q->path, said);
    }
    kill(q->pid, SIGTERM);
    while (!process_ended(q->pid, &status)) {
        if (utc_mono_ms() > deadline)
            return err_set(e, ERR_TIMEOUT, 0,
                           "%s: qemu-nbd has not ended after %d seconds",
                           q->path, STOP_MS / 1000);
        tick();
    }
    q->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    words(q, said);
    return err_set(e, ERR_IO, 0, "%s: qemu-nbd could not close it: %s", q->path,
                   said);
}
