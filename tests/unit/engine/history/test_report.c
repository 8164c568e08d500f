// SPDX-License-Identifier: Apache-2.0
/* A run told as text, as JSON, as a page and as metrics: with names and
 * messages that want to be markup. */
#include "tests/unit/engine/history/runs.h"

#include <regex.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "engine/history/report.h"

#define HOSTILE "<script>alert('x')</script>\"&\n\x1b[31m\xff\xef\xbf\xbf"
#define ROOM ((size_t)8 << 20)

static struct eng_run_record sample(void)
{
    struct eng_run_record r = run_new("nightly", T0);

    r.id = 42;
    r.status = ENG_STATUS_WARNING;
    r.tries = 2;
    r.ended = T0 + 635;
    run_warn(&r, "container prod:/old is not there");
    run_add_vm(&r, vm_new("web1", T0 + 2));
    struct eng_vm_record bad = vm_new("db", T0 + 9);
    bad.status = ENG_STATUS_FAILED;
    bad.tried = 2;
    bad.seconds = 0.25;
    bad.read_bytes = bad.new_bytes = bad.stored_bytes = 0;
    runs_set(&bad.point, NULL);
    runs_set(&bad.kind, NULL);
    runs_set(&bad.bottleneck, NULL);
    runs_set(&bad.message, "disk2.raw: permission denied");
    run_add_vm(&r, bad);
    return r;
}

/* Every text of it is hostile. */
static struct eng_run_record hostile(void)
{
    struct eng_run_record r = sample();
    char **texts[] = { &r.job,           &r.repo,          &r.host,
                       &r.message,       &r.warnings[0],   &r.vms[0].source,
                       &r.vms[0].vm,     &r.vms[0].id,     &r.vms[0].point,
                       &r.vms[0].kind,   &r.vms[0].keyset, &r.vms[0].bottleneck,
                       &r.vms[0].message };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        runs_set(texts[i], HOSTILE);
    return r;
}

static void must_be_utf8(const struct buf *b, bool lines)
{
    for (size_t i = 0; i < b->len;) {
        size_t n = utf8_len(b->p + i, b->len - i);
        if (n == 0 ||
            (utf8_is_control(b->p + i, n) && !(lines && b->p[i] == '\n')))
            fail_msg("byte %zu: %02x", i, b->p[i]);
        i += n;
    }
}

static size_t count(struct buf *b, const char *what)
{
    size_t n = 0;

    for (const char *p = buf_cstr(b); (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

static void a_run_is_told_in_lines(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
    AUTO_BUF struct buf out = buf_init(ROOM);
    struct eng_report report = { .run = &r, .zone = "Europe/Berlin" };

    (void)state;
    must(eng_report_text(&report, &out, why));
    assert_string_equal(
        buf_cstr(&out),
        "Job nightly: warning\n"
        "Run 42 on backup1 into repository main, by schedule, 2 tries\n"
        "Began 2026-11-28 11:00:00, ended 2026-11-28 11:10:35 (10m 35s),"
        " Europe/Berlin\n"
        "1 of 2 VMs have a point; 6.0 GiB read, 410.0 MiB stored\n"
        "\n"
        "VM    Status   Kind            Read        New     Stored"
        "        Rate   Time  Bottleneck\n"
        "web1  success  incremental  6.0 GiB  900.0 MiB  410.0 MiB"
        "  96.8 MiB/s  1m 3s  source\n"
        "db    failed   -                0 B        0 B        0 B"
        "           -  0.2 s  -\n"
        "\n"
        "container prod:/old is not there\n"
        "db: disk2.raw: permission denied\n");
}

static void hostile_text_moves_no_cursor(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = hostile();
    AUTO_BUF struct buf out = buf_init(ROOM);
    struct eng_report report = { .run = &r, .zone = "No/Such" };

    (void)state;
    must(eng_report_text(&report, &out, why));
    must_be_utf8(&out, true);
    assert_int_equal(count(&out, "\n"), 13);
    assert_int_equal(count(&out, ", UTC\n"), 1);
}

static void a_document_has_all_of_a_run(void **state)
{
    static const char *const run_fields[] = {
        "run",     "job",   "repo",    "host",     "why", "status", "tries",
        "started", "ended", "rebuilt", "messages", "vms", NULL
    };
    static const char *const vm_fields[] = { "vm",           "source",
                                             "id",           "status",
                                             "tried",        "started",
                                             "ended",        "point",
                                             "kind",         "keyset",
                                             "source_bytes", "read_bytes",
                                             "new_bytes",    "stored_bytes",
                                             "new_blocks",   "reused_blocks",
                                             "seconds",      "bottleneck",
                                             "busy",         "requests",
                                             "messages",     NULL };
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        AUTO_ENG_RUN_RECORD struct eng_run_record r =
            i == 0 ? sample() : hostile();
        AUTO_BUF struct buf out = buf_init(ROOM);
        struct jsonw w = jsonw_init(&out, true);
        jsonw_object(&w);
        eng_report_json_run(&w, &r);
        jsonw_end_object(&w);
        must(buf_check(&out, why));
        AUTO_JSON struct json_doc *doc =
            json_parse(buf_span(&out), 0, ERR_CORRUPT, &e);
        if (doc == NULL)
            fail_msg("%s", e.msg);
        struct json root = json_root(doc);
        json_object(&root, run_fields);
        struct json vms = json_field(&root, "vms");
        assert_int_equal(json_array(&vms, 9), 2);
        struct json vm = json_at(&vms, 1);
        json_object(&vm, vm_fields);
        struct json requests = json_field(&vm, "requests");
        struct json puts = json_field(&requests, "put");
        assert_int_equal(json_uint(&puts, 1000), 231);
        struct json busy = json_field(&vm, "busy");
        struct json network = json_field(&busy, "network");
        assert_true(json_number(&network, 1000) == 12);
        struct json point = json_field(&vm, "point");
        assert_true(json_is_null(&point));
        must(json_failed(doc, why));
    }
}

/* Points of a VM, a day apart, a full each week. */
static void points_of(struct eng_report_point *p, size_t n, const char *vm)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (struct eng_report_point){
            .vm = vm,
            .time = T0 - (int64_t)i * 86400,
            .full = i % 7 == 0,
            .visible_until = T0 + (int64_t)(14 - i) * 86400,
            .locked_until = T0 + (int64_t)(7 - i) * 86400,
        };
    }
}

static void page_of(const struct eng_run_record *r, const char *vm,
                    struct buf *out)
{
    struct eng_report_point points[24];
    struct eng_run_record before[3];

    points_of(points, 12, vm);
    points_of(points + 12, 12, "other");
    for (size_t i = 0; i < 3; i++) {
        before[i] = run_new("nightly", T0 - (int64_t)(i + 1) * 86400);
        before[i].status = ENG_STATUS_SUCCESS;
        before[i].ended = before[i].started + 100;
    }
    struct eng_report report = { .run = r,
                                 .before = before,
                                 .n_before = 3,
                                 .points = points,
                                 .n_points = 24,
                                 .zone = "Europe/Berlin" };
    must(eng_report_html(&report, out, why));
    for (size_t i = 0; i < 3; i++)
        eng_run_record_fini(&before[i]);
}

static void a_page_shows_the_run_its_past_and_its_points(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
    AUTO_BUF struct buf out = buf_init(ROOM);

    (void)state;
    page_of(&r, "web1", &out);
    must_be_utf8(&out, true);
    assert_int_equal(count(&out, "Began 2026-11-28 11:00:00"), 1);
    assert_int_equal(count(&out, "<b>1 of 2</b>"), 1);
    assert_int_equal(count(&out, "disk2.raw: permission denied"), 1);
    assert_int_equal(count(&out, "put&nbsp;231, get&nbsp;7"), 2);
    assert_int_equal(count(&out, "The last 4 runs"), 1);
    assert_int_equal(count(&out, "<title>source: 41.5 s</title>"), 2);
    /* Two charts of four runs. */
    assert_int_equal(count(&out, ", success</title></rect>"), 6);
    assert_int_equal(count(&out, "2 full, 10 incremental"), 2);
    assert_int_equal(count(&out, "2026-12-12</span>"), 3);
    assert_int_equal(count(&out, "<title>full 2026-11-21 11:00:00"), 2);
}

static void a_page_asks_nobody_for_anything(void **state)
{
    static const char *const never[] = { "http:",   "https:", "//",   "<script",
                                         " src=",   "href",   "url(", "@import",
                                         "<iframe", "onload", "<link" };
    AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
    AUTO_BUF struct buf out = buf_init(ROOM);

    (void)state;
    page_of(&r, "web1", &out);
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (count(&out, never[i]) != 0)
            fail_msg("the page has %s", never[i]);
    assert_int_equal(count(&out, "content=\"default-src 'none'; "
                                 "style-src 'unsafe-inline'\""),
                     1);
}

static void hostile_text_is_no_markup(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record plain = sample();
    AUTO_ENG_RUN_RECORD struct eng_run_record r = hostile();
    AUTO_BUF struct buf out = buf_init(ROOM);
    AUTO_BUF struct buf want = buf_init(ROOM);

    (void)state;
    runs_set(&plain.message, "m");
    runs_set(&plain.vms[0].message, "m");
    page_of(&plain, "web1", &want);
    page_of(&r, HOSTILE, &out);
    must_be_utf8(&out, true);
    /* As many tags as with harmless names, and no quote more. */
    assert_int_equal(count(&out, "<"), count(&want, "<"));
    assert_int_equal(count(&out, ">"), count(&want, ">"));
    assert_int_equal(count(&out, "\""), count(&want, "\""));
    assert_int_equal(count(&out, "\n"), count(&want, "\n"));
    assert_true(count(&out, "&lt;script&gt;alert(&#39;x&#39;)") > 6);
    assert_int_equal(count(&out, "\xef\xbf\xbf"), 0);
}

static void a_run_of_nothing_has_a_page(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("nightly", T0);
    AUTO_BUF struct buf out = buf_init(ROOM);
    struct eng_report report = { .run = &r };

    (void)state;
    must(eng_report_html(&report, &out, why));
    assert_int_equal(count(&out, "<table"), 0);
    assert_int_equal(count(&out, "<figure"), 0);
    assert_int_equal(count(&out, "<h2>Chains"), 0);
    buf_reset(&out);
    must(eng_report_text(&report, &out, why));
    assert_int_equal(count(&out, "Job nightly: running"), 1);
}

static void a_report_without_room_is_an_error(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
    AUTO_BUF struct buf out = buf_init(500);
    struct eng_report report = { .run = &r };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(eng_report_html(&report, &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

/* --- metrics --- */

/* Holds a file to the text format: heads, samples behind theirs, none twice. */
static void check_metrics(const char *text)
{
    char family[128] = "";
    char *copy = strdup(text);
    char *rest = copy;
    regex_t sample_form;
    const char *line;

    assert_int_equal(
        regcomp(
            &sample_form,
            "^objvault_job_last_run_[a-z_]+\\{job=\"([^\"\\\\]|\\\\[\"\\\\])*"
            "\"(,(status|kind)=\"[a-z]+\")?\\} [0-9]+$",
            REG_EXTENDED | REG_NOSUB),
        0);
    assert_int_equal(text[strlen(text) - 1], '\n');
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char head[160];
        if (strncmp(line, "# HELP ", 7) == 0) {
            assert_int_equal(sscanf(line + 7, "%127s", family), 1);
            snprintf(head, sizeof(head), "# TYPE %s gauge", family);
            assert_string_equal(strsep(&rest, "\n"), head);
            continue;
        }
        if (regexec(&sample_form, line, 0, NULL, 0) != 0)
            fail_msg("no sample: %s", line);
        assert_int_equal(strncmp(line, family, strlen(family)), 0);
        assert_int_equal(line[strlen(family)], '{');
        snprintf(head, sizeof(head), "\n%.*s ",
                 (int)(strrchr(line, ' ') - line), line);
        const char *first = strstr(text, head);
        assert_non_null(first);
        assert_null(strstr(first + 1, head));
    }
    regfree(&sample_form);
    free(copy);
}

static void metrics_tell_the_last_run_of_each_job(void **state)
{
    char path[] = "/tmp/objvault-metrics-XXXXXX";
    struct eng_run_record runs[2] = { sample(), sample() };
    AUTO_BUF struct buf out = buf_init(ROOM);
    AUTO_FD int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    runs_set(&runs[1].job, "a\"b\\c\nd\xff");
    must(eng_metrics_write(runs, 2, path, why));
    must(io_read_file(path, &out, why));
    check_metrics(buf_cstr(&out));
#define METRIC(rest) "\nobjvault_job_last_run_" rest "\n"
    static const char *const want[] = {
        METRIC("success{job=\"nightly\"} 0"),
        METRIC("status{job=\"nightly\",status=\"warning\"} 1"),
        METRIC("status{job=\"nightly\",status=\"failed\"} 0"),
        METRIC("end_timestamp_seconds{job=\"nightly\"} 1795860635"),
        METRIC("duration_seconds{job=\"nightly\"} 635"),
        METRIC("stored_bytes{job=\"nightly\"} 429916160"),
        METRIC("vms{job=\"nightly\",status=\"failed\"} 1"),
        METRIC("requests{job=\"nightly\",kind=\"put\"} 462"),
        METRIC("tries{job=\"a\\\"b\\\\c d?\"} 2"),
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        if (strstr(buf_cstr(&out), want[i]) == NULL)
            fail_msg("not there:%s", want[i]);
    unlink(path);
    for (size_t i = 0; i < 2; i++)
        eng_run_record_fini(&runs[i]);
}

static void metrics_pass_over_what_is_under_way(void **state)
{
    char dir[] = "/tmp/objvault-metrics-XXXXXX";
    char path[64];
    char command[64];
    char job[] = "nightly";
    char never[] = "never";
    char *jobs[] = { job, never };
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(ROOM);
    AUTO_ENG_RUN_RECORD struct eng_run_record one = run_new(job, T0);
    AUTO_ENG_RUN_RECORD struct eng_run_record two = run_new(job, T0 + 900);
    AUTO_ENG_RUN_RECORD struct eng_run_record gone = run_new("gone", T0);

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/objvault.prom", dir);
    AUTO_ENG_HISTORY struct eng_history *h = eng_history_open(dir, NULL, &e);
    assert_non_null(h);
    must(eng_history_begin(h, &one, why));
    one.status = ENG_STATUS_SUCCESS;
    one.ended = T0 + 60;
    must(eng_history_end(h, &one, why));
    must(eng_history_begin(h, &two, why));
    must(eng_history_begin(h, &gone, why));
    must(eng_metrics_update(h, jobs, 2, path, why));
    must(io_read_file(path, &out, why));
    check_metrics(buf_cstr(&out));
    assert_int_equal(count(&out, "_success{"), 1);
    assert_int_equal(count(&out, "_success{job=\"nightly\"} 1"), 1);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    /* NOLINTNEXTLINE(cert-env33-c): a path of our own */
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_told_in_lines),
        cmocka_unit_test(hostile_text_moves_no_cursor),
        cmocka_unit_test(a_document_has_all_of_a_run),
        cmocka_unit_test(a_page_shows_the_run_its_past_and_its_points),
        cmocka_unit_test(a_page_asks_nobody_for_anything),
        cmocka_unit_test(hostile_text_is_no_markup),
        cmocka_unit_test(a_run_of_nothing_has_a_page),
        cmocka_unit_test(a_report_without_room_is_an_error),
        cmocka_unit_test(metrics_tell_the_last_run_of_each_job),
        cmocka_unit_test(metrics_pass_over_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
