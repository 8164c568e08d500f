// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_PAGEREFS_H
#define ENGINE_CARE_PAGEREFS_H

/* Private to engine/care: the pages that points need, each once, what they
 * hold, and the objects that an entry names. */
#include "engine/care/look.h"
#include "manifest/entry.h"
#include "manifest/point.h"

/* A page at a place of this shape. */
struct eng_pageref {
    struct mf_id id;
    uint32_t entries, block_size, last_len;
    uint32_t rank; /* the caller's; of equal ones the smallest is kept */
};

struct eng_pagerefs {
    struct eng_pageref *p; /* owned; sorted by id, each once, after sort */
    size_t n, cap;
};

/* A stream's page, as it is needed there. */
struct eng_pageref eng_pageref_of(const struct mf_stream *s, uint64_t page);

/* Adds all pages of a point. */
int eng_pagerefs_add(struct eng_pagerefs *s, const struct mf_point *m,
                     uint32_t rank, struct err *e)
    __attribute__((warn_unused_result));
int eng_pagerefs_add_one(struct eng_pagerefs *s, const struct eng_pageref *p,
                         struct err *e) __attribute__((warn_unused_result));
void eng_pagerefs_sort(struct eng_pagerefs *s);
/* In a sorted set: this page at a place of this shape, or NULL. */
const struct eng_pageref *eng_pagerefs_find(const struct eng_pagerefs *s,
                                            const struct eng_pageref *p);
/* In a sorted set: the first place of this page, or s->n. */
size_t eng_pagerefs_at(const struct eng_pagerefs *s, const struct mf_id *id);
/* In a sorted set: whether some point needs this page. */
bool eng_pagerefs_has(const struct eng_pagerefs *s, const struct mf_id *id);
void eng_pagerefs_free(struct eng_pagerefs *s);
#define AUTO_ENG_PAGEREFS AUTO(eng_pagerefs_free)

/* Reads a page.  1: its p->entries entries are filled; 0: not, *found says why
 * (BAD also where it verifies, but not for this place). */
int eng_pageref_read(struct eng_looker *l, const struct eng_pageref *p,
                     struct mf_entry *entries, struct eng_looked *found,
                     struct err *e) __attribute__((warn_unused_result));

struct eng_block_need {
    struct mf_id id;
    uint32_t len; /* bytes of its plaintext */
};
/* The blocks that entry i of a page names; their number. */
int eng_entry_needs(const struct eng_pageref *p, const struct mf_entry *m,
                    uint32_t i, struct eng_block_need out[2], struct err *e)
    __attribute__((warn_unused_result));

#endif
