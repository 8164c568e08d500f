// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_NAMES_H
#define ENGINE_CARE_NAMES_H

/* Private to engine/care: a list of names, and which manifests somebody knows
 * of. */
#include <stdbool.h>
#include <stddef.h>

#include "engine/repo/points.h"

struct eng_names {
    char **s; /* owned */
    size_t n, cap;
};

int eng_names_add(struct eng_names *l, const char *name, struct err *e)
    __attribute__((warn_unused_result));
/* In byte order; before names are asked for. */
void eng_names_sort(struct eng_names *l);
bool eng_names_has(const struct eng_names *l, const char *name);
void eng_names_free(struct eng_names *l);
#define AUTO_ENG_NAMES AUTO(eng_names_free)

/* Keys of the manifests that this machine's index has seen, sorted. */
int eng_names_seen(struct eng_repo *r, struct eng_names *out, struct err *e)
    __attribute__((warn_unused_result));

/* Those, and the manifests that points say they were made from. */
int eng_names_known(struct eng_repo *r, const struct eng_points *points,
                    struct eng_names *out, struct err *e)
    __attribute__((warn_unused_result));

#endif
