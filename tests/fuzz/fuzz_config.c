// SPDX-License-Identifier: Apache-2.0
/* Configuration files as anybody may have left them.  What is accepted must
 * survive being written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/job/account.h"
#include "engine/job/config.h"
#include "engine/job/fields.h"
#include "engine/job/source_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text of a place that is taken is taken again, for the same. */
static void source(struct span text)
{
    struct err e = { 0 };
    char name[] = "fuzz";
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = { 0 };
    AUTO_ENG_PLACE struct eng_place p = { 0 };
    AUTO_ENG_PLACE struct eng_place again = { 0 };

    if (eng_fields_decode(&eng_kind_source, text, &s, &e) < 0)
        return;
    s.name = strdup(name);
    if (s.name == NULL || eng_config_source_check(&s, &p, &e) < 0)
        return;
    if (eng_place_parse(p.text, &again, &e) < 0 ||
        strcmp(p.text, again.text) != 0 || p.kind != again.kind)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct eng_home home = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo again = { 0 };
    AUTO_BUF struct buf first = buf_init((size_t)1 << 24);
    AUTO_BUF struct buf second = buf_init((size_t)1 << 24);

    source(span_of(data, size));
    AUTO(eng_account_fini) struct eng_account account = { 0 };
    if (eng_fields_decode(&eng_kind_credentials, span_of(data, size), &account,
                          &e) == 0)
        return 0;
    if (eng_fields_decode(&eng_kind_repo, span_of(data, size), &r, &e) < 0)
        return 0;
    if (eng_fields_encode(&eng_kind_repo, &r, &first, &e) < 0 ||
        eng_fields_decode(&eng_kind_repo, buf_span(&first), &again, &e) < 0 ||
        eng_fields_encode(&eng_kind_repo, &again, &second, &e) < 0 ||
        !span_eq(buf_span(&first), buf_span(&second)))
        abort();

    char text[] = "/nowhere";
    char name[] = "fuzz";
    home.config = text;
    home.state = text;
    r.name = strdup(name);
    AUTO_ENG_CONFIG_PLACE struct eng_config_place place = { 0 };
    if (r.name != NULL && eng_config_place_init(&place, &home, &r, &e) == 0 &&
        place.place.store.bucket == NULL && place.place.store.path == NULL)
        abort();
    return 0;
}
