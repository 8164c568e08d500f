// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_BASE_COVERAGE_H
#define TESTS_UNIT_BASE_COVERAGE_H

/* For child processes that end by _exit or a signal: writes the coverage
 * counters, in builds that have them. */
#ifdef OBJVAULT_COVERAGE
extern void __gcov_dump(void);
#endif

static inline void coverage_write(void)
{
#ifdef OBJVAULT_COVERAGE
    __gcov_dump();
#endif
}

#endif
