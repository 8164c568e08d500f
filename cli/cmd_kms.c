// SPDX-License-Identifier: Apache-2.0
/*
 * kms add, test, list, show, remove: key servers that are configured.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "engine/job/kms_config.h"

static void json_members(struct jsonw *w, const struct eng_config_kms *k)
{
    jsonw_kstring(w, "name", k->name);
    cli_json_text(w, "server", k->server);
    cli_json_text(w, "ca", k->ca);
    cli_json_text(w, "cert", k->cert);
    cli_json_text(w, "key", k->key);
    jsonw_kstring(w, "kmip_version",
                  k->kmip_version != NULL ? k->kmip_version : "auto");
    jsonw_kstring(w, "mode", k->mode != NULL ? k->mode : "get");
    cli_json_text(w, "pins", k->pins);
    cli_json_text(w, "user", k->user);
    cli_json_text(w, "password_file", k->password_file);
    jsonw_key(w, "timeout_s");
    if (k->timeout_s > 0)
        jsonw_uint(w, (uint64_t)k->timeout_s);
    else
        jsonw_null(w);
}

/* --- asking --- */

struct asking {
    struct cli_ctx *c;
    struct buf json; /* elements of an array */
    struct cli_table table;
    unsigned warnings;
};

static void asking_fini(struct asking *a)
{
    buf_free(&a->json);
    cli_table_free(&a->table);
}

/* A month is time enough to get a new certificate. */
#define DAYS_TO_WARN 30

static void warn_of(struct asking *a, const struct kms_report *r,
                    const char *whose, int days)
{
    if (days >= DAYS_TO_WARN)
        return;
    a->warnings++;
    cli_message("%s: %s certificate expires in %d days", r->server, whose,
                days);
}

static void on_answer(void *ctx, const struct kms_report *r)
{
    struct asking *a = ctx;

    if (a->json.len > 0)
        buf_append_char(&a->json, ',');
    struct jsonw w = jsonw_init(&a->json, false);
    jsonw_object(&w);
    cli_json_text(&w, "server", r->server);
    cli_json_text(&w, "vendor", r->vendor[0] != '\0' ? r->vendor : NULL);
    jsonw_key(&w, "kmip_version");
    AUTO_BUF struct buf version = buf_init(64);
    buf_printf(&version, "%d.%d", r->version.major, r->version.minor);
    jsonw_string(&w, buf_cstr(&version));
    jsonw_kstring(&w, "tls", r->protocol);
    cli_json_text(&w, "server_subject", r->identity);
    cli_json_text(&w, "client_subject", r->subject);
    jsonw_key(&w, "server_days_left");
    jsonw_double(&w, r->server_days_left, 0);
    jsonw_key(&w, "client_days_left");
    jsonw_double(&w, r->client_days_left, 0);
    jsonw_kuint(&w, "round_trip_ms", (uint64_t)r->round_trip_ms);
    jsonw_end_object(&w);

    cli_table_add(&a->table, "%s", r->server);
    cli_table_add(&a->table, "%s", buf_cstr(&version));
    cli_table_add(&a->table, "%s", r->protocol);
    cli_table_add(&a->table, "%d days", r->server_days_left);
    cli_table_add(&a->table, "%d days", r->client_days_left);
    cli_table_add(&a->table, "%" PRId64 " ms", r->round_trip_ms);
    warn_of(a, r, "the server's", r->server_days_left);
    warn_of(a, r, "our", r->client_days_left);
}

/* Speaks to each server; takes the configuration over. */
static int ask(struct cli_ctx *c, struct eng_config_kms *k, struct asking *a,
               struct err *e)
{
    static const char *const heads[] = {
        "SERVER",          "KMIP",      "TLS", "ITS CERTIFICATE",
        "OUR CERTIFICATE", "ROUND TRIP"
    };

    a->c = c;
    a->json = buf_init((size_t)1 << 20);
    a->table.align = "lllrrr";
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_table_add(&a->table, "%s", heads[i]);
    struct eng_key_server *s = eng_key_server_new(k, e);
    if (s == NULL)
        return -1;
    s->somebody_waits = cli_may_ask();
    int r = eng_key_server_test(s, c->cancel, on_answer, a, e);
    *k = s->config; /* back to its owner */
    s->config = (struct eng_config_kms){ 0 };
    eng_key_server_free(s);
    return r;
}

static int result(struct cli_ctx *c, const struct eng_config_kms *k,
                  struct asking *a, struct err *e)
{
    if (!c->json) {
        if (a != NULL)
            cli_table_print(&a->table, &c->out);
        return a != NULL && a->warnings > 0 ? 3 : 0;
    }
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, "kms");
    jsonw_object(&w);
    json_members(&w, k);
    jsonw_end_object(&w);
    if (a != NULL) {
        jsonw_key(&w, "servers");
        jsonw_array(&w);
        if (a->json.len > 0)
            jsonw_raw(&w, buf_cstr(&a->json));
        jsonw_end_array(&w);
    }
    if (cli_json_end(c, &w, e) < 0)
        return -1;
    return a != NULL && a->warnings > 0 ? 3 : 0;
}

/* --- the commands --- */

static int copy(const char *text, char **out, struct err *e)
{
    if (text == NULL)
        return 0;
    *out = strdup(text);
    return *out != NULL ? 0 : err_nomem(e);
}

/* Files are named for good: from wherever the program is started. */
static int copy_path(struct cli_ctx *c, enum cli_opt opt, char **out,
                     struct err *e)
{
    *out = realpath(cli_text(c, opt), NULL);
    if (*out != NULL)
        return 0;
    return err_set(e, ERR_NOTFOUND, 0, "--%s %s: there is no such file",
                   cli_option(opt)->name, cli_text(c, opt));
}

static int read_options(struct cli_ctx *c, struct eng_config_kms *k,
                        struct err *e)
{
    if (copy(c->call->args[0], &k->name, e) < 0 ||
        copy(cli_text(c, CLI_OPT_SERVER), &k->server, e) < 0 ||
        copy(cli_text(c, CLI_OPT_KMIP_VERSION), &k->kmip_version, e) < 0 ||
        copy(cli_text(c, CLI_OPT_KMS_MODE), &k->mode, e) < 0 ||
        copy_path(c, CLI_OPT_KMS_CA, &k->ca, e) < 0 ||
        copy_path(c, CLI_OPT_CERT, &k->cert, e) < 0 ||
        copy_path(c, CLI_OPT_KEY, &k->key, e) < 0 ||
        copy(cli_text(c, CLI_OPT_PIN), &k->pins, e) < 0 ||
        copy(cli_text(c, CLI_OPT_USER), &k->user, e) < 0 ||
        (cli_given(c, CLI_OPT_KMS_PASSWORD_FILE) &&
         copy_path(c, CLI_OPT_KMS_PASSWORD_FILE, &k->password_file, e) < 0))
        return -1;
    k->timeout_s = (int64_t)cli_number(c, CLI_OPT_TIMEOUT);
    return eng_config_kms_check(k, e);
}

int cli_kms_add(struct cli_ctx *c, struct err *e)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms k = { 0 };
    AUTO(asking_fini) struct asking a = { 0 };

    /* What cannot be reached is not saved. */
    if (read_options(c, &k, e) < 0 || ask(c, &k, &a, e) < 0 ||
        eng_config_kms_save(&c->home, &k, e) < 0)
        return -1;
    cli_say(c, "key server %s is configured", k.name);
    return result(c, &k, &a, e);
}

int cli_kms_test(struct cli_ctx *c, struct err *e)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms k = { 0 };
    AUTO(asking_fini) struct asking a = { 0 };

    if (eng_config_kms_load(&c->home, c->call->args[0], &k, e) < 0 ||
        ask(c, &k, &a, e) < 0)
        return -1;
    return result(c, &k, &a, e);
}

int cli_kms_show(struct cli_ctx *c, struct err *e)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms k = { 0 };

    if (eng_config_kms_load(&c->home, c->call->args[0], &k, e) < 0)
        return -1;
    cli_pair(c, "Key server", "%s", k.name);
    cli_pair(c, "Server", "%s", k.server);
    cli_pair(c, "CA", "%s", k.ca);
    cli_pair(c, "Certificate", "%s", k.cert);
    cli_pair(c, "Private key", "%s", k.key);
    cli_pair(c, "KMIP", "%s", k.kmip_version != NULL ? k.kmip_version : "auto");
    cli_pair(c, "Mode", "%s", k.mode != NULL ? k.mode : "get");
    if (k.pins != NULL)
        cli_pair(c, "Pins", "%s", k.pins);
    if (k.user != NULL)
        cli_pair(c, "User", "%s, password in %s", k.user, k.password_file);
    if (k.timeout_s > 0)
        cli_pair(c, "Timeout", "%" PRId64 " s", k.timeout_s);
    return result(c, &k, NULL, e);
}

int cli_kms_remove(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];

    if (eng_config_kms_remove(&c->home, name, e) < 0)
        return -1;
    cli_say(c, "key server %s is forgotten here; its keys are untouched", name);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "kms", name);
    return cli_json_end(c, &w, e);
}

/* One row, or element; a file that is wrong is a warning. */
static bool list_one(struct cli_ctx *c, const char *name, struct jsonw *w,
                     struct cli_table *t)
{
    struct err why = { 0 };
    AUTO_ENG_CONFIG_KMS struct eng_config_kms k = { 0 };

    if (eng_config_kms_load(&c->home, name, &k, &why) < 0) {
        cli_error_line(&why);
        return false;
    }
    jsonw_object(w);
    json_members(w, &k);
    jsonw_end_object(w);
    cli_table_add(t, "%s", k.name);
    cli_table_add(t, "%s", k.server);
    cli_table_add(t, "%s", k.mode != NULL ? k.mode : "get");
    return true;
}

int cli_kms_list(struct cli_ctx *c, struct err *e)
{
    static const char *const heads[] = { "NAME", "SERVER", "MODE", NULL };

    return cli_list_configured(c, "kms", "lll", heads, list_one, e);
}
