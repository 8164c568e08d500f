// SPDX-License-Identifier: Apache-2.0
//
// Keys from programs, containers and instance metadata, played by fakes: what
// they are asked, what is made of their answers, and which one comes first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "keys_rig.h"

/* Instance metadata. */

static void metadata_is_asked_by_token_role_and_keys(void **state)
{
    AUTO_OBJ_CREDENTIALS struct obj_credentials c;
    struct err e = { 0 };

    (void)state;
    metadata_is_the_fake();
    /* A proxy must not see this: nothing listens there. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    add("200 OK", "imds-token==");
    add("200 OK", "backup-role\nother-role\n");
    add("200 OK", endpoint_json("IMDS", "t1"));
    if (obj_credentials_load(NULL, NULL, &c, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(c.access_key, "IMDS");
    assert_string_equal(c.origin, "instance metadata, role backup-role");
    int64_t left = c.expires - utc_real_now();
    assert_in_range((unsigned)left, 3590, 3600);
    assert_int_equal(fake_requests(fake), 3);
    assert_asked(0, "PUT /latest/api/token HTTP/1.1\r\n");
    assert_asked(0, "\r\nX-aws-ec2-metadata-token-ttl-seconds: 300\r\n");
    assert_asked(1, "GET /latest/meta-data/iam/security-credentials/ HTTP");
    assert_asked(1, "\r\nX-aws-ec2-metadata-token: imds-token==\r\n");
    assert_asked(2, "GET /latest/meta-data/iam/security-credentials/"
                    "backup-role HTTP");
    assert_asked(2, "\r\nX-aws-ec2-metadata-token: imds-token==\r\n");
}

static void silent_metadata_costs_a_second_and_is_no_error(void **state)
{
    (void)state;
    metadata_is_the_fake();
    fake_add(fake, NULL, FAKE_HANG);
    int64_t from = utc_mono_ms();
    assert_refused(NULL, ERR_DENIED, "(no answer)");
    assert_in_range((unsigned)(utc_mono_ms() - from), 900, 3000);
    assert_int_equal(fake_requests(fake), 1);
    fake_forget(fake);
    add("403 Forbidden", "");
    assert_refused(NULL, ERR_DENIED, "(HTTP 403 for a token)");
    fake_forget(fake);
    add("200 OK", "tok");
    add("404 Not Found", "");
    assert_refused(NULL, ERR_DENIED, "(the machine has no role)");
}

static void disabled_metadata_is_not_asked(void **state)
{
    (void)state;
    metadata_is_the_fake();
    setenv("AWS_EC2_METADATA_DISABLED", "TRUE", 1);
    assert_refused(NULL, ERR_DENIED, "AWS_EC2_METADATA_DISABLED");
    assert_int_equal(fake_requests(fake), 0);
}

static void hostile_metadata_is_refused(void **state)
{
    static const struct {
        const char *token, *role, *keys, *why;
    } cases[] = {
        { "tok\ren", NULL, NULL, "its token makes no sense" },
        { "t k", NULL, NULL, "its token makes no sense" },
        { "tok", "", NULL, "list of roles" },
        { "tok", "../../user-data", NULL, "list of roles" },
        { "tok", "a?b", NULL, "list of roles" },
        { "tok", "a\x01", NULL, "list of roles" },
        { "tok", "role", "<html/>", "role role" },
        { "tok", "role", "{\"Code\":\"Failed\"}", "\"Failed\"" },
    };

    (void)state;
    metadata_is_the_fake();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_forget(fake);
        add("200 OK", cases[i].token);
        if (cases[i].role != NULL)
            add("200 OK", cases[i].role);
        if (cases[i].keys != NULL)
            add("200 OK", cases[i].keys);
        assert_refused(NULL, ERR_DENIED, cases[i].why);
    }
    fake_forget(fake);
    fake_add(fake, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx",
             FAKE_HANG);
    assert_refused(NULL, ERR_DENIED, "more than the");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ftp://x", 1);
    assert_refused(NULL, ERR_CONFIG, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

/* Containers. */

static void container_is_asked_with_its_token(void **state)
{
    (void)state;
    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/v2/keys?id=7");
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    add("200 OK", endpoint_json("CONT", "ct"));
    assert_loaded(NULL, "CONT", HUSH, "ct");
    assert_asked(0, "GET /v2/keys?id=7 HTTP/1.1\r\n");
    assert_null(strcasestr(fake_head(fake, 0), "\r\nAuthorization:"));

    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc", 1);
    add("200 OK", endpoint_json("CONT", "ct"));
    assert_loaded(NULL, "CONT", HUSH, "ct");
    assert_asked(1, "\r\nAuthorization: Basic abc\r\n");

    /* The file comes first, and is read anew each time. */
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", at_home("token"), 1);
    write_to("token", "first\n", 0600);
    add("200 OK", endpoint_json("CONT", "ct"));
    assert_loaded(NULL, "CONT", HUSH, "ct");
    assert_asked(2, "\r\nAuthorization: first\r\n");
    write_to("token", "second", 0600);
    add("200 OK", endpoint_json("CONT", "ct"));
    assert_loaded(NULL, "CONT", HUSH, "ct");
    assert_asked(3, "\r\nAuthorization: second\r\n");

    write_to("token", "a\r\nX-Injected: b\r\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "not one line");
    write_to("token", "\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "empty");
    unlink(at_home("token"));
    assert_refused(NULL, ERR_NOTFOUND, "AUTHORIZATION_TOKEN_FILE");
    unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX-Injected: b", 1);
    assert_refused(NULL, ERR_CONFIG, "line break");
    assert_int_equal(fake_requests(fake), 4);
}

static void container_on_a_foreign_host_is_never_asked(void **state)
{
    static const char *const urls[] = {
        "http://example.com/keys",
        "http://169.254.169.254/keys",
        "http://127.0.0.1.example.com/keys",
        "http://localhost.example.com/keys",
        "http://127.0.0.1:80@example.com/keys",
        "http://128.0.0.1/keys",
        "ftp://127.0.0.1/keys",
        "file:///etc/passwd",
        "/relative",
        "http://",
    };

    (void)state;
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", HUSH, 1);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i], 1);
        assert_refused(NULL, ERR_CONFIG, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    }
    /* These are; nothing listens there. */
    static const char *const good[] = { "http://127.9.9.9:1/keys",
                                        "http://localhost:1/keys",
                                        "http://[::1]:1/keys",
                                        "https://127.0.0.1:1/keys" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", good[i], 1);
        assert_refused(NULL, ERR_UNREACHABLE, "the container's endpoint at");
    }
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "no-slash", 1);
    assert_refused(NULL, ERR_CONFIG, "must begin with a slash");
}

static void relative_address_is_the_container_agents(void **state)
{
    struct obj_credentials c;
    struct err e = { 0 };

    (void)state;
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/objvault-no-such-path",
           1);
    assert_int_equal(obj_credentials_load(NULL, NULL, &c, &e), -1);
    assert_non_null(strstr(e.msg, "the container's endpoint at "
                                  "169.254.170.2: "));
    /* The path is what protects the keys. */
    assert_null(strstr(e.msg, "no-such-path"));
}

static void container_that_refuses_or_is_busy_says_so(void **state)
{
    (void)state;
    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/k");
    add("403 Forbidden", "{}");
    assert_refused(NULL, ERR_DENIED, "HTTP 403");
    add("503 Busy", "");
    add("200 OK", endpoint_json("CONT", "ct"));
    assert_loaded(NULL, "CONT", HUSH, "ct");
    fake_forget(fake);
    for (int i = 0; i < 3; i++)
        add("500 Broken", "");
    assert_refused(NULL, ERR_DENIED, "HTTP 500");
    assert_int_equal(fake_requests(fake), 3);
    fake_forget(fake);
    fake_add(fake,
             "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
             "Content-Length: 0\r\n\r\n",
             FAKE_NONE);
    assert_refused(NULL, ERR_DENIED, "HTTP 302");
}

static void values_of_answers_cannot_add_headers(void **state)
{
    (void)state;
    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/k");
    add("200 OK", endpoint_json("CONT", "ct\\r\\nX-Injected: 1"));
    assert_refused(NULL, ERR_CONFIG, "session token");
    add("200 OK", endpoint_json("A\\nB", "ct"));
    assert_refused(NULL, ERR_CONFIG, "access key id");
}

static void expired_keys_are_refused_where_they_come_from(void **state)
{
    char text[512];

    (void)state;
    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/k");
    snprintf(text, sizeof text,
             "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" HUSH "\","
             "\"Expiration\":\"%s\"}",
             in_seconds(-5));
    add("200 OK", text);
    assert_refused(NULL, ERR_DENIED, "they expired at 20");
}

/* Programs. */

static void program_is(const char *file, const char *script)
{
    char config[512];

    write_to(file, script, 0700);
    snprintf(config, sizeof config,
             "[default]\ncredential_process = '%s' \"two words\" $HOME\n",
             at_home(file));
    write_to(".aws/config", config, 0600);
}

static void program_prints_keys_and_no_shell_runs_it(void **state)
{
    (void)state;
    program_is("my keys.sh",
               "#!/bin/sh\necho chatter >&2\n[ \"$#\" = 2 ] && [ \"$1\" = "
               "'two words' ] && [ \"$2\" = '$HOME' ] || exit 9\n"
               "echo '{\"Version\":1,\"AccessKeyId\":\"PROC\",'\n"
               "echo '\"SecretAccessKey\":\"" HUSH "\",\"SessionToken\":\"pt\","
               "\"Expiration\":\"9000-01-01T00:00:00Z\"}'\n");
    assert_loaded(NULL, "PROC", HUSH, "pt");
}

static void failing_programs_are_named_and_not_quoted(void **state)
{
    static const struct {
        const char *script, *why;
        enum err_kind kind;
    } cases[] = {
        { "#!/bin/sh\necho " HUSH "\necho " HUSH " >&2\nexit 3\n",
          "exit status 3", ERR_DENIED },
        { "#!/bin/sh\necho " HUSH "\n", "its answer", ERR_DENIED },
        { "#!/bin/sh\nexit 0\n", "its answer", ERR_DENIED },
        { "#!/bin/sh\necho '{\"Version\":2}'\n", "Version", ERR_DENIED },
        { "#!/bin/sh\nexec cat /dev/zero\n", "larger than", ERR_CONFIG },
    };
    struct obj_credentials c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        program_is("keys.sh", cases[i].script);
        assert_refused(NULL, cases[i].kind, cases[i].why);
        assert_int_equal(obj_credentials_load(NULL, NULL, &c, &e), -1);
        assert_non_null(strstr(e.msg, "keys.sh"));
        assert_null(strstr(e.msg, HUSH));
    }
    write_to(".aws/config",
             "[default]\ncredential_process = /no/such/program\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "/no/such/program");
    write_to(".aws/config", "[default]\ncredential_process = 'a\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "left open");
}

static void written_keys_come_before_the_program(void **state)
{
    (void)state;
    program_is("keys.sh", "#!/bin/sh\nexit 1\n");
    write_to(".aws/credentials",
             "[default]\naws_access_key_id=W\naws_secret_access_key=w\n", 0600);
    assert_loaded(NULL, "W", "w", NULL);
}

/* Order. */

/* All at once; then each in turn is taken away, and the next one answers. */
static void sources_are_asked_in_the_order_of_aws_tools(void **state)
{
    (void)state;
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    metadata_is_the_fake();
    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/c");
    write_to(".aws/credentials",
             "[default]\naws_access_key_id=P\naws_secret_access_key=p\n", 0600);
    write_to("jwt", JWT, 0600);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", at_home("jwt"), 1);
    setenv("AWS_ROLE_ARN", "arn:w", 1);
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "e", 1);

    assert_loaded(NULL, "E", "e", NULL);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_int_equal(fake_requests(fake), 0);
    add("200 OK", sts_xml("AssumeRoleWithWebIdentity", "WEB", "wt"));
    assert_loaded(NULL, "WEB", HUSH, "wt");
    unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    assert_loaded(NULL, "P", "p", NULL);
    write_to(".aws/credentials", "", 0600);
    assert_int_equal(fake_requests(fake), 1);
    add("200 OK", endpoint_json("CONT", "ct"));
    assert_loaded(NULL, "CONT", HUSH, "ct");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    add("200 OK", "tok");
    add("200 OK", "role");
    add("200 OK", endpoint_json("IMDS", "it"));
    assert_loaded(NULL, "IMDS", HUSH, "it");
}

/* A source that is configured and fails is not passed over. */
static void failing_source_is_not_replaced_by_the_next(void **state)
{
    (void)state;
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    write_to(".aws/credentials",
             "[default]\naws_access_key_id=P\naws_secret_access_key=p\n", 0600);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", at_home("no-such-file"), 1);
    setenv("AWS_ROLE_ARN", "arn:w", 1);
    assert_refused(NULL, ERR_NOTFOUND, "web identity token");
}

/* A stop, while somebody who gives out keys is waited for. */

static void *stop_soon(void *token)
{
    struct timespec t = { .tv_nsec = 200 * 1000000 };

    nanosleep(&t, NULL);
    cancel_request(token);
    return NULL;
}

static void assert_file_stops(const char *file, const char *whom)
{
    AUTO_OBJ_CREDENTIALS struct obj_credentials c;
    struct cancel token;
    struct err e = { 0 };
    pthread_t thread;
    int64_t from = utc_mono_ms();

    assert_int_equal(cancel_init(&token, NULL, &e), 0);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &token), 0);
    assert_int_equal(obj_credentials_load(file, &token, &c, &e), -1);
    pthread_join(thread, NULL);
    cancel_fini(&token);
    if (e.kind != ERR_CANCELLED || utc_mono_ms() - from > 1000)
        fail_msg("%s: %s after %d ms", whom, e.msg,
                 (int)(utc_mono_ms() - from));
}

static void assert_stops(const char *whom)
{
    assert_file_stops(NULL, whom);
}

static void a_stop_ends_the_wait_for_whoever_gives_out_keys(void **state)
{
    char config[256];

    (void)state;
    snprintf(config, sizeof config, "[default]\ncredential_process = %s\n",
             "sleep 30");
    write_to(".aws/config", config, 0600);
    assert_stops("a program");
    unlink(at_home(".aws/config"));

    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/keys");
    fake_add(fake, NULL, FAKE_HANG);
    assert_stops("a container's endpoint");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    fake_forget(fake);
    metadata_is_the_fake();
    fake_add(fake, NULL, FAKE_HANG);
    assert_stops("instance metadata");

    fake_forget(fake);
    write_to("token", JWT, 0600);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", at_home("token"), 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/backup", 1);
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    fake_add(fake, NULL, FAKE_HANG);
    assert_stops("STS");

    write_to("keys.json",
             "{\"access_key_id\":\"A\",\"secret_access_key\":"
             "{\"command\":[\"sleep\",\"30\"]}}",
             0600);
    assert_file_stops(at_home("keys.json"), "a command of a file of keys");
}

/* In the second pause, which takes 400 ms. */
static void *stop_after_two_answers(void *token)
{
    struct timespec t = { .tv_nsec = 100 * 1000000 };

    while (fake_requests(fake) < 2)
        usleep(1000);
    nanosleep(&t, NULL);
    cancel_request(token);
    return NULL;
}

static void a_stop_between_two_questions_is_no_refusal(void **state)
{
    AUTO_OBJ_CREDENTIALS struct obj_credentials c;
    struct cancel token;
    struct err e = { 0 };
    pthread_t thread;

    (void)state;
    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/keys");
    for (int i = 0; i < 3; i++)
        add("503 Busy", "");
    assert_int_equal(cancel_init(&token, NULL, &e), 0);
    assert_int_equal(
        pthread_create(&thread, NULL, stop_after_two_answers, &token), 0);
    assert_int_equal(obj_credentials_load(NULL, &token, &c, &e), -1);
    pthread_join(thread, NULL);
    cancel_fini(&token);
    if (e.kind != ERR_CANCELLED)
        fail_msg("%s: %s", err_kind_name(e.kind), e.msg);
    assert_int_equal(fake_requests(fake), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FAKE(metadata_is_asked_by_token_role_and_keys),
        WITH_FAKE(silent_metadata_costs_a_second_and_is_no_error),
        WITH_FAKE(disabled_metadata_is_not_asked),
        WITH_FAKE(hostile_metadata_is_refused),
        WITH_FAKE(container_is_asked_with_its_token),
        WITH_FAKE(container_on_a_foreign_host_is_never_asked),
        WITH_FAKE(relative_address_is_the_container_agents),
        WITH_FAKE(container_that_refuses_or_is_busy_says_so),
        WITH_FAKE(values_of_answers_cannot_add_headers),
        WITH_FAKE(expired_keys_are_refused_where_they_come_from),
        WITH_FAKE(program_prints_keys_and_no_shell_runs_it),
        WITH_FAKE(failing_programs_are_named_and_not_quoted),
        WITH_FAKE(written_keys_come_before_the_program),
        WITH_FAKE(sources_are_asked_in_the_order_of_aws_tools),
        WITH_FAKE(failing_source_is_not_replaced_by_the_next),
        WITH_FAKE(a_stop_ends_the_wait_for_whoever_gives_out_keys),
        WITH_FAKE(a_stop_between_two_questions_is_no_refusal),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
