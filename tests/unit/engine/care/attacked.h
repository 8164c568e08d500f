// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_CARE_ATTACKED_H
#define TESTS_UNIT_ENGINE_CARE_ATTACKED_H

/* A repository with one point in a bucket of the tests' S3 server that keeps
 * versions, for tests that damage it. */
#include "tests/unit/engine/backup/vm.h"

#include "tests/s3server/s3server.h"

#define ATTACKED_BUCKET "bucket"

struct attacked {
    struct fixture f; /* its folder, and the place */
    struct s3server *server;
    char *vm;
    char keys[128][200]; /* all but leases, in byte order */
    size_t n;
};

static inline int attacked_on_key(void *ctx, const char *key,
                                  const struct obj_info *info, struct err *e)
{
    struct attacked *a = ctx;

    (void)info;
    (void)e;
    if (strncmp(key, "gc/", 3) == 0) /* no point needs it */
        return 0;
    assert_true(a->n < 128);
    snprintf(a->keys[a->n++], sizeof a->keys[0], "%s", key);
    return 0;
}

static inline void attacked_back_up(struct attacked *a)
{
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req all = { .key = "" };

    vm_run(r, a->vm, NULL);
    a->n = 0;
    must(obj_list(eng_repo_store(r), &all, NULL, attacked_on_key, a, why));
    eng_repo_close(r);
}

/* The first key that begins so. */
static inline const char *attacked_key(const struct attacked *a,
                                       const char *prefix)
{
    for (size_t i = 0; i < a->n; i++)
        if (strncmp(a->keys[i], prefix, strlen(prefix)) == 0)
            return a->keys[i];
    fail_msg("no key begins with %s", prefix);
    return NULL;
}

static inline int attacked_setup_bucket(void **state,
                                        enum s3server_versioning versioning,
                                        const struct eng_repo_create_opts *o,
                                        unsigned page)
{
    struct attacked *a = calloc(1, sizeof *a);
    const struct s3server_opts so = { .page = page };

    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    unsetenv("AWS_SESSION_TOKEN");
    a->server = s3server_start(&so);
    s3server_bucket(a->server, ATTACKED_BUCKET, versioning, o->locked);
    snprintf(a->f.dir, sizeof a->f.dir, "/dev/shm/objvault-unit-XXXXXX");
    assert_non_null(mkdtemp(a->f.dir));
    snprintf(a->f.state, sizeof a->f.state, "%s/state", a->f.dir);
    a->f.place = (struct eng_repo_place){
        .name = "test",
        .state_dir = a->f.state,
        .store = { .bucket = ATTACKED_BUCKET,
                   .region = "us-east-1",
                   .endpoint = s3server_endpoint(a->server) },
    };
    must(eng_repo_create(&a->f.place, o, NULL, why));
    a->vm = vm_make(&a->f, "vm");
    attacked_back_up(a);
    *state = a;
    return 0;
}

static inline int attacked_setup(void **state)
{
    const struct eng_repo_create_opts o = { .block_size = FIXTURE_BLOCK };

    return attacked_setup_bucket(state, S3SERVER_ENABLED, &o, 3);
}

static inline int attacked_setup_plain(void **state)
{
    const struct eng_repo_create_opts o = { .block_size = FIXTURE_BLOCK };

    return attacked_setup_bucket(state, S3SERVER_NEVER, &o, 0);
}

static inline int attacked_setup_locked(void **state)
{
    const struct eng_repo_create_opts o = { .block_size = FIXTURE_BLOCK,
                                            .locked = true,
                                            .immutability_s = 3600,
                                            .generation_s = 1800 };

    return attacked_setup_bucket(state, S3SERVER_ENABLED, &o, 0);
}

static inline int attacked_teardown(void **state)
{
    struct attacked *a = *state;
    char command[128];

    s3server_stop(a->server);
    snprintf(command, sizeof command, "rm -rf '%s'", a->f.dir);
    int r = system(command); /* NOLINT(cert-env33-c): a path of our own */
    free(a->vm);
    free(a);
    return r;
}

static inline void attacked_put(struct attacked *a, const char *key,
                                const char *text)
{
    s3server_write(a->server, ATTACKED_BUCKET, key, text, strlen(text));
}

/* A delete marker. */
static inline void attacked_hide(struct attacked *a, const char *key)
{
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req req = { .key = key };

    must(obj_delete(eng_repo_store(r), &req, false, why));
    eng_repo_close(r);
}

#endif
