// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_YEAR_H
#define TESTS_INTERLEAVE_YEAR_H

/* The parts of the year: year.c plays it, year_keep.c is the model of what
 * retention must do in it, year_collect.c of what a collection must leave. */
#include "engine/repo/points.h"

/* Ends the test: something is not as it must be. */
void year_fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#define must(call)                                                             \
    do {                                                                       \
        struct err must_e_ = { 0 };                                            \
        struct err *why = &must_e_;                                            \
        if ((call) < 0)                                                        \
            year_fail("%s: %s", #call, must_e_.msg);                           \
    } while (0)

/* Gives p the policy that the machine has on this day, and its flags, and
 * compares them with the model's. */
void year_keep_fill(struct eng_repo *r, unsigned machine, unsigned day,
                    struct mf_point *p);

/* The point was made: the model knows it from now on. */
void year_keep_made(unsigned machine, const struct mf_point *p,
                    const char *file);

/* Which points are over?  The engine must say what the model says; those go,
 * as far as the server lets them: by a collection (collect), or one by one. */
void year_keep_remove(struct eng_repo *r, struct obj_store *view, bool collect);

/* Points made, removed, and there. */
void year_keep_report(void);

/* The id of a content. */
void year_id_of(uint32_t content, struct mf_id *id);

/* The point was made of these contents (0: zeros). */
void year_collect_made(unsigned machine, const struct mf_point *p,
                       const char *file, const uint32_t *content, size_t n);

/* Collects, and compares what is left with the model. */
void year_collect(struct eng_repo *r, struct obj_store *view);

/* Until when the server holds the point; -1: it is gone. */
int64_t year_held(struct obj_store *view, unsigned machine, const char *file);

/* Collections, and what they collected. */
void year_collect_report(void);

#endif
