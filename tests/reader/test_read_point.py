#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of read_point.py: on the golden repository and on small ones that are
made by hand here, in a directory and behind a small S3 server."""

import contextlib
import datetime
import hashlib
import http.server
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import read_point  # noqa: E402

GOLDEN = os.path.join(HERE, "..", "golden", "v1")
BLOCK = 256 << 10
UNIT = BLOCK // 64
NOON = "2026-01-01T12:00:00Z"
LATER = "2026-01-02T12:00:00Z"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def canonical(value):
    return json.dumps(
        value, separators=(",", ":"), ensure_ascii=False
    ).encode()


def frame(plain, *options):
    return subprocess.run(
        ["zstd", "-qc", f"--stream-size={len(plain)}", *options],
        input=plain,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


class Repository:
    """Makes a repository in a directory."""

    def __init__(self, root):
        self.root = root
        self.put(
            "objvault.json",
            canonical(
                {
                    "objvault": 1,
                    "id": "0" * 32,
                    "created": NOON,
                    "block_size": BLOCK,
                    "lock": None,
                }
            ),
        )

    def path(self, name):
        return os.path.join(self.root, name)

    def put(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(data)

    def block(self, plain):
        name = sha(plain)
        self.put(f"plain/blocks/{name[:2]}/{name}", frame(plain))
        return name

    def page(self, entries):
        plain = canonical({"v": 1, "blocks": entries})
        name = sha(plain)
        self.put(f"plain/pages/{name[:2]}/{name}", frame(plain))
        return name

    def disk(self, name, size, pages):
        return {
            "name": name,
            "bus": None,
            "format": "raw",
            "size": size,
            "block_size": BLOCK,
            "pages": pages,
        }

    def manifest(self, disks, time=NOON, vm="vm"):
        return {
            "objvault": 1,
            "vm": {"name": vm, "uuid": None, "source": "x", "container": None},
            "job": None,
            "time": time,
            "kind": "full",
            "chain": time,
            "parent": None,
            "consistency": "crash",
            "retention": None,
            "gfs": [],
            "locked_until": None,
            "disks": disks,
            "files": [],
            "stats": dict.fromkeys(
                (
                    "source_bytes",
                    "read_bytes",
                    "new_bytes",
                    "stored_bytes",
                    "seconds",
                ),
                0,
            ),
            "program": "test",
        }

    def point(self, doc, key=None):
        """Stores a manifest; its name."""
        data = doc if isinstance(doc, bytes) else canonical(doc)
        time = json.loads(data)["time"].replace("-", "").replace(":", "")
        key = key or read_point.make_vm_key(json.loads(data)["vm"]["name"])
        name = f"plain/points/{key}/{time}-{sha(data)[:16]}.json"
        self.put(name, data)
        return name


class Case(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tmp)
        self.runs = 0

    def repository(self):
        return Repository(os.path.join(self.tmp, "repository"))

    def run_reader(self, *args):
        """Exit status, standard output, standard error of the program."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            with mock.patch.object(sys, "argv", ["read_point.py", *args]):
                try:
                    status = read_point.main()
                except SystemExit as e:
                    status = e.code
        return status, out.getvalue(), err.getvalue()

    def restore(self, where, point):
        """Restores into a new folder; (status, folder, error text)."""
        self.runs += 1
        target = os.path.join(self.tmp, f"restored-{self.runs}")
        status, _, err = self.run_reader(where, point, target)
        return status, target, err

    def read(self, *path):
        with open(os.path.join(*path), "rb") as f:
            return f.read()


class Golden(Case):
    def check(self, where):
        with open(os.path.join(GOLDEN, "expected.json")) as f:
            expected = json.load(f)
        for time, files in expected.items():
            status, target, err = self.restore(where, f"Büro_3@{time}")
            self.assertEqual(status, 0, err)
            found = {}
            for folder, _, names in os.walk(target):
                for n in names:
                    path = os.path.join(folder, n)
                    found[os.path.relpath(path, target)] = sha(self.read(path))
            self.assertEqual(found, files)
        path = os.path.join(target, "config/vm.xml")
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
        system = os.stat(os.path.join(target, "system.raw"))
        self.assertLess(system.st_blocks * 512, 8 * BLOCK)  # holes

    def test_golden_points_restore_to_what_is_expected(self):
        self.check(os.path.join(GOLDEN, "repository"))

    def test_golden_points_restore_from_a_bucket(self):
        server = Bucket(os.path.join(GOLDEN, "repository"), "a b/c+d")
        self.addCleanup(server.close)
        with mock.patch.dict(os.environ, server.environment()):
            self.check("s3://bucket/a b/c+d")
            status, out, err = self.run_reader("s3://bucket/a b/c+d", "--list")
            self.assertEqual((status, out.count("\n")), (0, 2), err)
            status, _, err = self.restore("s3://bucket/other", "x@latest")
            self.assertEqual(status, 4)
            self.assertIn("objvault.json is not there", err)
        self.assertTrue(server.throttled)

    def test_list_shows_all_points(self):
        root = os.path.join(GOLDEN, "repository")
        status, out, _ = self.run_reader(root, "--list")
        self.assertEqual(status, 0)
        lines = out.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0].startswith("Büro_3@2026-01-01T00:00:00Z\tful"))
        self.assertTrue(lines[1].startswith("Büro_3@2026-01-02T12:34:56Z\tinc"))
        self.assertEqual(self.run_reader(root, "--list", "x")[:2], (0, ""))


class Bucket:
    """Serves a directory as s3://bucket/<prefix>: GET, and lists of two keys
    at a time.  The first answer of all is 503."""

    def __init__(self, root, prefix):
        outer = self
        self.throttled = False

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self)

        self.root, self.prefix = root, prefix + "/"
        self.keys = sorted(
            self.prefix + os.path.relpath(os.path.join(folder, n), root)
            for folder, _, names in os.walk(root)
            for n in names
        )
        self.httpd = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler
        )
        self.thread = threading.Thread(target=self.httpd.serve_forever)
        self.thread.start()

    def environment(self):
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.httpd.server_port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    def close(self):
        self.httpd.shutdown()
        self.thread.join()
        self.httpd.server_close()

    def signed(self, h):
        """The request carries the signature that `sign` makes of it."""
        names = ("host", "x-amz-content-sha256", "x-amz-date")
        headers = {n: h.headers[n] for n in names}
        when = datetime.datetime.strptime(
            headers["x-amz-date"], "%Y%m%dT%H%M%SZ"
        )
        want = read_point.sign(
            "GET", h.path, headers, when, "key", "secret", "us-east-1"
        )
        return h.headers["authorization"] == want

    def listing(self, query):
        prefix, after = query["prefix"], query.get("continuation-token", "")
        keys = [k for k in self.keys if k.startswith(prefix) and k > after]
        inner = "".join(
            f"<Contents><Key>{urllib.parse.quote_plus(k)}</Key></Contents>"
            for k in keys[:2]
        )
        more = len(keys) > 2
        if more:
            inner += f"<NextContinuationToken>{keys[1]}"
            inner += "</NextContinuationToken>"
        inner += f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
        return f"<ListBucketResult {space}>{inner}</ListBucketResult>".encode()

    def answer(self, h):
        url = urllib.parse.urlsplit(h.path)
        path = urllib.parse.unquote(url.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        status, body = 404, b""
        if not self.throttled:
            self.throttled = True
            status = 503
        elif not self.signed(h):
            status = 403
        elif path == "/bucket" and query.get("list-type") == "2":
            status, body = 200, self.listing(query)
        elif path[len("/bucket/") :] in self.keys:
            name = path[len("/bucket/" + self.prefix) :]
            with open(os.path.join(self.root, name), "rb") as f:
                status, body = 200, f.read()
        h.send_response(status)
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        h.wfile.write(body)


class Signature(unittest.TestCase):
    """Vectors that AWS publishes for S3."""

    HOST = "examplebucket.s3.amazonaws.com"

    def signature(self, url, **more):
        headers = {
            "host": self.HOST,
            "x-amz-content-sha256": sha(b""),
            "x-amz-date": "20130524T000000Z",
            **more,
        }
        return read_point.sign(
            "GET",
            f"https://{self.HOST}{url}",
            headers,
            datetime.datetime(2013, 5, 24),
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "us-east-1",
        ).rpartition("=")[2]

    def test_published_vectors(self):
        self.assertEqual(
            self.signature("/test.txt", range="bytes=0-9"),
            "f0e8bdb87c964420e857bd35b5d6ed31"
            "0bd44f0170aba48dd91039c6036bdb41",
        )
        self.assertEqual(
            self.signature("/?lifecycle="),
            "fea454ca298b7da1c68078a5d1bdbfbb"
            "e0d65c699e0f91ac7a200a0136783543",
        )
        self.assertEqual(
            self.signature("/?max-keys=2&prefix=J"),
            "34b48302e7b5fa45bde8084f4b7868a8"
            "6f0a534bc59db6670ed5711ef69dc6f7",
        )


class Handmade(Case):
    def test_composed_blocks_of_all_kinds(self):
        r = self.repository()
        rnd = random.Random(1)
        short = 3 * UNIT + 7
        base, tail = rnd.randbytes(BLOCK), rnd.randbytes(short)
        over = rnd.randbytes(2 * UNIT)
        end = rnd.randbytes(UNIT + 7)
        want = bytearray(base + bytes(BLOCK) + base + tail)
        want[UNIT : 2 * UNIT] = over[:UNIT]
        want[63 * UNIT : 64 * UNIT] = over[UNIT:]
        want[BLOCK + 5 * UNIT : BLOCK + 7 * UNIT] = over
        want[2 * BLOCK : 2 * BLOCK + UNIT] = bytes(UNIT)
        want[3 * BLOCK + UNIT : 3 * BLOCK + 2 * UNIT] = end[:UNIT]
        want[-7:] = end[UNIT:]
        b, o, t, n = (r.block(x) for x in (base, over, tail, end))
        entries = [
            [b, o, f"{1 << 63 | 2:016x}", sha(want[:BLOCK])],
            [None, o, f"{3 << 5:016x}", None],
            [b, None, f"{1:016x}", sha(want[2 * BLOCK : 3 * BLOCK])],
            [t, n, f"{2 | 8:016x}", None],
        ]
        disk = r.disk("a", 3 * BLOCK + short, [r.page(entries)])
        r.point(r.manifest([disk, r.disk("empty", 0, [])]))
        status, target, err = self.restore(r.root, "vm@latest")
        self.assertEqual(status, 0, err)
        self.assertEqual(self.read(target, "a"), bytes(want))
        self.assertEqual(self.read(target, "empty"), b"")

    def test_latest_passes_over_damage_and_future(self):
        r = self.repository()
        r.point(r.manifest([]))
        later = r.point(r.manifest([r.disk("late", 0, [])], LATER))
        r.point(r.manifest([r.disk("x", 0, [])], "2999-01-01T00:00:00Z"))
        _, target, _ = self.restore(r.root, "vm@latest")
        self.assertEqual(os.listdir(target), ["late"])
        r.put(later, b"{}")
        status, target, err = self.restore(r.root, "vm@latest")
        self.assertEqual((status, os.listdir(target)), (0, []))
        self.assertIn("passed over", err)
        status, out, _ = self.run_reader(r.root, "--list")
        self.assertEqual(status, 7)
        self.assertIn("damaged", out)

    def test_points_of_one_second_are_told_apart(self):
        r = self.repository()
        names = [
            r.point(r.manifest([r.disk(n, 0, [])])) for n in ("one", "two")
        ]
        self.assertEqual(self.restore(r.root, f"vm@{NOON}")[0], 1)
        mark = names[1].rpartition("-")[2][: -len(".json")]
        status, target, err = self.restore(r.root, f"vm@{NOON}-{mark}")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(os.listdir(target), ["two"])

    def test_long_and_strange_vm_names(self):
        r = self.repository()
        for vm in (".a/b c", "ü" * 300, "x" * 120 + "-" + "0" * 16):
            r.point(r.manifest([], vm=vm))
            self.assertEqual(self.restore(r.root, f"{vm}@latest")[0], 0)

    def test_what_is_not_there_is_not_found(self):
        r = self.repository()
        r.point(r.manifest([]))
        for point in ("other@latest", f"vm@{LATER}"):
            self.assertEqual(self.restore(r.root, point)[0], 4)
        self.assertEqual(self.restore(self.tmp, "vm@latest")[0], 4)

    def test_wrong_usage(self):
        r = self.repository()
        self.assertEqual(self.run_reader(r.root)[0], 2)
        self.assertEqual(self.run_reader(r.root, "vm")[0], 2)
        self.assertEqual(self.run_reader(r.root, "vm", self.tmp)[0], 2)
        self.assertEqual(self.restore(r.root, "vm@yesterday")[0], 1)
        r.point(r.manifest([]))
        status, _, err = self.run_reader(r.root, "vm@latest", r.root)
        self.assertEqual(status, 1)
        self.assertIn("not empty", err)


class Damage(Case):
    def setUp(self):
        super().setUp()
        self.r = self.repository()
        self.content = random.Random(2).randbytes(BLOCK)
        self.block = self.r.block(self.content)
        self.page = self.r.page([self.block])
        self.disk = self.r.disk("a", BLOCK, [self.page])

    def expect(self, text, status=7):
        found, _, err = self.restore(self.r.root, f"vm@{NOON}")
        self.assertEqual(found, status, err)
        self.assertIn(text, err)

    def name(self, folder, object_id):
        return f"plain/{folder}/{object_id[:2]}/{object_id}"

    def test_damaged_missing_and_swapped_objects_are_named(self):
        self.r.point(self.r.manifest([self.disk]))
        self.assertEqual(self.restore(self.r.root, f"vm@{NOON}")[0], 0)
        for folder, object_id in (("blocks", self.block), ("pages", self.page)):
            name = self.name(folder, object_id)
            good = self.read(self.r.path(name))
            bad = bytearray(good)
            bad[len(bad) // 2] ^= 1
            other = frame(b"other")
            for data in (bad, good[:-1], good + b"x", good * 2, other, b""):
                self.r.put(name, data)
                self.expect(object_id)
            os.remove(self.r.path(name))
            self.expect(object_id)
            self.r.put(name, good)

    def test_a_frame_without_content_size_is_refused(self):
        self.r.point(self.r.manifest([self.disk]))
        plain = subprocess.run(
            ["zstd", "-qc"],
            input=self.content,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        self.r.put(self.name("blocks", self.block), plain)
        self.expect("no content size")

    def test_a_damaged_manifest_is_named(self):
        name = self.r.point(self.r.manifest([self.disk]))
        data = self.read(self.r.path(name))
        self.r.put(name, data.replace(b'"crash"', b'"app"'))
        self.expect(os.path.basename(name))

    def test_a_block_of_another_length_is_refused(self):
        short = self.r.page([self.r.block(b"short")])
        self.r.point(self.r.manifest([self.r.disk("a", BLOCK, [short])]))
        self.expect("has 5 bytes")

    def test_a_wrong_whole_is_found(self):
        over = self.r.block(b"x" * UNIT)
        page = self.r.page([[self.block, over, f"{1:016x}", "0" * 64]])
        self.r.point(self.r.manifest([self.r.disk("a", BLOCK, [page])]))
        self.expect("composed")

    def test_bad_pages(self):
        b = self.block
        for entries in (
            [],
            [None],
            [b, b],
            ["x"],
            [0],
            [[b, b, f"{1:016x}"]],
            [[None, None, f"{1:016x}", None]],
            [[b, b, f"{0:016x}", None]],
            [[b, b, "1", None]],
        ):
            page = self.r.page(entries)
            disk = self.r.disk("a", BLOCK, [page])
            self.r.point(self.r.manifest([disk]))
            self.expect(page)
            shutil.rmtree(self.r.path("plain/points"))
        page = self.r.page([[b, b, f"{4:016x}", None]])
        self.r.point(self.r.manifest([self.r.disk("a", 2 * UNIT, [page])]))
        self.expect("past the block's end")

    def test_manifests_that_break_a_rule(self):
        def change(**fields):
            return {**self.r.manifest([self.disk]), **fields}

        def disk(**fields):
            return change(disks=[{**self.disk, **fields}])

        plain = canonical(self.r.manifest([self.disk]))
        for doc in (
            disk(name="../a"),
            disk(name="/a"),
            disk(name=".."),
            disk(name=""),
            disk(name="a\n"),
            disk(size=2**51),
            disk(size=1.0),
            disk(block_size=BLOCK + 1),
            disk(pages=[]),
            disk(pages=[self.page, None]),
            disk(bus=""),
            change(disks=[self.disk, self.disk]),
            change(kind="incremental"),
            change(chain=LATER),
            change(gfs=["yearly", "weekly"]),
            change(retention={}),
            change(locked_until="1970-01-01T00:00:00Z"),
            change(stats={}),
            change(extra=1),
            change(files=[{"name": "x"}]),
            plain + b"\n",
            plain.replace(b",", b", ", 1),
            plain.replace(b'"vm"', b'"v\\u006d"', 1),
        ):
            self.r.point(doc)
            self.expect("plain/points/vm/")
            shutil.rmtree(self.r.path("plain/points"))
        self.assertEqual(sorted(os.listdir(self.tmp)), ["repository"])

    def test_a_manifest_under_another_vm_is_refused(self):
        self.r.point(self.r.manifest([], vm="other"), key="vm")
        self.expect("VM of another key")

    def test_later_versions_are_named(self):
        self.r.point({**self.r.manifest([]), "objvault": 2, "new": True})
        self.expect("version 2", 1)
        data = self.read(self.r.path("objvault.json"))
        self.r.put("objvault.json", data.replace(b'":1', b'":9', 1))
        self.expect("version 9", 1)

    def test_a_damaged_descriptor_is_refused(self):
        data = self.read(self.r.path("objvault.json"))
        for bad in (b"", b"{}", data + b" ", data.replace(b"262144", b"1")):
            self.r.put("objvault.json", bad)
            self.expect("objvault.json")


if __name__ == "__main__":
    if shutil.which("zstd") is None and read_point.zstandard is None:
        print("zstd is not installed: skipped")
        sys.exit(77)
    unittest.main()
