// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_XML_ANSWER_H
#define OBJSTORE_XML_ANSWER_H

/*
 * Private to objstore/: what its readers of XML have in common.
 */
#include <stddef.h>

#include "base/err.h"

/* The root of a document must be the one that was asked for: a login page that
 * happens to be well-formed is no empty listing.  0 for elements below it. */
int obj_xml_root(const char *path, const char *root, struct err *e)
    __attribute__((warn_unused_result));

/* Replaces *at (malloc'd or NULL) by a copy of text. */
int obj_xml_set_text(char **at, const char *text, struct err *e)
    __attribute__((warn_unused_result));

/* Copies text where it fits in whole; what names it in the error. */
int obj_xml_set_exact(char *out, size_t cap, const char *text, const char *what,
                      struct err *e) __attribute__((warn_unused_result));

#endif
