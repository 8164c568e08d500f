// SPDX-License-Identifier: Apache-2.0
/* Making a repository: where one may be made, and its descriptor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/lock.h"
#include "engine/repo/lockcheck.h"
#include "engine/repo/scratch.h"
#include "engine/repo/versions.h"
#include "manifest/block.h"
#include "manifest/objkey.h"

#define DESCRIPTOR_MAX MF_DESCRIPTOR_JSON_MAX

static int stop_at_first(void *ctx, const char *key, const struct obj_info *i,
                         struct err *e)
{
    char *found = ctx;

    (void)e;
    if (i->delete_marker || eng_scratch_owns(key))
        return 0;
    snprintf(found, MF_KEY_CHARS, "%s", key);
    return 1;
}

static int refuse_second(const struct obj_store *store, struct err *e)
{
    err_set(e, ERR_EXISTS, 0, "%s: there is a repository already",
            obj_store_name(store));
    return err_hint(e, "use it with `objvault repo attach`");
}

/* A repository has its prefix for itself: collection and listings rely on it.
 * So nothing may be there yet, nor hidden by a delete marker: the oldest
 * version of a descriptor is the one that counts. */
static int check_empty(struct obj_store *store, bool versions,
                       const struct cancel *cancel, struct err *e)
{
    char found[MF_KEY_CHARS] = "";
    struct obj_req req = { .key = "", .cancel = cancel };
    struct obj_list_opts opts = { .page = 1, .versions = versions };
    struct obj_req descriptor = { .key = MF_DESCRIPTOR_KEY, .cancel = cancel };
    struct obj_info info;

    if (obj_head(store, &descriptor, &info, e) == 0)
        return refuse_second(store, e);
    if (e->kind != ERR_NOTFOUND ||
        obj_list(store, &req, &opts, stop_at_first, found, e) < 0)
        return -1;
    if (found[0] == '\0')
        return 0;
    if (strcmp(found, MF_DESCRIPTOR_KEY) == 0)
        return refuse_second(store, e);
    err_set(e, ERR_EXISTS, 0, "%s: there are other objects%s (%s)",
            obj_store_name(store),
            versions ? ", or versions that are hidden" : "", found);
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

/* The descriptor that is to be, and how it is put. */
struct making {
    struct obj_store *store;
    const struct cancel *cancel;
    struct mf_descriptor d;
    struct obj_put_opts put;
    bool versions; /* the bucket keeps them */
};

/* Where the storage has no conditional put (driver libs3): there was nothing a
 * moment ago (check_empty); what is there now must be ours.  Two that do this
 * at once may both think to have made it, but whose descriptor was put last is
 * the repository's, and each opening reads it anew: no data hangs on the
 * other. */
static int put_unconditionally(struct making *m, struct span text,
                               struct err *e)
{
    struct obj_req req = { .key = MF_DESCRIPTOR_KEY, .cancel = m->cancel };
    struct mf_descriptor there;

    m->put.if_absent = false;
    if (obj_put(m->store, &req, text, &m->put, NULL, e) < 0 ||
        eng_repo_read_descriptor(m->store, m->cancel, &there, e) < 0)
        return -1;
    if (strcmp(there.id, m->d.id) == 0)
        return 0;
    err_set(e, ERR_EXISTS, 0, "%s: somebody else has made a repository here",
            obj_store_name(m->store));
    return err_hint(e, "use it with `objvault repo attach`");
}

/* The lock of a point that would be made now. */
static int lock_of(const struct making *m, struct obj_lock *lock, struct err *e)
{
    const struct mf_descriptor *d = &m->d;
    uint8_t hash[ENG_LOCK_HASH_BYTES];
    int64_t now = utc_real_now() + obj_store_clock_offset(m->store);

    if (eng_lock_key_hash(MF_DESCRIPTOR_KEY, hash, e) < 0)
        return -1;
    *lock = (struct obj_lock){
        .mode = d->mode == MF_LOCK_GOVERNANCE ? OBJ_LOCK_GOVERNANCE
                                              : OBJ_LOCK_COMPLIANCE,
        .until =
            eng_lock_cover(eng_lock_until(d->scope, d->immutability_s, now, 0),
                           hash, d->generation_s),
    };
    return 0;
}

static int put_descriptor(struct making *m, struct err *e)
{
    uint8_t id[16];
    AUTO_BUF struct buf text = buf_init(DESCRIPTOR_MAX);
    struct obj_req req = { .key = MF_DESCRIPTOR_KEY, .cancel = m->cancel };

    if (digest_random(id, sizeof(id), e) < 0)
        return -1;
    digest_hex(span_of(id, sizeof(id)), m->d.id);
    if (mf_descriptor_encode(&m->d, &text, e) < 0 ||
        (m->d.locked && lock_of(m, &m->put.lock, e) < 0))
        return -1;
    m->put.if_absent = true;
    m->put.content_type = "application/json";
    if (obj_put(m->store, &req, buf_span(&text), &m->put, NULL, e) < 0 &&
        (e->kind != ERR_UNSUPPORTED ||
         put_unconditionally(m, buf_span(&text), e) < 0))
        return -1;
    if (!m->d.locked)
        return 0;
    return eng_lockcheck_object(m->store, m->cancel, MF_DESCRIPTOR_KEY, NULL,
                                m->put.lock.until, e) < 0
               ? -1
               : 0;
}

/* The storage must do what nothing of ours could make up for. */
static int check_probe(const struct eng_probe *p, bool locked, struct err *e)
{
    static const enum eng_probe_item needed[] = { ENG_PROBE_READ_AFTER_WRITE,
                                                  ENG_PROBE_LIST_AFTER_WRITE };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (p->rows[needed[i]].result == ENG_PROBE_NO)
            return err_set(e, ERR_UNSUPPORTED, 0, "no %s here: %s",
                           eng_probe_title(needed[i]),
                           p->rows[needed[i]].detail);
    const struct eng_probe_record record = eng_probe_record(p);
    return locked ? eng_lockcheck_probe(&record, e) : 0;
}

#define PROBE_LOCK_S 3

static int probe(const struct making *m, struct eng_probe *out, struct err *e)
{
    const struct eng_probe_opts quick = {
        .quick = true,
        .locks = m->d.locked,
        .lock_s = PROBE_LOCK_S,
        .governance = m->d.locked && m->d.mode == MF_LOCK_GOVERNANCE,
    };

    if (eng_probe_run(m->store, &quick, m->cancel, out, e) == 0)
        return check_probe(out, m->d.locked, e);
    out->time = 0;
    return e->kind == ERR_LOCKED && !m->d.locked ? 0 : -1;
}

static int make_descriptor(const struct eng_repo_create_opts *opts,
                           struct mf_descriptor *d, struct err *e)
{
    *d = (struct mf_descriptor){
        .created = utc_now(),
        .block_size =
            opts->block_size != 0 ? opts->block_size : MF_BLOCK_DEFAULT,
        .locked = opts->locked,
    };
    if (!mf_block_size_ok(d->block_size))
        return err_set(e, ERR_USAGE, 0,
                       "block size %u: it must be a power of two from 256K "
                       "to 8M",
                       d->block_size);
    if (!opts->locked)
        return 0;
    d->mode = opts->mode;
    d->scope = opts->scope;
    d->immutability_s = opts->immutability_s;
    d->generation_s =
        opts->generation_s != 0 ? opts->generation_s : ENG_GENERATION_DEFAULT_S;
    return 0;
}

/* Only the driver s3 knows locks. */
static int check_driver(const struct eng_repo_place *place, bool locked,
                        struct err *e)
{
    if (!locked || place->store.driver == OBJ_DRIVER_S3)
        return 0;
    return err_set(e, ERR_USAGE, 0,
                   "a repository cannot be immutable on driver %s: %s",
                   place->store.driver == OBJ_DRIVER_FILE ? "file" : "libs3",
                   place->store.driver == OBJ_DRIVER_FILE
                       ? "a folder has no locks that its owner could not lift"
                       : "it knows no locks; use driver s3");
}

static int look_at_bucket(struct making *m, struct err *e)
{
    struct obj_req req = { .cancel = m->cancel };
    struct obj_bucket bucket;

    if (m->d.locked && eng_lockcheck_bucket(m->store, m->cancel, e) < 0)
        return e->kind == ERR_NOTFOUND ? err_hint(e, "--create-bucket makes it")
                                       : -1;
    m->versions = m->d.locked;
    if (obj_bucket_info(m->store, &req, &bucket, e) < 0) {
        if (e->kind == ERR_NOTFOUND)
            return err_hint(e, "--create-bucket makes it");
        return e->kind == ERR_DENIED && m->d.locked ? 0 : -1;
    }
    m->versions = bucket.versioning != OBJ_VERSIONS_NEVER;
    return 0;
}

static int repo_create(const struct eng_repo_place *place,
                       const struct eng_repo_create_opts *opts,
                       const struct cancel *cancel, struct err *e)
{
    struct obj_req req = { .cancel = cancel };
    struct making m = { .cancel = cancel };

    if (make_descriptor(opts, &m.d, e) < 0 ||
        check_driver(place, opts->locked, e) < 0)
        return -1;
    AUTO_OBJ_STORE struct obj_store *store = obj_store_open(&place->store, e);
    if (store == NULL)
        return -1;
    m.store = store;
    if (check_not_inside(&place->store, cancel, e) < 0)
        return -1;
    bool make = opts->create_bucket || place->store.driver == OBJ_DRIVER_FILE;
    if (make && obj_bucket_create(store, &req, opts->locked, e) < 0)
        return -1;
    if (look_at_bucket(&m, e) < 0 ||
        check_empty(store, m.versions, cancel, e) < 0)
        return -1;
    if (opts->probe != NULL && probe(&m, opts->probe, e) < 0)
        return -1;
    return put_descriptor(&m, e);
}

int eng_repo_create(const struct eng_repo_place *place,
                    const struct eng_repo_create_opts *opts,
                    const struct cancel *cancel, struct err *e)
{
    if (repo_create(place, opts, cancel, e) < 0)
        return err_ctx(e, "create repository %s", place->name);
    return 0;
}
