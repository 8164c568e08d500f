// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_HTTP_IMPL_H
#define OBJSTORE_HTTP_IMPL_H

/* Private to objstore/http*.c. */
#include <curl/curl.h>

#include "objstore/driver.h"

/* Classifies a transfer that libcurl ended with code: outcome and message, with
 * OBJ_LOCAL also err.  text: libcurl's own, or "". */
void obj_http_failed(CURL *easy, CURLcode code, const char *text,
                     struct obj_attempt *a);

void obj_http_message(struct obj_attempt *a, const char *text);

#endif
