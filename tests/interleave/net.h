// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_NET_H
#define TESTS_INTERLEAVE_NET_H

/*
 * The line between actors and storage: a driver over the one in memory or over
 * the one for folders.  It delays requests and answers, loses them, carries out
 * some of the lost ones later, refuses signatures older than a quarter of an
 * hour as servers do, and lets nothing of a dead actor through.  A folder has
 * no line: there only the actors stand still or die.
 */
#include "objstore/retry.h"

/* Signatures older than this are refused. */
#define NET_SIGNATURE_S 900

/* Keys of a listing's page from now on; few, so that others come in between. */
void net_set_page(unsigned keys);

/* What obj_store_open does in this world. */
struct obj_store *net_open(const struct obj_config *c, struct err *e);

/* Attempts that reached the storage and changed it, by kind of request. */
struct net_counts {
    uint64_t requests[OBJ_VERBS];
    uint64_t lost, late, refused; /* late: carried out after its sender gave
                                     up; refused: signature too old */
    uint64_t relocked;            /* locks that were there (net_expect_locks) */
};
struct net_counts *net_counts(void);

/* From now on locks are asked for until then, or later: one that is there when
 * it is asked for counts.  0: nobody looks. */
void net_expect_locks(int64_t until);

/* The view of the test: no weather, the server's clock.  The store is opened
 * with net_open's configuration. */
struct obj_store *net_observe(const struct obj_config *c, struct err *e);

#endif
