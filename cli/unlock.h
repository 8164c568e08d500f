// SPDX-License-Identifier: Apache-2.0
/* Private to cli/. */
#ifndef CLI_UNLOCK_H
#define CLI_UNLOCK_H

/*
 * What opens keysets in one run: the password of --password-file,
 * --password-command, OBJVAULT_PASSWORD or the terminal, in this order, and the
 * key servers that are configured.  The password is found once, when something
 * needs it, and belongs to the run.
 */
#include "base/secret.h"
#include "cli/cli.h"
#include "engine/repo/keyset_open.h"

/* Takes OBJVAULT_PASSWORD out of the environment, before anything else runs.
 * c->keys is there afterwards. */
int cli_unlock_init(struct cli_ctx *c, struct err *e)
    __attribute__((warn_unused_result));
void cli_unlock_fini(struct cli_ctx *c);

/* The password that is at hand, borrowed.  `question`: asked on a terminal
 * where none was given; NULL: nobody is asked.  `fresh`: it is going to be set,
 * and is asked for twice.  *out NULL: there is none. */
int cli_unlock_password(struct cli_ctx *c, const char *question, bool fresh,
                        const struct secret **out, struct err *e)
    __attribute__((warn_unused_result));

/* Where the password is if none was given: JSON, as a job has it
 * (base/secretref.h), borrowed until the run ends; it is found when something
 * needs it.  NULL: nowhere. */
void cli_unlock_refer(struct cli_ctx *c, const char *reference);

/* From now on nobody is asked for a password. */
void cli_unlock_never_ask(struct cli_ctx *c);

/* Opens for reading each keyset that can be.  A repository without keysets asks
 * for nothing.  ERR_DENIED: a password was given, and opens none of those that
 * have one; what else stays closed is for the commands to say. */
int cli_unlock_open(struct cli_ctx *c, struct eng_repo *repo, struct err *e)
    __attribute__((warn_unused_result));

/* Says on stderr of each keyset that is closed that its points `are` ("are not
 * shown"), and why; how many there are. */
size_t cli_unlock_say_closed(const struct eng_repo *repo, const char *are);

/* Adds to an error that is a key server's what else opens the keyset. */
void cli_unlock_hint(const struct cli_ctx *c, struct err *e);

/* A password from a file; where others can use the file there is a warning.
 * NULL: ERR_CONFIG, whatever is wrong with it. */
struct secret *cli_unlock_from_file(const char *path, struct err *e);

/* A configured key server; the run's.  NULL: ERR_NOTFOUND, ERR_CONFIG. */
struct eng_key_server;
struct eng_key_server *cli_unlock_server(struct cli_ctx *c, const char *name,
                                         struct err *e);

/* All key servers that are configured, borrowed until the run ends. */
int cli_unlock_servers(struct cli_ctx *c, struct eng_kms *const **out,
                       size_t *n, struct err *e)
    __attribute__((warn_unused_result));

/* All ways that are at hand, borrowed until the run ends. */
int cli_unlock_ways(struct cli_ctx *c, struct eng_repo *repo,
                    struct eng_key_ways *out, struct err *e)
    __attribute__((warn_unused_result));

/* What --encrypt and --keyset say, else the job that runs; zeroed before. */
struct cli_encrypt {
    const char *word;  /* of the job, in the place of --encrypt; or NULL */
    const char *label; /* ... of --keyset */
    struct eng_encrypt_opts o;
    struct eng_password password, recovery;
    struct secret *recovery_secret; /* owned */
    const char *recovery_file;      /* that was written and holds it */
    struct wrap_pkey *public_key;   /* owned; of --public-key */
    struct eng_pkey pkey;
    struct eng_key_way way, slots[3];
};
/* Reads the options and finds the password, or the key server, which makes a
 * key where the keyset is to be made; with --recovery-password-file, where the
 * keyset is to be made, writes the file. */
int cli_encrypt_read(struct cli_ctx *c, struct eng_repo *repo,
                     struct cli_encrypt *x, struct err *e)
    __attribute__((warn_unused_result));
/* cli_encrypt_read for a run, and where it is encrypted the keyset is opened or
 * made, before any VM is read: a wrong password is nobody's VM's fault. */
int cli_encrypt_begin(struct cli_ctx *c, struct eng_repo *repo,
                      struct cli_encrypt *x, struct err *e)
    __attribute__((warn_unused_result));
/* The same for a keyset of this label that must not be there yet
 * (ERR_EXISTS). */
int cli_encrypt_read_new(struct cli_ctx *c, struct eng_repo *repo,
                         const char *label, struct cli_encrypt *x,
                         struct err *e) __attribute__((warn_unused_result));
/* Ends it; removes recovery_file, unless the keyset was made and the caller has
 * set that to NULL. */
void cli_encrypt_fini(struct cli_encrypt *x);

/* Reads the public key of --public-key.  NULL: ERR_CONFIG, ERR_NOTFOUND. */
struct wrap_pkey *cli_public_key(struct cli_ctx *c, struct err *e);

/* Makes a recovery password and keeps it in a new file, which only the user may
 * read.  NULL: ERR_EXISTS, ... */
struct secret *cli_recovery_new(const char *file, struct err *e);

/* What was typed, as cli_recovery_new writes it: small letters, groups with
 * dashes between, and 0 and 1 for what looks like them.  *out NULL (0): it is
 * no recovery password, or is written so already; else the caller's. */
int cli_recovery_read(const struct secret *typed, struct secret **out,
                      struct err *e) __attribute__((warn_unused_result));

#endif
