// SPDX-License-Identifier: Apache-2.0
/* Telling of a run: to a real web server, and to a program that reads mail. */
#include "tests/unit/engine/history/runs.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/process.h"
#include "base/utc.h"
#include "engine/history/report.h"
#include "engine/run/notify.h"
#include "engine/run/notify_impl.h"

#define ROOM ((size_t)1 << 20)

static char dir[64];
static pid_t server;
static unsigned port;

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/objvault-notify-XXXXXX");
    assert_non_null(mkdtemp(dir));
    server = 0;
    return 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

static const char web_server[] = RUN_TESTS "/webserver.py";

/* Starts webserver.py, and takes its port. */
static void serve(const char *statuses, const char *cert, const char *key)
{
    const char *argv[] = { "python3", "-B", web_server, dir,
                           statuses,  cert, key,        NULL };
    int fds[2];
    char text[16] = "";

    assert_int_equal(pipe(fds), 0);
    server = fork();
    if (server == 0) {
        union {
            const char **ours;
            char **execs;
        } words = { .ours = argv };
        dup2(fds[1], STDOUT_FILENO);
        execvp(argv[0], words.execs);
        _exit(127);
    }
    close(fds[1]);
    assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
    close(fds[0]);
    port = (unsigned)strtoul(text, NULL, 10);
    assert_true(port > 0);
}

/* The n-th request that came, from 1; false: there was none. */
static bool request(unsigned n, struct buf *out)
{
    struct err e = { 0 };
    char path[96];

    snprintf(path, sizeof(path), "%s/request-%u", dir, n);
    buf_reset(out);
    return io_read_file(path, out, &e) == 0;
}

static char *url_of(const char *scheme, const char *rest)
{
    char *url = NULL;

    assert_true(asprintf(&url, "%s://127.0.0.1:%u%s", scheme, port, rest) > 0);
    return url;
}

static struct eng_run_record sample(void)
{
    struct eng_run_record r = run_new("nightly", T0);

    r.id = 42;
    r.status = ENG_STATUS_WARNING;
    r.tries = 2;
    r.ended = T0 + 635;
    run_add_vm(&r, vm_new("web1", T0 + 2));
    run_add_vm(&r, vm_new("web2", T0 + 2));
    r.vms[1].status = ENG_STATUS_FAILED;
    runs_set(&r.vms[1].vm, "<b>\xc3\xa4\"\xff\r\nBcc: eve@example.org");
    return r;
}

static int post(const char *url, const char *ca, int64_t give_up_ms,
                struct err *e)
{
    return eng_webhook_post(url, ca, span_str("{\"ok\":true}"), give_up_ms,
                            NULL, e);
}

static void a_run_is_told_until_it_is_taken(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
    AUTO_BUF struct buf got = buf_init(ROOM);
    struct err e = { 0 };

    (void)state;
    serve("503,429,200", NULL, NULL);
    AUTO_MEM char *url = url_of("http", "/hook?key=1");
    const struct eng_job j = { .webhook = url };
    must(eng_notify(&j, &r, NULL, why));
    assert_false(request(4, &got));
    assert_true(request(3, &got));
    assert_non_null(strstr(buf_cstr(&got), "POST /hook?key=1 HTTP/1.1\n"));
    assert_non_null(strstr(buf_cstr(&got), "Content-Type: application/json\n"));
    const char *body = strstr(buf_cstr(&got), "\n\n") + 2;
    AUTO_JSON struct json_doc *doc =
        json_parse(span_str(body), 0, ERR_CORRUPT, &e);
    if (doc == NULL)
        fail_msg("%s", e.msg);
    struct json root = json_root(doc);
    struct json ok = json_field(&root, "ok");
    struct json job = json_field(&root, "job");
    struct json vms = json_field(&root, "vms");
    assert_true(json_bool(&ok));
    assert_string_equal(json_string(&job, 100), "nightly");
    assert_int_equal(json_array(&vms, 9), 2);
    must(json_failed(doc, why));
}

static void only_results_that_are_asked_for_are_told(void **state)
{
    static const struct {
        const char *on;
        enum eng_status status;
        bool told;
    } rows[] = {
        { NULL, ENG_STATUS_SUCCESS, true },
        { "success,warning", ENG_STATUS_WARNING, true },
        { "warning,failed", ENG_STATUS_SUCCESS, false },
        { "failed", ENG_STATUS_FAILED, true },
        { "failed,stopped", ENG_STATUS_STOPPED, true },
        { "stopped", ENG_STATUS_FAILED, false },
    };
    AUTO_BUF struct buf got = buf_init(ROOM);
    unsigned n = 0;

    (void)state;
    serve("200", NULL, NULL);
    AUTO_MEM char *url = url_of("http", "/");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
        char on[32];
        snprintf(on, sizeof(on), "%s", rows[i].on != NULL ? rows[i].on : "");
        const struct eng_job j = { .webhook = url,
                                   .notify_on =
                                       rows[i].on != NULL ? on : NULL };
        r.status = rows[i].status;
        must(eng_notify(&j, &r, NULL, why));
        n += rows[i].told ? 1 : 0;
        if ((n > 0 && !request(n, &got)) || request(n + 1, &got))
            fail_msg("row %zu", i);
    }
}

static void what_is_refused_is_not_tried_again(void **state)
{
    AUTO_BUF struct buf got = buf_init(ROOM);
    struct err e = { 0 };

    (void)state;
    serve("302,404,401", NULL, NULL);
    AUTO_MEM char *url = url_of("http", "/");
    assert_int_equal(post(url, NULL, 60000, &e), -1);
    assert_non_null(strstr(e.msg, "it answers 302"));
    assert_int_equal(post(url, NULL, 60000, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(post(url, NULL, 60000, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    /* Nor was the redirection followed. */
    assert_false(request(4, &got));
}

static void what_cannot_be_reached_is_given_up(void **state)
{
    AUTO_BUF struct buf got = buf_init(ROOM);
    struct err e = { 0 };

    (void)state;
    serve("500", NULL, NULL);
    AUTO_MEM char *url = url_of("http", "/");
    int64_t began = utc_mono_ms();
    assert_int_equal(post(url, NULL, 1600, &e), -1);
    assert_non_null(strstr(e.msg, "it answers 500"));
    assert_true(utc_mono_ms() - began >= 1500);
    assert_true(request(3, &got));
    assert_false(request(4, &got));
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
    assert_int_equal(post(url, NULL, 600, &e), -1);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
}

static void who_waits_can_be_told_to_stop(void **state)
{
    struct err e = { 0 };
    struct cancel c;

    (void)state;
    serve("500", NULL, NULL);
    AUTO_MEM char *url = url_of("http", "/");
    must(cancel_init(&c, NULL, why));
    cancel_request(&c);
    assert_int_equal(eng_webhook_post(url, NULL, span_str("{}"), 60000, &c, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    cancel_fini(&c);
}

static void no_secret_of_a_url_is_in_an_error(void **state)
{
    static const char *const urls[] = {
        "http://us3r:pa55@127.0.0.1:1/t0ken/x?key=t0ken#t0ken",
        "http://us3r:p@55:pa55@127.0.0.1:1/t0ken",
        "https://us3r:pa55@127.0.0.1:1?t0ken",
        "http://us3r:pa55@no.such.host.invalid/t0ken",
        "http://us3r:pa55@[::1/t0ken",
        "gopher://us3r:pa55@127.0.0.1:1/t0ken",
        "t0ken://us3r:pa55@/",
        "http://us3r:pa55 x@host/t0ken",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct err e = { 0 };
        assert_int_equal(post(urls[i], NULL, 0, &e), -1);
        if (strstr(e.msg, "us3r") || strstr(e.msg, "pa55") ||
            strstr(e.msg, "t0ken/") || strstr(e.msg, "=t0ken") ||
            strstr(e.msg, "/t0ken"))
            fail_msg("%s", e.msg);
        if (i < 3)
            assert_non_null(strstr(e.msg, "://127.0.0.1:1: "));
    }
}

static void a_user_of_the_url_is_sent_to_its_server(void **state)
{
    AUTO_BUF struct buf got = buf_init(ROOM);
    AUTO_MEM char *url = NULL;

    (void)state;
    serve("200", NULL, NULL);
    assert_true(asprintf(&url, "http://me:word@127.0.0.1:%u/", port) > 0);
    must(post(url, NULL, 0, why));
    assert_true(request(1, &got));
    assert_non_null(
        strstr(buf_cstr(&got), "Authorization: Basic bWU6d29yZA==\n"));
}

static void a_certificate_that_nobody_vouches_for_is_refused(void **state)
{
    AUTO_BUF struct buf got = buf_init(ROOM);
    struct err e = { 0 };
    char cert[96];
    char key[96];

    (void)state;
    snprintf(cert, sizeof(cert), "%s/cert", dir);
    snprintf(key, sizeof(key), "%s/key", dir);
    const char *make[] = { "openssl",
                           "req",
                           "-x509",
                           "-newkey",
                           "ec",
                           "-pkeyopt",
                           "ec_paramgen_curve:P-256",
                           "-nodes",
                           "-days",
                           "2",
                           "-subj",
                           "/CN=x",
                           "-addext",
                           "subjectAltName=IP:127.0.0.1",
                           "-keyout",
                           key,
                           "-out",
                           cert,
                           NULL };
    must(process_run(make, 30000, NULL, NULL, why));
    serve("200", cert, key);
    AUTO_MEM char *url = url_of("https", "/");
    assert_int_equal(post(url, NULL, 60000, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_non_null(strstr(e.msg, "certificate"));
    assert_false(request(1, &got));
    must(post(url, cert, 0, why));
    assert_true(request(1, &got));
}

/* --- mail --- */

/* A job whose mails mail_reader.py reads, into FILE of the folder. */
struct mailing {
    char file[96];
    char to[128], from[128];
    char words[4][96];
    char *argv[4];
    struct eng_job job;
};

static void mailing_init(struct mailing *m, const char *to, const char *from)
{
    snprintf(m->file, sizeof(m->file), "%s/mail", dir);
    snprintf(m->to, sizeof(m->to), "%s", to);
    snprintf(m->from, sizeof(m->from), "%s", from != NULL ? from : "");
    snprintf(m->words[0], sizeof(m->words[0]), "python3");
    snprintf(m->words[1], sizeof(m->words[1]), "-B");
    snprintf(m->words[2], sizeof(m->words[2]), "%s", dir);
    snprintf(m->words[3], sizeof(m->words[3]), "%s", m->file);
    for (size_t i = 0; i < 4; i++)
        m->argv[i] = m->words[i];
    static char reader[] = RUN_TESTS "/mail_reader.py";
    m->argv[2] = reader;
    m->job = (struct eng_job){ .mail = { .v = m->argv, .n = 4 },
                               .mail_to = m->to,
                               .mail_from = from != NULL ? m->from : NULL };
}

static void a_mail_is_what_was_meant(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
    AUTO_BUF struct buf got = buf_init(ROOM);
    AUTO_BUF struct buf want = buf_init(ROOM);
    static const char to[] =
        "ops@example.org, \"M\xc3\xbcller, Jan\" <jan@example.org>";
    static const char from[] = "backup@example.org";
    struct mailing m;

    (void)state;
    mailing_init(&m, to, from);
    runs_set(&r.message, "a long line "
                         "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac "
                         "that has to be broken somewhere, since it has more "
                         "than seventy-six letters = many\n.\n.. and \t tabs ");
    m.job.timezone = NULL;
    must(eng_notify(&m.job, &r, NULL, why));
    must(io_read_file(m.file, &got, why));

    char zone[ENG_ZONE_NAME_CHARS];
    const struct eng_report report = { .run = &r,
                                       .zone = eng_job_zone(&m.job, zone) };
    must(eng_report_text(&report, &want, why));
    char *body = strstr(buf_cstr(&got), "\n\n");
    assert_non_null(body);
    assert_string_equal(body + 2, buf_cstr(&want));
    *body = '\0';
    const char *head = (const char *)got.p;
    assert_null(strstr(head, "\nBcc"));
    assert_non_null(strstr(head, "\nTo: ops@example.org, \"M\xc3\xbcller, Jan\""
                                 " <jan@example.org>\n"));
    assert_non_null(strstr(head, "\nSubject: [objvault] nightly: warning,"
                                 " 1 of 2 VMs failed\n"));
    assert_non_null(strstr(head, "\nDate: Sat, 28 Nov 2026 10:10:35 +0000\n"));
    assert_non_null(strstr(head, "\nMessage-ID: <nightly.42."));
    assert_non_null(strstr(head, "@backup1>\n"));
}

static void no_text_begins_a_header_of_its_own(void **state)
{
    static const char hostile[] = "a\r\nBcc: eve@example.org\n\nbody\x85\r";
    const struct eng_mail mail = { .from = hostile,
                                   .to = hostile,
                                   .subject = hostile,
                                   .id = hostile,
                                   .host = hostile,
                                   .date = T0,
                                   .body = "text" };
    AUTO_BUF struct buf message = buf_init(ROOM);
    size_t lines = 0;

    (void)state;
    eng_mail_compose(&mail, &message);
    must(buf_check(&message, why));
    assert_null(strstr(buf_cstr(&message), "\nBcc"));
    assert_null(strchr(buf_cstr(&message), '\r'));
    for (size_t i = 0; i < message.len; i++)
        lines += message.p[i] == '\n';
    assert_int_equal(lines, 11);
}

static void a_subject_of_any_letters_comes_back(void **state)
{
    static const char *const subjects[] = {
        "plain",
        "=?utf-8?B?eA==?=",
        "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe and a tail of many words that "
        "goes past the end of a line \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
        "one two three four five six seven eight nine ten eleven twelve "
        "thirteen fourteen",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        AUTO_BUF struct buf message = buf_init(ROOM);
        AUTO_BUF struct buf got = buf_init(ROOM);
        AUTO_MEM char *line = NULL;
        static const char to[] = "ops@example.org";
        struct mailing m;
        const struct eng_mail mail = { .to = to,
                                       .subject = subjects[i],
                                       .id = "1",
                                       .host = "h\xc3\xa4st\n!",
                                       .date = T0,
                                       .body = "text" };
        mailing_init(&m, to, NULL);
        eng_mail_compose(&mail, &message);
        must(buf_check(&message, why));
        const char *const argv[] = { m.argv[0], m.argv[1], m.argv[2], m.argv[3],
                                     NULL };
        must(process_run_input(argv, buf_span(&message), 30000, NULL, why));
        must(io_read_file(m.file, &got, why));
        assert_true(asprintf(&line, "\nSubject: %s\n", subjects[i]) > 0);
        if (strstr(buf_cstr(&got), line) == NULL)
            fail_msg("%s in %s", line, buf_cstr(&got));
        assert_non_null(
            strstr(buf_cstr(&got), "From: objvault <objvault@hst>\n"));
    }
}

static void each_way_is_tried_and_every_failure_is_told(void **state)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = sample();
    AUTO_BUF struct buf got = buf_init(ROOM);
    struct err e = { 0 };
    static const char to[] = "ops@example.org";
    char no[] = "exit 75; echo never";
    char sh[] = "sh";
    char c[] = "-c";
    char *bad[] = { sh, c, no };
    struct mailing m;

    (void)state;
    serve("404", NULL, NULL);
    AUTO_MEM char *url = url_of("http", "/secret");
    mailing_init(&m, to, NULL);
    m.job.webhook = url;
    assert_int_equal(eng_notify(&m.job, &r, NULL, &e), -1);
    assert_non_null(strstr(e.msg, "it answers 404"));
    assert_true(request(1, &got));
    assert_int_equal(access(m.file, F_OK), 0);

    m.job.mail.v = bad;
    m.job.mail.n = 3;
    assert_int_equal(eng_notify(&m.job, &r, NULL, &e), -1);
    assert_non_null(strstr(e.msg, "it answers 404"));
    assert_non_null(strstr(e.msg, "by mail: sh: exit status 75"));
}

int main(void)
{
#define NOTIFY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        NOTIFY_TEST(a_run_is_told_until_it_is_taken),
        NOTIFY_TEST(only_results_that_are_asked_for_are_told),
        NOTIFY_TEST(what_is_refused_is_not_tried_again),
        NOTIFY_TEST(what_cannot_be_reached_is_given_up),
        NOTIFY_TEST(who_waits_can_be_told_to_stop),
        NOTIFY_TEST(no_secret_of_a_url_is_in_an_error),
        NOTIFY_TEST(a_user_of_the_url_is_sent_to_its_server),
        NOTIFY_TEST(a_certificate_that_nobody_vouches_for_is_refused),
        NOTIFY_TEST(a_mail_is_what_was_meant),
        NOTIFY_TEST(no_text_begins_a_header_of_its_own),
        NOTIFY_TEST(a_subject_of_any_letters_comes_back),
        NOTIFY_TEST(each_way_is_tried_and_every_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
