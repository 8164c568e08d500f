// SPDX-License-Identifier: Apache-2.0
/*
 * Probe: what the server checks of a request.  Each kind of checksum is sent
 * once right and once wrong: one that is never taken is of no use, one that is
 * always taken of none either.
 */
#include <string.h>

#include "base/utc.h"
#include "engine/repo/probing.h"
#include "objstore/probe.h"

#define OLD_S                                                                  \
    INT64_C(1200) /* servers must refuse what is over 15 minutes old */

static int ask(struct eng_probing *p, const struct obj_probe *how,
               enum obj_probe_answer *answer, struct err *e)
{
    static const char text[] = "the body that is sent";
    struct eng_probing_key key = eng_probing_key(p, "guarded");
    struct obj_req req = { .key = key.s, .cancel = p->cancel };

    return obj_probe_put(p->store, &req, span_of(text, strlen(text)), how,
                         answer, e);
}

/* Fills the row of what says nothing about the server; false: it does. */
static bool is_no_answer(struct eng_probing *p, enum eng_probe_item item,
                         enum obj_probe_answer answer)
{
    if (answer == OBJ_PROBE_FORBIDDEN)
        eng_probing_set(p, item, ENG_PROBE_DENIED, "%s", "");
    else if (answer == OBJ_PROBE_UNABLE)
        eng_probing_set(p, item, ENG_PROBE_NONE, "%s", "");
    else
        return false;
    return true;
}

static int guard(struct eng_probing *p, enum eng_probe_item item,
                 enum obj_probe_guard which, struct err *e)
{
    struct obj_probe how = { .guard = which };
    enum obj_probe_answer answer;

    if (ask(p, &how, &answer, e) < 0)
        return eng_probing_failed(p, item, e);
    if (is_no_answer(p, item, answer))
        return 0;
    bool taken = answer == OBJ_PROBE_TAKEN;
    if (which != OBJ_PROBE_SIGNED && taken)
        eng_probing_set(p, ENG_PROBE_UNSIGNED_PAYLOAD, ENG_PROBE_YES, "%s", "");
    if (!taken) {
        eng_probing_set(p, item, ENG_PROBE_NO, "a right one is refused");
        return 0;
    }
    how.wrong = true;
    if (ask(p, &how, &answer, e) < 0)
        return eng_probing_failed(p, item, e);
    if (is_no_answer(p, item, answer))
        return 0;
    if (answer == OBJ_PROBE_TAKEN)
        eng_probing_set(p, item, ENG_PROBE_NO,
                        "a body that does not match was taken");
    else
        eng_probing_set(p, item, ENG_PROBE_YES, "%s", "");
    return 0;
}

/* An otherwise good request that must be refused. */
static int refused(struct eng_probing *p, enum eng_probe_item item,
                   const struct obj_probe *how, const char *if_taken,
                   struct err *e)
{
    enum obj_probe_answer answer;

    if (ask(p, how, &answer, e) < 0)
        return eng_probing_failed(p, item, e);
    /* Such a refusal may well be one of the signature. */
    if (answer == OBJ_PROBE_FORBIDDEN &&
        p->out->rows[ENG_PROBE_SIGNED_PAYLOAD].result == ENG_PROBE_YES)
        answer = OBJ_PROBE_REFUSED;
    if (is_no_answer(p, item, answer))
        return 0;
    bool taken = answer == OBJ_PROBE_TAKEN;
    eng_probing_set(p, item, taken ? ENG_PROBE_NO : ENG_PROBE_YES, "%s",
                    taken ? if_taken : "");
    return 0;
}

static int server_time(struct eng_probing *p, struct err *e)
{
    const enum eng_probe_item item = ENG_PROBE_SERVER_TIME;
    struct eng_probing_key key = eng_probing_key(p, "fresh");
    struct obj_req req = { .key = key.s, .cancel = p->cancel };
    struct obj_info info = { 0 };

    if (obj_head(p->store, &req, &info, e) < 0)
        return eng_probing_failed(p, item, e);
    if (info.server_time == 0)
        eng_probing_set(p, item, ENG_PROBE_NO, "answers have no Date");
    else
        eng_probing_set(p, item, ENG_PROBE_YES, "%lld s %s this machine's",
                        llabs((long long)obj_store_clock_offset(p->store)),
                        obj_store_clock_offset(p->store) < 0 ? "behind"
                                                             : "ahead of");
    return 0;
}

int eng_probing_guards(struct eng_probing *p, struct err *e)
{
    static const struct obj_probe old = { .guard = OBJ_PROBE_SIGNED,
                                          .signed_ago_s = OLD_S };
    static const struct obj_probe abroad = { .guard = OBJ_PROBE_SIGNED,
                                             .region = "objvault-probe-1" };

    if (guard(p, ENG_PROBE_SIGNED_PAYLOAD, OBJ_PROBE_SIGNED, e) < 0)
        return -1;
    if (p->out->rows[ENG_PROBE_SIGNED_PAYLOAD].result == ENG_PROBE_NONE)
        eng_probing_set(p, ENG_PROBE_UNSIGNED_PAYLOAD, ENG_PROBE_NONE, "%s",
                        "");
    else
        eng_probing_set(p, ENG_PROBE_UNSIGNED_PAYLOAD, ENG_PROBE_NO, "%s", "");
    if (guard(p, ENG_PROBE_CRC32C, OBJ_PROBE_CRC32C, e) < 0)
        return -1;
    if (p->opts->quick)
        return 0;
    if (guard(p, ENG_PROBE_MD5, OBJ_PROBE_MD5, e) < 0 ||
        guard(p, ENG_PROBE_SHA256, OBJ_PROBE_SHA256, e) < 0 ||
        server_time(p, e) < 0 ||
        refused(p, ENG_PROBE_OLD_SIGNATURES, &old,
                "a request signed 20 minutes ago was carried out", e) < 0)
        return -1;
    return refused(p, ENG_PROBE_REGION, &abroad,
                   "a request signed for another region was carried out", e);
}
