// SPDX-License-Identifier: Apache-2.0
/* kms/NAME.json: reading, writing and checking it. */
#include "engine/job/kms_config.h"

#include <ctype.h>
#include <string.h>

#include "engine/job/fields.h"
#include "engine/job/kms_servers.h"

static int check_file(const char *what, const char *path, struct err *e)
{
    if (path != NULL && path[0] == '/')
        return 0;
    return err_set(e, ERR_USAGE, 0, "%s %s: the path must be absolute", what,
                   path != NULL ? path : "");
}

int eng_config_kms_check(const struct eng_config_kms *k, struct err *e)
{
    AUTO(eng_kms_servers_fini) struct eng_kms_servers servers = { 0 };
    struct kms_pin pins[ENG_KMS_PINS_MAX];
    size_t n_pins = 0;

    if (eng_config_name_check(k->name, e) < 0)
        return err_ctx(e, "key server");
    if (k->server == NULL)
        return err_set(e, ERR_USAGE, 0, "key server %s has no server", k->name);
    if (eng_kms_servers_parse(k->server, &servers, e) < 0 ||
        check_file("ca", k->ca, e) < 0 || check_file("cert", k->cert, e) < 0)
        return -1;
    if (check_file("key", k->key, e) < 0 ||
        eng_kms_pins_parse(k->pins, pins, &n_pins, e) < 0)
        return -1;
    if ((k->user == NULL) != (k->password_file == NULL))
        return err_set(e, ERR_USAGE, 0,
                       "a user and the file of its password go together");
    if (k->timeout_s < 0 || k->timeout_s > ENG_KMS_TIMEOUT_MAX_S)
        return err_set(e, ERR_USAGE, 0, "timeout: 1s to 1h");
    return k->user != NULL ? check_file("password_file", k->password_file, e)
                           : 0;
}

void eng_config_kms_fini(struct eng_config_kms *k)
{
    free(k->name);
    free(k->server);
    free(k->ca);
    free(k->cert);
    free(k->key);
    free(k->kmip_version);
    free(k->mode);
    free(k->pins);
    free(k->user);
    free(k->password_file);
    *k = (struct eng_config_kms){ 0 };
}

int eng_config_kms_read(const char *path, const char *name,
                        struct eng_config_kms *out, struct err *e)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms k = { .name = strdup(name) };

    if (k.name == NULL)
        return err_nomem(e);
    if (eng_config_read(&eng_kind_kms, path, &k, e) < 0)
        return -1;
    if (eng_config_kms_check(&k, e) < 0) {
        e->kind = ERR_CONFIG;
        return err_ctx(e, "%s", path);
    }
    *out = k;
    k = (struct eng_config_kms){ 0 };
    return 0;
}

int eng_config_kms_load(const struct eng_home *h, const char *name,
                        struct eng_config_kms *out, struct err *e)
{
    *out = (struct eng_config_kms){ 0 };
    AUTO_MEM char *path = eng_config_find(h, &eng_kind_kms, name, e);
    if (path == NULL)
        return -1;
    if (eng_config_kms_read(path, name, out, e) == 0)
        return 0;
    return e->kind != ERR_NOTFOUND
               ? -1
               : eng_config_not_there(h, &eng_kind_kms, name, e);
}

int eng_config_kms_save(const struct eng_home *h,
                        const struct eng_config_kms *k, struct err *e)
{
    if (eng_config_kms_check(k, e) < 0)
        return -1;
    return eng_config_write(h, &eng_kind_kms, k->name, k, e);
}

int eng_config_kms_remove(const struct eng_home *h, const char *name,
                          struct err *e)
{
    return eng_config_remove(h, &eng_kind_kms, name, e);
}
