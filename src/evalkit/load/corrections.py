"""corrections.csv: declared corrections of a delivery, applied on reading, which fail once the source is mended.

Columns: table, key ("code=08473;year=2019;programme=poor", or the key's columns themselves), column, value (the
right one), expectation (the faulty one that the source holds), reason. The delivered files stay as they came.
A cell that can't be read at all ("#REF!", "chưa có") is mended before its row is read: its expectation is the
printed text.
"""

from dataclasses import dataclass

import pandas as pd

from evalkit.load import schema
from evalkit.load.findings import finding, plain
from evalkit.load.folder import strange
from evalkit.load.numbers import Number
from evalkit.load.said import Said, first_line
from evalkit.load.terms import programme_names
from evalkit.load.text import fold, like, nearest

FILE = "corrections.csv"
_NEEDED = ("table", "column", "value", "expectation", "reason")


def read(folder, found):
    """Return the declared corrections as records with ``row``; faults of the file are appended to ``found``."""
    path = folder / FILE
    if not path.is_file() or strange(path, folder):
        return []
    try:
        lines = pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        found.append(finding("error", "unreadable", file=FILE, fault=first_line(error)))
        return []
    missing = [column for column in _NEEDED if column not in lines]
    for column in missing:
        near = like(nearest(column, lines.columns))
        found.append(finding("error", "missing_column", file=FILE, column=column, near=near))
    return [] if missing else lines.assign(row=range(2, len(lines) + 2)).to_dict("records")


@dataclass(frozen=True)
class Cell:
    """A declared correction of one cell as it is printed: ``key`` of its row, ``printed`` text, right ``value``."""

    table: str
    key: dict
    column: str
    printed: str
    value: object
    line: int

    def rows(self, keys):
        """Return the positions of the rows of ``keys`` (a frame of key columns) that are meant."""
        fits = [keys[name].map(lambda held, name=name: self._means(name, held)) for name in self.key]
        return [k for k, same in enumerate(zip(*fits, strict=True)) if all(same)]

    def _means(self, name, held):
        return _meant(name, plain(held)) == _meant(name, self.key[name].strip())


def of_cells(declared, table):
    """Return the ``Cell`` of each declared correction of a table that has a reason, a full key and a fit value."""
    cells = []
    for line in declared:
        if line["table"] != table or line["column"] not in schema.fields(table) or not line["reason"].strip():
            continue
        field, key = schema.fields(table)[line["column"]], _key(table, line)
        try:
            value = _typed(table, line["column"], line["value"])
        except _NoFit:
            continue
        if set(key) != set(schema.key(table)) or pd.isna(value) or not line["expectation"].strip():
            continue
        if field["type"] in ("number", "integer"):
            value = Number(float(value), field.get("unit"))  # in the schema's unit, whatever the column's
        elif field["type"] != "string":
            value = line["value"].strip()
        cells.append(Cell(table, key, line["column"], line["expectation"], value, line["row"]))
    return cells


def told(mended, declared, file):
    """Yield a note for each cell that was mended in reading; its correction counts as applied from then on."""
    by_line = {line["row"]: line for line in declared}
    for cell, sheet, row in mended:
        line = by_line[cell.line]
        line["applied"] = True
        said = {"value": cell.printed, "corrected": line["value"], "reason": line["reason"].strip()}
        where = {"file": file, "sheet": sheet, "row": row, "column": cell.column}
        key = ";".join(f"{name}={value}" for name, value in cell.key.items())
        yield finding("note", "corrected", **where, key=key, **said)


def apply(deliveries, corrections, found):
    """Return the deliveries ({table: Delivery}) with the corrections applied, each with a note.

    A correction that doesn't fit (no such row, no reason, another value than expected) is an error.
    """
    deliveries = dict(deliveries)
    for line in corrections:
        if line.get("applied"):
            continue
        try:
            deliveries[line["table"]] = _applied(deliveries, line, found)
        except _NoFit as fault:
            found.append(
                finding(
                    "error",
                    "correction_fails",
                    file=FILE,
                    row=line["row"],
                    value=line["value"],
                    fault=fault.args[0],
                )
            )
    return deliveries


class _NoFit(Exception):
    pass


def _applied(deliveries, line, found):
    table, column = line["table"], line["column"]
    if table not in deliveries:
        raise _NoFit(
            Said(
                "there is no table “{table}”{near}. Correct the name.",
                table=table,
                near=like(nearest(table, deliveries)),
            )
        )
    if column not in schema.fields(table):
        near = like(nearest(column, schema.fields(table)))
        raise _NoFit(
            Said("{table} has no column “{column}”{near}. Correct it.", table=table, column=column, near=near)
        )
    if not line["reason"].strip():
        raise _NoFit(Said("the reason is empty. Say why the delivered value is wrong, and who confirmed it."))
    delivery = deliveries[table]
    index = _row(delivery, line)
    right, held = _typed(table, column, line["value"]), delivery.frame.at[index, column]
    try:
        expected = _typed(table, column, line["expectation"])
    except _NoFit:  # a text that no longer stands there, or its row would have been mended in reading
        expected = f"“{line['expectation']}”"
    if plain(held) != plain(expected):
        mended = plain(held) == plain(right)
        mend = (
            Said("The source has been mended: remove the correction.")
            if mended
            else Said("Look at the source again.")
        )
        raise _NoFit(
            Said(
                "{column} was expected to be {expected}, but is {held}. {mend}",
                column=column,
                expected=plain(expected) or Said("empty"),
                held=plain(held) or Said("empty"),
                mend=mend,
            )
        )
    said = {
        "value": plain(held) or Said("an empty cell"),
        "corrected": plain(right),
        "reason": line["reason"].strip(),
    }
    found.append(delivery.finding("note", "corrected", index, column, **said))
    frame = delivery.frame.copy()
    frame.loc[index, column] = right
    return delivery.with_frame(frame)


def _row(delivery, line):
    key = schema.key(delivery.table)
    given = _key(delivery.table, line)
    missing = [name for name in key if name not in given]
    unknown = [name for name in given if name not in key]
    if unknown or missing:
        named = ", ".join(given) or Said("nothing")
        raise _NoFit(Said("the key should name {key}; it names {named}.", key=", ".join(key), named=named))
    rows = delivery.frame
    for name in key:
        wanted = _meant(name, plain(_typed(delivery.table, name, given[name].strip())))
        rows = rows[rows[name].map(lambda held, name=name: _meant(name, plain(held))) == wanted]
    if len(rows) != 1:
        shown = ";".join(f"{name}={given[name]}" for name in key)
        raise _NoFit(
            Said(
                "{count} rows of {table} have the key {key}. Correct the key.",
                count=len(rows),
                table=delivery.table,
                key=shown,
            )
        )
    return rows.index[0]


def _key(table, line):
    given = dict(part.split("=", 1) for part in line.get("key", "").split(";") if "=" in part)
    return given | {name: line[name] for name in schema.key(table) if line.get(name, "")}


def _meant(name, text):
    """A key's text to compare by: a programme by its code, however the delivery and the correction call it."""
    return programme_names().get(fold(text), text) if name == "programme" else text


def _typed(table, column, text):
    frame, wrong = schema.typed(pd.DataFrame({column: pd.array([text], dtype="string")}), table)
    if wrong:
        raise _NoFit(Said("“{text}” can't be a value of {column}. Correct it.", text=text, column=column))
    return frame[column].iloc[0]
