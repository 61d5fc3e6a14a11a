"""A place's figures beside those of the area that it belongs to, and among other places on the same basis."""

from itertools import pairwise

import numpy as np
import pandas as pd

# What may stand side by side though it isn't the same statistic; said so where it is shown.
_NEAR_BASIS = {"2011-2015": ["2011-2015", "2011-2015-cpi"]}
_NEAR_INDICATOR = {"income_year_vnd": "income_month_vnd", "poor_share_pct": "poverty_rate_pct"}
_PREFERRED = {"review": 0, "survey": 1, "yearbook": 2}


def beside(rows, parents, references, *, comparable=None):
    """Return for each row the figures of its parent areas of the same year and standard.

    rows: indicator rows. parents: columns place, parent, parent_name (a place may have several).
    references: indicator rows of those areas. comparable: the indicators that don't grow with the size of
    the place, where only these are to stand beside (a commune's sum beside its province's says nothing).
    Only the same year and the same basis stand side by side; the survey's own income line is put beside the
    standard of its period and an income per month beside one per year, each with the column ``differs``
    (basis, unit or method) saying so. Nothing is subtracted.

    Returns the columns of both sides, those of the parent area prefixed ``parent_``.
    """
    rows = rows if comparable is None else rows[rows["indicator"].isin(comparable)]
    left = rows[rows["year"].notna()].merge(parents, on="place")
    left["look_for"] = left["indicator"].replace(_NEAR_INDICATOR)
    right = references.rename(columns={c: f"parent_{c}" for c in references.columns})
    pairs = left.merge(
        right,
        left_on=["parent", "look_for", "year"],
        right_on=["parent_place", "parent_indicator", "parent_year"],
    )
    pairs = pairs[_near(pairs)].copy()
    pairs["differs"] = _differs(pairs, ("basis", "unit", "method"))
    return pairs.drop(columns=["look_for"]).reset_index(drop=True)


def _near(pairs):
    """Where the two sides may stand side by side: one basis, one that is near it, or both an income."""
    near = _same(pairs, "basis") | pairs["indicator"].str.startswith("income_")
    for basis, others in _NEAR_BASIS.items():
        near |= pairs["basis"].eq(basis).fillna(False) & pairs["parent_basis"].isin(others)
    return near.to_numpy(bool)


def _same(pairs, column):
    a, b = pairs[column], pairs[f"parent_{column}"]
    return (a.isna() & b.isna()) | a.eq(b).fillna(False).astype(bool)


def _differs(pairs, columns):
    """Return the names of the columns that differ, joined by semicolons."""
    differ = np.array([~_same(pairs, c).to_numpy(bool) for c in columns])
    code = (differ << np.arange(len(columns))[:, None]).sum(axis=0)
    names = [";".join(c for i, c in enumerate(columns) if n >> i & 1) for n in range(1 << len(columns))]
    return np.array(names, dtype=object)[code]


def among(rows, levels, comparable, *, minimum, years, provinces=None):
    """Return where each place stands among others of its level on the same basis.

    comparable: the indicators that don't grow with the size of the place. Compared are rows of one indicator,
    unit, basis and kind of statistic, about the whole place. provinces: the province of each place, for
    tables of many communes: then the others are those of the same province and year (places without one,
    such as provinces, are compared with each other). Without it, for figures gathered here and there, they
    are all those at most ``years`` years apart, and of several rows of another place the nearest in time.
    Poverty rates without a known standard are not compared. Below ``minimum`` other places no position is
    given: n is shown, the rest is missing.

    Columns: place, indicator, period, year, basis, method, n, lower_quartile, median, upper_quartile, below,
    above, undecided: how many of the others lie surely below, surely above, and where bounds don't decide.
    """
    usable = rows[rows["indicator"].isin(comparable) & rows["year"].notna() & rows["value"].notna()]
    usable = usable[whole(usable)]
    usable = usable.assign(level=usable["place"].map(levels)).dropna(subset="level")
    keys = ["level", "indicator", "unit", "basis", "method"]
    if provinces is not None:
        usable = usable.assign(province=usable["place"].map(provinces))
        keys += ["province", "year"]
    usable = usable.assign(group=usable.groupby(keys, dropna=False, sort=False).ngroup())
    usable = usable.sort_values("group", kind="stable").reset_index(drop=True)
    place = pd.factorize(usable["place"])[0]
    year, value, lower, upper = (usable[c].to_numpy(float) for c in ("year", "value", "lower", "upper"))
    found = np.full((len(usable), len(_POSITION)), np.nan)
    starts = np.flatnonzero(np.diff(usable["group"], prepend=-1))
    for a, b in pairwise([*starts, len(usable)]):
        cut = place[a:b], value[a:b], lower[a:b], upper[a:b]
        found[a:b] = _near_in_time(year[a:b], *cut, years) if provinces is None else _one_year(*cut)
    found[found[:, 0] < minimum, 1:] = np.nan
    columns = ["place", "indicator", "period", "year", "basis", "method"]
    return usable[columns].assign(**dict(zip(_POSITION, found.T, strict=True))).astype({"n": int})


_UNFIT = {"one_union", "one_programme", "part", "uncertain", "flow"}
_POSITION = ["n", "lower_quartile", "median", "upper_quartile", "below", "above", "undecided"]


def whole(rows):
    """Return which rows may be compared: about the whole place, and poverty on a known standard."""
    unfit = [f for f in rows["flags"].dropna().unique() if _UNFIT & set(f.split(";"))]
    unknown = rows["indicator"].str.contains("poor|poverty") & rows["basis"].isna()
    return ~rows["flags"].fillna("").isin(unfit) & ~unknown


def _near_in_time(year, place, value, lower, upper, years):
    """Position of each row among the others' rows nearest to it, at most ``years`` apart."""
    found = np.full((len(place), len(_POSITION)), np.nan)
    for i in range(len(place)):
        distance = np.abs(year - year[i])
        others = np.flatnonzero((place != place[i]) & (distance <= years))
        others = others[np.argsort(distance[others], kind="stable")]
        others = others[np.sort(np.unique(place[others], return_index=True)[1])]
        n, below, above = len(others), (upper[others] < lower[i]).sum(), (lower[others] > upper[i]).sum()
        quartiles = np.percentile(value[others], [25, 50, 75]) if n else [np.nan] * 3
        found[i] = n, *quartiles, below, above, n - below - above
    return found


def _one_year(place, value, lower, upper):
    """Position of each row among the other places, all of one year: one sort for the whole group.

    Of a place with several rows the first is what others see. Quartiles leave the place itself out: its rank
    is skipped in the sorted values.
    """
    _, first, mine = np.unique(place, return_index=True, return_inverse=True)
    n = len(first) - 1
    if n < 1:
        return np.column_stack([np.zeros(len(place)), np.full((len(place), len(_POSITION) - 1), np.nan)])
    order = np.argsort(value[first], kind="stable")
    rank = np.empty(n + 1, int)
    rank[order] = np.arange(n + 1)
    ordered, own = value[first][order], rank[mine]
    quartiles = []
    for share in (0.25, 0.5, 0.75):
        position = (n - 1) * share
        low, weight = int(position), position - int(position)
        a, b = (ordered[k + (own <= k)] for k in (low, min(low + 1, n - 1)))
        quartiles.append(a + (b - a) * weight)
    uppers, lowers = np.sort(upper[first]), np.sort(lower[first])
    below = np.searchsorted(uppers, lower, "left") - (upper[first][mine] < lower)
    above = (~np.isnan(lowers)).sum() - np.searchsorted(lowers, upper, "right") - (lower[first][mine] > upper)
    known = ~(np.isnan(lower) | np.isnan(upper))
    below, above = np.where(known, below, 0), np.where(known, above, 0)
    return np.column_stack([np.full(len(place), n), *quartiles, below, above, n - below - above])


def preferred(pairs):
    """Return one parent figure per row, area and period: a review before a survey, final before preliminary."""
    preliminary = pairs["parent_flags"].fillna("").str.contains("preliminary").astype(int)
    order = pairs.assign(rank=pairs["parent_method"].map(_PREFERRED).fillna(3), preliminary=preliminary)
    order = order.sort_values(["rank", "preliminary"], kind="stable")
    return order.drop_duplicates(["place", "indicator", "period", "basis", "method", "parent"]).sort_index()
