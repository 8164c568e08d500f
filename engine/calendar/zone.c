// SPDX-License-Identifier: Apache-2.0
/* Time zones by name: which file that is, and days in it. */
#include "engine/calendar/zone.h"

#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "engine/calendar/tzif.h"

#define ZONES "/usr/share/zoneinfo"
#define LOCALTIME "/etc/localtime"
#define DAY_S INT64_C(86400)
#define OFFSET_MAX INT64_C(93600) /* as tzif.h promises */

struct eng_zone {
    struct eng_tz tz;
};

/* Letters, digits, "_+-" and single slashes between them: no path leads out of
 * the folder, and no file is meant that is only there beside the zones. */
static bool is_name(const char *name)
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz"
                                "0123456789_+-/";
    size_t n = strlen(name);

    return n > 0 && n < ENG_ZONE_NAME_CHARS && strspn(name, chars) == n &&
           name[0] != '/' && name[n - 1] != '/' && strstr(name, "//") == NULL &&
           strcmp(name, "localtime") != 0 && strcmp(name, "posixrules") != 0;
}

static int load(const char *name, struct eng_tz *tz, struct err *e)
{
    AUTO_BUF struct buf bytes = buf_init(ENG_TZ_FILE_MAX);
    AUTO_MEM char *path = io_format(e, ZONES "/%s", name);

    if (path == NULL || io_read_file(path, &bytes, e) < 0)
        return -1;
    return eng_tz_decode(buf_span(&bytes), tz, e);
}

struct eng_zone *eng_zone_open(const char *name, struct err *e)
{
    AUTO_ENG_ZONE struct eng_zone *z = calloc(1, sizeof(*z));
    struct err why = { 0 };

    if (z == NULL) {
        err_nomem(e);
        return NULL;
    }
    /* All zeros is UTC. */
    if (strcmp(name, "UTC") == 0)
        return STEAL(z);
    if (!is_name(name)) {
        err_set(e, ERR_USAGE, 0,
                "\"%s\" is no time zone; write a name such as Europe/Berlin",
                name);
        return NULL;
    }
    if (load(name, &z->tz, &why) == 0)
        return STEAL(z);
    if (why.kind == ERR_NOMEM)
        *e = why;
    else
        err_set(e, ERR_USAGE, 0,
                "this machine does not know the time zone %s (%.200s)", name,
                why.msg);
    return NULL;
}

void eng_zone_close(struct eng_zone *z)
{
    if (z == NULL)
        return;
    eng_tz_fini(&z->tz);
    free(z);
}

int64_t eng_zone_day(const struct eng_zone *z, int64_t t)
{
    int64_t next = 0;
    int64_t local = t + eng_tz_offset(&z->tz, t, &next);

    return local / DAY_S - (local % DAY_S < 0);
}

/* From where that time cannot have come yet, over the stretches between two
 * changes of the clock: the first that reaches it, at its beginning if the
 * clock jumped past it. */
int64_t eng_zone_first(const struct eng_zone *z, int64_t local)
{
    int64_t t = local - OFFSET_MAX;

    for (;;) {
        int64_t next = 0;
        int64_t reached = local - eng_tz_offset(&z->tz, t, &next);
        if (reached < t)
            reached = t;
        if (reached < next)
            return reached;
        t = next;
    }
}

int64_t eng_zone_day_start(const struct eng_zone *z, int64_t day)
{
    return eng_zone_first(z, day * DAY_S);
}

int32_t eng_zone_offset(const struct eng_zone *z, int64_t t, int64_t *next)
{
    return eng_tz_offset(&z->tz, t, next);
}

void eng_zone_here(char name[ENG_ZONE_NAME_CHARS])
{
    static const char folder[] = "/zoneinfo/";
    char target[ENG_ZONE_NAME_CHARS + 64] = "";
    struct err e = { 0 };

    memcpy(name, "UTC", sizeof("UTC"));
    ssize_t n = readlink(LOCALTIME, target, sizeof(target) - 1);
    if (n <= 0)
        return;
    const char *at = strstr(target, folder);
    if (at == NULL || strlen(at + strlen(folder)) >= ENG_ZONE_NAME_CHARS)
        return;
    at += strlen(folder);
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(at, &e);
    if (z != NULL)
        memcpy(name, at, strlen(at) + 1);
}
