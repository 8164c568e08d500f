// SPDX-License-Identifier: Apache-2.0
/*
 * The retry layer.  A call is a loop: wait for its turn, check what must hold
 * at the moment of signing, make one attempt, learn from it (clock, load,
 * counters), and decide: settled, at once again, or again after a back-off.
 */
#include "objstore/retry.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"

#define AREA "objstore"

const struct obj_tuning obj_tuning_default = {
    .rules = {
        [OBJ_RULE_CONNECT] = { 10, 200, 20000, 14 },
        [OBJ_RULE_NETWORK] = { 10, 50, 20000, 14 },
        [OBJ_RULE_BODY] = { 5, 50, 20000, 14 },
        [OBJ_RULE_SLOW] = { 6, 500, 20000, 14 },
        [OBJ_RULE_THROTTLE] = { OBJ_RETRIES_UNLIMITED, 1000, 60000, 5 },
        [OBJ_RULE_UNAVAIL] = { 10, 200, 30000, 14 },
        [OBJ_RULE_DIGEST] = { 2, 0, 0, 14 },
        [OBJ_RULE_CONFLICT] = { 5, 100, 5000, 5 },
        [OBJ_RULE_UNREADABLE] = { 2, 500, 5000, 5 },
        [OBJ_RULE_NO_SPACE] = { 2, 500, 5000, 5 },
    },
    .pace = { .least = 4,
              .grow_ms = 2000,
              .shrink_ms = 1000,
              .budget = 500,
              .probe_ms = 5000,
              .slice_ms = 100 },
    .first_connects = 6,
    .short_same = 3,
    .short_any = 6,
    .retry_after_ms = 60000,
    .deadline_ms = INT64_C(15) * 60 * 1000,
    .max_in_flight = 64,
    .list_page = 1000,
    .list_empty_runs = 100,
};

/* What one running call remembers between its attempts. */
struct run {
    struct obj_store *s;
    struct obj_call *c;
    int64_t deadline;
    unsigned seen[OBJ_RULES];    /* failures by rule: the exponent */
    unsigned counted[OBJ_RULES]; /* ... those that count against its cap */
    unsigned shorts, shorts_same;
    uint64_t short_at;
    uint64_t answers; /* of the store, before the last attempt */
    unsigned auth_generation;
    bool fixed_clock, fixed_region, fixed_auth;
    bool fresh_connection;
    unsigned tokens;           /* paid for the attempt that runs */
    struct obj_attempt before; /* the last attempt but one */
};

enum decision { SETTLED, AT_ONCE, LATER };

/* The server's time now, as well as we know it. */
static int64_t server_now(struct obj_store *s)
{
    return utc_real_now() + (int64_t)atomic_load(&s->shared->clock_offset);
}

/* Learns the offset from a Date header.  The header was written somewhere
 * between `before` and `after` on our clock, so the true offset lies in an
 * interval; the known one is only moved as far as it must.  So an answer that
 * lay around while this process was stopped teaches nothing wrong. */
static void learn_clock(struct obj_store *s, int64_t server_time,
                        int64_t before, int64_t after)
{
    if (server_time <= 0)
        return;
    int64_t low = server_time - after;
    int64_t high = server_time + 1 - before;
    long long known = atomic_load(&s->shared->clock_offset);

    if (known < low)
        atomic_store(&s->shared->clock_offset, low);
    else if (known > high)
        atomic_store(&s->shared->clock_offset, high);
}

/* Whichever is wrong: dates of locks, retention and fences would be, too. */
static int refuse_clock(const struct obj_store *s, int64_t offset,
                        struct err *e)
{
    int64_t now = utc_real_now();
    char ours[UTC_ISO_CHARS];
    char theirs[UTC_ISO_CHARS];

    utc_format_iso(now, ours);
    utc_format_iso(now + offset, theirs);
    err_set(e, ERR_PRECONDITION, 0,
            "the clock of %s is %lld s %s ours, more than the %lld s allowed: "
            "it says %s, this machine's says %s",
            s->name, (long long)llabs(offset),
            offset > 0 ? "ahead of" : "behind", (long long)s->max_clock_skew_s,
            theirs, ours);
    return err_hint(e, "nothing more is asked of it: set the clock that is "
                       "wrong");
}

/* What must hold at the very moment an attempt is signed. */
static int may_sign(struct run *r, struct err *e)
{
    struct obj_store *s = r->s;
    const struct obj_req *req = r->c->req;
    int64_t offset = (int64_t)atomic_load(&s->shared->clock_offset);
    char subject[256];

    if (s->max_clock_skew_s > 0 && llabs(offset) > s->max_clock_skew_s)
        return refuse_clock(s, offset, e);
    if (req->sign_before == 0)
        return 0;
    int64_t late = server_now(s) - req->sign_before;
    if (late <= 0)
        return 0;
    obj_verdict_subject(r->c, subject, sizeof subject);
    return err_set(
        e, ERR_PRECONDITION, 0, "%s: not sent, its time ran out %lld s ago%s",
        subject, (long long)late,
        r->c->maybe_done ? "; an earlier attempt may have been carried out"
                         : "");
}

static uint64_t add_count(atomic_ullong *at, uint64_t n)
{
    return atomic_fetch_add(at, n);
}

/* Whether anything was tried with the storage at all. */
static bool went_out(const struct obj_attempt *a)
{
    bool local = a->outcome == OBJ_LOCAL || a->outcome == OBJ_STOPPED ||
                 a->outcome == OBJ_UNABLE;

    return !local || a->http != 0 || a->sent > 0 || a->received > 0 ||
           a->maybe_done;
}

static bool changes(enum obj_verb v)
{
    return v != OBJ_GET && v != OBJ_HEAD && v != OBJ_LIST;
}

static void count_attempt(struct obj_store *s, const struct obj_attempt *a,
                          unsigned nth)
{
    if (!went_out(a))
        return;
    if (changes(a->verb) && a->maybe_done)
        add_count(&s->count.unanswered, 1);
    add_count(&s->count.requests[a->verb], 1);
    add_count(&s->count.sent, a->sent);
    add_count(&s->count.received, a->received);
    if (nth > 1)
        add_count(&s->count.retries, 1);
    if (a->outcome == OBJ_THROTTLE)
        add_count(&s->count.throttled, 1);
}

static void log_attempt(const struct run *r, int64_t ms)
{
    const struct obj_attempt *a = &r->c->last;
    char label[200];

    if (!log_enabled(LOG_DEBUG))
        return;
    obj_verdict_label(a, label, sizeof label);
    log_debug(AREA,
              "verb=%s key=%s attempt=%u status=%d ms=%lld sent=%llu "
              "received=%llu request_id=%s: %s",
              obj_verb_name(a->verb), r->c->req->key, r->c->tries, a->http,
              (long long)ms, (unsigned long long)a->sent,
              (unsigned long long)a->received, a->request_id, label);
}

static enum obj_signal signal_of(enum obj_outcome o)
{
    if (o == OBJ_THROTTLE)
        return OBJ_SIGNAL_THROTTLED;
    if (o == OBJ_OK)
        return OBJ_SIGNAL_DONE;
    return o == OBJ_SLOW ? OBJ_SIGNAL_SLOW : OBJ_SIGNAL_NONE;
}

/* A gateway's answer for a server that is not there, or the server's own before
 * it is ready.  500 is another matter: one object may always give it. */
static bool is_down(int http)
{
    return http == 502 || http == 503 || http == 504;
}

/* Does the storage work, by this attempt?  An outage is when it works for
 * nobody. */
static bool works(const struct obj_attempt *a)
{
    switch (a->outcome) {
    case OBJ_NETWORK:
    case OBJ_SLOW:
    case OBJ_TLS:
        return a->http != 0 && !is_down(a->http);
    case OBJ_UNAVAIL:
    case OBJ_THROTTLE:
        return !is_down(a->http);
    case OBJ_STOPPED:
    case OBJ_LOCAL:
        return false;
    case OBJ_OK:
    case OBJ_ABSENT:
    case OBJ_NO_BUCKET:
    case OBJ_THERE:
    case OBJ_CONFLICT:
    case OBJ_PRECOND:
    case OBJ_AUTH:
    case OBJ_FORBIDDEN:
    case OBJ_WORM:
    case OBJ_DIGEST:
    case OBJ_UNREADABLE:
    case OBJ_CLOCK:
    case OBJ_REGION:
    case OBJ_NO_SPACE:
    case OBJ_UNABLE:
    case OBJ_REJECTED:
        return true;
    }
    return true;
}

static unsigned auth_generation(struct obj_store *s)
{
    pthread_mutex_lock(&s->shared->auth.lock);
    unsigned g = s->shared->auth.generation;
    pthread_mutex_unlock(&s->shared->auth.lock);
    return g;
}

/* One attempt, within its place in flight.  -1: it was not made. */
static int attempt(struct run *r, struct err *e)
{
    struct obj_store *s = r->s;
    struct obj_call *c = r->c;

    if (obj_pace_enter(&s->shared->pace, c->req->cancel, r->deadline, e) < 0)
        return -1;
    if (cancel_check(c->req->cancel, e) < 0 || may_sign(r, e) < 0) {
        obj_pace_leave(&s->shared->pace, OBJ_SIGNAL_NONE, 0);
        return -1;
    }
    r->before = c->last;
    c->last = (struct obj_attempt){
        .verb = c->verb,
        /* The HTTP library repeats by itself what it sent on a kept
         * connection that turned out to be dead; where it matters when a
         * request is carried out, that must not go unnoticed. */
        .fresh_connection = r->fresh_connection || c->req->sign_before != 0,
        .deadline = r->deadline,
        .clock_offset = (int64_t)atomic_load(&s->shared->clock_offset),
    };
    if (c->nonce != NULL)
        memcpy(c->last.nonce, c->nonce, strlen(c->nonce) + 1);
    c->tries++;
    r->auth_generation = auth_generation(s);
    r->answers = atomic_load(&s->shared->answers);

    int64_t before = utc_real_now();
    int64_t from = utc_mono_ms();
    c->attempt(s, c->ctx, &c->last);
    learn_clock(s, c->last.server_time, before, utc_real_now());
    obj_pace_leave(&s->shared->pace, signal_of(c->last.outcome),
                   c->last.sent + c->last.received);

    if (works(&c->last))
        atomic_fetch_add(&s->shared->answers, 1);
    c->last.verb = c->verb;
    count_attempt(s, &c->last, c->tries);
    log_attempt(r, utc_mono_ms() - from);
    return 0;
}

/* Waits for the byte rates and makes an attempt.  Time spent waiting for a
 * rate that the user set does not count against the deadline. */
static int paced_attempt(struct run *r, struct err *e)
{
    struct obj_call *c = r->c;
    struct obj_pace *p = &r->s->shared->pace;
    int64_t waited = 0;

    if (obj_pace_bytes(p, OBJ_UP, c->up_bytes, c->req->cancel, &waited, e) < 0)
        return -1;
    if (c->verb == OBJ_GET && obj_pace_bytes(p, OBJ_DOWN, c->down_bytes,
                                             c->req->cancel, &waited, e) < 0) {
        obj_pace_correct(p, OBJ_UP, c->up_bytes, 0);
        return -1;
    }
    r->deadline += waited;

    int made = attempt(r, e);
    uint64_t sent = made == 0 ? c->last.sent : 0;
    uint64_t received = made == 0 ? c->last.received : 0;
    obj_pace_correct(p, OBJ_UP, c->up_bytes, sent);
    if (c->verb == OBJ_GET)
        obj_pace_correct(p, OBJ_DOWN, c->down_bytes, received);
    /* More came than was booked: pay for it now, or the last gets of a short
     * restore would go free. */
    if (made == 0 && c->verb == OBJ_GET && received > c->down_bytes) {
        waited = 0;
        made = obj_pace_bytes(p, OBJ_DOWN, 0, c->req->cancel, &waited, e);
        r->deadline += waited;
    }
    return made;
}

/* The body of a GET ended early, after a good status.  A damaged object is cut
 * at the same place each time (and some servers do just that); a bad line is
 * not.  True: give up, it is damaged. */
static bool cut_for_good(struct run *r)
{
    const struct obj_attempt *a = &r->c->last;

    r->shorts++;
    if (r->shorts > 1 && a->received == r->short_at)
        r->shorts_same++;
    else
        r->shorts_same = 1;
    r->short_at = a->received;
    return r->shorts_same >= r->s->tuning.short_same ||
           r->shorts >= r->s->tuning.short_any;
}

static bool is_short_body(const struct obj_attempt *a)
{
    return a->outcome == OBJ_NETWORK && a->verb == OBJ_GET && a->http >= 200 &&
           a->http < 300;
}

static enum obj_rule_id network_rule(const struct obj_attempt *a)
{
    if (a->http >= 400)
        return OBJ_RULE_BODY;
    if (a->http == 0 && !a->maybe_done && a->sent == 0 && a->received == 0)
        return OBJ_RULE_CONNECT;
    return OBJ_RULE_NETWORK;
}

/* The row of an outcome; OBJ_RULES: not a matter of waiting. */
static enum obj_rule_id rule_of(const struct obj_attempt *a)
{
    switch (a->outcome) {
    case OBJ_NETWORK:
        return network_rule(a);
    case OBJ_SLOW:
        return OBJ_RULE_SLOW;
    case OBJ_THROTTLE:
        return OBJ_RULE_THROTTLE;
    case OBJ_UNAVAIL:
        return OBJ_RULE_UNAVAIL;
    case OBJ_DIGEST:
        return OBJ_RULE_DIGEST;
    case OBJ_CONFLICT:
        return OBJ_RULE_CONFLICT;
    case OBJ_UNREADABLE:
        return OBJ_RULE_UNREADABLE;
    case OBJ_NO_SPACE: /* a local disk does not get emptier in seconds */
        return a->http != 0 ? OBJ_RULE_NO_SPACE : OBJ_RULES;
    case OBJ_OK:
    case OBJ_ABSENT:
    case OBJ_NO_BUCKET:
    case OBJ_THERE:
    case OBJ_PRECOND:
    case OBJ_AUTH:
    case OBJ_FORBIDDEN:
    case OBJ_WORM:
    case OBJ_TLS:
    case OBJ_CLOCK:
    case OBJ_REGION:
    case OBJ_UNABLE:
    case OBJ_REJECTED:
    case OBJ_STOPPED:
    case OBJ_LOCAL:
        return OBJ_RULES;
    }
    return OBJ_RULES;
}

/* Somebody may have refreshed the credentials since this attempt was signed:
 * then it is worth another try as it is. */
static bool refreshed(struct run *r)
{
    struct obj_store *s = r->s;
    bool newer = true;

    pthread_mutex_lock(&s->shared->auth.lock);
    if (s->shared->auth.generation == r->auth_generation) {
        newer = s->driver->refresh != NULL && s->driver->refresh(s->self);
        if (newer)
            s->shared->auth.generation++;
    }
    pthread_mutex_unlock(&s->shared->auth.lock);
    return newer;
}

/* Outcomes that one correction may heal, once per call each. */
static bool heal(struct run *r)
{
    struct obj_attempt *a = &r->c->last;
    bool *once = NULL;
    bool can = false;

    if (a->outcome == OBJ_CLOCK) {
        once = &r->fixed_clock;
        can = a->server_time > 0;
    } else if (a->outcome == OBJ_REGION) {
        once = &r->fixed_region;
        can = a->region[0] != '\0' && r->s->driver->set_region != NULL;
    } else if (a->outcome == OBJ_AUTH) {
        once = &r->fixed_auth;
        can = !r->fixed_auth && refreshed(r);
        /* No refusal: newer keys were not waited for. */
        if (!can && cancel_requested(r->c->req->cancel))
            a->outcome = OBJ_STOPPED;
    }
    if (once == NULL || *once || !can)
        return false;
    *once = true;
    if (a->outcome == OBJ_REGION)
        r->s->driver->set_region(r->s->self, a->region);
    return true;
}

/* In an outage that began after the store had worked, attempts are not counted:
 * a backup outlives it until its deadline.  A store that never worked is more
 * likely a wrong endpoint. */
static bool in_outage(const struct run *r)
{
    return r->answers > 0 && !works(&r->c->last) &&
           atomic_load(&r->s->shared->answers) == r->answers;
}

static unsigned retries_of(const struct run *r, enum obj_rule_id rule)
{
    const struct obj_tuning *t = &r->s->tuning;
    bool first = rule == OBJ_RULE_CONNECT && r->answers == 0;

    return first && t->first_connects < t->rules[rule].retries
               ? t->first_connects
               : t->rules[rule].retries;
}

static enum decision decide(struct run *r, enum obj_rule_id *rule)
{
    struct obj_attempt *a = &r->c->last;

    if (a->outcome == OBJ_OK)
        return SETTLED;
    if (a->maybe_done)
        r->c->maybe_done = true;
    if (heal(r))
        return AT_ONCE;
    *rule = rule_of(a);
    if (*rule == OBJ_RULES)
        return SETTLED;
    if (is_short_body(a) && cut_for_good(r)) {
        a->outcome = OBJ_UNREADABLE;
        return SETTLED;
    }
    if (!in_outage(r) && r->counted[*rule]++ >= retries_of(r, *rule))
        return SETTLED;
    return LATER;
}

/* Full jitter.  A server's own wish only lowers the ceiling: its 60 s would
 * stall everything, and its 1 s is enough when it says so. */
static int64_t delay_ms(const struct run *r, enum obj_rule_id id)
{
    const struct obj_rule *rule = &r->s->tuning.rules[id];
    unsigned shift = r->seen[id] < 20 ? r->seen[id] : 20;
    int64_t ceiling = rule->base_ms << shift;
    int64_t wish = r->c->last.retry_after_ms;

    if (ceiling > rule->cap_ms)
        ceiling = rule->cap_ms;
    if (wish > 0 && wish <= r->s->tuning.retry_after_ms && wish < ceiling)
        ceiling = wish > rule->base_ms ? wish : rule->base_ms;
    if (ceiling <= 0)
        return 0;
    return (int64_t)arc4random_uniform((uint32_t)ceiling + 1);
}

/* Waits before the next attempt.  -1: cancelled; 1: no time is left. */
static int back_off(struct run *r, enum obj_rule_id rule, struct err *e)
{
    const struct cancel *cancel = r->c->req->cancel;
    int64_t left = r->deadline - utc_mono_ms();

    if (left <= 0)
        return 1;
    int64_t ms = delay_ms(r, rule);
    r->seen[rule]++;
    if (ms > left)
        ms = left;
    if (cancel_sleep(cancel, ms, e) < 0)
        return -1;
    r->tokens = r->s->tuning.rules[rule].tokens;
    if (obj_pace_spend(&r->s->shared->pace, r->tokens, cancel, r->deadline, e) <
        0)
        return e->kind == ERR_CANCELLED ? -1 : 1;
    return 0;
}

/* Keeps what the first attempts said, for the merged text. */
static void remember(struct obj_call *c)
{
    char label[sizeof c->earlier.text];

    obj_verdict_label(&c->last, label, sizeof label);
    if (c->earlier.n == 0)
        memcpy(c->earlier.text, label, sizeof label);
    if (strcmp(c->earlier.text, label) == 0)
        c->earlier.n++;
}

/* An attempt that the deadline cut short says nothing: the one before does, but
 * where what it complained of was corrected. */
static int verdict(struct run *r, struct err *e)
{
    struct obj_call *c = r->c;
    bool cut = c->last.outcome == OBJ_SLOW ||
               (c->last.outcome == OBJ_NETWORK && c->last.http == 0);
    bool corrected = r->before.outcome == OBJ_CLOCK ||
                     r->before.outcome == OBJ_REGION ||
                     r->before.outcome == OBJ_AUTH;

    if (cut && !corrected && c->tries > 1 && utc_mono_ms() >= r->deadline)
        c->last = r->before;
    return obj_verdict(r->s, c, e);
}

static int run(struct run *r, struct err *e)
{
    struct obj_call *c = r->c;

    for (;;) {
        int made = paced_attempt(r, e);
        if (made < 0 && e->kind == ERR_TIMEOUT && c->tries > 0)
            return verdict(r, e);
        if (made < 0)
            return -1;

        enum obj_rule_id rule = OBJ_RULES;
        enum decision d = decide(r, &rule);
        if (d == SETTLED && c->last.outcome == OBJ_OK) {
            obj_pace_refund(&r->s->shared->pace, r->tokens > 0 ? r->tokens : 1);
            return 0;
        }
        if (d == SETTLED)
            return verdict(r, e);
        remember(c);
        r->fresh_connection = c->last.outcome == OBJ_NETWORK ||
                              c->last.outcome == OBJ_SLOW ||
                              c->last.outcome == OBJ_DIGEST;
        int waited = d == LATER ? back_off(r, rule, e) : 0;
        if (waited < 0)
            return -1;
        if (waited > 0)
            return verdict(r, e);
    }
}

int obj_retry_run(struct obj_store *s, struct obj_call *c, struct err *e)
{
    struct run r = { .s = s, .c = c };
    int64_t from_ns = utc_mono_ns();

    c->started = utc_mono_ms();
    r.deadline = c->deadline != 0 ? c->deadline : c->started + s->deadline_ms;
    if (c->req->deadline != 0 && c->req->deadline < r.deadline)
        r.deadline = c->req->deadline;
    int result = run(&r, e);
    add_count(&s->count.network_ns, (uint64_t)(utc_mono_ns() - from_ns));
    if (result == 0 && c->verb == OBJ_PUT && c->req->sign_before == 0) {
        add_count(&s->count.stored, 1);
        add_count(&s->count.stored_bytes, c->up_bytes);
    }
    return result;
}
