// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_BACKUP_BACKUP_H
#define ENGINE_BACKUP_BACKUP_H

/* The flow source → repository: one machine becomes one restore point. */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/progress.h"
#include "engine/backup/keeping.h"
#include "engine/repo/keyset_open.h"
#include "engine/repo/learn.h"
#include "engine/repo/repo.h"
#include "engine/source/machine.h"
#include "manifest/point.h"

enum eng_compression {
    ENG_COMPRESS_OPTIMAL, /* the default */
    ENG_COMPRESS_NONE,
    ENG_COMPRESS_FAST,
    ENG_COMPRESS_HIGH,
    ENG_COMPRESS_EXTREME,
};
/* zstd's level for it. */
int eng_compression_level(enum eng_compression c);
/* The one of a word ("fast"); the default for NULL and words that are none. */
enum eng_compression eng_compression_of(const char *word);

struct eng_backup_opts {
    const char *vm;         /* name to file it under; NULL: the machine's */
    const char *job;        /* whose run it is; NULL: nobody's */
    const char *container;  /* folder that the VM lies in; NULL: not told */
    uint32_t block_size;    /* 0: the repository's; a newest point of another
                               one is no parent */
    bool full;              /* read everything, open a new chain */
    enum eng_upload upload; /* a full never trusts the cache: NEW is MISSING */
    bool adopt;             /* the machine is the same in spite of its source */
    bool dry_run;           /* read and compare, store nothing */
    /* A full made of the newest point, nothing read; on simple repositories
     * only.  Full, upload, compression and memory mean nothing then. */
    bool synthetic_full;
    const struct eng_keeping *keeping; /* NULL: the point stays */
    /* Which keyset it goes to; NULL: nothing was said. */
    const struct eng_encrypt_opts *encrypt;
    enum eng_compression compression;
    uint64_t memory_bytes; /* budget of all workers; 0: the default */
    const struct cancel *cancel;
    struct progress *progress;
    struct progress_task *group; /* of it, that the VM is; or NULL */
};

#define ENG_WARNING_CHARS 256

enum eng_stage {
    ENG_STAGE_SOURCE,
    ENG_STAGE_HASH,
    ENG_STAGE_COMPRESS,
    ENG_STAGE_SEAL,
    ENG_STAGE_NETWORK,
    ENG_STAGES
};
const char *eng_stage_name(enum eng_stage s);

struct eng_backup_result {
    char point[MF_NAME_MAX + 32]; /* "vm@time"; "" where none was made */
    char keyset[MF_KEYSET_CHARS]; /* that it lies in */
    bool keyset_made;             /* ... which is new */
    enum mf_kind kind;
    uint64_t source_bytes; /* sizes of disks and files */
    uint64_t read_bytes;
    uint64_t new_blocks, reused_blocks, zero_blocks;
    uint64_t new_bytes;    /* plaintext of the new blocks */
    uint64_t stored_bytes; /* objects put: blocks and pages */
    uint64_t new_pages;
    double seconds;
    double busy[ENG_STAGES];         /* seconds, summed over workers */
    const char *bottleneck;          /* the stage with the most */
    char warning[ENG_WARNING_CHARS]; /* "": none */
};

/* Backs up one machine.  When it returns 0 the point is visible, complete and
 * durable; else no point was made, and what was stored is reused later.
 * ERR_USAGE: another machine's points go by this name (say adopt, or another
 * name), the policy's time zone is not known, or a synthetic full on an object
 * repository; ERR_NOTFOUND: a synthetic full without a point; ERR_BUSY: an
 * image is in use; ERR_QUOTA: the hard quota is reached already; and the errors
 * of eng_encrypt_choose.  The repository is left switched to the keyset. */
int eng_backup_machine(struct eng_repo *repo, const struct eng_machine *m,
                       const struct eng_backup_opts *o,
                       struct eng_backup_result *res, struct err *e)
    __attribute__((warn_unused_result));

#endif
