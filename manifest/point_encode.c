// SPDX-License-Identifier: Apache-2.0
/* Point manifest to canonical JSON. */
#include <stdio.h>

#include "base/jsonw.h"
#include "manifest/descriptor.h"
#include "manifest/point.h"
#include "manifest/point_priv.h"

static void write_vm(struct jsonw *w, const struct mf_point *p)
{
    jsonw_key(w, "vm");
    jsonw_object(w);
    jsonw_kstring(w, "name", p->vm.name);
    jsonw_kstring(w, "uuid", p->vm.uuid);
    jsonw_kstring(w, "source", p->vm.source);
    jsonw_kstring(w, "container", p->vm.container);
    jsonw_end_object(w);
}

static void write_policy(struct jsonw *w, const struct mf_point *p)
{
    const struct mf_retention *r = &p->retention;

    jsonw_key(w, "retention");
    if (r->present) {
        jsonw_object(w);
        jsonw_kuint(w, "days", r->days);
        jsonw_key(w, "gfs");
        jsonw_object(w);
        jsonw_kuint(w, "weekly", r->weekly);
        jsonw_kuint(w, "monthly", r->monthly);
        jsonw_kuint(w, "yearly", r->yearly);
        jsonw_end_object(w);
        jsonw_kstring(w, "timezone", r->timezone);
        jsonw_end_object(w);
    } else {
        jsonw_null(w);
    }

    jsonw_key(w, "gfs");
    jsonw_array(w);
    for (unsigned i = 0; mf_gfs_words[i] != NULL; i++) {
        if ((p->gfs >> i & 1) != 0)
            jsonw_string(w, mf_gfs_words[i]);
    }
    jsonw_end_array(w);

    if (p->locked_until != 0)
        jsonw_ktime(w, "locked_until", p->locked_until);
    else
        jsonw_knull(w, "locked_until");
}

static void write_stream(struct jsonw *w, const struct mf_stream *s, bool disk)
{
    char mode[16];

    jsonw_object(w);
    jsonw_kstring(w, "name", s->name);
    if (disk) {
        jsonw_kstring(w, "bus", s->bus);
        jsonw_kstring(w, "format", s->format);
    } else {
        (void)snprintf(mode, sizeof(mode), "%04o", (unsigned)s->mode);
        jsonw_kstring(w, "mode", mode);
    }
    jsonw_kuint(w, "size", s->size);
    jsonw_kuint(w, "block_size", s->block_size);
    jsonw_key(w, "pages");
    jsonw_array(w);
    for (uint64_t i = 0; i < s->n_pages; i++) {
        if (s->pages[i].zero)
            jsonw_null(w);
        else
            jsonw_hex(w, s->pages[i].id.b, MF_ID_BYTES);
    }
    jsonw_end_array(w);
    jsonw_end_object(w);
}

static void write_streams(struct jsonw *w, const char *key,
                          const struct mf_stream *s, size_t n, bool disks)
{
    jsonw_key(w, key);
    jsonw_array(w);
    for (size_t i = 0; i < n; i++)
        write_stream(w, &s[i], disks);
    jsonw_end_array(w);
}

void mf_point_write(const struct mf_point *p, struct buf *out)
{
    struct jsonw w = jsonw_init(out, false);

    jsonw_object(&w);
    jsonw_kuint(&w, "objvault", MF_FORMAT_VERSION);
    write_vm(&w, p);
    jsonw_kstring(&w, "job", p->job);
    jsonw_ktime(&w, "time", p->time);
    jsonw_kstring(&w, "kind", mf_kind_words[p->kind]);
    jsonw_ktime(&w, "chain", p->chain);
    jsonw_kstring(&w, "parent", p->parent);
    jsonw_kstring(&w, "consistency", mf_consistency_words[p->consistency]);
    write_policy(&w, p);
    write_streams(&w, "disks", p->disks, p->n_disks, true);
    write_streams(&w, "files", p->files, p->n_files, false);
    jsonw_key(&w, "stats");
    jsonw_object(&w);
    jsonw_kuint(&w, "source_bytes", p->stats.source_bytes);
    jsonw_kuint(&w, "read_bytes", p->stats.read_bytes);
    jsonw_kuint(&w, "new_bytes", p->stats.new_bytes);
    jsonw_kuint(&w, "stored_bytes", p->stats.stored_bytes);
    jsonw_kuint(&w, "seconds", p->stats.seconds);
    jsonw_end_object(&w);
    jsonw_kstring(&w, "program", p->program);
    jsonw_end_object(&w);
}

int mf_point_encode(const struct mf_point *p, struct buf *out, struct err *e)
{
    if (mf_point_check(p, ERR_FAILED, e) < 0)
        return err_ctx(e, "manifest");
    mf_point_write(p, out);
    if (buf_check(out, e) < 0)
        return err_ctx(e, "manifest");
    return 0;
}
