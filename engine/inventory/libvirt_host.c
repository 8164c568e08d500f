// SPDX-License-Identifier: Apache-2.0
/*
 * The machines of a libvirt host.  Connections are read-only: nothing there is
 * changed, and the XML comes without passwords.
 */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/inventory/domain.h"
#include "engine/inventory/inventory_impl.h"
#include "manifest/name.h"

#define XML_NAME "domain.xml"
#define NVRAM_NAME "nvram.fd"

static void conn_close(virConnectPtr *c)
{
    if (*c != NULL)
        virConnectClose(*c);
}
#define AUTO_CONN AUTO(conn_close)

static void domain_free(virDomainPtr *d)
{
    if (*d != NULL)
        virDomainFree(*d);
}
#define AUTO_DOMAIN AUTO(domain_free)

static void vol_free(virStorageVolPtr *v)
{
    if (*v != NULL)
        virStorageVolFree(*v);
}
#define AUTO_VOL AUTO(vol_free)

static void pool_free(virStoragePoolPtr *p)
{
    if (*p != NULL)
        virStoragePoolFree(*p);
}
#define AUTO_POOL AUTO(pool_free)

/* What libvirt said last on this thread. */
static int failed(struct err *e, const char *what)
{
    virErrorPtr last = virGetLastError();
    enum err_kind kind = ERR_UNREACHABLE;

    switch (last != NULL ? last->code : VIR_ERR_OK) {
    case VIR_ERR_NO_MEMORY:
        return err_nomem(e);
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
        kind = ERR_DENIED;
        break;
    default:
        break;
    }
    return err_set(e, kind, 0, "%s: %s", what,
                   last != NULL && last->message != NULL ? last->message
                                                         : "libvirt failed");
}

/* By itself libvirt prints to stderr. */
static void quiet(void *ctx, virErrorPtr error)
{
    (void)ctx;
    (void)error;
}

static virConnectPtr open_host(const struct eng_place *place, struct err *e)
{
    virSetErrorFunc(NULL, quiet);
    virConnectPtr c = virConnectOpenReadOnly(place->uri);
    if (c == NULL)
        (void)failed(e, place->text);
    return c;
}

/* --- pools and networks --- */

struct pool {
    char *name;
    char *path; /* of its volumes; or NULL */
};

struct host {
    virConnectPtr conn;
    struct pool *pools;
    size_t n_pools;
};

static void host_fini(struct host *h)
{
    for (size_t i = 0; i < h->n_pools; i++) {
        free(h->pools[i].name);
        free(h->pools[i].path);
    }
    free(h->pools);
    conn_close(&h->conn);
}
#define AUTO_HOST AUTO(host_fini)

static int add_pool(struct host *h, virStoragePoolPtr p, struct err *e)
{
    struct err ignored = { 0 };
    struct pool *more = eng_list_grown(h->pools, h->n_pools, sizeof *more, e);

    if (more == NULL)
        return -1;
    h->pools = more;
    struct pool *to = &more[h->n_pools++];
    *to = (struct pool){ .name = strdup(virStoragePoolGetName(p)) };
    if (to->name == NULL)
        return err_nomem(e);
    /* One that is just going away has no XML, and a strange one no path. */
    AUTO_MEM char *xml = virStoragePoolGetXMLDesc(p, 0);
    if (xml != NULL && eng_pool_parse(span_str(xml), &to->path, &ignored) < 0 &&
        ignored.kind == ERR_NOMEM)
        return err_nomem(e);
    return 0;
}

static int read_pools(struct host *h, struct eng_inventory *inv, struct err *e)
{
    virStoragePoolPtr *list = NULL;
    int n = virConnectListAllStoragePools(h->conn, &list, 0);
    int r = 0;

    /* Not every driver has storage. */
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add_pool(h, list[i], e);
        if (r == 0)
            r = eng_inventory_container(inv, ENG_POOL,
                                        h->pools[h->n_pools - 1].name, e);
        virStoragePoolFree(list[i]);
    }
    free(list);
    return r;
}

static int read_networks(struct host *h, struct eng_inventory *inv,
                         struct err *e)
{
    virNetworkPtr *list = NULL;
    int n = virConnectListAllNetworks(h->conn, &list, 0);
    int r = 0;

    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = eng_inventory_container(inv, ENG_NETWORK,
                                        virNetworkGetName(list[i]), e);
        virNetworkFree(list[i]);
    }
    free(list);
    return r;
}

/* The pool whose folder the file lies in itself, or NULL. */
static const char *pool_of(const struct host *h, const char *path)
{
    size_t folder = (size_t)(strrchr(path, '/') - path);

    for (size_t i = 0; i < h->n_pools; i++) {
        const char *p = h->pools[i].path;
        if (p != NULL && strlen(p) == folder && strncmp(p, path, folder) == 0)
            return h->pools[i].name;
    }
    return NULL;
}

/* --- disks --- */

/* Where a disk lies, malloc'd; *path NULL where libvirt does not know. */
static int locate(virConnectPtr conn, const struct eng_domain_disk *d,
                  char **path, struct err *e)
{
    *path = NULL;
    if (d->path != NULL) {
        *path = strdup(d->path);
        return *path != NULL ? 0 : err_nomem(e);
    }
    if (d->pool == NULL || d->volume == NULL)
        return 0;
    AUTO_POOL virStoragePoolPtr pool =
        virStoragePoolLookupByName(conn, d->pool);
    AUTO_VOL virStorageVolPtr vol =
        pool == NULL ? NULL : virStorageVolLookupByName(pool, d->volume);
    *path = vol == NULL ? NULL : virStorageVolGetPath(vol);
    if (*path == NULL)
        return err_set(e, ERR_NOTFOUND, 0,
                       "volume %.200s of pool %.200s is not there (is the "
                       "pool active?)",
                       d->volume, d->pool);
    return 0;
}

/* All that can be said of a disk: *path is malloc'd, or NULL.  -1: e says why
 * it cannot be read, without its name. */
static int look_at(virConnectPtr conn, const struct eng_domain_disk *d,
                   char **path, enum eng_image_format *format, struct err *e)
{
    struct stat st;

    if (locate(conn, d, path, e) < 0 ||
        eng_domain_disk_check(d, *path, format, e) < 0)
        return -1;
    if (*path == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "it has no source");
    if (stat(*path, &st) < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", *path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "%s: is neither a file nor a block device", *path);
    if (S_ISBLK(st.st_mode) && *format != ENG_IMAGE_RAW)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "%s: format %s on a block device is not read", *path,
                       eng_image_format_name(*format));
    return 0;
}

/* A disk's name: its target, which stays when the image is another. */
static const char *name_of(const struct eng_domain_disk *d)
{
    return d->target != NULL && mf_name_is_disk(d->target) ? d->target : NULL;
}

static int add_disk(const struct host *h, struct eng_vm *vm,
                    const struct eng_domain_disk *d, struct err *e)
{
    struct err why = { 0 };
    AUTO_MEM char *path = NULL;
    struct eng_vm_disk disk = { .name = d->target };
    char nameless[] = "?";

    int r = look_at(h->conn, d, &path, &disk.format, &why);
    if (r < 0 && why.kind == ERR_NOMEM)
        return err_nomem(e);
    if (name_of(d) == NULL) {
        disk.name = nameless;
        (void)err_set(&why, ERR_UNSUPPORTED, 0, "its target has no name");
        r = -1;
    }
    disk.path = path;
    disk.problem = r < 0 ? why.msg : NULL;
    const char *pool = d->pool != NULL                ? d->pool
                       : path != NULL && *path == '/' ? pool_of(h, path)
                                                      : NULL;
    if (pool != NULL && mf_name_is_plain(pool, MF_NAME_MAX) &&
        eng_vm_in(vm, ENG_POOL, pool, e) < 0)
        return -1;
    return eng_vm_disk(vm, &disk, e);
}

/* --- machines --- */

/* The XML that the domain starts with next time, malloc'd. */
static char *xml_of(virDomainPtr dom, struct err *e)
{
    char *xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE);
    if (xml == NULL)
        (void)failed(e, virDomainGetName(dom));
    return xml;
}

static int fill_vm(const struct host *h, struct eng_vm *vm,
                   const struct eng_domain *d, struct err *e)
{
    for (size_t i = 0; i < d->n_disks; i++)
        if (eng_domain_disk_counts(&d->disks[i]) &&
            add_disk(h, vm, &d->disks[i], e) < 0)
            return -1;
    for (size_t i = 0; i < d->n_networks; i++)
        if (eng_vm_in(vm, ENG_NETWORK, d->networks[i], e) < 0)
            return -1;
    for (size_t i = 0; i < d->n_tags; i++)
        if (eng_vm_in(vm, ENG_TAG, d->tags[i], e) < 0)
            return -1;
    if (eng_list_text(&vm->files, &vm->n_files, XML_NAME, e) < 0)
        return -1;
    return d->nvram != NULL && access(d->nvram, F_OK) == 0
               ? eng_list_text(&vm->files, &vm->n_files, NVRAM_NAME, e)
               : 0;
}

/* Why a machine as a whole cannot be backed up; -1 with e. */
static int refuse(const struct eng_vm *vm, const struct eng_domain *d,
                  struct err *e)
{
    if (vm->live)
        return err_set(e, ERR_BUSY, 0,
                       "%s is running: this version reads machines that are "
                       "shut off",
                       vm->name);
    if (!mf_name_is_plain(vm->name, MF_NAME_MAX))
        return err_set(e, ERR_USAGE, 0, "its name has control characters");
    for (size_t i = 0; i < d->n_disks; i++)
        for (size_t k = 0; k < i; k++)
            if (name_of(&d->disks[i]) != NULL &&
                name_of(&d->disks[k]) != NULL &&
                strcmp(d->disks[i].target, d->disks[k].target) == 0)
                return err_set(e, ERR_USAGE, 0, "%s: two disks are named %s",
                               vm->name, d->disks[i].target);
    return 0;
}

static int identify(virDomainPtr dom, struct eng_vm *vm, struct err *e)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (virDomainGetUUIDString(dom, uuid) < 0) {
        (void)failed(e, virDomainGetName(dom));
        return -1;
    }
    vm->id = strdup(uuid);
    vm->name = strdup(virDomainGetName(dom));
    /* What is not known to be off is taken for running. */
    vm->live = virDomainIsActive(dom) != 0;
    if (vm->id != NULL && vm->name != NULL)
        return 0;
    (void)err_nomem(e);
    return -1;
}

static int add_domain(const struct host *h, struct eng_inventory *inv,
                      virDomainPtr dom, struct err *e)
{
    AUTO_ENG_VM struct eng_vm vm = { 0 };
    AUTO_ENG_DOMAIN struct eng_domain d = { 0 };
    struct err why = { 0 };

    if (identify(dom, &vm, e) < 0)
        return -1;
    AUTO_MEM char *xml = xml_of(dom, &why);
    int r = xml == NULL ? -1 : eng_domain_parse(span_str(xml), &d, &why);
    if (r == 0) {
        if (fill_vm(h, &vm, &d, e) < 0)
            return -1;
        r = refuse(&vm, &d, &why);
    } else {
        (void)err_ctx(&why, "the domain's XML");
    }
    if (r < 0 && why.kind == ERR_NOMEM)
        return err_nomem(e);
    if (r < 0) {
        vm.problem = strdup(why.msg);
        if (vm.problem == NULL)
            return err_nomem(e);
    }
    return eng_inventory_add(inv, &vm, e);
}

int eng_libvirt_read(struct eng_inventory *inv, const struct cancel *cancel,
                     struct err *e)
{
    AUTO_HOST struct host h = { .conn = open_host(&inv->place, e) };
    virDomainPtr *list = NULL;

    if (h.conn == NULL || read_pools(&h, inv, e) < 0 ||
        read_networks(&h, inv, e) < 0)
        return -1;
    int n = virConnectListAllDomains(h.conn, &list, 0);
    int r = n < 0 ? failed(e, inv->place.text) : 0;
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = cancel_check(cancel, e);
        if (r == 0)
            r = add_domain(&h, inv, list[i], e);
        virDomainFree(list[i]);
    }
    free(list);
    return r;
}

/* --- one machine, to be backed up --- */

static int take_disks(struct eng_machine *m, virConnectPtr conn,
                      const struct eng_domain *d, eng_disk_wanted_fn wanted,
                      void *ctx, struct err *e)
{
    for (size_t i = 0; i < d->n_disks; i++) {
        const struct eng_domain_disk *from = &d->disks[i];
        const char *name = name_of(from);
        AUTO_MEM char *path = NULL;
        if (!eng_domain_disk_counts(from) ||
            (name != NULL && wanted != NULL && !wanted(ctx, name)))
            continue;
        if (name == NULL)
            return err_set(e, ERR_UNSUPPORTED, 0,
                           "%s: the target of a disk has no name", m->name);
        struct eng_machine_disk *to = &m->disks[m->n_disks];
        if (look_at(conn, from, &path, &to->format, e) < 0)
            return err_ctx(e, "%s: disk %s", m->name, name);
        m->n_disks++;
        to->path = STEAL(path);
        to->name = strdup(name);
        if (to->name == NULL)
            return err_nomem(e);
    }
    return 0;
}

static int by_disk(const void *a, const void *b)
{
    const struct eng_machine_disk *x = a;
    const struct eng_machine_disk *y = b;

    return strcmp(x->name, y->name);
}

static int take_files(struct eng_machine *m, const char *xml,
                      const struct eng_domain *d, struct err *e)
{
    struct stat st;
    struct eng_machine_file *f = &m->files[m->n_files++];

    f->name = strdup(XML_NAME);
    f->path = io_format(e, "%s of %s", XML_NAME, m->name);
    f->text = strdup(xml);
    f->mode = 0600;
    f->size = strlen(xml);
    if (f->name == NULL || f->path == NULL || f->text == NULL)
        return err_nomem(e);
    /* Made when the machine starts for the first time. */
    AUTO_MEM char *nvram = d->nvram != NULL ? realpath(d->nvram, NULL) : NULL;
    if (nvram == NULL && d->nvram != NULL && errno != ENOENT)
        return err_set(e, err_of_errno(errno), errno, "%s: %s", m->name,
                       d->nvram);
    if (nvram == NULL)
        return 0;
    if (stat(nvram, &st) < 0)
        return err_set(e, err_of_errno(errno), errno, "%s: %s", m->name, nvram);
    f = &m->files[m->n_files++];
    f->name = strdup(NVRAM_NAME);
    f->path = STEAL(nvram);
    f->mode = (uint32_t)st.st_mode & 07777;
    f->size = (uint64_t)st.st_size;
    return f->name != NULL ? 0 : err_nomem(e);
}

static int take(struct eng_machine *m, virConnectPtr conn, virDomainPtr dom,
                eng_disk_wanted_fn wanted, void *ctx, struct err *e)
{
    AUTO_ENG_VM struct eng_vm vm = { 0 };
    AUTO_ENG_DOMAIN struct eng_domain d = { 0 };

    if (identify(dom, &vm, e) < 0)
        return -1;
    AUTO_MEM char *xml = xml_of(dom, e);
    if (xml == NULL)
        return -1;
    if (eng_domain_parse(span_str(xml), &d, e) < 0)
        return err_ctx(e, "%s: the domain's XML", vm.name);
    if (refuse(&vm, &d, e) < 0)
        return -1;
    m->name = strdup(vm.name);
    m->source = io_format(e, "libvirt:%s", vm.id);
    m->disks = calloc(d.n_disks + 1, sizeof *m->disks);
    m->files = calloc(2, sizeof *m->files);
    if (m->name == NULL || m->source == NULL || m->disks == NULL ||
        m->files == NULL)
        return err_nomem(e);
    if (take_disks(m, conn, &d, wanted, ctx, e) < 0)
        return -1;
    if (m->n_disks > 1)
        qsort(m->disks, m->n_disks, sizeof *m->disks, by_disk);
    return take_files(m, xml, &d, e);
}

struct eng_machine *eng_libvirt_machine(const struct eng_place *place,
                                        const char *id,
                                        eng_disk_wanted_fn wanted, void *ctx,
                                        struct err *e)
{
    AUTO_CONN virConnectPtr conn = open_host(place, e);
    AUTO_ENG_MACHINE struct eng_machine *m = calloc(1, sizeof *m);

    if (conn == NULL)
        return NULL;
    if (m == NULL) {
        (void)err_nomem(e);
        return NULL;
    }
    AUTO_DOMAIN virDomainPtr dom = virDomainLookupByUUIDString(conn, id);
    if (dom == NULL) {
        virErrorPtr last = virGetLastError();
        if (last != NULL && (last->code == VIR_ERR_NO_DOMAIN ||
                             last->code == VIR_ERR_INVALID_ARG))
            (void)err_set(e, ERR_NOTFOUND, 0, "%s: there is no domain %s",
                          place->text, id);
        else
            (void)failed(e, place->text);
        return NULL;
    }
    return take(m, conn, dom, wanted, ctx, e) < 0 ? NULL : STEAL(m);
}
