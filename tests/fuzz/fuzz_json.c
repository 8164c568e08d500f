// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as JSON: what parses is written again canonically, which must
// parse to the same text, and is read through every getter, of which the
// strict ones must agree with the tree.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Numbers become 0: the writer has no form for any double. */
static void write_value(struct jsonw *w, const cJSON *n)
{
    if (cJSON_IsObject(n) || cJSON_IsArray(n)) {
        bool object = cJSON_IsObject(n);
        object ? jsonw_object(w) : jsonw_array(w);
        for (const cJSON *c = n->child; c != NULL; c = c->next) {
            if (object)
                jsonw_key(w, c->string);
            write_value(w, c);
        }
        object ? jsonw_end_object(w) : jsonw_end_array(w);
    } else if (cJSON_IsString(n)) {
        jsonw_string(w, n->valuestring);
    } else if (cJSON_IsNull(n)) {
        jsonw_null(w);
    } else if (cJSON_IsBool(n)) {
        jsonw_bool(w, cJSON_IsTrue(n));
    } else {
        must(cJSON_IsNumber(n));
        jsonw_uint(w, 0);
    }
}

static void rewrite(struct json_doc *d, struct buf *out)
{
    struct err e = { 0 };
    struct jsonw w = jsonw_init(out, false);
    write_value(&w, json_root(d).node);
    must(buf_check(out, &e) == 0);
}

/* Reads v by the n-th getter. */
static void read_value(const struct json *v, unsigned n)
{
    static const char *const fields[] = { "a", "size", "disks", "name", NULL };
    uint8_t hex[4];
    switch (n) {
    case 0:
        must(strlen(json_string(v, 8)) <= 8);
        break;
    case 1:
        must(json_uint(v, 1000) <= 1000);
        break;
    case 2:
        (void)json_bool(v);
        break;
    case 3:
        must(json_time(v) >= 0);
        break;
    case 4:
        json_hex(v, hex, sizeof(hex));
        break;
    case 5:
        must(json_word(v, fields) < 4);
        break;
    default:
        json_object(v, fields);
        break;
    }
}

/* Walks down, a level per frame, as a decoder does. */
static void walk(const struct json *v, unsigned n)
{
    if (json_is_array(v)) {
        size_t len = json_array(v, 1000);
        size_t seen = 0;
        for (struct json el = json_first(v); json_present(&el);
             el = json_next(&el), seen++)
            walk(&el, n);
        struct err e = { 0 };
        must(seen == len || json_failed(v->doc, &e) < 0);
    } else if (json_is_object(v)) {
        struct json disks = json_optional(v, "disks");
        struct json a = json_field(v, "a");
        walk(&disks, n);
        walk(&a, n);
    } else {
        read_value(v, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct span in = span_of(data, size);
    AUTO_JSON struct json_doc *strict =
        json_parse(in, JSON_STRICT, ERR_CORRUPT, &e);
    AUTO_JSON struct json_doc *d =
        json_parse(in, JSON_COMMENTS, ERR_CORRUPT, &e);
    must(strict == NULL || d != NULL);
    if (d == NULL) {
        must(e.kind == ERR_CORRUPT && e.msg[0] != '\0');
        return 0;
    }

    AUTO_BUF struct buf first = buf_init(SIZE_MAX / 2);
    AUTO_BUF struct buf second = buf_init(SIZE_MAX / 2);
    rewrite(d, &first);
    AUTO_JSON struct json_doc *again =
        json_parse(buf_span(&first), JSON_STRICT, ERR_CORRUPT, &e);
    must(again != NULL);
    rewrite(again, &second);
    must(span_eq(buf_span(&first), buf_span(&second)));

    unsigned n = size > 0 ? data[size - 1] % 7U : 0;
    struct json root = json_root(d);
    walk(&root, n);
    if (json_failed(d, &e) < 0)
        must(e.kind == ERR_CORRUPT && e.msg[0] != '\0');
    read_value(&root, n);
    return 0;
}
