// SPDX-License-Identifier: Apache-2.0
/*
 * The randomised test of interleavings: the real code of hosts that back up,
 * remove and collect, played on one thread in an order, a time and a weather
 * that a seed decides.
 *
 *   interleave REGIME [--seed N] [--count N] [--trace] [--must-fail]
 *
 * Schedules N, N + 1, ... are played until one fails or all are done. README.md
 * says how to read a failure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/interleave/net.h"
#include "tests/interleave/play.h"
#include "tests/interleave/schedule.h"

#define COUNT 300

struct args {
    const struct schedule_regime *regime;
    uint64_t seed, count;
    bool trace;
    bool must_fail; /* a bug was planted: to find it is the success */
};

static int usage(void)
{
    fprintf(stderr, "usage: interleave REGIME [--seed N] [--count N] "
                    "[--trace]; regimes:");
    for (size_t i = 0; i < schedule_regimes_n; i++)
        fprintf(stderr, " %s", schedule_regimes[i].name);
    fprintf(stderr, "\n");
    return 2;
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10)
                                           : otherwise;
}

static bool parse(int argc, char **argv, struct args *a)
{
    *a = (struct args){ .seed = from_env("OBJVAULT_INTERLEAVE_SEED", 1),
                        .count = from_env("OBJVAULT_INTERLEAVE_COUNT", COUNT) };
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--trace") == 0)
            a->trace = true;
        else if (strcmp(argv[i], "--must-fail") == 0)
            a->must_fail = true;
        else if (strcmp(argv[i], "--seed") == 0 && more)
            a->seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--count") == 0 && more)
            a->count = strtoull(argv[++i], NULL, 10);
        else
            for (size_t g = 0; g < schedule_regimes_n; g++)
                if (strcmp(argv[i], schedule_regimes[g].name) == 0)
                    a->regime = &schedule_regimes[g];
    }
    return a->regime != NULL;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const struct args *a, uint64_t played, double took)
{
    const struct play_counts *p = &play_counts;
    const struct net_counts *n = net_counts();

    printf("%s: %" PRIu64 " schedules in %.1f s\n", a->regime->name, played,
           took);
    printf("  runs %" PRIu64 ", points %" PRIu64 ", failed %" PRIu64
           ", crashed %" PRIu64 "; points removed %" PRIu64 ", read %" PRIu64
           " (%" PRIu64 " of them removed meanwhile)\n",
           p->runs, p->points, p->failed, p->crashed, p->removed, p->readings,
           p->outlived);
    printf("  collections %" PRIu64 ", collected %" PRIu64
           "; processes of two threads %" PRIu64 "\n",
           p->collections, p->collected, p->pairs);
    printf("  puts %" PRIu64 ", deletes %" PRIu64 ", lost %" PRIu64
           ", carried out late %" PRIu64 ", too old %" PRIu64 "\n",
           n->requests[OBJ_PUT], n->requests[OBJ_DELETE], n->lost, n->late,
           n->refused);
}

static void tell(const struct args *a, uint64_t seed, const char *why)
{
    printf("%s: regime %s, seed %" PRIu64 ": %s\n",
           a->must_fail ? "found" : "FAILED", a->regime->name, seed, why);
    printf("its story: interleave %s --seed %" PRIu64 " --count 1 --trace\n",
           a->regime->name, seed);
}

int main(int argc, char **argv)
{
    struct args a;
    char why[1200];

    if (!parse(argc, argv, &a))
        return usage();
    double began = seconds();
    for (uint64_t i = 0; i < a.count; i++)
        if (!schedule_play(a.regime, a.seed + i, a.trace, why, sizeof(why))) {
            tell(&a, a.seed + i, why);
            return a.must_fail ? 0 : 1;
        }
    report(&a, a.count, seconds() - began);
    return a.must_fail ? 1 : 0;
}
