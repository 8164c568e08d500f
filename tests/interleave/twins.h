// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_TWINS_H
#define TESTS_INTERLEAVE_TWINS_H

/* Who backs up which VM now: never two at once, as long as their leases cannot
 * have run out.  The linker leads the begin and the end of a run's lease
 * through here. */
void twins_forget(void);

#endif
