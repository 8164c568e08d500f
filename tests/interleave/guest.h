// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_GUEST_H
#define TESTS_INTERLEAVE_GUEST_H

/*
 * What a small machine holds: a disk of a few blocks and two files, each cut
 * from a pool of contents that all machines share, so that what one drops
 * another brings back.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest/id.h"

#define GUEST_BLOCK (256u << 10)
#define GUEST_BLOCKS 2
#define GUEST_LAST (16u << 10) /* bytes of the last block */
#define GUEST_FILES 3
#define GUEST_CONTENTS 7 /* in the pool; 0: zeros (a file of none: empty) */

struct guest {
    struct guest_block {
        uint8_t content;
        uint8_t over; /* another content in one unit; 0: none */
        uint8_t unit;
    } disk[GUEST_BLOCKS];
    uint8_t files[GUEST_FILES];
};

/* What chance makes of a machine, and what it changes. */
void guest_make(struct guest *g);
void guest_change(struct guest *g);

/* Writes the machine to its folder, which is made where it is missing: what
 * differs from `before` (NULL: all). */
void guest_write(const struct guest *g, const struct guest *before,
                 const char *dir);

uint32_t guest_block_len(unsigned block);
/* The id of a block's content; false: zeros, which have none. */
bool guest_block_id(const struct guest *g, unsigned block, struct mf_id *id);
bool guest_file_id(const struct guest *g, unsigned file, struct mf_id *id);
size_t guest_file_len(const struct guest *g, unsigned file);

extern const char *const guest_file_names[GUEST_FILES];

#endif
