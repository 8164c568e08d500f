// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* Child programs without a shell.  The child gets default signals, no
 * inherited descriptors but 0..2, and dies with us (PR_SET_PDEATHSIG). */
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"

/* Runs argv to its end and appends its stdout to out (its maximum bounds it;
 * NULL: stdout is dropped).  -1: ERR_NOTFOUND (no such program), ERR_FAILED
 * with the exit status and the end of its stderr, ERR_TIMEOUT (then it is
 * killed), ERR_CANCELLED. */
int process_run(const char *const *argv, int64_t timeout_ms,
                const struct cancel *cancel, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* Starts argv in the background; its stderr goes to stderr_fd (-1: dropped).
 * The caller ends it with process_stop. */
int process_start(const char *const *argv, int stderr_fd, pid_t *pid,
                  struct err *e) __attribute__((warn_unused_result));

/* SIGTERM, and SIGKILL after grace_ms; reaps.  pid <= 0 is fine. */
void process_stop(pid_t pid, int64_t grace_ms);

/* True once the child has ended (and is reaped); *status as waitpid's. */
int process_ended(pid_t pid, int *status);

#endif
