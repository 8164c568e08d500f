// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_FOLDERS_H
#define TESTS_INTERLEAVE_FOLDERS_H

/*
 * Folders as a killed process leaves them.  An actor that dies is unwound, so
 * that its memory and its locks are given up; what that unwinding does to its
 * home must not be: the home is copied at the moment of death, and the copy
 * takes its place afterwards.
 */

/* Makes a copy, in the place of an older one; of nothing nothing.  Ends the
 * test where it cannot. */
void folder_copy(const char *from, const char *to);

/* Copies the folder to "<path>.dead". */
void folder_put_aside(const char *path);

/* Puts the copy, if there is one, in the folder's place. */
void folder_put_back(const char *path);

/* Removes a folder and all in it; one that is not there is fine. */
void folder_remove(const char *path);

#endif
