// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_INVENTORY_PLACE_H
#define ENGINE_INVENTORY_PLACE_H

/* Where machines are: what a source's configuration says, as text. */
#include "base/auto.h"
#include "base/err.h"

#define ENG_PLACE_MAX 4096 /* bytes of the text */

enum eng_place_kind {
    ENG_PLACE_FOLDER,  /* "dir:/path" */
    ENG_PLACE_LIBVIRT, /* "libvirt:URI" */
};

struct eng_place {
    enum eng_place_kind kind;
    char *text; /* canonical: parses to the same */
    char *path; /* of a folder, absolute; else NULL */
    char *uri;  /* for libvirt, with its driver; else NULL */
};

/* Reads "dir:/path" or "libvirt:URI".  A URI without a driver
 * ("libvirt:///system") is QEMU's.  Images are read on this machine, so a URI
 * that leads to another host is refused.  Asks nobody.  ERR_USAGE. */
int eng_place_parse(const char *text, struct eng_place *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_place_fini(struct eng_place *p); /* zeroed is fine */
#define AUTO_ENG_PLACE AUTO(eng_place_fini)

#endif
