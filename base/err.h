// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * The error model of the whole program: a function returns 0 or a useful
 * value, or -1 (NULL) and fills the caller's struct err.  Context is added on
 * the way up; the text is printed once, at the top.
 */
#include <stdint.h>

/* What code may branch on.  cli/ maps each kind to an exit code and to the
 * "code" of a JSON error. */
enum err_kind {
    ERR_NONE = 0,
    ERR_FAILED,       /* none of the others fits */
    ERR_NOMEM,        /* out of memory */
    ERR_USAGE,        /* wrong option, argument or combination of them */
    ERR_CONFIG,       /* a configuration file is wrong */
    ERR_IO,           /* a local file or device failed; sys holds errno */
    ERR_EXISTS,       /* there already */
    ERR_NOTFOUND,     /* repository, point, VM, file or object is not there */
    ERR_DENIED,       /* credentials, policy, certificate */
    ERR_LOCKED,       /* immutability forbids it */
    ERR_CORRUPT,      /* data does not verify */
    ERR_UNREACHABLE,  /* storage or key server does not answer */
    ERR_THROTTLED,    /* the server went on refusing for lack of capacity */
    ERR_TIMEOUT,      /* it answered too slowly */
    ERR_FULL,         /* no space is left where it should be written */
    ERR_QUOTA,        /* a quota that we hold to is reached */
    ERR_BUSY,         /* in use by somebody else */
    ERR_PRECONDITION, /* a condition of the request does not hold */
    ERR_UNSUPPORTED,  /* this server or this version cannot do it */
    ERR_CANCELLED,    /* interrupted by the user, or by another's failure */
    ERR_INTERNAL,     /* a bug */
};

/* One error, by value: lives on a stack or in a worker, never shared. */
struct err {
    enum err_kind kind;
    int sys;       /* errno, or 0 */
    int http;      /* HTTP status, or 0 */
    char msg[600]; /* outermost context first; never a secret */
};

/* Records an error, replacing what e held.  With sys != 0 the text of that
 * errno is appended.  Always -1, so that a failure path is one line. */
int err_set(struct err *e, enum err_kind kind, int sys, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));

/* Puts "context: " in front of e's text.  Always -1. */
int err_ctx(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Appends a hint to e's text, as "; hint".  Always -1. */
int err_hint(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Out of memory; always -1. */
int err_nomem(struct err *e) __attribute__((cold));

/* The errno of a failed local operation as a kind: ENOENT is ERR_NOTFOUND,
 * EACCES and EPERM ERR_DENIED, ENOSPC and EDQUOT ERR_FULL, EEXIST ERR_EXISTS,
 * ENOMEM ERR_NOMEM, the rest ERR_IO. */
enum err_kind err_of_errno(int sys);

/* Lower-case name of a kind ("not-found"): the "code" of a JSON error. */
const char *err_kind_name(enum err_kind kind);

#endif
