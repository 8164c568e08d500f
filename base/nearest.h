// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/* Which known word an unknown one is most like.  Pure; any thread. */

#define NEAREST_CHARS 48 /* of a word that count, with NUL */

/* The word of the NULL-terminated list that takes the fewest changes of a
 * character; NULL if the list is empty. */
const char *nearest_word(const char *const *words, const char *name);

#endif
