"""Printed figures: what their qualifiers, dates and digits allow one to know."""

import numpy as np
import pandas as pd

# One unit for one kind of quantity: the statistical office prints incomes and populations in thousands.
_SCALES = {"thousand VND/person/month": ("VND/person/month", 1000), "thousand persons": ("persons", 1000)}


def read(facts):
    """Add to a table of facts what can be computed with: numbers, bounds, dates and the step of rounding.

    number: the printed value in the unit of ``unit`` (thousands are scaled up); missing where the print
    is no single number (a date, a range). lower, upper: an exact figure is both its bounds; "over" x is
    [x, inf), "nearly" and "under" x is [0, x], "about" x is [0, inf): the print says no more.
    step: one unit of the last printed decimal of a percentage, in which the figure may have been rounded.
    starts, ends: first and last day that the printed date can mean ("2024" is the whole year); missing
    where the page bears no date. year: the year of ``ends``.
    """
    out = facts.copy()
    number = pd.to_numeric(out["value"], errors="coerce")
    scale = out["unit"].map(lambda u: _SCALES.get(u, (u, 1))[1]).astype(float)
    out["unit"] = out["unit"].map(lambda u: _SCALES.get(u, (u, 1))[0]).astype("string")
    out["number"] = (number * scale).astype(float)
    qualifier = out["qualifier"].fillna("exact")
    out["lower"] = np.where(qualifier.isin(["nearly", "under", "about"]), 0.0, out["number"])
    out["upper"] = np.where(qualifier.isin(["over", "about"]), np.inf, out["number"])
    out.loc[out["number"].isna(), ["lower", "upper"]] = np.nan
    decimals = out["value"].str.extract(r"\.(\d+)$", expand=False).str.len().fillna(0)
    out["step"] = np.where(
        out["unit"].eq("percent").fillna(False).astype(bool), 10.0 ** -decimals.astype(float), 0.0
    )
    start = out["as_of"].fillna(out["period_start"])
    end = out["as_of"].fillna(out["period_end"])
    out["starts"], out["ends"] = _first_day(start), _last_day(end)
    out["year"] = out["ends"].dt.year.astype("Int64")
    out["flow"] = out["as_of"].isna() & out["period_end"].notna()
    return out


def _first_day(text):
    return pd.to_datetime(
        text.str.slice(0, 10).map(
            lambda t: f"{t}-01-01"[:10] if len(t) == 4 else f"{t}-01"[:10], na_action="ignore"
        ),
        format="%Y-%m-%d",
    )


def _last_day(text):
    first = _first_day(text)
    length = text.str.len()
    year_end = first + pd.offsets.YearEnd(0)
    month_end = first + pd.offsets.MonthEnd(0)
    return first.where(length == 10, month_end.where(length == 7, year_end)).where(text.notna())


def has_flag(facts, flag):
    """Return which facts carry a flag."""
    return facts["flags"].fillna("").map(lambda f: flag in f.split(";"))


def together(a, b, *, days):
    """Whether two facts (rows) of one place may be combined into one ratio.

    Both must speak of the whole place (not of one union's portfolio, nor of an uncertain area); flows must
    cover the same period; stocks must be of the same printed date on one page, or of dates at most ``days``
    apart and known to lie within one year. Undated figures go together only on one page.
    """
    if a.scope != "whole" or b.scope != "whole" or a.flow != b.flow:
        return False
    same_page = a.source_url == b.source_url
    if pd.isna(a.ends) or pd.isna(b.ends):
        return bool(same_page and pd.isna(a.ends) and pd.isna(b.ends))
    if same_page and a.starts == b.starts and a.ends == b.ends:
        return True
    if a.flow:
        return False
    gap = max(a.starts, b.starts) - min(a.ends, b.ends)
    spread = max(a.ends, b.ends) - min(a.starts, b.starts)
    return bool(gap.days <= days and spread.days <= 366)
