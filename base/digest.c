// SPDX-License-Identifier: Apache-2.0
/*
 * Digests over OpenSSL EVP.  Algorithms are looked up once for the process: a
 * fetch takes locks inside OpenSSL that would make workers wait for each
 * other.  CRC-32C is ours because libcrypto has none: the processor's
 * instruction where there is one, a table elsewhere.
 */
#include "base/digest.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "base/auto.h"

/* Read-only after the first use. */
static struct {
    EVP_MD *sha256;
    EVP_MD *md5;
    EVP_MAC_CTX *hmac_sha256; /* without a key; copied for each use */
} algs;

static pthread_once_t algs_once = PTHREAD_ONCE_INIT;

static EVP_MAC_CTX *new_hmac_template(void)
{
    char name[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (mac == NULL)
        return NULL;
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); /* the context holds its own reference */
    if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static void algs_fetch(void)
{
    algs.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algs.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    algs.hmac_sha256 = new_hmac_template();
}

static int one_shot(const EVP_MD *md, const char *name, struct span in,
                    uint8_t *out, struct err *e)
{
    if (md == NULL)
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL offers no %s", name);
    if (EVP_Digest(in.p, in.len, out, NULL, md, NULL) != 1)
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL could not compute %s",
                       name);
    return 0;
}

int digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                  struct err *e)
{
    pthread_once(&algs_once, algs_fetch);
    return one_shot(algs.sha256, "SHA-256", in, out, e);
}

int digest_md5(struct span in, uint8_t out[DIGEST_MD5_BYTES], struct err *e)
{
    pthread_once(&algs_once, algs_fetch);
    return one_shot(algs.md5, "MD5", in, out, e);
}

int digest_hmac_sha256(struct span key, struct span in,
                       uint8_t out[DIGEST_SHA256_BYTES], struct err *e)
{
    pthread_once(&algs_once, algs_fetch);
    if (algs.hmac_sha256 == NULL)
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL offers no HMAC-SHA256");

    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(algs.hmac_sha256);
    if (ctx == NULL)
        return err_nomem(e);
    /* To OpenSSL a NULL key means "the key of before", not "empty". */
    const uint8_t *k = key.p != NULL ? key.p : (const uint8_t *)"";
    size_t len = 0;
    bool ok = EVP_MAC_init(ctx, k, key.len, NULL) == 1 &&
              (in.len == 0 || EVP_MAC_update(ctx, in.p, in.len) == 1) &&
              EVP_MAC_final(ctx, out, &len, DIGEST_SHA256_BYTES) == 1 &&
              len == DIGEST_SHA256_BYTES;
    EVP_MAC_CTX_free(ctx);
    if (!ok)
        return err_set(e, ERR_INTERNAL, 0,
                       "OpenSSL could not compute HMAC-SHA256");
    return 0;
}

/* OpenSSL's parameters are not const, though it does not write to them. */
static OSSL_PARAM octets(const char *name, struct span s)
{
    const uint8_t *from = s.p != NULL ? s.p : (const uint8_t *)"";
    void *p = NULL;

    memcpy(&p, &from, sizeof(p));
    return OSSL_PARAM_construct_octet_string(name, p, s.len);
}

int digest_hkdf_sha256(struct span key, struct span salt, struct span info,
                       uint8_t *out, size_t len, struct err *e)
{
    char name[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
        octets(OSSL_KDF_PARAM_KEY, key),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    int r = ctx != NULL ? EVP_KDF_derive(ctx, out, len, params) : 0;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    if (r != 1)
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL could not derive a key");
    return 0;
}

enum { CRC_SLICES = 8 };

static uint32_t crc_table[CRC_SLICES][256];
static uint32_t (*crc_update)(uint32_t crc, const uint8_t *p, size_t len);
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

/* The reversed Castagnoli polynomial. */
#define CRC32C_POLY 0x82f63b78U

static void crc_fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC32C_POLY : 0);
        crc_table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (int s = 1; s < CRC_SLICES; s++) {
            uint32_t below = crc_table[s - 1][i];
            crc_table[s][i] = (below >> 8) ^ crc_table[0][below & 0xff];
        }
    }
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* Eight bytes per step, one table each. */
static uint32_t crc_by_table(uint32_t crc, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        uint32_t lo = le32(p) ^ crc;
        uint32_t hi = le32(p + 4);
        crc = crc_table[7][lo & 0xff] ^ crc_table[6][(lo >> 8) & 0xff] ^
              crc_table[5][(lo >> 16) & 0xff] ^ crc_table[4][lo >> 24] ^
              crc_table[3][hi & 0xff] ^ crc_table[2][(hi >> 8) & 0xff] ^
              crc_table[1][(hi >> 16) & 0xff] ^ crc_table[0][hi >> 24];
    }
    for (; len > 0; p++, len--)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 0xff];
    return crc;
}

#if defined(__x86_64__)
/* The instruction takes a word in each cycle but answers after three, so three
 * stretches are done at a time: 16 GB/s instead of 5. */
#define CRC_LANE ((size_t)4096)

/* What each byte of a CRC becomes when CRC_LANE zero bytes follow; the
 * operation is linear, so the four parts are put together by XOR. */
static uint32_t crc_skip_table[4][256];

static void crc_fill_skip_table(void)
{
    static const uint8_t zeros[CRC_LANE];

    for (uint32_t part = 0; part < 4; part++) {
        uint32_t *of = crc_skip_table[part];
        for (uint32_t i = 1; i < 256; i++) {
            uint32_t below = i & (i - 1); /* without its lowest bit */
            of[i] = below == 0 ? crc_by_table(i << (8 * part), zeros, CRC_LANE)
                               : of[below] ^ of[i ^ below];
        }
    }
}

static uint32_t crc_skip(uint32_t crc)
{
    return crc_skip_table[0][crc & 0xff] ^ crc_skip_table[1][crc >> 8 & 0xff] ^
           crc_skip_table[2][crc >> 16 & 0xff] ^ crc_skip_table[3][crc >> 24];
}

static uint64_t crc_word(const uint8_t *p)
{
    uint64_t word = 0;

    memcpy(&word, p, sizeof(word));
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t
crc_by_sse42(uint32_t crc, const uint8_t *p, size_t len)
{
    const size_t stride = 3 * CRC_LANE;

    for (; len >= stride; p += stride, len -= stride) {
        uint64_t a = crc;
        uint64_t b = 0;
        uint64_t c = 0;
        for (size_t i = 0; i < CRC_LANE; i += 8) {
            a = __builtin_ia32_crc32di(a, crc_word(p + i));
            b = __builtin_ia32_crc32di(b, crc_word(p + CRC_LANE + i));
            c = __builtin_ia32_crc32di(c, crc_word(p + 2 * CRC_LANE + i));
        }
        crc = crc_skip(crc_skip((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
    }
    uint64_t wide = crc;
    for (; len >= 8; p += 8, len -= 8)
        wide = __builtin_ia32_crc32di(wide, crc_word(p));
    crc = (uint32_t)wide;
    for (; len > 0; p++, len--)
        crc = __builtin_ia32_crc32qi(crc, *p);
    return crc;
}
#endif

static void crc_choose(void)
{
    crc_fill_table();
    crc_update = crc_by_table;
#if defined(__x86_64__)
    crc_fill_skip_table();
    if (__builtin_cpu_supports("sse4.2"))
        crc_update = crc_by_sse42;
#endif
}

uint32_t digest_crc32c(struct span in)
{
    pthread_once(&crc_once, crc_choose);
    return ~crc_update(~0U, in.p, in.len);
}

void digest_hex(struct span in, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < in.len; i++) {
        out[2 * i] = digits[in.p[i] >> 4];
        out[2 * i + 1] = digits[in.p[i] & 15];
    }
    out[2 * in.len] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool digest_unhex(const char *s, size_t slen, uint8_t *out, size_t len)
{
    if (slen / 2 != len || slen % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        int hi = hex_value(s[2 * i]);
        int lo = hex_value(s[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

void digest_base64(struct span in, char *out)
{
    /* EVP_EncodeBlock counts in int; a multiple of 3 ends without padding. */
    const size_t piece = (size_t)3 << 20;

    *out = '\0';
    while (in.len > 0) {
        size_t n = in.len < piece ? in.len : piece;
        out += EVP_EncodeBlock((unsigned char *)out, in.p, (int)n);
        in = span_of(in.p + n, in.len - n);
    }
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool digest_unbase64(const char *s, size_t slen, uint8_t *out, size_t *len)
{
    size_t pad = 0;
    uint32_t group = 0;

    if (slen % 4 != 0)
        return false;
    while (pad < 2 && pad < slen && s[slen - 1 - pad] == '=')
        pad++;
    *len = 0;
    for (size_t i = 0; i < slen; i++) {
        int digit = i < slen - pad ? base64_digit(s[i]) : 0;
        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
        if (i % 4 != 3)
            continue;
        size_t bytes = i + 1 < slen ? 3 : 3 - pad;
        for (size_t b = 0; b < bytes; b++)
            out[(*len)++] = (uint8_t)(group >> (16 - 8 * b));
        /* What padding leaves of the last digit is zeros. */
        if ((group & ((1u << 8 * (3 - bytes)) - 1)) != 0)
            return false;
        group = 0;
    }
    return true;
}

int digest_random(void *p, size_t len, struct err *e)
{
    uint8_t *at = p;

    while (len > 0) {
        size_t n = len < INT_MAX ? len : INT_MAX;
        if (RAND_priv_bytes(at, (int)n) != 1)
            return err_set(e, ERR_INTERNAL, 0,
                           "OpenSSL has no random bytes to give");
        at += n;
        len -= n;
    }
    return 0;
}
