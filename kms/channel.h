// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CHANNEL_H
#define KMS_CHANNEL_H

/*
 * One TLS connection to one key server: requests out, replies in, framed by
 * the eight bytes that each KMIP message begins with.  Nothing waits past the
 * caller's deadline, whatever the server does.  One thread at a time.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/span.h"
#include "kms/tls.h"

/* What a failure means for what comes next. */
enum kms_fault {
    KMS_FAULT_NONE,
    KMS_FAULT_LINE,     /* refused, silent, cut: another server may answer */
    KMS_FAULT_IDENTITY, /* the server is not the one that it should be */
    KMS_FAULT_REFUSED,  /* the server does not take our certificate */
    KMS_FAULT_TLS,      /* no version or cipher that both sides take */
    KMS_FAULT_GARBAGE,  /* what came is no KMIP reply */
    KMS_FAULT_LOCAL,    /* interrupted, no memory */
};

struct kms_channel;

struct kms_endpoint {
    const char *host; /* name, IPv4, or IPv6 without brackets; borrowed */
    uint16_t port;
};

/* Connects and shakes hands; no step after `deadline`, no connecting after
 * `connect_deadline` (utc_mono_ms both).  `tls` is borrowed for the channel's
 * life.  NULL: *fault and e say why. */
struct kms_channel *kms_channel_open(const struct kms_tls *tls,
                                     struct kms_endpoint to,
                                     int64_t connect_deadline, int64_t deadline,
                                     const struct cancel *cancel,
                                     enum kms_fault *fault, struct err *e);

/* Says good-bye without waiting for an answer; NULL is fine. */
void kms_channel_close(struct kms_channel *c);

/* Whether the line is still there and silent, as between requests it must be.
 * Does not wait. */
bool kms_channel_idle(struct kms_channel *c);

/* Sends a request, receives the whole reply (at most max bytes) in *reply, a
 * secret_buf of its own size that becomes the caller's.  *sent: the server may
 * have the request, also where -1 is returned.  After -1 the channel is of no
 * more use. */
int kms_channel_exchange(struct kms_channel *c, struct span request, size_t max,
                         int64_t deadline, const struct cancel *cancel,
                         struct buf *reply, bool *sent, enum kms_fault *fault,
                         struct err *e) __attribute__((warn_unused_result));

/* The server's certificate and the protocol ("TLSv1.3"); borrowed. */
const X509 *kms_channel_certificate(const struct kms_channel *c);
const char *kms_channel_protocol(const struct kms_channel *c);

#endif
