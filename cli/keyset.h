// SPDX-License-Identifier: Apache-2.0
/* Private to cli/. */
#ifndef CLI_KEYSET_H
#define CLI_KEYSET_H

/* What the keyset commands share. */
#include "cli/unlock.h"

/* The members of a keyset, in an object that is begun. */
void cli_keyset_json(struct jsonw *w, const struct eng_keyset *k);

/* The repository, and the keyset of --keyset, open for reading; others stay
 * closed.  Borrowed until the list is read anew.  NULL: *e. */
const struct eng_keyset *cli_keyset_open(struct cli_ctx *c,
                                         struct cli_repo *repo,
                                         struct eng_key_ways *ways,
                                         struct err *e);

/* Reads the list anew, and finds it again.  NULL: *e. */
const struct eng_keyset *cli_keyset_again(struct cli_ctx *c,
                                          struct eng_repo *repo,
                                          const char name[MF_KEYSET_CHARS],
                                          struct err *e);

/* A password that is going to be set: of --new-password-file, or asked for
 * twice.  Owned by the caller; NULL: *e. */
struct secret *cli_keyset_new_password(struct cli_ctx *c, struct err *e);

#endif
