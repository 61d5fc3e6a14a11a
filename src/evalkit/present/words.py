"""Words and numbers in the reader's language: Vietnamese and English.

Every sentence is written once, in English, where it is used; the catalogue in ``locale/vi`` holds its
Vietnamese. Numbers follow the reader's habit: 26,5 tỷ đồng in Vietnamese, 26.5 billion VND in English.
"""

import math
import re
from functools import lru_cache
from importlib.resources import files

import pandas as pd
from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol

from evalkit.errors import ParameterError
from evalkit.load import reference, schema

LANGUAGES = ("vi", "en")
_PER = {"VND/person/month": " per person per month", "VND/person/year": " per person per year"}
_SCALES = {  # VND, from which amount on; thousands of billions stay billions, as newspapers and the bank write them
    "vi": [(1e9, "tỷ đồng"), (1e6, "triệu đồng"), (1, "đồng")],
    "en": [(1e9, "billion VND"), (1e6, "million VND"), (1, "VND")],
}


@lru_cache
def catalogue(lang):
    """Return the sentences of a language by their English."""
    with files("evalkit.present").joinpath(f"locale/{lang}.po").open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale=lang) if m.id and m.string}


def t(message, lang, **values):
    """Return a message in a language, its ``{names}`` filled with ``values``.

    Raises ParameterError for an unknown language, KeyError for a message that the catalogue lacks.
    """
    if lang not in LANGUAGES:
        raise ParameterError(f"lang = {lang!r}: write one of {', '.join(LANGUAGES)}.")
    text = message if lang == "en" else catalogue(lang)[message]
    return text.format(**values) if values else text


def translated(message, lang):
    """Return a message in a language where the catalogue holds it, as it is where not."""
    return message if lang == "en" else catalogue(lang).get(message, message)


def indicator(name, lang):
    """Return the label of an indicator."""
    return _indicators()[name][f"label_{lang}"]


def name_of(value, lang):
    """Return the label of an indicator or of a column of the schema; any other text as it is."""
    if value in _indicators():
        return indicator(value, lang)
    columns = (schema.fields(table) for table in schema.tables())
    return next((c[value]["label"][lang] for c in columns if isinstance(value, str) and value in c), value)


@lru_cache
def _indicators():
    return reference.table("indicators").set_index("indicator").to_dict("index")


def section(name):
    """Return the section of the report to which an indicator belongs."""
    return _indicators()[name]["section"]


def decimal(value, lang, digits=1):
    """Return a number with at most ``digits`` decimals, in the reader's habit; missing is an en dash."""
    if value is None or pd.isna(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    said = f"{round(float(value), digits):,.{digits}f}"
    return (said.rstrip("0").rstrip(".") if digits else said).translate(_symbols(lang))


@lru_cache
def _symbols(lang):
    return str.maketrans({",": get_group_symbol(lang), ".": get_decimal_symbol(lang), "-": "−"})


def money(value, lang):
    """Return an amount of VND in the scale that a reader of the language would use."""
    if value is None or pd.isna(value):
        return "–"
    size, name = next(((s, n) for s, n in _SCALES[lang] if abs(value) >= s), _SCALES[lang][-1])
    return f"{decimal(value / size, lang, 1 if size > 1 else 0)} {name}"


def quantity(value, unit, lang):
    """Return a number with its unit, as it stands in running text and tables."""
    if value is None or pd.isna(value):
        return "–"
    if unit == "year":
        return f"{value:.0f}"
    if unit.startswith("VND"):
        per = t(_PER[unit], lang) if unit in _PER else ""
        return money(value, lang) + per
    if unit == "percent":
        return f"{decimal(value, lang, 2)} %" if lang == "en" else f"{decimal(value, lang, 2)}%"
    return f"{decimal(value, lang, 1)} {unit_name(unit, lang)}".strip()


def unit_name(unit, lang):
    """Return the name of a unit: empty for plain counts and indices, as the data write it where it is not known."""
    if unit in ("count", "index", "ratio"):
        return ""
    if unit.startswith("index, "):
        return f"({unit.removeprefix('index, ')})"
    known = f"unit: {unit}"
    return t(known, lang).removeprefix("unit: ") if lang == "en" or known in catalogue(lang) else unit


def rounded(value, unit, lang):
    """Return a computed number with its unit, rounded to what its inputs can bear: one decimal, or two digits."""
    if value is None or pd.isna(value):
        return "–"
    if unit == "percent" and 0 < abs(value) < 1:
        value = float(f"{value:.2g}")
    elif unit == "percent":
        value = round(value, 1)
    return quantity(value, unit, lang)


def date(value, lang):
    """Return a date in the reader's habit: 31/12/2024, 31 December 2024."""
    if pd.isna(value):
        return "–"
    pattern = "dd/MM/yyyy" if lang == "vi" else "d MMMM yyyy"
    return format_date(pd.Timestamp(value).date(), pattern, locale=lang)


def enumeration(parts, lang):
    """Return texts one after the other: 2014, 2015 and 2021. (Babel has no list of three in Vietnamese.)"""
    *others, last = parts
    return t("{others} and {last}", lang, others=", ".join(others), last=last) if others else last


def dated(text, lang):
    """Return a text in which each ISO date stands in the reader's habit: QĐ 09/2011/QĐ-TTg (30/01/2011)."""
    return re.sub(r"\b\d{4}-\d{2}-\d{2}\b", lambda found: date(found[0], lang), text)


def period(text, lang):
    """Return a printed period ("2024", "2018-03", "2014/2024", missing) for a reader."""
    if text is None or pd.isna(text):
        return t("undated", lang)
    if "/" in text:
        return "–".join(period(part, lang) for part in text.split("/"))
    if len(text) == 4:
        return text
    if len(text) == 7:
        return (
            f"{text[5:]}/{text[:4]}"
            if lang == "vi"
            else format_date(pd.Timestamp(text).date(), "MMM yyyy", locale=lang)
        )
    return date(text, lang)


def standard(basis, lang):
    """Return a poverty standard's name, or that it is not stated."""
    if basis is None or pd.isna(basis) or basis == "":
        return t("standard not stated", lang)
    return _standards()[basis][f"label_{lang}"]


@lru_cache
def _standards():
    return reference.standards().to_dict("index")
