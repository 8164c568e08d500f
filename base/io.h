// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_IO_H
#define BASE_IO_H

/* Local files: whole reads and writes, atomic replacement, folders.  Errors
 * name the path; kinds by err_of_errno. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* Reads exactly len bytes at offset, whatever the kernel splits.  ERR_IO where
 * the file ends before.  path is for the message only. */
int io_pread_full(int fd, void *p, size_t len, uint64_t offset,
                  const char *path, struct err *e)
    __attribute__((warn_unused_result));
int io_pwrite_full(int fd, const void *p, size_t len, uint64_t offset,
                   const char *path, struct err *e)
    __attribute__((warn_unused_result));
int io_write_full(int fd, const void *p, size_t len, const char *path,
                  struct err *e) __attribute__((warn_unused_result));

/* Appends the whole file to out; ERR_CORRUPT over out's maximum. */
int io_read_file(const char *path, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* Replaces path by data, atomically and durably (temporary file, fsync,
 * rename, fsync of the folder).  A link is replaced, not followed; the mode is
 * subject to the umask.  With `fresh` an existing path is ERR_EXISTS and
 * untouched.  After a crash a ".tmp-..." file may stay in the folder. */
int io_write_file(const char *path, struct span data, mode_t mode, bool fresh,
                  struct err *e) __attribute__((warn_unused_result));

/* Makes the folder and its parents (mode of each new one), durably; there
 * already is fine. */
int io_mkdirs(const char *path, mode_t mode, struct err *e)
    __attribute__((warn_unused_result));

/* Makes the folder that holds `path`. */
int io_mkdirs_for(const char *path, mode_t mode, struct err *e)
    __attribute__((warn_unused_result));

/* Makes a change of the folder's entries durable. */
int io_fsync_dir(const char *path, struct err *e)
    __attribute__((warn_unused_result));

/* malloc'd "a/b", with one slash where a ends in one, or b where a is "";
 * NULL: ERR_NOMEM. */
char *io_join(const char *a, const char *b, struct err *e);

/* malloc'd text by format; NULL: ERR_NOMEM. */
char *io_format(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* True where all of p[0..len) is zero; runs at memory speed. */
bool io_all_zero(const void *p, size_t len);

#endif
