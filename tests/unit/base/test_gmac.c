// SPDX-License-Identifier: Apache-2.0
/* GMAC against AES-256-GCM of base/aead.h without a plaintext. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/aead.h"
#include "base/gmac.h"

static const uint8_t key[GMAC_KEY_BYTES] = { 1, 2, 3 };

static void a_tag_is_that_of_gcm_over_additional_data(void **state)
{
    struct err e = { 0 };
    uint8_t data[1000];
    uint8_t nonce[AEAD_NONCE_BYTES] = { 7 };
    AUTO_GMAC struct gmac *g = gmac_new(key, &e);

    (void)state;
    assert_non_null(g);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof(data); len += 37) {
        uint8_t want[AEAD_TAG_BYTES];
        uint8_t got[GMAC_TAG_BYTES];
        uint8_t none[1];
        assert_int_equal(aead_seal(key, nonce, span_of(data, len),
                                   span_of(data, 0), none, want, &e),
                         0);
        assert_int_equal(gmac_tag(g, 7, span_of(data, len), got, &e), 0);
        assert_memory_equal(got, want, sizeof(got));
    }
}

static void keys_and_uses_have_tags_of_their_own(void **state)
{
    struct err e = { 0 };
    uint8_t other_key[GMAC_KEY_BYTES] = { 4 };
    uint8_t a[GMAC_TAG_BYTES];
    uint8_t b[GMAC_TAG_BYTES];
    uint8_t c[GMAC_TAG_BYTES];
    AUTO_GMAC struct gmac *g = gmac_new(key, &e);
    AUTO_GMAC struct gmac *h = gmac_new(other_key, &e);

    (void)state;
    assert_true(g != NULL && h != NULL);
    assert_int_equal(gmac_tag(g, 1, span_str("data"), a, &e), 0);
    assert_int_equal(gmac_tag(g, 2, span_str("data"), b, &e), 0);
    assert_int_equal(gmac_tag(h, 1, span_str("data"), c, &e), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a, c, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_that_of_gcm_over_additional_data),
        cmocka_unit_test(keys_and_uses_have_tags_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
