# SPDX-License-Identifier: Apache-2.0
"""objvault and its peers: how each does what the benchmark asks for.

A peer's SETTINGS are what --tune tries; the first is the one that is measured,
and README.md in this folder says why.  Where a setting is a pair, the second
is for a server that is far away.
"""
import dataclasses
import json
import os
import shlex
import shutil
import subprocess

PASSWORD = "benchmark"


@dataclasses.dataclass
class Command:
    argv: list
    env: dict
    cwd: str
    to_pipe: int = 0  # the bytes that stdout, a pipe, must bring; 0: no pipe


@dataclasses.dataclass
class Place:
    """What a subject works on in one round."""
    folder: str    # its own: configuration, caches, what it restores
    disk: str      # the image; alone in its folder
    size: int
    server: object
    far: bool      # a round trip has an added latency


class Subject:
    """`variant` is a key of SETTINGS.  Methods give the Command of a case;
    `prepare` and `look` run outside the timing."""
    on_server = True
    # A peer that knows all blocks does again what it did for an unchanged disk.
    has_active_full = False
    SETTINGS = {}

    def __init__(self, variant=None):
        self.variant = variant or next(iter(self.SETTINGS))
        self.set = self.SETTINGS[self.variant]
        kind = type(self).__name__.lower()
        self.name = f"{kind}:{variant}" if variant else kind
        self.program = shutil.which(kind)

    def version(self):
        said = subprocess.run([self.program, "--version"], text=True,
                              capture_output=True, check=False)
        return said.stdout.strip().splitlines()[0]

    def settings(self):
        return " ".join(
            f"{k}={'/'.join(map(str, v)) if isinstance(v, tuple) else v}"
            for k, v in self.set.items())

    def pick(self, key):
        value = self.set[key]
        return value[self.place.far] if isinstance(value, tuple) else value

    def at(self, place):
        """Takes a new, empty place."""
        self.place = place
        self.bucket = f"bench-{self.name.replace(':', '-').lower()}"
        self.env = {"PATH": os.environ["PATH"], "HOME": place.folder,
                    "LANG": "C.UTF-8", "TMPDIR": place.folder,
                    "AWS_ACCESS_KEY_ID": place.server.access,
                    "AWS_SECRET_ACCESS_KEY": place.server.secret,
                    "AWS_DEFAULT_REGION": "us-east-1"}
        self.vm = os.path.dirname(place.disk)
        self.out = f"{place.folder}/out"
        self.runs = 0

    def command(self, *argv, to_pipe=False, cwd=None):
        return Command([self.program, *argv], self.env,
                       cwd or self.place.folder,
                       self.place.size if to_pipe else 0)

    def call(self, *argv):
        """Runs outside the timing; what it printed."""
        c = self.command(*argv)
        said = subprocess.run(c.argv, env=c.env, cwd=c.cwd, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=300)
        if said.returncode != 0:
            raise RuntimeError(f"{shlex.join(c.argv)}: {said.stderr[-500:]}")
        return said.stdout

    def prepare(self):
        """Makes the repository; where its stored bytes can be counted."""
        raise NotImplementedError

    def look(self):
        """Before a restore or verify: finds what was backed up last."""

    def stages(self, said):
        """Stage to seconds, by what a run printed; None where nothing is."""

    def restored(self):
        """The file that restore writes."""
        return f"{self.out}/disk.raw"


class Objvault(Subject):
    """A name that ends with :directory is a repository in a directory."""
    has_active_full = True
    SETTINGS = {"": {}}

    def __init__(self, name, program, create, run):
        super().__init__()
        self.on_server = not name.endswith(":directory")
        self.name, self.program = name, os.path.abspath(program)
        self.create, self.options = create, run

    def settings(self):
        return shlex.join(self.create + self.options) or "defaults"

    def at(self, place):
        super().at(place)
        self.env |= {"OBJVAULT_HOME": f"{place.folder}/home",
                     "OBJVAULT_STATE": f"{place.folder}/state",
                     "OBJVAULT_PASSWORD": PASSWORD}

    def prepare(self):
        os.mkdir(self.out)
        if not self.on_server:
            data = f"{self.place.folder}/repo"
            self.call("repo", "create", "bench", f"file://{data}",
                      *self.create)
            return data
        data = self.place.server.bucket(self.bucket)
        self.call("repo", "create", "bench", f"s3://{self.bucket}/p",
                  "--endpoint", self.place.server.endpoint, *self.create)
        return data

    def backup(self, *more):
        return self.command("--no-progress", "--json", "backup", "run",
                            self.vm, *self.options, *more)

    def active_full(self):
        return self.backup("--full")

    def restore(self):
        return self.command("--no-progress", "restore", "disk", "vm@latest",
                            "disk.raw", "--to", self.restored())

    def stages(self, said):
        for line in said.splitlines():
            if line.startswith("{"):
                return json.loads(line)["vms"][0]["busy"]
        return None  # of a restore nothing is told

    def pipe(self):
        return self.command("--no-progress", "restore", "disk", "vm@latest",
                            "disk.raw", "--to", "-", to_pipe=True)

    def verify(self):
        return self.command("--no-progress", "point", "verify", "vm@latest")


class Restic(Subject):
    SETTINGS = {
        "fast": {"connections": (4, 16), "pack": 32, "compression": "fastest"},
        "auto": {"connections": (4, 16), "pack": 32, "compression": "auto"},
        "pack16": {"connections": 5, "pack": 16, "compression": "fastest"},
        "pack64": {"connections": (4, 16), "pack": 64,
                   "compression": "fastest"},
        "many": {"connections": (16, 32), "pack": 16,
                 "compression": "fastest"},
    }

    def version(self):
        return self.call_version("version")

    def call_version(self, word):
        return subprocess.run([self.program, word], text=True, check=False,
                              capture_output=True).stdout.strip()

    def at(self, place):
        super().at(place)
        self.env |= {
            "RESTIC_REPOSITORY": f"s3:{place.server.endpoint}/{self.bucket}",
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_CACHE_DIR": f"{place.folder}/cache"}
        self.common = ["-q", "-o", f"s3.connections={self.pick('connections')}",
                       "--pack-size", str(self.set["pack"]),
                       "--compression", self.set["compression"],
                       "--no-extra-verify"]

    def prepare(self):
        data = self.place.server.bucket(self.bucket)
        self.call("init", *self.common)
        return data

    def backup(self):
        return self.command("backup", *self.common, "--force", "--no-scan",
                            self.place.disk)

    def restore(self):
        return self.command("restore", *self.common, f"latest:{self.vm}",
                            "--target", self.out, "--sparse")

    def pipe(self):
        return self.command("dump", *self.common, "latest", self.place.disk,
                            to_pipe=True)

    def verify(self):
        return self.command("check", *self.common, "--read-data")


class Kopia(Subject):
    # `above`: MiB above which a file is read in pieces, `reads` at once.
    FIRST = {"splitter": "FIXED-4M", "compression": "zstd-fastest",
             "hash": "BLAKE3-256-128", "above": 64, "reads": (2, 16),
             "pack": 20}
    SETTINGS = {
        "pieces": FIRST,
        "serial": FIRST | {"above": 8192},
        "s2": FIRST | {"compression": "s2-default"},
        "many": FIRST | {"reads": (8, 32)},
        "pack60": FIRST | {"pack": 60},
        "blake2": FIRST | {"hash": "BLAKE2B-256-128"},
    }

    def at(self, place):
        super().at(place)
        self.env |= {"KOPIA_CONFIG_PATH": f"{place.folder}/kopia.config",
                     "KOPIA_PASSWORD": PASSWORD,
                     "KOPIA_CACHE_DIRECTORY": f"{place.folder}/cache",
                     "KOPIA_CHECK_FOR_UPDATES": "false",
                     "KOPIA_USE_KEYRING": "false"}
        self.common = ["--no-progress", "--disable-file-logging",
                       "--disable-content-log", "--log-level=warning"]

    def prepare(self):
        data = self.place.server.bucket(self.bucket)
        self.call("repository", "create", "s3", *self.common,
                  f"--bucket={self.bucket}",
                  f"--endpoint={self.place.server.address}", "--disable-tls",
                  f"--access-key={self.place.server.access}",
                  f"--secret-access-key={self.place.server.secret}",
                  f"--object-splitter={self.set['splitter']}",
                  f"--block-hash={self.set['hash']}")
        self.call("repository", "set-parameters", *self.common,
                  f"--max-pack-size-mb={self.set['pack']}")
        self.call("policy", "set", "--global", *self.common,
                  f"--compression={self.set['compression']}",
                  f"--parallel-upload-above-size-mib={self.set['above']}")
        self.call("maintenance", "set", *self.common, "--enable-quick=false",
                  "--enable-full=false")
        os.mkdir(self.out)
        return data

    def backup(self):
        return self.command("snapshot", "create", *self.common,
                            "--force-hash=100",
                            f"--parallel={self.pick('reads')}", self.vm)

    def look(self):
        # What a restore keeps for the next one would spare that the server.
        shutil.rmtree(f"{self.place.folder}/cache/contents",
                      ignore_errors=True)
        shown = json.loads(self.call("snapshot", "list", *self.common,
                                     "--json", self.vm))
        newest = max(shown, key=lambda s: s["startTime"])
        self.snapshot = newest["id"]
        self.object = newest["rootEntry"]["obj"] + "/disk.raw"

    def restore(self):
        return self.command("restore", *self.common, self.object,
                            self.restored(), "--write-sparse-files",
                            "--no-write-files-atomically")

    def pipe(self):
        return self.command("show", *self.common, self.object, to_pipe=True)

    def verify(self):
        return self.command("snapshot", "verify", *self.common,
                            "--verify-files-percent=100", self.snapshot)


class Rustic(Subject):
    # 0 connections: as many as it likes.
    FIRST = {"chunk": "4MiB", "level": 1, "pack": "32MiB", "connections": 0}
    SETTINGS = {
        "p32": FIRST,
        "p16": FIRST | {"pack": "16MiB"},
        "few": FIRST | {"connections": (4, 16)},
        "chunk1": FIRST | {"chunk": "1MiB"},
        "level-5": FIRST | {"level": -5},
    }

    def at(self, place):
        super().at(place)
        few = self.pick("connections")
        with open(f"{place.folder}/bench.toml", "w") as f:
            f.write(f"""[global]
no-progress = true
log-level = "warn"
[repository]
repository = "opendal:s3"
password = "{PASSWORD}"
cache-dir = "{place.folder}/cache"
[repository.options]
bucket = "{self.bucket}"
endpoint = "{place.server.endpoint}"
region = "us-east-1"
access_key_id = "{place.server.access}"
secret_access_key = "{place.server.secret}"
{f'connections = "{few}"' if few else ''}
""")
        self.common = ["-P", f"{place.folder}/bench"]

    def prepare(self):
        data = self.place.server.bucket(self.bucket)
        self.call("init", *self.common, "--set-chunker", "fixed_size",
                  "--set-chunk-size", self.set["chunk"],
                  "--set-compression", str(self.set["level"]),
                  "--set-datapack-size", self.set["pack"],
                  "--set-extra-verify", "false")
        os.mkdir(self.out)
        return data

    def backup(self):
        return self.command("backup", *self.common, "--force", "--no-scan",
                            self.place.disk)

    def restore(self):
        return self.command("restore", *self.common,
                            f"latest:{self.place.disk}", self.restored(),
                            "--sparse", "by-content")

    def pipe(self):
        return self.command("dump", *self.common, f"latest:{self.place.disk}",
                            "--archive", "content", to_pipe=True)

    def verify(self):
        return self.command("check", *self.common, "--read-data")


class Borg(Subject):
    on_server = False
    SETTINGS = {
        "zstd1": {"chunker": "fixed,4194304", "compression": "zstd,1"},
        "lz4": {"chunker": "fixed,4194304", "compression": "lz4"},
    }

    def at(self, place):
        super().at(place)
        self.env |= {"BORG_REPO": f"{place.folder}/repo",
                     "BORG_PASSPHRASE": PASSWORD,
                     "BORG_BASE_DIR": f"{place.folder}/base"}

    def prepare(self):
        self.call("init", "--encryption=repokey-blake2")
        os.mkdir(self.out)
        return f"{self.place.folder}/repo"

    def backup(self):
        self.runs += 1
        return self.command("create", "--files-cache=disabled", "--sparse",
                            "--chunker-params", self.set["chunker"],
                            "--compression", self.set["compression"],
                            f"::run{self.runs}", "disk.raw", cwd=self.vm)

    def restore(self):
        return self.command("extract", "--sparse", f"::run{self.runs}",
                            cwd=self.out)

    def pipe(self):
        return self.command("extract", "--stdout", f"::run{self.runs}",
                            to_pipe=True)

    def verify(self):
        return self.command("check", "--verify-data")


PEERS = {"restic": Restic, "kopia": Kopia, "rustic": Rustic, "borg": Borg}
