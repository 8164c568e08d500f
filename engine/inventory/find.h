// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_INVENTORY_FIND_H
#define ENGINE_INVENTORY_FIND_H

/* Finding machines and containers by a part of their name, without regard to
 * case. */
#include <locale.h>

#include "engine/inventory/inventory.h"

struct eng_find {
    locale_t locale; /* whose rule of case it is, whatever the user's is */
    char *part;      /* in lower case */
};

/* ERR_NOMEM; ERR_UNSUPPORTED: the C library has no UTF-8 locale. */
int eng_find_init(struct eng_find *f, const char *part, struct err *e)
    __attribute__((warn_unused_result));
void eng_find_fini(struct eng_find *f); /* zeroed is fine */
#define AUTO_ENG_FIND AUTO(eng_find_fini)

/* 1 where the part is in the VM's name, or in the name of a container that it
 * is in; 0 where not; -1: ERR_NOMEM. */
int eng_find_vm(const struct eng_find *f, const struct eng_vm *vm,
                struct err *e) __attribute__((warn_unused_result));
/* The same for a container's name. */
int eng_find_container(const struct eng_find *f, const struct eng_container *c,
                       struct err *e) __attribute__((warn_unused_result));

#endif
