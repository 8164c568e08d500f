// SPDX-License-Identifier: Apache-2.0
// For engine/source/ and engine/inventory/: the files of a folder, and which
// of them are disks.
#ifndef ENGINE_SOURCE_MACHINE_SCAN_H
#define ENGINE_SOURCE_MACHINE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/err.h"
#include "engine/source/image.h"
#include "engine/source/imagehead.h"

struct eng_found {
    char *name; /* relative path, '/' between components */
    char *path; /* absolute */
    dev_t dev;
    ino_t ino;
    uint32_t mode;
    uint64_t size;
    struct eng_imagehead head;
    bool image;                   /* by its name or its magic ... */
    bool by_magic;                /* ... by its magic alone */
    enum eng_image_format format; /* of an image */
    bool broken;                  /* has a magic, but the header is damaged */
    bool part;                    /* belongs to another image */
    size_t seen;                  /* the last check that came by, see .c */
};

/* Told of an entry that is passed over, and why.  harmless: no folder, image or
 * other file, but a link or a device, or it has vanished. */
typedef int (*eng_scan_skip_fn)(void *ctx, bool harmless, const struct err *why,
                                struct err *e);

struct eng_scan {
    eng_scan_skip_fn skip;   /* NULL: nothing is passed over */
    void *ctx;               /* skip's */
    char *root;              /* absolute; of the folder */
    struct eng_found *found; /* sorted by name */
    size_t n, cap;
    char **folders; /* below root, not read; owned */
    size_t n_folders;
};

/* Collects the files below the folder `root` (absolute).  Refuses what
 * eng_machine_scan refuses. */
int eng_scan_folder(struct eng_scan *s, const char *root, struct err *e)
    __attribute__((warn_unused_result));

/* The same for `root` itself without the folders in it, whose names are in
 * s->folders afterwards.  With s->skip set the machines in it have nothing to
 * do with each other: what eng_machine_scan would refuse is passed over, except
 * that an image by its extension stays one (the scan of it alone says what is
 * wrong), and what only its magic makes an image takes nothing as its part. */
int eng_scan_level(struct eng_scan *s, const char *root, struct err *e)
    __attribute__((warn_unused_result));

/* Takes the one regular file `path` (absolute). */
int eng_scan_file(struct eng_scan *s, const char *path, struct err *e)
    __attribute__((warn_unused_result));

/* ERR_USAGE where a name is not UTF-8, or has control characters; what: the
 * word for it in the message. */
int eng_scan_name(const char *what, const char *name, struct err *e)
    __attribute__((warn_unused_result));

void eng_scan_fini(struct eng_scan *s);
#define AUTO_ENG_SCAN AUTO(eng_scan_fini)

/* The format that a name's extension stands for; *guess: the content may say
 * otherwise (".img").  *stem: length of the name without it. */
bool eng_scan_extension(const char *name, enum eng_image_format *format,
                        bool *guess, size_t *stem);

#endif
