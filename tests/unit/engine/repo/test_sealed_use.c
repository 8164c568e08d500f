// SPDX-License-Identifier: Apache-2.0
/* What a sealed keyset takes beside `plain`: time, which a run tells, and the
 * memory of readers. */
#include "tests/unit/engine/keyed_scene.h"

#include "engine/repo/blockio.h"
#include "manifest/block.h"

static void a_run_tells_how_long_it_sealed(void **state)
{
    struct scene *s = *state;

    struct eng_backup_result plain = vm_run(s->r, s->vm, NULL);
    assert_true(plain.busy[ENG_STAGE_COMPRESS] > 0);
    assert_true(plain.busy[ENG_STAGE_SEAL] == 0);
    s->r = keyed_again(s->f, s->r);
    struct eng_backup_result sealed = vm_run(s->r, s->vm, &s->k.run);
    assert_int_equal(sealed.new_blocks, plain.new_blocks);
    assert_true(sealed.busy[ENG_STAGE_COMPRESS] > 0);
    assert_true(sealed.busy[ENG_STAGE_SEAL] > 0);
}

static void
readers_of_a_sealed_keyset_have_memory_for_a_third_block(void **state)
{
    struct scene *s = *state;
    const uint64_t memory = 500u << 20;
    const uint32_t block = MF_BLOCK_DEFAULT;
    unsigned plain = eng_blockio_readers(s->r, memory, block);

    assert_int_equal(plain, eng_blockio_count(memory, block, 0));
    (void)vm_run(s->r, s->vm, &s->k.run);
    unsigned sealed = eng_blockio_readers(s->r, memory, block);
    assert_true(sealed < plain);
    assert_true((uint64_t)(sealed + 1) * 3 * block > memory / 2);
    assert_true((uint64_t)sealed * 3 * block < memory);
    assert_int_equal(eng_blockio_readers(s->r, 1, block), 1);
}

static unsigned asked;

static int counted_get(void *client, const struct cancel *cancel,
                       const char *uid, bool wrapping, bool restoring,
                       struct secret **kek, struct err *e)
{
    asked++;
    return keyed_get(client, cancel, uid, wrapping, restoring, kek, e);
}

/* With a password each of these is half a second. */
static void a_new_keyset_is_opened_once_to_prove_it_and_not_again(void **state)
{
    struct scene *s = *state;

    s->k.kms.key_get = counted_get;
    asked = 0;
    assert_true(vm_run(s->r, s->vm, &s->k.run).keyset_made);
    assert_int_equal(asked, 3); /* its check value, the wrap, the proof */
    s->r = keyed_again(s->f, s->r);
    asked = 0;
    assert_false(vm_run(s->r, s->vm, &s->k.run).keyset_made);
    assert_int_equal(asked, 1);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, keyed_setup, keyed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_run_tells_how_long_it_sealed),
        T(a_new_keyset_is_opened_once_to_prove_it_and_not_again),
        T(readers_of_a_sealed_keyset_have_memory_for_a_third_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
