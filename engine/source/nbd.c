// SPDX-License-Identifier: Apache-2.0
//
// Images in a format that QEMU knows better than we do.  One qemu-nbd serves
// the image read-only, each reader has a connection of its own and a window of
// known allocation, so that areas that read as zeros are never asked for.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/checked.h"
#include "base/io.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/source/reader.h"

/* Bytes of disk whose allocation is asked for at once.  Readers share the
 * blocks of a disk, so each asks for all of it: few large questions. */
#define WINDOW_BYTES (1ull << 30)
#define WINDOW_EXTENTS 8192
#define CHECK_MS 1800000 /* of metadata alone */
#define CHECK_JSON_MAX (64u << 10)

/* Offsets in a vdi header; numbers are little-endian, of 32 bits. */
#define VDI_MAGIC_AT 0x40
#define VDI_DATA_AT 0x158
#define VDI_BLOCK_SIZE 0x178
#define VDI_BLOCKS_STORED 0x184
#define VDI_HEADER 0x188

struct extent {
    uint64_t end;
    bool zero;
};

struct eng_nbd_window {
    uint64_t start, end; /* known; empty at first */
    size_t n;
    struct extent extents[WINDOW_EXTENTS];
};

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static int damaged(const struct eng_image *im, const char *why, struct err *e)
{
    return err_set(e, ERR_CORRUPT, 0,
                   "%s: the image is damaged or truncated (%s); repair a copy "
                   "of it",
                   im->path, why);
}

/* What qemu-img check tells in its JSON. */
static int check_counts(const struct eng_image *im, const struct buf *out,
                        struct err *e)
{
    AUTO_JSON struct json_doc *doc =
        json_parse(buf_span(out), JSON_STRICT, ERR_CORRUPT, e);
    if (doc == NULL)
        return err_ctx(e, "answer of qemu-img check");
    struct json root = json_root(doc);
    struct json bad = json_optional(&root, "corruptions");
    struct json failed = json_optional(&root, "check-errors");
    uint64_t n = json_present(&bad) ? json_uint(&bad, UINT32_MAX) : 0;
    if (json_present(&failed))
        n += json_uint(&failed, UINT32_MAX);
    if (json_failed(doc, e) < 0)
        return err_ctx(e, "answer of qemu-img check");
    if (n > 0) {
        char why[64];
        snprintf(why, sizeof(why), "qemu-img check finds %" PRIu64 " errors",
                 n);
        return damaged(im, why, e);
    }
    return 0;
}

/* QEMU reads zeros where a truncated image ends, so a lost half of a disk
 * would look like free space.  Its own check finds that and other damage; it
 * reads metadata only. */
static int check_image(const struct eng_image *im, const char *format,
                       struct err *e)
{
    const char *argv[] = { "qemu-img",      "check", "-f",     format,
                           "--output=json", "--",    im->path, NULL };
    AUTO_BUF struct buf out = buf_init(CHECK_JSON_MAX);
    struct err run = { 0 };
    if (process_run(argv, CHECK_MS, NULL, &out, &run) < 0 &&
        run.kind != ERR_FAILED) {
        *e = run;
        return eng_qemu_missing(e);
    }
    if (out.len > 0)
        return check_counts(im, &out, e);
    /* Not opened: qemu-nbd finds better words for it. */
    if (run.kind == ERR_NONE || strstr(run.msg, "Could not open") != NULL ||
        strstr(run.msg, "not support checks") != NULL)
        return 0;
    return damaged(im, run.msg, e);
}

/* The check does not notice a vdi that ends too early.  Its header has the
 * number of blocks stored, which lie one after the other. */
static int check_vdi(const struct eng_image *im, struct err *e)
{
    uint8_t head[VDI_HEADER];
    struct stat st;
    if (fstat(im->fd, &st) < 0)
        return err_set(e, ERR_IO, errno, "%s", im->path);
    /* Too short or no vdi: qemu-nbd says so.  Of a device the end is known
     * to nobody. */
    if (!S_ISREG(st.st_mode) || st.st_size < VDI_HEADER)
        return 0;
    if (io_pread_full(im->fd, head, sizeof(head), 0, im->path, e) < 0)
        return -1;
    uint64_t need =
        (uint64_t)le32(head + VDI_BLOCK_SIZE) * le32(head + VDI_BLOCKS_STORED) +
        le32(head + VDI_DATA_AT);
    if (memcmp(head + VDI_MAGIC_AT, "\x7f\x10\xda\xbe", 4) == 0 &&
        need > (uint64_t)st.st_size)
        return damaged(im, "blocks are missing at its end", e);
    return 0;
}

int eng_nbd_open(struct eng_image *im, enum eng_image_format format,
                 struct err *e)
{
    const char *name = eng_image_format_name(format);
    if (check_image(im, name, e) < 0 ||
        (format == ENG_IMAGE_VDI && check_vdi(im, e) < 0))
        return -1;
    im->server = eng_qemu_nbd_start(im->path, name, false, e);
    if (im->server == NULL)
        return -1;
    AUTO_ENG_NBD_CONN struct eng_nbd_conn *c =
        eng_nbd_conn_open(eng_qemu_nbd_socket(im->server), im->path, e);
    if (c == NULL)
        return -1;
    im->size = eng_nbd_conn_size(c);
    return 0;
}

int eng_nbd_reader_open(struct eng_image_reader *r, struct err *e)
{
    r->known = malloc(sizeof(*r->known));
    if (r->known == NULL)
        return err_nomem(e);
    r->known->start = 0;
    r->known->end = 0;
    r->known->n = 0;
    r->conn = eng_nbd_conn_open(eng_qemu_nbd_socket(r->image->server),
                                r->image->path, e);
    return r->conn == NULL ? -1 : 0;
}

static bool on_extent(void *ctx, uint64_t len, bool zero)
{
    struct eng_nbd_window *w = ctx;
    struct extent *last = w->n > 0 ? &w->extents[w->n - 1] : NULL;
    if (last != NULL && last->zero == zero) {
        last->end += len;
    } else {
        if (w->n == WINDOW_EXTENTS)
            return false;
        w->extents[w->n++] = (struct extent){ w->end + len, zero };
    }
    w->end += len;
    return true;
}

static int refill(struct eng_image_reader *r, uint64_t pos, struct err *e)
{
    struct eng_nbd_window *w = r->known;
    uint64_t len = checked_min(WINDOW_BYTES, r->image->size - pos);
    w->start = pos;
    w->end = pos;
    w->n = 0;
    if (eng_nbd_conn_extents(r->conn, pos, len, on_extent, w, e) < 0)
        return -1;
    if (w->end == pos)
        return err_set(e, ERR_IO, 0,
                       "%s: qemu-nbd tells no allocation at %" PRIu64,
                       r->image->path, pos);
    return 0;
}

/* The piece that pos lies in, up to end. */
static int piece_at(struct eng_image_reader *r, uint64_t pos, uint64_t end,
                    struct extent *piece, struct err *e)
{
    struct eng_nbd_window *w = r->known;
    if ((pos < w->start || pos >= w->end) && refill(r, pos, e) < 0)
        return -1;
    size_t low = 0;
    size_t high = w->n - 1;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (w->extents[mid].end > pos)
            high = mid;
        else
            low = mid + 1;
    }
    piece->end = checked_min(w->extents[low].end, end);
    piece->zero = w->extents[low].zero;
    return 0;
}

/* Zeros before the first data are written only once there is data: a range
 * without any leaves out alone. */
static int read_pieces(struct eng_image_reader *r, uint64_t offset,
                       uint32_t len, uint8_t *out, uint32_t *data,
                       struct err *e)
{
    uint64_t end = offset + len;
    for (uint64_t pos = offset; pos < end;) {
        struct extent p;
        if (piece_at(r, pos, end, &p, e) < 0)
            return -1;
        uint64_t n = p.end - pos;
        if (p.zero) {
            if (*data > 0)
                memset(out + (pos - offset), 0, (size_t)n);
        } else {
            if (*data == 0)
                memset(out, 0, (size_t)(pos - offset));
            *data += (uint32_t)n;
            if (eng_nbd_conn_read(r->conn, pos, n, out + (pos - offset), e) < 0)
                return -1;
        }
        pos = p.end;
    }
    return 0;
}

int eng_nbd_read(struct eng_image_reader *r, uint64_t offset, uint32_t len,
                 uint8_t *out, uint32_t *data_bytes, struct err *e)
{
    *data_bytes = 0;
    if (read_pieces(r, offset, len, out, data_bytes, e) < 0) {
        /* Nothing may write into out once we have returned. */
        struct err ignored = { 0 };
        (void)!eng_nbd_conn_finish(r->conn, &ignored);
        return -1;
    }
    return *data_bytes == 0 ? 0 : eng_nbd_conn_finish(r->conn, e);
}
