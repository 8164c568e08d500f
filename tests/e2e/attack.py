#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody with the writer's keys can do to a repository.

    attack.py URL SEED [--lock-rubbish SECONDS]

In a bucket that keeps versions: a delete marker on, rubbish over, or older
content over every object (chosen by the seed); false manifests, of which one is
well named; later generations of slots, which open nothing, and a copy of each
under another id; every version that nothing locks is deleted.  The store and its
signer are those of objects.py, which share no code with the program.
"""
import datetime
import hashlib
import json
import random
import sys
import urllib.parse

sys.dont_write_bytecode = True  # the tree stays clean
from objects import S3Store  # noqa: E402


class Attacker:
    def __init__(self, url, seed, lock_s):
        self.store = S3Store(urllib.parse.urlsplit(url))
        self.dice = random.Random(seed)
        self.lock_s = lock_s
        self.done = {}

    def note(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def put(self, key, body):
        more = {}
        if self.lock_s and self.dice.random() < 0.3:
            until = datetime.datetime.now(datetime.timezone.utc) + \
                datetime.timedelta(seconds=self.lock_s)
            more = {"x-amz-object-lock-mode": "COMPLIANCE",
                    "x-amz-object-lock-retain-until-date":
                        until.strftime("%Y-%m-%dT%H:%M:%SZ")}
            self.note("locked rubbish")
        self.store._request("PUT", self.store._name(key), body=body, more=more)

    def rubbish(self, key):
        self.put(key, self.dice.randbytes(self.dice.randrange(1, 300)))
        self.note("rubbish")

    def older(self, key, bodies):
        """The content of another object of its kind."""
        kind = key.split("/")[1] if "/" in key else key
        others = [b for k, b in bodies.items()
                  if k != key and k.split("/")[1:2] == [kind]]
        self.put(key, self.dice.choice(others) if others else b"{}")
        self.note("older content")

    def hide(self, key):
        self.store.remove(key)
        self.note("marker")

    def strike(self, key, bodies):
        ways = [lambda: self.hide(key), lambda: self.rubbish(key),
                lambda: self.older(key, bodies)]
        for way in self.dice.choices(ways, k=self.dice.randrange(1, 4)):
            way()

    def false_manifests(self, bodies):
        points = [k for k in bodies if "/points/" in k and
                  k.endswith(".json") and b'"kind":"full"' in bodies[k]]
        self.put("plain/points/vm/20200101T000000Z-0123456789abcdef.json",
                 b"{}")
        self.put("plain/points/vm/notes.txt", b"x")
        # Right in every way, but for its pages; of another time, so that the
        # true one's name stays a name of one point.
        key = self.dice.choice(points)
        text = bodies[key].decode()
        page = next(p for d in json.loads(text)["disks"] for p in d["pages"]
                    if p)
        time = json.loads(text)["time"]
        other = "2025" + time[4:]
        body = text.replace(page, hashlib.sha256(text.encode()).hexdigest())
        body = body.replace(time, other)
        digest = hashlib.sha256(body.encode()).hexdigest()[:16]
        self.put("%s/%s-%s.json" % (
            key[:key.rindex("/")], other.replace("-", "").replace(":", ""),
            digest), body.encode())
        self.note("false manifests")

    def false_slots(self, bodies):
        """Generations that decode: one that holds no key any more, and one that
        says that the slot has none."""
        for key in [k for k in bodies if k.startswith("keysets/")]:
            folder, name = key.rsplit("/", 1)
            slot = json.loads(bodies[key])
            copy = {**slot, "slot": "0" * 16, "gen": 1}
            self.put("%s/%08d-%s.json" % (folder, 1, "0" * 16),
                     json.dumps(copy, separators=(",", ":")).encode())
            slot["data"] = slot["data"][::-1]
            for gen in slot["gen"] + 1, slot["gen"] + 2:
                slot["gen"] = gen
                body = json.dumps(slot, separators=(",", ":")).encode()
                self.put("%s/%08d%s" % (folder, gen, name[8:]), body)
                slot.update(type="removed", password=None, kms=None,
                            pubkey=None, key_print=None, iv=None, data=None,
                            tag=None)
            self.note("false slots")

    def delete_unlocked(self):
        for key, version, until in list(self.store.locks("")):
            # Its own rubbish stays.
            if until == 0 and (key, version) in self.before:
                self.store.remove_version(key, version)
                self.note("deleted")

    def run(self):
        self.before = {(k, v) for k, v, _ in self.store.locks("")}
        bodies = {k: self.store.get(k) for k in self.store.keys("")
                  if not k.startswith("gc/")}
        for key in bodies:
            self.strike(key, bodies)
        self.false_manifests(bodies)
        self.false_slots(bodies)
        self.delete_unlocked()
        print(json.dumps(self.done))


def main(argv):
    lock_s = int(argv[4]) if argv[3:4] == ["--lock-rubbish"] else 0
    if len(argv) < 3:
        sys.exit(__doc__)
    Attacker(argv[1], int(argv[2]), lock_s).run()


if __name__ == "__main__":
    main(sys.argv)
