// SPDX-License-Identifier: Apache-2.0
/* What a transfer that libcurl gave up means for the layers above. */
#include <stdio.h>
#include <string.h>

#include "objstore/http_impl.h"

void obj_http_message(struct obj_attempt *a, const char *text)
{
    snprintf(a->message, sizeof a->message, "%.*s", (int)sizeof a->message - 1,
             text);
}

/* What failed before a request was on its way. */
static enum obj_outcome early_outcome(CURLcode code)
{
    switch ((int)code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return OBJ_TLS;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return OBJ_REJECTED;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_SSL_ENGINE_INITFAILED:
        return OBJ_LOCAL;
    default:
        return OBJ_NETWORK;
    }
}

void obj_http_failed(CURL *easy, CURLcode code, const char *text,
                     struct obj_attempt *a)
{
    curl_off_t connected_us = 0;
    long connects = 0;

    if (text[0] == '\0')
        text = curl_easy_strerror(code);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    obj_http_message(a, text);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        a->outcome = OBJ_STOPPED;
        obj_http_message(a, "interrupted");
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        a->outcome = connected_us > 0 ? OBJ_SLOW : OBJ_NETWORK;
    } else if (code == CURLE_SSL_CONNECT_ERROR &&
               strstr(text, "wrong version number") != NULL) {
        /* Plain HTTP, or anything else: trying again will not make it TLS. */
        a->outcome = OBJ_REJECTED;
        obj_http_message(a, "the server does not speak TLS on this port");
    } else {
        a->outcome = early_outcome(code);
        /* On a kept connection it may be the rest of the last answer. */
        if (a->outcome == OBJ_REJECTED && connects == 0 && connected_us > 0)
            a->outcome = OBJ_NETWORK;
        if (a->outcome == OBJ_LOCAL)
            err_set(&a->err,
                    code == CURLE_OUT_OF_MEMORY ? ERR_NOMEM : ERR_INTERNAL, 0,
                    "libcurl: %s", text);
    }
}
