// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_BACKUP_VM_H
#define TESTS_UNIT_ENGINE_BACKUP_VM_H

/* A small VM in a folder, and running backups and restores of it. */
#include "tests/unit/engine/fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "engine/backup/backup.h"
#include "engine/repo/points.h"
#include "engine/restore/restore.h"
#include "engine/source/machine.h"

#define VM_BLOCKS 10

/* A VM folder of one raw disk of VM_BLOCKS blocks of noise and a file. */
static inline char *vm_make(struct fixture *f, const char *name)
{
    char *dir = fixture_path(f, name);
    uint8_t *block = malloc(FIXTURE_BLOCK);
    struct err e = { 0 };
    char *disk = io_join(dir, "disk.raw", &e);
    char *conf = io_join(dir, "vm.conf", &e);

    must(io_mkdirs(dir, 0700, why));
    must(io_write_file(conf, span_str("memory=1G\n"), 0640, false, why));
    FILE *out = fopen(disk, "w");
    assert_non_null(out);
    for (unsigned i = 0; i < VM_BLOCKS; i++) {
        fixture_noise(block, FIXTURE_BLOCK, 1000 + i);
        assert_int_equal(fwrite(block, FIXTURE_BLOCK, 1, out), 1);
    }
    fclose(out);
    free(disk);
    free(conf);
    free(block);
    return dir;
}

static inline int vm_disk_open(const char *dir)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/disk.raw", dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static inline void vm_poke(const char *dir, uint64_t offset, const char *text)
{
    int fd = vm_disk_open(dir);

    must(io_pwrite_full(fd, text, strlen(text), offset, "disk", why));
    close(fd);
}

static inline struct eng_backup_result
vm_run(struct eng_repo *r, const char *dir, const struct eng_backup_opts *o)
{
    struct err e = { 0 };
    struct eng_backup_opts none = { 0 };
    struct eng_backup_result res;
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(dir, &e);

    if (m == NULL)
        fail_msg("%s", e.msg);
    must(eng_backup_machine(r, m, o != NULL ? o : &none, &res, why));
    return res;
}

static inline uint64_t vm_puts_so_far(struct eng_repo *r)
{
    struct obj_counters c;

    obj_store_counters(eng_repo_store(r), &c);
    return c.requests[OBJ_PUT];
}

static inline void vm_check_restore(struct eng_repo *r, struct fixture *f,
                                    const char *dir)
{
    struct eng_point p;
    struct eng_restore_opts o = { .force = true };
    struct eng_restore_result res;
    char *out = fixture_path(f, "out.raw");
    char command[512];

    must(eng_point_find(r, NULL, "vm@latest", &p, why));
    must(eng_restore_disk(r, &p, "disk.raw", out, &o, &res, why));
    snprintf(command, sizeof(command), "cmp '%s/disk.raw' '%s'", dir, out);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    eng_point_free(&p);
    free(out);
}

/* Runs a shell command in a folder; it must succeed. */
static inline void vm_shell_in(const char *dir, const char *what)
{
    char command[400];

    snprintf(command, sizeof(command), "cd '%s' && %s", dir, what);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* The same in the store's folder. */
static inline void vm_shell(struct fixture *f, const char *what)
{
    vm_shell_in(f->store, what);
}

#endif
