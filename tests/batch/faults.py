"""Killing runs at random moments, and comparing what a resumed run leaves with an undisturbed one."""

import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from evalkit.batch import plan, run
from evalkit.batch.trees import MARK, descendants
from notebooks import write_notebook

CELLS = (
    "import random, subprocess, time\nsleeper = subprocess.Popen(['sleep', '99'])",
    "values = [random.random() for _ in range(1000)]\ntime.sleep(0.1)\nprint(sum(values))",
    "print(place, {name: len(name) for name in {'thu nhập', 'nghèo', 'tín dụng'}})",
    "assert place != '00003', 'one that fails'",
)
QUIET = "import random, time"
TIMED = rb"start_time|end_time|duration|seconds|cpu_seconds|memory_mb|attempts|sha256|iopub[^\"]*|shell[^\"]*"
TIMES = re.compile(rb'"(' + TIMED + rb')": [^,}\n]+')


def notebooks_of(folder):
    return [Path(folder) / f"{name}.ipynb" for name in ("homes", "income", "credit")]


def jobs_for(folder, count=8):
    """Jobs of three small notebooks, failing for one place; the notebooks are written if they aren't there.

    Where they may share a process, "homes" leaves nothing behind and "income", which follows it, a program.
    """
    notebooks = notebooks_of(folder)
    for notebook in notebooks:
        if not notebook.exists():
            write_notebook(notebook, *([QUIET, *CELLS[1:]] if notebook.stem == "homes" else CELLS))
    return plan(notebooks, [{"place": f"{number:05d}"} for number in range(count)], Path(folder) / "out")


def contents(out):
    """Each file below ``out`` without times and paths: the same after every run of the same plan."""
    found = {}
    for path in sorted(Path(out).rglob("*")):
        if path.is_file() and path.name != ".lock":
            content = path.read_bytes().replace(str(Path(out).parent).encode(), b"")
            found[str(path.relative_to(out))] = TIMES.sub(rb'"\1": 0', content)
    return found


def left_over(out):
    """Processes that belong to runs into ``out``."""
    mark = f"{MARK}={hashlib.sha256(os.fsencode(out)).hexdigest()[:16]}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if any(one.startswith(mark) for one in entry.read_bytes().split(b"\0")):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def disturbed_run(folder, victim, seed, count=8, together=False):
    """Start a run in a process of its own and kill one of its processes at a moment drawn from ``seed``.

    victim: "supervisor", "forker", "child", several joined by "+", or "suspended" (all stopped for a while and
    one killed meanwhile). together: notebooks of a place may share a process. Returns the moment in seconds from the
    first finished notebook.
    """
    draw = random.Random(seed)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from faults import resumed\n"
        f"resumed({str(folder)!r}, {count}, {together}, progress='json')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    next(line for line in process.stdout if json.loads(line)["event"] == "job")
    moment = draw.uniform(0, 0.6)
    time.sleep(moment)
    _kill(process, victim, draw)
    process.communicate(timeout=60)
    return moment


def _kill(process, victim, draw):
    if victim == "suspended":
        every = [process.pid, *descendants(process.pid)]
        _signal(every, signal.SIGSTOP)
        time.sleep(draw.uniform(0, 2))
        _signal([draw.choice(every)], signal.SIGKILL)
        _signal(every, signal.SIGCONT)
        return
    below = descendants(process.pid)
    workers = [pid for pid in below if b"evalkit.batch.worker" in _command(pid)]
    kinds = {"supervisor": [process.pid], "forker": workers[:1], "child": workers[1:]}
    _signal([draw.choice(kinds[name]) for name in victim.split("+") if kinds[name]], signal.SIGKILL)


def _signal(processes, number):
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def resumed(folder, count=8, together=False, **options):
    """Run the plan to its end, as a user would at first and again after a failure."""
    shared = notebooks_of(folder) if together else ()
    return run(jobs_for(folder, count), engine="fork", workers=2, preload=(), together=shared, **options)


def wait_until_gone(out, seconds=5.0):
    """Processes left behind after ``seconds``: none, if all is well."""
    deadline = time.monotonic() + seconds
    while (found := left_over(out)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
