// SPDX-License-Identifier: Apache-2.0
/* The signal thread.  Each scene is played by a child process, whose exit
 * status tells the outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "tests/unit/base/coverage.h"

static int fail_create;

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg)
{
    return fail_create != 0 ? fail_create
                            : __real_pthread_create(t, a, fn, arg);
}

enum { GOOD = 42 }; /* a scene's exit code where all went as it should */

static struct cancel token;

/* The wait status of a child that plays the scene. */
static int play(int (*scene)(void))
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(30);
        int code = scene();
        coverage_write();
        _exit(code);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_good(int (*scene)(void))
{
    int status = play(scene);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), GOOD);
}

static void start(void)
{
    struct err e = { 0 };
    if (cancel_init(&token, NULL, &e) < 0 || signals_start(&token, &e) < 0)
        _exit(1);
}

static int requested_by(int sig)
{
    struct err e = { 0 };
    start();
    kill(getpid(), sig);
    return cancel_sleep(&token, 20000, &e) < 0 ? GOOD : 2;
}

static int scene_int(void)
{
    return requested_by(SIGINT);
}

static int scene_term(void)
{
    return requested_by(SIGTERM);
}

static void int_and_term_request_the_token(void **state)
{
    (void)state;
    assert_good(scene_int);
    assert_good(scene_term);
}

static int scene_second(void)
{
    requested_by(SIGTERM);
    kill(getpid(), SIGINT);
    pause();
    return 3;
}

static void a_second_signal_ends_the_process(void **state)
{
    (void)state;
    int status = play(scene_second);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 130);
}

struct hook_calls {
    atomic_int count;
    sem_t called;
};

static void count_call(void *ctx)
{
    struct hook_calls *calls = ctx;
    atomic_fetch_add(&calls->count, 1);
    sem_post(&calls->called);
}

static int scene_usr1(void)
{
    static struct hook_calls first;
    static struct hook_calls second;

    sem_init(&first.called, 0, 0);
    sem_init(&second.called, 0, 0);
    start();
    kill(getpid(), SIGUSR1); /* no hook yet: nothing happens */
    usleep(50000);
    signals_on_usr1(count_call, &first);
    kill(getpid(), SIGUSR1);
    sem_wait(&first.called);
    kill(getpid(), SIGUSR1);
    sem_wait(&first.called);
    signals_on_usr1(count_call, &second);
    kill(getpid(), SIGUSR1);
    sem_wait(&second.called);
    signals_on_usr1(NULL, NULL);
    kill(getpid(), SIGUSR1);
    usleep(50000);
    return atomic_load(&first.count) == 2 && atomic_load(&second.count) == 1 &&
                   !cancel_requested(&token)
               ? GOOD
               : 2;
}

static void usr1_calls_the_hook_of_the_moment(void **state)
{
    (void)state;
    assert_good(scene_usr1);
}

static int scene_hup(void)
{
    static struct hook_calls calls;
    struct err e = { 0 };

    sem_init(&calls.called, 0, 0);
    start();
    signals_on_hup(count_call, &calls);
    kill(getpid(), SIGHUP);
    sem_wait(&calls.called);
    if (cancel_requested(&token))
        return 2;
    signals_on_hup(NULL, NULL);
    kill(getpid(), SIGHUP);
    return cancel_sleep(&token, 20000, &e) < 0 && atomic_load(&calls.count) == 1
               ? GOOD
               : 3;
}

static void hup_requests_the_token_unless_it_has_a_hook(void **state)
{
    (void)state;
    assert_good(scene_hup);
}

static sem_t slow_entered;
static atomic_bool slow_done;

static void slow_hook(void *ctx)
{
    (void)ctx;
    sem_post(&slow_entered);
    usleep(100000);
    atomic_store(&slow_done, true);
}

static int scene_slow(void)
{
    sem_init(&slow_entered, 0, 0);
    start();
    signals_on_usr1(slow_hook, NULL);
    kill(getpid(), SIGUSR1);
    sem_wait(&slow_entered);
    signals_on_usr1(NULL, NULL);
    return atomic_load(&slow_done) ? GOOD : 2;
}

static void removing_a_hook_waits_for_its_call(void **state)
{
    (void)state;
    assert_good(scene_slow);
}

static void remove_itself(void *ctx)
{
    signals_on_usr1(NULL, NULL);
    sem_post(ctx);
}

static int scene_self(void)
{
    sem_init(&slow_entered, 0, 0);
    start();
    signals_on_usr1(remove_itself, &slow_entered);
    kill(getpid(), SIGUSR1);
    return sem_wait(&slow_entered) == 0 ? GOOD : 2;
}

static void a_hook_may_remove_itself(void **state)
{
    (void)state;
    assert_good(scene_self);
}

static int scene_pipe(void)
{
    int fds[2];

    start();
    if (pipe(fds) < 0)
        return 3;
    close(fds[0]);
    return write(fds[1], "x", 1) < 0 && errno == EPIPE ? GOOD : 2;
}

static void broken_pipes_do_not_kill(void **state)
{
    (void)state;
    assert_good(scene_pipe);
}

static int scene_ignored(void)
{
    struct err e = { 0 };

    signal(SIGINT, SIG_IGN);
    start();
    kill(getpid(), SIGINT);
    if (cancel_sleep(&token, 100, &e) < 0)
        return 2;
    kill(getpid(), SIGTERM);
    return cancel_sleep(&token, 20000, &e) < 0 ? GOOD : 3;
}

static void a_signal_that_was_ignored_at_the_start_stays_ignored(void **state)
{
    (void)state;
    assert_good(scene_ignored);
}

static void *show_mask(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
    return NULL;
}

static int scene_masks(void)
{
    sigset_t mask;
    pthread_t t;

    start();
    if (pthread_create(&t, NULL, show_mask, &mask) != 0)
        return 3;
    pthread_join(t, NULL);
    return sigismember(&mask, SIGINT) == 1 &&
                   sigismember(&mask, SIGTERM) == 1 &&
                   sigismember(&mask, SIGUSR1) == 1
               ? GOOD
               : 2;
}

static void later_threads_have_the_signals_blocked(void **state)
{
    (void)state;
    assert_good(scene_masks);
}

/* The grandchild is what a started program would be. */
static int scene_child(void)
{
    int status = 0;

    start();
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction pipe_now;
        sigset_t mask;
        signals_child_reset();
        sigaction(SIGPIPE, NULL, &pipe_now);
        pthread_sigmask(SIG_SETMASK, NULL, &mask);
        for (int sig = 1; sig <= SIGUSR2; sig++) {
            if (sigismember(&mask, sig) == 1)
                _exit(2);
        }
        if (pipe_now.sa_handler != SIG_DFL)
            _exit(3);
        coverage_write();
        kill(getpid(), SIGTERM);
        pause();
        _exit(4);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? GOOD : 2;
}

static void programs_get_the_usual_signals_back(void **state)
{
    (void)state;
    assert_good(scene_child);
}

static int scene_no_thread(void)
{
    struct err e = { 0 };

    fail_create = EAGAIN;
    return cancel_init(&token, NULL, &e) == 0 &&
                   signals_start(&token, &e) < 0 && e.kind == ERR_FAILED &&
                   e.sys == EAGAIN
               ? GOOD
               : 2;
}

static void a_thread_that_cannot_start_is_reported(void **state)
{
    (void)state;
    assert_good(scene_no_thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_and_term_request_the_token),
        cmocka_unit_test(a_second_signal_ends_the_process),
        cmocka_unit_test(usr1_calls_the_hook_of_the_moment),
        cmocka_unit_test(hup_requests_the_token_unless_it_has_a_hook),
        cmocka_unit_test(removing_a_hook_waits_for_its_call),
        cmocka_unit_test(a_hook_may_remove_itself),
        cmocka_unit_test(broken_pipes_do_not_kill),
        cmocka_unit_test(a_signal_that_was_ignored_at_the_start_stays_ignored),
        cmocka_unit_test(later_threads_have_the_signals_blocked),
        cmocka_unit_test(programs_get_the_usual_signals_back),
        cmocka_unit_test(a_thread_that_cannot_start_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
