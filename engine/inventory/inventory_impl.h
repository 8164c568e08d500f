// SPDX-License-Identifier: Apache-2.0
/* Private to engine/inventory/: how an inventory is filled. */
#ifndef ENGINE_INVENTORY_INVENTORY_IMPL_H
#define ENGINE_INVENTORY_INVENTORY_IMPL_H

#include "engine/inventory/inventory.h"

/* Makes room for one more in a list of n that doubles when it is full; NULL:
 * ERR_NOMEM, the list stays. */
void *eng_list_grown(void *list, size_t n, size_t size, struct err *e);

/* Appends a copy of text to a list of texts. */
int eng_list_text(char ***list, size_t *n, const char *text, struct err *e)
    __attribute__((warn_unused_result));
void eng_list_free(char **list, size_t n);

void eng_vm_fini(struct eng_vm *vm);
#define AUTO_ENG_VM AUTO(eng_vm_fini)

/* Takes *vm over where it succeeds: it is zeroed then. */
int eng_inventory_add(struct eng_inventory *inv, struct eng_vm *vm,
                      struct err *e) __attribute__((warn_unused_result));
/* Names a container that there is, whatever is in it. */
int eng_inventory_container(struct eng_inventory *inv,
                            enum eng_container_kind kind, const char *name,
                            struct err *e) __attribute__((warn_unused_result));
/* Over the bound the rest is one note. */
int eng_inventory_note(struct eng_inventory *inv, bool warning,
                       const char *text, struct err *e)
    __attribute__((warn_unused_result));

/* Once for each: a VM may have two disks in a pool. */
int eng_vm_in(struct eng_vm *vm, enum eng_container_kind kind, const char *name,
              struct err *e) __attribute__((warn_unused_result));
/* Takes nothing over. */
int eng_vm_disk(struct eng_vm *vm, const struct eng_vm_disk *disk,
                struct err *e) __attribute__((warn_unused_result));

/* The places' readers. */
int eng_folder_read(struct eng_inventory *inv, const struct cancel *cancel,
                    struct err *e) __attribute__((warn_unused_result));
int eng_libvirt_read(struct eng_inventory *inv, const struct cancel *cancel,
                     struct err *e) __attribute__((warn_unused_result));
struct eng_machine *eng_folder_machine(const struct eng_place *place,
                                       const char *id, struct err *e);
struct eng_machine *eng_libvirt_machine(const struct eng_place *place,
                                        const char *id,
                                        eng_disk_wanted_fn wanted, void *ctx,
                                        struct err *e);

#endif
