// SPDX-License-Identifier: Apache-2.0
/* Schedules as anybody may have written them: what is understood has one form,
 * which means the same, and moments that go on. */
#include <string.h>

#include "base/auto.h"
#include "engine/schedule/schedule.h"
#include "tests/fuzz/fuzz_mf.h"

/* The next runs from a moment near a change of the clock, and their ends. */
static void follow(const struct eng_schedule *s)
{
    struct err e = { 0 };
    int64_t t = INT64_C(1774656000); /* 2026-03-28 */

    for (int i = 0; i < 4; i++) {
        int64_t next = 0;
        int64_t end = 0;
        MUST(eng_schedule_next(s, "UTC", t, &next, &e) == 0);
        MUST(next > t);
        if (next == ENG_SCHEDULE_NEVER)
            return;
        MUST(eng_schedule_end(s, "UTC", next, &end, &e) == 0);
        MUST(end > next);
        t = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_MEM char *text = malloc(size + 1); /* exact: an overrun is seen */
    AUTO_BUF struct buf form = buf_init(ENG_SCHEDULE_TEXT_MAX);
    AUTO_BUF struct buf again = buf_init(ENG_SCHEDULE_TEXT_MAX);
    struct eng_schedule s;
    struct eng_schedule same;
    struct err e = { 0 };

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (eng_schedule_parse(text, &s, &e) < 0) {
        MUST(e.kind == ERR_USAGE);
        return 0;
    }
    eng_schedule_text(&s, &form);
    MUST(buf_check(&form, &e) == 0);
    MUST(eng_schedule_parse(buf_cstr(&form), &same, &e) == 0);
    MUST(memcmp(&s, &same, sizeof(s)) == 0);
    eng_schedule_text(&same, &again);
    MUST(span_eq(buf_span(&form), buf_span(&again)));
    follow(&s);
    return 0;
}
