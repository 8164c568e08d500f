// SPDX-License-Identifier: Apache-2.0
/* A job's runs one at a time, stopping them, runs that are lost, programs
 * before and after, and two hosts that meet. */
#include "tests/unit/engine/run/scene.h"

#include <signal.h>
#include <sys/wait.h>

#define SCENE struct scene *s = scene_new(*state)
#define WAIT_MS 60000

static void *run_thread(void *ctx)
{
    struct scene *s = ctx;

    (void)scene_try(s);
    return NULL;
}

static pthread_t begin(struct scene *s)
{
    pthread_t t;

    assert_int_equal(pthread_create(&t, NULL, run_thread, s), 0);
    return t;
}

static void await(struct scene *s, const char *file)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", s->f->dir, file);
    for (int i = 0; access(path, F_OK) < 0; i++) {
        assert_true(i < WAIT_MS / 10);
        usleep(10000);
    }
}

/* The program before says that it is there, and waits. */
static void job_that_waits(struct scene *s)
{
    char text[600];

    snprintf(text, sizeof text,
             ",\"before\":[\"sh\",\"-c\",\"cd '%s' && : >there && while [ ! -e "
             "go ]; do sleep 0.02; done\"]",
             s->f->dir);
    scene_job(s, text);
}

static void a_job_has_one_run_at_a_time(void **state)
{
    SCENE;
    struct scene again = { .f = s->f, .place = s->place, .home = s->home };
    char pid[40];
    struct err e = { 0 };

    job_that_waits(s);
    assert_int_equal(eng_job_runs(&s->home, "night", &e), 0);
    pthread_t t = begin(s);
    await(s, "there");
    assert_int_equal(eng_job_runs(&s->home, "night", &e), 1);
    again.job.name = strdup("night");
    assert_int_equal(scene_try(&again), -1);
    assert_int_equal(again.first.kind, ERR_BUSY);
    snprintf(pid, sizeof pid, "process %d on ", (int)getpid());
    assert_non_null(strstr(again.first.msg, pid));
    assert_int_equal(eng_job_wait(&s->home, "night", 50, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_TIMEOUT);

    scene_write(s, "go", "");
    must(eng_job_wait(&s->home, "night", WAIT_MS, NULL, why));
    pthread_join(t, NULL);
    assert_int_equal(s->run.status, ENG_STATUS_SUCCESS);
    eng_job_fini(&again.job);
    scene_free(s);
}

/* --- stopping --- */

static enum eng_stop how;
static int64_t stopped_ms;

static void stop_it(struct scene *s, const struct eng_vm_record *v)
{
    if (v->status != ENG_STATUS_RUNNING || stopped_ms != 0)
        return;
    stopped_ms = utc_mono_ms();
    must(eng_job_stop(&s->home, "night", how, why));
}

static void it_stops_now(void **state)
{
    SCENE;

    how = ENG_STOP_NOW;
    stopped_ms = 0;
    s->told = stop_it;
    s->place.store.upload_bytes_per_s = 100u << 10; /* 20 s for a VM */
    scene_run(s, ENG_STATUS_STOPPED);
    assert_true(utc_mono_ms() - stopped_ms < 5000);
    scene_expect(s, "db", ENG_STATUS_STOPPED);
    scene_expect(s, "web", ENG_STATUS_STOPPED);
    scene_expect(s, "test", ENG_STATUS_STOPPED);
    assert_int_equal(scene_points(s, NULL), 0);
    assert_int_equal(s->first.kind, ERR_NONE);

    /* Nothing is left of the wish. */
    s->told = NULL;
    s->place.store.upload_bytes_per_s = 0;
    s->o.retry = true;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.tries, 2);
    scene_free(s);
}

static void gracefully_it_ends_what_it_has_begun(void **state)
{
    SCENE;

    how = ENG_STOP_GRACEFULLY;
    stopped_ms = 0;
    s->told = stop_it;
    scene_job(s, ",\"parallel\":1");
    s->place.store.upload_bytes_per_s = 1u << 20;
    scene_run(s, ENG_STATUS_STOPPED);
    scene_expect(s, "db", ENG_STATUS_SUCCESS);
    scene_expect(s, "web", ENG_STATUS_STOPPED);
    scene_expect(s, "test", ENG_STATUS_STOPPED);
    assert_int_equal(s->begun, 1);
    scene_restores(s, "db", "prod/sql/db");
    scene_free(s);
}

static void who_comes_late_stops_no_other_run(void **state)
{
    SCENE;

    scene_run(s, ENG_STATUS_SUCCESS);
    scene_write(s, "state/jobs/night/stop", "now 1 2026-01-01T00:00:00Z vm\n");
    scene_run(s, ENG_STATUS_SUCCESS);
    scene_free(s);
}

static void what_does_not_run_cannot_be_stopped(void **state)
{
    SCENE;
    struct err e = { 0 };

    assert_int_equal(eng_job_stop(&s->home, "night", ENG_STOP_NOW, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(eng_job_stop(&s->home, "night", ENG_STOP_NOW, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    must(eng_job_wait(&s->home, "night", 0, NULL, why));
    scene_free(s);
}

static struct cancel interrupt;

static void interrupt_it(struct scene *s, const struct eng_vm_record *v)
{
    (void)s;
    if (v->status == ENG_STATUS_RUNNING)
        cancel_request(&interrupt);
}

static void an_interrupt_stops_it(void **state)
{
    SCENE;

    must(cancel_init(&interrupt, NULL, why));
    s->told = interrupt_it;
    s->o.cancel = &interrupt;
    s->place.store.upload_bytes_per_s = 100u << 10;
    scene_run(s, ENG_STATUS_STOPPED);
    assert_int_equal(scene_points(s, NULL), 0);
    cancel_fini(&interrupt);

    scene_free(s);
}

static void a_run_is_stopped_while_its_program_runs(void **state)
{
    SCENE;

    job_that_waits(s);
    pthread_t t = begin(s);
    await(s, "there");
    must(eng_job_stop(&s->home, "night", ENG_STOP_NOW, why));
    pthread_join(t, NULL);
    assert_int_equal(s->run.status, ENG_STATUS_STOPPED);
    assert_int_equal(scene_points(s, NULL), 0);
    scene_free(s);
}

static void a_stop_ends_the_program_after_that_hangs(void **state)
{
    SCENE;
    char text[600];

    snprintf(text, sizeof text,
             ",\"after\":[\"sh\",\"-c\",\": >'%s/there'; exec sleep 60\"]",
             s->f->dir);
    scene_job(s, text);
    pthread_t t = begin(s);
    await(s, "there");
    int64_t then = utc_mono_ms();
    must(eng_job_stop(&s->home, "night", ENG_STOP_NOW, why));
    pthread_join(t, NULL);
    assert_true(utc_mono_ms() - then < 10000);
    assert_int_equal(s->run.status, ENG_STATUS_WARNING);
    assert_non_null(strstr(s->run.warnings[0], "after the job"));
    scene_free(s);
}

/* --- lost --- */

static void die_at_web(struct scene *s, const struct eng_vm_record *v)
{
    (void)s;
    if (strcmp(v->vm, "web") == 0)
        raise(SIGKILL);
}

static void run_and_die(struct scene *s)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        s->told = die_at_web;
        (void)scene_try(s);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static struct eng_run_record last_run(struct scene *s)
{
    struct err e = { 0 };
    struct eng_run_record *runs = NULL;
    size_t n = 0;
    struct eng_history *h = eng_history_open(s->home.state, NULL, &e);

    assert_non_null(h);
    must(eng_history_runs(h, "night", 1, &runs, &n, why));
    assert_int_equal(n, 1);
    struct eng_run_record r = runs[0];
    runs[0] = (struct eng_run_record){ 0 };
    eng_history_runs_free(runs, n);
    eng_history_close(h);
    return r;
}

static void a_killed_run_is_found_and_closed(void **state)
{
    SCENE;
    struct err e = { 0 };

    scene_job(s, ",\"parallel\":1");
    run_and_die(s);
    assert_int_equal(eng_job_runs(&s->home, "night", &e), 0);
    struct eng_run_record r = last_run(s);
    assert_int_equal(r.status, ENG_STATUS_RUNNING);
    eng_run_record_fini(&r);

    struct eng_history *h = eng_history_open(s->home.state, NULL, &e);
    must(eng_job_close_lost(&s->home, h, "night", why));
    eng_history_close(h);
    r = last_run(s);
    assert_int_equal(r.status, ENG_STATUS_FAILED);
    assert_non_null(strstr(r.message, "lost"));
    assert_int_equal(scene_vm(&r, "db")->status, ENG_STATUS_SUCCESS);
    assert_int_equal(scene_vm(&r, "web")->status, ENG_STATUS_FAILED);
    assert_int_equal(scene_vm(&r, "test")->status, ENG_STATUS_FAILED);
    eng_run_record_fini(&r);
    scene_free(s);
}

/* Those that it had not begun are among them. */
static void a_retry_does_what_a_killed_run_left(void **state)
{
    SCENE;

    scene_job(s, ",\"parallel\":1");
    run_and_die(s);
    s->o.retry = true;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.tries, 2);
    assert_int_equal(s->ended, 2);
    assert_int_equal(scene_points(s, NULL), 3);
    scene_restores(s, "db", "prod/sql/db");
    scene_restores(s, "web", "prod/web");
    scene_restores(s, "test", "test");
    scene_free(s);
}

static void a_run_that_lives_is_not_closed(void **state)
{
    SCENE;
    struct err e = { 0 };

    job_that_waits(s);
    pthread_t t = begin(s);
    await(s, "there");
    struct eng_history *h = eng_history_open(s->home.state, NULL, &e);
    must(eng_job_close_lost(&s->home, h, "night", why));
    eng_history_close(h);
    struct eng_run_record r = last_run(s);
    assert_int_equal(r.status, ENG_STATUS_RUNNING);
    eng_run_record_fini(&r);
    scene_write(s, "go", "");
    pthread_join(t, NULL);
    assert_int_equal(s->run.status, ENG_STATUS_SUCCESS);
    scene_free(s);
}

/* --- programs --- */

static void programs_are_told_of_the_run(void **state)
{
    SCENE;
    char text[600];
    char want[200];

    snprintf(text, sizeof text,
             ",\"before\":[\"sh\",\"-c\",\"env | grep -E '^OBJVAULT_[JRS]' | "
             "sort >%s/before\"],\"after\":[\"sh\",\"-c\",\"env | grep -E "
             "'^OBJVAULT_[JRS]' | sort >%s/after\"]",
             s->f->dir, s->f->dir);
    scene_job(s, text);
    unsetenv("OBJVAULT_NOW");
    scene_run(s, ENG_STATUS_SUCCESS);
    char *before = scene_read(s, "before");
    char *after = scene_read(s, "after");
    snprintf(want, sizeof want, "OBJVAULT_JOB=night\nOBJVAULT_RUN=%d\n",
             (int)s->run.id);
    assert_string_equal(before, want);
    snprintf(want, sizeof want,
             "OBJVAULT_JOB=night\nOBJVAULT_RUN=%d\nOBJVAULT_STATUS=success\n",
             (int)s->run.id);
    assert_string_equal(after, want);
    free(before);
    free(after);
    scene_free(s);
}

static void where_the_program_before_fails_nothing_is_stored(void **state)
{
    SCENE;
    char text[600];

    snprintf(text, sizeof text,
             ",\"before\":[\"sh\",\"-c\",\"echo the tape is full >&2; exit "
             "3\"],\"after\":[\"sh\",\"-c\",\"echo $OBJVAULT_STATUS "
             ">%s/after\"]",
             s->f->dir);
    scene_job(s, text);
    scene_run(s, ENG_STATUS_FAILED);
    assert_non_null(strstr(s->run.message, "the tape is full"));
    assert_non_null(strstr(s->run.message, "exit status 3"));
    assert_int_equal(scene_points(s, NULL), 0);
    char *after = scene_read(s, "after");
    assert_string_equal(after, "failed\n");
    free(after);
    scene_free(s);
}

static void where_the_program_after_fails_is_a_warning(void **state)
{
    SCENE;

    scene_job(s, ",\"after\":[\"false\"]");
    scene_run(s, ENG_STATUS_WARNING);
    assert_int_equal(s->run.n_warnings, 1);
    assert_non_null(strstr(s->run.warnings[0], "after the job"));
    assert_int_equal(scene_points(s, NULL), 3);
    scene_free(s);
}

/* --- two hosts --- */

/* Of each VM one of the two points has the other as its parent, so one run
 * waited for the other. */
static void meet(struct fixture *f)
{
    static const char *const vms[] = { "web", "db", "test" };
    struct scene *a = scene_new(f);
    struct scene *b = scene_host(f, "-b");
    pthread_t ta = begin(a);
    pthread_t tb = begin(b);

    pthread_join(ta, NULL);
    pthread_join(tb, NULL);
    assert_int_equal(a->run.status, ENG_STATUS_SUCCESS);
    assert_int_equal(b->run.status, ENG_STATUS_SUCCESS);
    for (size_t i = 0; i < 3; i++) {
        const struct eng_vm_record *va = scene_vm(&a->run, vms[i]);
        const struct eng_vm_record *vb = scene_vm(&b->run, vms[i]);
        assert_string_not_equal(va->kind, vb->kind);
        assert_int_equal(va->new_blocks + vb->new_blocks, 8);
        assert_int_equal(scene_points(a, vms[i]), 2);
    }
    scene_restores(a, "web", "prod/web");
    scene_restores(a, "db", "prod/sql/db");
    scene_restores(a, "test", "test");
    scene_free(a);
    scene_free(b);
}

static void two_hosts_never_process_a_vm_at_once(void **state)
{
    meet(*state);
}

static void nor_do_they_in_a_bucket(void **state)
{
    struct attacked *a = *state;

    meet(&a->f);
}

int main(void)
{
#define FOLDER(test)                                                           \
    cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        FOLDER(a_job_has_one_run_at_a_time),
        FOLDER(it_stops_now),
        FOLDER(gracefully_it_ends_what_it_has_begun),
        FOLDER(who_comes_late_stops_no_other_run),
        FOLDER(what_does_not_run_cannot_be_stopped),
        FOLDER(an_interrupt_stops_it),
        FOLDER(a_run_is_stopped_while_its_program_runs),
        FOLDER(a_stop_ends_the_program_after_that_hangs),
        FOLDER(a_killed_run_is_found_and_closed),
        FOLDER(a_retry_does_what_a_killed_run_left),
        FOLDER(a_run_that_lives_is_not_closed),
        FOLDER(programs_are_told_of_the_run),
        FOLDER(where_the_program_before_fails_nothing_is_stored),
        FOLDER(where_the_program_after_fails_is_a_warning),
        FOLDER(two_hosts_never_process_a_vm_at_once),
        cmocka_unit_test_setup_teardown(
            nor_do_they_in_a_bucket, attacked_setup_plain, attacked_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
