"""Files as grids of cells: CSV, XLSX and XLS, their text in Unicode, their errors kept in sight."""

import csv
import struct
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import DataError
from evalkit.load import xls, xlsx
from evalkit.load.encodings import decode, encoding_of, legacy_encoding, restore
from evalkit.load.numbers import Number, scale
from evalkit.load.said import Said, joined

TEXT_FILES = (".csv", ".tsv", ".txt")
HIDDEN = "hidden, and read all the same: {parts}"
WORKBOOKS = (".xlsx", ".xlsm", ".xls")


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
        raise DataError(
            f"{path.name}: {kind} files are not read. Save it as .csv, .xlsx, .xls, .parquet or .dta."
        )
    if sheet is not None:
        raise DataError(f'{path.name} has no sheets. Leave out sheet="{sheet}".')
    return [_text_file(path)]


def _text_file(path):
    data = path.read_bytes()
    encoding, text = encoding_of(data), decode(data)
    lines = csv.reader(text.splitlines(keepends=True), delimiter=_delimiter(text))
    rows = [[cell if cell.strip() else None for cell in line] for line in lines]
    notes = () if encoding.startswith("utf-8") else (Said("text read as {encoding}", encoding=encoding),)
    return Grid(path.name, None, rows, notes=notes)


def _delimiter(text):
    """The mark that cuts most lines of ``text`` into the same number of cells, the more cells the better."""
    sample = text[:65536].splitlines(keepends=True)[:200]

    def agreement(delimiter):
        widths = [len(line) for line in csv.reader(sample, delimiter=delimiter)]
        return max(((widths.count(w)) * (w - 1) for w in set(widths)), default=0)

    return max(";\t,|", key=agreement)


def _workbook(path, sheet):
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
    except (python_calamine.CalamineError, OSError) as error:
        raise DataError(
            Said(
                "{file} can't be opened as a workbook ({error}). Save it again as .xlsx.",
                file=path.name,
                error=str(error),
            )
        ) from error
    names = workbook.sheet_names
    if sheet is not None and sheet not in names:
        raise DataError(f'{path.name} has no sheet "{sheet}". Its sheets: {", ".join(names)}.')
    sheets = {name: workbook.get_sheet_by_name(name) for name in names}
    rows = {name: table.to_python(skip_empty_area=False) for name, table in sheets.items()}
    texts = {name: {c for row in rows[name] for c in row if isinstance(c, str)} for name in names}
    everywhere = legacy_encoding(set().union(*texts.values()))
    special = _special_cells(path, names)
    grids = []
    for name in [sheet] if sheet is not None else names:
        encoding = legacy_encoding(texts[name]) or everywhere
        restored = {
            text: _composed(restore(text, encoding)) if text.strip() else None for text in texts[name]
        }
        cells = [[restored[c] if isinstance(c, str) else c for c in row] for row in rows[name]]
        errors, shares, hidden = special.get(name, ({}, (), (False, (), ())))
        for (i, j), text in errors.items():
            if i < len(cells) and j < len(cells[i]):
                cells[i][j] = text
        for i, j in shares:
            if isinstance(cells[i][j], (int, float)):
                cells[i][j] = Number(scale(float(cells[i][j]), 2), "percent")
        if any(cell is not None for row in cells for cell in row):
            merged = tuple((*start, *end) for start, end in sheets[name].merged_cell_ranges or ())
            notes = (Said("text read as {encoding}", encoding=encoding),) if encoding else ()
            notes += _hidden(cells, *hidden)
            grids.append(Grid(path.name, name, cells, merged, notes))
    return grids


def _composed(text):
    return unicodedata.normalize("NFC", text)


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


def _special_cells(path, names):
    """{sheet: (texts of errors and unsaved formulas, cells shown as percentages, what is hidden)} by position."""
    if zipfile.is_zipfile(path):
        return xlsx.special_cells(path)
    try:
        return dict(zip(names, xls.special_cells(path), strict=False))
    except (struct.error, LookupError) as error:
        raise DataError(
            Said("{file}: its error cells can't be told. Save it again as .xlsx.", file=path.name)
        ) from error
