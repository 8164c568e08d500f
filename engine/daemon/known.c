// SPDX-License-Identifier: Apache-2.0
/*
 * What is below the home: looked at file by file (not read) at each turn of the
 * loop, so that nothing depends on being told of changes.
 */
#include "engine/daemon/known.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"

static const char *const folders[] = { "jobs", "repos", "sources", "kms",
                                       "credentials" };

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    const uint8_t *byte = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ byte[i]) * UINT64_C(1099511628211);
    return h;
}

/* A file's name and what changes with its content; 0: it is not there. */
static uint64_t stamp_file(int folder, const char *name, uint64_t seed)
{
    struct stat st;

    if (fstatat(folder, name, &st, 0) < 0 && errno == ENOENT)
        return 0;
    uint64_t h = mix(seed, name, strlen(name));
    h = mix(h, &st.st_ino, sizeof st.st_ino);
    h = mix(h, &st.st_size, sizeof st.st_size);
    h = mix(h, &st.st_mtim, sizeof st.st_mtim);
    return mix(h, &st.st_ctim, sizeof st.st_ctim);
}

/* The sum over its files, in whatever order they are listed; 0: no folder. */
static int stamp_folder(const struct eng_home *h, const char *name,
                        uint64_t *stamp, struct err *e)
{
    AUTO_MEM char *path = io_join(h->config, name, e);
    uint64_t seed = mix(UINT64_C(14695981039346656037), name, strlen(name));

    if (path == NULL)
        return -1;
    AUTO_DIR DIR *d = opendir(path);
    if (d == NULL && errno == ENOENT)
        return 0;
    if (d == NULL)
        return err_set(e, err_of_errno(errno), errno, "read folder %s", path);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (entry == NULL)
            break;
        if (entry->d_name[0] != '.')
            *stamp += stamp_file(dirfd(d), entry->d_name, seed);
    }
    if (errno != 0)
        return err_set(e, ERR_IO, errno, "read folder %s", path);
    return 0;
}

static int stamp_home(const struct eng_home *h, uint64_t *stamp, struct err *e)
{
    AUTO_MEM char *single = io_join(h->config, "daemon.json", e);

    *stamp = 1;
    if (single == NULL)
        return -1;
    *stamp += stamp_file(AT_FDCWD, single, 1);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (stamp_folder(h, folders[i], stamp, e) < 0)
            return -1;
    return 0;
}

struct eng_known_job *eng_known_find(const struct eng_known *k,
                                     const char *name)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->jobs[i]->name, name) == 0)
            return k->jobs[i];
    return NULL;
}

static void free_job(struct eng_known_job *j)
{
    if (j == NULL)
        return;
    free(j->name);
    free(j->problem);
    free(j->repo);
    free(j);
}

static int compare(const void *a, const void *b)
{
    const struct eng_known_job *const *x = a;
    const struct eng_known_job *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static struct eng_known_job *add(struct eng_known *k, const char *name,
                                 struct err *e)
{
    struct eng_known_job **more =
        reallocarray(k->jobs, k->n + 1, sizeof(struct eng_known_job *));

    if (more != NULL)
        k->jobs = more;
    struct eng_known_job *j = calloc(1, sizeof *j);
    if (j != NULL)
        j->name = strdup(name);
    if (more == NULL || j == NULL || j->name == NULL) {
        free_job(j);
        (void)err_nomem(e);
        return NULL;
    }
    k->jobs[k->n++] = j;
    qsort(k->jobs, k->n, sizeof(struct eng_known_job *), compare);
    return j;
}

/* A problem is told when it is new; its end, too. */
static int tell(char **told, const char *what, const char *name,
                const struct err *problem, struct err *e)
{
    if (problem == NULL) {
        if (*told != NULL)
            log_info("daemon", "%s%s is well again", what, name);
        free(*told);
        *told = NULL;
        return 0;
    }
    if (*told != NULL && strcmp(*told, problem->msg) == 0)
        return 0;
    log_error("daemon", "%s%s is left out until it changes: %s", what, name,
              problem->msg);
    free(*told);
    *told = strdup(problem->msg);
    return *told != NULL ? 0 : err_nomem(e);
}

/* Takes over what a job's file says; ERR_CONFIG and the like where it cannot be
 * used. */
static int take(const struct eng_home *h, struct eng_known_job *j,
                struct err *e)
{
    AUTO_ENG_JOB struct eng_job job = { 0 };
    char room[ENG_ZONE_NAME_CHARS];
    struct eng_schedule s;
    struct eng_schedule_retry retry;

    if (eng_job_load(h, j->name, &job, e) < 0 ||
        eng_job_check_home(h, &job, e) < 0 ||
        eng_job_schedule(&job, &s, e) < 0 || eng_job_retry(&job, &retry, e) < 0)
        return -1;
    const char *zone = eng_job_zone(&job, room);
    j->state = job.disabled ? ENG_KNOWN_DISABLED : ENG_KNOWN_ON;
    j->since_known = false; /* this may be another schedule */
    j->schedule = s;
    j->retry = retry;
    (void)snprintf(j->zone, sizeof j->zone, "%s", zone);
    j->deleted_vms_s = job.deleted_vms_s;
    free(j->repo);
    j->repo = STEAL(job.repo);
    return 0;
}

static int read_job(struct eng_known *k, const char *name, struct err *e)
{
    struct err problem = { 0 };
    struct eng_known_job *j = eng_known_find(k, name);

    if (j == NULL)
        j = add(k, name, e);
    if (j == NULL)
        return -1;
    if (take(k->home, j, &problem) == 0)
        return tell(&j->problem, "job ", name, NULL, e);
    if (problem.kind == ERR_NOMEM) {
        *e = problem;
        return -1;
    }
    j->state = ENG_KNOWN_WRONG;
    return tell(&j->problem, "job ", name, &problem, e);
}

/* Jobs without a file any more. */
static void mark_gone(struct eng_known *k, char *const *names, size_t n)
{
    for (size_t i = 0; i < k->n; i++) {
        struct eng_known_job *j = k->jobs[i];
        bool found = false;
        for (size_t f = 0; f < n && !found; f++)
            found = strcmp(names[f], j->name) == 0;
        if (found || j->state == ENG_KNOWN_GONE)
            continue;
        log_info("daemon", "job %s is gone%s", j->name,
                 j->handle != 0 ? "; its run goes on" : "");
        j->state = ENG_KNOWN_GONE;
        j->since_known = false;
    }
}

static void mark_followed(struct eng_known *k)
{
    for (size_t i = 0; i < k->n; i++)
        k->jobs[i]->followed = false;
    for (size_t i = 0; i < k->n; i++) {
        const struct eng_known_job *j = k->jobs[i];
        struct eng_known_job *other =
            j->state == ENG_KNOWN_ON && j->schedule.kind == ENG_SCHEDULE_AFTER
                ? eng_known_find(k, j->schedule.after)
                : NULL;
        if (other != NULL)
            other->followed = true;
    }
}

/* daemon.json; the one before holds while it is wrong. */
static int read_config(struct eng_known *k, struct err *e)
{
    struct err problem = { 0 };
    struct eng_config_daemon d;

    if (eng_config_daemon_load(k->home, &d, &problem) < 0)
        return tell(&k->problem, "daemon.json", "", &problem, e);
    eng_config_daemon_fini(&k->config);
    k->config = d;
    return tell(&k->problem, "daemon.json", "", NULL, e);
}

static int read_all(struct eng_known *k, struct err *e)
{
    char **names = NULL;
    size_t n = 0;

    if (eng_config_names(k->home, "jobs", &names, &n, e) < 0)
        return -1;
    mark_gone(k, names, n);
    int r = read_config(k, e);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = read_job(k, names[i], e);
    eng_config_names_free(names, n);
    if (r < 0)
        return -1;
    mark_followed(k);
    eng_config_names_free(k->repos, k->n_repos);
    k->repos = NULL;
    k->n_repos = 0;
    return eng_config_names(k->home, "repos", &k->repos, &k->n_repos, e);
}

int eng_known_look(struct eng_known *k, struct err *e)
{
    uint64_t stamp = 0;

    if (stamp_home(k->home, &stamp, e) < 0)
        return -1;
    if (stamp == k->stamp)
        return 0;
    if (read_all(k, e) < 0)
        return -1;
    if (k->stamp != 0)
        log_info("daemon", "configuration was read again");
    /* What changed while it was read is seen at the next look. */
    k->stamp = stamp;
    return 1;
}

int eng_known_since(struct eng_known_job *j, struct eng_history *history,
                    int64_t now, struct err *e)
{
    AUTO_BUF struct buf key =
        buf_init(ENG_SCHEDULE_TEXT_MAX + ENG_ZONE_NAME_CHARS + 16);

    if (j->since_known || j->state == ENG_KNOWN_WRONG)
        return 0;
    if (j->state == ENG_KNOWN_ON) {
        eng_schedule_text(&j->schedule, &key);
        buf_printf(&key, " in %s", j->zone);
    } else {
        buf_append_str(&key, "none"); /* so that what comes next is new */
    }
    if (buf_check(&key, e) < 0 ||
        eng_history_since(history, j->name, buf_cstr(&key), now, &j->since, e) <
            0)
        return -1;
    j->since_known = true;
    return 0;
}

void eng_known_tidy(struct eng_known *k)
{
    size_t kept = 0;

    for (size_t i = 0; i < k->n; i++) {
        struct eng_known_job *j = k->jobs[i];
        if (j->state == ENG_KNOWN_GONE && j->handle == 0 && j->since_known)
            free_job(j);
        else
            k->jobs[kept++] = j;
    }
    k->n = kept;
}

void eng_known_fini(struct eng_known *k)
{
    for (size_t i = 0; i < k->n; i++)
        free_job(k->jobs[i]);
    free(k->jobs);
    free(k->problem);
    eng_config_names_free(k->repos, k->n_repos);
    eng_config_daemon_fini(&k->config);
    *k = (struct eng_known){ 0 };
}
