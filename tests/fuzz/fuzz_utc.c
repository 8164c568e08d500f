// SPDX-License-Identifier: Apache-2.0
/*
 * The time parsers: whatever one of them takes is in range, and the strict
 * forms are formatted back to the very same text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void check(bool same)
{
    if (!same)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    char *text = malloc(len + 1); /* exact, so that an overrun is seen */
    char back[UTC_HTTP_CHARS];
    int64_t t = 0;

    if (text == NULL)
        return 0;
    if (len > 0)
        memcpy(text, in, len);
    text[len] = '\0';
    if (utc_parse_iso(text, &t)) {
        utc_format_iso(t, back);
        check(strcmp(back, text) == 0);
    }
    if (utc_parse_basic(text, &t)) {
        utc_format_basic(t, back);
        check(strcmp(back, text) == 0);
    }
    if (utc_parse_http(text, &t)) {
        utc_format_http(t, back);
        check(strcmp(back, text) == 0);
    }
    if (utc_parse_rfc3339(text, &t)) {
        int64_t again = -1;
        utc_format_iso(t, back);
        check(utc_parse_rfc3339(back, &again) && again == t);
    }
    free(text);
    return 0;
}
