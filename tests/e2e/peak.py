#!/usr/bin/env python3
"""peak.py FILE COMMAND [ARG]...: runs the command and writes its peak resident
memory, in KiB, to FILE; mapped files count, children do not.  Its exit code is
the command's."""
import os
import sys

pid = os.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w", encoding="ascii") as f:
    print(usage.ru_maxrss, file=f)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
