// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KMS_IMPL_H
#define KMS_KMS_IMPL_H

/* What the parts of the client share. */
#include "kms/kms.h"

#define KMS_BATCH_MAX 2
#define KMS_KEY_BITS 256
#define KMS_KEY_USES                                                           \
    (KMIP_USE_ENCRYPT | KMIP_USE_DECRYPT | KMIP_USE_WRAP | KMIP_USE_UNWRAP)
#define KMS_REPLY_MAX ((size_t)64 << 10)
#define KMS_LONG_REPLY_MAX ((size_t)1 << 20) /* Locate, Query */

struct kms_server {
    char *host;
    uint16_t port;
    struct kmip_version version; /* major 0: not known yet */
};

struct kms {
    char *name;
    struct kms_server *servers;
    size_t n;
    size_t first; /* the server that answered last: asked first */
    enum kms_mode mode;
    struct kms_tls *tls;
    char *username;
    struct secret *password;
    int64_t connect_ms, attempt_ms, deadline_ms;
    bool one_copy_is_enough;

    struct kms_channel *channel; /* to servers[channel_to], or NULL */
    size_t channel_to;
    int64_t channel_used;  /* when, utc_mono_ms */
    int64_t round_trip_ms; /* of the last exchange */
    bool warned;           /* of certificates that end soon */
};

/* How long, and until when. */
struct kms_limits {
    int64_t deadline; /* utc_mono_ms */
    const struct cancel *cancel;
};

/* A batch of operations that belong together. */
struct kms_ask {
    struct kmip_item items[KMS_BATCH_MAX];
    size_t count;
    size_t max;    /* bytes of the reply */
    bool changes;  /* must not be done twice: sent once, on a new connection */
    bool only_one; /* at k->first and nowhere else, without repeating */
};

struct kms_answer {
    struct buf message; /* names of results point into it */
    struct kmip_result results[KMS_BATCH_MAX];
    bool unclear; /* after -1: the change may have been made all the same */
};
void kms_answer_free(struct kms_answer *a);
#define AUTO_ANSWER AUTO(kms_answer_free)

struct kms_limits kms_limits(const struct kms *k, const struct cancel *cancel);

/* Asks one server after the other until one answers or the time is up.  0: all
 * items succeeded; -1: e says why, and after a refusal the answer holds what
 * there is of it.  kms_call.c has the rules. */
int kms_call(struct kms *k, const struct kms_ask *ask,
             const struct kms_limits *l, struct kms_answer *a, struct err *e)
    __attribute__((warn_unused_result));

/* What one attempt at one server came to. */
enum kms_step {
    KMS_STEP_DONE,
    KMS_STEP_NEXT,    /* another server, later perhaps this one again */
    KMS_STEP_BUSY,    /* the same, after an answer: it is asked twice at most */
    KMS_STEP_SKIP,    /* another server, this one not again */
    KMS_STEP_MISSING, /* no such key here: replicas may be ahead */
    KMS_STEP_STOP,
};

enum kms_step kms_server_ask(struct kms *k, size_t server,
                             const struct kms_ask *ask,
                             const struct kms_limits *l, struct kms_answer *a,
                             struct err *e);
void kms_drop_channel(struct kms *k);

/* What ("name") a key has: 1 to chars - 1 bytes of UTF-8 without control
 * characters.  -1: an error of this kind. */
int kms_check_text(const char *what, const char *text, size_t chars,
                   enum err_kind kind, struct err *e)
    __attribute__((warn_unused_result));
/* The identifier of a key, from a slot or a user.  -1: ERR_CONFIG. */
int kms_check_uid(const char *uid, struct err *e)
    __attribute__((warn_unused_result));

/* The attributes that each key of ours has; `wanted` for GetAttributes. */
struct kmip_attrs kms_key_kind(void);
int kms_check_kind(const struct kmip_attrs *told, const char *name,
                   const char *uid, struct err *e)
    __attribute__((warn_unused_result));

struct kmip_item kms_ask_attributes(const char *uid, uint32_t which);

/* Whether the state allows the use (the policy of DESIGN.md). */
int kms_check_state(const char *uid, uint32_t state, enum kms_use use,
                    bool allow_compromised, bool *deactivated, struct err *e)
    __attribute__((warn_unused_result));

/* Who wants to use a key, and for what. */
struct kms_wish {
    const struct cancel *cancel;
    enum kms_use use;
    bool allow_compromised;
};

/* Asks for the key's state and for `item`, which uses the key, in one batch:
 * results 0 and 1.  -1 also where the state forbids the use; what the answer
 * holds is not to be used then. */
int kms_use_key(struct kms *k, const struct kms_wish *w,
                const struct kmip_item *item, struct kms_answer *a,
                bool *deactivated, struct err *e)
    __attribute__((warn_unused_result));

/* A change that may be made twice without harm, because the state tells
 * whether it was made: sent, and after an unclear end the state is read before
 * anything is sent again. */
int kms_change_state(struct kms *k, const struct kmip_item *change,
                     bool (*is_made)(uint32_t state),
                     const struct kms_limits *l, struct err *e)
    __attribute__((warn_unused_result));

int kms_read_state(struct kms *k, const char *uid, const struct kms_limits *l,
                   uint32_t *state, struct err *e)
    __attribute__((warn_unused_result));

int kms_find(struct kms *k, const char *name, const struct kms_limits *l,
             char uid[KMS_UID_CHARS], struct err *e)
    __attribute__((warn_unused_result));

#endif
