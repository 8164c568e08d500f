// SPDX-License-Identifier: Apache-2.0
/* The table of commands is complete and free of contradictions, and what is
 * made from it (help, manual, completion, docs/json.md) has all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "cli/cli.h"

#define TEXT_MAX ((size_t)1 << 22)

static bool takes_value(const struct cli_option *o)
{
    return o->value != CLI_FLAG && o->value != CLI_COUNT;
}

static void every_option_is_described(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLI_OPTS; i++) {
        const struct cli_option *o = cli_option(i);
        if (o->name == NULL)
            fail_msg("option %u has no entry", i);
        assert_true(strlen(o->name) <= 32);
        assert_true(strlen(o->help) > 10);
        assert_true(o->help[strlen(o->help) - 1] == '.');
        assert_true(isupper((unsigned char)o->help[0]));
        assert_int_equal(takes_value(o), o->metavar != NULL);
        assert_int_equal(o->value == CLI_WORD, o->words != NULL);
    }
}

static void a_global_option_shares_its_name_with_no_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLI_OPTS; i++)
        for (unsigned j = 0; j < CLI_OPT_GLOBALS; j++)
            if (i != j)
                assert_string_not_equal(cli_option(i)->name,
                                        cli_option(j)->name);
}

static void letters_are_unique_and_global(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLI_OPTS; i++) {
        if (cli_option(i)->letter == 0)
            continue;
        assert_true(i < CLI_OPT_GLOBALS);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(cli_option(i)->letter, cli_option(j)->letter);
    }
}

static void every_option_is_used(void **state)
{
    (void)state;
    for (unsigned i = CLI_OPT_GLOBALS; i < CLI_OPTS; i++) {
        bool used = false;
        for (size_t j = 0; j < cli_command_count(); j++)
            for (size_t k = 0; k < cli_command_at(j)->n_uses; k++)
                used = used || cli_command_at(j)->uses[k].opt == i;
        if (!used)
            fail_msg("no command takes --%s", cli_option(i)->name);
    }
}

static void no_command_has_an_option_name_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *c = cli_command_at(i);
        for (size_t j = 0; j < c->n_uses; j++) {
            const char *name = cli_option(c->uses[j].opt)->name;
            assert_true(c->uses[j].opt >= CLI_OPT_GLOBALS);
            if (c->uses[j].required)
                assert_non_null(cli_option(c->uses[j].opt)->metavar);
            for (size_t k = 0; k < j; k++)
                assert_string_not_equal(name, cli_option(c->uses[k].opt)->name);
        }
    }
}

static void commands_are_unique_described_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *c = cli_command_at(i);
        assert_true(cli_noun_known(c->noun));
        assert_non_null(c->run);
        assert_true(strlen(c->summary) > 5);
        assert_true(c->summary[strlen(c->summary) - 1] != '.');
        assert_true(c->text[strlen(c->text) - 1] == '.');
        assert_ptr_equal(cli_command_find(c->noun, c->verb), c);
    }
    assert_null(cli_command_find("repo", NULL));
    assert_null(cli_command_find("repo", "nothing"));
    assert_null(cli_command_find("nothing", NULL));
    assert_false(cli_noun_known("nothing"));
}

static void every_noun_has_a_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_n_nouns; i++) {
        size_t n = 0;
        for (size_t j = 0; j < cli_command_count(); j++)
            n += strcmp(cli_command_at(j)->noun, cli_nouns[i].name) == 0;
        assert_true(n > 0);
    }
}

static void arguments_are_described_and_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *c = cli_command_at(i);
        size_t n = cli_args_count(c);
        bool optional = false;
        for (size_t j = 0; j < n; j++) {
            assert_true(strlen(c->args[j].help) > 10);
            assert_true(!optional || c->args[j].optional);
            optional = c->args[j].optional;
            assert_true(!c->args[j].many || j + 1 == n);
            assert_int_equal(c->args[j].value == CLI_WORD,
                             c->args[j].words != NULL);
        }
    }
}

static void examples_are_commands_that_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count(); i++) {
        char text[400];
        char *argv[20] = { NULL };
        static char program[] = "objvault";
        int argc = 1;
        struct err e = { 0 };
        if (cli_command_at(i)->example == NULL)
            continue;
        assert_true(strlen(cli_command_at(i)->example) < sizeof text);
        memcpy(text, cli_command_at(i)->example,
               strlen(cli_command_at(i)->example) + 1);
        char *shell = strpbrk(text, "|>");
        if (shell != NULL)
            *shell = '\0';
        argv[0] = program;
        char *rest = NULL;
        for (char *w = strtok_r(text, " ", &rest); w != NULL && argc < 19;
             w = strtok_r(NULL, " ", &rest))
            argv[argc++] = w;
        AUTO_CLI_CALL struct cli_call call = { 0 };
        if (cli_parse(argc, argv, &call, &e) < 0)
            fail_msg("%s: %s", cli_command_at(i)->example, e.msg);
        assert_ptr_equal(call.command, cli_command_at(i));
    }
}

static void help_of_a_command_names_all_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *c = cli_command_at(i);
        struct err e = { 0 };
        AUTO_BUF struct buf out = buf_init(TEXT_MAX);
        assert_int_equal(cli_help_text(c->noun, c->verb, &out, &e), 0);
        const char *text = buf_cstr(&out);
        for (size_t j = 0; j < cli_args_count(c); j++)
            assert_non_null(strstr(text, c->args[j].name));
        for (size_t j = 0; j < c->n_uses; j++) {
            char option[64];
            (void)snprintf(option, sizeof option, "--%s",
                           cli_option(c->uses[j].opt)->name);
            assert_non_null(strstr(text, option));
        }
        for (unsigned j = 0; j < CLI_OPT_GLOBALS; j++)
            assert_non_null(strstr(text, cli_option(j)->name));
    }
}

/* Eighty columns, but for examples, which are to be copied whole. */
static void help_fits_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count(); i++) {
        struct err e = { 0 };
        AUTO_BUF struct buf out = buf_init(TEXT_MAX);
        assert_int_equal(cli_help_text(cli_command_at(i)->noun,
                                       cli_command_at(i)->verb, &out, &e),
                         0);
        char *text = strdup(buf_cstr(&out));
        assert_non_null(text);
        char *example = strstr(text, "\nExample:\n");
        if (example != NULL)
            *example = '\0';
        char *rest = NULL;
        for (char *l = strtok_r(text, "\n", &rest); l != NULL;
             l = strtok_r(NULL, "\n", &rest))
            if (cli_width(l) > 80)
                fail_msg("too long: %s", l);
        free(text);
    }
}

static void help_of_a_noun_and_of_everything_lists_commands(void **state)
{
    struct err e = { 0 };
    (void)state;
    AUTO_BUF struct buf all = buf_init(TEXT_MAX);
    assert_int_equal(cli_help_text(NULL, NULL, &all, &e), 0);
    for (size_t i = 0; i < cli_command_count(); i++)
        assert_non_null(strstr(buf_cstr(&all), cli_command_at(i)->summary));
    AUTO_BUF struct buf noun = buf_init(TEXT_MAX);
    assert_int_equal(cli_help_text("point", NULL, &noun, &e), 0);
    assert_non_null(strstr(buf_cstr(&noun), "point export"));
    assert_null(strstr(buf_cstr(&noun), "repo list"));
}

static void help_of_nothing_is_wrong_usage(void **state)
{
    struct err e = { 0 };
    (void)state;
    AUTO_BUF struct buf out = buf_init(TEXT_MAX);
    assert_int_equal(cli_help_text("nix", NULL, &out, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_string_equal(e.msg,
                        "there is no command \"nix\"; see objvault help");
    assert_int_equal(cli_help_text("repo", "nix", &out, &e), -1);
    assert_string_equal(e.msg,
                        "there is no command \"repo nix\"; see objvault help");
    assert_int_equal(cli_help_text("version", "nix", &out, &e), -1);
}

static void the_manual_has_every_command_and_option(void **state)
{
    struct err e = { 0 };
    (void)state;
    AUTO_BUF struct buf out = buf_init(TEXT_MAX);
    cli_man_text(&out);
    assert_int_equal(buf_check(&out, &e), 0);
    const char *text = buf_cstr(&out);
    for (size_t i = 0; i < cli_command_count(); i++) {
        char heading[80];
        const struct cli_command *c = cli_command_at(i);
        (void)snprintf(heading, sizeof heading, ".Ss objvault %s%s%s\n",
                       c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
        assert_non_null(strstr(text, heading));
    }
    for (unsigned i = 0; i < CLI_OPTS; i++) {
        char option[80] = "Fl \\-";
        size_t n = strlen(option);
        for (const char *p = cli_option(i)->name; *p != '\0'; p++) {
            if (*p == '-')
                option[n++] = '\\';
            option[n++] = *p;
        }
        option[n] = '\0';
        if (strstr(text, option) == NULL)
            fail_msg("the manual has no %s", option);
    }
}

static void mandoc_finds_nothing_wrong_with_the_manual(void **state)
{
    static const char *const version[] = { "mandoc", "-V", NULL };
    char path[] = "/tmp/objvault-man-XXXXXX";
    struct err e = { 0 };
    (void)state;
    AUTO_BUF struct buf said = buf_init(TEXT_MAX);
    if (process_run(version, 10000, NULL, NULL, &e) < 0 &&
        e.kind == ERR_NOTFOUND) {
        print_message("mandoc is not installed\n");
        skip();
    }
    AUTO_FD int fd = mkstemp(path);
    AUTO_BUF struct buf out = buf_init(TEXT_MAX);
    cli_man_text(&out);
    assert_int_equal(io_write_full(fd, out.p, out.len, path, &e), 0);
    const char *lint[] = { "mandoc", "-Tlint", path, NULL };
    int r = process_run(lint, 10000, NULL, &said, &e);
    (void)unlink(path);
    assert_string_equal(buf_cstr(&said), "");
    assert_int_equal(r, 0);
}

/* words: of the line; the last is being completed. */
static void completes_to(const char *script, const char *words,
                         const char *reply)
{
    char line[200];
    char want[200];
    const char *argv[16] = { "bash", script };
    int argc = 2;
    struct err e = { 0 };
    char *rest = NULL;
    AUTO_BUF struct buf said = buf_init(TEXT_MAX);

    (void)snprintf(line, sizeof line, "%s", words);
    for (char *w = strtok_r(line, " ", &rest); w != NULL && argc < 15;
         w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    if (process_run(argv, 10000, NULL, &said, &e) < 0)
        fail_msg("%s: %s", words, e.msg);
    (void)snprintf(want, sizeof want, "%s\n", reply);
    if (strcmp(buf_cstr(&said), want) != 0)
        fail_msg("%s: completed to %s", words, buf_cstr(&said));
}

static void bash_accepts_the_completion_and_completes_by_it(void **state)
{
    static const struct {
        const char *words, *reply;
    } cases[] = {
        { "objvault re", "repo restore" },
        { "objvault repo cr", "create" },
        { "objvault --json repo sh", "show" },
        { "objvault --home /nowhere repo li", "list" },
        { "objvault completion b", "bash" },
        { "objvault help poi", "point" },
        { "objvault config schema c", "credentials" },
        { "objvault backup run x --comp", "--compression" },
        { "objvault backup run x --compression ex", "extreme" },
        { "objvault point list --fo", "" },
        { "objvault restore disk x --fo", "--format --force" },
        { "objvault kms show m", "main" },
        { "objvault job show n", "nightly" },
        { "objvault job next --count 3 n", "nightly" },
        { "objvault keyset add-slot --kms o", "other" },
        { "objvault backup run x --synthetic-full --ad", "--adopt" },
        { "objvault job create x --synthetic-full --ad", "" },
        { "objvault job create --synthetic-full sat x --exclude-v",
          "--exclude-vm" },
        { "objvault backup run x --encrypt kms", "kms:main kms:other" },
        { "objvault backup run x --encrypt kms :", "main other" },
        { "objvault backup run x --encrypt kms : o", "other" },
        { "objvault backup run x --encrypt kms : main --comp",
          "--compression" },
    };
    char path[] = "/tmp/objvault-bash-XXXXXX";
    char home[] = "/tmp/objvault-home-XXXXXX";
    static const char *const names[][2] = { { "kms", "main" },
                                            { "kms", "other" },
                                            { "jobs", "nightly" } };
    char folder[64];
    char file[120];
    struct err e = { 0 };
    (void)state;
    AUTO_FD int fd = mkstemp(path);
    assert_non_null(mkdtemp(home));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(file, sizeof file, "%s/%s/%s.json", home, names[i][0],
                       names[i][1]);
        assert_int_equal(io_mkdirs_for(file, 0700, &e), 0);
        assert_int_equal(io_write_file(file, span_str("{}"), 0600, true, &e),
                         0);
    }
    AUTO_BUF struct buf script = buf_init(TEXT_MAX);
    cli_completion_text(&script);
    buf_printf(&script, "OBJVAULT_HOME=%s\n", home);
    buf_append_str(&script,
                   "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))\n"
                   "compopt() { :; }\n_objvault\necho \"${COMPREPLY[*]}\"\n");
    assert_int_equal(io_write_full(fd, script.p, script.len, path, &e), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        completes_to(path, cases[i].words, cases[i].reply);
    (void)unlink(path);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(folder, sizeof folder, "%s/%s", home, names[i][0]);
        (void)snprintf(file, sizeof file, "%s/%s.json", folder, names[i][1]);
        (void)unlink(file);
        (void)rmdir(folder);
    }
    (void)rmdir(home);
}

static void docs_have_every_command_and_every_error_code(void **state)
{
    struct err e = { 0 };
    (void)state;
    AUTO_BUF struct buf doc = buf_init(TEXT_MAX);
    assert_int_equal(io_read_file(SOURCE_DIR "/docs/json.md", &doc, &e), 0);
    const char *text = buf_cstr(&doc);
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *c = cli_command_at(i);
        char name[64];
        bool found = false;
        (void)snprintf(name, sizeof name, "%s%s%s", c->noun, c->verb ? " " : "",
                       c->verb ? c->verb : "");
        for (const char *h = strstr(text, "\n## "); h != NULL;
             h = strstr(h + 1, "\n## ")) {
            const char *at = strstr(h, name);
            found = found || (at != NULL && at < strchr(h + 1, '\n'));
        }
        if (!found)
            fail_msg("docs/json.md has no heading for %s", name);
    }
    for (int k = ERR_FAILED; k <= ERR_INTERNAL; k++) {
        char row[80];
        (void)snprintf(row, sizeof row, "\n| `%s` | %d | ",
                       err_kind_name((enum err_kind)k),
                       cli_exit_of((enum err_kind)k));
        if (strstr(text, row) == NULL)
            fail_msg("docs/json.md has no row%s", row);
    }
}

static void every_exit_code_is_explained(void **state)
{
    (void)state;
    for (int k = ERR_NONE; k <= ERR_INTERNAL; k++) {
        int code = cli_exit_of((enum err_kind)k);
        bool found = false;
        for (size_t i = 0; i < cli_n_exits; i++)
            found = found || cli_exits[i].code == code;
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_described),
        cmocka_unit_test(a_global_option_shares_its_name_with_no_other),
        cmocka_unit_test(letters_are_unique_and_global),
        cmocka_unit_test(every_option_is_used),
        cmocka_unit_test(no_command_has_an_option_name_twice),
        cmocka_unit_test(commands_are_unique_described_and_found),
        cmocka_unit_test(every_noun_has_a_command),
        cmocka_unit_test(arguments_are_described_and_in_order),
        cmocka_unit_test(examples_are_commands_that_parse),
        cmocka_unit_test(help_of_a_command_names_all_of_it),
        cmocka_unit_test(help_fits_a_terminal),
        cmocka_unit_test(help_of_a_noun_and_of_everything_lists_commands),
        cmocka_unit_test(help_of_nothing_is_wrong_usage),
        cmocka_unit_test(the_manual_has_every_command_and_option),
        cmocka_unit_test(mandoc_finds_nothing_wrong_with_the_manual),
        cmocka_unit_test(bash_accepts_the_completion_and_completes_by_it),
        cmocka_unit_test(docs_have_every_command_and_every_error_code),
        cmocka_unit_test(every_exit_code_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
