// SPDX-License-Identifier: Apache-2.0
/*
 * A probe from its first object to the removal of the last: what the themes
 * share, and the order in which they come.
 */
#include "engine/repo/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "engine/repo/probing.h"
#include "engine/repo/scratch.h"

struct eng_probing_key eng_probing_key(const struct eng_probing *p,
                                       const char *name)
{
    struct eng_probing_key key;

    (void)snprintf(key.s, sizeof key.s, "%s%s", p->base, name);
    return key;
}

int eng_probing_put(struct eng_probing *p, const char *name, const char *text,
                    const struct obj_put_opts *opts, struct obj_info *info,
                    struct err *e)
{
    struct eng_probing_key key = eng_probing_key(p, name);
    struct obj_req req = { .key = key.s, .cancel = p->cancel };

    return obj_put(p->store, &req, span_of(text, strlen(text)), opts, info, e);
}

int eng_probing_delete(struct eng_probing *p, const char *name,
                       const char *version, bool bypass, struct err *e)
{
    struct eng_probing_key key = eng_probing_key(p, name);
    struct obj_req req = { .key = key.s,
                           .version = version,
                           .cancel = p->cancel };

    return obj_delete(p->store, &req, bypass, e);
}

int eng_probing_holds(struct eng_probing *p, const char *name,
                      const char *version, const char *text, struct err *e)
{
    struct eng_probing_key key = eng_probing_key(p, name);
    struct obj_req req = { .key = key.s,
                           .version = version,
                           .cancel = p->cancel };
    AUTO_BUF struct buf got = buf_init(64u << 10);

    if (obj_get(p->store, &req, NULL, &got, NULL, e) < 0)
        return e->kind == ERR_NOTFOUND ? 0 : -1;
    return got.len == strlen(text) && memcmp(got.p, text, got.len) == 0;
}

const char *eng_probing_version(const struct obj_info *info)
{
    return info->version[0] != '\0' ? info->version : NULL;
}

void eng_probing_set(struct eng_probing *p, enum eng_probe_item item,
                     enum eng_probe_result result, const char *fmt, ...)
{
    struct eng_probe_row *row = &p->out->rows[item];
    va_list ap;

    row->result = result;
    va_start(ap, fmt);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): a false alarm. */
    (void)vsnprintf(row->detail, sizeof row->detail, fmt, ap);
    va_end(ap);
}

int eng_probing_failed(struct eng_probing *p, enum eng_probe_item item,
                       const struct err *e)
{
    switch (e->kind) {
    case ERR_DENIED:
        eng_probing_set(p, item, ENG_PROBE_DENIED, "%.150s", e->msg);
        return 0;
    case ERR_UNSUPPORTED:
    case ERR_FAILED:
    case ERR_EXISTS:
    case ERR_NOTFOUND:
    case ERR_LOCKED:
    case ERR_CORRUPT:
    case ERR_PRECONDITION:
    case ERR_USAGE:
    case ERR_IO:
    case ERR_BUSY:
        eng_probing_set(p, item, ENG_PROBE_NO, "%.150s", e->msg);
        return 0;
    case ERR_NONE:
    case ERR_NOMEM:
    case ERR_CONFIG:
    case ERR_UNREACHABLE:
    case ERR_THROTTLED:
    case ERR_TIMEOUT:
    case ERR_FULL:
    case ERR_QUOTA:
    case ERR_CANCELLED:
    case ERR_INTERNAL:
        break;
    }
    return -1;
}

int64_t eng_probing_now(const struct eng_probing *p)
{
    return utc_real_now() + obj_store_clock_offset(p->store);
}

static int run_themes(struct eng_probing *p, struct err *e)
{
    if (eng_scratch_check(p->store, p->base, p->cancel, &p->bucket,
                          &p->bucket_known, e) < 0)
        return -1;
    /* A quick one is of a new place. */
    if (!p->opts->quick)
        eng_scratch_sweep(p->store, p->cancel);
    if (eng_probing_race(p, e) < 0 || eng_probing_listing(p, e) < 0 ||
        eng_probing_guards(p, e) < 0)
        return -1;
    if (p->opts->quick && !p->opts->locks)
        return 0;
    if (!p->opts->quick && eng_probing_objects(p, e) < 0)
        return -1;
    return eng_probing_locks(p, e);
}

int eng_probe_run(struct obj_store *store, const struct eng_probe_opts *opts,
                  const struct cancel *cancel, struct eng_probe *out,
                  struct err *e)
{
    struct eng_probing p = {
        .store = store, .cancel = cancel, .opts = opts, .out = out
    };

    *out = (struct eng_probe){ .time = utc_real_now() };
    if (eng_scratch_name("probe", p.base, e) < 0)
        return -1;
    (void)snprintf(out->place, sizeof out->place, "%s", p.base);
    int r = run_themes(&p, e);
    out->left_over = eng_scratch_remove(store, p.base, NULL, cancel);
    if (r < 0)
        return err_ctx(e, "probe");
    return 0;
}
