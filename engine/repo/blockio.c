// SPDX-License-Identifier: Apache-2.0
/* Blocks and pages between plaintext and objects: the one place where formats,
 * index and storage meet for a single object. */
#include "engine/repo/blockio.h"

#include <stdlib.h>

#include "base/cpu.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/zst.h"
#include "engine/repo/internal.h"
#include "engine/repo/locked.h"
#include "engine/repo/runlease.h"
#include "engine/repo/versions.h"
#include "manifest/block.h"
#include "manifest/objkey.h"
#include "manifest/page.h"

/* What the program takes without workers, and a worker beside its blocks and
 * contexts (stack, connection, reader), as measured, rounded up. */
#define PROGRAM_BYTES (20u << 20)
#define WORKER_BYTES (2u << 20)

struct eng_blockio {
    struct eng_repo *repo;
    const struct cancel *cancel;
    int level;
    struct zst *z;
    struct buf object; /* an object on its way in or out */
    struct buf json;   /* a page's JSON */
    uint8_t *over;     /* the `over` block of a composed entry; lazily made */
    struct eng_blockio_use use;
};

struct eng_blockio *eng_blockio_new(struct eng_repo *repo, int level,
                                    const struct cancel *cancel, struct err *e)
{
    struct eng_blockio *b = calloc(1, sizeof(*b));
    if (b == NULL) {
        err_nomem(e);
        return NULL;
    }
    b->repo = repo;
    b->cancel = cancel;
    b->level = level;
    b->object = buf_init(mf_object_max(MF_BLOCK_MAX));
    b->json = buf_init(MF_PAGE_JSON_MAX);
    b->z = zst_new(e);
    if (b->z == NULL) {
        eng_blockio_free(b);
        return NULL;
    }
    zst_stop_by(b->z, cancel);
    return b;
}

void eng_blockio_free(struct eng_blockio *b)
{
    if (b == NULL)
        return;
    zst_free(b->z);
    buf_free(&b->object);
    buf_free(&b->json);
    free(b->over);
    free(b);
}

/* Threads of which each has so many buffers of a block's size. */
static unsigned count(uint64_t memory_bytes, unsigned buffers,
                      uint32_t block_size, int level)
{
    uint64_t each = buffers * (uint64_t)block_size +
                    zst_memory_bytes(level, block_size) + WORKER_BYTES;
    uint64_t memory = memory_bytes != 0 ? memory_bytes : ENG_MEMORY_DEFAULT;
    uint64_t n = memory > PROGRAM_BYTES ? (memory - PROGRAM_BYTES) / each : 0;

    if (n < 1)
        return 1;
    return n > 64 ? 64 : (unsigned)n;
}

/* The block and its object, which is sealed where it lies. */
unsigned eng_blockio_count(uint64_t memory_bytes, uint32_t block_size,
                           int level)
{
    return count(memory_bytes, 2, block_size, level);
}

/* The program itself is there once. */
uint64_t eng_blockio_share(uint64_t memory_bytes, unsigned n)
{
    uint64_t memory = memory_bytes != 0 ? memory_bytes : ENG_MEMORY_DEFAULT;

    if (n < 2 || memory <= PROGRAM_BYTES)
        return memory;
    return PROGRAM_BYTES + (memory - PROGRAM_BYTES) / n;
}

/* What a seal holds is opened into a buffer of its own. */
unsigned eng_blockio_readers(const struct eng_repo *repo, uint64_t memory_bytes,
                             uint32_t block_size)
{
    unsigned buffers = mf_keys_sealed(eng_repo_keys(repo)) ? 3 : 2;

    return count(memory_bytes, buffers, block_size, 0);
}

const struct eng_blockio_use *eng_blockio_use(const struct eng_blockio *b)
{
    return &b->use;
}

void eng_blockio_use_add(struct eng_blockio_use *sum,
                         const struct eng_blockio_use *one)
{
    sum->compress_ns += one->compress_ns;
    sum->seal_ns += one->seal_ns;
    sum->network_ns += one->network_ns;
    sum->new_blocks += one->new_blocks;
    sum->reused_blocks += one->reused_blocks;
    sum->new_bytes += one->new_bytes;
    sum->stored_bytes += one->stored_bytes;
    sum->new_pages += one->new_pages;
    sum->fetched_bytes += one->fetched_bytes;
    sum->fetched_blocks += one->fetched_blocks;
}

/* What was put is remembered, so that something else in its place is noticed.
 * On a locked repository it is locked for a point made now; its version and
 * that date are remembered as well. */
static int note_version(struct eng_blockio *b, enum eng_index_kind kind,
                        const struct mf_id *id, const struct obj_info *info,
                        int64_t until, struct err *e)
{
    struct eng_index_version v = { .size = b->object.len };

    if (b->repo->descriptor.locked) {
        if (info->version[0] == '\0')
            return 0;
        v.until = until;
        memcpy(v.id, info->version, sizeof(v.id));
    }
    return eng_index_set_version(b->repo->index, kind, id, &v, e);
}

/* Puts b->object under key. */
static int put_object(struct eng_blockio *b, const char *key,
                      enum eng_index_kind kind, const struct mf_id *id,
                      struct err *e)
{
    struct eng_repo *repo = b->repo;
    struct obj_req req = { .key = key, .cancel = b->cancel };
    struct obj_put_opts opts = { .bulk = true };
    struct obj_info info = { 0 };
    int64_t t0 = utc_mono_ns();

    opts.lock = eng_locked_lock(
        repo, eng_locked_until(repo, eng_locked_now(repo)), id->b);
    int r = obj_put(repo->store, &req, buf_span(&b->object), &opts, &info, e);
    b->use.network_ns += (uint64_t)(utc_mono_ns() - t0);
    if (r < 0)
        return -1;
    b->use.stored_bytes += b->object.len;
    eng_index_add_bytes(repo->index, b->object.len);
    eng_damaged_stored(repo, b->cancel, kind, id);
    return note_version(b, kind, id, &info, opts.lock.until, e);
}

/* The object of a block, in b->object. */
static int encode(struct eng_blockio *b, const struct mf_id *id,
                  struct span plain, struct err *e)
{
    const struct mf_keys *k = b->repo->keys;
    size_t at = 0;

    buf_reset(&b->object);
    int64_t t0 = utc_mono_ns();
    int r = mf_block_compress(k, b->z, b->level, plain, &b->object, &at, e);
    int64_t t1 = utc_mono_ns();
    b->use.compress_ns += (uint64_t)(t1 - t0);
    if (r < 0 || !mf_keys_sealed(k))
        return r;
    r = mf_block_seal(k, id, &b->object, at, e);
    b->use.seal_ns += (uint64_t)(utc_mono_ns() - t1);
    return r;
}

static int encode_and_put(struct eng_blockio *b, const struct mf_id *id,
                          struct span plain, struct err *e)
{
    if (cpu_enter(b->cancel, e) < 0)
        return -1;
    int r = encode(b, id, plain, e);
    cpu_leave();
    if (r < 0)
        return -1;

    struct mf_key key = mf_key_block(eng_repo_keyset(b->repo), id);
    return put_object(b, key.s, ENG_INDEX_BLOCK, id, e);
}

int eng_block_put_again(struct eng_blockio *b, const struct mf_id *id,
                        struct span plain, struct err *e)
{
    if (encode_and_put(b, id, plain, e) < 0)
        return -1;
    b->use.new_blocks++;
    b->use.new_bytes += plain.len;
    return eng_index_add(b->repo->index, ENG_INDEX_BLOCK, id, e);
}

int eng_block_put(struct eng_blockio *b, const struct mf_id *id,
                  struct span plain, struct err *e)
{
    struct eng_index *ix = b->repo->index;
    int known = eng_index_claim(ix, ENG_INDEX_BLOCK, id, b->cancel, e);

    if (known < 0)
        return -1;
    if (known == 1 && b->repo->upload != ENG_UPLOAD_ALL) {
        b->use.reused_blocks++;
        return 0;
    }
    int r = encode_and_put(b, id, plain, e);
    if (known == 0)
        eng_index_settle(ix, ENG_INDEX_BLOCK, id, r == 0);
    if (r < 0)
        return -1;
    b->use.new_blocks++;
    b->use.new_bytes += plain.len;
    return 0;
}

bool eng_block_known(struct eng_blockio *b, const struct mf_id *id)
{
    return eng_index_knows(b->repo->index, ENG_INDEX_BLOCK, id);
}

bool eng_entry_known(struct eng_blockio *b, const struct mf_entry *m)
{
    bool has_base = m->kind == MF_WHOLE || (m->kind == MF_OVER && m->has_base);
    bool has_over = m->kind == MF_OVER && m->has_over;

    return (!has_base || eng_block_known(b, &m->id)) &&
           (!has_over || eng_block_known(b, &m->over));
}

bool eng_block_composed(struct eng_blockio *b, const struct mf_id *id,
                        uint32_t block_size, struct mf_entry *out)
{
    return eng_index_find_composed(b->repo->index, id, block_size, out);
}

void eng_block_remember(struct eng_blockio *b, const struct mf_entry *m,
                        uint32_t block_size)
{
    eng_index_add_composed(b->repo->index, m, block_size);
}

int eng_page_put(struct eng_blockio *b, struct span json, struct mf_id *id,
                 struct err *e)
{
    struct eng_index *ix = b->repo->index;

    eng_runlease_tick(b->repo, b->cancel);
    buf_reset(&b->object);
    if (mf_page_seal(b->repo->keys, b->z, json, id, &b->object, e) < 0)
        return -1;
    int known = eng_index_claim(ix, ENG_INDEX_PAGE, id, b->cancel, e);
    if (known < 0)
        return -1;
    if (known == 1 && !b->repo->put_pages)
        return 0;

    struct mf_key key = mf_key_page(eng_repo_keyset(b->repo), id);
    int r = put_object(b, key.s, ENG_INDEX_PAGE, id, e);
    if (known == 0)
        eng_index_settle(ix, ENG_INDEX_PAGE, id, r == 0);
    if (r < 0)
        return -1;
    b->use.new_pages++;
    return 0;
}

/* How one kind of object is verified: `open` looks at b->object. */
struct opening {
    struct eng_blockio *b;
    int (*open)(struct eng_blockio *b, void *ctx, struct err *e);
    void *ctx;
};

static int verify_opening(void *ctx, struct span bytes, struct err *e)
{
    const struct opening *o = ctx;

    (void)bytes; /* they are b->object */
    return o->open(o->b, o->ctx, e);
}

/* Fetches the newest version again and again while it does not verify and tries
 * are left. */
static int get_newest(struct eng_blockio *b, const char *key,
                      const struct opening *o, struct err *e)
{
    for (int n = 1;; n++) {
        int64_t t0 = utc_mono_ns();
        buf_reset(&b->object);
        int r = eng_repo_get(b->repo, b->cancel, key, &b->object, e);
        b->use.network_ns += (uint64_t)(utc_mono_ns() - t0);
        if (r < 0)
            return -1;
        if (o->open(b, o->ctx, e) == 0)
            return 0;
        if (e->kind != ERR_CORRUPT || n == ENG_GET_TRIES)
            return err_ctx(e, "%s", key);
        log_info("repo", "%s: %s; fetching it again", key, e->msg);
    }
}

/* Fetches key into b->object, of whatever version that verifies. */
static int get_verified(struct eng_blockio *b, const char *key,
                        int (*open)(struct eng_blockio *b, void *ctx,
                                    struct err *e),
                        void *ctx, struct err *e)
{
    struct opening o = { b, open, ctx };
    const struct eng_verify verify = { verify_opening, &o };

    if (get_newest(b, key, &o, e) == 0)
        return 0;
    int64_t t0 = utc_mono_ns();
    int r =
        eng_versions_rescue(b->repo, b->cancel, key, &verify, &b->object, e);
    b->use.network_ns += (uint64_t)(utc_mono_ns() - t0);
    /* A map names it, so it was there: losing it is damage. */
    if (r < 0 && e->kind == ERR_NOTFOUND)
        e->kind = ERR_CORRUPT;
    return r;
}

struct block_out {
    const struct mf_id *id;
    uint8_t *out;
    uint32_t len;
};

static int open_block(struct eng_blockio *b, void *ctx, struct err *e)
{
    struct block_out *o = ctx;
    size_t len = 0;

    if (mf_block_decode(b->repo->keys, b->z, buf_span(&b->object), o->id,
                        o->out, o->len, &len, e) < 0)
        return -1;
    if (len != o->len)
        return err_set(e, ERR_CORRUPT, 0,
                       "block has %zu bytes where the map needs %u", len,
                       o->len);
    return 0;
}

int eng_block_get(struct eng_blockio *b, const struct mf_id *id, uint8_t *out,
                  uint32_t len, struct err *e)
{
    struct mf_key key = mf_key_block(eng_repo_keyset(b->repo), id);
    struct block_out o = { .id = id, .len = len };

    o.out = out;
    if (get_verified(b, key.s, open_block, &o, e) < 0)
        return -1;
    b->use.fetched_blocks++;
    b->use.fetched_bytes += len;
    return 0;
}

static int get_composed(struct eng_blockio *b, const struct mf_entry *m,
                        uint32_t block_size, uint32_t block_len, uint8_t *out,
                        struct err *e)
{
    uint32_t over_len = 0;

    if (!m->has_base)
        memset(out, 0, block_len);
    else if (eng_block_get(b, &m->id, out, block_len, e) < 0)
        return -1;
    if (mf_units_bytes(m->units, block_size, block_len, &over_len, e) < 0)
        return -1;
    if (m->has_over) {
        if (b->over == NULL)
            b->over = malloc(MF_BLOCK_MAX);
        if (b->over == NULL)
            return err_nomem(e);
        if (eng_block_get(b, &m->over, b->over, over_len, e) < 0)
            return -1;
    }
    if (mf_entry_compose(m, block_size, out, block_len,
                         m->has_over ? b->over : NULL, over_len, e) < 0)
        return -1;
    if (!m->has_whole)
        return 0;

    struct mf_id whole;
    if (mf_keys_id(eng_repo_keys(b->repo), MF_OBJECT_BLOCK,
                   span_of(out, block_len), &whole, e) < 0)
        return -1;
    char hex[MF_ID_CHARS];
    mf_id_hex(&m->whole, hex);
    if (!mf_id_eq(&whole, &m->whole))
        return err_set(e, ERR_CORRUPT, 0,
                       "block %s does not come out of its base and units", hex);
    return 0;
}

int eng_entry_get(struct eng_blockio *b, const struct mf_entry *m,
                  uint32_t block_size, uint32_t block_len, uint8_t *out,
                  struct err *e)
{
    switch ((enum mf_entry_kind)m->kind) {
    case MF_ZERO:
        memset(out, 0, block_len);
        return 0;
    case MF_WHOLE:
        return eng_block_get(b, &m->id, out, block_len, e);
    case MF_OVER:
        return get_composed(b, m, block_size, block_len, out, e);
    }
    return err_set(e, ERR_INTERNAL, 0, "map entry of kind %d", m->kind);
}

static int open_page(struct eng_blockio *b, void *ctx, struct err *e)
{
    buf_reset(&b->json);
    return mf_page_open(b->repo->keys, b->z, buf_span(&b->object), ctx,
                        &b->json, e);
}

int eng_page_get(struct eng_blockio *b, const struct mf_id *id,
                 struct mf_entry *m, size_t n, uint32_t block_size,
                 uint32_t last_len, struct err *e)
{
    struct mf_key key = mf_key_page(eng_repo_keyset(b->repo), id);
    struct mf_id want = *id;

    if (get_verified(b, key.s, open_page, &want, e) < 0)
        return -1;
    if (mf_page_decode(buf_span(&b->json), m, n, block_size, last_len, e) < 0)
        return err_ctx(e, "%s", key.s);
    return 0;
}

int eng_block_verify(struct eng_blockio *b, const struct mf_id *id,
                     struct span object, struct err *e)
{
    size_t len = 0;

    if (b->over == NULL)
        b->over = malloc(MF_BLOCK_MAX);
    if (b->over == NULL)
        return err_nomem(e);
    return mf_block_decode(b->repo->keys, b->z, object, id, b->over,
                           MF_BLOCK_MAX, &len, e);
}

int eng_page_verify(struct eng_blockio *b, const struct mf_id *id,
                    struct span object, struct err *e)
{
    buf_reset(&b->json);
    return mf_page_open(b->repo->keys, b->z, object, id, &b->json, e);
}
