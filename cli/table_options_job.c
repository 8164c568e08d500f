// SPDX-License-Identifier: Apache-2.0
/* Options: jobs, and the daemon. */
#include "cli/table.h"
#include "engine/job/job.h"

static const char *const guest_words[] = { "require", "try", "disable", NULL };

const struct cli_option cli_options_job[CLI_OPTS] = {
    [CLI_OPT_RUN_VM] = { .name = "vm",
                         .value = CLI_TEXT,
                         .metavar = "VM",
                         .many = true,
                         .help = "Process only this VM of those that the job "
                                 "selects: by the name of its points, "
                                 "SOURCE:NAME or SOURCE:ID." },
    [CLI_OPT_RETRY] = FLAG("retry", "Process only what failed or was stopped "
                                    "in the job's last run, as another try of "
                                    "it."),
    [CLI_OPT_SCHEDULED] = FLAG("scheduled", "Says that the daemon begins the "
                                            "run: what fails will be tried "
                                            "again, and nobody is notified "
                                            "before the last try."),
    [CLI_OPT_GRACEFUL] = FLAG("graceful", "Let the VMs that are being "
                                          "processed get their points; begin "
                                          "no other."),
    [CLI_OPT_RUNS] = { .name = "count",
                       .value = CLI_NUMBER,
                       .metavar = "N",
                       .min = 1,
                       .max = 10000,
                       .help = "How many runs to show, 1 to 10,000.  Default: "
                               "20." },
    [CLI_OPT_REBUILD] = FLAG("rebuild", "Put back what the manifests in the "
                                        "repositories of all jobs tell of "
                                        "runs that are not known here."),
    [CLI_OPT_RUN_ID] = { .name = "run",
                         .value = CLI_NUMBER,
                         .metavar = "ID",
                         .min = 1,
                         .max = INT64_MAX,
                         .help = "This run, as job history numbers it, and "
                                 "not the newest." },
    [CLI_OPT_HTML] = { .name = "html",
                       .value = CLI_PATH,
                       .metavar = "FILE",
                       .help = "Write the report as one page to this file; "
                               "-: to stdout.  The page has no script and "
                               "needs no network." },
    [CLI_OPT_POINTS] = FLAG("points", "Read the points of the job's VMs from "
                                      "the repository, for the picture of "
                                      "chains and locks: where it opens "
                                      "without a question."),
    [CLI_OPT_STOP_WAIT] = FLAG("wait", "Return when the run has ended."),
    [CLI_OPT_DESCRIPTION] = { .name = "description",
                              .value = CLI_TEXT,
                              .metavar = "TEXT",
                              .help =
                                  "What the job is for, in your own words." },
    [CLI_OPT_JOB_VM] = { .name = "vm",
                         .value = CLI_TEXT,
                         .metavar = "SOURCE:NAME",
                         .many = true,
                         .help = "Back this VM up: by its name in the source, "
                                 "or by its id where several have the name (vm "
                                 "list shows both)." },
    [CLI_OPT_CONTAINER] = { .name = "container",
                            .value = CLI_TEXT,
                            .metavar = "SOURCE:PATH",
                            .many = true,
                            .help =
                                "Back up what is in this container whenever "
                                "the job runs: a folder by its path, another "
                                "kind as in lab:tag=gold (pool, network, tag), "
                                "or all of a source (lab:)." },
    [CLI_OPT_EXCLUDE_VM] = { .name = "exclude-vm",
                             .value = CLI_TEXT,
                             .metavar = "PATTERN",
                             .many = true,
                             .help =
                                 "Leave such VMs out, however they are chosen: "
                                 "by name or id, with * and ?, in one source "
                                 "(lab:test-*) or in all." },
    [CLI_OPT_EXCLUDE_DISK] = { .name = "exclude-disk",
                               .value = CLI_TEXT,
                               .metavar = "VM:DISK",
                               .many = true,
                               .help = "Leave such disks out; both may have * "
                                       "and ?, "
                                       "as in web1:swap.raw or *:swap*." },
    [CLI_OPT_DISKS] = { .name = "disks",
                        .value = CLI_TEXT,
                        .metavar = "VM=DISKS",
                        .many = true,
                        .help = "Which disks of a VM: first, all (the "
                                "default), or their names with commas between, "
                                "as in web1=vda.raw,vdb.raw." },
    [CLI_OPT_METHOD] = { .name = "method",
                         .value = CLI_TEXT,
                         .metavar = "METHOD",
                         .help = "How points follow each other: forward, the "
                                 "only one.  Nothing is ever merged or "
                                 "rewritten, so there is no reverse "
                                 "incremental." },
    [CLI_OPT_ACTIVE_FULL] = { .name = "active-full",
                              .value = CLI_TEXT,
                              .metavar = "WHEN",
                              .help =
                                  "On which days the next run begins a new "
                                  "chain "
                                  "and reads everything: sat,sun, or monthly "
                                  "last sun, or monthly first sat in jan,jul.  "
                                  "Default: never." },
    [CLI_OPT_SYNTHETIC_WHEN] = { .name = "synthetic-full",
                                 .value = CLI_TEXT,
                                 .metavar = "WHEN",
                                 .help = "The same for fulls that are made of "
                                         "what the "
                                         "repository has.  Only in "
                                         "repositories in a "
                                         "directory: on object storage they "
                                         "would save "
                                         "nothing, for each point there names "
                                         "all its "
                                         "blocks." },
    [CLI_OPT_JOB_BLOCK_SIZE] = { .name = "block-size",
                                 .value = CLI_SIZE,
                                 .metavar = "SIZE",
                                 .help = "The size of the blocks that disks "
                                         "are cut "
                                         "into: a power of two, 256K to 8M.  "
                                         "Default: "
                                         "the repository's." },
    [CLI_OPT_JOB_PASSWORD_FILE] = { .name = "password-file",
                                    .value = CLI_PATH,
                                    .metavar = "FILE",
                                    .help = "With --encrypt password: the file "
                                            "that has "
                                            "the password.  The job keeps its "
                                            "place, and "
                                            "never the password." },
    [CLI_OPT_JOB_PASSWORD_COMMAND] = { .name = "password-command",
                                       .value = CLI_TEXT,
                                       .metavar = "COMMAND",
                                       .help = "With --encrypt password: the "
                                               "shell command "
                                               "that prints the password.  The "
                                               "job keeps the "
                                               "command." },
    [CLI_OPT_GUEST] = { .name = "guest",
                        .value = CLI_WORD,
                        .metavar = "MODE",
                        .words = guest_words,
                        .help = "Whether applications in the guest are brought "
                                "to rest: require (the VM fails where they "
                                "cannot be), try (it is backed up anyway) or "
                                "disable (the default).  Carried out with VMs "
                                "that run." },
    [CLI_OPT_GUEST_CREDENTIALS] = { .name = "guest-credentials",
                                    .value = CLI_TEXT,
                                    .metavar = "NAME",
                                    .help = "The user in the guests: "
                                            "credentials/NAME.json "
                                            "with user and password." },
    [CLI_OPT_GUEST_LOGS] = { .name = "guest-logs",
                             .value = CLI_TEXT,
                             .metavar = "HOW",
                             .help =
                                 "What becomes of database logs in guests: "
                                 "process (they are truncated after a good "
                                 "backup) or copy-only (they are left as they "
                                 "are).  They are not backed up by "
                                 "themselves." },
    [CLI_OPT_GUEST_VM] = { .name = "guest-vm",
                           .value = CLI_TEXT,
                           .metavar = "VM=MODE",
                           .many = true,
                           .help =
                               "For one VM (SOURCE:NAME) what --guest and the "
                               "others say for all: "
                               "lab:db1=require,credentials=dba,logs=copy-"
                               "only." },
    [CLI_OPT_SCHEDULE] = { .name = "schedule",
                           .value = CLI_TEXT,
                           .metavar = "WHEN",
                           .help =
                               "When the daemon runs it: daily 22:00 "
                               "[weekdays or mon,wed], monthly last sat "
                               "03:00, monthly day 15 03:00, every 2h [offset "
                               "5m], continuously, or after JOB; with between "
                               "22:00-06:00, allowed mon-fri 09-17, terminate "
                               "and missed skip behind it.  Default: by hand "
                               "only." },
    [CLI_OPT_JOB_TIMEZONE] = { .name = "timezone",
                               .value = CLI_TEXT,
                               .metavar = "ZONE",
                               .help = "The time zone of schedule and "
                                       "retention, by "
                                       "its IANA name, such as Europe/Berlin.  "
                                       "Default: this machine's." },
    [CLI_OPT_RETRIES] = { .name = "retries",
                          .value = CLI_TEXT,
                          .metavar = "N",
                          .help =
                              "How often the daemon tries what failed again: "
                              "3 (the default), 3 after 10m, none." },
    [CLI_OPT_PARALLEL] = { .name = "parallel",
                           .value = CLI_NUMBER,
                           .metavar = "N",
                           .min = 1,
                           .max = ENG_JOB_PARALLEL_MAX,
                           .help =
                               "How many VMs are processed at once.  Default: "
                               "2." },
    [CLI_OPT_BEFORE] = { .name = "before",
                         .value = CLI_TEXT,
                         .metavar = "COMMAND",
                         .help = "A shell command that is run first; where it "
                                 "fails the job does." },
    [CLI_OPT_AFTER] = { .name = "after",
                        .value = CLI_TEXT,
                        .metavar = "COMMAND",
                        .help = "A shell command that is run last, whatever "
                                "the result." },
    [CLI_OPT_NOTIFY_ON] = { .name = "notify-on",
                            .value = CLI_TEXT,
                            .metavar = "RESULT,...",
                            .help = "Which results --webhook and --mail-to are "
                                    "told, once, after the last try: success, "
                                    "warning, failed, stopped, with commas "
                                    "between.  Default: all." },
    [CLI_OPT_WEBHOOK] = { .name = "webhook",
                          .value = CLI_TEXT,
                          .metavar = "URL",
                          .help =
                              "Send what came of a run to this URL, as JSON." },
    [CLI_OPT_MAIL_TO] = { .name = "mail-to",
                          .value = CLI_TEXT,
                          .metavar = "ADDRESS",
                          .help = "Send what came of a run to this address." },
    [CLI_OPT_MAIL_FROM] = { .name = "mail-from",
                            .value = CLI_TEXT,
                            .metavar = "ADDRESS",
                            .help = "The address that the mail comes from." },
    [CLI_OPT_MAIL_COMMAND] = { .name = "mail-command",
                               .value = CLI_TEXT,
                               .metavar = "COMMAND",
                               .help =
                                   "The shell command that gets a whole mail "
                                   "on "
                                   "its standard input and sends it, such as "
                                   "\"sendmail -t\"; with --mail-to." },
    [CLI_OPT_DELETED_VMS_AFTER] = { .name = "deleted-vms-after",
                                    .value = CLI_DURATION,
                                    .metavar = "D",
                                    .min = 86400,
                                    .max = INT64_MAX,
                                    .help = "Remove the points of VMs that the "
                                            "job has not "
                                            "met for so long, such as 30d.  "
                                            "Default: they "
                                            "stay as the retention says." },
    [CLI_OPT_DISABLED] =
        FLAG("disabled", "The daemon does not run it until job enable."),
    [CLI_OPT_RUN] = FLAG("run", "Run it at once."),
    [CLI_OPT_COUNT] = { .name = "count",
                        .value = CLI_NUMBER,
                        .metavar = "N",
                        .min = 1,
                        .max = 1000,
                        .help = "How many moments to show, 1 to 1,000.  "
                                "Default: 5." },
};
