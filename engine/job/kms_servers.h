// SPDX-License-Identifier: Apache-2.0
/* Private to engine/job/. */
#ifndef ENGINE_JOB_KMS_SERVERS_H
#define ENGINE_JOB_KMS_SERVERS_H

#include "kms/kms.h"

/* "HOST[:PORT],..." taken apart; an IPv6 address stands in brackets. */
struct eng_kms_servers {
    char *text; /* owned; the hosts lie in it */
    struct kms_endpoint s[KMS_SERVERS_MAX];
    size_t n;
};

/* ERR_USAGE. */
int eng_kms_servers_parse(const char *text, struct eng_kms_servers *out,
                          struct err *e) __attribute__((warn_unused_result));
void eng_kms_servers_fini(struct eng_kms_servers *s);

/* "HEX,HEX,...", or NULL; out: room for ENG_KMS_PINS_MAX.  ERR_USAGE. */
int eng_kms_pins_parse(const char *text, struct kms_pin *out, size_t *n,
                       struct err *e) __attribute__((warn_unused_result));

#endif
