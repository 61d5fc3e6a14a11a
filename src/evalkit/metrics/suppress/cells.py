"""The quantities behind the published figures, and the rows that print them.

A cell is one quantity (the poor households of a commune at the end of a year); several rows may print it: as a
value, as the numerator of a rate, as a denominator.
"""

import numpy as np
import pandas as pd

from evalkit.load import schema
from evalkit.metrics import credit, groups, incomes, reviews
from evalkit.metrics.definitions import NumberOf, Ratio

# What counts people or households, by column of the definitions.
PEOPLE = frozenset(
    [
        "households",
        "households_before",
        "poor",
        "near_poor",
        "poor+near_poor",
        "escaped",
        "fell_back",
        "newly_poor",
        "poor_before",
        "not_poor_before",
        "borrowers",
        "borrower_households",
        "borrowers_most",
        "borrowers_least",
        "borrowers_poor",
        "borrowers_near_poor",
        "loans",
        "members",
    ]
)
REST = "rest of "
_REVIEWED = frozenset(reviews.DEFINITIONS[0].columns).union(
    ["near_poor", "escaped", "fell_back", "newly_poor", "poor_before", "not_poor_before"]
)
# Columns that count no people, no money of few, and add up with none that do.
_UNLINKED = frozenset(
    c
    for d in (
        *groups.DEFINITIONS,
        *groups.WITH_CREDIT,
        *incomes.DEFINITIONS.values(),
        *incomes.OF_AREAS.values(),
    )
    for c in (*d.columns, "+".join(getattr(d, "over", ())))
) - {"members", "households", "outstanding", "borrowers_most", "borrowers_least"}
_KEY = ["place", "year", "standard", "expr"]
DEFINITIONS = {
    d.name: d
    for group in (
        credit.DEFINITIONS,
        credit.PER_HOUSEHOLD,
        credit.PER_POOR_HOUSEHOLD,
        groups.DEFINITIONS,
        groups.WITH_CREDIT,
        reviews.DEFINITIONS,
        reviews.HOUSEHOLDS,
        tuple(incomes.DEFINITIONS.values()),
        tuple(incomes.OF_AREAS.values()),
    )
    for d in group
}


class Keys:
    """One integer for each place, year, standard and expression, so that cells are found quickly."""

    def __init__(self, places, standards, exprs):
        self.places, self.standards, self.exprs = (pd.Index(x).unique() for x in (places, standards, exprs))

    def of(self, place, year, standard, expr):
        """Return the integers; -1 where a part is unknown. expr and standard may be one text."""
        p, s, e = (
            index.get_indexer(pd.Index([x] if isinstance(x, str) else x))
            for index, x in ((self.places, place), (self.standards, standard), (self.exprs, expr))
        )
        key = ((p * 4000 + np.asarray(year, "int64")) * len(self.standards) + s) * len(self.exprs) + e
        return np.where((p < 0) | (s < 0) | (e < 0), -1, key)


def from_tables(rows):
    """Return which rows come from the data set's own tables, not from the register of published facts."""
    tables = set(schema.tables()) - {"facts", "households"}
    known = {s for s in rows["source"].dropna().unique() if set(s.split("; ")) <= tables}
    return rows["source"].isin(known) & rows["year"].notna()


def _standard(rows, exprs):
    """The standard that a column of the review stands on; other columns have none."""
    reviewed = exprs.str.split("+").str[0].isin(_REVIEWED)
    return rows["basis"].astype(object).where(reviewed, "").fillna("")


def printed_in(own):
    """Every quantity that a row prints: row, indicator, role, place, year, standard, expr, value."""
    parts = []
    for name, mine in own.groupby("indicator", sort=False):
        definition = DEFINITIONS.get(name)
        if definition is None or any("_real" in c for c in definition.columns):
            continue
        roles = {"value": definition.columns} if hasattr(definition, "column") else {}
        if isinstance(definition, Ratio):
            roles = {"numerator": definition.over, "denominator": definition.under}
        for role, columns in roles.items():
            known = mine[mine[role].notna()]
            expr = "+".join(columns)
            if expr in _UNLINKED:
                continue
            part = known[["row", "place", "year"]].assign(
                indicator=name, role=role, expr=expr, value=known[role]
            )
            part["standard"] = _standard(known, part["expr"])
            parts.append(part)
    return pd.concat(parts, ignore_index=True).astype({"value": float})


def rests(printed):
    """What a printed share of people leaves of its whole: printed nowhere, known to whoever subtracts."""
    shares = [
        d.name
        for d in DEFINITIONS.values()
        if isinstance(d, Ratio) and d.counts and {"+".join(d.over), "+".join(d.under)} <= PEOPLE
    ]
    of = printed[printed["indicator"].isin(shares)]
    part, whole = of[of["role"] == "numerator"], of[of["role"] == "denominator"]
    both = part.merge(whole[["row", "cell", "value"]], on="row", suffixes=("", "_whole"))
    rests = both[["place", "year", "standard"]].assign(
        expr=REST + both["indicator"],
        value=both["value_whole"] - both["value"],
        indicator="",
        role="",
        key=-1,
        printed=False,
        part=both["cell"],
        whole=both["cell_whole"],
    )
    return rests[rests["value"] >= 0].drop_duplicates(["part", "whole"])


def touches(own, printed, find):
    """Which cells each row would give away: numerator, denominator, parts and bounds."""
    found = [printed[["row", "cell"]]]
    for name, mine in own.groupby("indicator", sort=False):
        definition = DEFINITIONS.get(name.replace("_real_vnd", "_vnd"))
        if definition is None or isinstance(definition, NumberOf):
            continue
        exprs = {c.replace("_real", "") for c in (*definition.columns, *definition.upto)}
        for expr in sorted(exprs - _UNLINKED):
            cell = find.at(mine, expr, _standard(mine, pd.Series(expr, index=mine.index)))
            known = cell >= 0
            found.append(pd.DataFrame({"row": mine["row"].to_numpy()[known], "cell": cell[known]}))
    return pd.concat(found, ignore_index=True)


def weights(own, cells):
    """An area's mean income weighs its communes' incomes, each shown, by their households: one more sum of these."""
    means = own.loc[
        own["indicator"].isin(d.name for d in incomes.OF_AREAS.values()), ["row", "place", "year"]
    ]
    weights = cells[(cells["expr"] == "households") & (cells["level"] == "commune")].reset_index(names="cell")
    found = [
        means.merge(weights[["cell", "year", level]], left_on=["place", "year"], right_on=[level, "year"])
        for level in ("district", "province")
    ]
    return pd.concat(found, ignore_index=True)[["row", "cell"]]


class Finder:
    """Finds cells by place, year, standard and expression."""

    def __init__(self, cells, keys):
        self.cells, self.keys = cells, keys
        printed = cells[cells["printed"]]
        self.index, self.number = pd.Index(printed["key"]), printed.index.to_numpy()
        self.values = cells["value"].to_numpy(float)
        self.communes = dict(list(printed[printed["level"] == "commune"].groupby("expr", sort=False)))

    def of(self, expr):
        """The communes' cells of an expression."""
        return self.communes.get(expr, self.cells.iloc[:0])

    def at(self, like, expr, standard=None, year=None):
        """Cell numbers of ``expr`` at the places and years of ``like``; -1 where there is none."""
        year = like["year"] if year is None else year
        key = self.keys.of(like["place"], year, like["standard"] if standard is None else standard, expr)
        return self.index.get_indexer(key)
