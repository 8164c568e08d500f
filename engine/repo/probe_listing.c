// SPDX-License-Identifier: Apache-2.0
/*
 * Probe: is what was written there at once, for readers and in listings, in
 * byte order, over pages, and whatever other names there are?
 */
#include <stdio.h>
#include <string.h>

#include "engine/repo/probing.h"

#define ROUNDS 6
#define ROUNDS_QUICK 2

/* Names of a listing, compared with those that should be there. */
struct expected {
    const char *const *names; /* NULL-terminated, below the base */
    const char *base;
    size_t at;
    bool wrong;
};

static int compare(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct expected *x = ctx;

    (void)info;
    (void)e;
    const char *want = x->names[x->at];
    if (want == NULL || strcmp(key + strlen(x->base), want) != 0) {
        x->wrong = true;
        return 1;
    }
    x->at++;
    return 0;
}

/* 1: exactly these names are listed below `part`; 0: others; -1. */
static int lists(struct eng_probing *p, const char *part,
                 const struct obj_list_opts *opts, const char *const *names,
                 struct err *e)
{
    struct eng_probing_key key = eng_probing_key(p, part);
    struct obj_req req = { .key = key.s, .cancel = p->cancel };
    struct expected x = { .names = names, .base = p->base };

    if (obj_list(p->store, &req, opts, compare, &x, e) < 0)
        return -1;
    return !x.wrong && x.names[x.at] == NULL;
}

static int read_after_write(struct eng_probing *p, unsigned rounds,
                            struct err *e)
{
    const enum eng_probe_item item = ENG_PROBE_READ_AFTER_WRITE;

    for (unsigned i = 0; i < rounds; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "written %u", i);
        int r = eng_probing_put(p, "fresh", text, NULL, NULL, e);
        if (r == 0)
            r = eng_probing_holds(p, "fresh", NULL, text, e);
        if (r < 0)
            return eng_probing_failed(p, item, e);
        if (r == 0) {
            eng_probing_set(p, item, ENG_PROBE_NO,
                            "a read right after a PUT did not see it");
            return 0;
        }
    }
    eng_probing_set(p, item, ENG_PROBE_YES, "seen at once, %u times", rounds);
    return 0;
}

static int list_after_write(struct eng_probing *p, unsigned rounds,
                            struct err *e)
{
    static const char *const all[] = { "fresh-list-0",
                                       "fresh-list-1",
                                       "fresh-list-2",
                                       "fresh-list-3",
                                       "fresh-list-4",
                                       "fresh-list-5",
                                       NULL };
    const enum eng_probe_item item = ENG_PROBE_LIST_AFTER_WRITE;
    const char *names[ROUNDS + 1] = { NULL };

    for (unsigned i = 0; i < rounds; i++) {
        names[i] = all[i];
        int r = eng_probing_put(p, all[i], "x", NULL, NULL, e);
        if (r == 0)
            r = lists(p, "fresh-list-", NULL, names, e);
        if (r < 0)
            return eng_probing_failed(p, item, e);
        if (r == 0) {
            eng_probing_set(p, item, ENG_PROBE_NO,
                            "a listing right after a PUT did not see it");
            return 0;
        }
    }
    eng_probing_set(p, item, ENG_PROBE_YES, "listed at once, %u times", rounds);
    return 0;
}

/* Names whose order differs between byte order and all others, stored in
 * another order than they are listed in. */
static const char *const ordered[] = { "order/-",  "order/1",   "order/10",
                                       "order/2",  "order/A",   "order/B/c",
                                       "order/_",  "order/a-b", "order/a.b",
                                       "order/ab", NULL };
#define N_ORDERED (sizeof ordered / sizeof ordered[0] - 1)

static int list_order(struct eng_probing *p, struct err *e)
{
    const enum eng_probe_item item = ENG_PROBE_LIST_ORDER;

    for (size_t i = 0; i < N_ORDERED; i++)
        if (eng_probing_put(p, ordered[i * 7 % N_ORDERED], "x", NULL, NULL, e) <
            0)
            return eng_probing_failed(p, item, e);
    int r = lists(p, "order/", NULL, ordered, e);
    if (r < 0)
        return eng_probing_failed(p, item, e);
    eng_probing_set(p, item, r > 0 ? ENG_PROBE_YES : ENG_PROBE_NO, "%s",
                    r > 0 ? "" : "a listing has other names or another order");
    return 0;
}

static int list_pages(struct eng_probing *p, struct err *e)
{
    const enum eng_probe_item item = ENG_PROBE_LIST_PAGES;
    struct eng_probing_key after = eng_probing_key(p, ordered[3]);
    struct obj_list_opts pages = { .page = 3 };
    struct obj_list_opts rest = { .page = 2, .after = after.s };

    if (p->out->rows[ENG_PROBE_LIST_ORDER].result != ENG_PROBE_YES)
        return 0; /* it would only fail for the same reason */
    int r = lists(p, "order/", &pages, ordered, e);
    if (r > 0)
        r = lists(p, "order/", &rest, ordered + 4, e);
    if (r < 0)
        return eng_probing_failed(p, item, e);
    eng_probing_set(p, item, r > 0 ? ENG_PROBE_YES : ENG_PROBE_NO, "%s",
                    r > 0 ? "" : "pages of a listing lose or repeat names");
    return 0;
}

/* Some servers keep objects as files in folders. */
static int nested_names(struct eng_probing *p, struct err *e)
{
    static const char *const names[] = { "nest/x", "nest/x/y", NULL };
    const enum eng_probe_item item = ENG_PROBE_NESTED_NAMES;
    struct obj_info inner = { 0 };
    struct err ignored = { 0 };

    if (eng_probing_put(p, names[0], "x", NULL, NULL, e) < 0 ||
        eng_probing_put(p, names[1], "y", NULL, &inner, e) < 0)
        return eng_probing_failed(p, item, e);
    int r = lists(p, "nest/", NULL, names, e);
    if (r < 0)
        return eng_probing_failed(p, item, e);
    eng_probing_set(p, item, r > 0 ? ENG_PROBE_YES : ENG_PROBE_NO, "%s",
                    r > 0 ? "" : "stored, but not both are listed");
    /* No listing would find it again. */
    if (r == 0 && eng_probing_delete(p, names[1], eng_probing_version(&inner),
                                     false, &ignored) < 0)
        p->out->left_over++;
    return 0;
}

int eng_probing_listing(struct eng_probing *p, struct err *e)
{
    unsigned rounds = p->opts->quick ? ROUNDS_QUICK : ROUNDS;

    if (read_after_write(p, rounds, e) < 0 ||
        list_after_write(p, rounds, e) < 0)
        return -1;
    if (p->opts->quick)
        return 0;
    if (list_order(p, e) < 0 || list_pages(p, e) < 0)
        return -1;
    return nested_names(p, e);
}
