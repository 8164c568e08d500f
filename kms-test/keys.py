#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of keys in a PyKMIP server of server.sh, past the program under
test.

    keys.py DIR PKI revoke KEY REASON   as the client `client`, by KMIP: REASON
    keys.py DIR PKI destroy KEY         is superseded or key_compromise
    keys.py DIR PKI value KEY           its bytes, as hex; this and what follows
    keys.py DIR PKI replace KEY         in the database: other bytes,
    keys.py DIR PKI activate KEY        and active again, whatever it was

DIR is server.sh's, PKI a folder of pki.sh.
"""
import logging
import os
import sqlite3
import ssl
import sys


def wrap_socket(sock, keyfile, certfile, ca_certs, cert_reqs,
                do_handshake_on_connect, **_):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_cert_chain(certfile, keyfile)
    context.load_verify_locations(ca_certs)
    context.verify_mode = cert_reqs
    return context.wrap_socket(
        sock, do_handshake_on_connect=do_handshake_on_connect)


ssl.wrap_socket = wrap_socket  # gone in Python 3.12

from kmip import enums  # noqa: E402 (it takes ssl's function)
from kmip.pie import client  # noqa: E402

ACTIVE = 2


def by_kmip(folder, pki, verb, key, reason):
    logging.disable(logging.CRITICAL)
    with open(os.path.join(folder, "port"), encoding="ascii") as f:
        port = int(f.read())
    with client.ProxyKmipClient(
            hostname="127.0.0.1", port=port,
            cert=os.path.join(pki, "client.crt"),
            key=os.path.join(pki, "client.key"),
            ca=os.path.join(pki, "ca.crt")) as server:
        if verb == "destroy":
            server.destroy(key)
        else:
            server.revoke(enums.RevocationReasonCode[reason.upper()], key)


def in_database(folder, verb, key):
    database = sqlite3.connect(os.path.join(folder, "pykmip.db"))
    with database:
        if verb == "value":
            print(database.execute(
                "SELECT value FROM managed_objects WHERE uid = ?",
                (key,)).fetchone()[0].hex())
        elif verb == "replace":
            database.execute("UPDATE managed_objects SET value = ? "
                             "WHERE uid = ?", (os.urandom(32), key))
        else:
            database.execute("UPDATE crypto_objects SET state = ? "
                             "WHERE uid = ?", (ACTIVE, key))


def main(argv):
    if len(argv) < 5 or argv[3] not in ("revoke", "destroy", "value",
                                        "replace", "activate"):
        sys.exit(__doc__)
    folder, pki, verb, key = argv[1:5]
    if verb in ("revoke", "destroy"):
        by_kmip(folder, pki, verb, key, *argv[5:] or [""])
    else:
        in_database(folder, verb, key)


if __name__ == "__main__":
    main(sys.argv)
