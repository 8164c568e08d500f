// SPDX-License-Identifier: Apache-2.0
/* Progress: bars, the line of USR1, and JSON lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/render.h"

static struct progress_view view(const char *verb, uint64_t total,
                                 uint64_t done, uint64_t moved)
{
    struct progress_view v = { .total = total, .done = done, .moved = moved };
    (void)snprintf(v.verb, sizeof v.verb, "%s", verb);
    (void)snprintf(v.name, sizeof v.name, "web1/vda.qcow2");
    return v;
}

static void a_bar_has_bytes_rate_saving_and_eta(void **state)
{
    struct progress_view v = view("backup", 100 << 20, 50 << 20, 5 << 20);
    (void)state;
    AUTO_BUF struct buf out = buf_init(1024);
    cli_render_bar(&v, 10 << 20, 120, &out);
    const char *text = buf_cstr(&out);
    assert_int_equal(cli_width(text), 120);
    assert_non_null(strstr(text, "web1/vda.qcow2"));
    assert_non_null(strstr(text, "#."));
    assert_non_null(strstr(text, " 50%   50.0 MiB of 100.0 MiB   10.0 MiB/s "
                                 "saved  90% ETA 5 s"));
}

static void a_bar_never_passes_the_width(void **state)
{
    struct progress_view v = view("backup", UINT64_MAX, 1, UINT64_MAX);
    (void)state;
    for (size_t columns = 20; columns < 200; columns++) {
        AUTO_BUF struct buf out = buf_init(1024);
        cli_render_bar(&v, 0, columns, &out);
        assert_true(cli_width(buf_cstr(&out)) <= columns);
        assert_true(out.len > 0);
    }
}

static void
nothing_is_saved_by_a_restore_and_nothing_known_without_rate(void **state)
{
    struct progress_view v = view("restore", 100, 10, 0);
    (void)state;
    AUTO_BUF struct buf out = buf_init(1024);
    cli_render_bar(&v, 0, 120, &out);
    assert_null(strstr(buf_cstr(&out), "saved"));
    assert_non_null(strstr(buf_cstr(&out), "ETA -"));
}

static void an_empty_disk_is_done(void **state)
{
    struct progress_view v = view("backup", 0, 0, 0);
    (void)state;
    AUTO_BUF struct buf out = buf_init(1024);
    cli_render_bar(&v, 0, 120, &out);
    assert_non_null(strstr(buf_cstr(&out), "100%"));
}

static void a_progress_line_sums_what_runs(void **state)
{
    struct err e = { 0 };
    (void)state;
    AUTO_PROGRESS struct progress *p = progress_new(&e);
    assert_non_null(p);
    AUTO_BUF struct buf none = buf_init(1024);
    cli_render_line(p, &none);
    assert_string_equal(buf_cstr(&none),
                        "progress: no disk is being worked on");
    struct progress_task *a = progress_begin(p, "backup", "vm/a", 1000);
    struct progress_task *b = progress_begin(p, "backup", "vm/b", 1000);
    struct progress_task *c = progress_begin(p, "backup", "vm/c", 5000);
    progress_add(a, 500, 500, 0);
    progress_add(b, 500, 500, 0);
    progress_end(c);
    AUTO_BUF struct buf out = buf_init(1024);
    cli_render_line(p, &out);
    assert_non_null(strstr(buf_cstr(&out), "progress: vm/b:  50% "));
    assert_non_null(strstr(buf_cstr(&out), "saved 100%"));
}

static void
a_total_takes_those_to_come_for_as_large_as_those_before(void **state)
{
    struct progress_view v[3] = { view("backup", 100 << 20, 100 << 20, 0),
                                  view("backup", 300 << 20, 60 << 20, 40 << 20),
                                  view("backup", 900 << 20, 50 << 20, 0) };
    (void)state;
    v[0].ended_ms = v[2].ended_ms = 5; /* the last one failed */
    struct cli_render_sum s = cli_render_sum(v, 3, 6);
    assert_int_equal(s.over, 2);
    assert_int_equal(s.at_work, 1);
    assert_true(s.estimated);
    assert_true(s.v.total == (uint64_t)900 << 20);
    AUTO_BUF struct buf out = buf_init(1024);
    cli_render_total(&s, 10 << 20, &out);
    assert_string_equal(buf_cstr(&out),
                        "2 of 6 VMs, 1 at work: 23% 210.0 MiB of about 900.0 "
                        "MiB, 10.0 MiB/s, saved 80%, ETA 1m 9s");
    s = cli_render_sum(v, 3, 3);
    assert_false(s.estimated);
    s = cli_render_sum(v, 0, 6);
    AUTO_BUF struct buf none = buf_init(1024);
    cli_render_total(&s, 0, &none);
    assert_string_equal(buf_cstr(&none),
                        "0 of 6 VMs, 0 at work: nothing is read yet");
}

/* Reads the lines that a renderer wrote to fd. */
static char *lines_of(FILE *f)
{
    struct err e = { 0 };
    static char text[65536];
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    (void)e;
    return text;
}

static void json_lines_end_with_a_final_one(void **state)
{
    struct err e = { 0 };
    struct cli_call call = { 0 };
    struct cli_ctx c = { .call = &call, .quiet = true };
    (void)state;
    FILE *f = tmpfile();
    assert_non_null(f);
    call.opt[CLI_OPT_PROGRESS_JSON].times = 1;
    call.opt[CLI_OPT_PROGRESS_JSON].number = (uint64_t)fileno(f);
    AUTO_PROGRESS struct progress *p = progress_new(&e);
    struct cli_render *r = cli_render_start(&c, p, &e);
    assert_non_null(r);
    struct progress_task *t = progress_begin(p, "backup", "vm/a", 1000);
    progress_add(t, 1000, 600, 30);
    progress_end(t);
    cli_message("a line in between");
    cli_render_stop(r);

    char *last = lines_of(f);
    char *newline = strrchr(last, '\n');
    assert_non_null(newline);
    *newline = '\0';
    newline = strrchr(last, '\n');
    last = newline != NULL ? newline + 1 : last;
    AUTO_JSON struct json_doc *doc =
        json_parse(span_str(last), JSON_STRICT, ERR_CORRUPT, &e);
    assert_non_null(doc);
    struct json root = json_root(doc);
    struct json final = json_field(&root, "final");
    struct json moved = json_field(&root, "moved_bytes");
    struct json tasks = json_field(&root, "tasks");
    assert_int_equal(json_array(&tasks, 1), 1);
    struct json task = json_at(&tasks, 0);
    struct json read = json_field(&task, "read_bytes");
    struct json running = json_field(&task, "running");
    assert_true(json_bool(&final));
    assert_int_equal(json_uint(&moved, 1000), 30);
    assert_int_equal(json_uint(&read, 1000), 600);
    assert_false(json_bool(&running));
    assert_int_equal(json_failed(doc, &e), 0);
    (void)fclose(f);
}

/* What the renderer of a run writes to a stderr that is no terminal: within 1.5
 * seconds where that should be nothing. */
static const char *said_to_a_pipe(struct cli_ctx *c, size_t vms, bool silent)
{
    struct err e = { 0 };
    AUTO_PROGRESS struct progress *p = progress_new(&e);
    FILE *f = tmpfile();
    int was = dup(STDERR_FILENO);
    assert_non_null(f);
    assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
    struct cli_render *r = cli_render_start(c, p, &e);
    progress_expect(p, vms);
    struct progress_task *g = progress_begin_group(p, "web1");
    progress_total(g, 1000);
    progress_add(progress_begin_in(p, g, "backup", "web1/vda", 1000), 500, 0,
                 0);
    for (int i = 0; i < (silent ? 15 : 100) && ftell(f) == 0; i++) {
        assert_int_equal(cancel_sleep(NULL, 100, &e), 0);
        (void)fseek(f, 0, SEEK_END);
    }
    cli_render_stop(r);
    (void)dup2(was, STDERR_FILENO);
    (void)close(was);
    const char *text = lines_of(f);
    (void)fclose(f);
    return text;
}

static void
a_job_tells_a_pipe_so_often_and_a_backup_only_when_asked(void **state)
{
    struct cli_call call = { 0 };
    struct cli_ctx c = { .call = &call };
    (void)state;
    assert_string_equal(said_to_a_pipe(&c, 0, true), "");
    call.opt[CLI_OPT_PROGRESS_EVERY].times = 1;
    call.opt[CLI_OPT_PROGRESS_EVERY].number = 1;
    assert_non_null(strstr(said_to_a_pipe(&c, 2, false),
                           "objvault: progress: 0 of 2 VMs, 1 at work: 25% 500 "
                           "B of about 2.0 KiB"));
    assert_non_null(strstr(said_to_a_pipe(&c, 0, false),
                           "objvault: progress: web1/vda:  50% "));
    call.opt[CLI_OPT_NO_PROGRESS].times = 1;
    assert_string_equal(said_to_a_pipe(&c, 0, true), "");
}

static void without_a_wish_no_thread_writes_anything(void **state)
{
    struct err e = { 0 };
    struct cli_call call = { 0 };
    struct cli_ctx c = { .call = &call, .quiet = true };
    (void)state;
    AUTO_PROGRESS struct progress *p = progress_new(&e);
    struct cli_render *r = cli_render_start(&c, p, &e);
    assert_non_null(r);
    cli_render_stop(r);
    cli_render_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_has_bytes_rate_saving_and_eta),
        cmocka_unit_test(a_bar_never_passes_the_width),
        cmocka_unit_test(
            nothing_is_saved_by_a_restore_and_nothing_known_without_rate),
        cmocka_unit_test(an_empty_disk_is_done),
        cmocka_unit_test(a_progress_line_sums_what_runs),
        cmocka_unit_test(
            a_total_takes_those_to_come_for_as_large_as_those_before),
        cmocka_unit_test(json_lines_end_with_a_final_one),
        cmocka_unit_test(
            a_job_tells_a_pipe_so_often_and_a_backup_only_when_asked),
        cmocka_unit_test(without_a_wish_no_thread_writes_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
