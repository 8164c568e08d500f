# SPDX-License-Identifier: Apache-2.0
"""What this machine can do at most: the bounds beside which results stand."""
import os
import re
import resource
import subprocess
import time

import machine

SAMPLE_MIB = 256


def timed(argv, **more):
    """Wall and CPU seconds of a command; None where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    try:
        p = subprocess.run(argv, check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, **more)
    except OSError:
        return None
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (wall, cpu) if p.returncode == 0 else None


def row(name, size, times):
    if times is None:
        return {"name": name, "failed": "not to be had here"}
    return {"name": name, "mib": size / (1 << 20), "wall": times[0],
            "cpu": times[1]}


def zstd_row(level, sample):
    said = subprocess.run(["zstd", f"-b{level}", "-i2", "-B4194304", sample],
                          text=True, capture_output=True, check=False)
    found = re.findall(r"x([\d.]+)\),\s*([\d.]+) MB/s", said.stderr + said.stdout)
    if not found:
        return {"name": f"zstd -{level}", "failed": "not to be had here"}
    ratio, rate = found[-1]
    seconds = os.path.getsize(sample) / 1e6 / float(rate)
    return row(f"zstd -{level}, 4 MiB blocks, ratio {ratio}",
               os.path.getsize(sample), (seconds, None))


def aes_row(seconds=1):
    """AES-256-GCM of a block that lies in the cache."""
    name, size = "AES-256-GCM (openssl speed)", 4 << 20
    said = subprocess.run(["openssl", "speed", "-mr", "-seconds", str(seconds),
                           "-bytes", str(size), "-evp", "aes-256-gcm"],
                          text=True, capture_output=True, check=False)
    found = re.search(r"^\+F:.*:([\d.]+)$", said.stdout, re.MULTILINE)
    if not found:
        return {"name": name, "failed": "not to be had here"}
    return row(name, size, (size / float(found[1]), None))


def scrypt_row():
    """What opening a keyset by a password costs."""
    return row("scrypt (N 2^17, r 8, p 1), once", 0, timed(
        ["openssl", "kdf", "-keylen", "32", "-kdfopt", "pass:x", "-kdfopt",
         "salt:y", "-kdfopt", "n:131072", "-kdfopt", "r:8", "-kdfopt", "p:1",
         "-kdfopt", "maxmem_bytes:200000000", "SCRYPT"]))


def repo_rates(bench):
    """What `objvault bench repo` prints about a fresh bucket, or why nothing."""
    program = os.path.abspath(bench.args.objvault)
    server = machine.Server(bench.work, bench.tools, 0)
    env = {"PATH": os.environ["PATH"], "OBJVAULT_HOME": f"{bench.work}/home",
           "OBJVAULT_STATE": f"{bench.work}/state",
           "AWS_ACCESS_KEY_ID": server.access,
           "AWS_SECRET_ACCESS_KEY": server.secret}
    try:
        server.bucket("bench-limits")
        for argv in (["repo", "create", "limits", "s3://bench-limits/p",
                      "--endpoint", server.endpoint],
                     ["bench", "repo", "limits"]):
            said = subprocess.run([program, *argv], env=env, text=True,
                                  capture_output=True, timeout=600,
                                  check=False)
            if said.returncode == 2:
                return "this objvault has no `bench repo`"
            if said.returncode != 0:
                return f"`bench repo` failed: {said.stderr[-300:]}"
        return said.stdout
    except subprocess.SubprocessError as e:
        return f"`bench repo` failed: {e}"
    finally:
        server.stop()


def measure(bench):
    """The rows of the report's table of limits."""
    os.makedirs(f"{bench.work}/limits", exist_ok=True)
    disk, copy = f"{bench.work}/limits/disk", f"{bench.work}/limits/copy"
    sample = f"{bench.work}/limits/sample"
    bench.image("make", disk, "30")
    subprocess.run([f"{bench.tools}/bench_image", "make", sample,
                    str(SAMPLE_MIB), "1", "0"], check=True)
    size, part = os.path.getsize(disk), os.path.getsize(sample)
    data = os.stat(disk).st_blocks * 512
    os.sync()
    machine.warm(disk)
    rows = [row("reading the disk (cat)", size, timed(["cat", disk]))]
    rows.append(row("the same, page cache left aside (dd iflag=direct)", size,
                    timed(["dd", f"if={disk}", "of=/dev/null", "bs=4M",
                           "iflag=direct"])))
    for name, flags in (("writing its data to a new file (cp)", []),
                        ("the same with O_DIRECT (dd)", ["oflag=direct"])):
        argv = ["cp", "--sparse=always", disk, copy]
        if flags:
            argv = ["dd", f"if={disk}", f"of={copy}", "bs=4M", "conv=sparse",
                    *flags]
        rows.append(row(name, data, timed(argv)))
        os.unlink(copy)
        os.sync()
    machine.warm(sample)
    rows.append(row("sha256 (openssl)", part,
                    timed(["openssl", "dgst", "-sha256", sample])))
    rows.append(row("GMAC (openssl)", part, timed(
        ["openssl", "mac", "-cipher", "AES-256-GCM", "-macopt",
         "hexkey:" + "00" * 32, "-macopt", "hexiv:" + "00" * 12, "-in", sample,
         "GMAC"])))
    rows += [aes_row(), scrypt_row()]
    rows += [zstd_row(level, sample) for level in (1, 3)]
    for name in (disk, sample):
        os.unlink(name)
    return {"rows": rows, "repo": repo_rates(bench)}
