// SPDX-License-Identifier: Apache-2.0
/* Text for people: harmless, wrapped, aligned; and the frame of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/cli.h"

static void cleaned(const char *in, const char *want)
{
    AUTO_BUF struct buf out = buf_init(1024);
    cli_clean(&out, in);
    assert_string_equal(buf_cstr(&out), want);
}

static void terminal_escapes_and_foreign_bytes_are_replaced(void **state)
{
    (void)state;
    cleaned("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x92\xbe",
            "plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x92\xbe");
    cleaned("a\033[2Jb\nc\x7f", "a [2Jb c ");
    cleaned("c1 \xc2\x9b!", "c1 \xef\xbf\xbd!");
    cleaned("\xff|\xc3|\xc0\x80|", "\xef\xbf\xbd|\xef\xbf\xbd|"
                                   "\xef\xbf\xbd\xef\xbf\xbd|");
    cleaned("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    cleaned("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                "\xef\xbf\xbd");
    cleaned("\xe0\x80\x80\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                    "\xef\xbf\xbd\xef\xbf\xbd");
}

static void width_counts_characters(void **state)
{
    (void)state;
    assert_int_equal(cli_width("a\xc3\xa9\xe2\x82\xac"), 3);
    assert_int_equal(cli_width(""), 0);
}

static void paragraphs_are_wrapped_and_indented(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = buf_init(1024);
    cli_wrap(&out,
             "one two three four five six seven eight nine ten eleven twelve "
             "thirteen fourteen  fifteen\nnew",
             2, 2);
    assert_string_equal(
        buf_cstr(&out),
        "one two three four five six seven eight nine ten eleven twelve "
        "thirteen\n  fourteen fifteen\n\n  new\n");
}

static void tables_are_aligned_without_blanks_at_the_end(void **state)
{
    (void)state;
    AUTO_CLI_TABLE struct cli_table t = { .align = "lrl" };
    AUTO_BUF struct buf out = buf_init(1024);
    cli_table_add(&t, "NAME");
    cli_table_add(&t, "SIZE");
    cli_table_add(&t, "X");
    cli_table_add(&t, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
    cli_table_size(&t, 4 << 20);
    cli_table_add(&t, "%s", "");
    cli_table_print(&t, &out);
    assert_string_equal(buf_cstr(&out),
                        "NAME      SIZE  X\n"
                        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9  4.0 MiB\n");
}

static void a_table_with_many_rows_grows(void **state)
{
    (void)state;
    AUTO_CLI_TABLE struct cli_table t = { .align = "r" };
    AUTO_BUF struct buf out = buf_init(1 << 20);
    for (int i = 0; i < 1000; i++)
        cli_table_add(&t, "%d", i);
    cli_table_print(&t, &out);
    assert_int_equal(out.len, 4000);
}

static void exit_codes_are_those_of_the_manual(void **state)
{
    (void)state;
    assert_int_equal(cli_exit_of(ERR_NONE), 0);
    assert_int_equal(cli_exit_of(ERR_USAGE), 2);
    assert_int_equal(cli_exit_of(ERR_CONFIG), 2);
    assert_int_equal(cli_exit_of(ERR_EXISTS), 2);
    assert_int_equal(cli_exit_of(ERR_NOTFOUND), 4);
    assert_int_equal(cli_exit_of(ERR_DENIED), 5);
    assert_int_equal(cli_exit_of(ERR_LOCKED), 6);
    assert_int_equal(cli_exit_of(ERR_CORRUPT), 7);
    assert_int_equal(cli_exit_of(ERR_UNREACHABLE), 8);
    assert_int_equal(cli_exit_of(ERR_TIMEOUT), 8);
    assert_int_equal(cli_exit_of(ERR_THROTTLED), 8);
    assert_int_equal(cli_exit_of(ERR_CANCELLED), 130);
    assert_int_equal(cli_exit_of(ERR_BUSY), 1);
    assert_int_equal(cli_exit_of(ERR_INTERNAL), 1);
}

static void a_failed_document_has_the_error(void **state)
{
    struct err e = { 0 };
    struct err none = { 0 };
    struct cli_call call = { 0 };
    struct cli_ctx c = { .call = &call, .out = buf_init(1024), .json = true };
    (void)state;
    (void)err_set(&e, ERR_NOTFOUND, 0, "no \"\xff\" here");
    buf_append_str(&c.out, "left over");
    struct jsonw w = cli_json_begin_failed(&c, &e);
    assert_int_equal(cli_json_end(&c, &w, &none), 0);
    assert_string_equal(
        buf_cstr(&c.out),
        "{\"ok\":false,\"error\":{\"code\":\"not-found\","
        "\"exit\":4,\"message\":\"no \\\"\xef\xbf\xbd\\\" here\"}}\n");
    buf_free(&c.out);
}

static void words_about_success_are_for_people_only(void **state)
{
    struct cli_call call = { 0 };
    struct cli_ctx c = { .call = &call, .out = buf_init(1024) };
    (void)state;
    cli_say(&c, "done %d", 1);
    cli_print(&c, "result %s", "x\033y");
    cli_pair(&c, "Name", "%s", "main");
    assert_string_equal(buf_cstr(&c.out),
                        "done 1\nresult x y\nName:               main\n");
    buf_reset(&c.out);
    c.quiet = true;
    cli_say(&c, "done");
    cli_print(&c, "result");
    assert_string_equal(buf_cstr(&c.out), "result\n");
    buf_reset(&c.out);
    c.json = true;
    cli_say(&c, "done");
    cli_print(&c, "result");
    cli_pair(&c, "Name", "main");
    assert_int_equal(c.out.len, 0);
    buf_free(&c.out);
}

static void text_results_are_framed_as_json(void **state)
{
    struct err e = { 0 };
    struct cli_call call = { 0 };
    struct cli_ctx c = { .call = &call, .out = buf_init(1024), .json = true };
    (void)state;
    AUTO_BUF struct buf text = buf_init(100);
    buf_append_str(&text, "a\n\"b\"");
    assert_int_equal(cli_result_text(&c, &text, &e), 0);
    assert_string_equal(buf_cstr(&c.out),
                        "{\"ok\":true,\"text\":\"a\\n\\\"b\\\"\"}\n");
    buf_free(&c.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminal_escapes_and_foreign_bytes_are_replaced),
        cmocka_unit_test(width_counts_characters),
        cmocka_unit_test(paragraphs_are_wrapped_and_indented),
        cmocka_unit_test(tables_are_aligned_without_blanks_at_the_end),
        cmocka_unit_test(a_table_with_many_rows_grows),
        cmocka_unit_test(exit_codes_are_those_of_the_manual),
        cmocka_unit_test(a_failed_document_has_the_error),
        cmocka_unit_test(words_about_success_are_for_people_only),
        cmocka_unit_test(text_results_are_framed_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
