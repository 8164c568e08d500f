// SPDX-License-Identifier: Apache-2.0
/* The JSON Schema (2020-12) of field tables. */
#include "engine/job/fields.h"
#include "engine/repo/probe.h"

static void schema_probe(struct jsonw *w)
{
    jsonw_kstring(w, "type", "object");
    jsonw_kbool(w, "additionalProperties", false);
    jsonw_key(w, "required");
    jsonw_array(w);
    jsonw_string(w, "time");
    jsonw_end_array(w);
    jsonw_key(w, "properties");
    jsonw_object(w);
    jsonw_key(w, "time");
    jsonw_object(w);
    jsonw_kstring(w, "type", "string");
    jsonw_kstring(w, "format", "date-time");
    jsonw_end_object(w);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++) {
        jsonw_key(w, eng_probe_name((enum eng_probe_item)i));
        jsonw_object(w);
        jsonw_kstring(w, "description",
                      eng_probe_title((enum eng_probe_item)i));
        jsonw_key(w, "enum");
        jsonw_array(w);
        for (size_t j = 0; eng_probe_words[j] != NULL; j++)
            jsonw_string(w, eng_probe_words[j]);
        jsonw_end_array(w);
        jsonw_end_object(w);
    }
    jsonw_end_object(w);
}

/* An object with this one field, whose schema the caller writes. */
static void schema_way(struct jsonw *w, const char *way)
{
    jsonw_object(w);
    jsonw_kstring(w, "type", "object");
    jsonw_kbool(w, "additionalProperties", false);
    jsonw_key(w, "required");
    jsonw_array(w);
    jsonw_string(w, way);
    jsonw_end_array(w);
    jsonw_key(w, "properties");
    jsonw_object(w);
    jsonw_key(w, way);
    jsonw_object(w);
}

static void schema_way_end(struct jsonw *w)
{
    jsonw_end_object(w);
    jsonw_end_object(w);
    jsonw_end_object(w);
}

static void schema_text(struct jsonw *w)
{
    jsonw_kstring(w, "type", "string");
    jsonw_kuint(w, "minLength", 1);
}

static void schema_places(struct jsonw *w)
{
    schema_way(w, "file");
    schema_text(w);
    schema_way_end(w);
    schema_way(w, "env");
    schema_text(w);
    schema_way_end(w);
    schema_way(w, "command");
    jsonw_kstring(w, "type", "array");
    jsonw_kuint(w, "minItems", 1);
    jsonw_key(w, "items");
    jsonw_object(w);
    jsonw_kstring(w, "type", "string");
    jsonw_end_object(w);
    schema_way_end(w);
}

/* text: the secret itself may be there, too. */
static void schema_secret(struct jsonw *w, bool text)
{
    jsonw_key(w, "oneOf");
    jsonw_array(w);
    if (text) {
        jsonw_object(w);
        schema_text(w);
        jsonw_end_object(w);
    }
    schema_places(w);
    jsonw_end_array(w);
}

static void schema_words(struct jsonw *w, const char *const *words)
{
    jsonw_key(w, "enum");
    jsonw_array(w);
    for (size_t i = 0; words[i] != NULL; i++)
        jsonw_string(w, words[i]);
    jsonw_end_array(w);
}

static void schema_texts(struct jsonw *w, const struct eng_field *f)
{
    jsonw_kstring(w, "type", "array");
    if (f->with != NULL)
        jsonw_kuint(w, "minItems", 1);
    jsonw_kuint(w, "maxItems", f->max_n);
    jsonw_key(w, "items");
    jsonw_object(w);
    schema_text(w);
    jsonw_kuint(w, "maxLength", f->max_bytes);
    jsonw_end_object(w);
}

static void schema_number(struct jsonw *w, const char *type, uint64_t min,
                          uint64_t max)
{
    jsonw_kstring(w, "type", type);
    jsonw_kuint(w, "minimum", min);
    jsonw_kuint(w, "maximum", max);
}

static void schema_pattern(struct jsonw *w, const char *pattern)
{
    jsonw_kstring(w, "type", "string");
    jsonw_kstring(w, "pattern", pattern);
}

/* Every type but objects. */
static void schema_field(struct jsonw *w, const struct eng_field *f)
{
    switch (f->type) {
    case ENG_FIELD_SECRET:
    case ENG_FIELD_SECRET_PLACE:
        schema_secret(w, f->type == ENG_FIELD_SECRET);
        break;
    case ENG_FIELD_PROBE:
        schema_probe(w);
        break;
    case ENG_FIELD_DURATION:
        schema_pattern(w, "^[0-9]+[smhdw]?$");
        break;
    case ENG_FIELD_SIZE:
        schema_pattern(w, "^[0-9]+[KMGTPE]?$");
        break;
    case ENG_FIELD_NUMBER:
        schema_number(w, "integer", 1, f->max_n);
        break;
    case ENG_FIELD_PRICE:
        schema_number(w, "number", 0, (uint64_t)ENG_PRICE_MAX);
        break;
    case ENG_FIELD_ENABLED:
        jsonw_kstring(w, "type", "boolean");
        break;
    case ENG_FIELD_WORD:
        schema_words(w, f->words);
        break;
    case ENG_FIELD_TEXTS:
        schema_texts(w, f);
        break;
    case ENG_FIELD_TEXT:
    case ENG_FIELD_CHECKED:
        schema_text(w);
        jsonw_kuint(w, "maxLength", f->max_bytes);
        break;
    case ENG_FIELD_OBJECT:
    case ENG_FIELD_OBJECTS:
        break;
    }
}

static void schema_with(struct jsonw *w, const struct eng_field *fields,
                        size_t n)
{
    bool some = false;

    for (size_t i = 0; i < n; i++) {
        if (fields[i].with == NULL)
            continue;
        if (!some) {
            jsonw_key(w, "dependentRequired");
            jsonw_object(w);
        }
        some = true;
        jsonw_key(w, fields[i].name);
        jsonw_array(w);
        jsonw_string(w, fields[i].with);
        jsonw_end_array(w);
    }
    if (some)
        jsonw_end_object(w);
}

/* What an object of these fields is, up to its "properties". */
static void schema_head(struct jsonw *w, const struct eng_field *fields,
                        size_t n)
{
    jsonw_kstring(w, "type", "object");
    jsonw_kbool(w, "additionalProperties", false);
    jsonw_key(w, "required");
    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        if (fields[i].required)
            jsonw_string(w, fields[i].name);
    jsonw_end_array(w);
    schema_with(w, fields, n);
    jsonw_key(w, "properties");
    jsonw_object(w);
}

static void schema_begin(struct jsonw *w, const struct eng_field *f)
{
    jsonw_key(w, f->name);
    jsonw_object(w);
    jsonw_kstring(w, "description", f->help);
}

static void schema_inner(struct jsonw *w, const struct eng_object *o)
{
    schema_head(w, o->fields, o->n_fields);
    for (size_t i = 0; i < o->n_fields; i++) {
        schema_begin(w, &o->fields[i]);
        schema_field(w, &o->fields[i]);
        jsonw_end_object(w);
    }
    jsonw_end_object(w);
}

static void schema_any(struct jsonw *w, const struct eng_field *f)
{
    schema_begin(w, f);
    if (f->type == ENG_FIELD_OBJECT) {
        schema_inner(w, f->object);
    } else if (f->type == ENG_FIELD_OBJECTS) {
        jsonw_kstring(w, "type", "array");
        jsonw_kuint(w, "maxItems", f->max_n);
        jsonw_key(w, "items");
        jsonw_object(w);
        schema_inner(w, f->object);
        jsonw_end_object(w);
    } else {
        schema_field(w, f);
    }
    jsonw_end_object(w);
}

int eng_fields_schema(const struct eng_kind *k, bool indented, struct buf *out,
                      struct err *e)
{
    struct jsonw w = jsonw_init(out, indented);

    jsonw_object(&w);
    jsonw_kstring(&w, "$schema",
                  "https://json-schema.org/draft/2020-12/schema");
    jsonw_kstring(&w, "title", k->name);
    jsonw_kstring(&w, "description", k->help);
    if (k->some)
        jsonw_kuint(&w, "minProperties", 1);
    schema_head(&w, k->fields, k->n_fields);
    for (size_t i = 0; i < k->n_fields; i++)
        schema_any(&w, &k->fields[i]);
    jsonw_end_object(&w);
    jsonw_end_object(&w);
    if (indented)
        buf_append_char(out, '\n');
    return buf_check(out, e);
}
