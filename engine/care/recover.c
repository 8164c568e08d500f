// SPDX-License-Identifier: Apache-2.0
/* The order of a recovery: what lies over objects is taken away, and then the
 * points are looked at. */
#include "engine/care/recover.h"

#include <stdlib.h>
#include <string.h>

#include "engine/care/recover_impl.h"
#include "engine/repo/keysets.h"

const char *const eng_recover_area_names[ENG_RECOVER_AREAS + 1] = {
    [ENG_RECOVER_DESCRIPTOR] = "descriptor", [ENG_RECOVER_SLOTS] = "slots",
    [ENG_RECOVER_POINTS] = "points",         [ENG_RECOVER_PAGES] = "pages",
    [ENG_RECOVER_BLOCKS] = "blocks",         [ENG_RECOVER_OTHER] = "other",
};

struct eng_recover_count *eng_recover_area_count(struct recover_worker *w)
{
    return &w->r->res->areas[w->area];
}

static void report(struct recover *r, enum eng_recover_word word,
                   const char *what)
{
    if (r->o->report != NULL)
        r->o->report(r->o->ctx, word, what);
}

void eng_recover_note(struct recover_worker *w, uint64_t *counter,
                      enum eng_recover_word word, const char *what)
{
    pthread_mutex_lock(&w->r->lock);
    ++*counter;
    report(w->r, word, what);
    pthread_mutex_unlock(&w->r->lock);
}

static int check_versions(struct recover *r, struct err *e)
{
    bool kept = false;

    if (eng_repo_keeps_versions(r->repo, r->o->cancel, &kept, e) < 0)
        return -1;
    if (kept)
        return 0;
    err_set(e, ERR_UNSUPPORTED, 0,
            "%s keeps no versions: what was deleted or overwritten there is "
            "gone, and cannot be brought back from it",
            obj_store_name(eng_repo_store(r->repo)));
    return err_hint(e, "repo check names what is missing, and puts back what "
                       "another repository (--from) or the source still has");
}

/* Which manifests are ours is known from points that verify. */
static int learn_names(struct recover *r, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points points = { 0 };

    eng_names_free(&r->known);
    if (eng_points_list_visible(r->repo, r->o->cancel, &points, e) < 0)
        return -1;
    return eng_names_known(r->repo, &points, &r->known, e);
}

static void on_check(void *ctx, enum eng_check_word word, const char *what)
{
    struct recover *r = ctx;

    if (word == ENG_CHECK_WELL)
        report(r, ENG_RECOVER_POINT_BACK, what);
    else if (word == ENG_CHECK_POINT || word == ENG_CHECK_MISSING)
        report(r, ENG_RECOVER_POINT_LOST, what);
}

static int by_id(const void *pa, const void *pb)
{
    const struct eng_damaged_id *a = pa;
    const struct eng_damaged_id *b = pb;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return memcmp(a->id.b, b->id.b, MF_ID_BYTES);
}

/* A listing, in which any version counts: so a dry run tells what a recovery
 * would bring back. */
static int judge_points(struct recover *r, struct err *e)
{
    const struct eng_check_opts o = {
        .level = ENG_CHECK_LIST,
        .name_all = true,
        .no_marks = r->o->dry_run,
        .suspects = &r->lost,
        .cancel = r->o->cancel,
        .progress = r->o->progress,
        .report = on_check,
        .ctx = r,
    };

    if (r->lost.n > 1)
        qsort(r->lost.ids, r->lost.n, sizeof(*r->lost.ids), by_id);
    return eng_check_run(r->repo, &o, &r->res->points, e);
}

static int recover_keyset(void *ctx, struct eng_repo *repo, struct err *e)
{
    struct recover *r = ctx;

    (void)repo;
    if (learn_names(r, e) < 0 || eng_recover_list(r, e) < 0)
        return -1;
    r->rest = false;
    return 0;
}

/* Of keysets whose key is not at hand delete markers are removed, with what
 * remains; what their objects hold nobody can say. */
static int recover(struct recover *r, struct err *e)
{
    if (check_versions(r, e) < 0 || eng_recover_folders(r, e) < 0 ||
        eng_keysets_each(r->repo, r->o->cancel, recover_keyset, NULL, r, e) < 0)
        return -1;
    /* Points of which some may be hidden cannot be judged. */
    return r->res->hiding > 0 ? 0 : judge_points(r, e);
}

int eng_recover_run(struct eng_repo *repo, const struct eng_recover_opts *o,
                    struct eng_recover_result *res, struct err *e)
{
    struct recover r = { .repo = repo, .o = o, .res = res, .rest = true };

    *res = (struct eng_recover_result){ 0 };
    pthread_mutex_init(&r.lock, NULL);
    int result = recover(&r, e);
    pthread_mutex_destroy(&r.lock);
    eng_names_free(&r.known);
    eng_damaged_free(&r.lost);
    return result;
}

bool eng_recover_complete(const struct eng_repo *r,
                          const struct eng_recover_result *res)
{
    if (res->hiding > 0)
        return false;
    if (eng_repo_descriptor(r)->locked)
        return res->points.locked_lost == 0;
    return !eng_check_damage(&res->points);
}
