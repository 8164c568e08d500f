// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_SOURCE_CONFIG_H
#define ENGINE_JOB_SOURCE_CONFIG_H

/* Sources as they are configured (sources/NAME.json): places with machines. */
#include "engine/inventory/inventory.h"
#include "engine/job/config.h"

struct eng_config_source {
    char *name;
    char *place; /* "dir:/path" or "libvirt:URI" */
};

/* Form of every member; asks nobody.  *place (NULL: not wanted) is filled by
 * it.  ERR_USAGE. */
int eng_config_source_check(const struct eng_config_source *s,
                            struct eng_place *place, struct err *e)
    __attribute__((warn_unused_result));
/* Reads and checks a source's file.  ERR_CONFIG, naming it. */
int eng_config_source_read(const char *path, const char *name,
                           struct eng_config_source *out, struct err *e)
    __attribute__((warn_unused_result));
/* ERR_NOTFOUND: no source of this name. */
int eng_config_source_load(const struct eng_home *h, const char *name,
                           struct eng_config_source *out, struct err *e)
    __attribute__((warn_unused_result));
/* What a configured source has now.  NULL: as eng_config_source_load and
 * eng_inventory_read. */
struct eng_inventory *eng_config_source_look(const struct eng_home *h,
                                             const char *name,
                                             const struct cancel *cancel,
                                             struct err *e);
/* Writes atomically; ERR_EXISTS where the name is taken. */
int eng_config_source_save(const struct eng_home *h,
                           const struct eng_config_source *s, struct err *e)
    __attribute__((warn_unused_result));
int eng_config_source_remove(const struct eng_home *h, const char *name,
                             struct err *e) __attribute__((warn_unused_result));
void eng_config_source_fini(struct eng_config_source *s); /* zeroed is fine */
#define AUTO_ENG_CONFIG_SOURCE AUTO(eng_config_source_fini)

#endif
