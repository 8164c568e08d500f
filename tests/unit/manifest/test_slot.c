// SPDX-License-Identifier: Apache-2.0
/* Key slots. */
#include "manifest/keys.h"
#include "manifest/slot.h"
#include "tests/unit/manifest/mf_test.h"

#define REPO "00112233445566778899aabbccddeeff"
#define KEYSET "k-0123456789abcdef"
#define SLOT "fedcba9876543210"
#define KEY "keysets/" KEYSET "/slots/00000003-" SLOT ".json"
#define HEAD                                                                   \
    "{\"objvault\":1,\"repo\":\"" REPO "\",\"keyset\":\"" KEYSET "\","         \
    "\"label\":\"default\",\"created\":\"2026-11-22T10:00:00Z\","              \
    "\"supersedes\":null,\"slot\":\"" SLOT "\",\"gen\":3,"                     \
    "\"made\":\"2026-11-23T10:00:00Z\","
#define PRINT "\"key_print\":\"000102030405060708090a0b0c0d0e0f\","
#define IV "\"iv\":\"a0a1a2a3a4a5a6a7a8a9aaab\","
#define DATA "\"data\":\"" HEX_B "\","
#define TAG "\"tag\":\"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\","
#define MAC "\"mac\":\"e0e1e2e3e4e5e6e7e8e9eaebecedeeef\"}"
#define NO_MAC "\"mac\":null}"
#define NO_WRAP "\"iv\":null,\"data\":null,\"tag\":null,"
#define BY_PASSWORD                                                            \
    "\"password\":{\"hint\":\"the usual\",\"n\":131072,\"r\":8,\"p\":1,"       \
    "\"salt\":\"00112233445566778899aabbccddeeff\"},\"kms\":null,"             \
    "\"pubkey\":null,"
#define BY_KMS                                                                 \
    "\"password\":null,\"kms\":{\"name\":\"vault\",\"key\":\"uid-1\","         \
    "\"key_name\":\"objvault/a\",\"mode\":\"get\","                            \
    "\"kcv\":\"0011223344556677\"},\"pubkey\":null,"
#define BY_PUBKEY                                                              \
    "\"password\":null,\"kms\":null,\"pubkey\":{\"alg\":\"x25519\","           \
    "\"fingerprint\":\"" HEX_A "\",\"ephemeral\":\"" HEX_C "\"},"

static const char password[] =
    HEAD "\"type\":\"password\"," BY_PASSWORD PRINT IV DATA TAG MAC;
static const char recovery[] =
    HEAD "\"type\":\"recovery\"," BY_PASSWORD PRINT IV DATA TAG MAC;
static const char kms[] = HEAD "\"type\":\"kms\"," BY_KMS PRINT IV DATA TAG MAC;
static const char pubkey[] =
    HEAD "\"type\":\"pubkey\"," BY_PUBKEY PRINT IV DATA TAG MAC;
static const char removed[] =
    HEAD "\"type\":\"removed\",\"password\":null,\"kms\":null,\"pubkey\":null,"
         "\"key_print\":null," NO_WRAP MAC;

static void decoded(const char *text, struct mf_slot *s)
{
    struct err e = { 0 };

    if (mf_slot_decode(span_str(text), s, &e) < 0)
        fail_msg("%s", e.msg);
}

static void slots_of_all_types_come_back(void **state)
{
    (void)state;
    const char *const texts[] = { password, recovery, kms, pubkey, removed };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err e = { 0 };
        struct mf_slot s;
        AUTO_BUF struct buf out = buf_init(MF_SLOT_JSON_MAX);

        decoded(texts[i], &s);
        assert_int_equal(s.type, i);
        assert_string_equal(s.label, "default");
        assert_string_equal(s.supersedes, "");
        assert_int_equal(s.gen, 3);
        assert_int_equal(s.made - s.created, 86400);
        assert_int_equal(mf_slot_encode(&s, &out, &e), 0);
        assert_string_equal(buf_cstr(&out), texts[i]);
        assert_int_equal(mf_slot_verify(&s, REPO, KEY, &e), 0);
    }
}

static void fields_of_a_type_are_read(void **state)
{
    (void)state;
    struct mf_slot s;

    decoded(password, &s);
    assert_string_equal(s.password.hint, "the usual");
    assert_int_equal(s.password.n, 131072);
    assert_int_equal(s.password.salt[15], 0xff);
    assert_int_equal(s.data_len, MF_DATA_KEY_BYTES);
    assert_int_equal(s.tag[0], 0xf0);
    decoded(kms, &s);
    assert_string_equal(s.kms.key, "uid-1");
    assert_int_equal(s.kms.mode, MF_SLOT_GET);
    assert_true(s.kms.has_kcv);
    decoded(pubkey, &s);
    assert_int_equal(s.pubkey.alg, MF_SLOT_X25519);
    assert_int_equal(s.pubkey.ephemeral[31], 0xff);
    decoded(removed, &s);
    assert_int_equal(s.data_len, 0);
}

static void an_rsa_slot_has_neither_iv_nor_tag(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_slot s;
    struct mf_slot back;
    AUTO_BUF struct buf out = buf_init(MF_SLOT_JSON_MAX);

    decoded(pubkey, &s);
    s.pubkey.alg = MF_SLOT_RSA_OAEP;
    s.data_len = MF_SLOT_DATA_MAX;
    memset(s.data, 7, s.data_len);
    assert_int_equal(mf_slot_encode(&s, &out, &e), 0);
    assert_non_null(strstr(buf_cstr(&out), "\"ephemeral\":null"));
    assert_non_null(strstr(buf_cstr(&out), "\"iv\":null,\"data\":\"0707"));
    assert_int_equal(mf_slot_decode(buf_span(&out), &back, &e), 0);
    assert_int_equal(back.data_len, MF_SLOT_DATA_MAX);
    s.data_len = 255;
    assert_int_equal(mf_slot_encode(&s, &out, &e), -1);
    assert_err(&e, ERR_FAILED, "data");
}

/* Whoever wraps has no iv, data and tag yet; whoever opens has. */
static void a_wrap_binds_all_other_fields(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_slot s;
    AUTO_BUF struct buf full = buf_init(MF_SLOT_JSON_MAX);
    AUTO_BUF struct buf bare = buf_init(MF_SLOT_JSON_MAX);

    decoded(kms, &s);
    assert_int_equal(mf_slot_aad(&s, &full, &e), 0);
    assert_string_equal(buf_cstr(&full),
                        HEAD "\"type\":\"kms\"," BY_KMS PRINT NO_WRAP NO_MAC);
    memset(s.iv, 0, sizeof s.iv);
    memset(s.mac, 0, sizeof s.mac);
    s.data_len = 0;
    assert_int_equal(mf_slot_aad(&s, &bare, &e), 0);
    assert_true(span_eq(buf_span(&full), buf_span(&bare)));
}

static struct mf_keys *keys_of(const char *repo, const char *keyset,
                               uint8_t first)
{
    struct err e = { 0 };
    uint8_t data_key[MF_DATA_KEY_BYTES] = { first };
    struct mf_keys *k =
        mf_keys_derive(repo, keyset, span_of(data_key, sizeof data_key), &e);

    assert_non_null(k);
    return k;
}

static int proven(const struct mf_slot *s, const struct mf_keys *k)
{
    struct err e = { 0 };
    int r = mf_slot_proven(s, k, &e);

    assert_in_range(r, 0, 1);
    return r;
}

static void only_who_has_the_data_key_makes_a_slot(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_slot s;
    AUTO_MF_KEYS struct mf_keys *own = keys_of(REPO, KEYSET, 1);
    AUTO_MF_KEYS struct mf_keys *other = keys_of(REPO, KEYSET, 2);
    AUTO_MF_KEYS struct mf_keys *elsewhere =
        keys_of("10112233445566778899aabbccddeeff", KEYSET, 1);
    AUTO_MF_KEYS struct mf_keys *keyset =
        keys_of(REPO, "k-1123456789abcdef", 1);
    AUTO_MF_KEYS struct mf_keys *plain = mf_keys_plain(&e);

    decoded(password, &s);
    assert_int_equal(proven(&s, own), 0);
    assert_int_equal(mf_slot_sign(&s, own, &e), 0);
    assert_int_equal(proven(&s, own), 1);
    assert_int_equal(proven(&s, other), 0);
    assert_int_equal(proven(&s, elsewhere), 0);
    assert_int_equal(proven(&s, keyset), 0);
    assert_int_equal(mf_slot_proven(&s, plain, &e), -1);
    assert_err(&e, ERR_INTERNAL, "without keys");
}

/* Every byte of every type, with those that no wrap binds. */
static void a_slot_that_was_changed_is_not_proven(void **state)
{
    (void)state;
    const char *const texts[] = { password, recovery, kms, pubkey, removed };
    AUTO_MF_KEYS struct mf_keys *own = keys_of(REPO, KEYSET, 1);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err e = { 0 };
        struct mf_slot s;
        size_t read = 0;
        AUTO_BUF struct buf text = buf_init(MF_SLOT_JSON_MAX);

        decoded(texts[i], &s);
        assert_int_equal(mf_slot_sign(&s, own, &e), 0);
        assert_int_equal(mf_slot_encode(&s, &text, &e), 0);
        assert_int_equal(mf_slot_decode(buf_span(&text), &s, &e), 0);
        assert_int_equal(proven(&s, own), 1);
        for (size_t bit = 0; bit < 8 * text.len; bit++) {
            text.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (mf_slot_decode(buf_span(&text), &s, &e) == 0) {
                read++;
                assert_int_equal(proven(&s, own), 0);
            }
            text.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_true(read > 100);
    }
}

static void a_slot_that_was_moved_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "keysets/k-1123456789abcdef/slots/00000003-" SLOT ".json",
        "keysets/" KEYSET "/slots/00000004-" SLOT ".json",
        "keysets/" KEYSET "/slots/00000003-0000000000000000.json",
        "x",
    };
    struct err e = { 0 };
    struct mf_slot s;

    decoded(password, &s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(mf_slot_verify(&s, REPO, names[i], &e), -1);
        assert_err(&e, ERR_CORRUPT, names[i]);
    }
    assert_int_equal(
        mf_slot_verify(&s, "10112233445566778899aabbccddeeff", KEY, &e), -1);
    assert_err(&e, ERR_CORRUPT, "slot of repository " REPO);
}

/* What every change of a byte leaves is another document, or none: never one
 * that binds the same. */
static void a_flipped_byte_never_goes_unseen(void **state)
{
    (void)state;
    const char *const texts[] = { password, kms, pubkey, removed };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err e = { 0 };
        struct mf_slot was;
        struct mf_slot is;
        AUTO_BUF struct buf bound = buf_init(MF_SLOT_JSON_MAX);
        AUTO_BUF struct buf text = buf_init(MF_SLOT_JSON_MAX);

        decoded(texts[i], &was);
        assert_int_equal(mf_slot_aad(&was, &bound, &e), 0);
        buf_append_str(&text, texts[i]);
        for (size_t bit = 0; bit < 8 * text.len; bit++) {
            text.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            AUTO_BUF struct buf now = buf_init(MF_SLOT_JSON_MAX);
            if (mf_slot_decode(buf_span(&text), &is, &e) == 0) {
                assert_int_equal(mf_slot_aad(&is, &now, &e), 0);
                assert_true(!span_eq(buf_span(&now), buf_span(&bound)) ||
                            memcmp(is.iv, was.iv, sizeof is.iv) != 0 ||
                            memcmp(is.data, was.data, sizeof is.data) != 0 ||
                            memcmp(is.tag, was.tag, sizeof is.tag) != 0 ||
                            memcmp(is.mac, was.mac, sizeof is.mac) != 0);
            }
            text.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

struct wrong {
    const char *text, *from, *to;
    enum err_kind kind;
    const char *says;
};

static const struct wrong wrongs[] = {
    { password, "\"objvault\":1", "\"objvault\":2", ERR_UNSUPPORTED,
      "version 2" },
    { password, "\"repo\":\"0", "\"repo\":\"", ERR_CORRUPT, "repo" },
    { password, "\"repo\":\"0", "\"repo\":\"X", ERR_CORRUPT, "repo" },
    { password, "\"k-0", "\"k-g", ERR_CORRUPT, "keyset" },
    { password, "\"" KEYSET "\"", "\"plain\"", ERR_CORRUPT, "keyset" },
    { password, "\"default\"", "null", ERR_CORRUPT, "label" },
    { password, "\"default\"", "\"\"", ERR_CORRUPT, "label" },
    { password, "\"default\"", "\"a\\nb\"", ERR_CORRUPT, "label" },
    { password, "\"supersedes\":null", "\"supersedes\":\"" KEYSET "\"",
      ERR_CORRUPT, "supersedes" },
    { password, "\"supersedes\":null", "\"supersedes\":\"x\"", ERR_CORRUPT,
      "supersedes" },
    { password, "\"slot\":\"f", "\"slot\":\"", ERR_CORRUPT, "slot" },
    { password, "\"gen\":3", "\"gen\":0", ERR_CORRUPT, "gen" },
    { password, "\"gen\":3", "\"gen\":100000000", ERR_CORRUPT, "gen" },
    { password, "\"type\":\"password\"", "\"type\":\"x\"", ERR_CORRUPT,
      "type" },
    { password, "\"type\":\"password\"", "\"type\":\"kms\"", ERR_CORRUPT,
      "password" },
    { password, "131072", "131073", ERR_CORRUPT, "password.n" },
    { password, "131072", "512", ERR_CORRUPT, "password.n" },
    { password, "131072", "2097152", ERR_CORRUPT, "n" },
    { password, "131072,\"r\":8", "524288,\"r\":9", ERR_CORRUPT, "password.n" },
    { password, "\"r\":8", "\"r\":0", ERR_CORRUPT, "password.n" },
    { password, "\"p\":1", "\"p\":5", ERR_CORRUPT, "p" },
    { password, "\"the usual\"", "\"\"", ERR_CORRUPT, "hint" },
    { password, "\"salt\":\"0", "\"salt\":\"", ERR_CORRUPT, "salt" },
    { password, PRINT, "\"key_print\":null,", ERR_CORRUPT, "key_print" },
    { password, IV, "\"iv\":null,", ERR_CORRUPT, "iv" },
    { password, DATA, "\"data\":\"00\",", ERR_CORRUPT, "data" },
    { password, DATA, "\"data\":\"000\",", ERR_CORRUPT, "data" },
    { password, DATA, "\"data\":null,", ERR_CORRUPT, "data" },
    { password, TAG, "\"tag\":null,", ERR_CORRUPT, "tag" },
    { password, MAC, NO_MAC, ERR_CORRUPT, "mac" },
    { removed, MAC, NO_MAC, ERR_CORRUPT, "mac" },
    { removed, "\"tag\":null," MAC, "\"tag\":null}", ERR_CORRUPT, "mac" },
    { password, MAC, MAC " ", ERR_CORRUPT, "canonical" },
    { kms, "\"kms\":{", "\"kms\":{\"x\":1,", ERR_CORRUPT, "x" },
    { kms, "\"get\"", "\"remote\"", ERR_CORRUPT, "kcv" },
    { kms, "\"uid-1\"", "null", ERR_CORRUPT, "kms" },
    { kms, "\"password\":null", "\"password\":{}", ERR_CORRUPT, "password" },
    { pubkey, "\"ephemeral\":\"0", "\"ephemeral\":\"", ERR_CORRUPT,
      "ephemeral" },
    { pubkey, "x25519", "rsa-oaep-sha256", ERR_CORRUPT, "ephemeral" },
    { pubkey, "\"kms\":null,", "", ERR_CORRUPT, "kms" },
    { removed, "\"iv\":null", "\"iv\":\"00\"", ERR_CORRUPT, "iv" },
    { removed, "\"data\":null", "\"data\":\"00\"", ERR_CORRUPT, "data" },
};

static void wrong_slots_are_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = buf_init(MF_SLOT_JSON_MAX);

    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        const struct wrong *w = &wrongs[i];
        struct mf_slot s;
        struct err e = { 0 };

        if (mf_slot_decode(replaced(&b, w->text, w->from, w->to), &s, &e) == 0)
            fail_msg("taken: %s", w->to);
        assert_err(&e, w->kind, w->says);
    }
}

static void a_slot_larger_than_any_is_not_even_parsed(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_slot s;
    AUTO_MEM char *big = calloc(1, MF_SLOT_JSON_MAX + 1);

    assert_non_null(big);
    assert_int_equal(mf_slot_decode(span_of(big, MF_SLOT_JSON_MAX + 1), &s, &e),
                     -1);
    assert_err(&e, ERR_CORRUPT, "16385 bytes");
}

/* The limits of texts keep every slot below the limit of documents. */
static void the_largest_slot_fits(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_slot s;
    AUTO_BUF struct buf out = buf_init(MF_SLOT_JSON_MAX);

    decoded(pubkey, &s);
    memset(s.label, '"', MF_SLOT_TEXT_CHARS - 1);
    s.pubkey.alg = MF_SLOT_RSA_OAEP;
    s.data_len = MF_SLOT_DATA_MAX;
    assert_int_equal(mf_slot_encode(&s, &out, &e), 0);
    decoded(kms, &s);
    memset(s.label, '"', MF_SLOT_TEXT_CHARS - 1);
    memset(s.kms.name, '"', MF_SLOT_TEXT_CHARS - 1);
    memset(s.kms.key, '"', MF_SLOT_TEXT_CHARS - 1);
    memset(s.kms.key_name, '"', MF_SLOT_TEXT_CHARS - 1);
    buf_reset(&out);
    assert_int_equal(mf_slot_encode(&s, &out, &e), 0);
    decoded(password, &s);
    memset(s.password.hint, 1, MF_SLOT_TEXT_CHARS - 1);
    buf_reset(&out);
    assert_int_equal(mf_slot_encode(&s, &out, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_of_all_types_come_back),
        cmocka_unit_test(fields_of_a_type_are_read),
        cmocka_unit_test(an_rsa_slot_has_neither_iv_nor_tag),
        cmocka_unit_test(a_wrap_binds_all_other_fields),
        cmocka_unit_test(only_who_has_the_data_key_makes_a_slot),
        cmocka_unit_test(a_slot_that_was_changed_is_not_proven),
        cmocka_unit_test(a_slot_that_was_moved_is_refused),
        cmocka_unit_test(a_flipped_byte_never_goes_unseen),
        cmocka_unit_test(wrong_slots_are_refused),
        cmocka_unit_test(a_slot_larger_than_any_is_not_even_parsed),
        cmocka_unit_test(the_largest_slot_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
