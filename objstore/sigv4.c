// SPDX-License-Identifier: Apache-2.0
/*
 * The signer.  libcurl has one of its own, but what that one signs has changed
 * from release to release and it fails common requests (keys with brackets,
 * unsorted queries, headers taken away); here the signature depends on nothing
 * but its arguments.
 */
#include "objstore/sigv4.h"

#include <ctype.h>
#include <string.h>

#include "base/secret.h"
#include "base/utc.h"

/* A canonical request is a path (3 * 1,024), a query and some headers, one of
 * which may be a session token of a few KiB. */
#define CANONICAL_MAX (256u << 10)

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           c == '~';
}

void obj_sigv4_encode(struct buf *out, const char *text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";

    for (const char *s = text; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            buf_append_char(out, *s);
        } else {
            char hex[3] = { '%', digits[c >> 4], digits[c & 15] };
            buf_append(out, hex, sizeof hex);
        }
    }
}

/* A name and a value somewhere in a buffer, which may move while it grows. */
struct piece {
    size_t name_at, name_len;
    size_t value_at, value_len;
};

static int compare_bytes(const struct buf *b, size_t a_at, size_t a_len,
                         size_t b_at, size_t b_len)
{
    size_t n = a_len < b_len ? a_len : b_len;
    int r = n == 0 ? 0 : memcmp(b->p + a_at, b->p + b_at, n);
    if (r != 0)
        return r;
    return (a_len > b_len) - (a_len < b_len);
}

/* Stable, and quick enough for the few pieces that a request has.  With
 * by_value equal names are ordered by their values. */
static void sort_pieces(const struct buf *b, struct piece *p, size_t n,
                        bool by_value)
{
    for (size_t i = 1; i < n; i++) {
        struct piece x = p[i];
        size_t at = i;
        while (at > 0) {
            const struct piece *y = &p[at - 1];
            int r = compare_bytes(b, y->name_at, y->name_len, x.name_at,
                                  x.name_len);
            if (r == 0 && by_value)
                r = compare_bytes(b, y->value_at, y->value_len, x.value_at,
                                  x.value_len);
            if (r <= 0)
                break;
            p[at] = p[at - 1];
            at--;
        }
        p[at] = x;
    }
}

int obj_sigv4_query(const struct obj_sigv4_pair *params, size_t n,
                    struct buf *out, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(CANONICAL_MAX);
    struct piece piece[OBJ_SIGV4_PAIRS_MAX];

    if (n > OBJ_SIGV4_PAIRS_MAX)
        return err_set(e, ERR_INTERNAL, 0, "query of %zu parameters", n);
    for (size_t i = 0; i < n; i++) {
        piece[i].name_at = text.len;
        obj_sigv4_encode(&text, params[i].name, false);
        piece[i].name_len = text.len - piece[i].name_at;
        piece[i].value_at = text.len;
        obj_sigv4_encode(&text, params[i].value, false);
        piece[i].value_len = text.len - piece[i].value_at;
    }
    if (buf_check(&text, e) < 0)
        return err_ctx(e, "query");
    sort_pieces(&text, piece, n, true);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_append_char(out, '&');
        buf_append(out, text.p + piece[i].name_at, piece[i].name_len);
        buf_append_char(out, '=');
        buf_append(out, text.p + piece[i].value_at, piece[i].value_len);
    }
    return buf_check(out, e);
}

/* Appends a header's value without blanks at its ends, and with one space for
 * every run of them inside. */
static void append_trimmed(struct buf *out, const char *value)
{
    bool blank = false, any = false;

    for (const char *s = value; *s != '\0'; s++) {
        if (*s == ' ' || *s == '\t') {
            blank = true;
            continue;
        }
        if (blank && any)
            buf_append_char(out, ' ');
        buf_append_char(out, *s);
        blank = false;
        any = true;
    }
}

static void append_lower(struct buf *out, const char *name)
{
    for (const char *s = name; *s != '\0'; s++)
        buf_append_char(out, (char)tolower((unsigned char)*s));
}

/* Appends the header lines and, to names, "a;b;c".  Headers of one name become
 * one line, their values joined in the order given. */
static int append_headers(const struct obj_sigv4_request *r,
                          struct buf *canonical, struct buf *names,
                          struct err *e)
{
    AUTO_BUF struct buf text = buf_init(CANONICAL_MAX);
    struct piece piece[OBJ_SIGV4_PAIRS_MAX];

    if (r->nheaders > OBJ_SIGV4_PAIRS_MAX)
        return err_set(e, ERR_INTERNAL, 0, "%zu headers", r->nheaders);
    for (size_t i = 0; i < r->nheaders; i++) {
        piece[i].name_at = text.len;
        append_lower(&text, r->headers[i].name);
        piece[i].name_len = text.len - piece[i].name_at;
        piece[i].value_at = text.len;
        append_trimmed(&text, r->headers[i].value);
        piece[i].value_len = text.len - piece[i].value_at;
    }
    if (buf_check(&text, e) < 0)
        return err_ctx(e, "headers");
    sort_pieces(&text, piece, r->nheaders, false);
    for (size_t i = 0; i < r->nheaders; i++) {
        const struct piece *p = &piece[i];
        bool same = i > 0 && compare_bytes(&text, piece[i - 1].name_at,
                                           piece[i - 1].name_len, p->name_at,
                                           p->name_len) == 0;
        if (!same) {
            if (i > 0) {
                buf_append_char(canonical, '\n');
                buf_append_char(names, ';');
            }
            buf_append(canonical, text.p + p->name_at, p->name_len);
            buf_append(names, text.p + p->name_at, p->name_len);
        }
        buf_append_char(canonical, same ? ',' : ':');
        buf_append(canonical, text.p + p->value_at, p->value_len);
    }
    if (r->nheaders > 0)
        buf_append_char(canonical, '\n');
    return 0;
}

int obj_sigv4_canonical(const struct obj_sigv4_request *r,
                        struct buf *canonical, struct buf *signed_headers,
                        struct err *e)
{
    size_t names_at = signed_headers->len;

    buf_append_str(canonical, r->method);
    buf_append_char(canonical, '\n');
    buf_append_str(canonical, r->path);
    buf_append_char(canonical, '\n');
    buf_append_str(canonical, r->query);
    buf_append_char(canonical, '\n');
    if (append_headers(r, canonical, signed_headers, e) < 0)
        return -1;
    if (buf_check(signed_headers, e) < 0)
        return err_ctx(e, "signed headers");
    buf_append_char(canonical, '\n');
    if (signed_headers->len > names_at)
        buf_append(canonical, signed_headers->p + names_at,
                   signed_headers->len - names_at);
    buf_append_char(canonical, '\n');
    buf_append_str(canonical, r->payload);
    if (buf_check(canonical, e) < 0)
        return err_ctx(e, "canonical request");
    return 0;
}

void obj_sigv4_scope_text(const struct obj_sigv4_scope *s, struct buf *out)
{
    char stamp[UTC_BASIC_CHARS];

    utc_format_basic(s->time, stamp);
    buf_append(out, stamp, 8);
    buf_append_char(out, '/');
    buf_append_str(out, s->region);
    buf_append_char(out, '/');
    buf_append_str(out, s->service);
    buf_append_str(out, "/aws4_request");
}

int obj_sigv4_string_to_sign(const struct obj_sigv4_scope *s,
                             struct span canonical, struct buf *out,
                             struct err *e)
{
    uint8_t digest[DIGEST_SHA256_BYTES];
    char hex[OBJ_SIGV4_HEX_CHARS];
    char stamp[UTC_BASIC_CHARS];

    if (digest_sha256(canonical, digest, e) < 0)
        return -1;
    digest_hex(span_of(digest, sizeof digest), hex);
    utc_format_basic(s->time, stamp);
    buf_append_str(out, OBJ_SIGV4_ALGORITHM "\n");
    buf_append_str(out, stamp);
    buf_append_char(out, '\n');
    obj_sigv4_scope_text(s, out);
    buf_append_char(out, '\n');
    buf_append_str(out, hex);
    return buf_check(out, e);
}

int obj_sigv4_key(struct span secret, const struct obj_sigv4_scope *s,
                  uint8_t key[OBJ_SIGV4_KEY_BYTES], struct err *e)
{
    char stamp[UTC_BASIC_CHARS];
    uint8_t first[4 + 256] = "AWS4";

    if (secret.len > sizeof first - 4)
        return err_set(e, ERR_CONFIG, 0,
                       "the secret access key is longer than %zu bytes",
                       sizeof first - 4);
    if (secret.len > 0)
        memcpy(first + 4, secret.p, secret.len);
    utc_format_basic(s->time, stamp);

    const struct span step[] = {
        span_of(stamp, 8),
        span_str(s->region),
        span_str(s->service),
        span_str("aws4_request"),
    };
    int r = digest_hmac_sha256(span_of(first, 4 + secret.len), step[0], key, e);
    secret_wipe(first, sizeof first);
    for (size_t i = 1; r == 0 && i < sizeof step / sizeof step[0]; i++) {
        uint8_t next[OBJ_SIGV4_KEY_BYTES];
        r = digest_hmac_sha256(span_of(key, OBJ_SIGV4_KEY_BYTES), step[i], next,
                               e);
        if (r == 0)
            memcpy(key, next, sizeof next);
        secret_wipe(next, sizeof next);
    }
    return r;
}

int obj_sigv4_signature(const uint8_t key[OBJ_SIGV4_KEY_BYTES],
                        struct span text, char hex[OBJ_SIGV4_HEX_CHARS],
                        struct err *e)
{
    uint8_t mac[DIGEST_SHA256_BYTES];

    if (digest_hmac_sha256(span_of(key, OBJ_SIGV4_KEY_BYTES), text, mac, e) < 0)
        return -1;
    digest_hex(span_of(mac, sizeof mac), hex);
    return 0;
}

int obj_sigv4_authorization(const struct obj_sigv4_request *r,
                            const struct obj_sigv4_scope *s,
                            const char *access_key,
                            const uint8_t key[OBJ_SIGV4_KEY_BYTES],
                            struct buf *out, struct err *e)
{
    AUTO_BUF struct buf canonical = buf_init(CANONICAL_MAX);
    AUTO_BUF struct buf names = buf_init(CANONICAL_MAX);
    AUTO_BUF struct buf text = buf_init(CANONICAL_MAX);
    char hex[OBJ_SIGV4_HEX_CHARS];

    if (obj_sigv4_canonical(r, &canonical, &names, e) < 0 ||
        obj_sigv4_string_to_sign(s, buf_span(&canonical), &text, e) < 0 ||
        obj_sigv4_signature(key, buf_span(&text), hex, e) < 0)
        return err_ctx(e, "sign request");
    buf_append_str(out, OBJ_SIGV4_ALGORITHM " Credential=");
    buf_append_str(out, access_key);
    buf_append_char(out, '/');
    obj_sigv4_scope_text(s, out);
    buf_append_str(out, ",SignedHeaders=");
    buf_append(out, names.p, names.len);
    buf_append_str(out, ",Signature=");
    buf_append_str(out, hex);
    return buf_check(out, e);
}
