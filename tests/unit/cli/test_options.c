// SPDX-License-Identifier: Apache-2.0
/* The parser: what it takes, and what it says about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/options.h"

#define WORDS_MAX 24

/* Parses a line of words parted by single blanks; '_' alone is an empty
 * word.  text must outlive the call. */
static int parse(char *text, struct cli_call *call, struct err *e)
{
    char *argv[WORDS_MAX] = { NULL };
    static char program[] = "objvault";
    int argc = 0;
    argv[argc++] = program;
    char *rest = NULL;
    for (char *w = strtok_r(text, " ", &rest); w != NULL && argc < WORDS_MAX;
         w = strtok_r(NULL, " ", &rest))
        argv[argc++] = strcmp(w, "_") == 0 ? w + 1 : w;
    return cli_parse(argc, argv, call, e);
}

#define GOOD(line, call)                                                       \
    char text_[] = line;                                                       \
    struct err e_ = { 0 };                                                     \
    AUTO_CLI_CALL struct cli_call call = { 0 };                                \
    if (parse(text_, &(call), &e_) < 0)                                        \
    fail_msg("%s: %s", line, e_.msg)

static void bad(const char *line, const char *message)
{
    char text[400];
    struct err e = { 0 };
    AUTO_CLI_CALL struct cli_call call = { 0 };
    assert_true(strlen(line) < sizeof text);
    memcpy(text, line, strlen(line) + 1);
    assert_int_equal(parse(text, &call, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_string_equal(e.msg, message);
}

static void a_command_is_found_with_its_arguments(void **state)
{
    (void)state;
    GOOD("repo create main s3://b", call);
    assert_string_equal(call.command->noun, "repo");
    assert_string_equal(call.command->verb, "create");
    assert_int_equal(call.n_args, 2);
    assert_string_equal(call.args[0], "main");
    assert_string_equal(call.args[1], "s3://b");
}

static void global_options_stand_anywhere(void **state)
{
    (void)state;
    GOOD("--json repo --home /h create -vv main --verbose s3://b --quiet",
         call);
    assert_int_equal(call.opt[CLI_OPT_JSON].times, 1);
    assert_string_equal(call.opt[CLI_OPT_HOME].text, "/h");
    assert_int_equal(call.opt[CLI_OPT_VERBOSE].times, 3);
    assert_int_equal(call.opt[CLI_OPT_QUIET].times, 1);
    assert_int_equal(call.n_args, 2);
}

static void a_value_follows_as_a_word_or_behind_an_equals_sign(void **state)
{
    (void)state;
    GOOD("backup run a --repo=r=1 --limit-upload 10M --memory=64M", call);
    assert_string_equal(call.opt[CLI_OPT_REPO].text, "r=1");
    assert_int_equal(call.opt[CLI_OPT_LIMIT_UPLOAD].number, 10 << 20);
    assert_int_equal(call.opt[CLI_OPT_MEMORY].number, 64 << 20);
}

static void words_and_durations_are_understood(void **state)
{
    (void)state;
    GOOD("repo create a s3://bucket --payload crc32c --max-clock-skew 2m",
         call);
    assert_int_equal(call.opt[CLI_OPT_PAYLOAD].number, 1);
    assert_int_equal(call.opt[CLI_OPT_MAX_CLOCK_SKEW].number, 120);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    GOOD("backup run --full -- --json -v -", call);
    assert_int_equal(call.n_args, 3);
    assert_string_equal(call.args[0], "--json");
    assert_string_equal(call.args[1], "-v");
    assert_string_equal(call.args[2], "-");
    assert_int_equal(call.opt[CLI_OPT_JSON].times, 0);
}

static void a_dash_alone_is_a_value_and_an_argument(void **state)
{
    (void)state;
    GOOD("restore disk vm@latest --to -", call);
    assert_string_equal(call.opt[CLI_OPT_TO_FILE].text, "-");
    assert_int_equal(call.opt[CLI_OPT_TO_DIR].times, 0);
}

static void an_optional_argument_may_be_missing(void **state)
{
    (void)state;
    GOOD("restore disk vm@latest vda --to x", call);
    assert_int_equal(call.n_args, 2);
}

static void help_needs_nothing_else(void **state)
{
    (void)state;
    GOOD("repo create --help", call);
    assert_string_equal(call.verb, "create");
    assert_int_equal(call.opt[CLI_OPT_HELP].times, 1);
}

static void help_alone_is_help_for_everything(void **state)
{
    (void)state;
    GOOD("-h", call);
    assert_null(call.noun);
    assert_null(call.command);
}

static void missing_parts_are_named(void **state)
{
    (void)state;
    bad("", "no command is given; see objvault --help");
    bad("repo", "repo: say what to do; see objvault repo --help");
    bad("repo create", "NAME is missing; see objvault repo create --help");
    bad("repo create x", "URL is missing; see objvault repo create --help");
    bad("restore vm a@latest",
        "--to DIR is missing; see objvault restore vm --help");
    bad("backup run a --repo",
        "--repo: its NAME is missing; see objvault backup run --help");
    bad("backup run a --repo _", "--repo: the value is empty");
    bad("backup run _", "SOURCE-PATH is empty");
}

static void unknown_words_are_answered_with_the_nearest(void **state)
{
    (void)state;
    bad("repoo list", "unknown command \"repoo\"; did you mean repo?");
    bad("zzzzzz", "unknown command \"zzzzzz\"; see objvault --help");
    bad("repo lst", "unknown command \"repo lst\"; did you mean list?");
    bad("repo list --jsn", "unknown option --jsn; did you mean --json?");
    bad("backup run a --compresion fast",
        "unknown option --compresion; did you mean --compression?");
    bad("backup run a --limit 3",
        "unknown option --limit; did you mean --limit-upload?");
    bad("backup run a --qqqqqqqqqq=1",
        "unknown option --qqqqqqqqqq; see objvault backup run --help");
    bad("repo list -x", "unknown option -x; see objvault repo list --help");
}

static void options_of_other_commands_are_refused(void **state)
{
    (void)state;
    bad("repo attach a s3://b --block-size 1M",
        "option --block-size is not one of repo attach; see objvault repo "
        "attach --help");
    bad("--repo r point list", "option --repo must stand behind the command "
                               "that it belongs to; see objvault --help");
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    bad("repo create a b --block-size x",
        "--block-size \"x\": is not a size such as 512K, 4M or 1G");
    bad("repo create a b --max-clock-skew 1y",
        "--max-clock-skew \"1y\": is not a duration such as 30s, 15m or 12h");
    bad("repo create a b --max-clock-skew 0s",
        "--max-clock-skew 0s: out of range");
    bad("repo create a b --driver ftp",
        "--driver \"ftp\": must be s3, libs3 or file");
    bad("repo create a b --addressing x",
        "--addressing \"x\": must be auto, path or virtual");
    bad("backup run a --limit-upload 0", "--limit-upload 0: out of range");
    bad("repo list --progress-json x",
        "--progress-json \"x\": is not a number");
    bad("repo list --progress-json 99999999999999999999999",
        "--progress-json \"99999999999999999999999\": is not a number");
    bad("repo list --progress-json 4096", "--progress-json 4096: out of range");
    bad("repo list --json=1", "--json takes no value");
    bad("repo list --home a --home b", "--home is given twice");
    bad("config schema x",
        "KIND \"x\": must be repo, credentials, kms, source, job, daemon or "
        "prices");
}

static void an_option_for_many_keeps_all_in_their_order(void **state)
{
    (void)state;
    GOOD("job create j --vm a:1 --repo r --vm=b:2 --vm a:1 --container c:",
         call);
    const struct cli_given *vm = &call.opt[CLI_OPT_JOB_VM];
    assert_int_equal(vm->times, 3);
    assert_string_equal(vm->all[0], "a:1");
    assert_string_equal(vm->all[1], "b:2");
    assert_string_equal(vm->all[2], "a:1");
    assert_int_equal(call.opt[CLI_OPT_CONTAINER].times, 1);
    assert_int_equal(call.opt[CLI_OPT_DISKS].times, 0);
    assert_null(call.opt[CLI_OPT_DISKS].all);
    bad("job create j --vm a:1 --vm _", "--vm: the value is empty");
}

static void too_many_arguments_are_refused(void **state)
{
    (void)state;
    bad("repo list a",
        "unexpected argument \"a\"; see objvault repo list --help");
    bad("version a", "unexpected argument \"a\"; see objvault version --help");
}

/* The program must know how to show the very error that stopped the parser. */
static void output_flags_behind_an_error_are_seen(void **state)
{
    char text[] = "repo lst --json --quiet";
    char ended[] = "repo lst -- --json";
    struct err e = { 0 };
    (void)state;
    AUTO_CLI_CALL struct cli_call call = { 0 };
    assert_int_equal(parse(text, &call, &e), -1);
    assert_int_equal(call.opt[CLI_OPT_JSON].times, 1);
    assert_int_equal(call.opt[CLI_OPT_QUIET].times, 1);
    AUTO_CLI_CALL struct cli_call other = { 0 };
    assert_int_equal(parse(ended, &other, &e), -1);
    assert_int_equal(other.opt[CLI_OPT_JSON].times, 0);
}

static void nearest_ignores_what_is_far(void **state)
{
    static const char *const names[] = { "compression", "repo", "vm" };
    (void)state;
    assert_string_equal(cli_nearest("comp", names, 3), "compression");
    assert_string_equal(cli_nearest("rep", names, 3), "repo");
    assert_null(cli_nearest("xy", names, 3));
    assert_null(cli_nearest(
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", names, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_found_with_its_arguments),
        cmocka_unit_test(global_options_stand_anywhere),
        cmocka_unit_test(a_value_follows_as_a_word_or_behind_an_equals_sign),
        cmocka_unit_test(words_and_durations_are_understood),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(a_dash_alone_is_a_value_and_an_argument),
        cmocka_unit_test(an_optional_argument_may_be_missing),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(help_alone_is_help_for_everything),
        cmocka_unit_test(missing_parts_are_named),
        cmocka_unit_test(unknown_words_are_answered_with_the_nearest),
        cmocka_unit_test(options_of_other_commands_are_refused),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(an_option_for_many_keeps_all_in_their_order),
        cmocka_unit_test(too_many_arguments_are_refused),
        cmocka_unit_test(output_flags_behind_an_error_are_seen),
        cmocka_unit_test(nearest_ignores_what_is_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
