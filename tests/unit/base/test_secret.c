// SPDX-License-Identifier: Apache-2.0
/* Secrets in memory, and what the kernel is told about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/io.h"
#include "base/log.h"
#include "base/secret.h"

static bool no_map;
static bool no_lock;
static int warnings;
static const void *locked;
static size_t locked_bytes;
static bool unmapped_clean;

void *__real_mmap64(void *p, size_t len, int prot, int flags, int fd, off_t at);
void *__wrap_mmap64(void *p, size_t len, int prot, int flags, int fd, off_t at);
int __real_munmap(void *p, size_t len);
int __wrap_munmap(void *p, size_t len);
int __real_mlock(const void *p, size_t len);
int __wrap_mlock(const void *p, size_t len);
void __wrap_log_write(enum log_level level, const char *area, const char *fmt,
                      ...);

void *__wrap_mmap64(void *p, size_t len, int prot, int flags, int fd, off_t at)
{
    if (!no_map)
        return __real_mmap64(p, len, prot, flags, fd, at);
    errno = ENOMEM;
    return MAP_FAILED;
}

int __wrap_munmap(void *p, size_t len)
{
    unmapped_clean = io_all_zero(p, len);
    return __real_munmap(p, len);
}

int __wrap_mlock(const void *p, size_t len)
{
    if (no_lock) {
        errno = EPERM;
        return -1;
    }
    locked = p;
    locked_bytes = len;
    return __real_mlock(p, len);
}

void __wrap_log_write(enum log_level level, const char *area, const char *fmt,
                      ...)
{
    assert_int_equal(level, LOG_WARN);
    assert_string_equal(area, "secret");
    assert_non_null(fmt);
    warnings++;
}

static void a_secret_holds_a_copy_and_a_nul(void **state)
{
    char text[] = "hunter2";
    struct err e = { 0 };

    (void)state;
    AUTO_SECRET struct secret *s = secret_new(span_str(text), &e);
    assert_non_null(s);
    secret_wipe(text, sizeof(text));
    assert_true(io_all_zero(text, sizeof(text)));
    assert_true(span_eq(secret_span(s), span_str("hunter2")));
    assert_int_equal(secret_span(s).p[7], 0);
}

static void secrets_of_any_size_are_kept(void **state)
{
    static uint8_t bytes[20000];
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 5 + 1);
    for (size_t len = 0; len <= sizeof(bytes); len += 1 + len / 9) {
        AUTO_SECRET struct secret *s =
            secret_new(span_of(len > 0 ? bytes : NULL, len), &e);
        assert_non_null(s);
        assert_true(span_eq(secret_span(s), span_of(bytes, len)));
        assert_int_equal(secret_span(s).p[len], 0);
    }
}

/* Whether a line of VmFlags of the mapping that holds p has this flag. */
static bool mapping_has(const void *p, const char *flag)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    char line[512];
    bool inside = false;
    bool found = false;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        uintptr_t from = 0;
        uintptr_t to = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            inside = (uintptr_t)p >= from && (uintptr_t)p < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    fclose(f);
    return found;
}

static void secrets_are_locked_and_left_out_of_core_dumps(void **state)
{
    struct err e = { 0 };

    (void)state;
    locked = NULL;
    AUTO_SECRET struct secret *s = secret_new(span_str("key"), &e);
    const uint8_t *p = secret_span(s).p;
    assert_true((uintptr_t)locked <= (uintptr_t)p);
    assert_true((uintptr_t)p + 4 <= (uintptr_t)locked + locked_bytes);
    assert_true(mapping_has(p, " dd"));
}

static void secrets_are_wiped_before_their_memory_goes(void **state)
{
    struct err e = { 0 };

    (void)state;
    struct secret *s = secret_new(span_str("key"), &e);
    unmapped_clean = false;
    errno = ERANGE;
    secret_free(s);
    assert_int_equal(errno, ERANGE);
    assert_true(unmapped_clean);
    secret_free(NULL);
}

static void a_limit_on_locked_memory_warns_once(void **state)
{
    struct err e = { 0 };

    (void)state;
    no_lock = true;
    warnings = 0;
    AUTO_SECRET struct secret *a = secret_new(span_str("one"), &e);
    AUTO_SECRET struct secret *b = secret_new(span_str("two"), &e);
    no_lock = false;
    assert_true(span_eq(secret_span(a), span_str("one")));
    assert_true(span_eq(secret_span(b), span_str("two")));
    assert_int_equal(warnings, 1);
}

static void no_memory_is_reported(void **state)
{
    struct err e = { 0 };

    (void)state;
    no_map = true;
    struct secret *s = secret_new(span_str("key"), &e);
    no_map = false;
    assert_null(s);
    assert_int_equal(e.kind, ERR_NOMEM);
    e.kind = ERR_NONE;
    assert_null(secret_new(span_of("x", SIZE_MAX), &e));
    assert_int_equal(e.kind, ERR_NOMEM);
    e.kind = ERR_NONE;
    assert_null(secret_new(span_of("x", SIZE_MAX - 100), &e));
    assert_int_equal(e.kind, ERR_NOMEM);
}

static void wiping_nothing_is_fine(void **state)
{
    uint8_t p[3] = { 1, 2, 3 };

    (void)state;
    secret_wipe(NULL, 0);
    secret_wipe(p, 2);
    assert_int_equal(p[0], 0);
    assert_int_equal(p[1], 0);
    assert_int_equal(p[2], 3);
}

static void
a_buffer_for_secrets_is_locked_and_wipes_what_it_outgrows(void **state)
{
    AUTO_SECRET_BUF struct buf b = secret_buf(50000);
    struct err e;
    int moves = 0;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        const uint8_t *at = b.p;
        unmapped_clean = false;
        buf_append_char(&b, (char)(i * 31 | 1));
        if (b.p != at && at != NULL) {
            moves++;
            assert_true(unmapped_clean);
        }
        assert_ptr_equal(locked, b.p);
        assert_true(locked_bytes > b.len);
    }
    assert_true(moves > 1);
    assert_true(mapping_has(b.p, " dd"));
    for (int i = 0; i < 50000; i++)
        assert_int_equal(b.p[i], (uint8_t)(i * 31 | 1));
    buf_cstr(&b);
    assert_int_equal(buf_check(&b, &e), 0);
    buf_append_char(&b, 'x');
    assert_int_equal(buf_check(&b, &e), -1);
    unmapped_clean = false;
    buf_free(&b);
    assert_true(unmapped_clean);
    assert_true(b.secret);
}

static void a_buffer_for_secrets_without_memory_fails(void **state)
{
    AUTO_SECRET_BUF struct buf b = secret_buf(50000);
    struct err e = { 0 };

    (void)state;
    buf_append_str(&b, "key");
    no_map = true;
    assert_null(buf_reserve(&b, 40000));
    no_map = false;
    assert_int_equal(buf_check(&b, &e), -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    assert_memory_equal(b.p, "key", 3);
}

static void a_process_with_secrets_leaves_no_core_file(void **state)
{
    (void)state;
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    secret_forbid_dumps();
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_holds_a_copy_and_a_nul),
        cmocka_unit_test(secrets_of_any_size_are_kept),
        cmocka_unit_test(secrets_are_locked_and_left_out_of_core_dumps),
        cmocka_unit_test(secrets_are_wiped_before_their_memory_goes),
        cmocka_unit_test(a_limit_on_locked_memory_warns_once),
        cmocka_unit_test(no_memory_is_reported),
        cmocka_unit_test(wiping_nothing_is_fine),
        cmocka_unit_test(
            a_buffer_for_secrets_is_locked_and_wipes_what_it_outgrows),
        cmocka_unit_test(a_buffer_for_secrets_without_memory_fails),
        cmocka_unit_test(a_process_with_secrets_leaves_no_core_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
