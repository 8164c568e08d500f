// SPDX-License-Identifier: Apache-2.0
//
// A raw image or a VM's file.  It has its length from the start, and only what
// is not zero is written, so zeros stay holes.
#include <errno.h>
#include <unistd.h>

#include "engine/restore/target_impl.h"

/* A page of most file systems: no smaller holes exist. */
#define GRAIN ENG_TARGET_ALIGN

struct target_file {
    struct eng_target base;
    struct eng_target_part part;
    struct eng_target_direct out;
};

static int file_write(struct eng_target *t, const struct cancel *c,
                      uint64_t offset, struct span data, struct err *e)
{
    struct target_file *f = (struct target_file *)t;
    size_t start = 0;
    size_t end = 0;
    (void)c;
    while (eng_target_next_run(data, offset, GRAIN, &start, &end)) {
        struct span run = span_of(data.p + start, end - start);
        if (eng_target_direct_write(&f->out, run, offset + start, f->part.part,
                                    e) == 0)
            continue;
        if (e->sys == EFBIG)
            e->kind = ERR_FULL;
        return -1;
    }
    return 0;
}

static int file_zero(struct eng_target *t, const struct cancel *c,
                     uint64_t offset, uint64_t len, struct err *e)
{
    (void)t;
    (void)c;
    (void)offset;
    (void)len;
    (void)e;
    return 0; /* nothing was ever written there */
}

static int file_commit(struct eng_target *t, struct err *e)
{
    return eng_target_part_commit(&((struct target_file *)t)->part, e);
}

static void file_close(struct eng_target *t)
{
    struct target_file *f = (struct target_file *)t;
    eng_target_direct_close(&f->out);
    eng_target_part_close(&f->part);
    free(f->base.path);
    free(f);
}

static const struct eng_target_ops file_ops = { file_write, file_zero,
                                                file_commit, file_close };

struct eng_target *eng_target_file_open(const struct eng_target_opts *o,
                                        struct err *e)
{
    struct target_file *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        err_nomem(e);
        return NULL;
    }
    f->part.fd = -1;
    f->out.direct = -1;
    AUTO_ENG_TARGET struct eng_target *t = &f->base;
    if (eng_target_init(t, &file_ops, o, e) < 0 ||
        eng_target_part_open(&f->part, o, e) < 0)
        return NULL;
    if (ftruncate(f->part.fd, (off_t)o->size) < 0) {
        err_set(e, errno == EFBIG ? ERR_FULL : err_of_errno(errno), errno,
                "%s: give it %llu bytes", f->part.part,
                (unsigned long long)o->size);
        return NULL;
    }
    eng_target_direct_open(&f->out, f->part.fd);
    return STEAL(t);
}
