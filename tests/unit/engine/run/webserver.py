#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web server that answers as told, and keeps what it was sent.

webserver.py FOLDER STATUSES [CERT KEY]

Prints its port.  Request n gets the n-th of STATUSES ("503,200"; the last one
goes on), and lies in FOLDER/request-n: request line, headers, an empty line,
body.  302 leads to /elsewhere on this server.  With CERT and KEY it speaks TLS.
"""
import http.server
import ssl
import sys


def main():
    folder = sys.argv[1]
    statuses = [int(s) for s in sys.argv[2].split(",")]
    count = 0

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            nonlocal count
            body = self.rfile.read(int(self.headers["Content-Length"]))
            count += 1
            with open(f"{folder}/request-{count}", "wb") as f:
                f.write(self.requestline.encode() + b"\n")
                for name, value in self.headers.items():
                    f.write(f"{name}: {value}\n".encode())
                f.write(b"\n" + body)
            self.send_response(statuses[min(count, len(statuses)) - 1])
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        do_GET = do_POST

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3], sys.argv[4])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
