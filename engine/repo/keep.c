// SPDX-License-Identifier: Apache-2.0
/* Protected points: making, listing and removing the marks. */
#include "engine/repo/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/folders.h"
#include "engine/repo/internal.h"
#include "engine/repo/versions.h"

void eng_keeps_free(struct eng_keeps *k)
{
    for (size_t i = 0; i < k->n; i++)
        free(k->names[i]);
    free(k->names);
    *k = (struct eng_keeps){ 0 };
}

struct marking {
    const char *keyset;
    struct eng_keeps *out;
};

/* Names that do not fit are junk of somebody else: ignored.  A delete marker
 * takes no protection away: to lift it each version is deleted. */
static int on_mark(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    const struct marking *m = ctx;
    struct eng_keeps *k = m->out;
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    eng_folders_note(key, m->keyset, k->hidden_by);
    if (info->delete_marker || !mf_key_parse_keep(key, m->keyset, vm_key, file))
        return 0;
    if (k->n == k->cap) {
        size_t cap = k->cap == 0 ? 16 : k->cap * 2;
        char **grown = realloc(k->names, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        k->names = grown;
        k->cap = cap;
    }
    k->names[k->n] = strdup(key);
    if (k->names[k->n] == NULL)
        return err_nomem(e);
    k->n++;
    return 0;
}

static int list(struct eng_repo *r, const struct cancel *cancel,
                const char *keyset, const char *vm_key, struct eng_keeps *out,
                struct err *e)
{
    struct marking m = { keyset, out };
    struct mf_key prefix = mf_key_keeps_prefix(m.keyset, vm_key);
    struct obj_req req = { .key = prefix.s, .cancel = cancel };

    struct obj_list_opts opts = { 0 };
    struct err why = { 0 };

    *out = (struct eng_keeps){ 0 };
    if (eng_repo_keeps_versions(r, cancel, &opts.versions, e) < 0 ||
        obj_list(r->store, &req, &opts, on_mark, &m, e) < 0 ||
        eng_folders_look(r, cancel, prefix.s, out->n, out->hidden_by, e) < 0) {
        eng_keeps_free(out);
        return err_ctx(e, "list protected points");
    }
    if (out->hidden_by[0] != '\0') {
        (void)eng_folders_error(out->hidden_by, &why);
        log_warn("repo", "all points count as protected: %s", why.msg);
    }
    return 0;
}

int eng_keeps_list(struct eng_repo *r, const struct cancel *cancel,
                   const char *vm, struct eng_keeps *out, struct err *e)
{
    char vm_key[MF_VMKEY_CHARS];

    *out = (struct eng_keeps){ 0 };
    if (vm != NULL && mf_keys_vm_key(eng_repo_keys(r), vm, vm_key, e) < 0)
        return -1;
    return list(r, cancel, eng_repo_keyset(r), vm != NULL ? vm_key : NULL, out,
                e);
}

int eng_keeps_of_keyset(struct eng_repo *r, const struct cancel *cancel,
                        const char *keyset, struct eng_keeps *out,
                        struct err *e)
{
    eng_keeps_free(out);
    return list(r, cancel, keyset, NULL, out, e);
}

static int by_name(const void *pa, const void *pb)
{
    const char *const *a = pa;
    const char *const *b = pb;

    return strcmp(*a, *b);
}

bool eng_keeps_has(const struct eng_keeps *k, const struct eng_point *p)
{
    struct mf_key key = mf_key_keep(p->keyset, p->vm_key, p->file);
    const char *name = key.s;

    if (k->hidden_by[0] != '\0')
        return true;
    return k->n > 0 &&
           bsearch(&name, k->names, k->n, sizeof(*k->names), by_name) != NULL;
}

static int is_protected(struct eng_repo *r, const struct cancel *cancel,
                        const struct eng_point *p, bool *yes, struct err *e)
{
    AUTO_ENG_KEEPS struct eng_keeps k = { 0 };

    if (list(r, cancel, p->keyset, p->vm_key, &k, e) < 0)
        return -1;
    *yes = eng_keeps_has(&k, p);
    return 0;
}

int eng_keep_put(struct eng_repo *r, const struct cancel *cancel,
                 const struct eng_point *p, bool *changed, struct err *e)
{
    struct mf_key key = mf_key_keep(p->keyset, p->vm_key, p->file);
    struct obj_req req = { .key = key.s, .cancel = cancel };
    bool there = false;

    *changed = false;
    if (is_protected(r, cancel, p, &there, e) < 0)
        return -1;
    if (there) /* a second put would only make a second version */
        return 0;
    if (obj_put(r->store, &req, span_str(""), NULL, NULL, e) < 0)
        return -1;
    *changed = true;
    return 0;
}

int eng_keep_remove(struct eng_repo *r, const struct cancel *cancel,
                    const struct eng_point *p, bool *changed, struct err *e)
{
    struct mf_key key = mf_key_keep(p->keyset, p->vm_key, p->file);

    if (is_protected(r, cancel, p, changed, e) < 0)
        return -1;
    return eng_object_erase(r, cancel, key.s, e);
}

int eng_keep_forbids(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_point *p, struct err *e)
{
    bool yes = false;
    char iso[UTC_ISO_CHARS];

    if (is_protected(r, cancel, p, &yes, e) < 0)
        return -1;
    if (!yes)
        return 0;
    utc_format_iso(p->time, iso);
    err_set(e, ERR_DENIED, 0, "point %s@%s is protected", p->vm, iso);
    return err_hint(e, "point unprotect lifts that");
}
