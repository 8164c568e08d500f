// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_SOURCE_SCRATCH_H
#define TESTS_UNIT_ENGINE_SOURCE_SCRATCH_H

/* A scratch folder per test, files with known content, and the QEMU tools.
 * Asserts, so it is for the main thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define SKIPPED 77
#define ALIGNED_BYTES 4096

static char scratch[64];

static int scratch_remove(const char *path, const struct stat *st, int type,
                          struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

static inline int scratch_make(void **state)
{
    (void)state;
    snprintf(scratch, sizeof(scratch), "/tmp/objvault-test-XXXXXX");
    return mkdtemp(scratch) == NULL ? -1 : 0;
}

static inline int scratch_drop(void **state)
{
    (void)state;
    return nftw(scratch, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* "scratch/name"; eight at a time. */
static inline const char *at(const char *name)
{
    static char ring[8][256];
    static unsigned next;
    char *p = ring[next++ % 8];
    snprintf(p, sizeof(ring[0]), "%s/%s", scratch, name);
    return p;
}

__attribute__((format(printf, 1, 0))) static inline int
run_shell(const char *fmt, va_list ap)
{
    char line[1024];
    char command[1200];
    vsnprintf(line, sizeof(line), fmt, ap);
    snprintf(command, sizeof(command), "cd %s && { %s; } >out.log 2>&1",
             scratch, line);
    int r = system(command);
    unlink(at("out.log"));
    return r;
}

/* A shell command in the scratch folder; its status. */
__attribute__((format(printf, 1, 2))) static inline int try_sh(const char *fmt,
                                                               ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = run_shell(fmt, ap);
    va_end(ap);
    return r;
}

__attribute__((format(printf, 1, 2))) static inline void sh(const char *fmt,
                                                            ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = run_shell(fmt, ap);
    va_end(ap);
    if (r != 0)
        fail_msg("status %d of: %s", r, fmt);
}

/* The byte that belongs at an offset: never zero, no short period. */
static inline uint8_t byte_at(uint64_t offset)
{
    uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    return (uint8_t)(x % 255 + 1);
}

static inline void fill(uint8_t *p, size_t len, uint64_t offset)
{
    for (size_t i = 0; i < len; i++)
        p[i] = byte_at(offset + i);
}

static inline uint8_t *room(size_t len)
{
    size_t n = (len + ALIGNED_BYTES) / ALIGNED_BYTES * ALIGNED_BYTES;
    uint8_t *p = aligned_alloc(ALIGNED_BYTES, n);
    assert_non_null(p);
    return p;
}

/* Makes the file if need be and writes known bytes to [offset, +len). */
static inline void put_data(const char *path, uint64_t offset, size_t len)
{
    uint8_t *p = room(len);
    fill(p, len, offset);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, p, len, (off_t)offset), (ssize_t)len);
    close(fd);
    free(p);
}

static inline void put_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline void set_size(const char *path, uint64_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

/* The whole file; the caller frees. */
static inline uint8_t *slurp(const char *path, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    *len = (size_t)st.st_size;
    uint8_t *p = room(*len);
    size_t got = 0;
    while (got < *len) {
        ssize_t n = pread(fd, p + got, *len - got, (off_t)got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    close(fd);
    return p;
}

static inline void assert_err(const struct err *e, enum err_kind kind,
                              const char *part)
{
    if (e->kind != kind || strstr(e->msg, part) == NULL)
        fail_msg("wanted %s with '%s', got %s: %s", err_kind_name(kind), part,
                 err_kind_name(e->kind), e->msg);
}

static inline bool have_tools(void)
{
    return system("command -v qemu-nbd qemu-img qemu-io >/dev/null 2>&1") == 0;
}

/* A loop device over a file, or NULL with the reason printed; detach with
 * loop_drop. */
static inline const char *loop_make(const char *file)
{
    static char name[64];
    char command[300];
    name[0] = '\0';
    snprintf(command, sizeof(command), "losetup -f --show %s 2>/dev/null",
             file);
    FILE *p = popen(command, "r");
    if (p != NULL) {
        if (fgets(name, sizeof(name), p) != NULL)
            name[strcspn(name, "\n")] = '\0';
        pclose(p);
    }
    if (name[0] == '\0') {
        print_message("no loop device: needs root and losetup\n");
        return NULL;
    }
    return name;
}

static inline void loop_drop(const char *name)
{
    char command[128];
    snprintf(command, sizeof(command), "losetup -d %s", name);
    assert_int_equal(system(command), 0);
}

#endif
