// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CONFORMANCE_SUITE_H
#define TESTS_CONFORMANCE_SUITE_H

/*
 * What a storage driver must do, as tests that know no driver.  A test works
 * in two places, a bucket without versions and (where the driver has them) one
 * with versions and locks, below a prefix of its own; it says which
 * capabilities it needs.  The calls here go to the driver itself, one attempt
 * each; `store` is the same driver behind the retry layer, for what only that
 * promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "base/workers.h"
#include "objstore/retry.h"

/* What not every driver has. */
enum cap {
    CAP_VERSIONS = 1 << 0,
    CAP_LOCK = 1 << 1,
    CAP_IF_ABSENT = 1 << 2,
    CAP_NONCE = 1 << 3,    /* keeps a put's nonce for a later look */
    CAP_CHECKED = 1 << 4,  /* what arrives is compared with its digest */
    CAP_ANY_KEY = 1 << 5,  /* every key that objstore/key.h allows */
    CAP_SHARED = 1 << 6,   /* other processes reach the same objects */
    CAP_FOREIGN = 1 << 7,  /* tests/e2e/objects.py reaches them too */
    CAP_MANY = 1 << 8,     /* removes many in one request */
    CAP_GET_LOCK = 1 << 9, /* can be asked for a lock, also without locks */
    CAP_CLOCK = 1 << 10,   /* says the server's time */
};
#define CAPS 11

/* A driver under test; drivers.c has the table. */
struct spec {
    const char *name;
    unsigned caps;
    /* Makes the ground ready.  0; -1 with e filled; 1: not here, and e says
     * what is missing. */
    int (*begin)(struct err *e);
    /* Opens a bucket that may not be there.  `like` has the wishes of the test
     * (payload, rates); NULL: none. */
    struct obj_store *(*open)(const char *bucket, const struct obj_config *like,
                              struct err *e);
    /* Lets so many seconds pass, as the driver's server sees it. */
    void (*pass)(int64_t seconds);
    /* The bucket's name for objects.py; NULL without CAP_FOREIGN. */
    void (*url)(const char *bucket, char *out, size_t cap);
    unsigned rounds; /* of the work of 32 threads; a fast driver does more */
    /* Removes what is left.  -1: something is there that must not be. */
    int (*end)(struct err *e);
};

extern const struct spec *const specs[];
extern const size_t specs_n;

struct test {
    const char *name;
    CMUnitTestFunction run;
    unsigned needs, lacks; /* enum cap, together */
    bool slow;             /* left out with CONFORMANCE_SHORT */
};

/* A test that needs capabilities (0: none), and one that says what a driver
 * does that lacks one. */
#define TEST(f, caps)                                                          \
    {                                                                          \
        .name = #f, .run = (f), .needs = (caps)                                \
    }
#define TEST_SLOW(f, caps)                                                     \
    {                                                                          \
        .name = #f, .run = (f), .needs = (caps), .slow = true                  \
    }
#define TEST_WITHOUT(f, caps)                                                  \
    {                                                                          \
        .name = #f, .run = (f), .lacks = (caps)                                \
    }

struct theme {
    const char *name;
    const struct test *tests;
    size_t n;
};

#define THEME(id, title)                                                       \
    const struct theme id = { title, tests, sizeof tests / sizeof *tests }

extern const struct theme theme_objects, theme_ranges, theme_listings,
    theme_conditions, theme_deletes, theme_buckets, theme_versions, theme_locks,
    theme_lock_changes, theme_integrity, theme_cancel, theme_threads,
    theme_foreign;

/* A bucket, below the prefix of the running test. */
struct place {
    struct obj_store *store;
    char bucket[64];
    char prefix[OBJ_KEY_MAX];
};

extern const struct spec *spec;
extern struct place plain, versioned;

/* Another store on a bucket; fails the test where it cannot be had. */
struct place place_open(const char *bucket, const struct obj_config *like);
void place_close(struct place *p);

/* The whole key of a name below the place's prefix. */
void whole_key(const struct place *p, const char *name,
               char out[OBJ_KEY_MAX + 1]);

/* One attempt each.  version, range, opts, info may be NULL. */
struct obj_attempt put_as(const struct place *p, const char *name,
                          struct span body, const struct obj_put_opts *opts,
                          struct obj_info *info);
struct obj_attempt get(const struct place *p, const char *name,
                       const char *version, const struct obj_range *range,
                       struct buf *out, struct obj_info *info);
struct obj_attempt head(const struct place *p, const char *name,
                        const char *version, struct obj_info *info);
struct obj_attempt removed(const struct place *p, const char *name,
                           const char *version, bool bypass);
struct obj_attempt removed_many(const struct place *p, struct obj_name *names,
                                size_t n, bool bypass);
struct obj_attempt set_lock(const struct place *p, const char *name,
                            const char *version, struct obj_lock lock,
                            bool bypass);
struct obj_attempt get_lock(const struct place *p, const char *name,
                            const char *version, struct obj_lock *lock);
struct obj_attempt bucket_info(const struct place *p, struct obj_bucket *b);

/* Fails with all that the attempt says where its outcome is another. */
#define assert_outcome(attempt, expected)                                      \
    check_outcome((attempt), (expected), __FILE__, __LINE__)
void check_outcome(struct obj_attempt a, enum obj_outcome expected,
                   const char *file, int line);

/* Short forms that fail the test where it is not so. */
struct obj_info must_put(const struct place *p, const char *name,
                         const char *text);
#define assert_holds(p, name, version, text)                                   \
    check_holds((p), (name), (version), (text), __FILE__, __LINE__)
void check_holds(const struct place *p, const char *name, const char *version,
                 const char *text, const char *file, int line);

/* The time as the place's server has it. */
int64_t server_now(const struct place *p);

/* The prefix's bucket, listed; names without the prefix. */
struct listing {
    struct row {
        char *name;
        struct obj_info info;
    } * rows;
    size_t n, cap;
    unsigned pages;
};
void listing_free(struct listing *l);
#define AUTO_LISTING AUTO(listing_free)

/* All pages; they must ascend and be no longer than asked for. */
void list(const struct place *p, const char *prefix,
          const struct obj_list_opts *opts, struct listing *out);

/* A body of so many bytes that differ, made from a seed; malloc'd. */
uint8_t *make_body(size_t len, unsigned seed);

/* Runs fn(ctx, i) for i in 0..items-1 on n threads; fails the test with the
 * first error. */
typedef int (*item_fn)(void *ctx, uint64_t item, struct err *e);
void in_threads(unsigned n, uint64_t items, item_fn fn, void *ctx);

#endif
