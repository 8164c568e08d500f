// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_CREDENTIALS_H
#define OBJSTORE_CREDENTIALS_H

/*
 * Where S3 keys come from: a credentials file of ours, else the places where
 * AWS's tools look, in their order.  Private to objstore/.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/secret.h"

struct obj_credentials {
    char *access_key;      /* owned */
    struct secret *secret; /* the secret access key; owned */
    struct secret *token;  /* session token, or NULL; owned */
    int64_t expires;       /* unix seconds; 0: nothing is known of an end */
    char *origin;          /* for messages: "the environment"; owned */
};

/* Reads {"access_key_id", "secret_access_key", "session_token"?} at `file`;
 * with NULL the first that is configured of: the environment
 * (AWS_ACCESS_KEY_ID, ...), a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and
 * AWS_ROLE_ARN), the profile (AWS_PROFILE, else "default") in
 * AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, a container's endpoint
 * (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI), the machine's instance
 * metadata.  Some of them run a program or ask a server: that takes from
 * milliseconds to a minute, and nobody's lock should be held; a request of
 * `cancel` (may be NULL) ends it at once with ERR_CANCELLED.  out is
 * overwritten and belongs to the caller.  Any thread.  -1: ERR_DENIED (none
 * found, refused, expired, or an answer that makes no sense), ERR_CONFIG (they
 * are incomplete or malformed), ERR_UNREACHABLE and ERR_TIMEOUT (a server that
 * is configured does not answer), ERR_FAILED (a program failed), ERR_IO.
 * Source: the guide "AWS SDKs and Tools Reference". */
int obj_credentials_load(const char *file, const struct cancel *cancel,
                         struct obj_credentials *out, struct err *e)
    __attribute__((warn_unused_result));
void obj_credentials_fini(struct obj_credentials *c); /* zeroed is fine */
#define AUTO_OBJ_CREDENTIALS AUTO(obj_credentials_fini)

/* True where both would sign alike. */
bool obj_credentials_equal(const struct obj_credentials *a,
                           const struct obj_credentials *b);

/* malloc'd region: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1.
 * NULL: ERR_NOMEM, ERR_CONFIG, ERR_IO. */
char *obj_credentials_region(struct err *e);

/* A variable of the environment; NULL where it is not set or empty. */
const char *obj_credentials_variable(const char *name);

/* The endpoint that the environment names for a service ("S3", "STS"):
 * AWS_ENDPOINT_URL_<service>, AWS_ENDPOINT_URL; NULL: none. */
const char *obj_credentials_endpoint(const char *service);

#endif
