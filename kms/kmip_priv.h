// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KMIP_PRIV_H
#define KMS_KMIP_PRIV_H

/* Private to kms/kmip*.c: tags, and attributes in both of their forms. */
#include "kms/kmip.h"
#include "kms/ttlv.h"

enum kmip_tag {
    TAG_ACTIVATION_DATE = 0x420001,
    TAG_ATTRIBUTE = 0x420008,
    TAG_ATTRIBUTE_NAME = 0x42000a,
    TAG_ATTRIBUTE_VALUE = 0x42000b,
    TAG_AUTHENTICATION = 0x42000c,
    TAG_BATCH_COUNT = 0x42000d,
    TAG_BATCH_ITEM = 0x42000f,
    TAG_BLOCK_CIPHER_MODE = 0x420011,
    TAG_COMPROMISE_OCCURRENCE = 0x420021,
    TAG_CREDENTIAL = 0x420023,
    TAG_CREDENTIAL_TYPE = 0x420024,
    TAG_CREDENTIAL_VALUE = 0x420025,
    TAG_ALGORITHM = 0x420028,
    TAG_LENGTH = 0x42002a,
    TAG_CRYPTOGRAPHIC_PARAMETERS = 0x42002b,
    TAG_USAGE_MASK = 0x42002c,
    TAG_DEACTIVATION_DATE = 0x42002f,
    TAG_INITIAL_DATE = 0x420039,
    TAG_IV = 0x42003d,
    TAG_KEY = 0x42003f,
    TAG_KEY_BLOCK = 0x420040,
    TAG_KEY_FORMAT = 0x420042,
    TAG_KEY_MATERIAL = 0x420043,
    TAG_KEY_VALUE = 0x420045,
    TAG_KEY_WRAPPING_DATA = 0x420046,
    TAG_MAXIMUM_ITEMS = 0x42004f,
    TAG_MAXIMUM_RESPONSE = 0x420050,
    TAG_NAME = 0x420053,
    TAG_NAME_TYPE = 0x420054,
    TAG_NAME_VALUE = 0x420055,
    TAG_OBJECT_TYPE = 0x420057,
    TAG_OPERATION = 0x42005c,
    TAG_PROTOCOL_VERSION = 0x420069,
    TAG_VERSION_MAJOR = 0x42006a,
    TAG_VERSION_MINOR = 0x42006b,
    TAG_QUERY_FUNCTION = 0x420074,
    TAG_REQUEST_HEADER = 0x420077,
    TAG_REQUEST = 0x420078,
    TAG_REQUEST_PAYLOAD = 0x420079,
    TAG_RESPONSE_HEADER = 0x42007a,
    TAG_RESPONSE_PAYLOAD = 0x42007c,
    TAG_RESULT_MESSAGE = 0x42007d,
    TAG_RESULT_REASON = 0x42007e,
    TAG_RESULT_STATUS = 0x42007f,
    TAG_REVOCATION_MESSAGE = 0x420080,
    TAG_REVOCATION_REASON = 0x420081,
    TAG_REVOCATION_CODE = 0x420082,
    TAG_STATE = 0x42008d,
    TAG_SYMMETRIC_KEY = 0x42008f,
    TAG_TEMPLATE_ATTRIBUTE = 0x420091,
    TAG_BATCH_ITEM_ID = 0x420093,
    TAG_UID = 0x420094,
    TAG_USERNAME = 0x420099,
    TAG_VENDOR = 0x42009d,
    TAG_PASSWORD = 0x4200a1,
    TAG_DATA = 0x4200c2,
    TAG_RANDOM_IV = 0x4200c5,
    TAG_IV_LENGTH = 0x4200cd,
    TAG_TAG_LENGTH = 0x4200ce,
    TAG_LOCATED_ITEMS = 0x4200d5,
    TAG_AAD = 0x4200fe,
    TAG_AUTHENTICATED_TAG = 0x4200ff,
    TAG_ATTRIBUTES = 0x420125,
    TAG_ATTRIBUTE_REFERENCE = 0x42013b,
};

enum { KEY_FORMAT_RAW = 1, KEY_FORMAT_TRANSPARENT = 7 };
enum { GCM_IV_BYTES = 12, GCM_TAG_BYTES = 16 };

/* A unique identifier: 1 to 1,024 bytes, UTF-8, no control characters. */
bool kmip_uid_valid(struct span uid);

/* The attributes that are set, in the version's form: within the structure that
 * is open, each an Attribute (1.x); or all in one Attributes (2.x). */
void kmip_put_attrs(struct ttlv_writer *w, struct kmip_version v,
                    const struct kmip_attrs *a);
/* Which attributes are wanted: AttributeName or AttributeReference. */
void kmip_put_attr_names(struct ttlv_writer *w, struct kmip_version v,
                         uint32_t has);

/* Adds the attributes among the children of `of`, in either form, to a; those
 * that are not known are passed over.  -1 with ERR_CORRUPT: a value of another
 * type than its attribute's, or one that stands there twice. */
int kmip_read_attrs(const struct ttlv_item *of, struct kmip_attrs *a,
                    struct err *e);
/* The KMIP_ATTR_* whose names or references are children of `of`. */
uint32_t kmip_read_attr_names(const struct ttlv_item *of);

#endif
