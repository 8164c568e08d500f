// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_KEYED_H
#define TESTS_UNIT_ENGINE_KEYED_H

/* A test's ways to keysets, and runs that are encrypted. */
#include "tests/unit/engine/backup/vm.h"

#include "base/digest.h"
#include "engine/repo/keyset_open.h"

struct keyed {
    struct secret *secret; /* a password, or what stands for a server's key */
    struct eng_password password;
    struct eng_kms kms;
    struct eng_key_way way;
    struct eng_encrypt_opts how;
    struct eng_backup_opts run;
};

static inline int keyed_get(void *client, const struct cancel *cancel,
                            const char *uid, bool wrapping, bool restoring,
                            struct secret **kek, struct err *e)
{
    uint8_t key[DIGEST_SHA256_BYTES];

    (void)cancel;
    (void)uid;
    (void)wrapping;
    (void)restoring;
    if (digest_sha256(secret_span(client), key, e) < 0)
        return -1;
    *kek = secret_new(span_of(key, sizeof key), e);
    return *kek != NULL ? 0 : -1;
}

static inline void keyed_ways(struct keyed *k, struct eng_key_way way)
{
    k->way = way;
    k->how = (struct eng_encrypt_opts){ .what = ENG_ENCRYPT_KEY,
                                        .ways = { &k->way, 1 },
                                        .slots = { &k->way, 1 } };
    k->run = (struct eng_backup_opts){ .encrypt = &k->how };
}

/* By a key in a server, which costs no time; text: what the key is made of. */
static inline void keyed_init(struct keyed *k, const char *text)
{
    struct err e = { 0 };

    *k = (struct keyed){ .secret = secret_new(span_str(text), &e) };
    assert_non_null(k->secret);
    k->kms = (struct eng_kms){ .name = "main",
                               .client = k->secret,
                               .key_get = keyed_get,
                               .key = "uid-1",
                               .key_name = "backup" };
    keyed_ways(k, eng_way_kms(&k->kms));
}

/* By a password; each use takes a third of a second, or more. */
static inline void keyed_init_password(struct keyed *k, const char *password)
{
    struct err e = { 0 };

    *k = (struct keyed){ .secret = secret_new(span_str(password), &e) };
    assert_non_null(k->secret);
    k->password =
        (struct eng_password){ .password = k->secret, .hint = "the usual one" };
    keyed_ways(k, eng_way_password(&k->password));
}

static inline void keyed_free(struct keyed *k)
{
    secret_free(k->secret);
}

/* A run of the machine that must fail; how. */
static inline struct err keyed_fails(struct eng_repo *r, const char *dir,
                                     const struct eng_backup_opts *o)
{
    struct err e = { 0 };
    struct eng_backup_result res;
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(dir, &e);

    assert_non_null(m);
    assert_int_equal(eng_backup_machine(r, m, o, &res, &e), -1);
    return e;
}

/* A program that is started anew. */
static inline struct eng_repo *keyed_again(struct fixture *f,
                                           struct eng_repo *r)
{
    eng_repo_close(r);
    return fixture_open(f);
}

#endif
