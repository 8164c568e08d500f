// SPDX-License-Identifier: Apache-2.0
/* The text of a place: its forms, and what is refused. */
#include "engine/inventory/place.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/io.h"
#include "manifest/name.h"

#define FOLDER "dir:"
#define LIBVIRT "libvirt:"

void eng_place_fini(struct eng_place *p)
{
    free(p->text);
    free(p->path);
    free(p->uri);
    *p = (struct eng_place){ 0 };
}

/* Absolute, without empty components, "." and "..": one text for a folder. */
static int parse_folder(const char *path, struct eng_place *out, struct err *e)
{
    size_t len = strlen(path);

    if (path[0] != '/')
        return err_set(e, ERR_USAGE, 0,
                       "%s: the path must be absolute, as in " FOLDER "/vms",
                       path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    out->kind = ENG_PLACE_FOLDER;
    out->path = strndup(path, len);
    if (out->path == NULL)
        return err_nomem(e);
    if (len > 1 && !mf_name_is_path(out->path + 1))
        return err_set(e, ERR_USAGE, 0,
                       "%s: a part of the path is empty, \".\" or \"..\"",
                       path);
    out->text = io_format(e, FOLDER "%s", out->path);
    return out->text != NULL ? 0 : -1;
}

/* Bytes of the URI's scheme, "driver" or "driver+transport". */
static size_t scheme_of(const char *uri, size_t *driver)
{
    size_t n = 0;

    while (isalnum((unsigned char)uri[n]) || uri[n] == '-' || uri[n] == '.')
        n++;
    *driver = n;
    if (n > 0 && uri[n] == '+')
        while (isalnum((unsigned char)uri[++n])) {
        }
    return n;
}

static int parse_uri(const char *uri, struct eng_place *out, struct err *e)
{
    size_t driver = 0;
    bool bare = strncmp(uri, "//", 2) == 0;
    size_t scheme = bare ? 0 : scheme_of(uri, &driver);
    const char *rest = uri + scheme + (bare ? 0 : 1);

    if ((!bare && (driver == 0 || uri[scheme] != ':')) ||
        strncmp(rest, "//", 2) != 0)
        return err_set(e, ERR_USAGE, 0,
                       "%s: is no URI of libvirt such as qemu:///system", uri);
    bool here = scheme == driver ||
                (scheme == driver + strlen("+unix") &&
                 strncmp(uri + driver, "+unix", strlen("+unix")) == 0);
    if (!here || rest[2] != '/')
        return err_set(e, ERR_USAGE, 0,
                       "%s: leads to another host, but images are read on "
                       "this one: run objvault there, with %.*s://%s",
                       uri, bare ? 4 : (int)driver, bare ? "qemu" : uri,
                       strchr(rest + 2, '/') != NULL ? strchr(rest + 2, '/')
                                                     : "/system");
    out->kind = ENG_PLACE_LIBVIRT;
    out->uri = io_format(e, "%s%s", bare ? "qemu:" : "", uri);
    if (out->uri == NULL)
        return -1;
    out->text = io_format(e, LIBVIRT "%s", out->uri);
    return out->text != NULL ? 0 : -1;
}

int eng_place_parse(const char *text, struct eng_place *out, struct err *e)
{
    AUTO_ENG_PLACE struct eng_place p = { 0 };
    int r;

    *out = (struct eng_place){ 0 };
    if (!mf_name_is_plain(text, ENG_PLACE_MAX))
        return err_set(e, ERR_USAGE, 0,
                       "the place is empty, too long, not UTF-8, or has "
                       "control characters");
    if (strncmp(text, FOLDER, strlen(FOLDER)) == 0)
        r = parse_folder(text + strlen(FOLDER), &p, e);
    else if (strncmp(text, LIBVIRT, strlen(LIBVIRT)) == 0)
        r = parse_uri(text + strlen(LIBVIRT), &p, e);
    else
        r = err_set(e, ERR_USAGE, 0,
                    "%s: is neither " FOLDER "/path nor " LIBVIRT "URI", text);
    if (r < 0)
        return -1;
    *out = p;
    p = (struct eng_place){ 0 };
    return 0;
}
