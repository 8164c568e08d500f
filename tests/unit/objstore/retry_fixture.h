// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_RETRY_FIXTURE_H
#define TESTS_UNIT_OBJSTORE_RETRY_FIXTURE_H

/* A store over the scripted driver, and short forms of its calls. */
#include "scripted.h"

static const struct obj_driver scripted_driver = {
    .name = "scripted",
    .open = scripted_open,
    .close = scripted_close,
    .put = scripted_put,
    .get = scripted_get,
    .head = scripted_head,
    .remove = scripted_remove,
    .refresh = scripted_refresh,
    .set_region = scripted_set_region,
};

static inline struct obj_store *open_store(const struct obj_config *c,
                                           const struct obj_tuning *t)
{
    struct obj_tuning quick = quick_tuning();
    struct obj_config none = { 0 };
    struct err e = { 0 };
    struct obj_store *s = obj_store_open_driver(
        &scripted_driver, c != NULL ? c : &none, t != NULL ? t : &quick, &e);

    if (s == NULL)
        fail_msg("%s", e.msg);
    return s;
}

static inline int setup(void **state)
{
    (void)state;
    script_reset();
    return 0;
}

static inline void say(enum obj_outcome o, int http, const char *code)
{
    struct answer got = { .a = { .outcome = o, .http = http } };

    snprintf(got.a.code, sizeof got.a.code, "%s", code);
    script_add(got);
}

static inline int put_key(struct obj_store *s, bool if_absent, struct err *e)
{
    struct obj_req r = { .key = "a/b" };
    struct obj_put_opts o = { .if_absent = if_absent };

    return obj_put(s, &r, span_str("hello"), &o, NULL, e);
}

static inline int get_key(struct obj_store *s, struct buf *out, struct err *e)
{
    struct obj_req r = { .key = "a/b" };

    return obj_get(s, &r, NULL, out, NULL, e);
}

#endif
