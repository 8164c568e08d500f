// SPDX-License-Identifier: Apache-2.0
/*
 * The commands: what each is called, takes and does.  A new command is an
 * entry here and a function in a cmd_*.c; a new option is an entry in
 * table_options.c and a word in the commands that take it.
 */
#include "cli/commands.h"

#include "cli/uses.h"
#include "engine/job/config.h"

static const char *const shell_words[] = { "bash", NULL };

#define POINT_ARG                                                              \
    {                                                                          \
        .name = "POINT", .value = CLI_TEXT,                                    \
        .help = "The point: VM@TIME, as in web1@2026-11-22T10:00:00Z, or "     \
                "VM@latest for the newest that verifies."                      \
    }
#define NAME_ARG                                                               \
    {                                                                          \
        .name = "NAME", .value = CLI_REPO, .help = "The repository's name."    \
    }
#define NEW_NAME_ARG                                                           \
    {                                                                          \
        .name = "NAME", .value = CLI_TEXT,                                     \
        .help = "What to call it on this machine: letters, digits, '.', '_' "  \
                "and '-'."                                                     \
    }
#define KMS_ARG                                                                \
    {                                                                          \
        .name = "NAME", .value = CLI_KMS, .help = "The key server's name."     \
    }
#define SOURCE_ARG                                                             \
    {                                                                          \
        .name = "NAME", .value = CLI_SOURCE, .help = "The source's name."      \
    }
#define URL_ARG                                                                \
    {                                                                          \
        .name = "URL", .value = CLI_TEXT,                                      \
        .help = "Where it is: s3://BUCKET[/PREFIX] or file:///PATH."           \
    }

const struct cli_command cli_commands[] = {
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
    { .noun = "source",
      .verb = "add",
      .summary = "configure a place with VMs",
      .text =
          "Looks at the place and writes sources/NAME.json.\n"
          "In a folder (dir:/path) each folder that holds images itself is a "
          "VM, with them as its disks and its other files as the "
          "configuration, and other folders are containers, however they are "
          "nested.  An image in the place's own folder is a VM of one disk.  "
          "Links are not followed.\n"
          "Of libvirt on this host (libvirt:qemu:///system) each domain is a "
          "VM.  Storage pools, networks and tags are its containers; a tag is "
          "the text of an element <tag> in the domain's metadata.  Domains "
          "that are shut off can be read, by their images; of the others "
          "vm list says why not.",
      .args = { NEW_NAME_ARG,
                { .name = "PLACE",
                  .value = CLI_TEXT,
                  .help = "Where the VMs are: dir:/PATH or libvirt:URI." } },
      .example = "source add lab dir:/srv/vms",
      .run = cli_source_add },
    { .noun = "source",
      .verb = "list",
      .summary = "list the configured sources",
      .text = "Lists the sources that are configured on this machine, without "
              "looking at them.",
      .run = cli_source_list },
    { .noun = "source",
      .verb = "show",
      .summary = "show a source and its containers",
      .text = "Looks at a source and shows what groups of VMs it has.  What "
              "could not be looked at is a warning (exit 3).",
      .args = { SOURCE_ARG },
      .run = cli_source_show },
    { .noun = "source",
      .verb = "remove",
      .summary = "forget a source on this machine",
      .text = "Removes sources/NAME.json.  VMs and restore points are not "
              "touched.",
      .args = { SOURCE_ARG },
      .run = cli_source_remove },
    { .noun = "vm",
      .verb = "list",
      .summary = "list the VMs of a source",
      .text = "Looks at a source and lists its VMs, with their containers, "
              "and what keeps one from being backed up.  What could not be "
              "looked at is a warning (exit 3).",
      .args = { { .name = "SOURCE",
                  .value = CLI_SOURCE,
                  .help = "The source's name." } },
      .example = "vm list lab",
      .run = cli_vm_list },
    { .noun = "vm",
      .verb = "find",
      .summary = "find VMs and containers by a part of their name",
      .text = "Looks at all sources and lists the VMs whose name, or one of "
              "whose containers (folder, pool, network, tag), has TEXT in its "
              "name, without regard to case; and such containers.  A source "
              "that cannot be looked at is a warning (exit 3).",
      .args = { { .name = "TEXT",
                  .value = CLI_TEXT,
                  .help = "The part of the name." } },
      USES(find_uses),
      .example = "vm find web --source lab",
      .run = cli_vm_find },
    { .noun = "backup",
      .verb = "run",
      .summary = "back up VMs into a repository",
      .text =
          "Each SOURCE-PATH is one VM: an image file (raw, qcow2, vmdk, "
          "vhdx, vdi), a block device, or a folder whose images are the "
          "disks and whose other files are the configuration.  Each "
          "becomes one restore point.  The first run of a VM is a full, "
          "later ones store only what changed.  Nothing is ever merged or "
          "rewritten, so there is no reverse incremental.\n"
          "With --retention the point carries a policy, by which point list "
          "shows when it expires; a run removes nothing.\n"
          "One VM that fails does not stop the others: if at least one "
          "has its point, the exit code is 3.  An interrupted run leaves "
          "no point, and what it uploaded is reused by the next one.",
      .args = { { .name = "SOURCE-PATH",
                  .value = CLI_PATH,
                  .many = true,
                  .help = "An image, a block device, or a folder of them." } },
      USES(backup_uses),
      .example = "backup run /vms/web1 --repo main",
      .run = cli_backup_run },
    { .noun = "point",
      .verb = "list",
      .summary = "list restore points",
      .text = "Lists the restore points of a repository, by VM and time, with "
              "their GFS flags (W, M, Y) and, by the policy of the VM's newest "
              "point, until when each is kept, and why.  Expired ones stay "
              "until they are collected.",
      USES(list_uses),
      .example = "point list --vm web1",
      .run = cli_point_list },
    { .noun = "point",
      .verb = "show",
      .summary = "show a restore point",
      .text = "Shows what a point holds: disks, files, and how it was made.",
      .args = { POINT_ARG },
      USES(point_uses),
      .run = cli_point_show },
    { .noun = "point",
      .verb = "export",
      .summary = "print a point's manifest",
      .text = "Prints the manifest of a point, as JSON, once it is verified.",
      .args = { POINT_ARG },
      USES(point_uses),
      .run = cli_point_export },
    { .noun = "point",
      .verb = "verify",
      .summary = "verify a restore point",
      .text = "Looks at everything that a point needs and names each object "
              "that is damaged or missing.  With damage the exit code is 7.",
      .args = { POINT_ARG },
      USES(verify_uses),
      .example = "point verify web1@latest --level list",
      .run = cli_point_verify },
    { .noun = "point",
      .verb = "delete",
      .summary = "delete a restore point",
      .text = "Deletes a point.  No other point needs it.  A protected one is "
              "refused (exit 5).",
      .args = { POINT_ARG },
      USES(delete_uses),
      .run = cli_point_delete },
    { .noun = "point",
      .verb = "protect",
      .summary = "keep a restore point beyond its time",
      .text = "Protects a point: neither retention nor point delete removes it "
              "until point unprotect.  Nothing is locked by that.",
      .args = { POINT_ARG },
      USES(point_uses),
      .example = "point protect web1@2026-11-22T10:00:00Z",
      .run = cli_point_protect },
    { .noun = "point",
      .verb = "unprotect",
      .summary = "let retention decide about a point again",
      .text = "Takes a point's protection away.",
      .args = { POINT_ARG },
      USES(point_uses),
      .run = cli_point_unprotect },
    { .noun = "restore",
      .verb = "disk",
      .summary = "restore a disk",
      .text = "Writes a disk of a point to a file, a block device or stdout.  "
              "A file appears under its name once it is complete and "
              "verified; zeros become holes.",
      .args = { POINT_ARG,
                { .name = "DISK",
                  .value = CLI_TEXT,
                  .optional = true,
                  .help = "The disk's name.  May be left out where the point "
                          "has just one." } },
      USES(disk_uses),
      .example = "restore disk web1@latest vda.qcow2 --to /tmp/vda.img",
      .run = cli_restore_disk },
    { .noun = "restore",
      .verb = "vm",
      .summary = "restore all disks and files of a VM",
      .text = "Writes every disk of a point to DIR, as a raw image (\".raw\" "
              "is added to the name where the source had another format), and "
              "the files of its configuration.",
      .args = { POINT_ARG },
      USES(vm_uses),
      .example = "restore vm web1@latest --to /vms/web1-restored",
      .run = cli_restore_vm },
    { .noun = "keyset",
      .verb = "list",
      .summary = "list the keysets of a repository",
      .text = "Lists the keysets of a repository, as their slots describe "
              "them; no password is needed.  A keyset is what one data key "
              "opens: points that were made with --encrypt.",
      USES(keyset_list_uses),
      .run = cli_keyset_list },
    { .noun = "keyset",
      .verb = "show",
      .summary = "open a keyset and show its slots",
      .text = "Opens a keyset and shows what its data key is wrapped by: "
              "passwords, recovery passwords, key servers.",
      USES(keyset_show_uses),
      .example = "keyset show --keyset default",
      .run = cli_keyset_show },
    { .noun = "keyset",
      .verb = "create",
      .summary = "make a keyset",
      .text = "Makes a keyset with a new data key, which a password opens.  "
              "backup run --encrypt does the same where there is none of its "
              "label yet.  Each keyset is deduplicated by itself.",
      .args = { { .name = "LABEL",
                  .value = CLI_TEXT,
                  .help = "What --keyset calls it." } },
      USES(keyset_create_uses),
      .example = "keyset create finance --repo main --password-file "
                 "/root/finance.password",
      .run = cli_keyset_create },
    { .noun = "keyset",
      .verb = "add-slot",
      .summary = "let one more password or key open a keyset",
      .text = "Wraps a keyset's data key once more: by a password, by a new "
              "key of a key server, or by a recovery password that is made "
              "and written to a new file.  "
              "What opens it now has to be at hand.",
      USES(keyset_add_uses),
      .example = "keyset add-slot --repo main --recovery-password-file "
                 "/root/recovery",
      .run = cli_keyset_add_slot },
    { .noun = "keyset",
      .verb = "remove-slot",
      .summary = "let a password or key open a keyset no more",
      .text = "Takes a slot out of force, and deletes it as far as locks "
              "allow.  The data key stays the same: whoever opened the keyset "
              "before may have kept it.  The last slot is refused.",
      .args = { { .name = "SLOT",
                  .value = CLI_TEXT,
                  .help = "The slot's id, as keyset show prints it." } },
      USES(keyset_remove_uses),
      .example = "keyset remove-slot 0123456789abcdef --repo main --yes",
      .run = cli_keyset_remove_slot },
    { .noun = "keyset",
      .verb = "change-password",
      .summary = "change a keyset's password",
      .text = "Wraps the data key by another password in place of the present "
              "one, which has to be at hand (or a recovery password).  Points "
              "stay as they are, and the new password opens all of them.  On "
              "a locked repository the old slot stays until its lock ends "
              "(exit 3).",
      USES(keyset_change_uses),
      .example = "keyset change-password --repo main --password-file old "
                 "--new-password-file new",
      .run = cli_keyset_change_password },
    { .noun = "keyset",
      .verb = "rotate",
      .summary = "give a keyset new keys, or a new data key",
      .text =
          "Makes a new key in each key server of a keyset, wraps the data key "
          "by it, reads that back, and revokes the old key there (it is "
          "never destroyed).  Points stay as they are, and no data is "
          "uploaded.  Passwords stay too (see keyset change-password).  If it "
          "is cut off, the next one goes on with it.  On a locked repository "
          "the old slots stay until their lock ends (exit 3).  With "
          "--new-data-key, where the data key may be known to somebody: a new "
          "keyset takes the place of this one.  It is opened by new keys of "
          "the same key servers and by the password at hand, or that of "
          "--new-password-file; other passwords and the recovery password do "
          "not open it, and --recovery-password-file makes one.  The next run "
          "of each VM is a full; older points are opened as before, and are as "
          "safe as their data key.",
      USES(keyset_rotate_uses),
      .example = "keyset rotate --repo main --yes",
      .run = cli_keyset_rotate },
    { .noun = "kms",
      .verb = "add",
      .summary = "configure a key server",
      .text = "Speaks to each server (KMIP over TLS, certificates on both "
              "sides) and writes kms/NAME.json where all of them answer as "
              "they should.",
      .args = { NEW_NAME_ARG },
      USES(kms_add_uses),
      .example = "kms add main --server kms1.example.org,kms2.example.org "
                 "--ca ca.pem --cert host.pem --key host.key",
      .run = cli_kms_add },
    { .noun = "kms",
      .verb = "test",
      .summary = "speak to a key server",
      .text = "Speaks to each server and shows version, certificates and the "
              "time that a request takes.  A certificate that ends within 30 "
              "days is a warning (exit 3).",
      .args = { KMS_ARG },
      .run = cli_kms_test },
    { .noun = "kms",
      .verb = "list",
      .summary = "list the configured key servers",
      .text = "Lists the key servers that are configured on this machine, "
              "without contacting them.",
      .run = cli_kms_list },
    { .noun = "kms",
      .verb = "show",
      .summary = "show a key server's configuration",
      .text = "Shows how a key server is configured, without contacting it.",
      .args = { KMS_ARG },
      .run = cli_kms_show },
    { .noun = "kms",
      .verb = "remove",
      .summary = "forget a key server on this machine",
      .text = "Removes kms/NAME.json.  Keys in the server are not touched; "
              "what only they open cannot be read until kms add.",
      .args = { KMS_ARG },
      .run = cli_kms_remove },
    { .noun = "bench",
      .verb = "repo",
      .summary = "measure a repository's storage",
      .text = "Stores and fetches objects of several sizes over several "
              "connections, raw (random bytes, nothing is computed) and as a "
              "backup does it (hashed, compressed, verified), and prints the "
              "rates.  The objects lie below gc/ and are removed at the end; "
              "those of one that was killed, by the next a day later.  "
              "How much will be moved at most is said beforehand.",
      .args = { NAME_ARG },
      USES(bench_uses),
      .example = "bench repo main --sizes 1M,4M --connections 4,16",
      .run = cli_bench_repo },
    { .noun = "config",
      .verb = "check",
      .summary = "check all configuration files",
      .text = "Reads every configuration file and reports each one that is "
              "wrong, with the field.  With any the exit code is 2.",
      .run = cli_config_check },
    { .noun = "config",
      .verb = "schema",
      .summary = "print the JSON Schema of a configuration file",
      .text = "Prints the JSON Schema of a kind of configuration file.",
      .args = { { .name = "KIND",
                  .value = CLI_WORD,
                  .words = eng_config_kinds,
                  .help =
                      "The kind: repo, credentials, kms, source or prices." } },
      .run = cli_config_schema },
    { .noun = "version",
      .summary = "print the version",
      .text = "Prints the version of the program.",
      .run = cli_version },
    { .noun = "help",
      .summary = "explain commands",
      .text = "Explains a command, or lists those there are.",
      .args = { { .name = "NOUN",
                  .value = CLI_TEXT,
                  .optional = true,
                  .help = "The first word of a command." },
                { .name = "VERB",
                  .value = CLI_TEXT,
                  .optional = true,
                  .help = "The second word." } },
      .run = cli_help },
    { .noun = "completion",
      .summary = "print a shell's completion script",
      .text = "Prints the completion script of a shell.",
      .args = { { .name = "SHELL",
                  .value = CLI_WORD,
                  .words = shell_words,
                  .help = "The shell: bash." } },
      .example = "completion bash > ~/.local/share/bash-completion/"
                 "completions/objvault",
      .run = cli_completion },
    { .noun = "man",
      .summary = "print the manual page",
      .text = "Prints the manual page, in mdoc.",
      .example = "man | man -l -",
      .run = cli_man },
};
const size_t cli_n_commands = sizeof cli_commands / sizeof cli_commands[0];
