// SPDX-License-Identifier: Apache-2.0
/*
 * The file: a header, then one record per block in the order of the disk, each
 * in a place of its own, so that workers write them without a lock and blocks
 * of zeros leave holes.
 *
 *   header  magic[8] key[32] generation[16] binding[32] checksum[16], padded
 *   record  tag[16] of each of the 64 units, checksum[16]
 *
 * Tags and checksums are GMACs under the key; a unit of zeros has the tag 0.
 * The key goes from one file to its successor, so that old tags can be
 * compared with new ones; the generation is new each time and is part of every
 * checksum, so that a record of another generation does not pass.  Therefore
 * nothing here is synced: what a crash loses or tears does not pass either.
 *
 * New records go to "<file>.new", which this process holds by flock: a second
 * run of the same VM on this host keeps none.  The header is written at the
 * commit, when the point has its name, and then the file is renamed.
 */
#include "engine/backup/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/gmac.h"
#include "base/io.h"
#include "base/log.h"
#include "base/secret.h"
#include "manifest/block.h"
#include "manifest/entry.h"

#define AREA "backup"
#define MAGIC "OVPRINT1"
#define GENERATION_BYTES 16
#define TRIES 10 /* to lock a ".new" that others keep renaming */

/* What a GMAC is for. */
enum { USE_UNIT = 1, USE_RECORD = 2, USE_HEADER = 3 };

struct record {
    uint8_t tags[MF_UNITS][GMAC_TAG_BYTES];
    uint8_t checksum[GMAC_TAG_BYTES];
};

struct header {
    uint8_t magic[8];
    uint8_t key[GMAC_KEY_BYTES];
    uint8_t generation[GENERATION_BYTES];
    uint8_t binding[DIGEST_SHA256_BYTES];
    uint8_t checksum[GMAC_TAG_BYTES];
};

/* What a record's checksum is made over. */
struct sealed {
    uint8_t generation[GENERATION_BYTES];
    uint64_t block;
    uint8_t tags[MF_UNITS][GMAC_TAG_BYTES];
};

struct eng_fingerprints {
    char *path, *fresh_path;
    char *subject; /* repository, keyset, VM, disk */
    struct secret *key;
    uint32_t block_size;
    uint64_t size;
    int old_fd; /* -1: nothing is known */
    uint8_t old_generation[GENERATION_BYTES];
    int fresh_fd; /* -1: nothing is kept */
    uint8_t fresh_generation[GENERATION_BYTES];
    atomic_bool broken; /* a record could not be written */
};

struct eng_fingerprinter {
    struct eng_fingerprints *fp;
    struct gmac *gmac;
    struct record old, fresh;
    struct sealed sealed;
};

static uint64_t record_at(uint64_t block)
{
    return (block + 1) * sizeof(struct record);
}

/* Everything that the tags are true of. */
static int bind_to(const struct eng_fingerprints *fp, uint64_t size,
                   const char *point, uint8_t out[DIGEST_SHA256_BYTES],
                   struct err *e)
{
    AUTO_MEM char *text = io_format(e, "%s\n%u\n%" PRIu64 "\n%s", fp->subject,
                                    fp->block_size, size, point);

    return text != NULL ? digest_sha256(span_str(text), out, e) : -1;
}

/* "<dir>/<32 hex digits of VM and disk>". */
static char *path_of(const struct eng_fingerprints_of *of, struct err *e)
{
    uint8_t digest[DIGEST_SHA256_BYTES];
    char hex[2 * sizeof(digest) + 1];
    AUTO_MEM char *text = io_format(e, "%s\n%s", of->vm_key, of->disk);

    if (text == NULL || digest_sha256(span_str(text), digest, e) < 0)
        return NULL;
    digest_hex(span_of(digest, sizeof(digest)), hex);
    return io_format(e, "%s/%.32s", of->dir, hex);
}

static int header_checksum(const struct header *h, uint8_t out[GMAC_TAG_BYTES],
                           struct err *e)
{
    AUTO_GMAC struct gmac *g = gmac_new(h->key, e);

    if (g == NULL)
        return -1;
    return gmac_tag(g, USE_HEADER,
                    span_of(h, offsetof(struct header, checksum)), out, e);
}

/* 1: the header is that of the point; 0: it is not, *why says how. */
static int check_header(const struct header *h, const uint8_t *binding,
                        const char **why, struct err *e)
{
    uint8_t checksum[GMAC_TAG_BYTES];

    if (memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0) {
        *why = "of another kind";
        return 0;
    }
    if (header_checksum(h, checksum, e) < 0)
        return -1;
    if (memcmp(h->checksum, checksum, sizeof(checksum)) != 0)
        *why = "damaged";
    else if (memcmp(h->binding, binding, sizeof(h->binding)) != 0)
        *why = "not those of the point before";
    else
        return 1;
    return 0;
}

/* Takes over the parent's file; -1: e says why not. */
static int adopt(struct eng_fingerprints *fp, const uint8_t *binding,
                 struct err *e)
{
    struct header h;
    const char *why = "";
    AUTO_FD int fd = open(fp->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", fp->path);
    if (io_pread_full(fd, &h, sizeof(h), 0, fp->path, e) < 0)
        return -1;
    int good = check_header(&h, binding, &why, e);
    if (good == 1) {
        fp->key = secret_new(span_of(h.key, sizeof(h.key)), e);
        memcpy(fp->old_generation, h.generation, sizeof(h.generation));
    }
    secret_wipe(&h, sizeof(h));
    if (good == 0)
        return err_set(e, ERR_CORRUPT, 0, "%s: %s", fp->path, why);
    if (fp->key == NULL)
        return -1;
    fp->old_fd = STEAL_FD(fd);
    return 0;
}

static int open_old(struct eng_fingerprints *fp, const char *parent,
                    uint64_t parent_size, struct err *e)
{
    uint8_t binding[DIGEST_SHA256_BYTES];

    if (bind_to(fp, parent_size, parent, binding, e) < 0)
        return -1;
    return adopt(fp, binding, e);
}

/* Whether path still names the file that fd is. */
static bool is_still(int fd, const char *path)
{
    struct stat a;
    struct stat b;

    return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* The ".new" file, ours alone and empty.  Another run's commit may rename it
 * between our open and our lock: then what we locked is its result. */
static int open_fresh(struct eng_fingerprints *fp, struct err *e)
{
    for (int n = 0; n < TRIES; n++) {
        AUTO_FD int fd =
            open(fp->fresh_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                 (mode_t)0600);
        if (fd < 0)
            return err_set(e, err_of_errno(errno), errno, "%s", fp->fresh_path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            return err_set(e, ERR_BUSY, errno, "%s", fp->fresh_path);
        if (!is_still(fd, fp->fresh_path))
            continue;
        if (ftruncate(fd, 0) < 0)
            return err_set(e, err_of_errno(errno), errno, "%s", fp->fresh_path);
        fp->fresh_fd = STEAL_FD(fd);
        return 0;
    }
    return err_set(e, ERR_BUSY, 0, "%s", fp->fresh_path);
}

static int begin_fresh(struct eng_fingerprints *fp, const char *dir,
                       struct err *e)
{
    uint8_t key[GMAC_KEY_BYTES];

    if (fp->key == NULL) {
        if (digest_random(key, sizeof(key), e) < 0)
            return -1;
        fp->key = secret_new(span_of(key, sizeof(key)), e);
        secret_wipe(key, sizeof(key));
        if (fp->key == NULL)
            return -1;
    }
    if (digest_random(fp->fresh_generation, GENERATION_BYTES, e) < 0 ||
        io_mkdirs(dir, 0700, e) < 0)
        return -1;
    return open_fresh(fp, e);
}

static struct eng_fingerprints *
fingerprints_new(const struct eng_fingerprints_of *of, uint64_t size,
                 struct err *e)
{
    struct eng_fingerprints *fp = calloc(1, sizeof(*fp));

    if (fp == NULL) {
        err_nomem(e);
        return NULL;
    }
    fp->old_fd = fp->fresh_fd = -1;
    fp->block_size = of->block_size;
    fp->size = size;
    atomic_init(&fp->broken, false);
    fp->subject = io_format(e, "%s\n%s\n%s\n%s", of->repo_id, of->keyset,
                            of->vm_key, of->disk);
    fp->path = path_of(of, e);
    if (fp->path != NULL)
        fp->fresh_path = io_format(e, "%s.new", fp->path);
    if (fp->subject != NULL && fp->fresh_path != NULL)
        return fp;
    eng_fingerprints_close(fp);
    return NULL;
}

struct eng_fingerprints *
eng_fingerprints_open(const struct eng_fingerprints_of *of, const char *parent,
                      uint64_t parent_size, uint64_t size, struct err *e)
{
    struct err why = { 0 };
    struct eng_fingerprints *fp = fingerprints_new(of, size, e);

    if (fp == NULL)
        return NULL;
    if (parent != NULL && open_old(fp, parent, parent_size, &why) < 0)
        log_info(AREA, "no fingerprints of %s: %s", of->disk, why.msg);
    if (!of->compare_only && begin_fresh(fp, of->dir, &why) < 0)
        log_info(AREA, "fingerprints of %s are not kept: %s", of->disk,
                 why.msg);
    return fp;
}

static int write_header(struct eng_fingerprints *fp, const char *point,
                        struct err *e)
{
    struct header h = { 0 };

    memcpy(h.magic, MAGIC, sizeof(h.magic));
    memcpy(h.key, secret_span(fp->key).p, sizeof(h.key));
    memcpy(h.generation, fp->fresh_generation, sizeof(h.generation));
    int r = bind_to(fp, fp->size, point, h.binding, e);
    if (r == 0)
        r = header_checksum(&h, h.checksum, e);
    if (r == 0)
        r = io_pwrite_full(fp->fresh_fd, &h, sizeof(h), 0, fp->fresh_path, e);
    secret_wipe(&h, sizeof(h));
    return r;
}

static void give_up(struct eng_fingerprints *fp, const struct err *e)
{
    if (!atomic_exchange(&fp->broken, true))
        log_info(AREA, "fingerprints are not kept: %s", e->msg);
}

void eng_fingerprints_commit(struct eng_fingerprints *fp, const char *point)
{
    struct err e = { 0 };

    if (fp->fresh_fd < 0 || atomic_load(&fp->broken))
        return;
    int r = write_header(fp, point, &e);
    if (r == 0 && rename(fp->fresh_path, fp->path) < 0)
        r = err_set(&e, err_of_errno(errno), errno, "rename %s",
                    fp->fresh_path);
    if (r < 0) {
        give_up(fp, &e);
        return;
    }
    close(fp->fresh_fd);
    fp->fresh_fd = -1;
}

void eng_fingerprints_close(struct eng_fingerprints *fp)
{
    if (fp == NULL)
        return;
    if (fp->old_fd >= 0)
        close(fp->old_fd);
    if (fp->fresh_fd >= 0 && fp->fresh_path != NULL) {
        unlink(fp->fresh_path);
        close(fp->fresh_fd);
    }
    secret_free(fp->key);
    free(fp->path);
    free(fp->fresh_path);
    free(fp->subject);
    free(fp);
}

struct eng_fingerprinter *eng_fingerprinter_new(struct eng_fingerprints *fp,
                                                struct err *e)
{
    AUTO_ENG_FINGERPRINTER struct eng_fingerprinter *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        err_nomem(e);
        return NULL;
    }
    f->fp = fp;
    if (fp->old_fd < 0 && fp->fresh_fd < 0)
        return STEAL(f); /* nothing to compare, nothing to keep */
    f->gmac = gmac_new(secret_span(fp->key).p, e);
    return f->gmac != NULL ? STEAL(f) : NULL;
}

void eng_fingerprinter_free(struct eng_fingerprinter *f)
{
    if (f == NULL)
        return;
    gmac_free(f->gmac);
    free(f);
}

static int checksum_of(struct eng_fingerprinter *f, uint64_t block,
                       const uint8_t *generation, const struct record *r,
                       uint8_t out[GMAC_TAG_BYTES], struct err *e)
{
    memcpy(f->sealed.generation, generation, GENERATION_BYTES);
    f->sealed.block = block;
    memcpy(f->sealed.tags, r->tags, sizeof(r->tags));
    return gmac_tag(f->gmac, USE_RECORD, span_of(&f->sealed, sizeof(f->sealed)),
                    out, e);
}

/* Reads the parent's record of block i into f->old; false: there is none that
 * holds. */
static bool read_old(struct eng_fingerprinter *f, uint64_t i)
{
    struct err e = { 0 };
    uint8_t checksum[GMAC_TAG_BYTES];

    if (f->fp->old_fd < 0 ||
        pread(f->fp->old_fd, &f->old, sizeof(f->old), (off_t)record_at(i)) !=
            (ssize_t)sizeof(f->old) ||
        checksum_of(f, i, f->fp->old_generation, &f->old, checksum, &e) < 0)
        return false;
    return memcmp(checksum, f->old.checksum, sizeof(checksum)) == 0;
}

static int take_tags(struct eng_fingerprinter *f, struct span block,
                     struct err *e)
{
    uint32_t unit = f->fp->block_size / MF_UNITS;
    unsigned n = mf_unit_count(f->fp->block_size, (uint32_t)block.len);

    memset(f->fresh.tags, 0, sizeof(f->fresh.tags));
    for (unsigned u = 0; u < n; u++) {
        struct span s =
            span_of(block.p + (size_t)u * unit,
                    mf_unit_len(f->fp->block_size, (uint32_t)block.len, u));
        if (!io_all_zero(s.p, s.len) &&
            gmac_tag(f->gmac, USE_UNIT, s, f->fresh.tags[u], e) < 0)
            return -1;
    }
    return 0;
}

static int keep(struct eng_fingerprinter *f, uint64_t i, struct err *e)
{
    if (f->fp->fresh_fd < 0)
        return 0;
    if (checksum_of(f, i, f->fp->fresh_generation, &f->fresh, f->fresh.checksum,
                    e) < 0)
        return -1;
    return io_pwrite_full(f->fp->fresh_fd, &f->fresh, sizeof(f->fresh),
                          record_at(i), f->fp->fresh_path, e);
}

bool eng_fingerprints_take(struct eng_fingerprinter *f, uint64_t i,
                           struct span block, uint64_t *changed)
{
    struct err e = { 0 };

    *changed = 0;
    if (f->gmac == NULL)
        return false;
    if (take_tags(f, block, &e) < 0) {
        give_up(f->fp, &e);
        return false;
    }
    if (!atomic_load(&f->fp->broken) && keep(f, i, &e) < 0)
        give_up(f->fp, &e);
    if (!read_old(f, i))
        return false;
    for (unsigned u = 0; u < MF_UNITS; u++)
        if (memcmp(f->old.tags[u], f->fresh.tags[u], GMAC_TAG_BYTES) != 0)
            *changed |= UINT64_C(1) << u;
    return true;
}
