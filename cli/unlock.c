// SPDX-License-Identifier: Apache-2.0
/* What opens keysets: where the password comes from, and opening them. */
#include "cli/unlock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "base/secretref.h"
#include "engine/job/job.h"
#include "engine/job/kms_config.h"

/* What a job's file leads to. */
struct job_password {
    struct secret *secret;
    struct eng_password by;
};

struct cli_unlock {
    struct secret *environment; /* what OBJVAULT_PASSWORD held, or NULL */
    struct secret *password;    /* once it was found */
    const char *reference;      /* where a job says that it is; or NULL */
    bool asked;
    char *closed_why; /* owned; why a key server opens no keyset that has a
                         password too, which nobody was asked for; or NULL */
    struct eng_password by_password;
    struct secret *recovery; /* the password as a recovery password is written,
                                where it may be one; or NULL */
    struct eng_password by_recovery;
    struct job_password *jobs; /* owned, each; of --keys-of-jobs */
    size_t n_jobs;
    struct wrap_pkey *pkey; /* owned; of --private-key */
    struct eng_pkey by_pkey;
    struct eng_key_server **servers; /* owned, each; once they were read */
    size_t n_servers;
    struct eng_kms **adapters; /* owned; theirs, once somebody asked */
    struct eng_key_way *ways;  /* owned: room for all of them, those of jobs, a
                                  private key and a password in two spellings */
};

int cli_unlock_init(struct cli_ctx *c, struct err *e)
{
    char *password = getenv("OBJVAULT_PASSWORD");

    c->keys = calloc(1, sizeof(*c->keys));
    if (c->keys == NULL)
        return err_nomem(e);
    if (password == NULL)
        return 0;
    if (password[0] != '\0')
        c->keys->environment = secret_new(span_str(password), e);
    bool kept = password[0] == '\0' || c->keys->environment != NULL;
    /* The environment's own copy is wiped too: /proc shows it. */
    secret_wipe(password, strlen(password));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread so far. */
    unsetenv("OBJVAULT_PASSWORD");
    return kept ? 0 : -1;
}

void cli_unlock_fini(struct cli_ctx *c)
{
    if (c->keys == NULL)
        return;
    secret_free(c->keys->environment);
    secret_free(c->keys->password);
    secret_free(c->keys->recovery);
    eng_pkey_fini(&c->keys->by_pkey);
    wrap_pkey_free(c->keys->pkey);
    for (size_t i = 0; i < c->keys->n_servers; i++)
        eng_key_server_free(c->keys->servers[i]);
    for (size_t i = 0; i < c->keys->n_jobs; i++)
        secret_free(c->keys->jobs[i].secret);
    free(c->keys->jobs);
    free(c->keys->closed_why);
    free(c->keys->servers);
    free(c->keys->adapters);
    free(c->keys->ways);
    free(c->keys);
    c->keys = NULL;
}

static void warn_of_others(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        cli_message("password file %s can be used by others (mode %04o): run "
                    "chmod 600 on it",
                    path, (unsigned)st.st_mode & 07777);
}

struct secret *cli_unlock_from_file(const char *path, struct err *e)
{
    struct secret *s = secretref_file(path, e);

    if (s == NULL && e->kind != ERR_NOMEM)
        e->kind = ERR_CONFIG;
    if (s != NULL)
        warn_of_others(path);
    return s;
}

/* What a job's reference leads to. */
static struct secret *referred(struct cli_ctx *c, const char *reference,
                               struct err *e)
{
    AUTO_JSON struct json_doc *doc =
        json_parse(span_str(reference), JSON_STRICT, ERR_CONFIG, e);

    if (doc == NULL)
        return NULL;
    struct json root = json_root(doc);
    AUTO_SECRET struct secret *s = secretref_resolve(&root, c->cancel, e);
    if (s != NULL && json_is_object(&root)) {
        struct json file = json_optional(&root, "file");
        if (json_present(&file))
            warn_of_others(json_string(&file, PATH_MAX));
    }
    if (s == NULL || json_failed(doc, e) < 0) {
        (void)err_ctx(e, "the job's password");
        return NULL;
    }
    return STEAL(s);
}

void cli_unlock_refer(struct cli_ctx *c, const char *reference)
{
    c->keys->reference = reference;
}

/* What was given, or NULL with e->kind ERR_NONE. */
static struct secret *given(struct cli_ctx *c, struct err *e)
{
    const char *file = cli_text(c, CLI_OPT_PASSWORD_FILE);
    const char *command = cli_text(c, CLI_OPT_PASSWORD_COMMAND);
    const char *const argv[] = { "/bin/sh", "-c", command, NULL };

    if (file != NULL && command != NULL) {
        (void)err_set(e, ERR_USAGE, 0,
                      "--password-file and --password-command exclude each "
                      "other");
        return NULL;
    }
    if (file != NULL)
        return cli_unlock_from_file(file, e);
    if (command != NULL)
        return secretref_command(argv, c->cancel, e);
    if (c->keys->environment == NULL && c->keys->reference != NULL)
        return referred(c, c->keys->reference, e);
    return STEAL(c->keys->environment);
}

static int ask(struct cli_ctx *c, const char *question, bool fresh,
               struct err *e)
{
    struct cli_unlock *k = c->keys;
    AUTO_SECRET struct secret *again = NULL;

    k->asked = true;
    if (cli_ask_secret(c, question, &k->password, e) < 0)
        return -1;
    if (!fresh || k->password == NULL)
        return 0;
    if (cli_ask_secret(c, "The same again", &again, e) < 0)
        return -1;
    if (again != NULL && span_eq(secret_span(again), secret_span(k->password)))
        return 0;
    return err_set(e, ERR_USAGE, 0, "the two passwords differ");
}

int cli_unlock_password(struct cli_ctx *c, const char *question, bool fresh,
                        const struct secret **out, struct err *e)
{
    struct cli_unlock *k = c->keys;

    *out = NULL;
    if (k->password == NULL) {
        struct err why = { 0 };
        k->password = given(c, &why);
        if (why.kind != ERR_NONE) {
            *e = why;
            return -1;
        }
    }
    if (k->password == NULL && question != NULL && !k->asked && cli_may_ask() &&
        ask(c, question, fresh, e) < 0)
        return -1;
    *out = k->password;
    return 0;
}

static bool has_type(const struct eng_slot *slots, size_t n,
                     enum mf_slot_type type)
{
    for (size_t i = 0; i < n; i++)
        if (slots[i].s.type == type)
            return true;
    return false;
}

/* Earlier generations count: they may be what is left to read by. */
static bool has(const struct eng_keyset *k, enum mf_slot_type type)
{
    return has_type(k->slots, k->n_slots, type) ||
           has_type(k->earlier, k->n_earlier, type);
}

static bool has_password(const struct eng_keyset *k)
{
    return has(k, MF_SLOT_PASSWORD) || has(k, MF_SLOT_RECOVERY);
}

static int add_server(struct cli_ctx *c, const char *name, struct err *e)
{
    struct cli_unlock *k = c->keys;
    struct eng_config_kms config = { 0 };
    struct err why = { 0 };

    /* One that is configured wrongly keeps nobody from what others open. */
    if (eng_config_kms_load(&c->home, name, &config, &why) < 0) {
        cli_error_line(&why);
        return 0;
    }
    struct eng_key_server *s = eng_key_server_new(&config, e);
    if (s == NULL) {
        eng_config_kms_fini(&config);
        return -1;
    }
    s->somebody_waits = cli_may_ask();
    s->allow_compromised = cli_given(c, CLI_OPT_ALLOW_COMPROMISED);
    k->servers[k->n_servers++] = s;
    return 0;
}

/* All key servers that are configured; they are spoken to when needed. */
static int read_servers(struct cli_ctx *c, struct err *e)
{
    struct cli_unlock *k = c->keys;
    char **names = NULL;
    size_t n = 0;
    int r = 0;

    if (k->servers != NULL)
        return 0;
    if (eng_config_names(&c->home, "kms", &names, &n, e) < 0)
        return -1;
    k->servers = calloc(n + 1, sizeof(struct eng_key_server *));
    if (k->servers == NULL) {
        eng_config_names_free(names, n);
        (void)err_nomem(e);
        return -1;
    }
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_server(c, names[i], e);
    eng_config_names_free(names, n);
    return r;
}

struct eng_key_server *cli_unlock_server(struct cli_ctx *c, const char *name,
                                         struct err *e)
{
    struct eng_config_kms config = { 0 };

    if (read_servers(c, e) < 0)
        return NULL;
    for (size_t i = 0; i < c->keys->n_servers; i++)
        if (strcmp(c->keys->servers[i]->config.name, name) == 0)
            return c->keys->servers[i];
    /* What is wrong with it was said; now it is the reason. */
    if (eng_config_kms_load(&c->home, name, &config, e) == 0) {
        eng_config_kms_fini(&config);
        (void)err_set(e, ERR_NOTFOUND, 0, "key server %s is new", name);
    }
    return NULL;
}

int cli_unlock_servers(struct cli_ctx *c, struct eng_kms *const **out,
                       size_t *n, struct err *e)
{
    struct cli_unlock *k = c->keys;

    if (read_servers(c, e) < 0)
        return -1;
    free(k->adapters);
    k->adapters = calloc(k->n_servers + 1, sizeof(struct eng_kms *));
    if (k->adapters == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < k->n_servers; i++)
        k->adapters[i] = &k->servers[i]->adapter;
    *out = k->adapters;
    *n = k->n_servers;
    return 0;
}

/* Hints of all passwords, in the words of a question. */
static void say_hints(const struct eng_keysets *all, struct buf *out)
{
    const char *between = " (hint: ";

    for (size_t i = 0; i < all->n; i++)
        for (size_t j = 0; j < all->k[i]->n_slots; j++) {
            const struct mf_slot *s = &all->k[i]->slots[j].s;
            if (s->type != MF_SLOT_PASSWORD || s->password.hint[0] == '\0')
                continue;
            buf_printf(out, "%s%s", between, s->password.hint);
            between = "; ";
        }
    if (between[0] == ';')
        buf_append_char(out, ')');
}

static int pkey_way(struct cli_ctx *c, struct eng_key_ways *out, struct err *e)
{
    const char *file = cli_text(c, CLI_OPT_PRIVATE_KEY);
    struct cli_unlock *k = c->keys;
    AUTO_SECRET_BUF struct buf pem = buf_init(0);

    if (file == NULL)
        return 0;
    if (k->pkey == NULL) {
        if (secretref_key_file(file, &pem, e) < 0)
            return -1;
        k->pkey = wrap_pkey_private(buf_span(&pem), span_of(NULL, 0), e);
        if (k->pkey == NULL)
            return err_ctx(e, "key file %s", file);
    }
    k->by_pkey = (struct eng_pkey){ .key = k->pkey, .private_half = true };
    k->ways[out->n++] = eng_way_pkey(&k->by_pkey);
    return 0;
}

static int password_way(struct cli_ctx *c, const struct eng_repo *repo,
                        bool may_ask, struct eng_key_ways *out, struct err *e)
{
    struct cli_unlock *k = c->keys;
    const struct secret *password = NULL;
    AUTO_BUF struct buf question = buf_init(4096);

    buf_printf(&question, "Password of repository %s", eng_repo_name(repo));
    say_hints(eng_repo_keysets(repo), &question);
    buf_append_str(&question, " (empty: none)");
    if (cli_unlock_password(c, may_ask ? buf_cstr(&question) : NULL, false,
                            &password, e) < 0)
        return -1;
    if (password == NULL)
        return 0;
    k->by_password = (struct eng_password){ .password = password };
    k->ways[out->n++] = eng_way_password(&k->by_password);
    if (k->recovery == NULL && cli_recovery_read(password, &k->recovery, e) < 0)
        return -1;
    if (k->recovery != NULL) {
        k->by_recovery = (struct eng_password){ .password = k->recovery };
        k->ways[out->n++] = eng_way_password(&k->by_recovery);
    }
    return 0;
}

static int add_job(struct cli_ctx *c, const char *name, const char *repo,
                   struct err *e)
{
    struct cli_unlock *k = c->keys;
    AUTO_ENG_JOB struct eng_job job = { 0 };

    if (eng_job_load(&c->home, name, &job, e) < 0)
        return -1;
    if (job.password == NULL || strcmp(job.repo, repo) != 0)
        return 0;
    struct secret *s = referred(c, job.password, e);
    if (s == NULL)
        return err_ctx(e, "job %s", name);
    k->jobs[k->n_jobs++].secret = s;
    return 0;
}

/* The passwords of the jobs into the repository, once.  A job whose file or
 * password cannot be read keeps nobody from what others open. */
static int read_jobs(struct cli_ctx *c, const char *repo, struct err *e)
{
    char **names = NULL;
    size_t n = 0;

    if (!cli_given(c, CLI_OPT_KEYS_OF_JOBS) || c->keys->jobs != NULL)
        return 0;
    if (eng_config_names(&c->home, "jobs", &names, &n, e) < 0)
        return -1;
    c->keys->jobs = calloc(n + 1, sizeof(*c->keys->jobs));
    for (size_t i = 0; c->keys->jobs != NULL && i < n; i++) {
        struct err why = { 0 };
        if (add_job(c, names[i], repo, &why) < 0)
            cli_error_line(&why);
    }
    eng_config_names_free(names, n);
    return c->keys->jobs != NULL ? 0 : err_nomem(e);
}

static void add_job_ways(struct cli_unlock *k, struct eng_key_ways *out)
{
    for (size_t i = 0; i < k->n_jobs; i++) {
        k->jobs[i].by = (struct eng_password){ .password = k->jobs[i].secret };
        k->ways[out->n++] = eng_way_password(&k->jobs[i].by);
    }
}

int cli_unlock_ways(struct cli_ctx *c, struct eng_repo *repo,
                    struct eng_key_ways *out, struct err *e)
{
    const struct eng_keysets *all = eng_repo_keysets(repo);
    struct cli_unlock *k = c->keys;
    bool password = false;
    bool kms = false;

    for (size_t i = 0; i < all->n; i++) {
        password = password || has_password(all->k[i]);
        kms = kms || has(all->k[i], MF_SLOT_KMS);
    }
    if ((kms && read_servers(c, e) < 0) ||
        (password && read_jobs(c, eng_repo_name(repo), e) < 0))
        return -1;
    free(k->ways);
    k->ways = calloc(k->n_servers + k->n_jobs + 3, sizeof(*k->ways));
    if (k->ways == NULL)
        return err_nomem(e);
    *out = (struct eng_key_ways){ .w = k->ways };
    if (pkey_way(c, out, e) < 0)
        return -1;
    /* A password that was given goes first: a server may keep us waiting. Where
     * there is a server nobody is asked for one. */
    bool servers = kms && k->n_servers > 0;
    if (password &&
        password_way(c, repo, !servers && k->pkey == NULL, out, e) < 0)
        return -1;
    add_job_ways(k, out);
    for (size_t i = 0; servers && i < k->n_servers; i++)
        k->ways[out->n++] = eng_way_kms(&k->servers[i]->adapter);
    return 0;
}

/* A password that opens none of the keysets that have one is wrong, or one of
 * them is damaged: each says why. */
static int check_password(const struct eng_repo *repo, struct err *e)
{
    const struct eng_keysets *all = eng_repo_keysets(repo);
    bool closed = false;

    for (size_t i = 0; i < all->n; i++) {
        if (!has_password(all->k[i]))
            continue;
        if (all->k[i]->keys != NULL)
            return 0;
        if (closed)
            (void)err_hint(e, "%s", all->k[i]->why);
        else
            (void)err_set(e, all->k[i]->why_kind, 0, "%s", all->k[i]->why);
        closed = true;
    }
    return closed ? -1 : 0;
}

/* A keyset that is closed, and that a password would open which nobody was
 * asked for; or NULL. */
static const struct eng_keyset *lacks_password(const struct cli_ctx *c,
                                               const struct eng_repo *repo)
{
    const struct eng_keysets *all = eng_repo_keysets(repo);

    if (c->keys->password != NULL || c->keys->asked)
        return NULL;
    for (size_t i = 0; i < all->n; i++)
        if (all->k[i]->keys == NULL && has_password(all->k[i]))
            return all->k[i];
    return NULL;
}

/* Key servers, or a private key, left something closed: now a password is asked
 * for. */
static int ask_late(struct cli_ctx *c, struct eng_repo *repo, size_t *closed,
                    struct err *e)
{
    struct eng_key_ways ways = { .w = c->keys->ways };

    for (size_t i = 0; i < eng_repo_keysets(repo)->n; i++)
        if (eng_repo_keysets(repo)->k[i]->keys == NULL)
            cli_message("%s", eng_repo_keysets(repo)->k[i]->why);
    if (password_way(c, repo, true, &ways, e) < 0)
        return -1;
    return ways.n > 0 ? eng_keysets_open(repo, &ways, c->cancel, closed, e) : 0;
}

size_t cli_unlock_say_closed(const struct eng_repo *repo, const char *are)
{
    const struct eng_keysets *all = eng_repo_keysets(repo);
    size_t closed = 0;

    for (size_t i = 0; i < all->n; i++) {
        if (all->k[i]->keys != NULL)
            continue;
        cli_message("repository %s: points in keyset %s %s: %s",
                    eng_repo_name(repo), all->k[i]->name, are, all->k[i]->why);
        closed++;
    }
    return closed;
}

void cli_unlock_hint(const struct cli_ctx *c, struct err *e)
{
    if (c->keys != NULL && c->keys->closed_why != NULL &&
        c->keys->closed_why[0] != '\0' &&
        strstr(e->msg, c->keys->closed_why) != NULL)
        (void)err_hint(e, "a password opens it too: say --password-file");
}

void cli_unlock_never_ask(struct cli_ctx *c)
{
    c->keys->asked = true;
}

int cli_unlock_open(struct cli_ctx *c, struct eng_repo *repo, struct err *e)
{
    struct eng_key_ways ways = { 0 };
    size_t closed = 0;

    if (eng_keysets_load(repo, c->cancel, e) < 0)
        return -1;
    if (eng_repo_keysets(repo)->n == 0)
        return 0;
    if (cli_unlock_ways(c, repo, &ways, e) < 0 ||
        eng_keysets_open(repo, &ways, c->cancel, &closed, e) < 0)
        return -1;
    const struct eng_keyset *k = lacks_password(c, repo);
    if (k != NULL && cli_may_ask() && ask_late(c, repo, &closed, e) < 0)
        return -1;
    if (k != NULL && !cli_may_ask() && has(k, MF_SLOT_KMS)) {
        free(c->keys->closed_why);
        c->keys->closed_why = strdup(k->why);
        if (c->keys->closed_why == NULL)
            return err_nomem(e);
    }
    return c->keys->password != NULL ? check_password(repo, e) : 0;
}
