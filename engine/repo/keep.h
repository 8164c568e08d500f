// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_KEEP_H
#define ENGINE_REPO_KEEP_H

/*
 * Marks on points that retention passes over: an empty object for each, whose
 * name is the manifest's below keep/ (FORMAT.md section 10).  It is not locked.
 */
#include "engine/repo/points.h"

struct eng_keeps {
    char **names; /* the marks' keys, in byte order */
    size_t n, cap;
    /* An object that may hide marks (folders.h), or "".  All points count as
     * protected then. */
    char hidden_by[MF_KEY_CHARS];
};

/* All marks (of one VM: vm not NULL), by one listing. */
int eng_keeps_list(struct eng_repo *r, const struct cancel *cancel,
                   const char *vm, struct eng_keeps *out, struct err *e)
    __attribute__((warn_unused_result));
/* All marks of a keyset, whichever r works on; replaces what out holds. */
int eng_keeps_of_keyset(struct eng_repo *r, const struct cancel *cancel,
                        const char *keyset, struct eng_keeps *out,
                        struct err *e) __attribute__((warn_unused_result));
void eng_keeps_free(struct eng_keeps *k);
#define AUTO_ENG_KEEPS AUTO(eng_keeps_free)

/* Whether p is protected. */
bool eng_keeps_has(const struct eng_keeps *k, const struct eng_point *p);

/* Protects p; *changed: it was not before. */
int eng_keep_put(struct eng_repo *r, const struct cancel *cancel,
                 const struct eng_point *p, bool *changed, struct err *e)
    __attribute__((warn_unused_result));

/* Takes the protection away, every version of the mark; *changed: it was
 * protected. */
int eng_keep_remove(struct eng_repo *r, const struct cancel *cancel,
                    const struct eng_point *p, bool *changed, struct err *e)
    __attribute__((warn_unused_result));

/* ERR_DENIED where p is protected: before somebody deletes it by hand. */
int eng_keep_forbids(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_point *p, struct err *e)
    __attribute__((warn_unused_result));

#endif
