// SPDX-License-Identifier: Apache-2.0
//
// QEMU's image locks.  Every user of an image puts shared locks of an open
// file description on single bytes: byte 100 + n says "I use permission n",
// byte 200 + n says "nobody else may".  They never collide themselves; who
// comes sets its own first and then looks for those of others, so of two that
// come at once at least one gives up.  The bytes need not exist.
#include "engine/source/qemu_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#define BYTE_USED 100
#define BYTE_DENIED 200
#define PERMS 5 /* bits that QEMU knows */

static int set_byte(int fd, int byte, const char *path, struct err *e)
{
    struct flock fl = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
    };
    if (fcntl(fd, F_OFD_SETLK, &fl) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return err_set(e, ERR_BUSY, 0, "%s: locked by another program", path);
    /* Without locks nobody could tell whether a machine runs on it. */
    return err_set(e, err_of_errno(errno), errno,
                   "%s: lock against a running machine", path);
}

/* 1: somebody else has the byte. */
static int test_byte(int fd, int byte, const char *path, struct err *e)
{
    struct flock fl = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
    };
    if (fcntl(fd, F_OFD_GETLK, &fl) < 0)
        return err_set(e, err_of_errno(errno), errno,
                       "%s: look for the locks of others", path);
    return fl.l_type != F_UNLCK;
}

static int conflict(const char *path, bool written, struct err *e)
{
    return err_set(e, ERR_BUSY, 0,
                   "%s: in use by another program, a running machine or a "
                   "QEMU tool (it %s); shut the machine down first",
                   path,
                   written ? "holds QEMU's lock for writing"
                           : "does not share the image");
}

int eng_qemu_lock(int fd, unsigned hold, unsigned deny, const char *path,
                  struct err *e)
{
    for (int n = 0; n < PERMS; n++) {
        if ((hold >> n & 1) && set_byte(fd, BYTE_USED + n, path, e) < 0)
            return -1;
        if ((deny >> n & 1) && set_byte(fd, BYTE_DENIED + n, path, e) < 0)
            return -1;
    }
    for (int n = 0; n < PERMS; n++) {
        int used = 0;
        int denied = 0;
        if (deny >> n & 1)
            used = test_byte(fd, BYTE_USED + n, path, e);
        if (used == 0 && (hold >> n & 1))
            denied = test_byte(fd, BYTE_DENIED + n, path, e);
        if (used < 0 || denied < 0)
            return -1;
        if (used > 0 || denied > 0)
            return conflict(path, used > 0 && n > 0, e);
    }
    return 0;
}
