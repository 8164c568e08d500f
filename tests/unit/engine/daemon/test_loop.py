#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon's loop for a quarter of a year against a clock that is looked at
every minute.

    test_loop.py RIG [Days | Quarter]

The rig runs the real loop, with files and a history of its own, in a world that
is played (rig.c). What it begins and stops is compared with what the jobs here
do, which are walked through time by zoneinfo (../schedule/calendar_walk.py) and
know nothing of the loop.
"""

import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "schedule"))

from calendar_walk import Clock, Schedule, Walk, iso_of, minute_of  # noqa: E402

LATE = 5
AHEAD = 60
WAIT = 10
TIMES = 3


class Job:
    """A job, or a piece of housekeeping, as a clock runs it."""

    def __init__(self, name, zone, minutes, fails, text):
        self.name, self.minutes, self.fails = name, minutes, fails
        self.zone, self.text = zone, text
        self.schedule, self.clock = Schedule(text), Clock(zone)
        self.waiting = False   # a start fell where the window is closed
        self.due = None        # when the run that is due became so
        self.running = self.failed = self.hand = False
        self.start = self.end = None
        self.until = 0
        self.tries = self.retries = 0
        self.served = None     # starts up to then were, after a clock's jump
        self.there = self.well = self.enabled = True

    def walk_from(self, minute):
        self.walk = Walk(self.schedule, self.clock, minute)

    def anew(self, minute, text):
        """Another schedule holds from now on; what was due, or failed, by the
        one before is not made up for."""
        self.schedule = Schedule(text)
        self.waiting, self.due = False, None
        self.retries = TIMES
        self.served = minute
        self.walk_from(minute + 1)  # this minute was seen

    def runs_by_itself(self):
        return self.there and self.well and self.enabled

    def step(self, minute):
        self.walk.step()
        start = self.walk.start
        if self.schedule.kind == "continuously":
            start = (not self.running and
                     (self.end is None or
                      minute >= self.end + (WAIT if self.failed else 1)))
        if not (self.there and self.enabled):
            return
        if start and (self.served is None or minute > self.served):
            self.waiting = True
        if self.waiting and self.walk.open:
            self.due, self.waiting = minute, False

    def tries_again(self):
        return (self.failed and self.retries < TIMES and
                self.there and self.enabled and
                self.schedule.kind not in ("manual", "continuously"))

    def begin(self, minute, length):
        self.running, self.start = True, minute
        self.waiting, self.due = False, None
        self.until = minute + length

    def fails_now(self):
        if self.hand:
            return self.hand_fails
        return self.fails == 2 or (self.fails == 1 and
                                   (self.tries - 1) % 11 >= 6)


class World:
    def __init__(self, jobs, events, sleeps, back):
        self.jobs, self.events = jobs, events
        self.sleeps, self.back = sleeps, back
        self.out = []

    def find(self, name):
        return next(j for j in self.jobs if j.name == name)

    def say(self, minute, job, act):
        self.out.append("%s %s %s" % (iso_of(minute), job.name, act))

    def ended(self, job, minute, failed):
        job.running, job.end, job.failed = False, minute, failed
        if job.hand:
            job.hand, job.retries = False, TIMES
        if job.tries_again():
            return
        for other in self.jobs:
            s = other.schedule
            if (s.kind == "after" and s.other == job.name and other.there and
                    other.enabled):
                other.waiting = True
                if other.walk.open:
                    other.due, other.waiting = minute, False

    def decide(self, job, minute):
        s, opened = job.schedule, job.walk.open
        if not job.runs_by_itself():
            return
        if job.running:
            if (s.terminate and not opened and
                    s.is_open(job.clock.shows(job.start))):
                self.say(minute, job, "stop")
                self.ended(job, minute, False)
            return
        if job.due is not None and s.skip and (
                not opened or minute - job.due > LATE):
            job.due, job.failed = None, False
        if not opened:
            return
        again = (job.due is None and job.tries_again() and
                 minute >= job.end + WAIT)
        if job.due is None and not again:
            return
        # A repository has one piece of housekeeping at a time.
        if job.name in CARE_NAMES and any(
                o.running for o in self.jobs if o.name in CARE_NAMES):
            return
        self.say(minute, job, "again" if again else "run")
        job.retries = job.retries + 1 if again else 0
        length = job.minutes + 9 * (job.tries % 5)
        job.tries += 1
        job.begin(minute, length)

    def happen(self, minute):
        for what in self.events.get(minute, []):
            job = self.find(what[1])
            if what[0] == "edit":
                job.anew(minute, what[2])
            elif what[0] in ("enable", "disable"):
                job.enabled = what[0] == "enable"
                job.anew(minute, job.text)
            elif what[0] in ("remove", "make"):
                job.there = what[0] == "make"
                job.anew(minute, job.text)
            elif what[0] in ("spoil", "mend"):
                job.well = what[0] == "mend"
            elif what[0] == "hand":
                assert not job.running
                job.begin(minute, what[2])
                job.hand, job.hand_fails = True, what[3]

    def set_back(self, minute):
        for job in self.jobs:
            assert not job.running and job.due is None, job.name
            assert not job.tries_again()
            job.walk_from(minute)
            if job.start is not None and job.start <= minute + AHEAD:
                job.served = job.start
            else:
                job.served = None

    def run(self, first, last):
        for job in self.jobs:
            job.walk_from(first)
            job.served = first
        minute = first
        back_at, back_by = self.back
        while minute < last:
            if minute == back_at:
                minute, back_at = minute - back_by, None
                self.set_back(minute)
            for job in self.jobs:
                job.step(minute)
            if not any(a <= minute < b for a, b in self.sleeps):
                self.happen(minute)
                for job in self.jobs:
                    if job.running and minute >= job.until:
                        self.ended(job, minute, job.fails_now())
                for job in self.jobs:
                    self.decide(job, minute)
            minute += 1
        return self.out


HOME_ZONE = "Europe/Berlin"

JOBS = [
    ("nightly", "Europe/Berlin", 70, 1, "daily 22:00"),
    ("weekdays", "Europe/Berlin", 25, 1, "daily 12:30 weekdays"),
    ("office", "America/New_York", 20, 1, "every 2h allowed weekdays 09-17"),
    ("long", "Europe/Berlin", 200, 1,
     "every 3h between 20:00-06:00 terminate"),
    ("copy", "Europe/Berlin", 15, 1, "after nightly"),
    ("second-copy", "UTC", 5, 0, "after copy"),
    ("late-copy", "UTC", 15, 0,
     "after nightly between 03:00-05:00 missed skip"),
    ("monthly", "Australia/Lord_Howe", 300, 1, "monthly last sun 02:15"),
    ("quarters", "Asia/Kathmandu", 3, 1, "every 6h offset 15m missed skip"),
    ("always", "UTC", 30, 1, "continuously allowed sat 10-14, sun 22-24"),
    ("hours", "Europe/London", 5, 0, "every 4h offset 20m"),
    ("by-hand", "UTC", 1, 0, "manual"),
    ("dst", "Africa/Cairo", 10, 0, "daily 00:30 thu,fri,sat missed skip"),
    ("broken", "UTC", 1, 2, "daily 13:00"),
    ("edited", "UTC", 4, 1, "daily 05:00"),
    ("disabled", "UTC", 4, 0, "every 2h"),
    ("deleted", "Asia/Tokyo", 4, 0, "every 3h"),
    ("spoilt", "UTC", 4, 0, "daily 11:00"),
]
CARE = [
    ("main-gc", HOME_ZONE, 12, 0, "daily 06:00"),
    ("main-check", HOME_ZONE, 7, 0, "monthly last sat 08:00"),
]
CARE_NAMES = [x[0] for x in CARE]


def job_file(zone, text, **more):
    return json.dumps(dict({"repo": "main", "vms": ["here:one", "here:two"],
                            "timezone": zone, "schedule": text}, **more))


def play(lines):
    done = subprocess.run([RIG], input="".join(x + "\n" for x in lines),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


class Days(unittest.TestCase):
    """What is seen in a day or two, worked out by hand."""

    def ran(self, jobs, *lines, **config):
        config.setdefault("timezone", "UTC")
        config.setdefault("check", "manual")
        head = ["file daemon.json;" + json.dumps(config),
                'file repos/main.json;{"url": "file:///nowhere"}',
                'file sources/here.json;{"place": "dir:/nowhere"}']
        for name, minutes, text, more in jobs:
            head += ["run %s %d 0" % (name, minutes),
                     "file jobs/%s.json;%s" % (name,
                                               job_file("UTC", text, **more))]
        code, out, self.log = play(head + list(lines))
        self.assertEqual(code, 0, self.log)
        return [x.replace(":00Z", "").replace("2026-06-0", "") for x in out]

    def test_no_more_runs_at_once_than_are_allowed(self):
        jobs = [("a", 10, "daily 10:00", {}), ("b", 30, "daily 10:00", {}),
                ("c", 10, "daily 09:59", {}), ("d", 10, "daily 10:05", {})]
        self.assertEqual(
            self.ran(jobs, "simulate 2026-06-01T09:00:00Z 2026-06-01T23:00:00Z",
                     collect="manual", max_runs=2),
            ["1T09:59 c run", "1T10:00 a run", "1T10:09 b run",
             "1T10:10 d run"])

    def test_a_run_ends_when_its_window_closes_whatever_else_happens(self):
        jobs = [("a", 300, "daily 10:00 between 09:00-11:00 terminate", {})]
        self.assertEqual(
            self.ran(jobs, "simulate 2026-06-01T09:00:00Z 2026-06-01T23:00:00Z",
                     collect="manual"),
            ["1T10:00 a run", "1T11:00 a stop"])

    def test_points_of_deleted_vms_go_before_the_collection(self):
        jobs = [("a", 10, "manual", {"deleted_vms_after": "30d"}),
                ("b", 10, "manual", {"deleted_vms_after": "30d"})]
        self.assertEqual(
            self.ran(jobs, "run a-deleted 5 0", "run b-deleted 7 0",
                     "run main-gc 3 0",
                     "simulate 2026-06-01T00:00:00Z 2026-06-01T23:00:00Z"),
            ["1T06:00 a-deleted run", "1T06:05 b-deleted run",
             "1T06:12 main-gc run"])

    def test_a_collection_that_takes_longer_than_a_day_is_not_begun_again(self):
        self.assertEqual(
            self.ran([], "run main-gc 2000 0",
                     "simulate 2026-06-01T00:00:00Z 2026-06-04T00:00:00Z"),
            ["1T06:00 main-gc run", "3T06:00 main-gc run"])
        self.assertEqual(sum("the next one is left out" in x
                             for x in self.log), 1)

    def test_what_was_missed_between_two_daemons_runs_once(self):
        jobs = [("a", 10, "daily 10:00", {})]
        self.assertEqual(
            self.ran(jobs, "simulate 2026-06-01T00:00:00Z 2026-06-01T12:00:00Z",
                     "simulate 2026-06-04T11:00:00Z 2026-06-04T12:00:00Z"),
            ["1T06:00 main-gc run", "1T10:00 a run",
             "4T11:00 a run", "4T11:00 main-gc run"])

    def test_a_lost_state_begins_nothing(self):
        jobs = [("a", 10, "daily 10:00", {}),
                ("b", 10, "after a", {})]
        self.assertEqual(
            self.ran(jobs, "simulate 2026-06-01T00:00:00Z 2026-06-01T12:00:00Z",
                     "lose",
                     "simulate 2026-06-04T11:00:00Z 2026-06-05T00:00:00Z"),
            ["1T06:00 main-gc run", "1T10:00 a run", "1T10:10 b run"])

    def test_a_daemon_that_ends_stops_its_runs_and_they_stay_so(self):
        jobs = [("a", 300, "daily 10:00", {})]
        self.assertEqual(
            self.ran(jobs, "simulate 2026-06-01T00:00:00Z 2026-06-01T12:00:00Z",
                     "simulate 2026-06-01T13:00:00Z 2026-06-01T23:00:00Z",
                     collect="manual"),
            ["1T10:00 a run"])


class Quarter(unittest.TestCase):
    """Jobs change meanwhile; the machine sleeps for three days; the clock is
    set back once, when all is quiet."""

    def lines(self, jobs):
        lines = [
            "file daemon.json;" + json.dumps({"timezone": HOME_ZONE,
                                              "max_runs": 64}),
            'file repos/main.json;{"url": "file:///nowhere"}',
            'file sources/here.json;{"place": "dir:/nowhere"}',
        ]
        for name, zone, minutes, fails, text in jobs + CARE:
            lines.append("run %s %d %d" % (name, minutes, fails))
        for name, zone, _, _, text in jobs:
            lines.append("file jobs/%s.json;%s" % (name, job_file(zone, text)))
        return lines

    def event_line(self, jobs, at, what):
        zone, text = next((z, t) for n, z, _, _, t in jobs if n == what[1])
        path = "jobs/%s.json" % what[1]
        if what[0] == "hand":
            do = "hand %s %d %d" % (what[1], what[2], what[3])
        elif what[0] == "remove":
            do = "remove " + path
        else:
            content = {
                "edit": lambda: job_file(zone, what[2]),
                "disable": lambda: job_file(zone, text, enabled=False),
                "spoil": lambda: '{"repo": "main", "scheduel": "daily 11:00"}',
            }.get(what[0], lambda: job_file(zone, text))()
            do = "file %s;%s" % (path, content)
        return "at %s %s" % (at, do)

    def same(self, jobs, first, last, sleeps, back, events):
        lines = self.lines(jobs)
        lines += ["sleep %s %s" % s for s in sleeps]
        lines += ["back %s %d" % back]
        lines += [self.event_line(jobs, at, what) for at, what in events]
        lines += ["simulate %s %s" % (first, last)]
        code, found, self.log = play(lines)
        self.assertEqual(code, 0, self.log)
        found.sort()
        by_minute = {}
        for at, what in events:
            by_minute.setdefault(minute_of(at), []).append(what)
        world = World([Job(*j) for j in jobs + CARE], by_minute,
                      [tuple(map(minute_of, s)) for s in sleeps],
                      (minute_of(back[0]), back[1]))
        wanted = sorted(world.run(minute_of(first), minute_of(last)))
        for i, (a, b) in enumerate(zip(found, wanted)):
            self.assertEqual(a, b, "line %d, behind %s" % (i, wanted[:i][-9:]))
        self.assertEqual(len(found), len(wanted))
        return wanted

    def count(self, ran, *words):
        return sum(x.endswith(" " + " ".join(words)) for x in ran)

    def test_an_autumn_runs_what_the_clock_runs(self):
        ran = self.same(
            JOBS, "2026-09-01T00:00:00Z", "2026-12-02T00:00:00Z",
            [("2026-10-23T23:10:00Z", "2026-10-26T23:10:00Z")],
            ("2026-11-11T10:45:00Z", 60),
            [("2026-09-10T15:03:00Z", ("edit", "edited", "every 5h")),
             ("2026-09-12T16:30:00Z", ("hand", "nightly", 50, False)),
             ("2026-09-13T16:31:00Z", ("hand", "by-hand", 20, True)),
             ("2026-09-14T16:31:00Z", ("hand", "weekdays", 20, True)),
             ("2026-09-15T01:05:00Z", ("disable", "disabled")),
             ("2026-10-02T01:05:00Z", ("enable", "disabled")),
             ("2026-10-03T01:05:00Z", ("remove", "deleted")),
             ("2026-10-09T02:05:00Z", ("make", "deleted")),
             ("2026-10-05T01:05:00Z", ("spoil", "spoilt")),
             ("2026-10-12T17:05:00Z", ("mend", "spoilt"))])
        # Each job, each act: none that would not be there is looked for.
        for name, _, _, _, text in JOBS + CARE:
            self.assertEqual(self.count(ran, name, "run") > 0,
                             text != "manual")
        self.assertGreater(self.count(ran, "long", "stop"), 5)
        self.assertGreater(self.count(ran, "nightly", "again"), 5)
        self.assertEqual(self.count(ran, "broken", "again"),
                         3 * self.count(ran, "broken", "run"))
        self.assertEqual(self.count(ran, "by-hand", "again"), 0)
        self.assertGreater(len(ran), 4000)
        # The wrong file is told once, with its field, and so is the clock.
        told = [x for x in self.log if "spoilt" in x]
        self.assertEqual(len(told), 1, told)
        self.assertIn("scheduel", told[0])
        self.assertIn("schedule", told[0])
        self.assertEqual(sum("clock was set by -3600" in x
                             for x in self.log), 1)

    def test_a_spring_runs_what_the_clock_runs(self):
        self.same(JOBS, "2026-03-20T00:00:00Z", "2026-04-12T00:00:00Z",
                  [("2026-03-27T21:30:00Z", "2026-03-30T21:40:00Z")],
                  ("2026-04-08T17:45:00Z", 60), [])


if __name__ == "__main__":
    RIG = os.path.abspath(sys.argv.pop(1))
    unittest.main()
