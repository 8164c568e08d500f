// SPDX-License-Identifier: Apache-2.0
/* Commands: backup, point, restore: making points, looking at them, getting VMs
 * back. */
#include "cli/table.h"

#define POINT_ARG                                                              \
    {                                                                          \
        .name = "POINT", .value = CLI_TEXT,                                    \
        .help = "The point: VM@TIME, as in web1@2026-11-22T10:00:00Z, or "     \
                "VM@latest for the newest that verifies."                      \
    }

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

const struct cli_command cli_commands_point[] = {
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
    { .noun = NULL },
};
