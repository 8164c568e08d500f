// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_WAIT_H
#define KMS_WAIT_H

/* Waiting for a descriptor, within a deadline and until told to stop. */
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"

/* Waits for events (of poll) on fd until `deadline` (utc_mono_ms).  0: they are
 * there, or the descriptor has an error that its next use will show; -1:
 * ERR_TIMEOUT, ERR_CANCELLED, ERR_FAILED. */
int kms_wait(int fd, short events, int64_t deadline,
             const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

#endif
