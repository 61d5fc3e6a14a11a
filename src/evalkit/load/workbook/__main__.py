"""The process in which a workbook is read: ``python -I __main__.py names|sheets FILE`` answers on standard output.

It imports nothing of evalkit but its two neighbours, so that it starts at once.
"""

import datetime
import marshal
import os
import sys
import zipfile
from pathlib import Path

import python_calamine

sys.path.append(
    str(Path(__file__).parents[1])
)  # the last one: modules beside this package bear names of Python's own
from workbook import xls, xlsx

_MEMORY = 3 * 2**30
_SECONDS = 120
_MOST_CELLS = 10_000_000
_KEPT = {str, float, int, bool}


def main(what, path):
    _limit()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not spoil the answer
    try:
        answer = None, _names(path) if what == "names" else _sheets(path)
    except MemoryError:
        answer = "limit", ""
    except (python_calamine.PasswordError, xlsx.Locked):
        answer = "password", ""
    except BaseException as error:  # the reader's panics are no Exception
        answer = "damaged", (str(error).splitlines() or [type(error).__name__])[0]
    with answers:
        marshal.dump(answer, answers)


def _limit():
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(kind, (most, hard))


def _opened(path):
    if zipfile.is_zipfile(path):
        xlsx.examine(path)
    with open(path, "rb") as file:
        return python_calamine.CalamineWorkbook.from_filelike(file)


def _names(path):
    return _opened(path).sheet_names


def _sheets(path):
    special = _special(path)  # first: it fails where an archive unpacks to something else than it says
    workbook = _opened(path)
    if not isinstance(special, dict):
        special = dict(zip(workbook.sheet_names, special, strict=False))
    read, cells = {}, 0
    if len(set(workbook.sheet_names)) < len(workbook.sheet_names):
        raise xlsx.Damaged("two sheets of one name")
    for name in workbook.sheet_names:
        table = workbook.get_sheet_by_name(name)
        cells += (table.height or 0) * (table.width or 0)
        if cells > _MOST_CELLS:
            raise MemoryError
        rows = table.to_python(skip_empty_area=False)
        errors, shares, hidden = special.get(name, ({}, (), (False, (), ())))
        read[name] = {
            "rows": [[_plain(cell) for cell in row] for row in rows],
            "merged": [(*start, *end) for start, end in table.merged_cell_ranges or ()],
            "errors": errors,
            "shares": list(shares),
            "hidden": (hidden[0], list(hidden[1]), list(hidden[2])),
        }
    return read


def _special(path):
    """Special cells by sheet: by its name of an .xlsx workbook, in their order of an .xls workbook."""
    if not zipfile.is_zipfile(path):
        return xls.special_cells(path)
    xlsx.examine(path)
    return xlsx.special_cells(path)


def _plain(cell):
    """A cell as marshal keeps it: an empty one is None, a date the name of its type and what makes it."""
    if type(cell) in _KEPT:
        return None if cell == "" else cell
    if isinstance(cell, datetime.datetime):
        return ("datetime", *cell.timetuple()[:6], cell.microsecond)
    if isinstance(cell, datetime.date):
        return ("date", cell.year, cell.month, cell.day)
    if isinstance(cell, datetime.time):
        return ("time", cell.hour, cell.minute, cell.second, cell.microsecond)
    if isinstance(cell, datetime.timedelta):
        return ("timedelta", cell.days, cell.seconds, cell.microseconds)
    return cell


main(*sys.argv[1:])
