// SPDX-License-Identifier: Apache-2.0
/*
 * The index's memory of composed blocks: content that the repository holds as
 * a base with some units replaced.  A second machine with the same content, or
 * the same one after its fingerprints were lost, names the same two objects
 * instead of storing the block once more.  Losing any of it costs space, never
 * data, so failures are silent.  What is new waits in memory for the index's
 * batch, as ids do.  A wrong row would make a wrong map, which
 * nobody looks at before a restore: so a row counts only while the index knows
 * both of its objects, and if its checksum fits.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "engine/repo/index_impl.h"
#include "manifest/entry.h"

/* Open addressing, never more than half full. */
#define SLOTS (2 * ENG_INDEX_COMPOSED_MAX)

struct composed_slot {
    bool used;
    uint32_t block_size;
    struct mf_entry m;
};

/* SHA-256 over all that a row says. */
static int checksum_of(const struct mf_entry *m, uint32_t block_size,
                       uint8_t out[DIGEST_SHA256_BYTES], struct err *e)
{
    struct {
        struct mf_id whole, base, over;
        uint64_t units;
        uint32_t block_size;
        uint8_t has_base, has_over, pad[2];
    } row = { .whole = m->whole,
              .units = m->units,
              .block_size = block_size,
              .has_base = m->has_base,
              .has_over = m->has_over };

    if (m->has_base)
        row.base = m->id;
    if (m->has_over)
        row.over = m->over;
    return digest_sha256(span_of(&row, sizeof(row)), out, e);
}

static void bind_id(sqlite3_stmt *st, int at, bool has, const struct mf_id *id)
{
    if (has)
        sqlite3_bind_blob(st, at, id->b, MF_ID_BYTES, SQLITE_STATIC);
    else
        sqlite3_bind_null(st, at);
}

static struct composed_slot *
slot_of(struct eng_index *ix, const struct mf_id *whole, uint32_t block_size)
{
    size_t at;

    memcpy(&at, whole->b + MF_ID_BYTES - sizeof(at), sizeof(at));
    for (at %= SLOTS;; at = (at + 1) % SLOTS) {
        struct composed_slot *s = &ix->core->locked.composed[at];
        if (!s->used ||
            (s->block_size == block_size && mf_id_eq(&s->m.whole, whole)))
            return s;
    }
}

void eng_index_add_composed(struct eng_index *ix, const struct mf_entry *m,
                            uint32_t block_size)
{
    if (m->kind != MF_OVER || !m->has_whole)
        return;
    pthread_mutex_lock(&ix->core->locked.lock);
    bool current = eng_index_is_current(ix);
    if (current && ix->core->locked.composed == NULL)
        ix->core->locked.composed =
            calloc(SLOTS, sizeof(*ix->core->locked.composed));
    if (current && ix->core->locked.composed != NULL) {
        struct composed_slot *s = slot_of(ix, &m->whole, block_size);
        /* What finds no room, since the file cannot be written, is lost. */
        if (s->used || ix->core->locked.composed_n < ENG_INDEX_COMPOSED_MAX) {
            ix->core->locked.composed_n += !s->used;
            *s = (struct composed_slot){ true, block_size, *m };
        }
    }
    eng_index_flush_when_due(ix);
    pthread_mutex_unlock(&ix->core->locked.lock);
}

static int insert_one(struct eng_index *ix, const struct composed_slot *s,
                      struct err *e)
{
    sqlite3_stmt *st = ix->core->insert_composed;
    const struct mf_entry *m = &s->m;
    uint8_t checksum[DIGEST_SHA256_BYTES];

    if (checksum_of(m, s->block_size, checksum, e) < 0)
        return -1;
    bind_id(st, 1, true, &m->whole);
    sqlite3_bind_int64(st, 2, s->block_size);
    bind_id(st, 3, m->has_base, &m->id);
    bind_id(st, 4, m->has_over, &m->over);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)m->units);
    sqlite3_bind_blob(st, 6, checksum, sizeof(checksum), SQLITE_STATIC);
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : eng_index_sql_error(ix, e, "write");
}

int eng_index_insert_composed(struct eng_index *ix, struct err *e)
{
    for (size_t i = 0; i < SLOTS && ix->core->locked.composed_n > 0; i++)
        if (ix->core->locked.composed[i].used &&
            insert_one(ix, &ix->core->locked.composed[i], e) < 0)
            return -1;
    return 0;
}

void eng_index_forget_composed(struct eng_index *ix)
{
    if (ix->core->locked.composed_n > 0)
        memset(ix->core->locked.composed, 0,
               SLOTS * sizeof(*ix->core->locked.composed));
    ix->core->locked.composed_n = 0;
}

/* A column that is NULL (*has false) or an id that the index knows. */
static bool known_id(struct eng_index *ix, int column, struct mf_id *id,
                     bool *has)
{
    sqlite3_stmt *st = ix->core->find_composed;

    *has = sqlite3_column_type(st, column) != SQLITE_NULL;
    if (!*has)
        return true;
    const void *blob = sqlite3_column_blob(st, column);
    if (blob == NULL || sqlite3_column_bytes(st, column) != MF_ID_BYTES)
        return false;
    memcpy(id->b, blob, MF_ID_BYTES);
    return eng_index_known(ix, ENG_INDEX_BLOCK, id);
}

static bool checksum_fits(const struct eng_index *ix, const struct mf_entry *m,
                          uint32_t block_size)
{
    uint8_t want[DIGEST_SHA256_BYTES];
    struct err e = { 0 };
    const void *got = sqlite3_column_blob(ix->core->find_composed, 3);

    return got != NULL &&
           sqlite3_column_bytes(ix->core->find_composed, 3) ==
               (int)sizeof(want) &&
           checksum_of(m, block_size, want, &e) == 0 &&
           memcmp(got, want, sizeof(want)) == 0;
}

/* Of those that are pending, only the newest is in question: the row in the
 * file is replaced by it. */
static bool find_pending(struct eng_index *ix, const struct mf_id *whole,
                         uint32_t block_size, struct mf_entry *m, bool *known)
{
    if (ix->core->locked.composed_n == 0)
        return false;
    const struct composed_slot *s = slot_of(ix, whole, block_size);
    if (!s->used)
        return false;
    *m = s->m;
    *known = (!m->has_base || eng_index_known(ix, ENG_INDEX_BLOCK, &m->id)) &&
             (!m->has_over || eng_index_known(ix, ENG_INDEX_BLOCK, &m->over));
    return true;
}

static bool find_row(struct eng_index *ix, const struct mf_id *whole,
                     uint32_t block_size, struct mf_entry *m)
{
    sqlite3_stmt *st = ix->core->find_composed;

    bind_id(st, 1, true, whole);
    sqlite3_bind_int64(st, 2, block_size);
    bool found = sqlite3_step(st) == SQLITE_ROW &&
                 known_id(ix, 0, &m->id, &m->has_base) &&
                 known_id(ix, 1, &m->over, &m->has_over);
    if (found) {
        m->units = (uint64_t)sqlite3_column_int64(st, 2);
        found = checksum_fits(ix, m, block_size);
    }
    sqlite3_reset(st);
    return found;
}

bool eng_index_find_composed(struct eng_index *ix, const struct mf_id *whole,
                             uint32_t block_size, struct mf_entry *out)
{
    struct mf_entry m = { .kind = MF_OVER, .has_whole = true, .whole = *whole };
    bool found = false;

    pthread_mutex_lock(&ix->core->locked.lock);
    if (!find_pending(ix, whole, block_size, &m, &found))
        found = find_row(ix, whole, block_size, &m);
    pthread_mutex_unlock(&ix->core->locked.lock);
    found = found && m.units != 0 && (m.has_base || m.has_over);
    if (found)
        *out = m;
    return found;
}
