// SPDX-License-Identifier: Apache-2.0
/*
 * keyset list, show, create, add-slot, remove-slot, change-password.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/keyset.h"
#include "engine/job/kms_config.h"

#define FINGERPRINT_CHARS (2 * WRAP_FINGERPRINT_BYTES + 1)

/* Of a public key: the SHA-256 of its SubjectPublicKeyInfo. */
static const char *fingerprint_of(const struct mf_slot *s,
                                  char out[FINGERPRINT_CHARS])
{
    digest_hex(span_of(s->pubkey.fingerprint, WRAP_FINGERPRINT_BYTES), out);
    return out;
}

/* --- what there is --- */

static void json_slot(struct jsonw *w, const struct mf_slot *s)
{
    bool kms = s->type == MF_SLOT_KMS;
    bool hint = s->type == MF_SLOT_PASSWORD && s->password.hint[0] != '\0';
    char print[FINGERPRINT_CHARS];

    jsonw_object(w);
    jsonw_kstring(w, "slot", s->slot);
    jsonw_kuint(w, "gen", s->gen);
    jsonw_kstring(w, "type", mf_slot_type_word(s->type));
    jsonw_ktime(w, "made", s->made);
    cli_json_text(w, "hint", hint ? s->password.hint : NULL);
    cli_json_text(w, "kms", kms ? s->kms.name : NULL);
    cli_json_text(w, "key", kms ? s->kms.key : NULL);
    cli_json_text(w, "key_name", kms ? s->kms.key_name : NULL);
    jsonw_kstring(w, "fingerprint",
                  s->type == MF_SLOT_PUBKEY ? fingerprint_of(s, print) : NULL);
    jsonw_end_object(w);
}

void cli_keyset_json(struct jsonw *w, const struct eng_keyset *k)
{
    jsonw_kstring(w, "keyset", k->name);
    cli_json_text(w, "label", k->label);
    cli_json_time(w, "created", k->created);
    jsonw_kstring(w, "supersedes",
                  k->supersedes[0] != '\0' ? k->supersedes : NULL);
    jsonw_kbool(w, "open", k->keys != NULL);
    jsonw_key(w, "slots");
    jsonw_array(w);
    for (size_t i = 0; i < k->n_slots; i++)
        json_slot(w, &k->slots[i].s);
    jsonw_end_array(w);
}

static int json_list(struct cli_ctx *c, const struct eng_repo *repo,
                     struct err *e)
{
    const struct eng_keysets *all = eng_repo_keysets(repo);
    struct jsonw w = cli_json_begin(c);

    jsonw_kstring(&w, "repo", eng_repo_name(repo));
    jsonw_key(&w, "keysets");
    jsonw_array(&w);
    for (size_t i = 0; i < all->n; i++) {
        jsonw_object(&w);
        cli_keyset_json(&w, all->k[i]);
        jsonw_end_object(&w);
    }
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

int cli_keyset_list(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_CLI_TABLE struct cli_table t = { .align = "lllr" };

    /* Nobody is asked for a password: what slots say of themselves is all. */
    if (cli_repo_open_chosen(c, CLI_INTERACTIVE, &repo, e) < 0 ||
        eng_keysets_load(repo.repo, c->cancel, e) < 0)
        return -1;
    if (c->json)
        return json_list(c, repo.repo, e);
    const struct eng_keysets *all = eng_repo_keysets(repo.repo);
    static const char *const heads[] = { "LABEL", "KEYSET", "CREATED",
                                         "SLOTS" };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_table_add(&t, "%s", heads[i]);
    for (size_t i = 0; i < all->n; i++) {
        cli_table_add(&t, "%s",
                      all->k[i]->label[0] != '\0' ? all->k[i]->label : "-");
        cli_table_add(&t, "%s", all->k[i]->name);
        cli_table_time(&t, all->k[i]->created);
        cli_table_add(&t, "%zu", all->k[i]->n_slots);
    }
    if (all->n > 0)
        cli_table_print(&t, &c->out);
    else
        cli_say(c, "repository %s has no keyset", eng_repo_name(repo.repo));
    return 0;
}

static const char *label_of(const struct cli_ctx *c)
{
    return cli_given(c, CLI_OPT_KEYSET) ? cli_text(c, CLI_OPT_KEYSET)
                                        : ENG_KEYSET_LABEL;
}

/* The keyset that --keyset says, by label or by name. */
static const struct eng_keyset *find(struct cli_ctx *c,
                                     const struct eng_repo *repo, struct err *e)
{
    const char *label = label_of(c);
    const struct eng_keyset *k = eng_keysets_find(repo, label);

    if (k == NULL)
        k = eng_keysets_of_label(repo, label);
    if (k == NULL)
        (void)err_set(e, ERR_NOTFOUND, 0, "repository %s has no keyset %.200s",
                      eng_repo_name(repo), label);
    return k;
}

const struct eng_keyset *cli_keyset_open(struct cli_ctx *c,
                                         struct cli_repo *repo,
                                         struct eng_key_ways *ways,
                                         struct err *e)
{
    if (cli_repo_open_chosen(c, CLI_INTERACTIVE, repo, e) < 0 ||
        eng_keysets_load(repo->repo, c->cancel, e) < 0)
        return NULL;
    const struct eng_keyset *k = find(c, repo->repo, e);
    if (k == NULL || cli_unlock_ways(c, repo->repo, ways, e) < 0 ||
        eng_keyset_open(repo->repo, k->name, ways, true, c->cancel, e) < 0)
        return NULL;
    return k;
}

static void print_slots(struct cli_ctx *c, const struct eng_keyset *k)
{
    static const char *const heads[] = { "SLOT", "TYPE", "MADE", "KEY" };
    AUTO_CLI_TABLE struct cli_table t = { .align = "llll" };

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_table_add(&t, "%s", heads[i]);
    for (size_t i = 0; i < k->n_slots; i++) {
        const struct mf_slot *s = &k->slots[i].s;
        char print[FINGERPRINT_CHARS];
        cli_table_add(&t, "%s", s->slot);
        cli_table_add(&t, "%s", mf_slot_type_word(s->type));
        cli_table_time(&t, s->made);
        if (s->type == MF_SLOT_KMS)
            cli_table_add(&t, "%s at %s", s->kms.key, s->kms.name);
        else if (s->type == MF_SLOT_PUBKEY)
            cli_table_add(&t, "%s", fingerprint_of(s, print));
        else if (s->type == MF_SLOT_PASSWORD && s->password.hint[0] != '\0')
            cli_table_add(&t, "hint: %s", s->password.hint);
        else
            cli_table_add(&t, "-");
    }
    buf_append_char(&c->out, '\n');
    cli_table_print(&t, &c->out);
}

int cli_keyset_show(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    struct eng_key_ways ways = { 0 };
    char iso[UTC_ISO_CHARS];

    const struct eng_keyset *k = cli_keyset_open(c, &repo, &ways, e);
    if (k == NULL)
        return -1;
    if (c->json) {
        struct jsonw w = cli_json_begin(c);
        jsonw_kstring(&w, "repo", eng_repo_name(repo.repo));
        cli_keyset_json(&w, k);
        return cli_json_end(c, &w, e);
    }
    utc_format_iso(k->created, iso);
    cli_pair(c, "Keyset", "%s", k->name);
    cli_pair(c, "Label", "%s", k->label);
    cli_pair(c, "Created", "%s", iso);
    if (k->supersedes[0] != '\0')
        cli_pair(c, "Supersedes", "%s", k->supersedes);
    print_slots(c, k);
    return 0;
}

/* --- changes --- */

/* The keyset as it is now. */
static int result(struct cli_ctx *c, const struct eng_repo *repo,
                  const struct eng_keyset *k, bool dry_run, bool stays,
                  struct err *e)
{
    if (stays)
        cli_message("what was there before is locked, or these keys may not "
                    "delete it: who reads the bucket and has the old password "
                    "can open it until it is gone");
    if (!c->json)
        return stays ? 3 : 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "repo", eng_repo_name(repo));
    jsonw_kbool(&w, "dry_run", dry_run);
    jsonw_kbool(&w, "old_stays", stays);
    cli_keyset_json(&w, k);
    if (cli_json_end(c, &w, e) < 0)
        return -1;
    return stays ? 3 : 0;
}

const struct eng_keyset *cli_keyset_again(struct cli_ctx *c,
                                          struct eng_repo *repo,
                                          const char name[MF_KEYSET_CHARS],
                                          struct err *e)
{
    char copy[MF_KEYSET_CHARS];

    (void)snprintf(copy, sizeof copy, "%s", name);
    if (eng_keysets_load(repo, c->cancel, e) < 0)
        return NULL;
    const struct eng_keyset *k = eng_keysets_find(repo, copy);
    if (k == NULL)
        (void)err_set(e, ERR_NOTFOUND, 0, "keyset %s is gone", copy);
    return k;
}

int cli_keyset_create(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO(cli_encrypt_fini) struct cli_encrypt x = { 0 };
    bool made = false;

    if (cli_repo_open_chosen(c, CLI_INTERACTIVE, &repo, e) < 0 ||
        cli_encrypt_read_new(c, repo.repo, c->call->args[0], &x, e) < 0 ||
        eng_encrypt_choose(repo.repo, &x.o, c->cancel, &made, e) < 0)
        return -1;
    if (!made)
        return err_set(e, ERR_EXISTS, 0,
                       "another host made keyset %s at the same time",
                       x.o.label);
    x.recovery_file = NULL;
    cli_say(c, "keyset %s is made", x.o.label);
    const struct eng_keyset *k = eng_keysets_of_label(repo.repo, x.o.label);
    return result(c, repo.repo, k, false, false, e);
}

struct secret *cli_keyset_new_password(struct cli_ctx *c, struct err *e)
{
    const char *file = cli_text(c, CLI_OPT_NEW_PASSWORD_FILE);
    AUTO_SECRET struct secret *first = NULL;
    AUTO_SECRET struct secret *second = NULL;

    if (file != NULL)
        return cli_unlock_from_file(file, e);
    if (!cli_may_ask()) {
        (void)err_set(e, ERR_USAGE, 0,
                      "the new password is missing: say --new-password-file");
        return NULL;
    }
    if (cli_ask_secret(c, "New password", &first, e) < 0 ||
        cli_ask_secret(c, "The same again", &second, e) < 0)
        return NULL;
    if (first != NULL && second != NULL &&
        span_eq(secret_span(first), secret_span(second)))
        return STEAL(first);
    (void)err_set(e, ERR_USAGE, 0, "the two passwords are empty, or differ");
    return NULL;
}

/* What the new slot is made by. */
struct addition {
    struct secret *password; /* owned; NULL with a key server or public key */
    struct eng_password by;
    struct wrap_pkey *public_key; /* owned */
    struct eng_pkey pkey;
    struct eng_key_way way;
    const char *rescue; /* the file of a recovery password */
};

static void addition_fini(struct addition *a)
{
    if (a->rescue != NULL && a->password != NULL)
        (void)unlink(a->rescue); /* it opens nothing */
    secret_free(a->password);
    eng_pkey_fini(&a->pkey);
    wrap_pkey_free(a->public_key);
}

static int prepare(struct cli_ctx *c, const struct eng_repo *repo,
                   struct addition *a, struct err *e)
{
    if (cli_given(c, CLI_OPT_KMS)) {
        struct eng_key_server *s =
            cli_unlock_server(c, cli_text(c, CLI_OPT_KMS), e);
        if (s == NULL ||
            eng_key_server_make_key(s, eng_repo_descriptor(repo)->id, c->cancel,
                                    e) < 0)
            return -1;
        a->way = eng_way_kms(&s->adapter);
        return 0;
    }
    if (cli_given(c, CLI_OPT_PUBLIC_KEY)) {
        a->public_key = cli_public_key(c, e);
        if (a->public_key == NULL)
            return -1;
        a->pkey = (struct eng_pkey){ .key = a->public_key };
        a->way = eng_way_pkey(&a->pkey);
        return 0;
    }
    a->rescue = cli_text(c, CLI_OPT_RECOVERY_FILE);
    a->password = a->rescue != NULL ? cli_recovery_new(a->rescue, e)
                                    : cli_keyset_new_password(c, e);
    if (a->password == NULL)
        return -1;
    a->by = (struct eng_password){ .password = a->password,
                                   .hint = cli_text(c, CLI_OPT_PASSWORD_HINT),
                                   .recovery = a->rescue != NULL };
    a->way = eng_way_password(&a->by);
    return 0;
}

int cli_keyset_add_slot(struct cli_ctx *c, struct err *e)
{
    AUTO(addition_fini) struct addition a = { 0 };
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    struct eng_key_ways ways = { 0 };

    int others = cli_given(c, CLI_OPT_RECOVERY_FILE) +
                 cli_given(c, CLI_OPT_KMS) + cli_given(c, CLI_OPT_PUBLIC_KEY);
    if (others + cli_given(c, CLI_OPT_NEW_PASSWORD_FILE) > 1)
        return err_set(e, ERR_USAGE, 0,
                       "--new-password-file, --recovery-password-file, --kms "
                       "and --public-key are one slot each: add one by one");
    if (others > 0 && cli_given(c, CLI_OPT_PASSWORD_HINT))
        return err_set(e, ERR_USAGE, 0,
                       "--password-hint goes with a new password");
    const struct eng_keyset *k = cli_keyset_open(c, &repo, &ways, e);
    if (k == NULL)
        return -1;
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(repo.repo, k->name, &ways, false, c->cancel, NULL, e);
    if (key == NULL || prepare(c, repo.repo, &a, e) < 0 ||
        eng_slot_add(repo.repo, k, NULL, key, &a.way, c->cancel, e) < 0)
        return -1;
    a.rescue = NULL; /* it stays */
    k = cli_keyset_again(c, repo.repo, k->name, e);
    if (k == NULL)
        return -1;
    cli_say(c, "keyset %s has one more slot", k->label);
    return result(c, repo.repo, k, false, false, e);
}

static const struct eng_slot *slot_by_id(const struct eng_keyset *k,
                                         const char *id, struct err *e)
{
    for (size_t i = 0; i < k->n_slots; i++)
        if (strcmp(k->slots[i].s.slot, id) == 0)
            return &k->slots[i];
    (void)err_set(e, ERR_NOTFOUND, 0, "keyset %s has no slot %.40s", k->label,
                  id);
    return NULL;
}

/* Out of force already: what a lock or an end in between has left goes. */
static int remove_rest(struct cli_ctx *c, struct eng_repo *repo,
                       const struct eng_keyset *k, const char *id, bool *stays,
                       struct err *e)
{
    AUTO_BUF struct buf question = buf_init(1024);

    buf_printf(&question, "Delete what is left of slot %s of keyset %s?", id,
               k->label);
    if (cli_confirm(c, buf_cstr(&question), e) < 0 ||
        eng_slot_clear(repo, k, id, c->cancel, stays, e) < 0)
        return -1;
    cli_say(c, "slot %s of keyset %s is removed", id, k->label);
    return result(c, repo, k, false, *stays, e);
}

int cli_keyset_remove_slot(struct cli_ctx *c, struct err *e)
{
    bool dry = cli_given(c, CLI_OPT_DRY_RUN);
    bool stays = false;
    const char *id = c->call->args[0];
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_BUF struct buf question = buf_init(1024);
    struct eng_key_ways ways = { 0 };
    struct err why = { 0 };

    /* Who cannot open the keyset removes no key of it. */
    const struct eng_keyset *k = cli_keyset_open(c, &repo, &ways, e);
    if (k == NULL)
        return -1;
    const struct eng_slot *s = slot_by_id(k, id, &why);
    if (s == NULL && !dry)
        return remove_rest(c, repo.repo, k, id, &stays, e);
    if (s == NULL) {
        *e = why;
        return -1;
    }
    if (eng_slot_check_removal(k, e) < 0)
        return -1;
    buf_printf(&question, "Remove slot %s (%s) of keyset %s?", id,
               mf_slot_type_word(s->s.type), k->label);
    if (!dry && (cli_confirm(c, buf_cstr(&question), e) < 0 ||
                 eng_slot_remove(repo.repo, k, s, c->cancel, &stays, e) < 0))
        return -1;
    k = cli_keyset_again(c, repo.repo, k->name, e);
    if (k == NULL)
        return -1;
    cli_say(c, "slot %s of keyset %s %s removed", id, k->label,
            dry ? "would be" : "is");
    return result(c, repo.repo, k, dry, stays, e);
}

/* Which slot gets the new password: the one that --slot says, else the one that
 * was opened, else (a recovery password or a key server opened) the only one
 * with a password. */
static const struct eng_slot *slot_to_change(struct cli_ctx *c,
                                             const struct eng_keyset *k,
                                             size_t opened, struct err *e)
{
    const struct eng_slot *found = NULL;

    if (cli_given(c, CLI_OPT_SLOT))
        found = slot_by_id(k, cli_text(c, CLI_OPT_SLOT), e);
    else if (k->slots[opened].s.type == MF_SLOT_PASSWORD)
        found = &k->slots[opened];
    else
        for (size_t i = 0; i < k->n_slots; i++) {
            if (k->slots[i].s.type != MF_SLOT_PASSWORD)
                continue;
            if (found != NULL) {
                (void)err_set(e, ERR_USAGE, 0,
                              "keyset %s has several passwords: say --slot",
                              k->label);
                return NULL;
            }
            found = &k->slots[i];
        }
    if (found == NULL && e->kind == ERR_NONE)
        (void)err_set(e, ERR_NOTFOUND, 0,
                      "keyset %s has no password: keyset add-slot gives it one",
                      k->label);
    if (found == NULL || found->s.type == MF_SLOT_PASSWORD)
        return found;
    (void)err_set(e, ERR_USAGE, 0,
                  "slot %s has no password that can be changed", found->s.slot);
    return NULL;
}

int cli_keyset_change_password(struct cli_ctx *c, struct err *e)
{
    bool stays = false;
    size_t opened = 0;
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    struct eng_key_ways ways = { 0 };

    const struct eng_keyset *k = cli_keyset_open(c, &repo, &ways, e);
    if (k == NULL)
        return -1;
    AUTO_SECRET struct secret *key = eng_keyset_unwrap(
        repo.repo, k->name, &ways, false, c->cancel, &opened, e);
    if (key == NULL)
        return -1;
    const struct eng_slot *s = slot_to_change(c, k, opened, e);
    AUTO_SECRET struct secret *password =
        s != NULL ? cli_keyset_new_password(c, e) : NULL;
    if (password == NULL)
        return -1;
    struct eng_password by = { .password = password,
                               .hint = cli_text(c, CLI_OPT_PASSWORD_HINT) };
    struct eng_key_way way = eng_way_password(&by);
    uint32_t gen = eng_slot_next(k, s);
    if (eng_slot_add(repo.repo, k, s, key, &way, c->cancel, e) < 0 ||
        eng_slot_forget(repo.repo, k->name, s->s.slot, gen, c->cancel, &stays,
                        e) < 0)
        return -1;
    k = cli_keyset_again(c, repo.repo, k->name, e);
    if (k == NULL)
        return -1;
    cli_say(c, "keyset %s has a new password; points stay as they are",
            k->label);
    return result(c, repo.repo, k, false, stays, e);
}
