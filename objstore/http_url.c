// SPDX-License-Identifier: Apache-2.0
/*
 * Endpoints as people write them, taken apart by libcurl's own parser, so that
 * the host that is signed is the one that libcurl will speak to.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "objstore/http.h"

static void url_cleanupp(CURLU **u)
{
    curl_url_cleanup(*u);
}

static void curl_freep(char **p)
{
    curl_free(*p);
}
#define AUTO_CURL_TEXT AUTO(curl_freep)

/* NULL where the URL does not have that part. */
static char *part(CURLU *u, CURLUPart what)
{
    char *text = NULL;

    return curl_url_get(u, what, &text, 0) == CURLUE_OK ? text : NULL;
}

static int reject(const char *url, const char *why, struct err *e)
{
    return err_set(e, ERR_USAGE, 0,
                   "endpoint \"%.200s\" %s; expected http[s]://host[:port]",
                   url, why);
}

/* What has no place in an endpoint, in words; NULL: nothing. */
static const char *surplus(CURLU *u)
{
    AUTO_CURL_TEXT char *path = part(u, CURLUPART_PATH);
    AUTO_CURL_TEXT char *query = part(u, CURLUPART_QUERY);
    AUTO_CURL_TEXT char *fragment = part(u, CURLUPART_FRAGMENT);
    AUTO_CURL_TEXT char *user = part(u, CURLUPART_USER);
    AUTO_CURL_TEXT char *password = part(u, CURLUPART_PASSWORD);

    if (user != NULL || password != NULL)
        return "has a user name in it";
    if (query != NULL || fragment != NULL ||
        (path != NULL && strcmp(path, "/") != 0))
        return "has something after the host";
    return NULL;
}

int obj_http_endpoint(const char *url, char **scheme, char **host,
                      struct err *e)
{
    AUTO(url_cleanupp) CURLU *u = curl_url();

    if (u == NULL)
        return err_nomem(e);
    CURLUcode code =
        curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK)
        return reject(url, curl_url_strerror(code), e);
    const char *why = surplus(u);
    if (why != NULL)
        return reject(url, why, e);

    AUTO_CURL_TEXT char *s = part(u, CURLUPART_SCHEME);
    AUTO_CURL_TEXT char *h = part(u, CURLUPART_HOST);
    AUTO_CURL_TEXT char *port = part(u, CURLUPART_PORT);
    if (s == NULL || h == NULL || h[0] == '\0')
        return reject(url, "has no host", e);
    bool tls = strcmp(s, "https") == 0;
    if (!tls && strcmp(s, "http") != 0)
        return reject(url, "is of another scheme", e);
    bool own_port = port == NULL || strcmp(port, tls ? "443" : "80") == 0;

    AUTO_MEM char *scheme_copy = io_format(e, "%s", s);
    AUTO_MEM char *host_copy =
        io_format(e, "%s%s%s", h, own_port ? "" : ":", own_port ? "" : port);
    if (scheme_copy == NULL || host_copy == NULL)
        return -1;
    *scheme = STEAL(scheme_copy);
    *host = STEAL(host_copy);
    return 0;
}

int obj_http_host(const char *url, bool *tls, char **host, struct err *e)
{
    AUTO(url_cleanupp) CURLU *u = curl_url();

    if (u == NULL)
        return err_nomem(e);
    CURLUcode code =
        curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK)
        return err_set(e, ERR_USAGE, 0, "%s", curl_url_strerror(code));
    AUTO_CURL_TEXT char *s = part(u, CURLUPART_SCHEME);
    AUTO_CURL_TEXT char *h = part(u, CURLUPART_HOST);
    AUTO_CURL_TEXT char *user = part(u, CURLUPART_USER);
    AUTO_CURL_TEXT char *password = part(u, CURLUPART_PASSWORD);
    if (s == NULL || h == NULL || h[0] == '\0' || user != NULL ||
        password != NULL || (strcmp(s, "https") != 0 && strcmp(s, "http") != 0))
        return err_set(e, ERR_USAGE, 0,
                       "not of the form http[s]://host[:port]/path");
    *tls = strcmp(s, "https") == 0;
    *host = io_format(e, "%s", h);
    return *host == NULL ? -1 : 0;
}
