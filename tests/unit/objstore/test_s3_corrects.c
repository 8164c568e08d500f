// SPDX-License-Identifier: Apache-2.0
//
// What one correction heals is healed at every operation: clocks that differ,
// a bucket in another region, a token that expired meanwhile.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "sim_ops.h"

static char credentials[64];

static void write_credentials(const char *key, const char *secret,
                              const char *token)
{
    FILE *f = fopen(credentials, "w");

    assert_non_null(f);
    fprintf(f,
            "{\"access_key_id\":\"%s\",\"secret_access_key\":\"%s\","
            "\"session_token\":\"%s\"}",
            key, secret, token);
    assert_int_equal(fclose(f), 0);
}

static int make_credentials(void **state)
{
    (void)state;
    snprintf(credentials, sizeof credentials, "/tmp/objvault-test-XXXXXX");
    int fd = mkstemp(credentials);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int remove_credentials(void **state)
{
    (void)state;
    return unlink(credentials);
}

/* Runs an operation, with whatever was wrong made wrong by `spoil` after all
 * is prepared. */
static void heals(const struct sim_op *op, const struct s3server_opts *o,
                  const struct obj_config *config,
                  void (*spoil)(struct sim *s, const struct obj_config *c))
{
    struct obj_config c = *config;
    struct err e = { 0 };
    struct sim s;

    c.bucket = op->bucket;
    sim_open_with(&s, o, &c, 4000, 8000);
    op->prepare(&s);
    spoil(&s, &c);
    int r = op->run(&s, &e);
    if (r < 0)
        SIM_WRONG(&s, "%s", e.msg);
    op->look(&s, r);
    if (s.wrong[0] != '\0')
        fail_msg("%s: %s", op->name, s.wrong);
    sim_close(&s);
}

/* A store that knows nothing yet. */
static void reopen(struct sim *s, const struct obj_config *c)
{
    obj_store_close(s->store);
    s->store = sim_store(s->server, c, 4000, 8000);
}

static void set_ahead(struct sim *s, const struct obj_config *c)
{
    reopen(s, c);
    s3server_set_clock(s->server, 1200);
}

static void set_behind(struct sim *s, const struct obj_config *c)
{
    (void)c; /* the store keeps what it has learned: it is wrong now */
    s3server_set_clock(s->server, -1200);
}

static void clocks_twenty_minutes_apart_are_reconciled_everywhere(void **state)
{
    const struct obj_config c = { 0 };

    (void)state;
    for (size_t i = 0; i < SIM_OPS; i++) {
        heals(&sim_ops[i], NULL, &c, set_ahead);
        heals(&sim_ops[i], NULL, &c, set_behind);
    }
}

static void region_of_the_bucket_is_found_out_everywhere(void **state)
{
    const struct obj_config c = { .region = "us-east-1" };
    struct s3server_opts o = { .region = "eu-central-1" };

    (void)state;
    for (size_t i = 0; i < SIM_OPS; i++) {
        o.elsewhere = S3SERVER_MALFORMED;
        heals(&sim_ops[i], &o, &c, reopen);
        o.elsewhere = S3SERVER_REDIRECT;
        heals(&sim_ops[i], &o, &c, reopen);
        /* A bucket that is not there yet cannot be asked where it is. */
        if (strcmp(sim_ops[i].name, "bucket create") == 0)
            continue;
        o.elsewhere = S3SERVER_SILENT;
        heals(&sim_ops[i], &o, &c, reopen);
    }
}

static void expire(struct sim *s, const struct obj_config *c)
{
    (void)c;
    write_credentials("AKIDNEWER", "newer", "token-2");
    s3server_set_keys(s->server, "AKIDNEWER", "newer", "token-2");
}

static void expired_token_is_replaced_by_the_file_s_newer_one(void **state)
{
    const struct obj_config c = { .credentials_file = credentials };
    const struct s3server_opts o = { .access_key = "AKIDOLDER",
                                     .secret_key = "older",
                                     .token = "token-1" };

    (void)state;
    for (size_t i = 0; i < SIM_OPS; i++) {
        write_credentials("AKIDOLDER", "older", "token-1");
        heals(&sim_ops[i], &o, &c, expire);
    }
}

static void expired_token_without_a_newer_one_is_told(void **state)
{
    const struct obj_config c = { .credentials_file = credentials };
    const struct s3server_opts o = { .access_key = "AKIDOLDER",
                                     .secret_key = "older",
                                     .token = "token-1" };

    (void)state;
    for (size_t i = 0; i < SIM_OPS; i++) {
        struct obj_config one = c;
        struct err e = { 0 };
        struct sim s;
        one.bucket = sim_ops[i].bucket;
        write_credentials("AKIDOLDER", "older", "token-1");
        sim_open_with(&s, &o, &one, 4000, 8000);
        sim_ops[i].prepare(&s);
        s3server_set_keys(s.server, "AKIDNEWER", "newer", "token-2");
        assert_int_equal(sim_ops[i].run(&s, &e), -1);
        if (e.kind != ERR_DENIED || strstr(e.msg, "ExpiredToken") == NULL)
            fail_msg("%s: %s", sim_ops[i].name, e.msg);
        sim_close(&s);
    }
}

static void secret_of_another_key_is_told_everywhere(void **state)
{
    const struct s3server_opts o = { .access_key = S3SERVER_KEY };

    (void)state;
    for (size_t i = 0; i < SIM_OPS; i++) {
        const struct obj_config c = { .bucket = sim_ops[i].bucket };
        struct err e = { 0 };
        struct sim s;
        sim_open_with(&s, &o, &c, 4000, 8000);
        sim_ops[i].prepare(&s);
        s3server_set_keys(s.server, S3SERVER_KEY, "another", NULL);
        assert_int_equal(sim_ops[i].run(&s, &e), -1);
        if (e.kind != ERR_DENIED ||
            strstr(e.msg, "SignatureDoesNotMatch") == NULL)
            fail_msg("%s: %s", sim_ops[i].name, e.msg);
        sim_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_twenty_minutes_apart_are_reconciled_everywhere),
        cmocka_unit_test(region_of_the_bucket_is_found_out_everywhere),
        cmocka_unit_test(expired_token_is_replaced_by_the_file_s_newer_one),
        cmocka_unit_test(expired_token_without_a_newer_one_is_told),
        cmocka_unit_test(secret_of_another_key_is_told_everywhere),
    };

    sim_env();
    return cmocka_run_group_tests(tests, make_credentials, remove_credentials);
}
