"""The sums that a reader knows to hold between cells, as rows of a matrix."""

import numpy as np
import pandas as pd
from scipy import sparse

from evalkit.load import reference
from evalkit.metrics import credit
from evalkit.metrics.definitions import Ratio
from evalkit.metrics.suppress.cells import DEFINITIONS


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


def relations(find, printed, units):
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
