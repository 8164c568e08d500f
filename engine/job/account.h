// SPDX-License-Identifier: Apache-2.0
/* Private to engine/job/. */
#ifndef ENGINE_JOB_ACCOUNT_H
#define ENGINE_JOB_ACCOUNT_H

/* What is kept of credentials/NAME.json: secrets are read where they are
 * used. */
#include <stdlib.h>

struct eng_account {
    char *user; /* in guests; NULL: the file has keys of an S3 server only */
};

static inline void eng_account_fini(struct eng_account *a)
{
    free(a->user);
    a->user = NULL;
}

#endif
