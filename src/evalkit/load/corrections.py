"""corrections.csv: declared corrections of a delivery, applied on reading, which fail once the source is mended.

Columns: table, key ("code=08473;year=2019;programme=poor", or the key's columns themselves), column, value (the
right one), expectation (the faulty one that the source holds), reason. The delivered files stay as they came.
"""

import pandas as pd

from evalkit.load import schema
from evalkit.load.findings import finding, plain
from evalkit.load.text import like, nearest

FILE = "corrections.csv"
_NEEDED = ("table", "column", "value", "expectation", "reason")


def read(folder, found):
    """Return the declared corrections as records with ``row``; faults of the file are appended to ``found``."""
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        lines = pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        found.append(finding("error", "unreadable", file=FILE, fault=str(error).splitlines()[0]))
        return []
    missing = [column for column in _NEEDED if column not in lines]
    for column in missing:
        near = like(nearest(column, lines.columns))
        found.append(finding("error", "missing_column", file=FILE, column=column, near=near))
    return [] if missing else lines.assign(row=range(2, len(lines) + 2)).to_dict("records")


def apply(deliveries, corrections, found):
    """Return the deliveries ({table: Delivery}) with the corrections applied, each with a note.

    A correction that doesn't fit (no such row, no reason, another value than expected) is an error.
    """
    deliveries = dict(deliveries)
    for line in corrections:
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
                    fault=str(fault),
                )
            )
    return deliveries


class _NoFit(Exception):
    pass


def _applied(deliveries, line, found):
    table, column = line["table"], line["column"]
    if table not in deliveries:
        raise _NoFit(f"there is no table “{table}”{like(nearest(table, deliveries))}. Correct the name.")
    if column not in schema.fields(table):
        raise _NoFit(
            f"{table} has no column “{column}”{like(nearest(column, schema.fields(table)))}. Correct it."
        )
    if not line["reason"].strip():
        raise _NoFit("the reason is empty. Say why the delivered value is wrong, and who confirmed it.")
    delivery = deliveries[table]
    index = _row(delivery, line)
    expected, right = (_typed(table, column, line[name]) for name in ("expectation", "value"))
    held = delivery.frame.at[index, column]
    if plain(held) != plain(expected):
        mended = plain(held) == plain(right)
        mend = "The source has been mended: remove the correction." if mended else "Look at the source again."
        raise _NoFit(
            f"{column} was expected to be {plain(expected) or 'empty'}, but is {plain(held) or 'empty'}. {mend}"
        )
    said = {
        "value": plain(held) or "an empty cell",
        "corrected": plain(right),
        "reason": line["reason"].strip(),
    }
    found.append(delivery.finding("note", "corrected", index, column, **said))
    frame = delivery.frame.copy()
    frame.loc[index, column] = right
    return delivery.with_frame(frame)


def _row(delivery, line):
    key = schema.key(delivery.table)
    given = dict(part.split("=", 1) for part in line.get("key", "").split(";") if "=" in part)
    given |= {name: line[name] for name in key if line.get(name, "")}
    missing = [name for name in key if name not in given]
    unknown = [name for name in given if name not in key]
    if unknown or missing:
        raise _NoFit(f"the key should name {', '.join(key)}; it names {', '.join(given) or 'nothing'}.")
    rows = delivery.frame
    for name in key:
        wanted = plain(_typed(delivery.table, name, given[name].strip()))
        rows = rows[rows[name].map(plain) == wanted]
    if len(rows) != 1:
        shown = ";".join(f"{name}={given[name]}" for name in key)
        raise _NoFit(f"{len(rows)} rows of {delivery.table} have the key {shown}. Correct the key.")
    return rows.index[0]


def _typed(table, column, text):
    frame, wrong = schema.typed(pd.DataFrame({column: pd.array([text], dtype="string")}), table)
    if wrong:
        raise _NoFit(f"“{text}” is no {schema.fields(table)[column]['type']} as {column} needs. Correct it.")
    return frame[column].iloc[0]
