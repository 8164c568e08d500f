// SPDX-License-Identifier: Apache-2.0
/* The program as it is started: exit codes, what is on stdout and what on
 * stderr, configuration and repositories. */
#include "tests/unit/cli/program.h"

#include <sys/resource.h>

static void a_wrong_line_is_one_line_and_one_document(void **state)
{
    struct fixture *f = *state;
    run(f, "repo lst", 2);
    assert_int_equal(f->out.len, 0);
    assert_string_equal(
        buf_cstr(&f->err),
        "objvault: unknown command \"repo lst\"; did you mean list?\n");
    run(f, "repo lst --json", 2);
    assert_string_equal(
        buf_cstr(&f->out),
        "{\"ok\":false,\"error\":{\"code\":\"usage\",\"exit\":2,\"message\":"
        "\"unknown command \\\"repo lst\\\"; did you mean list?\"}}\n");
}

static void help_and_version_need_no_home(void **state)
{
    struct fixture *f = *state;
    run(f, "--help", 0);
    out_has(f, "usage: objvault");
    run(f, "repo --help", 0);
    out_has(f, "repo attach");
    run(f, "help backup run", 0);
    out_has(f, "--compression");
    run(f, "help nix", 2);
    run(f, "--version", 0);
    out_has(f, "objvault ");
    run(f, "version --json", 0);
    out_has(f, "{\"ok\":true,\"version\":\"");
    run(f, "man", 0);
    out_has(f, ".Dt OBJVAULT 1\n");
    run(f, "completion bash --json", 0);
    out_has(f, "{\"ok\":true,\"text\":\"# bash completion");
    assert_int_equal(access("home", F_OK), -1);
}

static void a_wrong_time_shift_is_wrong_usage(void **state)
{
    struct fixture *f = *state;
    const char *const env[] = { "OBJVAULT_NOW", "yesterday", NULL };
    assert_int_equal(run_env(f, "repo list", env), 2);
    err_has(f, "OBJVAULT_NOW");
}

static void a_closed_progress_descriptor_is_wrong_usage(void **state)
{
    struct fixture *f = *state;
    run(f, "repo list --progress-json 77", 2);
    err_has(f, "--progress-json 77: not open for writing");
    run(f, "repo list --progress-json 0", 2);
    run(f, "repo list --json --progress-json 1", 2);
}

static void config_check_reports_each_wrong_file(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    run(f, "config check", 0);
    assert_string_equal(buf_cstr(&f->out), "0 configuration files are well\n");
    assert_int_equal(io_mkdirs("home/repos", 0700, &e), 0);
    const char text[] = "{\"url\":\"s3://bucket\",\"regoin\":\"x\"}";
    assert_int_equal(
        io_write_file("home/repos/a.json", span_str(text), 0600, true, &e), 0);
    run(f, "config check", 2);
    assert_int_equal(f->out.len, 0);
    err_has(f, "home/repos/a.json: regoin: unknown field; the nearest known "
               "one is \"region\"\n");
    run(f, "config check --json", 2);
    one_document(f);
    out_has(f, "{\"ok\":false,\"error\":{\"code\":\"config\",\"exit\":2,"
               "\"message\":\"1 of 1 configuration files are wrong\"},"
               "\"files\":[{\"file\":\"");
    run(f, "repo list", 3);
    out_has(f, "(wrong configuration)");
    run(f, "config schema repo --json", 0);
    one_document(f);
}

static void repositories_are_made_attached_listed_and_forgotten(void **state)
{
    struct fixture *f = *state;
    char line[200];
    (void)snprintf(line, sizeof line, "repo create main file://%s/repo",
                   f->dir);
    run(f, line, 0);
    out_has(f, "repository main is made");
    run(f, line, 2);
    err_has(f, "a repository \"main\" is configured already");
    (void)snprintf(line, sizeof line, "repo create b file://%s/repo", f->dir);
    run(f, line, 2);
    (void)snprintf(line, sizeof line, "repo attach b file://%s/repo --json",
                   f->dir);
    run(f, line, 0);
    one_document(f);
    out_has(f, "{\"ok\":true,\"repo\":{\"name\":\"b\",\"url\":\"file://");
    (void)snprintf(line, sizeof line, "repo attach c file://%s/none", f->dir);
    run(f, line, 4);
    run(f, "repo list", 0);
    out_has(f, "main");
    run(f, "repo show main", 0);
    out_has(f, "Block size:         4.0 MiB");
    run(f, "point list", 2);
    err_has(f, "several repositories are configured: say --repo with one of "
               "b, main");
    run(f, "repo remove b", 0);
    run(f, "repo remove b", 4);
    run(f, "repo stats main --json", 0);
    out_has(f, "\"points\":0,");
    out_has(f, "\"dedup_ratio\":null");
}

static void what_cannot_be_made_leaves_no_configuration(void **state)
{
    struct fixture *f = *state;
    char line[200];
    run(f, "repo create x/y file:///tmp/x", 2);
    run(f, "repo create x http://y", 2);
    run(f, "repo create x file:///tmp/x --region r", 2);
    (void)snprintf(line, sizeof line,
                   "repo create x file://%s/r --block-size 3M", f->dir);
    run(f, line, 2);
    err_has(f, "must be a power of two");
    run(f, "repo create x s3://bucket --ca nothing.pem", 4);
    assert_int_equal(access("home", F_OK), -1);
    assert_int_equal(access("r", F_OK), -1);
}

static void without_a_repository_nothing_is_found(void **state)
{
    struct fixture *f = *state;
    run(f, "point list", 4);
    err_has(f, "no repository is configured in ");
    run(f, "point show web1@latest --json", 4);
    out_has(f, "\"code\":\"not-found\"");
    run(f, "repo show x", 4);
    run(f, "repo stats x", 4);
}

/* Passwords lie in its memory, and in that of libraries. */
static void a_crash_leaves_no_core_file(void **state)
{
    struct fixture *f = *state;
    struct rlimit was;
    static char program[] = "objvault";
    char *argv[] = { program,
                     (char[]){ "backup" },
                     (char[]){ "run" },
                     (char[]){ "vms/web1" },
                     (char[]){ "--encrypt" },
                     (char[]){ "password" },
                     (char[]){ "--password-command" },
                     (char[]){ "kill -SEGV $PPID; sleep 5" },
                     NULL };
    int status = 0;

    make_point(f);
    assert_int_equal(getrlimit(RLIMIT_CORE, &was), 0);
    struct rlimit any = { was.rlim_max, was.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_CORE, &any), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        become(argv, NULL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(setrlimit(RLIMIT_CORE, &was), 0);
    if (WIFSIGNALED(status)) /* sanitizers end it otherwise */
        assert_false(WCOREDUMP(status));
    assert_int_equal(access("core", F_OK), -1);
}

static void an_unwritable_stdout_is_a_failure(void **state)
{
    struct fixture *f = *state;
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int full = open("/dev/full", O_WRONLY);
        if (full < 0 || dup2(full, 1) < 0)
            _exit(99);
        execl(PROGRAM, "objvault", "help", (char *)NULL);
        _exit(98);
    }
    (void)f;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_wrong_line_is_one_line_and_one_document),
        IN_FOLDER(help_and_version_need_no_home),
        IN_FOLDER(a_wrong_time_shift_is_wrong_usage),
        IN_FOLDER(a_closed_progress_descriptor_is_wrong_usage),
        IN_FOLDER(config_check_reports_each_wrong_file),
        IN_FOLDER(repositories_are_made_attached_listed_and_forgotten),
        IN_FOLDER(what_cannot_be_made_leaves_no_configuration),
        IN_FOLDER(without_a_repository_nothing_is_found),
        IN_FOLDER(a_crash_leaves_no_core_file),
        IN_FOLDER(an_unwritable_stdout_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
