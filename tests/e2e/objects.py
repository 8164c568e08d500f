#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at and damages a repository's objects, past the program under test.

    objects.py URL ls [PREFIX]      names below PREFIX, sorted, one a line
    objects.py URL stamps [PREFIX]  "NAME STAMP"; the stamp is another one once
                                    the object was put again (its ETag and time)
    objects.py URL get KEY          the object's bytes, to stdout
    objects.py URL sums [PREFIX]    "NAME BYTES SHA-256" of each, sorted by name
    objects.py URL put KEY...       the object's bytes, from stdin; the same in
                                    each
    objects.py URL rm KEY
    objects.py URL live [PREFIX]    what the points need whose manifests' names
                                    begin so (default: all), sorted: descriptor,
                                    manifests, pages and blocks; exit 1 where
                                    one of them is not there
    objects.py URL make             the bucket or folder
    objects.py URL drop             everything below the URL

and of a bucket that is the caller's own:

    objects.py URL make-locked      the bucket, with versions and object lock
    objects.py URL versioning       turns it on
    objects.py URL versions [PREFIX]
                                    "version NAME" or "marker NAME", sorted
    objects.py URL locks [PREFIX]   "NAME VERSION UNTIL" of every version that
                                    is no marker; UNTIL in unix seconds, 0
                                    without a lock
    objects.py URL rm-version KEY VERSION
                                    exit 1 where the server refuses
    objects.py URL lifecycle PREFIX what begins so expires after a day
    objects.py URL purge            every version, and the bucket
    objects.py URL retain KEY MODE DATE [bypass]
                                    a lock on the newest version; a shorter one,
                                    where GOVERNANCE is to be bypassed
    objects.py URL default-retention MODE DAYS
                                    ... on what is put without one
    objects.py URL session [POLICY] temporary keys: access key, secret key and
                                    session token, one a line; which may do no
                                    more than that (JSON)

URL is file:///folder or s3://bucket/prefix; for the latter the server and its
keys come from OBJVAULT_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY, _CA,
_REGION and _SESSION_TOKEN.
Only the standard library, and a signer of its own: it shares no code with the
program, so it shares none of its mistakes.
"""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree


class FileStore:
    def __init__(self, url):
        self.root = pathlib.Path(urllib.parse.unquote(url.path))

    def keys(self, prefix):
        found = []
        for path in self.root.rglob("*"):
            key = path.relative_to(self.root).as_posix()
            # Names with a leading dot are the driver's own (temporary files).
            if path.is_file() and key.startswith(prefix) and not any(
                    part.startswith(".") for part in key.split("/")[:1]):
                found.append(key)
        return sorted(found)

    def stamps(self, prefix):
        for key in self.keys(prefix):
            stat = (self.root / key).stat()
            yield key, "%d-%d-%d" % (stat.st_ino, stat.st_mtime_ns,
                                     stat.st_size)

    def get(self, key):
        return (self.root / key).read_bytes()

    def put(self, key, body):
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.unlink()
        path.write_bytes(body)

    def remove(self, key):
        (self.root / key).unlink()

    def make(self):
        self.root.mkdir(parents=True, exist_ok=True)


class S3Store:
    def __init__(self, url):
        self.bucket = url.netloc
        self.prefix = url.path.strip("/")
        self.endpoint = urllib.parse.urlsplit(
            os.environ["OBJVAULT_TEST_S3_ENDPOINT"])
        self.access = os.environ["OBJVAULT_TEST_S3_ACCESS_KEY"]
        self.secret = os.environ["OBJVAULT_TEST_S3_SECRET_KEY"]
        self.region = os.environ.get("OBJVAULT_TEST_S3_REGION", "us-east-1")
        self.token = os.environ.get("OBJVAULT_TEST_S3_SESSION_TOKEN")

    def _name(self, key):
        return self.prefix + "/" + key if self.prefix else key

    def _request(self, method, name, query=None, body=b"", good=(200, 204),
                 more=None):
        path = "/" + self.bucket
        if name is not None:
            path += "/" + urllib.parse.quote(name, safe="/-_.~")
        pairs = "&".join(
            urllib.parse.quote(k, safe="-_.~") + "=" +
            urllib.parse.quote(v, safe="-_.~")
            for k, v in sorted((query or {}).items()))
        headers = dict(more or {})
        if method == "PUT":
            headers["content-md5"] = base64.b64encode(
                hashlib.md5(body).digest()).decode()
        return self._send("s3", method, path, pairs, headers, body, good)

    def _send(self, service, method, path, pairs, headers, body, good):
        host = self.endpoint.netloc
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        headers.update({"host": host, "x-amz-content-sha256": digest,
                        "x-amz-date": stamp})
        if self.token:
            headers["x-amz-security-token"] = self.token
        names = ";".join(sorted(headers))
        canonical = "\n".join(
            [method, path, pairs] +
            [k + ":" + headers[k] for k in sorted(headers)] +
            ["", names, digest])
        scope = "/".join([stamp[:8], self.region, service, "aws4_request"])
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (
            "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, "
            "Signature=%s" % (self.access, scope, names, signature))
        if self.endpoint.scheme == "https":
            context = ssl.create_default_context(
                cafile=os.environ.get("OBJVAULT_TEST_S3_CA"))
            connection = http.client.HTTPSConnection(
                host, timeout=60, context=context)
        else:
            connection = http.client.HTTPConnection(host, timeout=60)
        connection.request(method, path + ("?" + pairs if pairs else ""),
                           body=body, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status not in good:
            sys.exit("objects.py: %s %s: %d %s" % (
                method, path, answer.status, data[:300].decode("latin-1")))
        return data

    def session(self, policy=""):
        """Access key, secret key and token of an hour's session."""
        more = "&Policy=" + urllib.parse.quote(policy) if policy else ""
        root = xml.etree.ElementTree.fromstring(self._send(
            "sts", "POST", "/", "",
            {"content-type": "application/x-www-form-urlencoded"},
            b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600" +
            more.encode(),
            (200,)))
        space = root.tag[:root.tag.index("}") + 1]
        return [next(root.iter(space + name)).text for name in
                ("AccessKeyId", "SecretAccessKey", "SessionToken")]

    def stamps(self, prefix):
        found = []
        query = {"list-type": "2", "prefix": self._name(prefix)}
        while True:
            root = xml.etree.ElementTree.fromstring(
                self._request("GET", None, query))
            space = root.tag[:root.tag.index("}") + 1]
            for entry in root.iter(space + "Contents"):
                key = entry.findtext(space + "Key")
                found.append((key[len(self.prefix) + 1:]
                              if self.prefix else key,
                              entry.findtext(space + "ETag") + "-" +
                              entry.findtext(space + "LastModified")))
            token = root.findtext(space + "NextContinuationToken")
            if not token:
                return sorted(found)
            query["continuation-token"] = token

    def keys(self, prefix):
        return [key for key, _ in self.stamps(prefix)]

    def get(self, key):
        return self._request("GET", self._name(key))

    def put(self, key, body):
        self._request("PUT", self._name(key), body=body)

    def remove(self, key):
        self._request("DELETE", self._name(key))

    def make(self):
        self._request("PUT", None, good=(200, 409))

    def make_locked(self):
        self._request("PUT", None, good=(200, 409), more={
            "x-amz-bucket-object-lock-enabled": "true"})

    def versioning(self):
        self._request(
            "PUT", None, {"versioning": ""},
            b"<VersioningConfiguration><Status>Enabled</Status>"
            b"</VersioningConfiguration>")

    def retain(self, key, mode, date, bypass=""):
        self._request(
            "PUT", self._name(key), {"retention": ""},
            b"<Retention><Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate>"
            b"</Retention>" % (mode.encode(), date.encode()),
            more={"x-amz-bypass-governance-retention": "true"}
            if bypass else None)

    def default_retention(self, mode, days):
        self._request(
            "PUT", None, {"object-lock": ""},
            b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled"
            b"</ObjectLockEnabled><Rule><DefaultRetention><Mode>%s</Mode>"
            b"<Days>%s</Days></DefaultRetention></Rule>"
            b"</ObjectLockConfiguration>" % (mode.encode(), days.encode()))

    def _versions(self, prefix):
        """Triples of kind, name in the bucket, and version."""
        query = {"versions": "", "prefix": prefix}
        while True:
            root = xml.etree.ElementTree.fromstring(
                self._request("GET", None, query))
            space = root.tag[:root.tag.index("}") + 1]
            for tag, kind in (("Version", "version"),
                              ("DeleteMarker", "marker")):
                for entry in root.iter(space + tag):
                    yield (kind, entry.findtext(space + "Key"),
                           entry.findtext(space + "VersionId"))
            if root.findtext(space + "IsTruncated") != "true":
                return
            query["key-marker"] = root.findtext(space + "NextKeyMarker")
            query["version-id-marker"] = root.findtext(
                space + "NextVersionIdMarker") or ""

    def versions(self, prefix):
        skip = len(self._name(""))
        return sorted((kind, key[skip:]) for kind, key, _ in
                      self._versions(self._name(prefix)))

    def locks(self, prefix):
        """Triples of name, version and end of its lock."""
        skip = len(self._name(""))
        for kind, key, version in self._versions(self._name(prefix)):
            if kind != "version":
                continue
            root = xml.etree.ElementTree.fromstring(self._request(
                "GET", key, {"retention": "", "versionId": version},
                good=(200, 400, 404)))
            until = 0
            for element in root.iter():
                if element.tag.endswith("RetainUntilDate"):
                    until = int(datetime.datetime.strptime(
                        element.text[:19] + "+0000",
                        "%Y-%m-%dT%H:%M:%S%z").timestamp())
            yield key[skip:], version, until

    def remove_version(self, key, version):
        self._request("DELETE", self._name(key), {"versionId": version})

    def lifecycle(self, prefix):
        self._request(
            "PUT", None, {"lifecycle": ""},
            b"<LifecycleConfiguration><Rule><ID>tidy</ID><Status>Enabled"
            b"</Status><Filter><Prefix>%s</Prefix></Filter><Expiration>"
            b"<Days>1</Days></Expiration></Rule></LifecycleConfiguration>" %
            prefix.encode())

    def purge(self):
        for _, key, version in list(self._versions("")):
            self._request("DELETE", key, {"versionId": version})
        self._request("DELETE", None)


def live(store, prefix):
    """What is needed by the manifests that are there, as FORMAT.md has it."""
    points = store.keys(prefix)
    found = {"objvault.json", *points}
    pages = set()
    for key in points:
        point = json.loads(store.get(key))
        for stream in point["disks"] + point["files"]:
            pages.update(p for p in stream["pages"] if p)
    for page in pages:
        key = "plain/pages/%s/%s" % (page[:2], page)
        found.add(key)
        text = subprocess.run(["zstd", "-dc"], input=store.get(key),
                              stdout=subprocess.PIPE, check=True).stdout
        for entry in json.loads(text)["blocks"]:
            ids = [entry] if isinstance(entry, str) else (entry or [])[:2]
            found.update("plain/blocks/%s/%s" % (i[:2], i) for i in ids if i)
    lost = found - set(store.keys(""))
    if lost:
        sys.exit("objects.py: not there: " + " ".join(sorted(lost)))
    return sorted(found)


def main(argv):
    if len(argv) < 3:
        sys.exit(__doc__)
    url = urllib.parse.urlsplit(argv[1])
    store = FileStore(url) if url.scheme == "file" else S3Store(url)
    verb, rest = argv[2], argv[3:]
    if verb == "ls":
        for key in store.keys(rest[0] if rest else ""):
            print(key)
    elif verb == "stamps":
        for row in store.stamps(rest[0] if rest else ""):
            print(*row)
    elif verb == "sums":
        for key in store.keys(rest[0] if rest else ""):
            body = store.get(key)
            print(key, len(body), hashlib.sha256(body).hexdigest())
    elif verb == "get":
        sys.stdout.buffer.write(store.get(rest[0]))
    elif verb == "put":
        body = sys.stdin.buffer.read()
        for key in rest:
            store.put(key, body)
    elif verb == "rm":
        store.remove(rest[0])
    elif verb == "live":
        print("\n".join(live(store, rest[0] if rest else
                             "plain/points/")))
    elif verb == "make":
        store.make()
    elif verb == "make-locked":
        store.make_locked()
    elif verb == "versioning":
        store.versioning()
    elif verb == "versions":
        for kind, key in store.versions(rest[0] if rest else ""):
            print(kind, key)
    elif verb == "locks":
        for row in store.locks(rest[0] if rest else ""):
            print(*row)
    elif verb == "rm-version":
        store.remove_version(*rest)
    elif verb == "lifecycle":
        store.lifecycle(*rest)
    elif verb == "purge":
        store.purge()
    elif verb == "session":
        print("\n".join(store.session(*rest)))
    elif verb == "retain":
        store.retain(*rest)
    elif verb == "default-retention":
        store.default_retention(*rest)
    elif verb == "drop":
        for key in store.keys(""):
            store.remove(key)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
