// SPDX-License-Identifier: Apache-2.0
/* Names below the prefix that no repository has. */
#include <stdio.h>
#include <string.h>

#include "engine/care/check_impl.h"

/* Folders that are looked at elsewhere, or hold what comes and goes. */
static const char *const known[] = {
    "gc/",
    "keysets/",
    MF_KEYSET_PLAIN "/blocks/",
    MF_KEYSET_PLAIN "/keep/",
    MF_KEYSET_PLAIN "/pages/",
};

struct walk {
    struct check *c;
    char after[MF_KEY_CHARS]; /* go on behind this; "" at the end */
};

/* The folder of an encrypted keyset: "k-<16 hex digits>/". */
static size_t keyset_folder(const char *key)
{
    if (strncmp(key, "k-", 2) != 0 || strspn(key + 2, "0123456789abcdef") != 16)
        return 0;
    return key[18] == '/' ? 19 : 0;
}

/* How much of the key is a folder that is skipped. */
static size_t skipped(const char *key)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strncmp(key, known[i], strlen(known[i])) == 0)
            return strlen(known[i]);
    return keyset_folder(key);
}

static bool is_ours(const char *key)
{
    struct eng_look_want w;

    return strcmp(key, MF_DESCRIPTOR_KEY) == 0 || eng_look_manifest(key, &w);
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
    if (is_ours(key))
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
