// SPDX-License-Identifier: Apache-2.0
/*
 * keyset rotate: new keys in key servers, or a new data key.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/keyset.h"
#include "engine/repo/keyset_rotate.h"

struct rotation {
    struct eng_rotate_opts o;
    struct eng_rotation done;
    struct secret *password, *recovery; /* owned */
    const char *rescue; /* the file of recovery, until a slot was made by it */
};

static void rotation_fini(struct rotation *x)
{
    if (x->rescue != NULL && x->recovery != NULL)
        (void)unlink(x->rescue); /* it opens nothing */
    secret_free(x->password);
    secret_free(x->recovery);
    eng_rotation_free(&x->done);
}

/* --- what was done --- */

static const char *turn_word(const struct eng_turned *t)
{
    static const char *const words[] = { "rotated", "finished", "kept" };
    return words[t->what];
}

/* Whether a slot is not as a user would expect it to be now. */
static bool is_amiss(const struct eng_turned *t)
{
    return t->why_kind != ERR_NONE || t->stays;
}

static bool any(const struct eng_rotation *x,
                bool (*what)(const struct eng_turned *))
{
    for (size_t i = 0; i < x->n; i++)
        if (what(&x->of[i]))
            return true;
    return false;
}

static bool stays(const struct eng_turned *t)
{
    return t->stays;
}

static void json_turned(struct jsonw *w, const struct eng_turned *t)
{
    jsonw_object(w);
    jsonw_kstring(w, "slot", t->slot);
    jsonw_kstring(w, "type", mf_slot_type_word(t->type));
    jsonw_kstring(w, "what", turn_word(t));
    cli_json_text(w, "kms", t->kms[0] != '\0' ? t->kms : NULL);
    cli_json_text(w, "old_key", t->old_key[0] != '\0' ? t->old_key : NULL);
    cli_json_text(w, "key", t->key[0] != '\0' ? t->key : NULL);
    jsonw_kbool(w, "retired", t->retired);
    cli_json_text(w, "reason", t->why[0] != '\0' ? t->why : NULL);
    jsonw_end_object(w);
}

static int json(struct cli_ctx *c, const struct eng_repo *repo,
                const struct rotation *x, const struct eng_keyset *k,
                struct err *e)
{
    struct jsonw w = cli_json_begin(c);

    jsonw_kstring(&w, "repo", eng_repo_name(repo));
    jsonw_kbool(&w, "dry_run", x->o.dry_run);
    jsonw_kbool(&w, "old_stays", any(&x->done, stays));
    cli_keyset_json(&w, k);
    jsonw_key(&w, "rotation");
    jsonw_array(&w);
    for (size_t i = 0; i < x->done.n; i++)
        json_turned(&w, &x->done.of[i]);
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

/* What is not as it should be, in whatever form the rest is told. */
static void warn_of(const struct rotation *x)
{
    for (size_t i = 0; i < x->done.n; i++) {
        const struct eng_turned *t = &x->done.of[i];
        if (t->why_kind != ERR_NONE)
            cli_message("slot %s (%s)%s: %s", t->slot,
                        mf_slot_type_word(t->type),
                        t->what == ENG_TURN_KEPT ? " is left out" : "", t->why);
    }
    if (any(&x->done, stays))
        cli_message("what the old keys open is locked, or these keys may not "
                    "delete it: who reads the bucket and gets an old key can "
                    "open it until it is gone");
}

static void say_kms(struct cli_ctx *c, const struct eng_turned *t, bool dry,
                    bool fresh)
{
    if (dry)
        cli_say(c, "slot %s (kms) would get a new key of %s", t->slot, t->kms);
    else if (fresh)
        cli_say(c, "slot %s (kms): a key of %s opens the new keyset", t->slot,
                t->kms);
    else
        cli_say(c, "slot %s (kms) has key %s of %s%s; key %s %s revoked",
                t->slot, t->key, t->kms,
                t->what == ENG_TURN_FINISHED ? ", of an earlier rotation" : "",
                t->old_key, t->retired ? "is" : "is not");
}

static void say_turned(struct cli_ctx *c, const struct eng_turned *t, bool dry,
                       bool fresh)
{
    const char *type = mf_slot_type_word(t->type);

    if (t->what == ENG_TURN_KEPT && t->why_kind == ERR_NONE)
        cli_say(c, "slot %s (%s) %s", t->slot, type,
                fresh ? "does not open the new keyset" : "stays as it is");
    else if (t->what != ENG_TURN_KEPT && t->type == MF_SLOT_KMS)
        say_kms(c, t, dry, fresh);
    else if (t->what != ENG_TURN_KEPT)
        cli_say(c, "slot %s (%s): the same opens the new keyset", t->slot,
                type);
}

static int report(struct cli_ctx *c, struct eng_repo *repo,
                  const struct rotation *x, bool fresh, struct err *e)
{
    const char *name = x->done.keyset;
    const struct eng_keyset *k = cli_keyset_again(c, repo, name, e);

    if (k == NULL)
        return -1;
    int code = any(&x->done, is_amiss) ? 3 : 0;
    warn_of(x);
    if (c->json)
        return json(c, repo, x, k, e) < 0 ? -1 : code;
    for (size_t i = 0; i < x->done.n; i++)
        say_turned(c, &x->done.of[i], x->o.dry_run, fresh);
    if (fresh && !x->o.dry_run)
        cli_say(c,
                "keyset %s (%s) takes the place of the old one: the next run "
                "of each VM is a full",
                k->name, k->label);
    return code;
}

/* --- doing it --- */

static int check_options(struct cli_ctx *c, bool fresh, struct err *e)
{
    const char *useless =
        cli_given(c, CLI_OPT_NEW_PASSWORD_FILE) ? "--new-password-file"
        : cli_given(c, CLI_OPT_RECOVERY_FILE)   ? "--recovery-password-file"
                                                : NULL;
    if (fresh || useless == NULL)
        return 0;
    return err_set(e, ERR_USAGE, 0, "%s goes with --new-data-key", useless);
}

static int confirm(struct cli_ctx *c, const struct eng_keyset *k, bool fresh,
                   struct err *e)
{
    AUTO_BUF struct buf question = buf_init(1024);

    buf_printf(&question,
               fresh ? "Make a new data key for keyset %s, so that the next "
                       "run of each VM is a full?"
                     : "Give keyset %s new keys, and revoke the old ones in "
                       "their key servers?",
               k->label);
    return cli_confirm(c, buf_cstr(&question), e);
}

/* What the new keyset is opened by beside key servers. */
static int prepare(struct cli_ctx *c, struct rotation *x, struct err *e)
{
    if (cli_given(c, CLI_OPT_NEW_PASSWORD_FILE)) {
        x->password = cli_keyset_new_password(c, e);
        if (x->password == NULL)
            return -1;
        x->o.password = x->password;
    } else if (cli_unlock_password(c, NULL, false, &x->o.password, e) < 0) {
        return -1;
    }
    x->rescue = x->o.dry_run ? NULL : cli_text(c, CLI_OPT_RECOVERY_FILE);
    if (x->rescue == NULL)
        return 0;
    x->recovery = cli_recovery_new(x->rescue, e);
    x->o.recovery = x->recovery;
    return x->recovery != NULL ? 0 : -1;
}

int cli_keyset_rotate(struct cli_ctx *c, struct err *e)
{
    bool fresh = cli_given(c, CLI_OPT_NEW_DATA_KEY);
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO(rotation_fini)
    struct rotation x = { .o.dry_run = cli_given(c, CLI_OPT_DRY_RUN) };

    if (check_options(c, fresh, e) < 0)
        return -1;
    const struct eng_keyset *k = cli_keyset_open(c, &repo, &x.o.ways, e);
    if (k == NULL ||
        cli_unlock_servers(c, &x.o.servers, &x.o.n_servers, e) < 0 ||
        (!x.o.dry_run && confirm(c, k, fresh, e) < 0) ||
        (fresh && prepare(c, &x, e) < 0))
        return -1;
    int r = fresh ? eng_keyset_renew(repo.repo, k->name, &x.o, c->cancel,
                                     &x.done, e)
                  : eng_keyset_rotate(repo.repo, k->name, &x.o, c->cancel,
                                      &x.done, e);
    if (r < 0)
        return -1;
    x.rescue = NULL;              /* it stays */
    if (x.done.keyset[0] == '\0') /* a dry run made none */
        (void)snprintf(x.done.keyset, sizeof x.done.keyset, "%s", k->name);
    return report(c, repo.repo, &x, fresh, e);
}
