"""Trees of processes: one ended together with everything it started."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

MARK = "EVALKIT_BATCH_RUN"


def end_tree(root: int, *, itself: bool = True) -> None:
    """Kill a process's descendants, and the process itself unless told otherwise."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(root)], capture_output=True, check=False)
        return
    patience = time.monotonic() + 5.0
    while (found := descendants(root)) and time.monotonic() < patience:  # one may fork while others die
        for pid in found:
            _kill(pid)
        time.sleep(0.005)
    if itself:
        _kill(root)


def descendants(root: int) -> list[int]:
    """The living processes below ``root``, dead ones not yet collected by their parent left out."""
    children = defaultdict(list)
    for pid, parent in _parents():
        children[parent].append(pid)
    found = list(children[root])
    for pid in found:
        found.extend(children[pid])
    return found


def end_marked(mark: str) -> None:
    """Kill the processes of this user that a run with this mark left behind (Linux; elsewhere nothing)."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            pid = int(entry.parent.name)
            if pid != os.getpid() and wanted in entry.read_bytes().split(b"\0"):
                _kill(pid)


def _parents():
    if not sys.platform.startswith("linux"):
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
        )
        rows = (line.split() for line in listing.stdout.splitlines())
        return [(int(pid), int(parent)) for pid, parent, state in rows if not state.startswith("Z")]
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found.append((int(entry.parent.name), int(parent)))
    return found


def _kill(pid):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
