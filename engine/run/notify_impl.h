// SPDX-License-Identifier: Apache-2.0
/* Private to engine/run/. */
#ifndef ENGINE_RUN_NOTIFY_IMPL_H
#define ENGINE_RUN_NOTIFY_IMPL_H

/* The two ways by which a run is told. */
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "engine/history/record.h"

/* POSTs JSON.  No answer, 429 and 5xx are tried again, with waits that double,
 * until give_up_ms have passed.  Redirections are not followed; certificates
 * are verified (ca_file: by these only; NULL: by the system's).  Errors name
 * the URL's scheme and host, for the rest may be a secret. */
int eng_webhook_post(const char *url, const char *ca_file, struct span json,
                     int64_t give_up_ms, const struct cancel *cancel,
                     struct err *e) __attribute__((warn_unused_result));

struct eng_mail {
    const char *from; /* NULL: objvault at this host */
    const char *to;   /* addresses, with commas between */
    const char *subject;
    const char *id;   /* of the message, unique on this host */
    const char *host; /* NULL: not known */
    int64_t date;     /* unix seconds */
    const char *body; /* UTF-8, lines end in \n */
};
/* Appends the whole message (RFC 5322, MIME), with lines that end in \n as
 * programs like sendmail read them.  Whatever the texts hold, it has the
 * headers that are meant. */
void eng_mail_compose(const struct eng_mail *m, struct buf *out);

#endif
