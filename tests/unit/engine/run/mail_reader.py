#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a mail from stdin as mail programs do, and writes what it means.

mail_reader.py FILE

A line for each header, decoded, then an empty one and the body.  Fails where a
line is too long, a byte is no ASCII, or the parser finds a defect.
"""
import email
import email.policy
import sys


def main():
    raw = sys.stdin.buffer.read()
    assert raw.endswith(b"\n"), "the last line has no end"
    assert b"\r" not in raw, "a carriage return"
    for line in raw.split(b"\n"):
        assert len(line) <= 78, f"a line of {len(line)}"
        assert line.isascii(), line
        assert line != b".", "a dot alone"
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert not mail.defects, mail.defects
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        for name, value in mail.items():
            assert not value.defects, (name, value.defects)
            f.write(f"{name}: {value}\n")
        f.write("\n" + mail.get_content())


main()
