#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives out temporary keys of the S3 server under test, on the loopback.

    keys.py DIR

Takes on a role at the server's own STS, writes what it got to DIR/keys (id,
secret and token, a line each), and then plays, on the port in DIR/port:

    GET  /container           a container's endpoint; wants DIR/authorization
    PUT  /latest/api/token, GET /latest/meta-data/iam/security-credentials/...
                              instance metadata; its token is DIR/metadata
    POST /                    STS, AssumeRoleWithWebIdentity; wants DIR/identity

Where DIR/refuse exists everything is refused, with an answer that repeats all
of the request.  The server and the keys to begin with come from
OBJVAULT_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY and _CA.  Exit 77: the
server gives out no temporary keys.
"""
import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import ssl
import sys
import urllib.parse
import xml.etree.ElementTree
from xml.sax.saxutils import escape


def assume_role():
    """Id, secret, token and expiration from the server's STS."""
    url = urllib.parse.urlsplit(os.environ["OBJVAULT_TEST_S3_ENDPOINT"])
    region = os.environ.get("OBJVAULT_TEST_S3_REGION", "us-east-1")
    body = urllib.parse.urlencode({
        "Action": "AssumeRole", "Version": "2011-06-15",
        "RoleArn": "arn:aws:iam::1:role/test", "RoleSessionName": "test"})
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime(
        "%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/x-www-form-urlencoded",
               "host": url.netloc, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        ["POST", "/", ""] + [k + ":" + headers[k] for k in sorted(headers)] +
        ["", names, hashlib.sha256(body.encode()).hexdigest()])
    scope = "/".join([stamp[:8], region, "sts", "aws4_request"])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["OBJVAULT_TEST_S3_SECRET_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    headers["authorization"] = (
        "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            os.environ["OBJVAULT_TEST_S3_ACCESS_KEY"], scope, names,
            hmac.new(key, text.encode(), hashlib.sha256).hexdigest()))
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(
            url.netloc, timeout=60, context=ssl.create_default_context(
                cafile=os.environ.get("OBJVAULT_TEST_S3_CA")))
    else:
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
    connection.request("POST", "/", body=body, headers=headers)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        print("keys.py: AssumeRole: %d %s" % (
            answer.status, data[:200].decode("latin-1")), file=sys.stderr)
        sys.exit(77)
    found = {element.tag.split("}")[-1]: element.text for element in
             xml.etree.ElementTree.fromstring(data).iter()}
    return [found[name] for name in ("AccessKeyId", "SecretAccessKey",
                                     "SessionToken", "Expiration")]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = None
    keys = None

    def log_message(self, *_):
        pass

    def _file(self, name):
        return (self.folder / name).read_text().strip()

    def _answer(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        if (self.folder / "refuse").exists():
            said = escape("%s %s %s" % (self.path, self.headers,
                                        urllib.parse.unquote(body)))
            self._answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code>"
                         "<Message>%s</Message></Error></ErrorResponse>" % said)
        elif self.command == "POST":
            self._sts(urllib.parse.parse_qs(body))
        elif self.path == "/container":
            good = self.headers.get("Authorization") == self._file(
                "authorization")
            self._answer(200 if good else 401, self._json())
        elif self.command == "PUT":
            self._answer(200, self._file("metadata"))
        elif self.headers.get("X-aws-ec2-metadata-token") != self._file(
                "metadata"):
            self._answer(401, "")
        elif self.path.endswith("/security-credentials/"):
            self._answer(200, "test-role")
        else:
            self._answer(200, self._json())

    do_GET = do_PUT = do_POST = _serve

    def _json(self):
        return json.dumps({
            "Code": "Success", "AccessKeyId": self.keys[0],
            "SecretAccessKey": self.keys[1], "Token": self.keys[2],
            "Expiration": self.keys[3]})

    def _sts(self, form):
        if (form["Action"] != ["AssumeRoleWithWebIdentity"] or
                form["WebIdentityToken"] != [self._file("identity")]):
            self._answer(400, "")
            return
        self._answer(200, (
            "<AssumeRoleWithWebIdentityResponse>"
            "<AssumeRoleWithWebIdentityResult><Credentials>"
            "<AccessKeyId>%s</AccessKeyId>"
            "<SecretAccessKey>%s</SecretAccessKey>"
            "<SessionToken>%s</SessionToken><Expiration>%s</Expiration>"
            "</Credentials></AssumeRoleWithWebIdentityResult>"
            "</AssumeRoleWithWebIdentityResponse>") % tuple(
                escape(text) for text in self.keys))


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    Handler.folder = pathlib.Path(argv[1])
    Handler.keys = assume_role()
    (Handler.folder / "keys").write_text("\n".join(Handler.keys[:3]) + "\n")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    new = Handler.folder / "port.new"
    new.write_text("%d\n" % server.server_address[1])
    new.rename(Handler.folder / "port")
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv)
