// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_INVENTORY_LOOK_H
#define TESTS_UNIT_ENGINE_INVENTORY_LOOK_H

/* A scratch folder, and what an inventory of a place has. */
#include "tests/unit/engine/source/scratch.h"

#include "engine/inventory/inventory.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_drop)

static inline struct eng_place place_of(const char *text)
{
    struct err e = { 0 };
    struct eng_place p;
    if (eng_place_parse(text, &p, &e) < 0)
        fail_msg("%s: %s", text, e.msg);
    return p;
}

static inline struct eng_inventory *look(const char *kind, const char *path)
{
    char text[400];
    struct err e = { 0 };
    snprintf(text, sizeof text, "%s%s", kind, path);
    AUTO_ENG_PLACE struct eng_place p = place_of(text);
    struct eng_inventory *inv = eng_inventory_read(&p, NULL, &e);
    if (inv == NULL)
        fail_msg("%s: %s", text, e.msg);
    return inv;
}

static inline const struct eng_vm *vm_of(const struct eng_inventory *inv,
                                         const char *id)
{
    for (size_t i = 0; i < inv->n_vms; i++)
        if (strcmp(inv->vms[i].id, id) == 0)
            return &inv->vms[i];
    fail_msg("no VM %s", id);
    return NULL;
}

/* "folder:a folder:a/b"; of an inventory with the number of VMs behind. */
static inline const char *containers(const struct eng_container *c, size_t n,
                                     bool count)
{
    static char text[1000];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%s",
                                 i == 0 ? "" : " ",
                                 eng_container_kind_name(c[i].kind), c[i].name);
        if (count)
            used += (size_t)snprintf(text + used, sizeof text - used, "=%zu",
                                     c[i].n_vms);
    }
    return text;
}

/* All ids, with a '!' behind those that cannot be backed up. */
static inline const char *ids(const struct eng_inventory *inv)
{
    static char text[1000];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < inv->n_vms; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s",
                                 i == 0 ? "" : " ", inv->vms[i].id,
                                 inv->vms[i].problem != NULL ? "!" : "");
    return text;
}

static inline void assert_noted(const struct eng_inventory *inv, bool warning,
                                const char *part)
{
    for (size_t i = 0; i < inv->n_notes; i++)
        if (inv->notes[i].warning == warning &&
            strstr(inv->notes[i].text, part) != NULL)
            return;
    fail_msg("no %s says '%s'", warning ? "warning" : "note", part);
}

static inline void assert_has(const char *text, const char *part)
{
    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("'%s' is not in: %s", part, text != NULL ? text : "(none)");
}

#endif
