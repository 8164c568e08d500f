// SPDX-License-Identifier: Apache-2.0
/*
 * --encrypt, --keyset and --recovery-password-file, or what a job says in their
 * place: which keyset a run writes to, and what a new one is opened by.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/io.h"
#include "cli/unlock.h"
#include "engine/job/kms_config.h"

#define KMS_PREFIX "kms:"

/* 160 bits as 32 letters and digits that look like no other, in groups. */
#define RECOVERY_BYTES 20
#define RECOVERY_CHARS 40
#define GROUP_CHARS 5 /* with its dash */

static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct secret *cli_recovery_new(const char *file, struct err *e)
{
    uint8_t raw[RECOVERY_BYTES];
    char text[RECOVERY_CHARS + 1];
    size_t n = 0;
    struct secret *s = NULL;

    if (digest_random(raw, sizeof raw, e) < 0)
        return NULL;
    for (size_t bit = 0; bit < 8 * sizeof raw; bit += 5) {
        unsigned two = (unsigned)raw[bit / 8] << 8;
        if (bit / 8 + 1 < sizeof raw)
            two |= raw[bit / 8 + 1];
        if (bit > 0 && bit % 20 == 0)
            text[n++] = '-';
        text[n++] = letters[two >> (11 - bit % 8) & 31];
    }
    text[n] = '\n';
    if (io_write_file(file, span_of(text, n + 1), 0600, true, e) < 0)
        (void)err_ctx(e, "keep the recovery password");
    else
        s = secret_new(span_of(text, n), e);
    secret_wipe(raw, sizeof raw);
    secret_wipe(text, sizeof text);
    return s;
}

/* The letter that was meant; 0: none of a recovery password. */
static char letter_of(uint8_t typed)
{
    int c = tolower(typed);

    if (c == 'o')
        return '0';
    if (c == 'i' || c == 'l')
        return '1';
    const char *found = c != 0 ? strchr(letters, c) : NULL;
    if (found == NULL)
        return '\0';
    return *found;
}

int cli_recovery_read(const struct secret *typed, struct secret **out,
                      struct err *e)
{
    struct span in = secret_span(typed);
    char text[RECOVERY_CHARS];
    size_t n = 0;
    bool good = true;

    *out = NULL;
    for (size_t i = 0; good && i < in.len; i++) {
        if (in.p[i] == '-' || in.p[i] == ' ')
            continue;
        if (n % GROUP_CHARS == GROUP_CHARS - 1 && n < sizeof text)
            text[n++] = '-';
        char letter = letter_of(in.p[i]);
        good = letter != '\0' && n < sizeof text;
        if (good)
            text[n++] = letter;
    }
    /* The last group has no dash behind it. */
    good = good && n == RECOVERY_CHARS - 1;
    if (good && !span_eq(in, span_of(text, n)))
        *out = secret_new(span_of(text, n), e);
    else
        good = false;
    secret_wipe(text, sizeof text);
    return good && *out == NULL ? -1 : 0;
}

static int check_options(struct cli_ctx *c, enum eng_encrypt what,
                         struct err *e)
{
    static const enum cli_opt sealing[] = { CLI_OPT_KEYSET,
                                            CLI_OPT_PASSWORD_HINT,
                                            CLI_OPT_RECOVERY_FILE,
                                            CLI_OPT_PUBLIC_KEY };

    for (size_t i = 0; i < sizeof sealing / sizeof sealing[0]; i++)
        if (what != ENG_ENCRYPT_KEY && cli_given(c, sealing[i]))
            return err_set(e, ERR_USAGE, 0,
                           "--%s goes with --encrypt password or kms:NAME",
                           cli_option(sealing[i])->name);
    return 0;
}

static int read_word(const char *word, enum eng_encrypt *what, struct err *e)
{
    *what = ENG_ENCRYPT_UNSAID;
    if (word == NULL)
        return 0;
    if (strcmp(word, "none") == 0)
        *what = ENG_ENCRYPT_NONE;
    else if (strcmp(word, "password") == 0 ||
             strncmp(word, KMS_PREFIX, strlen(KMS_PREFIX)) == 0)
        *what = ENG_ENCRYPT_KEY;
    else
        return err_set(
            e, ERR_USAGE, 0,
            "--encrypt \"%.80s\": must be none, password or kms:NAME", word);
    return 0;
}

#define PUBLIC_KEY_MAX ((size_t)64 << 10)

struct wrap_pkey *cli_public_key(struct cli_ctx *c, struct err *e)
{
    const char *file = cli_text(c, CLI_OPT_PUBLIC_KEY);
    AUTO_BUF struct buf pem = buf_init(PUBLIC_KEY_MAX);
    struct wrap_pkey *key = NULL;

    if (io_read_file(file, &pem, e) == 0)
        key = wrap_pkey_public(buf_span(&pem), e);
    if (key == NULL)
        (void)err_ctx(e, "--public-key %s", file);
    return key;
}

/* What else opens a keyset that this run makes: a public key, and a recovery
 * password.  They come before anything is made elsewhere. */
static int new_others(struct cli_ctx *c, struct cli_encrypt *x, struct err *e)
{
    const char *file = cli_text(c, CLI_OPT_RECOVERY_FILE);

    if (cli_given(c, CLI_OPT_PUBLIC_KEY)) {
        x->public_key = cli_public_key(c, e);
        if (x->public_key == NULL)
            return -1;
        x->pkey = (struct eng_pkey){ .key = x->public_key };
    }
    if (file == NULL)
        return 0;
    x->recovery_secret = cli_recovery_new(file, e);
    if (x->recovery_secret == NULL)
        return -1;
    x->recovery_file = file;
    x->recovery = (struct eng_password){ .password = x->recovery_secret,
                                         .recovery = true };
    return 0;
}

/* The slots of a keyset that this run makes. */
static void new_slots(struct cli_encrypt *x)
{
    size_t n = 0;

    x->slots[n++] = x->way;
    if (x->public_key != NULL)
        x->slots[n++] = eng_way_pkey(&x->pkey);
    if (x->recovery_secret != NULL)
        x->slots[n++] = eng_way_password(&x->recovery);
    x->o.slots = (struct eng_key_ways){ x->slots, n };
}

/* Of x->o.label: finds the password, and what a new keyset needs. */
static int read_password(struct cli_ctx *c, struct cli_encrypt *x, bool fresh,
                         struct err *e)
{
    const struct secret *password = NULL;
    AUTO_BUF struct buf question = buf_init(1024);

    buf_printf(&question, "%s of keyset %s",
               fresh ? "New password" : "Password", x->o.label);
    if (cli_unlock_password(c, buf_cstr(&question), fresh, &password, e) < 0)
        return -1;
    if (password == NULL)
        return err_set(e, ERR_USAGE, 0,
                       "the password is missing: say --password-file, "
                       "--password-command or OBJVAULT_PASSWORD");
    x->password =
        (struct eng_password){ .password = password,
                               .hint = cli_text(c, CLI_OPT_PASSWORD_HINT) };
    x->way = eng_way_password(&x->password);
    x->o.ways = (struct eng_key_ways){ &x->way, 1 };
    if (!fresh || x->o.dry_run)
        return 0;
    if (new_others(c, x, e) < 0)
        return -1;
    new_slots(x);
    return 0;
}

/* The same with a key server: where the keyset is to be made it makes a key. */
static int read_kms(struct cli_ctx *c, const struct eng_repo *repo,
                    const char *name, struct cli_encrypt *x, bool fresh,
                    struct err *e)
{
    struct eng_key_server *s = cli_unlock_server(c, name, e);

    if (s == NULL)
        return -1;
    fresh = fresh && !x->o.dry_run;
    if (fresh && new_others(c, x, e) < 0)
        return -1;
    if (fresh && eng_key_server_make_key(s, eng_repo_descriptor(repo)->id,
                                         c->cancel, e) < 0)
        return err_ctx(e, "make a key");
    x->way = eng_way_kms(&s->adapter);
    x->o.ways = (struct eng_key_ways){ &x->way, 1 };
    if (fresh)
        new_slots(x);
    return 0;
}

/* What word, of --encrypt, says to open it, or to make it, by. */
static int read_way(struct cli_ctx *c, const struct eng_repo *repo,
                    const char *word, struct cli_encrypt *x, bool fresh,
                    struct err *e)
{
    if (word == NULL || strcmp(word, "password") == 0)
        return read_password(c, x, fresh, e);
    return read_kms(c, repo, word + strlen(KMS_PREFIX), x, fresh, e);
}

/* Options win. */
static const char *said(const struct cli_ctx *c, enum cli_opt opt,
                        const char *otherwise)
{
    return cli_given(c, opt) ? cli_text(c, opt) : otherwise;
}

int cli_encrypt_read(struct cli_ctx *c, struct eng_repo *repo,
                     struct cli_encrypt *x, struct err *e)
{
    const char *word = said(c, CLI_OPT_ENCRYPT, x->word);
    const char *label = said(c, CLI_OPT_KEYSET, x->label);

    if (read_word(word, &x->o.what, e) < 0 ||
        check_options(c, x->o.what, e) < 0)
        return -1;
    if (x->o.what != ENG_ENCRYPT_KEY)
        return 0;
    x->o.dry_run = cli_given(c, CLI_OPT_DRY_RUN_BACKUP);
    x->o.label = label != NULL ? label : ENG_KEYSET_LABEL;
    if (eng_keyset_check_label(x->o.label, e) < 0 ||
        eng_keysets_load(repo, c->cancel, e) < 0)
        return -1;
    bool fresh = eng_keysets_of_label(repo, x->o.label) == NULL;
    static const enum cli_opt making[] = { CLI_OPT_RECOVERY_FILE,
                                           CLI_OPT_PUBLIC_KEY,
                                           CLI_OPT_PASSWORD_HINT };
    for (size_t i = 0; i < sizeof making / sizeof making[0]; i++)
        if (!fresh && cli_given(c, making[i]))
            return err_set(e, ERR_USAGE, 0,
                           "keyset %s is there already, and --%s is for one "
                           "that is made: see keyset add-slot and "
                           "change-password",
                           x->o.label, cli_option(making[i])->name);
    return read_way(c, repo, word, x, fresh, e);
}

int cli_encrypt_begin(struct cli_ctx *c, struct eng_repo *repo,
                      struct cli_encrypt *x, struct err *e)
{
    bool made = false;

    if (cli_encrypt_read(c, repo, x, e) < 0)
        return -1;
    if (x->o.what != ENG_ENCRYPT_KEY)
        return 0;
    if (eng_encrypt_choose(repo, &x->o, c->cancel, &made, e) < 0)
        return -1;
    if (made)
        cli_say(c, "keyset %s is made; %s", x->o.label,
                x->recovery_file != NULL
                    ? "keep the recovery password away from this machine"
                    : "it has no recovery password (see keyset add-slot): "
                      "without the password its points are lost");
    if (made)
        x->recovery_file = NULL; /* it stays */
    return 0;
}

int cli_encrypt_read_new(struct cli_ctx *c, struct eng_repo *repo,
                         const char *label, struct cli_encrypt *x,
                         struct err *e)
{
    const char *word = cli_text(c, CLI_OPT_ENCRYPT);

    if (read_word(word, &x->o.what, e) < 0)
        return -1;
    if (x->o.what == ENG_ENCRYPT_NONE)
        return err_set(e, ERR_USAGE, 0, "a keyset is not in the clear");
    x->o.what = ENG_ENCRYPT_KEY;
    x->o.label = label;
    if (eng_keyset_check_label(label, e) < 0 ||
        eng_keysets_load(repo, c->cancel, e) < 0)
        return -1;
    if (eng_keysets_of_label(repo, label) != NULL)
        return err_set(e, ERR_EXISTS, 0,
                       "repository %s has a keyset %s already",
                       eng_repo_name(repo), label);
    return read_way(c, repo, word, x, true, e);
}

void cli_encrypt_fini(struct cli_encrypt *x)
{
    /* It opens nothing: no slot was made by it. */
    if (x->recovery_file != NULL)
        (void)unlink(x->recovery_file);
    secret_free(x->recovery_secret);
    eng_pkey_fini(&x->pkey);
    wrap_pkey_free(x->public_key);
    *x = (struct cli_encrypt){ 0 };
}
