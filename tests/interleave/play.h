// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_PLAY_H
#define TESTS_INTERLEAVE_PLAY_H

/* The parts that actors play: hosts that back up their machine, hosts that
 * remove points.  Each calls the engine as a command does. */
#include "engine/repo/repo.h"
#include "tests/interleave/guest.h"
#include "tests/interleave/world.h"

/* What all schedules of a test did, to see that they did something. */
struct play_counts {
    uint64_t runs, points, crashed, failed; /* of writers */
    uint64_t pairs;                         /* processes of two threads */
    uint64_t removed;                       /* points, by hand */
    uint64_t collections, collected;        /* ended well; objects */
    uint64_t checks;
    uint64_t readings, outlived; /* outlived: the point went meanwhile */
};
extern struct play_counts play_counts;

/* Many begin on the hour, the quarter, the fifth minute. */
#define SHARP (5 * MINUTE)

struct player {
    struct actor actor;
    struct eng_repo_place place;
    char state[WORLD_PATH + 16];
    char vm_dir[WORLD_PATH];
    char vm[16];
    struct guest guest;
    unsigned rounds;
    bool thorough;          /* leaves few points */
    int64_t gap_ms;         /* between two rounds, at most */
    int64_t sharp_ms;       /* its rounds begin at multiples of this, as those
                               of others do; 0: at any time */
    int64_t immutability_s; /* of a locked repository; else 0 */
    /* A process with two threads: the other one's player. */
    struct player *mate;
    struct eng_repo *given; /* to a mate: the handle that it is to use now */
    bool over;              /* ... and never more */
};

/* Fills a player but for what it plays: store is where the repository is. */
void play_init(struct player *p, const char *root, const char *name,
               const struct obj_config *store);

/* Backs its machine up, changes it, backs it up again. */
void play_writer(struct actor *a);

/* The second thread of a writer's process. */
void play_mate(struct actor *a);

/* Removes points of all machines by their names. */
void play_remover(struct actor *a);

/* Reads points from end to end. */
void play_reader(struct actor *a);

/* Checks the whole repository, and repairs it at times. */
void play_checker(struct actor *a);

/* Collects as meanly as the rules for locked repositories allow (sweeper.c). */
void play_sweeper(struct actor *a);
void play_collector(struct actor *a);
int play_sweep(struct player *p, int64_t mark_s, struct err *e);

#endif
