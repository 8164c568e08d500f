// SPDX-License-Identifier: Apache-2.0
/* sources/NAME.json: reading, writing and checking it. */
#include "engine/job/source_config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/job/fields.h"

int eng_config_source_check(const struct eng_config_source *s,
                            struct eng_place *place, struct err *e)
{
    AUTO_ENG_PLACE struct eng_place p = { 0 };

    if (eng_config_name_check(s->name, e) < 0)
        return err_ctx(e, "source");
    if (s->place == NULL)
        return err_set(e, ERR_USAGE, 0, "source %s has no place", s->name);
    if (eng_place_parse(s->place, &p, e) < 0)
        return err_ctx(e, "place");
    if (place != NULL) {
        *place = p;
        p = (struct eng_place){ 0 };
    }
    return 0;
}

void eng_config_source_fini(struct eng_config_source *s)
{
    free(s->name);
    free(s->place);
    *s = (struct eng_config_source){ 0 };
}

int eng_config_source_read(const char *path, const char *name,
                           struct eng_config_source *out, struct err *e)
{
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = { .name =
                                                              strdup(name) };

    if (s.name == NULL)
        return err_nomem(e);
    if (eng_config_read(&eng_kind_source, path, &s, e) < 0)
        return -1;
    if (eng_config_source_check(&s, NULL, e) < 0) {
        e->kind = ERR_CONFIG;
        return err_ctx(e, "%s", path);
    }
    *out = s;
    s = (struct eng_config_source){ 0 };
    return 0;
}

static int not_there(const char *name, struct err *e)
{
    (void)err_set(e, ERR_NOTFOUND, 0, "no source \"%s\" is configured", name);
    return err_hint(e, "see objvault source list");
}

int eng_config_source_load(const struct eng_home *h, const char *name,
                           struct eng_config_source *out, struct err *e)
{
    *out = (struct eng_config_source){ 0 };
    if (eng_config_name_check(name, e) < 0)
        return err_ctx(e, "source");
    AUTO_MEM char *path = eng_config_path(h, &eng_kind_source, name, e);
    if (path == NULL)
        return -1;
    if (eng_config_source_read(path, name, out, e) == 0)
        return 0;
    return e->kind == ERR_NOTFOUND ? not_there(name, e) : -1;
}

int eng_config_source_save(const struct eng_home *h,
                           const struct eng_config_source *s, struct err *e)
{
    if (eng_config_source_check(s, NULL, e) < 0)
        return -1;
    AUTO_MEM char *path = eng_config_path(h, &eng_kind_source, s->name, e);
    AUTO_BUF struct buf text = buf_init(ENG_CONFIG_BYTES_MAX);
    if (path == NULL || eng_fields_encode(&eng_kind_source, s, &text, e) < 0 ||
        io_mkdirs_for(path, 0700, e) < 0)
        return -1;
    if (io_write_file(path, buf_span(&text), 0600, true, e) == 0)
        return 0;
    if (e->kind == ERR_EXISTS)
        return err_set(e, ERR_EXISTS, 0,
                       "a source \"%s\" is configured already (%s)", s->name,
                       path);
    return -1;
}

int eng_config_source_remove(const struct eng_home *h, const char *name,
                             struct err *e)
{
    if (eng_config_name_check(name, e) < 0)
        return err_ctx(e, "source");
    AUTO_MEM char *path = eng_config_path(h, &eng_kind_source, name, e);
    AUTO_MEM char *folder = io_join(h->config, eng_kind_source.folder, e);
    if (path == NULL || folder == NULL)
        return -1;
    if (unlink(path) == 0)
        return io_fsync_dir(folder, e);
    if (errno == ENOENT)
        return not_there(name, e);
    return err_set(e, err_of_errno(errno), errno, "remove %s", path);
}
