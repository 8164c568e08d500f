// SPDX-License-Identifier: Apache-2.0
/* Private to cli/. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/*
 * The one table of commands, options, arguments and help texts (table_*.c). The
 * parser,
 * --help, the manual page and the shell completion all read it; nothing about
 * a command's surface is said anywhere else.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cli_ctx; /* cli/cli.h */

/* What a value is: how it is parsed, and what completes it. */
enum cli_value {
    CLI_FLAG,     /* an option without a value */
    CLI_COUNT,    /* the same, may be given more than once */
    CLI_TEXT,     /* anything */
    CLI_PATH,     /* a file or folder */
    CLI_FOLDER,   /* a folder */
    CLI_REPO,     /* a configured repository's name */
    CLI_KMS,      /* a configured key server's name */
    CLI_ENCRYPT,  /* none, password or kms:NAME */
    CLI_SOURCE,   /* a configured source's name */
    CLI_JOB,      /* a configured job's name */
    CLI_WORD,     /* one of `words` */
    CLI_SIZE,     /* bytes: 256K, 4M, 1G */
    CLI_DURATION, /* seconds: 30s, 12h, 7d */
    CLI_NUMBER,   /* a plain number */
};

/* Global options first: they may stand anywhere. */
enum cli_opt {
    CLI_OPT_HOME,
    CLI_OPT_STATE,
    CLI_OPT_JSON,
    CLI_OPT_QUIET,
    CLI_OPT_VERBOSE,
    CLI_OPT_NO_PROGRESS,
    CLI_OPT_PROGRESS_JSON,
    CLI_OPT_PROGRESS_EVERY,
    CLI_OPT_LOG_JSON,
    CLI_OPT_HELP,
    CLI_OPT_VERSION,
    CLI_OPT_GLOBALS, /* how many there are */

    CLI_OPT_ENDPOINT = CLI_OPT_GLOBALS,
    CLI_OPT_REGION,
    CLI_OPT_DRIVER,
    CLI_OPT_ADDRESSING,
    CLI_OPT_PAYLOAD,
    CLI_OPT_CA,
    CLI_OPT_CREDENTIALS,
    CLI_OPT_MAX_CLOCK_SKEW,
    CLI_OPT_QUOTA,
    CLI_OPT_QUOTA_HARD,
    CLI_OPT_CREATE_BUCKET,
    CLI_OPT_BLOCK_SIZE,
    CLI_OPT_REPO,
    CLI_OPT_SOURCE,
    CLI_OPT_VM,
    CLI_OPT_VM_FILTER,
    CLI_OPT_IMMUTABLE,
    CLI_OPT_LOCK_MODE,
    CLI_OPT_IMMUTABLE_SCOPE,
    CLI_OPT_GENERATION,
    CLI_OPT_FULL,
    CLI_OPT_SYNTHETIC_FULL,
    CLI_OPT_UPLOAD,
    CLI_OPT_COMPRESSION,
    CLI_OPT_ENCRYPT,
    CLI_OPT_KEYSET,
    CLI_OPT_KEYSET_ONLY,
    CLI_OPT_PASSWORD_HINT,
    CLI_OPT_PUBLIC_KEY,
    CLI_OPT_PRIVATE_KEY,
    CLI_OPT_PASSWORD_FILE,
    CLI_OPT_PASSWORD_COMMAND,
    CLI_OPT_ALLOW_COMPROMISED,
    CLI_OPT_KEYS_OF_JOBS,
    CLI_OPT_RECOVERY_FILE,
    CLI_OPT_NEW_PASSWORD_FILE,
    CLI_OPT_SLOT,
    CLI_OPT_NEW_DATA_KEY,
    CLI_OPT_KMS,
    CLI_OPT_SERVER,
    CLI_OPT_KMS_CA,
    CLI_OPT_CERT,
    CLI_OPT_KEY,
    CLI_OPT_KMIP_VERSION,
    CLI_OPT_KMS_MODE,
    CLI_OPT_PIN,
    CLI_OPT_USER,
    CLI_OPT_KMS_PASSWORD_FILE,
    CLI_OPT_TIMEOUT,
    CLI_OPT_RETENTION,
    CLI_OPT_GFS,
    CLI_OPT_TIMEZONE,
    CLI_OPT_LIMIT_UPLOAD,
    CLI_OPT_MEMORY,
    CLI_OPT_ADOPT,
    CLI_OPT_DRY_RUN_BACKUP,
    CLI_OPT_DRY_RUN,
    CLI_OPT_YES,
    CLI_OPT_LEVEL,
    CLI_OPT_LEVEL_CHECK,
    CLI_OPT_SAMPLE,
    CLI_OPT_VERIFY,
    CLI_OPT_SAMPLE_LOCKS,
    CLI_OPT_REPAIR,
    CLI_OPT_FROM,
    CLI_OPT_AS_OF,
    CLI_OPT_WAIT,
    CLI_OPT_CHANGE,
    CLI_OPT_DAYS,
    CLI_OPT_BREAK,
    CLI_OPT_TO_FILE,
    CLI_OPT_TO_DIR,
    CLI_OPT_FORMAT,
    CLI_OPT_LIMIT_DOWNLOAD,
    CLI_OPT_FORCE,
    CLI_OPT_SIZES,
    CLI_OPT_CONNECTIONS,
    CLI_OPT_SECONDS,
    CLI_OPT_TOTAL,

    CLI_OPT_RUN_VM,
    CLI_OPT_RETRY,
    CLI_OPT_SCHEDULED,
    CLI_OPT_GRACEFUL,
    CLI_OPT_STOP_WAIT,
    CLI_OPT_UNTIL_IDLE,
    CLI_OPT_SYSTEMD,
    CLI_OPT_DESCRIPTION,
    CLI_OPT_JOB_VM,
    CLI_OPT_CONTAINER,
    CLI_OPT_EXCLUDE_VM,
    CLI_OPT_EXCLUDE_DISK,
    CLI_OPT_DISKS,
    CLI_OPT_METHOD,
    CLI_OPT_ACTIVE_FULL,
    CLI_OPT_SYNTHETIC_WHEN,
    CLI_OPT_JOB_BLOCK_SIZE,
    CLI_OPT_JOB_PASSWORD_FILE,
    CLI_OPT_JOB_PASSWORD_COMMAND,
    CLI_OPT_GUEST,
    CLI_OPT_GUEST_CREDENTIALS,
    CLI_OPT_GUEST_LOGS,
    CLI_OPT_GUEST_VM,
    CLI_OPT_SCHEDULE,
    CLI_OPT_JOB_TIMEZONE,
    CLI_OPT_RETRIES,
    CLI_OPT_PARALLEL,
    CLI_OPT_BEFORE,
    CLI_OPT_AFTER,
    CLI_OPT_NOTIFY_ON,
    CLI_OPT_WEBHOOK,
    CLI_OPT_MAIL_TO,
    CLI_OPT_MAIL_FROM,
    CLI_OPT_MAIL_COMMAND,
    CLI_OPT_DELETED_VMS_AFTER,
    CLI_OPT_DISABLED,
    CLI_OPT_RUN,
    CLI_OPT_COUNT,
    CLI_OPT_RUNS,
    CLI_OPT_REBUILD,
    CLI_OPT_RUN_ID,
    CLI_OPT_HTML,
    CLI_OPT_POINTS,
    CLI_OPTS
};

struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* "-v", or 0 */
    bool many;        /* each time that it is given counts */
    enum cli_value value;
    const char *metavar;      /* NULL for flags */
    const char *const *words; /* NULL-terminated; CLI_WORD */
    uint64_t min, max;        /* numbers; max 0: no bounds */
    const char *help;         /* one or more sentences */
};

/* An option of a command. */
struct cli_use {
    enum cli_opt opt;
    bool required;
};

struct cli_arg {
    const char *name; /* "SOURCE-PATH" */
    enum cli_value value;
    bool optional;
    bool many; /* one or more; only the last */
    const char *const *words;
    const char *help;
};

#define CLI_ARGS_MAX 3

struct cli_command {
    const char *noun;
    const char *verb;    /* NULL: the noun is the whole command */
    const char *summary; /* a few words, no full stop */
    const char *text;    /* paragraphs of sentences, parted by '\n' */
    struct cli_arg args[CLI_ARGS_MAX]; /* up to the first without name */
    const struct cli_use *uses;
    size_t n_uses;
    const char *example; /* a line without the program's name, or NULL */
    /* -1 with e filled, or the exit code. */
    int (*run)(struct cli_ctx *c, struct err *e);
};

struct cli_noun {
    const char *name;
    const char *help;
};

struct cli_exit {
    int code;
    const char *help;
};

/* The parts of the table, each in a file of its own.  Commands end with one
 * without noun; of the options each part has some, and no two have one. */
extern const struct cli_command cli_commands_repo[];
extern const struct cli_command cli_commands_machine[];
extern const struct cli_command cli_commands_point[];
extern const struct cli_command cli_commands_key[];
extern const struct cli_command cli_commands_job[];
extern const struct cli_command cli_commands_daemon[];
extern const struct cli_command cli_commands_program[];
extern const struct cli_option cli_options_common[CLI_OPTS];
extern const struct cli_option cli_options_key[CLI_OPTS];
extern const struct cli_option cli_options_job[CLI_OPTS];
extern const struct cli_option cli_options_daemon[CLI_OPTS];

extern const struct cli_noun cli_nouns[]; /* in the order of help */
extern const size_t cli_n_nouns;
extern const struct cli_exit cli_exits[];
extern const size_t cli_n_exits;

/* All commands, in the order of help; i below the count. */
size_t cli_command_count(void);
const struct cli_command *cli_command_at(size_t i);

/* One of enum cli_opt. */
const struct cli_option *cli_option(unsigned opt);

/* The command, or NULL.  verb NULL: a noun that is a whole command. */
const struct cli_command *cli_command_find(const char *noun, const char *verb);

/* True where some command has this noun. */
bool cli_noun_known(const char *noun);

size_t cli_args_count(const struct cli_command *c);

/* The functions behind the table. */
int cli_repo_create(struct cli_ctx *c, struct err *e);
int cli_repo_attach(struct cli_ctx *c, struct err *e);
int cli_repo_list(struct cli_ctx *c, struct err *e);
int cli_repo_show(struct cli_ctx *c, struct err *e);
int cli_repo_set(struct cli_ctx *c, struct err *e);
int cli_repo_remove(struct cli_ctx *c, struct err *e);
int cli_repo_stats(struct cli_ctx *c, struct err *e);
int cli_repo_probe(struct cli_ctx *c, struct err *e);
int cli_repo_check(struct cli_ctx *c, struct err *e);
int cli_repo_locks(struct cli_ctx *c, struct err *e);
int cli_repo_recover(struct cli_ctx *c, struct err *e);
int cli_repo_gc(struct cli_ctx *c, struct err *e);
int cli_repo_estimate(struct cli_ctx *c, struct err *e);
int cli_repo_leases(struct cli_ctx *c, struct err *e);
int cli_bench_repo(struct cli_ctx *c, struct err *e);
int cli_backup_run(struct cli_ctx *c, struct err *e);
int cli_point_list(struct cli_ctx *c, struct err *e);
int cli_point_show(struct cli_ctx *c, struct err *e);
int cli_point_export(struct cli_ctx *c, struct err *e);
int cli_point_verify(struct cli_ctx *c, struct err *e);
int cli_point_delete(struct cli_ctx *c, struct err *e);
int cli_point_protect(struct cli_ctx *c, struct err *e);
int cli_point_unprotect(struct cli_ctx *c, struct err *e);
int cli_kms_add(struct cli_ctx *c, struct err *e);
int cli_kms_test(struct cli_ctx *c, struct err *e);
int cli_kms_list(struct cli_ctx *c, struct err *e);
int cli_kms_show(struct cli_ctx *c, struct err *e);
int cli_kms_remove(struct cli_ctx *c, struct err *e);
int cli_keyset_list(struct cli_ctx *c, struct err *e);
int cli_keyset_show(struct cli_ctx *c, struct err *e);
int cli_keyset_create(struct cli_ctx *c, struct err *e);
int cli_keyset_add_slot(struct cli_ctx *c, struct err *e);
int cli_keyset_remove_slot(struct cli_ctx *c, struct err *e);
int cli_keyset_change_password(struct cli_ctx *c, struct err *e);
int cli_source_add(struct cli_ctx *c, struct err *e);
int cli_source_list(struct cli_ctx *c, struct err *e);
int cli_source_show(struct cli_ctx *c, struct err *e);
int cli_source_remove(struct cli_ctx *c, struct err *e);
int cli_vm_list(struct cli_ctx *c, struct err *e);
int cli_vm_find(struct cli_ctx *c, struct err *e);
int cli_keyset_rotate(struct cli_ctx *c, struct err *e);
int cli_restore_disk(struct cli_ctx *c, struct err *e);
int cli_restore_vm(struct cli_ctx *c, struct err *e);
int cli_job_run(struct cli_ctx *c, struct err *e);
int cli_job_stop(struct cli_ctx *c, struct err *e);
int cli_job_forget_deleted(struct cli_ctx *c, struct err *e);
int cli_daemon(struct cli_ctx *c, struct err *e);
int cli_job_create(struct cli_ctx *c, struct err *e);
int cli_job_list(struct cli_ctx *c, struct err *e);
int cli_job_show(struct cli_ctx *c, struct err *e);
int cli_job_edit(struct cli_ctx *c, struct err *e);
int cli_job_delete(struct cli_ctx *c, struct err *e);
int cli_job_enable(struct cli_ctx *c, struct err *e);
int cli_job_disable(struct cli_ctx *c, struct err *e);
int cli_job_next(struct cli_ctx *c, struct err *e);
int cli_job_history(struct cli_ctx *c, struct err *e);
int cli_job_report(struct cli_ctx *c, struct err *e);
int cli_config_check(struct cli_ctx *c, struct err *e);
int cli_config_schema(struct cli_ctx *c, struct err *e);
int cli_version(struct cli_ctx *c, struct err *e);
int cli_help(struct cli_ctx *c, struct err *e);
int cli_completion(struct cli_ctx *c, struct err *e);
int cli_man(struct cli_ctx *c, struct err *e);

#endif
