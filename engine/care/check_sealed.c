// SPDX-License-Identifier: Apache-2.0
/*
 * A keyset whose key is not at hand: pages cannot be opened, so nobody knows
 * which blocks are needed.  What can be told is whether manifests are the bytes
 * that their names promise.
 */
#include <string.h>

#include "engine/care/check_impl.h"
#include "engine/care/names.h"
#include "engine/repo/versions.h"

struct sealed {
    struct check *c;
    const struct eng_keyset *k;
    struct eng_names names; /* of manifests; each once */
};

static void sealed_free(struct sealed *s)
{
    eng_names_free(&s->names);
}

static int on_manifest(void *ctx, const char *key, const struct obj_info *info,
                       struct err *e)
{
    struct sealed *s = ctx;
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    if (info->delete_marker ||
        !mf_key_parse_point(key, s->k->name, vm_key, file) ||
        (s->names.n > 0 && strcmp(s->names.s[s->names.n - 1], key) == 0))
        return 0;
    return eng_names_add(&s->names, key, e);
}

static int verify(void *ctx, struct span bytes, struct err *e)
{
    return mf_point_file_verify(ctx, bytes, e);
}

static int look_at(struct sealed *s, const char *key, struct err *e)
{
    struct check *c = s->c;
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
    const struct eng_verify how = { verify, file };
    AUTO_BUF struct buf bytes = buf_init(MF_POINT_JSON_MAX);

    if (!mf_key_parse_point(key, s->k->name, vm_key, file))
        return 0;
    c->res->sealed_points++;
    if (eng_versions_get(c->repo, c->o->cancel, key, &how, &bytes, e) == 0) {
        c->res->read_objects++;
        c->res->read_bytes += bytes.len;
        return 0;
    }
    if (e->kind == ERR_NOTFOUND) { /* removed since it was listed */
        c->res->sealed_points--;
        return 0;
    }
    if (e->kind != ERR_CORRUPT)
        return -1;
    c->res->damaged++;
    c->res->damaged_points++;
    eng_check_say(c, ENG_CHECK_DAMAGED, "%s is damaged: %s", key, e->msg);
    return 0;
}

int eng_check_sealed(void *ctx, const struct eng_keyset *k, struct err *e)
{
    struct check *c = ctx;
    AUTO(sealed_free) struct sealed s = { .c = c, .k = k };
    struct mf_key prefix = mf_key_points_prefix(k->name, NULL);
    struct obj_req req = { .key = prefix.s, .cancel = c->o->cancel };
    struct obj_list_opts opts = { .versions = c->versions };

    c->res->keysets_skipped++;
    if (obj_list(eng_repo_store(c->repo), &req, &opts, on_manifest, &s, e) < 0)
        return -1;
    for (size_t i = 0; i < s.names.n; i++)
        if (look_at(&s, s.names.s[i], e) < 0)
            return -1;
    eng_check_say(c, ENG_CHECK_NOTE,
                  "keyset %s (%s): its key is not at hand%s%s; of its %zu "
                  "points the manifests were compared with their names, and "
                  "no page or block was looked at",
                  k->name, k->label, k->why[0] != '\0' ? ": " : "", k->why,
                  s.names.n);
    return 0;
}
