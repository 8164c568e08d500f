// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CONFORMANCE_MEMORY_H
#define TESTS_CONFORMANCE_MEMORY_H

/*
 * A storage driver that keeps its buckets in this process: the model of what a
 * driver means, small enough to be right by reading.  A bucket made with
 * object lock keeps versions, delete markers, retention and legal holds as
 * Amazon does.  Any thread may call it.
 */
#include "objstore/driver.h"

extern const struct obj_driver memory_driver;

/* Its clock goes on by so many seconds. */
void memory_pass(int64_t seconds);

/* Drops all buckets; no store may be open. */
void memory_forget(void);

#endif
