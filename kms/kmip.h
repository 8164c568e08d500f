// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KMIP_H
#define KMS_KMIP_H

/*
 * Requests and responses of KMIP (OASIS 1.0 to 2.1) over TTLV.  A request is
 * described by struct kmip_request; kmip_encode writes it, and kmip_decode
 * reads what a server answered to it: it trusts no byte, and holds the answer
 * to the request (count, ids, operations, unique identifiers, kind of key).
 *
 * Objects are always named by their unique identifier; the server's "ID
 * placeholder" is never used.  No time stamp is sent: servers refuse one when
 * clocks differ.  Functions share nothing: any thread may call them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/span.h"

#define KMIP_BATCH_MAX 16
#define KMIP_UID_CHARS 1025    /* of a unique identifier, with its NUL */
#define KMIP_MESSAGE_CHARS 257 /* of a server's text, with its NUL */
#define KMIP_NAMES_MAX 8       /* names of an object that are looked at */
#define KMIP_VERSIONS_MAX 16   /* versions of a server that are looked at */
#define KMIP_IV_MAX 16
#define KMIP_TAG_MAX 16
#define KMIP_REQUEST_MAX ((size_t)64 << 10)
#define KMIP_RESPONSE_TAG 0x42007b /* for ttlv_frame */

struct kmip_version {
    int major, minor;
};

enum kmip_operation {
    KMIP_CREATE = 0x01,
    KMIP_REGISTER = 0x03,
    KMIP_LOCATE = 0x08,
    KMIP_GET = 0x0a,
    KMIP_GET_ATTRIBUTES = 0x0b,
    KMIP_GET_ATTRIBUTE_LIST = 0x0c,
    KMIP_ACTIVATE = 0x12,
    KMIP_REVOKE = 0x13,
    KMIP_DESTROY = 0x14,
    KMIP_QUERY = 0x18,
    KMIP_DISCOVER_VERSIONS = 0x1e, /* 1.1 and later */
    /* 1.4 and later: before, GCM's tag and additional data have no field, and
     * servers were seen to answer without a tag. */
    KMIP_ENCRYPT = 0x1f,
    KMIP_DECRYPT = 0x20,
};

enum kmip_object_type { KMIP_SYMMETRIC_KEY = 2 };
enum kmip_algorithm { KMIP_TRIPLE_DES = 2, KMIP_AES = 3 };

enum kmip_usage {
    KMIP_USE_ENCRYPT = 0x04,
    KMIP_USE_DECRYPT = 0x08,
    KMIP_USE_WRAP = 0x10,
    KMIP_USE_UNWRAP = 0x20,
};

enum kmip_state {
    KMIP_PRE_ACTIVE = 1,
    KMIP_ACTIVE,
    KMIP_DEACTIVATED,
    KMIP_COMPROMISED,
    KMIP_DESTROYED,
    KMIP_DESTROYED_COMPROMISED,
};

enum kmip_revocation {
    KMIP_UNSPECIFIED = 1,
    KMIP_KEY_COMPROMISE, /* the key becomes Compromised, else Deactivated */
    KMIP_CA_COMPROMISE,
    KMIP_AFFILIATION_CHANGED,
    KMIP_SUPERSEDED,
    KMIP_CESSATION,
    KMIP_PRIVILEGE_WITHDRAWN,
};

enum kmip_query {
    KMIP_QUERY_OPERATIONS = 1,
    KMIP_QUERY_OBJECTS,
    KMIP_QUERY_SERVER_INFORMATION,
};

enum kmip_status {
    KMIP_SUCCESS = 0,
    KMIP_FAILED,
    KMIP_PENDING,
    KMIP_UNDONE,
};

/* Of what fails; those that callers branch on. */
enum kmip_reason {
    KMIP_ITEM_NOT_FOUND = 0x01,
    KMIP_RESPONSE_TOO_LARGE = 0x02,
    KMIP_AUTHENTICATION_NOT_SUCCESSFUL = 0x03,
    KMIP_INVALID_MESSAGE = 0x04,
    KMIP_OPERATION_NOT_SUPPORTED = 0x05,
    KMIP_MISSING_DATA = 0x06,
    KMIP_INVALID_FIELD = 0x07,
    KMIP_FEATURE_NOT_SUPPORTED = 0x08,
    KMIP_CANCELED = 0x09,
    KMIP_CRYPTOGRAPHIC_FAILURE = 0x0a,
    KMIP_ILLEGAL_OPERATION = 0x0b,
    KMIP_PERMISSION_DENIED = 0x0c,
    KMIP_OBJECT_ARCHIVED = 0x0d,
    KMIP_KEY_FORMAT_NOT_SUPPORTED = 0x10,
    KMIP_SENSITIVE = 0x16,
    KMIP_NOT_EXTRACTABLE = 0x17,
    KMIP_OBJECT_ALREADY_EXISTS = 0x18,
    KMIP_USAGE_LIMIT_EXCEEDED = 0x1a,
    KMIP_INCOMPATIBLE_USAGE_MASK = 0x29,
    KMIP_INTERNAL_SERVER_ERROR = 0x2a,
    KMIP_NON_UNIQUE_NAME = 0x35,
    KMIP_OBJECT_DESTROYED = 0x36,
    KMIP_OBJECT_NOT_FOUND = 0x37,
    KMIP_NOT_AUTHORISED = 0x39,
    KMIP_SERVER_LIMIT_EXCEEDED = 0x3a,
    KMIP_UNSUPPORTED_VERSION = 0x3f,
    KMIP_WRONG_LIFECYCLE_STATE = 0x43,
    KMIP_GENERAL_FAILURE = 0x100,
};

/* One bit for each attribute that this program knows. */
enum kmip_attr {
    KMIP_ATTR_OBJECT_TYPE = 1 << 0,
    KMIP_ATTR_ALGORITHM = 1 << 1,
    KMIP_ATTR_LENGTH = 1 << 2,
    KMIP_ATTR_USAGE = 1 << 3,
    KMIP_ATTR_NAME = 1 << 4,
    KMIP_ATTR_STATE = 1 << 5,
    KMIP_ATTR_INITIAL_DATE = 1 << 6,
    KMIP_ATTR_ACTIVATION_DATE = 1 << 7,
    KMIP_ATTR_DEACTIVATION_DATE = 1 << 8,
};

/* Attributes: those to be given to a new object, those to look for, those that
 * a server told (then any value is possible: enumerations are not checked). */
struct kmip_attrs {
    uint32_t has;         /* KMIP_ATTR_* of those that are set */
    uint32_t object_type; /* enum kmip_object_type */
    uint32_t algorithm;   /* enum kmip_algorithm */
    int32_t length;       /* of the key, in bits */
    uint32_t usage;       /* KMIP_USE_* */
    uint32_t state;       /* enum kmip_state */
    int64_t initial_date, activation_date, deactivation_date; /* POSIX time */
    struct span names[KMIP_NAMES_MAX];                        /* lent: UTF-8 */
    size_t name_count; /* with KMIP_ATTR_NAME: at least 1 */
};

/* One of the names is this one. */
bool kmip_attrs_named(const struct kmip_attrs *a, const char *name);

/* One operation.  All that it points to is borrowed. */
struct kmip_item {
    enum kmip_operation op;
    const char *uid; /* all but Create, Register, Locate, Query, Discover */
    /* Create, Register: of the new object.  Locate: to look for (none: every
     * object).  Get: where algorithm or length are set, the key must have them,
     * and where the object type is set, the object; nothing of that is sent.
     * GetAttributes: `has` says which are wanted. */
    struct kmip_attrs attrs;
    struct span key;   /* Register: the key itself, raw */
    int32_t max_items; /* Locate; 0: no limit is sent */
    enum kmip_revocation revoke;
    const char *message; /* Revoke: text, or NULL */
    int64_t compromised; /* Revoke for compromise: since when; else 0 */
    /* Encrypt, Decrypt: AES-GCM with a tag of 16 bytes.  Encrypt with an empty
     * iv: the server makes one of 12 bytes. */
    struct span data, iv, aad, tag;
    uint32_t functions;                  /* Query: bits 1 << KMIP_QUERY_* */
    const struct kmip_version *versions; /* DiscoverVersions: ours, if any */
    size_t version_count;
};

struct kmip_request {
    struct kmip_version version;
    int32_t max_response; /* bytes that an answer may have; 0: not sent */
    const char *username; /* NULL: no credential is sent */
    struct span password; /* with username; may be empty */
    const struct kmip_item *items;
    size_t count; /* 1..KMIP_BATCH_MAX */
};

/* Appends the request.  out: secret_buf(KMIP_REQUEST_MAX), or plain where the
 * request has no password, no key and no data.  -1: ERR_UNSUPPORTED (the
 * version has no such operation), ERR_INTERNAL (what a caller must not ask), or
 * as ttlv_written. */
int kmip_encode(const struct kmip_request *request, struct buf *out,
                struct err *e) __attribute__((warn_unused_result));

/* What became of one item.  Zeroed before it is filled. */
struct kmip_result {
    enum kmip_operation op; /* as asked */
    uint32_t status; /* enum kmip_status; with `answered` false KMIP_UNDONE */
    uint32_t reason; /* enum kmip_reason or another; 0: none was given */
    struct kmip_version spoken; /* of the answer, with `answered` */
    bool answered; /* false: the server stopped at an item before this */
    char message[KMIP_MESSAGE_CHARS]; /* the server's, fit for a log; or "" */

    /* All below only with KMIP_SUCCESS. */
    char uid[KMIP_UID_CHARS]; /* UTF-8 without control characters; Locate: the
                                 first that was found, or "" */
    size_t found;            /* Locate: identifiers in the answer, or more where
                                it says that more fit */
    struct kmip_attrs attrs; /* GetAttributes, and of a key that Get brought;
                                Create: the object type; GetAttributeList: only
                                `has`.  Names are lent by the message. */
    struct secret *key;      /* Get: owned */
    struct secret *data;     /* Encrypt, Decrypt: owned */
    uint8_t iv[KMIP_IV_MAX]; /* Encrypt, where the server told it */
    size_t iv_len;
    uint8_t tag[KMIP_TAG_MAX]; /* Encrypt: 16 bytes, always */
    size_t tag_len;
    uint64_t operations;             /* Query: bits 1 << enum kmip_operation */
    char vendor[KMIP_MESSAGE_CHARS]; /* Query: fit for a log; or "" */
    struct kmip_version versions[KMIP_VERSIONS_MAX]; /* DiscoverVersions */
    size_t version_count;
};

/* Wipes and frees what the results own; they are empty afterwards. */
void kmip_results_free(struct kmip_result *results, size_t count);

/* Reads the answer to request.  results: request->count of them, the caller's,
 * to be ended by kmip_results_free; empty after a failure.  0 also where the
 * server refused: see each status.  -1 with ERR_CORRUPT: not an answer to this
 * request, or a key that is not of the kind wanted; ERR_UNSUPPORTED: a wrapped
 * key, or of a format that is not known; ERR_NOMEM.  The message may hold keys:
 * it belongs into a secret_buf, and stays while names of results are used. */
int kmip_decode(const struct kmip_request *request, struct span message,
                struct kmip_result *results, struct err *e)
    __attribute__((warn_unused_result));

/* 0 for KMIP_SUCCESS; otherwise -1 and what the server said, as an error:
 * ERR_NOTFOUND (unknown or destroyed), ERR_DENIED (authentication, permission,
 * state, not extractable), ERR_UNSUPPORTED, ERR_EXISTS, ERR_QUOTA, else
 * ERR_FAILED. */
int kmip_result_check(const struct kmip_result *result, struct err *e);

/* For texts: "Get", "not found"; never NULL. */
const char *kmip_operation_name(uint32_t op);
const char *kmip_reason_name(uint32_t reason);
const char *kmip_state_name(uint32_t state);

#endif
