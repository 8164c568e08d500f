// SPDX-License-Identifier: Apache-2.0
/* Fingerprints of units: that they find every change, and every way in which
 * the file can be wrong: then nothing is known, and no change is hidden. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "engine/backup/fingerprint.h"
#include "tests/unit/must.h"

#define BLOCK (256u << 10)
#define UNIT (BLOCK / 64)
#define BLOCKS 3
#define LAST (10 * UNIT + 100) /* bytes of the last block */
#define SIZE (2ull * BLOCK + LAST)
#define RECORD (65 * 16)
#define FILE_MAX (1u << 20)

struct place {
    char dir[64];
    struct eng_fingerprints_of of;
    uint8_t *disk; /* SIZE bytes */
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    snprintf(p->dir, sizeof(p->dir), "/tmp/objvault-unit-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->of = (struct eng_fingerprints_of){ .dir = p->dir,
                                          .repo_id = "repo",
                                          .keyset = "plain",
                                          .vm_key = "vm",
                                          .disk = "disk.raw",
                                          .block_size = BLOCK };
    p->disk = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        p->disk[i] = (uint8_t)(i * 2654435761u >> 13);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
    int r = system(command); /* NOLINT(cert-env33-c): a path of our own */
    free(p->disk);
    free(p);
    return r;
}

static uint32_t len_of(uint64_t i)
{
    return i < BLOCKS - 1 ? BLOCK : LAST;
}

struct seen {
    bool known[BLOCKS];
    uint64_t changed[BLOCKS];
};

/* One run over the disk: compared with the point `parent`, kept for `point`
 * (NULL: not committed). */
static struct seen run_as(const struct place *p,
                          const struct eng_fingerprints_of *of,
                          const char *parent, const char *point)
{
    struct err e = { 0 };
    struct seen s = { 0 };
    struct eng_fingerprints *fp =
        eng_fingerprints_open(of, parent, SIZE, SIZE, &e);
    assert_non_null(fp);
    struct eng_fingerprinter *f = eng_fingerprinter_new(fp, &e);
    assert_non_null(f);
    for (uint64_t i = 0; i < BLOCKS; i++)
        s.known[i] = eng_fingerprints_take(
            f, i, span_of(p->disk + i * BLOCK, len_of(i)), &s.changed[i]);
    eng_fingerprinter_free(f);
    if (point != NULL)
        eng_fingerprints_commit(fp, point);
    eng_fingerprints_close(fp);
    return s;
}

static struct seen run(const struct place *p, const char *parent,
                       const char *point)
{
    return run_as(p, &p->of, parent, point);
}

static void assert_known(const struct seen *s, bool known)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        assert_int_equal(s->known[i], known);
}

/* The one file of the folder. */
static char *file_path(const struct place *p)
{
    char command[160];
    char *path = calloc(1, 256);

    snprintf(command, sizeof(command), "ls -d %s/* | grep -v new", p->dir);
    FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c) */
    assert_non_null(f);
    assert_non_null(fgets(path, 256, f));
    pclose(f);
    path[strcspn(path, "\n")] = '\0';
    return path;
}

static struct buf load(const char *path)
{
    struct buf b = buf_init(FILE_MAX);

    must(io_read_file(path, &b, why));
    return b;
}

static void store(const char *path, struct span bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    if (bytes.len > 0)
        must(io_write_full(fd, bytes.p, bytes.len, path, why));
    close(fd);
}

static void an_unchanged_disk_has_no_changed_unit(void **state)
{
    struct place *p = *state;

    struct seen first = run(p, NULL, "p1");
    assert_known(&first, false);
    struct seen second = run(p, "p1", "p2");
    assert_known(&second, true);
    for (unsigned i = 0; i < BLOCKS; i++)
        assert_int_equal(second.changed[i], 0);
    struct seen third = run(p, "p2", NULL);
    assert_known(&third, true);
}

static void a_changed_byte_is_one_changed_unit(void **state)
{
    struct place *p = *state;
    static const size_t at[] = { 0,         UNIT - 1,          UNIT,
                                 BLOCK - 1, BLOCK + 17 * UNIT, SIZE - 1 };

    run(p, NULL, "p1");
    for (size_t n = 0; n < sizeof(at) / sizeof(at[0]); n++) {
        p->disk[at[n]] ^= 0x10;
        struct seen s = run(p, "p1", NULL);
        p->disk[at[n]] ^= 0x10;
        assert_known(&s, true);
        for (unsigned i = 0; i < BLOCKS; i++) {
            uint64_t want =
                at[n] / BLOCK == i ? UINT64_C(1) << (at[n] % BLOCK / UNIT) : 0;
            assert_int_equal(s.changed[i], want);
        }
    }
}

static void units_that_become_zeros_or_cease_to_be_are_changed(void **state)
{
    struct place *p = *state;

    memset(p->disk + (size_t)5 * UNIT, 0, UNIT);
    run(p, NULL, "p1");
    struct seen same = run(p, "p1", NULL);
    assert_int_equal(same.changed[0], 0);
    p->disk[5 * UNIT + 9] = 1;
    memset(p->disk + (size_t)7 * UNIT, 0, UNIT);
    struct seen s = run(p, "p1", NULL);
    assert_int_equal(s.changed[0], (1u << 5) | (1u << 7));
}

static void the_file_is_private(void **state)
{
    struct place *p = *state;
    struct stat st;

    run(p, NULL, "p1");
    char *path = file_path(p);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    free(path);
}

/* With one unit of each block changed: nothing may say that it is as before. */
static void assert_hides_nothing(const struct seen *s)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        assert_true(!s->known[i] || (s->changed[i] & (1u << 3)) != 0);
}

static void change_each_block(struct place *p)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        p->disk[i * BLOCK + 3 * UNIT + 5]++;
}

static void an_older_copy_is_not_used(void **state)
{
    struct place *p = *state;

    run(p, NULL, "p1");
    char *path = file_path(p);
    struct buf old = load(path);
    change_each_block(p);
    run(p, "p1", "p2");
    store(path, buf_span(&old));
    struct seen s = run(p, "p2", NULL);
    assert_known(&s, false);
    buf_free(&old);
    free(path);
}

static void what_belongs_to_something_else_is_not_used(void **state)
{
    struct place *p = *state;
    struct eng_fingerprints_of other[] = { p->of, p->of, p->of, p->of, p->of };

    other[0].repo_id = "another";
    other[1].keyset = "k-0123456789abcdef";
    other[2].vm_key = "another";
    other[3].disk = "another.raw";
    other[4].block_size = 2 * BLOCK;
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        run_as(p, &other[i], NULL, "p1");
        char *theirs = file_path(p);
        struct buf bytes = load(theirs);
        unlink(theirs);
        run(p, NULL, "p1");
        char *ours = file_path(p);
        store(ours, buf_span(&bytes));
        struct seen s = run(p, "p1", NULL);
        assert_known(&s, false);
        unlink(ours);
        buf_free(&bytes);
        free(theirs);
        free(ours);
    }
}

static void another_point_or_size_is_not_used(void **state)
{
    struct place *p = *state;
    struct err e = { 0 };
    uint64_t changed = 0;

    run(p, NULL, "p1");
    struct seen s = run(p, "p0", NULL);
    assert_known(&s, false);

    struct eng_fingerprints *fp =
        eng_fingerprints_open(&p->of, "p1", SIZE + 512, SIZE, &e);
    struct eng_fingerprinter *f = eng_fingerprinter_new(fp, &e);
    assert_false(
        eng_fingerprints_take(f, 0, span_of(p->disk, BLOCK), &changed));
    eng_fingerprinter_free(f);
    eng_fingerprints_close(fp);
}

static void a_file_cut_anywhere_hides_nothing(void **state)
{
    struct place *p = *state;

    run(p, NULL, "p1");
    char *path = file_path(p);
    struct buf whole = load(path);
    assert_int_equal(whole.len, (BLOCKS + 1) * RECORD);
    change_each_block(p);
    for (size_t len = 0; len < whole.len; len += 13) {
        store(path, span_of(whole.p, len));
        struct seen s = run(p, "p1", NULL);
        assert_hides_nothing(&s);
        for (unsigned i = 0; i < BLOCKS; i++)
            assert_int_equal(s.known[i], len >= (i + 2) * RECORD);
    }
    buf_free(&whole);
    free(path);
}

static void one_flipped_bit_anywhere_hides_nothing(void **state)
{
    struct place *p = *state;

    run(p, NULL, "p1");
    char *path = file_path(p);
    struct buf whole = load(path);
    change_each_block(p);
    for (size_t at = 0; at < whole.len; at += 3) {
        whole.p[at] ^= (uint8_t)(1u << (at % 8));
        store(path, buf_span(&whole));
        whole.p[at] ^= (uint8_t)(1u << (at % 8));
        struct seen s = run(p, "p1", NULL);
        assert_hides_nothing(&s);
        if (at >= RECORD) /* the record that it is in does not count */
            assert_false(s.known[at / RECORD - 1]);
        else if (at < 104)
            assert_known(&s, false);
    }
    buf_free(&whole);
    free(path);
}

static void a_record_of_another_block_or_generation_is_not_used(void **state)
{
    struct place *p = *state;

    run(p, NULL, "p1");
    char *path = file_path(p);
    struct buf first = load(path);
    change_each_block(p);
    run(p, "p1", "p2");
    struct buf second = load(path);

    struct buf mixed = load(path);
    memcpy(mixed.p + RECORD, first.p + RECORD, RECORD);
    memcpy(mixed.p + (size_t)2 * RECORD, second.p + RECORD, RECORD);
    store(path, buf_span(&mixed));
    struct seen s = run(p, "p2", NULL);
    assert_false(s.known[0]);
    assert_false(s.known[1]);
    assert_true(s.known[2]);
    buf_free(&first);
    buf_free(&second);
    buf_free(&mixed);
    free(path);
}

static void a_run_without_a_commit_leaves_the_old_ones(void **state)
{
    struct place *p = *state;

    run(p, NULL, "p1");
    change_each_block(p);
    run(p, "p1", NULL);
    struct seen s = run(p, "p1", NULL);
    assert_known(&s, true);
    assert_hides_nothing(&s);
}

/* The manifest of p2 stands, its fingerprints do not. */
static void a_run_killed_before_the_rename_hides_nothing(void **state)
{
    struct place *p = *state;
    int status = 0;

    run(p, NULL, "p1");
    change_each_block(p);
    pid_t child = fork();
    if (child == 0) {
        struct err e = { 0 };
        struct eng_fingerprints *fp =
            eng_fingerprints_open(&p->of, "p1", SIZE, SIZE, &e);
        struct eng_fingerprinter *f = eng_fingerprinter_new(fp, &e);
        uint64_t changed = 0;
        for (uint64_t i = 0; i < BLOCKS; i++)
            eng_fingerprints_take(f, i, span_of(p->disk + i * BLOCK, len_of(i)),
                                  &changed);
        raise(SIGKILL);
    }
    assert_true(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    struct seen after = run(p, "p2", "p3"); /* and the next run keeps its own */
    assert_known(&after, false);
    struct seen s = run(p, "p3", NULL);
    assert_known(&s, true);
}

static void a_second_run_at_once_compares_but_keeps_none(void **state)
{
    struct place *p = *state;
    struct err e = { 0 };

    run(p, NULL, "p1");
    struct eng_fingerprints *first =
        eng_fingerprints_open(&p->of, "p1", SIZE, SIZE, &e);
    struct seen second = run(p, "p1", "p2");
    assert_known(&second, true);
    struct seen other = run(p, "p2", NULL);
    assert_known(&other, false);
    eng_fingerprints_commit(first, "p3");
    eng_fingerprints_close(first);
}

static void comparing_alone_leaves_the_file_to_others(void **state)
{
    struct place *p = *state;
    struct eng_fingerprints_of of = p->of;
    struct err e = { 0 };

    run(p, NULL, "p1");
    of.compare_only = true;
    struct eng_fingerprints *dry =
        eng_fingerprints_open(&of, "p1", SIZE, SIZE, &e);
    struct seen same = run_as(p, &of, "p1", "p9");
    assert_known(&same, true);
    run(p, "p1", "p2");
    eng_fingerprints_close(dry);
    struct seen s = run(p, "p2", NULL);
    assert_known(&s, true);
}

static void a_folder_that_cannot_be_made_costs_only_the_cache(void **state)
{
    struct place *p = *state;
    struct eng_fingerprints_of of = p->of;
    char file[96];

    snprintf(file, sizeof(file), "%s/file", p->dir);
    store(file, span_str("no folder"));
    of.dir = file;
    struct seen s = run_as(p, &of, "p1", "p2");
    assert_known(&s, false);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_unchanged_disk_has_no_changed_unit),
        T(a_changed_byte_is_one_changed_unit),
        T(units_that_become_zeros_or_cease_to_be_are_changed),
        T(the_file_is_private),
        T(an_older_copy_is_not_used),
        T(what_belongs_to_something_else_is_not_used),
        T(another_point_or_size_is_not_used),
        T(a_file_cut_anywhere_hides_nothing),
        T(one_flipped_bit_anywhere_hides_nothing),
        T(a_record_of_another_block_or_generation_is_not_used),
        T(a_run_without_a_commit_leaves_the_old_ones),
        T(a_run_killed_before_the_rename_hides_nothing),
        T(a_second_run_at_once_compares_but_keeps_none),
        T(comparing_alone_leaves_the_file_to_others),
        T(a_folder_that_cannot_be_made_costs_only_the_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
