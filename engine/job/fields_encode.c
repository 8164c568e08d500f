// SPDX-License-Identifier: Apache-2.0
/*
 * Writes configuration objects by their field tables, and frees them.  What
 * says nothing (NULL, 0, an empty list) is left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "engine/job/fields.h"
#include "engine/job/texts.h"
#include "engine/repo/probe.h"

void eng_secret_place_write(struct jsonw *w, const struct json *v)
{
    jsonw_object(w);
    static const char *const texts[] = { "file", "env" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json way = json_optional(v, texts[i]);
        if (json_present(&way))
            jsonw_kstring(w, texts[i], json_string(&way, SIZE_MAX));
    }
    struct json command = json_optional(v, "command");
    if (json_present(&command)) {
        size_t n = json_array(&command, SIZE_MAX);
        jsonw_key(w, "command");
        jsonw_array(w);
        struct json word = json_first(&command);
        for (size_t i = 0; i < n; i++, word = json_next(&word))
            jsonw_string(w, json_string(&word, SIZE_MAX));
        jsonw_end_array(w);
    }
    jsonw_end_object(w);
}

/* Text of a member is looked at before it becomes a part of the file. */
static int write_secret_place(struct jsonw *w, const char *text, struct err *e)
{
    AUTO_JSON struct json_doc *doc =
        json_parse(span_str(text), JSON_STRICT, ERR_CONFIG, e);

    if (doc == NULL)
        return -1;
    struct json root = json_root(doc);
    eng_secret_place_check(&root);
    eng_secret_place_write(w, &root);
    return json_failed(doc, e);
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

/* Every type but objects. */
static bool says_nothing(const struct eng_field *f, const void *object)
{
    const void *member = eng_field_in(object, f);

    switch (f->type) {
    case ENG_FIELD_TEXT:
    case ENG_FIELD_WORD:
    case ENG_FIELD_SECRET_PLACE:
        return *(char *const *)member == NULL;
    case ENG_FIELD_TEXTS:
        return ((const struct eng_texts *)member)->n == 0;
    case ENG_FIELD_DURATION:
        return *(const int64_t *)member == 0;
    case ENG_FIELD_SIZE:
    case ENG_FIELD_NUMBER:
        return *(const uint64_t *)member == 0;
    case ENG_FIELD_ENABLED:
        return !*(const bool *)member;
    case ENG_FIELD_PROBE:
        return ((const struct eng_probe_record *)member)->time == 0;
    case ENG_FIELD_CHECKED:
    case ENG_FIELD_SECRET:
    case ENG_FIELD_PRICE:
    case ENG_FIELD_OBJECT:
    case ENG_FIELD_OBJECTS:
        break;
    }
    return true; /* or is never written */
}

static int encode_field(struct jsonw *w, const struct eng_field *f,
                        const void *object, struct err *e)
{
    const void *member = eng_field_in(object, f);
    const struct eng_texts *texts = member;

    if (says_nothing(f, object))
        return 0;
    jsonw_key(w, f->name);
    switch (f->type) {
    case ENG_FIELD_TEXTS:
        jsonw_array(w);
        for (size_t i = 0; i < texts->n; i++)
            jsonw_string(w, texts->v[i]);
        jsonw_end_array(w);
        break;
    case ENG_FIELD_DURATION:
        write_duration(w, *(const int64_t *)member);
        break;
    case ENG_FIELD_SIZE:
        write_size(w, *(const uint64_t *)member);
        break;
    case ENG_FIELD_NUMBER:
        jsonw_uint(w, *(const uint64_t *)member);
        break;
    case ENG_FIELD_ENABLED:
        jsonw_bool(w, false);
        break;
    case ENG_FIELD_PROBE:
        encode_probe(w, member);
        break;
    case ENG_FIELD_SECRET_PLACE:
        return write_secret_place(w, *(char *const *)member, e) < 0
                   ? err_ctx(e, "%s", f->name)
                   : 0;
    case ENG_FIELD_TEXT:
    case ENG_FIELD_WORD:
        jsonw_string(w, *(char *const *)member);
        break;
    case ENG_FIELD_CHECKED:
    case ENG_FIELD_SECRET:
    case ENG_FIELD_PRICE:
    case ENG_FIELD_OBJECT:
    case ENG_FIELD_OBJECTS:
        break;
    }
    return 0;
}

static int encode_inner(struct jsonw *w, const struct eng_object *o,
                        const void *object, struct err *e)
{
    jsonw_object(w);
    for (size_t i = 0; i < o->n_fields; i++)
        if (encode_field(w, &o->fields[i], object, e) < 0)
            return -1;
    jsonw_end_object(w);
    return 0;
}

static int encode_object(struct jsonw *w, const struct eng_field *f,
                         const void *object, struct err *e)
{
    const void *inner = eng_field_in(object, f);
    bool some = false;

    for (size_t i = 0; i < f->object->n_fields; i++)
        some |= !says_nothing(&f->object->fields[i], inner);
    if (!some)
        return 0;
    jsonw_key(w, f->name);
    return encode_inner(w, f->object, inner, e);
}

static size_t count_of(const struct eng_field *f, const void *object)
{
    return *(const size_t *)(const void *)((const char *)object + f->offset_n);
}

static int encode_objects(struct jsonw *w, const struct eng_field *f,
                          const void *object, struct err *e)
{
    const char *list = *(char *const *)eng_field_in(object, f);
    size_t n = count_of(f, object);

    if (n == 0)
        return 0;
    jsonw_key(w, f->name);
    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        if (encode_inner(w, f->object, list + i * f->object->size, e) < 0)
            return -1;
    jsonw_end_array(w);
    return 0;
}

int eng_fields_encode(const struct eng_kind *k, const void *in, struct buf *out,
                      struct err *e)
{
    struct jsonw w = jsonw_init(out, true);

    jsonw_object(&w);
    for (size_t i = 0; i < k->n_fields; i++) {
        const struct eng_field *f = &k->fields[i];
        int r = f->type == ENG_FIELD_OBJECT    ? encode_object(&w, f, in, e)
                : f->type == ENG_FIELD_OBJECTS ? encode_objects(&w, f, in, e)
                                               : encode_field(&w, f, in, e);
        if (r < 0)
            return -1;
    }
    jsonw_end_object(&w);
    buf_append_char(out, '\n');
    return buf_check(out, e);
}

static void free_field(const struct eng_field *f, void *object)
{
    void *member = eng_field_of(object, f);
    char **text = member;

    if (f->type == ENG_FIELD_TEXTS)
        eng_texts_fini(member);
    if (f->type != ENG_FIELD_TEXT && f->type != ENG_FIELD_WORD &&
        f->type != ENG_FIELD_SECRET_PLACE)
        return;
    free(*text);
    *text = NULL;
}

static void free_inner(const struct eng_object *o, void *object)
{
    for (size_t i = 0; i < o->n_fields; i++)
        free_field(&o->fields[i], object);
}

void eng_fields_fini(const struct eng_kind *k, void *object)
{
    for (size_t i = 0; i < k->n_fields; i++) {
        const struct eng_field *f = &k->fields[i];
        free_field(f, object);
        if (f->type == ENG_FIELD_OBJECT)
            free_inner(f->object, eng_field_of(object, f));
        if (f->type != ENG_FIELD_OBJECTS)
            continue;
        char **list = eng_field_of(object, f);
        size_t n = count_of(f, object);
        for (size_t j = 0; j < n; j++)
            free_inner(f->object, *list + j * f->object->size);
        free(*list);
        *list = NULL;
        *(size_t *)(void *)((char *)object + f->offset_n) = 0;
    }
}
