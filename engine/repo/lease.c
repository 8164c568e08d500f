// SPDX-License-Identifier: Apache-2.0
/* Leases as objects: writing, reading, listing, breaking. */
#include "engine/repo/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/utc.h"

/* So long a lease of ours lasts after it was written, at most, and 5 minutes
 * for inexact clocks. */
#define LONGEST_S (ENG_LEASE_S + 300)

static const char *const prefixes[ENG_LEASE_KINDS] = { "gc/leases/",
                                                       "gc/sweeps/" };

const char *eng_lease_prefix(enum eng_lease_kind kind)
{
    return prefixes[kind];
}

void eng_lease_key(enum eng_lease_kind kind, const char *name,
                   char key[ENG_LEASE_KEY_CHARS])
{
    (void)snprintf(key, ENG_LEASE_KEY_CHARS, "%s%s", prefixes[kind], name);
}

bool eng_lease_parse_key(const char *key, enum eng_lease_kind *kind,
                         char name[ENG_LEASE_NAME_CHARS])
{
    uint8_t raw[(ENG_LEASE_NAME_CHARS - 1) / 2];

    for (int k = 0; k < ENG_LEASE_KINDS; k++) {
        size_t n = strlen(prefixes[k]);
        if (strncmp(key, prefixes[k], n) != 0 ||
            !digest_unhex(key + n, strlen(key + n), raw, sizeof(raw)))
            continue;
        *kind = (enum eng_lease_kind)k;
        memcpy(name, key + n, ENG_LEASE_NAME_CHARS);
        return true;
    }
    return false;
}

int64_t eng_lease_now(struct obj_store *store)
{
    return utc_real_now() + obj_store_clock_offset(store);
}

/* The host's name, as far as it is plain ASCII. */
static void set_host(struct eng_lease *l)
{
    struct utsname u;
    size_t n = 0;

    if (uname(&u) < 0)
        u.nodename[0] = '\0';
    for (const char *s = u.nodename; *s != '\0' && n + 1 < sizeof(l->host); s++)
        if (*s > ' ' && *s < 0x7f && *s != '"' && *s != '\\')
            l->host[n++] = *s;
    if (n == 0)
        memcpy(l->host, "unknown", sizeof("unknown"));
}

int eng_lease_init(struct obj_store *store, enum eng_lease_kind kind,
                   int64_t lasts_s, struct eng_lease *l, struct err *e)
{
    uint8_t raw[(ENG_LEASE_NAME_CHARS - 1) / 2];

    *l = (struct eng_lease){ .kind = kind, .begun = eng_lease_now(store) };
    l->until = l->begun + lasts_s;
    set_host(l);
    l->pid = (uint32_t)getpid();
    if (digest_random(raw, sizeof(raw), e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof(raw)), l->name);
    return 0;
}

int eng_lease_put(struct obj_store *store, const struct cancel *cancel,
                  const struct eng_lease *l, int64_t sign_before,
                  int64_t deadline, struct err *e)
{
    char key[ENG_LEASE_KEY_CHARS];
    AUTO_BUF struct buf text = buf_init(ENG_LEASE_BYTES_MAX);
    struct obj_req req = { .key = key,
                           .cancel = cancel,
                           .sign_before = sign_before,
                           .deadline = deadline };
    struct obj_put_opts opts = { .content_type = "application/json" };

    eng_lease_key(l->kind, l->name, key);
    if (eng_lease_encode(l, &text, e) < 0)
        return -1;
    return obj_put(store, &req, buf_span(&text), &opts, NULL, e);
}

int eng_lease_get(struct obj_store *store, const struct cancel *cancel,
                  struct eng_lease *l, int64_t deadline, struct err *e)
{
    char key[ENG_LEASE_KEY_CHARS];
    AUTO_BUF struct buf text = buf_init(ENG_LEASE_BYTES_MAX);
    struct obj_req req = { .key = key, .cancel = cancel, .deadline = deadline };
    struct obj_info info;

    eng_lease_key(l->kind, l->name, key);
    l->seen = eng_lease_now(store);
    if (obj_get(store, &req, NULL, &text, &info, e) < 0)
        return -1;
    /* Some servers do not tell the time: then it is when we asked. */
    if (info.server_time != 0)
        l->seen = info.server_time;
    l->written = info.modified;
    if (eng_lease_decode(buf_span(&text), l, e) < 0)
        return -1;
    if (!l->ended && l->until > l->written + LONGEST_S)
        return err_set(e, ERR_CORRUPT, 0,
                       "%s: it claims a longer time than any lease has", key);
    return 0;
}

static int on_lease(void *ctx, const char *key, const struct obj_info *info,
                    struct err *e)
{
    struct eng_leases *out = ctx;
    struct eng_lease_seen s = { .l = { .written = info->modified,
                                       .seen = info->server_time } };

    if (!eng_lease_parse_key(key, &s.l.kind, s.l.name))
        return 0;
    if (out->n == out->cap) {
        size_t cap = out->cap == 0 ? 16 : out->cap * 2;
        struct eng_lease_seen *grown = realloc(out->s, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        out->s = grown;
        out->cap = cap;
    }
    out->s[out->n++] = s;
    return 0;
}

/* When others need not wait for it any more.  One that was written after its
 * end was broken then: its run may have looked at it until then. */
static int64_t end_of(const struct eng_lease *l)
{
    if (l->ended)
        return 0;
    return (l->until > l->written ? l->until : l->written) + ENG_LEASE_GRACE_S;
}

bool eng_lease_counts(const struct eng_lease_seen *s)
{
    return s->counts_until > s->l.seen;
}

/* Reads what was listed.  1: it is there; 0: it went away. */
static int read_seen(struct obj_store *store, const struct cancel *cancel,
                     struct eng_lease_seen *s, struct err *e)
{
    if (s->l.seen == 0)
        s->l.seen = eng_lease_now(store);
    /* Over, whatever it says. */
    if (s->l.written + LONGEST_S + ENG_LEASE_GRACE_S <= s->l.seen) {
        s->l.begun = s->l.until = s->l.written;
        s->l.ended = true;
        return 1;
    }
    if (eng_lease_get(store, cancel, &s->l, 0, e) < 0) {
        if (e->kind == ERR_NOTFOUND)
            return 0;
        if (e->kind != ERR_CORRUPT && e->kind != ERR_UNSUPPORTED)
            return -1;
        s->unreadable = true;
    }
    if (s->unreadable) {
        s->l.begun = s->l.until = s->l.written;
        s->l.vm[0] = s->l.host[0] = s->l.lock[0] = '\0';
        s->l.ended = false;
        s->l.pid = 0;
        s->counts_until = s->l.written + ENG_LEASE_UNREADABLE_S;
    } else {
        s->counts_until = end_of(&s->l);
    }
    return 1;
}

bool eng_lease_before(const struct eng_lease *a, const struct eng_lease *b)
{
    if (a->begun != b->begun)
        return a->begun < b->begun;
    return strcmp(a->name, b->name) < 0;
}

static int by_age(const void *pa, const void *pb)
{
    const struct eng_lease_seen *a = pa;
    const struct eng_lease_seen *b = pb;

    return eng_lease_before(&a->l, &b->l) ? -1 : 1;
}

int eng_leases_list(struct obj_store *store, const struct cancel *cancel,
                    enum eng_lease_kind kind, struct eng_leases *out,
                    struct err *e)
{
    struct obj_req req = { .key = prefixes[kind], .cancel = cancel };
    size_t kept = 0;

    *out = (struct eng_leases){ 0 };
    int r = obj_list(store, &req, NULL, on_lease, out, e);
    for (size_t i = 0; r >= 0 && i < out->n; i++) {
        r = read_seen(store, cancel, &out->s[i], e);
        if (r == 1)
            out->s[kept++] = out->s[i];
    }
    if (r < 0) {
        eng_leases_free(out);
        return err_ctx(e, "list %s", prefixes[kind]);
    }
    out->n = kept;
    if (out->n > 1)
        qsort(out->s, out->n, sizeof(*out->s), by_age);
    return 0;
}

void eng_leases_free(struct eng_leases *s)
{
    free(s->s);
    *s = (struct eng_leases){ 0 };
}

void eng_lease_text(const struct eng_lease_seen *s,
                    char out[ENG_LEASE_TEXT_CHARS])
{
    char since[UTC_ISO_CHARS];
    const char *what = s->l.kind == ENG_LEASE_RUN ? "run" : "collection";

    utc_format_iso(s->l.begun, since);
    if (s->unreadable)
        (void)snprintf(out, ENG_LEASE_TEXT_CHARS,
                       "a %s whose lease cannot be read, written %s (lease %s)",
                       what, since, s->l.name);
    else
        (void)snprintf(out, ENG_LEASE_TEXT_CHARS,
                       "a %s on host %s, process %" PRIu32
                       ", since %s (lease %s)",
                       what, s->l.host, s->l.pid, since, s->l.name);
}

static int break_it(struct obj_store *store, const struct cancel *cancel,
                    struct eng_lease_seen *s, struct err *e)
{
    if (!s->unreadable && s->l.until <= s->l.seen)
        return 0;
    if (s->unreadable)
        (void)snprintf(s->l.host, sizeof(s->l.host), "unknown");
    s->l.until = s->l.seen;
    if (eng_lease_put(store, cancel, &s->l, 0, 0, e) < 0)
        return err_ctx(e, "break lease %s", s->l.name);
    s->unreadable = false;
    s->counts_until = eng_lease_now(store) + ENG_LEASE_GRACE_S;
    return 0;
}

int eng_lease_break(struct obj_store *store, const struct cancel *cancel,
                    const char *name, struct eng_lease_seen *was, struct err *e)
{
    for (int kind = 0; kind < ENG_LEASE_KINDS; kind++) {
        AUTO_ENG_LEASES struct eng_leases all = { 0 };
        if (eng_leases_list(store, cancel, (enum eng_lease_kind)kind, &all, e) <
            0)
            return -1;
        for (size_t i = 0; i < all.n; i++) {
            if (strcmp(all.s[i].l.name, name) != 0 ||
                all.s[i].counts_until == 0)
                continue;
            *was = all.s[i];
            return break_it(store, cancel, was, e);
        }
    }
    return err_set(e, ERR_NOTFOUND, 0, "there is no lease %s", name);
}
