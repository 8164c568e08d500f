// SPDX-License-Identifier: Apache-2.0
/* Making, opening and closing a repository; its descriptor. */
#include "engine/repo/repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/scratch.h"
#include "manifest/block.h"
#include "manifest/objkey.h"

#define DESCRIPTOR_MAX (64u << 10)

int eng_repo_get(struct eng_repo *r, const struct cancel *cancel,
                 const char *key, struct buf *out, struct err *e)
{
    struct obj_req req = { .key = key, .cancel = cancel };

    return obj_get(r->store, &req, NULL, out, NULL, e);
}

static int read_descriptor(struct obj_store *store, const struct cancel *cancel,
                           struct mf_descriptor *d, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(DESCRIPTOR_MAX);
    struct obj_req req = { .key = MF_DESCRIPTOR_KEY, .cancel = cancel };

    if (obj_get(store, &req, NULL, &text, NULL, e) < 0) {
        if (e->kind != ERR_NOTFOUND)
            return -1;
        return err_hint(e, "make one with `objvault repo create`");
    }
    if (mf_descriptor_decode(buf_span(&text), d, e) < 0)
        return err_ctx(e, "%s", MF_DESCRIPTOR_KEY);
    return 0;
}

/* A driver without locks would store what nothing protects. */
static int refuse_locked(const struct eng_repo_place *place,
                         const struct mf_descriptor *d, struct err *e)
{
    if (!d->locked || place->store.driver != OBJ_DRIVER_LIBS3)
        return 0;
    return err_set(e, ERR_UNSUPPORTED, 0,
                   "the repository is locked (immutable): driver libs3 has no "
                   "locks; use driver s3");
}

static struct eng_repo *repo_open(const struct eng_repo_place *place,
                                  const struct cancel *cancel, struct err *e)
{
    AUTO_ENG_REPO struct eng_repo *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        err_nomem(e);
        return NULL;
    }
    r->name = strdup(place->name);
    r->simple = place->store.driver == OBJ_DRIVER_FILE;
    r->store = obj_store_open(&place->store, e);
    if (r->store == NULL)
        return NULL;
    if (r->name == NULL) {
        err_nomem(e);
        return NULL;
    }
    if (read_descriptor(r->store, cancel, &r->descriptor, e) < 0 ||
        refuse_locked(place, &r->descriptor, e) < 0) {
        err_ctx(e, "%s", obj_store_name(r->store));
        return NULL;
    }
    r->state_dir = io_join(place->state_dir, r->descriptor.id, e);
    return r->state_dir != NULL ? STEAL(r) : NULL;
}

struct eng_repo *eng_repo_open(const struct eng_repo_place *place,
                               const struct cancel *cancel, struct err *e)
{
    struct eng_repo *r = repo_open(place, cancel, e);

    if (r == NULL)
        err_ctx(e, "repository %s", place->name);
    return r;
}

void eng_repo_close(struct eng_repo *r)
{
    if (r == NULL)
        return;
    eng_runmark_end(&r->mark, eng_index_close(r->index));
    obj_store_close(r->store);
    free(r->name);
    free(r->state_dir);
    free(r);
}

const char *eng_repo_name(const struct eng_repo *r)
{
    return r->name;
}

const struct mf_descriptor *eng_repo_descriptor(const struct eng_repo *r)
{
    return &r->descriptor;
}

struct obj_store *eng_repo_store(struct eng_repo *r)
{
    return r->store;
}

bool eng_repo_is_simple(const struct eng_repo *r)
{
    return r->simple;
}

const char *eng_repo_state_dir(const struct eng_repo *r)
{
    return r->state_dir;
}

static int stop_at_first(void *ctx, const char *key, const struct obj_info *i,
                         struct err *e)
{
    char *found = ctx;

    (void)i;
    (void)e;
    if (eng_scratch_owns(key))
        return 0;
    snprintf(found, MF_KEY_CHARS, "%s", key);
    return 1;
}

/* A repository has its prefix for itself: collection and listings rely on it.
 * So nothing may be there yet. */
static int check_empty(struct obj_store *store, const struct cancel *cancel,
                       struct err *e)
{
    char found[MF_KEY_CHARS] = "";
    struct obj_req req = { .key = "", .cancel = cancel };
    struct obj_list_opts opts = { .page = 1 };
    struct obj_req descriptor = { .key = MF_DESCRIPTOR_KEY, .cancel = cancel };
    struct obj_info info;

    if (obj_head(store, &descriptor, &info, e) == 0) {
        err_set(e, ERR_EXISTS, 0, "%s: there is a repository already",
                obj_store_name(store));
        return err_hint(e, "use it with `objvault repo attach`");
    }
    if (e->kind != ERR_NOTFOUND ||
        obj_list(store, &req, &opts, stop_at_first, found, e) < 0)
        return -1;
    if (found[0] == '\0')
        return 0;
    err_set(e, ERR_EXISTS, 0, "%s: there are other objects (%s)",
            obj_store_name(store), found);
    return err_hint(e, "choose an empty prefix");
}

/* An error if the store at `config` holds a descriptor.  Where one may not look
 * (a policy for our prefix alone) it is taken for no repository. */
static int refuse_outer(const struct obj_config *config,
                        const struct cancel *cancel, struct err *e)
{
    struct obj_info info;
    struct obj_req req = { .key = MF_DESCRIPTOR_KEY, .cancel = cancel };
    AUTO_OBJ_STORE struct obj_store *outer = obj_store_open(config, e);

    if (outer == NULL)
        return e->kind == ERR_NOTFOUND || e->kind == ERR_DENIED ? 0 : -1;
    if (obj_head(outer, &req, &info, e) == 0)
        return err_set(e, ERR_USAGE, 0,
                       "this place is inside the repository %s; choose another",
                       obj_store_name(outer));
    return e->kind == ERR_NOTFOUND || e->kind == ERR_DENIED ? 0 : -1;
}

static int refuse_outer_folder(const char *path, struct err *e)
{
    AUTO_MEM char *descriptor = io_join(path, MF_DESCRIPTOR_KEY, e);

    if (descriptor == NULL)
        return -1;
    if (access(descriptor, F_OK) == 0)
        return err_set(e, ERR_USAGE, 0,
                       "this place is inside the repository file://%s; choose "
                       "another",
                       path);
    return 0;
}

/* Walks up the prefix (or the path) and refuses a repository around ours. */
static int check_not_inside(const struct obj_config *config,
                            const struct cancel *cancel, struct err *e)
{
    bool file = config->driver == OBJ_DRIVER_FILE;
    const char *start = file ? config->path : config->prefix;
    AUTO_MEM char *up = strdup(start != NULL ? start : "");

    if (up == NULL)
        return err_nomem(e);
    while (up[0] != '\0') {
        char *slash = strrchr(up, '/');
        *(slash != NULL ? slash : up) = '\0';
        struct obj_config outer = *config;
        outer.prefix = up;
        if (file ? refuse_outer_folder(up, e) < 0
                 : refuse_outer(&outer, cancel, e) < 0)
            return -1;
    }
    return 0;
}

/* Where the storage has no conditional put (driver libs3): there was nothing a
 * moment ago (check_empty); what is there now must be ours.  Two that do this
 * at once may both think to have made it, but whose descriptor was put last is
 * the repository's, and each opening reads it anew: no data hangs on the
 * other. */
static int put_unconditionally(struct obj_store *store,
                               const struct obj_req *req,
                               const struct mf_descriptor *ours,
                               struct span text, struct err *e)
{
    const struct obj_put_opts opts = { .content_type = "application/json" };
    struct mf_descriptor there;

    if (obj_put(store, req, text, &opts, NULL, e) < 0 ||
        read_descriptor(store, req->cancel, &there, e) < 0)
        return -1;
    if (strcmp(there.id, ours->id) == 0)
        return 0;
    err_set(e, ERR_EXISTS, 0, "%s: somebody else has made a repository here",
            obj_store_name(store));
    return err_hint(e, "use it with `objvault repo attach`");
}

static int put_descriptor(struct obj_store *store, uint32_t block_size,
                          const struct cancel *cancel, struct err *e)
{
    struct mf_descriptor d = { .created = utc_now(), .block_size = block_size };
    uint8_t id[16];
    AUTO_BUF struct buf text = buf_init(DESCRIPTOR_MAX);
    struct obj_req req = { .key = MF_DESCRIPTOR_KEY, .cancel = cancel };
    struct obj_put_opts opts = { .if_absent = true,
                                 .content_type = "application/json" };

    if (digest_random(id, sizeof(id), e) < 0)
        return -1;
    digest_hex(span_of(id, sizeof(id)), d.id);
    if (mf_descriptor_encode(&d, &text, e) < 0)
        return -1;
    if (obj_put(store, &req, buf_span(&text), &opts, NULL, e) == 0)
        return 0;
    if (e->kind != ERR_UNSUPPORTED)
        return -1;
    return put_unconditionally(store, &req, &d, buf_span(&text), e);
}

/* The storage must do what nothing of ours could make up for. */
static int check_probe(const struct eng_probe *p, struct err *e)
{
    static const enum eng_probe_item needed[] = { ENG_PROBE_READ_AFTER_WRITE,
                                                  ENG_PROBE_LIST_AFTER_WRITE };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (p->rows[needed[i]].result == ENG_PROBE_NO)
            return err_set(e, ERR_UNSUPPORTED, 0, "no %s here: %s",
                           eng_probe_title(needed[i]),
                           p->rows[needed[i]].detail);
    return 0;
}

static int probe(struct obj_store *store, const struct cancel *cancel,
                 struct eng_probe *out, struct err *e)
{
    const struct eng_probe_opts quick = { .quick = true };

    if (eng_probe_run(store, &quick, cancel, out, e) == 0)
        return check_probe(out, e);
    out->time = 0;
    return e->kind == ERR_LOCKED ? 0 : -1;
}

static int repo_create(const struct eng_repo_place *place,
                       const struct eng_repo_create_opts *opts,
                       const struct cancel *cancel, struct err *e)
{
    uint32_t block_size =
        opts->block_size != 0 ? opts->block_size : MF_BLOCK_DEFAULT;
    struct obj_req req = { .cancel = cancel };
    struct obj_bucket bucket;

    if (!mf_block_size_ok(block_size))
        return err_set(e, ERR_USAGE, 0,
                       "block size %u: it must be a power of two from 256K "
                       "to 8M",
                       block_size);
    AUTO_OBJ_STORE struct obj_store *store = obj_store_open(&place->store, e);
    if (store == NULL)
        return -1;
    if (check_not_inside(&place->store, cancel, e) < 0)
        return -1;
    bool make = opts->create_bucket || place->store.driver == OBJ_DRIVER_FILE;
    if (make && obj_bucket_create(store, &req, false, e) < 0)
        return -1;
    if (obj_bucket_info(store, &req, &bucket, e) < 0) {
        if (e->kind == ERR_NOTFOUND)
            return err_hint(e, "--create-bucket makes it");
        return -1;
    }
    if (check_empty(store, cancel, e) < 0)
        return -1;
    if (opts->probe != NULL && probe(store, cancel, opts->probe, e) < 0)
        return -1;
    return put_descriptor(store, block_size, cancel, e);
}

int eng_repo_create(const struct eng_repo_place *place,
                    const struct eng_repo_create_opts *opts,
                    const struct cancel *cancel, struct err *e)
{
    if (repo_create(place, opts, cancel, e) < 0)
        return err_ctx(e, "create repository %s", place->name);
    return 0;
}
