// SPDX-License-Identifier: Apache-2.0
/* Making a schedule of a seed, playing it, and looking at what is left. */
#include "tests/interleave/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/conformance/memory.h"
#include "tests/interleave/folders.h"
#include "tests/interleave/model.h"
#include "tests/interleave/net.h"
#include "tests/interleave/play.h"
#include "tests/interleave/twins.h"

#define COLLECTORS 2
#define RUSH_COLLECTORS 4

const struct schedule_regime schedule_regimes[] = {
    { .name = "leases" },
    { .name = "locks", .locked = true },
    { .name = "folder", .folder = true },
};
const size_t schedule_regimes_n =
    sizeof(schedule_regimes) / sizeof(schedule_regimes[0]);

/* Longer than a wait for an answer, a mark, a signature, a lease. */
static const int64_t stalls[] = { 3 * MINUTE,  7 * MINUTE,  16 * MINUTE,
                                  35 * MINUTE, 65 * MINUTE, 2 * HOUR,
                                  5 * HOUR };

/* In a folder nothing ever runs out. */
#define FOLDER_STALLS 3

#define LOCK_STALLS 5
static int64_t lock_stalls[LOCK_STALLS];

/* On locked repositories: parts of how long locks last, and twice that. */
static void choose_stalls(struct weather *w, bool folder,
                          int64_t immutability_s)
{
    int64_t ms = immutability_s * 1000;
    const int64_t of_locks[LOCK_STALLS] = { 16 * MINUTE, ms / 4, ms / 2, ms,
                                            2 * ms };

    memcpy(lock_stalls, of_locks, sizeof(lock_stalls));
    w->stalls = immutability_s > 0 ? lock_stalls : stalls;
    w->n_stalls =
        immutability_s > 0 ? LOCK_STALLS : sizeof(stalls) / sizeof(stalls[0]);
    if (folder)
        w->n_stalls = FOLDER_STALLS;
}

static struct weather make_weather(bool folder, bool rush,
                                   int64_t immutability_s)
{
    /* What each of them deletes is under way while the others look. */
    static const struct weather in_a_rush = { .slow = 100, .drag = 300 };
    static const struct weather kinds[] = {
        { .slow = 100 },
        { .slow = 100, .stall = 8, .freeze = 300, .focus = 5 },
        { .slow = 50, .stall = 2, .freeze = 300, .jump = 5, .focus = 60 },
        { .slow = 50, .crash = 10, .focus = 5 },
        { .slow = 50,
          .outage = 5,
          .lose_asked = 20,
          .lose_told = 20,
          .linger = 700,
          .focus = 5 },
        { .slow = 20, .drag = 300, .focus = 1 },
        { .slow = 50,
          .drag = 50,
          .lose_asked = 30,
          .linger = 1000,
          .focus = 25 },
        { .slow = 50,
          .stall = 6,
          .freeze = 200,
          .jump = 5,
          .crash = 6,
          .outage = 3,
          .lose_asked = 10,
          .lose_told = 10,
          .linger = 500,
          .focus = 5 },
    };
    struct weather w = kinds[world_random(sizeof(kinds) / sizeof(kinds[0]))];

    if (rush)
        w = in_a_rush;
    choose_stalls(&w, folder, immutability_s);
    return w;
}

/* One folder for all that a schedule keeps; in memory where that goes. */
static const char *make_root(void)
{
    static char root[64];

    snprintf(root, sizeof(root), "%s/objvault-ilv-%ld",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             (long)getpid());
    folder_remove(root);
    if (mkdir(root, 0700) < 0)
        abort();
    return root;
}

struct stage {
    const struct schedule_regime *regime;
    const char *root;
    char store_dir[WORLD_PATH];
    struct obj_config store;
    struct obj_store *view;
    struct player players[WORLD_ACTORS];
    unsigned n;
    bool crowded; /* everybody comes often */
    bool sharp;   /* ... and at the same times */
    bool rush;    /* many collectors begin at once, and few others play */
    uint64_t immutability_s, generation_s;
};

static int create(struct stage *s, struct err *e)
{
    struct eng_repo_create_opts o = { .create_bucket = true,
                                      .block_size = GUEST_BLOCK };
    struct eng_repo_place place = { .name = "sim",
                                    .state_dir = s->root,
                                    .store = s->store };

    if (s->regime->locked) {
        s->immutability_s = (uint64_t)world_between(4, 12) * 3600;
        s->generation_s = (uint64_t)world_between(1, 8) * 3600;
        o.locked = true;
        o.immutability_s = s->immutability_s;
        o.generation_s = s->generation_s;
    }
    return eng_repo_create(&place, &o, NULL, e);
}

static void set_up(struct stage *s)
{
    struct err e = { 0 };

    s->root = make_root();
    snprintf(s->store_dir, sizeof(s->store_dir), "%s/store", s->root);
    s->store = (struct obj_config){
        .driver = s->regime->folder ? OBJ_DRIVER_FILE : OBJ_DRIVER_S3,
        .bucket = "bucket",
        .path = s->store_dir,
    };
    net_set_page(world_chance(500) ? 3 : 0);
    s->rush = !s->regime->folder && world_chance(125);
    s->crowded = s->rush || world_chance(500);
    s->sharp = s->rush || world_chance(500);
    if (create(s, &e) < 0)
        world_fail("create: %s", e.msg);
    s->view = net_observe(&s->store, &e);
    if (s->view == NULL)
        abort();
    model_begin(s->view, s->regime->locked);
    twins_forget();
}

static void tear_down(struct stage *s)
{
    model_end();
    obj_store_close(s->view);
    memory_forget();
    folder_remove(s->root);
}

static struct player *add(struct stage *s, const char *kind, unsigned nth,
                          void (*play)(struct actor *a))
{
    struct player *p = &s->players[s->n++];
    char name[16];

    snprintf(name, sizeof(name), "%s%u", kind, nth);
    play_init(p, s->root, name, &s->store);
    p->actor.play = play;
    p->actor.skew_ms = world_between(-40 * SECOND, 40 * SECOND);
    p->rounds = 1 + (unsigned)world_random(s->crowded ? 5 : 3);
    p->gap_ms = world_chance(500) ? 30 * MINUTE : 12 * HOUR;
    if (s->crowded) {
        p->gap_ms = 10 * MINUTE;
        p->sharp_ms = s->sharp ? SHARP : 0;
    }
    p->immutability_s = (int64_t)s->immutability_s;
    if (s->regime->locked && world_chance(300)) /* this host locks longer */
        p->place.immutability_s =
            s->immutability_s * (uint64_t)world_between(1, 4);
    return p;
}

/* One machine on two hosts, which begin in the same second at times. */
static void make_twins(struct player *a, struct player *b)
{
    snprintf(b->vm, sizeof(b->vm), "%s", a->vm);
    if (world_chance(500)) {
        a->sharp_ms = b->sharp_ms = SHARP;
        a->gap_ms = b->gap_ms = 10 * MINUTE;
    }
}

/* Its process has a second thread, for another machine or, at times, the
 * same. */
static void give_mate(struct stage *s, struct player *p)
{
    struct player *m = add(s, "mate", 0, play_mate);

    memcpy(m->actor.home, p->actor.home, sizeof(m->actor.home));
    memcpy(m->state, p->state, sizeof(m->state));
    m->actor.skew_ms = p->actor.skew_ms;
    m->actor.mate = &p->actor;
    p->actor.mate = &m->actor;
    m->mate = p;
    p->mate = m;
    if (world_chance(200))
        snprintf(m->vm, sizeof(m->vm), "%s", p->vm);
    world_add(&m->actor, 0);
}

static struct player *add_writer(struct stage *s, unsigned nth)
{
    struct player *p = add(s, "writer", nth, play_writer);

    world_add(&p->actor, world_between(0, 10 * MINUTE));
    return p;
}

static void add_writers(struct stage *s)
{
    struct player *first = add_writer(s, 0);
    struct player *second = add_writer(s, 1);

    if (s->rush)
        return;
    struct player *third = add_writer(s, 2);
    if (world_chance(300))
        make_twins(first, second);
    if (world_chance(100))
        give_mate(s, third);
}

static void add_collector(struct stage *s, unsigned nth)
{
    bool locked = s->regime->locked;
    struct player *p = add(s, "collector", nth, play_collector);

    p->rounds = locked ? 4 : 6;
    p->gap_ms = locked ? 12 * HOUR : 5 * HOUR;
    p->thorough = s->crowded;
    if (s->crowded)
        p->gap_ms = locked ? HOUR : 10 * MINUTE;
    /* Again and again after the points were made, so that locks are over, and
     * the points are not. */
    if (s->rush && locked) {
        p->sharp_ms = 6 * HOUR;
        p->thorough = false;
    }
    world_add(&p->actor, world_between(0, s->rush ? 10 * MINUTE : 2 * HOUR));
}

/* Who removes, checks, reads, and sweeps by other means. */
static void add_others(struct stage *s)
{
    struct player *p = add(s, "remover", 0, play_remover);

    p->rounds += s->crowded ? 3 : 0;
    p->thorough = s->crowded;
    world_add(&p->actor, world_between(0, HOUR));
    p = add(s, "checker", 0, play_checker);
    /* Listing a folder by 256 prefixes costs more than all else there. */
    if (s->regime->folder)
        p->rounds = 1;
    world_add(&p->actor, world_between(0, 6 * HOUR));
    p = add(s, "reader", 0, play_reader);
    world_add(&p->actor, world_between(0, 6 * HOUR));
    for (unsigned i = 0; s->regime->locked && i < COLLECTORS; i++) {
        p = add(s, "sweeper", i, play_sweeper);
        p->rounds = 10;
        p->gap_ms = 5 * HOUR;
        world_add(&p->actor, world_between(0, 12 * HOUR));
    }
}

static void add_players(struct stage *s)
{
    add_writers(s);
    for (unsigned i = 0; i < (s->rush ? RUSH_COLLECTORS : COLLECTORS); i++)
        add_collector(s, i);
    if (!s->rush)
        add_others(s);
}

bool schedule_play(const struct schedule_regime *g, uint64_t seed, bool trace,
                   char *why, size_t cap)
{
    static const struct weather none;
    struct stage *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    log_setup(LOG_ERROR, false);
    world_begin(seed, &none, trace);
    s->regime = g;
    set_up(s);
    world_set_weather(
        make_weather(g->folder, s->rush, (int64_t)s->immutability_s));
    add_players(s);
    world_run(3 * HOUR);
    model_check();
    bool good = world_failure() == NULL;
    if (!good)
        snprintf(why, cap, "%s", world_failure());
    tear_down(s);
    world_end();
    free(s);
    return good;
}
