// SPDX-License-Identifier: Apache-2.0
/* Probe: parts of objects, deletions one by one and many at once. */
#include <string.h>

#include "engine/repo/probing.h"

static int ranges(struct eng_probing *p, struct err *e)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    const enum eng_probe_item item = ENG_PROBE_RANGES;
    const struct obj_range parts[] = { { 10, 6 }, { 30, 0 }, { 30, 100 } };
    struct eng_probing_key key = eng_probing_key(p, "part");
    struct obj_req req = { .key = key.s, .cancel = p->cancel };

    if (eng_probing_put(p, "part", text, NULL, NULL, e) < 0)
        return eng_probing_failed(p, item, e);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        AUTO_BUF struct buf got = buf_init(sizeof text);
        size_t want = sizeof text - 1 - parts[i].offset;
        if (parts[i].len != 0 && parts[i].len < want)
            want = parts[i].len;
        if (obj_get(p->store, &req, &parts[i], &got, NULL, e) < 0)
            return eng_probing_failed(p, item, e);
        if (got.len != want ||
            memcmp(got.p, text + parts[i].offset, want) != 0) {
            eng_probing_set(p, item, ENG_PROBE_NO,
                            "another part was sent than was asked for");
            return 0;
        }
    }
    eng_probing_set(p, item, ENG_PROBE_YES, "%s", "");
    return 0;
}

/* 1: gone; 0: there; -1. */
static int is_gone(struct eng_probing *p, const char *name, const char *version,
                   struct err *e)
{
    struct eng_probing_key key = eng_probing_key(p, name);
    struct obj_req req = { .key = key.s,
                           .version = version,
                           .cancel = p->cancel };

    if (obj_head(p->store, &req, NULL, e) == 0)
        return 0;
    return e->kind == ERR_NOTFOUND ? 1 : -1;
}

static int delete_one(struct eng_probing *p, struct err *e)
{
    struct obj_info info = { 0 };

    if (eng_probing_put(p, "gone", "x", NULL, &info, e) < 0)
        return eng_probing_failed(p, ENG_PROBE_DELETE, e);
    const char *version = eng_probing_version(&info);
    if (eng_probing_delete(p, "gone", version, false, e) < 0)
        return eng_probing_failed(p, ENG_PROBE_DELETE, e);
    int r = is_gone(p, "gone", version, e);
    if (r < 0)
        return eng_probing_failed(p, ENG_PROBE_DELETE, e);
    eng_probing_set(p, ENG_PROBE_DELETE, r > 0 ? ENG_PROBE_YES : ENG_PROBE_NO,
                    "%s", r > 0 ? "" : "a deleted object is still there");
    if (eng_probing_delete(p, "gone", version, false, e) < 0)
        return eng_probing_failed(p, ENG_PROBE_DELETE_ABSENT, e);
    eng_probing_set(p, ENG_PROBE_DELETE_ABSENT, ENG_PROBE_YES, "%s", "");
    return 0;
}

/* Two that are there and one that is not, in one request. */
static int multi_delete(struct eng_probing *p, struct err *e)
{
    static const char *const texts[] = { "many-0", "many-1", "many-absent" };
    const enum eng_probe_item item = ENG_PROBE_MULTI_DELETE;
    struct eng_probing_key keys[3];
    struct obj_info info[3] = { 0 };
    struct obj_name names[3] = { 0 };
    struct obj_req req = { .cancel = p->cancel };

    for (size_t i = 0; i < 3; i++) {
        if (i < 2 && eng_probing_put(p, texts[i], "x", NULL, &info[i], e) < 0)
            return eng_probing_failed(p, item, e);
        keys[i] = eng_probing_key(p, texts[i]);
        names[i].key = keys[i].s;
        names[i].version = eng_probing_version(&info[i]);
    }
    if (obj_delete_many(p->store, &req, names, 3, false, e) < 0)
        return eng_probing_failed(p, item, e);
    for (size_t i = 0; i < 3; i++) {
        if (names[i].result == ERR_DENIED) {
            eng_probing_set(p, item, ENG_PROBE_DENIED, "%s", "");
            return 0;
        }
        int gone = is_gone(p, texts[i], names[i].version, e);
        if (gone < 0)
            return eng_probing_failed(p, item, e);
        if (gone == 0 || names[i].result != ERR_NONE) {
            eng_probing_set(p, item, ENG_PROBE_NO,
                            "the answer does not fit what was done");
            return 0;
        }
    }
    eng_probing_set(p, item, ENG_PROBE_YES, "%s", "");
    return 0;
}

int eng_probing_objects(struct eng_probing *p, struct err *e)
{
    if (ranges(p, e) < 0 || delete_one(p, e) < 0)
        return -1;
    return multi_delete(p, e);
}
