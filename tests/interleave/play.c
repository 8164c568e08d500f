// SPDX-License-Identifier: Apache-2.0
/* One round of each part is one process: it opens the repository, does its
 * work, and closes; or dies. */
#include "tests/interleave/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/backup/backup.h"
#include "engine/care/check.h"
#include "engine/care/collect.h"
#include "engine/repo/points.h"
#include "engine/restore/restore.h"
#include "engine/source/machine.h"
#include "manifest/objkey.h"
#include "tests/interleave/folders.h"
#include "tests/interleave/model.h"

struct play_counts play_counts;

void play_init(struct player *p, const char *root, const char *name,
               const struct obj_config *store)
{
    *p = (struct player){ .rounds = 1, .gap_ms = HOUR };
    snprintf(p->actor.name, sizeof(p->actor.name), "%s", name);
    snprintf(p->actor.home, sizeof(p->actor.home), "%s/%s", root, name);
    snprintf(p->state, sizeof(p->state), "%s/state", p->actor.home);
    snprintf(p->vm_dir, sizeof(p->vm_dir), "%s/%s-vm", root, name);
    snprintf(p->vm, sizeof(p->vm), "vm-%s", name);
    p->place = (struct eng_repo_place){
        .name = "sim",
        .state_dir = p->state,
        .store = *store,
    };
    p->actor.ctx = p;
}

/* Storage and line may fail anybody; what they do not explain is a bug. */
static void judge(const struct actor *a, const char *what, const struct err *e)
{
    const struct player *p = a->ctx;

    world_trace("%s: %s", what, e->msg);
    if (a->dead)
        return;
    /* Who stands still for longer than locks last may find gone what it has
     * just stored, or ask for a lock until yesterday, and say so. */
    if (p->immutability_s > 0 && a->stood_ms > p->immutability_s * 1000)
        return;
    switch (e->kind) {
    case ERR_UNREACHABLE:
    case ERR_TIMEOUT:
    case ERR_THROTTLED:
    case ERR_CANCELLED:
    case ERR_PRECONDITION:
    case ERR_BUSY:
    case ERR_DENIED: /* a signature that was too old twice */
        return;
    case ERR_NONE:
    case ERR_FAILED:
    case ERR_NOMEM:
    case ERR_USAGE:
    case ERR_CONFIG:
    case ERR_IO:
    case ERR_EXISTS:
    case ERR_NOTFOUND:
    case ERR_LOCKED:
    case ERR_CORRUPT:
    case ERR_FULL:
    case ERR_QUOTA:
    case ERR_UNSUPPORTED:
    case ERR_INTERNAL:
        break;
    }
    world_fail("%s, %s: %s", a->name, what, e->msg);
}

/* The next process of the same host. */
static void begin_round(struct player *p, unsigned round)
{
    struct actor *a = &p->actor;

    if (a->dead)
        play_counts.crashed++;
    world_revive(a);
    if (round > 0)
        world_sleep(world_between(0, p->gap_ms));
    if (p->sharp_ms > 0)
        world_sleep(p->sharp_ms - world_now_ms() % p->sharp_ms +
                    world_between(0, 2 * SECOND));
}

/* A state folder may be lost, or come back as it once was. */
static void disturb_home(const struct actor *a)
{
    char old[WORLD_PATH + 8];

    snprintf(old, sizeof(old), "%s.old", a->home);
    if (world_chance(30)) {
        world_trace("loses its state");
        folder_remove(a->home);
    } else if (world_chance(40) && access(old, F_OK) == 0) {
        world_trace("has its state of long ago");
        folder_copy(old, a->home);
    }
    if (world_chance(200))
        folder_copy(a->home, old);
}

static enum eng_upload some_upload(void)
{
    if (world_chance(900))
        return ENG_UPLOAD_NEW;
    return world_chance(500) ? ENG_UPLOAD_MISSING : ENG_UPLOAD_ALL;
}

static int back_up(struct player *p, struct eng_repo *r, struct err *e)
{
    const struct eng_keeping keeping = { .days = 1,
                                         .gfs = ENG_GFS_NONE,
                                         .timezone = "UTC" };
    struct eng_backup_opts o = { .vm = p->vm,
                                 .keeping = world_chance(500) ? &keeping : NULL,
                                 .adopt = true,
                                 .memory_bytes = 1,
                                 .full = world_chance(100),
                                 .upload = some_upload(),
                                 .cancel = &p->actor.cancel };
    struct eng_backup_result res;

    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(p->vm_dir, e);
    if (m == NULL)
        return -1;
    /* Where the test's folder lies must not decide names and dates. */
    free(m->source);
    m->source = io_format(e, "dir:/machines/%s", p->actor.name);
    if (m->source == NULL)
        return -1;
    if (eng_backup_machine(r, m, &o, &res, e) < 0)
        return -1;
    play_counts.points++;
    return 0;
}

static void change_machine(struct player *p)
{
    struct guest before = p->guest;

    guest_change(&p->guest);
    guest_write(&p->guest, &before, p->vm_dir);
}

static void run_once(struct player *p, struct eng_repo *r)
{
    struct err e = { 0 };

    model_machine(&p->guest);
    world_trace("backs up %s", p->vm);
    play_counts.runs++;
    if (back_up(p, r, &e) < 0) {
        play_counts.failed++;
        judge(&p->actor, "backup", &e);
    }
}

/* As a job's worker does, which takes one VM after the other. */
static void run_some(struct player *p, struct eng_repo *r)
{
    unsigned n = 1 + (unsigned)world_random(3);

    run_once(p, r);
    for (unsigned i = 1; i < n && !p->actor.dead; i++) {
        world_sleep(world_between(0, world_chance(300) ? 3 * HOUR : MINUTE));
        if (p->actor.dead)
            break;
        change_machine(p);
        run_once(p, r);
    }
}

/* A process whose threads have a handle each. */
static int run_side_by_side(struct player *p, struct eng_repo *r, struct err *e)
{
    AUTO_ENG_REPO struct eng_repo *ours = eng_repo_again(r, e);
    AUTO_ENG_REPO struct eng_repo *its = eng_repo_again(r, e);

    if (ours == NULL || its == NULL)
        return -1;
    play_counts.pairs++;
    p->mate->given = its;
    world_wake(&p->mate->actor);
    run_some(p, ours);
    while (p->mate->given != NULL)
        world_wait();
    return 0;
}

static int run_process(struct player *p, struct err *e)
{
    AUTO_ENG_REPO struct eng_repo *r =
        eng_repo_open(&p->place, &p->actor.cancel, e);

    if (r == NULL)
        return -1;
    if (p->mate != NULL)
        return run_side_by_side(p, r, e);
    run_once(p, r);
    return 0;
}

void play_writer(struct actor *a)
{
    struct player *p = a->ctx;

    guest_make(&p->guest);
    guest_write(&p->guest, NULL, p->vm_dir);
    for (unsigned i = 0; i < p->rounds && world_failure() == NULL; i++) {
        struct err e = { 0 };
        begin_round(p, i);
        if (i > 0)
            change_machine(p);
        disturb_home(a);
        if (run_process(p, &e) < 0)
            judge(a, "opening", &e);
    }
    world_revive(a);
    if (p->mate != NULL) {
        p->mate->over = true;
        world_wake(&p->mate->actor);
    }
}

void play_mate(struct actor *a)
{
    struct player *p = a->ctx;

    guest_make(&p->guest);
    guest_write(&p->guest, NULL, p->vm_dir);
    while (!p->over) {
        if (p->given != NULL) {
            run_some(p, p->given);
            change_machine(p);
            p->given = NULL;
            world_wake(&p->mate->actor);
        }
        if (!p->over)
            world_wait();
    }
}

static int remove_some(struct player *p, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points all = { 0 };

    AUTO_ENG_REPO struct eng_repo *r =
        eng_repo_open(&p->place, &p->actor.cancel, e);
    if (r == NULL || eng_points_list(r, &p->actor.cancel, NULL, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        if (!world_chance(p->thorough ? 800 : 400))
            continue;
        world_trace("removes %s/%s", all.p[i].vm, all.p[i].file);
        if (eng_point_delete(r, &p->actor.cancel, &all.p[i], e) < 0) {
            if (e->kind != ERR_LOCKED)
                return -1;
            continue;
        }
        play_counts.removed++;
    }
    return 0;
}

void play_remover(struct actor *a)
{
    struct player *p = a->ctx;

    for (unsigned i = 0; i < p->rounds && world_failure() == NULL; i++) {
        struct err e = { 0 };
        begin_round(p, i + 1);
        if (remove_some(p, &e) < 0)
            judge(a, "removal", &e);
    }
    world_revive(a);
}

static void on_damage(void *ctx, const char *what)
{
    (void)ctx;
    world_trace("damaged: %s", what);
}

static int read_one(struct player *p, struct eng_repo *r,
                    const struct eng_point *point, struct err *e)
{
    struct eng_restore_opts o = { .memory_bytes = 1,
                                  .cancel = &p->actor.cancel };
    struct eng_verify_result res = { 0 };
    struct mf_key key =
        mf_key_point(MF_KEYSET_PLAIN, point->vm_key, point->file);
    enum eng_verify_level level =
        world_chance(500) ? ENG_VERIFY_FULL : ENG_VERIFY_LIST;

    world_trace("reads %s", key.s);
    int verified =
        eng_verify_point(r, point, level, &o, on_damage, NULL, &res, e);
    if (verified < 0 && (e->kind != ERR_NOTFOUND || model_is_visible(key.s)))
        return -1;
    if (!model_is_visible(key.s))
        play_counts.outlived++;
    else if (res.damaged > 0)
        world_fail("%s is there, and was read as damaged", key.s);
    play_counts.readings++;
    return 0;
}

static int read_some(struct player *p, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points all = { 0 };

    AUTO_ENG_REPO struct eng_repo *r =
        eng_repo_open(&p->place, &p->actor.cancel, e);
    if (r == NULL || eng_points_list(r, &p->actor.cancel, NULL, &all, e) < 0)
        return -1;
    if (all.n == 0)
        return 0;
    return read_one(p, r, &all.p[world_random(all.n)], e);
}

void play_reader(struct actor *a)
{
    struct player *p = a->ctx;

    for (unsigned i = 0; i < p->rounds && world_failure() == NULL; i++) {
        struct err e = { 0 };
        begin_round(p, i + 1);
        if (read_some(p, &e) < 0)
            judge(a, "reading", &e);
    }
    world_revive(a);
}

static void on_check(void *ctx, enum eng_check_word word, const char *what)
{
    (void)ctx;
    (void)word;
    world_trace("check: %s", what);
}

/* Nobody damages anything here, and a point that somebody removes is none. */
static int check_all(struct player *p, struct err *e)
{
    struct eng_check_opts o = { .level = (enum eng_check_level)world_random(3),
                                .sample_ppm = 500000,
                                .repair = world_chance(500),
                                .memory_bytes = 1,
                                .cancel = &p->actor.cancel,
                                .report = on_check };
    struct eng_check_result res = { 0 };

    AUTO_ENG_REPO struct eng_repo *r =
        eng_repo_open(&p->place, &p->actor.cancel, e);
    if (r == NULL || eng_check_run(r, &o, &res, e) < 0)
        return -1;
    play_counts.checks++;
    if (eng_check_damage(&res))
        world_fail("a check found damaged points, and there are none");
    return 0;
}

void play_checker(struct actor *a)
{
    struct player *p = a->ctx;

    for (unsigned i = 0; i < p->rounds && world_failure() == NULL; i++) {
        struct err e = { 0 };
        begin_round(p, i + 1);
        if (check_all(p, &e) < 0)
            judge(a, "check", &e);
    }
    world_revive(a);
}

/* A mark is good for half of the immutability, a day at most. */
void play_sweeper(struct actor *a)
{
    struct player *p = a->ctx;
    int64_t mark_s = p->immutability_s / 2;

    if (mark_s > DAY / SECOND)
        mark_s = DAY / SECOND;
    for (unsigned i = 0; i < p->rounds && world_failure() == NULL; i++) {
        struct err e = { 0 };
        begin_round(p, i + 1);
        if (play_sweep(p, mark_s, &e) < 0)
            judge(a, "sweep", &e);
        else
            play_counts.collections++;
    }
    world_revive(a);
}

static int collect(struct player *p, struct err *e)
{
    struct eng_collect_opts o = { .cancel = &p->actor.cancel };
    struct eng_collect_result res;

    if (world_chance(500))
        o.wait_s = world_between(0, 3 * HOUR) / 1000;
    if (world_chance(20))
        o.ids_max = 8;
    AUTO_ENG_REPO struct eng_repo *r =
        eng_repo_open(&p->place, &p->actor.cancel, e);
    if (r == NULL || eng_collect_run(r, &o, &res, e) < 0)
        return -1;
    world_trace("has collected %llu objects%s",
                (unsigned long long)res.deleted.objects,
                res.blocked ? ", and was kept from it" : "");
    play_counts.collected += res.deleted.objects;
    play_counts.collections += !res.blocked;
    return 0;
}

void play_collector(struct actor *a)
{
    struct player *p = a->ctx;

    for (unsigned i = 0; i < p->rounds && world_failure() == NULL; i++) {
        struct err e = { 0 };
        begin_round(p, i + 1);
        disturb_home(a);
        world_trace("collects");
        if (p->thorough && remove_some(p, &e) < 0)
            judge(a, "removal", &e);
        else if (collect(p, &e) < 0)
            judge(a, "collection", &e);
    }
    world_revive(a);
}
