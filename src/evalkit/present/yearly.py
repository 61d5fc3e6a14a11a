"""A place's figures by year: what the charts and tables over the years are made of."""

import numpy as np
import pandas as pd

from evalkit.present import say, words
from evalkit.present.words import t

_PARTS = {"one_union", "one_programme", "uncertain"}
_KEYS = ["indicator", "year", "basis", "method"]


def of(place, indicators):
    """Return the rows of ``indicators`` dated to one year, one for each year, basis and method.

    The yearly tables' figure stands before a published one; figures of a part of the portfolio are left out.
    """
    rows, positions = place.dated
    return rows.iloc[sorted(n for i in dict.fromkeys(indicators) if i in positions for n in positions[i])]


def dated(rows):
    """Return the rows that ``of`` chooses from, in order of year and basis, and where each indicator's stand."""
    whole = [
        pd.notna(year) and "/" not in str(period) and not _PARTS & say.flags_of({"flags": flags})
        for year, period, flags in zip(rows["year"], rows["period"], rows["flags"], strict=True)
    ]
    rows = rows[np.array(whole, bool)].drop_duplicates(_KEYS).sort_values(["year", "basis"], kind="stable")
    positions = {}
    for n, indicator in enumerate(rows["indicator"]):
        positions.setdefault(indicator, []).append(n)
    return rows, positions


def series(rows, indicator, column="value"):
    """Return one indicator by year, missing years left out; of two in a year the first."""
    found = {}
    for name, year, value in zip(rows["indicator"], rows["year"], rows[column], strict=True):
        if name == indicator and pd.notna(value):
            found.setdefault(int(year), float(value))
    index = pd.Index(list(found), dtype="int64", name="year")
    return pd.Series(list(found.values()), index, dtype=float, name=column)


def by_year(rows):
    """Return {(indicator, year): row}, of two rows in a year the first; a row is a dictionary."""
    found = {}
    for row in rows.to_dict("records"):
        found.setdefault((row["indicator"], int(row["year"])), row)
    return found


def table(rows, indicators, lang, *, labels=None):
    """Return (columns, shown rows, raw rows): a line for each year, a column for each indicator that has a value.

    labels: short names of columns by indicator. A cell with figures on two bases names each basis; a year
    without the figure has a dash.
    """
    cells = {}
    for row in rows[rows["indicator"].isin(list(indicators))].to_dict("records"):
        cells.setdefault((row["indicator"], int(row["year"])), []).append(row)
    held = [i for i in indicators if any(i == indicator for indicator, _ in cells)]
    name = {i: (labels or {}).get(i) or words.indicator(i, lang) for i in held}
    columns = (("year", t("Year", lang), False), *((i, name[i], True) for i in held))
    years = sorted({year for _, year in cells})
    shown = tuple((str(y), *(_cell(cells.get((i, y), ()), lang) for i in held)) for y in years)
    raw = tuple((y, *(_number(cells.get((i, y), ())) for i in held)) for y in years)
    return columns, shown, raw


def _cell(rows, lang):
    if len(rows) < 2:
        return say.value(rows[0], lang) if rows else "–"
    return "; ".join(f"{say.value(r, lang)} ({say.basis(r, lang)})" for r in rows)


def _number(rows):
    return float(rows[0]["value"]) if len(rows) == 1 and pd.notna(rows[0]["value"]) else None


def prices(rows):
    """Return the year in whose prices real figures stand, or None where there are none."""
    basis = rows["basis"].dropna()
    basis = basis[basis.str.startswith("prices of ")]
    return basis.iloc[0].removeprefix("prices of ") if len(basis) else None


def deflator(year, lang):
    """Return the sentence that names the deflator."""
    return t(
        "Real terms: each year's amount in the prices of {year}, by the national consumer price index (annual average). Prices in the province may have risen differently.",
        lang,
        year=year,
    )
