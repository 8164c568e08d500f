// SPDX-License-Identifier: Apache-2.0
/* Words for KMIP's numbers, and a server's refusal as an error. */
#include "kms/kmip.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *kmip_operation_name(uint32_t op)
{
    static const struct {
        enum kmip_operation op;
        const char *name;
    } names[] = {
        { KMIP_CREATE, "Create" },
        { KMIP_REGISTER, "Register" },
        { KMIP_LOCATE, "Locate" },
        { KMIP_GET, "Get" },
        { KMIP_GET_ATTRIBUTES, "Get Attributes" },
        { KMIP_GET_ATTRIBUTE_LIST, "Get Attribute List" },
        { KMIP_ACTIVATE, "Activate" },
        { KMIP_REVOKE, "Revoke" },
        { KMIP_DESTROY, "Destroy" },
        { KMIP_QUERY, "Query" },
        { KMIP_DISCOVER_VERSIONS, "Discover Versions" },
        { KMIP_ENCRYPT, "Encrypt" },
        { KMIP_DECRYPT, "Decrypt" },
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if ((uint32_t)names[i].op == op)
            return names[i].name;
    return "another operation";
}

/* What a reason is called, and what it means to us. */
static const struct reason {
    uint32_t reason;
    enum err_kind kind;
    const char *name;
} reasons[] = {
    { 0, ERR_FAILED, "no reason given" },
    { KMIP_ITEM_NOT_FOUND, ERR_NOTFOUND, "not found" },
    { KMIP_RESPONSE_TOO_LARGE, ERR_UNSUPPORTED, "response too large" },
    { KMIP_AUTHENTICATION_NOT_SUCCESSFUL, ERR_DENIED,
      "authentication not successful" },
    { KMIP_INVALID_MESSAGE, ERR_UNSUPPORTED, "invalid message" },
    { KMIP_OPERATION_NOT_SUPPORTED, ERR_UNSUPPORTED,
      "operation not supported" },
    { KMIP_MISSING_DATA, ERR_UNSUPPORTED, "missing data" },
    { KMIP_INVALID_FIELD, ERR_UNSUPPORTED, "invalid field" },
    { KMIP_FEATURE_NOT_SUPPORTED, ERR_UNSUPPORTED, "feature not supported" },
    { KMIP_CANCELED, ERR_FAILED, "canceled" },
    { KMIP_CRYPTOGRAPHIC_FAILURE, ERR_CORRUPT, "cryptographic failure" },
    { KMIP_ILLEGAL_OPERATION, ERR_DENIED, "illegal operation" },
    { KMIP_PERMISSION_DENIED, ERR_DENIED, "permission denied" },
    { KMIP_OBJECT_ARCHIVED, ERR_DENIED, "object archived" },
    { KMIP_KEY_FORMAT_NOT_SUPPORTED, ERR_UNSUPPORTED,
      "key format not supported" },
    { KMIP_SENSITIVE, ERR_DENIED, "key is sensitive" },
    { KMIP_NOT_EXTRACTABLE, ERR_DENIED, "key is not extractable" },
    { KMIP_OBJECT_ALREADY_EXISTS, ERR_EXISTS, "object already exists" },
    { KMIP_USAGE_LIMIT_EXCEEDED, ERR_QUOTA, "usage limit exceeded" },
    { KMIP_INCOMPATIBLE_USAGE_MASK, ERR_DENIED, "incompatible usage mask" },
    { KMIP_INTERNAL_SERVER_ERROR, ERR_FAILED, "internal server error" },
    { KMIP_NON_UNIQUE_NAME, ERR_EXISTS, "name not unique" },
    { KMIP_OBJECT_DESTROYED, ERR_NOTFOUND, "object destroyed" },
    { KMIP_OBJECT_NOT_FOUND, ERR_NOTFOUND, "object not found" },
    { KMIP_NOT_AUTHORISED, ERR_DENIED, "not authorised" },
    { KMIP_SERVER_LIMIT_EXCEEDED, ERR_QUOTA, "server limit exceeded" },
    { KMIP_UNSUPPORTED_VERSION, ERR_UNSUPPORTED,
      "unsupported protocol version" },
    { KMIP_WRONG_LIFECYCLE_STATE, ERR_DENIED, "wrong key lifecycle state" },
    { KMIP_GENERAL_FAILURE, ERR_FAILED, "general failure" },
};

static const struct reason *find_reason(uint32_t reason)
{
    static const struct reason other = { 0, ERR_FAILED, "another reason" };

    for (size_t i = 0; i < COUNT(reasons); i++)
        if (reasons[i].reason == reason)
            return &reasons[i];
    return &other;
}

const char *kmip_reason_name(uint32_t reason)
{
    return find_reason(reason)->name;
}

const char *kmip_state_name(uint32_t state)
{
    static const char *const names[] = {
        [KMIP_PRE_ACTIVE] = "pre-active",
        [KMIP_ACTIVE] = "active",
        [KMIP_DEACTIVATED] = "deactivated",
        [KMIP_COMPROMISED] = "compromised",
        [KMIP_DESTROYED] = "destroyed",
        [KMIP_DESTROYED_COMPROMISED] = "destroyed and compromised",
    };

    if (state >= COUNT(names) || names[state] == NULL)
        return "in an unknown state";
    return names[state];
}

int kmip_result_check(const struct kmip_result *result, struct err *e)
{
    const char *name = kmip_operation_name((uint32_t)result->op);

    if (!result->answered)
        return err_set(e, ERR_FAILED, 0, "KMIP %s: not answered", name);
    if (result->status == KMIP_SUCCESS)
        return 0;
    if (result->status == KMIP_PENDING)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "KMIP %s: the server answers later, which is not "
                       "supported",
                       name);
    const struct reason *why = find_reason(result->reason);
    err_set(e, why->kind, 0, "KMIP %s: %s (reason %#x)", name, why->name,
            result->reason);
    return result->message[0] != '\0' ? err_hint(e, "%s", result->message) : -1;
}
