// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/folders.h"

#include <stdio.h>
#include <string.h>

#include "engine/repo/internal.h"
#include "engine/repo/versions.h"

int eng_folders_look(struct eng_repo *r, const struct cancel *cancel,
                     const char *prefix, char by[MF_KEY_CHARS], struct err *e)
{
    char key[MF_KEY_CHARS];

    by[0] = '\0';
    if (r->simple)
        return 0;
    snprintf(key, sizeof(key), "%s", prefix);
    for (char *end = strrchr(key, '/'); end != NULL; end = strrchr(key, '/')) {
        AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
        *end = '\0';
        if (eng_versions_of(r->store, cancel, key, &all, e) < 0)
            return -1;
        if (all.n > 0) {
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
