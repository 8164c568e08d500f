// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_NAME_H
#define MANIFEST_NAME_H

/* Which names and texts a manifest may hold (FORMAT.md "Texts and names"): for
 * sources, to refuse early what the encoder would refuse at the end of a run.
 */
#include <stdbool.h>
#include <stddef.h>

#define MF_NAME_MAX 1024 /* bytes of a VM, disk, job name */
#define MF_PATH_MAX 4096 /* bytes of a file's relative path */
#define MF_TEXT_MAX 8192 /* bytes of a free text, as the source */

/* UTF-8 of 1 to max bytes. */
bool mf_name_is_text(const char *s, size_t max);

/* The same without control characters (U+0000..U+001F, U+007F..U+009F): a VM's
 * or job's name. */
bool mf_name_is_plain(const char *s, size_t max);

/* A disk's name: plain, no '/', not "." or "..". */
bool mf_name_is_disk(const char *s);

/* A file's path, safe to join to a folder: plain, relative, components
 * separated by one '/', none of them "." or "..". */
bool mf_name_is_path(const char *s);

/* Order of names in which a folder is followed by what is in it: '/' sorts
 * before all other bytes.  As strcmp. */
int mf_name_compare(const char *a, const char *b);

/* True where folder is name, or name lies below it. */
bool mf_name_covers(const char *folder, const char *name);

#endif
