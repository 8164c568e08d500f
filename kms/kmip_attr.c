// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes of objects, in two forms: until 1.4 an Attribute has its name as a
 * text; since 2.0 its value stands under a tag of its own.
 */
#include <string.h>

#include "base/utf8.h"
#include "kms/kmip_priv.h"

/* In the order in which they are written. */
static const struct row {
    uint32_t bit, tag;
    const char *name;
    enum ttlv_type type;
    size_t at; /* of the value in struct kmip_attrs; its width is the type's */
} rows[] = {
    { KMIP_ATTR_OBJECT_TYPE, TAG_OBJECT_TYPE, "Object Type", TTLV_ENUM,
      offsetof(struct kmip_attrs, object_type) },
    { KMIP_ATTR_ALGORITHM, TAG_ALGORITHM, "Cryptographic Algorithm", TTLV_ENUM,
      offsetof(struct kmip_attrs, algorithm) },
    { KMIP_ATTR_LENGTH, TAG_LENGTH, "Cryptographic Length", TTLV_INTEGER,
      offsetof(struct kmip_attrs, length) },
    { KMIP_ATTR_USAGE, TAG_USAGE_MASK, "Cryptographic Usage Mask", TTLV_INTEGER,
      offsetof(struct kmip_attrs, usage) },
    { KMIP_ATTR_NAME, TAG_NAME, "Name", TTLV_STRUCTURE, 0 },
    { KMIP_ATTR_STATE, TAG_STATE, "State", TTLV_ENUM,
      offsetof(struct kmip_attrs, state) },
    { KMIP_ATTR_INITIAL_DATE, TAG_INITIAL_DATE, "Initial Date", TTLV_DATE,
      offsetof(struct kmip_attrs, initial_date) },
    { KMIP_ATTR_ACTIVATION_DATE, TAG_ACTIVATION_DATE, "Activation Date",
      TTLV_DATE, offsetof(struct kmip_attrs, activation_date) },
    { KMIP_ATTR_DEACTIVATION_DATE, TAG_DEACTIVATION_DATE, "Deactivation Date",
      TTLV_DATE, offsetof(struct kmip_attrs, deactivation_date) },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

bool kmip_attrs_named(const struct kmip_attrs *a, const char *name)
{
    for (size_t i = 0; i < a->name_count; i++)
        if (span_eq(a->names[i], span_str(name)))
            return true;
    return false;
}

bool kmip_uid_valid(struct span uid)
{
    if (uid.len == 0 || uid.len >= KMIP_UID_CHARS)
        return false;
    for (size_t i = 0, n = 0; i < uid.len; i += n) {
        n = utf8_len(uid.p + i, uid.len - i);
        if (n == 0 || utf8_is_control(uid.p + i, n))
            return false;
    }
    return true;
}

/* --- writing --- */

static void put_value(struct ttlv_writer *w, uint32_t tag,
                      const struct row *row, const struct kmip_attrs *a,
                      size_t index)
{
    const uint8_t *at = (const uint8_t *)a + row->at;
    uint32_t word = 0;
    int64_t date = 0;

    if (row->type == TTLV_STRUCTURE) {
        ttlv_begin(w, tag);
        ttlv_put_text(w, TAG_NAME_VALUE, a->names[index]);
        ttlv_put_enum(w, TAG_NAME_TYPE, 1); /* uninterpreted text */
        ttlv_end(w);
    } else if (row->type == TTLV_DATE) {
        memcpy(&date, at, sizeof(date));
        ttlv_put_date(w, tag, date);
    } else {
        memcpy(&word, at, sizeof(word));
        if (row->type == TTLV_ENUM)
            ttlv_put_enum(w, tag, word);
        else
            ttlv_put_int(w, tag, (int32_t)word);
    }
}

static void put_attr(struct ttlv_writer *w, struct kmip_version v,
                     const struct row *row, const struct kmip_attrs *a,
                     size_t index)
{
    if (v.major >= 2) {
        put_value(w, row->tag, row, a, index);
        return;
    }
    ttlv_begin(w, TAG_ATTRIBUTE);
    ttlv_put_text(w, TAG_ATTRIBUTE_NAME, span_str(row->name));
    put_value(w, TAG_ATTRIBUTE_VALUE, row, a, index);
    ttlv_end(w);
}

void kmip_put_attrs(struct ttlv_writer *w, struct kmip_version v,
                    const struct kmip_attrs *a)
{
    if (v.major >= 2)
        ttlv_begin(w, TAG_ATTRIBUTES);
    for (size_t i = 0; i < ROWS; i++) {
        if ((a->has & rows[i].bit) == 0)
            continue;
        size_t n = rows[i].bit == KMIP_ATTR_NAME ? a->name_count : 1;
        for (size_t k = 0; k < n; k++)
            put_attr(w, v, &rows[i], a, k);
    }
    if (v.major >= 2)
        ttlv_end(w);
}

void kmip_put_attr_names(struct ttlv_writer *w, struct kmip_version v,
                         uint32_t has)
{
    for (size_t i = 0; i < ROWS; i++) {
        if ((has & rows[i].bit) == 0)
            continue;
        if (v.major >= 2)
            ttlv_put_enum(w, TAG_ATTRIBUTE_REFERENCE, rows[i].tag);
        else
            ttlv_put_text(w, TAG_ATTRIBUTE_NAME, span_str(rows[i].name));
    }
}

/* --- reading --- */

static const struct row *row_of_tag(uint32_t tag)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].tag == tag)
            return &rows[i];
    return NULL;
}

static const struct row *row_of_name(struct span name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (span_eq(name, span_str(rows[i].name)))
            return &rows[i];
    return NULL;
}

/* More names than are looked at are passed over. */
static bool read_name(const struct ttlv_item *item, struct kmip_attrs *a)
{
    struct ttlv_item text;

    if (!ttlv_find(item, TAG_NAME_VALUE, TTLV_TEXT, &text))
        return false;
    if (a->name_count < KMIP_NAMES_MAX)
        a->names[a->name_count++] = text.value;
    return true;
}

static bool read_value(const struct row *row, const struct ttlv_item *item,
                       struct kmip_attrs *a)
{
    uint8_t *at = (uint8_t *)a + row->at;
    uint32_t word = 0;
    int32_t number = 0;
    int64_t date = 0;

    if (row->type == TTLV_STRUCTURE)
        return item->type == TTLV_STRUCTURE && read_name(item, a);
    if ((a->has & row->bit) != 0)
        return false;
    if (row->type == TTLV_DATE) {
        if (!ttlv_date(item, &date))
            return false;
        memcpy(at, &date, sizeof(date));
    } else if (row->type == TTLV_ENUM) {
        if (!ttlv_enum(item, &word))
            return false;
        memcpy(at, &word, sizeof(word));
    } else {
        if (!ttlv_int(item, &number))
            return false;
        memcpy(at, &number, sizeof(number));
    }
    return true;
}

static int read_attr(const struct row *row, const struct ttlv_item *item,
                     struct kmip_attrs *a, struct err *e)
{
    if (row == NULL)
        return 0;
    if (!read_value(row, item, a))
        return err_set(e, ERR_CORRUPT, 0,
                       "attribute \"%s\" has another type, or stands there "
                       "twice",
                       row->name);
    a->has |= row->bit;
    return 0;
}

static int read_named(const struct ttlv_item *attr, struct kmip_attrs *a,
                      struct err *e)
{
    struct ttlv_cursor c = ttlv_children(attr);
    struct ttlv_item name, value;

    if (!ttlv_find(attr, TAG_ATTRIBUTE_NAME, TTLV_TEXT, &name))
        return err_set(e, ERR_CORRUPT, 0, "an attribute without a name");
    while (ttlv_next(&c, &value))
        if (value.tag == TAG_ATTRIBUTE_VALUE)
            return read_attr(row_of_name(name.value), &value, a, e);
    return 0;
}

static int read_tagged(const struct ttlv_item *attrs, struct kmip_attrs *a,
                       struct err *e)
{
    struct ttlv_cursor c = ttlv_children(attrs);
    struct ttlv_item item;

    while (ttlv_next(&c, &item))
        if (read_attr(row_of_tag(item.tag), &item, a, e) < 0)
            return -1;
    return 0;
}

int kmip_read_attrs(const struct ttlv_item *of, struct kmip_attrs *a,
                    struct err *e)
{
    struct ttlv_cursor c = ttlv_children(of);
    struct ttlv_item item;
    int r = 0;

    while (r == 0 && ttlv_next(&c, &item)) {
        if (item.tag == TAG_ATTRIBUTE)
            r = read_named(&item, a, e);
        else if (item.tag == TAG_ATTRIBUTES)
            r = read_tagged(&item, a, e);
    }
    return r;
}

uint32_t kmip_read_attr_names(const struct ttlv_item *of)
{
    struct ttlv_cursor c = ttlv_children(of);
    struct ttlv_item item;
    uint32_t has = 0;

    while (ttlv_next(&c, &item)) {
        const struct row *row = NULL;
        uint32_t tag = 0;
        if (item.tag == TAG_ATTRIBUTE_NAME && item.type == TTLV_TEXT)
            row = row_of_name(item.value);
        else if (item.tag == TAG_ATTRIBUTE_REFERENCE && ttlv_enum(&item, &tag))
            row = row_of_tag(tag);
        if (row != NULL)
            has |= row->bit;
    }
    return has;
}
