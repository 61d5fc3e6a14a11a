"""Deliveries in: CSV, Excel, Parquet and Stata files become a ``Reading``; nothing is dropped silently."""

import re
from pathlib import Path

from evalkit.errors import DataError
from evalkit.load import schema
from evalkit.load.folder import strange
from evalkit.load.frames import FRAMES, read_frame
from evalkit.load.grid import TEXT_FILES, WORKBOOKS, Grid, read_grids
from evalkit.load.headers import spellings
from evalkit.load.plain import read_plain
from evalkit.load.reading import Reading, combine
from evalkit.load.said import Said
from evalkit.load.tables import read_by_schema
from evalkit.load.text import fold, nearest
from evalkit.load.units import parse_unit

__all__ = ["Reading", "read_spreadsheet", "read_table"]


def read_spreadsheet(path, *, table=None, sheet=None, unit=None):
    """``Reading`` of one file: CSV, XLSX, XLS, Parquet or Stata .dta, all its sheets or ``sheet`` alone.

    With ``table``, a table of the schema: headers are matched by their usual spellings, figures come out in
    the schema's units, a row with a cell that can't be read is set aside. Without it headers stay as found,
    figures as printed. ``unit`` ("triệu đồng") is that of the amounts whose header states none.

    Titles, header rows, column numbers, headings, totals, subtotals and notes are set aside with the
    reason. Raises DataError where the file can't be opened, a required column is missing (near misses are
    proposed) or a unit is of the wrong kind.
    """
    path = Path(path)
    if table is not None and table not in schema.tables():
        near = nearest(table, schema.tables())
        raise DataError(
            f'table "{table}" is not known. {f"Did you mean {near}?" if near else ", ".join(schema.tables())}'
        )
    if unit is not None and parse_unit(unit) is None:
        raise DataError(f'unit "{unit}" is not known. Write it as in "triệu đồng", "tỷ đồng", "%", "hộ".')
    grids = grids_of(path, table=table, sheet=sheet)
    return read_by_schema(grids, table, unit=unit) if table else read_plain(grids, unit=unit)


def grids_of(path, *, table=None, sheet=None):
    """The ``Grid`` of each sheet of a file of any kind that is read. Raises DataError for none."""
    grids = [_frame_grid(path, table)] if path.suffix.lower() in FRAMES else read_grids(path, sheet=sheet)
    if not grids:
        raise DataError(Said("{file} is empty.", file=path.name))
    return grids


def read_table(folder, name):
    """``Reading`` of a table from all its files in ``folder``, or None where there is none.

    The files are ``credit.csv``, ``credit-2019.xlsx`` and the like, and those in a folder ``credit``, in
    any of the kinds that ``read_spreadsheet`` reads; ``Reading.origin`` keeps file, sheet and row of each
    row. Raises DataError for all files that can't be read, their messages joined.
    """
    files = table_files(folder, name)
    readings, faults = [], []
    for path in files:
        try:
            readings.append(read_spreadsheet(path, table=name))
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError(" ".join(faults), faults)
    return combine(readings) if readings else None


def table_files(folder, name):
    """The files that hold the table ``name`` in ``folder``, in the order of their names."""
    folder = Path(folder)
    kinds = (*TEXT_FILES, *WORKBOOKS, *FRAMES)
    own = re.compile(rf"{re.escape(name)}(?:[-_ .].*)?", re.IGNORECASE)
    beside = [p for p in folder.iterdir() if own.fullmatch(p.stem)]
    inside = (folder / name).iterdir() if (folder / name).is_dir() else ()
    found = [
        p
        for p in (*beside, *inside)
        if p.suffix.lower() in kinds and not p.name.startswith("~$") and not strange(p, folder)
    ]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _frame_grid(path, table):
    """``Grid`` of a typed file; Stata's variable labels head the columns whose names say nothing."""
    if not path.is_file():
        raise DataError(Said("{path} is not there. Check the name and the folder.", path=str(path)))
    frame, labels = read_frame(path)
    known = spellings(table) if table else {}
    header = [n if fold(str(n)) in known or not labels.get(n) else labels[n] for n in map(str, frame.columns)]
    cells = frame.astype(object).where(frame.notna(), None)
    blank = [
        [None if isinstance(c, str) and not c.strip() else c for c in row]
        for row in cells.to_numpy().tolist()
    ]
    return Grid(path.name, None, [header, *blank])
