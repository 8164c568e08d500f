// SPDX-License-Identifier: Apache-2.0
/* The word that somebody may have meant. */
#include "base/nearest.h"

#include <stddef.h>
#include <string.h>

#include "base/utf8.h"

/* Levenshtein's distance of two texts of less than NEAREST_CHARS bytes. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NEAREST_CHARS];
    size_t len = strlen(b);
    for (unsigned j = 0; j <= len; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[len];
}

const char *nearest_word(const char *const *words, const char *name)
{
    char wanted[NEAREST_CHARS];
    const char *found = NULL;
    unsigned least = 0;

    utf8_copy(wanted, sizeof(wanted), name);
    for (; *words != NULL; words++) {
        char word[NEAREST_CHARS];
        utf8_copy(word, sizeof(word), *words);
        unsigned far = distance(wanted, word);
        if (found == NULL || far < least) {
            found = *words;
            least = far;
        }
    }
    return found;
}
