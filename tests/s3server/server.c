// SPDX-License-Identifier: Apache-2.0
/*
 * Start and end of the server, its threads, and what it is told while it runs.
 * Each connection has a thread; the end shuts all connections down and waits
 * for their threads.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/utc.h"
#include "tests/s3server/impl.h"

int64_t s3server_now(struct s3server *s)
{
    return utc_real_now() + (int64_t)atomic_load(&s->clock_offset);
}

uint64_t s3server_next_id(struct s3server *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t id = ++s->ids;
    pthread_mutex_unlock(&s->lock);
    return (id + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

bool s3server_pause(struct s3server *s, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&s->lock);
    int r = 0;
    while (!s->ends && r == 0)
        r = pthread_cond_timedwait(&s->stopping, &s->lock, &until);
    bool goes_on = !s->ends;
    pthread_mutex_unlock(&s->lock);
    return goes_on;
}

static void *work(void *ctx)
{
    struct s3_worker *w = ctx;
    struct s3server *s = w->s;

    if (w->late != NULL) {
        struct s3_answer nobody = { .headers = buf_init(64u << 10) };
        if (s3server_pause(s, w->late_ms))
            s3server_execute(s, w->late, &nobody);
        buf_free(&nobody.headers);
        s3server_blob_unref(nobody.body);
        s3server_request_free(w->late);
        free(w->late);
    } else {
        s3server_serve(s, w, w->fd);
    }
    pthread_mutex_lock(&s->lock);
    w->ended = true;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* With the lock held: joins those that have ended (all: every one). */
static void reap(struct s3server *s, bool all)
{
    struct s3_worker **at = &s->workers;

    while (*at != NULL) {
        struct s3_worker *w = *at;
        if (!w->ended && !all) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        pthread_mutex_unlock(&s->lock);
        pthread_join(w->thread, NULL);
        free(w);
        pthread_mutex_lock(&s->lock);
        at = &s->workers; /* others may have come */
    }
}

static void add_worker(struct s3server *s, struct s3_worker *w)
{
    w->s = s;
    pthread_mutex_lock(&s->lock);
    reap(s, false);
    if (pthread_create(&w->thread, NULL, work, w) != 0)
        abort();
    w->next = s->workers;
    s->workers = w;
    pthread_mutex_unlock(&s->lock);
}

void s3server_repeat(struct s3server *s, struct s3_request *q, int64_t ms)
{
    struct s3_worker *w = s3server_alloc(sizeof *w);

    w->fd = -1;
    w->late = q;
    w->late_ms = ms;
    add_worker(s, w);
}

static bool is_reset_at_once(struct s3server *s)
{
    const struct s3_request none = { .op = "", .key = NULL };
    struct s3server_rule r;

    if (!s3server_match(s, &none, &r))
        return false;
    s3server_rule_free(&r);
    return true;
}

static void take_connection(struct s3server *s)
{
    const struct linger hard = { 1, 0 };
    const int on = 1;
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    pthread_mutex_lock(&s->lock);
    s->counts.connections++;
    pthread_mutex_unlock(&s->lock);
    if (is_reset_at_once(s)) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct s3_worker *w = s3server_alloc(sizeof *w);
    w->fd = fd;
    add_worker(s, w);
}

static void *listen_on(void *ctx)
{
    struct s3server *s = ctx;

    for (;;) {
        struct pollfd p[2] = { { .fd = s->stop[0], .events = POLLIN },
                               { .fd = s->listener, .events = POLLIN } };
        poll(p, 2, -1);
        if (p[0].revents != 0)
            return NULL;
        if (p[1].revents != 0)
            take_connection(s);
    }
}

static const char *given(const char *text, const char *otherwise)
{
    return s3server_copy(text != NULL ? text : otherwise);
}

static void take_opts(struct s3server *s, const struct s3server_opts *o)
{
    s->opts = *o;
    s->opts.region = given(o->region, "us-east-1");
    s->opts.domain = given(o->domain, "");
    s->opts.page = o->page == 0 || o->page > 1000 ? 1000 : o->page;
    s->dice = o->seed != 0 ? o->seed : 1;
    atomic_init(&s->clock_offset, o->clock_offset_s);
    s3server_set_keys(s, o->access_key != NULL ? o->access_key : S3SERVER_KEY,
                      o->secret_key != NULL ? o->secret_key : S3SERVER_SECRET,
                      o->token);
    s->before = (struct s3_identity){ 0 };
}

static void open_port(struct s3server *s)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;

    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 ||
        bind(s->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(s->listener, 128) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&a, &len) != 0 ||
        pipe(s->stop) != 0)
        abort();
    s->port = ntohs(a.sin_port);
    snprintf(s->endpoint, sizeof s->endpoint, "http://127.0.0.1:%u", s->port);
}

struct s3server *s3server_start(const struct s3server_opts *opts)
{
    static const struct s3server_opts plain = { 0 };
    struct s3server *s = s3server_alloc(sizeof *s);
    pthread_condattr_t attr;

    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->shelf, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->stopping, &attr);
    pthread_condattr_destroy(&attr);
    take_opts(s, opts != NULL ? opts : &plain);
    open_port(s);
    if (pthread_create(&s->thread, NULL, listen_on, s) != 0)
        abort();
    return s;
}

void s3server_stop(struct s3server *s)
{
    if (s == NULL)
        return;
    if (write(s->stop[1], "x", 1) != 1)
        abort();
    pthread_join(s->thread, NULL);
    pthread_mutex_lock(&s->lock);
    s->ends = true;
    pthread_cond_broadcast(&s->stopping);
    for (struct s3_worker *w = s->workers; w != NULL; w = w->next) {
        if (w->fd >= 0)
            shutdown(w->fd, SHUT_RDWR);
    }
    reap(s, true);
    pthread_mutex_unlock(&s->lock);
    close(s->listener);
    close(s->stop[0]);
    close(s->stop[1]);
    s3server_script_free(s);
    s3server_shelf_free(s);
    free((char *)(uintptr_t)s->opts.region);
    free((char *)(uintptr_t)s->opts.domain);
    pthread_cond_destroy(&s->stopping);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->shelf);
    free(s);
}

const char *s3server_endpoint(const struct s3server *s)
{
    return s->endpoint;
}

unsigned s3server_port(const struct s3server *s)
{
    return s->port;
}

void s3server_set_keys(struct s3server *s, const char *access_key,
                       const char *secret_key, const char *token)
{
    pthread_mutex_lock(&s->lock);
    s->before = s->now;
    snprintf(s->now.key, sizeof s->now.key, "%s", access_key);
    snprintf(s->now.secret, sizeof s->now.secret, "%s", secret_key);
    snprintf(s->now.token, sizeof s->now.token, "%s",
             token == NULL ? "" : token);
    pthread_mutex_unlock(&s->lock);
}

void s3server_set_clock(struct s3server *s, int64_t offset_s)
{
    atomic_store(&s->clock_offset, offset_s);
}

void s3server_counts(struct s3server *s, struct s3server_counts *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->counts;
    pthread_mutex_unlock(&s->lock);
}

uint64_t s3server_requests(struct s3server *s, const char *op)
{
    uint64_t n = 0;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < S3SERVER_OPS && s->tally[i].op != NULL; i++) {
        if (strcmp(s->tally[i].op, op) == 0)
            n = s->tally[i].n;
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}
