// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/quota.h"

#include <stdio.h>

#include "base/units.h"
#include "engine/repo/internal.h"

static int refuse(const struct eng_repo *r, uint64_t stored, struct err *e)
{
    char held[UNITS_TEXT_CHARS];
    char quota[UNITS_TEXT_CHARS];

    units_format_size(stored, held);
    units_format_size(r->quota_hard, quota);
    err_set(e, ERR_QUOTA, 0,
            "repository %s holds %s, and its hard quota is %s: no run begins",
            r->name, held, quota);
    return err_hint(e,
                    "free space by deleting points or a shorter retention and "
                    "then `objvault repo gc %s`, or raise the quota by "
                    "`objvault repo set %s --quota-hard SIZE`",
                    r->name, r->name);
}

/* The index knows of its own keyset; the quota is the repository's. */
static int stored_bytes(struct eng_repo *r, const struct cancel *cancel,
                        uint64_t *stored, struct err *e)
{
    if (!r->other_known &&
        eng_repo_other_bytes(r, cancel, &r->other_bytes, e) < 0)
        return -1;
    r->other_known = true;
    if (eng_index_bytes(r->index, stored, e) < 0)
        return -1;
    *stored += r->other_bytes;
    return 0;
}

int eng_quota_check(struct eng_repo *r, const struct cancel *cancel,
                    struct err *e)
{
    uint64_t stored = 0;

    if (r->quota_hard == 0)
        return 0;
    if (stored_bytes(r, cancel, &stored, e) < 0)
        return -1;
    if (stored < r->quota_hard)
        return 0;
    /* What was put over something else counts twice until it is listed: nobody
     * is refused for that. */
    if (eng_learn_listing(r, cancel, false, e) < 0 ||
        stored_bytes(r, cancel, &stored, e) < 0)
        return -1;
    return stored < r->quota_hard ? 0 : refuse(r, stored, e);
}

int eng_quota_warning(struct eng_repo *r, char *text, size_t cap, struct err *e)
{
    char held[UNITS_TEXT_CHARS];
    char quota[UNITS_TEXT_CHARS];
    uint64_t stored = 0;

    if (r->quota == 0)
        return 0;
    if (stored_bytes(r, NULL, &stored, e) < 0)
        return -1;
    if (stored < r->quota)
        return 0;
    units_format_size(stored, held);
    units_format_size(r->quota, quota);
    (void)snprintf(text, cap,
                   "repository %s holds %s, and its soft quota is %s", r->name,
                   held, quota);
    return 1;
}
