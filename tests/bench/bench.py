#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the main job against an S3 server on this machine.

    tests/bench/bench.py OBJVAULT [--size MIB] [--rounds N]

Starts a MinIO (minio-test/server.sh), makes a disk of SIZE MiB, half of it
data that compresses by about half and half of it holes, and measures, in each
round anew: first full, unchanged run, a run after 1 % and 5 % of the data
changed in 64 KiB regions, whole-disk restore, restore to a pipe, verify.
Prints the median of the rounds: wall and CPU seconds of client and server,
peak memory of the client, requests, stored bytes.  `disk` and `sha256` are the
limits beside it: reading the disk with cat, hashing its data by openssl.
"""
import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICK = os.sysconf("SC_CLK_TCK")
REGION = 64 << 10


def server_cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def make_disk(path, mib, rng):
    """Half data, half hole; data: 32 KiB noise, then 32 KiB of text."""
    text = (b"objvault benchmark " * 2000)[: REGION // 2]
    with open(path, "wb") as f:
        for _ in range(mib // 2):
            for _ in range((1 << 20) // REGION):
                f.write(rng.randbytes(REGION // 2) + text)
        f.truncate(mib << 20)


def change(path, mib, share, rng):
    """Changes `share` of the data half's 64 KiB regions, scattered."""
    regions = (mib << 20) // 2 // REGION
    with open(path, "r+b") as f:
        for at in rng.sample(range(regions), int(regions * share)):
            f.seek(at * REGION)
            f.write(rng.randbytes(REGION // 2))


def run(argv, env, pid, sink=subprocess.PIPE):
    before = server_cpu(pid) if pid else 0
    start = time.monotonic()
    p = subprocess.Popen(argv, env=env, stdout=sink, stderr=subprocess.PIPE)
    out, err = b"", b""
    if sink == subprocess.PIPE:
        out = p.stdout.read()
    err = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = status
    wall = time.monotonic() - start
    if status != 0:
        sys.exit(f"{argv}: {err.decode()}")
    result = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime,
              "server": server_cpu(pid) - before if pid else 0,
              "rss": usage.ru_maxrss / 1024, "requests": "", "stored": 0}
    if out.startswith(b"{"):
        doc = json.loads(out)
        if "vms" in doc:
            vm = doc["vms"][0]
            result["requests"] = " ".join(
                f"{k} {v}" for k, v in vm["requests"].items() if v)
            result["stored"] = vm["stored_bytes"] / (1 << 20)
    return result


def one_round(args, work, server, n):
    rng = random.Random(n)
    shutil.rmtree(f"{work}/round", ignore_errors=True)
    vm = f"{work}/round/vm"
    os.makedirs(vm)
    disk = f"{vm}/disk.raw"
    make_disk(disk, args.size, rng)
    env = dict(server["env"], OBJVAULT_HOME=f"{work}/round/home",
               OBJVAULT_STATE=f"{work}/round/state")
    ov = [os.path.abspath(args.objvault), "--json", "--no-progress"]
    backup = ov + ["backup", "run", vm]
    pid = server["pid"]
    run(ov + ["repo", "create", "r", f"s3://bench-{os.getpid()}-{n}/p",
              "--endpoint", server["endpoint"], "--create-bucket"], env, pid)
    r = {"first full": run(backup, env, pid),
         "unchanged": run(backup, env, pid)}
    for share in (0.01, 0.05):
        change(disk, args.size, share, rng)
        r[f"{share:.0%} changed"] = run(backup, env, pid)
    point = "vm@latest"
    r["restore"] = run(ov + ["restore", "disk", point, "disk.raw", "--to",
                             f"{work}/round/out.raw"], env, pid)
    subprocess.run(["cmp", disk, f"{work}/round/out.raw"], check=True)
    r["restore to a pipe"] = run(
        [ov[0], "--no-progress", "restore", "disk", point, "disk.raw", "--to",
         "-"], env, pid, subprocess.DEVNULL)
    r["verify"] = run(ov + ["point", "verify", point], env, pid)
    r["disk (cat)"] = run(["cat", disk], env, 0, subprocess.DEVNULL)
    data = f"{work}/round/data"
    subprocess.run(["dd", f"if={disk}", f"of={data}", "bs=1M",
                    f"count={args.size // 2}", "status=none"], check=True)
    r["sha256 (openssl)"] = run(["openssl", "dgst", "-sha256", data], env, 0)
    return r


def start_server(work):
    text = subprocess.run([f"{TOP}/minio-test/server.sh", "start",
                           f"{work}/minio"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    shown = subprocess.run(["bash", "-c", text + "\nenv"], check=True,
                           text=True, stdout=subprocess.PIPE).stdout
    env = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    env["AWS_ACCESS_KEY_ID"] = env["OBJVAULT_TEST_S3_ACCESS_KEY"]
    env["AWS_SECRET_ACCESS_KEY"] = env["OBJVAULT_TEST_S3_SECRET_KEY"]
    pids = [n for n in os.listdir(f"{work}/minio") if n.endswith("pid")]
    with open(f"{work}/minio/{pids[0]}") as f:
        pid = int(f.read())
    return {"env": env, "endpoint": env["OBJVAULT_TEST_S3_ENDPOINT"],
            "pid": pid}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("objvault")
    p.add_argument("--size", type=int, default=2048, metavar="MIB")
    p.add_argument("--rounds", type=int, default=3)
    args = p.parse_args()
    work = tempfile.mkdtemp(prefix="objvault-bench-")
    try:
        server = start_server(work)
        rounds = [one_round(args, work, server, n) for n in range(args.rounds)]
    finally:
        subprocess.run([f"{TOP}/minio-test/server.sh", "stop",
                        f"{work}/minio"], check=False)
        shutil.rmtree(work, ignore_errors=True)
    print("| | wall s | client CPU s | server CPU s | peak MiB | stored MiB |"
          " requests |\n|---|---|---|---|---|---|---|")
    for name in rounds[0]:
        def median(key):
            return statistics.median(r[name][key] for r in rounds)
        print(f"| {name} | {median('wall'):.2f} | {median('cpu'):.2f} | "
              f"{median('server'):.2f} | {median('rss'):.0f} | "
              f"{median('stored'):.0f} | {rounds[0][name]['requests']} |")
    print(f"\n{args.size} MiB disk, half of it data; median of "
          f"{args.rounds} rounds; {os.cpu_count()} cores; peak of this script "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
