// SPDX-License-Identifier: Apache-2.0
/* From a configured key server to its client, and from that to the functions
 * that the repository layer unwraps data keys by. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/secretref.h"
#include "engine/job/kms_config.h"
#include "engine/job/kms_servers.h"

/* --- the list of servers --- */

static int bad_server(const char *text, struct err *e)
{
    return err_set(e, ERR_USAGE, 0,
                   "server \"%.200s\": write HOST or HOST:PORT (an IPv6 "
                   "address in brackets), several with commas between, at most "
                   "%d",
                   text, KMS_SERVERS_MAX);
}

static bool host_ok(const char *s, bool bracketed)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || s[n] == '.' || s[n] == '-' ||
           s[n] == '_' || (bracketed && s[n] == ':'))
        n++;
    return n > 0 && n <= 253 && s[n] == '\0';
}

/* Takes one word apart, in place. */
static bool parse_one(char *word, struct kms_endpoint *out)
{
    bool bracketed = word[0] == '[';
    char *end = bracketed ? strchr(word, ']') : strchr(word, ':');
    unsigned long port = KMS_PORT;

    if (bracketed && end == NULL)
        return false;
    if (bracketed) {
        *end++ = '\0';
        word++;
    }
    if (end != NULL && *end == ':') {
        *end++ = '\0';
        size_t digits = strspn(end, "0123456789");
        port = strtoul(end, NULL, 10);
        if (digits == 0 || digits > 5 || end[digits] != '\0' || port == 0 ||
            port > 65535)
            return false;
    } else if (end != NULL && *end != '\0') {
        return false;
    }
    *out = (struct kms_endpoint){ .host = word, .port = (uint16_t)port };
    return host_ok(word, bracketed);
}

int eng_kms_servers_parse(const char *text, struct eng_kms_servers *out,
                          struct err *e)
{
    *out = (struct eng_kms_servers){ .text = strdup(text) };
    if (out->text == NULL)
        return err_nomem(e);
    for (char *rest = out->text; rest != NULL;) {
        char *word = strsep(&rest, ",");
        if (out->n == KMS_SERVERS_MAX || !parse_one(word, &out->s[out->n]))
            return bad_server(text, e);
        out->n++;
    }
    return 0;
}

void eng_kms_servers_fini(struct eng_kms_servers *s)
{
    free(s->text);
    *s = (struct eng_kms_servers){ 0 };
}

int eng_kms_pins_parse(const char *text, struct kms_pin *out, size_t *n,
                       struct err *e)
{
    const size_t digits = 2 * sizeof(out->sha256);

    *n = 0;
    for (const char *at = text; at != NULL; (*n)++) {
        size_t len = strcspn(at, ",");
        if (*n == ENG_KMS_PINS_MAX || len != digits ||
            !digest_unhex(at, len, out[*n].sha256, sizeof(out->sha256)))
            return err_set(e, ERR_USAGE, 0,
                           "pins \"%.200s\": write 64 lower-case hex digits, "
                           "several with commas between, at most %d",
                           text, ENG_KMS_PINS_MAX);
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    return 0;
}

/* --- the client --- */

static bool is_remote(const struct eng_config_kms *k)
{
    return k->mode != NULL && strcmp(k->mode, "remote") == 0;
}

static enum kms_version version_of(const struct eng_config_kms *k)
{
    static const struct {
        const char *word;
        enum kms_version version;
    } versions[] = { { "1.2", KMS_VERSION_1_2 },
                     { "1.4", KMS_VERSION_1_4 },
                     { "2.0", KMS_VERSION_2_0 } };

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (k->kmip_version != NULL &&
            strcmp(k->kmip_version, versions[i].word) == 0)
            return versions[i].version;
    return KMS_VERSION_AUTO;
}

static int open_client(struct eng_key_server *s, struct err *e)
{
    AUTO(eng_kms_servers_fini) struct eng_kms_servers servers = { 0 };
    const struct eng_config_kms *k = &s->config;
    struct kms_config c = kms_config_init();
    struct kms_pin pins[ENG_KMS_PINS_MAX];
    AUTO_SECRET_BUF struct buf password = buf_init(0);

    if (s->client != NULL)
        return 0;
    if (eng_kms_servers_parse(k->server, &servers, e) < 0 ||
        eng_kms_pins_parse(k->pins, pins, &c.tls.npins, e) < 0 ||
        (k->user != NULL &&
         secretref_key_file(k->password_file, &password, e) < 0))
        return -1;
    if (k->user != NULL) {
        while (password.len > 0 && (password.p[password.len - 1] == '\n' ||
                                    password.p[password.len - 1] == '\r'))
            password.len--;
        c.username = k->user;
        c.password = buf_span(&password);
    }
    c.tls.pins = pins;
    c.deadline_ms = k->timeout_s > 0    ? k->timeout_s * 1000
                    : s->somebody_waits ? ENG_KMS_INTERACTIVE_MS
                                        : c.deadline_ms;
    if (c.attempt_ms > c.deadline_ms)
        c.attempt_ms = c.deadline_ms;
    if (c.connect_ms > c.attempt_ms)
        c.connect_ms = c.attempt_ms;
    c.name = k->name;
    c.servers = servers.s;
    c.nservers = servers.n;
    c.version = version_of(k);
    c.mode = is_remote(k) ? KMS_MODE_REMOTE : KMS_MODE_GET;
    c.tls.ca_file = k->ca;
    c.tls.cert_file = k->cert;
    c.tls.key_file = k->key;
    s->client = kms_open(&c, e);
    return s->client != NULL ? 0 : -1;
}

static int key_get(void *client, const struct cancel *cancel, const char *uid,
                   bool wrapping, bool restoring, struct secret **kek,
                   struct err *e)
{
    struct eng_key_server *s = client;
    enum kms_use use = wrapping    ? KMS_WRAP
                       : restoring ? KMS_RESTORE
                                   : KMS_APPEND;

    if (open_client(s, e) < 0)
        return -1;
    return kms_key_get(s->client, cancel, uid, use, s->allow_compromised, kek,
                       NULL, e);
}

/* KMS_APPEND is what a run is, with what it began with. */
static int key_ask(void *client, const struct cancel *cancel, const char *uid,
                   struct err *e)
{
    struct eng_key_server *s = client;
    enum kmip_state state = KMIP_ACTIVE;

    if (open_client(s, e) < 0 ||
        kms_key_state(s->client, cancel, uid, &state, e) < 0)
        return -1;
    return kms_state_allows(uid, state, KMS_APPEND, e);
}

static int wrap_remote(void *client, const struct cancel *cancel,
                       const char *uid, struct span aad, struct span key,
                       struct wrapped *out, struct err *e)
{
    struct eng_key_server *s = client;

    if (key.len > sizeof(out->data))
        return err_set(e, ERR_INTERNAL, 0, "a key of %zu bytes", key.len);
    if (open_client(s, e) < 0)
        return -1;
    out->len = key.len;
    return kms_wrap_remote(s->client, cancel, uid, aad, key, out->iv, out->data,
                           out->tag, e);
}

static struct secret *unwrap_remote(void *client, const struct cancel *cancel,
                                    const char *uid, struct span aad,
                                    const struct wrapped *in, bool restoring,
                                    struct err *e)
{
    struct eng_key_server *s = client;
    struct secret *key = NULL;

    if (open_client(s, e) < 0 ||
        kms_unwrap_remote(
            s->client, cancel, uid, restoring ? KMS_RESTORE : KMS_APPEND,
            s->allow_compromised, aad, in->iv, span_of(in->data, in->len),
            in->tag, &key, NULL, e) < 0)
        return NULL;
    return key;
}

static int key_take(void *client, const struct cancel *cancel, const char *name,
                    char uid[MF_SLOT_TEXT_CHARS], struct err *e)
{
    struct eng_key_server *s = client;
    char found[KMS_UID_CHARS];

    if (open_client(s, e) < 0 ||
        kms_key_take(s->client, cancel, name, found, e) < 0)
        return -1;
    if (strlen(found) >= MF_SLOT_TEXT_CHARS)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "the identifier of key %s is too long for a slot", name);
    memcpy(uid, found, strlen(found) + 1);
    return 0;
}

static int key_active(void *client, const struct cancel *cancel,
                      const char *uid, bool *active, struct err *e)
{
    struct eng_key_server *s = client;
    enum kmip_state state = KMIP_DESTROYED;

    if (open_client(s, e) < 0)
        return -1;
    int told = kms_key_state(s->client, cancel, uid, &state, e);
    *active = told == 0 && state == KMIP_ACTIVE;
    return told < 0 && e->kind != ERR_NOTFOUND ? -1 : 0;
}

static int key_retire(void *client, const struct cancel *cancel,
                      const char *uid, struct err *e)
{
    struct eng_key_server *s = client;

    return open_client(s, e) < 0
               ? -1
               : kms_key_revoke(s->client, cancel, uid, KMIP_SUPERSEDED, e);
}

struct eng_key_server *eng_key_server_new(struct eng_config_kms *config,
                                          struct err *e)
{
    struct eng_key_server *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        (void)err_nomem(e);
        return NULL;
    }
    s->config = *config;
    *config = (struct eng_config_kms){ 0 };
    s->adapter = (struct eng_kms){
        .name = s->config.name,
        .client = s,
        .key_get = key_get,
        .key_ask = key_ask,
        .ask_s = s->config.state_poll_s > 0 ? s->config.state_poll_s
                                            : ENG_STATE_POLL_S,
        .grace_s = s->config.grace_s,
        .wrap_remote = wrap_remote,
        .unwrap_remote = unwrap_remote,
        .key_take = key_take,
        .key_active = key_active,
        .key_retire = key_retire,
        .key = s->uid,
        .key_name = s->key_name,
        .remote = is_remote(&s->config),
    };
    return s;
}

void eng_key_server_free(struct eng_key_server *s)
{
    if (s == NULL)
        return;
    kms_close(s->client);
    eng_config_kms_fini(&s->config);
    free(s);
}

int eng_key_server_make_key(struct eng_key_server *s, const char *repo_id,
                            const struct cancel *cancel, struct err *e)
{
    uint8_t raw[8];
    char hex[2 * sizeof(raw) + 1];

    if (digest_random(raw, sizeof(raw), e) < 0 || open_client(s, e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof(raw)), hex);
    (void)snprintf(s->key_name, sizeof(s->key_name), "objvault-%s-%s", repo_id,
                   hex);
    return kms_key_create(s->client, cancel, s->key_name, s->uid, e);
}

int eng_key_server_test(struct eng_key_server *s, const struct cancel *cancel,
                        void (*report)(void *ctx, const struct kms_report *r),
                        void *ctx, struct err *e)
{
    if (open_client(s, e) < 0)
        return -1;
    for (size_t i = 0; i < kms_servers(s->client); i++) {
        struct kms_report r = { .round_trip_ms = 0 };
        if (kms_test(s->client, i, cancel, &r, e) < 0)
            return -1;
        report(ctx, &r);
    }
    return 0;
}
