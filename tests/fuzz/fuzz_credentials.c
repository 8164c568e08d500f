// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the answer of whoever gives out keys (a program, a container's
// endpoint, instance metadata, STS), and as a command line.
#include <stdlib.h>
#include <string.h>

#include "objstore/credentials_source.h"

#define WORDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What was taken for an answer has keys, within bounds. */
static void check(int r, const struct obj_credentials *c, const struct err *e)
{
    if (r < 0) {
        must(e->kind == ERR_DENIED);
        return;
    }
    must(c->access_key != NULL && c->secret != NULL);
    must(secret_span(c->secret).len > 0);
    must(secret_span(c->secret).len <= OBJ_CREDENTIALS_SECRET_MAX);
    must(c->token == NULL ||
         secret_span(c->token).len <= OBJ_CREDENTIALS_TOKEN_MAX);
}

static void split(const uint8_t *data, size_t size)
{
    const char *argv[WORDS + 1];
    struct err e = { 0 };
    char *text = malloc(size + 1);

    must(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (obj_credentials_split(text, argv, WORDS, &e) == 0) {
        size_t n = 0;
        for (; argv[n] != NULL; n++)
            must(argv[n] >= text && argv[n] + strlen(argv[n]) <= text + size);
        must(n > 0 && n <= WORDS && argv[0][0] != '\0');
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);

    for (int i = 0; i < 2; i++) {
        AUTO_OBJ_CREDENTIALS struct obj_credentials c = { 0 };
        struct err e = { 0 };
        check(obj_credentials_decode(text,
                                     i == 0 ? OBJ_CREDENTIALS_BY_PROCESS
                                            : OBJ_CREDENTIALS_BY_ENDPOINT,
                                     &c, &e),
              &c, &e);
    }
    AUTO_OBJ_CREDENTIALS struct obj_credentials c = { 0 };
    struct err e = { 0 };
    check(obj_credentials_decode_sts(text, "AssumeRole", &c, &e), &c, &e);
    split(data, size);
    return 0;
}
