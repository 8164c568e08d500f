// SPDX-License-Identifier: Apache-2.0
/* Commands: repo: repositories. */
#include "cli/table.h"

#define URL_ARG                                                                \
    {                                                                          \
        .name = "URL", .value = CLI_TEXT,                                      \
        .help = "Where it is: s3://BUCKET[/PREFIX] or file:///PATH."           \
    }

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

static const struct cli_use check_uses[] = {
    { CLI_OPT_KEYS_OF_JOBS, false },   { CLI_OPT_LEVEL_CHECK, false },
    { CLI_OPT_SAMPLE, false },         { CLI_OPT_REPAIR, false },
    { CLI_OPT_FROM, false },           { CLI_OPT_MEMORY, false },
    { CLI_OPT_LIMIT_DOWNLOAD, false }, PASSWORD_USES,
};

static const struct cli_use locks_uses[] = { { CLI_OPT_VERIFY, false },
                                             { CLI_OPT_SAMPLE_LOCKS, false },
                                             PASSWORD_USES };

static const struct cli_use gc_uses[] = { { CLI_OPT_WAIT, false },
                                          { CLI_OPT_KEYS_OF_JOBS, false },
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

const struct cli_command cli_commands_repo[] = {
    { .noun = "repo",
      .verb = "create",
      .summary = "make a repository and configure it here",
      .text = "Makes a repository in a bucket (below a prefix) or in a folder "
              "and writes repos/NAME.json.  The place must be empty.  The "
              "folder of a file URL is made where it is missing, a bucket "
              "only with --create-bucket.",
      .args = { NEW_NAME_ARG, URL_ARG },
      USES(create_uses),
      .example = "repo create main s3://backups/vms --endpoint "
                 "http://127.0.0.1:9000 --create-bucket",
      .run = cli_repo_create },
    { .noun = "repo",
      .verb = "attach",
      .summary = "use an existing repository from this machine",
      .text = "Opens a repository that was made elsewhere and writes "
              "repos/NAME.json.  Nothing else is needed to list and restore "
              "its points.",
      .args = { NEW_NAME_ARG, URL_ARG },
      USES(attach_uses),
      .example = "repo attach main s3://backups/vms --endpoint "
                 "http://127.0.0.1:9000",
      .run = cli_repo_attach },
    { .noun = "repo",
      .verb = "list",
      .summary = "list the configured repositories",
      .text = "Lists the repositories that are configured on this machine, "
              "without contacting them.",
      .run = cli_repo_list },
    { .noun = "repo",
      .verb = "show",
      .summary = "show a repository",
      .text = "Opens a repository and shows where it is and what it was made "
              "with.",
      .args = { NAME_ARG },
      .run = cli_repo_show },
    { .noun = "repo",
      .verb = "set",
      .summary = "change a repository's settings here",
      .text = "Changes what repos/NAME.json says of a repository.  A locked "
              "one can be made to lock longer on this machine, never shorter "
              "than it was made with: its descriptor is locked as well.  Over "
              "the soft quota runs warn, over the hard one none begins; a run "
              "that is under way is not stopped, and everything but runs goes "
              "on working.  Other machines have settings of their own.",
      .args = { NAME_ARG },
      USES(set_uses),
      .example = "repo set main --immutable 30d",
      .run = cli_repo_set },
    { .noun = "repo",
      .verb = "remove",
      .summary = "forget a repository on this machine",
      .text = "Removes repos/NAME.json.  The repository itself is not "
              "touched; repo attach brings it back.",
      .args = { NAME_ARG },
      .run = cli_repo_remove },
    { .noun = "repo",
      .verb = "check",
      .summary = "look whether all is there and as it was",
      .text = "Reads all manifests and pages, and looks for the blocks that "
              "they name.  Damaged points are named (exit 7).  Damaged and "
              "missing blocks and pages are marked in the repository, so that "
              "the next run that meets their content stores them again.\n"
              "Objects that are hidden by a delete marker or overwritten, "
              "while an older version is good, cost no point: they are named "
              "(exit 3).  What is not ours is named and left alone.",
      .args = { NAME_ARG },
      USES(check_uses),
      .example = "repo check main --level full",
      .run = cli_repo_check },
    { .noun = "repo",
      .verb = "recover",
      .summary = "undo what somebody with the keys has done",
      .text = "For repositories in buckets that keep versions.  Removes delete "
              "markers, takes away what lies over good versions of objects "
              "(or, where that is locked, puts the good version again), "
              "deletes false manifests, and says which points come back.  "
              "Reading works without it; runs and collection do after it.\n"
              "It may be interrupted and run again.  Exit 0 if every locked "
              "point comes back (in a repository without locks: every point), "
              "else 7.  First of all, take the keys away from whoever had "
              "them.",
      .args = { NAME_ARG },
      USES(recover_uses),
      .example = "repo recover main --dry-run",
      .run = cli_repo_recover },
    { .noun = "repo",
      .verb = "locks",
      .summary = "show, and verify, until when points are locked",
      .text = "Shows for each point until when it is kept and until when "
              "every object that it needs is locked, as its manifest says, and "
              "from when on the repository could be empty at the earliest: "
              "locks reach up to a generation further than the latest date "
              "of a point.\n"
              "--verify asks the server for the lock of every object that "
              "locked points need: descriptor, manifests, pages, blocks.  What "
              "falls short is listed with its date, the date that it should "
              "have, and a point that needs it (exit 7).  Where these keys "
              "may not see locks the exit code is 5.",
      .args = { NAME_ARG },
      USES(locks_uses),
      .example = "repo locks main --verify --sample 5%",
      .run = cli_repo_locks },
    { .noun = "repo",
      .verb = "gc",
      .summary = "remove expired points and free what nobody needs",
      .text = "Removes the points whose time is over, and then the blocks and "
              "pages that no point names any more.  What the server still "
              "locks is reported with its date, and taken by a later run.  It "
              "may be interrupted and run again.\n"
              "On repositories without locks it works in turns of a minute, "
              "and no backup runs meanwhile; backups that begin wait.  Where a "
              "run is under way it waits as long as --wait says; then it names "
              "the run, and the exit code is 3.  Locked repositories never "
              "wait.\n"
              "Delete markers, and manifests or pages that cannot be read, "
              "stop it (exit 7): see repo recover.",
      .args = { NAME_ARG },
      USES(gc_uses),
      .example = "repo gc main --yes --wait 2h",
      .run = cli_repo_gc },
    { .noun = "repo",
      .verb = "leases",
      .summary = "list or break the leases of runs and collections",
      .text = "Lists who is at work in a repository, and until when that keeps "
              "others waiting.  Leases of runs that were killed run out by "
              "themselves, after an hour and a half at most.\n"
              "--break makes one end now, which still counts for half an "
              "hour.  A run whose lease is broken takes a new one and looks "
              "again at what its point needs: nothing is lost by it.  In a "
              "directory there are none: files are locked instead, and nothing "
              "is left of what was killed.",
      .args = { NAME_ARG },
      USES(leases_uses),
      .example = "repo leases main --break 0123456789abcdef",
      .run = cli_repo_leases },
    { .noun = "repo",
      .verb = "stats",
      .summary = "count what a repository holds",
      .text = "Lists the repository and reads its manifests: points, bytes "
              "of the sources and as stored, ratios of deduplication and "
              "compression, objects.",
      .args = { NAME_ARG },
      USES(stats_uses),
      .run = cli_repo_stats },
    { .noun = "repo",
      .verb = "estimate",
      .summary = "forecast requests, bytes and locks, and their price",
      .text = "Looks at the points of each VM and says what the days to come "
              "will ask of the bucket: requests by kind, lock extensions (and "
              "the day with most of them), bytes sent and stored, and what "
              "that costs.  It takes for granted a point of each VM a day, "
              "made by one command, and a collection a week.\n"
              "Prices are those of prices.json in the configuration folder "
              "(`config schema prices` has its fields).  Without that file an "
              "example is used, whose round figures are nobody's prices.",
      .args = { NAME_ARG },
      USES(estimate_uses),
      .example = "repo estimate main --change 5% --days 90",
      .run = cli_repo_estimate },
    { .noun = "repo",
      .verb = "probe",
      .summary = "find out what the storage can do",
      .text = "Tries what objvault relies on, with small objects below gc/ "
              "that are removed at the end: conditional PUT, consistency, "
              "listings, checksums, old signatures, versions, locks of a few "
              "seconds.  Prints what was found and what it means, and keeps "
              "the result in repos/NAME.json.  Where something is missing that "
              "objvault relies on, the exit code is 3.  Also removes what a "
              "probe or benchmark that was killed left more than a day ago.",
      .args = { NAME_ARG },
      .run = cli_repo_probe },
    { .noun = NULL },
};
