// SPDX-License-Identifier: Apache-2.0
/*
 * From a request to its answer: who may, what it carries, which operation.
 */
#include <string.h>

#include "tests/s3server/impl.h"

void s3server_fail(struct s3_work *w, int status, const char *code,
                   const char *message)
{
    s3server_error(w->a, w->q, status, code, message, NULL);
}

static void head_bucket(struct s3_work *w)
{
    buf_printf(&w->a->headers, "x-amz-bucket-region: %s\r\n",
               w->s->opts.region);
}

static const struct {
    const char *op;
    void (*run)(struct s3_work *w);
} operations[] = {
    { "PutObject", s3server_put_object },
    { "GetObject", s3server_get_object },
    { "HeadObject", s3server_get_object },
    { "DeleteObject", s3server_delete_object },
    { "DeleteObjects", s3server_delete_objects },
    { "ListObjectsV2", s3server_list_keys },
    { "ListObjectVersions", s3server_list_versions },
    { "PutObjectRetention", s3server_put_retention },
    { "GetObjectRetention", s3server_get_retention },
    { "PutObjectLegalHold", s3server_put_hold },
    { "GetObjectLegalHold", s3server_get_hold },
    { "CreateBucket", s3server_create_bucket },
    { "DeleteBucket", s3server_delete_bucket },
    { "HeadBucket", head_bucket },
    { "GetBucketLocation", s3server_get_location },
    { "GetBucketVersioning", s3server_get_versioning },
    { "PutBucketVersioning", s3server_put_versioning },
    { "GetObjectLockConfiguration", s3server_get_lock_config },
    { "PutObjectLockConfiguration", s3server_put_lock_config },
    { "GetBucketLifecycleConfiguration", s3server_get_lifecycle },
    { "PutBucketLifecycleConfiguration", s3server_put_lifecycle },
};

static void run(struct s3_work *w)
{
    size_t i = 0;

    while (i < sizeof operations / sizeof operations[0] &&
           strcmp(operations[i].op, w->q->op) != 0)
        i++;
    if (i == sizeof operations / sizeof operations[0]) {
        s3server_fail(w, 501, "NotImplemented",
                      "A header or query you provided implies functionality "
                      "that is not implemented.");
        return;
    }
    pthread_mutex_lock(&w->s->shelf);
    w->b = s3server_find_bucket(w->s, w->q->bucket);
    w->a->status = 200;
    if (w->b == NULL && strcmp(w->q->op, "CreateBucket") != 0)
        s3server_fail(w, 404, "NoSuchBucket",
                      "The specified bucket does not exist");
    else if (strlen(w->q->key) > S3SERVER_KEY_MAX)
        s3server_fail(w, 400, "KeyTooLongError", "Your key is too long");
    else
        operations[i].run(w);
    pthread_mutex_unlock(&w->s->shelf);
}

void s3server_execute(struct s3server *s, struct s3_request *q,
                      struct s3_answer *a)
{
    struct s3_work w = { .s = s, .q = q, .a = a };

    if (!s3server_admit(s, q, a) ||
        !s3server_check_body(q, a, &w.vouched, w.checksum)) {
        pthread_mutex_lock(&s->lock);
        s->counts.refused++;
        pthread_mutex_unlock(&s->lock);
        return;
    }
    run(&w);
    if (strcmp(q->op, "PutObject") != 0 || a->status != 200)
        return;
    pthread_mutex_lock(&s->lock);
    s->counts.puts++;
    pthread_mutex_unlock(&s->lock);
}
