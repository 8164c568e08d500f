// SPDX-License-Identifier: Apache-2.0
/*
 * How the index comes to know what the repository holds.
 *
 * A new index is filled by listing, and so is one of a run that was killed
 * before it could write what it had put.  Order matters there: the names of all
 * manifests are listed first, blocks and pages after them.  A manifest is
 * written last, so all that a listed manifest names is in the later listings:
 * these manifests count as seen without being read.
 */
#include "engine/repo/learn.h"

#include <stdatomic.h>
#include <string.h>

#include "base/checked.h"
#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/workers.h"
#include "engine/repo/blockio.h"
#include "engine/repo/internal.h"
#include "engine/repo/locked.h"
#include "engine/repo/map.h"
#include "engine/repo/point_store.h"
#include "engine/repo/quota.h"
#include "engine/repo/runlease.h"
#include "engine/repo/versions.h"

/* Up to this many blocks one listing does; more are listed by prefix. */
#define ONE_LISTING 1000
/* How often a process looks what others have stored, where it makes one point
 * after the other. */
#define LOOK_AGAIN_MS 60000

struct listing {
    struct eng_repo *repo;
    enum eng_index_kind kind;
    bool versions; /* the bucket keeps them */
    uint64_t n, max;
    uint64_t bytes; /* of all versions that were listed */
    /* The key that is being listed: its versions come one after the other. */
    bool pending;
    struct mf_id id;
    unsigned n_versions;
    struct eng_index_version version; /* the one that is known to be good */
    struct eng_index_version held;    /* what an index before this one knew */
};

/* Something else stands where an object was that this machine knew: another
 * version where locks hold one, or an object of another size. */
static bool is_another(const struct listing *l)
{
    if (l->repo->descriptor.locked)
        return l->held.id[0] != '\0' && strcmp(l->version.id, l->held.id) != 0;
    return l->held.size != 0 && l->version.size != l->held.size;
}

/* All versions of a key were listed.  The one that was known before, with its
 * lock date, or a single one, whose date is not known; of several nobody knows
 * yet which is good.  Where the one that was known is gone, nobody knows what
 * is there in its place: it counts as absent, and is put again. */
static int end_key(struct listing *l, struct err *e)
{
    struct eng_index *ix = l->repo->index;
    struct eng_index_version known;

    if (!l->pending)
        return 0;
    l->pending = false;
    if (is_another(l))
        return 0;
    if (l->repo->descriptor.locked &&
        (l->version.id[0] == '\0' ||
         eng_index_get_version(ix, l->kind, &l->id, &known)))
        return eng_index_add(ix, l->kind, &l->id, e);
    return eng_index_set_version(ix, l->kind, &l->id, &l->version, e);
}

static void begin_key(struct listing *l, const struct mf_id *id)
{
    l->pending = true;
    l->id = *id;
    l->n_versions = 0;
    l->version = l->held = (struct eng_index_version){ 0 };
    (void)eng_index_get_held(l->repo->index, l->kind, id, &l->held);
}

/* Versions come newest first: without locks that one is read. */
static void take_version(struct listing *l, const char *version, uint64_t size)
{
    bool held = l->held.id[0] != '\0';

    l->n_versions++;
    if (!l->repo->descriptor.locked) {
        if (l->n_versions == 1)
            l->version.size = size;
        return;
    }
    if (held && strcmp(version, l->held.id) == 0) {
        l->version = l->held;
        return;
    }
    if (held && strcmp(l->version.id, l->held.id) == 0)
        return;
    l->version = (struct eng_index_version){ 0 };
    if (l->n_versions == 1)
        memcpy(l->version.id, version, strlen(version));
}

static int on_object(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    struct listing *l = ctx;
    struct mf_id id;
    bool ours = l->kind == ENG_INDEX_BLOCK
                    ? mf_key_parse_block(key, eng_repo_keyset(l->repo), &id)
                    : mf_key_parse_page(key, eng_repo_keyset(l->repo), &id);

    if (!ours || info->size == 0 || info->delete_marker)
        return 0;
    if (!l->pending || !mf_id_eq(&l->id, &id)) {
        if (end_key(l, e) < 0)
            return -1;
        if (++l->n > l->max)
            return 1;
        begin_key(l, &id);
    }
    l->bytes += info->size;
    take_version(l, info->version, info->size);
    return 0;
}

/* prefix: the id's first byte, or -1 for all. */
static int list_objects(struct listing *l, const struct cancel *cancel,
                        int prefix, struct err *e)
{
    struct mf_key key =
        l->kind == ENG_INDEX_BLOCK
            ? mf_key_blocks_prefix(eng_repo_keyset(l->repo), prefix)
            : mf_key_pages_prefix(eng_repo_keyset(l->repo), prefix);
    struct obj_req req = { .key = key.s, .cancel = cancel };
    struct obj_list_opts opts = { .versions = l->versions };

    if (obj_list(l->repo->store, &req, &opts, on_object, l, e) < 0)
        return -1;
    return end_key(l, e);
}

struct list_job {
    struct eng_repo *repo;
    bool versions;
    atomic_ullong bytes;
};

static int list_worker(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct list_job *j = ctx;
    struct listing l = { .repo = j->repo,
                         .kind = ENG_INDEX_BLOCK,
                         .versions = j->versions,
                         .max = UINT64_MAX };
    uint64_t prefix = 0;

    (void)index;
    while (workers_claim(w, &prefix))
        if (list_objects(&l, workers_cancel(w), (int)prefix, e) < 0)
            return -1;
    atomic_fetch_add(&j->bytes, l.bytes);
    return 0;
}

int eng_learn_listing(struct eng_repo *r, const struct cancel *cancel,
                      bool large, struct err *e)
{
    struct list_job j = { .repo = r };

    if (eng_repo_keeps_versions(r, cancel, &j.versions, e) < 0)
        return -1;
    struct listing few = { .repo = r,
                           .kind = ENG_INDEX_BLOCK,
                           .versions = j.versions,
                           .max = ONE_LISTING };
    struct listing pages = { .repo = r,
                             .kind = ENG_INDEX_PAGE,
                             .versions = j.versions,
                             .max = UINT64_MAX };
    if (!large && list_objects(&few, cancel, -1, e) < 0)
        return -1;
    large = large || few.n > ONE_LISTING;
    if (large &&
        workers_run(ENG_REPO_READERS, 256, cancel, list_worker, &j, e) < 0)
        return -1;
    if (list_objects(&pages, cancel, -1, e) < 0)
        return -1;
    uint64_t blocks = large ? (uint64_t)atomic_load(&j.bytes) : few.bytes;
    return eng_index_set_bytes(r->index, blocks + pages.bytes, e);
}

/* Fills an empty index; names are those of all manifests, listed before. */
static int rebuild(struct eng_repo *r, const struct eng_points *names,
                   const struct cancel *cancel, struct err *e)
{
    log_info("repo", "listing what %s holds", r->name);
    if (eng_learn_listing(r, cancel, false, e) < 0)
        return -1;
    for (size_t i = 0; i < names->n; i++) {
        struct mf_key key = eng_point_key(&names->p[i]);
        if (eng_index_mark_seen(r->index, key.s, e) < 0)
            return -1;
    }
    return eng_index_set_complete(r->index, e);
}

/* What is marked as damaged is named by pages all the same. */
static int learn_id(struct eng_repo *r, enum eng_index_kind kind,
                    const struct mf_id *id, struct err *e)
{
    const struct eng_damaged_id *mark = eng_damaged_find(&r->damaged, kind, id);

    return mark != NULL && !mark->cleared
               ? 0
               : eng_index_add(r->index, kind, id, e);
}

static int learn_entry(struct eng_repo *r, const struct mf_entry *m,
                       uint32_t block_size, struct err *e)
{
    if (m->kind == MF_ZERO)
        return 0;
    if ((m->kind == MF_WHOLE || m->has_base) &&
        learn_id(r, ENG_INDEX_BLOCK, &m->id, e) < 0)
        return -1;
    if (m->kind == MF_OVER && m->has_over &&
        learn_id(r, ENG_INDEX_BLOCK, &m->over, e) < 0)
        return -1;
    eng_index_add_composed(r->index, m, block_size);
    return 0;
}

static int learn_stream(struct eng_repo *r, const struct mf_stream *s,
                        const struct cancel *cancel, struct err *e)
{
    AUTO_ENG_MAP struct eng_map map = { 0 };

    if (eng_map_load(r, s, cancel, &map, e) < 0)
        return -1;
    for (uint64_t i = 0; i < map.n; i++)
        if (learn_entry(r, &map.entries[i], map.block_size, e) < 0)
            return -1;
    for (uint64_t i = 0; i < s->n_pages; i++)
        if (!s->pages[i].zero &&
            learn_id(r, ENG_INDEX_PAGE, &s->pages[i].id, e) < 0)
            return -1;
    return 0;
}

static int learn_streams(struct eng_repo *r, const struct mf_stream *s,
                         size_t n, const struct cancel *cancel, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (learn_stream(r, &s[i], cancel, e) < 0)
            return -1;
    return 0;
}

/* All that a manifest names.  A point that cannot be read teaches nothing;
 * `point verify` names it. */
static int learn_manifest(struct eng_repo *r, const struct eng_point *p,
                          const struct cancel *cancel, struct err *e)
{
    const struct mf_point *m = p->manifest;
    struct mf_key key = eng_point_key(p);

    if (learn_streams(r, m->disks, m->n_disks, cancel, e) < 0 ||
        learn_streams(r, m->files, m->n_files, cancel, e) < 0) {
        if (e->kind != ERR_CORRUPT)
            return -1;
        log_warn("repo", "point %s of %s is damaged: %s", p->file, p->vm,
                 e->msg);
        return 0;
    }
    eng_index_add_bytes(r->index, m->stats.stored_bytes);
    return eng_index_mark_seen(r->index, key.s, e);
}

static int learn_point(struct eng_repo *r, struct eng_point *p,
                       const struct cancel *cancel, struct err *e)
{
    struct mf_key key = eng_point_key(p);

    if (eng_index_seen(r->index, key.s))
        return 0;
    if (eng_point_load(r, cancel, p, e) < 0)
        return -1;
    int result = p->manifest != NULL ? learn_manifest(r, p, cancel, e) : 0;
    mf_point_free(p->manifest);
    p->manifest = NULL;
    return result;
}

int eng_repo_learn(struct eng_repo *r, const struct eng_point *p,
                   const struct cancel *cancel, struct err *e)
{
    struct mf_key key = eng_point_key(p);

    return eng_index_seen(r->index, key.s) ? 0
                                           : learn_manifest(r, p, cancel, e);
}

static int learn_points(struct eng_repo *r, struct eng_points *names,
                        const struct cancel *cancel, struct err *e)
{
    for (size_t i = 0; i < names->n; i++)
        if (learn_point(r, &names->p[i], cancel, e) < 0)
            return -1;
    return 0;
}

/* Lists the points and counts the manifests that the index has seen and that
 * are gone.  Then somebody deleted points, and may have deleted blocks: the
 * index might claim what is not. */
static int list_points(struct eng_repo *r, const struct cancel *cancel,
                       struct eng_points *names, uint64_t *gone, struct err *e)
{
    if (eng_index_begin_listing(r->index, e) < 0 ||
        eng_points_visible(r, cancel, NULL, names, e) < 0)
        return -1;
    for (size_t i = 0; i < names->n; i++) {
        struct mf_key key = eng_point_key(&names->p[i]);
        if (eng_index_listed(r->index, key.s, e) < 0)
            return -1;
    }
    return eng_index_unlisted(r->index, gone, e);
}

static int bring_up_to_date(struct eng_repo *r, enum eng_upload upload,
                            const struct cancel *cancel, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points names = { 0 };
    uint64_t gone = 0;

    if (eng_counter_settled(r, cancel, r->sweep, e) < 0 ||
        list_points(r, cancel, &names, &gone, e) < 0)
        return -1;
    bool trusted = gone == 0 && upload == ENG_UPLOAD_NEW &&
                   eng_index_has_sweep(r->index, r->sweep);
    if (!trusted && eng_index_clear(r->index, r->sweep, e) < 0)
        return -1;
    if (trusted && eng_index_complete(r->index) && r->common->mark.dead == 0)
        return learn_points(r, &names, cancel, e);
    if (rebuild(r, &names, cancel, e) < 0)
        return -1;
    eng_runmark_bury(&r->common->mark);
    r->common->listed = true;
    return 0;
}

/* What is marked as damaged is there, in listings and in pages: it is forgotten
 * after all that. */
static int update_index(struct eng_repo *r, enum eng_upload upload,
                        const struct cancel *cancel, struct err *e)
{
    struct eng_common *c = r->common;

    c->filled = false;
    if (bring_up_to_date(r, upload, cancel, e) < 0)
        return -1;
    c->filled = true;
    memcpy(c->sweep, r->sweep, sizeof(r->sweep));
    c->looked_ms = utc_mono_ms();
    return eng_damaged_begin(r, cancel, e);
}

/* Opens the index in dir (NULL: one in memory) for all handles. */
static int open_shared(struct eng_repo *r, const char *dir, struct err *e)
{
    struct eng_common *c = r->common;

    c->index = eng_index_open(dir, r->descriptor.id, e);
    if (c->index == NULL ||
        (dir != NULL && eng_runmark_begin(&c->mark, dir, e) < 0))
        return -1;
    r->index = eng_index_again(c->index, e);
    return r->index != NULL ? 0 : -1;
}

static void close_shared(struct eng_repo *r)
{
    struct eng_common *c = r->common;

    (void)eng_index_close(r->index);
    eng_runmark_end(&c->mark, eng_index_close(c->index));
    r->index = c->index = NULL;
    c->listed = false;
}

/* The index in its folder; 1: the folder cannot be used, e says why. */
static int open_stored(struct eng_repo *r, const char *dir,
                       enum eng_upload upload, const struct cancel *cancel,
                       struct err *e)
{
    if (open_shared(r, dir, e) < 0)
        return 1;
    if (update_index(r, upload, cancel, e) == 0)
        return 0;
    return e->kind == ERR_IO || e->kind == ERR_CORRUPT ? 1 : -1;
}

static int open_index(struct eng_repo *r, enum eng_upload upload,
                      const struct cancel *cancel, struct err *e)
{
    AUTO_MEM char *dir = io_join(r->state_dir, eng_repo_keyset(r), e);

    if (dir == NULL)
        return -1;
    int stored = open_stored(r, dir, upload, cancel, e);
    if (stored == 1) {
        log_warn("repo",
                 "the state folder cannot be used (%s); going on without",
                 e->msg);
        close_shared(r);
        stored = open_shared(r, NULL, e) < 0
                     ? -1
                     : update_index(r, upload, cancel, e);
    }
    if (stored < 0)
        close_shared(r);
    return stored;
}

static int distrust(struct eng_repo *r, const struct cancel *cancel,
                    struct err *e)
{
    r->put_pages = true;
    return update_index(r, ENG_UPLOAD_MISSING, cancel, e);
}

/* Another run of the same process: somebody may have swept since the index was
 * brought up to date, and another handle may have seen that already. */
static int follow_sweeps(struct eng_repo *r, const struct cancel *cancel,
                         struct err *e)
{
    char counter[ENG_COUNTER_CHARS];

    if (eng_counter_settled(r, cancel, counter, e) < 0)
        return -1;
    if (strcmp(counter, r->common->sweep) != 0 ||
        !eng_index_has_sweep(r->index, counter))
        return distrust(r, cancel, e);
    memcpy(r->sweep, counter, sizeof(r->sweep));
    return 0;
}

/* A job of many VMs goes on for hours, and so do those of other hosts. */
static int look_again(struct eng_repo *r, const struct cancel *cancel,
                      struct err *e)
{
    AUTO_ENG_POINTS struct eng_points names = { 0 };

    if (utc_mono_ms() - r->common->looked_ms < LOOK_AGAIN_MS)
        return 0;
    r->common->looked_ms = utc_mono_ms();
    return eng_points_visible(r, cancel, NULL, &names, e) < 0
               ? -1
               : learn_points(r, &names, cancel, e);
}

/* From here on the run refers to what the index knows. */
static int begin_writes(struct eng_repo *r, const struct cancel *cancel,
                        struct err *e)
{
    eng_runlease_rely(r);
    return eng_quota_check(r, cancel, e);
}

/* What opened a keyset for restores may be a key that nothing more may be
 * sealed by. */
static int check_writable(const struct eng_repo *r, struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(r, eng_repo_keyset(r));

    if (!mf_keys_sealed(r->keys) || (k != NULL && k->writable))
        return 0;
    return err_set(e, ERR_DENIED, 0,
                   "keyset %s was opened for reading: nothing is written to it",
                   eng_repo_keyset(r));
}

/* Brings the index up to date, whoever of us has opened it. */
static int prepare_index(struct eng_repo *r, enum eng_upload upload,
                         const struct cancel *cancel, struct err *e)
{
    if (r->common->index == NULL)
        return open_index(r, upload, cancel, e);
    if (r->index == NULL)
        r->index = eng_index_again(r->common->index, e);
    if (r->index == NULL)
        return -1;
    if (!r->common->filled || (upload != ENG_UPLOAD_NEW && !r->common->listed))
        return update_index(r, upload, cancel, e);
    if (follow_sweeps(r, cancel, e) < 0 || look_again(r, cancel, e) < 0)
        return -1;
    return eng_damaged_begin(r, cancel, e);
}

static int begin_first(struct eng_repo *r, const struct cancel *cancel,
                       struct err *e)
{
    if (check_writable(r, e) < 0 || eng_locked_start(r, cancel, e) < 0)
        return err_ctx(e, "repository %s", r->name);
    return eng_common_join(r, e);
}

int eng_repo_prepare_writes(struct eng_repo *r, enum eng_upload upload,
                            const struct cancel *cancel, struct err *e)
{
    if (r->common == NULL && begin_first(r, cancel, e) < 0)
        return -1;
    r->upload = upload;
    r->put_pages = upload == ENG_UPLOAD_ALL;
    bool first = r->index == NULL;
    int result = eng_common_begin(r, cancel, e);
    if (result == 0) {
        result = prepare_index(r, upload, cancel, e);
        int begun = result == 0 ? begin_writes(r, cancel, e) : 0;
        eng_common_end(r);
        if (result == 0)
            return begun;
    }
    if (!first)
        return -1;
    eng_common_leave(r);
    return err_ctx(e, "look at what %s holds", r->name);
}

int eng_repo_distrust(struct eng_repo *r, const struct cancel *cancel,
                      struct err *e)
{
    if (eng_common_begin(r, cancel, e) < 0)
        return -1;
    int result = distrust(r, cancel, e);
    eng_common_end(r);
    return result;
}
