// SPDX-License-Identifier: Apache-2.0
/*
 * The index's objects: what was learned lately (`fresh`), and for locked
 * repositories the version of each object and until when that very version is
 * locked, as we set or read it.  A date that is wrong would leave an object
 * without its lock, so a row counts only if its checksum fits; else the object
 * is known, and its version is not.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "engine/repo/index_impl.h"

#define FRESH_FIRST 1024

bool eng_index_fresh_find(const struct eng_index *ix, uint8_t kind,
                          const struct mf_id *id, size_t *slot)
{
    size_t mask = ix->core->locked.fresh_cap - 1;
    size_t at;

    if (ix->core->locked.fresh_cap == 0)
        return false;
    /* Ids are uniform already, but for their beginning: listings bring those of
     * a few prefixes at a time. */
    memcpy(&at, id->b + MF_ID_BYTES - sizeof(at), sizeof(at));
    for (at &= mask; ix->core->locked.fresh[at].used; at = (at + 1) & mask)
        if (ix->core->locked.fresh[at].kind == kind &&
            mf_id_eq(&ix->core->locked.fresh[at].id, id))
            break;
    *slot = at;
    return ix->core->locked.fresh[at].used;
}

static int fresh_grow(struct eng_index *ix, struct err *e)
{
    size_t old_cap = ix->core->locked.fresh_cap;
    size_t cap = old_cap == 0 ? FRESH_FIRST : old_cap * 2;
    struct fresh_slot *old = ix->core->locked.fresh;
    struct fresh_slot *fresh = calloc(cap, sizeof(*fresh));

    if (fresh == NULL)
        return err_nomem(e);
    ix->core->locked.fresh = fresh;
    ix->core->locked.fresh_cap = cap;
    for (size_t i = 0; i < old_cap; i++) {
        size_t slot = 0;
        if (old[i].used &&
            !eng_index_fresh_find(ix, old[i].kind, &old[i].id, &slot))
            fresh[slot] = old[i];
    }
    free(old);
    return 0;
}

static int set_version(struct fresh_slot *f, const struct eng_index_version *v,
                       struct err *e)
{
    f->size = v->size;
    if (v->id[0] == '\0')
        return 0;
    char *id = strdup(v->id);
    if (id == NULL)
        return err_nomem(e);
    free(f->version);
    f->version = id;
    f->until = v->until;
    return 0;
}

int eng_index_fresh_add(struct eng_index *ix, uint8_t kind,
                        const struct mf_id *id,
                        const struct eng_index_version *v, struct err *e)
{
    size_t slot = 0;

    if ((ix->core->locked.fresh_n + 1) * 2 > ix->core->locked.fresh_cap &&
        fresh_grow(ix, e) < 0)
        return -1;
    bool there = eng_index_fresh_find(ix, kind, id, &slot);
    if (!there) {
        ix->core->locked.fresh[slot] =
            (struct fresh_slot){ .used = true, .kind = kind, .id = *id };
        ix->core->locked.fresh_n++;
    }
    return v != NULL ? set_version(&ix->core->locked.fresh[slot], v, e) : 0;
}

void eng_index_fresh_clear(struct eng_index *ix)
{
    for (size_t i = 0; i < ix->core->locked.fresh_cap; i++)
        free(ix->core->locked.fresh[i].version);
    if (ix->core->locked.fresh_cap > 0)
        memset(ix->core->locked.fresh, 0,
               ix->core->locked.fresh_cap * sizeof(*ix->core->locked.fresh));
    ix->core->locked.fresh_n = 0;
}

/* SHA-256 over all that a row says. */
static int checksum_of(uint8_t kind, const struct mf_id *id,
                       const struct eng_index_version *v,
                       uint8_t out[DIGEST_SHA256_BYTES], struct err *e)
{
    struct {
        struct mf_id id;
        int64_t until;
        uint64_t size;
        char version[OBJ_VERSION_CHARS];
        uint8_t kind, pad[7];
    } row = { .id = *id, .until = v->until, .size = v->size, .kind = kind };

    memcpy(row.version, v->id, strnlen(v->id, sizeof(row.version) - 1));
    return digest_sha256(span_of(&row, sizeof(row)), out, e);
}

static void version_of_slot(const struct fresh_slot *f,
                            struct eng_index_version *v)
{
    *v = (struct eng_index_version){ .until = f->until, .size = f->size };
    if (f->version != NULL)
        memcpy(v->id, f->version, strnlen(f->version, sizeof(v->id) - 1));
}

int eng_index_insert(struct eng_index *ix, const struct fresh_slot *f,
                     struct err *e)
{
    sqlite3_stmt *st = ix->core->insert;
    uint8_t checksum[DIGEST_SHA256_BYTES];
    struct eng_index_version v;

    sqlite3_clear_bindings(st);
    sqlite3_bind_int(st, 1, f->kind);
    sqlite3_bind_blob(st, 2, f->id.b, MF_ID_BYTES, SQLITE_STATIC);
    if (f->version != NULL || f->size > 0) {
        version_of_slot(f, &v);
        if (checksum_of(f->kind, &f->id, &v, checksum, e) < 0)
            return -1;
        sqlite3_bind_text(st, 3, v.id, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 4, v.until);
        sqlite3_bind_blob(st, 5, checksum, sizeof(checksum), SQLITE_STATIC);
        sqlite3_bind_int64(st, 6, (sqlite3_int64)v.size);
    }
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? 0 : eng_index_sql_error(ix, e, "write");
}

/* Takes the row that st stands on. */
static bool take_row(sqlite3_stmt *st, uint8_t kind, const struct mf_id *id,
                     struct eng_index_version *v)
{
    uint8_t want[DIGEST_SHA256_BYTES];
    struct err ignored = { 0 };
    const char *text = (const char *)sqlite3_column_text(st, 0);

    if (text == NULL || strlen(text) >= sizeof(v->id))
        return false;
    *v = (struct eng_index_version){
        .until = sqlite3_column_int64(st, 1),
        .size = (uint64_t)sqlite3_column_int64(st, 3),
    };
    memcpy(v->id, text, strlen(text));
    const void *got = sqlite3_column_blob(st, 2);
    return got != NULL && sqlite3_column_bytes(st, 2) == (int)sizeof(want) &&
           checksum_of(kind, id, v, want, &ignored) == 0 &&
           memcmp(got, want, sizeof(want)) == 0;
}

/* st: find_version or find_held. */
static bool find_row(sqlite3_stmt *st, enum eng_index_kind kind,
                     const struct mf_id *id, struct eng_index_version *v)
{
    sqlite3_bind_int(st, 1, (int)kind);
    sqlite3_bind_blob(st, 2, id->b, MF_ID_BYTES, SQLITE_STATIC);
    bool found =
        sqlite3_step(st) == SQLITE_ROW && take_row(st, (uint8_t)kind, id, v);
    sqlite3_reset(st);
    if (!found)
        *v = (struct eng_index_version){ 0 };
    return found;
}

bool eng_index_get_version(struct eng_index *ix, enum eng_index_kind kind,
                           const struct mf_id *id, struct eng_index_version *v)
{
    size_t slot = 0;
    bool found = true;

    pthread_mutex_lock(&ix->core->locked.lock);
    if (eng_index_fresh_find(ix, (uint8_t)kind, id, &slot) &&
        ix->core->locked.fresh[slot].version != NULL)
        version_of_slot(&ix->core->locked.fresh[slot], v);
    else
        found = find_row(ix->core->find_version, kind, id, v);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return found && v->id[0] != '\0';
}

bool eng_index_get_held(struct eng_index *ix, enum eng_index_kind kind,
                        const struct mf_id *id, struct eng_index_version *v)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    bool found = find_row(ix->core->find_held, kind, id, v);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return found;
}

int eng_index_set_version(struct eng_index *ix, enum eng_index_kind kind,
                          const struct mf_id *id,
                          const struct eng_index_version *v, struct err *e)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    int r = eng_index_is_current(ix)
                ? eng_index_fresh_add(ix, (uint8_t)kind, id, v, e)
                : 0;
    eng_index_flush_when_due(ix);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

void eng_index_forget(struct eng_index *ix, enum eng_index_kind kind,
                      const struct mf_id *id)
{
    sqlite3_stmt *st = NULL;
    struct err e = { 0 };

    pthread_mutex_lock(&ix->core->locked.lock);
    int r = eng_index_flush(ix, &e);
    if (r == 0 &&
        sqlite3_prepare_v2(ix->core->db,
                           "DELETE FROM object WHERE kind=?1 AND id=?2", -1,
                           &st, NULL) == SQLITE_OK) {
        sqlite3_bind_int(st, 1, (int)kind);
        sqlite3_bind_blob(st, 2, id->b, MF_ID_BYTES, SQLITE_STATIC);
        r = sqlite3_step(st) == SQLITE_DONE
                ? 0
                : eng_index_sql_error(ix, &e, "write");
        sqlite3_finalize(st);
    }
    pthread_mutex_unlock(&ix->core->locked.lock);
    if (r < 0)
        log_info("index", "%s", e.msg);
}
