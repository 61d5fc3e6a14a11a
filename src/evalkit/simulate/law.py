"""The law and the prices that a simulated commune lives under, from the dated reference data."""

from functools import lru_cache

import pandas as pd

from evalkit.errors import ParameterError
from evalkit.load import reference

_NRD_AREA = "northern_mountains"


@lru_cache
def ceilings(programme):
    """Return the ceilings of a programme's loans as (in force from, VND), oldest first."""
    rows = reference.table("programme_terms").query("programme == @programme and ceiling_vnd.notna()")
    starts = rows["valid_from"].fillna(pd.Timestamp.min)
    return sorted(zip(starts, rows["ceiling_vnd"], strict=True))


@lru_cache
def standards(year):
    """Return the poverty standards of the review at the end of a year, the one in force first.

    The review before a change counts the households on the coming standard too.
    """
    found = reference.standards_of_year(year)
    if not found:
        raise ParameterError(f"simulate: the reference data have no poverty standard for {year}.")
    return found


@lru_cache
def rules(standard, area):
    """Return the rules of a standard for an area: class, bounds of income and of deprivations."""
    return reference.table("poverty_standards").query("standard == @standard and area == @area")


def price_index(years):
    """Return consumer prices in ``years`` relative to the first of them (annual averages)."""
    last = reference.last_price_year()
    levels = reference.price_index(last)
    if not set(years) <= set(levels.index):
        raise ParameterError(
            f"simulate: years {years[0]} to {years[-1]} lie outside the consumer prices of the reference "
            f"data, {levels.index.min()} to {last}. Choose years among these."
        )
    return (levels[list(years)] / levels[years[0]]).to_numpy()


def recognition_thresholds_vnd(years):
    """Return the New Rural income criterion by year: the latest set by then; missing before the first."""
    rows = reference.table("nrd_criteria").query("criterion == 'income' and area == @_NRD_AREA")
    dated = rows.set_index("valid_from")["threshold"].sort_index()
    ends = pd.to_datetime([f"{y}-12-31" for y in years])
    return dated.reindex(ends, method="ffill").to_numpy()


def group_size(year):
    """Return the fewest and the most members of a savings-and-loan group at the end of a year."""
    return reference.group_size(int(year))
