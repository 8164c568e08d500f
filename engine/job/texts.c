// SPDX-License-Identifier: Apache-2.0
/* A list of texts that is owned. */
#include "engine/job/texts.h"

#include <stdlib.h>
#include <string.h>

int eng_texts_add(struct eng_texts *t, const char *text, struct err *e)
{
    char **more = reallocarray(t->v, t->n + 2, sizeof *more);

    if (more == NULL)
        return err_nomem(e);
    t->v = more;
    more[t->n] = strdup(text);
    if (more[t->n] == NULL)
        return err_nomem(e);
    more[++t->n] = NULL;
    return 0;
}

void eng_texts_fini(struct eng_texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->v[i]);
    free(t->v);
    *t = (struct eng_texts){ 0 };
}
