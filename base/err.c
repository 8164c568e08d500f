// SPDX-License-Identifier: Apache-2.0
/*
 * The error value: formatting, context in front, hints behind.  Every text is
 * built in a scratch buffer first, so that an argument may be the old message.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Sets e's text to a, sep and b; what does not fit is cut off.  a and b may not
 * lie in e. */
static void put_text(struct err *e, const char *a, const char *sep,
                     const char *b)
{
    const char *const parts[] = { a, sep, b };
    size_t at = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t n = strnlen(parts[i], sizeof(e->msg) - 1 - at);
        memcpy(e->msg + at, parts[i], n);
        at += n;
    }
    e->msg[at] = '\0';
}

int err_set(struct err *e, enum err_kind kind, int sys, const char *fmt, ...)
{
    char text[sizeof(e->msg)];
    char why[128];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    *e = (struct err){ .kind = kind, .sys = sys };
    if (sys != 0)
        put_text(e, text, ": ", strerror_r(sys, why, sizeof(why)));
    else
        put_text(e, text, "", "");
    return -1;
}

int err_ctx(struct err *e, const char *fmt, ...)
{
    char text[sizeof(e->msg)];
    char old[sizeof(e->msg)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    memcpy(old, e->msg, sizeof(old));
    put_text(e, text, ": ", old);
    return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
    char text[sizeof(e->msg)];
    char old[sizeof(e->msg)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    memcpy(old, e->msg, sizeof(old));
    put_text(e, old, "; ", text);
    return -1;
}

int err_nomem(struct err *e)
{
    return err_set(e, ERR_NOMEM, 0, "out of memory");
}

enum err_kind err_of_errno(int sys)
{
    switch (sys) {
    case ENOENT:
        return ERR_NOTFOUND;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case EEXIST:
        return ERR_EXISTS;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

const char *err_kind_name(enum err_kind kind)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",
        [ERR_FAILED] = "failed",
        [ERR_NOMEM] = "no-memory",
        [ERR_USAGE] = "usage",
        [ERR_CONFIG] = "config",
        [ERR_IO] = "io",
        [ERR_EXISTS] = "exists",
        [ERR_NOTFOUND] = "not-found",
        [ERR_DENIED] = "denied",
        [ERR_LOCKED] = "locked",
        [ERR_CORRUPT] = "corrupt",
        [ERR_UNREACHABLE] = "unreachable",
        [ERR_THROTTLED] = "throttled",
        [ERR_TIMEOUT] = "timeout",
        [ERR_FULL] = "full",
        [ERR_QUOTA] = "quota",
        [ERR_BUSY] = "busy",
        [ERR_PRECONDITION] = "precondition",
        [ERR_UNSUPPORTED] = "unsupported",
        [ERR_CANCELLED] = "cancelled",
        [ERR_INTERNAL] = "internal",
    };
    size_t at = (size_t)kind;

    if (at >= sizeof(names) / sizeof(names[0]) || names[at] == NULL)
        return names[ERR_INTERNAL];
    return names[at];
}
