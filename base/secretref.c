// SPDX-License-Identifier: Apache-2.0
//
// Finds the secret that configuration refers to.  What passes through memory
// on the way lies in locked memory and is wiped.
#include "base/secretref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/process.h"

#define SECRET_MAX 65536
#define TEXT_MAX 4096
#define ARGS_MAX 64
#define COMMAND_MS 60000

/* A password file that an editor wrote ends with a line break. */
static struct span cut_newline(struct span s)
{
    if (s.len > 0 && s.p[s.len - 1] == '\n') {
        s.len--;
        if (s.len > 0 && s.p[s.len - 1] == '\r')
            s.len--;
    }
    return s;
}

static struct secret *make(struct span s, struct err *e)
{
    if (s.len == 0) {
        err_set(e, ERR_CONFIG, 0, "the secret is empty");
        return NULL;
    }
    return secret_new(s, e);
}

/* A secret over the limit is a mistake in configuration, not damaged data. */
static void too_large(struct err *e)
{
    if (e->kind == ERR_CORRUPT)
        e->kind = ERR_CONFIG;
}

struct secret *secretref_file(const char *path, struct err *e)
{
    AUTO_SECRET_BUF struct buf b = secret_buf(SECRET_MAX);
    struct secret *s = NULL;
    if (io_read_file(path, &b, e) == 0)
        s = make(cut_newline(buf_span(&b)), e);
    if (s == NULL) {
        too_large(e);
        err_ctx(e, "secret from file %s", path);
    }
    return s;
}

/* The mode is that of the very file that is read. */
int secretref_key_file(const char *path, struct buf *out, struct err *e)
{
    struct stat st;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, ERR_CONFIG, errno, "key file %s", path);
    if (!S_ISREG(st.st_mode) || st.st_size > SECRET_MAX)
        return err_set(e, ERR_CONFIG, 0, "key file %s is not a key", path);
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return err_set(e, ERR_CONFIG, 0,
                       "key file %s can be used by others (mode %04o); "
                       "run chmod 600 on it",
                       path, (unsigned)st.st_mode & 07777);
    *out = secret_buf((size_t)st.st_size + 1);
    if (buf_reserve(out, (size_t)st.st_size) == NULL)
        return buf_check(out, e);
    if (io_pread_full(fd, out->p, (size_t)st.st_size, 0, path, e) < 0) {
        e->kind = ERR_CONFIG;
        return -1;
    }
    out->len = (size_t)st.st_size;
    return 0;
}

static struct secret *from_env(const char *name, struct err *e)
{
    /* Nobody changes the environment.  NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *text = getenv(name);
    struct secret *s = NULL;
    if (text == NULL)
        err_set(e, ERR_CONFIG, 0, "the variable is not set");
    else
        s = make(span_str(text), e);
    if (s == NULL)
        err_ctx(e, "secret from environment variable %s", name);
    return s;
}

struct secret *secretref_command(const char *const *argv,
                                 const struct cancel *cancel, struct err *e)
{
    AUTO_SECRET_BUF struct buf b = secret_buf(SECRET_MAX);
    struct secret *s = NULL;
    if (process_run_secret(argv, COMMAND_MS, cancel, &b, e) == 0)
        s = make(cut_newline(buf_span(&b)), e);
    if (s == NULL) {
        too_large(e);
        err_ctx(e, "secret from command %s", argv[0]);
    }
    return s;
}

/* Fills argv, with its NULL, from an array of texts. */
static void read_argv(const struct json *v, const char *argv[ARGS_MAX + 1])
{
    size_t n = 0;
    if (json_array(v, ARGS_MAX) == 0)
        json_reject(v, "expected a program and its arguments");
    for (struct json el = json_first(v); json_present(&el) && n < ARGS_MAX;
         el = json_next(&el))
        argv[n++] = json_string(&el, TEXT_MAX);
    argv[n] = NULL;
    if (n > 0 && argv[0][0] == '\0')
        json_reject(v, "the program's name is empty");
}

static struct secret *from_object(const struct json *v,
                                  const struct cancel *cancel, struct err *e)
{
    static const char *const fields[] = { "file", "env", "command", NULL };
    const char *argv[ARGS_MAX + 1] = { NULL };
    json_object(v, fields);
    struct json file = json_optional(v, "file");
    struct json env = json_optional(v, "env");
    struct json command = json_optional(v, "command");
    if (json_present(&file) + json_present(&env) + json_present(&command) != 1)
        json_reject(v, "expected one of \"file\", \"env\" and \"command\"");

    const char *text =
        json_string(json_present(&file) ? &file : &env, TEXT_MAX);
    if (json_present(&command))
        read_argv(&command, argv);
    else if (text[0] == '\0')
        json_reject(v, "the name is empty");
    if (json_failed(v->doc, e) < 0)
        return NULL;
    if (json_present(&command))
        return secretref_command(argv, cancel, e);
    return json_present(&file) ? secretref_file(text, e) : from_env(text, e);
}

struct secret *secretref_resolve(const struct json *v,
                                 const struct cancel *cancel, struct err *e)
{
    if (json_is_object(v))
        return from_object(v, cancel, e);
    if (!json_is_string(v))
        json_reject(v, "expected a text, or an object that says where the "
                       "secret is");
    const char *text = json_string(v, SECRET_MAX);
    if (text[0] == '\0')
        json_reject(v, "the secret is empty");
    if (json_failed(v->doc, e) < 0)
        return NULL;
    return secret_new(span_str(text), e);
}
