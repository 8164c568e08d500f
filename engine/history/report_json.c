// SPDX-License-Identifier: Apache-2.0
/* Runs for programs: the members that docs/json.md has.  What foreign machines
 * and servers said may be no UTF-8; a document always is. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/history/report.h"

/* As cli/output.c does: bytes that are not UTF-8 become '?'. */
static void put_text(struct jsonw *w, const char *text)
{
    AUTO_MEM char *copy = text != NULL ? strdup(text) : NULL;

    if (text != NULL && copy == NULL) {
        w->out->failed = w->out->nomem = true;
        return;
    }
    if (copy != NULL)
        utf8_clean(copy, true);
    jsonw_string(w, copy);
}

static void text(struct jsonw *w, const char *key, const char *value)
{
    jsonw_key(w, key);
    put_text(w, value);
}

static void moment(struct jsonw *w, const char *key, int64_t t)
{
    if (t > 0)
        jsonw_ktime(w, key, t);
    else
        jsonw_knull(w, key);
}

static void messages(struct jsonw *w, char *const *list, size_t n,
                     const char *first)
{
    jsonw_key(w, "messages");
    jsonw_array(w);
    if (first != NULL)
        put_text(w, first);
    for (size_t i = 0; i < n; i++)
        put_text(w, list[i]);
    jsonw_end_array(w);
}

void eng_report_json_busy(struct jsonw *w, const double busy[ENG_STAGES])
{
    jsonw_key(w, "busy");
    jsonw_object(w);
    for (size_t i = 0; i < ENG_STAGES; i++) {
        jsonw_key(w, eng_stage_name((enum eng_stage)i));
        jsonw_double(w, busy[i], 3);
    }
    jsonw_end_object(w);
}

void eng_report_json_requests(struct jsonw *w,
                              const uint64_t requests[ENG_REQUEST_KINDS])
{
    jsonw_key(w, "requests");
    jsonw_object(w);
    for (size_t i = 0; i < ENG_REQUEST_KINDS; i++)
        jsonw_kuint(w, eng_request_name(i), requests[i]);
    jsonw_end_object(w);
}

static void vm(struct jsonw *w, const struct eng_vm_record *v)
{
    text(w, "vm", v->vm);
    text(w, "source", v->source);
    text(w, "id", v->id);
    jsonw_kstring(w, "status", eng_status_name(v->status));
    jsonw_kuint(w, "tried", v->tried);
    moment(w, "started", v->started);
    moment(w, "ended", v->ended);
    text(w, "point", v->point);
    text(w, "kind", v->kind);
    text(w, "keyset", v->keyset);
    jsonw_kuint(w, "source_bytes", v->source_bytes);
    jsonw_kuint(w, "read_bytes", v->read_bytes);
    jsonw_kuint(w, "new_bytes", v->new_bytes);
    jsonw_kuint(w, "stored_bytes", v->stored_bytes);
    jsonw_kuint(w, "new_blocks", v->new_blocks);
    jsonw_kuint(w, "reused_blocks", v->reused_blocks);
    jsonw_key(w, "seconds");
    jsonw_double(w, v->seconds, 3);
    text(w, "bottleneck", v->bottleneck);
    eng_report_json_busy(w, v->busy);
    eng_report_json_requests(w, v->requests);
    messages(w, NULL, 0, v->message);
}

void eng_report_json_run(struct jsonw *w, const struct eng_run_record *r)
{
    jsonw_kuint(w, "run", r->id > 0 ? (uint64_t)r->id : 0);
    text(w, "job", r->job);
    text(w, "repo", r->repo);
    text(w, "host", r->host);
    /* Manifests do not tell. */
    if (r->rebuilt)
        jsonw_knull(w, "why");
    else
        jsonw_kstring(w, "why",
                      r->why == ENG_WHY_SCHEDULE ? "schedule" : "asked");
    jsonw_kstring(w, "status", eng_status_name(r->status));
    jsonw_kuint(w, "tries", r->tries);
    moment(w, "started", r->started);
    moment(w, "ended", r->ended);
    jsonw_kbool(w, "rebuilt", r->rebuilt);
    messages(w, r->warnings, r->n_warnings, r->message);
    jsonw_key(w, "vms");
    jsonw_array(w);
    for (size_t i = 0; i < r->n_vms; i++) {
        jsonw_object(w);
        vm(w, &r->vms[i]);
        jsonw_end_object(w);
    }
    jsonw_end_array(w);
}
