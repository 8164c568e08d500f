// SPDX-License-Identifier: Apache-2.0
/* The program as it is started: backing up, looking, restoring, deleting, and
 * the documents of --json. */
#include "tests/unit/cli/program.h"

static void a_vm_is_backed_up_listed_verified_and_restored(void **state)
{
    struct fixture *f = *state;
    make_point(f);
    out_has(f, "web1@");
    assert_int_equal(f->err.len, 0);
    run(f, "point list", 0);
    out_has(f, "POINT");
    run(f, "point show web1@latest", 0);
    out_has(f, "vda.raw");
    run(f, "point verify web1@latest", 0);
    run(f, "point verify web1@latest --level list", 0);
    run(f, "restore disk web1@latest --to disk.img", 0);
    assert_true(same("disk.img", "vms/web1/vda.raw"));
    run(f, "restore disk web1@latest --to disk.img", 2);
    run(f, "restore disk web1@latest vda.raw --to disk.img --force", 0);
    run(f, "restore disk web1@latest vdb --to x.img", 4);
    run(f, "restore vm web1@latest --to back", 0);
    assert_true(same("back/vda.raw", "vms/web1/vda.raw"));
    run(f, "restore vm web1@latest --to back", 2);
}

static void an_image_on_stdout_is_alone_there(void **state)
{
    struct fixture *f = *state;
    make_point(f);
    run(f, "restore disk web1@latest --to -", 0);
    assert_true(same("out", "vms/web1/vda.raw"));
    err_has(f, "restored web1@");
    run(f, "restore disk web1@latest --to - --json", 2);
    run(f, "restore disk web1@latest --to - --format qcow2", 2);
    run(f, "restore disk web1@latest --to - --progress-json 1", 2);
}

static void documents_have_what_they_promise(void **state)
{
    struct fixture *f = *state;
    static const char *const lines[] = {
        "repo show main --json",
        "repo list --json",
        "repo stats main --json",
        "point list --json",
        "point show web1@latest --json",
        "point export web1@latest --json",
        "point verify web1@latest --json",
        "point delete web1@latest --dry-run --json",
        "point protect web1@latest --json",
        "point unprotect web1@latest --json",
        "restore disk web1@latest --to d.img --json",
        "restore vm web1@latest --to d --json",
        "config check --json",
    };
    make_point(f);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        run(f, lines[i], 0);
        assert_int_equal(f->err.len, 0);
        AUTO_JSON struct json_doc *doc = document(f);
        struct json root = json_root(doc);
        struct json ok = json_field(&root, "ok");
        assert_true(json_bool(&ok));
    }
}

static void point_list_has_every_member(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    static const char *const fields[] = { "point",
                                          "vm",
                                          "sealed",
                                          "keyset",
                                          "repo",
                                          "job",
                                          "time",
                                          "kind",
                                          "chain",
                                          "parent",
                                          "consistency",
                                          "gfs",
                                          "source_bytes",
                                          "read_bytes",
                                          "new_bytes",
                                          "stored_bytes",
                                          "visible_until",
                                          "locked_until",
                                          "state",
                                          "kept",
                                          NULL };
    make_point(f);
    make_disk("vms/web1/vda.raw", 1);
    run(f, "backup run vms/web1", 0);
    run(f, "point list --vm web1 --json", 0);
    AUTO_JSON struct json_doc *doc = document(f);
    struct json root = json_root(doc);
    struct json points = json_field(&root, "points");
    assert_int_equal(json_array(&points, 2), 2);
    struct json first = json_at(&points, 0);
    struct json second = json_at(&points, 1);
    for (size_t i = 0; fields[i] != NULL; i++)
        (void)json_field(&first, fields[i]);
    json_object(&first, fields);
    struct json name = json_field(&first, "point");
    struct json parent = json_field(&second, "parent");
    struct json kind = json_field(&second, "kind");
    assert_string_equal(json_string(&name, 100), json_string(&parent, 100));
    assert_string_equal(json_string(&kind, 100), "incremental");
    if (json_failed(doc, &e) < 0)
        fail_msg("%s", e.msg);
    run(f, "point list --vm other --json", 0);
    assert_string_equal(buf_cstr(&f->out), "{\"ok\":true,\"points\":[]}\n");
}

static void backup_run_has_every_member(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    static const char *const fields[] = {
        "vm",         "status",     "point",         "kind",
        "read_bytes", "new_blocks", "reused_blocks", "stored_bytes",
        "seconds",    "bottleneck", "busy",          "requests",
        "kept",       "messages",   "keyset",        NULL
    };
    make_point(f);
    make_disk("vms/web2.raw", 2);
    run(f, "backup run vms/web2.raw --vm other --json", 0);
    AUTO_JSON struct json_doc *doc = document(f);
    struct json root = json_root(doc);
    struct json status = json_field(&root, "status");
    struct json vms = json_field(&root, "vms");
    assert_string_equal(json_string(&status, 100), "success");
    assert_int_equal(json_array(&vms, 1), 1);
    struct json vm = json_at(&vms, 0);
    json_object(&vm, fields);
    for (size_t i = 0; fields[i] != NULL; i++)
        (void)json_field(&vm, fields[i]);
    struct json blocks = json_field(&vm, "new_blocks");
    struct json requests = json_field(&vm, "requests");
    struct json puts = json_field(&requests, "put");
    assert_int_equal(json_uint(&blocks, 100), 2);
    /* Two blocks, a page, a manifest. */
    assert_int_equal(json_uint(&puts, 100), 4);
    if (json_failed(doc, &e) < 0)
        fail_msg("%s", e.msg);
}

static void one_vm_that_fails_does_not_stop_the_others(void **state)
{
    struct fixture *f = *state;
    make_point(f);
    run(f, "backup run vms/none vms/web1 --json", 3);
    out_has(f, "{\"ok\":true,\"status\":\"warning\",\"vms\":[{\"vm\":\"vms/"
               "none\",\"status\":\"failed\",\"point\":null,\"kind\":null,");
    out_has(f, "{\"vm\":\"web1\",\"status\":\"success\",\"point\":\"web1@");
    err_has(f, "objvault: vms/none: ");
    run(f, "backup run vms/none vms/nix", 4);
    run(f, "backup run vms/none --json", 4);
    out_has(f, "{\"ok\":false,\"error\":{\"code\":\"not-found\",\"exit\":4,");
    out_has(f, "\"status\":\"failed\",\"vms\":[{");
}

static void sources_must_be_told_apart(void **state)
{
    struct fixture *f = *state;
    make_point(f);
    make_disk("other/web1/vda.raw", 5);
    run(f, "backup run vms/web1 other/web1", 2);
    err_has(f, "vms/web1 and other/web1 would both be VM web1");
    run(f, "backup run vms/web1 other/web1 --vm x", 2);
    err_has(f, "--vm names one VM, but there are 2 sources");
    run(f, "backup run other/web1", 2);
    run(f, "backup run other/web1 --adopt", 0);
}

static void a_dry_run_stores_nothing(void **state)
{
    struct fixture *f = *state;
    make_point(f);
    make_disk("vms/web1/vda.raw", 9);
    run(f, "backup run vms/web1 --dry-run --json", 0);
    out_has(f, "\"point\":null");
    run(f, "point list --json", 0);
    AUTO_JSON struct json_doc *doc = document(f);
    struct json root = json_root(doc);
    struct json points = json_field(&root, "points");
    assert_int_equal(json_array(&points, 10), 1);
}

static void quiet_says_nothing_about_success(void **state)
{
    struct fixture *f = *state;
    make_point(f);
    run(f, "backup run vms/web1 --quiet", 0);
    assert_int_equal(f->out.len + f->err.len, 0);
    run(f, "restore vm web1@latest --to q --quiet", 0);
    assert_int_equal(f->out.len + f->err.len, 0);
    run(f, "point list --quiet", 0);
    out_has(f, "web1@");
}

static void deleting_needs_a_yes_where_nobody_can_be_asked(void **state)
{
    struct fixture *f = *state;
    char name[64];
    char line[128];
    make_point(f);
    point_name(f, name);
    (void)snprintf(line, sizeof line, "point delete %s", name);
    run(f, line, 2);
    err_has(f, "say --yes");
    (void)snprintf(line, sizeof line, "point delete %s --dry-run", name);
    run(f, line, 0);
    out_has(f, "would be deleted");
    (void)snprintf(line, sizeof line, "point show %s", name);
    run(f, line, 0);
    (void)snprintf(line, sizeof line, "point delete %s --yes --json", name);
    run(f, line, 0);
    out_has(f, "\"deleted\":true,\"dry_run\":false}");
    run(f, line, 4);
}

static void a_point_is_found_where_only_one_repository_has_it(void **state)
{
    struct fixture *f = *state;
    char line[200];
    make_point(f);
    (void)snprintf(line, sizeof line, "repo create second file://%s/two",
                   f->dir);
    run(f, line, 0);
    run(f, "point show web1@latest --json", 0);
    out_has(f, "\"repo\":\"main\"");
    run(f, "point show nix@latest", 4);
    err_has(f, "in any repository (main, second)");
    run(f, "backup run vms/web1", 2);
    run(f, "backup run vms/web1 --repo second", 0);
    run(f, "point show web1@latest", 2);
    err_has(f, "say --repo with one of main, second");
    run(f, "point show web1@latest --repo second --json", 0);
    out_has(f, "\"repo\":\"second\"");
    run(f, "point show nonsense", 2);
}

/* Damages every file below a folder: a byte in its middle. */
static int flip(const char *path, const struct stat *st, int flag,
                struct FTW *ftw)
{
    (void)ftw;
    if (flag != FTW_F || st->st_size == 0)
        return 0;
    uint8_t b = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    off_t at = st->st_size / 2;
    if (fd < 0 || pread(fd, &b, 1, at) != 1)
        return -1;
    b ^= 0xff;
    ssize_t n = pwrite(fd, &b, 1, at);
    (void)close(fd);
    return n == 1 ? 0 : -1;
}

static void damage_is_named_and_never_restored(void **state)
{
    struct fixture *f = *state;
    make_point(f);
    assert_int_equal(nftw("repo/plain/blocks", flip, 8, FTW_PHYS), 0);
    run(f, "point verify web1@latest --json", 7);
    one_document(f);
    out_has(f, "{\"ok\":false,\"error\":{\"code\":\"corrupt\",\"exit\":7,");
    out_has(f, "\"damaged\":2,\"messages\":[\"");
    run(f, "restore disk web1@latest --to d.img", 7);
    assert_int_equal(access("d.img", F_OK), -1);
    assert_int_equal(nftw("repo/plain/points", flip, 8, FTW_PHYS), 0);
    run(f, "point list", 0);
    out_has(f, "damaged");
    err_has(f, "objvault: web1: damaged: ");
    run(f, "point show web1@latest", 7);
}

static void the_manifest_is_exported_as_it_is_stored(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    make_point(f);
    run(f, "point export web1@latest", 0);
    AUTO_JSON struct json_doc *doc =
        json_parse(buf_span(&f->out), JSON_STRICT, ERR_CORRUPT, &e);
    assert_non_null(doc);
    out_has(f, "\"web1\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_vm_is_backed_up_listed_verified_and_restored),
        IN_FOLDER(an_image_on_stdout_is_alone_there),
        IN_FOLDER(documents_have_what_they_promise),
        IN_FOLDER(point_list_has_every_member),
        IN_FOLDER(backup_run_has_every_member),
        IN_FOLDER(one_vm_that_fails_does_not_stop_the_others),
        IN_FOLDER(sources_must_be_told_apart),
        IN_FOLDER(a_dry_run_stores_nothing),
        IN_FOLDER(quiet_says_nothing_about_success),
        IN_FOLDER(deleting_needs_a_yes_where_nobody_can_be_asked),
        IN_FOLDER(a_point_is_found_where_only_one_repository_has_it),
        IN_FOLDER(damage_is_named_and_never_restored),
        IN_FOLDER(the_manifest_is_exported_as_it_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
