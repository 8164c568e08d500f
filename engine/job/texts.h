// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_TEXTS_H
#define ENGINE_JOB_TEXTS_H

/* A list of texts that is owned.  It grows by the functions below alone. */
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"

struct eng_texts {
    char **v; /* NULL, or with a NULL behind the last */
    size_t n;
};

/* Appends a copy.  ERR_NOMEM. */
int eng_texts_add(struct eng_texts *t, const char *text, struct err *e)
    __attribute__((warn_unused_result));
/* Appends the text itself, which is malloc'd and the list's from here on, also
 * on failure.  ERR_NOMEM, also for NULL: there was no memory for it. */
int eng_texts_take(struct eng_texts *t, char *text, struct err *e)
    __attribute__((warn_unused_result));
void eng_texts_fini(struct eng_texts *t); /* zeroed is fine */
#define AUTO_ENG_TEXTS AUTO(eng_texts_fini)

#endif
