"""Cells of one column turned into the type that the schema declares, each failure with its reason."""

import datetime
import math
import re
from dataclasses import dataclass, field

import pandas as pd

from evalkit.errors import DataError
from evalkit.load.dates import parse_date
from evalkit.load.figures import read_numbers
from evalkit.load.numbers import TOO_LARGE, Number, parse_number
from evalkit.load.said import Said, reason
from evalkit.load.schema import LARGEST_EXACT
from evalkit.load.text import fold, nfc
from evalkit.load.units import Unit

_TRUE = frozenset({"true", "1", "co", "x", "yes"})
_FALSE = frozenset({"false", "0", "khong", "no"})
_PARTIAL_DATE = "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"


@dataclass
class Converted:
    """``values`` of a column; by position its ``faults`` (reasons) and ``flags``; ``notes`` on the whole."""

    values: pd.Series
    faults: dict[int, str] = field(default_factory=dict)
    flags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def convert(cells, declared, *, unit=None):
    """``Converted`` cells (a list) of a column that the schema declares as ``declared``.

    ``unit`` is the ``Unit`` its figures are printed in; they come out in the declared unit.
    Raises DataError where ``unit`` is of another kind (a percentage where an amount is declared).
    """
    kind = declared["type"]
    if kind in ("number", "integer"):
        return _numbers(cells, declared, unit)
    if kind == "date":
        return _dates(cells, to_the_day=declared["name"] != "as_of")
    if kind == "boolean":
        return _booleans(cells)
    constraints = declared.get("constraints", {})
    if "[0-9]{5}" in constraints.get("pattern", ""):
        return _codes(cells, re.compile(constraints["pattern"]))
    if constraints.get("pattern") == _PARTIAL_DATE:
        return _partial_dates(cells)
    return _texts(cells, constraints.get("enumLabels") or dict.fromkeys(constraints.get("enum", ()), ()))


def _numbers(cells, declared, unit):
    base = declared.get("unit")
    if unit is not None and unit.name is not None and base is not None and unit.name != base:
        raise DataError(Said("is in {unit} where the schema declares {base}", unit=unit.name, base=base))
    if declared["name"] == "year":
        return _years(cells)
    expected = Unit(base, unit.exponent if unit else 0)
    read = read_numbers(cells, unit=expected, admissible=_admissible(declared))
    whole = declared["type"] == "integer"
    faults = dict(read.faults)
    if whole:
        for i, value in enumerate(read.values):
            if value == value and value % 1:
                faults[i] = Said("“{text}” is not whole.", text=_shown(cells[i]))
            elif abs(value) > LARGEST_EXACT:
                faults[i] = Said(TOO_LARGE, text=_shown(cells[i]))
    values = pd.Series([math.nan if i in faults else v for i, v in enumerate(read.values)], dtype="float64")
    return Converted(values.astype("Int64") if whole else values, faults, read.flags)


def _admissible(declared):
    """The law of the quantity that may settle two readings: whole counts and đồng, bounded shares."""
    limits = declared.get("constraints", {})
    whole = declared["type"] == "integer" or declared.get("unit") == "VND"
    low, high = limits.get("minimum", -math.inf), limits.get("maximum", math.inf)
    return lambda value: math.isnan(value) or (low <= value <= high and not (whole and value % 1))


def _years(cells):
    values, faults, flags = [], {}, {}
    for i, cell in enumerate(cells):
        values.append(pd.NA)
        if cell is None:
            continue
        if isinstance(cell, datetime.date):
            values[i] = cell.year
            continue
        text = (
            re.sub(r"^\s*(?:năm|year)\s*", "", cell, flags=re.IGNORECASE) if isinstance(cell, str) else cell
        )
        try:
            number = parse_number(text)
        except DataError:
            faults[i] = Said("“{text}” is no year. Write it as in 2019.", text=cell)
            continue
        if number.value != number.value or number.value % 1 or abs(number.value) > LARGEST_EXACT:
            faults[i] = Said("“{text}” is no year. Write it as in 2019.", text=cell)
            continue
        values[i] = int(number.value)
        if number.flags:
            flags[i] = number.flags
    return Converted(pd.Series(values, dtype="Int64"), faults, flags)


def _spans(cells):
    """({position: (first day, last day)} of the cells that name a date, {position: fault} of the others)."""
    spans, faults = {}, {}
    for i, cell in enumerate(cells):
        try:
            if cell is not None:
                spans[i] = parse_date(cell)
        except DataError as error:
            faults[i] = reason(error)
    return spans, faults


def _dates(cells, *, to_the_day):
    spans, faults = _spans(cells)
    values, flags = [None] * len(cells), {}
    for i, (first, last) in spans.items():
        if first != last and to_the_day:
            said = "“{text}” is no single day. Write the day, as in 31/12/2019."
            faults[i] = Said(said, text=_shown(cells[i]))
            continue
        values[i] = last
        if first != last:
            flags[i] = ("end_of_period",)
    return Converted(pd.Series(pd.to_datetime(values).to_numpy(), dtype="datetime64[us]"), faults, flags)


def _partial_dates(cells):
    """Dates kept as exact as they are written: "2019", "2019-06", "2019-06-30"; a quarter is its last day."""
    spans, faults = _spans(cells)
    values = [None] * len(cells)
    for i, (first, last) in spans.items():
        if first.month == 1 and last.month == 12:
            values[i] = f"{last:%Y}"
        else:
            one_month = first.day == 1 and first.month == last.month and first != last
            values[i] = f"{last:%Y-%m}" if one_month else f"{last:%Y-%m-%d}"
    return Converted(pd.Series(values, dtype="str"), faults)


def _booleans(cells):
    values, faults = [], {}
    for i, cell in enumerate(cells):
        folded = None if cell is None else fold(_shown(cell))
        values.append(True if folded in _TRUE else False if folded in _FALSE else pd.NA)
        if folded is not None and values[i] is pd.NA:
            faults[i] = Said("“{text}” is neither yes nor no. Write có or không.", text=cell)
    return Converted(pd.Series(values, dtype="boolean"), faults)


def _texts(cells, labels):
    """Text as written; a label of an enumeration becomes its name ("Tốt" is good), other texts stay."""
    name_of = {fold(spelling): name for name, usual in labels.items() for spelling in (name, *usual)}
    values, faults = [], {}
    for i, cell in enumerate(cells):
        text = None if cell is None else _shown(cell)
        if text is not None and (fault := _lost(cell)):
            faults[i] = fault
        values.append(name_of.get(fold(text), text) if text is not None and labels else text)
    return Converted(pd.Series(values, dtype="str"), faults)


def _codes(cells, pattern):
    """Administrative codes as text; a zero that a spreadsheet dropped in front of four digits is put back.

    Where one code of a column shows that zeros were dropped, a short code of the column may be any unit's.
    """
    texts = [None if cell is None else _shown(cell) for cell in cells]
    dropped = any(t is not None and re.fullmatch("[0-9]|[0-9]{4}", t) for t in texts)
    values, faults, mended = list(texts), {}, 0
    for i, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        if text is None:
            continue
        short = re.fullmatch("[0-9]{1,3}", text) is not None
        if re.fullmatch("[0-9]{4}", text):
            values[i] = f"0{text}"
            mended += 1
        elif not pattern.fullmatch(text) or (short and (dropped or not isinstance(cell, str))):
            faults[i] = _code_fault(cell, text, short)
    note = Said("{count} codes of four digits had lost their leading zero; it was put back", count=mended)
    return Converted(pd.Series(values, dtype="str"), faults, notes=[note] if mended else [])


def _code_fault(cell, text, short):
    if fault := _lost(cell):
        return fault
    if short:
        return Said(
            "“{text}” is a number whose leading zeros are gone: commune, district or province? Write text.",
            text=text,
        )
    return Said(
        "“{text}” is no code: five digits for a commune, three for a district, two for a province.", text=text
    )


def _lost(cell):
    if isinstance(cell, str) and (
        (cell.startswith("#") and cell.endswith(("!", "?", "/A"))) or cell.startswith("=")
    ):
        return Said(
            "“{text}” is an error of the spreadsheet, or a formula without a stored value. Mend it and save.",
            text=cell,
        )
    if isinstance(cell, (int, float)) and abs(cell) > LARGEST_EXACT:
        return Said("“{text}” has lost its last digits as a number. Write it as text.", text=f"{cell:.0f}")
    return None


def _shown(cell):
    """A cell as the text a reader sees: 12.0 is "12", a date is ISO."""
    if isinstance(cell, str):
        return nfc(cell)
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, Number):
        return f"{cell.value:g}%"
    if isinstance(cell, float) and cell % 1 == 0:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    return str(cell)
