// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CHANNEL_BIO_H
#define KMS_CHANNEL_BIO_H

/* How OpenSSL reaches a channel's socket. */
#include <openssl/ssl.h>

#include "base/err.h"

struct kms_line {
    int fd;  /* a connected socket that does not block; its channel's */
    int sys; /* errno of the first failure, or 0 */
};

/* Makes s read from and write to line, which outlives it.  -1: ERR_NOMEM. */
int kms_line_attach(struct kms_line *line, SSL *s, struct err *e)
    __attribute__((warn_unused_result));

#endif
