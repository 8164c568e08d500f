// SPDX-License-Identifier: Apache-2.0
/* Answers that no honest server gives: none of them yields a key. */
#include "tests/unit/kms/kmip_rig.h"

static const struct kmip_item get_aes256 = {
    .op = KMIP_GET,
    .uid = "1",
    .attrs = { .has = KMIP_ATTR_ALGORITHM | KMIP_ATTR_LENGTH,
               .algorithm = KMIP_AES,
               .length = 256 },
};

/* A reply to Get with one thing that may be wrong; zero is what is right. */
struct reply {
    int32_t count;               /* more than one */
    uint32_t op;                 /* instead of Get */
    uint32_t status;             /* not 0: fails, with the key all the same */
    uint32_t object_type;        /* instead of a symmetric key */
    const char *uid;             /* instead of "1" */
    uint32_t format;             /* instead of raw */
    uint32_t algorithm;          /* instead of AES */
    int32_t length;              /* instead of 256 */
    size_t bytes;                /* instead of 32 */
    struct kmip_version version; /* instead of 1.4 */
    int32_t inner_length;        /* an attribute within the key value */
    bool no_op, no_uid, no_object, no_format, no_material, no_kind, wrapped,
        wrapped_bytes, twice;
};

static void put_value(struct answer *a, const struct reply *r)
{
    uint8_t key[64];
    struct span material = counting(0x40, key, r->bytes != 0 ? r->bytes : 32);

    if (r->wrapped_bytes) {
        ttlv_put_bytes(&a->w, 0x420045, material);
        return;
    }
    ttlv_begin(&a->w, 0x420045);
    if (!r->no_material)
        ttlv_put_bytes(&a->w, 0x420043, material);
    if (r->inner_length != 0) {
        ttlv_begin(&a->w, 0x420008);
        ttlv_put_text(&a->w, 0x42000a, span_str("Cryptographic Length"));
        ttlv_put_int(&a->w, 0x42000b, r->inner_length);
        ttlv_end(&a->w);
    }
    ttlv_end(&a->w);
}

static void put_object(struct answer *a, const struct reply *r)
{
    ttlv_begin(&a->w, 0x42008f);
    ttlv_begin(&a->w, 0x420040);
    if (!r->no_format)
        ttlv_put_enum(&a->w, 0x420042, r->format != 0 ? r->format : 1);
    put_value(a, r);
    if (!r->no_kind) {
        ttlv_put_enum(&a->w, 0x420028,
                      r->algorithm != 0 ? r->algorithm : KMIP_AES);
        ttlv_put_int(&a->w, 0x42002a, r->length != 0 ? r->length : 256);
    }
    if (r->wrapped) {
        ttlv_begin(&a->w, 0x420046);
        ttlv_put_enum(&a->w, 0x42009e, 1);
        ttlv_end(&a->w);
    }
    ttlv_end(&a->w);
    ttlv_end(&a->w);
}

static struct span compose(struct answer *a, const struct reply *r)
{
    uint32_t op = r->op != 0 ? r->op : KMIP_GET;

    answer_begin(a, r->version.major != 0 ? r->version : V14,
                 r->count != 0 ? r->count : 1);
    for (int i = 0; i < (r->twice ? 2 : 1); i++) {
        item_begin(a, r->no_op ? 0 : op, 0, r->status,
                   r->status != 0 ? KMIP_GENERAL_FAILURE : 0);
        ttlv_put_enum(&a->w, 0x420057,
                      r->object_type != 0 ? r->object_type : 2);
        if (!r->no_uid)
            put_uid(a, r->uid != NULL ? r->uid : "1");
        if (!r->no_object)
            put_object(a, r);
        item_end(a);
    }
    return answer_end(a);
}

static void refused(const struct reply *r, enum err_kind kind, const char *text)
{
    struct kmip_request q = asking(V14, &get_aes256, 1);
    struct kmip_result got;
    struct err e = { 0 };
    AUTO_ANSWER struct answer a;
    struct span message = compose(&a, r);

    if (kmip_decode(&q, message, &got, &e) == 0)
        fail_msg("taken, where this was expected: %s", text);
    assert_err(&e, kind, text);
    assert_null(got.key);
    assert_null(got.data);
}

static void a_key_of_another_kind_is_refused(void **state)
{
    struct kmip_request q = asking(V14, &get_aes256, 1);
    struct kmip_result got;
    struct reply right = { .count = 0 };
    AUTO_ANSWER struct answer a;

    (void)state;
    must(kmip_decode(&q, compose(&a, &right), &got, why));
    assert_int_equal(secret_span(got.key).len, 32);
    kmip_results_free(&got, 1);

    refused(&(struct reply){ .object_type = 7 }, ERR_CORRUPT, "type 7");
    refused(&(struct reply){ .algorithm = 2 }, ERR_CORRUPT, "algorithm 2");
    refused(&(struct reply){ .length = 128 }, ERR_CORRUPT, "128 bits");
    refused(&(struct reply){ .length = -256 }, ERR_CORRUPT, "-256 bits");
    refused(&(struct reply){ .bytes = 16 }, ERR_CORRUPT, "in 16 bytes");
    refused(&(struct reply){ .bytes = 31 }, ERR_CORRUPT, "in 31 bytes");
    refused(&(struct reply){ .bytes = 64 }, ERR_CORRUPT, "in 64 bytes");
    refused(&(struct reply){ .length = 128, .bytes = 16 }, ERR_CORRUPT,
            "128 bits");
    refused(&(struct reply){ .no_kind = true }, ERR_CORRUPT, "algorithm 0");
    refused(&(struct reply){ .inner_length = 128 }, ERR_CORRUPT, "two kinds");
}

static void a_key_that_cannot_be_read_is_refused(void **state)
{
    (void)state;
    refused(&(struct reply){ .no_object = true }, ERR_CORRUPT, "no key");
    refused(&(struct reply){ .no_format = true }, ERR_CORRUPT, "format");
    refused(&(struct reply){ .no_material = true }, ERR_CORRUPT, "material");
    refused(&(struct reply){ .format = 2 }, ERR_UNSUPPORTED, "format 2");
    /* Transparent is said, raw is there. */
    refused(&(struct reply){ .format = 7 }, ERR_CORRUPT, "material");
    refused(&(struct reply){ .wrapped = true }, ERR_UNSUPPORTED, "wrapped");
    refused(&(struct reply){ .wrapped_bytes = true }, ERR_UNSUPPORTED,
            "wrapped");
}

static void an_answer_to_another_question_is_refused(void **state)
{
    (void)state;
    refused(&(struct reply){ .op = KMIP_CREATE }, ERR_CORRUPT,
            "answer to Create instead of Get");
    refused(&(struct reply){ .no_op = true }, ERR_CORRUPT, "to nothing");
    refused(&(struct reply){ .uid = "2" }, ERR_CORRUPT, "about \"2\"");
    refused(&(struct reply){ .uid = "" }, ERR_CORRUPT, "identifier");
    refused(&(struct reply){ .uid = "a\033[2J" }, ERR_CORRUPT, "control");
    refused(&(struct reply){ .no_uid = true }, ERR_CORRUPT, "no identifier");
    refused(&(struct reply){ .count = 2 }, ERR_CORRUPT, "header says 2");
    refused(&(struct reply){ .count = -1 }, ERR_CORRUPT, "header says -1");
    refused(&(struct reply){ .twice = true, .count = 2 }, ERR_CORRUPT,
            "more answers");
    refused(&(struct reply){ .version = { 2, 0 } }, ERR_CORRUPT,
            "version 2.0 to a question in 1.4");
    refused(&(struct reply){ .op = KMIP_CREATE, .status = 1 }, ERR_CORRUPT,
            "answer to Create");
    refused(&(struct reply){ .status = 4 }, ERR_CORRUPT, "status");
}

static void what_failed_brings_no_key(void **state)
{
    struct kmip_request q = asking(V14, &get_aes256, 1);
    struct err e = { 0 };

    (void)state;
    for (uint32_t status = 1; status <= 3; status++) {
        struct reply r = { .status = status };
        struct kmip_result got;
        AUTO_ANSWER struct answer a;
        must(kmip_decode(&q, compose(&a, &r), &got, why));
        assert_int_equal(got.status, status);
        assert_int_equal(kmip_result_check(&got, &e), -1);
        assert_null(got.key);
        assert_string_equal(got.uid, "");
    }
}

static void what_failed_in_a_batch_brings_no_key(void **state)
{
    const struct kmip_item items[] = {
        get_aes256, { .op = KMIP_GET_ATTRIBUTES, .uid = "1" }
    };
    struct kmip_request q = asking(V14, items, 2);
    struct reply r = { .count = 0 };

    (void)state;
    for (uint32_t status = 1; status <= 3; status++) {
        struct kmip_result got[2];
        AUTO_ANSWER struct answer a;
        answer_begin(&a, V14, 2);
        item_begin(&a, KMIP_GET, 1, status, KMIP_GENERAL_FAILURE);
        ttlv_put_enum(&a.w, 0x420057, 2);
        put_uid(&a, "1");
        put_object(&a, &r);
        item_end(&a);
        item_begin(&a, KMIP_GET_ATTRIBUTES, 2, KMIP_SUCCESS, 0);
        put_uid(&a, "1");
        item_end(&a);
        must(kmip_decode(&q, answer_end(&a), got, why));
        assert_int_equal(got[0].status, status);
        assert_null(got[0].key);
        assert_string_equal(got[0].uid, "");
        assert_string_equal(got[1].uid, "1");
        kmip_results_free(got, 2);
    }
}

static void a_message_cut_anywhere_is_refused(void **state)
{
    struct kmip_request q = asking(V14, &get_aes256, 1);
    struct reply r = { .count = 0 };
    AUTO_ANSWER struct answer a;
    struct span whole = compose(&a, &r);

    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        struct kmip_result got;
        struct err e = { 0 };
        uint8_t *cut = malloc(len + 1);
        assert_non_null(cut);
        memcpy(cut, whole.p, len);
        uint8_t *exact = realloc(cut, len > 0 ? len : 1);
        assert_non_null(exact);
        assert_int_equal(kmip_decode(&q, span_of(exact, len), &got, &e), -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
        assert_null(got.key);
        free(exact);
    }
}

static void no_flipped_bit_gives_a_key_of_another_size(void **state)
{
    struct kmip_request q = asking(V14, &get_aes256, 1);
    struct reply r = { .count = 0 };
    AUTO_ANSWER struct answer a;
    struct span whole = compose(&a, &r);

    (void)state;
    for (size_t bit = 0; bit < whole.len * 8; bit++) {
        struct kmip_result got;
        struct err e = { 0 };
        a.b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (kmip_decode(&q, whole, &got, &e) == 0) {
            assert_true(got.key == NULL || got.status == KMIP_SUCCESS);
            assert_true(got.key == NULL || secret_span(got.key).len == 32);
            kmip_results_free(&got, 1);
        }
        assert_null(got.key);
        a.b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Two questions, and an answer with items that have these ids. */
static void ids(uint8_t first, uint8_t second, const char *text)
{
    static const struct kmip_item items[] = {
        { .op = KMIP_ACTIVATE, .uid = "1" },
        { .op = KMIP_ACTIVATE, .uid = "1" },
    };
    struct kmip_request q = asking(V14, items, 2);
    struct kmip_result got[2];
    struct err e = { 0 };
    AUTO_ANSWER struct answer a;
    const uint8_t of[] = { first, second };

    answer_begin(&a, V14, second != 0xff ? 2 : 1);
    for (int i = 0; i < (second != 0xff ? 2 : 1); i++) {
        item_begin(&a, KMIP_ACTIVATE, of[i], KMIP_SUCCESS, 0);
        put_uid(&a, "1");
        item_end(&a);
    }
    int r = kmip_decode(&q, answer_end(&a), got, &e);
    if (text == NULL) {
        assert_int_equal(r, 0);
        kmip_results_free(got, 2);
        return;
    }
    assert_int_equal(r, -1);
    assert_err(&e, ERR_CORRUPT, text);
}

static void items_of_a_batch_are_told_apart_by_their_ids(void **state)
{
    (void)state;
    ids(1, 2, NULL);
    ids(2, 1, NULL);
    ids(1, 1, "no open question");
    ids(1, 3, "no open question");
    ids(0, 2, "no open question");
    ids(1, 0xff, "1 of 2 questions not answered");
}

static void a_key_before_a_wrong_item_is_wiped_again(void **state)
{
    const struct kmip_item items[] = {
        get_aes256, { .op = KMIP_GET_ATTRIBUTES, .uid = "1" }
    };
    struct kmip_request q = asking(V14, items, 2);
    struct kmip_result got[2];
    struct err e = { 0 };
    struct reply r = { .count = 0 };
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 2);
    item_begin(&a, KMIP_GET, 1, KMIP_SUCCESS, 0);
    ttlv_put_enum(&a.w, 0x420057, 2);
    put_uid(&a, "1");
    put_object(&a, &r);
    item_end(&a);
    item_begin(&a, KMIP_GET_ATTRIBUTES, 2, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    /* The state twice: which one holds? */
    for (uint32_t s = 2; s < 4; s++) {
        ttlv_begin(&a.w, 0x420008);
        ttlv_put_text(&a.w, 0x42000a, span_str("State"));
        ttlv_put_enum(&a.w, 0x42000b, s);
        ttlv_end(&a.w);
    }
    item_end(&a);
    assert_int_equal(kmip_decode(&q, answer_end(&a), got, &e), -1);
    assert_err(&e, ERR_CORRUPT, "\"State\"");
    assert_null(got[0].key);
}

/* GetAttributes answered with one attribute of this name and an Integer. */
static void attributes_of_another_type_are_refused(void **state)
{
    static const char *const names[] = { "State", "Name", "Initial Date",
                                         "Cryptographic Algorithm" };
    const struct kmip_item it = { .op = KMIP_GET_ATTRIBUTES, .uid = "1" };
    struct kmip_request q = asking(V14, &it, 1);

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct kmip_result got;
        struct err e = { 0 };
        AUTO_ANSWER struct answer a;
        answer_begin(&a, V14, 1);
        item_begin(&a, KMIP_GET_ATTRIBUTES, 0, KMIP_SUCCESS, 0);
        put_uid(&a, "1");
        ttlv_begin(&a.w, 0x420008);
        ttlv_put_text(&a.w, 0x42000a, span_str(names[i]));
        ttlv_put_int(&a.w, 0x42000b, 2);
        ttlv_end(&a.w);
        item_end(&a);
        assert_int_equal(kmip_decode(&q, answer_end(&a), &got, &e), -1);
        assert_err(&e, ERR_CORRUPT, names[i]);
    }
}

/* Encrypt answered with data of len bytes, and a tag and a nonce, if any. */
static void encrypted(size_t len, const char *tag, const char *iv,
                      enum err_kind kind, const char *text)
{
    static const uint8_t zeros[64];
    const struct kmip_item it = { .op = KMIP_ENCRYPT,
                                  .uid = "1",
                                  .data = span_of(zeros, 32),
                                  .iv = span_of(zeros, 12) };
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result got;
    struct err e = { 0 };
    AUTO_ANSWER struct answer a;

    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_ENCRYPT, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    if (len > 0)
        ttlv_put_bytes(&a.w, 0x4200c2, span_of(zeros, len));
    if (iv != NULL)
        ttlv_put_bytes(&a.w, 0x42003d, span_str(iv));
    if (tag != NULL)
        ttlv_put_bytes(&a.w, 0x4200ff, span_str(tag));
    item_end(&a);
    assert_int_equal(kmip_decode(&q, answer_end(&a), &got, &e), -1);
    assert_err(&e, kind, text);
    assert_null(got.data);
}

static void a_ciphertext_without_its_tag_is_refused(void **state)
{
    static const char tag[] = "sixteen bytes...";

    (void)state;
    encrypted(32, NULL, NULL, ERR_UNSUPPORTED, "without giving GCM's tag");
    encrypted(32, "short", NULL, ERR_CORRUPT, "tag of 5 bytes");
    encrypted(48, tag, NULL, ERR_CORRUPT, "not as long");
    encrypted(0, tag, NULL, ERR_CORRUPT, "no data");
    encrypted(32, tag, "twelve bytes", ERR_CORRUPT, "nonce");
}

static void text_of_a_server_cannot_move_a_terminal(void **state)
{
    struct kmip_request q = asking(V14, &get_aes256, 1);
    struct kmip_result got;
    char text[300];
    AUTO_ANSWER struct answer a;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "a\033[2J\r\n\0b", 9);
    /* A character of two bytes across the end of the room. */
    memcpy(text + 255, "\xc3\xbc", 2);
    answer_begin(&a, V14, 1);
    ttlv_begin(&a.w, 0x42000f);
    ttlv_put_enum(&a.w, 0x42007f, KMIP_FAILED);
    ttlv_put_text(&a.w, 0x42007d, span_of(text, sizeof(text)));
    ttlv_end(&a.w);
    must(kmip_decode(&q, answer_end(&a), &got, why));
    assert_memory_equal(got.message, "a?[2J  ?bxxx", 12);
    assert_int_equal(strlen(got.message), 255);
}

static void what_is_no_response_is_refused(void **state)
{
    struct kmip_request q = asking(V14, &get_aes256, 1);
    struct kmip_result got;
    struct err e = { 0 };
    AUTO_BUF struct buf request = buf_init(4096);
    AUTO_BUF struct buf empty = buf_init(4096);
    AUTO_BUF struct buf bare = buf_init(4096);

    (void)state;
    add_hex(&request, M5_REQUEST);
    assert_int_equal(kmip_decode(&q, buf_span(&request), &got, &e), -1);
    assert_err(&e, ERR_CORRUPT, "not a KMIP response");
    add_hex(&empty, "42007b0100000000");
    assert_int_equal(kmip_decode(&q, buf_span(&empty), &got, &e), -1);
    assert_err(&e, ERR_CORRUPT, "header");
    /* A header with the count 0, and no item. */
    add_hex(&bare, "42007b0100000040"
                   "42007a0100000038"
                   "4200690100000020"
                   "42006a02000000040000000100000000"
                   "42006b02000000040000000400000000"
                   "42000d02000000040000000000000000");
    assert_int_equal(kmip_decode(&q, buf_span(&bare), &got, &e), -1);
    assert_err(&e, ERR_CORRUPT, "0 answers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_of_another_kind_is_refused),
        cmocka_unit_test(a_key_that_cannot_be_read_is_refused),
        cmocka_unit_test(an_answer_to_another_question_is_refused),
        cmocka_unit_test(what_failed_brings_no_key),
        cmocka_unit_test(what_failed_in_a_batch_brings_no_key),
        cmocka_unit_test(a_message_cut_anywhere_is_refused),
        cmocka_unit_test(no_flipped_bit_gives_a_key_of_another_size),
        cmocka_unit_test(items_of_a_batch_are_told_apart_by_their_ids),
        cmocka_unit_test(a_key_before_a_wrong_item_is_wiped_again),
        cmocka_unit_test(attributes_of_another_type_are_refused),
        cmocka_unit_test(a_ciphertext_without_its_tag_is_refused),
        cmocka_unit_test(text_of_a_server_cannot_move_a_terminal),
        cmocka_unit_test(what_is_no_response_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
