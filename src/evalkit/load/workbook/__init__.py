"""Workbooks, read in a process of their own whose memory and processor time are limited.

A few kilobytes can ask a reader for half a terabyte, and the reader then ends its process. So it isn't ours.
"""

import marshal
import signal
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path

_TYPES = {kind.__name__: kind for kind in (date, datetime, time, timedelta)}
# Ended by the system for what the limits forbid; anything else is a fault of the file or of the reader.
_LIMITS = {
    -signal.SIGABRT,
    -signal.SIGKILL,
    *(-getattr(signal, n) for n in ("SIGXCPU",) if hasattr(signal, n)),
}


class WorkbookError(Exception):
    """A workbook that can't be read: ``kind`` is "limit", "password" or "damaged", the text says more."""

    def __init__(self, kind, text=""):
        super().__init__(text)
        self.kind = kind


def names(path):
    """Return the names of a workbook's sheets. Raises WorkbookError."""
    return _ask("names", path)


def sheets(path):
    """Return {sheet: {"rows", "merged", "errors", "shares", "hidden"}} of a workbook. Raises WorkbookError.

    rows: cells, None where empty. merged: ranges (top, left, bottom, right). errors: {(row, column): text} of
    error cells and formulas without a stored result. shares: cells shown as percentages. hidden: (whether the
    sheet is, its hidden rows, columns). Positions from 0.
    """
    read = _ask("sheets", path)
    for sheet in read.values():
        sheet["rows"] = [_dated(row) for row in sheet["rows"]]
    return read


def _dated(row):
    """A row with its dates and times, which come as the name of their type and what makes them."""
    if tuple not in map(type, row):
        return row
    return [_TYPES[cell[0]](*cell[1:]) if type(cell) is tuple else cell for cell in row]


def _ask(what, path):
    command = [sys.executable, "-I", str(Path(__file__).with_name("__main__.py")), what, str(path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise WorkbookError("limit" if done.returncode in _LIMITS else "damaged")
    fault, answer = marshal.loads(done.stdout)
    if fault:
        raise WorkbookError(fault, answer)
    return answer
