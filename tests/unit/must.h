// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_MUST_H
#define TESTS_UNIT_MUST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* A call that must succeed; its error, `why`, is shown. */
#define must(call)                                                             \
    do {                                                                       \
        struct err must_e_ = { 0 };                                            \
        struct err *why = &must_e_;                                            \
        if ((call) < 0)                                                        \
            fail_msg("%s: %s", #call, must_e_.msg);                            \
    } while (0)

#endif
