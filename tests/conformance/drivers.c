// SPDX-License-Identifier: Apache-2.0
/*
 * The drivers under test: how each is reached, and what it can do.  A new
 * driver is one more entry of the table at the end.
 */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "memory.h"
#include "objstore/file_private.h"
#include "suite.h"
#include "tests/s3server/s3server.h"

#define NEEDS_SERVER "needs an S3 server (OBJVAULT_TEST_S3_ENDPOINT)"

static int nothing(struct err *e)
{
    (void)e;
    return 0;
}

static void sleep_seconds(int64_t seconds)
{
    struct err ignored;

    (void)!cancel_sleep(NULL, seconds * 1000, &ignored);
}

/* In memory. */

static struct obj_store *
open_memory(const char *bucket, const struct obj_config *like, struct err *e)
{
    struct obj_config c = like != NULL ? *like : (struct obj_config){ 0 };

    c.bucket = bucket;
    return obj_store_open_driver(&memory_driver, &c, NULL, e);
}

static int forget_memory(struct err *e)
{
    (void)e;
    memory_forget();
    return 0;
}

static const struct spec memory_spec = {
    .name = "memory",
    .caps = CAP_VERSIONS | CAP_LOCK | CAP_IF_ABSENT | CAP_NONCE | CAP_ANY_KEY |
            CAP_MANY | CAP_GET_LOCK | CAP_CLOCK,
    .begin = nothing,
    .open = open_memory,
    .pass = memory_pass,
    .rounds = 50,
    .end = forget_memory,
};

/* A directory. */

static char root[64];

static int make_root(struct err *e)
{
    snprintf(root, sizeof root, "/tmp/objvault-test-XXXXXX");
    if (mkdtemp(root) == NULL)
        return err_set(e, ERR_IO, errno, "%s", root);
    return 0;
}

static struct obj_store *open_file(const char *bucket,
                                   const struct obj_config *like, struct err *e)
{
    struct obj_config c = like != NULL ? *like : (struct obj_config){ 0 };
    char path[192];

    snprintf(path, sizeof path, "%s/%s", root, bucket);
    c.driver = OBJ_DRIVER_FILE;
    c.path = path;
    return obj_store_open(&c, e);
}

/* As on a file system that has no nameless files. */
static struct obj_store *open_file_named(const char *bucket,
                                         const struct obj_config *like,
                                         struct err *e)
{
    struct obj_store *s = open_file(bucket, like, e);

    if (s != NULL) {
        struct obj_file *f = s->self;
        atomic_store(&f->no_tmpfile, true);
    }
    return s;
}

static void url_of_file(const char *bucket, char *out, size_t cap)
{
    snprintf(out, cap, "file://%s/%s", root, bucket);
}

static int remove_path(const char *path, const struct stat *st, int type,
                       struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int remove_root(struct err *e)
{
    if (nftw(root, remove_path, 16, FTW_DEPTH | FTW_PHYS) < 0)
        return err_set(e, ERR_IO, errno, "%s", root);
    return 0;
}

#define FILE_CAPS                                                              \
    (CAP_IF_ABSENT | CAP_ANY_KEY | CAP_SHARED | CAP_FOREIGN | CAP_MANY |       \
     CAP_GET_LOCK | CAP_CLOCK)

static const struct spec file_spec = {
    .name = "file",
    .caps = FILE_CAPS,
    .begin = make_root,
    .open = open_file,
    .pass = sleep_seconds,
    .rounds = 4,
    .url = url_of_file,
    .end = remove_root,
};

static const struct spec file_named_spec = {
    .name = "file-named",
    .caps = FILE_CAPS,
    .begin = make_root,
    .open = open_file_named,
    .pass = sleep_seconds,
    .rounds = 4,
    .url = url_of_file,
    .end = remove_root,
};

/* A server that the environment names: OBJVAULT_TEST_S3_ENDPOINT, _ACCESS_KEY,
 * _SECRET_KEY; perhaps _CA, _REGION, _SESSION_TOKEN.  _OPEN_REGION is a wrong
 * one to begin with, from which the server must lead us to its own. */

static int find_server(struct err *e)
{
    const char *access = getenv("OBJVAULT_TEST_S3_ACCESS_KEY");
    const char *secret = getenv("OBJVAULT_TEST_S3_SECRET_KEY");
    const char *token = getenv("OBJVAULT_TEST_S3_SESSION_TOKEN");

    if (getenv("OBJVAULT_TEST_S3_ENDPOINT") == NULL || access == NULL ||
        secret == NULL) {
        err_set(e, ERR_CONFIG, 0, NEEDS_SERVER);
        return 1;
    }
    setenv("AWS_ACCESS_KEY_ID", access, 1);
    setenv("AWS_SECRET_ACCESS_KEY", secret, 1);
    if (token != NULL)
        setenv("AWS_SESSION_TOKEN", token, 1);
    else
        unsetenv("AWS_SESSION_TOKEN");
    return 0;
}

/* The store must have been sent to another region than it was told. */
static int be_corrected(struct obj_store *s, struct err *e)
{
    struct obj_req r = { .key = "" };
    struct obj_bucket b;
    struct obj_counters n;

    if (obj_bucket_info(s, &r, &b, e) < 0 && e->kind != ERR_NOTFOUND)
        return -1;
    obj_store_counters(s, &n);
    if (n.retries != 1)
        return err_set(e, ERR_FAILED, 0,
                       "the server did not mind the wrong region");
    return 0;
}

static struct obj_store *
open_server(const char *bucket, const struct obj_config *like, struct err *e)
{
    struct obj_config c = like != NULL ? *like : (struct obj_config){ 0 };
    const char *wrong = getenv("OBJVAULT_TEST_S3_OPEN_REGION");

    c.driver = OBJ_DRIVER_S3;
    c.bucket = bucket;
    c.endpoint = getenv("OBJVAULT_TEST_S3_ENDPOINT");
    c.ca_file = getenv("OBJVAULT_TEST_S3_CA");
    c.region = wrong != NULL ? wrong : getenv("OBJVAULT_TEST_S3_REGION");
    AUTO_OBJ_STORE struct obj_store *s = obj_store_open(&c, e);
    if (s == NULL || (wrong != NULL && be_corrected(s, e) < 0))
        return NULL;
    return STEAL(s);
}

static void url_of_bucket(const char *bucket, char *out, size_t cap)
{
    snprintf(out, cap, "s3://%s", bucket);
}

#define S3_CAPS                                                                \
    (CAP_VERSIONS | CAP_LOCK | CAP_IF_ABSENT | CAP_NONCE | CAP_CHECKED |       \
     CAP_ANY_KEY | CAP_SHARED | CAP_FOREIGN | CAP_MANY | CAP_GET_LOCK |        \
     CAP_CLOCK)

static const struct spec s3_spec = {
    .name = "s3",
    .caps = S3_CAPS,
    .begin = find_server,
    .open = open_server,
    .pass = sleep_seconds,
    .rounds = 4,
    .url = url_of_bucket,
    .end = nothing,
};

#ifdef LIBS3_MODULE
/* The same by libs3's old signatures, which know no region. */
static struct obj_store *
open_libs3(const char *bucket, const struct obj_config *like, struct err *e)
{
    struct obj_config c = like != NULL ? *like : (struct obj_config){ 0 };

    setenv("OBJVAULT_LIBS3", LIBS3_MODULE, 1);
    c.driver = OBJ_DRIVER_LIBS3;
    c.bucket = bucket;
    c.endpoint = getenv("OBJVAULT_TEST_S3_ENDPOINT");
    return obj_store_open(&c, e);
}

static const struct spec libs3_spec = {
    .name = "libs3",
    .caps = CAP_CHECKED | CAP_SHARED | CAP_FOREIGN,
    .begin = find_server,
    .open = open_libs3,
    .pass = sleep_seconds,
    .rounds = 4,
    .url = url_of_bucket,
    .end = nothing,
};
#endif

/* The tests' own server, in this process. */

static struct s3server *scripted;
static int64_t scripted_shift; /* of its clock, seconds */

static int start_scripted(struct err *e)
{
    const struct s3server_opts o = { .region = "eu-north-1" };

    scripted = s3server_start(&o);
    setenv("OBJVAULT_TEST_S3_ENDPOINT", s3server_endpoint(scripted), 1);
    setenv("OBJVAULT_TEST_S3_ACCESS_KEY", S3SERVER_KEY, 1);
    setenv("OBJVAULT_TEST_S3_SECRET_KEY", S3SERVER_SECRET, 1);
    setenv("OBJVAULT_TEST_S3_REGION", o.region, 1);
    setenv("OBJVAULT_TEST_S3_OPEN_REGION", "us-east-1", 1);
    unsetenv("OBJVAULT_TEST_S3_CA");
    unsetenv("OBJVAULT_TEST_S3_SESSION_TOKEN");
    return find_server(e);
}

static void pass_scripted(int64_t seconds)
{
    scripted_shift += seconds;
    s3server_set_clock(scripted, scripted_shift);
}

static int stop_scripted(struct err *e)
{
    (void)e;
    s3server_stop(scripted);
    return 0;
}

static const struct spec s3_scripted_spec = {
    .name = "s3-scripted",
    .caps = S3_CAPS & ~(unsigned)CAP_SHARED,
    .begin = start_scripted,
    .open = open_server,
    .pass = pass_scripted,
    .rounds = 10,
    .url = url_of_bucket,
    .end = stop_scripted,
};

const struct spec *const specs[] = {
    &memory_spec, &file_spec, &file_named_spec, &s3_spec, &s3_scripted_spec,
#ifdef LIBS3_MODULE
    &libs3_spec,
#endif
};
const size_t specs_n = sizeof specs / sizeof *specs;
