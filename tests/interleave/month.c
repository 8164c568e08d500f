// SPDX-License-Identifier: Apache-2.0
/*
 * Is the estimate right?  Machines of images that change at random are backed
 * up every day, a collection goes by every week, in virtual time; all of it the
 * real engine, over the storage in memory.  After a time to settle the estimate
 * of the next 30 days is made from the repository, as `repo estimate` does, and
 * then those days are played and their requests counted.
 *
 *   month [--seed N] [--scope minimum|retention|none] [--whole] [--days N]
 *
 * What must hold: all requests together, each kind that makes a twentieth of
 * them or more, the bytes sent and those stored at the end are within 5 % of
 * the estimate.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/backup/backup.h"
#include "engine/backup/keeping.h"
#include "engine/care/collect.h"
#include "engine/care/estimate.h"
#include "engine/source/machine.h"
#include "tests/conformance/memory.h"
#include "tests/interleave/folders.h"
#include "tests/interleave/net.h"
#include "tests/interleave/world.h"

#define MACHINES 2
#define BLOCKS 2000
#define BLOCK (256u << 10)
#define UNIT (BLOCK / 64)
#define CHANGE 0.04
#define IMMUTABLE_DAYS 14
#define GENERATION_DAYS 10
#define SETTLE_DAYS 45
#define MONTH_DAYS 30
#define NEAR 0.05

static struct {
    char root[64];
    struct eng_repo_place place;
    bool locked, by_retention, whole;
    unsigned days;
    struct obj_counters sum; /* of the month */
    unsigned changed;        /* blocks, of all its days */
} month = { .locked = true, .days = MONTH_DAYS };

static int end(int bad)
{
    world_end();
    memory_forget();
    folder_remove(month.root);
    return bad;
}

static void give_up(const char *what, const struct err *e)
{
    printf("FAILED: %s: %s\n", what, e != NULL ? e->msg : "");
    exit(end(1)); /* NOLINT(concurrency-mt-unsafe): there is one thread */
}

static void disk_path(unsigned machine, char out[128])
{
    snprintf(out, 128, "%s/vm%u/disk.raw", month.root, machine);
}

static void put_unit(int fd, unsigned block, unsigned unit)
{
    uint64_t noise[UNIT / 8];

    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
        noise[i] = world_random(UINT64_MAX);
    off_t at = (off_t)block * BLOCK + (off_t)unit * UNIT;
    if (pwrite(fd, noise, sizeof(noise), at) != (ssize_t)sizeof(noise))
        give_up("write a disk", NULL);
}

/* A tenth of the blocks are zeros; the others hold one unit at first. */
static void make_machine(unsigned machine)
{
    char path[128];

    disk_path(machine, path);
    snprintf(path, sizeof(path), "%s/vm%u", month.root, machine);
    mkdir(path, 0700);
    disk_path(machine, path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)BLOCKS * BLOCK) < 0)
        give_up(path, NULL);
    for (unsigned b = 0; b < BLOCKS; b++)
        if (b % 10 != 0)
            put_unit(fd, b, 0);
    close(fd);
}

/* Each block with data is changed by the same chance: a unit of it, or more
 * than half of them. */
static void change_machine(unsigned machine)
{
    char path[128];

    disk_path(machine, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        give_up(path, NULL);
    for (unsigned b = 0; b < BLOCKS; b++) {
        if (b % 10 == 0 || !world_chance((unsigned)(CHANGE * 1000)))
            continue;
        month.changed++;
        if (!month.whole)
            put_unit(fd, b, (unsigned)world_random(64));
        for (unsigned u = 0; month.whole && u < 40; u++)
            put_unit(fd, b, u);
    }
    close(fd);
}

static struct eng_repo *open_repo(void)
{
    struct err e = { 0 };
    struct eng_repo *r = eng_repo_open(&month.place, NULL, &e);

    if (r == NULL)
        give_up("open", &e);
    return r;
}

/* Closes, and counts what was asked for since it was opened. */
static void close_repo(struct eng_repo *r, bool counted)
{
    struct obj_counters n;

    obj_store_counters(eng_repo_store(r), &n);
    for (int v = 0; counted && v < OBJ_VERBS; v++)
        month.sum.requests[v] += n.requests[v];
    if (counted)
        month.sum.sent_bytes += n.sent_bytes;
    eng_repo_close(r);
}

static void back_up(struct eng_repo *r, unsigned machine)
{
    struct eng_keeping keeping = { .days = 16,
                                   .gfs = ENG_GFS_NONE,
                                   .timezone = "UTC" };
    struct eng_backup_opts o = { .keeping = &keeping, .memory_bytes = 1 };
    struct eng_backup_result res;
    struct err e = { 0 };
    char path[128];

    keeping.gfs.weekly = month.by_retention ? 4 : 0;
    keeping.gfs.monthly = month.by_retention ? 2 : 0;
    snprintf(path, sizeof(path), "%s/vm%u", month.root, machine);
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(path, &e);
    if (m == NULL)
        give_up(path, &e);
    /* Where the test's folder lies must not decide what manifests hold. */
    free(m->source);
    m->source = io_format(&e, "dir:/machines/vm%u", machine);
    if (m->source == NULL || eng_backup_machine(r, m, &o, &res, &e) < 0)
        give_up(path, &e);
    world_sleep(MINUTE);
}

static void collect(bool counted)
{
    struct eng_collect_opts o = { 0 };
    struct eng_collect_result res;
    struct err e = { 0 };
    struct eng_repo *r = open_repo();

    if (eng_collect_run(r, &o, &res, &e) < 0)
        give_up("collection", &e);
    if (res.blocked)
        give_up("somebody is in the way of a collection", NULL);
    close_repo(r, counted);
}

/* The days of the month are numbered from 0, so are those before it. */
static void one_day(unsigned day, bool counted)
{
    int64_t until = world_now_ms() + DAY;
    struct eng_repo *r = open_repo();

    for (unsigned i = 0; i < MACHINES; i++) {
        change_machine(i);
        back_up(r, i);
    }
    close_repo(r, counted);
    if ((day + 1) % ENG_ESTIMATE_COLLECT_DAYS == 0)
        collect(counted);
    world_sleep(until - world_now_ms());
}

static double stored_now(void)
{
    struct eng_repo_stats s;
    struct err e = { 0 };
    struct eng_repo *r = open_repo();

    if (eng_repo_stats(r, NULL, &s, &e) < 0)
        give_up("stats", &e);
    eng_repo_close(r);
    return (double)(s.block_bytes + s.page_bytes + s.manifest_bytes);
}

static void begin(uint64_t seed)
{
    static const struct weather none;
    struct eng_repo_create_opts o = { .create_bucket = true,
                                      .block_size = BLOCK,
                                      .locked = month.locked };
    struct err e = { 0 };

    log_setup(LOG_ERROR, false);
    snprintf(month.root, sizeof(month.root), "%s/objvault-month-%ld",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (long)getpid());
    folder_remove(month.root);
    if (mkdir(month.root, 0700) < 0)
        abort();
    world_begin(seed, &none, false);
    month.place = (struct eng_repo_place){
        .name = "month",
        .state_dir = month.root,
        .store = { .driver = OBJ_DRIVER_S3, .bucket = "bucket" },
    };
    if (month.locked) {
        o.immutability_s = IMMUTABLE_DAYS * DAY / SECOND;
        o.generation_s = GENERATION_DAYS * DAY / SECOND;
        o.scope = month.by_retention ? MF_SCOPE_RETENTION : MF_SCOPE_MINIMUM;
    }
    if (eng_repo_create(&month.place, &o, NULL, &e) < 0)
        give_up("create", &e);
    for (unsigned i = 0; i < MACHINES; i++)
        make_machine(i);
}

static void gather(struct eng_estimate_facts *out)
{
    struct err e = { 0 };
    struct eng_repo *r = open_repo();

    if (eng_estimate_gather(r, NULL, out, &e) < 0)
        give_up("estimate", &e);
    eng_repo_close(r);
}

/* How much changes is what somebody has to tell the estimate; a month of so few
 * blocks has some percent more or less than the mean. */
static void estimate(const struct eng_estimate_facts *facts,
                     struct eng_estimate *out)
{
    static const struct eng_prices free_of_charge;
    double blocks = (BLOCKS - BLOCKS / 10.0) * MACHINES * month.days;
    struct err e = { 0 };

    if (eng_estimate_make(facts, month.changed / blocks, month.days,
                          &free_of_charge, out, &e) < 0)
        give_up("estimate", &e);
}

static bool differs(const char *what, double estimated, double counted,
                    bool weighs)
{
    double off = counted > 0 ? estimated / counted - 1 : 0;
    bool bad = weighs && fabs(off) > NEAR;

    printf("  %-12s %12.0f estimated %12.0f counted %+6.1f %%%s%s\n", what,
           estimated, counted, off * 100, weighs ? "" : " (few)",
           bad ? "  TOO FAR" : "");
    return bad;
}

static int judge(const struct eng_estimate *is, double stored)
{
    double all = 0;
    double estimated = 0;
    bool bad = false;

    for (int v = 0; v < OBJ_VERBS; v++) {
        all += (double)month.sum.requests[v];
        estimated += is->requests[v];
    }
    for (int v = 0; v < OBJ_VERBS; v++) {
        double n = (double)month.sum.requests[v];
        bad |= differs(obj_verb_name((enum obj_verb)v), is->requests[v], n,
                       n >= all * NEAR);
    }
    bad |= differs("all", estimated, all, true);
    bad |= differs("sent bytes", is->sent_bytes, (double)month.sum.sent_bytes,
                   true);
    bad |= differs("stored bytes", is->stored_bytes_end, stored, true);
    return bad;
}

static void parse(int argc, char **argv, uint64_t *seed)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--whole") == 0) {
            month.whole = true;
        } else if (strcmp(argv[i], "--scope") == 0 && i + 1 < argc) {
            i++;
            month.locked = strcmp(argv[i], "none") != 0;
            month.by_retention = strcmp(argv[i], "retention") == 0;
        } else if (strcmp(argv[i], "--days") == 0 && i + 1 < argc) {
            month.days = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            *seed = strtoull(argv[++i], NULL, 10);
        }
    }
}

int main(int argc, char **argv)
{
    AUTO_ENG_ESTIMATE_FACTS struct eng_estimate_facts facts = { 0 };
    struct eng_estimate is;
    uint64_t seed = 1;

    parse(argc, argv, &seed);
    begin(seed);
    for (unsigned day = 0; day < SETTLE_DAYS; day++)
        one_day(day, false);
    gather(&facts);
    month.changed = 0;
    for (unsigned day = 0; day < month.days; day++)
        one_day(day, true);
    estimate(&facts, &is);
    printf("%u days, %d machines of %d blocks:\n", month.days, MACHINES,
           BLOCKS);
    return end(judge(&is, stored_now()));
}
