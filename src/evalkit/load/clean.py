"""The short way for clean files: UTF-8 CSV and Parquet with the schema's own names and plain figures.

Whatever isn't plain at first sight (another header, a comma, a lone "1.234") is left to the full reader.
"""

import pandas as pd

from evalkit.errors import DataError
from evalkit.load import schema
from evalkit.load.encodings import composed
from evalkit.load.findings import finding
from evalkit.load.frames import read_frame
from evalkit.load.grid import MOST_BYTES, split_text
from evalkit.load.headers import spellings
from evalkit.load.text import fold, like, nearest, nfc
from evalkit.load.units import without_unit

_WHOLE = r"-?(?:0|[1-9]\d*)(?:\.0{1,2})?"
_DECIMAL = r"-?(?:0|[1-9]\d*)(?:\.\d+)?"
_TWO_READINGS = r"-?[1-9]\d{0,2}\.\d{3}"
_POINT = r"-?(?:\d{4,}\.\d+|0\.\d+|\d+\.(?:\d{1,2}|\d{4,}))"
_BOOLEANS = {"true", "false"}


def read_clean(path, table):
    """Return (typed frame, row numbers, findings) of a clean file, or None where it needs the full reader."""
    if path.suffix.lower() == ".parquet":
        return _parquet(path, table)
    return _csv(path, table) if path.suffix.lower() == ".csv" else None


def _parquet(path, table):
    try:
        frame, _ = read_frame(path)
    except DataError:  # the full reader says why
        return None
    if not set(schema.required(table)) <= set(frame.columns) <= set(schema.fields(table)):
        return None
    kinds = {name: field["type"] for name, field in schema.fields(table).items()}
    if any(pd.api.types.is_string_dtype(frame[c]) != (kinds[c] == "string") for c in frame.columns):
        return None
    typed, _ = as_declared(frame.reset_index(drop=True), table)
    return typed, pd.Series(range(2, len(frame) + 2)), []


def _csv(path, table):
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        text = composed(path.read_bytes().decode("utf-8-sig"))
        lines = split_text(path.name, text, ",", strict=True)
    except (UnicodeDecodeError, OSError, DataError):  # the full reader says why
        return None
    header = [cell.strip() for cell in lines[0]] if lines else []
    if not _own_names(header, table):
        return None
    found = _of_header(path.name, header, table)
    if any(f["severity"] == "error" for f in found):
        return pd.DataFrame(), pd.Series(dtype=int), found
    numbered = [(i, line) for i, line in enumerate(lines[1:], start=2) if any(cell.strip() for cell in line)]
    for i, line in numbered:
        if len(line) != len(header):
            found.append(
                finding("error", "ragged_row", file=path.name, row=i, found=len(line), expected=len(header))
            )
    whole = [(i, line) for i, line in numbered if len(line) == len(header)]
    frame = pd.DataFrame([line for _, line in whole], columns=header, dtype="string")
    frame = frame[[c for c in header if c in schema.fields(table)]]
    frame = frame.apply(lambda column: column.str.strip().replace("", pd.NA))
    frame = frame.apply(_composed)
    if not all(_is_plain(frame[name].dropna(), schema.fields(table)[name]) for name in frame):
        return None
    typed, wrong = as_declared(frame, table)
    return None if wrong else (typed, pd.Series([i for i, _ in whole], dtype=int), found)


def as_declared(frame, table):
    """``schema.typed``, with all dates in microseconds, however they were read."""
    typed, wrong = schema.typed(frame, table)
    dates = [name for name, field in schema.fields(table).items() if field["type"] == "date"]
    return typed.astype(dict.fromkeys(dates, "datetime64[us]")), wrong


def _own_names(header, table):
    known = schema.fields(table)
    others = [name for name in header if name not in known]
    return (
        len(set(header)) == len(header)
        and 2 * (len(header) - len(others)) >= len(header)
        and not any(fold(without_unit(name)) in spellings(table) for name in others)
    )


def _of_header(file, header, table):
    known, found = schema.fields(table), []
    others = [name for name in header if name not in known]
    for column in schema.required(table):
        if column not in header:
            near = like(nearest(column, others))
            found.append(finding("error", "missing_column", file=file, column=column, near=near))
    for column in filter(None, others):
        near = like(nearest(column, [name for name in known if name not in header]))
        found.append(finding("note", "unknown_column", file=file, column=column, near=near))
    return found


def _composed(column):
    """Texts in composed Unicode with single spaces, as the full reader has them."""
    usual = {text: nfc(text) for text in column.dropna().unique()}
    return column if all(a == b for a, b in usual.items()) else column.map(usual).astype("string")


def _is_plain(text, field):
    kind, limits = field["type"], field.get("constraints", {})
    if kind in ("number", "integer"):
        whole = kind == "integer" or field.get("unit") == "VND"
        return _are_plain_numbers(text, _WHOLE if whole else _DECIMAL)
    if kind == "date":
        return text.str.fullmatch(r"\d{4}-\d{2}-\d{2}").all()
    if kind == "boolean":
        return text.str.lower().isin(_BOOLEANS).all()
    if "enum" in limits:
        return text.isin(limits["enum"]).all()
    if "pattern" in limits:
        return text.str.fullmatch(limits["pattern"]).all()
    return not text.str.match(r"[#=]").any()


def _are_plain_numbers(text, form):
    """Whether each text has one reading; one that a decimal point elsewhere in the column decides is fine."""
    if not text.str.fullmatch(form).all():
        return False
    return not text.str.fullmatch(_TWO_READINGS).any() or text.str.fullmatch(_POINT).any()
