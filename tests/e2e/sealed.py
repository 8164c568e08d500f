#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody does to, and looks for in, a repository with a keyset that a
password opens, past the program under test.

    sealed.py URL secrets FILE      data key, sub-keys and wrapping keys of all
                                    keysets that the password in FILE opens, as
                                    hex, one a line
    sealed.py URL cheap FILE KEY    puts, in place of the slot KEY, one of the
                                    same password that is opened in a
                                    millisecond
    sealed.py URL flip STEP KEY EXIT WORD COMMAND...
                                    flips a bit of each byte of the object in
                                    turn (of each STEPth) and runs COMMAND: it
                                    must end with EXIT and say WORD each time
    sealed.py URL forge KEY         for each byte of a manifest, a copy in which
                                    it is changed, under the name that fits its
                                    content; prints how many
    sealed.py URL unforge KEY       removes them
    sealed.py URL moved FROM TO     puts the slot FROM in place of the slot TO,
                                    with TO's repository, keyset, id and
                                    generation in its text
    sealed.py URL search NEEDLES    looks for each line of the file in names and
                                    bodies of all objects (of all versions,
                                    where the bucket keeps them), also as hex
                                    and base64, and within zstd frames and
                                    base64 that is stored; exit 1 says where.  A
                                    line "hex:..." stands for bytes
    sealed.py FILE search NEEDLES   the same within one file

The keys come by tests/reader/read_point.py, which shares no code with the
program.
"""
import base64
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "reader")]
sys.dont_write_bytecode = True
import objects  # noqa: E402
import read_point  # noqa: E402
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: E402

USES = ("block-id", "page-id", "vm-name", "block", "page", "manifest",
        "slot")
# What is larger is no object, but a dump: it is searched as it is.
FORMS_MAX = 8 << 20
ZSTD = bytes.fromhex("28b52ffd")


def scrypt(password, cost):
    return hashlib.scrypt(password, salt=bytes.fromhex(cost["salt"]),
                          n=cost["n"], r=cost["r"], p=cost["p"], dklen=32,
                          maxmem=1 << 30)


def wrap(slot, kek, key):
    """The slot with this data key in it, proven by it."""
    bound = {**slot, "iv": None, "data": None, "tag": None, "mac": None}
    iv = secrets.token_bytes(12)
    sealed = AESGCM(kek).encrypt(iv, key, read_point.canonical(bound))
    slot = {**bound, "iv": iv.hex(), "data": sealed[:-16].hex(),
            "tag": sealed[-16:].hex()}
    sub_key = read_point.hkdf(
        key, bytes.fromhex(slot["repo"]),
        ("objvault-1 slot %s" % slot["keyset"]).encode())
    mark = read_point.hmac256(sub_key, read_point.canonical(slot))
    return {**slot, "mac": mark[:16].hex()}


def print_secrets(store, password):
    repo = bytes.fromhex(json.loads(store.get("objvault.json"))["id"])
    for key in store.keys("keysets/"):
        slot = json.loads(store.get(key))
        if slot["password"] is None:
            continue
        data_key = read_point.unwrap(slot, password)
        if data_key is None:
            continue
        print(scrypt(password, slot["password"]).hex())
        print(data_key.hex())
        for use in USES:
            info = "objvault-1 %s %s" % (use, slot["keyset"])
            print(read_point.hkdf(data_key, repo, info.encode()).hex())


def make_cheap(store, password, key):
    slot = json.loads(store.get(key))
    data_key = read_point.unwrap(slot, password)
    if data_key is None:
        sys.exit("sealed.py: the password is not that of " + key)
    slot["password"]["n"] = 1024
    slot["password"]["r"] = 1
    slot = wrap(slot, scrypt(password, slot["password"]), data_key)
    store.put(key, read_point.canonical(slot))


def changed(good, step=1):
    """Each byte of it in turn, another bit each time."""
    for i in range(0, len(good), step):
        yield i, good[:i] + bytes([good[i] ^ 1 << i % 8]) + good[i + 1:]


def flip(store, step, key, want, word, command):
    good = store.get(key)
    for i, bad in changed(good, step):
        store.put(key, bad)
        end = subprocess.run(command, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if end.returncode != want or word.encode() not in end.stdout:
            sys.exit("sealed.py: byte %d of %s (%r for %r): exit %d: %s" % (
                i, key, bad[i:i + 1], good[i:i + 1], end.returncode,
                end.stdout.decode(errors="replace")))
    store.put(key, good)
    print(len(good))


def forged(store, key):
    """Names and bodies of a manifest's changed copies."""
    folder, name = key.rsplit("/", 1)
    for _, bad in changed(store.get(key)):
        digest = hashlib.sha256(bad).hexdigest()[:16]
        yield "%s/%s-%s.json" % (folder, name.split("-")[0], digest), bad


def forge(store, key):
    count = 0
    for name, bad in forged(store, key):
        store.put(name, bad)
        count += 1
    print(count)


def move(store, source, target):
    slot = json.loads(store.get(source))
    there = json.loads(store.get(target))
    for name in ("repo", "keyset", "slot", "gen"):
        slot[name] = there[name]
    store.put(target, read_point.canonical(slot))


def everything(where):
    """Name and body of all that is stored."""
    if "://" not in where:
        with open(where, "rb") as f:
            yield "", f.read()
        return
    store = open_store(where)
    if isinstance(store, objects.FileStore):
        for key in store.keys(""):
            yield key, store.get(key)
        return
    for kind, key, version in store._versions(store._name("")):
        query = {} if version in (None, "null") else {"versionId": version}
        yield key, b"" if kind == "marker" else store._request(
            "GET", key, query)


def forms(body):
    """A body as it is stored, and what it decodes to."""
    yield body
    if len(body) > FORMS_MAX:
        return
    for text in re.findall(rb"[A-Za-z0-9+/]{24,}={0,2}", body):
        text = text.rstrip(b"=")
        text = text[:len(text) - (len(text) % 4 == 1)]
        yield base64.b64decode(text + b"=" * (-len(text) % 4))
    at = body.find(ZSTD)
    while 0 <= at < 4096:
        yield subprocess.run(["zstd", "-dcq"], input=body[at:],
                             stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
        at = body.find(ZSTD, at + 1)


def spellings(line):
    """A needle as bytes, hex and the three ways that base64 has it."""
    raw = (bytes.fromhex(line[4:]) if line.startswith("hex:")
           else line.encode())
    yield raw
    if len(raw) < 6:
        return
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for skip in range(3):
        text = base64.b64encode(raw[skip:])[:(len(raw) - skip) // 3 * 4]
        if len(text) >= 8:  # chance finds what is shorter
            yield text


def search(where, file):
    with open(file, encoding="utf-8") as f:
        lines = [line for line in f.read().split("\n") if line]
    needles = [(line, spelling) for line in lines
               for spelling in spellings(line)]
    count = found = 0
    for key, body in everything(where):
        count += 1
        for form in (key.encode(), *forms(body)):
            for line, spelling in needles:
                if spelling in form:
                    found += 1
                    print("%s: holds %s" % (key, line))
    if found or not count:
        sys.exit("sealed.py: %d finds in %d objects" % (found, count))
    print(count)


def open_store(where):
    url = urllib.parse.urlsplit(where)
    return (objects.FileStore if url.scheme == "file" else
            objects.S3Store)(url)


def password_of(path):
    with open(path, "rb") as f:
        return f.read().rstrip(b"\r\n")


def main(argv):
    if len(argv) < 3:
        sys.exit(__doc__)
    where, verb, rest = argv[1], argv[2], argv[3:]
    if verb == "search":
        search(where, rest[0])
    elif verb == "secrets":
        print_secrets(open_store(where), password_of(rest[0]))
    elif verb == "cheap":
        make_cheap(open_store(where), password_of(rest[0]), rest[1])
    elif verb == "flip":
        flip(open_store(where), int(rest[0]), rest[1], int(rest[2]), rest[3],
             rest[4:])
    elif verb == "moved":
        move(open_store(where), *rest)
    elif verb == "forge":
        forge(open_store(where), rest[0])
    elif verb == "unforge":
        store = open_store(where)
        for name, _ in forged(store, rest[0]):
            store.remove(name)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
