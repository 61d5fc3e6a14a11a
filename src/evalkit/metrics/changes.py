"""Changes from one year to the next, on one basis and one kind of statistic only."""

import pandas as pd

from evalkit.metrics import credit, groups, intervals, reviews
from evalkit.metrics.definitions import Ratio

_KEYS = ["place", "indicator", "basis", "method"]
_SHARES = {
    d.name
    for d in (*reviews.DEFINITIONS, *groups.DEFINITIONS, *credit.PER_HOUSEHOLD)
    if isinstance(d, Ratio) and d.counts
}
_VALUES = ["value", "lower", "upper", "numerator", "denominator"]


def yearly(rows):
    r"""Change of each figure on the year before, where both years stand on the same basis and method.

    .. math:: d_t = v_t - v_{t-1}

    rows: indicator rows with ``year``, one for each key and year. Unit: that of the rows (percentage points
    for rates). Interval: for shares of counts Newcombe's, as if the two counts were independent; they are
    largely of the same households, so it is rather too wide. For other figures the least and the most that
    the rows' own bounds allow; equal to the change where both are exact.

    Returns place, indicator, basis, method, year, change, lower, upper, growth_pct (the change in per cent
    of the year before). A year whose year before is missing, or stands on another basis, has no row: two
    rates on different standards can't be subtracted.
    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    own = _known(rows)
    before = own.assign(year=own["year"] + 1).drop(columns="unit")
    pairs = own.merge(before, on=[*_KEYS, "year"], suffixes=("", "_before"), validate="one_to_one")
    return _changes(pairs)


def spans(rows):
    """Change from the first to the last year of each basis and method: as :func:`yearly`, and ``since``, the first year.

    A figure known for one year on a basis has no row.
    """
    own = _known(rows).sort_values("year", kind="stable")
    last, first = own.drop_duplicates(_KEYS, keep="last"), own.drop_duplicates(_KEYS)
    pairs = last.merge(first.drop(columns="unit"), on=_KEYS, suffixes=("", "_before"))
    pairs = pairs[pairs["year"] > pairs["year_before"]].reset_index(drop=True)
    return _changes(pairs).assign(since=pairs["year_before"])


def _known(rows):
    own = rows.loc[rows["year"].notna() & rows["value"].notna(), [*_KEYS, "year", "unit", *_VALUES]]
    return own.assign(basis=own["basis"].fillna(""), method=own["method"].fillna(""))


def _changes(pairs):
    change = pairs["value"] - pairs["value_before"]
    lower, upper = intervals.subtract_bounds(
        pairs["lower"], pairs["upper"], pairs["lower_before"], pairs["upper_before"]
    )
    counted = _counted(pairs).to_numpy()
    if counted.any():
        counts = pairs.loc[counted, ["numerator", "denominator", "numerator_before", "denominator_before"]]
        low, high = intervals.newcombe_difference(*counts.to_numpy(float).T)
        lower[counted], upper[counted] = 100 * low, 100 * high
    before = pairs["value_before"].where(pairs["value_before"] > 0)
    out = pairs[[*_KEYS, "year"]].assign(
        change=change, lower=lower, upper=upper, growth_pct=100 * change / before
    )
    return out.replace({"basis": {"": pd.NA}, "method": {"": pd.NA}})


def distinguishable(changes):
    """Whether each change can be told from none: its interval lies on one side of zero."""
    return (changes["lower"] > 0) | (changes["upper"] < 0)


def _counted(pairs):
    """Shares of counts whose four counts are known and possible."""
    known = pairs["indicator"].isin(_SHARES)
    for end in ("", "_before"):
        x, n = pairs[f"numerator{end}"], pairs[f"denominator{end}"]
        known &= (n > 0) & (x <= n)
    return known
