// SPDX-License-Identifier: Apache-2.0
/*
 * What the environment says by itself: keys, region and endpoints.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "objstore/credentials_source.h"
#include "objstore/profile.h"

const char *obj_credentials_variable(const char *name)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

int obj_credentials_from_environment(const struct cancel *cancel,
                                     struct obj_credentials *out, struct err *e)
{
    const char *id = obj_credentials_variable("AWS_ACCESS_KEY_ID");
    const char *secret = obj_credentials_variable("AWS_SECRET_ACCESS_KEY");

    (void)cancel;
    if (id == NULL && secret == NULL)
        return obj_credentials_absent(e, "AWS_ACCESS_KEY_ID (not set)");
    if (id == NULL || secret == NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one "
                       "of the two is set");
    out->origin = io_format(e, "the environment");
    if (out->origin == NULL)
        return -1;
    return obj_credentials_set(
        id, secret, obj_credentials_variable("AWS_SESSION_TOKEN"), out, e);
}

char *obj_credentials_region(struct err *e)
{
    AUTO_OBJ_PROFILE struct obj_profile p = { 0 };
    const char *region = obj_credentials_variable("AWS_REGION");

    if (region == NULL)
        region = obj_credentials_variable("AWS_DEFAULT_REGION");
    if (region == NULL) {
        if (obj_profile_load(&p, obj_profile_chosen(), e) < 0)
            return NULL;
        region = p.region != NULL ? p.region : "us-east-1";
    }
    return io_format(e, "%s", region);
}

const char *obj_credentials_endpoint(const char *service)
{
    char name[32];

    (void)snprintf(name, sizeof name, "AWS_ENDPOINT_URL_%s", service);
    const char *url = obj_credentials_variable(name);
    return url != NULL ? url : obj_credentials_variable("AWS_ENDPOINT_URL");
}
