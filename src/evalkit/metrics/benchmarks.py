"""A place's figures beside those of the area that it belongs to, and among other places on the same basis."""

import numpy as np
import pandas as pd

# What may stand side by side though it isn't the same statistic; said so where it is shown.
_NEAR_BASIS = {"2011-2015": ["2011-2015", "2011-2015-cpi"]}
_NEAR_INDICATOR = {"income_year_vnd": "income_month_vnd", "poor_share_pct": "poverty_rate_pct"}
_PREFERRED = {"review": 0, "survey": 1, "yearbook": 2}


def beside(rows, parents, references):
    """Return for each row the figures of its parent areas of the same year and standard.

    rows: indicator rows. parents: columns place, parent, parent_name (a place may have several).
    references: indicator rows of those areas. Only the same year and the same basis stand side by side; the
    survey's own income line is put beside the standard of its period and an income per month beside one
    per year, each with the column ``differs`` (basis, unit or method) saying so. Nothing is subtracted.

    Returns the columns of both sides, those of the parent area prefixed ``parent_``.
    """
    left = rows[rows["year"].notna()].merge(parents, on="place")
    left["look_for"] = left["indicator"].replace(_NEAR_INDICATOR)
    right = references.rename(columns={c: f"parent_{c}" for c in references.columns})
    pairs = left.merge(
        right, left_on=["parent", "look_for", "year"], right_on=["parent_place", "parent_indicator", "parent_year"]
    )
    near = [
        (pd.isna(a) and pd.isna(b)) or (pd.notna(a) and b in _NEAR_BASIS.get(a, [a])) or (i.startswith("income_"))
        for a, b, i in zip(pairs["basis"], pairs["parent_basis"], pairs["indicator"], strict=True)
    ]
    pairs = pairs[np.array(near, dtype=bool)].copy()
    pairs["differs"] = [
        ";".join(c for c in ("basis", "unit", "method") if not _same(getattr(p, c), getattr(p, f"parent_{c}")))
        for p in pairs.itertuples()
    ]
    return pairs.drop(columns=["look_for"]).reset_index(drop=True)


def _same(a, b):
    return (pd.isna(a) and pd.isna(b)) or (pd.notna(a) and pd.notna(b) and a == b)


def among(rows, levels, comparable, *, minimum, years):
    """Return where each place stands among others of its level on the same basis.

    comparable: the indicators that don't grow with the size of the place. Compared are rows of one indicator, unit, basis and kind of statistic, about the whole place, at most
    ``years`` years apart; of several rows of another place the nearest in time. Poverty rates without a
    known standard are not compared. Below ``minimum`` other places no position is given: n is shown, the
    rest is missing.

    Columns: place, indicator, period, basis, n, lower_quartile, median, upper_quartile, below, above,
    undecided: how many of the others lie surely below, surely above, and where printed bounds don't decide.
    """
    usable = rows[
        rows["year"].notna()
        & rows["indicator"].isin(comparable)
        & ~rows["flags"].fillna("").str.contains("one_union|one_programme|part|uncertain|flow", regex=True)
        & ~(rows["indicator"].str.contains("poor|poverty") & rows["basis"].isna())
    ].copy()
    usable["level"] = usable["place"].map(levels)
    found = []
    for _, group in usable.groupby(["level", "indicator", "unit", "basis", "method"], dropna=False, sort=False):
        found += _within(group, minimum, years)
    columns = ["place", "indicator", "period", "year", "basis", "method", "n"]
    columns += ["lower_quartile", "median", "upper_quartile", "below", "above", "undecided"]
    return pd.DataFrame(found, columns=columns)


def _within(group, minimum, years):
    place, year = group["place"].to_numpy(), group["year"].to_numpy(int)
    lower, upper, value = (group[c].to_numpy(float) for c in ("lower", "upper", "value"))
    for i, row in enumerate(group.itertuples()):
        distance = np.abs(year - year[i])
        others = np.flatnonzero((place != place[i]) & (distance <= years))
        others = others[np.argsort(distance[others], kind="stable")]
        _, first = np.unique(place[others], return_index=True)
        others = others[np.sort(first)]
        out = {"place": row.place, "indicator": row.indicator, "period": row.period, "year": row.year}
        out |= {"basis": row.basis, "method": row.method, "n": len(others)}
        if len(others) >= minimum:
            quartiles = np.nanpercentile(value[others], [25, 50, 75])
            below, above = int((upper[others] < lower[i]).sum()), int((lower[others] > upper[i]).sum())
            out |= dict(zip(["lower_quartile", "median", "upper_quartile"], quartiles, strict=True))
            out |= {"below": below, "above": above, "undecided": len(others) - below - above}
        yield out


def preferred(pairs):
    """Return one parent figure per row, area and period: the household review before a survey, final before preliminary."""
    preliminary = pairs["parent_flags"].fillna("").str.contains("preliminary").astype(int)
    order = pairs.assign(rank=pairs["parent_method"].map(_PREFERRED).fillna(3), preliminary=preliminary)
    order = order.sort_values(["rank", "preliminary"], kind="stable")
    return order.drop_duplicates(["place", "indicator", "period", "method", "parent"]).sort_index()
