#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PyKMIP's server with TLS up to 1.3, which its own start-up code cannot ask
for (and which Python from 3.12 on does not know any more).

    pykmip.py -f CONFIGURATION -l LOG
"""
import ssl


def wrap_socket(sock, keyfile, certfile, ca_certs, cert_reqs,
                do_handshake_on_connect, **_):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    context.load_verify_locations(ca_certs)
    context.verify_mode = cert_reqs
    return context.wrap_socket(
        sock, server_side=True,
        do_handshake_on_connect=do_handshake_on_connect)


ssl.wrap_socket = wrap_socket

from kmip.services.server import server  # noqa: E402 (it takes ssl's function)

server.main()
