// SPDX-License-Identifier: Apache-2.0
/* Manifests: which verify, which are junk, which are gone; and, at the end,
 * which points lack something. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "engine/care/check_impl.h"
#include "engine/care/kept.h"
#include "engine/care/mend.h"
#include "engine/care/names.h"
#include "engine/repo/versions.h"

/* The point's manifest is the one that was just looked at. */
static int take_manifest(struct eng_point *p, const struct eng_looker *l,
                         struct err *e)
{
    p->manifest = mf_point_decode(eng_looker_plain(l), e);
    if (p->manifest == NULL)
        return -1;
    free(p->why);
    p->why = NULL;
    (void)snprintf(p->vm, sizeof(p->vm), "%s", p->manifest->vm.name);
    return 0;
}

struct judging {
    struct check *c;
    struct eng_names seen, known;
    struct eng_looker *here, *from;
};

/* A manifest that does not verify.  It was ours where anybody knows of it, or
 * where it changed after it was uploaded; else, as far as its versions tell, it
 * never was. */
static int judge_bad(struct judging *j, size_t i, const struct eng_look_want *w,
                     const struct eng_looked *found, struct err *e)
{
    struct check *c = j->c;
    struct eng_point *p = &c->points.p[i];
    size_t index = 0;

    if (found->state == ENG_LOOK_ABSENT) { /* removed since it was listed */
        c->out[i] = true;
        return 0;
    }
    if (found->never && !eng_names_has(&j->known, w->key.s)) {
        c->out[i] = true;
        c->res->junk++;
        eng_check_say(c, ENG_CHECK_JUNK, "%s never was a manifest: %s",
                      w->key.s, found->why);
        return 0;
    }
    if (eng_check_add_bad(c, w, found, &index, e) < 0)
        return -1;
    if (!c->o->repair)
        return 0;
    int mended = eng_check_mend_one(c, j->here, j->from, index, e);
    if (mended <= 0)
        return mended;
    /* What was put is in one of the two. */
    struct eng_looked now;
    if (eng_look(j->here, w, &now, e) < 0)
        return -1;
    return now.state == ENG_LOOK_GOOD && p->manifest == NULL
               ? take_manifest(p, j->here, e)
               : 0;
}

/* Those that verified when they were listed are only looked at where something
 * may lie over them. */
static int judge_manifest(struct judging *j, size_t i, bool suspect,
                          struct err *e)
{
    struct eng_point *p = &j->c->points.p[i];
    struct eng_look_want w;
    struct eng_looked found;
    struct mf_key key = eng_point_key(p);

    if (p->manifest != NULL && !suspect)
        return 0;
    if (!eng_look_manifest(j->c->repo, key.s, &w) ||
        eng_look(j->here, &w, &found, e) < 0)
        return -1;
    bool good = found.state == ENG_LOOK_GOOD || found.state == ENG_LOOK_OLDER;
    if (good && p->manifest == NULL && take_manifest(p, j->here, e) < 0)
        return -1;
    return found.state == ENG_LOOK_GOOD ? 0 : judge_bad(j, i, &w, &found, e);
}

/* Keys of manifests over which something lies. */
struct covered {
    struct eng_names keys;
    char last[MF_KEY_CHARS];
};

static void covered_free(struct covered *v)
{
    eng_names_free(&v->keys);
}

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct covered *v = ctx;
    bool again = strcmp(v->last, key) == 0;

    (void)snprintf(v->last, sizeof(v->last), "%s", key);
    if (!again && !info->delete_marker)
        return 0;
    if (v->keys.n > 0 && strcmp(v->keys.s[v->keys.n - 1], key) == 0)
        return 0;
    return eng_names_add(&v->keys, key, e);
}

static int list_covered(struct check *c, struct covered *v, struct err *e)
{
    struct mf_key prefix = mf_key_points_prefix(eng_repo_keyset(c->repo), NULL);
    struct obj_req req = { .key = prefix.s, .cancel = c->o->cancel };
    struct obj_list_opts opts = { .versions = true };

    if (!c->versions)
        return 0;
    return obj_list(eng_repo_store(c->repo), &req, &opts, on_version, v, e);
}

/* A manifest that this machine has seen, and that is not there.  1: it is now,
 * from the other repository. */
static int judge_missing(struct judging *j, const char *key, struct err *e)
{
    struct check *c = j->c;
    struct eng_look_want w;
    struct eng_looked found = { .state = ENG_LOOK_ABSENT };
    size_t index = 0;

    if (!eng_look_manifest(c->repo, key, &w))
        return 0;
    c->res->missing_points++;
    if (eng_check_add_bad(c, &w, &found, &index, e) < 0)
        return -1;
    if (j->from == NULL)
        return 0;
    int mended = eng_check_mend_one(c, j->here, j->from, index, e);
    c->res->missing_points -= mended == 1;
    return mended;
}

static bool is_listed(const struct check *c, const char *key)
{
    for (size_t i = 0; i < c->points.n; i++) {
        struct mf_key k = eng_point_key(&c->points.p[i]);
        if (strcmp(k.s, key) == 0)
            return true;
    }
    return false;
}

/* Those that retention would have removed were: by a collection, on whatever
 * host. */
static int judge_all_missing(struct judging *j, bool *again, struct err *e)
{
    AUTO_ENG_NAMES struct eng_names gone = { 0 };

    *again = false;
    for (size_t i = 0; i < j->seen.n; i++)
        if (!is_listed(j->c, j->seen.s[i]) &&
            eng_names_add(&gone, j->seen.s[i], e) < 0)
            return -1;
    AUTO_MEM bool *over = eng_kept_were_over(
        eng_repo_keyset(j->c->repo), &j->c->points, &gone, utc_now(), e);
    if (over == NULL)
        return -1;
    for (size_t i = 0; i < gone.n; i++) {
        int r = over[i] ? 0 : judge_missing(j, gone.s[i], e);
        if (r < 0)
            return -1;
        *again |= r == 1;
    }
    return 0;
}

/* Until when the server holds some version of the point's manifest, at most as
 * long as that says of itself: who puts a false one may write any date. */
static int held_until(struct check *c, const struct eng_point *p,
                      int64_t *until, struct err *e)
{
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    struct mf_key key = eng_point_key(p);
    struct eng_look_want w;
    struct obj_lock lock = { 0 };

    *until = 0;
    if (!eng_look_manifest(c->repo, key.s, &w))
        return 0;
    if (eng_versions_of(eng_repo_store(c->repo), c->o->cancel, key.s, &all, e) <
        0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].marker)
            continue;
        if (eng_mend_lock_of(c->repo, c->o->cancel, &w, all.v[i].id, &lock, e) <
            0) {
            if (e->kind != ERR_NOTFOUND)
                return -1;
            *e = (struct err){ 0 }; /* it was removed meanwhile */
            continue;
        }
        if (lock.mode != OBJ_LOCK_NONE && lock.until > *until)
            *until = lock.until;
    }
    if (*until > p->manifest->locked_until)
        *until = p->manifest->locked_until;
    return 0;
}

/* The latest lock of all points: what is put again is locked as long.  The
 * newest of a VM are last, and have the latest. */
static int find_until(struct check *c, struct err *e)
{
    if (!eng_repo_descriptor(c->repo)->locked)
        return 0;
    for (size_t i = c->points.n; i-- > 0;) {
        const struct mf_point *m = c->points.p[i].manifest;
        int64_t until = 0;
        if (m == NULL || m->locked_until <= c->until)
            continue;
        if (held_until(c, &c->points.p[i], &until, e) < 0)
            return -1;
        if (until > c->until)
            c->until = until;
    }
    return 0;
}

static int list_points(struct check *c, struct err *e)
{
    eng_points_free(&c->points);
    if (eng_points_list(c->repo, c->o->cancel, NULL, &c->points, e) < 0)
        return -1;
    free(c->out);
    c->out = calloc(c->points.n + 1, sizeof(*c->out));
    if (c->out == NULL)
        return err_nomem(e);
    return c->o->repair ? find_until(c, e) : 0;
}

static int judge_manifests(struct judging *j, const struct covered *v,
                           struct err *e)
{
    for (size_t i = 0; i < j->c->points.n; i++) {
        struct mf_key key = eng_point_key(&j->c->points.p[i]);
        if (judge_manifest(j, i, eng_names_has(&v->keys, key.s), e) < 0)
            return -1;
    }
    return 0;
}

static void judging_free(struct judging *j)
{
    eng_names_free(&j->seen);
    eng_names_free(&j->known);
    eng_looker_free(j->here);
    eng_looker_free(j->from);
}

int eng_check_points(struct check *c, struct err *e)
{
    AUTO(covered_free) struct covered covered = { 0 };
    AUTO(judging_free) struct judging j = { .c = c };
    bool again = false;

    j.here = eng_looker_new(c->repo, c->o->cancel, e);
    if (j.here == NULL ||
        eng_check_open_from(c, c->o->cancel, &j.from, e) < 0 ||
        eng_names_seen(c->repo, &j.seen, e) < 0 || list_points(c, e) < 0 ||
        judge_all_missing(&j, &again, e) < 0 ||
        (again && list_points(c, e) < 0))
        return -1;
    if (eng_names_known(c->repo, &c->points, &j.known, e) < 0 ||
        list_covered(c, &covered, e) < 0)
        return -1;
    return judge_manifests(&j, &covered, e);
}

/* --- at the end --- */

struct lack {
    uint64_t pages, blocks;
    struct mf_key example;
};

static void add_lack(struct check *c, const struct mf_stream *s, size_t n,
                     struct lack *l)
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t page = 0; page < s[i].n_pages; page++) {
            const struct check_page *p =
                s[i].pages[page].zero ? NULL
                                      : eng_check_find_page(c, &s[i], page);
            if (p == NULL)
                continue;
            if (l->example.s[0] == '\0' && p->lost)
                l->example = mf_key_page(eng_repo_keyset(c->repo), &p->at->id);
            else if (l->example.s[0] == '\0' && p->lost_blocks > 0)
                l->example =
                    mf_key_block(eng_repo_keyset(c->repo), &p->example);
            l->pages += p->lost;
            l->blocks += p->lost_blocks;
        }
}

/* Its objects may be gone because it was removed meanwhile.  A locked point is
 * one whose manifest the server holds for as long as it says of itself: false
 * ones say so, too. */
static int look_again(struct check *c, struct eng_looker *here,
                      const struct eng_point *p, bool *there, bool *locked,
                      struct err *e)
{
    struct mf_key key = eng_point_key(p);
    struct obj_lock lock = { 0 };
    struct eng_look_want w;
    struct eng_looked found;

    *locked = false;
    if (!eng_look_manifest(c->repo, key.s, &w) ||
        eng_look(here, &w, &found, e) < 0)
        return -1;
    *there = found.state != ENG_LOOK_ABSENT;
    if (!*there || found.state == ENG_LOOK_BAD)
        return 0;
    if (eng_mend_lock_of(c->repo, c->o->cancel, &w, found.version, &lock, e) <
        0)
        return -1;
    *locked =
        lock.mode != OBJ_LOCK_NONE && lock.until >= p->manifest->locked_until;
    return 0;
}

static int say_well(struct check *c, const struct eng_point *p, struct err *e)
{
    if (!c->o->name_all)
        return 0;
    AUTO_MEM char *name = eng_point_text(&c->points, p, e);
    if (name == NULL)
        return -1;
    eng_check_say(c, ENG_CHECK_WELL, "%s", name);
    return 0;
}

static int judge_point(struct check *c, struct eng_looker *here, size_t i,
                       struct err *e)
{
    const struct eng_point *p = &c->points.p[i];
    const struct mf_point *m = p->manifest;
    struct lack l = { 0 };
    bool there = true;
    bool locked = false;

    if (m != NULL) {
        add_lack(c, m->disks, m->n_disks, &l);
        add_lack(c, m->files, m->n_files, &l);
        if (l.pages + l.blocks == 0)
            return say_well(c, p, e);
        if (look_again(c, here, p, &there, &locked, e) < 0)
            return -1;
        if (!there) {
            c->out[i] = true;
            return 0;
        }
    }
    AUTO_MEM char *name = eng_point_text(&c->points, p, e);
    if (name == NULL)
        return -1;
    c->res->damaged_points++;
    if (m == NULL) {
        eng_check_say(c, ENG_CHECK_POINT, "%s: %s", name,
                      p->why != NULL ? p->why : "its manifest is damaged");
        return 0;
    }
    c->res->locked_lost += locked;
    eng_check_say(c, ENG_CHECK_POINT,
                  "%s: %" PRIu64 " of its pages and %" PRIu64
                  " of its blocks are damaged or missing (%s)",
                  name, l.pages, l.blocks, l.example.s);
    return 0;
}

/* Which blocks stay lost, as a set. */
static int gather_lost(struct check *c, struct err *e)
{
    eng_idset_begin(&c->set, 0, 256, SIZE_MAX);
    for (size_t i = 0; i < c->n_bad; i++) {
        const struct check_bad *b = &c->bad[i];
        if (b->want.kind == ENG_LOOK_BLOCK && !b->repaired &&
            b->state != ENG_LOOK_OLDER &&
            eng_idset_add(&c->set, &b->want.id, b->want.len, e) < 0)
            return -1;
    }
    return 0;
}

int eng_check_judge(struct check *c, struct err *e)
{
    AUTO_ENG_LOOKER struct eng_looker *here =
        eng_looker_new(c->repo, c->o->cancel, e);

    if (here == NULL || gather_lost(c, e) < 0)
        return -1;
    if (c->set.n > 0 && eng_check_read_pages(c, CHECK_COUNT, e) < 0)
        return -1;
    for (size_t i = 0; i < c->points.n; i++) {
        if (!c->out[i] && judge_point(c, here, i, e) < 0)
            return -1;
        c->res->points += !c->out[i];
    }
    return 0;
}
