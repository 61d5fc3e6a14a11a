"""One notebook in one process: papermill with limits, a seed, and an output that appears at once."""

import atexit
import contextlib
import hashlib
import json
import logging
import mmap
import os
import random
import struct
import sys
import sysconfig
import time
import weakref
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

from evalkit.batch.journal import DISK_FULL
from evalkit.batch.memory import limit_memory, peak_mb, private_memory_mb
from evalkit.batch.notebook import path_for_papermill, write
from evalkit.batch.traces import nothing_left, traces
from evalkit.errors import printable

AT_CELL = struct.Struct("=qd")


def execute(task: dict, engine: str, **options) -> dict:
    """Execute the task's notebook by ``engine`` and write it; returns status and error, and never raises."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from evalkit.batch.engine import ENDINGS

    try:
        _read_and_write_for(task)
        papermill.execute_notebook(**_arguments(task), engine_name=engine, **_limits(task), **options)
    except PapermillExecutionError as error:
        sentence = one_sentence(error.ename, error.evalue)
        return {"status": ENDINGS.get(error.ename, "failed"), "error": sentence, "written": True}
    except OSError as error:
        status = "disk" if error.errno in DISK_FULL else "failed"
        return {"status": status, "error": one_sentence(type(error).__name__, error)}
    except Exception as error:
        return {"status": "failed", "error": one_sentence(type(error).__name__, error)}
    return {"status": "ok", "error": ""}


class Notes:
    """Memory that a child shares with the process that forked it: the cell it is at, and since when.

    To be read where that is asked; a message for each cell would wake the forking process each time.
    """

    def __init__(self):
        self._memory = mmap.mmap(-1, AT_CELL.size)

    def at(self, cell: int) -> None:
        AT_CELL.pack_into(self._memory, 0, cell, time.monotonic())

    def read(self) -> tuple[int, float]:
        return AT_CELL.unpack_from(self._memory)


def run_forked(task: dict, report: int, notes: Notes) -> None:
    """Be the child that a fork has just made: execute the task, report through the pipe, and end.

    What the task says is to follow comes next in the same process if nothing can be seen that a notebook left behind.
    """
    owner, inherited, followers = os.getpid(), peak_mb(), task["then"]
    before, spent = traces() if followers else None, 0.0
    learns = any(one["learn"] for one in (task, *followers))
    loaded = set(sys.modules) if learns else set()  # to look at each name copies its page of memory
    while True:
        _forget_others_ends()
        result = execute(task, "evalkit", notebook_timeout=task["timeout"], on_cell=notes.at)
        atexit._run_exitfuncs()  # what the notebook left to do at its end, such as removing temporary folders
        if os.getpid() != owner:
            os._exit(0)
        goes_on = bool(followers) and result["status"] == "ok" and nothing_left(before)
        total = sum(os.times()[:4])
        result |= {
            "memory_mb": private_memory_mb(inherited),
            "cpu_seconds": total - spent,
            "goes_on": goes_on,
        }
        if task["learn"]:
            result["imported"] = _installed(sys.modules.keys() - loaded)
        os.write(report, (json.dumps(result) + "\n").encode())
        if not goes_on:
            os._exit(0)
        spent, task, followers = total, followers[0], followers[1:]
        notes.at(0)


def _forget_others_ends():
    """What the forking process, or a notebook before, has to do at its own end is not for this notebook to do."""
    atexit._clear()
    weakref.finalize._registry.clear()
    weakref.finalize._registered_with_atexit = False  # so that the notebook's own are registered anew
    weakref.finalize._shutdown = False
    atexit.register(logging.shutdown)


def write_failed(task: dict, cell_index: int, ename: str, message: str) -> None:
    """Write the notebook of a process that died, with the error in the cell that was running."""
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import raise_for_execution_errors

    notebook = papermill.execute_notebook(**_arguments(task) | {"output_path": None}, prepare_only=True)
    notebook.metadata.papermill["output_path"] = task["output"]
    code = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    cell = notebook.cells[cell_index if cell_index in code else code[0]]
    cell.outputs = [
        nbformat.v4.new_output("error", ename=ename, evalue=message, traceback=[f"{ename}: {message}"])
    ]
    with contextlib.suppress(PapermillExecutionError):
        raise_for_execution_errors(notebook, None)
    write(notebook, Path(task["spool"]))


def begin(seed: int, memory_limit_mb: float | None) -> None:
    """Start the random numbers of Python and NumPy at ``seed``, and limit what this process may take.

    The limit is on private memory beyond what the process has now, for it and each process it starts (Linux).
    """
    import numpy

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    if memory_limit_mb is not None:
        limit_memory(memory_limit_mb)


def seed_of(parameters: dict) -> int:
    """A seed that depends on the parameters alone, so that neither order nor number of workers matters."""
    text = json.dumps(parameters, sort_keys=True, ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def one_sentence(ename: str, message: object) -> str:
    """An error on one line, of a length that a table can hold, without what would steer a terminal."""
    line = next((line.strip() for line in printable(message).splitlines() if line.strip()), "")
    text = f"{ename}: {line}" if line else ename
    return text if len(text) <= 300 else text[:299] + "…"


def _arguments(task):
    folder = os.path.dirname(task["notebook"])
    return {
        "input_path": path_for_papermill(task["notebook"]),
        "output_path": path_for_papermill(task["output"]),
        "parameters": task["parameters"],
        "cwd": folder if os.path.isdir(folder) else os.path.dirname(task["spool"]),
        "progress_bar": False,
        "request_save_on_cell_execute": False,
    }


def _limits(task):
    return {
        "execution_timeout": task["cell_timeout"],
        "begin": (seed_of(task["parameters"]), task["memory_limit"]),
        "extra_arguments": ["--log-level=50"],
    }


def _read_and_write_for(task):
    """papermill names the output's final path in its metadata; what it writes goes to the task's spool.

    A task from another machine brings the notebook's text, and no file is read.
    """
    import papermill.engines
    import papermill.execute
    from papermill.iorw import LocalHandler, papermill_io

    class Brought(LocalHandler):
        def read(self, path):
            return task["text"]

    if "text" in task:
        papermill_io.register(task["notebook"], Brought())
    papermill.execute.write_ipynb = lambda notebook, path: write(notebook, Path(task["spool"]))
    # papermill reads back each time that it has just written, by a parser that knows every way to write one
    papermill.engines.dateutil = SimpleNamespace(parser=SimpleNamespace(parse=datetime.fromisoformat))


def _installed(names):
    """Those of the modules that belong to Python or an installed package, not to a notebook's folder."""
    folders = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    files = {name: getattr(sys.modules.get(name), "__file__", None) or "" for name in names}
    return [name for name in sys.modules if files.get(name, "").startswith(folders)]
