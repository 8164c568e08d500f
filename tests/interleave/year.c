// SPDX-License-Identifier: Apache-2.0
/*
 * A year on a locked repository, day by day, in virtual time: several machines
 * of thousands of blocks, random change, missed days.  The real index, puts,
 * extension step and manifests; only the reading of disks is left out.
 *
 *   year [--days N] [--seed N] [--scope retention] [--must-fail]
 *
 * What must hold: when a manifest appears, all that it needs is locked until
 * its date; no request asks for a lock that is there already; once a generation
 * has passed, the requests of a day stay within a quarter of their mean, and
 * after n missed days at most n + 1 days' worth comes at once.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/blockio.h"
#include "engine/repo/extend.h"
#include "engine/repo/learn.h"
#include "engine/repo/map.h"
#include "engine/retention/retention.h"
#include "manifest/objkey.h"
#include "tests/conformance/memory.h"
#include "tests/interleave/folders.h"
#include "tests/interleave/net.h"
#include "tests/interleave/world.h"
#include "tests/interleave/year.h"

#define MACHINES 3
#define BLOCKS 2500
#define CHANGES 25 /* blocks a day and machine */
#define BLOCK (256u << 10)
#define IMMUTABLE_DAYS 14
#define GENERATION_DAYS 10
#define COLLECT_DAYS 7
#define DAYS 365
#define FEW_DAYS 90 /* where nobody says how many */

struct machine {
    uint32_t content[BLOCKS]; /* 0: zeros */
};

static struct {
    char root[64];
    struct eng_repo_place place;
    struct obj_store *view;
    struct machine machines[MACHINES];
    uint32_t contents; /* made so far */
    bool must_fail, by_retention;
    bool anew; /* the index was filled anew: no listing tells the descriptor's
                  date */
    unsigned day;
    unsigned missed; /* days in a row before this one */
    uint64_t calls[DAYS + 1];
    unsigned days_worth[DAYS + 1]; /* 0: nothing was backed up */
} year;

/* The exit status: a planted bug has to be found. */
static int end(int bad)
{
    world_end();
    obj_store_close(year.view);
    memory_forget();
    folder_remove(year.root);
    return year.must_fail ? !bad : bad;
}

void year_fail(const char *fmt, ...)
{
    va_list ap;

    printf("%s, day %u: ", year.must_fail ? "found" : "FAILED", year.day);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    exit(end(1));
}

void year_id_of(uint32_t content, struct mf_id *id)
{
    must(mf_id_of(span_of(&content, sizeof(content)), id, why));
}

/* New content, or some that there was before. */
static uint32_t some_content(void)
{
    if (year.contents > 0 && world_chance(150))
        return 1 + (uint32_t)world_random(year.contents);
    return ++year.contents;
}

static void change(struct machine *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        m->content[world_random(BLOCKS)] = some_content();
}

static void put_blocks(struct eng_repo *r, const struct machine *m,
                       struct eng_map *map)
{
    struct err e = { 0 };
    AUTO_ENG_BLOCKIO struct eng_blockio *io = eng_blockio_new(r, 1, NULL, &e);

    if (io == NULL)
        abort();
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint32_t c = m->content[i];
        struct mf_entry *slot = &map->entries[i];
        if (c == 0)
            continue;
        slot->kind = MF_WHOLE;
        year_id_of(c, &slot->id);
        must(eng_block_put(io, &slot->id, span_of(&c, sizeof(c)), why));
    }
}

/* Every object that the point names, and the point itself. */
static void check_locks(const struct eng_map *map, const struct mf_point *p,
                        const char *file, unsigned machine)
{
    char vm_key[32];

    snprintf(vm_key, sizeof(vm_key), "vm%u", machine);
    for (uint64_t i = 0; i < map->n + p->disks[0].n_pages + 2; i++) {
        struct mf_key key = mf_key_point(MF_KEYSET_PLAIN, vm_key, file);
        struct obj_info info = { 0 };
        struct obj_req q = { .key = key.s };
        uint64_t page = i - map->n;
        if (i < map->n && map->entries[i].kind == MF_ZERO)
            continue;
        if (i < map->n)
            key = mf_key_block(MF_KEYSET_PLAIN, &map->entries[i].id);
        else if (page < p->disks[0].n_pages)
            key = mf_key_page(MF_KEYSET_PLAIN, &p->disks[0].pages[page].id);
        else if (page == p->disks[0].n_pages)
            snprintf(key.s, sizeof(key.s), "%s", MF_DESCRIPTOR_KEY);
        must(obj_head(year.view, &q, &info, why));
        if (info.lock.mode != OBJ_LOCK_NONE &&
            info.lock.until >= p->locked_until)
            continue;
        year_fail("%s is locked until %" PRId64 ", the point until %" PRId64,
                  key.s, info.lock.until, p->locked_until);
    }
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct mf_id));
}

static bool is_short(const struct mf_key *key, int64_t until)
{
    struct obj_req q = { .key = key->s };
    struct obj_info info = { 0 };

    must(obj_head(year.view, &q, &info, why));
    return info.lock.mode == OBJ_LOCK_NONE || info.lock.until < until;
}

/* How many objects of the point are not locked until then. */
static uint64_t forecast(const struct eng_map *map, const struct mf_point *p,
                         int64_t until)
{
    static struct mf_id ids[BLOCKS];
    struct mf_key key = { MF_DESCRIPTOR_KEY };
    uint64_t n = is_short(&key, until);
    size_t blocks = 0;

    for (uint64_t i = 0; i < map->n; i++)
        if (map->entries[i].kind == MF_WHOLE)
            ids[blocks++] = map->entries[i].id;
    qsort(ids, blocks, sizeof(ids[0]), by_id);
    for (size_t i = 0; i < blocks; i++) {
        key = mf_key_block(MF_KEYSET_PLAIN, &ids[i]);
        n += (i == 0 || !mf_id_eq(&ids[i], &ids[i - 1])) &&
             is_short(&key, until);
    }
    for (uint64_t i = 0; i < p->disks[0].n_pages; i++) {
        key = mf_key_page(MF_KEYSET_PLAIN, &p->disks[0].pages[i].id);
        n += is_short(&key, until);
    }
    return n;
}

/* The lock date that the point must have. */
static int64_t lock_date(struct eng_repo *r, const struct mf_point *p)
{
    int64_t until = world_now_ms() / 1000 + IMMUTABLE_DAYS * DAY / 1000;
    int64_t end = 0;

    must(eng_retention_end(&p->retention, p->gfs, p->time, &end, why));
    eng_repo_set_retention_end(r, end);
    return year.by_retention && end > until ? end : until;
}

static int never_again(void *ctx, size_t stream, uint64_t i,
                       struct mf_entry *slot, struct err *e)
{
    (void)ctx;
    (void)stream;
    (void)slot;
    return err_set(e, ERR_INTERNAL, 0, "block %" PRIu64 " is gone", i);
}

static void describe(struct mf_point *p, unsigned machine)
{
    p->disks = calloc(1, sizeof(*p->disks));
    if (p->disks == NULL || asprintf(&p->vm.name, "vm%u", machine) < 0)
        abort();
    p->n_disks = 1;
    p->disks[0].name = strdup("disk.raw");
    p->disks[0].format = strdup("raw");
    p->disks[0].size = (uint64_t)BLOCKS * BLOCK;
    p->disks[0].block_size = BLOCK;
    p->vm.source = strdup("dir:/machines");
    p->program = strdup("year");
    p->time = utc_now();
    p->chain = p->time;
    p->kind = MF_FULL;
    p->consistency = MF_CRASH;
}

static void back_up(struct eng_repo *r, unsigned machine)
{
    struct err e = { 0 };
    AUTO_ENG_MAP struct eng_map map = { 0 };
    AUTO_MF_POINT struct mf_point *p = mf_point_new(&e);
    struct eng_blockio_use use = { 0 };
    struct eng_extend x = {
        .point = p, .maps = &map, .n_maps = 1, .again = never_again, .use = &use
    };

    if (p == NULL)
        abort();
    describe(p, machine);
    must(eng_map_init(&map, p->disks[0].size, BLOCK, why));
    year_keep_fill(r, machine, year.day, p);
    int64_t until = lock_date(r, p);
    put_blocks(r, &year.machines[machine], &map);
    must(eng_map_store(r, &map, NULL, &p->disks[0], &use, why));
    uint64_t before = net_counts()->requests[OBJ_RETENTION];
    uint64_t wanted = forecast(&map, p, until);
    net_expect_locks(until);
    must(eng_extend_commit(r, &x, why));
    uint64_t calls = net_counts()->requests[OBJ_RETENTION] - before;
    if (p->locked_until != until ||
        (calls != wanted && (calls != wanted + 1 || !year.anew)))
        year_fail("%" PRIu64 " locks were extended to %" PRId64 ", %" PRIu64
                  " were short of %" PRId64,
                  calls, p->locked_until, wanted, until);
    check_locks(&map, p, x.file, machine);
    year.anew = false;
    year_keep_made(machine, p, x.file);
    year_collect_made(machine, p, x.file, year.machines[machine].content,
                      BLOCKS);
}

static void one_day(void)
{
    struct err e = { 0 };
    uint64_t before = net_counts()->requests[OBJ_RETENTION];
    AUTO_ENG_REPO struct eng_repo *r = eng_repo_open(&year.place, NULL, &e);

    if (r == NULL)
        year_fail("%s", e.msg);
    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    for (unsigned i = 0; i < MACHINES; i++)
        back_up(r, i);
    year.calls[year.day] = net_counts()->requests[OBJ_RETENTION] - before;
    year.days_worth[year.day] = 1 + year.missed;
    year.anew = year.day % COLLECT_DAYS == 0;
    year_keep_remove(r, year.view, year.anew);
    if (net_counts()->relocked > 0)
        year_fail("%" PRIu64 " locks asked for that were there",
                  net_counts()->relocked);
}

/* Misses single days, and once in a while some in a row. */
static bool is_missed(void)
{
    static unsigned left;

    if (year.day < 2 * GENERATION_DAYS)
        return false;
    if (left == 0 && world_chance(30))
        left = 1 + (unsigned)world_random(4);
    if (left == 0)
        return false;
    left--;
    return true;
}

static void begin(uint64_t seed)
{
    static const struct weather none;
    struct eng_repo_create_opts o = {
        .create_bucket = true,
        .block_size = BLOCK,
        .locked = true,
        .immutability_s = IMMUTABLE_DAYS * DAY / SECOND,
        .scope = year.by_retention ? MF_SCOPE_RETENTION : MF_SCOPE_MINIMUM,
        .generation_s = GENERATION_DAYS * DAY / SECOND
    };
    struct err e = { 0 };

    log_setup(LOG_ERROR, false);
    snprintf(year.root, sizeof(year.root), "%s/objvault-year-%ld",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (long)getpid());
    folder_remove(year.root);
    if (mkdir(year.root, 0700) < 0)
        abort();
    world_begin(seed, &none, false);
    year.place = (struct eng_repo_place){
        .name = "year",
        .state_dir = year.root,
        .store = { .driver = OBJ_DRIVER_S3, .bucket = "bucket" },
    };
    must(eng_repo_create(&year.place, &o, NULL, why));
    year.anew = true;
    year.view = net_observe(&year.place.store, &e);
    if (year.view == NULL)
        abort();
    for (unsigned i = 0; i < MACHINES; i++)
        for (unsigned b = 0; b < BLOCKS; b++)
            year.machines[i].content[b] =
                world_chance(900) ? some_content() : 0;
}

static void judge_day(unsigned day, double mean)
{
    double calls = (double)year.calls[day], n = year.days_worth[day];

    year.day = day;
    if (n == 0 || (calls <= n * mean * 1.25 && (n > 1 || calls >= mean * 0.75)))
        return;
    year_fail(
        "%.0f locks were extended for %.0f days, the mean of a day is %.0f",
        calls, n, mean);
}

/* The first generation is one of full backups. */
static void judge(unsigned days)
{
    unsigned from = GENERATION_DAYS + 1;
    double sum = 0, worth = 0, most = 0, least = 1e9;

    for (unsigned d = from; d < days; d++) {
        double calls = (double)year.calls[d];
        sum += calls;
        worth += year.days_worth[d];
        most = year.days_worth[d] == 1 ? fmax(most, calls) : most;
        least = year.days_worth[d] == 1 ? fmin(least, calls) : least;
    }
    for (unsigned d = from; d < days && !year.by_retention; d++)
        judge_day(d, sum / worth);
    printf("%u days, %d machines of %d blocks: %.0f locks extended a day, %.0f "
           "to %.0f\n",
           days, MACHINES, BLOCKS, sum / worth, least, most);
}

static void play(unsigned days)
{
    for (year.day = 0; year.day < days; year.day++) {
        if (is_missed()) {
            year.missed++;
        } else {
            for (unsigned i = 0; i < MACHINES; i++)
                change(&year.machines[i], CHANGES * (1 + year.missed));
            one_day();
            year.missed = 0;
        }
        world_sleep(DAY);
    }
}

int main(int argc, char **argv)
{
    const char *env = getenv("OBJVAULT_INTERLEAVE_DAYS");
    unsigned long days = env != NULL ? strtoul(env, NULL, 10) : FEW_DAYS;
    uint64_t seed = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--must-fail") == 0)
            year.must_fail = true;
        else if (strcmp(argv[i], "--scope") == 0 && i + 1 < argc)
            year.by_retention = strcmp(argv[++i], "retention") == 0;
        else if (strcmp(argv[i], "--days") == 0 && i + 1 < argc)
            days = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
    }
    begin(seed);
    play(days < DAYS ? (unsigned)days : DAYS);
    judge(days < DAYS ? (unsigned)days : DAYS);
    year_keep_report();
    year_collect_report();
    return end(0);
}
