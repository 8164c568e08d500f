// SPDX-License-Identifier: Apache-2.0
/*
 * The calls that all conformance tests are written with.
 */
#include "suite.h"

const struct spec *spec;
struct place plain, versioned;

struct place place_open(const char *bucket, const struct obj_config *like)
{
    struct place p = { 0 };
    struct err e = { 0 };

    snprintf(p.bucket, sizeof p.bucket, "%s", bucket);
    p.store = spec->open(bucket, like, &e);
    if (p.store == NULL)
        fail_msg("%s", e.msg);
    memcpy(p.prefix, plain.prefix, sizeof p.prefix);
    return p;
}

void place_close(struct place *p)
{
    obj_store_close(p->store);
    *p = (struct place){ 0 };
}

void whole_key(const struct place *p, const char *name,
               char out[OBJ_KEY_MAX + 1])
{
    int n = snprintf(out, OBJ_KEY_MAX + 1, "%s%s", p->prefix, name);

    if (n < 0 || n > OBJ_KEY_MAX)
        fail_msg("the key of %s is too long for a test", name);
}

struct obj_attempt put_as(const struct place *p, const char *name,
                          struct span body, const struct obj_put_opts *opts,
                          struct obj_info *info)
{
    static const struct obj_put_opts none;
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    struct obj_info unused = { 0 };
    struct obj_attempt a = { 0 };

    whole_key(p, name, key);
    p->store->driver->put(p->store->self, &r, body, opts != NULL ? opts : &none,
                          info != NULL ? info : &unused, &a);
    return a;
}

struct obj_attempt get(const struct place *p, const char *name,
                       const char *version, const struct obj_range *range,
                       struct buf *out, struct obj_info *info)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key, .version = version };
    struct obj_info unused = { 0 };
    struct obj_attempt a = { 0 };

    whole_key(p, name, key);
    p->store->driver->get(p->store->self, &r, range, out,
                          info != NULL ? info : &unused, &a);
    return a;
}

struct obj_attempt head(const struct place *p, const char *name,
                        const char *version, struct obj_info *info)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key, .version = version };
    struct obj_info unused = { 0 };
    struct obj_attempt a = { 0 };

    whole_key(p, name, key);
    p->store->driver->head(p->store->self, &r, info != NULL ? info : &unused,
                           &a);
    return a;
}

struct obj_attempt removed(const struct place *p, const char *name,
                           const char *version, bool bypass)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key, .version = version };
    struct obj_attempt a = { 0 };

    whole_key(p, name, key);
    p->store->driver->remove(p->store->self, &r, bypass, &a);
    return a;
}

struct obj_attempt removed_many(const struct place *p, struct obj_name *names,
                                size_t n, bool bypass)
{
    struct obj_req r = { .key = "" };
    struct obj_attempt a = { .outcome = OBJ_UNABLE };
    AUTO_MEM char *keys = malloc(n * (OBJ_KEY_MAX + 1));
    AUTO_MEM struct obj_name *whole = calloc(n, sizeof *whole);

    assert_true(keys != NULL && whole != NULL);
    for (size_t i = 0; i < n; i++) {
        char *key = keys + i * (OBJ_KEY_MAX + 1);
        whole_key(p, names[i].key, key);
        whole[i] = names[i];
        whole[i].key = key;
    }
    if (p->store->driver->remove_many != NULL)
        p->store->driver->remove_many(p->store->self, &r, whole, n, bypass, &a);
    for (size_t i = 0; i < n; i++)
        names[i].result = whole[i].result;
    return a;
}

struct obj_attempt set_lock(const struct place *p, const char *name,
                            const char *version, struct obj_lock lock,
                            bool bypass)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key, .version = version };
    struct obj_attempt a = { .outcome = OBJ_UNABLE };

    whole_key(p, name, key);
    if (p->store->driver->set_lock != NULL)
        p->store->driver->set_lock(p->store->self, &r, &lock, bypass, &a);
    return a;
}

struct obj_attempt get_lock(const struct place *p, const char *name,
                            const char *version, struct obj_lock *lock)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key, .version = version };
    struct obj_attempt a = { .outcome = OBJ_UNABLE };

    whole_key(p, name, key);
    if (p->store->driver->get_lock != NULL)
        p->store->driver->get_lock(p->store->self, &r, lock, &a);
    return a;
}

struct obj_attempt bucket_info(const struct place *p, struct obj_bucket *b)
{
    struct obj_req r = { .key = "" };
    struct obj_attempt a = { 0 };

    p->store->driver->bucket_info(p->store->self, &r, b, &a);
    return a;
}

void check_outcome(struct obj_attempt a, enum obj_outcome expected,
                   const char *file, int line)
{
    if (a.outcome == expected)
        return;
    print_error("outcome %d instead of %d: %d %s %s %s\n", (int)a.outcome,
                (int)expected, a.http, a.code, a.message,
                a.outcome == OBJ_LOCAL ? a.err.msg : "");
    _fail(file, line);
}

struct obj_info must_put(const struct place *p, const char *name,
                         const char *text)
{
    struct obj_info info = { 0 };

    assert_outcome(put_as(p, name, span_str(text), NULL, &info), OBJ_OK);
    return info;
}

void check_holds(const struct place *p, const char *name, const char *version,
                 const char *text, const char *file, int line)
{
    AUTO_BUF struct buf out = buf_init(1 << 20);
    struct obj_info info = { 0 };

    check_outcome(get(p, name, version, NULL, &out, &info), OBJ_OK, file, line);
    if (strcmp(buf_cstr(&out), text) != 0 || info.size != strlen(text)) {
        print_error("%s holds \"%s\" (%llu bytes), not \"%s\"\n", name,
                    buf_cstr(&out), (unsigned long long)info.size, text);
        _fail(file, line);
    }
}

int64_t server_now(const struct place *p)
{
    struct obj_bucket b = { 0 };

    if ((spec->caps & CAP_CLOCK) == 0)
        return utc_real_now();
    assert_outcome(bucket_info(p, &b), OBJ_OK);
    assert_true(b.server_time > 0);
    return b.server_time;
}

void listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->rows[i].name);
    free(l->rows);
    *l = (struct listing){ 0 };
}

static void listing_add(struct listing *l, const char *name,
                        const struct obj_info *info)
{
    if (l->n == l->cap) {
        l->cap = l->cap > 0 ? 2 * l->cap : 64;
        struct row *more = reallocarray(l->rows, l->cap, sizeof *l->rows);
        assert_non_null(more);
        l->rows = more;
    }
    l->rows[l->n].name = strdup(name);
    assert_non_null(l->rows[l->n].name);
    l->rows[l->n++].info = *info;
}

static void take_page(const struct place *p, const char *prefix,
                      const struct obj_list_opts *o,
                      const struct obj_page *page, struct listing *out)
{
    size_t max = o->page > 0 && o->page < 1000 ? o->page : 1000;

    assert_true(page->n <= max);
    for (size_t i = 0; i < page->n; i++) {
        const char *key = page->entries[i].key;
        assert_memory_equal(key, prefix, strlen(prefix));
        assert_true(page->entries[i].info.modified > 0);
        const char *name = key + strlen(p->prefix);
        if (out->n > 0) {
            int order = strcmp(out->rows[out->n - 1].name, name);
            assert_true(o->versions ? order <= 0 : order < 0);
        }
        listing_add(out, name, &page->entries[i].info);
    }
}

void list(const struct place *p, const char *prefix,
          const struct obj_list_opts *opts, struct listing *out)
{
    char key[OBJ_KEY_MAX + 1];
    char after[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    struct obj_list_opts o = { 0 };
    struct obj_page page = { 0 };

    listing_free(out);
    if (opts != NULL)
        o = *opts;
    whole_key(p, prefix, key);
    if (o.after != NULL) {
        whole_key(p, o.after, after);
        o.after = after;
    }
    do {
        struct obj_attempt a = { 0 };
        p->store->driver->list(p->store->self, &r, &o, &page, &a);
        assert_outcome(a, OBJ_OK);
        take_page(p, key, &o, &page, out);
        assert_true(++out->pages < 100000);
        /* As the front end hands it over: only the continuation is left. */
        for (size_t i = 0; i < page.n; i++)
            free(page.entries[i].key);
        page.n = 0;
    } while (page.next != NULL);
    obj_page_clear(&page);
}

uint8_t *make_body(size_t len, unsigned seed)
{
    enum { CHUNK = 1 << 16 };
    uint8_t *body = malloc(len + 1);
    uint8_t chunk[CHUNK];
    uint32_t x = seed * 2654435761u + 1;

    assert_non_null(body);
    for (size_t i = 0; i < CHUNK && i < len; i++) {
        x = x * 1664525u + 1013904223u;
        chunk[i] = (uint8_t)(x >> 24);
    }
    /* Each chunk with its own number in front. */
    for (size_t at = 0; at < len; at += CHUNK) {
        size_t n = len - at < CHUNK ? len - at : CHUNK;
        memcpy(body + at, chunk, n);
        if (n >= sizeof at)
            memcpy(body + at, &at, sizeof at);
    }
    return body;
}

struct many {
    item_fn fn;
    void *ctx;
};

static int one_worker(void *ctx, struct workers *w, unsigned index,
                      struct err *e)
{
    const struct many *m = ctx;
    uint64_t item = 0;

    (void)index;
    while (workers_claim(w, &item)) {
        if (m->fn(m->ctx, item, e) < 0)
            return -1;
    }
    return 0;
}

void in_threads(unsigned n, uint64_t items, item_fn fn, void *ctx)
{
    struct many m = { fn, ctx };
    struct err e = { 0 };

    if (workers_run(n, items, NULL, one_worker, &m, &e) < 0)
        fail_msg("%s", e.msg);
}
