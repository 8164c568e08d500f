// SPDX-License-Identifier: Apache-2.0
/*
 * Reads and writes configuration objects by their field tables.  Strings are
 * copied into the object member by member, so that a failed decode leaves an
 * object that its own fini can free.
 */
#include "engine/job/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/units.h"
#include "engine/repo/probe.h"

/* The member of type `char *` or `int64_t` behind a field. */
static char **text_member(void *object, const struct eng_field *f)
{
    return (char **)(void *)((char *)object + f->offset);
}

static int64_t *duration_member(void *object, const struct eng_field *f)
{
    return (int64_t *)(void *)((char *)object + f->offset);
}

static uint64_t *size_member(void *object, const struct eng_field *f)
{
    return (uint64_t *)(void *)((char *)object + f->offset);
}

/* Text for one line: configuration never needs control characters, and a
 * message that quotes one would break the terminal. */
static void check_text(const struct json *v, const char *s)
{
    if (*s == '\0' && json_is_string(v))
        json_reject(v, "is empty");
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) {
            json_reject(v, "has a control character");
            return;
        }
}

/* The text itself, {"file": PATH}, {"env": NAME} or {"command": [ARGV...]};
 * only looked at: secrets are found when they are needed. */
static void check_secret(const struct json *v, size_t max)
{
    static const char *const ways[] = { "file", "env", "command", NULL };
    if (!json_is_object(v)) {
        check_text(v, json_string(v, max));
        return;
    }
    json_object(v, ways);
    unsigned found = 0;
    for (size_t i = 0; ways[i] != NULL; i++) {
        struct json way = json_optional(v, ways[i]);
        if (!json_present(&way))
            continue;
        found++;
        if (strcmp(ways[i], "command") != 0) {
            check_text(&way, json_string(&way, 4096));
            continue;
        }
        size_t n = json_array(&way, 256);
        if (n == 0 && json_is_array(&way))
            json_reject(&way, "is empty");
        struct json word = json_first(&way);
        for (size_t j = 0; j < n; j++, word = json_next(&word))
            (void)json_string(&word, 4096);
    }
    if (found != 1)
        json_reject(v, "needs exactly one of file, env and command");
}

static void decode_probe(const struct json *v, struct eng_probe_record *out)
{
    const char *names[ENG_PROBE_ITEMS + 2] = { NULL };

    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        names[i] = eng_probe_name((enum eng_probe_item)i);
    names[ENG_PROBE_ITEMS] = "time";
    json_object(v, names);
    struct json time = json_field(v, "time");
    out->time = json_time(&time);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++) {
        struct json word = json_optional(v, names[i]);
        if (json_present(&word))
            out->results[i] =
                (enum eng_probe_result)json_word(&word, eng_probe_words);
    }
}

static void encode_probe(struct jsonw *w, const struct eng_probe_record *p)
{
    jsonw_object(w);
    jsonw_ktime(w, "time", p->time);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        if (p->results[i] != ENG_PROBE_UNKNOWN)
            jsonw_kstring(w, eng_probe_name((enum eng_probe_item)i),
                          eng_probe_words[p->results[i]]);
    jsonw_end_object(w);
}

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

static int decode_field(const struct eng_field *f, const struct json *v,
                        void *out, struct err *e)
{
    const char *text = NULL;
    switch (f->type) {
    case ENG_FIELD_SECRET:
        check_secret(v, f->max_bytes);
        return 0;
    case ENG_FIELD_CHECKED:
        check_text(v, json_string(v, f->max_bytes));
        return 0;
    case ENG_FIELD_DURATION:
        text = json_string(v, 64);
        if (json_is_string(v) &&
            !units_parse_duration(text, duration_member(out, f)))
            json_reject(v, "is no duration such as 30s, 15m or 12h");
        return 0;
    case ENG_FIELD_SIZE:
        text = json_string(v, 64);
        if (json_is_string(v) && !units_parse_size(text, size_member(out, f)))
            json_reject(v, "is no size such as 512M, 500G or 2T");
        return 0;
    case ENG_FIELD_PRICE:
        *(double *)(void *)((char *)out + f->offset) =
            json_number(v, ENG_PRICE_MAX);
        return 0;
    case ENG_FIELD_PROBE:
        decode_probe(
            v, (struct eng_probe_record *)(void *)((char *)out + f->offset));
        return 0;
    case ENG_FIELD_WORD:
        text = f->words[json_word(v, f->words)];
        break;
    case ENG_FIELD_TEXT:
        text = json_string(v, f->max_bytes);
        check_text(v, text);
        break;
    }
    *text_member(out, f) = strdup(text);
    return *text_member(out, f) != NULL ? 0 : err_nomem(e);
}

int eng_fields_decode(const struct eng_kind *k, struct span text, void *out,
                      struct err *e)
{
    const char *names[ENG_FIELDS_MAX + 1] = { NULL };
    for (size_t i = 0; i < k->n_fields; i++)
        names[i] = k->fields[i].name;

    AUTO_JSON struct json_doc *doc =
        json_parse(text, JSON_COMMENTS, ERR_CONFIG, e);
    if (doc == NULL)
        return -1;
    struct json root = json_root(doc);
    json_object(&root, names);
    for (size_t i = 0; i < k->n_fields; i++) {
        const struct eng_field *f = &k->fields[i];
        struct json v = f->required ? json_field(&root, f->name)
                                    : json_optional(&root, f->name);
        if (json_present(&v) && decode_field(f, &v, out, e) < 0)
            return -1;
    }
    return json_failed(doc, e);
}

/* The exact duration with the largest unit that divides it. */
static void write_duration(struct jsonw *w, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    char text[UNITS_TEXT_CHARS];
    size_t i = 0;
    while (seconds % units[i].seconds != 0)
        i++;
    (void)snprintf(text, sizeof text, "%" PRId64 "%c",
                   seconds / units[i].seconds, units[i].unit);
    jsonw_string(w, text);
}

/* The exact size, likewise. */
static void write_size(struct jsonw *w, uint64_t bytes)
{
    static const char *const units[] = { "", "K", "M", "G", "T", "P", "E" };
    char text[UNITS_TEXT_CHARS];
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof units[0] && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    (void)snprintf(text, sizeof text, "%" PRIu64 "%s", bytes, units[i]);
    jsonw_string(w, text);
}

int eng_fields_encode(const struct eng_kind *k, const void *in, struct buf *out,
                      struct err *e)
{
    struct jsonw w = jsonw_init(out, true);
    jsonw_object(&w);
    for (size_t i = 0; i < k->n_fields; i++) {
        const struct eng_field *f = &k->fields[i];
        const void *member = (const char *)in + f->offset;
        if (f->type == ENG_FIELD_DURATION) {
            int64_t seconds = *(const int64_t *)member;
            if (seconds == 0)
                continue;
            jsonw_key(&w, f->name);
            write_duration(&w, seconds);
        } else if (f->type == ENG_FIELD_SIZE) {
            uint64_t bytes = *(const uint64_t *)member;
            if (bytes == 0)
                continue;
            jsonw_key(&w, f->name);
            write_size(&w, bytes);
        } else if (f->type == ENG_FIELD_PROBE) {
            const struct eng_probe_record *probe = member;
            if (probe->time == 0)
                continue;
            jsonw_key(&w, f->name);
            encode_probe(&w, probe);
        } else if (f->type == ENG_FIELD_TEXT || f->type == ENG_FIELD_WORD) {
            const char *text = *(const char *const *)member;
            if (text != NULL)
                jsonw_kstring(&w, f->name, text);
        }
    }
    jsonw_end_object(&w);
    buf_append_char(out, '\n');
    return buf_check(out, e);
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

static void schema_secret(struct jsonw *w)
{
    jsonw_key(w, "oneOf");
    jsonw_array(w);
    jsonw_object(w);
    schema_text(w);
    jsonw_end_object(w);
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
    jsonw_end_array(w);
}

static void schema_field(struct jsonw *w, const struct eng_field *f)
{
    jsonw_key(w, f->name);
    jsonw_object(w);
    jsonw_kstring(w, "description", f->help);
    switch (f->type) {
    case ENG_FIELD_SECRET:
        schema_secret(w);
        break;
    case ENG_FIELD_PROBE:
        schema_probe(w);
        break;
    case ENG_FIELD_DURATION:
        jsonw_kstring(w, "type", "string");
        jsonw_kstring(w, "pattern", "^[0-9]+[smhdw]?$");
        break;
    case ENG_FIELD_SIZE:
        jsonw_kstring(w, "type", "string");
        jsonw_kstring(w, "pattern", "^[0-9]+[KMGTPE]?$");
        break;
    case ENG_FIELD_PRICE:
        jsonw_kstring(w, "type", "number");
        jsonw_kuint(w, "minimum", 0);
        jsonw_kuint(w, "maximum", (uint64_t)ENG_PRICE_MAX);
        break;
    case ENG_FIELD_WORD:
        jsonw_key(w, "enum");
        jsonw_array(w);
        for (size_t i = 0; f->words[i] != NULL; i++)
            jsonw_string(w, f->words[i]);
        jsonw_end_array(w);
        break;
    case ENG_FIELD_TEXT:
    case ENG_FIELD_CHECKED:
        schema_text(w);
        jsonw_kuint(w, "maxLength", f->max_bytes);
        break;
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
    jsonw_kstring(&w, "type", "object");
    jsonw_kbool(&w, "additionalProperties", false);
    jsonw_key(&w, "required");
    jsonw_array(&w);
    for (size_t i = 0; i < k->n_fields; i++)
        if (k->fields[i].required)
            jsonw_string(&w, k->fields[i].name);
    jsonw_end_array(&w);
    jsonw_key(&w, "properties");
    jsonw_object(&w);
    for (size_t i = 0; i < k->n_fields; i++)
        schema_field(&w, &k->fields[i]);
    jsonw_end_object(&w);
    jsonw_end_object(&w);
    if (indented)
        buf_append_char(out, '\n');
    return buf_check(out, e);
}
