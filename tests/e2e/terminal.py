#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal.

    terminal.py [--shown] LOG ANSWER... -- COMMAND [ARGUMENT...]

Runs the command on a terminal of its own; after each question (a colon and a
space at the end of what was printed) the next answer is typed, with Return;
^C types Control-C, ^D the end of the input, and ^Z Control-Z, which must do
nothing: the next answer follows at once.  Answers must not be shown, unless
--shown says so.  What the terminal shows goes to LOG.  Exits as the command does
(130 where a signal ended it, as after a minute), and 99 if the terminal's echo is
off then.
"""
import os
import pty
import select
import signal
import sys
import termios
import time


KEYS = {"^C": b"\x03", "^D": b"\x04"}


def main(argv):
    may_show = argv[1] == "--shown"
    if may_show:
        argv = argv[1:]
    at = argv.index("--")
    log, answers, command = argv[1], argv[2:at], argv[at + 1:]
    pid, fd = pty.fork()
    if pid == 0:
        # Ignored where the tests run in the background of a shell.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        os.execvp(command[0], command)
    shown = b""
    seen = 0
    deadline = time.monotonic() + 60
    echo = True
    lacks = False
    while time.monotonic() < deadline:
        ready, _, _ = select.select([fd], [], [], 0.02 if may_show else 0.1)
        if ready:
            try:
                got = os.read(fd, 4096)
            except OSError:
                break
            if not got:
                break
            shown += got
            continue
        echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO)
        if answers and len(shown) > seen and shown.endswith(b": "):
            if echo and not may_show:
                sys.exit("the echo is on at: %r" % shown[seen:])
            seen = len(shown)
            answer = answers.pop(0)
            if answer == "^Z":
                os.write(fd, b"\x1a")
                time.sleep(0.5)
                answer = answers.pop(0)
            os.write(fd, KEYS.get(answer) or answer.encode() + b"\n")
        elif may_show and len(shown) > seen and shown.endswith(b": "):
            os.kill(pid, signal.SIGKILL)
            lacks = True
            break
    else:
        os.kill(pid, signal.SIGKILL)
    with open(log, "wb") as f:
        f.write(shown)
    _, status = os.waitpid(pid, 0)
    try:
        echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO)
    except termios.error:
        pass  # the other side is gone: what was seen last counts
    if lacks:
        sys.exit("no answer is left at: %r" % shown[seen:])
    if answers:
        sys.exit("nobody asked for: %d answers" % len(answers))
    if not echo:
        sys.exit(99)
    sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 130)


if __name__ == "__main__":
    main(sys.argv)
