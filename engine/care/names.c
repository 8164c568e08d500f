// SPDX-License-Identifier: Apache-2.0
/* Lists of names. */
#include "engine/care/names.h"

#include <stdlib.h>
#include <string.h>

#include "engine/repo/gone.h"

void eng_names_free(struct eng_names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->s[i]);
    free(l->s);
    *l = (struct eng_names){ 0 };
}

int eng_names_add(struct eng_names *l, const char *name, struct err *e)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 64 : l->cap * 2;
        char **grown = realloc(l->s, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        l->s = grown;
        l->cap = cap;
    }
    l->s[l->n] = strdup(name);
    if (l->s[l->n] == NULL)
        return err_nomem(e);
    l->n++;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void eng_names_sort(struct eng_names *l)
{
    if (l->n > 1)
        qsort(l->s, l->n, sizeof(*l->s), by_text);
}

bool eng_names_has(const struct eng_names *l, const char *name)
{
    return l->n > 0 &&
           bsearch(&name, l->s, l->n, sizeof(*l->s), by_text) != NULL;
}

static int on_seen(void *ctx, const char *key, struct err *e)
{
    return eng_names_add(ctx, key, e);
}

int eng_names_seen(struct eng_repo *r, struct eng_names *out, struct err *e)
{
    if (eng_gone_each(r, on_seen, out, e) < 0)
        return -1;
    eng_names_sort(out);
    return 0;
}

int eng_names_known(struct eng_repo *r, const struct eng_points *points,
                    struct eng_names *out, struct err *e)
{
    if (eng_gone_each(r, on_seen, out, e) < 0)
        return -1;
    for (size_t i = 0; i < points->n; i++) {
        const struct eng_point *p = &points->p[i];
        if (p->manifest == NULL || p->manifest->parent == NULL)
            continue;
        struct mf_key key =
            mf_key_point(p->keyset, p->vm_key, p->manifest->parent);
        if (eng_names_add(out, key.s, e) < 0)
            return -1;
    }
    eng_names_sort(out);
    return 0;
}
