// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_DRIVER_RIG_H
#define TESTS_UNIT_OBJSTORE_DRIVER_RIG_H

/* The driver D, which the includer defines, opened on a server that does what
 * it is told. */
#include "fake_http.h"
#include "objstore/driver.h"

#define SECRET "s3cr3t-s3cr3t-s3cr3t"

struct rig {
    struct fake *fake;
    void *self;
    struct obj_attempt a;
    struct obj_req r;
};

/* No proxy of the machine may come between. */
static inline void no_proxy(void)
{
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    unsetenv("HTTPS_PROXY");
    unsetenv("ALL_PROXY");
    unsetenv("all_proxy");
}

/* token NULL: none. */
static inline void keys_are_of_the_test(const char *token)
{
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    if (token != NULL)
        setenv("AWS_SESSION_TOKEN", token, 1);
    else
        unsetenv("AWS_SESSION_TOKEN");
}

static inline void *open_driver(const struct obj_config *c)
{
    char *name = NULL;
    struct err e = { 0 };

    void *self = D.open(c, &name, &e);
    if (self == NULL)
        fail_msg("%s", e.msg);
    free(name);
    return self;
}

static inline int teardown(void **state)
{
    struct rig *rig = *state;

    D.close(rig->self);
    fake_stop(rig->fake);
    free(rig);
    return 0;
}

static inline void assert_outcome(const struct obj_attempt *a,
                                  enum obj_outcome expected)
{
    if (a->outcome != expected)
        fail_msg("outcome %d instead of %d: %d %s %s %s", (int)a->outcome,
                 (int)expected, a->http, a->code, a->message,
                 a->outcome == OBJ_LOCAL ? a->err.msg : "");
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
