// SPDX-License-Identifier: Apache-2.0
/* The object layer vouches for lengths only; what a bit that flipped on its way
 * makes of a block is found here. */
#include "tests/unit/engine/fixture.h"

#include "engine/repo/blockio.h"
#include "engine/repo/learn.h"
#include "engine/repo/versions.h"
#include "tests/s3server/s3server.h"

struct scene {
    struct s3server *server;
    char state[64];
    struct eng_repo *repo;
    struct eng_blockio *io;
    struct mf_id id;
    uint8_t plain[FIXTURE_BLOCK];
    uint8_t got[FIXTURE_BLOCK];
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    const struct eng_repo_create_opts o = { .create_bucket = true,
                                            .block_size = FIXTURE_BLOCK };
    struct err e = { 0 };

    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    unsetenv("AWS_SESSION_TOKEN");
    s->server = s3server_start(NULL);
    snprintf(s->state, sizeof s->state, "/tmp/objvault-unit-XXXXXX");
    assert_non_null(mkdtemp(s->state));
    const struct eng_repo_place place = {
        .name = "test",
        .state_dir = s->state,
        .store = { .bucket = "bucket",
                   .region = "us-east-1",
                   .endpoint = s3server_endpoint(s->server) },
    };
    must(eng_repo_create(&place, &o, NULL, why));
    s->repo = eng_repo_open(&place, NULL, &e);
    if (s->repo == NULL)
        fail_msg("%s", e.msg);
    must(eng_repo_prepare_writes(s->repo, ENG_UPLOAD_NEW, NULL, why));
    s->io = eng_blockio_new(s->repo, 3, NULL, &e);
    assert_non_null(s->io);
    fixture_noise(s->plain, sizeof s->plain, 1);
    must(mf_id_of(span_of(s->plain, sizeof s->plain), &s->id, why));
    must(eng_block_put(s->io, &s->id, span_of(s->plain, sizeof s->plain), why));
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    char command[128];

    eng_blockio_free(s->io);
    eng_repo_close(s->repo);
    s3server_stop(s->server);
    snprintf(command, sizeof command, "rm -rf '%s'", s->state);
    int r = system(command); /* NOLINT(cert-env33-c): a path of our own */
    free(s);
    return r;
}

static const uint64_t places[] = { 0, 5, 100, FIXTURE_BLOCK / 2, UINT64_MAX };

static void block_with_a_flipped_bit_is_fetched_again(void **state)
{
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct s3server_rule flip = { .op = "GetObject",
                                            .times = 1,
                                            .act = S3SERVER_FLIP_ANSWER,
                                            .at = places[i] };
        s3server_script(s->server, &flip, 1);
        memset(s->got, 0, sizeof s->got);
        must(eng_block_get(s->io, &s->id, s->got, sizeof s->got, why));
        assert_memory_equal(s->got, s->plain, sizeof s->got);
        assert_int_equal(s3server_acted(s->server, 0), 1);
    }
}

static int is_known(void *ctx, struct span bytes, struct err *e)
{
    const char *text = ctx;

    if (bytes.len == strlen(text) && memcmp(bytes.p, text, bytes.len) == 0)
        return 0;
    return err_set(e, ERR_CORRUPT, 0, "other bytes");
}

static void small_object_with_a_flipped_bit_is_fetched_again(void **state)
{
    struct scene *s = *state;
    char text[] = "a manifest, or a slot";
    const struct eng_verify verify = { is_known, text };
    const struct obj_req req = { .key = "plain/points/vm/some" };
    const struct s3server_rule flip = {
        .op = "GetObject", .times = 2, .act = S3SERVER_FLIP_ANSWER, .at = 3
    };
    AUTO_BUF struct buf got = buf_init(1024);

    must(obj_put(eng_repo_store(s->repo), &req, span_str(text), NULL, NULL,
                 why));
    s3server_script(s->server, &flip, 1);
    must(eng_versions_get(s->repo, NULL, req.key, &verify, &got, why));
    assert_int_equal(got.len, strlen(text));
    assert_int_equal(s3server_acted(s->server, 0), 2);
}

static void block_that_stays_damaged_is_refused_by_name(void **state)
{
    struct scene *s = *state;
    char hex[MF_ID_CHARS];

    mf_id_hex(&s->id, hex);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct s3server_rule flip = { .op = "GetObject",
                                            .act = S3SERVER_FLIP_ANSWER,
                                            .at = places[i] };
        struct err e = { 0 };
        s3server_script(s->server, &flip, 1);
        assert_int_equal(
            eng_block_get(s->io, &s->id, s->got, sizeof s->got, &e), -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
        assert_non_null(strstr(e.msg, hex));
        assert_in_range(s3server_acted(s->server, 0), 2, 10);
    }
}

static void block_that_flips_on_its_way_up_is_never_stored_so(void **state)
{
    struct scene *s = *state;
    const struct s3server_rule flip = {
        .op = "PutObject", .times = 2, .act = S3SERVER_FLIP_REQUEST, .at = 1000
    };
    struct mf_id id;

    s3server_script(s->server, &flip, 1);
    fixture_noise(s->plain, sizeof s->plain, 2);
    must(mf_id_of(span_of(s->plain, sizeof s->plain), &id, why));
    must(eng_block_put(s->io, &id, span_of(s->plain, sizeof s->plain), why));
    assert_int_equal(s3server_acted(s->server, 0), 2);
    must(eng_block_get(s->io, &id, s->got, sizeof s->got, why));
    assert_memory_equal(s->got, s->plain, sizeof s->got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            block_with_a_flipped_bit_is_fetched_again, setup, teardown),
        cmocka_unit_test_setup_teardown(
            small_object_with_a_flipped_bit_is_fetched_again, setup, teardown),
        cmocka_unit_test_setup_teardown(
            block_that_stays_damaged_is_refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(
            block_that_flips_on_its_way_up_is_never_stored_so, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
