// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/folders.h"

#include <stdio.h>
#include <string.h>

#include "engine/repo/internal.h"
#include "engine/repo/versions.h"

void eng_folders_note(const char *key, const char *keyset,
                      char by[MF_KEY_CHARS])
{
    if (mf_key_is_folder(key, keyset) && by[0] == '\0')
        snprintf(by, MF_KEY_CHARS, "%s", key);
}

int eng_folders_look(struct eng_repo *r, const struct cancel *cancel,
                     const char *prefix, size_t n, char by[MF_KEY_CHARS],
                     struct err *e)
{
    char key[MF_KEY_CHARS];

    if (r->simple)
        by[0] = '\0';
    if (r->simple || n > 0 || by[0] != '\0')
        return 0;
    snprintf(key, sizeof(key), "%s", prefix);
    for (char *end = strrchr(key, '/'); end != NULL; end = strrchr(key, '/')) {
        *end = '\0';
        int there = eng_versions_any(r, cancel, key, true, e);
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
