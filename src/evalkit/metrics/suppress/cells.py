"""The published figures as one linear system: cells, the sums that tie them, and the rows that print them.

A cell is one quantity (the poor households of a commune at the end of a year); several rows may print it: as a
value, as the numerator of a rate, as a denominator. A relation is a sum that a reader knows to hold.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from evalkit.load import reference, schema
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


@dataclass(frozen=True)
class System:
    """cells: place, year, standard, expr, value, level, district, printed. relations: matrix, one row for each
    sum, one column for each cell, whose product with the cells is constant. touches: (row of the indicator
    table, cell) pairs: the row may be shown only where the cell is.
    """

    cells: pd.DataFrame
    relations: sparse.csr_matrix
    touches: pd.DataFrame


def system(rows, units):
    """Return the linear system of the indicator rows that come from tables (published facts are left out)."""
    own = rows[from_tables(rows)].reset_index(names="row")
    own = own.astype({"place": object, "indicator": object, "year": "int64"})
    printed = _printed(own)
    exprs = [
        *printed["expr"].unique(),
        *(f"{e}@{i}" for e, i in set(zip(printed["expr"], printed["indicator"], strict=True))),
    ]
    keys = Keys(printed["place"], [*printed["standard"].unique(), ""], exprs)
    code = keys.of(*(printed[c] for c in _KEY))
    first = printed["value"].groupby(code, sort=False).transform("first")
    other = (printed["value"] - first).abs() > 1e-6 * first.abs().clip(lower=1)
    printed.loc[other, "expr"] += "@" + printed.loc[other, "indicator"]
    printed["key"] = keys.of(*(printed[c] for c in _KEY))
    cells = printed.drop_duplicates("key")[[*_KEY, "value", "indicator", "role", "key"]]
    cells = cells.assign(printed=True).reset_index(drop=True)
    printed["cell"] = pd.Index(cells["key"]).get_indexer(printed["key"])
    cells = pd.concat([cells, _rests(printed)], ignore_index=True)
    where = units.drop_duplicates("place").set_index("place")
    for name, column in (("level", "level"), ("district", "district_code"), ("province", "province_code")):
        cells[name] = cells["place"].map(where[column].astype(object))
    find = _Finder(cells, keys)
    touches = pd.concat([_touches(own, printed, find), _weights(own, cells)], ignore_index=True)
    return System(cells, _relations(find, printed, units), touches.drop_duplicates())


def from_tables(rows):
    """Return which rows come from the data set's own tables, not from the register of published facts."""
    tables = set(schema.tables()) - {"facts", "households"}
    known = {s for s in rows["source"].dropna().unique() if set(s.split("; ")) <= tables}
    return rows["source"].isin(known) & rows["year"].notna()


def _standard(rows, exprs):
    """The standard that a column of the review stands on; other columns have none."""
    reviewed = exprs.str.split("+").str[0].isin(_REVIEWED)
    return rows["basis"].astype(object).where(reviewed, "").fillna("")


def _printed(own):
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


def _rests(printed):
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


def _touches(own, printed, find):
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


def _weights(own, cells):
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


class _Rows:
    """Collects relations as triplets."""

    def __init__(self):
        self.parts, self.count = [], 0

    def add(self, number, cell, sign):
        """Add relations numbered from 0 (``number``) with the sign of each cell."""
        number = np.asarray(number)
        if len(number):
            self.parts.append((number + self.count, np.asarray(cell), np.broadcast_to(sign, len(number))))

    def close(self, size):
        self.count += size

    def matrix(self, width):
        if not self.parts:
            return sparse.csr_matrix((0, width))
        i, j, v = (np.concatenate(x) for x in zip(*self.parts, strict=True))
        return sparse.csr_matrix((v, (i, j)), shape=(self.count, width))


def _relations(find, printed, units):
    rows = _Rows()
    _roll_up(rows, find, printed, units)
    programmes = reference.programmes()["purpose"]
    codes = {code: f"outstanding_{code}" for code in programmes.index}
    _sum(rows, find, "outstanding", list(codes.values()))
    for purpose in credit.PURPOSES:
        _sum(rows, find, purpose, [codes[c] for c in programmes.index[programmes == purpose]])
    _sum(rows, find, "outstanding", ["current", "overdue", "frozen", "extended"])
    for whole in ("overdue+frozen", "overdue+frozen+extended", "poor+near_poor"):
        _sum(rows, find, whole, whole.split("+"))
    _sum(rows, find, "poor", ["poor_before", "fell_back", "newly_poor", ("escaped", -1.0)], every=True)
    _sum(rows, find, "not_poor_before", [("poor_before", -1.0)], every=True)
    flows = ["outstanding_before", "lent", ("collected", -1.0), ("written_off", -1.0)]
    _sum(rows, find, "outstanding", flows, every=True)
    _sum(rows, find, "outstanding_mean", [("outstanding", 0.5), ("outstanding_before", 0.5)], every=True)
    _same(rows, find, "borrowers_most", ["borrower_households", "borrowers"])
    for name in ("poor", "outstanding"):
        _before(rows, find, name, units)
    rests = find.cells[~find.cells["printed"]]
    for cell, sign in ((rests.index, 1.0), (rests["part"], 1.0), (rests["whole"], -1.0)):
        rows.add(np.arange(len(rests)), np.asarray(cell, int), sign)
    rows.close(len(rests))
    return rows.matrix(len(find.cells))


class _Finder:
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


def _sum(rows, find, whole, parts, every=False):
    """whole = Σ parts of a commune; absent parts are constant (every: all must be there)."""
    wholes = find.of(whole)
    number = np.arange(len(wholes))
    signed = [p if isinstance(p, tuple) else (p, 1.0) for p in parts]
    found = [(find.at(wholes, name), sign) for name, sign in signed]
    if not len(wholes):
        return
    keep = np.all([c >= 0 for c, _ in found], axis=0) if every else np.any([c >= 0 for c, _ in found], axis=0)
    for cell, sign in found:
        there = keep & (cell >= 0)
        rows.add(number[there], cell[there], sign)
    rows.add(number[keep], wholes.index[keep], -1.0)
    rows.close(len(wholes))


def _same(rows, find, name, others):
    """Two names of one count, where the values say so."""
    cells = find.of(name)
    unmatched = np.ones(len(cells), bool)
    for other in others:
        cell = find.at(cells, other)
        equal = unmatched & (cell >= 0) & (find.values[cell] == cells["value"].to_numpy())
        number = np.arange(len(cells))[equal]
        rows.add(number, cells.index[equal], 1.0)
        rows.add(number, cell[equal], -1.0)
        rows.close(len(cells))
        unmatched &= ~equal


def _before(rows, find, name, units):
    """The figure of the year before is that year's own; a merged commune's is the sum of what it was."""
    after = find.of(f"{name}_before")
    own = find.at(after, name, year=after["year"] - 1)
    number = np.arange(len(after))
    equal = (own >= 0) & np.isclose(find.values[own], after["value"].to_numpy(), rtol=1e-9)
    rows.add(number[equal], after.index[equal], 1.0)
    rows.add(number[equal], own[equal], -1.0)
    rows.close(len(after))
    if "successor_code" not in units:
        return
    codes = units.drop_duplicates("place").set_index("place")["code"].astype(object)
    merged = after[~equal].assign(after=after.index[~equal], heir=after.loc[~equal, "place"].map(codes))
    former = units.loc[units["successor_code"].notna(), ["place", "successor_code"]].astype(object)
    former.columns = ["former", "heir"]
    pairs = merged.merge(former, on="heir")
    pairs = pd.concat([pairs.assign(place=pairs["former"]), merged], ignore_index=True)
    cell = find.at(pairs, name, year=pairs["year"] - 1)
    number, there = pd.Index(merged["after"]).get_indexer(pairs["after"]), cell >= 0
    rows.add(number[there], cell[there], 1.0)
    rows.add(np.arange(len(merged)), merged["after"], -1.0)
    rows.close(len(merged))


def _roll_up(rows, find, printed, units):
    """An area's cell is the sum of its communes' cells of the row that prints it.

    A commune whose denominator is zero has no row of a rate and is in the area's sum all the same.
    """
    where = units.drop_duplicates("place").set_index("place")
    below = printed[printed["place"].map(where["level"]).eq("commune")]
    unprinted = [_without_row(find, d) for d in DEFINITIONS.values() if isinstance(d, Ratio)]
    below = pd.concat([below, *unprinted], ignore_index=True)
    keys = ["place", "year", "standard", "indicator", "role"]
    for level in ("district", "province"):
        areas = find.cells.loc[(find.cells["level"] == level) & find.cells["printed"], keys]
        areas = areas.reset_index(names="whole")
        members = below.assign(place=below["place"].map(where[f"{level}_code"].astype(object)))
        pairs = areas.merge(members[[*keys, "cell"]], on=keys).drop_duplicates(["whole", "cell"])
        number, wholes = pd.factorize(pairs["whole"])
        rows.add(number, pairs["cell"], 1.0)
        rows.add(np.arange(len(wholes)), wholes, -1.0)
        rows.close(len(wholes))


def _without_row(find, definition):
    """The numerators of communes whose denominator is zero, and these zeros: both are in the area's sums."""
    over, under = find.of("+".join(definition.over)), "+".join(definition.under)
    found = []
    for standard in find.keys.standards:
        cell = find.at(over, under, standard)
        empty = (cell >= 0) & (find.values[cell] == 0)
        own = over.loc[empty, ["place", "year", "standard"]].assign(indicator=definition.name)
        found.append(own.assign(role="numerator", cell=own.index))
        found.append(own.assign(role="denominator", cell=cell[empty], standard=standard))
    return pd.concat(found, ignore_index=True).drop_duplicates()
