// SPDX-License-Identifier: Apache-2.0
/*
 * repo estimate.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/care/estimate.h"

#define DAYS_DEFAULT 30
#define CHANGE_DEFAULT_PPM 30000
#define DAY_S 86400

struct asked {
    const char *name;
    unsigned change_ppm, days;
};

static const struct {
    const char *name; /* as `backup run` counts them */
    const char *text;
    enum obj_verb verb;
} kinds[] = {
    { "put", "PUT", OBJ_PUT },
    { "get", "GET", OBJ_GET },
    { "head", "HEAD", OBJ_HEAD },
    { "list", "LIST", OBJ_LIST },
    { "delete", "DELETE", OBJ_DELETE },
    { "retention", "RETENTION", OBJ_RETENTION },
    { "bucket", "bucket settings", OBJ_BUCKET },
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

static uint64_t whole(double n)
{
    return n > 0 ? (uint64_t)(n + 0.5) : 0;
}

static unsigned busiest_day(const struct eng_estimate *x, unsigned days)
{
    unsigned most = 0;

    for (unsigned d = 1; d < days; d++)
        if (x->extensions_of_day[d] > x->extensions_of_day[most])
            most = d;
    return most;
}

static void json_requests(struct jsonw *w, const struct eng_estimate *x)
{
    jsonw_key(w, "requests");
    jsonw_object(w);
    for (size_t i = 0; i < N_KINDS; i++)
        jsonw_kuint(w, kinds[i].name, whole(x->requests[kinds[i].verb]));
    jsonw_end_object(w);
}

static void json_price(struct jsonw *w, const struct eng_estimate *x,
                       const struct eng_config_prices *p)
{
    jsonw_key(w, "price");
    jsonw_object(w);
    cli_json_text(w, "currency", p->currency);
    jsonw_kbool(w, "example", p->example);
    jsonw_key(w, "requests");
    jsonw_object(w);
    for (size_t i = 0; i < N_KINDS; i++) {
        jsonw_key(w, kinds[i].name);
        jsonw_double(w, x->request_prices[kinds[i].verb], 4);
    }
    jsonw_end_object(w);
    jsonw_key(w, "stored");
    jsonw_double(w, x->stored_price, 4);
    jsonw_key(w, "downloaded");
    jsonw_double(w, x->received_price, 4);
    jsonw_key(w, "total");
    jsonw_double(w, x->price, 4);
    jsonw_end_object(w);
}

struct estimating {
    struct cli_ctx *c;
    const struct asked *a;
    const struct eng_prices *prices;
    const char *only; /* a keyset's name, or NULL */
    struct eng_estimate sum;
    unsigned done, skipped;
};

static int json_result(struct cli_ctx *c, const struct estimating *s,
                       const struct eng_config_prices *p, struct err *e)
{
    const struct asked *a = s->a;
    const struct eng_estimate *x = &s->sum;
    struct jsonw w = cli_json_begin(c);

    jsonw_kstring(&w, "repo", a->name);
    jsonw_kuint(&w, "keysets_skipped", s->skipped);
    jsonw_kuint(&w, "days", a->days);
    jsonw_key(&w, "change");
    jsonw_double(&w, a->change_ppm / 1e6, 6);
    jsonw_ktime(&w, "first", x->first);
    jsonw_kuint(&w, "points", x->points);
    jsonw_kuint(&w, "collections", x->collections);
    json_requests(&w, x);
    jsonw_kuint(&w, "lock_extensions", whole(x->extensions));
    jsonw_key(&w, "lock_extensions_per_day");
    jsonw_array(&w);
    for (unsigned d = 0; d < a->days; d++)
        jsonw_uint(&w, whole(x->extensions_of_day[d]));
    jsonw_end_array(&w);
    jsonw_kuint(&w, "sent_bytes", whole(x->sent_bytes));
    jsonw_kuint(&w, "downloaded_bytes", whole(x->received_bytes));
    jsonw_kuint(&w, "stored_bytes", whole(x->stored_bytes));
    jsonw_kuint(&w, "stored_bytes_end", whole(x->stored_bytes_end));
    jsonw_kuint(&w, "stored_bytes_peak", whole(x->stored_bytes_peak));
    json_price(&w, x, p);
    return cli_json_end(c, &w, e);
}

static void table(struct cli_ctx *c, const struct eng_estimate *x,
                  const struct eng_config_prices *p)
{
    AUTO_CLI_TABLE struct cli_table t = { .align = "lrr" };
    const struct {
        const char *text;
        double price;
    } sizes[] = { { "stored, in the mean", x->stored_price },
                  { "downloaded", x->received_price } };

    cli_table_add(&t, "WHAT");
    cli_table_add(&t, "REQUESTS");
    cli_table_add(&t, "%s", p->currency);
    for (size_t i = 0; i < N_KINDS; i++) {
        cli_table_add(&t, "%s", kinds[i].text);
        cli_table_add(&t, "%" PRIu64, whole(x->requests[kinds[i].verb]));
        cli_table_add(&t, "%.2f", x->request_prices[kinds[i].verb]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cli_table_add(&t, "%s", sizes[i].text);
        cli_table_add(&t, "%s", "");
        cli_table_add(&t, "%.2f", sizes[i].price);
    }
    cli_table_add(&t, "total");
    cli_table_add(&t, "%s", "");
    cli_table_add(&t, "%.2f", x->price);
    cli_table_print(&t, &c->out);
}

static void pair_size(struct cli_ctx *c, const char *name, double bytes)
{
    char text[UNITS_TEXT_CHARS];

    units_format_size(whole(bytes), text);
    cli_pair(c, name, "%s", text);
}

static void print_result(struct cli_ctx *c, const struct asked *a,
                         const struct eng_estimate *x,
                         const struct eng_config_prices *p)
{
    unsigned most = busiest_day(x, a->days);
    char day[UTC_ISO_CHARS];

    cli_pair(c, "Taken for granted",
             "%u days, %.4g %% of the blocks change a day, %u points, %u "
             "collections",
             a->days, a->change_ppm / 1e4, x->points, x->collections);
    pair_size(c, "Sent", x->sent_bytes);
    pair_size(c, "Downloaded", x->received_bytes);
    pair_size(c, "Stored now", x->stored_bytes);
    pair_size(c, "Stored then", x->stored_bytes_end);
    pair_size(c, "Stored at most", x->stored_bytes_peak);
    if (x->extensions >= 1) {
        utc_format_iso(x->first + (int64_t)most * DAY_S, day);
        cli_pair(c, "Locks extended",
                 "%" PRIu64 ", %.0f a day; most on %.10s: %.0f",
                 whole(x->extensions), x->extensions / a->days, day,
                 x->extensions_of_day[most]);
    }
    table(c, x, p);
    if (p->example)
        cli_say(c, "the prices are an example: write yours into "
                   "prices.json (objvault config schema prices)");
}

/* --- over keysets --- */

static int estimate(struct estimating *s, struct eng_repo *r, bool any,
                    struct err *e)
{
    AUTO_ENG_ESTIMATE_FACTS struct eng_estimate_facts facts = { 0 };
    struct eng_estimate x;

    if (eng_estimate_gather(r, s->c->cancel, &facts, e) < 0)
        return -1;
    /* One without points asks for nothing. */
    if (!any && facts.n_series == 0)
        return 0;
    if (eng_estimate_make(&facts, s->a->change_ppm / 1e6, s->a->days, s->prices,
                          &x, e) < 0)
        return -1;
    eng_estimate_add(&s->sum, &x);
    s->done++;
    return 0;
}

static int on_keyset(void *ctx, struct eng_repo *r, struct err *e)
{
    struct estimating *s = ctx;

    if (s->only != NULL && strcmp(s->only, eng_repo_keyset(r)) != 0)
        return 0;
    return estimate(s, r, s->only != NULL, e);
}

static int on_closed(void *ctx, const struct eng_keyset *k, struct err *e)
{
    struct estimating *s = ctx;

    if (s->only != NULL)
        return strcmp(s->only, k->name) == 0
                   ? err_set(e, k->why_kind, 0, "%s", k->why)
                   : 0;
    s->skipped++;
    cli_message("keyset %s (%s) is left out: its key is not at hand", k->name,
                k->label);
    return 0;
}

/* The keyset's name that --keyset says, by label or name. */
static int find_only(struct cli_ctx *c, const struct eng_repo *repo,
                     struct estimating *s, struct err *e)
{
    const char *label = cli_text(c, CLI_OPT_KEYSET_ONLY);
    const struct eng_keyset *k = NULL;

    if (label == NULL)
        return 0;
    s->only = MF_KEYSET_PLAIN;
    if (strcmp(label, MF_KEYSET_PLAIN) == 0)
        return 0;
    k = eng_keysets_find(repo, label);
    if (k == NULL)
        k = eng_keysets_of_label(repo, label);
    if (k == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "repository %s has no keyset %.200s",
                       eng_repo_name(repo), label);
    s->only = k->name;
    return 0;
}

static int run(struct estimating *s, struct eng_repo *repo, struct err *e)
{
    if (cli_unlock_open(s->c, repo, e) < 0 || find_only(s->c, repo, s, e) < 0 ||
        eng_keysets_each(repo, s->c->cancel, on_keyset, on_closed, s, e) < 0)
        return -1;
    return s->done > 0 ? 0 : estimate(s, repo, true, e);
}

int cli_repo_estimate(struct cli_ctx *c, struct err *e)
{
    struct asked a = { .name = c->call->args[0],
                       .change_ppm = CHANGE_DEFAULT_PPM,
                       .days = DAYS_DEFAULT };
    AUTO_ENG_CONFIG_PRICES struct eng_config_prices prices = { 0 };
    struct estimating s = { .c = c, .a = &a, .prices = &prices.prices };
    AUTO_CLI_REPO struct cli_repo repo = { 0 };

    if (cli_given(c, CLI_OPT_DAYS))
        a.days = (unsigned)cli_number(c, CLI_OPT_DAYS);
    if (cli_given(c, CLI_OPT_CHANGE) &&
        cli_share(c, CLI_OPT_CHANGE, &a.change_ppm, e) < 0)
        return -1;
    if (eng_config_prices_load(&c->home, &prices, e) < 0 ||
        cli_repo_open(c, a.name, CLI_INTERACTIVE, &repo, e) < 0 ||
        run(&s, repo.repo, e) < 0)
        return -1;
    int code = s.skipped > 0 ? 3 : 0;
    if (c->json)
        return json_result(c, &s, &prices, e) < 0 ? -1 : code;
    print_result(c, &a, &s.sum, &prices);
    return code;
}
