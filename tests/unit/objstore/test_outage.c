// SPDX-License-Identifier: Apache-2.0
/* Total outages: nobody's request succeeds for a long time, and then all do.
 * The clocks run a thousand times faster: a second is a millisecond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_http.h"
#include "retry_fixture.h"

#define OUTAGE_MS (30 * 60)
#define LIMIT_MS (60 * 60)
#define WRITERS 8

/* What the server does meanwhile. */
enum mode { WORKS, REFUSES, GATEWAY, SWALLOWS };

/* One connection after the other, one request each. */
struct outage {
    int listener; /* -1: refuses */
    unsigned port;
    pthread_t thread;
    atomic_int mode;
    atomic_bool stop;
    atomic_uint stored; /* puts that were answered with success */
};

static int listen_on(unsigned *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)*port),
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    *port = ntohs(a.sin_port);
    return fd;
}

static void answer(struct outage *o, int fd)
{
    static const char gateway[] = "HTTP/1.1 502 Bad Gateway\r\n"
                                  "Content-Length: 15\r\n"
                                  "Connection: close\r\n\r\n"
                                  "<html>no</html>";
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";
    char *head = malloc(FAKE_HEAD_MAX);
    char body[64];

    if (fake_read_head(fd, head) &&
        read(fd, body, fake_body_length(head)) >= 0) {
        bool works = atomic_load(&o->mode) == WORKS;
        const char *text = works ? good : gateway;
        atomic_fetch_add(&o->stored, works ? 1 : 0);
        (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
    }
    free(head);
    close(fd);
}

/* Listens or not, as the mode wants. */
static void follow_mode(struct outage *o)
{
    bool refuses = atomic_load(&o->mode) == REFUSES;

    if (refuses && o->listener >= 0) {
        close(o->listener);
        o->listener = -1;
    } else if (!refuses && o->listener < 0) {
        o->listener = listen_on(&o->port);
    }
}

static void *outage_run(void *arg)
{
    struct outage *o = arg;
    int silent[512];
    size_t n = 0;

    while (!atomic_load(&o->stop)) {
        follow_mode(o);
        struct pollfd p = { .fd = o->listener, .events = POLLIN };
        if (poll(&p, 1, 5) <= 0)
            continue;
        int fd = accept(o->listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (atomic_load(&o->mode) == SWALLOWS && n < 512)
            silent[n++] = fd;
        else
            answer(o, fd);
    }
    while (n > 0)
        close(silent[--n]);
    return NULL;
}

static int outage_setup(void **state)
{
    struct outage *o = calloc(1, sizeof *o);

    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("no_proxy", "*", 1); /* no proxy of the machine in between */
    o->listener = listen_on(&o->port);
    if (pthread_create(&o->thread, NULL, outage_run, o) != 0)
        abort();
    *state = o;
    return 0;
}

static int outage_teardown(void **state)
{
    struct outage *o = *state;

    atomic_store(&o->stop, true);
    pthread_join(o->thread, NULL);
    if (o->listener >= 0)
        close(o->listener);
    free(o);
    return 0;
}

/* A request that gets nothing is given up after a tenth of a second, which is
 * generous: it stands for half a minute. */
static void *open_hasty(const struct obj_config *c, char **name, struct err *e)
{
    struct obj_config hasty = *c;

    hasty.deadline_ms = 100;
    return obj_s3_driver.open(&hasty, name, e);
}

static struct obj_store *open_scaled(const struct outage *o, int64_t limit_ms)
{
    static struct obj_driver driver;
    struct obj_tuning t = obj_tuning_default;
    char endpoint[64];
    struct obj_config c = { .bucket = "bucket", .endpoint = endpoint };
    struct err e = { 0 };

    for (int i = 0; i < OBJ_RULES; i++) {
        t.rules[i].base_ms = (t.rules[i].base_ms + 999) / 1000;
        t.rules[i].cap_ms = (t.rules[i].cap_ms + 999) / 1000;
    }
    t.pace.grow_ms /= 1000;
    t.pace.shrink_ms /= 1000;
    t.pace.probe_ms /= 1000;
    t.pace.slice_ms = 1;
    t.retry_after_ms /= 1000;
    t.deadline_ms = limit_ms;
    driver = obj_s3_driver;
    driver.open = open_hasty;
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", o->port);
    struct obj_store *s = obj_store_open_driver(&driver, &c, &t, &e);
    if (s == NULL)
        fail_msg("%s", e.msg);
    return s;
}

struct load {
    atomic_bool last;   /* the put that runs is a writer's last */
    atomic_uint active; /* writers */
};

struct writer {
    struct obj_store *s;
    pthread_t thread;
    unsigned puts;
    int result;
    struct err e;
    struct load *load;
};

static void *write_on(void *arg)
{
    struct writer *w = arg;
    struct obj_req r = { .key = "plain/blocks/ab/cd" };

    while (w->result == 0 && !atomic_load(&w->load->last)) {
        w->result = obj_put(w->s, &r, span_str("hello"), NULL, NULL, &w->e);
        w->puts += w->result == 0;
    }
    atomic_fetch_sub(&w->load->active, 1);
    return NULL;
}

/* Writers that put on and on, through an outage of this kind. */
static void write_through(struct outage *o, enum mode mode, int64_t limit_ms,
                          struct writer *w)
{
    struct load load = { .active = WRITERS };
    struct err e = { 0 };
    AUTO_OBJ_STORE struct obj_store *s = open_scaled(o, limit_ms);

    for (unsigned i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){ .s = s, .load = &load };
        assert_int_equal(pthread_create(&w[i].thread, NULL, write_on, &w[i]),
                         0);
    }
    while (atomic_load(&o->stored) < 2 * WRITERS)
        (void)!cancel_sleep(NULL, 5, &e);
    atomic_store(&o->mode, (int)mode);
    (void)!cancel_sleep(NULL, OUTAGE_MS, &e);
    unsigned before = atomic_load(&o->stored);
    atomic_store(&o->mode, WORKS);
    /* Ten seconds, and not ten milliseconds: a machine may be busy. */
    for (int i = 0; i < 1000 && atomic_load(&load.active) > 0 &&
                    atomic_load(&o->stored) < before + WRITERS;
         i++)
        (void)!cancel_sleep(NULL, 10, &e);
    atomic_store(&load.last, true);
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(w[i].thread, NULL);
}

static void outlives(struct outage *o, enum mode mode)
{
    struct writer w[WRITERS];
    unsigned before = 0;

    write_through(o, mode, LIMIT_MS, w);
    for (unsigned i = 0; i < WRITERS; i++) {
        if (w[i].result != 0)
            fail_msg("writer %u after %u puts: %s", i, w[i].puts, w[i].e.msg);
        before += w[i].puts;
    }
    /* No put is lost, and none is told twice. */
    assert_in_range(atomic_load(&o->stored), before, before + WRITERS);
}

static void half_an_hour_without_a_server_is_outlived(void **state)
{
    outlives(*state, REFUSES);
}

static void half_an_hour_of_a_gateways_refusals_is_outlived(void **state)
{
    outlives(*state, GATEWAY);
}

static void half_an_hour_of_silence_is_outlived(void **state)
{
    outlives(*state, SWALLOWS);
}

static void
an_outage_beyond_the_limit_is_told_with_object_cause_and_attempts(void **state)
{
    struct writer w[WRITERS];
    unsigned failed = 0;

    write_through(*state, REFUSES, OUTAGE_MS / 3, w);
    for (unsigned i = 0; i < WRITERS; i++) {
        if (w[i].result == 0)
            continue;
        failed++;
        assert_int_equal(w[i].e.kind, ERR_UNREACHABLE);
        assert_non_null(strstr(w[i].e.msg, "put plain/blocks/ab/cd (5 bytes)"));
        assert_non_null(strstr(w[i].e.msg, "attempts over "));
        assert_non_null(strstr(w[i].e.msg, "onnect"));
        assert_non_null(strstr(w[i].e.msg, "storage: s3://bucket on http"));
    }
    assert_true(failed > 0);
}

static void a_failure_that_lasted_says_since_when(void **state)
{
    struct obj_req r = { .key = "k" };
    struct obj_call c = { .verb = OBJ_PUT,
                          .what = "put",
                          .key = "k",
                          .req = &r,
                          .last = { .outcome = OBJ_NETWORK },
                          .tries = 97 };
    char since[UTC_ISO_CHARS];
    struct err e = { 0 };

    (void)state;
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    utc_format_iso(utc_real_now() - 3600, since);
    c.started = utc_mono_ms() - 3600000;
    assert_int_equal(obj_verdict(s, &c, &e), -1);
    assert_non_null(strstr(e.msg, ", 97 attempts over 3600 s, since 2"));
    /* Seconds may pass between the two looks at the clock. */
    since[strlen("2026-11-22T10:00")] = '\0';
    assert_non_null(strstr(e.msg, since));
    c.started = utc_mono_ms() - 3000;
    assert_int_equal(obj_verdict(s, &c, &e), -1);
    assert_null(strstr(e.msg, "since"));
}

/* After the store has worked: which failures are an outage, and which are this
 * object's own trouble, however often they are told. */
static void only_what_nobody_is_spared_is_an_outage(void **state)
{
    static const struct {
        enum obj_outcome outcome;
        int http;
        bool outage;
    } cases[] = {
        { OBJ_NETWORK, 0, true },    { OBJ_SLOW, 0, true },
        { OBJ_UNAVAIL, 502, true },  { OBJ_UNAVAIL, 503, true },
        { OBJ_UNAVAIL, 504, true },  { OBJ_NETWORK, 503, true },
        { OBJ_UNAVAIL, 500, false }, { OBJ_NETWORK, 400, false },
        { OBJ_SLOW, 200, false },    { OBJ_CONFLICT, 409, false },
    };
    struct obj_config c = { .deadline_ms = 400 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = { 0 };
        script_reset();
        say(OBJ_OK, 200, "");
        say(cases[i].outcome, cases[i].http, "");
        AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
        assert_int_equal(put_key(s, false, &e), 0);
        assert_int_equal(put_key(s, false, &e), -1);
        if ((script.calls > 12) != cases[i].outage)
            fail_msg("case %zu: %zu attempts", i, script.calls);
    }
}

#define OUTAGE(f)                                                              \
    cmocka_unit_test_setup_teardown(f, outage_setup, outage_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTAGE(half_an_hour_without_a_server_is_outlived),
        OUTAGE(half_an_hour_of_a_gateways_refusals_is_outlived),
        OUTAGE(half_an_hour_of_silence_is_outlived),
        OUTAGE(
            an_outage_beyond_the_limit_is_told_with_object_cause_and_attempts),
        cmocka_unit_test_setup(a_failure_that_lasted_says_since_when, setup),
        cmocka_unit_test_setup(only_what_nobody_is_spared_is_an_outage, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
