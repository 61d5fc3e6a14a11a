"""The attack on a release: what an intruder can work out of the hidden figures from those that are shown.

It knows nothing of how figures were chosen for hiding. From the rows as a reader sees them and the published
definitions of the indicators it writes every equation down and asks, by linear programming, how low and how
high each protected figure can lie.

Source: Hundepool et al. (2012), Statistical Disclosure Control, section 4.4 (the audit of suppressed tables);
Fischetti and Salazar (2001), Management Science 47(7), 1008-1027, the attacker's subproblems.
"""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from evalkit import building as built
from evalkit.errors import DisclosureError
from evalkit.load import reference
from evalkit.metrics import credit, reviews, suppress
from evalkit.metrics.definitions import Ratio

_DEFINITIONS = {
    d.name: d
    for d in (
        *credit.DEFINITIONS, *credit.PER_HOUSEHOLD, *credit.PER_POOR_HOUSEHOLD, *reviews.DEFINITIONS, *reviews.HOUSEHOLDS
    )
    if isinstance(d, Ratio) or hasattr(d, "column")
}  # fmt: skip
_OF_STANDARD = ("poor", "near_poor", "escaped", "fell_back", "newly_poor", "not_poor", "stayed")
_KEY = ["place", "year", "standard", "column"]
_ROUNDS = 8
_TOLERANCE = 1e-6


def must_fail(build_folder, *, earlier=None):
    """Raise DisclosureError, naming the worst figure, where the attack on a build succeeds; else return its table.

    earlier: the build of a release that readers already have: its figures are used against this one, and this
    one's against it.
    """
    rows, sensitive, units = (built.read(build_folder, t) for t in ("indicators", "sensitive", "places"))
    public = suppress.shown(rows)
    found = [intervals(public, sensitive, units)] if len(sensitive) else []
    if earlier is not None:
        before, protected = suppress.shown(built.read(earlier, "indicators")), built.read(earlier, "sensitive")
        found.append(intervals(_filled(public, before), sensitive, units))
        found.append(intervals(_filled(before, public), protected, built.read(earlier, "places")))
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    broken = table[table["disclosed"]] if len(table) else table
    if len(broken):
        worst = broken.assign(wide=broken["upper"] - broken["lower"]).sort_values("wide", kind="stable").iloc[0]
        raise DisclosureError(
            f"{worst['place']}, {worst['year']}, {worst['expr']}: whoever subtracts what is shown learns that it lies "
            f"between {worst['lower']:g} and {worst['upper']:g}, and so for {len(broken)} figures in all. Nothing is "
            "published. Build again with this version of evalkit; do not publish the build beside an earlier release."
        )
    return table


def intervals(public, sensitive, units):
    """Return for each protected figure how low and how high it can lie: the columns of ``sensitive`` and lower,
    upper, disclosed (the interval is narrower than ``width``).

    public: indicator rows as a reader sees them. sensitive: place, year, standard, expr, width. Where an
    interval was found to be wide enough its ends are points that it surely holds, not its outermost ones.
    """
    system = _equations(public, units)
    target = _targets(sensitive, system, units)
    lower, upper = system.bound(target, sensitive["width"].to_numpy(float))
    # A hundredth of the width is left for the rounding of sums.
    disclosed = upper - lower < 0.99 * sensitive["width"].to_numpy(float)
    return sensitive.assign(lower=lower, upper=upper, disclosed=disclosed)


def _filled(public, other):
    """Rows that are hidden in one release and shown in the other, with the figures of the other."""
    keys = ["place", "period", "indicator", "basis", "method", "source"]
    hidden = public["flags"].fillna("").str.contains("hidden")
    known = other[other["value"].notna()].drop_duplicates(keys)
    back = public.loc[hidden, [c for c in public if c not in _FIGURES]].merge(
        known[[*keys, *_FIGURES]], on=keys, how="left"
    )
    return pd.concat([public[~hidden], back[public.columns]], ignore_index=True)


_FIGURES = ["value", "lower", "upper", "numerator", "denominator"]


class _System:
    """Unknown amounts of communes (columns), equations (rows) and what they come to."""

    def __init__(self, atoms, matrix, total, unknown):
        self.atoms, self.matrix, self.total, self.unknown = atoms, matrix, total, unknown
        self.number = pd.Index(atoms["key"])

    def bound(self, target, width):
        """Return the lowest and the highest value of each target (a row of coefficients of the atoms)."""
        low, high = np.full(target.shape[0], np.inf), np.full(target.shape[0], -np.inf)
        part = _parts(self.matrix, target)
        for _, rows, columns, targets in part:
            self._bound_part(rows, columns, targets, target, width, low, high)
        return low, high

    def _bound_part(self, rows, columns, targets, target, width, low, high):
        a, b = self.matrix[rows][:, columns], self.total[rows]
        wanted = target[targets][:, columns]
        scale = np.where(width[targets] > 1000, 1e6, 1.0)
        unit = scale.max()
        point = lambda cost: _solve(cost, a, b / unit)  # noqa: E731
        random = np.random.default_rng(1)
        undecided = np.arange(len(targets))
        for _ in range(_ROUNDS if len(targets) > 2 else 0):
            sign = random.choice([-1.0, 1.0], len(undecided))
            found = point(np.asarray(wanted[undecided].T @ sign).ravel())
            if found is None:
                break
            at = wanted @ found * unit
            low[targets], high[targets] = np.minimum(low[targets], at), np.maximum(high[targets], at)
            undecided = np.flatnonzero(high[targets] - low[targets] < width[targets])
            if not len(undecided):
                return
        for i in undecided:
            cost = wanted[[i]].toarray().ravel()
            for sign, end, better in ((1.0, low, np.minimum), (-1.0, high, np.maximum)):
                found = point(sign * cost)
                at = -sign * np.inf if found is None else float(cost @ found) * unit
                end[targets[i]] = better(end[targets[i]], at)


def _solve(cost, a, b):
    """A table that agrees with all equations and makes the cost least; None where there is no end to it."""
    cap = 10 * np.abs(b).max(initial=1.0) + 100
    slack = _TOLERANCE * np.maximum(np.abs(b), 1)
    both = sparse.vstack([a, -a])
    found = linprog(cost, A_ub=both, b_ub=np.r_[b + slack, slack - b], bounds=(0, cap), method="highs")
    return found.x if found.status == 0 else None


def _parts(matrix, target):
    """Split equations, atoms and targets into those that have nothing to do with each other."""
    every = sparse.vstack([matrix, target]).tocsr()
    links = sparse.bmat([[None, every], [every.T, None]])
    count, label = connected_components(links, directed=False)
    rows, columns = label[: every.shape[0]], label[every.shape[0] :]
    row_of, column_of = (
        np.split(np.argsort(x, kind="stable"), np.cumsum(np.bincount(x, minlength=count))[:-1])
        for x in (rows, columns)
    )
    for i in range(count):
        own = row_of[i]
        targets = own[own >= matrix.shape[0]] - matrix.shape[0]
        if len(targets) and len(column_of[i]):
            yield i, own[own < matrix.shape[0]], column_of[i], targets
