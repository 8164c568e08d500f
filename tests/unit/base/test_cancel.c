// SPDX-License-Identifier: Apache-2.0
/* Cancel tokens: chains, sleeping, requests from threads and handlers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/utc.h"

static bool no_eventfd;
static int fail_poll;

int __real_eventfd(unsigned start, int flags);
int __wrap_eventfd(unsigned start, int flags);
int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);

int __wrap_eventfd(unsigned start, int flags)
{
    if (!no_eventfd)
        return __real_eventfd(start, flags);
    errno = EMFILE;
    return -1;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
    if (fail_poll == 0)
        return __real_poll(fds, n, ms);
    errno = fail_poll;
    return -1;
}

static void init(struct cancel *c, const struct cancel *parent)
{
    struct err e = { 0 };
    assert_int_equal(cancel_init(c, parent, &e), 0);
}

static void a_request_is_seen_and_stays(void **state)
{
    struct cancel c;
    struct err e = { 0 };

    (void)state;
    init(&c, NULL);
    assert_false(cancel_requested(&c));
    assert_int_equal(cancel_check(&c, &e), 0);
    cancel_request(&c);
    cancel_request(&c);
    assert_true(cancel_requested(&c));
    assert_int_equal(cancel_check(&c, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(cancel_sleep(&c, 60000, &e), -1);
    assert_int_equal(cancel_sleep(&c, 0, &e), -1);
    cancel_fini(&c);
    assert_int_equal(c.fd, -1);
    cancel_fini(&c);
}

static void requests_go_down_the_chain_and_not_up(void **state)
{
    struct cancel top;
    struct cancel mid;
    struct cancel low;

    (void)state;
    init(&top, NULL);
    init(&mid, &top);
    init(&low, &mid);
    cancel_request(&mid);
    assert_false(cancel_requested(&top));
    assert_true(cancel_requested(&mid));
    assert_true(cancel_requested(&low));
    cancel_fini(&low);
    cancel_fini(&mid);
    cancel_fini(&top);
}

static void the_descriptor_is_readable_once_requested(void **state)
{
    struct cancel c;

    (void)state;
    init(&c, NULL);
    struct pollfd p = { .fd = c.fd, .events = POLLIN };
    assert_int_equal(__real_poll(&p, 1, 0), 0);
    cancel_request(&c);
    assert_int_equal(__real_poll(&p, 1, 0), 1);
    cancel_fini(&c);
}

static void no_token_is_never_requested(void **state)
{
    struct err e = { 0 };
    int64_t start = utc_mono_ms();

    (void)state;
    cancel_request(NULL);
    assert_false(cancel_requested(NULL));
    assert_int_equal(cancel_check(NULL, &e), 0);
    assert_int_equal(cancel_sleep(NULL, 30, &e), 0);
    assert_true(utc_mono_ms() - start >= 30);
}

static void sleep_lasts_as_long_as_asked(void **state)
{
    struct cancel c;
    struct err e = { 0 };
    int64_t start = utc_mono_ms();

    (void)state;
    init(&c, NULL);
    assert_int_equal(cancel_sleep(&c, 40, &e), 0);
    assert_true(utc_mono_ms() - start >= 40);
    start = utc_mono_ms();
    assert_int_equal(cancel_sleep(&c, 0, &e), 0);
    assert_int_equal(cancel_sleep(&c, -5, &e), 0);
    assert_int_equal(cancel_sleep(&c, INT64_MIN, &e), 0);
    assert_true(utc_mono_ms() - start < 5000);
    cancel_fini(&c);
}

static void *request_soon(void *arg)
{
    usleep(30000);
    cancel_request(arg);
    return NULL;
}

/* `of` is requested by another thread while `sleeper` sleeps for ever. */
static void assert_woken(const struct cancel *sleeper, struct cancel *of)
{
    pthread_t thread;
    struct err e = { 0 };

    assert_int_equal(pthread_create(&thread, NULL, request_soon, of), 0);
    int r = cancel_sleep(sleeper, INT64_MAX, &e);
    pthread_join(thread, NULL);
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
}

static void a_sleeper_is_woken_by_its_own_token(void **state)
{
    struct cancel c;

    (void)state;
    init(&c, NULL);
    assert_woken(&c, &c);
    cancel_fini(&c);
}

static void a_sleeper_is_woken_by_any_ancestor(void **state)
{
    struct cancel all[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        init(&all[i], i == 0 ? NULL : &all[i - 1]);
    assert_woken(&all[7], &all[0]);
    for (int i = 0; i < 8; i++)
        cancel_fini(&all[i]);
}

static void chains_longer_than_a_sleep_can_watch_are_refused(void **state)
{
    struct cancel all[9];
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 8; i++)
        init(&all[i], i == 0 ? NULL : &all[i - 1]);
    assert_int_equal(cancel_init(&all[8], &all[7], &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    for (int i = 0; i < 9; i++)
        cancel_fini(&all[i]);
}

static struct cancel from_handler;

static void on_alarm(int sig)
{
    (void)sig;
    cancel_request(&from_handler);
}

static void a_signal_handler_may_request(void **state)
{
    struct sigaction act = { .sa_handler = on_alarm };
    struct sigaction old;
    struct itimerval soon = { .it_value = { .tv_usec = 30000 } };
    struct err e = { 0 };

    (void)state;
    init(&from_handler, NULL);
    sigaction(SIGALRM, &act, &old);
    setitimer(ITIMER_REAL, &soon, NULL);
    int r = cancel_sleep(&from_handler, 60000, &e);
    sigaction(SIGALRM, &old, NULL);
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    cancel_fini(&from_handler);
}

static void do_nothing(int sig)
{
    (void)sig;
}

static void interrupting_signals_do_not_shorten_a_sleep(void **state)
{
    struct sigaction act = { .sa_handler = do_nothing };
    struct sigaction old;
    struct itimerval often = { .it_interval = { .tv_usec = 5000 },
                               .it_value = { .tv_usec = 5000 } };
    struct itimerval never = { 0 };
    struct cancel c;
    struct err e = { 0 };

    (void)state;
    init(&c, NULL);
    sigaction(SIGALRM, &act, &old);
    setitimer(ITIMER_REAL, &often, NULL);
    int64_t start = utc_mono_ms();
    int r = cancel_sleep(&c, 60, &e);
    int64_t slept = utc_mono_ms() - start;
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_int_equal(r, 0);
    assert_true(slept >= 60);
    cancel_fini(&c);
}

static void a_request_keeps_errno(void **state)
{
    struct cancel c;

    (void)state;
    init(&c, NULL);
    int fd = c.fd;
    c.fd = -1; /* makes its write fail */
    errno = ERANGE;
    cancel_request(&c);
    assert_int_equal(errno, ERANGE);
    c.fd = fd;
    cancel_fini(&c);
}

static void failures_of_the_system_are_reported(void **state)
{
    struct cancel c;
    struct err e = { 0 };

    (void)state;
    no_eventfd = true;
    int r = cancel_init(&c, NULL, &e);
    no_eventfd = false;
    assert_int_equal(r, -1);
    assert_int_equal(e.sys, EMFILE);
    cancel_fini(&c); /* harmless */

    init(&c, NULL);
    fail_poll = ENOMEM;
    r = cancel_sleep(&c, 60000, &e);
    fail_poll = 0;
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(e.sys, ENOMEM);
    cancel_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_seen_and_stays),
        cmocka_unit_test(requests_go_down_the_chain_and_not_up),
        cmocka_unit_test(the_descriptor_is_readable_once_requested),
        cmocka_unit_test(no_token_is_never_requested),
        cmocka_unit_test(sleep_lasts_as_long_as_asked),
        cmocka_unit_test(a_sleeper_is_woken_by_its_own_token),
        cmocka_unit_test(a_sleeper_is_woken_by_any_ancestor),
        cmocka_unit_test(chains_longer_than_a_sleep_can_watch_are_refused),
        cmocka_unit_test(a_signal_handler_may_request),
        cmocka_unit_test(interrupting_signals_do_not_shorten_a_sleep),
        cmocka_unit_test(a_request_keeps_errno),
        cmocka_unit_test(failures_of_the_system_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
