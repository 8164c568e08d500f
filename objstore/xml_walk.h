// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_XML_WALK_H
#define OBJSTORE_XML_WALK_H

/*
 * Private to objstore/: how its readers of XML go through a document.
 */
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

/* Called at the end of an element; path is "Root/Child" and so on without
 * namespaces, text what the element holds itself, blanks included (the callee
 * may change it).  -1 with e filled ends the reading. */
typedef int (*obj_xml_element_fn)(void *ctx, const char *path, char *text,
                                  struct err *e);

/* The same at the beginning of an element, when its text is not known yet. */
typedef int (*obj_xml_begin_fn)(void *ctx, const char *path, struct err *e);

/* Calls begin (may be NULL) and end for each element.  -1:
 * ERR_CORRUPT, ERR_NOMEM, or what a handler said. */
int obj_xml_walk(struct span doc, obj_xml_begin_fn begin,
                 obj_xml_element_fn end, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

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
