// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_PROBING_H
#define ENGINE_REPO_PROBING_H

/* Private to engine/repo: what the themes of a probe share. */
#include "base/span.h"
#include "engine/repo/probe.h"
#include "engine/repo/scratch.h"

#define ENG_PROBING_KEY_CHARS 128

struct eng_probing {
    struct obj_store *store;
    const struct cancel *cancel;
    const struct eng_probe_opts *opts;
    struct eng_probe *out;
    char base[ENG_SCRATCH_CHARS]; /* "gc/probe-<random>/" */
    struct obj_bucket bucket;
    bool bucket_known;
};

struct eng_probing_key {
    char s[ENG_PROBING_KEY_CHARS];
};

/* The key of a probe object. */
struct eng_probing_key eng_probing_key(const struct eng_probing *p,
                                       const char *name);

/* Puts, gets and deletes of the probe's own; version NULL: the newest. */
int eng_probing_put(struct eng_probing *p, const char *name, const char *text,
                    const struct obj_put_opts *opts, struct obj_info *info,
                    struct err *e) __attribute__((warn_unused_result));
int eng_probing_delete(struct eng_probing *p, const char *name,
                       const char *version, bool bypass, struct err *e)
    __attribute__((warn_unused_result));
/* 1: the object holds text; 0: another, or none; -1. */
int eng_probing_holds(struct eng_probing *p, const char *name,
                      const char *version, const char *text, struct err *e)
    __attribute__((warn_unused_result));

/* The version in an answer, or NULL where the bucket keeps none. */
const char *eng_probing_version(const struct obj_info *info);

void eng_probing_set(struct eng_probing *p, enum eng_probe_item item,
                     enum eng_probe_result result, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* What a failed call says about a capability: DENIED and UNSUPPORTED are
 * answers, and so is every other refusal: 0.  -1 where the probe must end
 * (e stays). */
int eng_probing_failed(struct eng_probing *p, enum eng_probe_item item,
                       const struct err *e) __attribute__((warn_unused_result));

/* The server's time as far as we know it. */
int64_t eng_probing_now(const struct eng_probing *p);

/* The themes; each returns 0, or -1 where the probe must end. */
int eng_probing_race(struct eng_probing *p, struct err *e);
int eng_probing_objects(struct eng_probing *p, struct err *e);
int eng_probing_listing(struct eng_probing *p, struct err *e);
int eng_probing_guards(struct eng_probing *p, struct err *e);
int eng_probing_locks(struct eng_probing *p, struct err *e);

#endif
