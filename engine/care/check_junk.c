// SPDX-License-Identifier: Apache-2.0
/* Names below the prefix that no repository has. */
#include <stdio.h>
#include <string.h>

#include "engine/care/check_impl.h"
#include "engine/repo/keysets.h"

/* Folders that are looked at elsewhere, or hold what comes and goes. */
static const char *const top[] = { "gc/" };
static const char *const of_keyset[] = { "blocks/", "keep/", "pages/" };

struct walk {
    struct check *c;
    char after[MF_KEY_CHARS]; /* go on behind this; "" at the end */
};

static size_t starts_with(const char *s, const char *const *folders, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(s, folders[i], strlen(folders[i])) == 0)
            return strlen(folders[i]);
    return 0;
}

/* How much of the key is a folder that is skipped. */
static size_t skipped(const char *key)
{
    char keyset[MF_KEYSET_CHARS];
    size_t n = eng_keyset_in_key(key, keyset);

    if (n == 0)
        return starts_with(key, top, sizeof(top) / sizeof(top[0]));
    size_t folder = starts_with(key + n, of_keyset,
                                sizeof(of_keyset) / sizeof(of_keyset[0]));
    return folder > 0 ? n + folder : 0;
}

/* A slot of a keyset that is open shows whether it is one. */
static bool is_slot(const struct eng_repo *r, const char *key)
{
    struct mf_slot_name n;

    if (!mf_key_parse_slot(key, &n))
        return false;
    const struct eng_keyset *k = eng_keysets_find(r, n.keyset);
    return k == NULL || !eng_keyset_is_forged(k, key);
}

static bool is_ours(const struct eng_repo *r, const char *key)
{
    char keyset[MF_KEYSET_CHARS];
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    return strcmp(key, MF_DESCRIPTOR_KEY) == 0 || is_slot(r, key) ||
           (eng_keyset_in_key(key, keyset) > 0 &&
            mf_key_parse_point(key, keyset, vm_key, file));
}

static int on_name(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct walk *w = ctx;
    size_t n = skipped(key);

    (void)info;
    (void)e;
    if (n > 0 && n < sizeof(w->after)) {
        /* '0' comes right behind '/'. */
        memcpy(w->after, key, n - 1);
        w->after[n - 1] = '0';
        w->after[n] = '\0';
        return 1;
    }
    if (is_ours(w->c->repo, key))
        return 0;
    w->c->res->junk++;
    eng_check_say(w->c, ENG_CHECK_JUNK, "%s is no object of a repository", key);
    return 0;
}

int eng_check_junk(struct check *c, struct err *e)
{
    struct walk w = { .c = c };
    struct obj_req req = { .key = "", .cancel = c->o->cancel };

    do {
        char after[MF_KEY_CHARS];
        memcpy(after, w.after, sizeof(after));
        struct obj_list_opts opts = { .after =
                                          after[0] != '\0' ? after : NULL };
        w.after[0] = '\0';
        if (obj_list(eng_repo_store(c->repo), &req, &opts, on_name, &w, e) < 0)
            return -1;
    } while (w.after[0] != '\0');
    return 0;
}
