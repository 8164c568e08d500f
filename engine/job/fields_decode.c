// SPDX-License-Identifier: Apache-2.0
/*
 * Reads configuration objects by their field tables.  What is read goes into
 * the object member by member, so that a failed decode leaves an object that
 * its own fini can free.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "engine/job/fields.h"
#include "engine/job/texts.h"
#include "engine/repo/probe.h"

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

void eng_secret_place_check(const struct json *v)
{
    static const char *const ways[] = { "file", "env", "command", NULL };
    unsigned found = 0;

    json_object(v, ways);
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

static int decode_secret_place(const struct json *v, char **out, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(ENG_CONFIG_BYTES_MAX);
    struct jsonw w = jsonw_init(&text, false);

    if (json_is_string(v)) {
        json_reject(v, "must not be here itself; write where it is, as in "
                       "{\"file\": \"/etc/objvault/password\"}");
        return 0;
    }
    eng_secret_place_check(v);
    eng_secret_place_write(&w, v);
    *out = strdup(buf_cstr(&text));
    return *out != NULL ? buf_check(&text, e) : err_nomem(e);
}

static int decode_texts(const struct eng_field *f, const struct json *v,
                        struct eng_texts *out, struct err *e)
{
    size_t n = json_array(v, f->max_n);
    struct json el = json_first(v);

    if (n == 0 && f->with != NULL)
        json_reject(v, "is empty");
    for (size_t i = 0; i < n; i++, el = json_next(&el)) {
        const char *text = json_string(&el, f->max_bytes);
        check_text(&el, text);
        if (eng_texts_add(out, text, e) < 0)
            return -1;
    }
    return 0;
}

static const char *decode_word(const struct eng_field *f, const struct json *v)
{
    if (f->refused != NULL && json_is_string(v)) {
        const char *text = json_string(v, SIZE_MAX);
        for (size_t i = 0; f->refused[i].word != NULL; i++)
            if (strcmp(f->refused[i].word, text) == 0)
                json_reject(v, "%s", f->refused[i].why);
    }
    return f->words[json_word(v, f->words)];
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

static int decode_text(const struct eng_field *f, const struct json *v,
                       char **out, struct err *e)
{
    const char *text = json_string(v, f->max_bytes);

    check_text(v, text);
    if (f->type == ENG_FIELD_CHECKED)
        return 0;
    *out = strdup(text);
    return *out != NULL ? 0 : err_nomem(e);
}

/* Every type but objects. */
static int decode_field(const struct eng_field *f, const struct json *v,
                        void *object, struct err *e)
{
    void *member = eng_field_of(object, f);
    char **text = member;

    switch (f->type) {
    case ENG_FIELD_TEXT:
    case ENG_FIELD_CHECKED:
        return decode_text(f, v, text, e);
    case ENG_FIELD_DURATION:
        if (!units_parse_duration(json_string(v, 64), member))
            json_reject(v, "is no duration such as 30s, 15m or 12h");
        break;
    case ENG_FIELD_SIZE:
        if (!units_parse_size(json_string(v, 64), member))
            json_reject(v, "is no size such as 512M, 500G or 2T");
        break;
    case ENG_FIELD_WORD:
        *text = strdup(decode_word(f, v));
        return *text != NULL ? 0 : err_nomem(e);
    case ENG_FIELD_TEXTS:
        return decode_texts(f, v, member, e);
    case ENG_FIELD_NUMBER:
        *(uint64_t *)member = json_uint(v, f->max_n);
        if (*(uint64_t *)member == 0)
            json_reject(v, "must be at least 1");
        break;
    case ENG_FIELD_ENABLED:
        *(bool *)member = !json_bool(v);
        break;
    case ENG_FIELD_PRICE:
        *(double *)member = json_number(v, ENG_PRICE_MAX);
        break;
    case ENG_FIELD_PROBE:
        decode_probe(v, member);
        break;
    case ENG_FIELD_SECRET:
        if (json_is_object(v))
            eng_secret_place_check(v);
        else
            check_text(v, json_string(v, f->max_bytes));
        break;
    case ENG_FIELD_SECRET_PLACE:
        return decode_secret_place(v, text, e);
    case ENG_FIELD_OBJECT:
    case ENG_FIELD_OBJECTS:
        break;
    }
    return 0;
}

/* The view of a field of v; records what must be there and is not. */
static struct json field_of(const struct json *v, const struct eng_field *f)
{
    struct json found =
        f->required ? json_field(v, f->name) : json_optional(v, f->name);
    if (json_present(&found) && f->with != NULL) {
        struct json other = json_optional(v, f->with);
        if (!json_present(&other))
            json_reject(&other, "the field is missing; %s is there", f->name);
    }
    return found;
}

/* v has no fields but these. */
static void check_names(const struct json *v, const struct eng_field *fields,
                        size_t n)
{
    const char *names[ENG_FIELDS_MAX + 1] = { NULL };

    for (size_t i = 0; i < n; i++)
        names[i] = fields[i].name;
    json_object(v, names);
}

static int decode_inner(const struct eng_object *o, const struct json *v,
                        void *object, struct err *e)
{
    check_names(v, o->fields, o->n_fields);
    for (size_t i = 0; i < o->n_fields; i++) {
        struct json field = field_of(v, &o->fields[i]);
        if (json_present(&field) &&
            decode_field(&o->fields[i], &field, object, e) < 0)
            return -1;
    }
    return 0;
}

static int decode_objects(const struct eng_field *f, const struct json *v,
                          void *object, struct err *e)
{
    size_t n = json_array(v, f->max_n);
    char *list = n > 0 ? calloc(n, f->object->size) : NULL;

    if (n == 0)
        return 0;
    if (list == NULL)
        return err_nomem(e);
    *(void **)eng_field_of(object, f) = list;
    *(size_t *)(void *)((char *)object + f->offset_n) = n;
    struct json el = json_first(v);
    for (size_t i = 0; i < n; i++, el = json_next(&el))
        if (decode_inner(f->object, &el, list + i * f->object->size, e) < 0)
            return -1;
    return 0;
}

static int decode_any(const struct eng_field *f, const struct json *v,
                      void *object, struct err *e)
{
    if (f->type == ENG_FIELD_OBJECT)
        return decode_inner(f->object, v, eng_field_of(object, f), e);
    if (f->type == ENG_FIELD_OBJECTS)
        return decode_objects(f, v, object, e);
    return decode_field(f, v, object, e);
}

int eng_fields_decode(const struct eng_kind *k, struct span text, void *out,
                      struct err *e)
{
    bool some = false;
    AUTO_JSON struct json_doc *doc =
        json_parse(text, JSON_COMMENTS, ERR_CONFIG, e);

    if (doc == NULL)
        return -1;
    struct json root = json_root(doc);
    check_names(&root, k->fields, k->n_fields);
    for (size_t i = 0; i < k->n_fields; i++) {
        struct json v = field_of(&root, &k->fields[i]);
        some |= json_present(&v);
        if (json_present(&v) && decode_any(&k->fields[i], &v, out, e) < 0)
            return -1;
    }
    if (k->some && !some)
        json_reject(&root, "has none of its fields");
    return json_failed(doc, e);
}
