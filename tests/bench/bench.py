#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures objvault and its peers side by side; see README.md in this folder.

    tests/bench/bench.py [OPTION]... OBJVAULT

OBJVAULT is a program in a build with tests (build/release/cli/objvault).  The
peers are what PATH has of restic, kopia, rustic and borg.
"""
import argparse
import contextlib
import datetime
import filecmp
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import limits
import machine
import report
import subjects

SEED, HOLES = "20261127", "30"
# Name, the Subject's method, what is changed before it (thousandths, and the
# generation of the new bytes), what the run reads.
CASES = {
    "full": ("backup", None, "disk"),
    "unchanged": ("backup", None, "disk"),
    "active-full": ("active_full", None, "disk"),
    "1%": ("backup", (10, 1), "disk"),
    "5%": ("backup", (50, 2), "disk"),
    "restore": ("restore", None, "store"),
    "pipe": ("pipe", None, "store"),
    "verify": ("verify", None, "store"),
}


def tell(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, args, work):
        self.args, self.work, self.results = args, work, []
        self.tools = args.tools or os.path.join(
            os.path.dirname(os.path.dirname(os.path.abspath(args.objvault))),
            "tests/bench")
        self.disk = f"{work}/vm/disk.raw"
        for tool in ("bench_image", "delay_proxy"):
            if not os.access(f"{self.tools}/{tool}", os.X_OK):
                sys.exit(f"bench: no {tool} in {self.tools}: build the tests, "
                         "or say --tools FOLDER")
        for tool in ("curl", "setpriv", "findmnt"):
            if shutil.which(tool) is None:
                sys.exit(f"bench: {tool} is not installed")

    def image(self, verb, path, holes, *more):
        subprocess.run([f"{self.tools}/bench_image", verb, path,
                        str(self.args.size), SEED, holes, *map(str, more)],
                       check=True)

    def keep(self, subject, case, latency, n, result):
        self.results.append({"subject": subject.name, "case": case,
                             "latency": latency, "round": n} | result)
        save(self.args, self.results)
        if "failed" in result:
            tell(f"{latency} ms, round {n + 1}, {case}, {subject.name}: "
                 f"failed, {result['failed']}: {result.get('said', '')}")
        else:
            tell(f"{latency} ms, round {n + 1}, {case}, {subject.name}: "
                 f"{result['wall']:.2f} s, CPU {result['cpu']:.2f} s, server "
                 f"{result['server']:.2f} s, others {result['other']:.2f} s")

    def prepare(self, subject, server, latency, n):
        """Whether the subject's repository could be made."""
        folder = f"{self.work}/{subject.name.replace(':', '-')}"
        os.mkdir(folder)
        subject.at(subjects.Place(folder, self.disk, self.args.size << 20,
                                  server, latency > 0))
        try:
            subject.store = subject.prepare()
            return True
        except (RuntimeError, OSError, subprocess.SubprocessError) as e:
            self.keep(subject, "full", latency, n, {"failed": "preparing",
                                                    "said": str(e)})
            return False

    def run_case(self, subject, case, server, latency, n):
        method, _, reads = CASES[case]
        if method == "active_full" and not subject.has_active_full:
            return True
        name = f"{subject.name}-{case}".replace(":", "-").replace("%", "")
        try:
            if reads == "store":
                subject.look()
            command = getattr(subject, method)()
            log = f"{self.work}/{name}.log"
            result = machine.measure(
                command, server, subject.store,
                self.disk if reads == "disk" else subject.store, log,
                self.args.timeout)
            if "failed" not in result:
                with open(log, errors="replace") as f:
                    result["stages"] = subject.stages(f.read())
            if case == "restore" and "failed" not in result:
                if not filecmp.cmp(self.disk, subject.restored(), False):
                    result = {"failed": "the restored disk differs"}
        except (RuntimeError, OSError, LookupError, ValueError,
                subprocess.SubprocessError) as e:
            result = {"failed": type(e).__name__, "said": str(e)}
        self.keep(subject, case, latency, n, result)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(subject.restored())
        return "failed" not in result or reads == "store"

    def run_round(self, chosen, latency, n):
        shutil.rmtree(f"{self.work}/vm", ignore_errors=True)
        os.mkdir(f"{self.work}/vm")
        self.image("make", self.disk, HOLES)
        server = machine.Server(self.work, self.tools, latency)
        try:
            able = [s for s in chosen if (s.on_server or latency == 0) and
                    self.prepare(s, server, latency, n)]
            for i, case in enumerate(self.args.cases):
                if CASES[case][1]:
                    self.image("change", self.disk, HOLES, *CASES[case][1])
                turn = (n + i) % max(1, len(able))
                for s in able[turn:] + able[:turn]:
                    if not self.run_case(s, case, server, latency, n):
                        able.remove(s)
        finally:
            server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)
            for s in chosen:
                shutil.rmtree(f"{self.work}/{s.name.replace(':', '-')}",
                              ignore_errors=True)


def save(args, results):
    with open(f"{args.save}.new", "w") as f:
        json.dump({"about": args.about, "results": results}, f, indent=1)
    os.replace(f"{args.save}.new", args.save)


def choose(args):
    """The subjects that are asked for and here."""
    chosen = []
    variants = args.objvault_variant or ["objvault="]
    for word in args.subjects:
        kind, _, variant = word.partition(":")
        if kind == "objvault":
            for text in variants:
                name, _, options = text.partition("=")
                name, _, program = name.partition("@")
                create, _, run = options.partition("|")
                chosen.append(subjects.Objvault(
                    name, program or args.objvault, shlex.split(create),
                    shlex.split(run)))
            continue
        peer = subjects.PEERS[kind]
        if variant and variant not in peer.SETTINGS:
            sys.exit(f"bench: {kind} has no setting {variant}; there are: "
                     f"{', '.join(peer.SETTINGS)}")
        wanted = [variant or None]
        if args.tune and not variant:
            wanted = list(peer.SETTINGS)
        if shutil.which(kind) is None:
            tell(f"{kind}: not on PATH, left out")
        else:
            chosen += [peer(v) for v in wanted]
    return list({s.name: s for s in chosen}.values())


def words(known):
    def parse(text):
        for word in text.split(","):
            if word.partition(":")[0] not in known:
                raise argparse.ArgumentTypeError(
                    f"{word} is none of {', '.join(known)}")
        return text.split(",")
    return parse


def parse_args():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("objvault", metavar="OBJVAULT")
    p.add_argument("--size", type=int, default=4096, metavar="MIB")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--latency", default="0", metavar="MS,...",
                   type=lambda t: [int(ms) for ms in t.split(",")],
                   help="added to each round trip; default: 0")
    p.add_argument("--cases", default=list(CASES), type=words(CASES),
                   metavar="CASE,...",
                   help=f"of {','.join(CASES)}; full is always\nthere"
                   .replace("%", "%%"))
    known = ["objvault", *subjects.PEERS]
    usual = ["objvault", "restic", "kopia", "kopia:s2", "rustic", "borg"]
    p.add_argument("--subjects", default=usual, type=words(known),
                   metavar="NAME[:SETTING],...",
                   help=f"default: {','.join(usual)}")
    p.add_argument("--objvault-variant", action="append",
                   metavar="NAME[:directory][@PROGRAM]=CREATE|RUN",
                   help="options of repo create and of backup run; again and "
                   "again\nfor more variants; default: objvault=")
    p.add_argument("--tune", action="store_true",
                   help="every setting of the peers instead of the chosen one")
    p.add_argument("--no-limits", action="store_true",
                   help="do not measure what the machine can do at most")
    p.add_argument("--out", metavar="FILE", help="where the tables go: between "
                   "the marks of FILE,\nor all of FILE; default: stdout")
    p.add_argument("--save", metavar="FILE", default="bench.json",
                   help="the raw figures, after each run; default: bench.json")
    p.add_argument("--from", dest="old", metavar="FILE",
                   help="make the tables from saved figures, measure nothing")
    p.add_argument("--work", default="/var/tmp", metavar="FOLDER",
                   help="on a disk; default: /var/tmp")
    p.add_argument("--tools", metavar="FOLDER",
                   help="of bench_image and delay_proxy; default: OBJVAULT's "
                   "build")
    p.add_argument("--timeout", type=int, default=900, metavar="S",
                   help="of one run")
    args = p.parse_args()
    args.cases = [c for c in CASES if c in ["full", *args.cases]]
    return args


def run(args):
    chosen = choose(args)
    # A repository grows to one and a half disks; the disk, and one restored.
    need = (len(chosen) * 3 // 2 + 2) * (args.size << 20)
    if shutil.disk_usage(args.work).free < need:
        sys.exit(f"bench: {args.work} has less than {need >> 30} GiB free")
    with machine.work_folder(args.work) as (work, kind):
        args.about = report.about(args, kind, chosen)
        for s in args.about["subjects"]:
            tell(f"{s['name']}: {s['version']}; {s['settings']}")
        bench = Bench(args, work)
        begin = time.monotonic()
        if not args.no_limits:
            args.about["limits"] = limits.measure(bench)
        for n in range(args.rounds):
            for latency in args.latency:
                bench.run_round(chosen, latency, n)
                args.about["minutes"] = (time.monotonic() - begin) / 60
                save(args, bench.results)
        return {"about": args.about, "results": bench.results}


def main():
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if args.old:
        with open(args.old) as f:
            saved = json.load(f)
    else:
        args.about = {"date": str(datetime.date.today())}
        saved = run(args)
    report.write(report.render(saved), args.out)


if __name__ == "__main__":
    main()
