// SPDX-License-Identifier: Apache-2.0
/* sources/NAME.json: reading, writing and checking it. */
#include "engine/job/source_config.h"

#include <string.h>

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

int eng_config_source_load(const struct eng_home *h, const char *name,
                           struct eng_config_source *out, struct err *e)
{
    *out = (struct eng_config_source){ 0 };
    AUTO_MEM char *path = eng_config_find(h, &eng_kind_source, name, e);
    if (path == NULL)
        return -1;
    if (eng_config_source_read(path, name, out, e) == 0)
        return 0;
    return e->kind != ERR_NOTFOUND
               ? -1
               : eng_config_not_there(h, &eng_kind_source, name, e);
}

struct eng_inventory *eng_config_source_look(const struct eng_home *h,
                                             const char *name,
                                             const struct cancel *cancel,
                                             struct err *e)
{
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = { 0 };
    AUTO_ENG_PLACE struct eng_place place = { 0 };

    if (eng_config_source_load(h, name, &s, e) < 0 ||
        eng_config_source_check(&s, &place, e) < 0)
        return NULL;
    return eng_inventory_read(&place, cancel, e);
}

int eng_config_source_save(const struct eng_home *h,
                           const struct eng_config_source *s, struct err *e)
{
    if (eng_config_source_check(s, NULL, e) < 0)
        return -1;
    return eng_config_write(h, &eng_kind_source, s->name, s, e);
}

int eng_config_source_remove(const struct eng_home *h, const char *name,
                             struct err *e)
{
    return eng_config_remove(h, &eng_kind_source, name, e);
}
