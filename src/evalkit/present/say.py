"""How indicator rows are put into words, shared by tables, texts and charts."""

import math
from functools import lru_cache

import pandas as pd

from evalkit.load import reference
from evalkit.present import words
from evalkit.present.words import t

_PRINTED = {"over": "over {x}", "nearly": "nearly {x}", "about": "about {x}", "under": "under {x}"}
_METHODS = {
    "review": "household review",
    "survey": "living-standards survey",
    "self_survey": "surveyed by the commune itself",
    "bank": "bank's books, as published",
    "press": "press",
    "yearbook": "statistical yearbook",
    "register": "official list",
}
_FLAGS = {
    "computed": "computed here",
    "preliminary": "preliminary",
    "date_inferred": "date inferred",
    "basis_inferred": "standard inferred from the date",
    "basis_unknown": "standard not stated",
    "undated": "undated",
    "printed_error": "printed with an error",
    "reading_inferred": "meaning inferred",
    "one_union": "one union's portfolio only",
    "one_programme": "one programme only",
    "part": "a part of the place only",
    "nearly_whole": "a few of its communes have no figure",
    "uncertain": "coverage uncertain",
    "flow": "sum over a period",
    "repeats": "a household in two programmes may be counted twice",
    "household_weights": "weighted by households, not persons",
    "sample": "estimated from a sample",
    "bridged": "carried over to the other standard: a band, not a figure",
    "other_figures": "other figures published",
    "hidden": "hidden to protect households",
}
PARTS = (
    "one_union",
    "one_programme",
    "part",
    "uncertain",
)  # flags of figures that may leave out some of the place


def value(row, lang):
    """Return a row's value as it may be said: as printed, or as far as its bounds allow where it was computed."""
    flags = flags_of(row)
    if "hidden" in flags:
        return t("hidden", lang)
    if pd.isna(row["value"]):
        return "–"
    if "computed" not in flags:
        printed = next((q for q in _PRINTED if q in flags), None)
        said = words.quantity(row["value"], row["unit"], lang)
        return t(_PRINTED[printed], lang, x=said) if printed else said
    return bounds(row, lang)


def of_the_whole(rows):
    """Return which rows are figures of the whole place, as far as is known."""
    return [flags_of({"flags": flags}).isdisjoint(PARTS) for flags in rows["flags"]]


def with_scope(row, lang):
    """Return a row's value, and in brackets of what it is where that is not, or not surely, the whole place."""
    scope = [t(_FLAGS[flag], lang) for flag in PARTS if flag in flags_of(row)]
    return f"{value(row, lang)} ({'; '.join(scope)})" if scope else value(row, lang)


def bounds(row, lang):
    """Return a computed value as its bounds allow it to be said: exact, over, at most, between, or about."""
    low = row["lower"] if pd.notna(row["lower"]) else 0.0
    high = row["upper"] if pd.notna(row["upper"]) else math.inf
    said = {
        k: words.rounded(x, row["unit"], lang) for k, x in (("x", row["value"]), ("low", low), ("high", high))
    }
    if low == high:
        return said["x"]
    if low > 0 and high == math.inf:
        return t("over {x}", lang, x=said["low"])
    if low <= 0 and high < math.inf:
        return t("at most {x}", lang, x=said["high"])
    if low > 0:
        return t("{x} (between {low} and {high})", lang, **said)
    return t("about {x}", lang, x=said["x"])


def flags_of(row):
    """Return a row's flags as a set."""
    return set() if pd.isna(row["flags"]) else {f for f in row["flags"].split(";") if f}


def remarks(row, lang):
    """Return what a reader should know of a figure beside its value: how it was read, dated, or covers."""
    return [t(_FLAGS[f], lang) for f in _FLAGS if f in flags_of(row)]


def method(name, lang):
    """Return the kind of statistic in words."""
    return t(_METHODS[name], lang) if pd.notna(name) else "–"


def basis(row, lang):
    """Return the basis of a row: its standard, its price year, or what was counted."""
    name = row["basis"]
    if name in _standards():
        return words.standard(name, lang)
    if words.section(row["indicator"]) == "poverty" and row["unit"] in ("percent", "households"):
        return words.standard(None, lang)
    if pd.isna(name) or name == row["unit"]:
        return ""
    if name == "current":
        return t("current prices", lang)
    if str(name).startswith("prices of "):
        return t("prices of {year}", lang, year=name.removeprefix("prices of "))
    return words.unit_name(name, lang)


def basis_and_method(row, lang):
    """Return what a figure stands on and which kind of statistic it is, in one cell."""
    return "; ".join(filter(None, [basis(row, lang), method(row["method"], lang)]))


@lru_cache
def _standards():
    return frozenset(reference.standards().index)


def fraction(row, lang):
    """Return numerator / denominator where both are known, amounts of money as money."""
    if pd.isna(row["numerator"]) or pd.isna(row["denominator"]):
        return ""
    return " / ".join(
        words.money(x, lang) if abs(x) >= 1e7 else words.decimal(x, lang, 0)
        for x in (row["numerator"], row["denominator"])
    )


def unit_name(unit, lang):
    """Return a place's name with its type: xã Hương Nộn; Hương Nộn commune."""
    types = {
        "xã": "{name} commune",
        "phường": "{name} ward",
        "thị trấn": "{name} township",
        "huyện": "{name} district",
        "thị xã": "{name} town",
        "thành phố": "{name} city",
        "tỉnh": "{name} province",
        "vùng": "{name}",
        "quốc gia": "{name}",
    }
    return t(types.get(unit["type"], "{name}"), lang, name=unit["name"])


def span(unit, lang):
    """Return when a unit existed, in words; empty where no date is known."""
    start, end = unit["valid_from"], unit["valid_to"]
    if pd.notna(start) and pd.notna(end):
        return t("from {start} to {end}", lang, start=words.date(start, lang), end=words.date(end, lang))
    if pd.notna(end):
        return t("until {end}", lang, end=words.date(end, lang))
    return t("since {start}", lang, start=words.date(start, lang)) if pd.notna(start) else ""


def group_limits():
    """Return the least and most members of a savings-and-loan group by the law in force."""
    return reference.group_size(pd.Timestamp("2024-12-31"))


def signed(value, lang, digits=1):
    """Return a change with its sign: +1.2, −0.4, 0."""
    value = round(float(value), digits) + 0.0  # no minus before a zero
    return ("+" if value > 0 else "") + words.decimal(value, lang, digits)


def verdict(change, lang):
    """Return in a word whether a change (lower, upper) can be told from none."""
    if change["lower"] > 0:
        return t("rose", lang)
    return t("fell", lang) if change["upper"] < 0 else t("not distinguishable from no change", lang)
