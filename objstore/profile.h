// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_PROFILE_H
#define OBJSTORE_PROFILE_H

/* Private to objstore/: the profile files that AWS's tools share. */
#include <stdbool.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"

/* What is known of one profile; all owned, NULL where not given. */
struct obj_profile {
    char *access_key;
    char *secret; /* wiped when freed */
    char *token;  /* wiped when freed */
    char *region;
    bool found;   /* a section of that name is there */
    bool foreign; /* keys by ways not supported: role, process, sign-on */
};

void obj_profile_fini(struct obj_profile *p);
#define AUTO_OBJ_PROFILE AUTO(obj_profile_fini)

/* Adds what text says about the profile `name` to p; what p has already stays.
 * In the config file sections are called [profile NAME], but [default]. */
int obj_profile_parse(struct span text, bool config_file, const char *name,
                      struct obj_profile *p, struct err *e)
    __attribute__((warn_unused_result));

/* Reads the profile that the environment chooses, from both files, of which
 * either may be missing.  name_out: borrowed from the environment. */
int obj_profile_load(struct obj_profile *p, const char **name_out,
                     struct err *e) __attribute__((warn_unused_result));

#endif
