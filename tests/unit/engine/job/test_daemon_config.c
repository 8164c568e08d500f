// SPDX-License-Identifier: Apache-2.0
/* daemon.json. */
#include "engine/job/daemon_config.h"
#include "tests/unit/engine/job/homed.h"

static void without_a_file_the_defaults_hold(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    char room[ENG_ZONE_NAME_CHARS];
    struct eng_schedule s;
    AUTO_ENG_CONFIG_DAEMON struct eng_config_daemon d = { 0 };

    assert_int_equal(eng_config_daemon_load(&f->home, &d, &e), 0);
    assert_true(eng_config_daemon_zone(&d, room)[0] != '\0');
    eng_config_daemon_collect(&d, &s);
    assert_int_equal(s.kind, ENG_SCHEDULE_DAILY);
    assert_int_equal(s.minute, 6 * 60);
    eng_config_daemon_check(&d, &s);
    assert_int_equal(s.kind, ENG_SCHEDULE_MONTHLY);
    assert_int_equal(s.week, ENG_SCHEDULE_LAST_WEEK);
    assert_int_equal(s.weekday, 6);
}

static void what_it_says_is_read(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct eng_schedule s;
    AUTO_ENG_CONFIG_DAEMON struct eng_config_daemon d = { 0 };

    put(f, "daemon.json",
        "{ // comments are fine\n\"timezone\": \"Europe/Berlin\","
        "\"collect\": \"manual\", \"check\": \"daily 09:00\","
        "\"check_level\": \"sample\", \"metrics\": \"/run/objvault.prom\","
        "\"max_runs\": 2, \"keep_history\": \"30d\"}");
    if (eng_config_daemon_load(&f->home, &d, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(d.timezone, "Europe/Berlin");
    assert_string_equal(d.check_level, "sample");
    assert_string_equal(d.metrics, "/run/objvault.prom");
    assert_int_equal(d.max_runs, 2);
    assert_int_equal(d.keep_history_s, 30 * 86400);
    eng_config_daemon_collect(&d, &s);
    assert_int_equal(s.kind, ENG_SCHEDULE_MANUAL);
    eng_config_daemon_check(&d, &s);
    assert_int_equal(s.minute, 9 * 60);
}

static void what_is_wrong_is_refused_with_file_and_field(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "{\"colect\": \"manual\"}", "\"collect\"" },
        { "{\"collect\": \"daily 25:00\"}", "collect: " },
        { "{\"collect\": \"after nightly\"}", "collect: needs daily" },
        { "{\"check\": \"continuously\"}", "check: needs daily" },
        { "{\"check_level\": \"full\"}", "check_level" },
        { "{\"timezone\": \"Europe/Atlantis\"}", "timezone: " },
        { "{\"metrics\": \"here.prom\"}", "metrics: is no absolute path" },
        { "{\"max_runs\": 0}", "max_runs" },
        { "{\"max_runs\": 65}", "max_runs" },
        { "{\"keep_history\": \"long\"}", "keep_history" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = { 0 };
        struct seen seen = { 0 };
        size_t bad = 0;
        AUTO_ENG_CONFIG_DAEMON struct eng_config_daemon d = { 0 };
        put(f, "daemon.json", rows[i].text);
        assert_int_equal(eng_config_daemon_load(&f->home, &d, &e), -1);
        assert_int_equal(e.kind, ERR_CONFIG);
        assert_non_null(strstr(e.msg, "daemon.json"));
        if (strstr(e.msg, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].text, e.msg);
        assert_int_equal(eng_config_check(&f->home, on_file, &seen, &bad, &e),
                         0);
        assert_int_equal(bad, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOMED(without_a_file_the_defaults_hold),
        HOMED(what_it_says_is_read),
        HOMED(what_is_wrong_is_refused_with_file_and_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
