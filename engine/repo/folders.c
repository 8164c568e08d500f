// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/folders.h"

#include <stdio.h>
#include <string.h>

#include "engine/repo/internal.h"
#include "engine/repo/versions.h"

/* 1: an object of this name is there, or was; 0; -1. */
static int is_there(struct eng_repo *r, const struct cancel *cancel,
                    const char *key, struct err *e)
{
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    struct obj_req req = { .key = key, .cancel = cancel };
    struct obj_info info;
    bool versions = false;

    if (eng_repo_keeps_versions(r, cancel, &versions, e) < 0)
        return -1;
    if (versions)
        return eng_versions_of(r->store, cancel, key, &all, e) < 0 ? -1
                                                                   : all.n > 0;
    if (obj_head(r->store, &req, &info, e) == 0)
        return 1;
    if (e->kind != ERR_NOTFOUND)
        return -1;
    *e = (struct err){ 0 };
    return 0;
}

int eng_folders_look(struct eng_repo *r, const struct cancel *cancel,
                     const char *prefix, char by[MF_KEY_CHARS], struct err *e)
{
    char key[MF_KEY_CHARS];

    by[0] = '\0';
    if (r->simple)
        return 0;
    snprintf(key, sizeof(key), "%s", prefix);
    for (char *end = strrchr(key, '/'); end != NULL; end = strrchr(key, '/')) {
        *end = '\0';
        int there = is_there(r, cancel, key, e);
        if (there < 0)
            return -1;
        if (there == 1) {
            memcpy(by, key, sizeof(key));
            return 0;
        }
    }
    return 0;
}

int eng_folders_error(const char *by, struct err *e)
{
    err_set(e, ERR_CORRUPT, 0,
            "%s is an object where the repository has a folder: the server may "
            "leave out of listings what lies below it",
            by);
    return err_hint(e, "repo recover removes it");
}
