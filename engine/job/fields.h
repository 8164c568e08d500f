// SPDX-License-Identifier: Apache-2.0
/* Private to engine/job/. */
#ifndef ENGINE_JOB_FIELDS_H
#define ENGINE_JOB_FIELDS_H

/*
 * Field tables: what a kind of configuration object consists of.  The same
 * table decodes a file, encodes one and yields the JSON Schema, so the three
 * cannot differ.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define ENG_FIELDS_MAX 16
#define ENG_CONFIG_BYTES_MAX (1u << 20) /* of one file */

enum eng_field_type {
    ENG_FIELD_TEXT,     /* char * */
    ENG_FIELD_CHECKED,  /* text; checked, not kept */
    ENG_FIELD_WORD,     /* char *, one of `words` */
    ENG_FIELD_DURATION, /* int64_t, seconds; written as "10m" */
    ENG_FIELD_SIZE,     /* uint64_t, bytes; written as "10G" */
    ENG_FIELD_PRICE,    /* double, 0 to ENG_PRICE_MAX; read, never written */
    ENG_FIELD_PROBE,    /* struct eng_probe_record */
    ENG_FIELD_SECRET,   /* text, or where to find it; checked, not kept */
};

struct eng_field {
    const char *name;
    enum eng_field_type type;
    bool required;
    size_t offset;            /* of the member, where it is kept */
    size_t max_bytes;         /* texts */
    const char *const *words; /* NULL-terminated */
    const char *help;         /* the schema's description */
};

#define ENG_PRICE_MAX 1e6

/* A kind of object: a folder of files below the home, or one file in it. */
struct eng_kind {
    const char *name;   /* "repo" */
    const char *folder; /* "repos"; or NULL ... */
    const char *file;   /* ... and "prices.json" */
    const char *help;
    const struct eng_field *fields;
    size_t n_fields;
};

extern const struct eng_kind eng_kind_repo;
extern const struct eng_kind eng_kind_credentials;
extern const struct eng_kind eng_kind_kms;
extern const struct eng_kind eng_kind_source;
extern const struct eng_kind eng_kind_prices;

struct eng_home;
struct eng_config_kms;

/* malloc'd path of an object's file. */
char *eng_config_path(const struct eng_home *h, const struct eng_kind *k,
                      const char *name, struct err *e);

/* Writes the file of a new object, a `what` ("repository"), atomically.
 * ERR_EXISTS: there is one of this name. */
int eng_config_write(const struct eng_home *h, const struct eng_kind *k,
                     const char *what, const char *name, const void *object,
                     struct err *e) __attribute__((warn_unused_result));

/* Reads a file into the object at out (zeroed by the caller). */
int eng_config_read(const struct eng_kind *k, const char *path, void *out,
                    struct err *e) __attribute__((warn_unused_result));

/* Reads and checks a key server's file. */
int eng_config_kms_read(const char *path, const char *name,
                        struct eng_config_kms *out, struct err *e)
    __attribute__((warn_unused_result));

/* Decodes text into the object at out, whose members are zero before; what is
 * in it afterwards is owned by the object, also on failure.  ERR_CONFIG with
 * the path of the field. */
int eng_fields_decode(const struct eng_kind *k, struct span text, void *out,
                      struct err *e) __attribute__((warn_unused_result));

/* Appends the object as indented JSON; empty members are left out. */
int eng_fields_encode(const struct eng_kind *k, const void *in, struct buf *out,
                      struct err *e) __attribute__((warn_unused_result));

/* Appends the kind's JSON Schema. */
int eng_fields_schema(const struct eng_kind *k, bool indented, struct buf *out,
                      struct err *e) __attribute__((warn_unused_result));

#endif
