#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Restores a point of an objvault repository.

Written from manifest/FORMAT.md alone, and shares no code with objvault: what
this program restores, anybody can restore.  It needs Python 3.9 and the zstd
command (or the Python module zstandard), and checks every rule of the format
that lies on its way.  For encrypted keysets it also needs the Python module
cryptography, and the password (of a slot of type password or recovery) in FILE.

    read_point.py [--password-file FILE] REPOSITORY --list [VM]
    read_point.py [--password-file FILE] REPOSITORY \\
        VM@latest|VM@TIME|VM@TIME-HEX DIR

REPOSITORY is a directory or s3://BUCKET[/PREFIX]; for the latter the
environment gives AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
and, where needed, AWS_SESSION_TOKEN, AWS_REGION and AWS_CA_BUNDLE.  Each disk
comes as raw image DIR/<name>, each file as DIR/<path>.

Exit status: 0 done, 1 failed, 2 wrong usage, 4 not found, 7 damaged.
"""

import argparse
import base64
import binascii
import concurrent.futures
import datetime
import hashlib
import hmac
import json
import os
import re
import ssl
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

try:
    import zstandard
except ImportError:
    zstandard = None
try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    AESGCM = None

PAGE_ENTRIES = 1024
PAGE_JSON_MAX = 512 << 10
POINT_JSON_MAX = 256 << 20
DESCRIPTOR_MAX = 4096
SLOT_MAX = 16384
UINT_MAX = 2**53 - 1
HEX64 = re.compile(r"[0-9a-f]{64}")
POINT_FILE = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{16})\.json", re.ASCII)
SLOT = re.compile(
    r"keysets/(k-[0-9a-f]{16})/slots/(\d{8})-([0-9a-f]{16})\.json", re.ASCII
)
CUT_KEY = re.compile(r".{120}-[0-9a-f]{16}", re.DOTALL)


class Failure(Exception):
    """Whatever ends the program with a message; code: its exit status."""

    code = 1


class NotFound(Failure):
    code = 4


class Damaged(Failure):
    code = 7


def require(condition, text):
    if not condition:
        raise Damaged(text)


# --- stores -----------------------------------------------------------------


class Directory:
    """A repository in a directory: names are paths."""

    def __init__(self, root):
        self.root = root

    def get(self, name, limit):
        try:
            with open(os.path.join(self.root, name), "rb") as f:
                data = f.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{name} is not there") from None
        require(len(data) <= limit, f"{name} is larger than {limit} bytes")
        return data

    def list(self, prefix):
        top = os.path.join(self.root, prefix)
        for folder, _, files in os.walk(top):
            for f in files:
                path = os.path.relpath(os.path.join(folder, f), self.root)
                yield path.replace(os.sep, "/")


def quote(text):
    """Percent-encoding as SigV4 wants it."""
    return urllib.parse.quote(text, safe="-_.~")


def sign(method, url, headers, when, key_id, secret, region):
    """Authorization header (AWS Signature Version 4, service s3) of a request
    without body.  headers: all that are to be signed, with lower-case names."""
    parts = urllib.parse.urlsplit(url)
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    names = ";".join(sorted(headers))
    query = sorted(tuple(f.split("=", 1)) for f in parts.query.split("&") if f)
    canonical = "\n".join(
        [method, parts.path or "/", "&".join("=".join(q) for q in query)]
        + [f"{n}:{headers[n].strip()}" for n in sorted(headers)]
        + ["", names, headers["x-amz-content-sha256"]]
    )
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    key = ("AWS4" + secret).encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{scope},"
        f"SignedHeaders={names},Signature={signature}"
    )


class S3:
    """A repository in a bucket: path-style requests over urllib."""

    ATTEMPTS = 4

    def __init__(self, bucket, prefix, env):
        def need(name):
            if not env.get(name):
                raise Failure(f"{name} is not set in the environment")
            return env[name]

        self.endpoint = need("AWS_ENDPOINT_URL").rstrip("/")
        self.key_id = need("AWS_ACCESS_KEY_ID")
        self.secret = need("AWS_SECRET_ACCESS_KEY")
        self.token = env.get("AWS_SESSION_TOKEN")
        self.region = env.get("AWS_REGION") or "us-east-1"
        self.bucket = bucket
        self.prefix = prefix + "/" if prefix else ""
        self.tls = ssl.create_default_context(cafile=env.get("AWS_CA_BUNDLE"))

    def once(self, url, limit):
        when = datetime.datetime.now(datetime.timezone.utc)
        headers = {
            "host": urllib.parse.urlsplit(url).netloc,
            "x-amz-content-sha256": hashlib.sha256(b"").hexdigest(),
            "x-amz-date": when.strftime("%Y%m%dT%H%M%SZ"),
        }
        if self.token:
            headers["x-amz-security-token"] = self.token
        headers["authorization"] = sign(
            "GET", url, headers, when, self.key_id, self.secret, self.region
        )
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(
            request, timeout=60, context=self.tls
        ) as answer:
            data = answer.read(limit + 1)
            length = answer.headers.get("Content-Length")
            if length and len(data) < min(int(length), limit + 1):
                raise ConnectionError("the answer ends too early")
            return data

    def request(self, path, query, limit):
        """The body of a GET; tries again what may be a passing failure."""
        url = self.endpoint + "/" + "/".join(
            quote(p) for p in path.split("/")
        )
        if query:
            url += "?" + "&".join(
                f"{quote(n)}={quote(v)}" for n, v in sorted(query.items())
            )
        for attempt in range(self.ATTEMPTS):
            try:
                return self.once(url, limit)
            except urllib.error.HTTPError as e:
                if e.code == 404:
                    raise NotFound(f"{path} is not there") from None
                why = f"HTTP {e.code} {e.reason}"
                if e.code < 500 and e.code != 429:
                    break
            except (OSError, ValueError) as e:
                why = str(e)
            time.sleep(0.2 * 2**attempt)
        raise Failure(f"get {path}: {why}")

    def get(self, name, limit):
        key = f"{self.bucket}/{self.prefix}{name}"
        data = self.request(key, {}, limit)
        require(len(data) <= limit, f"{name} is larger than {limit} bytes")
        return data

    def list(self, prefix):
        query = {
            "list-type": "2",
            "encoding-type": "url",
            "prefix": self.prefix + prefix,
        }
        while True:
            body = self.request(self.bucket, query, 64 << 20)
            try:
                tree = xml.etree.ElementTree.fromstring(body)
            except xml.etree.ElementTree.ParseError as e:
                raise Failure(f"list {self.bucket}: no XML: {e}") from None
            for node in tree.iter():
                node.tag = node.tag.split("}")[-1]
            for key in tree.findall("Contents/Key"):
                # "+" is a space for some servers, "%2B" the plus
                name = urllib.parse.unquote_plus(key.text or "")
                if name.startswith(self.prefix):
                    yield name[len(self.prefix) :]
            token = tree.findtext("NextContinuationToken")
            if tree.findtext("IsTruncated") != "true" or not token:
                return
            query["continuation-token"] = token


def open_store(where):
    if not where.startswith("s3://"):
        return Directory(where)
    bucket, _, prefix = where[len("s3://") :].partition("/")
    return S3(bucket, prefix.strip("/"), os.environ)


# --- zstd (section 4) -------------------------------------------------------


def object_max(plain):
    return plain + plain // 256 + 1024


def frame_content_size(data):
    """Content size of the frame, which must be the only thing in data."""
    require(data[:4] == b"\x28\xb5\x2f\xfd", "is no zstd frame")
    try:
        flags = data[4]
        single = flags >> 5 & 1
        require(flags & 8 == 0, "zstd frame has a reserved bit set")
        require(flags & 3 == 0, "zstd frame needs a dictionary")
        size_bytes = (1 if single else 0, 2, 4, 8)[flags >> 6]
        require(size_bytes > 0, "zstd frame has no content size")
        at = 5 + (0 if single else 1)
        size = int.from_bytes(data[at : at + size_bytes], "little")
        if size_bytes == 2:
            size += 256
        at += size_bytes
        last = False
        while not last:
            header = int.from_bytes(
                struct.unpack_from("3s", data, at)[0], "little"
            )
            last = bool(header & 1)
            kind = header >> 1 & 3
            require(kind != 3, "zstd frame has a reserved block")
            at += 3 + (1 if kind == 1 else header >> 3)
    except (IndexError, struct.error):
        raise Damaged("zstd frame is cut") from None
    at += 4 if flags & 4 else 0
    require(at == len(data), "zstd frame is not all of the object")
    return size


def decompress(data, limit):
    size = frame_content_size(data)
    require(size <= limit, f"holds {size} bytes, {limit} are allowed")
    if zstandard is not None:
        try:
            plain = zstandard.ZstdDecompressor().decompress(data)
        except zstandard.ZstdError as e:
            raise Damaged(f"does not decompress: {e}") from None
    else:
        run = subprocess.run(
            ["zstd", "-dcq"], input=data, capture_output=True, check=False
        )
        require(run.returncode == 0, "does not decompress")
        plain = run.stdout
    require(len(plain) == size, "is not as long as its frame says")
    return plain


def get_object(keyset, kind, object_id, limit):
    """Plaintext of a block or page, checked against its id (section 3)."""
    name = f"{keyset.name}/{kind}s/{object_id[:2]}/{object_id}"
    try:
        data = keyset.store.get(name, object_max(limit))
        frame = keyset.open_object(kind, bytes.fromhex(object_id), data)
        plain = decompress(frame, limit)
        require(
            keyset.id(kind, plain) == object_id,
            f"content does not have the {keyset.id_word} of its name",
        )
    except NotFound as e:
        raise Damaged(str(e)) from None
    except Damaged as e:
        raise Damaged(f"{name}: {e}") from None
    return plain


# --- JSON (section 2) -------------------------------------------------------


def canonical(value):
    return json.dumps(
        value, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def unique(pairs):
    result = dict(pairs)
    require(len(result) == len(pairs), "a field is repeated")
    return result


def read_json(data, version_field):
    try:
        doc = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
        again = canonical(doc)
    except (ValueError, RecursionError) as e:
        raise Damaged(f"is not JSON: {e}") from None
    require(type(doc) is dict, "is no JSON object")
    version = doc.get(version_field)
    require(type(version) is int and version > 0, "has no format version")
    if version > 1:
        raise Failure(f"has format version {version}, only 1 is known here")
    require(again == data, "JSON is not in canonical form")
    return doc


def fields(value, *names):
    require(type(value) is dict, f"no object with the fields {names}")
    require(list(value) == list(names), f"fields {list(value)}, not {names}")
    return value


def integer(value, low=0, high=UINT_MAX):
    require(type(value) is int and low <= value <= high, f"number {value!r}")
    return value


def word(value, *words):
    require(type(value) is str and value in words, f"word {value!r}")


def hex_id(value):
    require(type(value) is str and HEX64.fullmatch(value), f"id {value!r}")
    return value


def parse_time(value, form="%Y-%m-%dT%H:%M:%SZ"):
    try:
        t = datetime.datetime.strptime(value, form)
    except (ValueError, TypeError):
        raise Damaged(f"time {value!r}") from None
    require(t.year >= 1970 and t.strftime(form) == value, f"time {value!r}")
    return t


def text(value, limit=8192):
    require(type(value) is str, f"text {value!r}")
    require(1 <= len(value.encode()) <= limit, f"length of {value[:40]!r}")
    require("\0" not in value, "U+0000 in a text")
    return value


def plain_name(value, limit=1024):
    text(value, limit)
    bad = [c for c in value if ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F]
    require(not bad, f"control character in {value!r}")
    return value


def or_null(check, value):
    if value is not None:
        check(value)


# --- descriptor (section 5) -------------------------------------------------


def block_size_ok(value):
    integer(value, 256 << 10, 8 << 20)
    require(value & (value - 1) == 0, f"block size {value}")
    return value


def check_descriptor(data):
    doc = read_json(data, "objvault")
    fields(doc, "objvault", "id", "created", "block_size", "lock")
    require(
        type(doc["id"]) is str and re.fullmatch("[0-9a-f]{32}", doc["id"]),
        "id of the repository",
    )
    parse_time(doc["created"])
    block_size_ok(doc["block_size"])
    lock = doc["lock"]
    if lock is not None:
        fields(lock, "mode", "immutability", "scope", "generation")
        word(lock["mode"], "compliance", "governance")
        word(lock["scope"], "minimum", "retention")
        integer(lock["immutability"], 1, 3153600000)
        integer(lock["generation"], 1, 3153600000)
    return doc["id"]


# --- keysets (sections 3, 10, 13) -------------------------------------------


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(ikm, salt, info):
    """HKDF-SHA256 of 32 bytes."""
    return hmac256(hmac256(salt, ikm), info + b"\x01")


def aes_gcm_open(key, nonce, content, tag, additional):
    try:
        return AESGCM(key).decrypt(nonce, content + tag, additional)
    except InvalidTag:
        raise Damaged(
            "does not decrypt: damaged, moved, or another key's"
        ) from None


class Plain:
    """The keyset without a key."""

    name = "plain"
    id_word = "SHA-256"

    def __init__(self, store):
        self.store = store

    def id(self, kind, plain):
        return hashlib.sha256(plain).hexdigest()

    def vm_key(self, vm):
        return make_vm_key(vm)

    def open_object(self, kind, object_id, data):
        return data

    def open_manifest(self, vm_key, stamp, data):
        return data


class Encrypted:
    """A keyset and its sub-keys."""

    KINDS = {"block": 1, "page": 2, "manifest": 3}
    id_word = "id"

    def __init__(self, store, repo, name, data_key):
        self.store, self.name = store, name
        self.bound = bytes.fromhex(repo) + bytes.fromhex(name[len("k-") :])
        self.keys = {
            use: hkdf(
                data_key,
                bytes.fromhex(repo),
                f"objvault-1 {use} {name}".encode(),
            )
            for use in ("block-id", "page-id", "vm-name", *self.KINDS)
        }

    def id(self, kind, plain):
        return hmac256(self.keys[f"{kind}-id"], plain).hex()

    def vm_key(self, vm):
        return hmac256(self.keys["vm-name"], vm.encode())[:16].hex()

    def open(self, kind, object_id, nonce, content, tag):
        head = b"OVE1\x01" + self.bound + bytes([self.KINDS[kind]])
        key = hmac256(self.keys[kind], object_id)
        return aes_gcm_open(key, nonce, content, tag, head + object_id)

    def open_object(self, kind, object_id, data):
        require(len(data) >= 33 and data[:4] == b"OVE1", "no sealed object")
        require(data[4] == 1, f"sealed object of version {data[4]}")
        nonce, content, tag = data[5:17], data[17:-16], data[-16:]
        return self.open(kind, object_id, nonce, content, tag)

    def open_manifest(self, vm_key, stamp, data):
        doc = fields(read_json(data, "objvault"), "objvault", "sealed")
        parts = fields(doc["sealed"], "v", "nonce", "tag", "data")
        require(type(parts["v"]) is int and parts["v"] == 1, "sealed version")
        content = parts["data"]
        try:
            content = base64.b64decode(content, validate=True)
            again = base64.b64encode(content).decode()
        except (TypeError, ValueError, binascii.Error) as e:
            raise Damaged(f"base64: {e}") from None
        require(again == parts["data"], "base64 is not canonical")
        frame = self.open(
            "manifest",
            f"{vm_key}/{stamp}".encode(),
            hex_bytes(parts["nonce"], 12),
            content,
            hex_bytes(parts["tag"], 16),
        )
        return decompress(frame, POINT_JSON_MAX)


# --- slots (section 14) -----------------------------------------------------


def hex_bytes(value, size):
    require(
        type(value) is str and re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value),
        f"no {size} bytes in hex: {value!r}",
    )
    return bytes.fromhex(value)


def check_password(value):
    fields(value, "hint", "n", "r", "p", "salt")
    or_null(lambda hint: text(hint, 256), value["hint"])
    n = integer(value["n"], 1024, 1 << 20)
    r = integer(value["r"], 1, 16)
    integer(value["p"], 1, 4)
    require(n & (n - 1) == 0 and 128 * n * r <= 512 << 20, "cost of scrypt")
    hex_bytes(value["salt"], 16)


def check_kms(value):
    fields(value, "name", "key", "key_name", "mode", "kcv")
    for name in ("name", "key", "key_name"):
        plain_name(value[name], 256)
    word(value["mode"], "get", "remote")
    or_null(lambda kcv: hex_bytes(kcv, 8), value["kcv"])
    require(value["mode"] == "get" or value["kcv"] is None, "kcv of remote")


def check_pubkey(value):
    fields(value, "alg", "fingerprint", "ephemeral")
    word(value["alg"], "rsa-oaep-sha256", "x25519")
    hex_bytes(value["fingerprint"], 32)
    rsa = value["alg"] == "rsa-oaep-sha256"
    require((value["ephemeral"] is None) == rsa, "ephemeral")
    or_null(lambda key: hex_bytes(key, 32), value["ephemeral"])


def check_wrap(doc):
    if doc["type"] == "removed":
        for name in ("key_print", "iv", "data", "tag"):
            require(doc[name] is None, f"{name} of a removed slot")
        return
    hex_bytes(doc["key_print"], 16)
    if doc["pubkey"] and doc["pubkey"]["alg"] == "rsa-oaep-sha256":
        require(doc["iv"] is None and doc["tag"] is None, "iv, tag of RSA")
        require(type(doc["data"]) is str, "data")
        size = len(doc["data"]) // 2
        require(256 <= size <= 1024, "length of data")
        hex_bytes(doc["data"], size)
        return
    for name, size in (("iv", 12), ("data", 32), ("tag", 16)):
        hex_bytes(doc[name], size)


def check_slot(data, repo, keyset, generation, slot):
    doc = fields(
        read_json(data, "objvault"), "objvault", "repo", "keyset", "label",
        "created", "supersedes", "slot", "gen", "made", "type", "password",
        "kms", "pubkey", "key_print", "iv", "data", "tag", "mac",
    )  # fmt: skip
    for name, value in (("repo", repo), ("keyset", keyset), ("slot", slot)):
        require(doc[name] == value, f"it is that of another {name}")
    require(integer(doc["gen"], 1) == generation, "another generation")
    plain_name(doc["label"], 256)
    parse_time(doc["created"])
    parse_time(doc["made"])
    if doc["supersedes"] is not None:
        require(
            type(doc["supersedes"]) is str
            and re.fullmatch("k-[0-9a-f]{16}", doc["supersedes"])
            and doc["supersedes"] != keyset,
            "supersedes",
        )
    kind = doc["type"]
    word(kind, "password", "recovery", "kms", "pubkey", "removed")
    for name, check, kinds in (
        ("password", check_password, ("password", "recovery")),
        ("kms", check_kms, ("kms",)),
        ("pubkey", check_pubkey, ("pubkey",)),
    ):
        require((doc[name] is not None) == (kind in kinds), f"{name}: {kind}")
        or_null(check, doc[name])
    check_wrap(doc)
    hex_bytes(doc["mac"], 16)
    return doc


def list_slots(store, repo):
    """{keyset: [generations that have the form of a slot, the highest first]},
    a list for each slot."""
    found = {}
    for path in store.list("keysets/"):
        match = SLOT.fullmatch(path)
        if match and int(match[2]) > 0:
            generations = found.setdefault(match[1], {})
            generations.setdefault(match[3], []).append((int(match[2]), path))
    result = {}
    for keyset, slots in sorted(found.items()):
        result[keyset] = []
        for slot, generations in sorted(slots.items()):
            docs = []
            for number, path in sorted(generations, reverse=True):
                try:
                    data = store.get(path, SLOT_MAX)
                    doc = check_slot(data, repo, keyset, number, slot)
                except Failure as e:
                    print(f"read_point: {path}: {e}", file=sys.stderr)
                    continue
                docs.append(doc)
            result[keyset].append(docs)
    return result


def is_proven(slot, key):
    """Whether who made the slot had the data key."""
    keyset = slot["keyset"]
    info = f"objvault-1 slot {keyset}".encode()
    sub_key = hkdf(key, bytes.fromhex(slot["repo"]), info)
    mark = hmac256(sub_key, canonical({**slot, "mac": None}))
    return mark[:16].hex() == slot["mac"]


def unwrap(slot, password):
    """The data key in a slot of type password or recovery; None: it is another
    password's, or damaged."""
    cost = slot["password"]
    kek = hashlib.scrypt(
        password,
        salt=bytes.fromhex(cost["salt"]),
        n=cost["n"],
        r=cost["r"],
        p=cost["p"],
        dklen=32,
        maxmem=1 << 30,
    )
    bound = canonical(
        {**slot, "iv": None, "data": None, "tag": None, "mac": None}
    )
    parts = (bytes.fromhex(slot[name]) for name in ("iv", "data", "tag"))
    try:
        key = aes_gcm_open(kek, *parts, bound)
    except Damaged:
        return None
    mark = hmac256(key, f"objvault-1 key-print {slot['keyset']}".encode())
    require(mark[:16].hex() == slot["key_print"], "another key print")
    return key


def open_slot(generations, password):
    """The data key, if a slot is opened by the generation that counts."""
    for doc in generations:
        if password is None or not doc["password"]:
            continue
        key = unwrap(doc, password)
        if key is None:
            continue
        proven = [d for d in generations if is_proven(d, key)]
        for false in generations:
            if false not in proven:
                print(
                    f"read_point: {false['keyset']}: generation"
                    f" {false['gen']} of slot {false['slot']} is not proven",
                    file=sys.stderr,
                )
        if proven and proven[0] is doc:
            return key
    return None


def open_keysets(store, repo, password):
    """`plain` and the encrypted keysets that a password opens."""
    result = [Plain(store)]
    slots = list_slots(store, repo)
    if password is not None and AESGCM is None:
        raise Failure("the Python module cryptography is not installed")
    for keyset, all_slots in slots.items():
        keys = (open_slot(docs, password) for docs in all_slots)
        key = next((k for k in keys if k is not None), None)
        if key is not None:
            result.append(Encrypted(store, repo, keyset, key))
        else:
            print(f"read_point: {keyset} is not open", file=sys.stderr)
    if password is not None and len(result) == 1:
        raise Failure("the password opens no keyset")
    return result


# --- maps (sections 6 to 8) -------------------------------------------------


def ceil_div(a, b):
    return -(-a // b)


def replaced_units(mask, block_size, length):
    """(offset, length) of each unit in the mask, ascending."""
    unit = block_size // 64
    require(
        type(mask) is str and re.fullmatch("[0-9a-f]{16}", mask),
        f"unit mask {mask!r}",
    )
    bits = int(mask, 16)
    require(bits != 0, "unit mask is 0")
    require(bits >> ceil_div(length, unit) == 0, "unit past the block's end")
    return [
        (k * unit, min(unit, length - k * unit))
        for k in range(64)
        if bits >> k & 1
    ]


def check_entry(entry, block_size, length):
    if entry is None or type(entry) is str:
        or_null(hex_id, entry)
        return
    require(type(entry) is list and len(entry) == 4, "map entry")
    base, over, mask, whole = entry
    or_null(hex_id, base)
    or_null(hex_id, over)
    or_null(hex_id, whole)
    require(base is not None or over is not None, "map entry of nothing")
    replaced_units(mask, block_size, length)


def get_page(keyset, stream, number):
    """Entries of a stored page, each as (block number, length, entry)."""
    size, block_size = stream["size"], stream["block_size"]
    first = number * PAGE_ENTRIES
    count = min(PAGE_ENTRIES, ceil_div(size, block_size) - first)
    page_id = stream["pages"][number]
    data = get_object(keyset, "page", page_id, PAGE_JSON_MAX)
    try:
        doc = fields(read_json(data, "v"), "v", "blocks")
        entries = doc["blocks"]
        require(
            type(entries) is list and len(entries) == count,
            f"page does not have {count} entries",
        )
        require(any(e is not None for e in entries), "page of zeros only")
        result = []
        for i, entry in enumerate(entries, first):
            length = min(block_size, size - i * block_size)
            check_entry(entry, block_size, length)
            result.append((i, length, entry))
    except Damaged as e:
        raise Damaged(f"page {page_id}: {e}") from None
    return result


def get_block(keyset, block_id, length):
    plain = get_object(keyset, "block", block_id, length)
    require(
        len(plain) == length,
        f"block {block_id} has {len(plain)} bytes, not {length}",
    )
    return plain


def compose(keyset, entry, block_size, length):
    """Content of a block whose entry is not null (section 7)."""
    if type(entry) is str:
        return get_block(keyset, entry, length)
    base, over, mask, whole = entry
    units = replaced_units(mask, block_size, length)
    total = sum(n for _, n in units)
    block = bytearray(get_block(keyset, base, length) if base else length)
    source = get_block(keyset, over, total) if over else bytes(total)
    taken = 0
    for offset, n in units:
        block[offset : offset + n] = source[taken : taken + n]
        taken += n
    if whole is not None:
        require(
            keyset.id("block", block) == whole,
            f"block composed of {base} and {over} is not {whole}",
        )
    return bytes(block)


# --- manifest (sections 9 and 10) -------------------------------------------


def check_path(value, disk):
    plain_name(value, 1024 if disk else 4096)
    parts = value.split("/")
    require(not disk or len(parts) == 1, f"disk name {value!r}")
    require(not {"", ".", ".."} & set(parts), f"path {value!r}")


def check_stream(stream, disk):
    common = ("size", "block_size", "pages")
    if disk:
        fields(stream, "name", "bus", "format", *common)
        or_null(plain_name, stream["bus"])
        plain_name(stream["format"])
    else:
        fields(stream, "name", "mode", *common)
        mode = stream["mode"]
        require(
            type(mode) is str and re.fullmatch("[0-7]{4}", mode),
            f"mode {mode!r}",
        )
    check_path(stream["name"], disk)
    size = integer(stream["size"], 0, 2**50)
    blocks = ceil_div(size, block_size_ok(stream["block_size"]))
    pages = stream["pages"]
    require(
        type(pages) is list and len(pages) == ceil_div(blocks, PAGE_ENTRIES),
        f"number of pages of {stream['name']!r}",
    )
    for page in pages:
        or_null(hex_id, page)


def check_names(streams):
    names = {s["name"] for s in streams}
    require(len(names) == len(streams), "a name is there twice")
    for full in names:
        parts = full.split("/")
        for n in range(1, len(parts)):
            folder = "/".join(parts[:n])
            require(folder not in names, f"{folder!r} is file and folder")


def check_retention(value):
    fields(value, "days", "gfs", "timezone")
    gfs = fields(value["gfs"], "weekly", "monthly", "yearly")
    total = integer(value["days"], 0, 1000000)
    for n in gfs.values():
        total += integer(n, 0, 5000)
    require(total > 0, "retention keeps nothing")
    plain_name(value["timezone"])


def check_lineage(doc):
    when, chain = parse_time(doc["time"]), parse_time(doc["chain"])
    word(doc["kind"], "full", "incremental")
    if doc["kind"] == "full":
        require(doc["parent"] is None and chain == when, "lineage of a full")
        return
    parent = doc["parent"]
    require(type(parent) is str, "parent of an incremental")
    match = POINT_FILE.fullmatch(parent)
    require(match, f"parent {parent!r}")
    parent_time = parse_time(match[1], "%Y%m%dT%H%M%SZ")
    require(chain <= parent_time < when, "time of the parent")


def check_point(doc):
    fields(
        doc, "objvault", "vm", "job", "time", "kind", "chain", "parent",
        "consistency", "retention", "gfs", "locked_until", "disks", "files",
        "stats", "program",
    )  # fmt: skip
    vm = fields(doc["vm"], "name", "uuid", "source", "container")
    plain_name(vm["name"])
    or_null(plain_name, vm["uuid"])
    text(vm["source"])
    or_null(text, vm["container"])
    or_null(plain_name, doc["job"])
    check_lineage(doc)
    word(doc["consistency"], "crash", "fs", "app")
    or_null(check_retention, doc["retention"])
    require(
        type(doc["gfs"]) is list
        and doc["gfs"]
        == [w for w in ("weekly", "monthly", "yearly") if w in doc["gfs"]],
        "gfs",
    )
    or_null(parse_time, doc["locked_until"])
    require(doc["locked_until"] != "1970-01-01T00:00:00Z", "locked_until")
    for key, limit in (("disks", 1024), ("files", 65536)):
        require(
            type(doc[key]) is list and len(doc[key]) <= limit,
            f"number of {key}",
        )
        for stream in doc[key]:
            check_stream(stream, key == "disks")
    check_names(doc["disks"] + doc["files"])
    stats = fields(
        doc["stats"], "source_bytes", "read_bytes", "new_bytes",
        "stored_bytes", "seconds",
    )  # fmt: skip
    for value in stats.values():
        integer(value)
    plain_name(doc["program"])


def make_vm_key(vm):
    clear = re.compile(rb"[A-Za-z0-9.-]")
    raw = vm.encode()
    key = ""
    for i, byte in enumerate(raw):
        char = bytes([byte])
        if clear.fullmatch(char) and not (i == 0 and char == b"."):
            key += char.decode()
        else:
            key += f"_{byte:02X}"
    if len(key) > 200 or CUT_KEY.fullmatch(key):
        key = f"{key[:120]}-{hashlib.sha256(raw).hexdigest()[:16]}"
    return key


def get_point(keyset, vm_key, file):
    """A manifest that keeps all rules, and those of its name."""
    path = f"{keyset.name}/points/{vm_key}/{file}"
    match = POINT_FILE.fullmatch(file)
    data = keyset.store.get(path, POINT_JSON_MAX)
    try:
        require(
            hashlib.sha256(data).hexdigest()[:16] == match[2],
            "content does not have the SHA-256 of its name",
        )
        data = keyset.open_manifest(vm_key, match[1], data)
        doc = read_json(data, "objvault")
        check_point(doc)
        basic = re.sub("[-:]", "", doc["time"])
        require(basic == match[1], "time is not that of its name")
        require(keyset.vm_key(doc["vm"]["name"]) == vm_key, "VM of another key")
    except Failure as e:
        raise type(e)(f"{path}: {e}") from None
    return doc


def point_files(keyset, vm=None):
    """(vm key, file name) of all manifests, or of one VM's, oldest first."""
    top = f"{keyset.name}/points/"
    prefix = top + (f"{keyset.vm_key(vm)}/" if vm else "")
    form = re.compile(top + r"([A-Za-z0-9_-][A-Za-z0-9._-]*)/([^/]+)")
    result = []
    for path in keyset.store.list(prefix):
        match = form.fullmatch(path)
        if match and POINT_FILE.fullmatch(match[2]):
            result.append((match[1], match[2]))
    return sorted(result)


def choose(keysets, point):
    """The manifest that VM@latest, VM@TIME or VM@TIME-HEX means, and its
    keyset."""
    vm, _, when = point.rpartition("@")
    files = sorted(
        ((f, k, key) for k in keysets for key, f in point_files(k, vm)),
        key=lambda found: found[0],
    )
    if when == "latest":
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        for file, keyset, key in reversed(files):
            if file[: len(stamp)] > stamp:
                continue
            try:
                return keyset, get_point(keyset, key, file)
            except Damaged as e:
                print(f"read_point: passed over: {e}", file=sys.stderr)
        raise NotFound(f"VM {vm!r} has no point")
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT[\d:]{8}Z)(-[0-9a-f]{16})?", when)
    if not match:
        raise Failure(f"{when!r} is no time of a point")
    begin = re.sub("[-:]", "", match[1]) + (match[2] or "-")
    files = [f for f in files if f[0].startswith(begin)]
    if not files:
        raise NotFound(f"{point} is not there")
    if len(files) > 1:
        names = ", ".join(f for f, _, _ in files)
        raise Failure(f"{point} is one of {names}")
    file, keyset, key = files[0]
    return keyset, get_point(keyset, key, file)


# --- commands ---------------------------------------------------------------


def list_points(keysets, vm):
    """Prints all points; the exit status."""
    status = 0
    for keyset, (key, file) in (
        (k, found) for k in keysets for found in point_files(k, vm)
    ):
        try:
            doc = get_point(keyset, key, file)
        except Damaged as e:
            print(f"damaged\t{e}")
            status = Damaged.code
            continue
        streams = doc["disks"] + doc["files"]
        print(
            f"{doc['vm']['name']}@{doc['time']}\t{doc['kind']}\t"
            f"{len(doc['disks'])} disks\t{len(doc['files'])} files\t"
            f"{sum(s['size'] for s in streams)} bytes"
        )
    return status


def restore_stream(keyset, stream, path, pool):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    block_size = stream["block_size"]

    def restore_block(number, length, entry):
        data = compose(keyset, entry, block_size, length)
        offset = number * block_size
        while data:
            n = os.pwrite(fd, data, offset)
            data, offset = data[n:], offset + n

    try:
        os.truncate(fd, stream["size"])
        for number, page in enumerate(stream["pages"]):
            if page is None:
                continue
            jobs = [
                pool.submit(restore_block, *item)
                for item in get_page(keyset, stream, number)
                if item[2] is not None
            ]
            for job in jobs:
                job.result()
        if "mode" in stream:
            os.fchmod(fd, int(stream["mode"], 8) & 0o777)
    finally:
        os.close(fd)


def restore(keysets, point, target):
    keyset, doc = choose(keysets, point)
    if os.path.isdir(target) and os.listdir(target):
        raise Failure(f"{target} is not empty")
    workers = min(16, 2 * (os.cpu_count() or 1))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        os.makedirs(target, exist_ok=True)
        for stream in doc["disks"] + doc["files"]:
            path = os.path.join(target, stream["name"])
            try:
                restore_stream(keyset, stream, path, pool)
            except Failure as e:
                pool.shutdown(cancel_futures=True)
                raise type(e)(f"{stream['name']}: {e}") from None
            print(f"{stream['name']}\t{stream['size']} bytes")
    return 0


def read_password(path):
    """A password file's content, without the line end that closes it; None:
    there is no file."""
    if path is None:
        return None
    with open(path, "rb") as f:
        password = f.read(4096)
    return re.sub(rb"\r?\n\Z", b"", password)


def main():
    parser = argparse.ArgumentParser(
        description="Restores a point of an objvault repository."
    )
    parser.add_argument("repository", help="directory or s3://BUCKET[/PREFIX]")
    parser.add_argument("--list", action="store_true", help="list the points")
    parser.add_argument("point", nargs="?", help="VM@latest or VM@TIME")
    parser.add_argument("dir", nargs="?", help="new or empty folder")
    parser.add_argument(
        "--password-file", metavar="FILE", help="opens encrypted keysets"
    )
    args = parser.parse_intermixed_args()
    if args.list and args.dir:
        parser.error("--list takes no folder")
    if not args.list and not (args.dir and "@" in args.point):
        parser.error("say which point (VM@latest, VM@TIME) and where to")
    try:
        store = open_store(args.repository)
        try:
            repo = check_descriptor(
                store.get("objvault.json", DESCRIPTOR_MAX)
            )
        except Failure as e:
            raise type(e)(f"{args.repository}: objvault.json: {e}") from None
        keysets = open_keysets(store, repo, read_password(args.password_file))
        if args.list:
            return list_points(keysets, args.point)
        return restore(keysets, args.point, args.dir)
    except Failure as e:
        print(f"read_point: {e}", file=sys.stderr)
        return e.code
    except OSError as e:
        print(f"read_point: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
