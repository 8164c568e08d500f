// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_XML_WALK_H
#define BASE_XML_WALK_H

/*
 * Going through XML documents that others wrote, with expat.  The input is
 * hostile: document types (and so entities) are refused, depth and text
 * lengths are bounded.  Pure functions over memory.
 */
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

/* Called at the end of an element; path is "Root/Child" and so on without
 * namespaces, text what the element holds itself, blanks included (the callee
 * may change it).  -1 with e filled ends the reading. */
typedef int (*xml_walk_end_fn)(void *ctx, const char *path, char *text,
                               struct err *e);

/* The same at the beginning of an element, when its text is not known yet.
 * attributes: name, value, name, value, ..., NULL. */
typedef int (*xml_walk_begin_fn)(void *ctx, const char *path,
                                 const char *const *attributes, struct err *e);

/* Calls begin and end (either may be NULL) for each element.  -1:
 * ERR_CORRUPT, ERR_NOMEM, or what a handler said. */
int xml_walk(struct span doc, xml_walk_begin_fn begin, xml_walk_end_fn end,
             void *ctx, struct err *e) __attribute__((warn_unused_result));

/* The value of an attribute, or NULL; borrowed. */
const char *xml_walk_attribute(const char *const *attributes, const char *name);

#endif
