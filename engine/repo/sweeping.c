// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/sweeping.h"

#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/dirlock.h"
#include "engine/repo/internal.h"
#include "engine/repo/runlease.h"

#define COUNTER_MAX 1024
#define POLL_FIRST_MS 200
#define POLL_MAX_MS 5000
/* How long a mark stands before its turn, for a run that has just begun: the
 * run waits for it, too. */
#define BOUT_MS 20000
/* How long a younger mark is given to be ended. */
#define YIELD_MS 10000
/* Marks that ran out before their turn, one after the other. */
#define LATE_MAX 5

/* --- the counter --- */

int eng_counter_read(struct eng_repo *r, const struct cancel *cancel,
                     char out[ENG_COUNTER_CHARS], struct err *e)
{
    AUTO_BUF struct buf text = buf_init(COUNTER_MAX);
    uint8_t digest[DIGEST_SHA256_BYTES];

    out[0] = '\0';
    if (eng_repo_get(r, cancel, ENG_COUNTER_KEY, &text, e) < 0) {
        if (e->kind == ERR_NOTFOUND)
            return 0;
        return err_ctx(e, "read the sweep counter");
    }
    /* Whatever it holds is only compared. */
    if (digest_sha256(buf_span(&text), digest, e) < 0)
        return -1;
    digest_hex(span_of(digest, sizeof(digest)), out);
    return 0;
}

int eng_counter_renew(struct eng_repo *r, const struct cancel *cancel,
                      int64_t sign_before, struct err *e)
{
    uint8_t raw[16];
    char hex[2 * sizeof(raw) + 1];
    struct obj_req req = { .key = ENG_COUNTER_KEY,
                           .cancel = cancel,
                           .sign_before = sign_before };
    struct obj_put_opts opts = { .content_type = "text/plain" };

    if (digest_random(raw, sizeof(raw), e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof(raw)), hex);
    if (obj_put(r->store, &req, span_str(hex), &opts, NULL, e) < 0)
        return err_ctx(e, "set the sweep counter");
    return 0;
}

/* --- who is at work --- */

static int64_t next_poll(int64_t ms)
{
    return ms * 2 < POLL_MAX_MS ? ms * 2 : POLL_MAX_MS;
}

/* The oldest of a kind that counts now and is not `own` (which may be NULL).
 * 1: *way is filled; 2: the same, and it is younger than own. */
static int find_live(struct eng_repo *r, const struct cancel *cancel,
                     enum eng_lease_kind kind, const struct eng_lease *own,
                     struct eng_sweep_way *way, struct err *e)
{
    AUTO_ENG_LEASES struct eng_leases all = { 0 };

    if (eng_leases_list(r->store, cancel, kind, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        const struct eng_lease_seen *s = &all.s[i];
        if (!eng_lease_counts(s) ||
            (own != NULL && strcmp(s->l.name, own->name) == 0))
            continue;
        eng_lease_text(s, way->who);
        memcpy(way->vm, s->l.vm, sizeof(way->vm));
        way->until = s->counts_until;
        return own == NULL || eng_lease_before(&s->l, own) ? 1 : 2;
    }
    return 0;
}

static void say_waiting(const struct eng_repo *r,
                        const struct eng_sweep_way *way)
{
    char until[UTC_ISO_CHARS];

    if (way->until == 0) {
        log_warn("repo", "%s: waiting for %s", r->name, way->who);
        return;
    }
    utc_format_iso(way->until, until);
    log_warn("repo", "%s: waiting for %s, until %s at the latest", r->name,
             way->who, until);
}

/* Whether a sweep may be under way: 1, 0. */
static int is_swept(struct eng_repo *r, const struct cancel *cancel,
                    struct eng_sweep_way *way, struct err *e)
{
    if (r->dir == NULL)
        return find_live(r, cancel, ENG_LEASE_SWEEP, NULL, way, e);
    *way = (struct eng_sweep_way){ .who = "a collection" };
    return eng_dirlock_is_swept(r->dir, e);
}

/* Waits until no sweep is under way. */
static int wait_for_sweeps(struct eng_repo *r, const struct cancel *cancel,
                           struct err *e)
{
    struct eng_sweep_way way;
    int64_t poll_ms = POLL_FIRST_MS;
    bool told = false;
    int swept = 0;

    while ((swept = is_swept(r, cancel, &way, e)) == 1) {
        if (!told)
            say_waiting(r, &way);
        told = true;
        if (cancel_sleep(cancel, poll_ms, e) < 0)
            return -1;
        poll_ms = next_poll(poll_ms);
        eng_runlease_tick(r, cancel);
    }
    return swept;
}

int eng_counter_settled(struct eng_repo *r, const struct cancel *cancel,
                        char out[ENG_COUNTER_CHARS], struct err *e)
{
    char before[ENG_COUNTER_CHARS];

    if (eng_counter_read(r, cancel, out, e) < 0)
        return -1;
    /* Where locks protect what a run needs, nobody waits for a sweep. */
    if (r->descriptor.locked)
        return 0;
    /* Read before the look, so that it is none of a sweep that goes on, which
     * may have begun since: a run's lease is no reason not to look, for the
     * run may have stood still until it was over.  And the same after the
     * look, so that it is none from before a sweep that ended meanwhile. */
    do {
        memcpy(before, out, sizeof(before));
        if (wait_for_sweeps(r, cancel, e) < 0 ||
            eng_counter_read(r, cancel, out, e) < 0)
            return -1;
    } while (strcmp(before, out) != 0);
    return 0;
}

/* --- a turn --- */

static int look_once(struct eng_repo *r, const struct cancel *cancel,
                     struct eng_sweep_way *way, struct err *e)
{
    int live = find_live(r, cancel, ENG_LEASE_RUN, NULL, way, e);

    return live != 0 ? live
                     : find_live(r, cancel, ENG_LEASE_SWEEP, NULL, way, e);
}

int eng_sweep_look(struct eng_repo *r, const struct cancel *cancel,
                   int64_t give_up_ms, struct eng_sweep_way *way, struct err *e)
{
    int64_t poll_ms = POLL_FIRST_MS;
    bool told = false;
    int live = 0;

    if (r->dir != NULL)
        return 0; /* the lock itself tells */
    while ((live = look_once(r, cancel, way, e)) == 1) {
        if (utc_mono_ms() >= give_up_ms)
            return 1;
        if (!told)
            say_waiting(r, way);
        told = true;
        if (cancel_sleep(cancel, poll_ms, e) < 0)
            return -1;
        poll_ms = next_poll(poll_ms);
    }
    return live;
}

/* The mark stands.  Of two collectors the one who came first goes on, once the
 * other has ended its mark.  If that does not happen the other did not see us,
 * or was killed: then we yield.  So never two go on.  1: somebody else does. */
static int settle_marks(struct eng_sweep *s, const struct cancel *cancel,
                        struct eng_sweep_way *way, struct err *e)
{
    int64_t patience = utc_mono_ms() + YIELD_MS;
    int live = 0;

    while ((live = find_live(s->repo, cancel, ENG_LEASE_SWEEP, &s->mark, way,
                             e)) == 2 &&
           utc_mono_ms() < patience)
        if (cancel_sleep(cancel, POLL_FIRST_MS, e) < 0)
            return -1;
    return live == 2 ? 1 : live;
}

/* The mark as others see it: with a clock that was wrong when it was put it may
 * say what nobody believes.  1: it is good. */
static int is_mark_good(struct eng_sweep *s, const struct cancel *cancel,
                        struct err *e)
{
    struct eng_lease seen = s->mark;

    if (eng_lease_get(s->repo->store, cancel, &seen, 0, e) == 0)
        return seen.until == s->mark.until && !seen.ended;
    if (e->kind != ERR_CORRUPT && e->kind != ERR_UNSUPPORTED &&
        e->kind != ERR_NOTFOUND)
        return -1;
    *e = (struct err){ 0 };
    return 0;
}

/* Then all runs must be over.  1: they are not. */
static int settle(struct eng_sweep *s, const struct cancel *cancel,
                  int64_t give_up_ms, struct eng_sweep_way *way, struct err *e)
{
    struct eng_repo *r = s->repo;
    int64_t bout = utc_mono_ms() + BOUT_MS;
    int live = settle_marks(s, cancel, way, e);

    if (live != 0)
        return live;
    if (bout > give_up_ms)
        bout = give_up_ms;
    while ((live = find_live(r, cancel, ENG_LEASE_RUN, NULL, way, e)) == 1) {
        if (utc_mono_ms() >= bout)
            return 1;
        if (cancel_sleep(cancel, POLL_FIRST_MS, e) < 0)
            return -1;
    }
    return live;
}

static uint64_t unanswered(struct eng_repo *r)
{
    struct obj_counters c;

    obj_store_counters(r->store, &c);
    return c.unanswered;
}

static int put_mark(struct eng_sweep *s, const struct cancel *cancel,
                    struct err *e)
{
    s->unanswered = unanswered(s->repo);
    if (eng_lease_init(s->repo->store, ENG_LEASE_SWEEP, ENG_SWEEP_MARK_S,
                       &s->mark, e) < 0 ||
        eng_lease_put(s->repo->store, cancel, &s->mark, s->mark.until, 0, e) <
            0)
        return err_ctx(e, "put the mark of a sweep");
    return 0;
}

static int begin_in_bucket(struct eng_sweep *s, const struct cancel *cancel,
                           int64_t give_up_ms, struct eng_sweep_way *way,
                           struct err *e)
{
    struct eng_repo *r = s->repo;

    for (int lates = 0;;) {
        int live = eng_sweep_look(r, cancel, give_up_ms, way, e);
        if (live != 0)
            return live;
        if (put_mark(s, cancel, e) < 0)
            return -1;
        live = settle(s, cancel, give_up_ms, way, e);
        /* All this may have taken long: what is left must be a whole turn. */
        bool late = eng_lease_now(r->store) + ENG_SWEEP_SLICE_S > s->mark.until;
        int good = live == 0 ? is_mark_good(s, cancel, e) : 0;
        if (good == 1 && !late)
            return 0;
        eng_sweep_end(s);
        if (live < 0 || good < 0)
            return -1;
        if (live == 1 && utc_mono_ms() >= give_up_ms)
            return 1;
        if (live == 0 && ++lates == LATE_MAX)
            return err_set(e, ERR_TIMEOUT, 0,
                           "looking for leases takes longer than the mark of "
                           "a sweep lasts");
        if (cancel_sleep(cancel, POLL_FIRST_MS, e) < 0)
            return -1;
    }
}

static int begin_in_folder(struct eng_sweep *s, const struct cancel *cancel,
                           int64_t give_up_ms, struct eng_sweep_way *way,
                           struct err *e)
{
    int64_t poll_ms = POLL_FIRST_MS;
    bool told = false;
    int got = 0;

    *way = (struct eng_sweep_way){ .who = "a run or another collection" };
    while ((got = eng_dirlock_try(s->repo->dir, ENG_DIRLOCK_RUNS, true, &s->fd,
                                  e)) == 0) {
        if (utc_mono_ms() >= give_up_ms)
            return 1;
        if (!told)
            say_waiting(s->repo, way);
        told = true;
        if (cancel_sleep(cancel, poll_ms, e) < 0)
            return -1;
        poll_ms = next_poll(poll_ms);
    }
    return got < 0 ? -1 : 0;
}

int eng_sweep_begin(struct eng_repo *r, const struct cancel *cancel,
                    int64_t give_up_ms, struct eng_sweep *s,
                    struct eng_sweep_way *way, struct err *e)
{
    *s = (struct eng_sweep){ .repo = r, .fd = -1 };
    int live = r->dir != NULL ? begin_in_folder(s, cancel, give_up_ms, way, e)
                              : begin_in_bucket(s, cancel, give_up_ms, way, e);
    s->began_ms = utc_mono_ms();
    return live;
}

int eng_sweep_count(struct eng_sweep *s, const struct cancel *cancel,
                    struct err *e)
{
    if (s->counted)
        return 0;
    if (eng_counter_renew(s->repo, cancel, eng_sweep_sign_before(s), e) < 0)
        return -1;
    s->counted = true;
    return 0;
}

int64_t eng_sweep_sign_before(const struct eng_sweep *s)
{
    return s->repo->dir != NULL ? 0 : s->mark.until;
}

bool eng_sweep_has_time(const struct eng_sweep *s)
{
    return utc_mono_ms() - s->began_ms < (int64_t)ENG_SWEEP_SLICE_S * 1000 &&
           (s->repo->dir != NULL ||
            eng_lease_now(s->repo->store) < s->mark.until);
}

void eng_sweep_end(struct eng_sweep *s)
{
    struct err e = { 0 };

    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    if (s->mark.name[0] == '\0')
        return;
    if (unanswered(s->repo) != s->unanswered) {
        log_info("repo", "requests were not answered: the sweep's mark runs "
                         "out by itself");
    } else {
        s->mark.ended = true;
        if (eng_lease_put(s->repo->store, NULL, &s->mark, s->mark.until,
                          utc_mono_ms() + 3000, &e) < 0)
            log_info("repo", "the sweep's mark runs out by itself: %s", e.msg);
    }
    s->mark.name[0] = '\0';
}
