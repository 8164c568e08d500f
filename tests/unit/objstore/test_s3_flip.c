// SPDX-License-Identifier: Apache-2.0
/* A body that is damaged on its way to a real server: between the two stands a
 * relay that changes one byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "objstore/retry.h"
#include "s3_real.h"

#define BODY (1u << 20)
#define CONNECTIONS 16
#define FLIP_AT (BODY / 2) /* counted from the start of the connection */

static struct {
    int listener, stop[2];
    unsigned port;
    struct sockaddr_in server;
    atomic_uint flips_left; /* connections that are still to be damaged */
    pthread_t thread, connections[CONNECTIONS];
    unsigned n;
} relay;

/* "http://127.0.0.1:9000": the only kind of server that is relayed. */
static bool find_server(void)
{
    const char *endpoint = getenv("OBJVAULT_TEST_S3_ENDPOINT");
    unsigned port = 0;

    if (sscanf(endpoint, "http://127.0.0.1:%u", &port) != 1)
        return false;
    relay.server =
        (struct sockaddr_in){ .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return true;
}

/* Passes on what came; false: an end has closed. */
static bool pass(int from, int to, uint64_t *seen, bool flip)
{
    uint8_t p[16384];
    ssize_t n = read(from, p, sizeof p);

    if (n <= 0)
        return false;
    if (flip && *seen <= FLIP_AT && *seen + (uint64_t)n > FLIP_AT)
        p[FLIP_AT - *seen] ^= 0x10;
    *seen += (uint64_t)n;
    for (ssize_t at = 0; at < n;) {
        ssize_t w = write(to, p + at, (size_t)(n - at));
        if (w <= 0)
            return false;
        at += w;
    }
    return true;
}

static void *serve(void *arg)
{
    int client = (int)(intptr_t)arg;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t up = 0;
    uint64_t down = 0;
    bool open = connect(server, (struct sockaddr *)&relay.server,
                        sizeof relay.server) == 0;

    /* Connections are made one after the other. */
    bool flip = atomic_load(&relay.flips_left) > 0;
    if (flip)
        atomic_fetch_sub(&relay.flips_left, 1);
    while (open) {
        struct pollfd fds[] = { { .fd = client, .events = POLLIN },
                                { .fd = server, .events = POLLIN },
                                { .fd = relay.stop[0], .events = POLLIN } };
        if (poll(fds, 3, -1) < 0 || fds[2].revents != 0)
            break;
        if (fds[0].revents != 0)
            open = pass(client, server, &up, flip);
        if (open && fds[1].revents != 0)
            open = pass(server, client, &down, false);
    }
    close(server);
    close(client);
    return NULL;
}

static void *relay_main(void *arg)
{
    (void)arg;
    for (;;) {
        struct pollfd fds[] = { { .fd = relay.listener, .events = POLLIN },
                                { .fd = relay.stop[0], .events = POLLIN } };
        if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
            return NULL;
        int client = accept(relay.listener, NULL, NULL);
        if (client >= 0 && relay.n < CONNECTIONS &&
            pthread_create(&relay.connections[relay.n], NULL, serve,
                           (void *)(intptr_t)client) == 0)
            relay.n++;
        else if (client >= 0)
            close(client);
    }
}

static void relay_start(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    relay.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(relay.listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(relay.listener, 16), 0);
    assert_int_equal(getsockname(relay.listener, (struct sockaddr *)&at, &len),
                     0);
    relay.port = ntohs(at.sin_port);
    assert_int_equal(pipe(relay.stop), 0);
    assert_int_equal(pthread_create(&relay.thread, NULL, relay_main, NULL), 0);
}

static void relay_stop(void)
{
    assert_int_equal(write(relay.stop[1], "", 1), 1);
    pthread_join(relay.thread, NULL);
    while (relay.n > 0)
        pthread_join(relay.connections[--relay.n], NULL);
    close(relay.listener);
    close(relay.stop[0]);
    close(relay.stop[1]);
}

/* Puts a body through the relay, of whose connections so many do damage. */
static int put_damaged(enum obj_payload payload, unsigned flips, bool bulk,
                       struct obj_counters *n, struct err *e)
{
    struct obj_config c = real_config(real.plain_name);
    const struct obj_put_opts o = { .bulk = bulk };
    struct obj_req r = { .key = "flip" };
    char endpoint[64];
    AUTO_BUF struct buf got = buf_init(BODY);
    AUTO_MEM uint8_t *body = malloc(BODY);

    assert_non_null(body);
    for (size_t i = 0; i < BODY; i++)
        body[i] = (uint8_t)(i * 7 + i / 251);
    atomic_store(&relay.flips_left, flips);
    relay_start();
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", relay.port);
    c.endpoint = endpoint;
    c.payload = payload;
    struct obj_store *s = obj_store_open_driver(&obj_s3_driver, &c, NULL, e);
    assert_non_null(s);
    int put = obj_put(s, &r, span_of(body, BODY), &o, NULL, e);
    obj_store_counters(s, n);
    if (put == 0) {
        assert_int_equal(obj_get(s, &r, NULL, &got, NULL, e), 0);
        assert_int_equal(got.len, BODY);
        assert_memory_equal(got.p, body, BODY);
        assert_int_equal(obj_delete(s, &r, false, e), 0);
    } else {
        struct err other;
        assert_int_equal(obj_head(s, &r, NULL, &other), -1);
        assert_int_equal(other.kind, ERR_NOTFOUND);
    }
    obj_store_close(s);
    relay_stop();
    return put;
}

static void a_byte_that_flips_on_its_way_is_refused_by_the_server(void **state)
{
    static const enum obj_payload payloads[] = { OBJ_PAYLOAD_CRC32C,
                                                 OBJ_PAYLOAD_SIGNED };

    (void)state;
    if (!find_server()) {
        print_message("the relay does not speak TLS\n");
        skip();
    }
    for (size_t i = 0; i < 2; i++) {
        struct obj_counters n;
        struct err e = { 0 };
        if (put_damaged(payloads[i], 1, true, &n, &e) < 0)
            fail_msg("%s", e.msg);
        assert_int_equal(n.requests[OBJ_PUT], 2);
        assert_int_equal(put_damaged(payloads[i], 3, true, &n, &e), -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
        assert_int_equal(n.requests[OBJ_PUT], 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_that_flips_on_its_way_is_refused_by_the_server),
    };

    if (!real_wanted()) {
        puts("skipped: OBJVAULT_TEST_S3_ENDPOINT names no server");
        return 77;
    }
    return cmocka_run_group_tests(tests, real_setup, real_teardown);
}
