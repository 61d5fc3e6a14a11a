"""Indicator rows of all communes, districts and provinces at once, from a table of sums and definitions."""

import numpy as np
import pandas as pd

from evalkit.metrics import rollup
from evalkit.metrics.rows import COLUMNS

ALL_COLUMNS = [*COLUMNS, "year", "title", "note"]


def rows(sums, definitions, units, *, method, source, basis=None, levels=rollup.LEVELS):
    """Return one row per definition, place and year (and ``basis``) that has a value.

    sums: one row per commune and year (and basis), the columns that the definitions name, missing where
    unknown. basis: the column that says the rows' basis; without it each definition's own. method: one text,
    or the column that says it.

    An area of which a commune that existed at the year's end lacks a column has sums that are at least what is
    known (upper inf, flag ``part``) and ratios of the communes that are known: flagged ``nearly_whole`` where
    these are at least four fifths of its communes, otherwise ``part``, which isn't compared.
    """
    standing = rollup.standing(units, sorted(int(y) for y in sums["year"].dropna().unique()))
    keys = [c for c in (basis, method) if c in sums]
    found = []
    for level in levels:
        area = rollup.areas(units, level)
        own = sums.assign(area=sums["place"].map(area)).dropna(subset=["area", "year"])
        if own.empty:
            continue
        groups = _Groups(own[["area", "year", *keys]].rename(columns={"area": "place"}), level)
        groups.count(standing.assign(place=standing["place"].map(area)))
        values = {c: own[c].to_numpy(float, na_value=np.nan) for c in _needed(definitions)}
        found += [groups.rows(d, values, method=method, source=source, basis=basis) for d in definitions]
    found = [f for f in found if len(f)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=ALL_COLUMNS)


def _needed(definitions):
    return sorted({c for d in definitions for c in (*d.columns, *d.upto)})


class _Groups:
    """The areas of one level by year: which rows of the sums belong to each, and how many there should be."""

    def __init__(self, labels, level):
        labels = labels.reset_index(drop=True)
        self.single = level == "commune"
        if self.single:
            self.labels, self.codes = labels, np.arange(len(labels))
        else:
            grouped = labels.groupby(list(labels.columns), sort=False, dropna=False)
            self.codes = grouped.ngroup().to_numpy()
            first = np.unique(self.codes, return_index=True)[1]
            self.labels = labels.iloc[first].reset_index(drop=True)
        self.period = self.labels["year"].astype("Int64").astype("string").to_numpy()

    def count(self, standing):
        """Note how many communes of each area existed at the year's end."""
        size = standing.groupby(["place", "year"]).size().rename("size").reset_index()
        keyed = self.labels[["place", "year"]].astype({"year": "int64"})
        self.expected = keyed.merge(size, on=["place", "year"], how="left")["size"].fillna(1).to_numpy()

    def sum(self, values, known):
        """Return the sum of values over the known rows of each area."""
        if self.single:
            return np.where(known, values, np.nan)
        return np.bincount(self.codes, weights=np.where(known, values, 0.0), minlength=len(self.labels))

    def rows(self, definition, values, *, method, source, basis):
        """Return the rows of one definition."""
        known = definition.known(values)
        out = definition.of({c: self.sum(values[c], known) for c in (*definition.columns, *definition.upto)})
        seen = (
            known.astype(float)
            if self.single
            else np.bincount(self.codes, weights=known, minlength=len(self.labels))
        )
        some_lack = seen < self.expected
        part = some_lack & (definition.additive | (seen < _NEARLY_WHOLE * self.expected))
        if definition.additive:
            out["upper"] = np.where(some_lack, np.inf, out["upper"])
        keep = (seen > 0) & ~np.isnan(out["value"])
        labels = self.labels[keep]
        nothing = np.full(len(part), np.nan)
        return pd.DataFrame(
            {
                "place": labels["place"].to_numpy(),
                "period": self.period[keep],
                "indicator": definition.name,
                **{
                    c: out.get(c, nothing)[keep]
                    for c in ("value", "lower", "upper", "numerator", "denominator")
                },
                "unit": definition.unit,
                "basis": labels[basis].to_numpy() if basis else definition.basis,
                "method": labels[method].to_numpy() if method in labels else method,
                "source": source,
                "flags": _flags(
                    definition.flags,
                    part=part,
                    nearly_whole=some_lack & ~part,
                    **{f: out[f] for f in _MARKS if f in out},
                )[keep],
                "year": labels["year"].to_numpy(),
            }
        )


_MARKS = ("repeats",)
# Of an area's communes, the share from which its ratio counts as the area's own. A convention: one commune of a
# dozen without a figure doesn't bar a district from comparison, one of four does.
_NEARLY_WHOLE = 0.8


def _flags(always, **marks):
    """Return the flags of each row as text: the definition's own and those that ``marks`` are true of."""
    code = sum(mark.astype(int) << i for i, mark in enumerate(marks.values()))
    names = list(marks)
    texts = [
        ";".join(sorted({*always, *(name for i, name in enumerate(names) if number >> i & 1)}))
        for number in range(1 << len(names))
    ]
    return np.array(texts, dtype=object)[code]
