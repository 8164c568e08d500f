// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_RUN_SCENE_H
#define TESTS_UNIT_ENGINE_RUN_SCENE_H

/* A home with a source of small VMs in folders, a job over it, a repository,
 * and runs of the job. */
#include "tests/unit/engine/care/attacked.h"

#include <pthread.h>

#include "base/utc.h"
#include "engine/job/source_config.h"
#include "engine/run/job_run.h"

struct scene {
    struct fixture *f;
    char state[80];
    struct eng_repo_place place;
    struct eng_home home;
    struct eng_job job;
    struct eng_repo *repo; /* of the run that is under way, or was last */
    struct eng_encrypt_opts encrypt;
    struct eng_run_record run;
    struct err first; /* error of the run */
    struct eng_job_run_opts o;
    bool closed; /* the repository cannot be opened */
    int begun, ended;
    void (*told)(struct scene *s, const struct eng_vm_record *v);
};

static inline void scene_make_vm(struct scene *s, const char *path,
                                 unsigned seed, unsigned blocks)
{
    uint8_t *block = malloc(FIXTURE_BLOCK);
    char dir[256];
    char disk[300];

    snprintf(dir, sizeof dir, "%s/vms/%s", s->f->dir, path);
    snprintf(disk, sizeof disk, "%s/disk.raw", dir);
    must(io_mkdirs(dir, 0700, why));
    FILE *out = fopen(disk, "w");
    assert_non_null(out);
    for (unsigned i = 0; i < blocks; i++) {
        fixture_noise(block, FIXTURE_BLOCK, seed * 100000u + i);
        assert_int_equal(fwrite(block, FIXTURE_BLOCK, 1, out), 1);
    }
    fclose(out);
    free(block);
}

/* A file of a VM, or anything below the scene's folder. */
static inline void scene_write(struct scene *s, const char *path,
                               const char *text)
{
    char at[300];

    snprintf(at, sizeof at, "%s/%s", s->f->dir, path);
    must(io_write_file(at, span_str(text), 0600, false, why));
}

/* What a file below the scene's folder holds; NULL: there is none. */
static inline char *scene_read(struct scene *s, const char *path)
{
    AUTO_BUF struct buf text = buf_init(65536);
    struct err e = { 0 };
    char at[300];

    snprintf(at, sizeof at, "%s/%s", s->f->dir, path);
    return io_read_file(at, &text, &e) < 0 ? NULL : strdup(buf_cstr(&text));
}

/* members: of the job's file, each with a comma before it. */
static inline void scene_job(struct scene *s, const char *members)
{
    char path[200];
    char text[2000];

    eng_job_fini(&s->job);
    snprintf(path, sizeof path, "%s/jobs/night.json", s->home.config);
    snprintf(text, sizeof text,
             "{\"repo\":\"main\",\"containers\":[\"lab:\"]%s}", members);
    must(io_mkdirs_for(path, 0700, why));
    must(io_write_file(path, span_str(text), 0600, false, why));
    must(eng_job_load(&s->home, "night", &s->job, why));
}

static inline int scene_open(void *ctx, struct eng_repo **repo,
                             const struct eng_encrypt_opts **encrypt,
                             struct err *e)
{
    struct scene *s = ctx;

    if (s->closed)
        return err_set(e, ERR_UNREACHABLE, 0, "nobody answers");
    s->repo = eng_repo_open(&s->place, NULL, e);
    *repo = s->repo;
    *encrypt = &s->encrypt;
    return s->repo != NULL ? 0 : -1;
}

static inline void scene_told(void *ctx, const struct eng_vm_record *v)
{
    struct scene *s = ctx;

    if (v->status == ENG_STATUS_RUNNING)
        s->begun++;
    else
        s->ended++;
    if (s->told != NULL)
        s->told(s, v);
}

static inline int scene_try(struct scene *s)
{
    eng_run_record_fini(&s->run);
    s->first = (struct err){ 0 };
    s->begun = s->ended = 0;
    s->o.home = &s->home;
    s->o.job = &s->job;
    s->o.open = scene_open;
    s->o.told = scene_told;
    s->o.ctx = s;
    int r = eng_job_run(&s->o, &s->run, &s->first);
    eng_repo_close(s->repo);
    s->repo = NULL;
    return r;
}

static inline void scene_run(struct scene *s, enum eng_status want)
{
    if (scene_try(s) < 0)
        fail_msg("no run: %s", s->first.msg);
    if (s->run.status != want)
        fail_msg("the run is %s, not %s: %s", eng_status_name(s->run.status),
                 eng_status_name(want), s->first.msg);
}

static inline struct eng_vm_record *scene_vm(struct eng_run_record *r,
                                             const char *vm)
{
    for (size_t i = 0; i < r->n_vms; i++)
        if (strcmp(r->vms[i].vm, vm) == 0)
            return &r->vms[i];
    fail_msg("no record of %s", vm);
    return NULL;
}

static inline void scene_expect(struct scene *s, const char *vm,
                                enum eng_status want)
{
    const struct eng_vm_record *v = scene_vm(&s->run, vm);

    if (v->status != want)
        fail_msg("%s is %s, not %s: %s", vm, eng_status_name(v->status),
                 eng_status_name(want), v->message != NULL ? v->message : "");
}

/* Of this VM, or of all. */
static inline size_t scene_points(struct scene *s, const char *vm)
{
    struct eng_repo *r = fixture_open(s->f);
    AUTO_ENG_POINTS struct eng_points names = { 0 };

    must(eng_points_visible(r, NULL, vm, &names, why));
    size_t n = names.n;
    eng_repo_close(r);
    return n;
}

/* The newest point of a VM holds what its disk holds. */
static inline void scene_restores(struct scene *s, const char *vm,
                                  const char *path)
{
    AUTO_ENG_POINT struct eng_point p = { 0 };
    struct eng_repo *r = fixture_open(s->f);
    struct eng_restore_opts o = { .force = true };
    struct eng_restore_result res;
    char *out = fixture_path(s->f, "out.raw");
    char text[600];

    snprintf(text, sizeof text, "%s@latest", vm);
    must(eng_point_find(r, NULL, text, &p, why));
    must(eng_restore_disk(r, &p, "disk.raw", out, &o, &res, why));
    snprintf(text, sizeof text, "cmp '%s/vms/%s/disk.raw' '%s'", s->f->dir,
             path, out);
    assert_int_equal(system(text), 0); /* NOLINT(cert-env33-c) */
    free(out);
    eng_repo_close(r);
}

/* A machine of its own (`host`: for its folders) with the source and the job.
 */
static inline struct scene *scene_host(struct fixture *f, const char *host)
{
    struct scene *s = calloc(1, sizeof *s);
    struct eng_config_source lab = { 0 };
    char home[80];
    char state[80];
    char place[120];

    s->f = f;
    s->encrypt.what = ENG_ENCRYPT_NONE;
    snprintf(home, sizeof home, "%s/home%s", f->dir, host);
    snprintf(state, sizeof state, "%s/state%s", f->dir, host);
    snprintf(s->state, sizeof s->state, "%s", state);
    s->place = f->place;
    s->place.state_dir = s->state;
    must(eng_home_init(&s->home, home, state, why));
    snprintf(place, sizeof place, "dir:%s/vms", f->dir);
    lab.name = strdup("lab");
    lab.place = strdup(place);
    must(eng_config_source_save(&s->home, &lab, why));
    eng_config_source_fini(&lab);
    scene_job(s, "");
    return s;
}

/* VMs web, db (in prod) and test, with a job over all of them. */
static inline struct scene *scene_new(struct fixture *f)
{
    struct scene *s = scene_host(f, "");

    scene_make_vm(s, "prod/web", 1, 8);
    scene_make_vm(s, "prod/sql/db", 2, 8);
    scene_make_vm(s, "test", 3, 8);
    return s;
}

static inline void scene_free(struct scene *s)
{
    eng_run_record_fini(&s->run);
    eng_job_fini(&s->job);
    eng_home_fini(&s->home);
    free(s);
}

#endif
