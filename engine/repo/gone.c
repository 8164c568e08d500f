// SPDX-License-Identifier: Apache-2.0
/* The index as a memory of manifests, for commands that do not write blocks. */
#include "engine/repo/gone.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/versions.h"

struct eng_index *eng_repo_existing_index(const struct eng_repo *r)
{
    struct err e = { 0 };
    AUTO_MEM char *dir = io_join(r->state_dir, eng_repo_keyset(r), &e);
    AUTO_MEM char *db = dir != NULL ? io_join(dir, "index.db", &e) : NULL;

    if (db == NULL || access(db, R_OK | W_OK) < 0)
        return NULL;
    return eng_index_open(dir, r->descriptor.id, &e);
}

bool eng_gone_was_seen(const struct eng_repo *r, const char *vm, int64_t time,
                       struct mf_key *key)
{
    struct err e = { 0 };
    char vm_key[MF_VMKEY_CHARS];
    char basic[UTC_BASIC_CHARS];
    char file[MF_POINT_FILE_CHARS];

    if (mf_keys_vm_key(eng_repo_keys(r), vm, vm_key, &e) < 0)
        return false;
    utc_format_basic(time, basic);
    snprintf(file, sizeof(file), "%s-", basic);
    struct mf_key prefix = mf_key_point(eng_repo_keyset(r), vm_key, file);
    struct eng_index *ix = eng_repo_existing_index(r);
    bool seen = ix != NULL &&
                eng_index_seen_prefix(ix, prefix.s, key->s, sizeof(key->s));
    eng_index_close(ix);
    return seen;
}

int eng_gone_each(const struct eng_repo *r,
                  int (*fn)(void *ctx, const char *manifest_key, struct err *e),
                  void *ctx, struct err *e)
{
    struct eng_index *ix = eng_repo_existing_index(r);
    int result = ix == NULL ? 0 : eng_index_each_seen(ix, fn, ctx, e);

    eng_index_close(ix);
    return result;
}

void eng_gone_forget(const struct eng_repo *r, const char *manifest_key)
{
    struct eng_index *ix = eng_repo_existing_index(r);

    if (ix != NULL)
        eng_index_unmark_seen(ix, manifest_key);
    eng_index_close(ix);
}

int eng_point_is_there(struct eng_repo *r, const struct cancel *cancel,
                       const struct eng_point *p, struct err *e)
{
    struct mf_key key = eng_point_key(p);

    return eng_versions_any(r, cancel, key.s, false, e);
}

int eng_point_explain(struct eng_repo *r, const struct cancel *cancel,
                      const struct eng_point *p, struct err *e)
{
    struct err ignored = { 0 };

    if ((e->kind != ERR_CORRUPT && e->kind != ERR_NOTFOUND) ||
        eng_point_is_there(r, cancel, p, &ignored) != 0)
        return -1;
    return err_set(e, ERR_NOTFOUND, 0,
                   "the point was removed meanwhile (by hand, or because its "
                   "time was over)");
}
