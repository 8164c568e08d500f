# SPDX-License-Identifier: Apache-2.0
"""Schedules by walking through time, minute by minute.

Independent of engine/schedule: local time is zoneinfo's, and nothing is
computed ahead. Each minute is asked what the local clock shows, whether a start
falls on it, and whether the window is open. All moments are minutes of UTC since
1970; zones whose offset has seconds are not for this program.
"""

import datetime
import zoneinfo

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun",
          "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
DAY = 24 * 60
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def minute_of(iso):
    """The minute of "2026-01-31T22:00:00Z"."""
    t = datetime.datetime.strptime(iso, "%Y-%m-%dT%H:%M:%SZ")
    return int((t.replace(tzinfo=datetime.timezone.utc) - EPOCH)
               .total_seconds()) // 60


def iso_of(minute):
    return (EPOCH + datetime.timedelta(minutes=minute)).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """The local clock of a zone: minutes since 1970 as it shows them."""

    def __init__(self, name):
        self.zone = zoneinfo.ZoneInfo(name)
        self.offsets = {}

    def shows(self, minute):
        # Clocks change at full quarters of an hour.
        quarter = minute // 15
        if quarter not in self.offsets:
            t = EPOCH + datetime.timedelta(minutes=quarter * 15)
            offset = t.astimezone(self.zone).utcoffset().total_seconds()
            assert offset % 60 == 0
            self.offsets[quarter] = int(offset) // 60
        return minute + self.offsets[quarter]


def clock_minute(text):
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def words_of(text, names):
    found = set()
    for item in text.split(","):
        first, _, last = item.partition("-")
        i = names.index(first)
        found.add(i)
        while last and names[i] != last:
            i = (i + 1) % len(names)
            found.add(i)
    return found


def period(text):
    return int(text[:-1]) * {"m": 1, "h": 60}[text[-1]]


class Schedule:
    """The canonical texts, and what is like them."""

    def __init__(self, text):
        self.terminate = self.skip = False
        self.between = self.hours = self.at = None
        words = text.split()
        for word in ("terminate",):
            if word in words:
                words.remove(word)
                self.terminate = True
        if "missed" in words:
            at = words.index("missed")
            self.skip = words[at + 1] == "skip"
            del words[at:at + 2]
        if "between" in words:
            at = words.index("between")
            first, last = words[at + 1].split("-")
            self.between = clock_minute(first), clock_minute(last) % DAY
            del words[at:]
        if "allowed" in words:
            at = words.index("allowed")
            self.hours = self.grid(" ".join(words[at + 1:]))
            del words[at:]
        self.kind = words[0]
        self.words = words[1:]
        getattr(self, "read_" + self.kind)()

    def grid(self, text):
        hours = set()
        days = set(range(7))
        for group in text.split(", "):
            *day, span = group.split()
            if day:
                days = (set(range(5)) if day[0] == "weekdays"
                        else words_of(day[0], WEEKDAYS))
            first, last = span.split("-")
            hours |= {(d, h) for d in days
                      for h in range(int(first), int(last))}
        return hours

    def read_manual(self):
        pass

    def read_continuously(self):
        pass

    def read_after(self):
        self.other = self.words[0]

    def read_daily(self):
        self.at = clock_minute(self.words[0])
        self.days = set(range(7))
        if len(self.words) > 1:
            self.days = (set(range(5)) if self.words[1] == "weekdays"
                         else words_of(self.words[1], WEEKDAYS))

    def read_monthly(self):
        self.months = set(range(12))
        if "in" in self.words:
            self.months = words_of(self.words[-1], MONTHS)
        self.at = clock_minute(self.words[2])

    def read_every(self):
        self.period = period(self.words[0])
        self.offset = period(self.words[2]) if len(self.words) > 1 else 0

    def on_date(self, date):
        """Does a start belong to this local date?"""
        if self.kind == "daily":
            return date.weekday() in self.days
        if date.month - 1 not in self.months:
            return False
        month = [date.replace(day=1) + datetime.timedelta(days=i)
                 for i in range(31)]
        month = [d for d in month if d.month == date.month]
        which, day = self.words[0], self.words[1]
        if which == "day":
            return date.day == int(day)
        if day == "day":
            return date == month[-1]
        same = [d for d in month if d.weekday() == WEEKDAYS.index(day)]
        return date == same[WEEKS[which]]

    def is_open(self, shown):
        """Is the window open while the clock shows this?"""
        if self.between:
            first, last = self.between
            m = shown % DAY
            if first < last:
                return first <= m < last
            return m >= first or m < last
        if self.hours is not None:
            date = datetime.date(1970, 1, 1) + datetime.timedelta(
                days=shown // DAY)
            return (date.weekday(), shown % DAY // 60) in self.hours
        return True


class Walk:
    """Goes on minute by minute; `start` says whether a start falls on the
    minute, `open` whether the window is open."""

    def __init__(self, schedule, zone, minute):
        self.schedule = schedule
        self.clock = zone if isinstance(zone, Clock) else Clock(zone)
        # From two days before, so that the day's beginning is known.
        self.minute = minute - 2 * DAY
        self.highest = self.clock.shows(self.minute - 1)
        self.day_began = None
        while self.minute < minute:
            self.step()

    def step(self):
        s = self.schedule
        shown = self.clock.shows(self.minute)
        self.start = False
        # What the clock shows for the first time, now or by jumping over it.
        while self.highest < shown:
            self.highest += 1
            time = self.highest % DAY
            if time == 0:
                self.day_began = self.minute
            if time == s.at:
                date = datetime.date(1970, 1, 1) + datetime.timedelta(
                    days=self.highest // DAY)
                self.start |= s.on_date(date)
        if s.kind == "every" and self.day_began is not None:
            since = self.minute - self.day_began - s.offset
            self.start = since >= 0 and since % s.period == 0
        if s.kind == "continuously":
            self.start = True
        self.open = s.is_open(shown)
        self.minute += 1


def moments(text, zone, after, count, limit=9 * 366 * DAY):
    """The first `count` runs after that minute."""
    found = []
    schedule = Schedule(text)
    # A start while the window is closed waits for it, from up to 15 days ago.
    walk = Walk(schedule, zone, after - (15 * DAY if schedule.between or
                                         schedule.hours is not None else 0))
    waiting = False
    end = after + limit
    while len(found) < count and walk.minute < end:
        minute = walk.minute
        walk.step()
        waiting |= walk.start
        if walk.open and waiting:
            waiting = False
            if minute > after:
                found.append(minute)
    return found


def window_end(text, zone, start):
    """When a run that began at that minute is ended; None: never."""
    schedule = Schedule(text)
    clock = Clock(zone)
    if not schedule.terminate or not schedule.is_open(clock.shows(start)):
        return None
    minute = start
    while schedule.is_open(clock.shows(minute)):
        minute += 1
    return minute
