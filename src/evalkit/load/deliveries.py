"""The files of a data set, assigned to tables by their names or their sheets' names, and read."""

import re
from functools import lru_cache

import pandas as pd

from evalkit.errors import DataError
from evalkit.load import corrections, schema
from evalkit.load.across import ASSUMED
from evalkit.load.clean import as_declared, read_clean
from evalkit.load.delivery import Delivery
from evalkit.load.findings import finding, listed
from evalkit.load.folder import strange
from evalkit.load.frames import FRAMES
from evalkit.load.grid import HIDDEN, TEXT_FILES, WORKBOOKS, sheet_names
from evalkit.load.said import Said, first_line, joined, reason
from evalkit.load.tables import NO_UNIT, read_by_schema
from evalkit.load.text import fold, like, nearest

GUIDE_SHEETS = ("Hướng dẫn", "Danh mục")  # sheets that evalkit's own workbooks hold beside the tables
_OTHER_FILES = {"corrections", "peers"}
_KINDS = (*TEXT_FILES, *WORKBOOKS, *FRAMES)
# Of no weight for what was read: each table has them, and a Reading lists them.
_OUTSIDE = {"title", "header", "header, repeated", "column numbers", "unit"}


def sources(folder, found):
    """Return {table: [(path, sheet), ...]} of the files in ``folder``; findings name those that are no table's.

    A file belongs to the table that it is named after (``credit.csv``, ``credit-2019.xlsx``, any file in a
    folder ``credit``). Where a sheet of a workbook is named after a table ("Tín dụng", "credit"), the sheets
    decide and the file may have any name. ``sheet`` is None where a file is read whole.
    """
    by_table = {name: [] for name in schema.tables()}
    for path in _data_files(folder, found):
        of_name = _table_of_file(path, folder)
        sheets = sheet_names(path)
        of_sheet = {sheet: _tables_by_label().get(fold(sheet)) for sheet in sheets}
        if any(of_sheet.values()):
            for sheet, table in of_sheet.items():
                if table:
                    by_table[table].append((path, sheet))
                elif sheet not in GUIDE_SHEETS:
                    found.append(finding("note", "sheet_not_read", file=path.name, sheet=sheet))
        elif of_name:
            by_table[of_name].append((path, None))
        elif path.stem.lower() not in _OTHER_FILES:
            near = like(nearest(path.stem, schema.tables()))
            found.append(finding("warning" if near else "note", "file_not_read", file=path.name, near=near))
    return by_table


def _data_files(folder, found):
    """Files that may hold a table; findings name what looks like one and is none, or is of a kind that isn't read."""
    beside = list(folder.iterdir())
    inside = [p for name in schema.tables() if (folder / name).is_dir() for p in (folder / name).iterdir()]
    usable = []
    for path in sorted(p for p in (*beside, *inside) if not p.name.startswith(("~$", "."))):
        kind, named = path.suffix.lower(), _table_of_file(path, folder) is not None
        if kind == ".geojson" and (what := strange(path, folder)):
            found.append(finding("error", "not_a_file", file=path.name, kind=what))
        elif kind not in _KINDS or (kind == ".txt" and not named):
            if named and kind and path.is_file():
                found.append(finding("warning", "kind_not_read", file=path.name, kind=kind))
        elif what := strange(path, folder):
            found.append(finding("error", "not_a_file", file=path.name, kind=what))
        else:
            usable.append(path)
    return usable


def _table_of_file(path, folder):
    if path.parent != folder:
        return path.parent.name
    own = re.match(r"[a-z]+(?![a-z])", path.stem, re.IGNORECASE)
    return own[0].lower() if own and own[0].lower() in schema.tables() else None


@lru_cache
def _tables_by_label():
    labels = {}
    for name in schema.tables():
        for label in (name, *schema.resource(name)["label"].values()):
            labels[fold(label)] = name
    return labels


def read(table, files, found, declared=()):
    """Return the ``Delivery`` of a table from its files, or None where there is nothing to read.

    ``declared`` corrections mend the cells that can't be read. Appends to ``found`` what can't be read (errors) and what was set aside or assumed (notes).
    """
    frames, origins = [], []
    for path, sheet in files:
        part = _read_file(path, sheet, table, found, declared)
        if part is not None:
            frames.append(part[0])
            origins.append(part[1])
    if not frames:
        return None
    filled = [f for f in frames if len(f)] or frames[:1]
    frame = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0].reset_index(drop=True)
    origin = pd.concat(origins, ignore_index=True)
    return Delivery(table, frame, origin)


def _read_file(path, sheet, table, found, declared):
    clean = read_clean(path, table)
    if clean is not None:
        frame, rows, said = clean
        found += said
        if frame.empty and any(f["severity"] == "error" for f in said):
            return None
        return frame, pd.DataFrame({"file": path.name, "sheet": None, "row": rows.to_numpy()})
    from evalkit.load.spreadsheet import grids_of

    try:
        grids = grids_of(path, table=table, sheet=sheet)
        reading = read_by_schema(grids, table, mend=corrections.of_cells(declared, table))
    except DataError as error:
        found.append(finding("error", "not_understood", file=path.name, sheet=sheet, fault=reason(error)))
        return None
    except Exception as error:  # a reader's own exception means that the file is damaged
        fault = first_line(error)
        found.append(finding("error", "unreadable", file=path.name, sheet=sheet, fault=fault))
        return None
    found += corrections.told(reading.mended, declared, path.name)
    found += _of_notes(path.name, sheet, reading)
    found += _of_rejected(reading.rejected)
    found += _of_flags(reading)
    typed, _ = as_declared(reading.frame, table)
    if "name" in reading.frame and "name" not in typed:
        typed["printed_name"] = reading.frame["name"].astype("string")
    return typed, reading.origin[["file", "sheet", "row"]]


def _of_notes(file, sheet, reading):
    for note in reading.notes:
        said = note.parts["sentence"]
        if said.template == NO_UNIT:
            yield finding("error", "unit_unknown", file=file, sheet=sheet, column=said.parts["header"])
        elif said.template == ASSUMED:
            yield finding("warning", "measure_assumed", file=file, sheet=sheet, column=said.parts["field"])
        elif said.template == HIDDEN:
            yield finding("note", "hidden_cells", file=file, sheet=sheet, parts=said.parts["parts"])
        else:
            yield finding("note", "reading_note", file=file, sheet=sheet, note=note)


def _of_rejected(rejected):
    """An unread cell is an error; totals, notes and the like are one note for each reason."""
    cells = rejected[rejected["column"].notna()]
    for line in cells.itertuples():
        column = line.field or line.column
        where = {"file": line.file, "sheet": line.sheet, "row": int(line.row), "column": column}
        if pd.isna(line.value):
            yield finding("error", "missing_value", **where)
        else:
            yield finding("error", "wrong_kind", **where, value=line.value, fault=line.reason)
    others = rejected[rejected["column"].isna() & ~rejected["reason"].isin(_OUTSIDE)]
    for (file, sheet), lines in others.groupby(["file", "sheet"], dropna=False, sort=False):
        rows = {}
        for why, row in zip(lines["reason"], lines["row"], strict=True):
            rows.setdefault(why, []).append(row)
        reasons = [Said("{reason}: {rows}", reason=why, rows=listed(at)) for why, at in rows.items()]
        values = {"count": len(lines), "reasons": joined(reasons, "; ")}
        where = {"file": file, "sheet": None if pd.isna(sheet) else sheet, "row": int(lines["row"].iloc[0])}
        yield finding("note", "rows_set_aside", **where, **values)


_MARKS = {
    "preliminary": Said("preliminary"),
    "estimated": Said("estimated"),
    "footnote": Said("having a footnote"),
    "none_occurred": Said("none occurred (“-”)"),
    "not_collected": Said("not collected (“..”)"),
    "not_applicable": Said("not applicable (“x”)"),
    "scientific": Said("written as a power of ten"),
    "end_of_period": Said("the last day of the period that is given"),
}
_INEXACT = {
    "over": Said("more than the figure"),
    "under": Said("less than the figure"),
    "nearly": Said("nearly the figure"),
    "about": Said("about the figure"),
}


def _of_flags(reading):
    if reading.flags.empty:
        return
    file = reading.origin["file"].reindex(reading.flags["index"]).to_numpy()
    for (name, column, flag), marks in reading.flags.assign(file=file).groupby(["file", "column", "flag"]):
        found = {"file": name, "column": column, "count": len(marks)}
        if flag in _INEXACT:
            yield finding("warning", "inexact_figures", **found, flag=_INEXACT[flag])
        else:
            yield finding("note", "marked_figures", **found, flag=_MARKS[flag])
