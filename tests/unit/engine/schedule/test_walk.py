#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""engine/schedule against a walk through time (calendar_walk.py).

    test_walk.py RIG

The cases of cases.txt mean what the walk finds; schedules that a seed makes have
the same moments; and a daemon under virtual time runs for a quarter what a clock
that is looked at every minute would run.
"""

import os
import random
import subprocess
import sys
import unittest

from calendar_walk import (Clock, MONTHS, WEEKDAYS, WEEKS, Schedule, Walk,
                           iso_of, minute_of, moments, window_end)

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.txt")
RIG = None
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
         "Asia/Kathmandu", "Africa/Casablanca", "Africa/Cairo",
         "America/Havana", "America/Sao_Paulo", "Pacific/Apia"]
LATE = 5
AHEAD = 60
WAIT = 10
TIMES = 3


def ask(lines):
    done = subprocess.run([RIG], input="".join(x + "\n" for x in lines),
                          stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.splitlines()


class Cases(unittest.TestCase):
    def test_every_case_is_what_the_walk_finds(self):
        seen = 0
        with open(CASES, encoding="utf-8") as f:
            for line in f:
                if line.startswith("#") or not line.strip():
                    continue
                head, text, wanted = (x.strip() for x in line.split(";"))
                kind, zone, at = head.split()
                with self.subTest(line):
                    if kind == "end":
                        end = window_end(text, zone, minute_of(at))
                        found = ["never" if end is None else iso_of(end)]
                    else:
                        found = [iso_of(m) for m in moments(
                            text, zone, minute_of(at), len(wanted.split()))]
                    self.assertEqual(found, wanted.split())
                seen += 1
        self.assertGreaterEqual(seen, 90)


def any_time(pick):
    return "%02d:%02d" % (pick.choice([0, 0, 1, 2, 2, 2, 3, 12, 22, 23]),
                          pick.choice([0, 0, 15, 30, 45, 59]))


def any_schedule(pick):
    kind = pick.choice(["daily", "monthly", "every", "every"])
    if kind == "daily":
        text = "daily " + any_time(pick)
        if pick.random() < 0.5:
            text += " " + ",".join(pick.sample(WEEKDAYS, pick.randint(1, 4)))
    elif kind == "monthly":
        day = pick.choice(["last day", "day %d" % pick.randint(1, 31),
                           "%s %s" % (pick.choice(list(WEEKS)),
                                      pick.choice(WEEKDAYS))])
        text = "monthly %s %s" % (day, any_time(pick))
        if pick.random() < 0.3 and not day.startswith("day"):
            text += " in " + ",".join(pick.sample(MONTHS, 5))
    else:
        text = "every " + pick.choice(["15m", "20m", "50m", "1h", "2h", "5h",
                                       "7h", "12h", "24h"])
        if pick.random() < 0.4:
            text += " offset %dm" % pick.randint(1, 14)
    limit = pick.random()
    if limit < 0.25:
        first, last = any_time(pick), any_time(pick)
        if first != last:
            text += " between %s-%s" % (first, last)
    elif limit < 0.5:
        text += " allowed %s %s, %s %s" % (
            pick.choice(WEEKDAYS), pick.choice(["00-03", "02-03", "22-24"]),
            pick.choice(["weekdays", "sat,sun"]),
            pick.choice(["01-02", "09-17", "00-24"]))
    return text


class Made(unittest.TestCase):
    def test_schedules_of_a_seed_have_the_moments_of_the_walk(self):
        pick = random.Random(7)
        for n in range(150):
            text, zone = any_schedule(pick), pick.choice(ZONES)
            # Around changes of the clock, in years whose rules are settled.
            after = minute_of(pick.choice([
                "2024-03-09T00:00:00Z", "2024-03-30T00:00:00Z",
                "2024-04-06T00:00:00Z", "2024-04-13T00:00:00Z",
                "2024-10-05T00:00:00Z", "2024-10-26T00:00:00Z",
                "2024-11-02T00:00:00Z", "2018-02-17T00:00:00Z",
                "2018-11-03T00:00:00Z", "2011-12-28T00:00:00Z",
            ])) + pick.randint(0, 1440)
            count = 12 if text.startswith("every") else 3
            with self.subTest("%d: %s in %s after %s" % (
                    n, text, zone, iso_of(after))):
                found = ask(["next %s %s %d;%s" % (zone, iso_of(after), count,
                                                   text)])
                self.assertEqual(found, [iso_of(m) for m in moments(
                    text, zone, after, count)])


class Job:
    """A job as a clock that is looked at every minute runs it."""

    def __init__(self, name, zone, minutes, fails, text):
        self.name, self.minutes, self.fails = name, minutes, fails
        self.schedule = Schedule(text)
        self.zone = Clock(zone)
        self.waiting = False   # a start fell where the window is closed
        self.due = None        # when the last run that is due became so
        self.running = self.failed = False
        self.start = self.end = None
        self.until = 0
        self.tries = self.retries = 0
        self.served = None     # starts up to then were, after a clock's jump

    def walk_from(self, minute):
        self.walk = Walk(self.schedule, self.zone, minute)

    def step(self, minute):
        self.walk.step()
        start = self.walk.start
        if self.schedule.kind == "continuously":
            start = (not self.running and
                     (self.end is None or
                      minute >= self.end + (WAIT if self.failed else 1)))
        if start and (self.served is None or minute > self.served):
            self.waiting = True
        if self.waiting and self.walk.open:
            self.due, self.waiting = minute, False

    def tries_again(self):
        return (self.failed and self.retries < TIMES and
                self.schedule.kind != "continuously")

    def begin(self, minute):
        self.running, self.start = True, minute
        self.waiting, self.due = False, None
        self.until = minute + self.minutes + 9 * (self.tries % 5)
        self.tries += 1

    def finish(self, minute, failed):
        self.running, self.end, self.failed = False, minute, failed


def run_world(jobs, sleeps, back, first, last):
    """What runs when: lines as the rig writes them."""
    out = []

    def ended(job, minute, failed):
        job.finish(minute, failed)
        if job.tries_again():
            return
        for other in jobs:
            if (other.schedule.kind == "after" and
                    other.schedule.other == job.name):
                other.waiting = True
                if other.walk.open:
                    other.due, other.waiting = minute, False

    def decide(job, minute):
        s, opened = job.schedule, job.walk.open
        if job.running:
            if s.terminate and not opened:
                out.append("%s %s stop" % (iso_of(minute), job.name))
                ended(job, minute, False)
            return
        if job.due is not None and s.skip and (
                not opened or minute - job.due > LATE):
            job.due, job.failed = None, False
        if not opened:
            return
        if job.due is not None:
            out.append("%s %s run" % (iso_of(minute), job.name))
            job.retries = 0
            job.begin(minute)
        elif job.tries_again() and minute >= job.end + WAIT:
            out.append("%s %s again" % (iso_of(minute), job.name))
            job.retries += 1
            job.begin(minute)

    for job in jobs:
        job.walk_from(first)
    minute = first
    back_at, back_by = back
    while minute < last:
        if minute == back_at:
            minute, back_at = minute - back_by, None
            for job in jobs:
                assert not job.running and job.due is None
                assert not job.tries_again()
                job.walk_from(minute)
                if job.start is not None and job.start <= minute + AHEAD:
                    job.served = job.start
                else:
                    job.served = None
        for job in jobs:
            job.step(minute)
        if not any(a <= minute < b for a, b in sleeps):
            for job in jobs:
                if job.running and minute >= job.until:
                    ended(job, minute,
                          bool(job.fails) and (job.tries - 1) % 11 >= 6)
            for job in jobs:
                decide(job, minute)
        minute += 1
    return out


QUARTER = [
    ("nightly", "Europe/Berlin", 70, 1, "daily 22:00"),
    ("office", "America/New_York", 20, 1, "every 2h allowed weekdays 09-17"),
    ("long", "Europe/Berlin", 200, 1,
     "every 3h between 20:00-06:00 terminate"),
    ("copy", "Europe/Berlin", 15, 1, "after nightly"),
    ("late-copy", "UTC", 15, 0,
     "after nightly between 03:00-05:00 missed skip"),
    ("monthly", "Australia/Lord_Howe", 300, 1, "monthly last sun 02:15"),
    ("quarters", "Asia/Kathmandu", 3, 1, "every 6h offset 15m missed skip"),
    ("always", "UTC", 30, 1, "continuously allowed sat 10-14, sun 22-24"),
    ("hours", "Europe/London", 5, 0, "every 1h offset 20m"),
    ("by-hand", "UTC", 1, 0, "manual"),
    ("dst", "Africa/Cairo", 10, 0, "daily 00:30 thu,fri,sat missed skip"),
]


class Quarter(unittest.TestCase):
    """The clock is set back once, when all is quiet: by three hours, whose
    moments come again, and by forty minutes, whose do not."""

    def same(self, first, last, sleeps, back):
        lines = ["job %s %s %d %d;%s" % job for job in QUARTER]
        lines += ["sleep %s %s" % s for s in sleeps]
        lines += ["back %s %d" % back, "simulate %s %s" % (first, last)]
        found = ask(lines)
        wanted = run_world([Job(*job) for job in QUARTER],
                           [tuple(map(minute_of, s)) for s in sleeps],
                           (minute_of(back[0]), back[1]),
                           minute_of(first), minute_of(last))
        for i, (a, b) in enumerate(zip(found, wanted)):
            self.assertEqual(a, b, "line %d, behind %s" % (i, wanted[:i][-9:]))
        self.assertEqual(len(found), len(wanted))
        return wanted

    def test_a_spring_runs_what_the_walk_runs(self):
        ran = self.same("2026-03-01T00:00:00Z", "2026-06-01T00:00:00Z",
                        [("2026-03-27T21:30:00Z", "2026-03-30T21:40:00Z"),
                         ("2026-04-23T20:00:00Z", "2026-04-23T22:33:00Z")],
                        ("2026-05-15T12:07:00Z", 180))
        # Each job, each act: none that would not be there is looked for.
        for name, _, _, _, text in QUARTER:
            self.assertEqual(any(" %s run" % name in x for x in ran),
                             text != "manual")
        self.assertTrue(any(" long stop" in x for x in ran))
        self.assertTrue(any(" nightly again" in x for x in ran))
        self.assertGreater(len(ran), 900)

    def test_an_autumn_runs_what_the_walk_runs(self):
        self.same("2026-09-01T00:00:00Z", "2026-12-01T00:00:00Z",
                  [("2026-10-23T23:10:00Z", "2026-10-26T23:10:00Z"),
                   ("2026-10-31T12:00:00Z", "2026-11-01T06:20:00Z")],
                  ("2026-11-10T14:46:00Z", 40))


if __name__ == "__main__":
    RIG = os.path.abspath(sys.argv.pop(1))
    unittest.main()
