"""What the tables of a report share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from evalkit.load import reference
from evalkit.present import words
from evalkit.present.blocks import Block
from evalkit.present.words import t

LONG = 60  # rows beyond which a table of all years is cut to the latest of each


def _no_value(row):
    return None


@dataclass(frozen=True)
class Column:
    """One column of a table.

    shown: function of a row to the text of its cell. raw: function of a row to the machine value behind it,
    None where there is none or it is hidden.
    """

    key: str
    label: str
    shown: Callable
    raw: Callable = _no_value
    numeric: bool = False


def table(place, id, section, lang, title, columns, rows, **content):
    """Return the block of a table: one line per row, one cell per column."""
    return block(
        place,
        "table",
        id,
        section,
        lang,
        title,
        columns=tuple((c.key, c.label, c.numeric) for c in columns),
        rows=tuple(tuple(c.shown(row) for c in columns) for row in rows),
        raw=tuple(tuple(c.raw(row) for c in columns) for row in rows),
        **content,
    )


def block(place, kind, id, section, lang, title, **content):
    return Block(
        kind=kind, id=id, section=section, lang=lang, audience=place.audience, title=title, **content
    )


def lines(frame):
    """Return the rows of a frame as dictionaries, quicker to read than a Series each."""
    return frame.to_dict("records")


def field(name):
    """Return a function of a row to what it holds under ``name``, None where that is missing."""
    return lambda row: plain(row[name])


def indicator(lang):
    """Return the column that names the indicator of a row."""
    return Column(
        "indicator", t("Indicator", lang), lambda r: words.indicator(r["indicator"], lang), field("indicator")
    )


def date(lang):
    """Return the column that says the date or span of a row."""
    return Column("period", t("Date", lang), lambda r: words.period(r["period"], lang), field("period"))


def plain(value):
    return None if pd.isna(value) else value


def latest(rows, by):
    return rows.sort_values("year", kind="stable").drop_duplicates(by, keep="last")


@lru_cache
def comparable():
    """Return the indicators that don't grow with the size of the place."""
    return frozenset(reference.table("indicators").query("comparable == 'true'")["indicator"])
