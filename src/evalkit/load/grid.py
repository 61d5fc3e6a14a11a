"""Files as grids of cells: CSV, XLSX and XLS, their text in Unicode, their errors kept in sight."""

import csv
import io
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from evalkit.errors import DataError
from evalkit.load import workbook
from evalkit.load.encodings import composed, legacy_encoding, read_text, restore
from evalkit.load.numbers import Number, scale
from evalkit.load.said import Said, joined
from evalkit.load.workbook import WorkbookError

TEXT_FILES = (".csv", ".tsv", ".txt")
HIDDEN = "hidden, and read all the same: {parts}"
WORKBOOKS = (".xlsx", ".xlsm", ".xls")
MOST_CELLS = 10_000_000
NOT_READ = "{file}: {kind} files are not read. Save it as .csv, .xlsx, .xls, .parquet or .dta."
MOST_BYTES = 512 * 2**20  # of a text file
_MOST_COLUMNS, _LONGEST = 16_384, 32_767  # what a sheet of Excel and a cell of it can hold
_TOO_LARGE = (
    "{file} holds more than a table of ten million cells does, or a cell far outside of its table. Copy the table "
    "alone into a new .xlsx or .csv file, a really large one into .parquet."
)
_OPEN_QUOTE = (
    "{file}, row {row}: a cell takes in whole rows; a quotation mark is probably opened there and never closed. "
    "Close it or take it out."
)
_ZEROS = (
    "{file}, row {row}: holds zero bytes, as damaged files do. Look at the row in a spreadsheet and save the file "
    "again."
)
_TEXT = Said("a text file")
_RUN = re.compile(r"\s{2,}")
_LINE_END = re.compile(r"\r\n?|\n")  # as csv has it; a form feed or U+2028 is part of its cell
_DISGUISES = (
    ((b"%pdf",), Said("a PDF document")),
    ((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head"), Said("a web page")),
    ((b"<?xml", b"<workbook"), Said("an XML file")),
    ((b"{\\rtf",), Said("a text document")),
)


@dataclass(frozen=True)
class Grid:
    """Cells of one sheet: ``rows[i][j]`` stands in row ``i + 1`` of the file; an empty cell is None.

    ``merged`` holds ranges (top, left, bottom, right), positions from 0; ``sheet`` is None for a text file.
    """

    file: str
    sheet: str | None
    rows: list
    merged: tuple = ()
    notes: tuple = ()


def read_grids(path, *, sheet=None):
    """``Grid`` of every sheet of ``path`` that is not empty, or of ``sheet`` alone.

    Raises DataError for a file that can't be opened, a kind that is not read and a sheet that is not there.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if not path.is_file():
        raise DataError(Said("{path} is not there. Check the name and the folder.", path=str(path)))
    if kind in WORKBOOKS:
        return _workbook(path, sheet)
    if kind not in TEXT_FILES:
        raise DataError(Said(NOT_READ, file=path.name, kind=kind or path.name))
    if sheet is not None:
        raise DataError(
            Said("{file} has no sheets. Leave out the sheet “{sheet}”.", file=path.name, sheet=sheet)
        )
    return [_text_file(path)]


def _text_file(path):
    if path.stat().st_size > MOST_BYTES:
        raise DataError(Said(_TOO_LARGE, file=path.name))
    try:
        encoding, text = read_text(path)
    except OSError as error:
        raise DataError(
            Said("{file} can't be read ({fault}). Save it again.", file=path.name, fault=error.strerror)
        ) from error
    rows = split_text(path.name, text, delimiter_of(text))
    rows = [[_tidy(cell) if cell.strip() else None for cell in line] for line in rows]
    notes = () if encoding.startswith("utf-8") else (Said("text read as {encoding}", encoding=encoding),)
    return Grid(path.name, None, rows, notes=notes)


def split_text(file, text, delimiter, *, strict=False):
    """Rows of the cells of ``text``. Raises DataError, with the row, for what no table of this size can hold.

    An open quotation mark would take the rest of the file, or the rows up to the next one, into one cell.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    rows, cells, width = [], 0, 0
    try:
        for row in reader:
            rows.append(row)
            cells += len(row)
            width = max(width, len(row))
            if cells > MOST_CELLS or width > _MOST_COLUMNS:
                raise DataError(Said(_TOO_LARGE, file=file))
    except csv.Error as error:
        raise DataError(Said(_OPEN_QUOTE, file=file, row=len(rows) + 1)) from error
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if "\0" in cell:
                raise DataError(Said(_ZEROS, file=file, row=i + 1))
            if len(cell) > _LONGEST or _swallows_rows(cell, delimiter, width, j):
                raise DataError(Said(_OPEN_QUOTE, file=file, row=i + 1))
    return rows


def _swallows_rows(cell, delimiter, width, position):
    """Whether a cell of several lines, in a table of ``width`` columns, holds what looks like rows of it."""
    if "\n" not in cell and "\r" not in cell:
        return False
    first, *others = _LINE_END.split(cell)
    own = width - 1 - position
    return (own > 1 and first.count(delimiter) >= own) or any(
        width > 1 and line.count(delimiter) >= width - 1 for line in others
    )


def delimiter_of(text):
    """The mark that cuts most lines of ``text`` into the same number of cells, the more cells the better."""

    def agreement(delimiter):
        lines = csv.reader(io.StringIO(text[:65536], newline=""), delimiter=delimiter)
        widths = [len(line) for line in islice(lines, 200)]
        return max(((widths.count(w)) * (w - 1) for w in set(widths)), default=0)

    return max(";\t,|", key=agreement)


def _workbook(path, sheet):
    kind = _disguise(path)
    if kind == _TEXT and path.suffix.lower() == ".xls":  # as many programs export
        return [_text_file(path)]
    if kind:
        said = "{file} is {kind}, not a workbook. Save its table as .xlsx from the program that made it."
        raise DataError(Said(said, file=path.name, kind=kind))
    try:
        sheets = workbook.sheets(path)
    except WorkbookError as error:
        raise DataError(_fault(path.name, error)) from error
    if sheet is not None and sheet not in sheets:
        raise DataError(
            Said(
                "{file} has no sheet “{sheet}”. Its sheets: {names}.",
                file=path.name,
                sheet=sheet,
                names=", ".join(sheets),
            )
        )
    texts = {
        name: {c for row in read["rows"] for c in row if isinstance(c, str)} for name, read in sheets.items()
    }
    everywhere = legacy_encoding(set().union(*texts.values()))
    grids = [
        _sheet(path.name, name, sheets[name], texts[name], legacy_encoding(texts[name]) or everywhere)
        for name in ([sheet] if sheet is not None else sheets)
    ]
    return [grid for grid in grids if any(cell is not None for row in grid.rows for cell in row)]


def sheet_names(path):
    """Names of the sheets of a file; none where it is no workbook, or one that can't be read: reading says why."""
    if path.suffix.lower() not in WORKBOOKS:
        return []
    try:
        return [] if _disguise(path) else workbook.names(path)
    except (WorkbookError, DataError):
        return []


def _tidy(cell):
    """A text without the apostrophe by which a number is kept as text; a long one with its runs of spaces as one,
    since patterns that look for words take the square of their length."""
    if cell[0] in "'’" and cell[1:2].isdigit():
        cell = cell[1:]
    return _RUN.sub(lambda run: "\n" if "\n" in run[0] else " ", cell) if len(cell) > 100 else cell


def _disguise(path):
    """What a file with the name of a workbook is instead: a kind in words, or None."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise DataError(
            Said("{file} can't be read ({fault}). Save it again.", file=path.name, fault=error.strerror)
        ) from error
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or not head:
        return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for kinds, kind in _DISGUISES:
        if start.startswith(kinds):
            return kind
    return _TEXT if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head else None


def _fault(file, error):
    if error.kind == "password":
        return Said("{file} is protected by a password. Take it off and save the file again.", file=file)
    if error.kind == "limit":
        return Said(_TOO_LARGE, file=file)
    fault = str(error) or Said("the reader broke off")
    return Said(
        "{file} can't be opened as a workbook ({error}). Save it again as .xlsx.", file=file, error=fault
    )


def _sheet(file, name, read, texts, encoding):
    """``Grid`` of a sheet as it was read: texts in Unicode, errors in sight, percentages as they are shown."""
    restored = {text: _tidy(composed(restore(text, encoding))) if text.strip() else None for text in texts}
    cells = [[restored[c] if isinstance(c, str) else c for c in row] for row in read["rows"]]
    for (i, j), text in read["errors"].items():
        if i < len(cells) and j < len(cells[i]):
            cells[i][j] = text
    for i, j in read["shares"]:
        if i < len(cells) and j < len(cells[i]) and isinstance(cells[i][j], (int, float)):
            cells[i][j] = Number(scale(float(cells[i][j]), 2), "percent")
    notes = (Said("text read as {encoding}", encoding=encoding),) if encoding else ()
    return Grid(file, name, cells, tuple(read["merged"]), notes + _hidden(cells, *read["hidden"]))


def _hidden(cells, sheet, rows, columns):
    """A note that names what of the cells is hidden, () where nothing is: it is read, and should be asked about."""
    rows = [str(i + 1) for i in sorted(rows) if i < len(cells) and any(c is not None for c in cells[i])]
    columns = [
        letters(j) for j in sorted(columns) if any(j < len(row) and row[j] is not None for row in cells)
    ]
    parts = [Said("the sheet")] * sheet
    parts += [Said("rows {rows}", rows=", ".join(rows))] if rows else []
    parts += [Said("columns {columns}", columns=", ".join(columns))] if columns else []
    return (Said(HIDDEN, parts=joined(parts, "; ")),) if parts else ()


def letters(j):
    """The letters of a column by which a spreadsheet calls it: 0 is A, 26 is AA."""
    return (letters(j // 26 - 1) if j >= 26 else "") + chr(ord("A") + j % 26)
