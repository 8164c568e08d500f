// SPDX-License-Identifier: Apache-2.0
/* Private to cli/render*.c. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "base/buf.h"
#include "base/progress.h"

/* Seconds that are left, or -1: nobody can tell. */
int64_t cli_render_eta(const struct progress_view *v, double rate);

/* Appends s cut or padded to exactly `columns`. */
void cli_render_fit(struct buf *out, const char *s, size_t columns);

/* All VMs of a job together. */
struct cli_render_sum {
    struct progress_view v;
    size_t over, at_work, expected; /* VMs */
    bool estimated;                 /* the total: not all have begun */
};
struct cli_render_sum cli_render_sum(const struct progress_view *vms, size_t n,
                                     size_t expected);
/* Appends it as a line, without a newline; rate: bytes a second. */
void cli_render_total(const struct cli_render_sum *s, double rate,
                      struct buf *out);

#endif
