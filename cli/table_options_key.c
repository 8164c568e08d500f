// SPDX-License-Identifier: Apache-2.0
/* Options: what encrypts and opens, and key servers. */
#include "cli/table.h"
#include "engine/job/kms_config.h"

static const char *const kmip_words[] = { "auto", "1.2", "1.4", "2.0", NULL };
static const char *const kms_mode_words[] = { "get", "remote", NULL };

const struct cli_option cli_options_key[CLI_OPTS] = {
    [CLI_OPT_ENCRYPT] = { .name = "encrypt",
                          .value = CLI_ENCRYPT,
                          .metavar = "HOW",
                          .help = "How to encrypt: none stores in the clear; "
                                  "password makes a keyset that a password "
                                  "opens, kms:NAME one that a key of this key "
                                  "server opens, or they open the one there "
                                  "is.  Has to "
                                  "be said where the repository has keysets." },
    [CLI_OPT_KEYSET] = { .name = "keyset",
                         .value = CLI_TEXT,
                         .metavar = "LABEL",
                         .help = "The keyset, by its label or name.  Default: "
                                 "default." },
    [CLI_OPT_KEYSET_ONLY] = { .name = "keyset",
                              .value = CLI_TEXT,
                              .metavar = "LABEL",
                              .help = "Only this keyset, by its label or name; "
                                      "plain for what is in the clear.  "
                                      "Default: all whose keys are at hand." },
    [CLI_OPT_PASSWORD_HINT] = { .name = "password-hint",
                                .value = CLI_TEXT,
                                .metavar = "TEXT",
                                .help = "What reminds you of the new "
                                        "password.  It is stored in the clear, "
                                        "and shown where the password is asked "
                                        "for or refused." },
    [CLI_OPT_PUBLIC_KEY] = { .name = "public-key",
                             .value = CLI_PATH,
                             .metavar = "FILE",
                             .help = "Let the owner of a private key restore: "
                                     "its public half (PEM; RSA of at least "
                                     "2,048 bits, or X25519), which is no "
                                     "secret." },
    [CLI_OPT_PRIVATE_KEY] = { .name = "private-key",
                              .value = CLI_PATH,
                              .metavar = "FILE",
                              .help = "Open keysets by this private key (PEM, "
                                      "not encrypted), to restore and look, "
                                      "not to write; nobody else may read the "
                                      "file." },
    [CLI_OPT_PASSWORD_FILE] = { .name = "password-file",
                                .value = CLI_PATH,
                                .metavar = "FILE",
                                .help = "Read the password that opens keysets "
                                        "from this file; a line break at its "
                                        "end does not count.  Nobody else "
                                        "should be able to use the file (a "
                                        "warning).  Else it comes "
                                        "from --password-command, or "
                                        "OBJVAULT_PASSWORD, or is asked for on "
                                        "a terminal." },
    [CLI_OPT_PASSWORD_COMMAND] = { .name = "password-command",
                                   .value = CLI_TEXT,
                                   .metavar = "COMMAND",
                                   .help = "Take the password from what this "
                                           "shell command prints; what it says "
                                           "on stderr is for a terminal, and "
                                           "in no log." },
    [CLI_OPT_RECOVERY_FILE] = { .name = "recovery-password-file",
                                .value = CLI_PATH,
                                .metavar = "FILE",
                                .help = "Make a recovery password, which opens "
                                        "the keyset too, and write it to this "
                                        "new file.  Print it and keep it in a "
                                        "safe, away from this machine." },
    [CLI_OPT_KEYS_OF_JOBS] =
        FLAG("keys-of-jobs", "Also open keysets by the passwords that the jobs "
                             "into this repository name, as the daemon does."),
    [CLI_OPT_ALLOW_COMPROMISED] =
        FLAG("allow-compromised-key",
             "Also open what is read with keys that their key server calls "
             "compromised: somebody else may have them, and may have made "
             "what they open."),
    [CLI_OPT_NEW_PASSWORD_FILE] = { .name = "new-password-file",
                                    .value = CLI_PATH,
                                    .metavar = "FILE",
                                    .help = "The new password.  Else it is "
                                            "asked for twice on a terminal." },
    [CLI_OPT_SLOT] = { .name = "slot",
                       .value = CLI_TEXT,
                       .metavar = "ID",
                       .help = "The slot whose password is changed.  Default: "
                               "the one that the present password opens, else "
                               "the only one with a password." },
    [CLI_OPT_NEW_DATA_KEY] =
        FLAG("new-data-key", "Make a new data key: a keyset of the same "
                             "label, which takes the place of this one.  "
                             "The next run of each VM is a full; older "
                             "points are read as before."),
    [CLI_OPT_KMS] = { .name = "kms",
                      .value = CLI_KMS,
                      .metavar = "NAME",
                      .help = "A configured key server, which makes a key for "
                              "the slot." },
    [CLI_OPT_SERVER] = { .name = "server",
                         .value = CLI_TEXT,
                         .metavar = "HOST[:PORT],...",
                         .help = "The server, or several that hold the same "
                                 "keys, in the order they are asked.  Default "
                                 "port: 5696." },
    [CLI_OPT_KMS_CA] = { .name = "ca",
                         .value = CLI_PATH,
                         .metavar = "FILE",
                         .help = "The certificates (PEM) that the servers' "
                                 "come from; no others are trusted." },
    [CLI_OPT_CERT] = { .name = "cert",
                       .value = CLI_PATH,
                       .metavar = "FILE",
                       .help = "This machine's certificate (PEM)." },
    [CLI_OPT_KEY] = { .name = "key",
                      .value = CLI_PATH,
                      .metavar = "FILE",
                      .help = "Its private key (PEM), which nobody else may "
                              "read." },
    [CLI_OPT_KMIP_VERSION] = { .name = "kmip-version",
                               .value = CLI_WORD,
                               .metavar = "VERSION",
                               .words = kmip_words,
                               .help = "The version of KMIP.  Default: auto, "
                                       "the highest that both know." },
    [CLI_OPT_KMS_MODE] = { .name = "mode",
                           .value = CLI_WORD,
                           .metavar = "MODE",
                           .words = kms_mode_words,
                           .help = "Whether this machine gets keys and wraps "
                                   "with them (get, the default), or they stay "
                                   "in the server, which does it (remote; "
                                   "needs KMIP 1.4)." },
    [CLI_OPT_PIN] = { .name = "pin",
                      .value = CLI_TEXT,
                      .metavar = "HEX,...",
                      .help = "The servers' public keys (SHA-256 of the "
                              "SubjectPublicKeyInfo, 64 hex digits each): "
                              "others are refused, whoever has signed them." },
    [CLI_OPT_USER] = { .name = "user",
                       .value = CLI_TEXT,
                       .metavar = "NAME",
                       .help = "The user name that the server wants besides "
                               "the certificate; with --password-file." },
    [CLI_OPT_KMS_PASSWORD_FILE] = { .name = "password-file",
                                    .value = CLI_PATH,
                                    .metavar = "FILE",
                                    .help = "The file of the user's password, "
                                            "which nobody else may read; it is "
                                            "read each time." },
    [CLI_OPT_TIMEOUT] = { .name = "timeout",
                          .value = CLI_DURATION,
                          .metavar = "D",
                          .min = 1,
                          .max = ENG_KMS_TIMEOUT_MAX_S,
                          .help = "How long an operation may take, at all "
                                  "servers together.  Default: 1m, and 20s "
                                  "where somebody waits at a terminal." },
};
