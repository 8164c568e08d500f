// SPDX-License-Identifier: Apache-2.0
/* Private to the tests of manifest/: a manifest that uses every field. */
#ifndef TESTS_UNIT_MANIFEST_POINT_SAMPLE_H
#define TESTS_UNIT_MANIFEST_POINT_SAMPLE_H

static const char point_sample[] =
    "{\"objvault\":1,"
    "\"vm\":{\"name\":\"B\xc3\xbcro 1\",\"uuid\":\"u-1\","
    "\"source\":\"dir:/a\\tb\",\"container\":\"pool\"},"
    "\"job\":\"nightly\",\"time\":\"2026-11-23T10:00:00Z\","
    "\"kind\":\"incremental\",\"chain\":\"2026-11-22T10:00:00Z\","
    "\"parent\":\"20261122T100000Z-0123456789abcdef.json\","
    "\"consistency\":\"app\","
    "\"retention\":{\"days\":14,"
    "\"gfs\":{\"weekly\":4,\"monthly\":12,\"yearly\":3},"
    "\"timezone\":\"Europe/Berlin\"},"
    "\"gfs\":[\"weekly\",\"yearly\"],"
    "\"locked_until\":\"2026-12-07T10:00:00Z\","
    "\"disks\":[{\"name\":\"a.qcow2\",\"bus\":\"virtio\","
    "\"format\":\"qcow2\",\"size\":268435457,\"block_size\":262144,"
    "\"pages\":["
    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aa\",null]}],"
    "\"files\":[{\"name\":\"conf/vm.xml\",\"mode\":\"4750\",\"size\":0,"
    "\"block_size\":8388608,\"pages\":[]},"
    "{\"name\":\"conf-2\",\"mode\":\"0007\",\"size\":0,"
    "\"block_size\":8388608,\"pages\":[]}],"
    "\"stats\":{\"source_bytes\":1,\"read_bytes\":2,\"new_bytes\":3,"
    "\"stored_bytes\":4,\"seconds\":9007199254740991},"
    "\"program\":\"objvault 0.1.0\"}";

#endif
