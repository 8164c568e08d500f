#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of read_point.py on encrypted keysets: the golden one, and what becomes
of it when somebody changes or moves its objects."""

import contextlib
import functools
import hashlib
import io
import json
import os
import shutil
import sys
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import read_point  # noqa: E402
import test_read_point  # noqa: E402

GOLDEN = os.path.join(HERE, "..", "golden", "v1", "sealed")
REPO = "000102030405060708090a0b0c0d0e0f"
KEYSET = "k-0123456789abcdef"
POINT = "secret-vm_1@2026-01-03T00:00:00Z"
PASSWORD = "korrekt Pferd Batterie Heftklammer ü"
RECOVERY = "RECOVERY-0000-1111-2222"
SLOTS = f"keysets/{KEYSET}/slots"


class Sealed(test_read_point.Case):
    """Works on a copy of the golden repository."""

    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.tmp, "repository")
        shutil.copytree(os.path.join(GOLDEN, "repository"), self.root)
        # Hundreds of changed slots, of which few change the password's salt.
        cached = functools.lru_cache(None)(hashlib.scrypt)
        patch = mock.patch.object(read_point.hashlib, "scrypt", cached)
        patch.start()
        self.addCleanup(patch.stop)

    def password_file(self, password):
        path = os.path.join(self.tmp, "password")
        with open(path, "w", encoding="utf-8") as f:
            f.write(password)
        return path

    def restore(self, password, where=None):
        self.runs += 1
        target = os.path.join(self.tmp, f"restored-{self.runs}")
        option = "--password-file", self.password_file(password)
        where = where or self.root
        status, _, err = self.run_reader(*option, where, POINT, target)
        return status, target, err

    def keyset(self):
        store = read_point.Directory(self.root)
        key = bytes(range(32))
        return read_point.Encrypted(store, REPO, KEYSET, key)

    def files(self, under):
        for folder, _, names in os.walk(os.path.join(self.root, under)):
            for name in names:
                yield os.path.join(folder, name)

    def write(self, path, data):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    def flipped(self, path):
        """Lets the file have each of its bytes changed in turn."""
        good = self.read(path)
        for i in range(len(good)):
            self.write(path, good[:i] + bytes([good[i] ^ 0x01]) + good[i + 1 :])
            yield i
        self.write(path, good)


class Opening(Sealed):
    def check(self, password, where=None):
        with open(os.path.join(GOLDEN, "expected.json")) as f:
            ((_, expected),) = json.load(f).items()
        status, target, err = self.restore(password, where)
        self.assertEqual((status, err), (0, ""))
        for name, digest in expected.items():
            found = hashlib.sha256(self.read(target, name)).hexdigest()
            self.assertEqual(found, digest, name)

    def test_a_password_opens_a_keyset(self):
        self.check(PASSWORD)
        self.check(PASSWORD + "\n")

    def test_a_recovery_password_opens_a_keyset(self):
        self.check(RECOVERY)

    def test_a_keyset_opens_in_a_bucket(self):
        server = test_read_point.Bucket(self.root, "p")
        self.addCleanup(server.close)
        with mock.patch.dict(os.environ, server.environment()):
            self.check(PASSWORD, "s3://bucket/p")

    def test_points_of_an_open_keyset_are_listed(self):
        option = "--password-file", self.password_file(PASSWORD)
        status, out, err = self.run_reader(*option, self.root, "--list")
        self.assertEqual((status, err), (0, ""))
        self.assertTrue(out.startswith(POINT))
        status, out, err = self.run_reader(self.root, "--list")
        self.assertEqual((status, out), (0, ""))
        self.assertIn(f"{KEYSET} is not open", err)

    def test_passwords_of_no_slot_that_counts_open_nothing(self):
        for password in (
            "wrong",
            "the first password",
            "a removed password",
            PASSWORD + " ",
            "",
        ):
            status, target, err = self.restore(password)
            self.assertEqual(status, 1)
            self.assertIn("the password opens no keyset", err)
            self.assertFalse(os.path.exists(target))

    def test_a_slot_that_is_none_leaves_the_generation_before(self):
        path = os.path.join(self.root, SLOTS, "00000003-00000000000000a1.json")
        self.write(path, b"{}")
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 0)
        self.assertIn("00000003", err)

    def plant(self, name, **changes):
        """A slot made of the true one, by somebody who has no key."""
        true = os.path.join(self.root, SLOTS, "00000002-00000000000000a1.json")
        doc = {**json.loads(self.read(true)), **changes}
        self.write(
            os.path.join(self.root, SLOTS, name), read_point.canonical(doc)
        )

    def test_false_generations_leave_the_true_one_in_force(self):
        nothing = dict.fromkeys(("password", "key_print", "iv", "data", "tag"))
        self.plant("00000003-00000000000000a1.json", gen=3)
        self.plant(
            "00000004-00000000000000a1.json", gen=4, type="removed", **nothing
        )
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 0)
        for gen in (3, 4):
            self.assertIn(f"generation {gen} of slot 00000000000000a1", err)

    def test_a_slot_with_another_mac_does_not_count(self):
        self.plant("00000002-00000000000000a1.json", mac="00" * 16)
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 1)
        self.assertIn("generation 2 of slot 00000000000000a1", err)

    def test_a_damaged_object_is_named(self):
        (path,) = self.files(f"{KEYSET}/points")
        data = self.read(path)
        self.write(path, data.replace(b'"v":1', b'"v":2'))
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 7)
        self.assertIn(os.path.basename(path), err)

    def test_without_the_module_the_program_says_so(self):
        with mock.patch.object(read_point, "AESGCM", None):
            status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 1)
        self.assertIn("cryptography is not installed", err)


class Changed(Sealed):
    """Every byte of one stored object of each kind, changed in turn."""

    def refused(self, folder, kind, limit):
        path = min(self.files(f"{KEYSET}/{folder}"), key=os.path.getsize)
        name = os.path.basename(path)
        keyset = self.keyset()
        read_point.get_object(keyset, kind, name, limit)
        for _ in self.flipped(path):
            with self.assertRaises(read_point.Damaged):
                read_point.get_object(keyset, kind, name, limit)

    def test_a_block_with_any_byte_flipped_is_refused(self):
        self.refused("blocks", "block", 256 << 10)

    def test_a_page_with_any_byte_flipped_is_refused(self):
        self.refused("pages", "page", read_point.PAGE_JSON_MAX)

    def test_a_manifest_with_any_byte_flipped_is_refused(self):
        (path,) = self.files(f"{KEYSET}/points")
        vm_key = os.path.basename(os.path.dirname(path))
        keyset = self.keyset()
        for _ in self.flipped(path):
            with self.assertRaises(read_point.Failure):
                read_point.get_point(keyset, vm_key, os.path.basename(path))
            # Its name's hash aside, its seal tells.
            with self.assertRaises(read_point.Failure):
                keyset.open_manifest(
                    vm_key, "20260103T000000Z", self.read(path)
                )

    def test_a_slot_with_any_byte_flipped_does_not_open(self):
        name = "00000002-00000000000000a1.json"
        path = os.path.join(self.root, SLOTS, name)

        def opened():
            data = self.read(path)
            try:
                doc = read_point.check_slot(
                    data, REPO, KEYSET, 2, "00000000000000a1"
                )
                with contextlib.redirect_stderr(io.StringIO()):
                    return read_point.open_slot([doc], PASSWORD.encode())
            except read_point.Failure:
                return None

        self.assertEqual(opened(), bytes(range(32)))
        for i in self.flipped(path):
            self.assertIsNone(opened(), f"byte {i}")


class Moved(Sealed):
    def test_objects_of_another_keyset_are_refused(self):
        other = "k-1123456789abcdef"
        os.rename(
            os.path.join(self.root, KEYSET), os.path.join(self.root, other)
        )
        store = read_point.Directory(self.root)
        keyset = read_point.Encrypted(store, REPO, other, bytes(range(32)))
        keyset.keys = self.keyset().keys  # even with its keys
        for path in self.files(f"{other}/blocks"):
            with self.assertRaises(read_point.Damaged):
                read_point.get_object(
                    keyset, "block", os.path.basename(path), 256 << 10
                )

    def test_a_slot_of_another_keyset_or_repository_does_not_open(self):
        os.rename(
            os.path.join(self.root, "keysets", KEYSET),
            os.path.join(self.root, "keysets", "k-1123456789abcdef"),
        )
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 1)
        self.assertIn("another keyset", err)

        os.rename(
            os.path.join(self.root, "keysets", "k-1123456789abcdef"),
            os.path.join(self.root, "keysets", KEYSET),
        )
        path = os.path.join(self.root, "objvault.json")
        data = self.read(path)
        self.write(path, data.replace(b'"id":"00', b'"id":"10'))
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 1)
        self.assertIn("another repo", err)

    def test_a_slot_made_to_fit_its_new_place_does_not_open(self):
        old = os.path.join(self.root, SLOTS, "00000002-00000000000000a1.json")
        place = old.replace(KEYSET, "k-1123456789abcdef")
        forged = self.read(old).replace(KEYSET.encode(), b"k-1123456789abcdef")
        shutil.rmtree(os.path.join(self.root, "keysets"))
        self.write(place, forged)
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 1)
        self.assertIn("the password opens no keyset", err)

    def test_a_bare_manifest_in_a_keyset_is_refused(self):
        data = self.read(GOLDEN, "manifest.json")
        (path,) = self.files(f"{KEYSET}/points")
        name = f"20260103T000000Z-{hashlib.sha256(data).hexdigest()[:16]}.json"
        os.remove(path)
        self.write(os.path.join(os.path.dirname(path), name), data)
        status, _, err = self.restore(PASSWORD)
        self.assertEqual(status, 7)
        self.assertIn(name, err)


if __name__ == "__main__":
    if read_point.AESGCM is None:
        print("Python's cryptography is not installed: skipped")
        sys.exit(77)
    if shutil.which("zstd") is None and read_point.zstandard is None:
        print("zstd is not installed: skipped")
        sys.exit(77)
    unittest.main()
