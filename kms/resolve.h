// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_RESOLVE_H
#define KMS_RESOLVE_H

/* Addresses of a host, within a deadline. */
#include <netdb.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"

/* The addresses of host (a name, an IPv4 or IPv6 address) for TCP, in the
 * system's order; the caller frees them with freeaddrinfo.  The name service
 * may be silent longer than the deadline (utc_mono_ms): it is left to itself
 * then.  -1: ERR_UNREACHABLE (no such name, now), ERR_TIMEOUT, ERR_CANCELLED,
 * ERR_NOMEM, ERR_FAILED. */
int kms_resolve(const char *host, uint16_t port, int64_t deadline,
                const struct cancel *cancel, struct addrinfo **out,
                struct err *e) __attribute__((warn_unused_result));

#endif
