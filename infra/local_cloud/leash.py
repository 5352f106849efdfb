"""Run a program so that nothing of it outlives whoever started it.

    python leash.py PROGRAM ARGUMENT ...

The program runs in a process group of its own. When standard input ends, because the caller closed
it or died in whatever way, the group is asked to end and, five seconds later, made to.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

PATIENCE = 5.0
"""Seconds a program has to end by itself."""


def _signal(group: int, signum: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signum)


def _end_with_input(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    _signal(child.pid, signal.SIGTERM)
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        _signal(child.pid, signal.SIGKILL)


def main() -> int:
    """Run the program of the command line; return its exit status."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    status = child.wait()
    # What the program started and left behind has no other owner.
    _signal(child.pid, signal.SIGKILL)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
