// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_KMS_CONFIG_H
#define ENGINE_JOB_KMS_CONFIG_H

/* Key servers as they are configured (kms/NAME.json), and as ways to the data
 * keys of keysets. */
#include "engine/job/config.h"
#include "engine/repo/keyset_open.h"
#include "kms/kms.h"

#define ENG_STATE_POLL_S 900

struct eng_config_kms {
    char *name;
    char *server;          /* "HOST[:PORT],...", in the order they are asked */
    char *ca, *cert, *key; /* absolute paths of PEM files */
    char *kmip_version;    /* "auto", "1.2", "1.4", "2.0"; NULL: auto */
    char *mode;            /* "get", "remote"; NULL: get */
    char *pins;            /* 64 hex digits each, commas between; or NULL */
    char *user;            /* of a KMIP credential; NULL: certificates only */
    char *password_file;   /* absolute; with user */
    int64_t timeout_s;     /* of an operation; 0: as usual */
    int64_t state_poll_s;  /* how often a run asks for its key's state; 0:
                              ENG_STATE_POLL_S */
    int64_t grace_s;       /* how long it goes on where nobody answers */
};

#define ENG_KMS_PINS_MAX 16
#define ENG_KMS_TIMEOUT_MAX_S 3600
/* Where somebody waits: two servers have their time (kms.h, attempt_ms). */
#define ENG_KMS_INTERACTIVE_MS (INT64_C(20) * 1000)

/* Form of every member; reads no file.  ERR_USAGE. */
int eng_config_kms_check(const struct eng_config_kms *k, struct err *e)
    __attribute__((warn_unused_result));
/* ERR_NOTFOUND: no key server of this name. */
int eng_config_kms_load(const struct eng_home *h, const char *name,
                        struct eng_config_kms *out, struct err *e)
    __attribute__((warn_unused_result));
/* Writes atomically; ERR_EXISTS where the name is taken. */
int eng_config_kms_save(const struct eng_home *h,
                        const struct eng_config_kms *k, struct err *e)
    __attribute__((warn_unused_result));
int eng_config_kms_remove(const struct eng_home *h, const char *name,
                          struct err *e) __attribute__((warn_unused_result));
void eng_config_kms_fini(struct eng_config_kms *k); /* zeroed is fine */
#define AUTO_ENG_CONFIG_KMS AUTO(eng_config_kms_fini)

/* A key server that is going to be used.  One thread at a time. */
struct eng_key_server {
    struct eng_config_kms config; /* owned */
    struct kms *client;           /* owned; NULL: not needed yet */
    bool allow_compromised;       /* to read by keys in this state, too */
    char uid[KMS_UID_CHARS];      /* of the key that new slots are made by */
    char key_name[KMS_NAME_CHARS];
    bool somebody_waits;    /* at a terminal; set before it is used */
    struct eng_kms adapter; /* for eng_way_kms */
};

/* Takes the configuration over (it is empty then).  Contacts nobody, and reads
 * the certificates when the server is needed: one that is broken keeps nobody
 * from what others open. */
struct eng_key_server *eng_key_server_new(struct eng_config_kms *config,
                                          struct err *e);
void eng_key_server_free(struct eng_key_server *s); /* NULL is fine */

/* Makes a key for a new slot of a repository's keyset. */
int eng_key_server_make_key(struct eng_key_server *s, const char *repo_id,
                            const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* Speaks to each server of the list; stops at the first that does not answer as
 * it should.  report: called for each that does. */
int eng_key_server_test(struct eng_key_server *s, const struct cancel *cancel,
                        void (*report)(void *ctx, const struct kms_report *r),
                        void *ctx, struct err *e)
    __attribute__((warn_unused_result));

#endif
