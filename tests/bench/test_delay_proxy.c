// SPDX-License-Identifier: Apache-2.0
//
// The proxy in front of a server that sends back what it gets.
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DELAY_MS 20
#define FAR_MS 500
#define PIECE_SIZE ((size_t)64 << 10)
#define STREAM_SIZE ((size_t)16 << 20)
#define RESET_WORD "reset!"

static int server_port;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static bool send_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* Sends back; RESET_WORD alone makes it reset the connection. */
static void *echo_one(void *arg)
{
    int fd = (int)(intptr_t)arg;
    size_t size = 1 << 20;
    unsigned char *bytes = malloc(size);
    for (ssize_t n; bytes != NULL && (n = recv(fd, bytes, size, 0)) > 0;) {
        if (n == sizeof(RESET_WORD) &&
            memcmp(bytes, RESET_WORD, (size_t)n) == 0) {
            struct linger reset = { .l_onoff = 1 };
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
            break;
        }
        if (!send_all(fd, bytes, (size_t)n))
            break;
    }
    free(bytes);
    close(fd);
    return NULL;
}

static void *echo_all(void *arg)
{
    int listener = (int)(intptr_t)arg;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, echo_one, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

static int start_server(void **state)
{
    (void)state;
    struct sockaddr_in here = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(here);
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&here, size) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&here, &size) != 0)
        return -1;
    server_port = ntohs(here.sin_port);
    return pthread_create(&thread, NULL, echo_all, (void *)(intptr_t)fd);
}

struct proxy {
    pid_t pid;
    int port;
};

static struct proxy start_proxy(int delay_ms)
{
    char port[16];
    char delay[16];
    int out[2];
    snprintf(port, sizeof(port), "%d", server_port);
    snprintf(delay, sizeof(delay), "%d", delay_ms);
    assert_int_equal(pipe(out), 0);
    struct proxy p = { .pid = fork() };
    if (p.pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        close(out[1]);
        execl(DELAY_PROXY, "delay_proxy", port, delay, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    assert_int_equal(fscanf(f, "%d", &p.port), 1);
    fclose(f);
    return p;
}

static void stop_proxy(struct proxy p)
{
    int status;
    kill(p.pid, SIGTERM);
    assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static int dial(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval most = { .tv_sec = 30 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static double round_trip_ms(int fd)
{
    unsigned char byte = 'x';
    double start = now_ms();
    assert_true(send_all(fd, &byte, 1));
    assert_int_equal(recv(fd, &byte, 1, MSG_WAITALL), 1);
    return now_ms() - start;
}

/* The quickest of ten: what a busy machine adds is not the proxy's. */
static double quickest_ms(int fd)
{
    double best = round_trip_ms(fd);
    for (int i = 0; i < 9; i++) {
        double ms = round_trip_ms(fd);
        best = ms < best ? ms : best;
    }
    return best;
}

static void a_round_trip_takes_the_delay_longer(void **state)
{
    (void)state;
    struct proxy none = start_proxy(0);
    struct proxy slow = start_proxy(DELAY_MS);
    int direct = dial(none.port);
    double start = now_ms(); /* before: a pause behind it would hide some */
    int fd = dial(slow.port);
    (void)round_trip_ms(fd);
    double first = now_ms() - start;
    double grown = quickest_ms(fd) - quickest_ms(direct);
    assert_true(grown > DELAY_MS - 1 && grown < DELAY_MS + 15);
    /* The handshake's round trip comes on top. */
    assert_true(first > 2 * DELAY_MS - 1);
    close(fd);
    close(direct);
    stop_proxy(slow);
    stop_proxy(none);
}

struct stream {
    int fd;
    uint64_t seed;
    bool sent;
};

/* Piece `n` of the stream: noise, all but its number the same in each. */
static void fill(unsigned char piece[PIECE_SIZE], uint64_t seed, uint64_t n)
{
    uint64_t state = seed;
    for (size_t at = 0; n == 0 && at < PIECE_SIZE; at += sizeof(state)) {
        state = state * 6364136223846793005 + 1442695040888963407;
        memcpy(piece + at, &state, sizeof(state));
    }
    memcpy(piece, &n, sizeof(n));
}

static void *send_stream(void *arg)
{
    struct stream *s = arg;
    static unsigned char piece[PIECE_SIZE];
    s->sent = true;
    for (size_t n = 0; n < STREAM_SIZE / PIECE_SIZE && s->sent; n++) {
        fill(piece, s->seed, n);
        s->sent = send_all(s->fd, piece, sizeof(piece));
    }
    shutdown(s->fd, SHUT_WR);
    return NULL;
}

/* Sends and reads back at once; whether all came, in order, then the end. */
static bool stream_is_intact(int port, uint64_t seed)
{
    static unsigned char got[PIECE_SIZE], want[PIECE_SIZE];
    struct stream s = { .fd = dial(port), .seed = seed };
    pthread_t sender;
    bool same = true;
    assert_int_equal(pthread_create(&sender, NULL, send_stream, &s), 0);
    for (size_t n = 0; n < STREAM_SIZE / PIECE_SIZE && same; n++) {
        fill(want, seed, n);
        same = recv(s.fd, got, sizeof(got), MSG_WAITALL) == sizeof(got) &&
               memcmp(got, want, sizeof(got)) == 0;
    }
    same = same && recv(s.fd, got, 1, 0) == 0;
    shutdown(s.fd, SHUT_RDWR);
    pthread_join(sender, NULL);
    close(s.fd);
    return same && s.sent;
}

static void a_stream_arrives_whole_and_the_delay_does_not_slow_it(void **state)
{
    (void)state;
    struct proxy p = start_proxy(FAR_MS);
    double start = now_ms();
    assert_true(stream_is_intact(p.port, 1));
    double ms = now_ms() - start;
    stop_proxy(p);
    /* One piece of 256 KiB in each round trip would take 32 seconds. */
    assert_true(ms < (double)(STREAM_SIZE >> 18) * FAR_MS / 2);
}

static void a_reset_reaches_the_other_side(void **state)
{
    (void)state;
    unsigned char byte;
    struct proxy p = start_proxy(DELAY_MS);
    int fd = dial(p.port);
    assert_true(
        send_all(fd, (const unsigned char *)RESET_WORD, sizeof(RESET_WORD)));
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    int again = dial(p.port);
    assert_true(round_trip_ms(again) > DELAY_MS - 1);
    close(again);
    stop_proxy(p);
}

static void it_ends_with_whoever_started_it(void **state)
{
    (void)state;
    int pids[2];
    pid_t pid;
    int status;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(pids), 0);
    pid_t starter = fork();
    if (starter == 0) {
        struct proxy p = start_proxy(0);
        _exit(write(pids[1], &p.pid, sizeof(p.pid)) != sizeof(p.pid));
    }
    assert_int_equal(waitpid(starter, &status, 0), starter);
    assert_int_equal(status, 0);
    assert_int_equal(read(pids[0], &pid, sizeof(pid)), sizeof(pid));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(pids[0]);
    close(pids[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_trip_takes_the_delay_longer),
        cmocka_unit_test(a_stream_arrives_whole_and_the_delay_does_not_slow_it),
        cmocka_unit_test(a_reset_reaches_the_other_side),
        cmocka_unit_test(it_ends_with_whoever_started_it),
    };
    return cmocka_run_group_tests(tests, start_server, NULL);
}
