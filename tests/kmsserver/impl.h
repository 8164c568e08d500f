// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMSSERVER_IMPL_H
#define TESTS_KMSSERVER_IMPL_H

#include <pthread.h>

#include "base/buf.h"
#include "base/span.h"
#include "tests/kmsserver/kmsserver.h"

#define SHELF_MAX 32

struct shelf_key {
    char name[128];
    uint32_t state;
    uint8_t bytes[32];
};

/* The keys; the owner locks. */
struct shelf {
    struct shelf_key keys[SHELF_MAX];
    unsigned count;
    int minor; /* of kmsserver_opts */
};

/* The operation of the first item, or 0. */
uint32_t kmsserver_operation(struct span request);

/* Whether the request's credential is this one. */
bool kmsserver_is_user(struct span request, const char *user,
                       const char *password);

/* Does what a request asks for, and appends the answer to out; `act` bends what
 * the answer says. */
void kmsserver_answer(struct shelf *s, struct span request,
                      enum kmsserver_act act, uint32_t reason, struct buf *out);

#endif
