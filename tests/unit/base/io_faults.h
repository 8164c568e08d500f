// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_BASE_IO_FAULTS_H
#define TESTS_UNIT_BASE_IO_FAULTS_H

/* For the tests of base/io, each of which includes it once: system calls that
 * fail, split or are interrupted on demand (wrapped by the linker), and a
 * folder for each test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"

/* What the wrapped calls do; all zero: nothing special. */
static struct {
    size_t most;    /* bytes that one read or write moves at most */
    int interrupts; /* so many calls say EINTR first */
    int fail_io;    /* errno of reads and writes */
    int fail_fsync;
    int fail_fsync_dir;
    int fail_close;
    int fail_rename; /* of renameat2 */
    int fail_link;
    int fail_poll;
    int fail_nth_alloc; /* this allocation from now fails */
    bool no_random;
    bool write_nothing;
} fault;

static bool meddle(size_t *len, ssize_t *r)
{
    *r = -1;
    if (fault.interrupts > 0) {
        fault.interrupts--;
        errno = EINTR;
        return true;
    }
    if (fault.fail_io != 0) {
        errno = fault.fail_io;
        return true;
    }
    if (fault.most > 0 && *len > fault.most)
        *len = fault.most;
    return false;
}

ssize_t __real_pread64(int fd, void *p, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *p, size_t len, off_t at);
ssize_t __real_pwrite64(int fd, const void *p, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t len, off_t at);
ssize_t __real_write(int fd, const void *p, size_t len);
ssize_t __wrap_write(int fd, const void *p, size_t len);
ssize_t __real_read(int fd, void *p, size_t len);
ssize_t __wrap_read(int fd, void *p, size_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_link(const char *a, const char *b);
int __wrap_link(const char *a, const char *b);
int __real_renameat2(int fa, const char *a, int fb, const char *b, unsigned f);
int __wrap_renameat2(int fa, const char *a, int fb, const char *b, unsigned f);

static bool starve(void)
{
    return fault.fail_nth_alloc > 0 && --fault.fail_nth_alloc == 0;
}

int __real_vasprintf(char **out, const char *fmt, va_list ap);
int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
int __real___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap);
int __wrap___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);
int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_digest_random(void *p, size_t len, struct err *e);
int __real_digest_random(void *p, size_t len, struct err *e);

int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
    return starve() ? -1 : __real_vasprintf(out, fmt, ap);
}

/* What optimised builds call in its place. */
int __wrap___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap)
{
    return starve() ? -1 : __real___vasprintf_chk(out, flag, fmt, ap);
}

char *__wrap_strdup(const char *s)
{
    return starve() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return starve() ? NULL : __real_strndup(s, n);
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
    if (fault.fail_poll == 0)
        return __real_poll(fds, n, ms);
    errno = fault.fail_poll;
    return -1;
}

int __wrap_digest_random(void *p, size_t len, struct err *e)
{
    return fault.no_random ? err_set(e, ERR_INTERNAL, 0, "no random bytes")
                           : __real_digest_random(p, len, e);
}

ssize_t __wrap_pread64(int fd, void *p, size_t len, off_t at)
{
    ssize_t r;
    return meddle(&len, &r) ? r : __real_pread64(fd, p, len, at);
}

ssize_t __wrap_pwrite64(int fd, const void *p, size_t len, off_t at)
{
    ssize_t r;
    if (fault.write_nothing)
        return 0;
    return meddle(&len, &r) ? r : __real_pwrite64(fd, p, len, at);
}

ssize_t __wrap_write(int fd, const void *p, size_t len)
{
    ssize_t r;
    return meddle(&len, &r) ? r : __real_write(fd, p, len);
}

ssize_t __wrap_read(int fd, void *p, size_t len)
{
    ssize_t r;
    return meddle(&len, &r) ? r : __real_read(fd, p, len);
}

int __wrap_fsync(int fd)
{
    struct stat st;
    bool dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    int sys = dir ? fault.fail_fsync_dir : fault.fail_fsync;
    if (sys == 0)
        return __real_fsync(fd);
    errno = sys;
    return -1;
}

int __wrap_close(int fd)
{
    int r = __real_close(fd);
    if (fault.fail_close == 0)
        return r;
    errno = fault.fail_close;
    return -1;
}

int __wrap_link(const char *a, const char *b)
{
    if (fault.fail_link == 0)
        return __real_link(a, b);
    errno = fault.fail_link;
    return -1;
}

int __wrap_renameat2(int fa, const char *a, int fb, const char *b, unsigned f)
{
    if (fault.fail_rename == 0)
        return __real_renameat2(fa, a, fb, b, f);
    errno = fault.fail_rename;
    return -1;
}

static char root[] = "/tmp/objvault-test-io-XXXXXX";
static char path[200]; /* of the file under test, below root */

static const char *in_root(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    char command[sizeof(root) + 10];

    (void)state;
    memset(&fault, 0, sizeof(fault));
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command) == 0 ? 0 : -1;
}

static inline unsigned files_in_root(void)
{
    AUTO_DIR DIR *d = opendir(root);
    unsigned n = 0;

    assert_non_null(d);
    for (struct dirent *f = readdir(d); f != NULL; f = readdir(d))
        n += strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
    return n;
}

static inline void write_text(const char *name, const char *text)
{
    struct err e = { 0 };
    assert_int_equal(
        io_write_file(in_root(name), span_str(text), 0644, false, &e), 0);
}

static inline void assert_content(const char *name, const char *text)
{
    AUTO_BUF struct buf b = buf_init(1 << 20);
    struct err e = { 0 };
    assert_int_equal(io_read_file(in_root(name), &b, &e), 0);
    assert_string_equal(buf_cstr(&b), text);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
