// SPDX-License-Identifier: Apache-2.0
/* Names in lower case, and a part of them. */
#include "engine/inventory/find.h"

#include <string.h>
#include <wctype.h>

#include "base/buf.h"
#include "base/utf8.h"

void eng_find_fini(struct eng_find *f)
{
    if (f->locale != NULL)
        freelocale(f->locale);
    free(f->part);
    *f = (struct eng_find){ 0 };
}

/* The code point of a well-formed sequence of n bytes. */
static uint32_t decode(const uint8_t *p, size_t n)
{
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

static void encode(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_append_char(out, (char)c);
        return;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3; /* bytes behind */
    uint32_t head = (0xf00u >> more & 0xff) | c >> (6 * more);
    buf_append_char(out, (char)head);
    while (more-- > 0)
        buf_append_char(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

/* Bytes that are not UTF-8 stay as they are. */
static int lower(locale_t locale, const char *text, struct buf *out,
                 struct err *e)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t left = strlen(text);

    while (left > 0) {
        size_t n = utf8_len(p, left);
        if (n == 0) {
            n = 1;
            buf_append(out, p, 1);
        } else {
            encode(out, (uint32_t)towlower_l((wint_t)decode(p, n), locale));
        }
        p += n;
        left -= n;
    }
    (void)buf_cstr(out);
    return buf_check(out, e);
}

int eng_find_init(struct eng_find *f, const char *part, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(SIZE_MAX / 2);

    *f = (struct eng_find){ .locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", 0) };
    if (f->locale == NULL)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "the C library has no locale C.UTF-8");
    if (lower(f->locale, part, &text, e) < 0)
        return -1;
    f->part = strdup(buf_cstr(&text));
    return f->part != NULL ? 0 : err_nomem(e);
}

static int has_part(const struct eng_find *f, const char *name, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(SIZE_MAX / 2);

    if (lower(f->locale, name, &text, e) < 0)
        return -1;
    return strstr(buf_cstr(&text), f->part) != NULL;
}

int eng_find_container(const struct eng_find *f, const struct eng_container *c,
                       struct err *e)
{
    return has_part(f, c->name, e);
}

int eng_find_vm(const struct eng_find *f, const struct eng_vm *vm,
                struct err *e)
{
    int r = has_part(f, vm->name, e);

    for (size_t i = 0; r == 0 && i < vm->n_containers; i++)
        r = has_part(f, vm->containers[i].name, e);
    return r;
}
