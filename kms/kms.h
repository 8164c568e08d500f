// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KMS_H
#define KMS_KMS_H

/*
 * A key server, as its clients see it: an ordered list of replicas that hold
 * the same keys, spoken to by KMIP over TLS with certificates on both sides.
 * It fails closed: what is not certain is an error, never another key and never
 * none.
 *
 * One thread at a time uses a struct kms.  Every operation ends within the
 * configured deadline, or at once when its token is requested (NULL: never).
 *
 * Errors of operations: ERR_UNREACHABLE (no server answered in time),
 * ERR_DENIED (the server's certificate, ours, permission, or the key's state),
 * ERR_NOTFOUND (no such key, or destroyed), ERR_CORRUPT (not an answer to what
 * was asked, or a key of another kind), ERR_CONFIG (TLS that the two sides do
 * not agree on), ERR_FAILED and ERR_QUOTA (the server failed inside),
 * ERR_UNSUPPORTED, ERR_CANCELLED, ERR_NOMEM.  Texts name the key
 * server, the replica, the operation, the key and what the server said.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/span.h"
#include "kms/channel.h"
#include "kms/kmip.h"
#include "kms/tls.h"

#define KMS_SERVERS_MAX 16
#define KMS_UID_CHARS KMIP_UID_CHARS /* of a key's identifier, with its NUL */
#define KMS_NAME_CHARS 257           /* of a key's name, with its NUL */
#define KMS_TEXT_CHARS 257
#define KMS_PORT 5696

enum kms_version {
    KMS_VERSION_AUTO, /* the highest that both sides know */
    KMS_VERSION_1_2,
    KMS_VERSION_1_4,
    KMS_VERSION_2_0,
};

/* GET: keys come to this host, which wraps with them.  REMOTE: they stay; the
 * server encrypts and decrypts (KMIP 1.4 or newer). */
enum kms_mode { KMS_MODE_GET, KMS_MODE_REMOTE };

/* All that it points to is borrowed while kms_open runs. */
struct kms_config {
    const char *name; /* for texts */
    const struct kms_endpoint *servers;
    size_t nservers; /* 1..KMS_SERVERS_MAX, asked in this order */
    enum kms_version version;
    enum kms_mode mode;
    struct kms_tls_config tls;
    const char *username;    /* NULL: certificates only */
    struct span password;    /* of username */
    int64_t connect_ms;      /* for reaching a server */
    int64_t attempt_ms;      /* for one attempt at one server, all of it */
    int64_t deadline_ms;     /* for an operation, at all servers */
    bool one_copy_is_enough; /* a key that one server does not know is not
                                looked for at the others */
};

/* Times as they usually are; the rest is to be filled. */
struct kms_config kms_config_init(void);

struct kms;

/* Checks the configuration and reads its files; contacts nobody.  NULL:
 * ERR_CONFIG, ERR_NOMEM, ERR_INTERNAL. */
struct kms *kms_open(const struct kms_config *c, struct err *e);
void kms_close(struct kms *k); /* NULL is fine */

struct kms_report {
    struct kmip_version version;
    char server[KMS_TEXT_CHARS];   /* "host:port" */
    char vendor[KMS_TEXT_CHARS];   /* what it calls itself, or "" */
    char protocol[16];             /* "TLSv1.3" */
    char subject[KMS_TEXT_CHARS];  /* of our certificate */
    char identity[KMS_TEXT_CHARS]; /* subject of the server's certificate */
    int server_days_left;          /* of its certificate; negative: expired */
    int client_days_left;
    int64_t round_trip_ms; /* of one request on an open connection */
};

/* Speaks to one server (0.., in the configured order), with no other in its
 * place and without repeating. */
int kms_test(struct kms *k, size_t server, const struct cancel *cancel,
             struct kms_report *report, struct err *e)
    __attribute__((warn_unused_result));
size_t kms_servers(const struct kms *k);

/* What a key is wanted for; its state decides whether it may. */
enum kms_use {
    KMS_WRAP,    /* something new: Active */
    KMS_APPEND,  /* more of what there is: Active */
    KMS_RESTORE, /* Active; Deactivated; Compromised where that is said */
};

/* Makes an AES-256 key, activates it and reads it back.  `name` must be new
 * (ERR_EXISTS) and should end in something random: where the answer to Create
 * is lost, the one key with this name is taken for ours, and none is made a
 * second time. */
int kms_key_create(struct kms *k, const struct cancel *cancel, const char *name,
                   char uid[KMS_UID_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* The same under a name that only its makers can know: a key that is there
 * already is one that an earlier attempt made before it was cut off, and is
 * made ready and taken.  ERR_EXISTS: there is more than one, or it is active no
 * more: the name is used up. */
int kms_key_take(struct kms *k, const struct cancel *cancel, const char *name,
                 char uid[KMS_UID_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* The one AES-256 key with this name.  ERR_NOTFOUND: none; ERR_EXISTS: more
 * than one. */
int kms_key_find(struct kms *k, const struct cancel *cancel, const char *name,
                 char uid[KMS_UID_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* The key itself, 32 bytes, owned by the caller, who wipes it at once after
 * use.  *deactivated (may be NULL): it may only be used to restore, which a
 * warning in the log says too. */
int kms_key_get(struct kms *k, const struct cancel *cancel, const char *uid,
                enum kms_use use, bool allow_compromised, struct secret **key,
                bool *deactivated, struct err *e)
    __attribute__((warn_unused_result));

/* Whether a key in this state may be used so; compromised keys are not.  -1:
 * ERR_DENIED, ERR_NOTFOUND (destroyed). */
int kms_state_allows(const char *uid, uint32_t state, enum kms_use use,
                     struct err *e) __attribute__((warn_unused_result));

/* May be any number: servers have states of their own. */
int kms_key_state(struct kms *k, const struct cancel *cancel, const char *uid,
                  enum kmip_state *state, struct err *e)
    __attribute__((warn_unused_result));

/* Encrypts `key` at the server, by AES-256-GCM; data holds key.len bytes. */
int kms_wrap_remote(struct kms *k, const struct cancel *cancel, const char *uid,
                    struct span aad, struct span key, uint8_t iv[12],
                    uint8_t *data, uint8_t tag[16], struct err *e)
    __attribute__((warn_unused_result));

/* The reverse; `use` and what follows as in kms_key_get.  ERR_CORRUPT also
 * where the tag does not fit. */
int kms_unwrap_remote(struct kms *k, const struct cancel *cancel,
                      const char *uid, enum kms_use use, bool allow_compromised,
                      struct span aad, const uint8_t iv[12], struct span data,
                      const uint8_t tag[16], struct secret **key,
                      bool *deactivated, struct err *e)
    __attribute__((warn_unused_result));

/* With KMIP_KEY_COMPROMISE the key becomes Compromised, otherwise Deactivated.
 * That it is so already is no error. */
int kms_key_revoke(struct kms *k, const struct cancel *cancel, const char *uid,
                   enum kmip_revocation why, struct err *e)
    __attribute__((warn_unused_result));

/* For ever: all that only this key opens is lost.  The key must be revoked
 * before.  That it is gone already is no error where this call may have done
 * it. */
int kms_key_destroy(struct kms *k, const struct cancel *cancel, const char *uid,
                    struct err *e) __attribute__((warn_unused_result));

#endif
