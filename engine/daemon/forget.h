// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_DAEMON_FORGET_H
#define ENGINE_DAEMON_FORGET_H

/*
 * Points of VMs that are gone: a job may say for how long they stay after the
 * VM's newest one (deleted_vms_after).  Retention alone would keep the newest
 * three for ever, since no run comes that would make them old.
 */
#include "engine/job/job.h"
#include "engine/repo/points.h"

enum eng_fate {
    ENG_FATE_STAYS,
    ENG_FATE_REMOVED,
    ENG_FATE_LOCKED,    /* it would be removed; its lock has not ended */
    ENG_FATE_PROTECTED, /* it would be removed; somebody protects it */
};

/* A point, as its fate depends on it. */
struct eng_fated {
    /* in */
    const char *vm; /* name that it is filed by; borrowed */
    int64_t time;
    int64_t locked_until; /* 0: not locked */
    bool of_job; /* it was made by this job, whose runs on this machine had
                    its VM, and can be read */
    bool there;  /* a source of the job has its VM, or could not show it:
                    its folder is empty or was not looked at */
    bool protect;
    /* out */
    enum eng_fate fate;
};

/* Decides about all points of a repository; those of one VM lie together.  Of a
 * VM that no source has and whose newest point, whoever made it, is older than
 * `after_s`, the points of the job are removed. */
void eng_fate_decide(struct eng_fated *points, size_t n, int64_t after_s,
                     int64_t now);

struct eng_forgetting {
    struct eng_points points;
    struct eng_fated *fates;          /* of each */
    size_t vms;                       /* that are gone for long */
    size_t n[ENG_FATE_PROTECTED + 1]; /* points of each fate */
};

/* Looks at the job's sources and its repository, whose keysets are open as far
 * as they can be, and at the history: of a VM that no run on this machine had,
 * another host's job of this name may make points.  ERR_USAGE: the job keeps
 * points of VMs that are gone; ERR_UNREACHABLE and the like: a source could not
 * be looked at, wholly, so nobody knows what is gone; a source without any VM
 * counts as that (ERR_FAILED). */
int eng_forget_find(const struct eng_home *h, const struct eng_job *job,
                    struct eng_repo *repo, const struct cancel *cancel,
                    int64_t now, struct eng_forgetting *out, struct err *e)
    __attribute__((warn_unused_result));
/* Removes the points that were found; *removed: so many, also on failure. */
int eng_forget_remove(struct eng_repo *repo, const struct eng_forgetting *f,
                      const struct cancel *cancel, size_t *removed,
                      struct err *e) __attribute__((warn_unused_result));
void eng_forget_fini(struct eng_forgetting *f); /* zeroed is fine */
#define AUTO_ENG_FORGETTING AUTO(eng_forget_fini)

#endif
