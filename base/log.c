// SPDX-License-Identifier: Apache-2.0
//
// The log: formats a line on the stack of the thread that has something to
// say, and writes it with one call under a lock.  No memory is allocated, so
// that running out of it can be logged, too.
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/utc.h"
#include "base/utf8.h"

#define TEXT_CHARS 2048
/* Escapes make a byte six at worst; the rest is for the other fields. */
#define LINE_BYTES (TEXT_CHARS * 6 + 512)
#define STAMP_CHARS (UTC_ISO_CHARS + 4)

static atomic_int log_level = LOG_WARN;
static atomic_bool log_json;

static struct {
    pthread_mutex_t lock;
    void (*hook)(void *ctx, bool before);
    void *hook_ctx;
} locked = { .lock = PTHREAD_MUTEX_INITIALIZER };

void log_setup(enum log_level level, bool json)
{
    atomic_store(&log_level, (int)level);
    atomic_store(&log_json, json);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

void log_set_hook(void (*hook)(void *ctx, bool before), void *ctx)
{
    pthread_mutex_lock(&locked.lock);
    locked.hook = hook;
    locked.hook_ctx = ctx;
    pthread_mutex_unlock(&locked.lock);
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {
        [LOG_ERROR] = "error",
        [LOG_WARN] = "warn",
        [LOG_INFO] = "info",
        [LOG_DEBUG] = "debug",
    };
    return names[level];
}

/* "2026-11-22T10:00:00.123Z". */
static void stamp_now(char out[STAMP_CHARS])
{
    struct timespec now = { 0 };
    char iso[UTC_ISO_CHARS];
    clock_gettime(CLOCK_REALTIME, &now);
    utc_format_iso(now.tv_sec, iso);
    unsigned ms = (unsigned)(now.tv_nsec / 1000000) % 1000;
    (void)snprintf(out, STAMP_CHARS, "%.19s.%03uZ", iso, ms);
}

static void write_all(const uint8_t *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

static void emit(struct span line)
{
    pthread_mutex_lock(&locked.lock);
    if (locked.hook != NULL)
        locked.hook(locked.hook_ctx, true);
    write_all(line.p, line.len);
    if (locked.hook != NULL)
        locked.hook(locked.hook_ctx, false);
    pthread_mutex_unlock(&locked.lock);
}

static void line_json(struct buf *b, enum log_level level, const char *area,
                      const char *text)
{
    char stamp[STAMP_CHARS];
    stamp_now(stamp);
    struct jsonw w = jsonw_init(b, false);
    jsonw_object(&w);
    jsonw_kstring(&w, "time", stamp);
    jsonw_kstring(&w, "level", level_name(level));
    jsonw_kstring(&w, "area", area);
    jsonw_kstring(&w, "text", text);
    jsonw_end_object(&w);
    buf_append_char(b, '\n');
}

static void line_text(struct buf *b, enum log_level level, const char *area,
                      const char *text)
{
    char stamp[STAMP_CHARS];
    stamp_now(stamp);
    buf_printf(b, "%s %-5s %s: ", stamp, level_name(level), area);
    buf_append_str(b, text);
    buf_append_char(b, '\n');
}

void log_write(enum log_level level, const char *area, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    int saved = errno;
    char text[TEXT_CHARS];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        text[0] = '\0';
    else if ((size_t)n >= sizeof(text))
        memcpy(text + sizeof(text) - 4, "...", 4);

    bool json = atomic_load(&log_json);
    utf8_clean(text, json);
    /* A buffer over the stack that has no reason to grow: the line and the byte
     * that a buffer keeps free always fit. */
    uint8_t line[LINE_BYTES];
    struct buf b = { .p = line, .cap = sizeof(line), .max = sizeof(line) - 1 };
    if (json)
        line_json(&b, level, area, text);
    else
        line_text(&b, level, area, text);
    emit(buf_span(&b));
    errno = saved;
}
