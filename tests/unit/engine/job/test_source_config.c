// SPDX-License-Identifier: Apache-2.0
/* Configured sources: what sources/NAME.json may say, and how it comes and
 * goes. */
#include "tests/unit/engine/job/homed.h"

#include "engine/job/source_config.h"
#include "tests/unit/must.h"

static struct eng_config_source source(const char *name, const char *place)
{
    struct eng_config_source s = {
        .name = strdup(name),
        .place = place != NULL ? strdup(place) : NULL,
    };
    assert_non_null(s.name);
    return s;
}

static void load_fails(const struct fixture *f, const char *name,
                       enum err_kind kind, const char *part)
{
    struct err e = { 0 };
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = { 0 };

    assert_int_equal(eng_config_source_load(&f->home, name, &s, &e), -1);
    assert_int_equal(e.kind, kind);
    if (strstr(e.msg, part) == NULL)
        fail_msg("\"%s\": %s", part, e.msg);
}

static void a_source_is_saved_loaded_and_removed(void **state)
{
    const struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s =
        source("lab", "dir:/srv/vms");
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source back = { 0 };
    AUTO_ENG_PLACE struct eng_place p = { 0 };

    must(eng_config_source_save(&f->home, &s, why));
    assert_int_equal(eng_config_source_save(&f->home, &s, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    must(eng_config_source_load(&f->home, "lab", &back, why));
    assert_string_equal(back.name, "lab");
    must(eng_config_source_check(&back, &p, why));
    assert_string_equal(p.path, "/srv/vms");
    must(eng_config_source_remove(&f->home, "lab", why));
    load_fails(f, "lab", ERR_NOTFOUND, "no source \"lab\"");
    assert_int_equal(eng_config_source_remove(&f->home, "lab", &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void a_wrong_file_is_named_with_its_field(void **state)
{
    const struct fixture *f = *state;

    put(f, "sources/a.json", "{ \"plaice\": \"dir:/x\" }");
    load_fails(f, "a", ERR_CONFIG, "plaice");
    load_fails(f, "a", ERR_CONFIG, "\"place\"");
    put(f, "sources/b.json", "{ \"place\": \"dir:x\" }");
    load_fails(f, "b", ERR_CONFIG, "b.json: place: x: the path must be");
    put(f, "sources/c.json", "{}");
    load_fails(f, "c", ERR_CONFIG, "place");
    put(f, "sources/d.json", "{ // ours\n \"place\": \"libvirt:///system\" }");
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = { 0 };
    must(eng_config_source_load(&f->home, "d", &s, why));
}

static void ignore(void *ctx, const char *file, const struct err *problem)
{
    (void)file;
    *(int *)ctx += problem != NULL;
}

static void a_check_of_all_files_reads_sources(void **state)
{
    const struct fixture *f = *state;
    size_t bad = 0;
    int told = 0;

    put(f, "sources/a.json", "{ \"place\": \"/x\" }");
    put(f, "sources/b.json", "{ \"place\": \"dir:/x\" }");
    must(eng_config_check(&f->home, ignore, &told, &bad, why));
    assert_int_equal(bad, 1);
    assert_int_equal(told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOMED(a_source_is_saved_loaded_and_removed),
        HOMED(a_wrong_file_is_named_with_its_field),
        HOMED(a_check_of_all_files_reads_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
