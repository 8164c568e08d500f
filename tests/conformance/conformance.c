// SPDX-License-Identifier: Apache-2.0
/*
 * What a storage driver must do, on one driver.
 *
 *     conformance DRIVER [TESTS]
 *
 * TESTS is a pattern of names.  With CONFORMANCE_SHORT in the environment what
 * takes thousands of requests is left out.
 *
 * Exit: 0; the number of tests that failed; 77 where the driver cannot be had
 * here (the last line says why).  Tests for which a driver lacks a capability
 * are counted and named in "left out" lines.
 */
#include "base/digest.h"
#include "suite.h"

static const struct theme *const themes[] = {
    &theme_objects,      &theme_ranges,    &theme_listings, &theme_conditions,
    &theme_deletes,      &theme_buckets,   &theme_versions, &theme_locks,
    &theme_lock_changes, &theme_integrity, &theme_cancel,   &theme_threads,
    &theme_foreign,
};
#define THEMES (sizeof themes / sizeof *themes)
#define TESTS_MAX 200

static const char *const cap_names[CAPS] = {
    "versions",
    "object lock",
    "put if absent",
    "nonces",
    "checked bodies",
    "keys of any characters",
    "writers in other processes",
    "foreign clients",
    "removals of many at once",
    "questions for locks",
    "the server's time",
};

static int name_prefix(void **state)
{
    const struct test *t = *state;

    snprintf(plain.prefix, sizeof plain.prefix, "%s/", t->name);
    memcpy(versioned.prefix, plain.prefix, sizeof plain.prefix);
    return 0;
}

static int make_bucket(struct place *p, const char *run, const char *what,
                       bool object_lock, struct err *e)
{
    struct obj_req r = { .key = "" };

    snprintf(p->bucket, sizeof p->bucket, "objvault-conf-%s-%s", run, what);
    p->store = spec->open(p->bucket, NULL, e);
    if (p->store == NULL)
        return -1;
    return obj_bucket_create(p->store, &r, object_lock, e);
}

static int make_places(struct err *e)
{
    uint8_t random[4];
    char run[2 * sizeof random + 1];
    int r = spec->begin(e);

    if (r != 0)
        return r;
    if (digest_random(random, sizeof random, e) < 0)
        return -1;
    digest_hex(span_of(random, sizeof random), run);
    if (make_bucket(&plain, run, "plain", false, e) < 0)
        return -1;
    if ((spec->caps & CAP_VERSIONS) == 0)
        return 0;
    return make_bucket(&versioned, run, "lock", true, e);
}

static bool is_short;

static size_t choose(struct CMUnitTest *out)
{
    size_t n = 0;

    for (size_t i = 0; i < THEMES; i++) {
        for (size_t k = 0; k < themes[i]->n; k++) {
            const struct test *t = &themes[i]->tests[k];
            if ((t->needs & ~spec->caps) != 0 || (t->lacks & spec->caps) != 0 ||
                (is_short && t->slow))
                continue;
            out[n++] =
                (struct CMUnitTest){ .name = t->name,
                                     .test_func = t->run,
                                     .setup_func = name_prefix,
                                     .initial_state = (void *)(uintptr_t)t };
        }
    }
    return n;
}

/* Why a test is left out: the first capability that it lacks (its number), or
 * CAPS for its length; -1: it is not, or says nothing about this driver. */
static int reason_of(const struct test *t)
{
    unsigned missing = t->needs & ~spec->caps;

    if (missing != 0)
        return __builtin_ctz(missing);
    return is_short && t->slow ? CAPS : -1;
}

/* One line per reason. */
static void say_left_out(void)
{
    for (int reason = 0; reason <= CAPS; reason++) {
        AUTO_BUF struct buf names = buf_init(10000);
        unsigned n = 0;
        for (size_t i = 0; i < THEMES; i++) {
            for (size_t k = 0; k < themes[i]->n; k++) {
                const struct test *t = &themes[i]->tests[k];
                if (reason_of(t) == reason)
                    buf_printf(&names, "%s%s", n++ > 0 ? ", " : "", t->name);
            }
        }
        if (n > 0 && reason < CAPS)
            printf("left out: %u of %s, which %s has not: %s\n", n,
                   cap_names[reason], spec->name, buf_cstr(&names));
        else if (n > 0)
            printf("left out: %u that take long (CONFORMANCE_SHORT): %s\n", n,
                   buf_cstr(&names));
    }
}

static int run(void)
{
    struct CMUnitTest tests[TESTS_MAX];
    struct err e = { 0 };
    int r = make_places(&e);
    int failed = r < 0 ? 1 : 0;

    if (r != 0)
        fprintf(stderr, "conformance: %s: %s\n", spec->name, e.msg);
    if (r > 0)
        return 77;
    if (r == 0) {
        size_t n = choose(tests);
        failed = _cmocka_run_group_tests("conformance", tests, n, NULL, NULL);
        say_left_out();
    }
    place_close(&plain);
    place_close(&versioned);
    if (spec->end(&e) < 0) {
        fprintf(stderr, "conformance: %s: %s\n", spec->name, e.msg);
        failed++;
    }
    return failed;
}

static int usage(void)
{
    fprintf(stderr, "usage: conformance DRIVER [TESTS]; drivers:");
    for (size_t i = 0; i < specs_n; i++)
        fprintf(stderr, " %s", specs[i]->name);
    fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char **argv)
{
    is_short = getenv("CONFORMANCE_SHORT") != NULL;
    if (argc < 2 || argc > 3)
        return usage();
    if (argc == 3)
        cmocka_set_test_filter(argv[2]);
    for (size_t i = 0; i < specs_n; i++) {
        if (strcmp(specs[i]->name, argv[1]) == 0) {
            spec = specs[i];
            return run();
        }
    }
    return usage();
}
