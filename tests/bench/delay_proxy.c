// SPDX-License-Identifier: Apache-2.0
//
// A proxy that makes a server on this machine look far away.
//
//   delay_proxy PORT MS
//       Listens on a free port of 127.0.0.1, prints it, and carries every
//       connection to PORT of 127.0.0.1; a round trip takes MS milliseconds
//       longer.  Ends when whoever started it does.
//
// Each direction keeps what it read with the time at which it is due, half of
// MS later, and passes it on in order: the delay costs no bandwidth until
// QUEUE_MAX is on its way.  The first bytes of a connection wait for one round
// trip more, as they would for the handshake.  An end of stream takes its turn
// like data; a broken connection breaks its other side at once.
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE_SIZE ((size_t)256 << 10)
#define QUEUE_MAX ((size_t)64 << 20)

struct piece {
    struct piece *next;
    uint64_t due; /* ns of CLOCK_MONOTONIC */
    size_t from, to;
    unsigned char bytes[];
};

/* What one side has sent and the other has not yet got. */
struct lane {
    struct piece *first, **last;
    size_t queued;
    bool ended;  /* the sender has said so */
    bool closed; /* and the receiver has been told */
    uint64_t end_due;
};

struct side {
    struct connection *connection;
    int fd;
    uint32_t watched; /* epoll events */
    bool full;        /* the socket takes no more now */
    struct lane in;   /* read from fd */
};

struct connection {
    struct connection *next, **at;
    struct side sides[2]; /* the client's, the server's */
    uint64_t opened;
    bool broken;
};

static struct connection *connections;
static int epoll;
static struct sockaddr_in server;
static uint64_t one_way; /* ns */

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct side *other(struct side *s)
{
    return &s->connection->sides[s == &s->connection->sides[0]];
}

/* When what is read now may be passed on. */
static uint64_t due(const struct side *s)
{
    uint64_t at = now();
    uint64_t ready = s->connection->opened + 2 * one_way;
    return (at > ready ? at : ready) + one_way;
}

static void watch(struct side *s)
{
    uint32_t events = 0;
    if (!s->in.ended && s->in.queued < QUEUE_MAX)
        events |= EPOLLIN;
    if (s->full)
        events |= EPOLLOUT;
    if (events == s->watched)
        return;
    struct epoll_event e = { .events = events, .data.ptr = s };
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, s->fd, &e) != 0)
        err(1, "epoll_ctl");
    s->watched = events;
}

static void take(struct side *s)
{
    struct lane *lane = &s->in;
    struct piece *p = malloc(sizeof(*p) + PIECE_SIZE);
    if (p == NULL)
        err(1, "malloc");
    ssize_t n = recv(s->fd, p->bytes, PIECE_SIZE, MSG_DONTWAIT);
    if (n > 0) {
        struct piece *fit = realloc(p, sizeof(*p) + (size_t)n);
        p = fit != NULL ? fit : p;
        p->next = NULL;
        p->due = due(s);
        p->from = 0;
        p->to = (size_t)n;
        *lane->last = p;
        lane->last = &p->next;
        lane->queued += (size_t)n;
        return;
    }
    if (n == 0) {
        lane->ended = true;
        lane->end_due = due(s);
    } else if (errno != EAGAIN && errno != EINTR) {
        s->connection->broken = true;
    }
    free(p);
}

/* Passes on what is due.  When to come back: ns, UINT64_MAX for not at all. */
static uint64_t give(struct side *s, uint64_t at)
{
    struct lane *lane = &s->in;
    struct side *to = other(s);
    struct piece *p;
    while ((p = lane->first) != NULL && p->due <= at && !to->full) {
        ssize_t n = send(to->fd, p->bytes + p->from, p->to - p->from,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            to->full = errno == EAGAIN;
            s->connection->broken = !to->full && errno != EINTR;
            break;
        }
        p->from += (size_t)n;
        lane->queued -= (size_t)n;
        if (p->from < p->to)
            continue;
        lane->first = p->next;
        if (lane->first == NULL)
            lane->last = &lane->first;
        free(p);
    }
    if (lane->first != NULL)
        return to->full ? UINT64_MAX : lane->first->due;
    if (lane->ended && !lane->closed) {
        if (lane->end_due > at)
            return lane->end_due;
        (void)shutdown(to->fd, SHUT_WR);
        lane->closed = true;
    }
    return UINT64_MAX;
}

static void add_side(struct connection *c, int i, int fd)
{
    int on = 1;
    struct side *s = &c->sides[i];
    *s = (struct side){ .connection = c, .fd = fd, .watched = EPOLLIN };
    s->in.last = &s->in.first;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        err(1, "epoll_ctl");
}

static void open_connection(int listener)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err(1, "socket");
    if (connect(fd, (const struct sockaddr *)&server, sizeof(server)) != 0) {
        close(fd);
        close(client);
        return;
    }
    struct connection *c = calloc(1, sizeof(*c));
    if (c == NULL)
        err(1, "calloc");
    c->opened = now();
    add_side(c, 0, client);
    add_side(c, 1, fd);
    c->next = connections;
    c->at = &connections;
    if (c->next != NULL)
        c->next->at = &c->next;
    connections = c;
}

static void close_connection(struct connection *c)
{
    /* Without linger the close of a broken connection is a reset. */
    struct linger reset = { .l_onoff = c->broken };
    for (int i = 0; i < 2; i++) {
        struct side *s = &c->sides[i];
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(s->fd);
        for (struct piece *p; (p = s->in.first) != NULL; free(p))
            s->in.first = p->next;
    }
    *c->at = c->next;
    if (c->next != NULL)
        c->next->at = c->at;
    free(c);
}

/* Moves all that can be moved; when to come back, as give(). */
static uint64_t move_all(void)
{
    uint64_t soonest = UINT64_MAX;
    struct connection *next;
    for (struct connection *c = connections; c != NULL; c = next) {
        next = c->next;
        for (int i = 0; i < 2; i++) {
            uint64_t at = give(&c->sides[i], now());
            if (at < soonest)
                soonest = at;
        }
        if (c->broken || (c->sides[0].in.closed && c->sides[1].in.closed)) {
            close_connection(c);
            continue;
        }
        watch(&c->sides[0]);
        watch(&c->sides[1]);
    }
    return soonest;
}

static void serve(int listener)
{
    struct epoll_event events[64];
    for (uint64_t soonest = UINT64_MAX;; soonest = move_all()) {
        uint64_t at = now();
        uint64_t wait = soonest > at ? soonest - at : 0;
        struct timespec t = { .tv_sec = (time_t)(wait / 1000000000),
                              .tv_nsec = (long)(wait % 1000000000) };
        int n = epoll_pwait2(epoll, events, 64,
                             soonest == UINT64_MAX ? NULL : &t, NULL);
        for (int i = 0; i < n; i++) {
            struct side *s = events[i].data.ptr;
            if (s == NULL) {
                open_connection(listener);
                continue;
            }
            if (events[i].events & EPOLLERR)
                s->connection->broken = true;
            if (events[i].events & EPOLLOUT)
                s->full = false;
            if (events[i].events & EPOLLIN)
                take(s);
        }
    }
}

static long number(const char *text, long most)
{
    char *end;
    long v = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || v < 0 || v > most)
        errx(2, "'%s' is not a number up to %ld", text, most);
    return v;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: delay_proxy PORT MS");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    server = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)number(argv[1], UINT16_MAX)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    one_way = (uint64_t)number(argv[2], 60000) * 1000000 / 2;
    struct sockaddr_in here = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(here);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct epoll_event e = { .events = EPOLLIN };
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || epoll < 0 ||
        bind(listener, (const struct sockaddr *)&here, size) != 0 ||
        listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&here, &size) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e) != 0)
        err(1, "listening on 127.0.0.1");
    printf("%u\n", ntohs(here.sin_port));
    if (fflush(stdout) != 0)
        err(1, "stdout");
    serve(listener);
}
