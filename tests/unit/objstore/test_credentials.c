// SPDX-License-Identifier: Apache-2.0
//
// Where keys come from, in which order, and what is wrong with them.
#include "objstore/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "aws_home.h"
#include "objstore/profile.h"

static char path[64]; /* of a credentials file of ours */

static int make_home(void **state)
{
    int r = make_dir(state);

    snprintf(path, sizeof path, "%s/test.json", dir);
    return r;
}

static void file_gives_keys_and_token(void **state)
{
    (void)state;
    write_to("test.json",
             "// the backup user\n{\"access_key_id\": \"AK\",\n"
             "\"secret_access_key\": \"se/+cret\"}",
             0600);
    assert_loaded(path, "AK", "se/+cret", NULL);
    write_to("test.json",
             "{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\","
             "\"session_token\":\"t\"}",
             0600);
    assert_loaded(path, "AK", "s", "t");
}

static void secrets_of_a_file_may_be_elsewhere(void **state)
{
    char text[256];

    (void)state;
    write_to("secret", "from a file\n", 0600);
    setenv("OBJVAULT_UNIT_TOKEN", "from-the-environment", 1);
    snprintf(text, sizeof text,
             "{\"access_key_id\":\"AK\",\"secret_access_key\":{\"file\":"
             "\"%s/secret\"},\"session_token\":{\"env\":"
             "\"OBJVAULT_UNIT_TOKEN\"}}",
             dir);
    write_to("test.json", text, 0644);
    assert_loaded(path, "AK", "from a file", "from-the-environment");
    write_to("test.json",
             "{\"access_key_id\":\"AK\",\"secret_access_key\":"
             "{\"command\":[\"echo\",\"by command\"]}}",
             0600);
    assert_loaded(path, "AK", "by command", NULL);
    unsetenv("OBJVAULT_UNIT_TOKEN");
}

static void named_file_hides_the_environment(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "env", 1);
    write_to("test.json",
             "{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\"}", 0600);
    assert_loaded(path, "AK", "s", NULL);
    unlink(path);
    assert_refused(path, ERR_DENIED, path);
}

static void malformed_files_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "test.json" },
        { "{\"access_key_id\":\"AK\"}", "secret_access_key" },
        { "{\"secret_access_key\":\"s\"}", "access_key_id" },
        { "{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\","
          "\"sesion_token\":\"t\"}",
          "sesion_token" },
        { "{\"access_key_id\":1,\"secret_access_key\":\"s\"}",
          "access_key_id" },
        { "{\"access_key_id\":\"AK\",\"secret_access_key\":7}",
          "secret_access_key" },
        { "{\"access_key_id\":\"AK\",\"secret_access_key\":"
          "{\"env\":\"OBJVAULT_UNIT_NOT_SET\"}}",
          "OBJVAULT_UNIT_NOT_SET" },
        { "{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\","
          "\"session_token\":[]}",
          "session_token" },
        { "{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\","
          "\"session_token\":{\"env\":\"OBJVAULT_UNIT_NOT_SET\"}}",
          "session_token" },
        { "{\"access_key_id\":\"\",\"secret_access_key\":\"s\"}",
          "access key id" },
        { "{\"access_key_id\":\"A B\",\"secret_access_key\":\"s\"}",
          "access key id" },
        { "{\"access_key_id\":\"A/B\",\"secret_access_key\":\"s\"}",
          "access key id" },
        { "{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\","
          "\"session_token\":\"a\\r\\nb: c\"}",
          "session token" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_to("test.json", cases[i].text, 0600);
        assert_refused(path, ERR_CONFIG, cases[i].why);
    }
}

static void oversized_inputs_are_refused(void **state)
{
    static char text[300000];
    char *at = text;

    (void)state;
    at += sprintf(at, "{\"access_key_id\":\"AK\",\"secret_access_key\":\"");
    memset(at, 's', 257);
    memcpy(at + 257, "\"}", 3);
    write_to("test.json", text, 0600);
    assert_refused(path, ERR_CONFIG, "longer than 256 bytes");

    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    write_to("test.json", text, 0600);
    assert_refused(path, ERR_CONFIG, "test.json");
    write_to(".aws/credentials", text, 0600);
    assert_refused(NULL, ERR_CONFIG, ".aws/credentials");
}

static void environment_comes_before_the_profile(void **state)
{
    (void)state;
    write_to(".aws/credentials",
             "[default]\naws_access_key_id = PROF\n"
             "aws_secret_access_key = prof\n",
             0600);
    assert_loaded(NULL, "PROF", "prof", NULL);
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    assert_refused(NULL, ERR_CONFIG, "only one of the two");
    setenv("AWS_SECRET_ACCESS_KEY", "env", 1);
    assert_loaded(NULL, "ENV", "env", NULL);
    setenv("AWS_SESSION_TOKEN", "", 1);
    assert_loaded(NULL, "ENV", "env", NULL);
    setenv("AWS_SESSION_TOKEN", "tok", 1);
    assert_loaded(NULL, "ENV", "env", "tok");
    unsetenv("AWS_ACCESS_KEY_ID");
    assert_refused(NULL, ERR_CONFIG, "only one of the two");
}

static void profile_is_chosen_by_the_environment(void **state)
{
    (void)state;
    write_to(".aws/credentials",
             "# comment\n[default]\naws_access_key_id=D\n"
             "aws_secret_access_key=d\n\n[ two ] ; note\n"
             "  \naws_access_key_id = T # id\naws_secret_access_key = a#b;c=\n"
             "aws_session_token=tt\n",
             0600);
    setenv("AWS_PROFILE", "two", 1);
    assert_loaded(NULL, "T", "a#b;c=", "tt");
    setenv("AWS_PROFILE", "", 1);
    assert_loaded(NULL, "D", "d", NULL);
    setenv("AWS_PROFILE", "three", 1);
    assert_refused(NULL, ERR_CONFIG, "there is no such profile");
}

static void profile_may_stand_in_the_config_file(void **state)
{
    (void)state;
    write_to(".aws/config",
             "[profile two]\naws_access_key_id=T\naws_secret_access_key=t\n"
             "region = eu-west-3\n"
             "s3 =\n  aws_access_key_id = nested\n  region = nested\n"
             "[two]\naws_access_key_id=WRONG\naws_secret_access_key=w\n"
             "[profile \"three\"]\naws_access_key_id=H\n"
             "aws_secret_access_key=h\n"
             "[profiletwo]\naws_access_key_id=WRONG\n",
             0600);
    setenv("AWS_PROFILE", "two", 1);
    assert_loaded(NULL, "T", "t", NULL);
    setenv("AWS_PROFILE", "three", 1);
    assert_loaded(NULL, "H", "h", NULL);
    /* The credentials file is first. */
    write_to(".aws/credentials",
             "[two]\naws_access_key_id=C\naws_secret_access_key=c\n", 0600);
    setenv("AWS_PROFILE", "two", 1);
    assert_loaded(NULL, "C", "c", NULL);
}

static void keys_of_two_files_are_never_mixed(void **state)
{
    (void)state;
    write_to(".aws/config",
             "[default]\naws_access_key_id=F\naws_secret_access_key=f\n"
             "aws_session_token=foreign\n",
             0600);
    write_to(".aws/credentials",
             "[default]\naws_access_key_id=C\naws_secret_access_key=c\n", 0600);
    assert_loaded(NULL, "C", "c", NULL);
    write_to(".aws/credentials", "[default]\naws_access_key_id=C\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "only one of aws_access_key_id");
}

static void nothing_found_lists_what_was_looked_at(void **state)
{
    struct obj_credentials c;
    struct err e = { 0 };
    static const char *const order[] = {
        "AWS_ACCESS_KEY_ID (not set)",
        "AWS_WEB_IDENTITY_TOKEN_FILE (not set)",
        "the AWS profile default (no keys in it)",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI (not set)",
        "instance metadata (AWS_EC2_METADATA_DISABLED)",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    };

    (void)state;
    write_to(".aws/config", "[default]\noutput = json\n", 0600);
    assert_int_equal(obj_credentials_load(NULL, NULL, &c, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    const char *at = e.msg;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        at = strstr(at, order[i]);
        if (at == NULL)
            fail_msg("%s is not in its place: %s", order[i], e.msg);
    }
}

static void files_may_be_elsewhere(void **state)
{
    char full[128];

    (void)state;
    write_to("elsewhere",
             "[default]\naws_access_key_id=E\n"
             "aws_secret_access_key=e\n",
             0600);
    snprintf(full, sizeof full, "%s/elsewhere", dir);
    setenv("AWS_SHARED_CREDENTIALS_FILE", full, 1);
    assert_loaded(NULL, "E", "e", NULL);
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    setenv("AWS_CONFIG_FILE", full, 1);
    assert_loaded(NULL, "E", "e", NULL);
    unsetenv("HOME");
    setenv("AWS_CONFIG_FILE", "/no/such/file", 1);
    assert_refused(NULL, ERR_DENIED, "no S3 keys");
}

static void incomplete_profiles_say_what_is_missing(void **state)
{
    (void)state;
    assert_refused(NULL, ERR_DENIED, "no S3 keys");
    write_to(".aws/credentials", "[default]\naws_access_key_id=E\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "only one of aws_access_key_id");
    write_to(".aws/credentials", "[default]\nrole_arn = arn:aws:iam::1:r\n",
             0600);
    assert_refused(NULL, ERR_CONFIG, "role_arn needs one of");
    write_to(".aws/credentials", "[default]\nsso_session = s\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "single sign-on, which is not supported");
    write_to(".aws/credentials", "[default]\nnonsense\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "line 2");
    /* Other people's sections are none of our business. */
    write_to(".aws/credentials",
             "[other]\nnonsense\n[default]\naws_access_key_id=E\n"
             "aws_secret_access_key=e",
             0600);
    assert_loaded(NULL, "E", "e", NULL);
}

static void assert_region(const char *expected)
{
    struct err e;
    AUTO_MEM char *region = obj_credentials_region(&e);

    assert_non_null(region);
    assert_string_equal(region, expected);
}

static void region_has_an_order_of_its_own(void **state)
{
    struct err e;

    (void)state;
    assert_region("us-east-1");
    write_to(".aws/config", "[default]\nregion = eu-west-3\n", 0600);
    assert_region("eu-west-3");
    setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
    assert_region("eu-west-2");
    setenv("AWS_REGION", "eu-west-1", 1);
    assert_region("eu-west-1");
    unsetenv("AWS_REGION");
    unsetenv("AWS_DEFAULT_REGION");
    write_to(".aws/config", "[default]\nnonsense\n", 0600);
    assert_null(obj_credentials_region(&e));
    assert_int_equal(e.kind, ERR_CONFIG);
}

static void equality_looks_at_all_three(void **state)
{
    struct err e;
    AUTO_OBJ_CREDENTIALS struct obj_credentials a, b;

    (void)state;
    write_to("test.json",
             "{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\"}", 0600);
    assert_int_equal(obj_credentials_load(path, NULL, &a, &e), 0);
    assert_int_equal(obj_credentials_load(path, NULL, &b, &e), 0);
    assert_true(obj_credentials_equal(&a, &b));
    static const char *const others[] = {
        "{\"access_key_id\":\"AX\",\"secret_access_key\":\"s\"}",
        "{\"access_key_id\":\"AK\",\"secret_access_key\":\"x\"}",
        ("{\"access_key_id\":\"AK\",\"secret_access_key\":\"s\","
         "\"session_token\":\"t\"}"),
    };
    for (size_t i = 0; i < 3; i++) {
        obj_credentials_fini(&b);
        write_to("test.json", others[i], 0600);
        assert_int_equal(obj_credentials_load(path, NULL, &b, &e), 0);
        assert_false(obj_credentials_equal(&a, &b));
    }
}

static void readable_secret_file_is_warned_about(void **state)
{
    char text[4096];
    int out[2], saved = dup(2);

    (void)state;
    write_to("test.json",
             "{\"access_key_id\":\"AK\",\"secret_access_key\":\"hush\"}", 0600);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(pipe2(out, O_NONBLOCK), 0);
    dup2(out[1], 2);
    struct obj_credentials c;
    struct err e;
    int r = obj_credentials_load(path, NULL, &c, &e);
    dup2(saved, 2);
    close(saved);
    ssize_t n = read(out[0], text, sizeof text - 1);
    close(out[0]);
    close(out[1]);
    assert_int_equal(r, 0);
    obj_credentials_fini(&c);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "chmod 600"));
    assert_null(strstr(text, "hush"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(file_gives_keys_and_token),
        TEST(secrets_of_a_file_may_be_elsewhere),
        TEST(named_file_hides_the_environment),
        TEST(malformed_files_are_refused),
        TEST(oversized_inputs_are_refused),
        TEST(environment_comes_before_the_profile),
        TEST(profile_is_chosen_by_the_environment),
        TEST(profile_may_stand_in_the_config_file),
        TEST(keys_of_two_files_are_never_mixed),
        TEST(nothing_found_lists_what_was_looked_at),
        TEST(files_may_be_elsewhere),
        TEST(incomplete_profiles_say_what_is_missing),
        TEST(region_has_an_order_of_its_own),
        TEST(equality_looks_at_all_three),
        TEST(readable_secret_file_is_warned_about),
    };

    return cmocka_run_group_tests(tests, make_home, remove_dir);
}
