// SPDX-License-Identifier: Apache-2.0
//
// Recognises image formats by their magic and finds the names of other files
// in the headers of qcow2 (QEMU's docs/interop/qcow2.txt) and vmdk images.
// Formats are read for good by QEMU alone; this only tells which files belong
// together.
#include "engine/source/imagehead.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define QCOW2_NAME_MAX 1023
#define QCOW2_V2_HEADER 72
#define QCOW2_V3_HEADER 104
#define QCOW2_EXT_DATA_FILE 0x44415441u
#define VDI_MAGIC_AT 0x40
#define VMDK_SECTOR 512
#define REFS_MAX 4096 /* a vmdk of 2 GiB extents of 8 TiB */

static uint64_t be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static uint64_t le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static bool starts(struct span s, size_t at, const void *magic, size_t len)
{
    return s.len >= at + len && memcmp(s.p + at, magic, len) == 0;
}

void eng_imagehead_fini(struct eng_imagehead *h)
{
    for (size_t i = 0; i < h->n_refs; i++)
        free(h->refs[i]);
    free(h->refs);
    *h = (struct eng_imagehead){ 0 };
}

static int add_ref(struct eng_imagehead *h, const uint8_t *p, size_t len,
                   struct err *e)
{
    if (len == 0)
        return 0;
    if (memchr(p, 0, len) != NULL)
        return err_set(e, ERR_CORRUPT, 0,
                       "the image names a file with a NUL in its name");
    if (h->n_refs >= REFS_MAX)
        return err_set(e, ERR_CORRUPT, 0,
                       "the image names more than %d other files", REFS_MAX);
    char **refs = realloc(h->refs, (h->n_refs + 1) * sizeof(*refs));
    if (refs == NULL)
        return err_nomem(e);
    h->refs = refs;
    refs[h->n_refs] = strndup((const char *)p, len);
    if (refs[h->n_refs] == NULL)
        return err_nomem(e);
    h->n_refs++;
    return 0;
}

/* Header extensions: type, length, data padded to 8 bytes, until type 0. */
static int qcow2_extensions(struct span s, uint64_t at, uint64_t end,
                            struct eng_imagehead *h, struct err *e)
{
    while (at + 8 <= end) {
        uint64_t type = be(s.p + at, 4);
        uint64_t len = be(s.p + at + 4, 4);
        at += 8;
        if (type == 0)
            return 0;
        if (len > end - at)
            return err_set(e, ERR_CORRUPT, 0,
                           "broken qcow2 header: an extension is too long");
        if (type == QCOW2_EXT_DATA_FILE &&
            add_ref(h, s.p + at, (size_t)len, e) < 0)
            return -1;
        at += (len + 7) / 8 * 8;
    }
    return 0;
}

static int qcow2_refs(struct span s, struct eng_imagehead *h, struct err *e)
{
    if (s.len < QCOW2_V2_HEADER)
        return err_set(e, ERR_CORRUPT, 0, "broken qcow2 header: too short");
    uint64_t version = be(s.p + 4, 4);
    uint64_t name_at = be(s.p + 8, 8);
    uint64_t name_len = be(s.p + 16, 4);
    uint64_t from = QCOW2_V2_HEADER;

    if (version >= 3) {
        if (s.len < QCOW2_V3_HEADER)
            return err_set(e, ERR_CORRUPT, 0, "broken qcow2 header: too short");
        from = be(s.p + 100, 4);
    }
    uint64_t end = s.len;
    if (name_at != 0) {
        if (name_len > QCOW2_NAME_MAX || name_at > s.len ||
            name_len > s.len - name_at)
            return err_set(e, ERR_CORRUPT, 0,
                           "broken qcow2 header: the backing file's name is "
                           "not within its first %u bytes",
                           ENG_IMAGEHEAD_BYTES);
        if (add_ref(h, s.p + name_at, (size_t)name_len, e) < 0)
            return -1;
        end = name_at;
    }
    return qcow2_extensions(s, from, end, h, e);
}

/* The text between the next two quotes of a line. */
static int quoted(struct span line, struct eng_imagehead *h, struct err *e)
{
    const uint8_t *open = memchr(line.p, '"', line.len);
    if (open == NULL)
        return 0;
    size_t left = line.len - (size_t)(open - line.p) - 1;
    const uint8_t *close = memchr(open + 1, '"', left);
    if (close == NULL)
        return 0;
    return add_ref(h, open + 1, (size_t)(close - open - 1), e);
}

static bool names_file(struct span line)
{
    static const char *const words[] = { "RW ", "RDONLY ", "NOACCESS ",
                                         "parentFileNameHint" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (starts(line, 0, words[i], strlen(words[i])))
            return true;
    return false;
}

/* The text part of a vmdk: lines as `RW 4096 SPARSE "x-s001.vmdk"`. */
static int vmdk_refs(struct span s, struct eng_imagehead *h, struct err *e)
{
    while (s.len > 0) {
        const uint8_t *nl = memchr(s.p, '\n', s.len);
        size_t len = nl == NULL ? s.len : (size_t)(nl - s.p);
        struct span line = span_of(s.p, len);
        if (names_file(line) && quoted(line, h, e) < 0)
            return -1;
        len += nl != NULL;
        s = span_of(s.p + len, s.len - len);
    }
    return 0;
}

/* A sparse vmdk has the text inside, at a sector that its header tells. */
static int vmdk_embedded(struct span s, struct eng_imagehead *h, struct err *e)
{
    if (s.len < VMDK_SECTOR)
        return err_set(e, ERR_CORRUPT, 0, "broken vmdk header: too short");
    uint64_t at;
    uint64_t len;
    if (!checked_mul(le(s.p + 28, 8), VMDK_SECTOR, &at) ||
        !checked_mul(le(s.p + 36, 8), VMDK_SECTOR, &len) || at >= s.len)
        return 0;
    const uint8_t *text = s.p + at;
    size_t n = (size_t)checked_min(len, s.len - at);
    return vmdk_refs(span_of(text, strnlen((const char *)text, n)), h, e);
}

static const char vmdk_text[] = "# Disk DescriptorFile";
static const uint8_t vdi_magic[] = { 0x7f, 0x10, 0xda, 0xbe };

int eng_imagehead_parse(struct span head, struct eng_imagehead *out,
                        struct err *e)
{
    *out = (struct eng_imagehead){ .known = true };
    if (starts(head, 0, "QFI\xfb", 4)) {
        out->format = ENG_IMAGE_QCOW2;
        return qcow2_refs(head, out, e);
    }
    if (starts(head, 0, "KDMV", 4)) {
        out->format = ENG_IMAGE_VMDK;
        return vmdk_embedded(head, out, e);
    }
    if (starts(head, 0, vmdk_text, sizeof(vmdk_text) - 1)) {
        out->format = ENG_IMAGE_VMDK;
        return vmdk_refs(head, out, e);
    }
    if (starts(head, 0, "vhdxfile", 8))
        out->format = ENG_IMAGE_VHDX;
    else if (starts(head, VDI_MAGIC_AT, vdi_magic, sizeof(vdi_magic)))
        out->format = ENG_IMAGE_VDI;
    else
        out->known = false;
    return 0;
}
