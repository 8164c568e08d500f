#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of a ctest run, one by one.

    count_ctest.py JUNIT-FILE LABEL

Prints a line for each: pass|fail|skip, name, reason, seconds, separated by
tabs.  A program written with cmocka says which of its test functions passed;
each of them counts.  Any other program counts as one test.
"""
import re
import sys
import xml.etree.ElementTree

VERDICT = re.compile(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] ([A-Za-z_]\w*)", re.M)
LEFT_OUT = re.compile(r"^left out: (.+)$", re.M)


def main(path, label):
    cases = list(xml.etree.ElementTree.parse(path).getroot().iter("testcase"))
    if not cases:
        row("fail", label, "ctest found no test at all", "0")
    for case in cases:
        program, seconds = case.get("name"), case.get("time", "0")
        text = case.findtext("system-out") or ""
        verdicts = {name: word for word, name in VERDICT.findall(text)}
        failed = [n for n, w in verdicts.items() if w == "FAILED"]
        skipped = case.find("skipped")
        if case.get("status") == "fail":
            reason = (case.find("failure").get("message", "") or
                      last_line(text))
            for name in failed or [None]:
                row("fail", title(label, program, name),
                    errors(text, name) or reason, seconds)
        elif skipped is not None or case.get("status") != "run":
            reason = last_line(text)
            if not reason and program.startswith("objstore_test_s3"):
                reason = "needs an S3 server (OBJVAULT_TEST_S3_ENDPOINT)"
            elif not reason and skipped is not None:
                reason = skipped.get("message", "")
            row("skip", title(label, program), reason, seconds)
        elif not verdicts:
            row("pass", title(label, program), "", seconds)
        for reason in LEFT_OUT.findall(text):
            row("skip", title(label, program), reason, "0")
        for name, word in verdicts.items():
            if word == "OK":
                row("pass", title(label, program, name), "", "0")
            elif word == "SKIPPED" and skipped is None:
                row("skip", title(label, program, name),
                    "skipped by itself, see %s" % program, "0")


def title(label, program, name=None):
    return "%s: %s%s" % (label, program, ": " + name if name else "")


def errors(text, name):
    """What cmocka says of a test function that failed."""
    body = re.search(r"^\[\s+RUN\s+\] %s$(.*?)^\[\s+FAILED\s+\] %s$" %
                     (name, name), text, re.M | re.S)
    return "; ".join(re.findall(r"^\[\s+(?:ERROR|LINE)\s+\] --- (.+)$",
                                body.group(1), re.M)) if body else ""


def last_line(text):
    lines = [line for line in text.splitlines()
             if line.strip() and not line.startswith("[")]
    return lines[-1].strip() if lines else ""


def row(*fields):
    print("\t".join(f.replace("\t", " ").replace("\n", " ") for f in fields))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
