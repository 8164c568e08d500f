// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_CHECK_IMPL_H
#define ENGINE_CARE_CHECK_IMPL_H

/* Private to the files of the check. */
#include <pthread.h>

#include "engine/care/check.h"
#include "engine/care/idset.h"
#include "engine/care/look.h"
#include "engine/care/pagerefs.h"
#include "engine/repo/damaged.h"
#include "engine/repo/keysets.h"
#include "manifest/entry.h"

/* What became of a page as some point needs it: the same page at places of
 * other shapes is looked at once for each. */
struct check_page {
    const struct eng_pageref *at; /* borrowed from check.refs */
    bool lost;                    /* it does not verify */
    uint64_t lost_blocks;         /* that it names, each time it names one */
    struct mf_id example;         /* the first of them */
};

/* An object that is not as it should be. */
struct check_bad {
    struct eng_look_want want;
    enum eng_look_state state; /* not GOOD */
    bool repaired;
};

struct check {
    struct eng_repo *repo;
    const struct eng_check_opts *o;
    bool use_from; /* o->from has the keyset, and copies are wanted */
    struct eng_check_result *res;
    /* Of the keyset that is being checked. */
    struct eng_points points;
    bool *out;     /* owned; points that are none: junk, or removed meanwhile */
    bool versions; /* the bucket keeps them */
    int64_t until; /* the latest lock of all points */
    uint64_t seed; /* of the sample */
    struct eng_pagerefs refs; /* pages that points need */
    struct check_page *pages; /* owned; one for each of them */
    struct eng_idset set;
    const struct eng_idset_slot *one; /* that is in any sample */
    struct eng_damaged marks;         /* as they were at the beginning */
    bool *mark_used;                  /* owned; its object is in `bad` */
    struct progress_task *task;
    pthread_mutex_t lock;  /* around all below, the set while it is filled,
                              the result and the reports */
    struct check_bad *bad; /* owned */
    size_t n_bad, cap_bad;
};

void eng_check_say(struct check *c, enum eng_check_word word, const char *fmt,
                   ...) __attribute__((format(printf, 3, 4)));

/* Notes a bad object, says so and counts it; *index: its place in c->bad (may
 * be NULL). */
int eng_check_add_bad(struct check *c, const struct eng_look_want *w,
                      const struct eng_looked *found, size_t *index,
                      struct err *e) __attribute__((warn_unused_result));

/* --- check_points.c --- */

/* Lists points, and judges manifests that do not verify; names that are not
 * ours, and manifests that are gone. */
int eng_check_points(struct check *c, struct err *e)
    __attribute__((warn_unused_result));
/* Says which points are damaged, at the end. */
int eng_check_judge(struct check *c, struct err *e)
    __attribute__((warn_unused_result));

/* --- check_junk.c --- */
int eng_check_junk(struct check *c, struct err *e)
    __attribute__((warn_unused_result));

/* --- check_pages.c --- */

/* Fills c->refs and c->pages from the points. */
int eng_check_gather_pages(struct check *c, struct err *e)
    __attribute__((warn_unused_result));
/* The page of a stream in c->pages, or NULL. */
struct check_page *
eng_check_find_page(struct check *c, const struct mf_stream *s, uint64_t page);
/* Reads all pages: first (pages are judged), for a further range, or to count
 * what is lost in each. */
enum check_pass { CHECK_FIRST, CHECK_AGAIN, CHECK_COUNT };
int eng_check_read_pages(struct check *c, enum check_pass pass, struct err *e)
    __attribute__((warn_unused_result));

/* --- check_blocks.c --- */

/* Looks for, or at, the blocks of the set. */
int eng_check_blocks(struct check *c, struct err *e)
    __attribute__((warn_unused_result));

/* --- check_mend.c --- */

/* Looks for a good copy of c->bad[index]; from: in the other repository,
 * or NULL.  1: put again; 0: there is none; -1. */
int eng_check_mend_one(struct check *c, struct eng_looker *here,
                       struct eng_looker *from, size_t index, struct err *e)
    __attribute__((warn_unused_result));
/* Whether o->from can repair the selected keyset, which it is switched to. */
int eng_check_choose_from(struct check *c, struct err *e)
    __attribute__((warn_unused_result));
/* A looker into o->from; *out NULL where it cannot. */
int eng_check_open_from(struct check *c, const struct cancel *cancel,
                        struct eng_looker **out, struct err *e)
    __attribute__((warn_unused_result));
/* Repairs, and marks what stays damaged. */
int eng_check_mend(struct check *c, struct err *e)
    __attribute__((warn_unused_result));
/* Removes marks that are cleared, and those of objects that were read now
 * (marked ones are, at every level) and are good, or that no point needs any
 * more: once all keysets were looked at, for a mark is of any of them. */
void eng_check_old_marks(struct check *c);

/* --- check_sealed.c --- */

/* What can be said of a keyset without its key: ctx is the check. */
int eng_check_sealed(void *ctx, const struct eng_keyset *k, struct err *e)
    __attribute__((warn_unused_result));

#endif
