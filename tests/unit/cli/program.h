// SPDX-License-Identifier: Apache-2.0
/* For tests that start the program: a folder of its own for each, and what a
 * run printed.  Include behind nothing else. */
#ifndef TESTS_UNIT_CLI_PROGRAM_H
#define TESTS_UNIT_CLI_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"

#define TEXT_MAX ((size_t)1 << 24)
#define DISK_BYTES (3u << 20)

/* A folder of its own for each test: home, state, vms, repositories. */
struct fixture {
    char dir[64];
    struct buf out, err; /* of the last run */
};

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/objvault-cli-XXXXXX");
    f->out = buf_init(TEXT_MAX);
    f->err = buf_init(TEXT_MAX);
    *state = f;
    return mkdtemp(f->dir) != NULL ? chdir(f->dir) : -1;
}

static inline int remove_entry(const char *path, const struct stat *st,
                               int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    int r = chdir("/");
    r |= nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    buf_free(&f->out);
    buf_free(&f->err);
    free(f);
    return r;
}

/* In the child: nobody to ask, a home of its own, no keys from outside. */
static inline void become(char *const *argv, const char *const *env)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open("out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = open("err", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (null < 0 || out < 0 || err < 0 || dup2(null, 0) < 0 ||
        dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(99);
    setenv("OBJVAULT_HOME", "home", 1);
    setenv("OBJVAULT_STATE", "state", 1);
    unsetenv("OBJVAULT_NOW");
    for (size_t i = 0; env != NULL && env[i] != NULL; i += 2)
        setenv(env[i], env[i + 1], 1);
    execv(PROGRAM, argv);
    _exit(98);
}

/* Runs the program with the words of line; its exit code. */
static inline int run_env(struct fixture *f, const char *line,
                          const char *const *env)
{
    char text[600];
    static char program[] = "objvault";
    char *argv[30] = { program };
    size_t argc = 1;
    int status = 0;
    struct err e = { 0 };
    assert_true(strlen(line) < sizeof text);
    memcpy(text, line, strlen(line) + 1);
    char *rest = NULL;
    for (char *w = strtok_r(text, " ", &rest); w != NULL && argc < 29;
         w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(argv, env);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    buf_reset(&f->out);
    buf_reset(&f->err);
    assert_int_equal(io_read_file("out", &f->out, &e), 0);
    assert_int_equal(io_read_file("err", &f->err, &e), 0);
    if (!WIFEXITED(status))
        fail_msg("%s: ended by a signal: %s", line, buf_cstr(&f->err));
    return WEXITSTATUS(status);
}

static inline void run(struct fixture *f, const char *line, int want)
{
    int code = run_env(f, line, NULL);
    if (code != want)
        fail_msg("%s: exit %d: %s%s", line, code, buf_cstr(&f->out),
                 buf_cstr(&f->err));
}

/* The document on stdout: one line, one document. */
static inline struct json_doc *document(struct fixture *f)
{
    struct err e = { 0 };
    const char *text = buf_cstr(&f->out);
    const char *newline = strchr(text, '\n');
    assert_non_null(newline);
    assert_int_equal(newline[1], '\0');
    struct json_doc *doc =
        json_parse(buf_span(&f->out), JSON_STRICT, ERR_CORRUPT, &e);
    if (doc == NULL)
        fail_msg("%s: %s", e.msg, text);
    return doc;
}

static inline void one_document(struct fixture *f)
{
    json_doc_free(document(f));
}

static inline void out_has(struct fixture *f, const char *part)
{
    if (strstr(buf_cstr(&f->out), part) == NULL)
        fail_msg("no %s in: %s", part, buf_cstr(&f->out));
}

static inline void err_has(struct fixture *f, const char *part)
{
    if (strstr(buf_cstr(&f->err), part) == NULL)
        fail_msg("no %s in: %s", part, buf_cstr(&f->err));
}

/* A disk of three blocks of 1 MiB: content, zeros, content. */
static inline void make_disk(const char *path, uint8_t seed)
{
    struct err e = { 0 };
    AUTO_MEM uint8_t *p = calloc(1, DISK_BYTES);
    assert_non_null(p);
    for (size_t i = 0; i < DISK_BYTES; i++)
        if (i < 1u << 20 || i >= 2u << 20)
            p[i] = (uint8_t)(i * 7 + i / 4096 + (i >> 20) + seed);
    assert_int_equal(io_mkdirs_for(path, 0700, &e), 0);
    if (io_write_file(path, span_of(p, DISK_BYTES), 0600, false, &e) < 0)
        fail_msg("%s", e.msg);
}

static inline bool same(const char *a, const char *b)
{
    struct err e = { 0 };
    AUTO_BUF struct buf x = buf_init(TEXT_MAX);
    AUTO_BUF struct buf y = buf_init(TEXT_MAX);
    if (io_read_file(a, &x, &e) < 0 || io_read_file(b, &y, &e) < 0)
        fail_msg("%s", e.msg);
    return span_eq(buf_span(&x), buf_span(&y));
}

/* A repository and a VM of one disk, with one point. */
static inline void make_point(struct fixture *f)
{
    char line[200];
    (void)snprintf(line, sizeof line,
                   "repo create main file://%s/repo --block-size 1M", f->dir);
    run(f, line, 0);
    make_disk("vms/web1/vda.raw", 1);
    run(f, "backup run vms/web1", 0);
}

/* Words of stderr or stdout that name the only point. */
static inline void point_name(struct fixture *f, char name[64])
{
    run(f, "--json point list", 0);
    const char *at = strstr(buf_cstr(&f->out), "\"point\":\"");
    assert_non_null(at);
    (void)snprintf(name, 64, "%.*s", (int)strcspn(at + 9, "\""), at + 9);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
