// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_CREDENTIALS_SOURCE_H
#define OBJSTORE_CREDENTIALS_SOURCE_H

/*
 * Private to credentials*.c: the sources of keys, and what they share.
 *
 * A source is used as a whole: it fills *out (zeroed by the caller, who also
 * frees it after a failure) and returns 0; 1 where it is not configured, with
 * a phrase for the list of what was looked at in e; -1 with e filled.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"
#include "objstore/credentials.h"
#include "objstore/http.h"

#define OBJ_CREDENTIALS_ID_MAX 256
#define OBJ_CREDENTIALS_SECRET_MAX 256
#define OBJ_CREDENTIALS_TOKEN_MAX (16u << 10)
#define OBJ_CREDENTIALS_ANSWER_MAX (64u << 10)

int obj_credentials_from_file(const char *file, const struct cancel *cancel,
                              struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));
int obj_credentials_from_environment(const struct cancel *cancel,
                                     struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));
int obj_credentials_from_web_identity(const struct cancel *cancel,
                                      struct obj_credentials *out,
                                      struct err *e)
    __attribute__((warn_unused_result));
int obj_credentials_from_profile(const struct cancel *cancel,
                                 struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));
int obj_credentials_from_container(const struct cancel *cancel,
                                   struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));
int obj_credentials_from_imds(const struct cancel *cancel,
                              struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));

/* The keys that a program prints; command is split as a shell would split it,
 * but nothing is expanded and no shell runs. */
int obj_credentials_from_process(const char *command,
                                 const struct cancel *cancel,
                                 struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));

/* Takes over copies of texts; token may be NULL or "".  -1: ERR_NOMEM. */
int obj_credentials_set(const char *id, const char *secret, const char *token,
                        struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));

/* Phrases e as "not configured", as a source's 1. */
int obj_credentials_absent(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Who wrote a JSON answer. */
enum obj_credentials_writer {
    OBJ_CREDENTIALS_BY_PROCESS,  /* has a Version, calls it SessionToken */
    OBJ_CREDENTIALS_BY_ENDPOINT, /* perhaps a Code, calls it Token */
};

/* Reads AccessKeyId, SecretAccessKey, the token and Expiration from an answer
 * of a program, a container's endpoint or instance metadata; sets all of out
 * but origin.  Other fields are passed over.  -1: ERR_DENIED (it makes no
 * sense, or says that there are no keys), ERR_NOMEM; out may be filled in
 * part.  The text holds nothing of the answer but its error code. */
int obj_credentials_decode(struct span text, enum obj_credentials_writer by,
                           struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));

/* Words of a command line by the rules of Python's shlex, which AWS's own tools
 * use: blanks separate, quotes and backslashes join.  argv (room for max and a
 * NULL) points into text, which is changed.  -1: ERR_CONFIG. */
int obj_credentials_split(char *text, const char **argv, size_t max,
                          struct err *e) __attribute__((warn_unused_result));

/* One request to whoever gives out keys; a busy server (429, 5xx) is asked up
 * to three times within a second.  0 where an answer came, whatever its status;
 * -1: ERR_UNREACHABLE, ERR_TIMEOUT, ERR_DENIED (certificate, or the answer is
 * too large), ERR_CANCELLED (r->cancel), ERR_NOMEM. */
int obj_credentials_fetch(struct obj_http *http,
                          const struct obj_http_request *r, int *status,
                          struct err *e) __attribute__((warn_unused_result));

/* Reads a file that holds one token, without blanks around it; it may change
 * at any time, so nobody keeps it.  NULL: ERR_CONFIG (empty, too large, not one
 * line), ERR_NOTFOUND, ERR_IO. */
struct secret *obj_credentials_token_file(const char *path, struct err *e);

/* A role that somebody takes on. */
struct obj_credentials_role {
    const char *arn;
    const char *session;        /* name in the provider's logs; NULL: ours */
    const char *external_id;    /* or NULL */
    const char *duration;       /* seconds; NULL: the server's default */
    const struct secret *token; /* web identity; NULL: signed by `by` */
};

/* Asks STS (AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, else AWS in the region of
 * the environment or profile) for the keys of a role; `by` signs, or is NULL
 * with a web identity.  Sets all of out but origin.  Source: the AWS STS API
 * reference, AssumeRole and AssumeRoleWithWebIdentity. */
int obj_credentials_assume(const struct obj_credentials_role *role,
                           const struct obj_credentials *by,
                           const struct cancel *cancel,
                           struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));

/* Reads STS's answer to the action; the same promises as the decoder's. */
int obj_credentials_decode_sts(struct span xml, const char *action,
                               struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));

/* A web identity's token file and role, from wherever they were configured. */
int obj_credentials_by_token_file(const char *path,
                                  const struct obj_credentials_role *role,
                                  const struct cancel *cancel,
                                  struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));

#endif
