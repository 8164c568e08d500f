// SPDX-License-Identifier: Apache-2.0
/*
 * S3 driver: deletions.  A refusal is looked into: a locked version is another
 * thing than a missing right, and servers do not tell them apart in one way.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "objstore/s3.h"
#include "objstore/xml.h"

bool obj_s3_is_locked(struct obj_s3 *s3, const struct obj_req *r,
                      const struct obj_attempt *a, struct obj_lock *lock)
{
    struct obj_attempt ask = obj_s3_further(a);

    obj_s3_get_lock(s3, r, lock, &ask);
    if (ask.outcome != OBJ_OK)
        return false;
    if (lock->legal_hold)
        return true;
    /* Without the server's time: a lock that is known is one. */
    return lock->mode != OBJ_LOCK_NONE &&
           (ask.server_time == 0 || lock->until >= ask.server_time);
}

void obj_s3_remove(void *self, const struct obj_req *r, bool bypass,
                   struct obj_attempt *a)
{
    struct obj_lock lock;

    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, r->key, OBJ_DELETE, "DELETE", a);
    if (r->version != NULL)
        obj_s3_call_query(&c, "versionId", r->version);
    if (bypass)
        obj_s3_call_header(&c, OBJ_S3_BYPASS_HEADER, "true");
    if (obj_s3_send(&c))
        return;
    if (a->outcome == OBJ_ABSENT) /* what is not there is deleted */
        a->outcome = OBJ_OK;
    else if (r->version != NULL &&
             (a->outcome == OBJ_FORBIDDEN ||
              strcmp(a->code, "InvalidRequest") == 0) &&
             obj_s3_is_locked(self, r, a, &lock))
        a->outcome = OBJ_WORM;
}

/* Names without an answer yet. */
#define UNANSWERED ERR_INTERNAL

struct many {
    struct obj_s3 *s3;
    const struct obj_req *req;
    struct obj_name *names;
    size_t n;
    size_t at; /* where the last answer was found: they come in order */
    struct obj_attempt *a;
};

static bool same_version(const char *asked, const char *answered)
{
    return asked == NULL || (answered != NULL && strcmp(asked, answered) == 0);
}

static struct obj_name *find(struct many *m, const char *key,
                             const char *version)
{
    for (size_t i = 0; i < m->n; i++) {
        size_t at = (m->at + i) % m->n;
        struct obj_name *name = &m->names[at];
        if (name->result == UNANSWERED && strcmp(name->key, key) == 0 &&
            same_version(name->version, version)) {
            m->at = at + 1;
            return name;
        }
    }
    return NULL;
}

static enum err_kind kind_of(enum obj_outcome o)
{
    switch (o) {
    case OBJ_OK:
    case OBJ_ABSENT:
        return ERR_NONE;
    case OBJ_WORM:
        return ERR_LOCKED;
    case OBJ_FORBIDDEN:
    case OBJ_AUTH:
        return ERR_DENIED;
    case OBJ_THROTTLE:
        return ERR_THROTTLED;
    case OBJ_UNAVAIL:
    case OBJ_NETWORK:
        return ERR_UNREACHABLE;
    case OBJ_SLOW:
        return ERR_TIMEOUT;
    case OBJ_CONFLICT:
        return ERR_BUSY;
    case OBJ_NO_SPACE:
        return ERR_FULL;
    case OBJ_UNABLE:
        return ERR_UNSUPPORTED;
    case OBJ_NO_BUCKET:
        return ERR_NOTFOUND;
    case OBJ_PRECOND:
    case OBJ_THERE:
        return ERR_PRECONDITION;
    case OBJ_DIGEST:
    case OBJ_UNREADABLE:
        return ERR_CORRUPT;
    case OBJ_STOPPED:
        return ERR_CANCELLED;
    case OBJ_TLS:
    case OBJ_CLOCK:
    case OBJ_REGION:
    case OBJ_REJECTED:
    case OBJ_LOCAL:
        return ERR_FAILED;
    }
    return ERR_FAILED;
}

/* The status that a lone DELETE would have had with this code. */
static int status_of(const char *code)
{
    if (strncmp(code, "NoSuch", 6) == 0)
        return 404;
    if (strcmp(code, "AccessDenied") == 0)
        return 403;
    return strncmp(code, "Internal", 8) == 0 ? 500 : 400;
}

static void on_result(void *ctx, const char *key, const char *version,
                      const char *code, const char *message)
{
    struct many *m = ctx;
    struct obj_name *name = find(m, key, version);

    if (name == NULL)
        return;
    if (code == NULL) {
        name->result = ERR_NONE;
        return;
    }
    const struct obj_s3_answer s = {
        .status = status_of(code),
        .verb = OBJ_DELETE,
        .of_key = true,
        .code = code,
        .message = message,
        .region = "",
        .signed_for = "",
    };
    enum obj_outcome o = obj_s3_classify(&s);
    name->result = kind_of(o);
    if (name->version == NULL ||
        (o != OBJ_FORBIDDEN && strcmp(code, "InvalidRequest") != 0))
        return;
    const struct obj_req one = { .key = name->key,
                                 .version = name->version,
                                 .cancel = m->req->cancel,
                                 .sign_before = m->req->sign_before };
    struct obj_lock lock;
    if (o != OBJ_WORM && obj_s3_is_locked(m->s3, &one, m->a, &lock))
        name->result = ERR_LOCKED;
}

/* A name that was given twice is answered once. */
static void answer_doubles(struct many *m)
{
    for (size_t i = 0; i < m->n; i++) {
        struct obj_name *name = &m->names[i];
        if (name->result != UNANSWERED)
            continue;
        name->result = ERR_FAILED;
        for (size_t k = 0; k < i && name->result == ERR_FAILED; k++) {
            const struct obj_name *other = &m->names[k];
            if (strcmp(other->key, name->key) == 0 &&
                (name->version == NULL) == (other->version == NULL) &&
                same_version(name->version, other->version))
                name->result = other->result;
        }
    }
}

void obj_s3_remove_many(void *self, const struct obj_req *r,
                        struct obj_name *names, size_t n, bool bypass,
                        struct obj_attempt *a)
{
    AUTO_BUF struct buf request = buf_init(OBJ_S3_XML_MAX);
    AUTO_BUF struct buf xml = buf_init(OBJ_S3_XML_MAX);
    struct many m = { self, r, names, n, 0, a };
    struct err e;

    for (size_t i = 0; i < n; i++)
        names[i].result = UNANSWERED;
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, NULL, OBJ_DELETE, "POST", a);
    obj_s3_call_query(&c, "delete", "");
    if (bypass)
        obj_s3_call_header(&c, OBJ_S3_BYPASS_HEADER, "true");
    if (!obj_xml_delete_request(names, n, &request)) {
        a->outcome = OBJ_UNABLE;
        obj_xml_copy(a->message, sizeof a->message,
                     "a key with control characters");
        return;
    }
    c.out = &xml;
    if (!obj_s3_call_xml(&c, &request) || !obj_s3_send(&c) ||
        !obj_s3_body_is_good(&c, buf_span(&xml)))
        return;
    if (obj_xml_delete_result(buf_span(&xml), on_result, &m, &e) < 0) {
        obj_s3_fail(a, &e);
        return;
    }
    answer_doubles(&m);
}
