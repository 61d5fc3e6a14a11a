"""What is checked of every table by itself: the schema's constraints, keys, repeated rows, dates to come."""

import numpy as np
import pandas as pd

from evalkit.load import schema
from evalkit.load.findings import finding, listed
from evalkit.load.said import Said
from evalkit.load.text import like, nearest

_CODE = "five digits for a commune, three for a district, two for a province"
_DATE = "2019, 2019-06 or 2019-06-30"
_NEVER_EMPTY_ROWS = ("communes", "facts", "loans", "repayments")
_REMARKS = {"note", "printed_name"}
_MAY_BE_TO_COME = {"due_on", "valid_to", "valid_from"}


def table(delivery, found):
    """Check a delivery against the schema and return it without repeated and empty rows.

    Findings are appended to ``found``.
    """
    delivery = _without_empty_rows(delivery, found)
    found += _constraints(delivery)
    found += _to_come(delivery, pd.Timestamp.now())
    delivery = _without_repeated(delivery, found)
    found += _duplicates(delivery)
    return delivery


def _without_empty_rows(delivery, found):
    """Leave out rows that hold keys and no figure: forms come back with lines that didn't apply."""
    fields, key = schema.fields(delivery.table), schema.key(delivery.table)
    figures = [c for c, f in fields.items() if f["type"] in ("number", "integer", "boolean") and c not in key]
    if delivery.table in _NEVER_EMPTY_ROWS or not figures:
        return delivery
    empty = delivery.frame[figures].isna().all(axis=1)
    for (file, sheet), rows in delivery.origin[empty].groupby(["file", "sheet"], dropna=False, sort=False):
        where = {"file": file, "sheet": None if pd.isna(sheet) else sheet, "row": int(rows["row"].iloc[0])}
        found.append(finding("note", "empty_rows", **where, count=len(rows), rows=listed(rows["row"])))
    return delivery.with_frame(delivery.frame[~empty])


def _constraints(delivery):
    frame = delivery.frame
    for column, field in schema.fields(delivery.table).items():
        limits, values = field.get("constraints", {}), frame[column]
        if limits.get("required"):
            for index in frame.index[values.isna()]:
                yield delivery.finding("error", "missing_value", index, column)
        if field["type"] in ("number", "integer"):
            low, high = limits.get("minimum", -np.inf), limits.get("maximum", np.inf)
            outside = (values < low) | (values > high) | (values.abs() == np.inf)
            low_said, high_said = limits.get("minimum", "−∞"), limits.get("maximum", "∞")
            bounds = Said("{low} to {high}", low=low_said, high=high_said)
            for index in frame.index[outside.fillna(False).astype(bool)]:
                yield delivery.finding("error", "out_of_bounds", index, column, bounds=bounds)
        if "enum" in limits:
            for index, value in values[values.notna() & ~values.isin(limits["enum"])].items():
                near = like(nearest(value, limits["enum"]))
                allowed = ", ".join(_usual(name, limits) for name in limits["enum"])
                yield delivery.finding("error", "not_allowed", index, column, allowed=allowed, near=near)
        if "pattern" in limits:
            texts = values.dropna().astype("string")
            fits = texts.str.fullmatch(limits["pattern"]).astype(bool)
            fits &= texts.str.len() <= limits.get("maxLength", np.inf)
            for index in fits.index[~fits]:
                form = Said(_CODE) if "[0-9]{5}" in limits["pattern"] else Said(_DATE)
                yield delivery.finding("error", "bad_format", index, column, expected=form)


def _usual(name, limits):
    """A name of a list as an office writes it, with the name itself: "Hội Phụ nữ (women)"."""
    spellings = limits.get("enumLabels", {}).get(name)
    return f"{spellings[0]} ({name})" if spellings else name


def _to_come(delivery, now):
    frame = delivery.frame
    for column, field in schema.fields(delivery.table).items():
        if column == "year":
            later = frame["year"] > now.year
        elif field["type"] == "date" and column not in _MAY_BE_TO_COME:
            later = frame[column] > now
        else:
            continue
        for index in frame.index[later.fillna(False).astype(bool)]:
            yield delivery.finding("error", "in_future", index, column)


def _without_repeated(delivery, found):
    """Leave out rows that repeat an earlier row; they may differ in remarks alone."""
    frame = delivery.frame
    facts = [*schema.key("facts"), "unit", "qualifier"]  # its other columns say how a page was read
    columns = facts if delivery.table == "facts" else [c for c in frame if c not in _REMARKS]
    repeated = frame.duplicated(columns)
    if not repeated.any():
        return delivery
    sheets = delivery.origin["sheet"].map(lambda sheet: f" ({sheet})", na_action="ignore").fillna("")
    files = delivery.origin["file"] + sheets.astype(str)
    whole = repeated.groupby(files).transform("all")
    for file in files[whole].unique():
        rows = frame[files == file]
        first = frame[~repeated].merge(rows[columns].head(1), on=columns, how="inner")
        others = files[frame.index[~repeated]].unique()
        values = {"count": len(rows), "first": ", ".join(others) if len(first) else "another file"}
        found.append(finding("warning", "repeated_delivery", file=file, **values))
    for index in frame.index[repeated & ~whole]:
        found.append(delivery.finding("note", "repeated_row", index))
    return delivery.with_frame(frame[~repeated])


def _duplicates(delivery):
    keys, frame = schema.key(delivery.table), delivery.frame
    again = frame.duplicated(keys)
    if not again.any():
        return
    first = frame.groupby(keys, dropna=False, sort=False)[keys[0]].transform(lambda rows: rows.index[0])
    for index in frame.index[again]:
        shown = ", ".join(str(v) for v in frame.loc[index, keys] if pd.notna(v))
        values = {"key_columns": " + ".join(keys), "first": delivery.label(first[index]), "value": shown}
        yield delivery.finding("error", "duplicate_key", index, **values)
