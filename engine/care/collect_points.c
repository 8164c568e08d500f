// SPDX-License-Identifier: Apache-2.0
/* Phase 0 of a collection: retention. */
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "engine/care/collect_impl.h"
#include "engine/care/kept.h"
#include "engine/repo/folders.h"
#include "engine/repo/gone.h"
#include "engine/repo/locked.h"

/* Deletions of manifests need no fence; but none lingers for ever. */
#define SIGN_S 3600

static int say_expired(struct collect *c, const struct eng_points *ps,
                       const struct eng_point *p, struct err *e)
{
    AUTO_MEM char *name = eng_point_text(ps, p, e);

    if (name == NULL)
        return -1;
    eng_collect_say(c, ENG_COLLECT_EXPIRED, "%s", name);
    return 0;
}

/* Fills c->expired, as retention judges now. */
static int judge(struct collect *c, bool say, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };

    eng_names_free(&c->expired);
    if (eng_points_list(c->repo, c->o->cancel, NULL, &ps, e) < 0)
        return -1;
    if (ps.hidden_by[0] != '\0')
        return eng_folders_error(ps.hidden_by, e);
    AUTO_MEM struct eng_kept *kept =
        eng_kept_judge(c->repo, c->o->cancel, &ps, utc_now(), e);
    if (kept == NULL)
        return -1;
    for (size_t i = 0; i < ps.n; i++) {
        struct mf_key key = eng_point_key(&ps.p[i]);
        if (!kept[i].expired)
            continue;
        if (eng_names_add(&c->expired, key.s, e) < 0 ||
            (say && say_expired(c, &ps, &ps.p[i], e) < 0))
            return -1;
    }
    eng_names_sort(&c->expired);
    return 0;
}

struct removing {
    struct collect *c;
    struct collect_batch *batch;
    bool late;
};

static int on_manifest(void *ctx, const char *key, const struct obj_info *info,
                       struct err *e)
{
    struct removing *r = ctx;
    struct collect_version v = { .size = info->size };

    if (!eng_names_has(&r->c->expired, key))
        return 0;
    if (info->delete_marker)
        return eng_collect_refuse_marker(key, e);
    memcpy(v.id, info->version, sizeof(v.id));
    int result = eng_collect_doom(r->batch, key, &v, e);
    r->late |= result == 1;
    return result;
}

static int on_mark(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    const struct collect *c = ctx;
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    return info->delete_marker &&
                   mf_key_parse_keep(key, eng_repo_keyset(c->repo), vm_key,
                                     file)
               ? eng_collect_refuse_marker(key, e)
               : 0;
}

/* Nothing is removed after an attack on what protects points. */
static int look_for_markers(struct collect *c, struct err *e)
{
    struct mf_key prefix = mf_key_keeps_prefix(eng_repo_keyset(c->repo), NULL);
    struct obj_req req = { .key = prefix.s, .cancel = c->o->cancel };
    struct obj_list_opts opts = { .versions = true };

    return c->versions
               ? obj_list(eng_repo_store(c->repo), &req, &opts, on_mark, c, e)
               : 0;
}

/* Whoever has seen them forgets them; those that the server holds are seen
 * again by the next run. */
static void forget(struct collect *c)
{
    for (size_t i = 0; i < c->expired.n; i++)
        eng_gone_forget(c->repo, c->expired.s[i]);
}

static int remove_all(struct collect *c, struct err *e)
{
    AUTO_MEM struct collect_batch *batch = calloc(1, sizeof(*batch));
    struct removing r = { .c = c };
    struct mf_key prefix = mf_key_points_prefix(eng_repo_keyset(c->repo), NULL);
    struct obj_req req = { .key = prefix.s, .cancel = c->o->cancel };
    struct obj_list_opts opts = { .versions = c->versions };

    if (batch == NULL)
        return err_nomem(e);
    batch->c = c;
    batch->cancel = c->o->cancel;
    batch->done = &c->res->removed;
    r.batch = batch;
    if (obj_list(eng_repo_store(c->repo), &req, &opts, on_manifest, &r, e) < 0)
        return -1;
    int result = r.late ? 1 : eng_collect_flush(batch, e);
    if (result >= 0)
        forget(c);
    return result;
}

int eng_collect_expire(struct collect *c, struct err *e)
{
    if (judge(c, true, e) < 0)
        return -1;
    c->res->expired += c->expired.n;
    if (c->expired.n == 0 || c->o->dry_run)
        return 0;
    int r = 1;
    while (r == 1 && !c->res->blocked) {
        int begun = eng_collect_begin_turn(c, e);
        if (begun != 0)
            return begun < 0 ? -1 : 0;
        if (!c->in_turn)
            c->sign_before = eng_locked_server_now(c->repo) + SIGN_S;
        /* Somebody may have protected one meanwhile. */
        r = look_for_markers(c, e) < 0 || judge(c, false, e) < 0
                ? -1
                : remove_all(c, e);
        eng_collect_end_turn(c);
    }
    return r < 0 ? -1 : 0;
}
