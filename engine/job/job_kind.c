// SPDX-License-Identifier: Apache-2.0
/*
 * What a job's file consists of, field by field.  What the texts mean, and how
 * they fit together, is job_check.c's.
 */
#include "engine/job/fields.h"
#include "engine/job/job.h"

#define JOB(member) offsetof(struct eng_job, member)
#define GUEST(member) offsetof(struct eng_guest, member)
#define GUEST_OF(member) offsetof(struct eng_guest_of, member)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define LIST_MAX 10000 /* of VMs, containers and exclusions */
#define ARGV_MAX 256
#define ENTRY_BYTES 4608 /* a source, and a path in it */

static const char *const methods[] = { "forward", NULL };
static const struct eng_refused refused_methods[] = {
    { "reverse",
      "reverse incremental is not done: it rewrites the newest full at each "
      "run, and what is stored here is never rewritten; use forward, each of "
      "whose points is restored as a full is" },
    { NULL, NULL },
};

static const char *const compressions[] = { "none", "fast",    "optimal",
                                            "high", "extreme", NULL };

static const char *const guest_modes[] = { "require", "try", "disable", NULL };
static const char *const guest_logs[] = { "process", "copy-only", NULL };
static const struct eng_refused refused_logs[] = {
    { "backup",
      "log backup is not done by a job that stores images in a repository; use "
      "process, which truncates the logs after a good backup, or copy-only, "
      "which leaves them to the database's own tools" },
    { NULL, NULL },
};

/* The three of a guest, whose struct lies at `base` of the object. */
#define GUEST_FIELDS(base)                                                     \
    { .name = "mode",                                                          \
      .type = ENG_FIELD_WORD,                                                  \
      .offset = (base) + GUEST(mode),                                          \
      .words = guest_modes,                                                    \
      .help = "require: no point without a consistent state of its "           \
              "applications; try: a crash-consistent one then; disable, the "  \
              "default: the guest is not asked" },                             \
        { .name = "credentials",                                               \
          .type = ENG_FIELD_TEXT,                                              \
          .offset = (base) + GUEST(credentials),                               \
          .max_bytes = 64,                                                     \
          .help = "NAME of credentials/NAME.json with the user and password "  \
                  "of an account in the guest" },                              \
    {                                                                          \
        .name = "logs", .type = ENG_FIELD_WORD,                                \
        .offset = (base) + GUEST(logs), .words = guest_logs,                   \
        .refused = refused_logs,                                               \
        .help = "process: transaction logs are truncated after a good "        \
                "backup; copy-only: they and the database's own backups "      \
                "are left as they are"                                         \
    }

static const struct eng_field guest_fields[] = { GUEST_FIELDS(0) };
static const struct eng_object guest_object = {
    .fields = guest_fields,
    .n_fields = COUNT(guest_fields),
};

static const struct eng_field guest_of_fields[] = {
    { .name = "vm",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = GUEST_OF(vm),
      .max_bytes = ENTRY_BYTES,
      .help = "SOURCE:NAME or SOURCE:ID of the VM" },
    GUEST_FIELDS(GUEST_OF(guest)),
};
static const struct eng_object guest_of_object = {
    .fields = guest_of_fields,
    .n_fields = COUNT(guest_of_fields),
    .size = sizeof(struct eng_guest_of),
};

static const struct eng_field notify_fields[] = {
    { .name = "on",
      .type = ENG_FIELD_TEXT,
      .offset = JOB(notify_on),
      .max_bytes = 64,
      .help = "results that are told, with commas between: success, warning, "
              "failed, stopped; all of them where it is left out" },
    { .name = "webhook",
      .type = ENG_FIELD_TEXT,
      .offset = JOB(webhook),
      .max_bytes = 4096,
      .help = "URL (http or https) that gets the run as JSON, by POST" },
    { .name = "mail",
      .type = ENG_FIELD_TEXTS,
      .with = "mail_to",
      .offset = JOB(mail),
      .max_bytes = 4096,
      .max_n = ARGV_MAX,
      .help = "program, with its arguments, that gets a whole mail on its "
              "standard input, as in [\"/usr/sbin/sendmail\", \"-t\"]" },
    { .name = "mail_to",
      .type = ENG_FIELD_TEXT,
      .with = "mail",
      .offset = JOB(mail_to),
      .max_bytes = 1000,
      .help = "addresses that it goes to, with commas between" },
    { .name = "mail_from",
      .type = ENG_FIELD_TEXT,
      .with = "mail",
      .offset = JOB(mail_from),
      .max_bytes = 1000,
      .help = "address that it comes from" },
};
/* Its members lie in the job itself. */
static const struct eng_object notify_object = {
    .fields = notify_fields,
    .n_fields = COUNT(notify_fields),
};

#define LIST(word, member, text)                                               \
    {                                                                          \
        .name = (word), .type = ENG_FIELD_TEXTS, .offset = JOB(member),        \
        .max_bytes = ENTRY_BYTES, .max_n = LIST_MAX, .help = (text)            \
    }
#define TEXT(word, member, max, text)                                          \
    {                                                                          \
        .name = (word), .type = ENG_FIELD_TEXT, .offset = JOB(member),         \
        .max_bytes = (max), .help = (text)                                     \
    }
#define PROGRAM(word, member, text)                                            \
    {                                                                          \
        .name = (word), .type = ENG_FIELD_TEXTS, .offset = JOB(member),        \
        .max_bytes = 4096, .max_n = ARGV_MAX, .help = (text)                   \
    }

static const struct eng_field job_fields[] = {
    TEXT("description", description, 1000, "for people"),
    { .name = "enabled",
      .type = ENG_FIELD_ENABLED,
      .offset = JOB(disabled),
      .help = "false: its schedule does not run it" },
    LIST("vms", vms, "VMs: SOURCE:NAME or SOURCE:ID"),
    LIST("containers", containers,
         "containers, with all VMs in them at the time of each run: "
         "SOURCE:PATH of a folder, SOURCE:pool=NAME, SOURCE:network=NAME, "
         "SOURCE:tag=NAME, or SOURCE: for the whole source"),
    LIST("exclude_vms", exclude_vms,
         "VMs that are left out, whatever includes them: patterns (*, ?) of "
         "names or ids, with SOURCE: before or without"),
    LIST("exclude_disks", exclude_disks,
         "disks that are left out: VM:DISK, patterns both, with SOURCE: before "
         "or without"),
    LIST("disks", disks,
         "which disks of a VM are backed up: VM=all (the default), VM=first or "
         "VM=DISK,DISK,...; VM and DISK as in exclude_disks"),
    { .name = "repo",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = JOB(repo),
      .max_bytes = 64,
      .help = "NAME of the repository (repos/NAME.json)" },
    TEXT("retention", retention, 16,
         "how long points are kept: 14d, 2w; without it they stay"),
    TEXT("gfs", gfs, 200,
         "weekly, monthly and yearly points that are kept beyond that, as in "
         "weekly=4,monthly=12,yearly=3"),
    TEXT("timezone", timezone, ENG_ZONE_NAME_CHARS - 1,
         "IANA name of the time zone of its schedule and retention; this "
         "machine's where it is left out"),
    { .name = "method",
      .type = ENG_FIELD_WORD,
      .offset = JOB(method),
      .words = methods,
      .refused = refused_methods,
      .help = "how points build on each other; there is one way" },
    TEXT("active_full", active_full, ENG_SCHEDULE_TEXT_MAX,
         "days whose point is a full that reads everything: sat,sun, or "
         "monthly last sun in jan,jul"),
    TEXT("synthetic_full", synthetic_full, ENG_SCHEDULE_TEXT_MAX,
         "days whose point becomes a full made of what is stored, likewise; "
         "in repositories on a file system only"),
    { .name = "compression",
      .type = ENG_FIELD_WORD,
      .offset = JOB(compression),
      .words = compressions,
      .help = "how much time goes into small blocks; optimal where it is left "
              "out" },
    { .name = "block_size",
      .type = ENG_FIELD_SIZE,
      .offset = JOB(block_size),
      .help = "256K to 8M, a power of two; the repository's where it is left "
              "out" },
    { .name = "limit_upload",
      .type = ENG_FIELD_SIZE,
      .offset = JOB(limit_upload),
      .help = "bytes a second that its runs upload at most, as in 50M" },
    TEXT("encrypt", encrypt, 80,
         "what opens its points: password, kms:NAME, or none"),
    TEXT("keyset", keyset, MF_NAME_MAX, "label of the keyset it writes to"),
    { .name = "password",
      .type = ENG_FIELD_SECRET_PLACE,
      .offset = JOB(password),
      .help = "where the password is found; the password itself must not be "
              "here" },
    { .name = "guest",
      .type = ENG_FIELD_OBJECT,
      .offset = JOB(guest),
      .object = &guest_object,
      .help = "how guests take part, for a state that applications can go on "
              "from" },
    { .name = "guests",
      .type = ENG_FIELD_OBJECTS,
      .offset = JOB(guests),
      .offset_n = JOB(n_guests),
      .max_n = LIST_MAX,
      .object = &guest_of_object,
      .help = "the same for single VMs; what is not said there is as in "
              "guest" },
    TEXT("schedule", schedule, ENG_SCHEDULE_TEXT_MAX,
         "when it runs by itself: daily 22:00 weekdays, every 2h between "
         "22:00-06:00, monthly last day 03:00, after JOB, ...; never where it "
         "is left out"),
    TEXT("retries", retries, 64,
         "how often what failed is tried again: none, 3, or 3 after 10m (the "
         "default)"),
    { .name = "parallel",
      .type = ENG_FIELD_NUMBER,
      .offset = JOB(parallel),
      .max_n = ENG_JOB_PARALLEL_MAX,
      .help = "VMs that are backed up at once; 2 where it is left out" },
    { .name = "deleted_vms_after",
      .type = ENG_FIELD_DURATION,
      .offset = JOB(deleted_vms_s),
      .help = "how long the points of a VM stay that is in the job no more, as "
              "in 30d; as long as others where it is left out" },
    PROGRAM("before", before,
            "program, with its arguments, that runs before each run"),
    PROGRAM("after", after, "... and after it"),
    { .name = "notify",
      .type = ENG_FIELD_OBJECT,
      .object = &notify_object,
      .help = "who is told how a run ended, once, after its last try" },
};

const struct eng_kind eng_kind_job = {
    .name = "job",
    .noun = "job",
    .folder = "jobs",
    .help = "a backup job: what, where to, how and when",
    .fields = job_fields,
    .n_fields = COUNT(job_fields),
};
