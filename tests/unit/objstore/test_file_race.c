// SPDX-License-Identifier: Apache-2.0
/* The file driver among racing and dying writers. */
#include "directory.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define RACERS 32
#define ROUNDS 20

struct racer {
    struct obj_store *s;
    pthread_barrier_t *start;
    size_t self;
    size_t won;
};

static void *race(void *arg)
{
    struct racer *r = arg;

    for (size_t round = 0; round < ROUNDS; round++) {
        char key[32];
        char body[32];
        struct err e = { 0 };
        snprintf(key, sizeof key, "race/%zu/key", round);
        snprintf(body, sizeof body, "%zu", r->self);
        pthread_barrier_wait(r->start);
        if (put(r->s, key, body, true, &e) == 0)
            r->won |= (size_t)1 << round;
        else if (e.kind != ERR_EXISTS)
            r->won |= (size_t)1 << ROUNDS; /* found out below */
    }
    return NULL;
}

static void race_with(struct obj_store *s)
{
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, RACERS);
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ .s = s, .start = &start, .self = i };
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]),
                         0);
    }
    for (size_t i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t winners = 0;
        char key[32];
        char body[32] = "";
        for (size_t i = 0; i < RACERS; i++) {
            assert_int_equal(racers[i].won >> ROUNDS, 0);
            if ((racers[i].won >> round & 1) == 0)
                continue;
            winners++;
            snprintf(body, sizeof body, "%zu", i);
        }
        assert_int_equal(winners, 1);
        snprintf(key, sizeof key, "race/%zu/key", round);
        assert_holds(s, key, body);
    }
}

static void of_32_racing_creators_exactly_one_wins(void **state)
{
    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    race_with(s);
}

static void set_no_tmpfile(struct obj_store *s)
{
    struct obj_file *f = s->self;

    atomic_store(&f->no_tmpfile, true);
}

static void the_race_has_one_winner_without_nameless_files_too(void **state)
{
    char path[128];

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    set_no_tmpfile(s);
    race_with(s);
    snprintf(path, sizeof path, "%s/.tmp", root);
    assert_int_equal(rmdir(path), 0); /* nothing is left in it */
}

static int listed(void *ctx, const char *key, const struct obj_info *info,
                  struct err *e)
{
    size_t *n = ctx;

    (void)key;
    ++*n;
    if (info->size != 1 << 20)
        return err_set(e, ERR_CORRUPT, 0, "%s has %llu bytes", key,
                       (unsigned long long)info->size);
    return 0;
}

/* Puts bodies of one letter until it is killed. */
static void write_forever(bool named, bool if_absent)
{
    uint8_t *body = malloc(1 << 20);
    struct obj_put_opts o = { .if_absent = if_absent };
    struct obj_store *s = open_store();

    if (body == NULL)
        _exit(1);
    if (named)
        set_no_tmpfile(s);
    for (unsigned i = 0;; i++) {
        char key[32];
        struct obj_req r = { .key = key };
        struct err e = { 0 };
        snprintf(key, sizeof key, "d%u/k%d-%u", i % 3, getpid(), i % 5);
        memset(body, 'a' + (int)(i % 26), 1 << 20);
        if (obj_put(s, &r, span_of(body, 1 << 20), &o, NULL, &e) < 0 &&
            e.kind != ERR_EXISTS)
            _exit(2);
    }
}

static void assert_whole(struct obj_store *s)
{
    struct obj_req r = { .key = "" };
    struct list l = { 0 };
    struct err e = { 0 };
    size_t n = 0;

    if (obj_list(s, &r, NULL, listed, &n, &e) < 0)
        fail_msg("%s", e.msg);
    list_all(s, "", NULL, 0, &l);
    for (size_t i = 0; i < l.n; i++) {
        AUTO_BUF struct buf out = buf_init(1 << 20);
        struct obj_req one = { .key = l.keys[i] };
        assert_int_equal(obj_get(s, &one, NULL, &out, NULL, &e), 0);
        assert_int_equal(memcmp(out.p, out.p + 1, out.len - 1), 0);
    }
    list_free(&l);
}

static void a_killed_writer_leaves_no_visible_part(void **state)
{
    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    for (unsigned i = 0; i < 24; i++) {
        int status = 0;
        struct err e = { 0 };
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            write_forever(i & 1, i & 2);
        (void)!cancel_sleep(NULL, 5 + 4 * (int64_t)i, &e);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_whole(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_32_racing_creators_exactly_one_wins),
        TEST(the_race_has_one_winner_without_nameless_files_too),
        TEST(a_killed_writer_leaves_no_visible_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
