// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_PROFILE_H
#define OBJSTORE_PROFILE_H

/* Private to objstore/: the profile files that AWS's tools share. */
#include <stdbool.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"

/* What is known of one profile; all owned, NULL where not given, wiped when
 * freed (a command line may hold a password, too). */
struct obj_profile {
    char *access_key;
    char *secret;
    char *token;
    char *region;
    char *process; /* credential_process, as it stands */
    char *role_arn;
    char *source_profile;
    char *credential_source;
    char *token_file; /* web_identity_token_file */
    char *external_id;
    char *session_name; /* role_session_name */
    char *duration;     /* duration_seconds */
    char *mfa_serial;
    char *sso_session;
    char *sso_start_url;
    bool found;      /* a section of that name is there */
    bool keys_known; /* a file had keys: the next one adds none to them */
};

void obj_profile_fini(struct obj_profile *p);
#define AUTO_OBJ_PROFILE AUTO(obj_profile_fini)

/* Adds what text says about the profile `name` to p; what p has already stays.
 * In the config file sections are called [profile NAME], but [default]. */
int obj_profile_parse(struct span text, bool config_file, const char *name,
                      struct obj_profile *p, struct err *e)
    __attribute__((warn_unused_result));

/* The profile's name: AWS_PROFILE, else "default"; borrowed. */
const char *obj_profile_chosen(void);

/* Reads the profile `name` from both files, of which either may be missing.
 * Keys are those of one file.  p is overwritten; -1: ERR_CONFIG, ERR_IO,
 * ERR_NOMEM, and p is empty. */
int obj_profile_load(struct obj_profile *p, const char *name, struct err *e)
    __attribute__((warn_unused_result));

#endif
