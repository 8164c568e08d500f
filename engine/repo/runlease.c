// SPDX-License-Identifier: Apache-2.0
/* A run's part: its lease, the file that shows on this host that it lives, and
 * the locks in a directory. */
#include "engine/repo/runlease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/dirlock.h"
#include "engine/repo/internal.h"
#include "engine/repo/point_store.h"
#include "engine/repo/sweeping.h"
#include "manifest/objkey.h"

#define POLL_MS 500
#define POLL_MAX_MS 5000
/* For a lock in a directory; shorter than the pause between two turns of a
 * collection. */
#define POLL_LOCK_MS 100
#define POLL_LOCK_MAX_MS 1000
/* A renewal must not keep a worker: another look is soon. */
#define RENEW_DEADLINE_MS 60000
#define RENEW_AGAIN_S 30
/* A look at the lease is good for so long. */
#define LOOK_S 300
/* With less than this left a lease is renewed before the manifest. */
#define SHORT_S 600
#define END_MS 3000
#define END_STOPPED_MS 500
/* Files of killed runs go after this. */
#define DEAD_S 7200

struct eng_runlease {
    struct eng_repo *repo;
    const struct cancel *cancel; /* the run's */
    pthread_mutex_t lock;        /* around a renewal */
    atomic_llong due;            /* server's time of the next one */
    struct eng_lease lease;
    int64_t tried_until; /* of a renewal whose answer is not known */
    bool leased, lost;
    bool left; /* a lease that we stood back with may seem to live */
    char sweep[ENG_COUNTER_CHARS]; /* the counter under which all that the run
                                      refers to is there */
    uint64_t unanswered;           /* the store's count when it began */
    char *alive; /* path of the file that we hold locked; owned */
    int alive_fd;
    int dir_fd, vm_fd; /* in a directory */
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static uint64_t unanswered(struct eng_repo *r)
{
    struct obj_counters c;

    obj_store_counters(r->store, &c);
    return c.unanswered;
}

/* --- the file on this host --- */

static char *alive_folder(const struct eng_repo *r, struct err *e)
{
    return io_join(r->state_dir, "leases", e);
}

/* True where the run whose file this is was killed on this host: the file is
 * here, and nobody holds it. */
static bool died_here(const struct eng_repo *r, const char *lock)
{
    struct err e = { 0 };
    AUTO_MEM char *folder = alive_folder(r, &e);
    AUTO_MEM char *path =
        folder != NULL && lock[0] != '\0' ? io_join(folder, lock, &e) : NULL;

    if (path == NULL)
        return false;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Files of runs that were killed long ago. */
static void tidy_alive(const struct eng_repo *r, const char *folder)
{
    AUTO_DIR DIR *d = opendir(folder);

    if (d == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        struct stat st;
        if (entry->d_name[0] != '.' &&
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtim.tv_sec + DEAD_S < utc_real_now() &&
            died_here(r, entry->d_name))
            unlinkat(dirfd(d), entry->d_name, 0);
    }
}

/* Without a state folder the lease just names no file. */
static void make_alive(struct eng_runlease *l)
{
    struct err e = { 0 };
    uint8_t raw[(ENG_LEASE_NAME_CHARS - 1) / 2];
    AUTO_MEM char *folder = alive_folder(l->repo, &e);

    if (folder == NULL || io_mkdirs(folder, 0700, &e) < 0 ||
        digest_random(raw, sizeof(raw), &e) < 0)
        return;
    tidy_alive(l->repo, folder);
    digest_hex(span_of(raw, sizeof(raw)), l->lease.lock);
    l->alive = io_join(folder, l->lease.lock, &e);
    if (l->alive != NULL)
        l->alive_fd =
            open(l->alive, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)0600);
    if (l->alive_fd >= 0 && flock(l->alive_fd, LOCK_EX | LOCK_NB) == 0)
        return;
    l->lease.lock[0] = '\0';
}

/* --- renewing --- */

static void lost(struct eng_runlease *l, const char *why)
{
    log_info("repo", "%s: the lease of this run %s", l->repo->name, why);
    l->lost = true;
}

/* Looks at our lease; *at: when.  A network that fails is an error. */
static int look(struct eng_runlease *l, int64_t deadline, int64_t *at,
                struct err *e)
{
    struct eng_lease now = l->lease;

    *at = eng_lease_now(l->repo->store);
    if (l->lost)
        return 0;
    int got = eng_lease_get(l->repo->store, l->cancel, &now, deadline, e);
    *at = now.seen;
    if (got < 0) {
        if (e->kind != ERR_NOTFOUND && e->kind != ERR_CORRUPT &&
            e->kind != ERR_UNSUPPORTED)
            return -1;
        lost(l, e->kind == ERR_NOTFOUND ? "is gone" : "is not what it was");
        *e = (struct err){ 0 };
        return 0;
    }
    if (now.ended ||
        (now.until != l->lease.until && now.until != l->tried_until))
        lost(l, "was broken by somebody");
    else
        l->lease.until = now.until;
    if (!l->lost && eng_lease_now(l->repo->store) >= l->lease.until)
        lost(l, "ran out");
    return 0;
}

/* A look, and a lease that lasts an hour from it.  Signed before the old end,
 * and soon after the look: so who broke it meanwhile is not overruled after the
 * time that others wait. */
static int renew(struct eng_runlease *l, int64_t *at, struct err *e)
{
    int64_t deadline = utc_mono_ms() + RENEW_DEADLINE_MS;
    struct eng_lease longer;

    if (look(l, deadline, at, e) < 0)
        return -1;
    if (l->lost)
        return 0;
    longer = l->lease;
    longer.until = *at + ENG_LEASE_S;
    l->tried_until = longer.until;
    if (eng_lease_put(l->repo->store, l->cancel, &longer,
                      earlier(l->lease.until, *at + LOOK_S), deadline, e) < 0)
        return -1;
    l->lease.until = longer.until;
    return 0;
}

void eng_runlease_tick(struct eng_repo *r, const struct cancel *cancel)
{
    struct eng_runlease *l = r->at_work;
    struct err e = { 0 };
    int64_t at = 0;

    (void)cancel;
    if (l == NULL || !l->leased)
        return;
    int64_t now = eng_lease_now(r->store);
    if (now < atomic_load(&l->due) || pthread_mutex_trylock(&l->lock) != 0)
        return;
    if (now >= atomic_load(&l->due) && !l->lost) {
        bool done = renew(l, &at, &e) == 0;
        if (!done)
            log_info("repo", "the lease is not renewed yet: %s", e.msg);
        atomic_store(&l->due, eng_lease_now(r->store) +
                                  (done ? ENG_LEASE_RENEW_S : RENEW_AGAIN_S));
    }
    pthread_mutex_unlock(&l->lock);
}

/* --- beginning --- */

/* A digest, so that the name of the VM is in no lease. */
static int hash_vm_key(const struct eng_repo *r, const char *vm_key,
                       char out[ENG_LEASE_VM_CHARS], struct err *e)
{
    uint8_t digest[DIGEST_SHA256_BYTES];
    AUTO_BUF struct buf text = buf_init(1024);

    buf_printf(&text, "%s\n%s\n%s", r->descriptor.id, eng_repo_keyset(r),
               vm_key);
    if (buf_check(&text, e) < 0 ||
        digest_sha256(buf_span(&text), digest, e) < 0)
        return -1;
    digest_hex(span_of(digest, (ENG_LEASE_VM_CHARS - 1) / 2), out);
    return 0;
}

static int hash_vm(const struct eng_repo *r, const char *vm,
                   char out[ENG_LEASE_VM_CHARS], struct err *e)
{
    char vm_key[MF_VMKEY_CHARS];

    return mf_keys_vm_key(eng_repo_keys(r), vm, vm_key, e) < 0
               ? -1
               : hash_vm_key(r, vm_key, out, e);
}

int eng_runlease_vm(struct eng_repo *r, const struct cancel *cancel,
                    const char *digest, char out[MF_NAME_MAX + 1],
                    struct err *e)
{
    AUTO_ENG_POINTS struct eng_points names = { 0 };
    char its[ENG_LEASE_VM_CHARS];

    out[0] = '\0';
    if (digest[0] == '\0')
        return 0;
    if (eng_points_visible(r, cancel, NULL, &names, e) < 0)
        return -1;
    for (size_t i = 0; i < names.n; i++) {
        if (i > 0 && strcmp(names.p[i].vm_key, names.p[i - 1].vm_key) == 0)
            continue;
        if (hash_vm_key(r, names.p[i].vm_key, its, e) < 0)
            return -1;
        if (strcmp(its, digest) == 0) {
            /* A sealed name is told by the manifest alone. */
            if (mf_keys_sealed(r->keys) &&
                eng_point_load(r, cancel, &names.p[i], e) < 0)
                return -1;
            memcpy(out, names.p[i].vm, sizeof(names.p[i].vm));
            return 0;
        }
    }
    return 0;
}

/* All leases of a run name its file, those that it stood back with too. */
static bool is_ours(const struct eng_runlease *l, const struct eng_lease *seen)
{
    return strcmp(seen->name, l->lease.name) == 0 ||
           (seen->lock[0] != '\0' && strcmp(seen->lock, l->lease.lock) == 0);
}

/* A run of the same VM that lives.  1: *who is it; the oldest, where there are
 * several. */
static int find_twin(struct eng_runlease *l, struct eng_lease_seen *who,
                     struct err *e)
{
    AUTO_ENG_LEASES struct eng_leases all = { 0 };
    struct eng_repo *r = l->repo;

    if (eng_leases_list(r->store, l->cancel, ENG_LEASE_RUN, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        const struct eng_lease_seen *s = &all.s[i];
        if (is_ours(l, &s->l) || s->unreadable || s->l.ended ||
            s->l.until <= s->l.seen || strcmp(s->l.vm, l->lease.vm) != 0 ||
            died_here(r, s->l.lock))
            continue;
        *who = *s;
        return 1;
    }
    return 0;
}

/* Puts a lease that was not there yet. */
static int put_new(struct eng_runlease *l, struct err *e)
{
    struct eng_repo *r = l->repo;
    struct eng_lease fresh;

    if (eng_lease_init(r->store, ENG_LEASE_RUN, ENG_LEASE_S, &fresh, e) < 0)
        return -1;
    memcpy(fresh.vm, l->lease.vm, sizeof(fresh.vm));
    memcpy(fresh.lock, l->lease.lock, sizeof(fresh.lock));
    l->lease = fresh;
    l->tried_until = fresh.until;
    l->lost = false;
    l->leased = true;
    atomic_store(&l->due, fresh.begun + ENG_LEASE_RENEW_S);
    if (eng_lease_put(r->store, l->cancel, &l->lease, fresh.until, 0, e) < 0)
        return err_ctx(e, "put the lease of this run");
    return 0;
}

static bool put_ended(struct eng_runlease *l, int64_t sign_before);

/* Lets the one that came before us go on, who waits while our lease lives.
 * Nothing was put under it but itself, so it is over whatever became of our
 * requests; and where it is not known whether that was written it may be at any
 * time, so nothing relies on it any more. */
static void stand_back(struct eng_runlease *l)
{
    l->lost = true;
    l->leased = !put_ended(l, 0);
    l->left |= l->leased;
    l->unanswered = unanswered(l->repo);
}

/* Others see our lease, as far as we know. */
static bool stands(const struct eng_runlease *l)
{
    return l->leased && !l->lost &&
           eng_lease_now(l->repo->store) < l->lease.until;
}

/* Goes on when a listing that was made after our put shows no twin: of two that
 * put, the one that lists later sees the other.  Which of them came first is
 * told by their times, to the second; that one may have been overlooked by a
 * later one that goes on already, so it waits, too.  The later one stands back,
 * or each would wait for the other.  Whose lease was lost meanwhile puts
 * another and looks again. */
static int wait_for_twin(struct eng_runlease *l, const char *vm, struct err *e)
{
    struct eng_lease_seen who;
    char text[ENG_LEASE_TEXT_CHARS];
    int64_t poll_ms = POLL_MS;
    bool told = false;
    int found = 0;

    while ((found = find_twin(l, &who, e)) == 1 || (found == 0 && !stands(l))) {
        if (found == 0) {
            if (put_new(l, e) < 0)
                return -1;
            continue;
        }
        eng_lease_text(&who, text);
        if (!told)
            log_warn("repo", "%s is being backed up by %s; waiting for it", vm,
                     text);
        told = true;
        if (l->leased && (l->lost || eng_lease_before(&who.l, &l->lease)))
            stand_back(l);
        if (cancel_sleep(l->cancel, poll_ms, e) < 0)
            return -1;
        poll_ms = earlier(2 * poll_ms, POLL_MAX_MS);
        eng_runlease_tick(l->repo, l->cancel);
    }
    return found;
}

static int begin_in_bucket(struct eng_runlease *l, const char *vm,
                           struct err *e)
{
    if (hash_vm(l->repo, vm, l->lease.vm, e) < 0)
        return -1;
    make_alive(l);
    return put_new(l, e) < 0 ? -1 : wait_for_twin(l, vm, e);
}

static int lock_file(struct eng_runlease *l, const char *name, bool exclusive,
                     const char *whom, int *fd, struct err *e)
{
    int64_t poll_ms = POLL_LOCK_MS;
    bool told = false;
    int got = 0;

    while ((got = eng_dirlock_try(l->repo->dir, name, exclusive, fd, e)) == 0) {
        if (!told)
            log_warn("repo", "%s: waiting for %s", l->repo->name, whom);
        told = true;
        if (cancel_sleep(l->cancel, poll_ms, e) < 0)
            return -1;
        poll_ms = earlier(2 * poll_ms, POLL_LOCK_MAX_MS);
    }
    if (got == 1)
        return 0;
    /* Collection is refused there. */
    if (e->kind != ERR_UNSUPPORTED)
        return -1;
    log_info("repo", "%s", e->msg);
    return 0;
}

static int begin_in_folder(struct eng_runlease *l, const char *vm,
                           struct err *e)
{
    char hash[ENG_LEASE_VM_CHARS];

    if (hash_vm(l->repo, vm, hash, e) < 0 ||
        lock_file(l, ENG_DIRLOCK_RUNS, false, "a collection", &l->dir_fd, e) <
            0)
        return -1;
    AUTO_MEM char *name = io_format(e, "vm-%.16s.lock", hash);
    if (name == NULL)
        return -1;
    return lock_file(l, name, true, "another run of this VM", &l->vm_fd, e);
}

/* over: nobody takes the lease for one of a run at work.  Else our file stays,
 * held by nobody: so a later run of this host knows that we are gone. */
static void drop(struct eng_runlease *l, bool over)
{
    const int fds[] = { l->alive_fd, l->vm_fd, l->dir_fd };

    if (over && l->alive != NULL && l->alive_fd >= 0)
        unlink(l->alive);
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(l->alive);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

int eng_runlease_begin(struct eng_repo *r, const char *vm,
                       const struct cancel *cancel, struct err *e)
{
    if (r->at_work != NULL)
        return err_set(e, ERR_INTERNAL, 0, "a run is under way already");
    struct eng_runlease *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return err_nomem(e);
    pthread_mutex_init(&l->lock, NULL);
    l->repo = r;
    l->cancel = cancel;
    l->alive_fd = l->dir_fd = l->vm_fd = -1;
    l->unanswered = unanswered(r);
    r->at_work = l;
    int begun =
        r->dir != NULL ? begin_in_folder(l, vm, e) : begin_in_bucket(l, vm, e);
    if (begun == 0)
        return 0;
    eng_runlease_end(r);
    return err_ctx(e, "repository %s", r->name);
}

void eng_runlease_rely(struct eng_repo *r)
{
    if (r->at_work != NULL)
        memcpy(r->at_work->sweep, r->sweep, sizeof(r->sweep));
}

/* --- the end --- */

/* A new lease, by the same rule as the first one. */
static int rejoin(struct eng_runlease *l, bool *swept, struct err *e)
{
    char counter[ENG_COUNTER_CHARS];

    log_info("repo", "%s: this run takes a new lease", l->repo->name);
    if (put_new(l, e) < 0)
        return -1;
    pthread_mutex_unlock(&l->lock); /* it is renewed while we wait */
    int r = eng_counter_settled(l->repo, l->cancel, counter, e);
    pthread_mutex_lock(&l->lock);
    if (r < 0)
        return -1;
    *swept = strcmp(counter, l->sweep) != 0;
    return 0;
}

static int confirm(struct eng_runlease *l, int64_t *sign_before, bool *swept,
                   struct err *e)
{
    int64_t at = 0;
    bool good = false;

    while (!good) {
        if (look(l, 0, &at, e) < 0)
            return -1;
        if (!l->lost && l->lease.until - at < SHORT_S && renew(l, &at, e) < 0)
            return -1;
        good = !l->lost;
        if (!good && rejoin(l, swept, e) < 0)
            return -1;
    }
    *sign_before = earlier(l->lease.until, at + LOOK_S);
    return 0;
}

int eng_runlease_confirm(struct eng_repo *r, const struct cancel *cancel,
                         int64_t *sign_before, bool *swept, struct err *e)
{
    struct eng_runlease *l = r->at_work;

    (void)cancel;
    *sign_before = 0;
    *swept = false;
    if (l == NULL || !l->leased || r->descriptor.locked)
        return 0;
    pthread_mutex_lock(&l->lock);
    int result = confirm(l, sign_before, swept, e);
    pthread_mutex_unlock(&l->lock);
    return result < 0 ? err_ctx(e, "the lease of this run") : 0;
}

static bool put_ended(struct eng_runlease *l, int64_t sign_before)
{
    struct err e = { 0 };
    int64_t patience_ms = cancel_requested(l->cancel) ? END_STOPPED_MS : END_MS;

    l->lease.ended = true;
    if (eng_lease_put(l->repo->store, NULL, &l->lease, sign_before,
                      utc_mono_ms() + patience_ms, &e) == 0)
        return true;
    log_info("repo", "the lease of this run runs out by itself: %s", e.msg);
    return false;
}

static bool write_ended(struct eng_runlease *l)
{
    if (unanswered(l->repo) != l->unanswered) {
        log_info("repo", "requests were not answered: the lease of this run "
                         "runs out by itself");
        return false;
    }
    return put_ended(l, l->lease.until);
}

void eng_runlease_end(struct eng_repo *r)
{
    struct eng_runlease *l = r->at_work;

    if (l == NULL)
        return;
    bool over = (!l->leased || l->lost || write_ended(l)) && !l->left;
    r->at_work = NULL;
    drop(l, over);
}
