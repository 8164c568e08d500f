// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_FOLDERS_H
#define ENGINE_REPO_FOLDERS_H

/*
 * Objects where the repository has folders ("plain/points/vm").  Servers that
 * keep objects as files leave out of every listing what lies below such an
 * object, without an error: whoever may put one object can hide all points of a
 * VM, or all there are.  So nothing may be concluded from a listing that shows
 * one, or that shows nothing at all.
 */
#include "engine/repo/repo.h"
#include "manifest/objkey.h"

/* While listing names of a keyset: keeps the first such name in `by`. */
void eng_folders_note(const char *key, const char *keyset,
                      char by[MF_KEY_CHARS]);

/* After a listing of `prefix` ("plain/points/vm/") that showed n objects of
 * ours: if that is none, and none that hides others either, fills `by` with the
 * name of the object that stands where the prefix or a folder above it is, a
 * deleted one too; "": nothing does.  A repository in a directory has none: a
 * file there is no folder. */
int eng_folders_look(struct eng_repo *r, const struct cancel *cancel,
                     const char *prefix, size_t n, char by[MF_KEY_CHARS],
                     struct err *e) __attribute__((warn_unused_result));

/* ERR_CORRUPT, which names the object; returns -1. */
int eng_folders_error(const char *by, struct err *e);

#endif
