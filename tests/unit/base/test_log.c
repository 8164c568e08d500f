// SPDX-License-Identifier: Apache-2.0
//
// Log lines as they arrive at stderr, which is a file or a pipe here.
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/utc.h"

#define THREADS 4
#define LINES 200

static char captured[1 << 20];
static int saved_stderr = -1;
static FILE *file;

static void capture_start(void)
{
    file = tmpfile();
    assert_non_null(file);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(saved_stderr >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
}

/* Puts stderr back; what was written is in `captured`. */
static const char *capture_end(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    rewind(file);
    size_t n = fread(captured, 1, sizeof(captured) - 1, file);
    captured[n] = '\0';
    fclose(file);
    return captured;
}

static int teardown(void **state)
{
    (void)state;
    log_set_hook(NULL, NULL);
    log_setup(LOG_WARN, false);
    return 0;
}

static void a_text_line_has_time_level_area_and_text(void **state)
{
    (void)state;
    int64_t before = utc_real_now();
    capture_start();
    log_warn("s3", "slow %s %d", "answer", 7);
    const char *line = capture_end();

    char second[UTC_ISO_CHARS];
    int64_t t = 0;
    assert_true(strlen(line) > 25);
    assert_int_equal(line[19], '.');
    assert_int_equal(strspn(line + 20, "0123456789"), 3);
    snprintf(second, sizeof(second), "%.19sZ", line);
    assert_true(utc_parse_iso(second, &t));
    assert_true(t >= before && t <= utc_real_now());
    assert_string_equal(line + 23, "Z warn  s3: slow answer 7\n");
}

static void lines_over_the_level_are_dropped(void **state)
{
    (void)state;
    capture_start();
    log_info("a", "hidden");
    log_debug("a", "hidden");
    log_error("a", "shown");
    log_setup(LOG_DEBUG, false);
    assert_true(log_enabled(LOG_DEBUG));
    log_debug("a", "now");
    log_info("a", "too");
    log_setup(LOG_ERROR, false);
    assert_false(log_enabled(LOG_WARN));
    log_warn("a", "hidden");
    const char *out = capture_end();
    assert_null(strstr(out, "hidden"));
    assert_non_null(strstr(out, "Z error a: shown\n"));
    assert_non_null(strstr(out, "Z debug a: now\n"));
    assert_non_null(strstr(out, "Z info  a: too\n"));
}

static void control_characters_cannot_break_a_text_line(void **state)
{
    (void)state;
    capture_start();
    log_error("a", "%s", "one\ntwo\x1b[31m\xc2\x9b\xff\xc3\xa9");
    const char *out = capture_end();
    assert_non_null(strstr(out, " a: one two?[31m???\xc3\xa9\n"));
}

static void a_json_line_is_json(void **state)
{
    (void)state;
    static const char *const fields[] = { "time", "level", "area", "text",
                                          NULL };
    log_setup(LOG_INFO, true);
    capture_start();
    log_info("s\"3", "a \"b\"\n\\\x01 \xff %s", "\xc3\xa9");
    const char *out = capture_end();
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);

    struct err e = { 0 };
    AUTO_JSON struct json_doc *d =
        json_parse(span_str(out), JSON_STRICT, ERR_CORRUPT, &e);
    assert_non_null(d);
    struct json r = json_root(d);
    json_object(&r, fields);
    struct json level = json_field(&r, "level");
    struct json area = json_field(&r, "area");
    struct json text = json_field(&r, "text");
    assert_string_equal(json_string(&level, 10), "info");
    assert_string_equal(json_string(&area, 10), "s\"3");
    assert_string_equal(json_string(&text, 100), "a \"b\"\n\\\x01 ? \xc3\xa9");
    assert_int_equal(json_failed(d, &e), 0);
}

static void a_long_text_is_cut_and_still_a_line(void **state)
{
    (void)state;
    static char text[10000];
    memset(text, '\x01', sizeof(text) - 1);
    for (int json = 0; json < 2; json++) {
        log_setup(LOG_INFO, json == 1);
        capture_start();
        log_info("area", "%s", text);
        const char *out = capture_end();
        size_t n = strlen(out);
        assert_true(n > 2048 && n < 13000);
        const char *end = json == 1 ? "...\"}\n" : "?...\n";
        assert_string_equal(out + n - strlen(end), end);
    }
}

static void errno_survives_a_line(void **state)
{
    (void)state;
    int closed = dup(STDERR_FILENO);
    assert_true(closed >= 0);
    close(STDERR_FILENO);
    errno = EXDEV;
    log_error("a", "nobody reads this");
    int after = errno;
    dup2(closed, STDERR_FILENO);
    close(closed);
    assert_int_equal(after, EXDEV);
}

static void hook(void *ctx, bool before)
{
    (void)ctx;
    const char *mark = before ? "<" : ">";
    assert_int_equal(write(STDERR_FILENO, mark, 1), 1);
}

static void the_hook_runs_around_each_line(void **state)
{
    (void)state;
    log_set_hook(hook, NULL);
    capture_start();
    log_error("a", "x");
    log_info("a", "hidden");
    log_set_hook(NULL, NULL);
    log_error("a", "y");
    const char *out = capture_end();
    assert_int_equal(out[0], '<');
    assert_non_null(strstr(out, " a: x\n>2"));
    assert_null(strchr(out + 1, '<'));
}

static void *many_lines(void *ctx)
{
    char fill[301];
    memset(fill, *(char *)ctx, 300);
    fill[300] = '\0';
    for (int i = 0; i < LINES; i++)
        log_error("t", "%s", fill);
    return NULL;
}

static void lines_of_threads_do_not_interleave(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    char names[THREADS] = { 'a', 'b', 'c', 'd' };
    capture_start();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, many_lines, &names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *at = strdup(capture_end());
    AUTO_MEM char *owned = at;

    int lines = 0;
    for (char *line = strtok_r(at, "\n", &at); line != NULL;
         line = strtok_r(NULL, "\n", &at), lines++) {
        const char *text = strstr(line, " t: ");
        assert_non_null(text);
        assert_int_equal(strlen(text + 4), 300);
        char one[2] = { text[4], '\0' };
        assert_int_equal(strspn(text + 4, one), 300);
    }
    assert_int_equal(lines, THREADS * LINES);
    assert_non_null(owned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_text_line_has_time_level_area_and_text,
                                  teardown),
        cmocka_unit_test_teardown(lines_over_the_level_are_dropped, teardown),
        cmocka_unit_test_teardown(control_characters_cannot_break_a_text_line,
                                  teardown),
        cmocka_unit_test_teardown(a_json_line_is_json, teardown),
        cmocka_unit_test_teardown(a_long_text_is_cut_and_still_a_line,
                                  teardown),
        cmocka_unit_test_teardown(errno_survives_a_line, teardown),
        cmocka_unit_test_teardown(the_hook_runs_around_each_line, teardown),
        cmocka_unit_test_teardown(lines_of_threads_do_not_interleave, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
