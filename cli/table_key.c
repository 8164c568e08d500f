// SPDX-License-Identifier: Apache-2.0
/* Commands: keyset, kms: what encrypted points are opened by. */
#include "cli/table.h"

#define KMS_ARG                                                                \
    {                                                                          \
        .name = "NAME", .value = CLI_KMS, .help = "The key server's name."     \
    }

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

const struct cli_command cli_commands_key[] = {
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
    { .noun = NULL },
};
