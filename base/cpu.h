// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_CPU_H
#define BASE_CPU_H

/*
 * Places at the processors: as many as the process has processors.  A worker
 * takes one while it computes (hashes, compresses) and gives it back before it
 * waits for storage.  So there may be many workers, to hide the latency of
 * requests, and yet each block is computed in one go while it lies in the
 * cache: eleven workers that computed on two processors at will cost 15 % more
 * processor time than three.  It also bounds what a stop has to wait for.
 *
 * One set for the process, because the processors are.  Any thread.
 */
#include "base/cancel.h"
#include "base/err.h"

/* Waits for a place.  -1: ERR_CANCELLED, and none is held. */
int cpu_enter(const struct cancel *c, struct err *e)
    __attribute__((warn_unused_result));
void cpu_leave(void);

/* How many places there are. */
unsigned cpu_places(void);

#endif
