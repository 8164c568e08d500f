#!/usr/bin/env python3
"""Makes a copy of a source file with a bug in it.

    plant.py BUG TREE OUT

BUG is a file of planted/: lines that say which file (`file PATH`), then pieces
of text, each between `---- instead of`, `---- stands` and `----`.  The old text
must be in the file exactly once: where the code has changed, the bug has to be
planted anew, and the build says so.
"""
import pathlib
import re
import sys


def main():
    bug, tree, out = (pathlib.Path(a) for a in sys.argv[1:])
    text = bug.read_text()
    name = re.search(r"^file (\S+)$", text, re.M)
    if name is None:
        sys.exit(f"{bug}: no line `file PATH`")
    pieces = re.findall(
        r"^---- instead of\n(.*?)^---- stands\n(.*?)^----$", text, re.M | re.S)
    if not pieces:
        sys.exit(f"{bug}: nothing to plant")
    source = (tree / name[1]).read_text()
    for old, new in pieces:
        if source.count(old) != 1:
            sys.exit(f"{bug}: {name[1]} has {source.count(old)} times, not "
                     f"once:\n{old}")
        source = source.replace(old, new)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(f'#line 1 "{name[1]}"\n{source}')


main()
