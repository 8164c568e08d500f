// SPDX-License-Identifier: Apache-2.0
/*
 * Configuration files: finding, reading and writing them.  What is
 * inside one is said by the field tables; what its options mean together by
 * the kind's own check.
 */
#include "engine/job/config.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "engine/job/fields.h"

const struct eng_kind *const eng_kinds[] = {
    &eng_kind_repo, &eng_kind_credentials, &eng_kind_kms,    &eng_kind_source,
    &eng_kind_job,  &eng_kind_daemon,      &eng_kind_prices, NULL
};
const char *const eng_config_kinds[] = { "repo",   "credentials", "kms",
                                         "source", "job",         "daemon",
                                         "prices", NULL };

char *eng_config_path(const struct eng_home *h, const struct eng_kind *k,
                      const char *name, struct err *e)
{
    return io_format(e, "%s/%s/%s" ENG_CONFIG_SUFFIX, h->config, k->folder,
                     name);
}

void eng_config_names_free(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int eng_config_files(const char *folder, char ***files, size_t *n,
                     struct err *e)
{
    *files = NULL;
    *n = 0;
    AUTO_DIR DIR *d = opendir(folder);
    if (d == NULL && errno == ENOENT)
        return 0;
    if (d == NULL)
        return err_set(e, err_of_errno(errno), errno, "read folder %s", folder);
    char **list = NULL;
    size_t used = 0;
    size_t cap = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (entry == NULL)
            break;
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || len <= strlen(ENG_CONFIG_SUFFIX) ||
            strcmp(entry->d_name + len - strlen(ENG_CONFIG_SUFFIX),
                   ENG_CONFIG_SUFFIX) != 0)
            continue;
        if (used + 1 >= cap) {
            cap = cap == 0 ? 16 : cap * 2;
            char **more = reallocarray(list, cap, sizeof *list);
            if (more == NULL) {
                eng_config_names_free(list, used);
                return err_nomem(e);
            }
            list = more;
        }
        list[used] = strdup(entry->d_name);
        if (list[used] == NULL) {
            eng_config_names_free(list, used);
            return err_nomem(e);
        }
        list[++used] = NULL;
    }
    if (errno != 0) {
        eng_config_names_free(list, used);
        return err_set(e, ERR_IO, errno, "read folder %s", folder);
    }
    if (used > 0)
        qsort(list, used, sizeof *list, compare_names);
    *files = list;
    *n = used;
    return 0;
}

int eng_config_names(const struct eng_home *h, const char *kind, char ***names,
                     size_t *n, struct err *e)
{
    struct err ignored = { 0 };
    AUTO_MEM char *folder = io_join(h->config, kind, e);
    if (folder == NULL || eng_config_files(folder, names, n, e) < 0)
        return -1;
    size_t good = 0;
    for (size_t i = 0; i < *n; i++) {
        char *name = (*names)[i];
        name[strlen(name) - strlen(ENG_CONFIG_SUFFIX)] = '\0';
        if (eng_config_name_check(name, &ignored) == 0)
            (*names)[good++] = name;
        else
            free(name);
    }
    if (*names != NULL)
        (*names)[good] = NULL;
    *n = good;
    return 0;
}

int eng_config_read(const struct eng_kind *k, const char *path, void *out,
                    struct err *e)
{
    AUTO_BUF struct buf text = buf_init(ENG_CONFIG_BYTES_MAX);
    struct stat st;
    /* A pipe would be waited for, for ever. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(e, ERR_CONFIG, 0, "%s: is no regular file", path);
    if (io_read_file(path, &text, e) < 0) {
        if (e->kind == ERR_CORRUPT) /* larger than a file may be */
            e->kind = ERR_CONFIG;
        return -1;
    }
    if (eng_fields_decode(k, buf_span(&text), out, e) < 0)
        return err_ctx(e, "%s", path);
    return 0;
}

int eng_config_repo_read(const char *path, const char *name,
                         struct eng_config_repo *out, struct err *e)
{
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    r.name = strdup(name);
    if (r.name == NULL)
        return err_nomem(e);
    if (eng_config_read(&eng_kind_repo, path, &r, e) < 0)
        return -1;
    if (eng_config_repo_check(&r, e) < 0) {
        e->kind = ERR_CONFIG;
        return err_ctx(e, "%s", path);
    }
    *out = r;
    r = (struct eng_config_repo){ 0 };
    return 0;
}

int eng_config_prices_load(const struct eng_home *h,
                           struct eng_config_prices *out, struct err *e)
{
    static const struct eng_prices example = {
        .requests = { [OBJ_PUT] = 0.005,
                      [OBJ_GET] = 0.0005,
                      [OBJ_HEAD] = 0.0005,
                      [OBJ_LIST] = 0.005,
                      [OBJ_RETENTION] = 0.005,
                      [OBJ_BUCKET] = 0.0005 },
        .stored = 0.02,
        .received = 0.1,
    };
    AUTO_ENG_CONFIG_PRICES struct eng_config_prices p = { 0 };
    AUTO_MEM char *path = io_join(h->config, eng_kind_prices.file, e);

    *out = (struct eng_config_prices){ 0 };
    if (path == NULL)
        return -1;
    if (eng_config_read(&eng_kind_prices, path, &p, e) < 0) {
        if (e->kind != ERR_NOTFOUND)
            return -1;
        *e = (struct err){ 0 };
        p = (struct eng_config_prices){ .currency = strdup("USD"),
                                        .prices = example,
                                        .example = true };
        if (p.currency == NULL)
            return err_nomem(e);
    }
    *out = p;
    p = (struct eng_config_prices){ 0 };
    return 0;
}

void eng_config_prices_fini(struct eng_config_prices *p)
{
    free(p->currency);
    *p = (struct eng_config_prices){ 0 };
}

int eng_config_not_there(const struct eng_home *h, const struct eng_kind *k,
                         const char *name, struct err *e)
{
    struct err ignored = { 0 };
    char **names = NULL;
    size_t n = 0;

    (void)err_set(e, ERR_NOTFOUND, 0, "no %s \"%s\" is configured", k->noun,
                  name);
    if (eng_config_names(h, k->folder, &names, &n, &ignored) < 0)
        return -1;
    AUTO_BUF struct buf list = buf_init(300);
    for (size_t i = 0; i < n && !list.failed; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    eng_config_names_free(names, n);
    if (n == 0)
        return err_hint(e, "none is configured in %s", h->config);
    if (list.failed)
        return err_hint(e, "there are %zu others", n);
    return err_hint(e, "there is %s", buf_cstr(&list));
}

char *eng_config_find(const struct eng_home *h, const struct eng_kind *k,
                      const char *name, struct err *e)
{
    if (eng_config_name_check(name, e) < 0) {
        (void)err_ctx(e, "%s", k->noun);
        return NULL;
    }
    return eng_config_path(h, k, name, e);
}

int eng_config_repo_load(const struct eng_home *h, const char *name,
                         struct eng_config_repo *out, struct err *e)
{
    *out = (struct eng_config_repo){ 0 };
    AUTO_MEM char *path = eng_config_find(h, &eng_kind_repo, name, e);
    if (path == NULL)
        return -1;
    if (eng_config_repo_read(path, name, out, e) == 0)
        return 0;
    return e->kind != ERR_NOTFOUND
               ? -1
               : eng_config_not_there(h, &eng_kind_repo, name, e);
}

int eng_config_write(const struct eng_home *h, const struct eng_kind *k,
                     const char *name, const void *object, struct err *e)
{
    AUTO_MEM char *path = eng_config_path(h, k, name, e);
    AUTO_BUF struct buf text = buf_init(ENG_CONFIG_BYTES_MAX);
    if (path == NULL || eng_fields_encode(k, object, &text, e) < 0 ||
        io_mkdirs_for(path, 0700, e) < 0)
        return -1;
    if (io_write_file(path, buf_span(&text), 0600, true, e) == 0)
        return 0;
    if (e->kind == ERR_EXISTS)
        return err_set(e, ERR_EXISTS, 0,
                       "a %s \"%s\" is configured already (%s)", k->noun, name,
                       path);
    return -1;
}

int eng_config_repo_save(const struct eng_home *h,
                         const struct eng_config_repo *r, struct err *e)
{
    if (eng_config_repo_check(r, e) < 0)
        return -1;
    return eng_config_write(h, &eng_kind_repo, r->name, r, e);
}

/* What is written anew has no comments any more. */
static int refuse_comments(const char *path, struct err *e)
{
    struct err ignored = { 0 };
    AUTO_BUF struct buf text = buf_init(ENG_CONFIG_BYTES_MAX);
    if (io_read_file(path, &text, e) < 0)
        return -1;
    AUTO_JSON struct json_doc *doc =
        json_parse(buf_span(&text), JSON_STRICT, ERR_CONFIG, &ignored);
    if (doc != NULL)
        return 0;
    return err_set(e, ERR_CONFIG, 0,
                   "%s has comments, which writing it anew would lose", path);
}

int eng_config_rewrite(const struct eng_home *h, const struct eng_kind *k,
                       const char *name, const void *object, struct err *e)
{
    struct stat st;
    AUTO_MEM char *path = eng_config_path(h, k, name, e);
    AUTO_BUF struct buf text = buf_init(ENG_CONFIG_BYTES_MAX);
    if (path == NULL || refuse_comments(path, e) < 0 ||
        eng_fields_encode(k, object, &text, e) < 0)
        return -1;
    mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;
    return io_write_file(path, buf_span(&text), mode, false, e);
}

int eng_config_repo_set_probe(const struct eng_home *h, const char *name,
                              const struct eng_probe_record *probe,
                              struct err *e)
{
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    if (eng_config_repo_load(h, name, &r, e) < 0)
        return -1;
    r.probe = *probe;
    return eng_config_rewrite(h, &eng_kind_repo, name, &r, e);
}

int eng_config_repo_set(const struct eng_home *h, const char *name,
                        const struct eng_config_settings *s,
                        struct eng_config_repo *now, struct err *e)
{
    if (eng_config_repo_load(h, name, now, e) < 0)
        return -1;
    if (s->immutable_s != NULL)
        now->immutable_s = *s->immutable_s;
    if (s->quota != NULL)
        now->quota = *s->quota;
    if (s->quota_hard != NULL)
        now->quota_hard = *s->quota_hard;
    if (eng_config_repo_check(now, e) < 0)
        return -1;
    return eng_config_rewrite(h, &eng_kind_repo, name, now, e);
}

int eng_config_remove(const struct eng_home *h, const struct eng_kind *k,
                      const char *name, struct err *e)
{
    AUTO_MEM char *path = eng_config_find(h, k, name, e);
    AUTO_MEM char *folder =
        path != NULL ? io_join(h->config, k->folder, e) : NULL;
    if (folder == NULL)
        return -1;
    if (unlink(path) == 0)
        return io_fsync_dir(folder, e);
    if (errno == ENOENT)
        return eng_config_not_there(h, k, name, e);
    return err_set(e, err_of_errno(errno), errno, "remove %s", path);
}

int eng_config_repo_remove(const struct eng_home *h, const char *name,
                           struct err *e)
{
    return eng_config_remove(h, &eng_kind_repo, name, e);
}

int eng_config_schema(const char *kind, bool indented, struct buf *out,
                      struct err *e)
{
    for (size_t i = 0; eng_kinds[i] != NULL; i++)
        if (strcmp(eng_kinds[i]->name, kind) == 0)
            return eng_fields_schema(eng_kinds[i], indented, out, e);
    AUTO_BUF struct buf names = buf_init(200);
    for (size_t i = 0; eng_kinds[i] != NULL; i++)
        buf_printf(&names, "%s%s",
                   i == 0                     ? ""
                   : eng_kinds[i + 1] == NULL ? " and "
                                              : ", ",
                   eng_kinds[i]->name);
    return err_set(e, ERR_USAGE, 0,
                   "\"%.40s\" is no kind of configuration: there are %s", kind,
                   buf_cstr(&names));
}
