// SPDX-License-Identifier: Apache-2.0
/* The table of prices. */
#include "tests/unit/engine/job/homed.h"

static void prices_are_an_example_until_there_is_a_file(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_PRICES struct eng_config_prices example = { 0 };
    AUTO_ENG_CONFIG_PRICES struct eng_config_prices mine = { 0 };

    assert_int_equal(eng_config_prices_load(&f->home, &example, &e), 0);
    assert_true(example.example);
    assert_true(example.prices.requests[OBJ_PUT] > 0);
    put(f, "prices.json",
        "{\"currency\":\"EUR\", // mine\n\"put\":0.25,"
        "\"stored_gib_month\":2}");
    assert_int_equal(eng_config_prices_load(&f->home, &mine, &e), 0);
    assert_false(mine.example);
    assert_string_equal(mine.currency, "EUR");
    assert_true(mine.prices.requests[OBJ_PUT] == 0.25);
    assert_true(mine.prices.stored == 2);
    /* What is left out is free. */
    assert_true(mine.prices.requests[OBJ_GET] == 0);
}

static void wrong_prices_are_named_and_found_by_the_check(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "{\"put\":1}", "currency: the field is missing" },
        { "{\"currency\":\"EUR\",\"put\":-1}",
          "put: expected a number from 0 to 1000000" },
        { "{\"currency\":\"EUR\",\"put\":1e300}",
          "put: expected a number from 0 to 1000000" },
        { "{\"currency\":\"EUR\",\"put\":\"1\"}",
          "put: expected a number from 0 to 1000000" },
        { "{\"currency\":\"EUR\",\"puts\":1}", "unknown field" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_ENG_CONFIG_PRICES struct eng_config_prices p = { 0 };
        struct err e = { 0 };
        struct seen s = { 0 };
        size_t bad = 0;
        put(f, "prices.json", cases[i].text);
        assert_int_equal(eng_config_prices_load(&f->home, &p, &e), -1);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (strstr(e.msg, cases[i].message) == NULL ||
            strstr(e.msg, "prices.json") == NULL)
            fail_msg("%s", e.msg);
        assert_int_equal(eng_config_check(&f->home, on_file, &s, &bad, &e), 0);
        assert_int_equal(bad, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOMED(prices_are_an_example_until_there_is_a_file),
        HOMED(wrong_prices_are_named_and_found_by_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
