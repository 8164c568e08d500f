// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_JOB_HOMED_H
#define TESTS_UNIT_ENGINE_JOB_HOMED_H

/* A home of its own for each test of configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/job/config.h"

#define HOMED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

struct fixture {
    char config[64], state[80];
    struct eng_home home;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    (void)snprintf(f->config, sizeof f->config, "/tmp/objvault-home-XXXXXX");
    if (mkdtemp(f->config) == NULL)
        return -1;
    (void)snprintf(f->state, sizeof f->state, "%s/state", f->config);
    f->home = (struct eng_home){ .config = f->config, .state = f->state };
    *state = f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag,
                        struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    int r = nftw(f->config, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return r;
}

static void put(const struct fixture *f, const char *file, const char *text)
{
    struct err e = { 0 };
    AUTO_MEM char *path = io_join(f->config, file, &e);
    assert_non_null(path);
    assert_int_equal(io_mkdirs_for(path, 0700, &e), 0);
    if (io_write_file(path, span_str(text), 0600, false, &e) < 0)
        fail_msg("%s", e.msg);
}

/* What a check of all files has said. */
struct seen {
    size_t files, bad;
    char messages[4096];
};

static inline void on_file(void *ctx, const char *file,
                           const struct err *problem)
{
    struct seen *s = ctx;
    s->files++;
    assert_true(file[0] == '/');
    if (problem == NULL)
        return;
    s->bad++;
    assert_int_equal(problem->kind, ERR_CONFIG);
    size_t at = strlen(s->messages);
    const char *slash = strrchr(problem->msg, '/');
    (void)snprintf(s->messages + at, sizeof s->messages - at, "%s\n",
                   slash != NULL ? slash + 1 : problem->msg);
}

#endif
