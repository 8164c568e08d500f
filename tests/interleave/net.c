// SPDX-License-Identifier: Apache-2.0
/* The line.  Each request goes out (depart), is carried out by the driver
 * beneath at the server's time, and its answer comes back (arrive). */
#include "tests/interleave/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "tests/conformance/memory.h"
#include "tests/interleave/model.h"
#include "tests/interleave/world.h"

struct line {
    const struct obj_driver *inner;
    void *self;
    bool folder;
    char *where; /* bucket */
};

/* A request that changes something, so that it can outlive who sent it. */
struct cargo {
    enum obj_verb verb;
    char *where, *key, *version; /* owned */
    struct buf body;
    struct obj_put_opts put;
    struct obj_lock lock;
    bool bypass;
    struct obj_name *names; /* owned, with keys and versions */
    size_t n;
    int64_t signed_s;
};

static struct net_counts counts;
static unsigned page_keys;
static int64_t locks_expected;

struct net_counts *net_counts(void)
{
    return &counts;
}

void net_set_page(unsigned keys)
{
    page_keys = keys;
}

void net_expect_locks(int64_t until)
{
    locks_expected = until;
}

/* Was this request for nothing?  The descriptor is another's work: its date is
 * not known to who asks for the first time. */
static void look_at_lock(const struct line *l, const struct obj_req *r)
{
    struct obj_attempt a = { .verb = OBJ_RETENTION };
    struct obj_lock is = { 0 };

    if (locks_expected == 0 || strchr(r->key, '/') == NULL)
        return;
    l->inner->get_lock(l->self, r, &is, &a);
    counts.relocked += a.outcome == OBJ_OK && is.until >= locks_expected;
}

static char *copy_text(const char *s)
{
    char *copy = s != NULL ? strdup(s) : NULL;

    if (s != NULL && copy == NULL)
        abort();
    return copy;
}

static void cargo_free(struct cargo *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free((void *)(uintptr_t)c->names[i].key);
        free((void *)(uintptr_t)c->names[i].version);
    }
    free(c->names);
    free(c->where);
    free(c->key);
    free(c->version);
    buf_free(&c->body);
    free(c);
}

/* What was lent to a call, owned. */
static struct cargo *cargo_keep(const struct line *l, const struct obj_req *r,
                                const struct cargo *lent)
{
    struct cargo *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    *c = *lent;
    c->where = copy_text(l->where);
    c->key = copy_text(r->key);
    c->version = copy_text(r->version);
    c->body = buf_init(lent->body.len + 1);
    buf_append(&c->body, lent->body.p, lent->body.len);
    c->put.content_type = NULL;
    c->names = lent->n > 0 ? calloc(lent->n, sizeof(*c->names)) : NULL;
    for (size_t i = 0; i < lent->n; i++) {
        c->names[i].key = copy_text(lent->names[i].key);
        c->names[i].version = copy_text(lent->names[i].version);
    }
    return c;
}

static void tell_removed(const struct obj_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].result == ERR_NONE)
            model_removed(names[i].key);
}

/* Carried out though nobody waits for it any more. */
static void carry_out(void *ctx)
{
    struct cargo *c = ctx;
    const struct obj_req r = { .key = c->key, .version = c->version };
    struct obj_attempt a = { .verb = c->verb };
    struct obj_info info = { 0 };

    counts.late++;
    world_trace("late: %s %s", obj_verb_name(c->verb),
                c->n > 0 ? c->names[0].key : c->key);
    if (c->verb == OBJ_PUT) {
        memory_driver.put(c->where, &r, buf_span(&c->body), &c->put, &info, &a);
        if (a.outcome == OBJ_OK)
            model_put(c->key, buf_span(&c->body));
    } else if (c->verb == OBJ_RETENTION) {
        memory_driver.set_lock(c->where, &r, &c->lock, c->bypass, &a);
    } else if (c->n > 0) {
        memory_driver.remove_many(c->where, &r, c->names, c->n, c->bypass, &a);
        tell_removed(c->names, c->n);
    } else {
        memory_driver.remove(c->where, &r, c->bypass, &a);
        if (a.outcome == OBJ_OK)
            model_removed(c->key);
    }
    cargo_free(c);
}

/* The request is under way; its sender will not learn what becomes of it. */
static void linger(const struct line *l, const struct obj_req *r,
                   const struct cargo *lent)
{
    int64_t last = (lent->signed_s + NET_SIGNATURE_S) * 1000;

    if (l->folder || lent->verb == OBJ_GET || last <= world_now_ms() ||
        !world_chance(world_weather()->linger))
        return;
    world_later(world_between(world_now_ms(), last), carry_out,
                cargo_keep(l, r, lent));
}

/* Requests that the rules are about meet more of the weather: what makes a
 * point visible, removes, or tells others of one's doing. */
static unsigned weight_of(const struct obj_req *r, const struct cargo *c)
{
    bool telling =
        strncmp(r->key, "gc/", 3) == 0 || strstr(r->key, "/points/") != NULL;

    return c->verb == OBJ_DELETE || (c->verb == OBJ_PUT && telling)
               ? world_weather()->focus
               : 1;
}

/* True: it never gets there now. */
static bool is_lost(const struct line *l, const struct obj_req *r,
                    const struct cargo *c, struct obj_attempt *a)
{
    struct actor *actor = world_current();

    if (l->folder || actor == NULL || actor->steady)
        return false;
    if (world_chance(world_weather()->outage))
        world_cut_off(world_now_ms() + world_between(MINUTE, 40 * MINUTE));
    bool cut_off = world_now_ms() < actor->cut_off_ms;
    unsigned weight = strncmp(r->key, "gc/", 3) == 0 ? 1 : weight_of(r, c);
    if (!cut_off && !world_chance(weight * world_weather()->lose_asked))
        return false;
    counts.lost++;
    world_trace("lost: %s %s", obj_verb_name(c->verb), r->key);
    if (!cut_off)
        linger(l, r, c);
    world_sleep(world_between(SECOND, 40 * SECOND));
    a->outcome = OBJ_SLOW;
    a->maybe_done = true;
    return true;
}

/* For as long as its signature is good, or a little longer. */
static void drag(const struct line *l, const struct cargo *c)
{
    if (!l->folder && c->verb == OBJ_DELETE && world_current() != NULL &&
        world_chance(world_weather()->drag))
        world_sleep(world_between(0, (NET_SIGNATURE_S + 60) * SECOND));
}

/* True: the request is at the storage, and time has passed.  Else the attempt
 * says what became of it. */
static bool depart(const struct line *l, const struct obj_req *r,
                   struct cargo *c, struct obj_attempt *a)
{
    const struct actor *actor = world_current();

    a->verb = c->verb;
    a->outcome = OBJ_STOPPED;
    if (actor != NULL && (actor->dead || cancel_requested(r->cancel)))
        return false;
    c->signed_s = utc_real_now() + a->clock_offset;
    if (!l->folder && r->sign_before != 0 && c->signed_s > r->sign_before) {
        a->outcome = OBJ_LOCAL;
        err_set(&a->err, ERR_PRECONDITION, 0, "not sent: its time ran out");
        return false;
    }
    if (is_lost(l, r, c, a))
        return false;
    if (!world_pass(weight_of(r, c))) {
        linger(l, r, c);
        a->outcome = OBJ_STOPPED;
        return false;
    }
    drag(l, c);
    int64_t age = world_now_ms() / 1000 - c->signed_s;
    if (!l->folder && (age > NET_SIGNATURE_S || age < -NET_SIGNATURE_S)) {
        counts.refused++;
        world_trace("too old by %lld s: %s %s", (long long)age,
                    obj_verb_name(c->verb), r->key);
        a->outcome = OBJ_CLOCK;
        a->http = 403;
        a->server_time = world_now_ms() / 1000;
        return false;
    }
    counts.requests[c->verb]++;
    if (!l->folder)
        world_enter_server();
    return true;
}

static const char *outcome_word(enum obj_outcome o)
{
    switch ((int)o) {
    case OBJ_OK:
        return "";
    case OBJ_ABSENT:
        return ": absent";
    case OBJ_WORM:
        return ": locked";
    default:
        return ": refused";
    }
}

static void arrive(const struct line *l, const struct obj_req *r,
                   struct obj_attempt *a)
{
    const struct actor *actor = world_current();

    if (!l->folder)
        world_leave_server();
    if (actor == NULL)
        return;
    world_trace("%s %s%s%s%s", obj_verb_name(a->verb), r->key,
                r->version != NULL ? " " : "",
                r->version != NULL ? r->version + strlen(r->version) / 2 : "",
                outcome_word(a->outcome));
    bool lost = !l->folder && !actor->steady &&
                world_chance(world_weather()->lose_told);
    if (!world_pass(1)) {
        a->outcome = OBJ_STOPPED;
    } else if (lost) {
        counts.lost++;
        world_trace("its answer is lost");
        a->outcome = OBJ_NETWORK;
        a->http = 0;
        a->maybe_done = true;
    }
}

static void line_free(struct line *l)
{
    free(l->where);
    free(l);
}

static void *line_open(const struct obj_config *c, char **name_out,
                       struct err *e)
{
    struct line *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    l->folder = c->driver == OBJ_DRIVER_FILE;
    l->inner = l->folder ? &obj_file_driver : &memory_driver;
    l->where = copy_text(l->folder ? c->path : c->bucket);
    l->self = l->inner->open(c, name_out, e);
    if (l->self != NULL)
        return l;
    line_free(l);
    return NULL;
}

static void line_close(void *self)
{
    struct line *l = self;

    l->inner->close(l->self);
    line_free(l);
}

static void line_put(void *self, const struct obj_req *r, struct span body,
                     const struct obj_put_opts *o, struct obj_info *info,
                     struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_PUT, .put = *o };

    c.body.p = (uint8_t *)(uintptr_t)body.p; /* lent, and only read */
    c.body.len = body.len;
    model_signed(r->key);
    if (!depart(l, r, &c, a))
        return;
    l->inner->put(l->self, r, body, o, info, a);
    if (a->outcome == OBJ_OK)
        model_put(r->key, body);
    arrive(l, r, a);
}

static void line_get(void *self, const struct obj_req *r,
                     const struct obj_range *range, struct buf *out,
                     struct obj_info *info, struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_GET };

    if (!depart(l, r, &c, a))
        return;
    l->inner->get(l->self, r, range, out, info, a);
    arrive(l, r, a);
}

static void line_head(void *self, const struct obj_req *r,
                      struct obj_info *info, struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_GET };

    if (!depart(l, r, &c, a))
        return;
    l->inner->head(l->self, r, info, a);
    arrive(l, r, a);
}

static void line_list(void *self, const struct obj_req *r,
                      const struct obj_list_opts *o, struct obj_page *page,
                      struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_GET };

    if (!depart(l, r, &c, a))
        return;
    l->inner->list(l->self, r, o, page, a);
    a->verb = OBJ_LIST;
    arrive(l, r, a);
}

static void line_remove(void *self, const struct obj_req *r, bool bypass,
                        struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_DELETE, .bypass = bypass };

    if (!depart(l, r, &c, a))
        return;
    l->inner->remove(l->self, r, bypass, a);
    if (a->outcome == OBJ_OK)
        model_removed(r->key);
    arrive(l, r, a);
}

static void line_remove_many(void *self, const struct obj_req *r,
                             struct obj_name *names, size_t n, bool bypass,
                             struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = {
        .verb = OBJ_DELETE, .bypass = bypass, .names = names, .n = n
    };

    if (!depart(l, r, &c, a))
        return;
    l->inner->remove_many(l->self, r, names, n, bypass, a);
    if (a->outcome == OBJ_OK)
        tell_removed(names, n);
    for (size_t i = 0; i < n; i++)
        world_trace("  of many: %s %s%s", names[i].key,
                    names[i].version != NULL
                        ? names[i].version + strlen(names[i].version) / 2
                        : "",
                    names[i].result != ERR_NONE ? " refused" : "");
    arrive(l, r, a);
}

static void line_set_lock(void *self, const struct obj_req *r,
                          const struct obj_lock *lock, bool bypass,
                          struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_RETENTION, .lock = *lock, .bypass = bypass };

    if (l->inner->set_lock == NULL) {
        a->outcome = OBJ_UNABLE;
        return;
    }
    if (!depart(l, r, &c, a))
        return;
    look_at_lock(l, r);
    l->inner->set_lock(l->self, r, lock, bypass, a);
    arrive(l, r, a);
}

static void line_get_lock(void *self, const struct obj_req *r,
                          struct obj_lock *lock, struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_GET };

    if (!depart(l, r, &c, a))
        return;
    l->inner->get_lock(l->self, r, lock, a);
    arrive(l, r, a);
}

static void line_bucket_info(void *self, const struct obj_req *r,
                             struct obj_bucket *b, struct obj_attempt *a)
{
    const struct line *l = self;
    struct cargo c = { .verb = OBJ_GET };

    if (!depart(l, r, &c, a))
        return;
    l->inner->bucket_info(l->self, r, b, a);
    arrive(l, r, a);
}

static void line_bucket_create(void *self, const struct obj_req *r,
                               bool object_lock, struct obj_attempt *a)
{
    const struct line *l = self;

    l->inner->bucket_create(l->self, r, object_lock, a);
}

static const struct obj_driver line_driver = {
    .name = "line",
    .open = line_open,
    .close = line_close,
    .put = line_put,
    .get = line_get,
    .head = line_head,
    .list = line_list,
    .remove = line_remove,
    .remove_many = line_remove_many,
    .set_lock = line_set_lock,
    .get_lock = line_get_lock,
    .bucket_info = line_bucket_info,
    .bucket_create = line_bucket_create,
};

struct obj_store *net_open(const struct obj_config *c, struct err *e)
{
    struct obj_tuning tuning = obj_tuning_default;

    if (page_keys != 0)
        tuning.list_page = page_keys;
    return obj_store_open_driver(&line_driver, c, &tuning, e);
}

struct obj_store *net_observe(const struct obj_config *c, struct err *e)
{
    return obj_store_open_driver(c->driver == OBJ_DRIVER_FILE ? &obj_file_driver
                                                              : &memory_driver,
                                 c, NULL, e);
}
