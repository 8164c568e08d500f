#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's disk is what its description says.

    tests/bench/test_bench_image.py BENCH_IMAGE
"""
import os
import subprocess
import sys
import tempfile
import unittest

MIB, REGION, SEED, HOLES = 20, 64 << 10, "7", "30"


def run(*args):
    subprocess.run([PROGRAM, *args], check=True)


def regions(path):
    with open(path, "rb") as f:
        return list(iter(lambda: f.read(REGION), b""))


def kind(region):
    if not region.strip(b"\0"):
        return "hole"
    return "text" if region.isascii() else "noise"


class Image(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(self.dir.cleanup)
        self.path = f"{self.dir.name}/disk"
        run("make", self.path, str(MIB), SEED, HOLES)

    def test_a_third_is_holes_and_the_rest_noise_and_text(self):
        kinds = [kind(r) for r in regions(self.path)]
        total = MIB * (1 << 20) // REGION
        self.assertEqual(len(kinds), total)
        for name, share in (("noise", .4), ("text", .3), ("hole", .3)):
            self.assertAlmostEqual(kinds.count(name) / total, share, 2)
        self.assertLess(os.stat(self.path).st_blocks * 512,
                        MIB * .71 * (1 << 20))

    def test_the_text_shrinks_to_about_a_third_and_the_noise_not(self):
        for name, least, most in (("text", 2.7, 3.5), ("noise", .99, 1.01)):
            part = b"".join(r for r in regions(self.path) if kind(r) == name)
            for level in ("-1", "-3"):
                packed = subprocess.run(["zstd", level, "-c"], input=part,
                                        check=True, capture_output=True).stdout
                self.assertTrue(least < len(part) / len(packed) < most,
                                f"{name} {level}: {len(part) / len(packed)}")

    def test_the_same_arguments_make_the_same_disk(self):
        before = regions(self.path)
        run("make", self.path, str(MIB), SEED, HOLES)
        self.assertEqual(before, regions(self.path))
        run("make", self.path, str(MIB), "8", HOLES)
        self.assertNotEqual(before, regions(self.path))

    def test_a_change_touches_its_share_of_the_data_and_keeps_the_kinds(self):
        before = regions(self.path)
        data = sum(kind(r) != "hole" for r in before)
        run("change", self.path, str(MIB), SEED, HOLES, "50", "1")
        after = regions(self.path)
        changed = sum(a != b for a, b in zip(before, after))
        self.assertEqual(changed, data * 50 // 1000)
        self.assertEqual([kind(r) for r in before], [kind(r) for r in after])
        run("change", self.path, str(MIB), SEED, HOLES, "50", "2")
        self.assertEqual(sum(a != b for a, b in zip(after, regions(self.path))),
                         changed)


PROGRAM = os.path.abspath(sys.argv.pop(1))
unittest.main()
