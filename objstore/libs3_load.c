// SPDX-License-Identifier: Apache-2.0
/*
 * Driver libs3: where the module is.  Only places that an administrator or a
 * build has filled: never the current folder, never the loader's search path.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "objstore/libs3.h"

/* Names the one file to load, and no other; an absolute path. */
#define VARIABLE "OBJVAULT_LIBS3"

static struct {
    pthread_mutex_t lock;
    const struct obj_libs3_table *table; /* guarded; once set it stays */
} loaded = { PTHREAD_MUTEX_INITIALIZER, NULL };

/* "<folder of the program>/objvault-libs3.so": a build tree. */
static char *beside_program(struct err *e)
{
    char self[PATH_MAX];

    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) {
        err_set(e, ERR_IO, errno, "/proc/self/exe");
        return NULL;
    }
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    *(slash != NULL ? slash : self) = '\0';
    return io_join(self, OBJ_LIBS3_FILE, e);
}

/* The file to load; NULL with e filled. */
static char *find(struct err *e)
{
    static const char installed[] = OBJVAULT_MODULE_DIR "/" OBJ_LIBS3_FILE;
    const char *named = getenv(VARIABLE);

    if (named != NULL && named[0] != '\0') {
        if (named[0] == '/' && access(named, R_OK) == 0)
            return io_format(e, "%s", named);
        err_set(e, ERR_CONFIG, 0,
                "driver libs3: no module %s, which " VARIABLE
                " names (by an absolute path)",
                named);
        return NULL;
    }
    AUTO_MEM char *beside = beside_program(e);
    if (beside == NULL)
        return NULL;
    if (access(beside, R_OK) == 0)
        return STEAL(beside);
    if (access(installed, R_OK) == 0)
        return io_format(e, "%s", installed);
    err_set(e, ERR_CONFIG, 0, "driver libs3: no module %s, and no %s",
            installed, beside);
    err_hint(e, "it is built where the package libs3-dev is installed; the "
                "driver s3 needs no module");
    return NULL;
}

static const struct obj_libs3_table *load(struct err *e)
{
    AUTO_MEM char *file = find(e);

    if (file == NULL)
        return NULL;
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == NULL) {
        err_set(e, ERR_CONFIG, 0, "driver libs3: %s", dlerror());
        err_hint(e, "the module needs the package libs3-2");
        return NULL;
    }
    const struct obj_libs3_table *t = dlsym(handle, OBJ_LIBS3_TABLE);
    if (t == NULL || t->abi != OBJ_LIBS3_ABI) {
        err_set(e, ERR_CONFIG, 0,
                "driver libs3: %s belongs to another version of objvault",
                file);
        return NULL;
    }
    const char *wrong = t->start("objvault/" OBJVAULT_VERSION);
    if (wrong != NULL) {
        err_set(e, ERR_INTERNAL, 0, "driver libs3: libs3 does not start: %s",
                wrong);
        return NULL;
    }
    log_debug("libs3", "%s, built for %s", file, t->built_for);
    return t;
}

const struct obj_libs3_table *obj_libs3_load(struct err *e)
{
    pthread_mutex_lock(&loaded.lock);
    if (loaded.table == NULL)
        loaded.table = load(e);
    const struct obj_libs3_table *t = loaded.table;
    pthread_mutex_unlock(&loaded.lock);
    return t;
}
