// SPDX-License-Identifier: Apache-2.0
/*
 * What is taken from libvirt's XML.  Whoever may define a domain writes it, and
 * its <metadata> is anybody's.
 */
#include "engine/inventory/domain.h"

#include <ctype.h>
#include <string.h>

#include "base/xml_walk.h"
#include "engine/inventory/inventory_impl.h"
#include "manifest/name.h"

#define METADATA "domain/metadata/"

static void disk_fini(struct eng_domain_disk *d)
{
    free(d->target);
    free(d->type);
    free(d->device);
    free(d->format);
    free(d->path);
    free(d->pool);
    free(d->volume);
    free(d->protocol);
}

void eng_domain_fini(struct eng_domain *d)
{
    for (size_t i = 0; i < d->n_disks; i++)
        disk_fini(&d->disks[i]);
    free(d->disks);
    eng_list_free(d->networks, d->n_networks);
    eng_list_free(d->tags, d->n_tags);
    free(d->nvram);
    *d = (struct eng_domain){ 0 };
}

/* Keeps the first of a member's texts. */
static int keep(char **member, const char *text, struct err *e)
{
    if (text == NULL || text[0] == '\0' || *member != NULL)
        return 0;
    *member = strdup(text);
    return *member != NULL ? 0 : err_nomem(e);
}

static int keep_name(char ***list, size_t *n, const char *name, struct err *e)
{
    if (name == NULL || !mf_name_is_plain(name, ENG_TAG_MAX))
        return 0;
    for (size_t i = 0; i < *n; i++)
        if (strcmp((*list)[i], name) == 0)
            return 0;
    if (*n == ENG_DOMAIN_NAMES_MAX)
        return err_set(e, ERR_CORRUPT, 0, "more than %d networks or tags",
                       ENG_DOMAIN_NAMES_MAX);
    return eng_list_text(list, n, name, e);
}

static int begin_disk(struct eng_domain *d, const char *const *attributes,
                      struct err *e)
{
    if (d->n_disks == ENG_DOMAIN_DISKS_MAX)
        return err_set(e, ERR_CORRUPT, 0, "more than %d disks",
                       ENG_DOMAIN_DISKS_MAX);
    struct eng_domain_disk *more =
        eng_list_grown(d->disks, d->n_disks, sizeof *more, e);
    if (more == NULL)
        return -1;
    d->disks = more;
    struct eng_domain_disk *disk = &more[d->n_disks++];
    *disk = (struct eng_domain_disk){ 0 };
    if (keep(&disk->type, xml_walk_attribute(attributes, "type"), e) < 0)
        return -1;
    return keep(&disk->device, xml_walk_attribute(attributes, "device"), e);
}

static int source_of_disk(struct eng_domain_disk *d,
                          const char *const *attributes, struct err *e)
{
    if (keep(&d->path, xml_walk_attribute(attributes, "file"), e) < 0 ||
        keep(&d->path, xml_walk_attribute(attributes, "dev"), e) < 0 ||
        keep(&d->pool, xml_walk_attribute(attributes, "pool"), e) < 0 ||
        keep(&d->volume, xml_walk_attribute(attributes, "volume"), e) < 0)
        return -1;
    return keep(&d->protocol, xml_walk_attribute(attributes, "protocol"), e);
}

/* An element within <disk>; child: its path from there. */
static int within_disk(struct eng_domain_disk *d, const char *child,
                       const char *const *attributes, struct err *e)
{
    if (strcmp(child, "source") == 0)
        return source_of_disk(d, attributes, e);
    if (strcmp(child, "driver") == 0)
        return keep(&d->format, xml_walk_attribute(attributes, "type"), e);
    if (strcmp(child, "target") == 0)
        return keep(&d->target, xml_walk_attribute(attributes, "dev"), e);
    d->shared |= strcmp(child, "shareable") == 0;
    return 0;
}

static const char *below(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(path, prefix, len) == 0 ? path + len : NULL;
}

static int domain_begin(void *ctx, const char *path,
                        const char *const *attributes, struct err *e)
{
    struct eng_domain *d = ctx;
    const char *child = below(path, "domain/devices/disk/");

    if (strchr(path, '/') == NULL && strcmp(path, "domain") != 0)
        return err_set(e, ERR_CORRUPT, 0, "is <%.64s>, not <domain>", path);
    if (strcmp(path, "domain/devices/disk") == 0)
        return begin_disk(d, attributes, e);
    if (child != NULL) /* so there is one */
        return within_disk(&d->disks[d->n_disks - 1], child, attributes, e);
    if (strcmp(path, "domain/os/nvram/source") == 0)
        return keep(&d->nvram, xml_walk_attribute(attributes, "file"), e);
    if (strcmp(path, "domain/devices/interface/source") != 0)
        return 0;
    if (keep_name(&d->networks, &d->n_networks,
                  xml_walk_attribute(attributes, "network"), e) < 0)
        return -1;
    return keep_name(&d->networks, &d->n_networks,
                     xml_walk_attribute(attributes, "bridge"), e);
}

static char *trimmed(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static int domain_end(void *ctx, const char *path, char *text, struct err *e)
{
    struct eng_domain *d = ctx;
    const char *in = below(path, METADATA);
    const char *last = strrchr(path, '/');

    if (strcmp(path, "domain/os/nvram") == 0)
        return keep(&d->nvram, trimmed(text), e);
    if (in == NULL || strcmp(last, "/tag") != 0)
        return 0;
    return keep_name(&d->tags, &d->n_tags, trimmed(text), e);
}

int eng_domain_parse(struct span xml, struct eng_domain *out, struct err *e)
{
    *out = (struct eng_domain){ 0 };
    return xml_walk(xml, domain_begin, domain_end, out, e);
}

bool eng_domain_disk_counts(const struct eng_domain_disk *d)
{
    return d->device == NULL || (strcmp(d->device, "cdrom") != 0 &&
                                 strcmp(d->device, "floppy") != 0);
}

static int format_of(const char *name, enum eng_image_format *format,
                     struct err *e)
{
    static const enum eng_image_format known[] = {
        ENG_IMAGE_RAW, ENG_IMAGE_QCOW2, ENG_IMAGE_VMDK, ENG_IMAGE_VHDX,
        ENG_IMAGE_VDI
    };

    /* QEMU is not asked what an image might be: a guest writes what it likes to
     * a raw one. */
    *format = ENG_IMAGE_RAW;
    if (name == NULL)
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(eng_image_format_name(known[i]), name) == 0) {
            *format = known[i];
            return 0;
        }
    return err_set(e, ERR_UNSUPPORTED, 0, "format %.40s is not read", name);
}

int eng_domain_disk_check(const struct eng_domain_disk *d, const char *path,
                          enum eng_image_format *format, struct err *e)
{
    const char *type = d->type != NULL ? d->type : "file";

    if (format_of(d->format, format, e) < 0)
        return -1;
    if (d->device != NULL && strcmp(d->device, "disk") != 0)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "a device that the machine has for itself (%.40s) is "
                       "not read",
                       d->device);
    if (d->shared)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "it is shared with other machines");
    if (strcmp(type, "network") == 0)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "network storage (%.40s) is not read",
                       d->protocol != NULL ? d->protocol : "unknown");
    if (strcmp(type, "file") != 0 && strcmp(type, "block") != 0 &&
        strcmp(type, "volume") != 0)
        return err_set(e, ERR_UNSUPPORTED, 0, "type %.40s is not read", type);
    if (path != NULL &&
        (path[0] != '/' || !mf_name_is_plain(path, MF_PATH_MAX)))
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "its path is not absolute, not UTF-8, or has control "
                       "characters");
    return 0;
}

static int pool_end(void *ctx, const char *path, char *text, struct err *e)
{
    if (strcmp(path, "pool/target/path") != 0)
        return 0;
    return keep(ctx, trimmed(text), e);
}

int eng_pool_parse(struct span xml, char **path, struct err *e)
{
    *path = NULL;
    if (xml_walk(xml, NULL, pool_end, path, e) == 0)
        return 0;
    free(STEAL(*path));
    return -1;
}
