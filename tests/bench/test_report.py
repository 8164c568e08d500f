#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's tables say what the figures say."""
import os
import tempfile
import unittest

import report


def result(subject, case="full", **figures):
    return {"subject": subject, "case": case, "latency": 0, "round": 0,
            "wall": 2.0, "sync": 0.0, "cpu": 4.0, "server": 1.0, "other": 0.1,
            "rss": 100 << 20, "stored": 10 << 20, "sent": 0, "received": 0,
            "requests": {"put": 3, "get": 1}} | figures


def saved(*results):
    names = dict.fromkeys(r["subject"] for r in results)
    return {"about": {"size": 1, "rounds": 1, "cores": 1, "cpu": "x",
                      "memory": 1, "kernel": "x", "file_system": "x",
                      "date": "x", "latency": [0],
                      "subjects": [{"name": n, "version": "1",
                                    "settings": "defaults"} for n in names]},
            "results": results}


def rows(text, name):
    return [line for line in text.splitlines()
            if line.startswith(f"| {name} ")]


class Report(unittest.TestCase):
    def test_medians_and_extremes_of_the_rounds_are_shown(self):
        text = report.render(saved(*(result("objvault", wall=w)
                                     for w in (9.0, 1.0, 3.0))))
        self.assertIn("| objvault | 3.00 | 1.00–9.00 |", text)
        self.assertIn("| get 1 put 3 |", text)

    def test_objvault_stands_beside_the_best_peer_of_each_column(self):
        text = report.render(saved(
            result("objvault"), result("restic", wall=8.0, cpu=5.0),
            result("kopia", wall=6.0, cpu=20.0)))
        self.assertIn("| First full | objvault | 3.00 (kopia) | 0.80 (restic) |",
                      text)

    def test_an_active_full_stands_beside_a_peers_unchanged_run(self):
        text = report.render(saved(result("objvault", "active-full"),
                                   result("kopia", "unchanged", wall=3.0)))
        self.assertIn(f"| {report.TITLES['active-full']} | objvault | "
                      "1.50 (kopia) |", text)

    def test_variants_stand_beside_the_first_of_their_storage_round_by_round(self):
        text = report.render(saved(*(
            result(name, round=n, cpu=cpu) for name, figures in {
                "plain": (1.0, 4.0, 2.0), "sealed": (1.5, 4.4, 2.2),
                "plain:directory": (2.0, 2.0, 2.0),
                "sealed:directory": (3.0, 3.0, 5.0)}.items()
            for n, cpu in enumerate(figures))))
        self.assertIn("| First full | sealed | plain | 1.10 | 1.10–1.50 | "
                      "+0.40 |", text)
        self.assertIn("| First full | sealed:directory | plain:directory | "
                      "1.50 | 1.50–2.50 | +1.00 |", text)

    def test_stages_are_shown_where_a_run_tells_them(self):
        text = report.render(saved(
            *(result("objvault", stages={"source": s, "seal": 0.5})
              for s in (1.0, 3.0, 2.0)), result("restic")))
        self.assertIn("| seconds of all workers | source | seal |", text)
        self.assertIn("| objvault | 2.00 | 0.50 |", text)

    def test_failures_are_shown_and_not_counted(self):
        bad = result("kopia", failed="exit 1 after 3 s")
        text = report.render(saved(bad, result("objvault")))
        self.assertIn("| kopia | failed: exit 1 after 3 s |", text)
        self.assertNotIn("(kopia)", text)
        text = report.render(saved(result("kopia"), bad))
        self.assertIn("| kopia (1 of 2 failed) | 2.00 |", text)

    def test_runs_on_a_busy_machine_are_marked(self):
        for other, marked in ((0.9, False), (1.1, True)):
            text = report.render(saved(result("objvault", other=other)))
            self.assertEqual(" ! |" in rows(text, "objvault")[0], marked)

    def test_only_what_stands_between_the_marks_is_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "PERFORMANCE.md")
            begin, end = report.MARKS
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"before\n{begin}\nold\n{end}\nafter\n")
            report.write("new\n", path)
            with open(path, encoding="utf-8") as f:
                self.assertEqual(f.read(),
                                 f"before\n{begin}\n\nnew\n\n{end}\nafter\n")


unittest.main()
