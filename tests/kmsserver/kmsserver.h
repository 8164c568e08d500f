// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMSSERVER_H
#define TESTS_KMSSERVER_H

/*
 * A key server that misbehaves on request: KMIP 1.4 with a few keys in memory,
 * over TLS on a free port of the loopback addresses, in a thread of the test.
 * It serves one connection after the other.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kmsserver_act {
    KMSSERVER_GOOD,
    /* the connection */
    KMSSERVER_NO_HANDSHAKE, /* takes the connection and is silent */
    KMSSERVER_PLAIN,        /* answers without TLS */
    KMSSERVER_HANG_UP,      /* closes right after the handshake */
    KMSSERVER_RESET,        /* the same, by RST */
    /* the answer: sent after the operation was done */
    KMSSERVER_NEVER,      /* no answer, the connection stays */
    KMSSERVER_DRIP,       /* a byte each 200 ms */
    KMSSERVER_HALF,       /* half of it, then the connection is closed */
    KMSSERVER_HALF_BYE,   /* ... with TLS's good-bye */
    KMSSERVER_HALF_RESET, /* ... by RST */
    KMSSERVER_ONE_EACH,   /* the whole answer, then the connection is closed */
    KMSSERVER_TWICE,      /* the whole answer, and once more */
    KMSSERVER_LOST,       /* none, and the connection is closed */
    KMSSERVER_HUGE,       /* says that it has 2 GiB */
    KMSSERVER_ODD,        /* says that it has 81h bytes */
    KMSSERVER_LARGER,     /* has 8 bytes more than a client said it takes */
    KMSSERVER_WRONG_MESSAGE, /* a request's tag */
    /* what the answer says */
    KMSSERVER_WRONG_OPERATION,
    KMSSERVER_WRONG_UID,
    KMSSERVER_WRONG_COUNT,
    KMSSERVER_ONE_MISSING,  /* of a batch, the last item */
    KMSSERVER_FAILED_GIVES, /* a failure that brings a payload */
    KMSSERVER_KEY_16,
    KMSSERVER_KEY_31,
    KMSSERVER_KEY_64,
    KMSSERVER_TRANSPARENT,  /* a key in the other format */
    KMSSERVER_ATTRIBUTE,    /* an attribute inside the key value */
    KMSSERVER_UNKNOWN_TAGS, /* in every structure */
    KMSSERVER_PENDING,
    KMSSERVER_ANY_KEY,       /* Locate finds key 1, whatever is looked for */
    KMSSERVER_REFUSE_SECOND, /* of a batch, with `reason` */
    /* no answer to what was asked */
    KMSSERVER_REFUSE, /* fails with `reason`, does nothing */
    KMSSERVER_DROP,   /* does nothing and closes */
};

struct kmsserver_fault {
    enum kmsserver_act act;
    uint32_t op;     /* KMIP operation that a request begins with; 0: any */
    int times;       /* how often; 0: always */
    int after;       /* so many requests that match are let pass before */
    uint32_t reason; /* KMSSERVER_REFUSE */
};

/* What it does beside the rules of the certificates. */
struct kmsserver_opts {
    const char *pki;             /* folder of kms-test/pki.sh */
    const char *cert;            /* NULL: "server" */
    int tls_min, tls_max;        /* TLS1_2_VERSION ...; 0: any */
    const char *ciphers;         /* of TLS 1.2; NULL: OpenSSL's own list */
    bool six;                    /* on ::1 instead of 127.0.0.1 */
    const char *user, *password; /* asked for in each request; NULL: nobody */
    int minor; /* the only version 1.x that it takes; 0: any, answered in 1.4 */
};

struct kmsserver;

/* NULL where it cannot be started (a message is on stderr). */
struct kmsserver *kmsserver_start(const struct kmsserver_opts *o);
void kmsserver_stop(struct kmsserver *s);
uint16_t kmsserver_port(const struct kmsserver *s);

/* In the place of the one before. */
void kmsserver_fault(struct kmsserver *s, struct kmsserver_fault f);

/* Adds a key of 32 bytes that all have the value `fill`; its identifier is the
 * number that is returned. */
unsigned kmsserver_key(struct kmsserver *s, const char *name, uint32_t state,
                       uint8_t fill);
void kmsserver_set_state(struct kmsserver *s, unsigned uid, uint32_t state);
uint32_t kmsserver_state(struct kmsserver *s, unsigned uid);

/* Keys that there are, destroyed ones included. */
unsigned kmsserver_keys(struct kmsserver *s);

/* Requests that began with op (0: any), and connections, since the start. */
unsigned kmsserver_requests(struct kmsserver *s, uint32_t op);
unsigned kmsserver_connections(struct kmsserver *s);

/* Closes the connection that is open, as a server does that has waited long
 * enough. */
void kmsserver_hang_up(struct kmsserver *s);

#endif
