// SPDX-License-Identifier: Apache-2.0
/* Private to cli/commands.c. */
#ifndef CLI_USES_H
#define CLI_USES_H

/* Which options each command takes. */
#include "cli/commands.h"

/* Of each command that opens keysets. */
#define PASSWORD_USES                                                          \
    { CLI_OPT_PASSWORD_FILE, false }, { CLI_OPT_PASSWORD_COMMAND, false },     \
    {                                                                          \
        CLI_OPT_PRIVATE_KEY, false                                             \
    }

#define USES(list) .uses = (list), .n_uses = sizeof(list) / sizeof((list)[0])

static const struct cli_use create_uses[] = {
    { CLI_OPT_ENDPOINT, false },    { CLI_OPT_REGION, false },
    { CLI_OPT_DRIVER, false },      { CLI_OPT_CA, false },
    { CLI_OPT_CREDENTIALS, false }, { CLI_OPT_CREATE_BUCKET, false },
    { CLI_OPT_BLOCK_SIZE, false },  { CLI_OPT_ADDRESSING, false },
    { CLI_OPT_PAYLOAD, false },     { CLI_OPT_MAX_CLOCK_SKEW, false },
    { CLI_OPT_IMMUTABLE, false },   { CLI_OPT_LOCK_MODE, false },
    { CLI_OPT_GENERATION, false },  { CLI_OPT_IMMUTABLE_SCOPE, false },
    { CLI_OPT_QUOTA, false },       { CLI_OPT_QUOTA_HARD, false },
};
static const struct cli_use set_uses[] = { { CLI_OPT_IMMUTABLE, false },
                                           { CLI_OPT_QUOTA, false },
                                           { CLI_OPT_QUOTA_HARD, false } };
static const struct cli_use attach_uses[] = {
    { CLI_OPT_ENDPOINT, false },    { CLI_OPT_REGION, false },
    { CLI_OPT_DRIVER, false },      { CLI_OPT_CA, false },
    { CLI_OPT_CREDENTIALS, false }, { CLI_OPT_ADDRESSING, false },
    { CLI_OPT_PAYLOAD, false },     { CLI_OPT_MAX_CLOCK_SKEW, false },
    { CLI_OPT_QUOTA, false },       { CLI_OPT_QUOTA_HARD, false },
};
static const struct cli_use backup_uses[] = {
    { CLI_OPT_REPO, false },
    { CLI_OPT_VM, false },
    { CLI_OPT_FULL, false },
    { CLI_OPT_SYNTHETIC_FULL, false },
    { CLI_OPT_UPLOAD, false },
    { CLI_OPT_COMPRESSION, false },
    { CLI_OPT_ENCRYPT, false },
    { CLI_OPT_RETENTION, false },
    { CLI_OPT_KEYSET, false },
    { CLI_OPT_PASSWORD_HINT, false },
    { CLI_OPT_RECOVERY_FILE, false },
    { CLI_OPT_PUBLIC_KEY, false },
    PASSWORD_USES,
    { CLI_OPT_GFS, false },
    { CLI_OPT_TIMEZONE, false },
    { CLI_OPT_LIMIT_UPLOAD, false },
    { CLI_OPT_MEMORY, false },
    { CLI_OPT_ADOPT, false },
    { CLI_OPT_DRY_RUN_BACKUP, false },
};
static const struct cli_use check_uses[] = {
    { CLI_OPT_LEVEL_CHECK, false },
    { CLI_OPT_SAMPLE, false },
    { CLI_OPT_REPAIR, false },
    { CLI_OPT_FROM, false },
    { CLI_OPT_MEMORY, false },
    { CLI_OPT_LIMIT_DOWNLOAD, false },
    PASSWORD_USES,
};
static const struct cli_use locks_uses[] = { { CLI_OPT_VERIFY, false },
                                             { CLI_OPT_SAMPLE_LOCKS, false },
                                             PASSWORD_USES };
static const struct cli_use gc_uses[] = { { CLI_OPT_WAIT, false },
                                          { CLI_OPT_YES, false },
                                          { CLI_OPT_DRY_RUN, false },
                                          PASSWORD_USES };
static const struct cli_use estimate_uses[] = { { CLI_OPT_CHANGE, false },
                                                { CLI_OPT_DAYS, false },
                                                { CLI_OPT_KEYSET_ONLY, false },
                                                PASSWORD_USES };
static const struct cli_use stats_uses[] = { PASSWORD_USES };
static const struct cli_use leases_uses[] = { { CLI_OPT_BREAK, false },
                                              { CLI_OPT_YES, false },
                                              { CLI_OPT_DRY_RUN, false },
                                              PASSWORD_USES };
static const struct cli_use recover_uses[] = { { CLI_OPT_AS_OF, false },
                                               { CLI_OPT_YES, false },
                                               { CLI_OPT_DRY_RUN, false },
                                               PASSWORD_USES };
static const struct cli_use point_uses[] = { { CLI_OPT_REPO, false },
                                             PASSWORD_USES };
static const struct cli_use list_uses[] = { { CLI_OPT_REPO, false },
                                            { CLI_OPT_VM_FILTER, false },
                                            PASSWORD_USES };
static const struct cli_use verify_uses[] = { { CLI_OPT_REPO, false },
                                              { CLI_OPT_LEVEL, false },
                                              { CLI_OPT_ALLOW_COMPROMISED,
                                                false },
                                              PASSWORD_USES };
static const struct cli_use delete_uses[] = { { CLI_OPT_REPO, false },
                                              { CLI_OPT_YES, false },
                                              { CLI_OPT_DRY_RUN, false },
                                              PASSWORD_USES };
static const struct cli_use disk_uses[] = {
    { CLI_OPT_TO_FILE, true },
    { CLI_OPT_REPO, false },
    { CLI_OPT_FORMAT, false },
    { CLI_OPT_LIMIT_DOWNLOAD, false },
    { CLI_OPT_FORCE, false },
    { CLI_OPT_ALLOW_COMPROMISED, false },
    PASSWORD_USES,
};
static const struct cli_use vm_uses[] = { { CLI_OPT_TO_DIR, true },
                                          { CLI_OPT_REPO, false },
                                          { CLI_OPT_FORCE, false },
                                          { CLI_OPT_ALLOW_COMPROMISED, false },
                                          PASSWORD_USES };

static const struct cli_use kms_add_uses[] = {
    { CLI_OPT_SERVER, true },        { CLI_OPT_KMS_CA, true },
    { CLI_OPT_CERT, true },          { CLI_OPT_KEY, true },
    { CLI_OPT_KMIP_VERSION, false }, { CLI_OPT_KMS_MODE, false },
    { CLI_OPT_PIN, false },          { CLI_OPT_USER, false },
    { CLI_OPT_TIMEOUT, false },      { CLI_OPT_KMS_PASSWORD_FILE, false },
};
static const struct cli_use keyset_list_uses[] = { { CLI_OPT_REPO, false },
                                                   PASSWORD_USES };
static const struct cli_use keyset_show_uses[] = { { CLI_OPT_REPO, false },
                                                   { CLI_OPT_KEYSET, false },
                                                   PASSWORD_USES };
static const struct cli_use keyset_create_uses[] = {
    { CLI_OPT_ENCRYPT, false },       { CLI_OPT_REPO, false },
    { CLI_OPT_PASSWORD_HINT, false }, { CLI_OPT_RECOVERY_FILE, false },
    { CLI_OPT_PUBLIC_KEY, false },    PASSWORD_USES,
};
static const struct cli_use keyset_add_uses[] = {
    { CLI_OPT_REPO, false },
    { CLI_OPT_KEYSET, false },
    { CLI_OPT_NEW_PASSWORD_FILE, false },
    { CLI_OPT_PASSWORD_HINT, false },
    { CLI_OPT_RECOVERY_FILE, false },
    { CLI_OPT_KMS, false },
    { CLI_OPT_PUBLIC_KEY, false },
    PASSWORD_USES,
};
static const struct cli_use keyset_remove_uses[] = {
    { CLI_OPT_REPO, false }, { CLI_OPT_KEYSET, false },
    { CLI_OPT_YES, false },  { CLI_OPT_DRY_RUN, false },
    PASSWORD_USES,
};
static const struct cli_use keyset_change_uses[] = {
    { CLI_OPT_REPO, false },          { CLI_OPT_KEYSET, false },
    { CLI_OPT_SLOT, false },          { CLI_OPT_NEW_PASSWORD_FILE, false },
    { CLI_OPT_PASSWORD_HINT, false }, PASSWORD_USES,
};

static const struct cli_use keyset_rotate_uses[] = {
    { CLI_OPT_REPO, false },          { CLI_OPT_KEYSET, false },
    { CLI_OPT_NEW_DATA_KEY, false },  { CLI_OPT_NEW_PASSWORD_FILE, false },
    { CLI_OPT_RECOVERY_FILE, false }, { CLI_OPT_YES, false },
    { CLI_OPT_DRY_RUN, false },       PASSWORD_USES,
};

static const struct cli_use find_uses[] = {
    { CLI_OPT_SOURCE, false },
};

static const struct cli_use bench_uses[] = {
    { CLI_OPT_SIZES, false },   { CLI_OPT_CONNECTIONS, false },
    { CLI_OPT_SECONDS, false }, { CLI_OPT_TOTAL, false },
    { CLI_OPT_MEMORY, false },
};

#endif
