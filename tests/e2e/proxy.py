#!/usr/bin/env python3
"""A line to an S3 server that can be made bad.

  proxy.py HOST:PORT MODE-FILE

Listens on a free port of 127.0.0.1, says which on stdout, and forwards what
comes to HOST:PORT.  The first line of MODE-FILE, looked at all the time, says
how:

  pass         as it comes
  refuse       no new connection is taken, and those that are there are reset
  answer       each request gets 503, as from a gateway whose server is gone
  stall        nothing is forwarded any more, new connections included
  stall TEXT   the same for connections whose request begins with a head that
               holds TEXT; others pass
  date SECONDS the server's clock seems to be ahead by that (or, with a minus,
               behind): in the Date of its answers
"""
import email.utils
import re
import select
import socket
import struct
import sys
import threading
import time

host, port = sys.argv[1].split(":")
mode_file = sys.argv[2]
GONE = (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 18\r\n"
        b"Connection: close\r\n\r\n<html>down</html>\n")


def mode():
    try:
        with open(mode_file, encoding="ascii") as f:
            return f.readline().strip()
    except OSError:
        return "pass"


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def shift(data, seconds):
    """The head of an answer comes at once."""
    def other(m):
        t = email.utils.parsedate_to_datetime(m[2].decode()).timestamp()
        return m[1] + email.utils.formatdate(t + seconds, usegmt=True).encode()
    if not data.startswith(b"HTTP/1."):
        return data
    head, end, body = data.partition(b"\r\n\r\n")
    return re.sub(rb"(?i)(\r\ndate: *)([^\r]+)", other, head) + end + body


def serve(client):
    try:
        server = socket.create_connection((host, int(port)))
    except OSError:
        reset(client)
        return
    try:
        carry(client, server)
    except OSError:
        pass
    finally:
        server.close()
        client.close()


def carry(client, server):
    stalled = False
    while True:
        how = mode()
        if how == "refuse":
            reset(client)
            return
        if how == "stall" or stalled:
            stalled = stalled and how.startswith("stall")
            time.sleep(0.05)
            continue
        ready, _, _ = select.select([client, server], [], [], 0.05)
        for s in ready:
            data = s.recv(1 << 18)
            if not data:
                return
            if s is client and how == "answer":
                client.sendall(GONE)
                return
            if s is client and how.startswith("stall "):
                stalled = how[6:].encode() in data.split(b"\r\n\r\n")[0]
                if stalled:
                    break
            if s is server and how.startswith("date "):
                data = shift(data, int(how[5:]))
            (server if s is client else client).sendall(data)


def listen(at):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", at))
    s.listen(128)
    return s


def main():
    listener = listen(0)
    at = listener.getsockname()[1]
    print(at, flush=True)
    while True:
        if mode() == "refuse":
            if listener:
                listener.close()
                listener = None
            time.sleep(0.02)
            continue
        if not listener:
            listener = listen(at)
        if not select.select([listener], [], [], 0.05)[0]:
            continue
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


main()
