// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * One line per event on stderr: time, level, area, text.  Text by default,
 * JSON lines by switch.  Any thread; lines never interleave.  Secrets are
 * never logged.  Set up once, before threads.
 */
#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Default: LOG_WARN, text, no file descriptor but stderr. */
void log_setup(enum log_level level, bool json);

bool log_enabled(enum log_level level);

/* A hook called before and after each line, so that a progress bar can clear
 * and redraw itself; NULL removes it.  Called with the log's lock held: it
 * must not log. */
void log_set_hook(void (*hook)(void *ctx, bool before), void *ctx);

void log_write(enum log_level level, const char *area, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(area, ...) log_write(LOG_ERROR, (area), __VA_ARGS__)
#define log_warn(area, ...) log_write(LOG_WARN, (area), __VA_ARGS__)
#define log_info(area, ...) log_write(LOG_INFO, (area), __VA_ARGS__)
#define log_debug(area, ...)                                                   \
    do {                                                                       \
        if (log_enabled(LOG_DEBUG))                                            \
            log_write(LOG_DEBUG, (area), __VA_ARGS__);                         \
    } while (0)

#endif
