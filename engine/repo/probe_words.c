// SPDX-License-Identifier: Apache-2.0
/*
 * The capabilities that a probe looks at: what each is called, whether objvault
 * relies on it, and what it means to have it or not.
 */
#include <stddef.h>

#include "engine/repo/probe.h"

struct words {
    const char *name, *title;
    bool needed;
    const char *yes, *no;
};

static const struct words words[ENG_PROBE_ITEMS] = {
    [ENG_PROBE_CONDITIONAL_PUT] = { "conditional_put", "conditional PUT", true,
                                    "of hosts that make a repository here at "
                                    "once, one wins",
                                    "two hosts that make a repository here at "
                                    "once both believe that it "
                                    "is theirs: let one finish before another "
                                    "begins" },
    [ENG_PROBE_READ_AFTER_WRITE] = { "read_after_write", "read after write",
                                     true,
                                     "what was stored can be read at once",
                                     "a point may look damaged for a while "
                                     "after it was made" },
    [ENG_PROBE_LIST_AFTER_WRITE] = { "list_after_write", "list after write",
                                     true,
                                     "hosts see each other's points, leases "
                                     "and sweeps at once",
                                     "hosts may delete what another one needs: "
                                     "use this storage from one "
                                     "host only, or not at all" },
    [ENG_PROBE_LIST_ORDER] = { "list_order", "listings in byte order", true,
                               "listings can be walked and compared",
                               "listings end with an error: this storage "
                               "cannot be used" },
    [ENG_PROBE_LIST_PAGES] = { "list_pages", "listings in pages", true,
                               "large repositories are listed whole",
                               "listings lose objects: this storage cannot be "
                               "used" },
    [ENG_PROBE_NESTED_NAMES] = { "nested_names", "both x and x/y", false,
                                 "not needed: objvault never has both",
                                 "harmless here: objvault never has both; "
                                 "other programs in this "
                                 "bucket may hide objects from listings" },
    [ENG_PROBE_RANGES] = { "ranges", "parts of objects", false,
                           "parts of objects can be read",
                           "objects are read whole" },
    [ENG_PROBE_DELETE] = { "delete", "delete", false,
                           "these keys can remove points and garbage",
                           "these keys can make and read points; removing "
                           "points and garbage "
                           "takes others" },
    [ENG_PROBE_DELETE_ABSENT] = { "delete_absent", "delete of what is absent",
                                  false, "a deletion can be repeated",
                                  "a deletion whose answer was lost is "
                                  "reported as failed" },
    [ENG_PROBE_MULTI_DELETE] = { "multi_delete", "multi-delete", false,
                                 "garbage is removed 1,000 objects at a time",
                                 "garbage is removed one object at a time" },
    [ENG_PROBE_SIGNED_PAYLOAD] = { "signed_payload",
                                   "verifies the signed SHA-256", true,
                                   "damage on the way to the server is refused",
                                   "damage on the way is found at restore "
                                   "only: use TLS" },
    [ENG_PROBE_UNSIGNED_PAYLOAD] = { "unsigned_payload",
                                     "takes UNSIGNED-PAYLOAD", false,
                                     "a body need not be hashed for its "
                                     "signature",
                                     "each body is hashed for its signature" },
    [ENG_PROBE_CRC32C] = { "crc32c", "verifies CRC-32C", false,
                           "blocks are protected by a CRC-32C on their way "
                           "(payload crc32c)",
                           "blocks are protected by a SHA-256 in the signature "
                           "(payload signed)" },
    [ENG_PROBE_MD5] = { "content_md5", "verifies Content-MD5", false,
                        "requests with XML bodies are protected on their way",
                        "requests with XML bodies rely on their signature" },
    [ENG_PROBE_SHA256] = { "checksum_sha256", "verifies x-amz-checksum-sha256",
                           false,
                           "locked objects are protected by it on their way",
                           "locked objects rely on their signature" },
    [ENG_PROBE_SERVER_TIME] = { "server_time", "tells its time", true,
                                "leases and locks use the server's clock",
                                "leases and locks rely on this machine's "
                                "clock" },
    [ENG_PROBE_OLD_SIGNATURES] = { "old_signatures_refused",
                                   "refuses old signatures", true,
                                   "a program that was suspended cannot act "
                                   "late",
                                   "a program that was suspended for long may "
                                   "delete what is needed by "
                                   "then: do not suspend a machine while it "
                                   "collects garbage" },
    [ENG_PROBE_REGION] = { "region_checked", "checks the region", false,
                           "a wrong region is found at once",
                           "harmless: a wrong region in the configuration "
                           "stays unnoticed" },
    [ENG_PROBE_VERSIONS] = { "versions", "versions", false,
                             "what somebody overwrites or deletes can be "
                             "brought back",
                             "versions are not what they should be: nothing "
                             "can be brought back" },
    [ENG_PROBE_LOCK_KEPT] = { "lock_kept", "keeps the lock of a PUT", true,
                              "objects are locked from the moment they exist",
                              "objects are not locked although the server said "
                              "so: no protection" },
    [ENG_PROBE_LOCK_HOLDS] = { "lock_holds", "refuses to delete what is locked",
                               true,
                               "locked points outlive somebody who has the "
                               "keys",
                               "locks do not protect anything here" },
    [ENG_PROBE_LOCK_SHORTEN] = { "lock_not_shortened",
                                 "refuses to shorten a lock", true,
                                 "nobody can end a COMPLIANCE lock early",
                                 "whoever has these keys can end locks early" },
    [ENG_PROBE_LOCK_ENDS] = { "lock_ends", "lets go after the lock's end",
                              false, "space comes back when a lock has ended",
                              "what was locked once stays: space does not come "
                              "back" },
    [ENG_PROBE_GOVERNANCE] = { "governance_holds",
                               "GOVERNANCE holds against these keys", false,
                               "these keys cannot lift a GOVERNANCE lock",
                               "these keys can lift a GOVERNANCE lock: use "
                               "compliance" },
    [ENG_PROBE_SETTINGS] = { "settings_survive", "settings survive a restart",
                             false, "", "" },
};

const char *const eng_probe_words[ENG_PROBE_RESULTS + 1] = {
    [ENG_PROBE_UNKNOWN] = "unknown",
    [ENG_PROBE_YES] = "yes",
    [ENG_PROBE_NO] = "no",
    [ENG_PROBE_DENIED] = "not allowed",
    [ENG_PROBE_NONE] = "not applicable",
    [ENG_PROBE_RESULTS] = NULL,
};

const char *eng_probe_name(enum eng_probe_item item)
{
    return words[item].name;
}

const char *eng_probe_title(enum eng_probe_item item)
{
    return words[item].title;
}

const char *eng_probe_meaning(const struct eng_probe *p,
                              enum eng_probe_item item)
{
    if (item == ENG_PROBE_SETTINGS && p->rows[item].result == ENG_PROBE_UNKNOWN)
        return "cannot be found out from here; objvault trusts no setting of "
               "the bucket, each object carries its own lock";
    switch (p->rows[item].result) {
    case ENG_PROBE_YES:
        return words[item].yes;
    case ENG_PROBE_NO:
        return words[item].no;
    case ENG_PROBE_DENIED:
        if (item == ENG_PROBE_DELETE)
            return words[item].no;
        return "these keys may not try it: nothing is known";
    case ENG_PROBE_NONE:
    case ENG_PROBE_UNKNOWN:
    case ENG_PROBE_RESULTS:
        break;
    }
    return "";
}

bool eng_probe_warns(const struct eng_probe *p, enum eng_probe_item item,
                     const struct eng_probe_opts *opts)
{
    bool needed = words[item].needed ||
                  (item == ENG_PROBE_GOVERNANCE && opts->governance);

    return needed && p->rows[item].result == ENG_PROBE_NO;
}

struct eng_probe_record eng_probe_record(const struct eng_probe *p)
{
    struct eng_probe_record r = { .time = p->time };

    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        r.results[i] = p->rows[i].result;
    return r;
}
