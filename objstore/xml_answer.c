// SPDX-License-Identifier: Apache-2.0
/* What S3's documents have in common. */
#include "objstore/xml_answer.h"

#include <stdlib.h>
#include <string.h>

int obj_xml_root(const char *path, const char *root, struct err *e)
{
    if (strchr(path, '/') != NULL || strcmp(path, root) == 0)
        return 0;
    return err_set(e, ERR_CORRUPT, 0, "the answer is <%.64s>, not <%s>", path,
                   root);
}

int obj_xml_set_text(char **at, const char *text, struct err *e)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return err_nomem(e);
    free(*at);
    *at = copy;
    return 0;
}

int obj_xml_set_exact(char *out, size_t cap, const char *text, const char *what,
                      struct err *e)
{
    size_t len = strlen(text);

    if (len >= cap)
        return err_set(e, ERR_CORRUPT, 0, "%s of %zu bytes", what, len);
    memcpy(out, text, len + 1);
    return 0;
}
