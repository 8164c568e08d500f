// SPDX-License-Identifier: Apache-2.0
/*
 * Replicas and repeating.  All servers are asked in their order, then again
 * after a pause, until one answers or the deadline has come:
 *
 *   refused, silent, cut         the next server, and this one again later
 *   it failed inside             the same, but no more than twice
 *   its certificate is wrong,    the next server, and this one not again; no
 *   no TLS in common, no KMIP    switch takes it all the same
 *   no such key                  the other replicas once (they may be ahead)
 *   anything else that it says   the end
 *
 * What changes something is sent once: where its fate is not known, the caller
 * finds out before it goes on.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/utc.h"
#include "kms/kms_impl.h"

#define PAUSE_MS 200
#define PAUSE_MAX_MS 5000

struct kms_limits kms_limits(const struct kms *k, const struct cancel *cancel)
{
    return (struct kms_limits){
        .deadline = utc_mono_ms() + k->deadline_ms,
        .cancel = cancel,
    };
}

void kms_answer_free(struct kms_answer *a)
{
    kmip_results_free(a->results, KMS_BATCH_MAX);
    buf_free(&a->message);
}

/* One call's way through the servers. */
struct tour {
    struct kms *k;
    const struct kms_ask *ask;
    const struct kms_limits *l;
    struct kms_answer *a;
    bool done_with[KMS_SERVERS_MAX];
    unsigned busy[KMS_SERVERS_MAX];
    struct err lasting; /* of a server that is done with; kind ERR_NONE: none */
    bool missing;       /* a server does not know the key */
};

/* How much a lasting error has to say, where servers differ. */
static int weight(const struct err *e)
{
    switch ((int)e->kind) {
    case ERR_NONE:
        return 0;
    case ERR_NOTFOUND:
        return 3;
    case ERR_DENIED:
        return 2;
    default:
        return 1;
    }
}

static void done_with(struct tour *t, size_t server, const struct err *e)
{
    t->done_with[server] = true;
    if (weight(e) > weight(&t->lasting))
        t->lasting = *e;
}

/* True: the tour is over, with the result of `step`. */
static bool is_over(struct tour *t, size_t server, enum kms_step step,
                    const struct err *e)
{
    switch (step) {
    case KMS_STEP_DONE:
        t->k->first = server;
        return true;
    case KMS_STEP_STOP:
        return true;
    case KMS_STEP_SKIP:
        done_with(t, server, e);
        break;
    case KMS_STEP_MISSING:
        t->missing = true;
        done_with(t, server, e);
        return t->k->one_copy_is_enough;
    case KMS_STEP_BUSY:
        if (++t->busy[server] == 2)
            done_with(t, server, e);
        break;
    case KMS_STEP_NEXT:
        break;
    }
    return t->ask->only_one;
}

/* Every server once.  1: over; 0: none answered. */
static int round_trip(struct tour *t, enum kms_step *step, struct err *e)
{
    size_t from = t->k->first;

    for (size_t i = 0; i < t->k->n; i++) {
        size_t server = (from + i) % t->k->n;
        if (t->done_with[server])
            continue;
        if (utc_mono_ms() >= t->l->deadline)
            return 0;
        kms_answer_free(t->a);
        *step = kms_server_ask(t->k, server, t->ask, t->l, t->a, e);
        if (is_over(t, server, *step, e))
            return 1;
    }
    return 0;
}

static bool all_done_with(const struct tour *t)
{
    for (size_t i = 0; i < t->k->n; i++) {
        if (!t->done_with[i])
            return false;
    }
    return true;
}

/* Between half and all of a time that doubles; hosts that lost their server
 * together do not come back together. */
static int64_t pause_ms(unsigned round)
{
    int64_t full = PAUSE_MS;
    uint8_t chance = 0;
    struct err ignored;

    while (round-- > 0 && full < PAUSE_MAX_MS)
        full *= 2;
    if (full > PAUSE_MAX_MS)
        full = PAUSE_MAX_MS;
    if (digest_random(&chance, 1, &ignored) < 0)
        chance = 0;
    return full / 2 + full / 2 * chance / 255;
}

int kms_call(struct kms *k, const struct kms_ask *ask,
             const struct kms_limits *l, struct kms_answer *a, struct err *e)
{
    struct tour t = { .k = k, .ask = ask, .l = l, .a = a };
    enum kms_step step = KMS_STEP_NEXT;

    err_set(e, ERR_UNREACHABLE, 0, "no time is left");
    for (unsigned round = 0;; round++) {
        if (round_trip(&t, &step, e) == 1)
            break;
        if (t.missing || all_done_with(&t))
            break;
        int64_t left = l->deadline - utc_mono_ms();
        int64_t pause = pause_ms(round);
        if (left <= 0)
            break;
        struct err stopped;
        if (cancel_sleep(l->cancel, pause < left ? pause : left, &stopped) <
            0) {
            *e = stopped;
            step = KMS_STEP_STOP;
            break;
        }
    }
    if (step == KMS_STEP_DONE)
        return 0;
    if (step != KMS_STEP_STOP && t.lasting.kind != ERR_NONE)
        *e = t.lasting;
    return err_ctx(e, "key server %s", k->name);
}
