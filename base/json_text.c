// SPDX-License-Identifier: Apache-2.0
//
// The lexical half of strict JSON.  cJSON takes any byte up to a blank for
// white space, takes "01" and "1." for numbers, ends strings at \u0000, and
// recurses a thousand levels: all that is refused here, in one pass without
// recursion or allocation, together with the texts that would make many more
// values than any document of ours has.
#include "base/json_text.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define TEXT_DEPTH 32
#define TEXT_VALUES (1u << 22) /* a value costs about 80 bytes of memory */

struct scan {
    char *text;
    size_t len;
    size_t at;
    bool comments;
    bool finished; /* the outermost value has ended */
    unsigned depth;
    size_t values;
    struct json_text_fault *fault;
};

static bool fault_at(struct scan *s, size_t at, const char *what)
{
    s->fault->at = at;
    s->fault->what = what;
    return false;
}

/* The byte n places on, or 0 past the end (0 is never valid in JSON). */
static char peek(const struct scan *s, size_t n)
{
    if (s->len - s->at <= n)
        return '\0';
    return s->text[s->at + n];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(struct scan *s)
{
    char c = peek(s, 1);
    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
        return fault_at(s, s->at, "unknown escape in a string");
    if (c != 'u') {
        s->at += 2;
        return true;
    }
    bool zero = true;
    for (size_t i = 2; i < 6; i++) {
        if (!is_hex(peek(s, i)))
            return fault_at(s, s->at, "\\u without four hex digits");
        zero = zero && peek(s, i) == '0';
    }
    if (zero)
        return fault_at(s, s->at, "a string must not contain \\u0000");
    s->at += 6;
    return true;
}

static bool scan_string(struct scan *s)
{
    size_t start = s->at++;
    while (s->at < s->len) {
        uint8_t c = (uint8_t)s->text[s->at];
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20)
            return fault_at(s, s->at,
                            "control character in a string (write it as an "
                            "escape)");
        if (c != '\\')
            s->at++;
        else if (!scan_escape(s))
            return false;
    }
    return fault_at(s, start, "a string that is not closed");
}

static size_t scan_digits(struct scan *s)
{
    size_t start = s->at;
    while (is_digit(peek(s, 0)))
        s->at++;
    return s->at - start;
}

static bool scan_number(struct scan *s)
{
    /* The one integer that a double would round into the range 0..2^53. */
    static const char rounded[] = "9007199254740993";
    const size_t start = s->at;

    if (peek(s, 0) == '-')
        s->at++;
    bool zero = peek(s, 0) == '0';
    size_t whole = scan_digits(s);
    if (whole == 0 || (zero && whole > 1))
        return fault_at(s, start, "malformed number");
    if (s->at - start == sizeof(rounded) - 1 &&
        memcmp(s->text + start, rounded, sizeof(rounded) - 1) == 0)
        return fault_at(s, start, "number over 2^53");
    if (peek(s, 0) == '.') {
        s->at++;
        if (scan_digits(s) == 0)
            return fault_at(s, start, "malformed number");
    }
    if (peek(s, 0) == 'e' || peek(s, 0) == 'E') {
        s->at++;
        if (peek(s, 0) == '+' || peek(s, 0) == '-')
            s->at++;
        if (scan_digits(s) == 0)
            return fault_at(s, start, "malformed number");
    }
    return true;
}

static bool scan_word(struct scan *s)
{
    static const char *const words[] = { "true", "false", "null" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);
        if (s->len - s->at >= n && memcmp(s->text + s->at, words[i], n) == 0) {
            s->at += n;
            return true;
        }
    }
    return fault_at(s, s->at, "unexpected character");
}

static bool scan_comment(struct scan *s)
{
    size_t start = s->at;
    if (peek(s, 1) == '/') {
        while (s->at < s->len && s->text[s->at] != '\n')
            s->text[s->at++] = ' ';
        return true;
    }
    if (peek(s, 1) != '*')
        return fault_at(s, start, "unexpected character");
    for (size_t i = start + 2; i + 1 < s->len; i++) {
        if (s->text[i] != '*' || s->text[i + 1] != '/')
            continue;
        for (; s->at < i + 2; s->at++)
            if (s->text[s->at] != '\n')
                s->text[s->at] = ' ';
        return true;
    }
    return fault_at(s, start, "a comment that is not closed");
}

static bool scan_open(struct scan *s)
{
    if (s->depth == TEXT_DEPTH)
        return fault_at(s, s->at, "nested deeper than 32 levels");
    s->depth++;
    s->at++;
    return true;
}

static bool scan_close(struct scan *s)
{
    if (s->depth == 0)
        return fault_at(s, s->at, "closes what was never opened");
    s->depth--;
    s->at++;
    return true;
}

/* One value, key or punctuation mark. */
static bool scan_token(struct scan *s)
{
    if (s->finished)
        return fault_at(s, s->at, "text after the end of the document");
    char c = s->text[s->at];
    bool good;
    if (c == '{' || c == '[')
        good = scan_open(s);
    else if (c == '}' || c == ']')
        good = scan_close(s);
    else if (c == ':' || c == ',')
        return s->at++, true;
    else if (c == '"')
        good = scan_string(s);
    else if (c == '-' || is_digit(c))
        good = scan_number(s);
    else
        good = scan_word(s);
    if (!good)
        return false;
    if (++s->values > TEXT_VALUES)
        return fault_at(s, s->at, "more values than any document may have");
    s->finished = s->depth == 0;
    return true;
}

static bool scan_utf8(struct scan *s)
{
    for (size_t i = 0; i < s->len;) {
        size_t n = utf8_len((const uint8_t *)s->text + i, s->len - i);
        if (n == 0)
            return fault_at(s, i, "a byte that is not UTF-8");
        i += n;
    }
    return true;
}

bool json_text_check(char *text, size_t len, bool comments,
                     struct json_text_fault *f)
{
    struct scan s = { .len = len, .comments = comments, .fault = f };
    s.text = text;
    if (!scan_utf8(&s))
        return false;
    while (s.at < s.len) {
        char c = s.text[s.at];
        bool good = true;
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
            s.at++;
        else if (c == '/' && s.comments)
            good = scan_comment(&s);
        else
            good = scan_token(&s);
        if (!good)
            return false;
    }
    if (!s.finished)
        return fault_at(&s, len, "the text ends too early");
    return true;
}

void json_text_place(const char *text, size_t at, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if (((uint8_t)text[i] & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}
