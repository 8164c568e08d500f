// SPDX-License-Identifier: Apache-2.0
/*
 * AWS Signature Version 4 as S3 checks it, from the bytes of the request.
 * Nothing is shared with the signer of the product: a fault of its would
 * otherwise be checked with itself.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "tests/s3server/impl.h"

#define SKEW_MAX_S 900

/* The Authorization header, taken apart; texts are bounded copies. */
struct claim {
    char key[160], day[16], region[64], service[16], end[16];
    char headers[2048];
    char signature[80];
};

static bool field(const char *text, const char *name, char *out, size_t cap)
{
    const char *at = strstr(text, name);

    if (at == NULL)
        return false;
    at += strlen(name);
    size_t n = strcspn(at, ", ");
    if (n >= cap)
        return false;
    snprintf(out, cap, "%.*s", (int)n, at);
    return true;
}

static bool read_claim(const char *text, struct claim *c)
{
    char scope[512];

    if (strncmp(text, "AWS4-HMAC-SHA256 ", 17) != 0 ||
        !field(text, "Credential=", scope, sizeof scope) ||
        !field(text, "SignedHeaders=", c->headers, sizeof c->headers) ||
        !field(text, "Signature=", c->signature, sizeof c->signature))
        return false;
    char *parts[5] = { 0 };
    char *rest = scope;
    for (int i = 4; i > 0; i--) { /* the key itself may hold slashes */
        char *slash = strrchr(rest, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
        parts[i] = slash + 1;
    }
    if (strlen(scope) >= sizeof c->key)
        return false;
    memcpy(c->key, scope, strlen(scope) + 1);
    snprintf(c->day, sizeof c->day, "%s", parts[1]);
    snprintf(c->region, sizeof c->region, "%s", parts[2]);
    snprintf(c->service, sizeof c->service, "%s", parts[3]);
    snprintf(c->end, sizeof c->end, "%s", parts[4]);
    return true;
}

/* Is the name in "a;b;c"? */
static bool is_signed(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = list; *at != '\0';) {
        size_t len = strcspn(at, ";");
        if (len == n && strncmp(at, name, n) == 0)
            return true;
        at += len;
        at += *at == ';' ? 1 : 0;
    }
    return false;
}

/* Host and all of Amazon's own headers must be signed. */
static const char *unsigned_header(const struct s3_request *q, const char *list)
{
    for (size_t i = 0; i < q->nheaders; i++) {
        const char *name = q->headers[i].name;
        bool must = strcmp(name, "host") == 0 ||
                    strcmp(name, "content-md5") == 0 ||
                    strncmp(name, "x-amz-", 6) == 0;
        if (must && !is_signed(list, name))
            return name;
    }
    return NULL;
}

static void add_path(struct buf *b, const struct s3_request *q)
{
    char *plain = s3server_decode(q->path, strlen(q->path));

    s3server_encode(b, plain, true);
    buf_append_char(b, '\n');
    free(plain);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name=value" of each parameter, encoded and sorted: '=' is below all that
 * may be in a name but "-.", which no name of S3 is a prefix before. */
static void add_query(struct buf *b, const struct s3_request *q)
{
    char *pairs[S3SERVER_PARAMS];

    for (size_t i = 0; i < q->nparams; i++) {
        struct buf pair = buf_init(16u << 10);
        s3server_encode(&pair, q->params[i].name, false);
        buf_append_char(&pair, '=');
        s3server_encode(&pair, q->params[i].value, false);
        pairs[i] = s3server_copy(buf_cstr(&pair));
        buf_free(&pair);
    }
    qsort(pairs, q->nparams, sizeof pairs[0], by_text);
    for (size_t i = 0; i < q->nparams; i++) {
        buf_printf(b, "%s%s", i == 0 ? "" : "&", pairs[i]);
        free(pairs[i]);
    }
    buf_append_char(b, '\n');
}

/* One header's value, inner blanks collapsed, repeated ones joined. */
static bool add_value(struct buf *b, const struct s3_request *q,
                      const char *name)
{
    bool found = false;

    for (size_t i = 0; i < q->nheaders; i++) {
        if (strcmp(q->headers[i].name, name) != 0)
            continue;
        if (found)
            buf_append_char(b, ',');
        found = true;
        const char *v = q->headers[i].value;
        for (; *v != '\0'; v++) {
            if (*v != ' ' || v[1] != ' ')
                buf_append_char(b, *v);
        }
    }
    buf_append_char(b, '\n');
    return found;
}

/* The signed headers in the order in which the client named them, which must
 * be the right one.  False: one is not there, or not in its place. */
static bool add_headers(struct buf *b, const struct s3_request *q,
                        const char *list)
{
    char last[128] = "";

    for (const char *at = list; *at != '\0';) {
        char name[128];
        size_t len = strcspn(at, ";");
        if (len == 0 || len >= sizeof name)
            return false;
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        if (strcmp(name, last) <= 0)
            return false;
        memcpy(last, name, sizeof last);
        buf_printf(b, "%s:", name);
        if (!add_value(b, q, name))
            return false;
        at += len;
        at += *at == ';' ? 1 : 0;
    }
    buf_printf(b, "\n%s\n", list);
    return true;
}

static void mac(const uint8_t *key, size_t len, const char *text,
                uint8_t out[DIGEST_SHA256_BYTES])
{
    struct err e;

    if (digest_hmac_sha256(span_of(key, len), span_str(text), out, &e) < 0)
        abort();
}

static void sign(const struct claim *c, const char *secret, const char *stamp,
                 struct buf *canonical, char out[65])
{
    uint8_t k[DIGEST_SHA256_BYTES];
    char first[200], hash[65], text[512];
    struct err e;

    if (digest_sha256(buf_span(canonical), k, &e) < 0)
        abort();
    digest_hex(span_of(k, sizeof k), hash);
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/%s\n%s", stamp,
             c->day, c->region, c->service, c->end, hash);
    snprintf(first, sizeof first, "AWS4%s", secret);
    mac((const uint8_t *)first, strlen(first), c->day, k);
    mac(k, sizeof k, c->region, k);
    mac(k, sizeof k, c->service, k);
    mac(k, sizeof k, c->end, k);
    mac(k, sizeof k, text, k);
    digest_hex(span_of(k, sizeof k), out);
}

static bool refuse(struct s3_answer *a, const struct s3_request *q, int status,
                   const char *code, const char *message)
{
    s3server_error(a, q, status, code, message, NULL);
    return false;
}

/* The clock, and the day of the scope. */
static bool check_time(struct s3server *s, const struct s3_request *q,
                       const struct claim *c, struct s3_answer *a)
{
    const char *stamp = s3server_header(q, "x-amz-date");
    int64_t now = s3server_now(s), at;
    char sent[UTC_ISO_CHARS], mine[UTC_ISO_CHARS], more[256];

    if (stamp == NULL || !utc_parse_basic(stamp, &at))
        return refuse(a, q, 403, "AccessDenied",
                      "AWS authentication requires a valid Date or x-amz-date "
                      "header");
    if (at > now + SKEW_MAX_S || at < now - SKEW_MAX_S) {
        utc_format_iso(at, sent);
        utc_format_iso(now, mine);
        snprintf(more, sizeof more,
                 "<RequestTime>%s</RequestTime><ServerTime>%s</ServerTime>"
                 "<MaxAllowedSkewMilliseconds>%d</MaxAllowedSkewMilliseconds>",
                 sent, mine, SKEW_MAX_S * 1000);
        s3server_error(a, q, 403, "RequestTimeTooSkewed",
                       "The difference between the request time and the "
                       "current time is too large.",
                       more);
        return false;
    }
    if (strlen(c->day) != 8 || strncmp(stamp, c->day, 8) != 0)
        return refuse(a, q, 400, "AuthorizationHeaderMalformed",
                      "Invalid credential date");
    return true;
}

static bool check_scope(struct s3server *s, const struct s3_request *q,
                        const struct claim *c, struct s3_answer *a)
{
    char more[160], text[256];

    if (strcmp(c->service, "s3") != 0 || strcmp(c->end, "aws4_request") != 0)
        return refuse(a, q, 400, "AuthorizationHeaderMalformed",
                      "the service of the credential is wrong");
    if (strcmp(c->region, s->opts.region) == 0 ||
        (strcmp(q->op, "GetBucketLocation") == 0 &&
         strcmp(c->region, "us-east-1") == 0))
        return true;
    if (s->opts.elsewhere != S3SERVER_SILENT)
        buf_printf(&a->headers, "x-amz-bucket-region: %s\r\n", s->opts.region);
    if (s->opts.elsewhere != S3SERVER_MALFORMED)
        return refuse(a, q, 301, "PermanentRedirect",
                      "The bucket must be addressed by another endpoint.");
    snprintf(more, sizeof more, "<Region>%s</Region>", s->opts.region);
    snprintf(text, sizeof text, "the region '%s' is wrong; expecting '%s'",
             c->region, s->opts.region);
    s3server_error(a, q, 400, "AuthorizationHeaderMalformed", text, more);
    return false;
}

static bool check_identity(const struct s3_identity *now,
                           const struct s3_identity *before,
                           const struct s3_request *q, const struct claim *c,
                           struct s3_answer *a)
{
    const char *token = s3server_header(q, "x-amz-security-token");
    bool old = before->token[0] != '\0' && token != NULL &&
               strcmp(token, before->token) == 0;

    if (old && strcmp(c->key, before->key) == 0 &&
        strcmp(token, now->token) != 0)
        return refuse(a, q, 400, "ExpiredToken",
                      "The provided token has expired.");
    if (strcmp(c->key, now->key) != 0 ||
        (now->token[0] != '\0' && token == NULL))
        return refuse(a, q, 403, "InvalidAccessKeyId",
                      "The AWS Access Key Id you provided does not exist in "
                      "our records.");
    if (token != NULL && strcmp(token, now->token) != 0)
        return refuse(a, q, 400, "InvalidToken",
                      "The provided token is malformed or otherwise invalid.");
    return true;
}

static bool check_signature(const struct s3_identity *now,
                            const struct s3_request *q, const struct claim *c,
                            struct s3_answer *a)
{
    AUTO_BUF struct buf canonical = buf_init(256u << 10);
    char expected[65], more[160];
    const char *missing = unsigned_header(q, c->headers);

    if (missing != NULL) {
        snprintf(more, sizeof more, "<HeadersNotSigned>%s</HeadersNotSigned>",
                 missing);
        s3server_error(a, q, 403, "AccessDenied",
                       "There were headers present in the request which were "
                       "not signed",
                       more);
        return false;
    }
    buf_printf(&canonical, "%s\n", q->method);
    add_path(&canonical, q);
    add_query(&canonical, q);
    bool good = add_headers(&canonical, q, c->headers);
    buf_append_str(&canonical, s3server_header(q, "x-amz-content-sha256"));
    sign(c, now->secret, s3server_header(q, "x-amz-date"), &canonical,
         expected);
    if (!good || strcmp(expected, c->signature) != 0)
        return refuse(a, q, 403, "SignatureDoesNotMatch",
                      "The request signature we calculated does not match the "
                      "signature you provided.");
    return true;
}

bool s3server_admit(struct s3server *s, const struct s3_request *q,
                    struct s3_answer *a)
{
    const char *text = s3server_header(q, "authorization");
    struct s3_identity now, before;
    struct claim c = { 0 };

    if (text == NULL)
        return refuse(a, q, 403, "AccessDenied", "Access Denied");
    if (!read_claim(text, &c))
        return refuse(a, q, 400, "AuthorizationHeaderMalformed",
                      "The authorization header is malformed.");
    if (s3server_header(q, "x-amz-content-sha256") == NULL)
        return refuse(a, q, 400, "InvalidRequest",
                      "Missing required header for this request: "
                      "x-amz-content-sha256");
    pthread_mutex_lock(&s->lock);
    now = s->now;
    before = s->before;
    pthread_mutex_unlock(&s->lock);
    return check_scope(s, q, &c, a) &&
           check_identity(&now, &before, q, &c, a) && check_time(s, q, &c, a) &&
           check_signature(&now, q, &c, a);
}
