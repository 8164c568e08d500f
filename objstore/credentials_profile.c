// SPDX-License-Identifier: Apache-2.0
/*
 * Keys of a profile: written down, printed by a program, or those of a role
 * that is taken on with the keys of another source, which may be a profile with
 * a role as well.  The chain is collected first, so that a circle is found
 * before anybody is asked.
 */
#include <string.h>

#include "base/io.h"
#include "objstore/credentials_source.h"
#include "objstore/profile.h"

#define PROFILES_MAX 6 /* of a chain: five roles, and the keys below them */

struct chain {
    struct obj_profile profile[PROFILES_MAX];
    const char *name[PROFILES_MAX]; /* borrowed from the one before */
    size_t n;
    size_t roles; /* the first so many are taken on, the last of them first */
};

static void chain_fini(struct chain *c)
{
    for (size_t i = 0; i < c->n; i++)
        obj_profile_fini(&c->profile[i]);
}
#define AUTO_CHAIN AUTO(chain_fini)

/* Loads a profile behind those that the chain has. */
static int add(struct chain *c, const char *name, struct err *e)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->name[i], name) == 0)
            return err_set(e, ERR_CONFIG, 0,
                           "the AWS profile %s: following source_profile leads "
                           "back to it",
                           name);
    }
    if (c->n == PROFILES_MAX)
        return err_set(e, ERR_CONFIG, 0,
                       "the AWS profile %s: more than %d roles in a row",
                       c->name[0], PROFILES_MAX - 1);
    struct obj_profile *p = &c->profile[c->n];
    if (obj_profile_load(p, name, e) < 0)
        return -1;
    c->name[c->n++] = name;
    if (c->n > 1 && !p->found)
        return err_set(e, ERR_CONFIG, 0,
                       "the AWS profile %s names the source_profile %s, which "
                       "is not there",
                       c->name[c->n - 2], name);
    return 0;
}

static int check_role(const struct obj_profile *p, const char *name,
                      struct err *e)
{
    const char *why = NULL;
    int sources = (p->source_profile != NULL) + (p->credential_source != NULL) +
                  (p->token_file != NULL);

    if (sources != 1)
        why = "role_arn needs one of source_profile, credential_source and "
              "web_identity_token_file";
    else if (p->mfa_serial != NULL)
        why = "its role wants a one-time code (mfa_serial), which is not "
              "supported; let a credential_process ask for it";
    else if (p->duration != NULL &&
             (strlen(p->duration) > 6 ||
              p->duration[strspn(p->duration, "0123456789")] != '\0'))
        why = "duration_seconds is no number of seconds";
    if (why == NULL)
        return 0;
    return err_set(e, ERR_CONFIG, 0, "the AWS profile %s: %s", name, why);
}

static int collect(struct chain *c, struct err *e)
{
    const char *name = obj_profile_chosen();

    for (;;) {
        if (add(c, name, e) < 0)
            return -1;
        const struct obj_profile *p = &c->profile[c->n - 1];
        if (p->role_arn == NULL)
            return 0;
        if (check_role(p, name, e) < 0)
            return -1;
        c->roles = c->n;
        if (p->source_profile == NULL || strcmp(p->source_profile, name) == 0)
            return 0;
        name = p->source_profile;
    }
}

/* 1: it has none. */
static int own_keys(const struct obj_profile *p, const char *name,
                    struct obj_credentials *out, struct err *e)
{
    if (p->access_key == NULL && p->secret == NULL)
        return 1;
    if (p->access_key == NULL || p->secret == NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "the AWS profile %s has only one of aws_access_key_id "
                       "and aws_secret_access_key",
                       name);
    return obj_credentials_set(p->access_key, p->secret, p->token, out, e);
}

static int named_source(const char *source, const struct cancel *cancel,
                        struct obj_credentials *out, struct err *e)
{
    static const struct {
        const char *name;
        int (*load)(const struct cancel *, struct obj_credentials *,
                    struct err *);
    } sources[] = {
        { "Environment", obj_credentials_from_environment },
        { "Ec2InstanceMetadata", obj_credentials_from_imds },
        { "EcsContainer", obj_credentials_from_container },
    };

    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        if (strcmp(sources[i].name, source) != 0)
            continue;
        int r = sources[i].load(cancel, out, e);
        return r == 1 ? -1 : r;
    }
    return err_set(e, ERR_CONFIG, 0,
                   "\"%.40s\" is none of Environment, Ec2InstanceMetadata and "
                   "EcsContainer",
                   source);
}

static struct obj_credentials_role role_of(const struct obj_profile *p)
{
    return (struct obj_credentials_role){
        .arn = p->role_arn,
        .session = p->session_name,
        .external_id = p->external_id,
        .duration = p->duration,
    };
}

/* What the last profile of the chain has; 1: nothing. */
static int base_keys(struct chain *c, const struct cancel *cancel,
                     struct obj_credentials *out, struct err *e)
{
    const struct obj_profile *p = &c->profile[c->n - 1];
    const char *name = c->name[c->n - 1];

    if (p->role_arn != NULL && p->token_file != NULL) {
        const struct obj_credentials_role role = role_of(p);
        c->roles--;
        return obj_credentials_by_token_file(p->token_file, &role, cancel, out,
                                             e);
    }
    if (p->role_arn != NULL && p->credential_source != NULL)
        return named_source(p->credential_source, cancel, out, e) < 0
                   ? err_ctx(e, "credential_source")
                   : 0;
    int r = own_keys(p, name, out, e);
    if (r == 1 && p->process != NULL)
        r = obj_credentials_from_process(p->process, cancel, out, e);
    if (r == 1 && (p->sso_session != NULL || p->sso_start_url != NULL))
        return err_set(e, ERR_CONFIG, 0,
                       "it has no keys but a single sign-on, which is not "
                       "supported; set credential_process = aws configure "
                       "export-credentials --profile NAME in another profile");
    if (r == 1 && c->roles > 0)
        return err_set(e, ERR_CONFIG, 0, "it has no keys");
    return r;
}

/* Trades keys for those of the roles above them. */
static int take_roles(const struct chain *c, const struct cancel *cancel,
                      struct obj_credentials *keys, struct err *e)
{
    for (size_t i = c->roles; i-- > 0;) {
        AUTO_OBJ_CREDENTIALS struct obj_credentials next = { 0 };
        const struct obj_credentials_role role = role_of(&c->profile[i]);
        if (obj_credentials_assume(&role, keys, cancel, &next, e) < 0)
            return err_ctx(e, "the AWS profile %s", c->name[i]);
        obj_credentials_fini(keys);
        *keys = next;
        next = (struct obj_credentials){ 0 };
    }
    return 0;
}

int obj_credentials_from_profile(const struct cancel *cancel,
                                 struct obj_credentials *out, struct err *e)
{
    AUTO_CHAIN struct chain c = { 0 };

    if (collect(&c, e) < 0)
        return -1;
    int r = base_keys(&c, cancel, out, e);
    if (r == 1 && !c.profile[0].found && strcmp(c.name[0], "default") != 0)
        return err_set(e, ERR_CONFIG, 0,
                       "AWS_PROFILE names the profile %.64s, and there is no "
                       "such profile",
                       c.name[0]);
    if (r == 1)
        return obj_credentials_absent(
            e, "the AWS profile %.64s (%s)", c.name[0],
            c.profile[0].found ? "no keys in it" : "no such profile");
    if (r < 0)
        return err_ctx(e, "the AWS profile %s", c.name[c.n - 1]);
    if (take_roles(&c, cancel, out, e) < 0)
        return -1;
    free(out->origin);
    out->origin = io_format(e, "the AWS profile %s", c.name[0]);
    return out->origin == NULL ? -1 : 0;
}
