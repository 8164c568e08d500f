// SPDX-License-Identifier: Apache-2.0
/* Configuration: what may be in it, and what is said about the rest. */
#include "tests/unit/engine/job/homed.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/json.h"
#include "engine/job/account.h"
#include "engine/job/fields.h"
#include "engine/job/kms_config.h"

/* Loading repos/main.json with this text fails so (behind the path). */
static void wrong(const struct fixture *f, const char *text,
                  const char *message)
{
    struct err e = { 0 };
    char want[700];
    put(f, "repos/main.json", text);
    (void)snprintf(want, sizeof want, "%s/repos/main.json: %s", f->config,
                   message);
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    assert_int_equal(eng_config_repo_load(&f->home, "main", &r, &e), -1);
    assert_string_equal(e.msg, want);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_null(r.name);
}

static void home_comes_from_options_then_environment_then_defaults(void **state)
{
    struct err e = { 0 };
    struct eng_home h = { 0 };
    (void)state;
    setenv("OBJVAULT_HOME", "/env/home", 1);
    setenv("OBJVAULT_STATE", "/env/state", 1);
    assert_int_equal(eng_home_init(&h, "/a", NULL, &e), 0);
    assert_string_equal(h.config, "/a");
    assert_string_equal(h.state, "/env/state");
    eng_home_fini(&h);
    assert_int_equal(eng_home_init(&h, NULL, "/b", &e), 0);
    assert_string_equal(h.config, "/env/home");
    assert_string_equal(h.state, "/b");
    eng_home_fini(&h);

    setenv("OBJVAULT_HOME", "", 1);
    unsetenv("OBJVAULT_STATE");
    setenv("HOME", "/home/me", 1);
    assert_int_equal(eng_home_init(&h, NULL, NULL, &e), 0);
    if (geteuid() == 0) {
        assert_string_equal(h.config, "/etc/objvault");
        assert_string_equal(h.state, "/var/lib/objvault");
    } else {
        assert_string_equal(h.config, "/home/me/.config/objvault");
        assert_string_equal(h.state, "/home/me/.local/state/objvault");
    }
    eng_home_fini(&h);
}

static void a_relative_home_is_made_absolute(void **state)
{
    struct err e = { 0 };
    struct eng_home h = { 0 };
    AUTO_MEM char *cwd = getcwd(NULL, 0);
    (void)state;
    assert_int_equal(eng_home_init(&h, "x/y", "z", &e), 0);
    AUTO_MEM char *want = io_join(cwd, "x/y", &e);
    assert_string_equal(h.config, want);
    eng_home_fini(&h);
    assert_int_equal(eng_home_init(&h, "", NULL, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_string_equal(e.msg, "--home is empty");
    assert_int_equal(eng_home_init(&h, "/x", "", &e), -1);
    assert_string_equal(e.msg, "--state is empty");
}

static char *dup_or_null(const char *s)
{
    return s != NULL ? strdup(s) : NULL;
}

static void a_saved_repository_is_loaded_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("main"),
        .url = dup_or_null("s3://bucket/a/b"),
        .driver = dup_or_null("s3"),
        .endpoint = dup_or_null("https://[::1]:9000"),
        .region = dup_or_null("eu-1"),
        .addressing = dup_or_null("virtual"),
        .ca = dup_or_null("/ca.pem"),
        .credentials = dup_or_null("keys"),
        .payload = dup_or_null("crc32c"),
        .max_clock_skew_s = 5400,
        .quota = UINT64_C(3) << 40,
        .quota_hard = (UINT64_C(3) << 40) + 1,
    };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo got = { 0 };
    if (eng_config_repo_save(&f->home, &r, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(eng_config_repo_load(&f->home, "main", &got, &e), 0);
    assert_string_equal(got.name, r.name);
    assert_string_equal(got.url, r.url);
    assert_string_equal(got.driver, r.driver);
    assert_string_equal(got.endpoint, r.endpoint);
    assert_string_equal(got.region, r.region);
    assert_string_equal(got.addressing, r.addressing);
    assert_string_equal(got.ca, r.ca);
    assert_string_equal(got.credentials, r.credentials);
    assert_string_equal(got.payload, r.payload);
    assert_int_equal(got.max_clock_skew_s, 5400);
    assert_int_equal(got.quota, r.quota);
    assert_int_equal(got.quota_hard, r.quota_hard);

    AUTO_BUF struct buf text = buf_init(4096);
    AUTO_MEM char *path = io_join(f->config, "repos/main.json", &e);
    assert_int_equal(io_read_file(path, &text, &e), 0);
    assert_non_null(strstr(buf_cstr(&text), "\"max_clock_skew\": \"90m\""));
    assert_non_null(strstr(buf_cstr(&text), "\"quota\": \"3T\""));
    assert_non_null(
        strstr(buf_cstr(&text), "\"quota_hard\": \"3298534883329\""));
}

static void settings_are_changed_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    uint64_t g = UINT64_C(1) << 30;
    uint64_t two = 2 * g;
    uint64_t none = 0;
    const struct eng_config_settings steps[] = { { .quota = &g },
                                                 { .quota_hard = &two },
                                                 { .quota = &none } };
    const uint64_t want[][2] = { { g, 0 }, { g, two }, { 0, two } };

    put(f, "repos/main.json", "{\"url\":\"file:///srv/r\"}");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        AUTO_ENG_CONFIG_REPO struct eng_config_repo now = { 0 };
        AUTO_ENG_CONFIG_REPO struct eng_config_repo got = { 0 };
        assert_int_equal(
            eng_config_repo_set(&f->home, "main", &steps[i], &now, &e), 0);
        assert_int_equal(eng_config_repo_load(&f->home, "main", &got, &e), 0);
        assert_int_equal(got.quota, want[i][0]);
        assert_int_equal(got.quota_hard, want[i][1]);
        assert_int_equal(now.quota, got.quota);
    }
    uint64_t four = 4 * g;
    const struct eng_config_settings wrong_way = { .quota = &four };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo now = { 0 };
    assert_int_equal(
        eng_config_repo_set(&f->home, "main", &wrong_way, &now, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

static void files_and_folders_are_for_the_owner_alone(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct stat st;
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("main"), .url = dup_or_null("file:///srv/r")
    };
    assert_int_equal(eng_config_repo_save(&f->home, &r, &e), 0);
    AUTO_MEM char *file = io_join(f->config, "repos/main.json", &e);
    AUTO_MEM char *folder = io_join(f->config, "repos", &e);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_taken_name_is_not_written_over(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("main"), .url = dup_or_null("file:///srv/r")
    };
    put(f, "repos/main.json", "// mine\n");
    assert_int_equal(eng_config_repo_save(&f->home, &r, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_non_null(strstr(e.msg, "a repository \"main\" is configured "
                                  "already"));
    AUTO_BUF struct buf text = buf_init(4096);
    AUTO_MEM char *path = io_join(f->config, "repos/main.json", &e);
    assert_int_equal(io_read_file(path, &text, &e), 0);
    assert_string_equal(buf_cstr(&text), "// mine\n");
}

static void a_wrong_repository_is_not_saved(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    char **names = NULL;
    size_t n = 0;
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("main"), .url = dup_or_null("ftp://x")
    };
    assert_int_equal(eng_config_repo_save(&f->home, &r, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(eng_config_names(&f->home, "repos", &names, &n, &e), 0);
    assert_int_equal(n, 0);
    eng_config_names_free(names, n);
}

static void comments_are_allowed(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    put(f, "repos/main.json",
        "// where\n{ /* here */ \"url\": \"s3://bucket\", \"ca\": null }\n");
    if (eng_config_repo_load(&f->home, "main", &r, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(r.url, "s3://bucket");
    assert_null(r.ca);
}

static void a_missing_repository_is_answered_with_those_there_are(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    char want[300];
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    assert_int_equal(eng_config_repo_load(&f->home, "x", &r, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    (void)snprintf(want, sizeof want,
                   "no repository \"x\" is configured; none is configured in "
                   "%s",
                   f->config);
    assert_string_equal(e.msg, want);
    put(f, "repos/b.json", "{}");
    put(f, "repos/a.json", "{}");
    assert_int_equal(eng_config_repo_load(&f->home, "x", &r, &e), -1);
    assert_string_equal(e.msg,
                        "no repository \"x\" is configured; there is a, b");
    assert_int_equal(eng_config_repo_load(&f->home, "../x", &r, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

static void wrong_files_are_refused_with_the_field(void **state)
{
    struct fixture *f = *state;
    wrong(f, "{\"url\":\"s3://bucket\",\"regoin\":\"x\"}",
          "regoin: unknown field; the nearest known one is \"region\"");
    wrong(f, "{}", "url: the field is missing");
    wrong(f, "{\"url\":\"\"}", "url: is empty");
    wrong(f, "{\"url\":\"s3://bucket\",\"region\":\"a\\u0007b\"}",
          "region: has a control character");
    wrong(f, "{\"url\":\"s3://bucket\",\"max_clock_skew\":\"soon\"}",
          "max_clock_skew: is no duration such as 30s, 15m or 12h");
    wrong(f, "{\"url\":\"s3://bucket\",\"max_clock_skew\":\"2d\"}",
          "max clock skew: must be 1s to 1d");
    wrong(f, "{\"url\":\"file:///a\",\"quota\":\"much\"}",
          "quota: is no size such as 512M, 500G or 2T");
    wrong(f, "{\"url\":\"file:///a\",\"quota\":\"2G\",\"quota_hard\":\"1G\"}",
          "quota hard: must not be less than the (soft) quota");
    wrong(f, "{\"url\":\"file:///a\",\"endpoint\":\"http://x\"}",
          "endpoint has no use with a file:/// URL");
}

/* Exact texts of base/json are its own tests' business. */
static void mistyped_and_broken_files_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        { "{\"url\":7}", "/repos/main.json: url: " },
        { "{\"url\":\"s3://bucket\",\"payload\":\"md5\"}", ": payload: " },
        { "{\"url\":\"s3://bucket\",\"max_clock_skew\":600}",
          ": max_clock_skew: " },
        { "{\"url\":\"s3://bucket\",\"url\":\"s3://other\"}", ": url: " },
        { "[]", "/repos/main.json: " },
        { "{\"url\":", "/repos/main.json: line 1, column " },
        { "", "/repos/main.json: line 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
        put(f, "repos/main.json", cases[i].text);
        assert_int_equal(eng_config_repo_load(&f->home, "main", &r, &e), -1);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (strstr(e.msg, cases[i].part) == NULL)
            fail_msg("%s: %s", cases[i].text, e.msg);
    }
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    AUTO_MEM char *text = malloc((2 << 20) + 1);
    assert_non_null(text);
    memset(text, ' ', 2 << 20);
    text[2 << 20] = '\0';
    put(f, "repos/main.json", text);
    assert_int_equal(eng_config_repo_load(&f->home, "main", &r, &e), -1);
    assert_int_equal(e.kind, ERR_CONFIG);
}

static void names_are_sorted_and_only_of_objects(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    char **names = NULL;
    size_t n = 0;
    assert_int_equal(eng_config_names(&f->home, "repos", &names, &n, &e), 0);
    assert_int_equal(n, 0);
    eng_config_names_free(names, n);
    for (int i = 0; i < 40; i++) {
        char file[40];
        (void)snprintf(file, sizeof file, "repos/r%02d.json", 39 - i);
        put(f, file, "{}");
    }
    put(f, "repos/.hidden.json", "{}");
    put(f, "repos/_odd.json", "{}");
    put(f, "repos/note.txt", "");
    put(f, "repos/.json", "");
    assert_int_equal(eng_config_names(&f->home, "repos", &names, &n, &e), 0);
    assert_int_equal(n, 40);
    assert_string_equal(names[0], "r00");
    assert_string_equal(names[39], "r39");
    eng_config_names_free(names, n);
    put(f, "file", "");
    assert_int_equal(eng_config_names(&f->home, "file", &names, &n, &e), -1);
    assert_non_null(strstr(e.msg, "read folder "));
}

static void removing_forgets_the_file_and_says_what_there_is(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    put(f, "repos/a.json", "{}");
    put(f, "repos/b.json", "{}");
    assert_int_equal(eng_config_repo_remove(&f->home, "a", &e), 0);
    assert_int_equal(eng_config_repo_remove(&f->home, "a", &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_string_equal(e.msg, "no repository \"a\" is configured; there is b");
    assert_int_equal(eng_config_repo_remove(&f->home, "../x", &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    AUTO_MEM char *folder = io_join(f->config, "repos/d.json", &e);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(eng_config_repo_remove(&f->home, "d", &e), -1);
    assert_non_null(strstr(e.msg, "remove "));
}

static void check_looks_at_every_file(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct seen s = { 0 };
    size_t bad = 99;
    assert_int_equal(eng_config_check(&f->home, on_file, &s, &bad, &e), 0);
    assert_int_equal(bad, 0);
    assert_int_equal(s.files, 0);
    put(f, "repos/good.json",
        "{\"url\":\"s3://bucket\",\"credentials\":\"keys\"}");
    put(f, "credentials/keys.json",
        "{\"access_key_id\":\"a\",\"secret_access_key\":\"b\"}");
    put(f, "credentials/all.json",
        "{\"access_key_id\":\"a\",\"secret_access_key\":{\"file\":\"f\"},"
        "\"session_token\":{\"command\":[\"a\",\"b\"]}}");
    assert_int_equal(eng_config_check(&f->home, on_file, &s, &bad, &e), 0);
    assert_int_equal(bad, 0);
    assert_int_equal(s.files, 3);
    assert_string_equal(s.messages, "");
}

static void a_pipe_in_the_place_of_a_file_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    char path[400];
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };

    put(f, "repos/other.json", "{}");
    (void)snprintf(path, sizeof path, "%s/repos/main.json", f->config);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(eng_config_repo_load(&f->home, "main", &r, &e), -1);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "is no regular file"));
}

static void check_reports_every_wrong_file(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct seen s = { 0 };
    size_t bad = 0;
    put(f, "repos/a.json", "{\"url\":\"s3://bucket\",\"credentials\":\"no\"}");
    put(f, "repos/b.json", "{\"url\":\"x\"}");
    put(f, "repos/_c.json", "{\"url\":\"s3://bucket\"}");
    put(f, "repos/good.json", "{\"url\":\"s3://bucket\"}");
    put(f, "credentials/d.json", "{\"access_key_id\":\"a\"}");
    assert_int_equal(eng_config_check(&f->home, on_file, &s, &bad, &e), 0);
    assert_int_equal(bad, 4);
    assert_int_equal(s.bad, 4);
    assert_int_equal(s.files, 5);
    assert_string_equal(
        s.messages,
        "_c.json: \"_c\" is no name: use letters, digits, '.', '_' and '-', "
        "at most 64, the first a letter or digit\n"
        "no.json: No such file or directory\n"
        "path\n"
        "d.json: secret_access_key: the field is missing; access_key_id is "
        "there\n");
}

/* Secrets are looked at, not resolved. */
static void wrong_secrets_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *secret;
        const char *message;
    } cases[] = {
        { "{}", "secret_access_key: needs exactly one of file, env and "
                "command" },
        { "{\"file\":\"a\",\"env\":\"b\"}",
          "secret_access_key: needs exactly one of file, env and command" },
        { "{\"fil\":\"a\"}", "secret_access_key.fil: unknown field; the "
                             "nearest known one is \"file\"" },
        { "{\"command\":[]}", "secret_access_key.command: is empty" },
        { "{\"env\":\"\"}", "secret_access_key.env: is empty" },
        { "\"\"", "secret_access_key: is empty" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        AUTO(eng_account_fini) struct eng_account a = { 0 };
        char text[300];
        (void)snprintf(text, sizeof text,
                       "{\"access_key_id\":\"a\",\"secret_access_key\":%s}",
                       cases[i].secret);
        assert_int_equal(
            eng_fields_decode(&eng_kind_credentials, span_str(text), &a, &e),
            -1);
        assert_string_equal(e.msg, cases[i].message);
    }
}

static struct json has_help(const struct json *properties,
                            const struct eng_field *f)
{
    struct json found = json_field(properties, f->name);
    struct json help = json_field(&found, "description");

    assert_string_equal(json_string(&help, 1000), f->help);
    return found;
}

/* With the fields of its own, and how many elements there may be. */
static void has_field(const struct json *properties, const struct eng_field *f)
{
    struct json found = has_help(properties, f);
    struct json items = json_optional(&found, "items");
    struct json max = json_optional(&found, "maxItems");
    const struct json *object = f->type == ENG_FIELD_OBJECTS ? &items : &found;

    if (f->type == ENG_FIELD_TEXTS || f->type == ENG_FIELD_OBJECTS)
        assert_int_equal(json_uint(&max, SIZE_MAX), f->max_n);
    if (f->object == NULL)
        return;
    struct json closed = json_field(object, "additionalProperties");
    struct json inner = json_field(object, "properties");
    assert_false(json_bool(&closed));
    for (size_t i = 0; i < f->object->n_fields; i++)
        (void)has_help(&inner, &f->object->fields[i]);
}

static void schemas_have_every_field(void **state)
{
    static const struct eng_kind *const kinds[] = {
        &eng_kind_repo,   &eng_kind_credentials, &eng_kind_kms,
        &eng_kind_source, &eng_kind_job,         &eng_kind_daemon,
        &eng_kind_prices
    };
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct err e = { 0 };
        AUTO_BUF struct buf out = buf_init(65536);
        assert_int_equal(
            eng_config_schema(eng_config_kinds[i], i == 0, &out, &e), 0);
        AUTO_JSON struct json_doc *doc =
            json_parse(buf_span(&out), JSON_STRICT, ERR_CORRUPT, &e);
        if (doc == NULL)
            fail_msg("%s", e.msg);
        struct json root = json_root(doc);
        struct json title = json_field(&root, "title");
        struct json properties = json_field(&root, "properties");
        assert_string_equal(json_string(&title, 100), kinds[i]->name);
        for (size_t j = 0; j < kinds[i]->n_fields; j++)
            has_field(&properties, &kinds[i]->fields[j]);
        assert_int_equal(json_failed(doc, &e), 0);
    }
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(65536);
    assert_null(eng_config_kinds[7]);
    assert_int_equal(eng_config_schema("jobs", true, &out, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_string_equal(e.msg,
                        "\"jobs\" is no kind of configuration: there are "
                        "repo, credentials, kms, source, job, daemon and "
                        "prices");
}

/* --- key servers --- */

static enum err_kind kms_is(char *pins, char *user, char *file, int64_t timeout)
{
    char name[] = "main";
    char path[] = "/etc/x.pem";
    char server[] = "kms1";
    struct err e = { 0 };
    const struct eng_config_kms k = { .name = name,
                                      .server = server,
                                      .ca = path,
                                      .cert = path,
                                      .key = path,
                                      .pins = pins,
                                      .user = user,
                                      .password_file = file,
                                      .timeout_s = timeout };

    return eng_config_kms_check(&k, &e) == 0 ? ERR_NONE : e.kind;
}

static void pins_users_and_timeouts_of_key_servers_are_checked(void **state)
{
    (void)state;
    char pin[2 * 64 + 2];
    char user[] = "u";
    char file[] = "/etc/password";
    char relative[] = "password";

    memset(pin, 'a', sizeof pin);
    pin[64] = ',';
    pin[129] = '\0';
    assert_int_equal(kms_is(NULL, NULL, NULL, 0), ERR_NONE);
    assert_int_equal(kms_is(pin, user, file, 3600), ERR_NONE);
    pin[128] = '\0';
    assert_int_equal(kms_is(pin, NULL, NULL, 0), ERR_USAGE);
    pin[65] = '\0';
    assert_int_equal(kms_is(pin, NULL, NULL, 0), ERR_USAGE);
    pin[64] = '\0';
    pin[0] = 'g';
    assert_int_equal(kms_is(pin, NULL, NULL, 0), ERR_USAGE);
    assert_int_equal(kms_is(NULL, user, NULL, 0), ERR_USAGE);
    assert_int_equal(kms_is(NULL, NULL, file, 0), ERR_USAGE);
    assert_int_equal(kms_is(NULL, user, relative, 0), ERR_USAGE);
    assert_int_equal(kms_is(NULL, NULL, NULL, 3601), ERR_USAGE);
    assert_int_equal(kms_is(NULL, NULL, NULL, -1), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_users_and_timeouts_of_key_servers_are_checked),
        cmocka_unit_test(
            home_comes_from_options_then_environment_then_defaults),
        cmocka_unit_test(a_relative_home_is_made_absolute),
        HOMED(a_saved_repository_is_loaded_as_it_was),
        HOMED(settings_are_changed_one_by_one),
        HOMED(files_and_folders_are_for_the_owner_alone),
        HOMED(a_taken_name_is_not_written_over),
        HOMED(a_wrong_repository_is_not_saved),
        HOMED(comments_are_allowed),
        HOMED(a_missing_repository_is_answered_with_those_there_are),
        HOMED(wrong_files_are_refused_with_the_field),
        HOMED(mistyped_and_broken_files_are_refused),
        HOMED(a_file_that_is_too_large_is_refused),
        HOMED(names_are_sorted_and_only_of_objects),
        HOMED(removing_forgets_the_file_and_says_what_there_is),
        HOMED(check_looks_at_every_file),
        HOMED(a_pipe_in_the_place_of_a_file_is_not_waited_for),
        HOMED(check_reports_every_wrong_file),
        cmocka_unit_test(wrong_secrets_are_refused),
        cmocka_unit_test(schemas_have_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
