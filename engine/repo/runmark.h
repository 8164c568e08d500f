// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_RUNMARK_H
#define ENGINE_REPO_RUNMARK_H

/*
 * Marks of runs that write, as files held by flock beside the index.  A run
 * that ends well takes its mark away after the index is written; a mark that
 * nobody holds is that of a run that was killed: what it put in its last
 * moments is in the repository, but not in the index.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct eng_runmark {
    char *dir;   /* owned */
    char *path;  /* of our own mark; owned; NULL: none */
    int fd;      /* holds the lock */
    size_t dead; /* marks of killed runs that were found */
};

/* Leaves a mark in dir (which is there) and looks for those of killed runs. */
int eng_runmark_begin(struct eng_runmark *m, const char *dir, struct err *e)
    __attribute__((warn_unused_result));

/* Takes the marks of killed runs away: the index was brought up to date. */
void eng_runmark_bury(struct eng_runmark *m);

/* Ends the run; clean: the index holds all that it put.  Otherwise the mark
 * stays and tells the next run.  A zeroed mark is fine. */
void eng_runmark_end(struct eng_runmark *m, bool clean);

#endif
