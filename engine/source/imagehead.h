// SPDX-License-Identifier: Apache-2.0
// Private to engine/source/: what the first bytes of a file tell about it.
#ifndef ENGINE_SOURCE_IMAGEHEAD_H
#define ENGINE_SOURCE_IMAGEHEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/source/image.h"

/* As much of a file as is looked at. */
#define ENG_IMAGEHEAD_BYTES (64u << 10)

struct eng_imagehead {
    bool known; /* it has the magic of an image format */
    enum eng_image_format format;
    char **refs; /* other files that the image names: backing file, external
                    data, extents; as written there */
    size_t n_refs;
};

/* Looks at the first bytes of a file, hostile as they may be.  Fills *out,
 * which the caller ends with eng_imagehead_fini (also after an error).
 * ERR_CORRUPT: an image whose header is broken; ERR_NOMEM. */
int eng_imagehead_parse(struct span head, struct eng_imagehead *out,
                        struct err *e) __attribute__((warn_unused_result));
void eng_imagehead_fini(struct eng_imagehead *h);
#define AUTO_ENG_IMAGEHEAD AUTO(eng_imagehead_fini)

#endif
