// SPDX-License-Identifier: Apache-2.0
/* How the texts of a job name VMs, containers and disks. */
#include "engine/job/reference.h"

#include <ctype.h>
#include <string.h>

#include "base/io.h"
#include "base/utf8.h"

#define NAME_BYTES 64 /* as eng_config_name_check has it */

static bool wild(uint8_t c)
{
    return c == '*' || c == '?';
}

/* Could it be a configured name (with `patterns`: or match one)? */
static bool is_name(struct span s, bool patterns)
{
    if (s.len < 1 || s.len > NAME_BYTES)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool edge = i > 0 && strchr("._-", s.p[i]) != NULL;
        if (!isalnum(s.p[i]) && !edge && !(patterns && wild(s.p[i])))
            return false;
    }
    return true;
}

bool eng_ref_split(const char *text, struct eng_ref *out)
{
    const char *colon = strchr(text, ':');

    if (colon == NULL)
        return false;
    out->source = span_of(text, (size_t)(colon - text));
    out->rest = colon + 1;
    return is_name(out->source, false);
}

bool eng_ref_is_vm(const char *text, const char *source, const char *id,
                   const char *name)
{
    struct eng_ref ref;

    return eng_ref_split(text, &ref) && span_eq(ref.source, span_str(source)) &&
           (strcmp(ref.rest, id) == 0 || strcmp(ref.rest, name) == 0);
}

struct eng_container_ref eng_container_ref_of(const char *rest)
{
    for (int k = 0; k < ENG_CONTAINER_KINDS; k++) {
        const char *word = eng_container_kind_name((enum eng_container_kind)k);
        size_t len = strlen(word);
        if (strncmp(rest, word, len) == 0 && rest[len] == '=')
            return (struct eng_container_ref){ (enum eng_container_kind)k,
                                               rest + len + 1 };
    }
    return (struct eng_container_ref){ ENG_FOLDER, rest };
}

char *eng_container_text(const struct eng_container *k, struct err *e)
{
    /* A folder's name is enough, unless it reads as something else. */
    if (k->kind == ENG_FOLDER && eng_container_ref_of(k->name).name == k->name)
        return io_format(e, "%s", k->name);
    return io_format(e, "%s=%s", eng_container_kind_name(k->kind), k->name);
}

struct eng_vm_pattern eng_vm_pattern_of(struct span text)
{
    struct eng_vm_pattern p = { .vm = text };
    const uint8_t *colon = memchr(text.p, ':', text.len);

    if (colon == NULL)
        return p;
    size_t n = (size_t)(colon - text.p);
    if (is_name(span_of(text.p, n), true)) {
        p.source = span_of(text.p, n);
        p.vm = span_of(colon + 1, text.len - n - 1);
    }
    return p;
}

bool eng_disk_ref_split(const char *text, char at, struct eng_vm_pattern *vm,
                        const char **disks)
{
    const char *cut = strrchr(text, at);

    if (cut == NULL || cut == text || cut[1] == '\0')
        return false;
    *vm = eng_vm_pattern_of(span_of(text, (size_t)(cut - text)));
    *disks = cut + 1;
    return vm->vm.len > 0;
}

bool eng_is_pattern(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (wild(text.p[i]))
            return true;
    return false;
}

/* One star at a time is tried further on: the last one that was passed, as
 * what an earlier one could still take, this one can, too. */
bool eng_pattern_matches(struct span pattern, const char *text)
{
    const uint8_t *t = (const uint8_t *)text;
    size_t left = strlen(text);
    size_t i = 0; /* in the pattern */
    size_t star = SIZE_MAX;
    struct span retry = { 0 }; /* of the text, behind what the star took */

    while (left > 0) {
        size_t step = utf8_len(t, left);
        if (step == 0)
            step = 1;
        if (i < pattern.len && pattern.p[i] == '*') {
            star = i++;
            retry = span_of(t, left);
            continue;
        }
        if (i < pattern.len && pattern.p[i] == '?') {
            i++;
        } else if (i + step <= pattern.len &&
                   memcmp(pattern.p + i, t, step) == 0) {
            i += step;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            t = retry.p;
            left = retry.len;
            step = utf8_len(t, left);
            if (step == 0)
                step = 1;
            retry = span_of(t + step, left - step);
        } else {
            return false;
        }
        t += step;
        left -= step;
    }
    while (i < pattern.len && pattern.p[i] == '*')
        i++;
    return i == pattern.len;
}

bool eng_vm_pattern_matches(const struct eng_vm_pattern *p, const char *source,
                            const char *id, const char *name)
{
    if (p->source.len > 0 && !eng_pattern_matches(p->source, source))
        return false;
    return eng_pattern_matches(p->vm, name) || eng_pattern_matches(p->vm, id);
}

static int add_source(const char *text, struct eng_texts *out, struct err *e)
{
    struct eng_ref ref;
    char name[NAME_BYTES + 1] = "";

    if (!eng_ref_split(text, &ref))
        return 0;
    memcpy(name, ref.source.p, ref.source.len);
    for (size_t i = 0; i < out->n; i++)
        if (strcmp(out->v[i], name) == 0)
            return 0;
    return eng_texts_add(out, name, e);
}

int eng_job_sources(const struct eng_job *j, struct eng_texts *out,
                    struct err *e)
{
    for (size_t i = 0; i < j->vms.n; i++)
        if (add_source(j->vms.v[i], out, e) < 0)
            return -1;
    for (size_t i = 0; i < j->containers.n; i++)
        if (add_source(j->containers.v[i], out, e) < 0)
            return -1;
    return 0;
}
