// SPDX-License-Identifier: Apache-2.0
/* Contents are a short pattern repeated: they cost little to compress, and
 * every unit of them differs from every other content's. */
#include "tests/interleave/guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "tests/interleave/world.h"

#define UNIT (GUEST_BLOCK / 64)
#define PATTERN 256

const char *const guest_file_names[GUEST_FILES] = { "a.conf", "b.conf",
                                                    "c.nvram" };

static void give_up(const char *what)
{
    perror(what);
    abort();
}

static void pattern(uint8_t content, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len && i < PATTERN; i++)
        out[i] = content == 0 ? 0 : (uint8_t)(i * content * 37 + content);
    for (size_t done = PATTERN; done < len;) {
        size_t n = len - done < done ? len - done : done;
        memcpy(out + done, out, n);
        done += n;
    }
}

uint32_t guest_block_len(unsigned block)
{
    return block + 1 < GUEST_BLOCKS ? GUEST_BLOCK : GUEST_LAST;
}

static void block_bytes(const struct guest_block *b, uint8_t *out, uint32_t len)
{
    pattern(b->content, out, len);
    if (b->over != 0)
        pattern(b->over, out + (size_t)b->unit * UNIT, UNIT);
}

size_t guest_file_len(const struct guest *g, unsigned file)
{
    return g->files[file] == 0 ? 0 : 1000;
}

static uint8_t some_content(void)
{
    return (uint8_t)world_random(GUEST_CONTENTS);
}

void guest_make(struct guest *g)
{
    memset(g, 0, sizeof(*g));
    for (unsigned i = 0; i < GUEST_BLOCKS; i++)
        g->disk[i].content = some_content();
    for (unsigned i = 0; i < GUEST_FILES; i++)
        g->files[i] = some_content();
}

static void change_block(struct guest_block *b, uint32_t len)
{
    switch (world_random(5)) {
    case 0:
    case 1:
        *b = (struct guest_block){ .content = some_content() };
        break;
    case 2:
        b->over = (uint8_t)(1 + world_random(GUEST_CONTENTS - 1));
        b->unit = (uint8_t)world_random(len / UNIT);
        break;
    default:
        break;
    }
}

void guest_change(struct guest *g)
{
    for (unsigned i = 0; i < GUEST_BLOCKS; i++)
        change_block(&g->disk[i], guest_block_len(i));
    for (unsigned i = 0; i < GUEST_FILES; i++)
        if (world_random(3) == 0)
            g->files[i] = some_content();
}

static void write_at(int fd, const uint8_t *p, size_t len, uint64_t offset)
{
    if (pwrite(fd, p, len, (off_t)offset) != (ssize_t)len)
        give_up("write a guest");
}

void guest_write(const struct guest *g, const struct guest *before,
                 const char *dir)
{
    static uint8_t bytes[GUEST_BLOCK];
    char path[WORLD_PATH + 32];

    if (mkdir(dir, 0700) < 0 && before == NULL)
        give_up(dir);
    snprintf(path, sizeof(path), "%s/disk.raw", dir);
    AUTO_FD int disk = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (unsigned i = 0; i < GUEST_BLOCKS; i++) {
        if (before != NULL &&
            memcmp(&g->disk[i], &before->disk[i], sizeof(g->disk[i])) == 0)
            continue;
        block_bytes(&g->disk[i], bytes, guest_block_len(i));
        write_at(disk, bytes, guest_block_len(i), (uint64_t)i * GUEST_BLOCK);
    }
    for (unsigned i = 0; i < GUEST_FILES; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, guest_file_names[i]);
        AUTO_FD int fd =
            open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        pattern(g->files[i], bytes, 1000);
        write_at(fd, bytes, guest_file_len(g, i), 0);
    }
}

/* Ids by what they are of; never forgotten, there are few. */
struct known {
    bool used;
    struct guest_block b;
    uint32_t len;
    struct mf_id id;
};

static const struct mf_id *id_of(const struct guest_block *b, uint32_t len)
{
    static struct known table[8192];
    static uint8_t bytes[GUEST_BLOCK];
    struct err e = { 0 };
    size_t at = ((size_t)b->content * 8191 + (size_t)b->over * 127 +
                 (size_t)b->unit * 31 + len) %
                8192;

    for (; table[at].used; at = (at + 1) % 8192)
        if (table[at].len == len && memcmp(&table[at].b, b, sizeof(*b)) == 0)
            return &table[at].id;
    block_bytes(b, bytes, len);
    table[at] = (struct known){ .used = true, .b = *b, .len = len };
    if (mf_id_of(span_of(bytes, len), &table[at].id, &e) < 0)
        abort();
    return &table[at].id;
}

bool guest_block_id(const struct guest *g, unsigned block, struct mf_id *id)
{
    const struct guest_block *b = &g->disk[block];

    *id = *id_of(b, guest_block_len(block));
    return b->content != 0 || b->over != 0;
}

bool guest_file_id(const struct guest *g, unsigned file, struct mf_id *id)
{
    const struct guest_block b = { .content = g->files[file] };

    *id = *id_of(&b, 1000);
    return b.content != 0;
}
