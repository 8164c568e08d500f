# SPDX-License-Identifier: Apache-2.0
"""Turns the figures of a benchmark into Markdown."""
import os
import platform
import statistics

MARKS = ("<!-- bench: begin -->", "<!-- bench: end -->")
TITLES = {
    "full": "First full",
    "unchanged": "Nothing changed, everything read",
    "1%": "1 % changed in regions of 64 KiB",
    "5%": "5 % changed in regions of 64 KiB",
    "active-full": "Active full, every block known",
    "restore": "Whole disk to a new file",
    "pipe": "Whole disk to a pipe",
    "verify": "Verify everything stored",
}
HEAD = ("| | wall s | (min–max) | then sync s | client CPU s | server CPU s |"
        " others' CPU s | peak MiB | stored MiB | sent MiB | received MiB |"
        " requests |\n|---|" + "---|" * 11)


def about(args, file_system, chosen):
    with open("/proc/cpuinfo") as f:
        models = [line.split(":")[1].strip() for line in f
                  if line.startswith("model name")]
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) >> 20
    return {
        "date": args.about["date"], "size": args.size, "rounds": args.rounds,
        "latency": args.latency, "cores": os.cpu_count(),
        "cpu": models[0] if models else platform.machine(),
        "memory": memory, "kernel": platform.release(),
        "file_system": file_system,
        "subjects": [{"name": s.name, "version": s.version(),
                      "settings": s.settings()} for s in chosen]}


def mib(n):
    return f"{n / (1 << 20):.0f}"


def row(name, runs):
    good = [r for r in runs if "failed" not in r]
    if not good:
        return f"| {name} | failed: {runs[0]['failed']} |" + " |" * 10
    def mid(key):
        return statistics.median(r[key] for r in good)
    walls = [r["wall"] for r in good]
    # Somebody else had a fifth of what the run had: not a quiet machine.
    noisy = mid("other") > .2 * (mid("cpu") + mid("server"))
    requests = " ".join(f"{k} {n}" for k, n in
                        sorted(good[0]["requests"].items()))
    if len(good) < len(runs):
        name += f" ({len(runs) - len(good)} of {len(runs)} failed)"
    return (f"| {name} | {mid('wall'):.2f} | {min(walls):.2f}–{max(walls):.2f}"
            f" | {mid('sync'):.2f} | {mid('cpu'):.2f} | {mid('server'):.2f} | "
            f"{mid('other'):.2f}{' !' if noisy else ''} | {mib(mid('rss'))} | "
            f"{mib(mid('stored'))} | {mib(mid('sent'))} | "
            f"{mib(mid('received'))} | {requests} |")


def medians(results, latency, case):
    """Subject to {wall, cpu, stored, rss}, for those that did not fail."""
    found = {}
    for r in results:
        if (r["latency"], r["case"]) == (latency, case) and "failed" not in r:
            found.setdefault(r["subject"], []).append(r)
    return {s: {k: statistics.median(r[k] for r in runs)
                for k in ("wall", "cpu", "stored", "rss")}
            for s, runs in found.items()}


def peer_names(saved):
    return [s["name"] for s in saved["about"]["subjects"]
            if s["name"].partition(":")[0] in
            ("restic", "kopia", "rustic", "borg")]


def ratios(saved, latency):
    """objvault's variants against the best peer of each column."""
    lines, peers = [], peer_names(saved)
    for case, title in TITLES.items():
        found = medians(saved["results"], latency, case)
        rivals = {s: v for s, v in found.items() if s in peers}
        if case == "active-full":  # a peer does what it does when unchanged
            unchanged = medians(saved["results"], latency, "unchanged")
            rivals = {s: v for s, v in unchanged.items() if s in peers}
        names = [s["name"] for s in saved["about"]["subjects"]]
        for name in names:
            if name in peers or name not in found or not rivals:
                continue
            best = {k: min(rivals, key=lambda s: rivals[s][k])
                    for k in ("wall", "cpu", "stored", "rss")}
            fast = rivals[best["wall"]]["wall"] / found[name]["wall"]
            cells = [f"{fast:.2f} ({best['wall']})"]
            for k in ("cpu", "stored", "rss"):
                least = rivals[best[k]][k]
                cells.append(f"{found[name][k] / least:.2f} ({best[k]})"
                             if least > (1 << 20 if k == "stored" else 0)
                             else "")
            lines.append(f"| {title} | {name} | " + " | ".join(cells) + " |")
    if not lines:
        return []
    return ["", "| | | times as fast as the fastest | client CPU, of the "
            "leanest | stored, of the least | peak memory, of the least |",
            "|---|---|---|---|---|---|", *lines]


def variants(saved):
    """The names of objvault's variants, by where they store."""
    found, peers = {}, peer_names(saved)
    for s in saved["about"]["subjects"]:
        if s["name"] not in peers:
            where = s["name"].partition(":")[2]
            found.setdefault(where, []).append(s["name"])
    return found.values()


def beside_first(saved, latency):
    """Each variant of objvault against the first with the same storage: client
    CPU within a round, so that what the machine did otherwise meets both."""
    cpu = {(r["subject"], r["case"], r["round"]): r["cpu"]
           for r in saved["results"]
           if r["latency"] == latency and "failed" not in r}
    lines = []
    for first, *others in variants(saved):
        for name in others:
            for case, title in TITLES.items():
                both = [(v, cpu[(first, c, n)]) for (s, c, n), v in cpu.items()
                        if (s, c) == (name, case) and (first, c, n) in cpu]
                if not both:
                    continue
                times = sorted(v / base for v, base in both)
                lines.append(
                    f"| {title} | {name} | {first} | "
                    f"{statistics.median(times):.2f} | "
                    f"{times[0]:.2f}–{times[-1]:.2f} | "
                    f"{statistics.median(v - b for v, b in both):+.2f} |")
    if not lines:
        return []
    return ["", "| client CPU | of | against | times, median of rounds | "
            "(min–max) | s more, median |", "|---|---|---|---|---|---|", *lines]


def stage_lines(subjects, runs):
    """How long workers were in each stage, waits included."""
    lines, stages = [], []
    for s in subjects:
        told = [r["stages"] for r in runs
                if r["subject"] == s["name"] and r.get("stages")]
        if not told:
            continue
        stages = list(told[0])
        lines.append(f"| {s['name']} | " + " | ".join(
            f"{statistics.median(t[k] for t in told):.2f}" for k in stages)
            + " |")
    if not lines:
        return []
    return ["", "| seconds of all workers | " + " | ".join(stages) + " |",
            "|---|" + "---|" * len(stages), *lines]


def limit_lines(limits):
    lines = ["", "### Limits of the machine", "",
             "| one process | MiB | wall s | CPU s | MiB/s |",
             "|---|---|---|---|---|"]
    for r in limits["rows"]:
        if "failed" in r:
            lines.append(f"| {r['name']} | {r['failed']} | | | |")
        else:
            cpu = "" if r["cpu"] is None else f"{r['cpu']:.2f}"
            rate = f"{r['mib'] / r['wall']:.0f}" if r["mib"] else ""
            lines.append(f"| {r['name']} | {r['mib']:.0f} | {r['wall']:.2f} | "
                         f"{cpu} | {rate} |")
    return lines + ["", "Raw requests, by `objvault bench repo`:", "", "```",
                    limits["repo"].rstrip(), "```"]


def render(saved):
    a = saved["about"]
    lines = [f"Disk of {a['size']} MiB; median of {a['rounds']} rounds; "
             f"{a['cores']} × {a['cpu']}, {a['memory']} GiB, Linux "
             f"{a['kernel']}, {a['file_system']}; {a['date']}; "
             f"{a.get('minutes', 0):.0f} minutes in all.", ""]
    lines += [f"- {s['name']}: {s['version']}; {s['settings']}"
              for s in a["subjects"]]
    for latency in a["latency"]:
        lines += ["", f"### {latency} ms added to a round trip"]
        lines += ratios(saved, latency) + beside_first(saved, latency)
        for case, title in TITLES.items():
            here = [r for r in saved["results"]
                    if (r["latency"], r["case"]) == (latency, case)]
            if not here:
                continue
            lines += ["", f"#### {title}", "", HEAD]
            for s in a["subjects"]:
                runs = [r for r in here if r["subject"] == s["name"]]
                if runs:
                    lines.append(row(s["name"], runs))
            lines += stage_lines(a["subjects"], here)
    if "limits" in a:
        lines += limit_lines(a["limits"])
    return "\n".join(lines) + "\n"


def write(text, out):
    """To stdout; between the marks of the file; or into the file."""
    if out is None:
        print(text)
        return
    begin, end = MARKS
    if os.path.exists(out):
        with open(out, encoding="utf-8") as f:
            old = f.read()
        if begin in old and end in old:
            text = (old[:old.index(begin)] + begin + "\n\n" + text + "\n" +
                    old[old.index(end):])
    with open(out, "w", encoding="utf-8") as f:
        f.write(text)
