// SPDX-License-Identifier: Apache-2.0
/*
 * Keys for a web identity: a token that somebody else (Kubernetes, a CI system)
 * keeps fresh in a file is given to STS for the keys of a role.
 */
#include "base/io.h"
#include "objstore/credentials_source.h"

int obj_credentials_by_token_file(const char *path,
                                  const struct obj_credentials_role *role,
                                  const struct cancel *cancel,
                                  struct obj_credentials *out, struct err *e)
{
    AUTO_SECRET struct secret *token = obj_credentials_token_file(path, e);
    struct obj_credentials_role with_token = *role;

    if (token == NULL)
        return err_ctx(e, "web identity token");
    with_token.token = token;
    return obj_credentials_assume(&with_token, NULL, cancel, out, e);
}

int obj_credentials_from_web_identity(const struct cancel *cancel,
                                      struct obj_credentials *out,
                                      struct err *e)
{
    const char *path = obj_credentials_variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const struct obj_credentials_role role = {
        .arn = obj_credentials_variable("AWS_ROLE_ARN"),
        .session = obj_credentials_variable("AWS_ROLE_SESSION_NAME"),
    };

    if (path == NULL)
        return obj_credentials_absent(e,
                                      "AWS_WEB_IDENTITY_TOKEN_FILE (not set)");
    if (role.arn == NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN "
                       "is not");
    out->origin = io_format(e, "a web identity for %s", role.arn);
    if (out->origin == NULL)
        return -1;
    return obj_credentials_by_token_file(path, &role, cancel, out, e);
}
