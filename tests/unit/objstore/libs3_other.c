// SPDX-License-Identifier: Apache-2.0
/* A module for another objvault: what test_libs3_answer.c is refused. */
#include "objstore/libs3_module.h"

const struct obj_libs3_table obj_libs3_table = { .abi = OBJ_LIBS3_ABI + 1 };
