// SPDX-License-Identifier: Apache-2.0
/*
 * The rules that tests give: which one acts on a request.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "tests/s3server/impl.h"

static const char *copy(const char *text)
{
    return text == NULL ? NULL : s3server_copy(text);
}

static struct s3server_rule copy_rule(const struct s3server_rule *r)
{
    struct s3server_rule c = *r;

    c.op = copy(r->op);
    c.key = copy(r->key);
    c.code = copy(r->code);
    c.message = copy(r->message);
    c.headers = copy(r->headers);
    return c;
}

void s3server_rule_free(struct s3server_rule *r)
{
    free((char *)(uintptr_t)r->op);
    free((char *)(uintptr_t)r->key);
    free((char *)(uintptr_t)r->code);
    free((char *)(uintptr_t)r->message);
    free((char *)(uintptr_t)r->headers);
    *r = (struct s3server_rule){ 0 };
}

/* With the lock held. */
static void forget(struct s3server *s)
{
    for (size_t i = 0; i < s->nrules; i++)
        s3server_rule_free(&s->rules[i].r);
    free(s->rules);
    s->rules = NULL;
    s->nrules = 0;
}

void s3server_script_free(struct s3server *s)
{
    forget(s);
}

void s3server_script(struct s3server *s, const struct s3server_rule *rules,
                     size_t n)
{
    pthread_mutex_lock(&s->lock);
    forget(s);
    s->rules = s3server_alloc(n * sizeof *s->rules);
    s->nrules = n;
    for (size_t i = 0; i < n; i++)
        s->rules[i].r = copy_rule(&rules[i]);
    pthread_mutex_unlock(&s->lock);
}

unsigned s3server_acted(struct s3server *s, size_t i)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = i < s->nrules ? s->rules[i].acted : 0;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* xorshift: the same seed, the same throws. */
static bool throw_dice(struct s3server *s, unsigned per_mille)
{
    s->dice ^= s->dice << 13;
    s->dice ^= s->dice >> 7;
    s->dice ^= s->dice << 17;
    return (s->dice >> 20) % 1000 < per_mille;
}

static bool fits(const struct s3server_rule *r, const struct s3_request *q)
{
    /* A connection that was just made has no key and no operation. */
    if ((q->key == NULL) != (r->act == S3SERVER_RESET_ACCEPT))
        return false;
    if (q->key == NULL)
        return true;
    return (r->op == NULL || fnmatch(r->op, q->op, 0) == 0) &&
           (r->key == NULL || fnmatch(r->key, q->key, 0) == 0);
}

/* Is it this rule's turn, now that it matched once more? */
static bool has_turn(struct s3server *s, struct s3_rule *r)
{
    if (r->seen++ < r->r.skip)
        return false;
    if (r->r.times != 0 && r->acted >= r->r.times)
        return false;
    if (r->r.chance != 0 && !throw_dice(s, r->r.chance))
        return false;
    r->acted++;
    return true;
}

bool s3server_match(struct s3server *s, const struct s3_request *q,
                    struct s3server_rule *out)
{
    bool found = false;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->nrules && !found; i++) {
        struct s3_rule *r = &s->rules[i];
        found = fits(&r->r, q) && has_turn(s, r);
        if (found) /* the script may be replaced while this one acts */
            *out = copy_rule(&r->r);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}
