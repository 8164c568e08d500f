// SPDX-License-Identifier: Apache-2.0
// Private to base/: what json.c asks of a text before cJSON may see it.
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct json_text_fault {
    size_t at;        /* offset of the byte that is wrong */
    const char *what; /* static text */
};

/* Checks the characters, words, numbers, strings, nesting and number of values
 * of text[0..len), and writes blanks over comments where they are allowed
 * (line breaks stay, so places stay right).  Which word may follow which is
 * left to cJSON.  False: f is filled. */
bool json_text_check(char *text, size_t len, bool comments,
                     struct json_text_fault *f);

/* Line and column (in characters) of an offset, both from 1. */
void json_text_place(const char *text, size_t at, size_t *line, size_t *column);

#endif
