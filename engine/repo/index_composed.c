// SPDX-License-Identifier: Apache-2.0
/*
 * The index's memory of composed blocks: content that the repository holds as
 * a base with some units replaced.  A second machine with the same content, or
 * the same one after its fingerprints were lost, names the same two objects
 * instead of storing the block once more.  Losing any of it costs space, never
 * data, so failures are silent.  A wrong row would make a wrong map, which
 * nobody looks at before a restore: so a row counts only while the index knows
 * both of its objects, and if its checksum fits.
 */
#include "base/digest.h"
#include "engine/repo/index_impl.h"
#include "manifest/entry.h"

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

void eng_index_add_composed(struct eng_index *ix, const struct mf_entry *m,
                            uint32_t block_size)
{
    sqlite3_stmt *st = ix->insert_composed;
    uint8_t checksum[DIGEST_SHA256_BYTES];
    struct err e = { 0 };

    if (m->kind != MF_OVER || !m->has_whole ||
        checksum_of(m, block_size, checksum, &e) < 0)
        return;
    pthread_mutex_lock(&ix->locked.lock);
    /* Another process that holds the file is not waited for. */
    sqlite3_busy_timeout(ix->db, 0);
    bind_id(st, 1, true, &m->whole);
    sqlite3_bind_int64(st, 2, block_size);
    bind_id(st, 3, m->has_base, &m->id);
    bind_id(st, 4, m->has_over, &m->over);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)m->units);
    sqlite3_bind_blob(st, 6, checksum, sizeof(checksum), SQLITE_STATIC);
    (void)sqlite3_step(st);
    sqlite3_reset(st);
    sqlite3_busy_timeout(ix->db, ENG_INDEX_BUSY_MS);
    pthread_mutex_unlock(&ix->locked.lock);
}

/* A column that is NULL (*has false) or an id that the index knows. */
static bool known_id(struct eng_index *ix, int column, struct mf_id *id,
                     bool *has)
{
    sqlite3_stmt *st = ix->find_composed;

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
    const void *got = sqlite3_column_blob(ix->find_composed, 3);

    return got != NULL &&
           sqlite3_column_bytes(ix->find_composed, 3) == (int)sizeof(want) &&
           checksum_of(m, block_size, want, &e) == 0 &&
           memcmp(got, want, sizeof(want)) == 0;
}

bool eng_index_find_composed(struct eng_index *ix, const struct mf_id *whole,
                             uint32_t block_size, struct mf_entry *out)
{
    sqlite3_stmt *st = ix->find_composed;

    struct mf_entry m = { .kind = MF_OVER, .has_whole = true, .whole = *whole };

    pthread_mutex_lock(&ix->locked.lock);
    bind_id(st, 1, true, whole);
    sqlite3_bind_int64(st, 2, block_size);
    bool found = sqlite3_step(st) == SQLITE_ROW &&
                 known_id(ix, 0, &m.id, &m.has_base) &&
                 known_id(ix, 1, &m.over, &m.has_over);
    if (found) {
        m.units = (uint64_t)sqlite3_column_int64(st, 2);
        found = checksum_fits(ix, &m, block_size);
    }
    sqlite3_reset(st);
    pthread_mutex_unlock(&ix->locked.lock);
    found = found && m.units != 0 && (m.has_base || m.has_over);
    if (found)
        *out = m;
    return found;
}
