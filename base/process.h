// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/*
 * Child programs without a shell, looked up in PATH.  The child gets default
 * signals, /dev/null as stdin (but process_run_input), no inherited descriptors
 * but 0..2, and a process group of its own: Ctrl-C at a terminal does not reach
 * it.  It dies with the thread that started it (PR_SET_PDEATHSIG goes by
 * threads), so that thread has to outlive it.
 */
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"

/* Runs argv to its end and appends its stdout to out (its maximum bounds it;
 * NULL: stdout is dropped).  -1: ERR_NOTFOUND (no such program), ERR_FAILED
 * with the exit status and the end of its stderr, ERR_TIMEOUT (timeout_ms < 0:
 * none), ERR_CANCELLED, ERR_CORRUPT (over out's maximum); where it still runs
 * then, it is killed with all of its group. */
int process_run(const char *const *argv, int64_t timeout_ms,
                const struct cancel *cancel, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* The same for a program whose output is a secret.  Its stderr may hold it too:
 * it goes to the terminal where our own does, else it is dropped, and is in no
 * error. */
int process_run_secret(const char *const *argv, int64_t timeout_ms,
                       const struct cancel *cancel, struct buf *out,
                       struct err *e) __attribute__((warn_unused_result));

/* The same for a program that reads `input` to its end, or as far as it likes,
 * on its stdin; its stdout is dropped. */
int process_run_input(const char *const *argv, struct span input,
                      int64_t timeout_ms, const struct cancel *cancel,
                      struct err *e) __attribute__((warn_unused_result));

/* Starts argv in the background; its stderr goes to stderr_fd (borrowed; -1:
 * dropped), its stdout is dropped.  The caller ends it with process_stop. */
int process_start(const char *const *argv, int stderr_fd, pid_t *pid,
                  struct err *e) __attribute__((warn_unused_result));

/* SIGTERM, and SIGKILL after grace_ms, to the child and its group; reaps.
 * pid <= 0 and a child that was reaped already are fine. */
void process_stop(pid_t pid, int64_t grace_ms);

/* True once the child has ended (and is reaped); *status as waitpid's (an exit
 * of 127 where it was reaped before). */
int process_ended(pid_t pid, int *status);

#endif
