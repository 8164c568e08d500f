// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/lock.h"

#include <string.h>

#include "base/digest.h"

#define SIGN_MAX_S (INT64_C(12) * 3600)

uint64_t eng_lock_phase(const uint8_t hash[ENG_LOCK_HASH_BYTES],
                        uint64_t generation_s)
{
    uint64_t h = 0;

    for (size_t i = 0; i < ENG_LOCK_HASH_BYTES; i++)
        h = h << 8 | hash[i];
    return h % generation_s;
}

int64_t eng_lock_cover(int64_t until, const uint8_t hash[ENG_LOCK_HASH_BYTES],
                       uint64_t generation_s)
{
    uint64_t at = (uint64_t)until % generation_s;
    uint64_t phase = eng_lock_phase(hash, generation_s);
    uint64_t ahead = phase >= at ? phase - at : generation_s - at + phase;

    /* So far away no date can be written any more. */
    if (ahead > (uint64_t)(INT64_MAX - until))
        return INT64_MAX;
    return until + (int64_t)ahead;
}

int eng_lock_key_hash(const char *key, uint8_t hash[ENG_LOCK_HASH_BYTES],
                      struct err *e)
{
    uint8_t digest[DIGEST_SHA256_BYTES];

    if (digest_sha256(span_of(key, strlen(key)), digest, e) < 0)
        return -1;
    memcpy(hash, digest, ENG_LOCK_HASH_BYTES);
    return 0;
}

int64_t eng_lock_until(enum mf_lock_scope scope, uint64_t immutability_s,
                       int64_t t, int64_t retention_end)
{
    int64_t until = t + (int64_t)immutability_s;

    if (scope == MF_SCOPE_RETENTION && retention_end > until)
        return retention_end;
    return until;
}

int64_t eng_lock_sign_before(int64_t t, uint64_t immutability_s)
{
    int64_t quarter = (int64_t)(immutability_s / 4);

    if (quarter > SIGN_MAX_S)
        quarter = SIGN_MAX_S;
    /* Times are whole seconds: with less than one nothing could ever be signed
     * (immutabilities of seconds are for tests). */
    return t + (quarter > 0 ? quarter : 1);
}
