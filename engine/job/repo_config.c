// SPDX-License-Identifier: Apache-2.0
/*
 * What a configured repository may say: the forms of its URL and options, how
 * they fit together, and what the storage layer makes of them.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/io.h"
#include "engine/job/config.h"
#include "engine/job/fields.h"
#include "manifest/block.h"

#define S3_SCHEME "s3://"
#define FILE_SCHEME "file://"
/* Leaves room for the longest name below a prefix. */
#define PREFIX_MAX 500
#define SKEW_MAX_S 86400
#define SKEW_DEFAULT_S 600

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

bool eng_config_repo_is_file(const struct eng_config_repo *r)
{
    return r->url != NULL && starts(r->url, FILE_SCHEME);
}

const char *eng_config_repo_driver(const struct eng_config_repo *r)
{
    if (r->driver != NULL)
        return r->driver;
    return eng_config_repo_is_file(r) ? "file" : "s3";
}

static bool is_libs3(const struct eng_config_repo *r)
{
    return strcmp(eng_config_repo_driver(r), "libs3") == 0;
}

int eng_config_name_check(const char *name, struct err *e)
{
    size_t len = strlen(name);
    bool ok = len >= 1 && len <= 64 && isalnum((unsigned char)name[0]);
    for (size_t i = 0; ok && i < len; i++)
        ok = isalnum((unsigned char)name[i]) || name[i] == '.' ||
             name[i] == '_' || name[i] == '-';
    if (!ok)
        return err_set(e, ERR_USAGE, 0,
                       "\"%.80s\" is no name: use letters, digits, '.', '_' "
                       "and '-', at most 64, the first a letter or digit",
                       name);
    return 0;
}

int eng_config_block_size_check(uint64_t bytes, struct err *e)
{
    if (mf_block_size_ok(bytes))
        return 0;
    return err_set(e, ERR_USAGE, 0,
                   "block size %" PRIu64 ": must be a power of two, 256K to 8M",
                   bytes);
}

/* A bucket as all S3 servers accept it. */
static bool bucket_ok(const char *b, size_t len)
{
    if (len < 3 || len > 63)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool edge = i == 0 || i == len - 1;
        bool plain =
            (b[i] >= 'a' && b[i] <= 'z') || isdigit((unsigned char)b[i]);
        if (!plain && (edge || (b[i] != '.' && b[i] != '-')))
            return false;
        if (b[i] == '.' && b[i - 1] == '.')
            return false;
    }
    return true;
}

/* Components between slashes: none empty, "." or "..". */
static bool components_ok(const char *s, size_t len)
{
    size_t begin = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && s[i] != '/')
            continue;
        size_t n = i - begin;
        const char *c = s + begin;
        if (n == 0 || (n == 1 && c[0] == '.') ||
            (n == 2 && c[0] == '.' && c[1] == '.'))
            return false;
        begin = i + 1;
    }
    return true;
}

/* The parts of a URL, as views of it. */
struct place_url {
    struct span bucket, prefix; /* s3 */
    struct span path;           /* file, without a slash at the end */
};

static int parse_s3(const char *url, struct place_url *out, struct err *e)
{
    const char *bucket = url + strlen(S3_SCHEME);
    size_t n = strcspn(bucket, "/");
    if (!bucket_ok(bucket, n))
        return err_set(e, ERR_USAGE, 0,
                       "URL %s: \"%.*s\" is no bucket's name (3 to 63 of a-z, "
                       "0-9, '.' and '-', a letter or digit at both ends)",
                       url, (int)checked_min(n, 200), bucket);
    out->bucket = span_of(bucket, n);
    const char *prefix = bucket + n + (bucket[n] == '/');
    size_t len = strlen(prefix);
    if (len > 0 && prefix[len - 1] == '/')
        len--;
    if (len > 0 && !components_ok(prefix, len))
        return err_set(e, ERR_USAGE, 0,
                       "URL %s: a part of the prefix is empty, \".\" or \"..\"",
                       url);
    if (len > PREFIX_MAX)
        return err_set(e, ERR_USAGE, 0,
                       "URL %.80s...: the prefix has %zu bytes, at most %d fit",
                       url, len, PREFIX_MAX);
    out->prefix = span_of(prefix, len);
    return 0;
}

static int parse_file(const char *url, struct place_url *out, struct err *e)
{
    const char *path = url + strlen(FILE_SCHEME);
    if (path[0] != '/')
        return err_set(e, ERR_USAGE, 0,
                       "URL %s: the path must be absolute, as in "
                       "file:///srv/backup",
                       url);
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 1)
        return err_set(e, ERR_USAGE, 0,
                       "URL %s: the root folder cannot be a repository", url);
    if (!components_ok(path + 1, len - 1))
        return err_set(e, ERR_USAGE, 0,
                       "URL %s: a part of the path is empty, \".\" or \"..\"",
                       url);
    out->path = span_of(path, len);
    return 0;
}

static int parse_url(const char *url, struct place_url *out, struct err *e)
{
    *out = (struct place_url){ 0 };
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return err_set(e, ERR_USAGE, 0, "URL: has a control character");
    if (starts(url, S3_SCHEME))
        return parse_s3(url, out, e);
    if (starts(url, FILE_SCHEME))
        return parse_file(url, out, e);
    return err_set(e, ERR_USAGE, 0,
                   "URL %s: neither s3://bucket[/prefix] nor file:///path",
                   url);
}

/* HOST or HOST:PORT, an IPv6 address in brackets. */
static bool authority_ok(const char *s)
{
    size_t n = 0;
    if (s[0] == '[') {
        n = strspn(s + 1, "0123456789abcdefABCDEF:.");
        if (n == 0 || s[n + 1] != ']')
            return false;
        n += 2;
    } else {
        while (isalnum((unsigned char)s[n]) || s[n] == '.' || s[n] == '-' ||
               s[n] == '_')
            n++;
    }
    if (n == 0)
        return false;
    if (s[n] == ':') {
        size_t digits = strspn(s + n + 1, "0123456789");
        unsigned long port = strtoul(s + n + 1, NULL, 10);
        if (digits == 0 || digits > 5 || port == 0 || port > 65535)
            return false;
        n += 1 + digits;
    }
    return s[n] == '\0' || (s[n] == '/' && s[n + 1] == '\0');
}

static int check_endpoint(const char *endpoint, struct err *e)
{
    const char *rest = NULL;
    if (starts(endpoint, "http://"))
        rest = endpoint + strlen("http://");
    else if (starts(endpoint, "https://"))
        rest = endpoint + strlen("https://");
    if (rest == NULL || !authority_ok(rest))
        return err_set(e, ERR_USAGE, 0,
                       "endpoint %s: must be http://HOST[:PORT] or "
                       "https://HOST[:PORT], without path, user or query",
                       endpoint);
    return 0;
}

struct given {
    const char *name;
    bool given;
};

static int check_useless(const struct given *options, size_t n,
                         const char *with, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (options[i].given)
            return err_set(e, ERR_USAGE, 0, "%s has no use with %s",
                           options[i].name, with);
    return 0;
}

/* What only makes sense with an S3 server. */
static int check_file_options(const struct eng_config_repo *r, struct err *e)
{
    const struct given options[] = {
        { "endpoint", r->endpoint != NULL },
        { "region", r->region != NULL },
        { "addressing", r->addressing != NULL },
        { "ca", r->ca != NULL },
        { "credentials", r->credentials != NULL },
        { "payload", r->payload != NULL },
        { "max clock skew", r->max_clock_skew_s != 0 },
        { "immutable", r->immutable_s != 0 },
    };
    return check_useless(options, sizeof options / sizeof options[0],
                         "a " FILE_SCHEME "/ URL", e);
}

/* What the driver libs3 could only pass over; it refuses more when it opens
 * (objstore/libs3.c). */
static int check_libs3_options(const struct eng_config_repo *r, struct err *e)
{
    const struct given options[] = {
        { "region", r->region != NULL },
        { "ca", r->ca != NULL },
        { "payload", r->payload != NULL },
        { "max clock skew", r->max_clock_skew_s != 0 },
        { "immutable", r->immutable_s != 0 },
    };
    return check_useless(options, sizeof options / sizeof options[0],
                         "driver libs3", e);
}

static int check_word(const char *what, const char *word, const char *a,
                      const char *b, const char *c, struct err *e)
{
    if (word == NULL || strcmp(word, a) == 0 || strcmp(word, b) == 0 ||
        (c != NULL && strcmp(word, c) == 0))
        return 0;
    return err_set(e, ERR_USAGE, 0, "%s \"%.40s\": must be %s%s%s or %s", what,
                   word, a, c != NULL ? ", " : "", c != NULL ? c : "", b);
}

static int check_s3_options(const struct eng_config_repo *r, struct err *e)
{
    if (is_libs3(r) && check_libs3_options(r, e) < 0)
        return -1;
    if (r->endpoint != NULL && check_endpoint(r->endpoint, e) < 0)
        return -1;
    if (r->region != NULL &&
        (r->region[0] == '\0' || strlen(r->region) > 31 ||
         r->region[strspn(r->region, "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_")] != '\0'))
        return err_set(e, ERR_USAGE, 0,
                       "region \"%.40s\": must be at most 31 letters, digits, "
                       "'-' and '_'",
                       r->region);
    if (r->ca != NULL && r->ca[0] != '/')
        return err_set(e, ERR_USAGE, 0, "ca %s: the path must be absolute",
                       r->ca);
    if (r->credentials != NULL && eng_config_name_check(r->credentials, e) < 0)
        return err_ctx(e, "credentials");
    if (r->max_clock_skew_s < 0 || r->max_clock_skew_s > SKEW_MAX_S)
        return err_set(e, ERR_USAGE, 0, "max clock skew: must be 1s to 1d");
    if (r->immutable_s < 0 || (uint64_t)r->immutable_s > MF_LOCK_SECONDS_MAX)
        return err_set(e, ERR_USAGE, 0, "immutable: must be 1s to 36500d");
    if (check_word("addressing", r->addressing, "auto", "virtual", "path", e) <
        0)
        return -1;
    return check_word("payload", r->payload, "signed", "crc32c", NULL, e);
}

int eng_config_repo_check(const struct eng_config_repo *r, struct err *e)
{
    struct place_url url;
    if (eng_config_name_check(r->name, e) < 0)
        return err_ctx(e, "repository");
    if (r->url == NULL)
        return err_set(e, ERR_USAGE, 0, "repository %s has no URL", r->name);
    if (parse_url(r->url, &url, e) < 0)
        return -1;
    if (r->quota_hard != 0 && r->quota_hard < r->quota)
        return err_set(e, ERR_USAGE, 0,
                       "quota hard: must not be less than the (soft) quota");
    bool file = eng_config_repo_is_file(r);
    if (check_word("driver", r->driver, "s3", "file", "libs3", e) < 0)
        return -1;
    if (r->driver != NULL && (strcmp(r->driver, "file") == 0) != file)
        return err_set(e, ERR_USAGE, 0, "URL %s: does not go with driver %s",
                       r->url, r->driver);
    return file ? check_file_options(r, e) : check_s3_options(r, e);
}

void eng_config_repo_fini(struct eng_config_repo *r)
{
    free(r->name);
    free(r->url);
    free(r->driver);
    free(r->endpoint);
    free(r->region);
    free(r->addressing);
    free(r->ca);
    free(r->credentials);
    free(r->payload);
    *r = (struct eng_config_repo){ 0 };
}

/* Keeps a copy of len bytes in p->owned; NULL: without memory. */
static const char *own(struct eng_config_place *p, const char *s, size_t len,
                       struct err *e)
{
    size_t i = 0;
    while (i < sizeof p->owned / sizeof p->owned[0] && p->owned[i] != NULL)
        i++;
    if (i == sizeof p->owned / sizeof p->owned[0]) {
        (void)err_set(e, ERR_INTERNAL, 0, "a place has too many strings");
        return NULL;
    }
    p->owned[i] = strndup(s != NULL ? s : "", len);
    if (p->owned[i] == NULL)
        (void)err_nomem(e);
    return p->owned[i];
}

/* Sets *member to a copy of s, if there is one. */
static int keep(struct eng_config_place *p, const char **member, const char *s,
                struct err *e)
{
    if (s == NULL)
        return 0;
    *member = own(p, s, strlen(s), e);
    return *member != NULL ? 0 : -1;
}

static int keep_span(struct eng_config_place *p, const char **member,
                     struct span s, struct err *e)
{
    *member = own(p, (const char *)s.p, s.len, e);
    return *member != NULL ? 0 : -1;
}

static int place_s3(struct eng_config_place *p, const struct eng_home *h,
                    const struct eng_config_repo *r,
                    const struct place_url *url, struct err *e)
{
    struct obj_config *s = &p->place.store;
    s->driver = is_libs3(r) ? OBJ_DRIVER_LIBS3 : OBJ_DRIVER_S3;
    s->max_clock_skew_s =
        r->max_clock_skew_s != 0 ? r->max_clock_skew_s : SKEW_DEFAULT_S;
    s->payload = OBJ_PAYLOAD_CRC32C;
    bool unverified = r->probe.results[ENG_PROBE_CRC32C] == ENG_PROBE_NO;
    if (r->payload != NULL ? strcmp(r->payload, "signed") == 0 : unverified)
        s->payload = OBJ_PAYLOAD_SIGNED;
    s->addressing = OBJ_ADDR_AUTO;
    if (r->addressing != NULL && strcmp(r->addressing, "path") == 0)
        s->addressing = OBJ_ADDR_PATH;
    if (r->addressing != NULL && strcmp(r->addressing, "virtual") == 0)
        s->addressing = OBJ_ADDR_VIRTUAL;
    if (r->credentials != NULL) {
        AUTO_MEM char *file =
            io_format(e, "%s/%s/%s.json", h->config,
                      eng_kind_credentials.folder, r->credentials);
        if (file == NULL || keep(p, &s->credentials_file, file, e) < 0)
            return -1;
    }
    if (keep_span(p, &s->bucket, url->bucket, e) < 0 ||
        keep_span(p, &s->prefix, url->prefix, e) < 0 ||
        keep(p, &s->endpoint, r->endpoint, e) < 0 ||
        keep(p, &s->region, r->region, e) < 0 ||
        keep(p, &s->ca_file, r->ca, e) < 0)
        return -1;
    return 0;
}

int eng_config_place_init(struct eng_config_place *p, const struct eng_home *h,
                          const struct eng_config_repo *r, struct err *e)
{
    *p = (struct eng_config_place){ 0 };
    struct place_url url;
    if (eng_config_repo_check(r, e) < 0 || parse_url(r->url, &url, e) < 0)
        return -1;
    int done = -1;
    if (keep(p, &p->place.name, r->name, e) == 0 &&
        keep(p, &p->place.state_dir, h->state, e) == 0) {
        p->place.immutability_s = (uint64_t)r->immutable_s;
        p->place.quota = r->quota;
        p->place.quota_hard = r->quota_hard;
        p->place.probe = r->probe;
        if (eng_config_repo_is_file(r)) {
            p->place.store.driver = OBJ_DRIVER_FILE;
            done = keep_span(p, &p->place.store.path, url.path, e);
        } else {
            done = place_s3(p, h, r, &url, e);
        }
    }
    if (done < 0)
        eng_config_place_fini(p);
    return done;
}

void eng_config_place_fini(struct eng_config_place *p)
{
    for (size_t i = 0; i < sizeof p->owned / sizeof p->owned[0]; i++)
        free(p->owned[i]);
    *p = (struct eng_config_place){ 0 };
}
