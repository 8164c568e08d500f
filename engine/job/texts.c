// SPDX-License-Identifier: Apache-2.0
/* A list of texts that is owned. */
#include "engine/job/texts.h"

#include <stdlib.h>
#include <string.h>

/* Room doubles at 1, 3, 7, ... texts, with one place for the NULL. */
static int make_room(struct eng_texts *t, struct err *e)
{
    if ((t->n & (t->n + 1)) != 0)
        return 0;
    char **more = reallocarray(t->v, 2 * (t->n + 1), sizeof *more);
    if (more == NULL)
        return err_nomem(e);
    t->v = more;
    return 0;
}

int eng_texts_take(struct eng_texts *t, char *text, struct err *e)
{
    AUTO_MEM char *owned = text;

    if (owned == NULL)
        return err_nomem(e);
    if (make_room(t, e) < 0)
        return -1;
    t->v[t->n++] = STEAL(owned);
    t->v[t->n] = NULL;
    return 0;
}

int eng_texts_add(struct eng_texts *t, const char *text, struct err *e)
{
    return eng_texts_take(t, strdup(text), e);
}

void eng_texts_fini(struct eng_texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->v[i]);
    free(t->v);
    *t = (struct eng_texts){ 0 };
}
