// SPDX-License-Identifier: Apache-2.0
/* Private to engine/job/. */
#ifndef ENGINE_JOB_FIELDS_H
#define ENGINE_JOB_FIELDS_H

/*
 * Field tables: what a kind of configuration object consists of.  The same
 * table decodes a file, encodes one, frees what an object owns and yields the
 * JSON Schema, so that they cannot differ.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/span.h"

#define ENG_FIELDS_MAX 32               /* of one object */
#define ENG_CONFIG_BYTES_MAX (1u << 20) /* of one file */

enum eng_field_type {
    ENG_FIELD_TEXT,         /* char * */
    ENG_FIELD_CHECKED,      /* text; checked, not kept */
    ENG_FIELD_WORD,         /* char *, one of `words` */
    ENG_FIELD_TEXTS,        /* struct eng_texts, at most max_n */
    ENG_FIELD_DURATION,     /* int64_t, seconds; written as "10m" */
    ENG_FIELD_SIZE,         /* uint64_t, bytes; written as "10G" */
    ENG_FIELD_NUMBER,       /* uint64_t, 1 to max_n */
    ENG_FIELD_ENABLED,      /* bool, true where the file says false */
    ENG_FIELD_PRICE,        /* double, 0 to ENG_PRICE_MAX; never written */
    ENG_FIELD_PROBE,        /* struct eng_probe_record */
    ENG_FIELD_SECRET,       /* text, or where to find it; checked, not kept */
    ENG_FIELD_SECRET_PLACE, /* char *: where to find it, as JSON; no text */
    ENG_FIELD_OBJECT,       /* one of `object`, in place */
    ENG_FIELD_OBJECTS,      /* OBJECT *, with its number, at most max_n */
};

struct eng_field {
    const char *name;
    enum eng_field_type type;
    bool required;
    size_t offset;            /* of the member, where it is kept */
    size_t offset_n;          /* objects: of the size_t that counts them */
    size_t max_bytes;         /* texts */
    size_t max_n;             /* lists and objects; numbers: the highest */
    const char *const *words; /* NULL-terminated */
    /* Words that others know, and why they are refused; up to a NULL word. */
    const struct eng_refused {
        const char *word, *why;
    } * refused;
    const char *with; /* a field that must be there, too; a list is not empty */
    /* Its own fields; none of these is an object. */
    const struct eng_object {
        const struct eng_field *fields;
        size_t n_fields;
        size_t size; /* of objects; bytes */
    } * object;
    const char *help; /* the schema's description */
};

#define ENG_PRICE_MAX 1e6

/* A kind of object: a folder of files below the home, or one file in it. */
struct eng_kind {
    const char *name;   /* "repo" */
    const char *folder; /* "repos"; or NULL ... */
    const char *file;   /* ... and "prices.json" */
    const char *noun;   /* for messages: "repository" */
    const char *help;
    const struct eng_field *fields;
    size_t n_fields;
    bool some; /* at least one field must be there */
};

extern const struct eng_kind *const eng_kinds[]; /* NULL-terminated */
extern const struct eng_kind eng_kind_repo;
extern const struct eng_kind eng_kind_credentials;
extern const struct eng_kind eng_kind_kms;
extern const struct eng_kind eng_kind_source;
extern const struct eng_kind eng_kind_job;
extern const struct eng_kind eng_kind_prices;
extern const struct eng_kind eng_kind_daemon;

struct eng_home;
struct eng_config_kms;
struct eng_config_repo;

#define ENG_CONFIG_SUFFIX ".json"

/* malloc'd path of an object's file. */
char *eng_config_path(const struct eng_home *h, const struct eng_kind *k,
                      const char *name, struct err *e);

/* The same, where the name may be one; else ERR_USAGE. */
char *eng_config_find(const struct eng_home *h, const struct eng_kind *k,
                      const char *name, struct err *e);
/* ERR_NOTFOUND, with the names that there are; -1. */
int eng_config_not_there(const struct eng_home *h, const struct eng_kind *k,
                         const char *name, struct err *e);
/* Entries of a folder that end in ENG_CONFIG_SUFFIX and are not hidden, sorted;
 * a folder that is not there has none.  A list as that of eng_config_names. */
int eng_config_files(const char *folder, char ***files, size_t *n,
                     struct err *e) __attribute__((warn_unused_result));

/* Writes the file of a new object atomically.  ERR_EXISTS: there is one of this
 * name. */
int eng_config_write(const struct eng_home *h, const struct eng_kind *k,
                     const char *name, const void *object, struct err *e)
    __attribute__((warn_unused_result));
/* Writes the file of one that is there.  ERR_CONFIG: it has comments, which
 * would be lost. */
int eng_config_rewrite(const struct eng_home *h, const struct eng_kind *k,
                       const char *name, const void *object, struct err *e)
    __attribute__((warn_unused_result));
/* ERR_NOTFOUND as above. */
int eng_config_remove(const struct eng_home *h, const struct eng_kind *k,
                      const char *name, struct err *e)
    __attribute__((warn_unused_result));

/* Reads a file into the object at out (zeroed by the caller). */
int eng_config_read(const struct eng_kind *k, const char *path, void *out,
                    struct err *e) __attribute__((warn_unused_result));

/* Read and check a repository's and a key server's file. */
int eng_config_repo_read(const char *path, const char *name,
                         struct eng_config_repo *out, struct err *e)
    __attribute__((warn_unused_result));
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

/* Frees what the object's members own, and zeroes these. */
void eng_fields_fini(const struct eng_kind *k, void *object);

/* Appends the kind's JSON Schema. */
int eng_fields_schema(const struct eng_kind *k, bool indented, struct buf *out,
                      struct err *e) __attribute__((warn_unused_result));

/* --- parts of these --- */

/* The member behind a field. */
static inline void *eng_field_of(void *object, const struct eng_field *f)
{
    return (char *)object + f->offset;
}
static inline const void *eng_field_in(const void *object,
                                       const struct eng_field *f)
{
    return (const char *)object + f->offset;
}

/* Rejects v where it is neither {"file": PATH}, {"env": NAME} nor
 * {"command": [ARGV...]}; only looked at: secrets are found when they are
 * needed. */
void eng_secret_place_check(const struct json *v);
/* Writes what is one of these. */
void eng_secret_place_write(struct jsonw *w, const struct json *v);

#endif
