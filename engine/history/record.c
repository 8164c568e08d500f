// SPDX-License-Identifier: Apache-2.0
#include "engine/history/record.h"

#include <stdlib.h>

static const char *const status_names[ENG_STATUSES] = {
    [ENG_STATUS_RUNNING] = "running", [ENG_STATUS_SUCCESS] = "success",
    [ENG_STATUS_WARNING] = "warning", [ENG_STATUS_FAILED] = "failed",
    [ENG_STATUS_STOPPED] = "stopped",
};

const char *eng_status_name(enum eng_status s)
{
    return status_names[s];
}

static const struct {
    const char *name;
    enum obj_verb verb;
} requests[ENG_REQUEST_KINDS] = {
    { "put", OBJ_PUT },       { "get", OBJ_GET },
    { "head", OBJ_HEAD },     { "list", OBJ_LIST },
    { "delete", OBJ_DELETE }, { "retention", OBJ_RETENTION },
};

const char *eng_request_name(size_t kind)
{
    return requests[kind].name;
}

void eng_requests_between(const struct obj_counters *before,
                          const struct obj_counters *after,
                          uint64_t out[ENG_REQUEST_KINDS])
{
    for (size_t i = 0; i < ENG_REQUEST_KINDS; i++)
        out[i] = after->requests[requests[i].verb] -
                 before->requests[requests[i].verb];
}

void eng_vm_record_fini(struct eng_vm_record *v)
{
    free(v->source);
    free(v->id);
    free(v->vm);
    free(v->point);
    free(v->kind);
    free(v->keyset);
    free(v->bottleneck);
    free(v->message);
    *v = (struct eng_vm_record){ 0 };
}

void eng_run_record_fini(struct eng_run_record *r)
{
    for (size_t i = 0; i < r->n_vms; i++)
        eng_vm_record_fini(&r->vms[i]);
    for (size_t i = 0; i < r->n_warnings; i++)
        free(r->warnings[i]);
    free(r->vms);
    free(r->warnings);
    free(r->job);
    free(r->repo);
    free(r->host);
    free(r->message);
    *r = (struct eng_run_record){ 0 };
}

enum eng_status eng_run_judge(const struct eng_run_record *r)
{
    size_t n[ENG_STATUSES] = { 0 };

    for (size_t i = 0; i < r->n_vms; i++)
        n[r->vms[i].status]++;
    /* What nobody has seen the end of has no point. */
    n[ENG_STATUS_FAILED] += n[ENG_STATUS_RUNNING];
    if (n[ENG_STATUS_FAILED] == r->n_vms && (r->n_vms > 0 || r->message))
        return ENG_STATUS_FAILED;
    if (n[ENG_STATUS_STOPPED] > 0)
        return ENG_STATUS_STOPPED;
    if (n[ENG_STATUS_FAILED] + n[ENG_STATUS_WARNING] + r->n_warnings > 0)
        return ENG_STATUS_WARNING;
    return ENG_STATUS_SUCCESS;
}
