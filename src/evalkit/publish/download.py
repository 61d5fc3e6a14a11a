"""The values behind a figure as CSV that a spreadsheet reads without running anything."""

import csv
import io

FORMULA = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"  # without it spreadsheets misread Vietnamese letters


def table_csv(block, place):
    """Return the block's machine values as CSV text: place_id, code, then a column per key with its unit.

    A value that isn't there or stays hidden is an empty cell, never 0. A text that a spreadsheet would take
    for a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["place_id", "code", *(_header(column) for column in block["columns"])])
    for row in block["raw"]:
        writer.writerow([place["place_id"], place["code"], *(_cell(value) for value in row)])
    return BOM + text.getvalue()


def _header(column):
    return _cell(f"{column['key']} ({column['unit']})" if column["unit"] else column["key"])


def _cell(value):
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
