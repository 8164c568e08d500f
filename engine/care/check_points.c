// SPDX-License-Identifier: Apache-2.0
/* Manifests: which verify, which are junk, which are gone; and, at the end,
 * which points lack something. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "engine/care/check_impl.h"
#include "engine/repo/gone.h"

/* Manifests that this machine's index has seen, in byte order. */
struct seen {
    char **keys; /* owned */
    size_t n, cap;
};

static void seen_free(struct seen *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->keys[i]);
    free(s->keys);
    *s = (struct seen){ 0 };
}
#define AUTO_SEEN AUTO(seen_free)

static int on_seen(void *ctx, const char *key, struct err *e)
{
    struct seen *s = ctx;

    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 64 : s->cap * 2;
        char **grown = realloc(s->keys, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        s->keys = grown;
        s->cap = cap;
    }
    s->keys[s->n] = strdup(key);
    if (s->keys[s->n] == NULL)
        return err_nomem(e);
    s->n++;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool was_seen(const struct seen *s, const char *key)
{
    return s->n > 0 &&
           bsearch(&key, s->keys, s->n, sizeof(*s->keys), by_text) != NULL;
}

static struct mf_key key_of(const struct eng_point *p)
{
    return mf_key_point(MF_KEYSET_PLAIN, p->vm_key, p->file);
}

/* Whether another point of the VM says that it was made from this one. */
static bool is_parent(const struct check *c, const struct eng_point *p)
{
    for (size_t i = 0; i < c->points.n; i++) {
        const struct eng_point *q = &c->points.p[i];
        if (q->manifest != NULL && q->manifest->parent != NULL &&
            strcmp(q->vm_key, p->vm_key) == 0 &&
            strcmp(q->manifest->parent, p->file) == 0)
            return true;
    }
    return false;
}

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
    const struct seen *seen;
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
    if (found->never && !was_seen(j->seen, w->key.s) && !is_parent(c, p)) {
        c->out[i] = true;
        c->res->junk++;
        check_say(c, ENG_CHECK_JUNK, "%s never was a manifest: %s", w->key.s,
                  found->why);
        return 0;
    }
    if (check_add_bad(c, w, found, &index, e) < 0)
        return -1;
    if (!c->o->repair)
        return 0;
    int mended = check_mend_one(c, j->here, j->from, index, e);
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
    struct mf_key key = key_of(p);

    if (p->manifest != NULL && !suspect)
        return 0;
    if (!eng_look_manifest(key.s, &w) || eng_look(j->here, &w, &found, e) < 0)
        return -1;
    bool good = found.state == ENG_LOOK_GOOD || found.state == ENG_LOOK_OLDER;
    if (good && p->manifest == NULL && take_manifest(p, j->here, e) < 0)
        return -1;
    return found.state == ENG_LOOK_GOOD ? 0 : judge_bad(j, i, &w, &found, e);
}

/* Keys of manifests over which something lies. */
struct covered {
    struct seen keys;
    char last[MF_KEY_CHARS];
};

static void covered_free(struct covered *v)
{
    seen_free(&v->keys);
}

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct covered *v = ctx;
    bool again = strcmp(v->last, key) == 0;

    (void)snprintf(v->last, sizeof(v->last), "%s", key);
    if (!again && !info->delete_marker)
        return 0;
    if (v->keys.n > 0 && strcmp(v->keys.keys[v->keys.n - 1], key) == 0)
        return 0;
    return on_seen(&v->keys, key, e);
}

static int list_covered(struct check *c, struct covered *v, struct err *e)
{
    struct mf_key prefix = mf_key_points_prefix(MF_KEYSET_PLAIN, NULL);
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

    if (!eng_look_manifest(key, &w))
        return 0;
    c->res->missing_points++;
    if (check_add_bad(c, &w, &found, &index, e) < 0)
        return -1;
    if (j->from == NULL)
        return 0;
    int mended = check_mend_one(c, j->here, j->from, index, e);
    c->res->missing_points -= mended == 1;
    return mended;
}

static bool is_listed(const struct check *c, const char *key)
{
    for (size_t i = 0; i < c->points.n; i++) {
        struct mf_key k = key_of(&c->points.p[i]);
        if (strcmp(k.s, key) == 0)
            return true;
    }
    return false;
}

static int judge_all_missing(struct judging *j, bool *again, struct err *e)
{
    *again = false;
    for (size_t i = 0; i < j->seen->n; i++) {
        if (is_listed(j->c, j->seen->keys[i]))
            continue;
        int r = judge_missing(j, j->seen->keys[i], e);
        if (r < 0)
            return -1;
        *again |= r == 1;
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
    for (size_t i = 0; i < c->points.n; i++) {
        const struct mf_point *m = c->points.p[i].manifest;
        if (m != NULL && m->locked_until > c->until)
            c->until = m->locked_until;
    }
    return 0;
}

static int judge_manifests(struct judging *j, const struct covered *v,
                           struct err *e)
{
    for (size_t i = 0; i < j->c->points.n; i++) {
        struct mf_key key = key_of(&j->c->points.p[i]);
        if (judge_manifest(j, i, was_seen(&v->keys, key.s), e) < 0)
            return -1;
    }
    return 0;
}

int check_points(struct check *c, struct err *e)
{
    AUTO_SEEN struct seen seen = { 0 };
    AUTO(covered_free) struct covered covered = { 0 };
    AUTO_ENG_LOOKER struct eng_looker *here =
        eng_looker_new(c->repo, c->o->cancel, e);
    AUTO_ENG_LOOKER struct eng_looker *from = NULL;
    bool again = false;

    if (here == NULL || check_open_from(c, c->o->cancel, &from, e) < 0 ||
        eng_gone_each(c->repo, on_seen, &seen, e) < 0)
        return -1;
    struct judging j = { c, &seen, here, from };
    int r = list_points(c, e);
    if (r == 0)
        r = judge_all_missing(&j, &again, e);
    if (r == 0 && again)
        r = list_points(c, e);
    if (r == 0)
        r = list_covered(c, &covered, e);
    if (r == 0)
        r = judge_manifests(&j, &covered, e);
    c->res->points = c->points.n;
    return r == 0 ? check_junk(c, e) : r;
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
                s[i].pages[page].zero ? NULL : check_find_page(c, &s[i], page);
            if (p == NULL)
                continue;
            if (l->example.s[0] == '\0' && p->lost)
                l->example = mf_key_page(MF_KEYSET_PLAIN, &p->id);
            else if (l->example.s[0] == '\0' && p->lost_blocks > 0)
                l->example = mf_key_block(MF_KEYSET_PLAIN, &p->example);
            l->pages += p->lost;
            l->blocks += p->lost_blocks;
        }
}

/* Its objects may be gone because it was removed meanwhile. */
static int still_there(struct check *c, struct eng_looker *here,
                       const struct eng_point *p, bool *there, struct err *e)
{
    struct mf_key key = key_of(p);
    struct eng_look_want w;
    struct eng_looked found;

    *there = true;
    if (!eng_look_manifest(key.s, &w) || eng_look(here, &w, &found, e) < 0)
        return -1;
    *there = found.state != ENG_LOOK_ABSENT;
    (void)c;
    return 0;
}

static int judge_point(struct check *c, struct eng_looker *here, size_t i,
                       struct err *e)
{
    const struct eng_point *p = &c->points.p[i];
    const struct mf_point *m = p->manifest;
    struct lack l = { 0 };
    bool there = true;

    if (c->out[i])
        return 0;
    if (m != NULL) {
        add_lack(c, m->disks, m->n_disks, &l);
        add_lack(c, m->files, m->n_files, &l);
        if (l.pages + l.blocks == 0)
            return 0;
        if (still_there(c, here, p, &there, e) < 0)
            return -1;
        if (!there)
            return 0;
    }
    AUTO_MEM char *name = eng_point_text(&c->points, p, e);
    if (name == NULL)
        return -1;
    c->res->damaged_points++;
    if (m == NULL) {
        check_say(c, ENG_CHECK_POINT, "%s: %s", name,
                  p->why != NULL ? p->why : "its manifest is damaged");
        return 0;
    }
    int64_t now =
        utc_real_now() + obj_store_clock_offset(eng_repo_store(c->repo));
    c->res->locked_lost += m->locked_until > now;
    check_say(c, ENG_CHECK_POINT,
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

int check_judge(struct check *c, struct err *e)
{
    AUTO_ENG_LOOKER struct eng_looker *here =
        eng_looker_new(c->repo, c->o->cancel, e);

    if (here == NULL || gather_lost(c, e) < 0)
        return -1;
    if (c->set.n > 0 && check_read_pages(c, CHECK_COUNT, e) < 0)
        return -1;
    for (size_t i = 0; i < c->points.n; i++)
        if (judge_point(c, here, i, e) < 0)
            return -1;
    return 0;
}
