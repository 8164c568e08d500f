// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_CREDENTIALS_H
#define OBJSTORE_CREDENTIALS_H

/*
 * Where S3 keys come from: a credentials file of ours, else the environment,
 * else the profile files of AWS's tools.  Private to objstore/.
 */
#include <stdbool.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/secret.h"

struct obj_credentials {
    char *access_key;      /* owned */
    struct secret *secret; /* the secret access key; owned */
    struct secret *token;  /* session token, or NULL; owned */
    char *origin;          /* for messages: "the environment"; owned */
};

/* Reads {"access_key_id", "secret_access_key", "session_token"?} at `file`;
 * with NULL the environment (AWS_ACCESS_KEY_ID, ...), then the profile
 * (AWS_PROFILE, else "default") in AWS_SHARED_CREDENTIALS_FILE and
 * AWS_CONFIG_FILE.  out is overwritten and belongs to the caller.  -1:
 * ERR_DENIED (none found), ERR_CONFIG (they are incomplete or malformed),
 * ERR_IO. */
int obj_credentials_load(const char *file, struct obj_credentials *out,
                         struct err *e) __attribute__((warn_unused_result));
void obj_credentials_fini(struct obj_credentials *c); /* zeroed is fine */
#define AUTO_OBJ_CREDENTIALS AUTO(obj_credentials_fini)

/* True where both would sign alike. */
bool obj_credentials_equal(const struct obj_credentials *a,
                           const struct obj_credentials *b);

/* malloc'd region: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1.
 * NULL: ERR_NOMEM, ERR_CONFIG, ERR_IO. */
char *obj_credentials_region(struct err *e);

#endif
