// SPDX-License-Identifier: Apache-2.0
/* Whom a run is told to, and what they are told. */
#include "engine/run/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "engine/history/report.h"
#include "engine/run/notify_impl.h"

#define GIVE_UP_MS 60000 /* of a webhook */
#define MAIL_MS 60000
#define TEXT_MAX ((size_t)64 << 20)

/* True where a list of results ("warning,failed") has this one. */
static bool is_asked_for(const char *list, enum eng_status status)
{
    const char *name = eng_status_name(status);
    size_t len = strlen(name);

    if (list == NULL)
        return true;
    while (*list != '\0') {
        size_t n = strcspn(list, ",");
        if (n == len && memcmp(list, name, n) == 0)
            return true;
        list += n + (list[n] == ',' ? 1 : 0);
    }
    return false;
}

/* The document of `job run --json`. */
static int webhook(const struct eng_job *j, const struct eng_run_record *r,
                   const struct cancel *cancel, struct err *e)
{
    AUTO_BUF struct buf body = buf_init(TEXT_MAX);
    struct jsonw w = jsonw_init(&body, false);

    jsonw_object(&w);
    jsonw_kbool(&w, "ok",
                r->status == ENG_STATUS_SUCCESS ||
                    r->status == ENG_STATUS_WARNING);
    eng_report_json_run(&w, r);
    jsonw_end_object(&w);
    if (buf_check(&body, e) < 0)
        return -1;
    return eng_webhook_post(j->webhook, NULL, buf_span(&body), GIVE_UP_MS,
                            cancel, e);
}

static char *subject_of(const struct eng_run_record *r, struct err *e)
{
    size_t failed = 0;

    for (size_t i = 0; i < r->n_vms; i++)
        failed += r->vms[i].status == ENG_STATUS_FAILED ? 1 : 0;
    if (failed == 0)
        return io_format(e, "[objvault] %s: %s", r->job,
                         eng_status_name(r->status));
    return io_format(e, "[objvault] %s: %s, %zu of %zu VMs failed", r->job,
                     eng_status_name(r->status), failed, r->n_vms);
}

static int hand_over(const struct eng_job *j, struct span message,
                     const struct cancel *cancel, struct err *e)
{
    AUTO_MEM const char **argv = calloc(j->mail.n + 1, sizeof(char *));

    if (argv == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < j->mail.n; i++)
        argv[i] = j->mail.v[i];
    return process_run_input(argv, message, MAIL_MS, cancel, e);
}

static int mail(const struct eng_job *j, const struct eng_run_record *r,
                const struct cancel *cancel, struct err *e)
{
    char here[ENG_ZONE_NAME_CHARS];
    AUTO_BUF struct buf body = buf_init(TEXT_MAX);
    AUTO_BUF struct buf message = buf_init(TEXT_MAX);
    AUTO_MEM char *subject = subject_of(r, e);
    AUTO_MEM char *id =
        io_format(e, "%s.%lld.%lld.%d", r->job, (long long)r->id,
                  (long long)r->ended, (int)getpid());
    struct eng_report report = { .run = r, .zone = eng_job_zone(j, here) };

    if (subject == NULL || id == NULL || eng_report_text(&report, &body, e) < 0)
        return -1;
    const struct eng_mail m = {
        .from = j->mail_from,
        .to = j->mail_to,
        .subject = subject,
        .id = id,
        .host = r->host,
        .date = r->ended,
        .body = buf_cstr(&body),
    };
    eng_mail_compose(&m, &message);
    if (buf_check(&message, e) < 0)
        return -1;
    return hand_over(j, buf_span(&message), cancel, e);
}

int eng_notify(const struct eng_job *j, const struct eng_run_record *r,
               const struct cancel *cancel, struct err *e)
{
    struct err second = { 0 };
    int bad = 0;

    if (!is_asked_for(j->notify_on, r->status))
        return 0;
    if (j->webhook != NULL && webhook(j, r, cancel, e) < 0)
        bad = err_ctx(e, "the run is not told");
    if (j->mail.n > 0 && mail(j, r, cancel, bad == 0 ? e : &second) < 0) {
        struct err *why = bad == 0 ? e : &second;
        err_ctx(why, "the run is not told by mail");
        if (bad < 0)
            err_hint(e, "%s", second.msg);
        bad = -1;
    }
    return bad;
}
