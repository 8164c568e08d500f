// SPDX-License-Identifier: Apache-2.0
// Private to engine/: the locks by which QEMU processes agree on an image.
#ifndef ENGINE_SOURCE_QEMU_LOCK_H
#define ENGINE_SOURCE_QEMU_LOCK_H

#include "base/err.h"

/* What a user of an image may do to it: QEMU's block permissions, by bit. */
enum eng_qemu_perm {
    ENG_QEMU_READ = 1,
    ENG_QEMU_WRITE = 2,
    ENG_QEMU_RESIZE = 8,
};

/* Says "I do `hold`, and nobody may do `deny`" until fd is closed, as a QEMU
 * does when it opens the image, and asks whether the others agree.  fd is open
 * for reading at least.  ERR_BUSY: they do not. */
int eng_qemu_lock(int fd, unsigned hold, unsigned deny, const char *path,
                  struct err *e) __attribute__((warn_unused_result));

#endif
