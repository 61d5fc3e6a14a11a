"""How low and how high each of some sums of amounts can lie, given equations: by linear programming."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

_ROUNDS = 8
_TOLERANCE = 1e-6


class System:
    """Amounts of communes (columns), equations (rows) and what they come to; firm: printed, not only trusted."""

    def __init__(self, atoms, index, matrix, total, firm):
        self.atoms, self.index, self.matrix, self.total, self.firm = atoms, index, matrix, total, firm

    def bound(self, target, width):
        """Return the lowest and the highest value of each target (a row of coefficients of the atoms)."""
        single = np.flatnonzero((np.diff(self.matrix.indptr) == 1) & self.firm)
        known = np.full(len(self.atoms), np.nan)
        known[self.matrix.indices[self.matrix.indptr[single]]] = self.total[single]
        open_ = np.isnan(known)
        constant = target @ np.where(open_, 0.0, known)
        self.total = self.total - self.matrix @ np.where(open_, 0.0, known)
        keep = np.asarray(self.matrix[:, open_].astype(bool).sum(axis=1)).ravel() > 0
        matrix, target = self.matrix[keep][:, open_], target[:, open_]
        self.rest, self.sure = self.total[keep], self.firm[keep]
        free = np.asarray(target.astype(bool).sum(axis=1)).ravel() > 0
        low, high = np.where(free, np.inf, 0.0), np.where(free, -np.inf, 0.0)
        for rows, columns, targets in _parts(matrix.tocsr(), target.tocsr()):
            if len(columns):
                self._bound_part(matrix, rows, columns, targets, target, width, low, high)
        return low + constant, high + constant

    def _bound_part(self, matrix, rows, columns, targets, target, width, low, high):
        a, b = matrix[rows][:, columns], self.rest[rows]
        wanted = target[targets][:, columns]
        scale = np.where(width[targets] > 1000, 1e6, 1.0)
        unit = scale.max()
        if _solve(np.zeros(len(columns)), a, b / unit) is None:
            agree = _agreeing(a, b / unit, self.sure[rows])
            a, b = a[agree], b[agree]
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


def _agreeing(a, b, firm):
    """Which equations hold together: of those that contradict each other, the trusted give way to the printed."""
    count, width = a.shape
    off = sparse.identity(count)
    price = np.where(firm, 100.0, 1.0)
    found = linprog(
        np.r_[np.zeros(width), price, price],
        A_eq=sparse.hstack([a, off, -off]),
        b_eq=b,
        bounds=(0, None),
        method="highs",
    )
    return found.x[width : width + count] + found.x[width + count :] < _TOLERANCE


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
            yield own[own < matrix.shape[0]], column_of[i], targets
