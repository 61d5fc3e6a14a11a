"""Values as CSV that a spreadsheet reads without running anything."""

import csv
import io

FORMULA = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"  # without it spreadsheets misread Vietnamese letters


def table_csv(block, place):
    """Return the block's machine values as CSV text: place_id, code, then a column per key with its unit.

    A value that isn't there or stays hidden is an empty cell, never 0. A text that a spreadsheet would take
    for a formula gets an apostrophe in front.
    """
    header = ["place_id", "code", *(_header(column) for column in block["columns"])]
    return rows_csv(header, ([place["place_id"], place["code"], *row] for row in block["raw"]))


def rows_csv(header, rows):
    """Return rows as CSV text under a header, each cell safe for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe(name) for name in header])
    writer.writerows([safe(value) for value in row] for row in rows)
    return BOM + text.getvalue()


def write_csv(path, frame):
    """Write a frame as CSV: empty where missing, an infinite bound empty too, dates in ISO form, texts safe."""
    out = frame.copy()
    for column in out:
        if out[column].dtype.kind == "M":
            out[column] = out[column].dt.strftime("%Y-%m-%d")
        elif out[column].dtype.kind == "f":
            out[column] = out[column].where(out[column].abs() != float("inf"))
        elif out[column].dtype.kind in "OTU":
            out[column] = out[column].map(safe, na_action="ignore")
    out.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def safe(value):
    """Return a value as a cell: empty for what is missing, an apostrophe before what would run as a formula."""
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _header(column):
    return f"{column['key']} ({column['unit']})" if column["unit"] else column["key"]
