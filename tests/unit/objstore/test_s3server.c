// SPDX-License-Identifier: Apache-2.0
//
// The S3 server of the tests is held to what AWS publishes and documents, over
// a bare socket: what else is tested on it is worth no more than it is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utc.h"
#include "tests/s3server/s3server.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Sends a text and returns all that comes back, in a buffer that the next call
 * uses again. */
static const char *ask(const struct s3server *s, const char *text)
{
    static char answer[65536];
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)s3server_port(s)),
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    size_t n = 0;
    ssize_t got;

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    while ((got = recv(fd, answer + n, sizeof answer - 1 - n, 0)) > 0)
        n += (size_t)got;
    close(fd);
    answer[n] = '\0';
    return answer;
}

/* The server of Amazon's examples, at their time. */
static struct s3server *example_server(void)
{
    int64_t then = 0;

    assert_true(utc_parse_iso("2013-05-24T00:00:00Z", &then));
    const struct s3server_opts o = {
        .access_key = "AKIAIOSFODNN7EXAMPLE",
        .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        .domain = "s3.amazonaws.com",
        .clock_offset_s = then - utc_real_now(),
    };
    struct s3server *s = s3server_start(&o);
    s3server_bucket(s, "examplebucket", S3SERVER_NEVER, false);
    return s;
}

#define HOST "Host: examplebucket.s3.amazonaws.com\r\nConnection: close\r\n"
#define AUTHORIZATION(headers, signature)                                      \
    "Authorization: AWS4-HMAC-SHA256 "                                         \
    "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"      \
    "SignedHeaders=" headers ",Signature=" signature "\r\n"
#define STAMP "x-amz-date: 20130524T000000Z\r\n"
#define HASH(hex) "x-amz-content-sha256: " hex "\r\n"

static void published_signatures_are_accepted_and_no_others(void **state)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        { "PUT /test$file.text HTTP/1.1\r\n" HOST "Content-Length: 21\r\n"
          "Date: Fri, 24 May 2013 00:00:00 GMT\r\n"
          "x-amz-storage-class: REDUCED_REDUNDANCY\r\n" STAMP HASH(
              "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b0"
              "72") AUTHORIZATION("date;host;x-amz-content-sha256;x-amz-date;"
                                  "x-amz-storage-class",
                                  "98ad721746da40c64f1a55b78f14c238d841ea1380"
                                  "cd77a1b5971af0ece108bd") "\r\n"
                                                            "Welcome to "
                                                            "Amazon S3.",
          200 },
        { "GET /?lifecycle HTTP/1.1\r\n" HOST STAMP HASH(EMPTY) AUTHORIZATION(
              "host;x-amz-content-sha256;x-amz-date",
              "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a01367835"
              "43") "\r\n",
          404 /* signed well, and never set */ },
        { "GET /?prefix=J&max-keys=2 HTTP/1.1\r\n" HOST STAMP HASH(EMPTY)
              AUTHORIZATION("host;x-amz-content-sha256;x-amz-date",
                            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670e"
                            "d5711ef69dc6f7") "\r\n",
          501 /* a listing of the first version */ },
        { "GET /?max-keys=3&prefix=J HTTP/1.1\r\n" HOST STAMP HASH(EMPTY)
              AUTHORIZATION("host;x-amz-content-sha256;x-amz-date",
                            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670e"
                            "d5711ef69dc6f7") "\r\n",
          403 },
        { "GET /test.txt HTTP/1.1\r\n" HOST
          "Range: bytes=0-9\r\n" STAMP HASH(EMPTY) AUTHORIZATION(
              "host;range;x-amz-content-sha256;x-amz-date",
              "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb"
              "41") "\r\n",
          404 },
        { "GET /test.txt HTTP/1.1\r\n" HOST
          "Range: bytes=0-8\r\n" STAMP HASH(EMPTY) AUTHORIZATION(
              "host;range;x-amz-content-sha256;x-amz-date",
              "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb"
              "41") "\r\n",
          403 },
        /* A header of Amazon's that nobody signed. */
        { "GET /test.txt HTTP/1.1\r\n" HOST
          "Range: bytes=0-9\r\nx-amz-extra: 1\r\n" STAMP HASH(EMPTY)
              AUTHORIZATION("host;range;x-amz-content-sha256;x-amz-date",
                            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd9"
                            "1039c6036bdb41") "\r\n",
          403 },
        { "GET /test.txt HTTP/1.1\r\n" HOST "\r\n", 403 },
    };
    struct s3server *s = example_server();
    char status[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(status, sizeof status, "HTTP/1.1 %d ", cases[i].status);
        const char *answer = ask(s, cases[i].request);
        if (strncmp(answer, status, strlen(status)) != 0)
            fail_msg("case %zu: %.400s", i, answer);
    }
    assert_int_equal(s3server_puts(s, "examplebucket", "test$file.text"), 1);
    s3server_stop(s);
}

static void old_signatures_are_refused_with_the_server_s_time(void **state)
{
    struct s3server *s = example_server();

    (void)state;
    s3server_set_clock(s, 0);
    const char *answer = ask(
        s, "GET /test.txt HTTP/1.1\r\n" HOST
           "Range: bytes=0-9\r\n" STAMP HASH(EMPTY) AUTHORIZATION(
               "host;range;x-amz-content-sha256;x-amz-date",
               "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb"
               "41") "\r\n");
    assert_non_null(strstr(answer, "403"));
    assert_non_null(strstr(answer, "<Code>RequestTimeTooSkewed</Code>"));
    assert_non_null(strstr(answer, "<ServerTime>"));
    s3server_stop(s);
}

static void what_is_no_request_ends_the_connection(void **state)
{
    struct s3server *s = example_server();

    (void)state;
    assert_non_null(strstr(ask(s, "HELO\r\n\r\n"), "400"));
    assert_non_null(
        strstr(ask(s, "GET / HTTP/1.1\r\nnonsense\r\n\r\n"), "400"));
    s3server_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures_are_accepted_and_no_others),
        cmocka_unit_test(old_signatures_are_refused_with_the_server_s_time),
        cmocka_unit_test(what_is_no_request_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
