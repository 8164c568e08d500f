// SPDX-License-Identifier: Apache-2.0
/*
 * What vouches for a request's body, held against the body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "tests/s3server/impl.h"

static const char *const algorithms[] = { "crc32", "crc32c", "crc64nvme",
                                          "sha1", "sha256" };

static bool refuse(struct s3_answer *a, const struct s3_request *q,
                   const char *code, const char *message)
{
    s3server_error(a, q, 400, code, message, NULL);
    return false;
}

/* Could this be base64 of n bytes? */
static bool is_base64(const char *text, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                                 "qrstuvwxyz0123456789+/";
    size_t padding = (3 - n % 3) % 3;
    size_t len = (n + 2) / 3 * 4;

    return strlen(text) == len && strspn(text, digits) == len - padding &&
           strspn(text + len - padding, "=") == padding;
}

static bool check_md5(const struct s3_request *q, struct s3_answer *a)
{
    const char *sent = s3server_header(q, "content-md5");
    uint8_t md5[DIGEST_MD5_BYTES];
    char mine[32];
    struct err e;

    if (sent == NULL)
        return true;
    if (!is_base64(sent, sizeof md5))
        return refuse(a, q, "InvalidDigest",
                      "The Content-MD5 you specified was invalid.");
    if (digest_md5(span_of(q->body->p, q->body->len), md5, &e) < 0)
        abort();
    digest_base64(span_of(md5, sizeof md5), mine);
    if (strcmp(sent, mine) != 0)
        return refuse(a, q, "BadDigest",
                      "The Content-MD5 you specified did not match what we "
                      "received.");
    return true;
}

/* True where the sent one is right. */
static bool matches(const struct s3_request *q, const char *algorithm,
                    const char *sent, bool *sound)
{
    struct span body = span_of(q->body->p, q->body->len);
    uint8_t sum[DIGEST_SHA256_BYTES];
    size_t n = sizeof sum;
    char mine[64];
    struct err e;

    if (strcmp(algorithm, "crc32c") == 0) {
        uint32_t crc = digest_crc32c(body);
        n = 4;
        for (size_t i = 0; i < n; i++)
            sum[i] = (uint8_t)(crc >> (24 - 8 * i));
    } else if (digest_sha256(body, sum, &e) < 0) {
        abort();
    }
    *sound = is_base64(sent, n);
    digest_base64(span_of(sum, n), mine);
    return strcmp(sent, mine) == 0;
}

static bool check_checksum(const struct s3_request *q, struct s3_answer *a,
                           char line[128])
{
    const char *found = NULL;
    char name[64];
    bool sound;

    line[0] = '\0';
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        snprintf(name, sizeof name, "x-amz-checksum-%s", algorithms[i]);
        if (s3server_header(q, name) == NULL)
            continue;
        if (found != NULL)
            return refuse(a, q, "InvalidRequest",
                          "Expecting a single x-amz-checksum- header. "
                          "Multiple checksum Types are not allowed.");
        found = algorithms[i];
    }
    if (found == NULL)
        return true;
    if (strcmp(found, "crc32c") != 0 && strcmp(found, "sha256") != 0)
        return refuse(a, q, "InvalidRequest",
                      "this server of tests knows crc32c and sha256 only");
    snprintf(name, sizeof name, "x-amz-checksum-%s", found);
    const char *sent = s3server_header(q, name);
    bool right = matches(q, found, sent, &sound);
    if (!sound)
        return refuse(a, q, "InvalidRequest",
                      "Value for the x-amz-checksum header is invalid.");
    if (!right)
        return refuse(a, q, "BadDigest",
                      "The checksum you specified did not match the "
                      "calculated checksum.");
    snprintf(line, 128, "%s: %s\r\nx-amz-checksum-type: FULL_OBJECT\r\n", name,
             sent);
    return true;
}

static bool check_payload(const struct s3_request *q, struct s3_answer *a)
{
    const char *sent = s3server_header(q, "x-amz-content-sha256");
    uint8_t sha[DIGEST_SHA256_BYTES];
    char mine[2 * DIGEST_SHA256_BYTES + 1];
    struct err e;

    if (strcmp(sent, "UNSIGNED-PAYLOAD") == 0)
        return true;
    if (strncmp(sent, "STREAMING-", 10) == 0) {
        s3server_error(a, q, 501, "NotImplemented",
                       "A header you provided implies functionality that is "
                       "not implemented.",
                       NULL);
        return false;
    }
    if (digest_sha256(span_of(q->body->p, q->body->len), sha, &e) < 0)
        abort();
    digest_hex(span_of(sha, sizeof sha), mine);
    if (strcmp(sent, mine) != 0)
        return refuse(a, q, "XAmzContentSHA256Mismatch",
                      "The provided 'x-amz-content-sha256' header does not "
                      "match what was computed.");
    return true;
}

bool s3server_check_body(const struct s3_request *q, struct s3_answer *a,
                         bool *vouched, char checksum[128])
{
    if (!check_payload(q, a) || !check_md5(q, a) ||
        !check_checksum(q, a, checksum))
        return false;
    *vouched = checksum[0] != '\0' || s3server_header(q, "content-md5") != NULL;
    return true;
}
