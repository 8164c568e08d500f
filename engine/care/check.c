// SPDX-License-Identifier: Apache-2.0
/* The order in which a repository is checked. */
#include "engine/care/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/io.h"
#include "engine/care/check_impl.h"
#include "engine/repo/keysets.h"
#include "engine/repo/versions.h"

#define IDS_MAX ((size_t)1000000)

void eng_check_say(struct check *c, enum eng_check_word word, const char *fmt,
                   ...)
{
    va_list ap;
    AUTO_MEM char *text = NULL;

    if (c->o->report == NULL)
        return;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    c->o->report(c->o->ctx, word, text != NULL ? text : fmt);
}

static void say_bad(struct check *c, const struct eng_look_want *w,
                    const struct eng_looked *found)
{
    static const char *const records[] = {
        [ENG_RECORD_NONE] = "",
        [ENG_RECORD_MATCHES] = "; the server has it as it was uploaded",
        [ENG_RECORD_DIFFERS] = "; the storage damaged it: its ETag differs",
    };

    if (found->state == ENG_LOOK_OLDER)
        eng_check_say(c, ENG_CHECK_HIDDEN,
                      "%s is hidden or overwritten; an older version is good",
                      w->key.s);
    else if (found->state == ENG_LOOK_ABSENT && w->kind == ENG_LOOK_MANIFEST)
        eng_check_say(
            c, ENG_CHECK_MISSING,
            "%s is gone: this machine has seen it, and has not removed "
            "it",
            w->key.s);
    else if (found->state == ENG_LOOK_ABSENT)
        eng_check_say(c, ENG_CHECK_DAMAGED, "%s is missing", w->key.s);
    else
        eng_check_say(c, ENG_CHECK_DAMAGED, "%s is damaged: %s%s", w->key.s,
                      found->why, records[found->record]);
}

int eng_check_add_bad(struct check *c, const struct eng_look_want *w,
                      const struct eng_looked *found, size_t *index,
                      struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&c->lock);
    if (c->n_bad == c->cap_bad) {
        size_t cap = c->cap_bad == 0 ? 16 : c->cap_bad * 2;
        struct check_bad *grown = realloc(c->bad, cap * sizeof(*grown));
        if (grown == NULL) {
            r = err_nomem(e);
        } else {
            c->bad = grown;
            c->cap_bad = cap;
        }
    }
    if (r == 0) {
        if (index != NULL)
            *index = c->n_bad;
        c->bad[c->n_bad++] =
            (struct check_bad){ .want = *w, .state = found->state };
        if (found->state == ENG_LOOK_OLDER)
            c->res->hidden++;
        else
            c->res->damaged++;
        say_bad(c, w, found);
    }
    pthread_mutex_unlock(&c->lock);
    return r;
}

/* The blocks, range by range.  The first pass over the pages was made for the
 * first range; it may have become smaller than what was asked for. */
static int check_ranges(struct check *c, struct err *e)
{
    eng_idset_begin(&c->set, 0, 256,
                    c->o->ids_max != 0 ? c->o->ids_max : IDS_MAX);
    if (eng_check_read_pages(c, CHECK_FIRST, e) < 0)
        return -1;
    for (;;) {
        c->res->ranges++;
        if (eng_check_blocks(c, e) < 0)
            return -1;
        unsigned next = c->set.hi;
        if (next == 256)
            return 0;
        eng_idset_begin(&c->set, next, 256, c->set.max);
        if (eng_check_read_pages(c, CHECK_AGAIN, e) < 0)
            return -1;
    }
}

static void forget_keyset(struct check *c)
{
    eng_points_free(&c->points);
    eng_idset_fini(&c->set);
    eng_pagerefs_free(&c->refs);
    free(c->out);
    free(c->pages);
    free(c->bad);
    c->out = NULL;
    c->pages = NULL;
    c->bad = NULL;
    c->n_bad = c->cap_bad = 0;
    c->until = 0;
    c->one = NULL;
}

static int check_keyset(void *ctx, struct eng_repo *r, struct err *e)
{
    struct check *c = ctx;

    (void)r;
    forget_keyset(c);
    if (eng_check_choose_from(c, e) < 0 || eng_check_points(c, e) < 0 ||
        eng_check_gather_pages(c, e) < 0 || check_ranges(c, e) < 0 ||
        eng_check_mend(c, e) < 0)
        return -1;
    return eng_check_judge(c, e);
}

static int check_all(struct check *c, struct err *e)
{
    if (digest_random(&c->seed, sizeof(c->seed), e) < 0 ||
        eng_repo_keeps_versions(c->repo, c->o->cancel, &c->versions, e) < 0 ||
        eng_damaged_list(eng_repo_store(c->repo), c->o->cancel, &c->marks, e) <
            0)
        return -1;
    c->mark_used = calloc(c->marks.n + 1, sizeof(*c->mark_used));
    if (c->mark_used == NULL)
        return err_nomem(e);
    if (eng_keysets_each(c->repo, c->o->cancel, check_keyset, eng_check_sealed,
                         c, e) < 0 ||
        eng_keysets_whole(c->repo, e) < 0)
        return -1;
    eng_check_old_marks(c);
    return eng_check_junk(c, e);
}

int eng_check_run(struct eng_repo *r, const struct eng_check_opts *o,
                  struct eng_check_result *res, struct err *e)
{
    struct check c = { .repo = r, .o = o, .res = res };

    *res = (struct eng_check_result){ 0 };
    pthread_mutex_init(&c.lock, NULL);
    int result = check_all(&c, e);
    pthread_mutex_destroy(&c.lock);
    forget_keyset(&c);
    eng_damaged_free(&c.marks);
    free(c.mark_used);
    return result;
}
