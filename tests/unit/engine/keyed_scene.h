// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_KEYED_SCENE_H
#define TESTS_UNIT_ENGINE_KEYED_SCENE_H

/* What most tests of keysets begin with: a repository in a folder, a machine,
 * and a key that opens a keyset without costing time. */
#include "tests/unit/engine/keyed.h"

struct scene {
    struct fixture *f;
    struct eng_repo *r;
    struct keyed k;
    char *vm;
};

static inline int keyed_setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    void *f = NULL;

    assert_non_null(s);
    fixture_setup(&f);
    s->f = f;
    s->r = fixture_open(s->f);
    s->vm = vm_make(s->f, "vm");
    keyed_init(&s->k, "correct horse");
    *state = s;
    return 0;
}

static inline int keyed_teardown(void **state)
{
    struct scene *s = *state;
    void *f = s->f;

    eng_repo_close(s->r);
    keyed_free(&s->k);
    free(s->vm);
    free(s);
    return fixture_teardown(&f);
}

static inline void keyed_load(struct scene *s)
{
    must(eng_keysets_load(s->r, NULL, why));
}

/* The one keyset that there is, by a list that is read anew. */
static inline const struct eng_keyset *keyed_only(struct scene *s)
{
    keyed_load(s);
    assert_int_equal(eng_repo_keysets(s->r)->n, 1);
    return eng_repo_keysets(s->r)->k[0];
}

#endif
