// SPDX-License-Identifier: Apache-2.0
/*
 * Decodes a time zone file.  It has two parts of one form, the first with
 * 32-bit times for old readers, which is passed over; then, on a line of its
 * own, the rule for the time behind its table.
 */
#include "engine/calendar/tzif.h"

#include "base/checked.h"

#define HEADER_BYTES 44
#define COUNTS_AT 20       /* six 32-bit numbers */
#define OFFSET_LIMIT 93600 /* 26 h, which no zone has and no file may */

/* How many of what a part holds, in the order of its header. */
struct counts {
    uint32_t universal, standard, leap, times, types, chars;
};

static int damaged(struct err *e)
{
    return err_set(e, ERR_CORRUPT, 0, "not a time zone file");
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static int64_t be64(const uint8_t *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* Takes n bytes off the front of s; false where there are fewer. */
static bool take(struct span *s, uint64_t n, const uint8_t **p)
{
    if (n > s->len)
        return false;
    *p = s->p;
    s->p += n;
    s->len -= n;
    return true;
}

static bool take_header(struct span *s, struct counts *c, uint8_t *version)
{
    const uint8_t *p = NULL;

    if (!take(s, HEADER_BYTES, &p) || memcmp(p, "TZif", 4) != 0)
        return false;
    *version = p[4];
    c->universal = be32(p + COUNTS_AT);
    c->standard = be32(p + COUNTS_AT + 4);
    c->leap = be32(p + COUNTS_AT + 8);
    c->times = be32(p + COUNTS_AT + 12);
    c->types = be32(p + COUNTS_AT + 16);
    c->chars = be32(p + COUNTS_AT + 20);
    return true;
}

/* Sums of 32-bit counts times a few bytes fit 64 bits. */
static bool pass_old_part(struct span *s, const struct counts *c)
{
    const uint8_t *p = NULL;

    return take(s,
                (uint64_t)c->times * 5 + (uint64_t)c->types * 6 + c->chars +
                    (uint64_t)c->leap * 8 + c->standard + c->universal,
                &p);
}

/* Of type i in a table of 6-byte types: its offset; false where there is no
 * such type, or no zone can have it. */
static bool type_offset(const uint8_t *types, const struct counts *c,
                        uint32_t i, int32_t *offset_s)
{
    if (i >= c->types)
        return false;
    *offset_s = (int32_t)be32(types + (size_t)i * 6);
    return *offset_s > -OFFSET_LIMIT && *offset_s < OFFSET_LIMIT;
}

static int take_steps(struct span *s, const struct counts *c,
                      struct eng_tz *out, struct err *e)
{
    const uint8_t *times = NULL;
    const uint8_t *indices = NULL;
    const uint8_t *types = NULL;
    const uint8_t *rest = NULL;

    if (!take(s, (uint64_t)c->times * 8, &times) ||
        !take(s, c->times, &indices) ||
        !take(s, (uint64_t)c->types * 6, &types) ||
        !take(s, c->chars + (uint64_t)c->leap * 12 + c->standard + c->universal,
              &rest) ||
        !type_offset(types, c, 0, &out->before_s))
        return damaged(e);
    out->steps = calloc(c->times > 0 ? c->times : 1, sizeof(*out->steps));
    if (out->steps == NULL)
        return err_nomem(e);
    out->n = c->times;
    for (size_t i = 0; i < out->n; i++) {
        struct eng_tz_step *step = &out->steps[i];
        step->at = be64(times + i * 8);
        if (!type_offset(types, c, indices[i], &step->offset_s) ||
            (i > 0 && step->at <= step[-1].at))
            return damaged(e);
    }
    return 0;
}

/* The last line: newline, rule (or nothing), newline. */
static int take_rule(struct span s, struct eng_tz *out, struct err *e)
{
    if (s.len < 2 || s.p[0] != '\n' || s.p[s.len - 1] != '\n')
        return damaged(e);
    if (s.len == 2)
        return 0;
    if (!eng_tz_rule_parse(span_of(s.p + 1, s.len - 2), &out->rule))
        return damaged(e);
    return 0;
}

static int decode(struct span s, struct eng_tz *out, struct err *e)
{
    struct counts c = { 0 };
    uint8_t version = 0;

    if (!take_header(&s, &c, &version))
        return damaged(e);
    if (version < '2')
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "a time zone file without 64-bit times");
    if (!pass_old_part(&s, &c) || !take_header(&s, &c, &version))
        return damaged(e);
    if (c.leap > 0)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "a time zone file that counts leap seconds");
    if (take_steps(&s, &c, out, e) < 0)
        return -1;
    return take_rule(s, out, e);
}

int eng_tz_decode(struct span bytes, struct eng_tz *out, struct err *e)
{
    *out = (struct eng_tz){ 0 };
    if (decode(bytes, out, e) == 0)
        return 0;
    eng_tz_fini(out);
    return -1;
}

void eng_tz_fini(struct eng_tz *z)
{
    free(z->steps);
    *z = (struct eng_tz){ 0 };
}

int32_t eng_tz_offset(const struct eng_tz *z, int64_t t, int64_t *next)
{
    size_t low = 0; /* steps at or before t */
    size_t high = z->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (z->steps[mid].at <= t)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == z->n && z->rule.present)
        return eng_tz_rule_offset(&z->rule, t, next);
    *next = low < z->n ? z->steps[low].at : INT64_MAX;
    return low > 0 ? z->steps[low - 1].offset_s : z->before_s;
}
