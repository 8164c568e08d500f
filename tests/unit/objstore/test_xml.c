// SPDX-License-Identifier: Apache-2.0
//
// Readers of S3's XML: documents as servers send them, and hostile ones.
#include "objstore/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static void error_document_gives_its_fields(void **state)
{
    struct obj_xml_error x;

    (void)state;
    assert_true(obj_xml_error(
        span_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<Error><Code>AuthorizationHeaderMalformed</Code>"
                 "<Message>The &#39;region&#39; is\nwrong</Message>"
                 "<Region>eu-central-1</Region><RequestId>18F</RequestId>"
                 "<Deep><Code>no</Code></Deep></Error>"),
        &x));
    assert_string_equal(x.code, "AuthorizationHeaderMalformed");
    assert_string_equal(x.message, "The 'region' is?wrong");
    assert_string_equal(x.region, "eu-central-1");
    assert_string_equal(x.request_id, "18F");
}

static void what_is_no_error_document_gives_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "Client sent an HTTP request to an HTTPS server.",
        "<html><Code>x</Code></html>",
        "<Error><Message>no code</Message></Error>",
        "<Error><Code>cut",
        "<ListBucketResult/>",
    };
    struct obj_xml_error x;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(obj_xml_error(span_str(texts[i]), &x));
        assert_string_equal(x.code, "");
        assert_string_equal(x.message, "");
    }
}

static void overlong_fields_of_an_error_are_cut(void **state)
{
    AUTO_BUF struct buf doc = buf_init(10000);
    struct obj_xml_error x;

    (void)state;
    buf_append_str(&doc, "<Error><Code>");
    for (int i = 0; i < 500; i++)
        buf_append_char(&doc, 'c');
    buf_append_str(&doc, "</Code></Error>");
    assert_true(obj_xml_error(buf_span(&doc), &x));
    assert_int_equal(strlen(x.code), sizeof x.code - 1);
}

static void list(const char *doc, bool versions, const char *prefix, size_t max,
                 struct obj_page *page)
{
    struct err e = { 0 };

    if (obj_xml_list(span_str(doc), versions, prefix, max, page, &e) < 0)
        fail_msg("%s", e.msg);
}

static void listing_gives_decoded_keys_and_a_continuation(void **state)
{
    struct obj_page p;

    (void)state;
    list("<ListBucketResult" NS "><Name>b</Name><Prefix>p%2F</Prefix>"
         "<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
         "<NextContinuationToken>cC8+%2B=</NextContinuationToken>"
         "<Contents><Key>p/a+b%2Bc%25%C3%A9</Key>"
         "<LastModified>2026-11-22T19:55:06.123Z</LastModified>"
         "<ETag>&#34;abc&#34;</ETag><Size>4294967297</Size>"
         "<Owner><ID>x</ID><Key>no</Key></Owner></Contents>"
         "<Contents><Key>p/%zz%</Key><Size>0</Size></Contents>"
         "<CommonPrefixes><Prefix>p/c/</Prefix></CommonPrefixes>"
         "</ListBucketResult>",
         false, "p/", 1000, &p);
    assert_int_equal(p.n, 2);
    assert_string_equal(p.entries[0].key, "p/a b+c%\xc3\xa9");
    assert_int_equal(p.entries[0].info.modified, 1795377306);
    assert_string_equal(p.entries[0].info.etag, "abc");
    assert_true(p.entries[0].info.size == 4294967297u);
    assert_string_equal(p.entries[0].info.version, "");
    /* What is no encoding stays as it is. */
    assert_string_equal(p.entries[1].key, "p/%zz%");
    /* Tokens are not encoded: back as they came. */
    assert_string_equal(p.next, "cC8+%2B=");
    assert_null(p.next_version);
    obj_page_clear(&p);
}

static void a_marked_listing_goes_on_behind_its_last_key(void **state)
{
    static const char *const pages[] = {
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
        "<NextMarker>p/b[x:1]</NextMarker><Contents><Key>p/a</Key></Contents>"
        "<Contents><Key>p/b%2Bc</Key></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>false</IsTruncated>"
        "<NextContinuationToken>t</NextContinuationToken>"
        "<Contents><Key>p/c</Key></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    };
    struct obj_page p;
    struct err e;

    (void)state;
    assert_int_equal(obj_xml_list_marked(span_str(pages[0]), "p/", 2, &p, &e),
                     0);
    assert_int_equal(p.n, 2);
    assert_string_equal(p.next, "p/b+c");
    obj_page_clear(&p);
    assert_int_equal(obj_xml_list_marked(span_str(pages[1]), "p/", 2, &p, &e),
                     0);
    assert_null(p.next);
    obj_page_clear(&p);
    assert_int_equal(obj_xml_list_marked(span_str(pages[2]), "p/", 2, &p, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    obj_page_clear(&p);
}

static void last_page_has_no_continuation(void **state)
{
    struct obj_page p;

    (void)state;
    list("<ListBucketResult><NextContinuationToken>t</NextContinuationToken>"
         "<IsTruncated>false</IsTruncated></ListBucketResult>",
         false, "", 10, &p);
    assert_int_equal(p.n, 0);
    assert_null(p.next);
    obj_page_clear(&p);
}

static void version_listing_mixes_versions_and_markers(void **state)
{
    struct obj_page p;

    (void)state;
    list("<x:ListVersionsResult xmlns:x=\"urn:a\"><x:IsTruncated>true"
         "</x:IsTruncated>"
         "<x:NextKeyMarker>v/a%5Bminio_cache:v2%5D</x:NextKeyMarker>"
         "<x:NextVersionIdMarker>v2</x:NextVersionIdMarker>"
         "<x:DeleteMarker><x:Key>v/a</x:Key><x:VersionId>v1</x:VersionId>"
         "<x:IsLatest>true</x:IsLatest></x:DeleteMarker>"
         "<x:Version><x:Key>v/a</x:Key><x:VersionId>null</x:VersionId>"
         "<x:IsLatest>false</x:IsLatest><x:Size>7</x:Size></x:Version>"
         "</x:ListVersionsResult>",
         true, "v/", 2, &p);
    assert_int_equal(p.n, 2);
    assert_true(p.entries[0].info.delete_marker);
    assert_true(p.entries[0].info.latest);
    assert_string_equal(p.entries[0].info.version, "v1");
    assert_false(p.entries[1].info.delete_marker);
    assert_false(p.entries[1].info.latest);
    assert_string_equal(p.entries[1].info.version, "null");
    assert_int_equal(p.entries[1].info.size, 7);
    /* Encoded like a key. */
    assert_string_equal(p.next, "v/a[minio_cache:v2]");
    assert_string_equal(p.next_version, "v2");
    obj_page_clear(&p);
}

struct bad_list {
    const char *doc;
    bool versions;
    const char *why;
};

static const struct bad_list bad_lists[] = {
    { "", false, "listing: empty document" },
    { "<html></html>", false,
      "listing: the answer is <html>, not <ListBucketResult>" },
    { "<ListBucketResult>", false, "listing: line 1: no element found" },
    { "<ListVersionsResult/>", false,
      "listing: the answer is <ListVersionsResult>, not <ListBucketResult>" },
    { "<ListBucketResult><Contents><Size>1</Size></Contents>"
      "</ListBucketResult>",
      false, "listing: listed entry without a key" },
    { "<ListVersionsResult><Version><Key>p</Key></Version>"
      "</ListVersionsResult>",
      true, "listing: listed version without its id" },
    { "<ListBucketResult><Contents><Key></Key></Contents></ListBucketResult>",
      false, "listing: listed key of 0 bytes" },
    { "<ListBucketResult><Contents><Key>q</Key></Contents></ListBucketResult>",
      false, "listing: the listing of \"p\" names \"q\"" },
    { "<ListBucketResult><Contents><Key>%0aq</Key></Contents>"
      "</ListBucketResult>",
      false, "listing: the listing of \"p\" names \"?q\"" },
    { "<ListBucketResult><Contents><Size>-1</Size></Contents>"
      "</ListBucketResult>",
      false, "listing: size \"-1\" is no number" },
    { "<ListBucketResult><Contents><Size>1x</Size></Contents>"
      "</ListBucketResult>",
      false, "listing: size \"1x\" is no number" },
    { "<ListBucketResult><Contents><Size>99999999999999999999</Size>"
      "</Contents></ListBucketResult>",
      false, "listing: size \"99999999999999999999\" is no number" },
    { "<ListBucketResult><Contents><LastModified>yesterday</LastModified>"
      "</Contents></ListBucketResult>",
      false, "listing: \"yesterday\" is no date" },
    { "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
      false, "listing: it goes on, but does not say where" },
    { "<ListBucketResult><Contents><Key>p1</Key></Contents>"
      "<Contents><Key>p2</Key></Contents><Contents><Key>p3</Key></Contents>"
      "</ListBucketResult>",
      false, "listing: the listing has more than the 2 entries asked for" },
    { "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult>&b;"
      "</ListBucketResult>",
      false, "listing: document type declarations are refused" },
};

static void broken_listings_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_lists / sizeof bad_lists[0]; i++) {
        const struct bad_list *b = &bad_lists[i];
        struct obj_page p;
        struct err e = { 0 };
        assert_int_equal(
            obj_xml_list(span_str(b->doc), b->versions, "p", 2, &p, &e), -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
        assert_string_equal(e.msg, b->why);
        obj_page_clear(&p);
    }
}

static void refused_list(struct buf *doc, const char *why)
{
    struct obj_page p;
    struct err e = { 0 };

    assert_int_equal(obj_xml_list(buf_span(doc), false, "", 10, &p, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    if (strstr(e.msg, why) == NULL)
        fail_msg("%s", e.msg);
    obj_page_clear(&p);
}

static void repeat(struct buf *doc, const char *text, int n)
{
    for (int i = 0; i < n; i++)
        buf_append_str(doc, text);
}

static void depth_path_and_text_are_bounded(void **state)
{
    AUTO_BUF struct buf doc = buf_init(1u << 20);

    (void)state;
    buf_append_str(&doc, "<ListBucketResult>");
    repeat(&doc, "<a>", 32);
    refused_list(&doc, "nest too deeply");

    buf_reset(&doc);
    buf_append_str(&doc, "<ListBucketResult><");
    repeat(&doc, "n", 1000);
    buf_append_str(&doc, "/></ListBucketResult>");
    refused_list(&doc, "nest too deeply");

    /* Names whose path fills the buffer to its last byte. */
    for (int n = 481; n < 501; n++) {
        struct obj_page p;
        struct err e;
        buf_reset(&doc);
        buf_append_str(&doc, "<ListBucketResult><");
        repeat(&doc, "n", n);
        buf_append_str(&doc, "><x/></");
        repeat(&doc, "n", n);
        buf_append_str(&doc, "></ListBucketResult>");
        int r = obj_xml_list(buf_span(&doc), false, "", 10, &p, &e);
        assert_int_equal(r, 16 + 1 + n + 2 < 512 ? 0 : -1);
        obj_page_clear(&p);
    }

    buf_reset(&doc);
    buf_append_str(&doc, "<ListBucketResult><Name>");
    repeat(&doc, "0123456789abcdef", 1025);
    buf_append_str(&doc, "</Name></ListBucketResult>");
    refused_list(&doc, "element ListBucketResult/Name: larger than");

    buf_reset(&doc);
    buf_append_str(&doc, "<ListBucketResult><Contents><Key>");
    repeat(&doc, "k", OBJ_KEY_MAX + 1);
    buf_append_str(&doc, "</Key></Contents></ListBucketResult>");
    refused_list(&doc, "listed key of 1025 bytes");

    buf_reset(&doc);
    buf_append_str(&doc, "<ListBucketResult><Contents><ETag>");
    repeat(&doc, "e", OBJ_ETAG_CHARS);
    buf_append_str(&doc, "</ETag></Contents></ListBucketResult>");
    refused_list(&doc, "etag of 80 bytes");
}

struct deleted {
    unsigned n;
    char text[4][200];
};

static void note(void *ctx, const char *key, const char *version,
                 const char *code, const char *message)
{
    struct deleted *d = ctx;

    assert_true(d->n < 4);
    snprintf(d->text[d->n++], sizeof d->text[0], "%s|%s|%s|%s", key,
             version == NULL ? "-" : version, code == NULL ? "-" : code,
             message == NULL ? "-" : message);
}

static void delete_result_is_read_entry_by_entry(void **state)
{
    struct deleted d = { 0 };
    struct err e;

    (void)state;
    assert_int_equal(
        obj_xml_delete_result(
            span_str("<DeleteResult" NS "><Deleted><Key>a &amp; b</Key>"
                     "<DeleteMarker>true</DeleteMarker>"
                     "<DeleteMarkerVersionId>m</DeleteMarkerVersionId>"
                     "</Deleted><Deleted><Key>c</Key><VersionId>v</VersionId>"
                     "</Deleted><Error><Key>d</Key><VersionId></VersionId>"
                     "<Code>AccessDenied</Code><Message>no</Message></Error>"
                     "<Error><Key>e</Key></Error><Error><Code>x</Code></Error>"
                     "</DeleteResult>"),
            note, &d, &e),
        0);
    assert_int_equal(d.n, 4);
    assert_string_equal(d.text[0], "a & b|-|-|-");
    assert_string_equal(d.text[1], "c|v|-|-");
    assert_string_equal(d.text[2], "d|-|AccessDenied|no");
    /* An error without a code is still an error. */
    assert_string_equal(d.text[3], "e|-||");

    assert_int_equal(
        obj_xml_delete_result(span_str("<DeleteResult><Deleted><Key>a</Key>"),
                              note, &d, &e),
        -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(obj_xml_delete_result(span_str("<a/>"), note, &d, &e), -1);
}

static void delete_request_escapes_keys(void **state)
{
    const struct obj_name names[] = {
        { "a&<>\"\r\n\tb", NULL, ERR_NONE },
        { "c", "v<1", ERR_NONE },
    };
    const struct obj_name control = { "x\x01y", NULL, ERR_NONE };
    const struct obj_name control_version = { "x", "\x02", ERR_NONE };
    AUTO_BUF struct buf out = buf_init(4096);

    (void)state;
    assert_true(obj_xml_delete_request(names, 2, &out));
    assert_string_equal(buf_cstr(&out),
                        "<Delete" NS "><Object><Key>a&#38;&#60;&#62;&#34;"
                        "&#13;&#10;&#9;b</Key></Object>"
                        "<Object><Key>c</Key><VersionId>v&#60;1</VersionId>"
                        "</Object></Delete>");
    assert_false(obj_xml_delete_request(&control, 1, &out));
    assert_false(obj_xml_delete_request(&control_version, 1, &out));
}

static void retention_gives_mode_and_date(void **state)
{
    struct obj_lock lock = { .legal_hold = true };
    struct err e;

    (void)state;
    assert_int_equal(
        obj_xml_retention(
            span_str("<Retention" NS "><Mode>GOVERNANCE</Mode>"
                     "<RetainUntilDate>2026-11-22T19:55:06.123456789Z"
                     "</RetainUntilDate></Retention>"),
            &lock, &e),
        0);
    assert_int_equal(lock.mode, OBJ_LOCK_GOVERNANCE);
    assert_int_equal(lock.until, 1795377306);
    assert_true(lock.legal_hold);
    assert_int_equal(
        obj_xml_retention(span_str("<Retention></Retention>"), &lock, &e), 0);
    assert_int_equal(lock.mode, OBJ_LOCK_NONE);
    assert_int_equal(lock.until, 0);
}

static void half_a_retention_is_refused(void **state)
{
    static const char *const texts[] = {
        "<Retention><Mode>COMPLIANCE</Mode></Retention>",
        "<Retention><RetainUntilDate>2026-11-22T19:55:06Z</RetainUntilDate>"
        "</Retention>",
        "<Retention><Mode>NOPE</Mode></Retention>",
        "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>soon"
        "</RetainUntilDate></Retention>",
        "<LegalHold/>",
    };
    struct obj_lock lock;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(obj_xml_retention(span_str(texts[i]), &lock, &e), -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
    }
}

static void legal_hold_is_on_or_off(void **state)
{
    bool on = false;
    struct err e;

    (void)state;
    assert_int_equal(
        obj_xml_legal_hold(
            span_str("<LegalHold><Status>ON</Status></LegalHold>"), &on, &e),
        0);
    assert_true(on);
    assert_int_equal(
        obj_xml_legal_hold(
            span_str("<LegalHold><Status>OFF</Status></LegalHold>"), &on, &e),
        0);
    assert_false(on);
    assert_int_equal(
        obj_xml_legal_hold(
            span_str("<LegalHold><Status>maybe</Status></LegalHold>"), &on, &e),
        -1);
    assert_int_equal(obj_xml_legal_hold(span_str("<Hold/>"), &on, &e), -1);
}

static void lock_configuration_gives_default_mode(void **state)
{
    struct obj_bucket b = { 0 };
    struct err e;

    (void)state;
    assert_int_equal(
        obj_xml_lock_config(
            span_str("<ObjectLockConfiguration" NS ">"
                     "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
                     "<DefaultRetention><Mode>COMPLIANCE</Mode><Days>1</Days>"
                     "</DefaultRetention></Rule></ObjectLockConfiguration>"),
            &b, &e),
        0);
    assert_true(b.object_lock);
    assert_int_equal(b.default_mode, OBJ_LOCK_COMPLIANCE);
    assert_int_equal(
        obj_xml_lock_config(span_str("<ObjectLockConfiguration/>"), &b, &e), 0);
    assert_false(b.object_lock);
    assert_int_equal(b.default_mode, OBJ_LOCK_NONE);
    assert_int_equal(obj_xml_lock_config(span_str("<Other/>"), &b, &e), -1);
}

static void versioning_has_three_states(void **state)
{
    enum obj_versioning v;
    struct err e;

    (void)state;
    assert_int_equal(
        obj_xml_versioning(span_str("<VersioningConfiguration" NS ">"
                                    "<Status>Enabled</Status>"
                                    "</VersioningConfiguration>"),
                           &v, &e),
        0);
    assert_int_equal(v, OBJ_VERSIONS_ON);
    assert_int_equal(
        obj_xml_versioning(span_str("<VersioningConfiguration><Status>Suspended"
                                    "</Status></VersioningConfiguration>"),
                           &v, &e),
        0);
    assert_int_equal(v, OBJ_VERSIONS_OFF);
    assert_int_equal(
        obj_xml_versioning(span_str("<VersioningConfiguration/>"), &v, &e), 0);
    assert_int_equal(v, OBJ_VERSIONS_NEVER);
    assert_int_equal(
        obj_xml_versioning(span_str("<VersioningConfiguration><Status>Sometimes"
                                    "</Status></VersioningConfiguration>"),
                           &v, &e),
        -1);
    assert_int_equal(obj_xml_versioning(span_str("<V/>"), &v, &e), -1);
}

static void location_translates_old_names(void **state)
{
    char region[16];
    struct err e;

    (void)state;
    assert_int_equal(obj_xml_location(span_str("<LocationConstraint" NS "/>"),
                                      region, sizeof region, &e),
                     0);
    assert_string_equal(region, "us-east-1");
    assert_int_equal(
        obj_xml_location(
            span_str("<LocationConstraint>EU</LocationConstraint>"), region,
            sizeof region, &e),
        0);
    assert_string_equal(region, "eu-west-1");
    assert_int_equal(
        obj_xml_location(
            span_str("<LocationConstraint>eu-central-1</LocationConstraint>"),
            region, sizeof region, &e),
        0);
    assert_string_equal(region, "eu-central-1");
    assert_int_equal(
        obj_xml_location(span_str("<LocationConstraint>eu-central-1-and-more"
                                  "</LocationConstraint>"),
                         region, sizeof region, &e),
        -1);
    assert_int_equal(
        obj_xml_location(span_str("<L/>"), region, sizeof region, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_document_gives_its_fields),
        cmocka_unit_test(what_is_no_error_document_gives_nothing),
        cmocka_unit_test(overlong_fields_of_an_error_are_cut),
        cmocka_unit_test(listing_gives_decoded_keys_and_a_continuation),
        cmocka_unit_test(a_marked_listing_goes_on_behind_its_last_key),
        cmocka_unit_test(last_page_has_no_continuation),
        cmocka_unit_test(version_listing_mixes_versions_and_markers),
        cmocka_unit_test(broken_listings_are_refused),
        cmocka_unit_test(depth_path_and_text_are_bounded),
        cmocka_unit_test(delete_result_is_read_entry_by_entry),
        cmocka_unit_test(delete_request_escapes_keys),
        cmocka_unit_test(retention_gives_mode_and_date),
        cmocka_unit_test(half_a_retention_is_refused),
        cmocka_unit_test(legal_hold_is_on_or_off),
        cmocka_unit_test(lock_configuration_gives_default_mode),
        cmocka_unit_test(versioning_has_three_states),
        cmocka_unit_test(location_translates_old_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
