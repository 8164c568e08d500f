// SPDX-License-Identifier: Apache-2.0
/* Options: the global ones, and those of repositories, points and restores. */
#include "cli/table.h"

#include "engine/care/estimate.h"
#include "engine/repo/repo.h"

static const char *const driver_words[] = { "s3", "libs3", "file", NULL };
static const char *const addressing_words[] = { "auto", "path", "virtual",
                                                NULL };
static const char *const payload_words[] = { "signed", "crc32c", NULL };
static const char *const lock_mode_words[] = { "compliance", "governance",
                                               NULL };
static const char *const scope_words[] = { "minimum", "retention", NULL };
static const char *const upload_words[] = { "missing", "all", NULL };
static const char *const compression_words[] = { "none", "fast",    "optimal",
                                                 "high", "extreme", NULL };
static const char *const level_words[] = { "list", "full", NULL };
static const char *const check_words[] = { "list", "sample", "full", NULL };
static const char *const format_words[] = { "raw", "qcow2", NULL };

const struct cli_option cli_options_common[CLI_OPTS] = {
    [CLI_OPT_HOME] = { .name = "home",
                       .value = CLI_FOLDER,
                       .metavar = "DIR",
                       .help = "The folder of the configuration.  Default: "
                               "$OBJVAULT_HOME, else /etc/objvault for root "
                               "and ~/.config/objvault for others." },
    [CLI_OPT_STATE] = { .name = "state",
                        .value = CLI_FOLDER,
                        .metavar = "DIR",
                        .help = "The folder of caches, which may be deleted "
                                "at any time.  Default: $OBJVAULT_STATE, else "
                                "/var/lib/objvault for root and "
                                "~/.local/state/objvault for others." },
    [CLI_OPT_JSON] = FLAG("json", "Print one JSON document to stdout, also "
                                  "when the command fails."),
    [CLI_OPT_QUIET] = FLAG("quiet", "No progress, no warnings, and no word "
                                    "about what went well; results that were "
                                    "asked for and errors remain."),
    [CLI_OPT_VERBOSE] = { .name = "verbose",
                          .letter = 'v',
                          .value = CLI_COUNT,
                          .help = "Log what is done to stderr; given twice, "
                                  "every request." },
    [CLI_OPT_NO_PROGRESS] = FLAG("no-progress", "No progress bars, even on a "
                                                "terminal."),
    [CLI_OPT_PROGRESS_JSON] = { .name = "progress-json",
                                .value = CLI_NUMBER,
                                .metavar = "FD",
                                .min = 0,
                                .max = 1023,
                                .help = "Write the progress to this open file "
                                        "descriptor, one JSON document a line, "
                                        "once a second and at the end." },
    [CLI_OPT_PROGRESS_EVERY] = { .name = "progress-every",
                                 .value = CLI_DURATION,
                                 .metavar = "DURATION",
                                 .help = "Where stderr is no terminal, write a "
                                         "line of progress to it so often; 0s: "
                                         "never.  Default: each minute for "
                                         "runs of jobs, never for others." },
    [CLI_OPT_LOG_JSON] = FLAG("log-json", "Log as JSON, one document a line."),
    [CLI_OPT_HELP] = { .name = "help",
                       .letter = 'h',
                       .value = CLI_FLAG,
                       .help = "Explain the command and do nothing." },
    [CLI_OPT_VERSION] = FLAG("version", "Print the version and do nothing."),

    [CLI_OPT_ENDPOINT] = { .name = "endpoint",
                           .value = CLI_TEXT,
                           .metavar = "URL",
                           .help = "The S3 server, http://HOST[:PORT] or "
                                   "https://HOST[:PORT].  Default: AWS." },
    [CLI_OPT_REGION] = { .name = "region",
                         .value = CLI_TEXT,
                         .metavar = "REGION",
                         .help = "The region to sign for.  Default: "
                                 "$AWS_REGION, else that of the AWS profile, "
                                 "else us-east-1." },
    [CLI_OPT_DRIVER] = { .name = "driver",
                         .value = CLI_WORD,
                         .metavar = "DRIVER",
                         .words = driver_words,
                         .help = "How to reach the storage: s3, file, or "
                                 "libs3 (for servers that know only the old "
                                 "signature: plain http, no locks, no "
                                 "versions; a module of its own).  Default: "
                                 "by the URL." },
    [CLI_OPT_ADDRESSING] = { .name = "addressing",
                             .value = CLI_WORD,
                             .metavar = "HOW",
                             .words = addressing_words,
                             .help = "Where a request names the bucket: path, "
                                     "virtual (in the host name), or auto "
                                     "(virtual for AWS, path for others; the "
                                     "default)." },
    [CLI_OPT_PAYLOAD] = { .name = "payload",
                          .value = CLI_WORD,
                          .metavar = "HOW",
                          .words = payload_words,
                          .help = "How blocks are protected on their way: "
                                  "crc32c (a checksum that the server "
                                  "verifies; the default) or signed (SHA-256 "
                                  "in the signature, which costs more and is "
                                  "used anyway where the server does not "
                                  "verify the checksum)." },
    [CLI_OPT_CA] = { .name = "ca",
                     .value = CLI_PATH,
                     .metavar = "FILE",
                     .help = "Trust the certificates in this file (PEM) "
                             "instead of the system's." },
    [CLI_OPT_CREDENTIALS] = { .name = "credentials",
                              .value = CLI_TEXT,
                              .metavar = "NAME",
                              .help = "Use the keys in credentials/NAME.json "
                                      "below the configuration folder.  "
                                      "Default: the keys that AWS tools "
                                      "would find (environment, web "
                                      "identity, profile, container, "
                                      "instance metadata)." },
    [CLI_OPT_MAX_CLOCK_SKEW] = { .name = "max-clock-skew",
                                 .value = CLI_DURATION,
                                 .metavar = "D",
                                 .min = 1,
                                 .max = 86400,
                                 .help = "How far this machine's clock may be "
                                         "from the server's.  Default: "
                                         "10m." },
    [CLI_OPT_QUOTA] = { .name = "quota",
                        .value = CLI_SIZE,
                        .metavar = "SIZE",
                        .min = 0,
                        .max = INT64_MAX,
                        .help = "Warn (exit 3) after each run of this machine "
                                "when the repository holds so much, as in "
                                "500G; 0 for no such bound." },
    [CLI_OPT_QUOTA_HARD] = { .name = "quota-hard",
                             .value = CLI_SIZE,
                             .metavar = "SIZE",
                             .min = 0,
                             .max = INT64_MAX,
                             .help = "Begin no run of this machine (exit 5) "
                                     "once the repository holds so much; 0 "
                                     "for no such bound.  What counts: the "
                                     "objects of blocks and pages as they are "
                                     "stored, all versions, needed or not." },
    [CLI_OPT_CREATE_BUCKET] =
        FLAG("create-bucket", "Make the bucket if it is not there."),
    [CLI_OPT_BLOCK_SIZE] = { .name = "block-size",
                             .value = CLI_SIZE,
                             .metavar = "SIZE",
                             .help = "The size of the blocks that disks are "
                                     "cut into: a power of two, 256K to 8M.  "
                                     "Default: 4M." },
    [CLI_OPT_IMMUTABLE] = { .name = "immutable",
                            .value = CLI_DURATION,
                            .metavar = "D",
                            .min = 1,
                            .max = MF_LOCK_SECONDS_MAX,
                            .help = "Lock everything that a point needs for "
                                    "at least so long, as in 14d: nobody can "
                                    "delete or overwrite it meanwhile.  Needs "
                                    "a bucket with object lock." },
    [CLI_OPT_LOCK_MODE] = { .name = "lock-mode",
                            .value = CLI_WORD,
                            .metavar = "MODE",
                            .words = lock_mode_words,
                            .help = "Either compliance (nobody can lift a "
                                    "lock; the "
                                    "default) or governance (whoever has the "
                                    "right to can, and on some servers "
                                    "anybody)." },
    [CLI_OPT_IMMUTABLE_SCOPE] = { .name = "immutable-scope",
                                  .value = CLI_WORD,
                                  .metavar = "SCOPE",
                                  .words = scope_words,
                                  .help = "Either minimum (points are locked "
                                          "for the "
                                          "time of --immutable; "
                                          "the default) or retention (and at "
                                          "least until the end of "
                                          "their retention)." },
    [CLI_OPT_GENERATION] = { .name = "generation",
                             .value = CLI_DURATION,
                             .metavar = "D",
                             .min = 1,
                             .max = MF_LOCK_SECONDS_MAX,
                             .help = "By how much lock dates are spread: an "
                                     "object that points go on needing has its "
                                     "lock extended once in this time.  "
                                     "Default: 10d." },
    [CLI_OPT_REPO] = { .name = "repo",
                       .value = CLI_REPO,
                       .metavar = "NAME",
                       .help = "The repository.  May be left out where only "
                               "one is configured, or only one has the "
                               "point." },
    [CLI_OPT_SOURCE] = { .name = "source",
                         .value = CLI_SOURCE,
                         .metavar = "NAME",
                         .help = "Only this source.  Default: all that are "
                                 "configured." },
    [CLI_OPT_VM] = { .name = "vm",
                     .value = CLI_TEXT,
                     .metavar = "NAME",
                     .help = "File the points under this name.  Default: the "
                             "folder's name, or the image's without its "
                             "extension.  Only with one SOURCE-PATH." },
    [CLI_OPT_VM_FILTER] = { .name = "vm",
                            .value = CLI_TEXT,
                            .metavar = "NAME",
                            .help = "Only the points of this VM." },
    [CLI_OPT_FULL] = FLAG("full", "Read everything, trust no cache and begin a "
                                  "new chain.  Blocks that a listing shows "
                                  "are not stored again."),
    [CLI_OPT_SYNTHETIC_FULL] =
        FLAG("synthetic-full", "Begin a new chain with what the newest point "
                               "holds, and read nothing of the source; only "
                               "in repositories in a directory.  The point's "
                               "time is one second after the newest one's, "
                               "whose state it holds."),
    [CLI_OPT_UPLOAD] = { .name = "upload",
                         .value = CLI_WORD,
                         .metavar = "WHAT",
                         .words = upload_words,
                         .help = "What to store: missing (what a listing, made "
                                 "now, does not show; the default of --full), "
                                 "or all (every block that is read, known or "
                                 "not: repairs damaged ones).  Default: what "
                                 "this machine does not know to be stored." },
    [CLI_OPT_COMPRESSION] = { .name = "compression",
                              .value = CLI_WORD,
                              .metavar = "LEVEL",
                              .words = compression_words,
                              .help = "How hard to compress: none, fast, "
                                      "optimal (the default), high or "
                                      "extreme.  With none the blocks are "
                                      "still zstd frames, made by its fastest "
                                      "level." },
    [CLI_OPT_RETENTION] = { .name = "retention",
                            .value = CLI_TEXT,
                            .metavar = "D",
                            .help = "Keep the point so many days, such as 14d "
                                    "or 2w, of the calendar in --timezone; the "
                                    "newest 3 of a VM stay in any case.  The "
                                    "newest point's policy counts for all "
                                    "points of the VM.  Default: it stays "
                                    "until it is deleted by hand." },
    [CLI_OPT_GFS] = { .name = "gfs",
                      .value = CLI_TEXT,
                      .metavar = "RULES",
                      .help = "Keep the first point of each week, month or "
                              "year longer: weekly=4,monthly=12,yearly=3 keeps "
                              "them 4 weeks, 12 months and 3 years.  Weeks "
                              "begin on Sunday, months with their first week, "
                              "years with January; weekly=4@wed, "
                              "monthly=12@last (1st to 4th, last) and "
                              "yearly=3@apr change that.  Needs "
                              "--retention." },
    [CLI_OPT_TIMEZONE] = { .name = "timezone",
                           .value = CLI_TEXT,
                           .metavar = "ZONE",
                           .help = "The time zone of --retention and --gfs, by "
                                   "its IANA name, such as Europe/Berlin.  "
                                   "Default: this machine's, as "
                                   "/etc/localtime tells it, else UTC." },
    [CLI_OPT_LIMIT_UPLOAD] = { .name = "limit-upload",
                               .value = CLI_SIZE,
                               .metavar = "RATE",
                               .min = 1,
                               .max = UINT64_MAX,
                               .help = "Send at most this many bytes a "
                                       "second, such as 10M." },
    [CLI_OPT_MEMORY] = { .name = "memory",
                         .value = CLI_SIZE,
                         .metavar = "SIZE",
                         .min = 1u << 20,
                         .max = 1ull << 40,
                         .help = "The memory that buffers may take; it bounds "
                                 "how many blocks are worked on at once.  "
                                 "Default: 150M." },
    [CLI_OPT_ADOPT] = FLAG("adopt", "Go on with the VM's points although this "
                                    "machine comes from another place than "
                                    "they do."),
    [CLI_OPT_DRY_RUN_BACKUP] = FLAG("dry-run", "Read and compare, and store "
                                               "nothing."),
    [CLI_OPT_DRY_RUN] = FLAG("dry-run", "Say what would be done, and do "
                                        "nothing."),
    [CLI_OPT_YES] = FLAG("yes", "Do not ask.  Needed where there is no "
                                "terminal to ask on."),
    [CLI_OPT_LEVEL] = { .name = "level",
                        .value = CLI_WORD,
                        .metavar = "LEVEL",
                        .words = level_words,
                        .help = "How closely to look: list checks that every "
                                "object is there, full (the default) reads "
                                "and verifies every object." },
    [CLI_OPT_LEVEL_CHECK] = { .name = "level",
                              .value = CLI_WORD,
                              .metavar = "LEVEL",
                              .words = check_words,
                              .help = "How closely to look: list (the default) "
                                      "checks that every block is there, "
                                      "sample also reads and verifies some of "
                                      "them, full all.  Manifests and pages "
                                      "are always read." },
    [CLI_OPT_SAMPLE] = { .name = "sample",
                         .value = CLI_TEXT,
                         .metavar = "SHARE",
                         .help = "How many are read, such as 5% or 0.1%.  "
                                 "Default: 5%." },
    [CLI_OPT_VERIFY] = FLAG("verify", "Ask the server object by object."),
    [CLI_OPT_SAMPLE_LOCKS] = { .name = "sample",
                               .value = CLI_TEXT,
                               .metavar = "SHARE",
                               .help = "Ask for this share of the blocks only, "
                                       "such as 5% or 0.1%; for all else in "
                                       "any case.  Default: all." },
    [CLI_OPT_CHANGE] = { .name = "change",
                         .value = CLI_TEXT,
                         .metavar = "SHARE",
                         .help = "The share of the blocks with data that "
                                 "change from a day to the next, such as 3% "
                                 "or 0.5%.  Default: 3%." },
    [CLI_OPT_DAYS] = { .name = "days",
                       .value = CLI_NUMBER,
                       .metavar = "N",
                       .min = 1,
                       .max = ENG_ESTIMATE_DAYS_MAX,
                       .help = "The days to look ahead, 1 to 366.  Default: "
                               "30." },
    [CLI_OPT_REPAIR] = FLAG("repair", "Put good copies again: older versions "
                                      "of an object where the bucket keeps "
                                      "them, and those of the repository that "
                                      "--from names."),
    [CLI_OPT_FROM] = { .name = "from",
                       .value = CLI_REPO,
                       .metavar = "NAME",
                       .help = "With --repair: another configured repository "
                               "that may hold good copies." },
    [CLI_OPT_WAIT] = { .name = "wait",
                       .value = CLI_DURATION,
                       .metavar = "D",
                       .help = "Wait so long for runs that are under way "
                               "(default: not at all)." },
    [CLI_OPT_BREAK] = { .name = "break",
                        .value = CLI_TEXT,
                        .metavar = "ID",
                        .help = "Make this lease end now." },
    [CLI_OPT_AS_OF] = { .name = "as-of",
                        .value = CLI_TEXT,
                        .metavar = "TIME",
                        .help = "Undo only what was done since then, by the "
                                "server's clock: 2026-11-22T10:00:00Z.  "
                                "Default: whenever it was done." },
    [CLI_OPT_TO_FILE] = { .name = "to",
                          .value = CLI_PATH,
                          .metavar = "TARGET",
                          .help = "A new file, a block device, or - for "
                                  "stdout." },
    [CLI_OPT_TO_DIR] = { .name = "to",
                         .value = CLI_FOLDER,
                         .metavar = "DIR",
                         .help = "The folder; made if it is not there." },
    [CLI_OPT_FORMAT] = { .name = "format",
                         .value = CLI_WORD,
                         .metavar = "FORMAT",
                         .words = format_words,
                         .help = "The format of the image that is written: "
                                 "raw (the default) or qcow2." },
    [CLI_OPT_LIMIT_DOWNLOAD] = { .name = "limit-download",
                                 .value = CLI_SIZE,
                                 .metavar = "RATE",
                                 .min = 1,
                                 .max = UINT64_MAX,
                                 .help = "Fetch at most this many bytes a "
                                         "second, such as 10M." },
    [CLI_OPT_FORCE] = FLAG("force", "Replace files that exist; write to a "
                                    "block device."),
    [CLI_OPT_SIZES] = { .name = "sizes",
                        .value = CLI_TEXT,
                        .metavar = "SIZE,...",
                        .help = "The sizes of the objects, 4K to 64M.  "
                                "Default: 64K,256K,1M,4M,16M." },
    [CLI_OPT_CONNECTIONS] = { .name = "connections",
                              .value = CLI_TEXT,
                              .metavar = "N,...",
                              .help = "How many requests at once, 1 to 64; "
                                      "fewer where the memory does not allow "
                                      "it.  Default: 1,4,16,64." },
    [CLI_OPT_SECONDS] = { .name = "seconds",
                          .value = CLI_DURATION,
                          .metavar = "D",
                          .min = 1,
                          .max = 3600,
                          .help = "How long to measure each combination, such "
                                  "as 10s.  Default: 2s." },
    [CLI_OPT_TOTAL] = { .name = "total",
                        .value = CLI_SIZE,
                        .metavar = "SIZE",
                        .min = 1u << 20,
                        .max = 1ull << 50,
                        .help = "Store at most this many bytes in all.  "
                                "Default: 8G." },
};
