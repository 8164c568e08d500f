// SPDX-License-Identifier: Apache-2.0
/*
 * repo create, attach, list, show, set, remove, stats.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/io.h"
#include "base/units.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"

static int copy(char **member, const char *text, struct err *e)
{
    if (text == NULL)
        return 0;
    *member = strdup(text);
    return *member != NULL ? 0 : err_nomem(e);
}

/* A path of the command line still means the same file tomorrow. */
static int copy_ca(struct cli_ctx *c, char **member, struct err *e)
{
    const char *ca = cli_text(c, CLI_OPT_CA);
    if (ca == NULL)
        return 0;
    *member = realpath(ca, NULL);
    if (*member == NULL)
        return err_set(e, err_of_errno(errno), errno, "--ca %s", ca);
    if (access(*member, R_OK) < 0)
        return err_set(e, err_of_errno(errno), errno, "--ca %s", ca);
    return 0;
}

/* The configuration that NAME, URL and the options say, checked. */
static int config_from_options(struct cli_ctx *c, struct eng_config_repo *r,
                               struct err *e)
{
    if (copy(&r->name, c->call->args[0], e) < 0 ||
        copy(&r->url, c->call->args[1], e) < 0 ||
        copy(&r->driver, cli_text(c, CLI_OPT_DRIVER), e) < 0 ||
        copy(&r->endpoint, cli_text(c, CLI_OPT_ENDPOINT), e) < 0 ||
        copy(&r->region, cli_text(c, CLI_OPT_REGION), e) < 0 ||
        copy(&r->addressing, cli_text(c, CLI_OPT_ADDRESSING), e) < 0 ||
        copy(&r->credentials, cli_text(c, CLI_OPT_CREDENTIALS), e) < 0 ||
        copy(&r->payload, cli_text(c, CLI_OPT_PAYLOAD), e) < 0 ||
        copy_ca(c, &r->ca, e) < 0)
        return -1;
    r->max_clock_skew_s = (int64_t)cli_number(c, CLI_OPT_MAX_CLOCK_SKEW);
    r->quota = cli_number(c, CLI_OPT_QUOTA);
    r->quota_hard = cli_number(c, CLI_OPT_QUOTA_HARD);
    return eng_config_repo_check(r, e);
}

/* The name must be free before anything happens in the storage. */
static int check_free(struct cli_ctx *c, const char *name, struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    bool taken = false;
    if (eng_config_names(&c->home, "repos", &names, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        taken = taken || strcmp(names[i], name) == 0;
    eng_config_names_free(names, n);
    if (taken)
        return err_set(e, ERR_EXISTS, 0,
                       "a repository \"%s\" is configured already in %s", name,
                       c->home.config);
    return 0;
}

static const char *lock_mode(const struct mf_descriptor *d)
{
    return d->mode == MF_LOCK_GOVERNANCE ? "governance" : "compliance";
}

static void json_config(struct jsonw *w, const struct eng_config_repo *r)
{
    jsonw_kstring(w, "name", r->name);
    cli_json_text(w, "url", r->url);
    jsonw_kstring(w, "driver", eng_config_repo_driver(r));
    cli_json_text(w, "endpoint", r->endpoint);
    cli_json_text(w, "region", r->region);
    cli_json_text(w, "credentials", r->credentials);
}

static const char *lock_scope(const struct mf_descriptor *d)
{
    return d->scope == MF_SCOPE_RETENTION ? "retention" : "minimum";
}

static void json_descriptor(struct jsonw *w, const struct eng_repo *repo)
{
    const struct mf_descriptor *d = eng_repo_descriptor(repo);
    jsonw_kstring(w, "id", d->id);
    jsonw_kuint(w, "format", MF_FORMAT_VERSION);
    jsonw_ktime(w, "created", d->created);
    jsonw_kuint(w, "block_size", d->block_size);
    jsonw_kbool(w, "locked", d->locked);
    if (d->locked) {
        jsonw_kstring(w, "lock_mode", lock_mode(d));
        jsonw_kuint(w, "immutable_seconds", eng_repo_immutability(repo));
        jsonw_kuint(w, "immutable_minimum_seconds", d->immutability_s);
        jsonw_kstring(w, "immutable_scope", lock_scope(d));
        jsonw_kuint(w, "generation_seconds", d->generation_s);
    } else {
        jsonw_knull(w, "lock_mode");
        jsonw_knull(w, "immutable_seconds");
        jsonw_knull(w, "immutable_minimum_seconds");
        jsonw_knull(w, "immutable_scope");
        jsonw_knull(w, "generation_seconds");
    }
}

static void json_size(struct jsonw *w, const char *key, uint64_t bytes)
{
    if (bytes != 0)
        jsonw_kuint(w, key, bytes);
    else
        jsonw_knull(w, key);
}

static void json_quotas(struct jsonw *w, const struct eng_config_repo *r)
{
    json_size(w, "quota_bytes", r->quota);
    json_size(w, "quota_hard_bytes", r->quota_hard);
}

/* When the last probe was, and what it did not find. */
static void json_probe(struct jsonw *w, const struct eng_probe_record *p)
{
    static const struct {
        const char *key;
        enum eng_probe_result result;
    } lists[] = { { "missing", ENG_PROBE_NO },
                  { "not_allowed", ENG_PROBE_DENIED } };

    jsonw_key(w, "probe");
    if (p->time == 0) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    jsonw_ktime(w, "time", p->time);
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        jsonw_key(w, lists[l].key);
        jsonw_array(w);
        for (int i = 0; i < ENG_PROBE_ITEMS; i++)
            if (p->results[i] == lists[l].result)
                jsonw_string(w, eng_probe_name((enum eng_probe_item)i));
        jsonw_end_array(w);
    }
    jsonw_end_object(w);
}

static int result_repo(struct cli_ctx *c, const struct eng_config_repo *r,
                       const struct eng_repo *repo, struct err *e)
{
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, "repo");
    jsonw_object(&w);
    json_config(&w, r);
    json_descriptor(&w, repo);
    json_quotas(&w, r);
    json_probe(&w, &r->probe);
    jsonw_end_object(&w);
    return cli_json_end(c, &w, e);
}

/* Opens the place, writes the configuration, reports.  made: we made the
 * repository just now, so a later failure must say that it is there. */
static int open_and_save(struct cli_ctx *c, const struct eng_config_repo *r,
                         const struct eng_repo_place *place, bool made,
                         struct err *e)
{
    AUTO_ENG_REPO struct eng_repo *repo = eng_repo_open(place, c->cancel, e);
    if (repo == NULL || eng_config_repo_save(&c->home, r, e) < 0) {
        if (made)
            (void)err_hint(e, "the repository was made: objvault repo attach "
                              "configures it");
        return -1;
    }
    const struct mf_descriptor *d = eng_repo_descriptor(repo);
    if (c->json)
        return result_repo(c, r, repo, e);
    cli_say(c, "repository %s is %s: %s (id %s)", r->name,
            made ? "made" : "attached", r->url, d->id);
    return 0;
}

/* What a new repository's objects are locked by, as the options say. */
static int lock_from_options(struct cli_ctx *c, struct eng_repo_create_opts *o,
                             struct err *e)
{
    static const struct {
        enum cli_opt opt;
        const char *name;
    } parts[] = { { CLI_OPT_LOCK_MODE, "--lock-mode" },
                  { CLI_OPT_IMMUTABLE_SCOPE, "--immutable-scope" },
                  { CLI_OPT_GENERATION, "--generation" } };
    const char *mode = cli_text(c, CLI_OPT_LOCK_MODE);
    const char *scope = cli_text(c, CLI_OPT_IMMUTABLE_SCOPE);

    o->locked = cli_given(c, CLI_OPT_IMMUTABLE);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && !o->locked; i++)
        if (cli_given(c, parts[i].opt))
            return err_set(e, ERR_USAGE, 0, "%s has no use without --immutable",
                           parts[i].name);
    o->mode = mode != NULL && strcmp(mode, "governance") == 0
                  ? MF_LOCK_GOVERNANCE
                  : MF_LOCK_COMPLIANCE;
    o->scope = scope != NULL && strcmp(scope, "retention") == 0
                   ? MF_SCOPE_RETENTION
                   : MF_SCOPE_MINIMUM;
    o->immutability_s = cli_number(c, CLI_OPT_IMMUTABLE);
    o->generation_s = cli_number(c, CLI_OPT_GENERATION);
    return 0;
}

static void warn_of_short_locks(const struct eng_repo_create_opts *o)
{
    if (o->locked && o->immutability_s < ENG_IMMUTABILITY_SAFE_S)
        cli_message("warning: an immutability below 4 hours is for tests: "
                    "what a suspended program may still do then is not "
                    "fenced off");
}

static int create_or_attach(struct cli_ctx *c, bool create, struct err *e)
{
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    AUTO_ENG_CONFIG_PLACE struct eng_config_place place = { 0 };
    uint64_t block_size = cli_number(c, CLI_OPT_BLOCK_SIZE);
    if (config_from_options(c, &r, e) < 0)
        return -1;
    if (cli_given(c, CLI_OPT_BLOCK_SIZE) &&
        eng_config_block_size_check(block_size, e) < 0)
        return -1;
    if (check_free(c, r.name, e) < 0 ||
        eng_config_place_init(&place, &c->home, &r, e) < 0)
        return -1;
    place.place.store.deadline_ms = CLI_INTERACTIVE_DEADLINE_MS;
    place.place.store.cancel = c->cancel;
    struct eng_probe probe = { 0 };
    struct eng_probe_opts relies = { 0 };
    if (create) {
        struct eng_repo_create_opts opts = {
            .probe = &probe,
            .create_bucket = cli_given(c, CLI_OPT_CREATE_BUCKET) ||
                             eng_config_repo_is_file(&r),
            .block_size = (uint32_t)block_size,
        };
        if (lock_from_options(c, &opts, e) < 0 ||
            eng_repo_create(&place.place, &opts, c->cancel, e) < 0)
            return -1;
        warn_of_short_locks(&opts);
        relies.governance = opts.locked && opts.mode == MF_LOCK_GOVERNANCE;
        cli_probe_left_over(&probe);
        r.probe = eng_probe_record(&probe);
    }
    if (open_and_save(c, &r, &place.place, create, e) < 0)
        return -1;
    return create ? cli_probe_warn(&probe, &relies) : 0;
}

int cli_repo_create(struct cli_ctx *c, struct err *e)
{
    return create_or_attach(c, true, e);
}

int cli_repo_attach(struct cli_ctx *c, struct err *e)
{
    return create_or_attach(c, false, e);
}

static bool list_one(struct cli_ctx *c, const char *name, struct jsonw *w,
                     struct cli_table *t)
{
    struct err problem = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    bool ok = eng_config_repo_load(&c->home, name, &r, &problem) == 0;
    if (!ok)
        cli_error_line(&problem);
    jsonw_object(w);
    if (ok) {
        json_config(w, &r);
    } else {
        jsonw_kstring(w, "name", name);
        static const char *const unknown[] = { "url", "driver", "endpoint",
                                               "region", "credentials" };
        for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
            jsonw_knull(w, unknown[i]);
    }
    cli_json_text(w, "problem", ok ? NULL : problem.msg);
    jsonw_end_object(w);
    cli_table_add(t, "%s", name);
    cli_table_add(t, "%s", ok ? r.url : "(wrong configuration)");
    cli_table_add(t, "%s", ok && r.endpoint != NULL ? r.endpoint : "");
    return ok;
}

int cli_repo_list(struct cli_ctx *c, struct err *e)
{
    static const char *const heads[] = { "NAME", "URL", "ENDPOINT", NULL };

    return cli_list_configured(c, "repos", "lll", heads, list_one, e);
}

static void show_locks(struct cli_ctx *c, const struct eng_repo *repo)
{
    const struct mf_descriptor *d = eng_repo_descriptor(repo);
    uint64_t here = eng_repo_immutability(repo);
    char text[UNITS_TEXT_CHARS];
    char least[UNITS_TEXT_CHARS];
    char generation[UNITS_TEXT_CHARS];

    if (!d->locked) {
        cli_pair(c, "Locked", "no");
        return;
    }
    units_format_duration((int64_t)here, text);
    units_format_duration((int64_t)d->immutability_s, least);
    units_format_duration((int64_t)d->generation_s, generation);
    cli_pair(c, "Locked", "%s, mode %s", text, lock_mode(d));
    if (here != d->immutability_s)
        cli_pair(c, "Locked at least", "%s (other machines)", least);
    cli_pair(c, "Lock scope", "%s", lock_scope(d));
    cli_pair(c, "Generation", "%s", generation);
}

static void show_quota(struct cli_ctx *c, const char *name, uint64_t bytes)
{
    char text[UNITS_TEXT_CHARS];

    if (bytes == 0)
        return;
    units_format_size(bytes, text);
    cli_pair(c, name, "%s", text);
}

static void show_probe(struct cli_ctx *c, const struct eng_probe_record *p)
{
    char time[UTC_ISO_CHARS];
    const char *between = "; not found: ";
    AUTO_BUF struct buf missing = buf_init(4096);

    if (p->time == 0) {
        cli_pair(c, "Probed", "never");
        return;
    }
    utc_format_iso(p->time, time);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++) {
        if (p->results[i] != ENG_PROBE_NO)
            continue;
        buf_printf(&missing, "%s%s", between,
                   eng_probe_title((enum eng_probe_item)i));
        between = ", ";
    }
    cli_pair(c, "Probed", "%s%s", time, buf_cstr(&missing));
}

int cli_repo_show(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    char size[UNITS_TEXT_CHARS];
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    if (eng_config_repo_load(&c->home, name, &r, e) < 0 ||
        cli_repo_open(c, name, CLI_INTERACTIVE, &repo, e) < 0)
        return -1;
    const struct mf_descriptor *d = eng_repo_descriptor(repo.repo);
    if (c->json)
        return result_repo(c, &r, repo.repo, e);
    char created[UTC_ISO_CHARS];
    utc_format_iso(d->created, created);
    units_format_size(d->block_size, size);
    cli_pair(c, "Name", "%s", r.name);
    cli_pair(c, "URL", "%s", r.url);
    if (r.endpoint != NULL)
        cli_pair(c, "Endpoint", "%s", r.endpoint);
    cli_pair(c, "Driver", "%s", eng_config_repo_driver(&r));
    if (r.credentials != NULL)
        cli_pair(c, "Credentials", "%s", r.credentials);
    cli_pair(c, "Id", "%s", d->id);
    cli_pair(c, "Format", "%d", MF_FORMAT_VERSION);
    cli_pair(c, "Created", "%s", created);
    cli_pair(c, "Block size", "%s", size);
    show_locks(c, repo.repo);
    show_quota(c, "Quota", r.quota);
    show_quota(c, "Hard quota", r.quota_hard);
    show_probe(c, &r.probe);
    return 0;
}

/* Longer only: what was promised before is kept. */
static int check_longer(const struct eng_repo *repo, uint64_t wanted,
                        struct err *e)
{
    uint64_t here = eng_repo_immutability(repo);
    char text[UNITS_TEXT_CHARS];

    if (!eng_repo_descriptor(repo)->locked)
        return err_set(e, ERR_USAGE, 0,
                       "repository %s is not a locked one; it is made so by "
                       "`objvault repo create --immutable`",
                       eng_repo_name(repo));
    if (wanted > here)
        return 0;
    units_format_duration((int64_t)here, text);
    return err_set(e, ERR_USAGE, 0,
                   "the immutability of repository %s can only be made "
                   "longer: it is %s",
                   eng_repo_name(repo), text);
}

static void say_set(struct cli_ctx *c, const char *name,
                    const struct eng_config_settings *s)
{
    char text[UNITS_TEXT_CHARS];

    if (s->immutable_s != NULL) {
        units_format_duration(*s->immutable_s, text);
        cli_say(c, "new points of repository %s are locked for %s", name, text);
    }
    if (s->quota != NULL) {
        units_format_size(*s->quota, text);
        cli_say(c, "the soft quota of repository %s is %s", name,
                *s->quota != 0 ? text : "none");
    }
    if (s->quota_hard != NULL) {
        units_format_size(*s->quota_hard, text);
        cli_say(c, "the hard quota of repository %s is %s", name,
                *s->quota_hard != 0 ? text : "none");
    }
}

/* How long objects are locked is the repository's matter, so it is asked. */
static int check_immutable(struct cli_ctx *c, const char *name, uint64_t wanted,
                           struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };

    if (cli_repo_open(c, name, CLI_INTERACTIVE, &repo, e) < 0)
        return -1;
    return check_longer(repo.repo, wanted, e);
}

int cli_repo_set(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    int64_t immutable = (int64_t)cli_number(c, CLI_OPT_IMMUTABLE);
    uint64_t quota = cli_number(c, CLI_OPT_QUOTA);
    uint64_t quota_hard = cli_number(c, CLI_OPT_QUOTA_HARD);
    const struct eng_config_settings s = {
        .immutable_s = cli_given(c, CLI_OPT_IMMUTABLE) ? &immutable : NULL,
        .quota = cli_given(c, CLI_OPT_QUOTA) ? &quota : NULL,
        .quota_hard = cli_given(c, CLI_OPT_QUOTA_HARD) ? &quota_hard : NULL,
    };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo now = { 0 };

    if (s.immutable_s == NULL && s.quota == NULL && s.quota_hard == NULL)
        return err_set(e, ERR_USAGE, 0,
                       "say what to set: --immutable, --quota, --quota-hard");
    if ((s.immutable_s != NULL &&
         check_immutable(c, name, (uint64_t)immutable, e) < 0) ||
        eng_config_repo_set(&c->home, name, &s, &now, e) < 0)
        return -1;
    say_set(c, name, &s);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "repo", name);
    json_size(&w, "immutable_seconds", (uint64_t)now.immutable_s);
    json_quotas(&w, &now);
    return cli_json_end(c, &w, e);
}

int cli_repo_remove(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    if (eng_config_repo_remove(&c->home, name, e) < 0)
        return -1;
    cli_say(c, "repository %s is forgotten here; what it holds is untouched",
            name);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "repo", name);
    return cli_json_end(c, &w, e);
}

/* a / b, or null where there is nothing to compare. */
static void json_ratio(struct jsonw *w, const char *key, uint64_t a, uint64_t b)
{
    jsonw_key(w, key);
    if (a == 0 || b == 0)
        jsonw_null(w);
    else
        jsonw_double(w, (double)a / (double)b, 3);
}

static int json_stats(struct cli_ctx *c, const char *name, bool locked,
                      const struct eng_repo_stats *s, struct err *e)
{
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "repo", name);
    jsonw_kuint(&w, "vms", s->vms);
    jsonw_kuint(&w, "points", s->points);
    jsonw_kuint(&w, "damaged_points", s->damaged_points);
    jsonw_kuint(&w, "source_bytes", s->source_bytes);
    jsonw_kuint(&w, "new_bytes", s->new_bytes);
    jsonw_kuint(&w, "stored_bytes",
                s->block_bytes + s->page_bytes + s->manifest_bytes);
    jsonw_kuint(&w, "objects", s->blocks + s->pages + s->points);
    jsonw_kuint(&w, "blocks", s->blocks);
    jsonw_kuint(&w, "block_bytes", s->block_bytes);
    jsonw_kuint(&w, "pages", s->pages);
    jsonw_kuint(&w, "page_bytes", s->page_bytes);
    jsonw_kuint(&w, "manifest_bytes", s->manifest_bytes);
    /* Counting locks takes a request for each object of a locked one. */
    if (locked)
        jsonw_knull(&w, "locked_bytes");
    else
        jsonw_kuint(&w, "locked_bytes", 0);
    json_ratio(&w, "dedup_ratio", s->source_bytes, s->new_bytes);
    json_ratio(&w, "compression_ratio", s->new_bytes, s->block_bytes);
    return cli_json_end(c, &w, e);
}

static void pair_size(struct cli_ctx *c, const char *name, uint64_t bytes)
{
    char text[UNITS_TEXT_CHARS];
    units_format_size(bytes, text);
    cli_pair(c, name, "%s", text);
}

static void pair_ratio(struct cli_ctx *c, const char *name, uint64_t a,
                       uint64_t b)
{
    if (a == 0 || b == 0)
        cli_pair(c, name, "-");
    else
        cli_pair(c, name, "%.2f : 1", (double)a / (double)b);
}

int cli_repo_stats(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    struct eng_repo_stats s = { 0 };
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    if (cli_repo_open(c, name, CLI_INTERACTIVE, &repo, e) < 0 ||
        cli_unlock_open(c, repo.repo, e) < 0 ||
        eng_repo_stats(repo.repo, c->cancel, &s, e) < 0)
        return -1;
    if (c->json)
        return json_stats(c, name, eng_repo_descriptor(repo.repo)->locked, &s,
                          e);
    cli_pair(c, "VMs", "%" PRIu64, s.vms);
    cli_pair(c, "Points", "%" PRIu64, s.points);
    if (s.damaged_points > 0)
        cli_pair(c, "Damaged points", "%" PRIu64, s.damaged_points);
    pair_size(c, "Source", s.source_bytes);
    pair_size(c, "Stored", s.block_bytes + s.page_bytes + s.manifest_bytes);
    pair_ratio(c, "Deduplication", s.source_bytes, s.new_bytes);
    pair_ratio(c, "Compression", s.new_bytes, s.block_bytes);
    cli_pair(c, "Objects",
             "%" PRIu64 " (%" PRIu64 " blocks, %" PRIu64 " pages, %" PRIu64
             " manifests)",
             s.blocks + s.pages + s.points, s.blocks, s.pages, s.points);
    return 0;
}
