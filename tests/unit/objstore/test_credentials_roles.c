// SPDX-License-Identifier: Apache-2.0
//
// Roles that are taken on at an STS, played by a fake: with a web identity, or
// with the keys of another source.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "keys_rig.h"

/* Web identity. */

static void web_identity_is_traded_without_a_signature(void **state)
{
    (void)state;
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", at_home("jwt"), 1);
    assert_refused(NULL, ERR_CONFIG, "AWS_ROLE_ARN is not");
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/web", 1);
    setenv("AWS_ROLE_SESSION_NAME", "night run", 1);
    write_to("jwt", JWT "\n", 0600);
    add("200 OK", sts_xml("AssumeRoleWithWebIdentity", "WEB", "wt"));
    assert_loaded(NULL, "WEB", HUSH, "wt");
    assert_asked(0, "POST / HTTP/1.1\r\n");
    assert_asked(0, "\r\nContent-Type: application/x-www-form-urlencoded");
    assert_null(strcasestr(fake_head(fake, 0), "\r\nAuthorization:"));
    assert_null(strstr(fake_head(fake, 0), JWT));
    assert_body(0,
                "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
                "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fweb&"
                "RoleSessionName=night%20run&WebIdentityToken=" JWT,
                true);

    write_to("jwt", "the-next-token", 0600);
    add("200 OK", sts_xml("AssumeRoleWithWebIdentity", "WEB", "wt"));
    assert_loaded(NULL, "WEB", HUSH, "wt");
    assert_body(1, "&WebIdentityToken=the-next-token", true);
}

static void refusing_sts_is_quoted_but_not_what_it_repeats(void **state)
{
    struct obj_credentials c;
    struct err e = { 0 };

    (void)state;
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", at_home("jwt"), 1);
    setenv("AWS_ROLE_ARN", "arn:web", 1);
    write_to("jwt", JWT, 0600);
    add("400 Bad", "<ErrorResponse><Error><Code>IDPCommunicationError</Code>"
                   "<Message>no provider</Message></Error></ErrorResponse>");
    assert_refused(NULL, ERR_DENIED,
                   "HTTP 400 IDPCommunicationError: no provider");
    add("400 Bad",
        "<ErrorResponse><Error><Code>InvalidIdentityToken</Code>"
        "<Message>not valid: " JWT "</Message></Error></ErrorResponse>");
    assert_int_equal(obj_credentials_load(NULL, NULL, &c, &e), -1);
    assert_non_null(strstr(e.msg, "HTTP 400 InvalidIdentityToken"));
    assert_null(strstr(e.msg, JWT));
    add("200 OK", "<html/>");
    assert_refused(NULL, ERR_DENIED, "html");
    setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1", 1);
    assert_refused(NULL, ERR_UNREACHABLE, "AssumeRoleWithWebIdentity arn:web");
    setenv("AWS_ENDPOINT_URL_STS", "nonsense://", 1);
    assert_refused(NULL, ERR_CONFIG, "endpoint");
}

/* Roles. */

static void role_is_taken_on_with_a_signed_request(void **state)
{
    (void)state;
    point_to_fake("AWS_ENDPOINT_URL", "");
    write_to(".aws/config",
             "[default]\nrole_arn = arn:r\nsource_profile = base\n"
             "external_id = ext/1\nrole_session_name = me\n"
             "duration_seconds = 900\nregion = eu-west-3\n"
             "[profile base]\naws_access_key_id=BASE\n"
             "aws_secret_access_key=base\naws_session_token=basetok\n",
             0600);
    add("200 OK", sts_xml("AssumeRole", "ROLE", "rt"));
    assert_loaded(NULL, "ROLE", HUSH, "rt");
    assert_asked(0, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=BASE/");
    assert_asked(0, "/eu-west-3/sts/aws4_request,SignedHeaders=content-type;"
                    "host;x-amz-date;x-amz-security-token,Signature=");
    assert_asked(0, "\r\nx-amz-security-token: basetok\r\n");
    assert_body(0,
                "RoleArn=arn%3Ar&RoleSessionName=me&DurationSeconds=900&"
                "ExternalId=ext%2F1",
                true);
    assert_body(0, "WebIdentityToken", false);
}

static void roles_are_taken_on_one_with_the_keys_of_the_other(void **state)
{
    (void)state;
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    setenv("AWS_PROFILE", "top", 1);
    /* The lowest signs with its own keys. */
    write_to(".aws/config",
             "[profile top]\nrole_arn = arn:top\nsource_profile = mid\n"
             "[profile mid]\nrole_arn = arn:mid\nsource_profile = low\n"
             "[profile low]\nrole_arn = arn:low\nsource_profile = low\n"
             "aws_access_key_id=LOW\naws_secret_access_key=low\n",
             0600);
    add("200 OK", sts_xml("AssumeRole", "K1", "t1"));
    add("200 OK", sts_xml("AssumeRole", "K2", "t2"));
    add("200 OK", sts_xml("AssumeRole", "K3", "t3"));
    assert_loaded(NULL, "K3", HUSH, "t3");
    assert_asked(0, "Credential=LOW/");
    assert_body(0, "RoleArn=arn%3Alow", true);
    assert_asked(1, "Credential=K1/");
    assert_body(1, "RoleArn=arn%3Amid", true);
    assert_asked(2, "Credential=K2/");
    assert_asked(2, "\r\nx-amz-security-token: t2\r\n");
    assert_body(2, "RoleArn=arn%3Atop", true);
    fake_forget(fake);
    add("403 No", "<ErrorResponse><Error><Code>AccessDenied</Code>"
                  "<Message>low may not</Message></Error></ErrorResponse>");
    assert_refused(NULL, ERR_DENIED,
                   "the AWS profile low: AssumeRole arn:low at 127.0.0.1:");
}

static void role_may_stand_on_other_sources(void **state)
{
    (void)state;
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    metadata_is_the_fake();
    write_to(".aws/config",
             "[default]\nrole_arn=arn:r\n"
             "credential_source=Ec2InstanceMetadata\n",
             0600);
    add("200 OK", "tok");
    add("200 OK", "role");
    add("200 OK", endpoint_json("IMDS", "it"));
    add("200 OK", sts_xml("AssumeRole", "ROLE", "rt"));
    assert_loaded(NULL, "ROLE", HUSH, "rt");
    assert_asked(3, "Credential=IMDS/");

    fake_forget(fake);
    point_to_fake("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/c");
    write_to(".aws/config",
             "[default]\nrole_arn=arn:r\ncredential_source=EcsContainer\n",
             0600);
    add("200 OK", endpoint_json("CONT", "ct"));
    add("200 OK", sts_xml("AssumeRole", "ROLE", "rt"));
    assert_loaded(NULL, "ROLE", HUSH, "rt");
    assert_asked(1, "Credential=CONT/");

    fake_forget(fake);
    char text[256];
    snprintf(text, sizeof text,
             "[default]\nrole_arn=arn:r\nweb_identity_token_file=%s\n",
             at_home("jwt"));
    write_to("jwt", JWT, 0600);
    write_to(".aws/config", text, 0600);
    add("200 OK", sts_xml("AssumeRoleWithWebIdentity", "WEB", "wt"));
    assert_loaded(NULL, "WEB", HUSH, "wt");

    write_to(".aws/config",
             "[default]\nrole_arn=arn:r\ncredential_source=Environment\n",
             0600);
    assert_refused(NULL, ERR_DENIED, "AWS_ACCESS_KEY_ID (not set)");
    write_to(".aws/config",
             "[default]\nrole_arn=arn:r\ncredential_source=Moon\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "none of Environment");
}

static void circles_and_endless_chains_of_profiles_are_refused(void **state)
{
    (void)state;
    point_to_fake("AWS_ENDPOINT_URL_STS", "");
    write_to(".aws/config",
             "[default]\nrole_arn=a\nsource_profile=b\n"
             "[profile b]\nrole_arn=b\nsource_profile=c\n"
             "[profile c]\nrole_arn=c\nsource_profile=default\n",
             0600);
    assert_refused(NULL, ERR_CONFIG, "leads back to it");
    write_to(".aws/config",
             "[default]\nrole_arn=a\nsource_profile=1\n"
             "[profile 1]\nrole_arn=a\nsource_profile=2\n"
             "[profile 2]\nrole_arn=a\nsource_profile=3\n"
             "[profile 3]\nrole_arn=a\nsource_profile=4\n"
             "[profile 4]\nrole_arn=a\nsource_profile=5\n"
             "[profile 5]\nrole_arn=a\nsource_profile=6\n"
             "[profile 6]\naws_access_key_id=A\naws_secret_access_key=a\n",
             0600);
    assert_refused(NULL, ERR_CONFIG, "more than 5 roles in a row");
    write_to(".aws/config", "[default]\nrole_arn=a\nsource_profile=none\n",
             0600);
    assert_refused(NULL, ERR_CONFIG, "source_profile none, which is not there");
    write_to(".aws/config",
             "[default]\nrole_arn=a\nsource_profile=b\n[profile b]\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "it has no keys");
    write_to(".aws/config", "[default]\nrole_arn=a\nsource_profile=default\n",
             0600);
    assert_refused(NULL, ERR_CONFIG, "it has no keys");
    write_to(".aws/config",
             "[default]\nrole_arn=a\nsource_profile=b\nmfa_serial=m\n", 0600);
    assert_refused(NULL, ERR_CONFIG, "one-time code");
    write_to(".aws/config",
             "[default]\nrole_arn=a\nsource_profile=b\nduration_seconds=1h\n",
             0600);
    assert_refused(NULL, ERR_CONFIG, "duration_seconds");
    write_to(".aws/config",
             "[default]\nrole_arn=a\nsource_profile=b\n"
             "credential_source=Environment\n",
             0600);
    assert_refused(NULL, ERR_CONFIG, "one of source_profile");
    assert_int_equal(fake_requests(fake), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FAKE(web_identity_is_traded_without_a_signature),
        WITH_FAKE(refusing_sts_is_quoted_but_not_what_it_repeats),
        WITH_FAKE(role_is_taken_on_with_a_signed_request),
        WITH_FAKE(roles_are_taken_on_one_with_the_keys_of_the_other),
        WITH_FAKE(role_may_stand_on_other_sources),
        WITH_FAKE(circles_and_endless_chains_of_profiles_are_refused),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
