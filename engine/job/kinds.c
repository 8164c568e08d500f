// SPDX-License-Identifier: Apache-2.0
/*
 * The kinds of configuration objects there are, field by field.  A new field
 * is a line here (and a member, where the program keeps it).  Jobs have a file
 * of their own.
 */
#include "engine/job/account.h"
#include "engine/job/config.h"
#include "engine/job/fields.h"
#include "engine/job/kms_config.h"
#include "engine/job/source_config.h"

#define REPO(member) offsetof(struct eng_config_repo, member)
#define KMS(member) offsetof(struct eng_config_kms, member)
#define SOURCE(member) offsetof(struct eng_config_source, member)
#define PRICE(member) offsetof(struct eng_config_prices, member)

static const char *const kmip_versions[] = { "auto", "1.2", "1.4", "2.0",
                                             NULL };
static const char *const kms_modes[] = { "get", "remote", NULL };
static const char *const drivers[] = { "s3", "libs3", "file", NULL };
static const char *const addressings[] = { "auto", "path", "virtual", NULL };
static const char *const payloads[] = { "signed", "crc32c", NULL };

static const struct eng_field repo_fields[] = {
    { .name = "url",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = REPO(url),
      .max_bytes = 4096,
      .help = "where it is: s3://bucket[/prefix] or file:///path" },
    { .name = "driver",
      .type = ENG_FIELD_WORD,
      .offset = REPO(driver),
      .words = drivers,
      .help = "how to reach it; by the URL where it is left out" },
    { .name = "endpoint",
      .type = ENG_FIELD_TEXT,
      .offset = REPO(endpoint),
      .max_bytes = 512,
      .help = "the S3 server, http://HOST[:PORT] or https://HOST[:PORT]; AWS "
              "where it is left out" },
    { .name = "region",
      .type = ENG_FIELD_TEXT,
      .offset = REPO(region),
      .max_bytes = 31,
      .help = "the region to sign for" },
    { .name = "addressing",
      .type = ENG_FIELD_WORD,
      .offset = REPO(addressing),
      .words = addressings,
      .help = "where the bucket's name goes: in the path or in the host name" },
    { .name = "ca",
      .type = ENG_FIELD_TEXT,
      .offset = REPO(ca),
      .max_bytes = 4095,
      .help = "file of certificates (PEM) to trust instead of the system's" },
    { .name = "credentials",
      .type = ENG_FIELD_TEXT,
      .offset = REPO(credentials),
      .max_bytes = 64,
      .help =
          "NAME of credentials/NAME.json; the keys that AWS tools would find "
          "where it is left out" },
    { .name = "payload",
      .type = ENG_FIELD_WORD,
      .offset = REPO(payload),
      .words = payloads,
      .help =
          "how the body of a block is protected on its way: by a SHA-256 "
          "in the signature, or by a CRC-32C (the default; signed after all "
          "where the server, or the last probe, shows that it does not "
          "verify it)" },
    { .name = "max_clock_skew",
      .type = ENG_FIELD_DURATION,
      .offset = REPO(max_clock_skew_s),
      .help = "how far this machine's clock may be from the server's; 10m "
              "where it is left out" },
    { .name = "immutable",
      .type = ENG_FIELD_DURATION,
      .offset = REPO(immutable_s),
      .help = "of a locked repository: how long this machine locks what its "
              "points need, where that is longer than what the repository "
              "was made with; a shorter time does not count" },
    { .name = "quota",
      .type = ENG_FIELD_SIZE,
      .offset = REPO(quota),
      .help = "stored bytes, such as 500G, from which on this machine's runs "
              "warn" },
    { .name = "quota_hard",
      .type = ENG_FIELD_SIZE,
      .offset = REPO(quota_hard),
      .help = "stored bytes, such as 600G, from which on none of this "
              "machine's runs begins" },
    { .name = "probe",
      .type = ENG_FIELD_PROBE,
      .offset = REPO(probe),
      .help = "what `repo probe` found last; may be deleted" },
};

static const struct eng_field credentials_fields[] = {
    { .name = "access_key_id",
      .type = ENG_FIELD_CHECKED,
      .with = "secret_access_key",
      .max_bytes = 256,
      .help = "the S3 access key" },
    { .name = "secret_access_key",
      .type = ENG_FIELD_SECRET,
      .with = "access_key_id",
      .max_bytes = 256,
      .help = "the secret key, or where to find it" },
    { .name = "session_token",
      .type = ENG_FIELD_SECRET,
      .with = "access_key_id",
      .max_bytes = 16384,
      .help = "the token of temporary credentials, or where to find it" },
    { .name = "user",
      .type = ENG_FIELD_TEXT,
      .with = "password",
      .offset = offsetof(struct eng_account, user),
      .max_bytes = 256,
      .help = "an account in guests, for the guest processing of jobs" },
    { .name = "password",
      .type = ENG_FIELD_SECRET,
      .with = "user",
      .max_bytes = 1024,
      .help = "its password, or where to find it" },
};

static const struct eng_field kms_fields[] = {
    { .name = "server",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = KMS(server),
      .max_bytes = 4096,
      .help = "HOST[:PORT], or several that hold the same keys, with commas "
              "between, in the order they are asked; port 5696 where none is "
              "said" },
    { .name = "ca",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = KMS(ca),
      .max_bytes = 4095,
      .help = "file of certificates (PEM) that the servers' come from" },
    { .name = "cert",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = KMS(cert),
      .max_bytes = 4095,
      .help = "file of this machine's certificate (PEM)" },
    { .name = "key",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = KMS(key),
      .max_bytes = 4095,
      .help = "file of its private key (PEM), which nobody else may read" },
    { .name = "kmip_version",
      .type = ENG_FIELD_WORD,
      .offset = KMS(kmip_version),
      .words = kmip_versions,
      .help = "the version of KMIP; auto, the default, is the highest that "
              "both know" },
    { .name = "mode",
      .type = ENG_FIELD_WORD,
      .offset = KMS(mode),
      .words = kms_modes,
      .help = "get, the default: this machine fetches keys and wraps with "
              "them; remote: they stay in the server, which encrypts and "
              "decrypts (KMIP 1.4 or newer)" },
    { .name = "pins",
      .type = ENG_FIELD_TEXT,
      .offset = KMS(pins),
      .max_bytes = 4095,
      .help = "SHA-256 digests (64 hex digits) of the servers' public keys "
              "(SubjectPublicKeyInfo, DER), with commas between: a server's "
              "must be one of them, too" },
    { .name = "user",
      .type = ENG_FIELD_TEXT,
      .offset = KMS(user),
      .max_bytes = 256,
      .help = "user name that goes with each request, where the server wants "
              "one besides the certificate" },
    { .name = "password_file",
      .type = ENG_FIELD_TEXT,
      .offset = KMS(password_file),
      .max_bytes = 4095,
      .help = "file of the user's password, which nobody else may read" },
    { .name = "timeout",
      .type = ENG_FIELD_DURATION,
      .offset = KMS(timeout_s),
      .help = "how long an operation may take, at all servers together; 1m "
              "where it is left out, and 20s where somebody waits at a "
              "terminal" },
    { .name = "state_poll",
      .type = ENG_FIELD_DURATION,
      .offset = KMS(state_poll_s),
      .help = "how often a run asks whether its key may still be used, and "
              "stops where it may not; 15m where it is left out" },
    { .name = "grace",
      .type = ENG_FIELD_DURATION,
      .offset = KMS(grace_s),
      .help = "how long a run goes on where no server answers that; not at "
              "all where it is left out" },
};

static const struct eng_field source_fields[] = {
    { .name = "place",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = SOURCE(place),
      .max_bytes = ENG_PLACE_MAX,
      .help = "where the machines are: dir:/path, a folder of VMs, or "
              "libvirt:URI, the domains of libvirt on this host, as in "
              "libvirt:qemu:///system" },
};

#define REQUEST_PRICE(word, verb, what)                                        \
    {                                                                          \
        .name = (word), .type = ENG_FIELD_PRICE,                               \
        .offset = PRICE(prices.requests[verb]),                                \
        .help = "of 1,000 requests that " what "; 0 where it is left out"      \
    }

static const struct eng_field prices_fields[] = {
    { .name = "currency",
      .type = ENG_FIELD_TEXT,
      .required = true,
      .offset = PRICE(currency),
      .max_bytes = 16,
      .help = "what all prices are in, for people: USD, EUR" },
    REQUEST_PRICE("put", OBJ_PUT, "store an object"),
    REQUEST_PRICE("get", OBJ_GET, "read one"),
    REQUEST_PRICE("head", OBJ_HEAD, "ask for what is known of one"),
    REQUEST_PRICE("list", OBJ_LIST, "list a page of up to 1,000 keys"),
    REQUEST_PRICE("delete", OBJ_DELETE, "delete up to 1,000 objects"),
    REQUEST_PRICE("retention", OBJ_RETENTION, "set or read an object's lock"),
    REQUEST_PRICE("bucket", OBJ_BUCKET, "read the bucket's settings"),
    { .name = "stored_gib_month",
      .type = ENG_FIELD_PRICE,
      .offset = PRICE(prices.stored),
      .help = "of a GiB that is stored for 30 days" },
    { .name = "downloaded_gib",
      .type = ENG_FIELD_PRICE,
      .offset = PRICE(prices.received),
      .help = "of a GiB that is downloaded" },
};

const struct eng_kind eng_kind_repo = {
    .name = "repo",
    .noun = "repository",
    .folder = "repos",
    .help = "a repository, as this machine reaches it",
    .fields = repo_fields,
    .n_fields = sizeof repo_fields / sizeof repo_fields[0],
};

const struct eng_kind eng_kind_credentials = {
    .name = "credentials",
    .noun = "file of credentials",
    .folder = "credentials",
    .some = true,
    .help = "keys of an S3 server, an account in guests, or both",
    .fields = credentials_fields,
    .n_fields = sizeof credentials_fields / sizeof credentials_fields[0],
};

const struct eng_kind eng_kind_kms = {
    .name = "kms",
    .noun = "key server",
    .folder = "kms",
    .help = "a key server (KMIP) that opens keysets",
    .fields = kms_fields,
    .n_fields = sizeof kms_fields / sizeof kms_fields[0],
};

const struct eng_kind eng_kind_source = {
    .name = "source",
    .noun = "source",
    .folder = "sources",
    .help = "a place with machines",
    .fields = source_fields,
    .n_fields = sizeof source_fields / sizeof source_fields[0],
};

const struct eng_kind eng_kind_prices = {
    .name = "prices",
    .file = "prices.json",
    .help = "what a storage costs, for `repo estimate`",
    .fields = prices_fields,
    .n_fields = sizeof prices_fields / sizeof prices_fields[0],
};
