# SPDX-License-Identifier: Apache-2.0
"""What the benchmark measures with: the server, its counters, one timed run."""
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICK = os.sysconf("SC_CLK_TCK")
PREFIX = "objvault-bench-"
KINDS = {"PutObject": "put", "GetObject": "get", "HeadObject": "head",
         "ListObjectsV1": "list", "ListObjectsV2": "list",
         "DeleteObject": "delete", "DeleteMultipleObjects": "delete"}


def cpu_of(pid):
    """CPU seconds of a process, its ended children not among them."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_of_machine():
    """CPU seconds that all processes and the kernel took (not idle, not I/O
    wait; what the host took away counts)."""
    with open("/proc/stat") as f:
        n = [int(x) for x in f.readline().split()[1:9]]
    return (sum(n) - n[3] - n[4]) / TICK


def rss_of_tree(pid):
    """Resident bytes of a process and everything below it."""
    total, todo = 0, [pid]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/statm") as f:
                total += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as f:
                    todo += f.read().split()
    return total


class Server:
    """A MinIO of our own below `folder`, at times behind a delay."""

    def __init__(self, folder, tools, delay_ms):
        self.folder, self.proxy = f"{folder}/minio", None
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("OBJVAULT_TEST_S3_")}
        env |= {"MINIO_PROMETHEUS_AUTH_TYPE": "public",
                "MINIO_SCANNER_SPEED": "slowest"}
        said = subprocess.run([f"{TOP}/minio-test/server.sh", "start",
                               self.folder], env=env, text=True,
                              stdout=subprocess.PIPE, check=False)
        if said.returncode != 0:
            raise SystemExit("bench: no MinIO can be started")
        words = dict(line.split()[1].split("=", 1) for line in
                     said.stdout.splitlines() if line.startswith("export "))
        self.direct = words["OBJVAULT_TEST_S3_ENDPOINT"]
        self.access = words["OBJVAULT_TEST_S3_ACCESS_KEY"]
        self.secret = words["OBJVAULT_TEST_S3_SECRET_KEY"]
        with open(f"{self.folder}/pid") as f:
            self.pid = int(f.read())
        self.address = self.direct.split("//")[1]
        if delay_ms:
            self.proxy = subprocess.Popen(
                [f"{tools}/delay_proxy", self.address.split(":")[1],
                 str(delay_ms)], stdout=subprocess.PIPE, text=True)
            self.address = f"127.0.0.1:{int(self.proxy.stdout.readline())}"
        self.endpoint = f"http://{self.address}"

    def counters(self):
        """Requests by kind, bytes of bodies sent to and by the server."""
        url = f"{self.direct}/minio/metrics/v3/api/requests"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        counts = {"requests": {}, "sent": 0, "received": 0}
        for line in lines:
            head, _, value = line.rpartition(" ")
            name, _, labels = head.partition("{")
            if 'type="s3"' not in labels:
                continue
            if name == "minio_api_requests_total":
                kind = labels.split('name="')[1].split('"')[0]
                kind = KINDS.get(kind, "other")
                had = counts["requests"].get(kind, 0)
                counts["requests"][kind] = had + int(float(value))
            elif name == "minio_api_requests_traffic_received_bytes":
                counts["sent"] = int(float(value))
            elif name == "minio_api_requests_traffic_sent_bytes":
                counts["received"] = int(float(value))
        return counts

    def bucket(self, name):
        """Makes a bucket; its objects lie below the folder that is returned."""
        subprocess.run(
            ["curl", "-sf", "--noproxy", "*", "-X", "PUT", "--aws-sigv4",
             "aws:amz:us-east-1:s3", "--user", f"{self.access}:{self.secret}",
             f"{self.direct}/{name}"], check=True, stdout=subprocess.DEVNULL)
        return f"{self.folder}/data/{name}"

    def settle(self):
        """Waits (10 s at most) until the server has nothing left to do."""
        for _ in range(20):
            before = cpu_of(self.pid)
            time.sleep(.5)
            if cpu_of(self.pid) - before < .03:
                return

    def stop(self):
        if self.proxy:
            self.proxy.kill()
            self.proxy.wait()
            self.proxy.stdout.close()
        subprocess.run([f"{TOP}/minio-test/server.sh", "stop", self.folder],
                       check=False)


def files_of(path):
    if os.path.isfile(path):
        yield path
    for folder, _, names in os.walk(path):
        for name in names:
            yield os.path.join(folder, name)


def size_of(path):
    return sum(os.path.getsize(f) for f in files_of(path))


def warm(path):
    """Reads a file or a folder into the page cache."""
    piece = bytearray(1 << 20)
    for name in files_of(path):
        with open(name, "rb", buffering=0) as f:
            while f.readinto(piece):
                pass


class Drain(threading.Thread):
    """Reads a pipe to its end at next to no cost, and counts the bytes."""

    def __init__(self, fd):
        super().__init__()
        self.fd, self.bytes = fd, 0
        self.start()

    def run(self):
        with open(os.devnull, "wb", buffering=0) as null:
            while n := os.splice(self.fd, null.fileno(), 1 << 20):
                self.bytes += n


class PeakWatch(threading.Thread):
    """The most that a process and its children had resident together."""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.peak, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(.2):
            self.peak = max(self.peak, rss_of_tree(self.pid))


def start(command, log):
    out = subprocess.PIPE if command.to_pipe else log
    # Our death is its death: a killed benchmark leaves no client behind.
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *command.argv], env=command.env,
        cwd=command.cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
        start_new_session=True)


def run_timed(command, log, timeout):
    """Runs the command; what it cost, or {"failed": why}."""
    begin = time.monotonic()
    p = start(command, log)
    timer = threading.Timer(timeout, os.killpg, (p.pid, signal.SIGKILL))
    timer.start()
    watch = PeakWatch(p.pid)
    drain = Drain(p.stdout.fileno()) if command.to_pipe else None
    try:
        _, status, usage = os.wait4(p.pid, 0)
    except BaseException:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        raise
    finally:
        wall = time.monotonic() - begin
        timer.cancel()
        watch.over.set()
        watch.join()
        if drain:
            drain.join()
            p.stdout.close()
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode != 0:
        why = "no end" if wall >= timeout else f"exit {p.returncode}"
        return {"failed": f"{why} after {wall:.0f} s"}
    if drain and drain.bytes != command.to_pipe:
        return {"failed": f"{drain.bytes} bytes came out of the pipe"}
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime,
            "rss": max(usage.ru_maxrss << 10, watch.peak)}


def measure(command, server, store, reads, log_path, timeout):
    """One run with everything around it: before it all is written back, the
    server is idle and what will be read is in the page cache; `sync` is how
    long it took to write back what the run left."""
    os.sync()
    server.settle()
    warm(reads)
    stored, before = size_of(store), server.counters()
    server_cpu, machine_cpu = cpu_of(server.pid), cpu_of_machine()
    with open(log_path, "wb") as log:
        result = run_timed(command, log, timeout)
    machine_cpu = cpu_of_machine() - machine_cpu
    result["server"] = cpu_of(server.pid) - server_cpu
    after = server.counters()
    begin = time.monotonic()
    os.sync()
    result["sync"] = time.monotonic() - begin
    if "failed" in result:
        with open(log_path, errors="replace") as log:
            result["said"] = log.read()[-500:]
        return result
    result["other"] = max(0, machine_cpu - result["cpu"] - result["server"])
    for key in ("sent", "received"):
        result[key] = after[key] - before[key]
    result["requests"] = {
        kind: n - before["requests"].get(kind, 0)
        for kind, n in after["requests"].items()
        if n > before["requests"].get(kind, 0)}
    result["stored"] = size_of(store) - stored
    return result


def sweep(folder):
    """Ends the server that runs in a work folder, and removes the folder."""
    with contextlib.suppress(OSError, ValueError):
        with open(f"{folder}/minio/pid") as f:
            pid = int(f.read())
        if os.readlink(f"/proc/{pid}/cwd") == f"{folder}/minio":
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def sweep_stale(parent):
    """What killed benchmarks left: nobody holds the lock of their folder."""
    for name in os.listdir(parent):
        folder = os.path.join(os.path.realpath(parent), name)
        if not name.startswith(PREFIX):
            continue
        with contextlib.suppress(OSError), open(f"{folder}/lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sweep(folder)


@contextlib.contextmanager
def work_folder(parent):
    """A folder for one benchmark; it must lie on a disk, not in memory."""
    kind = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", parent],
                          check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        raise SystemExit(f"{parent} is {kind}: say --work FOLDER on a disk")
    sweep_stale(parent)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=os.path.realpath(parent))
    with open(f"{folder}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder, kind
        finally:
            sweep(folder)
