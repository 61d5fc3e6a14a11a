"""How low and how high each of some sums of amounts can lie, given equations: by linear programming."""

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse.csgraph import connected_components

from evalkit.errors import DisclosureError

_IDLE = 3  # directions in a row that decide nothing, before figures are taken one by one
_TOLERANCE = 1e-6


class System:
    """Amounts of communes (columns), equations (rows) and what they come to; firm: printed, not only trusted."""

    def __init__(self, atoms, matrix, total, firm):
        self.atoms, self.matrix, self.total, self.firm = atoms, matrix, total, firm

    def bound(self, target, width):
        """Return the lowest and the highest value of each target (a row of coefficients of the atoms).

        A target that can lie ``width`` apart or more isn't followed further: its ends are points that it reaches.
        """
        known = self._printed_alone()
        open_ = np.isnan(known)
        constant = target @ np.where(open_, 0.0, known)
        rest = self.total - self.matrix @ np.where(open_, 0.0, known)
        matrix, target = self.matrix[:, open_].tocsr(), target[:, open_].tocsr()
        low, high = np.zeros(len(width)), np.zeros(len(width))
        for rows, columns, targets in _parts(matrix, target):
            part = _Part(
                matrix[rows][:, columns],
                rest[rows],
                self.firm[rows],
                target[targets][:, columns],
                width[targets],
            )
            low[targets], high[targets] = part.bound()
        return low + constant, high + constant

    def _printed_alone(self):
        """The amounts that a printed figure gives by itself; nan: the others."""
        single = np.flatnonzero((np.diff(self.matrix.indptr) == 1) & self.firm)
        known = np.full(len(self.atoms), np.nan)
        known[self.matrix.indices[self.matrix.indptr[single]]] = self.total[single]
        return known


class _Part:
    """Amounts that are tied to each other, the equations that tie them, and the targets that are sums of them."""

    def __init__(self, matrix, total, firm, wanted, width):
        self.unit = 1e6 if (width > 1000).any() else 1.0
        self.matrix, self.total, self.wanted, self.width = matrix, total / self.unit, wanted, width
        self.low, self.high = np.full(len(width), np.inf), np.full(len(width), -np.inf)
        if self._table(np.zeros(matrix.shape[1])).status == _CONTRADICTION:
            agree = _agreeing(matrix, self.total, firm)
            self.matrix, self.total = matrix[agree], self.total[agree]

    def bound(self):
        """Return low and high: many targets at a time as long as that decides any, then one by one."""
        if len(self.width) > 2:
            self._scatter()
        for i in range(len(self.width)):
            if self.high[i] - self.low[i] < self.width[i]:
                cost = self.wanted[[i]].toarray().ravel()
                self._reach(cost)
                self._reach(-cost)
        return self.low, self.high

    def _scatter(self):
        """Reach for tables that lie far apart, in random directions of the targets that aren't decided yet."""
        random = np.random.default_rng(1)
        undecided, idle = np.arange(len(self.width)), 0
        while len(undecided) and idle < _IDLE:
            sign = random.choice([-1.0, 1.0], len(undecided))
            self._reach(self.wanted[undecided].T @ sign)
            left = np.flatnonzero(self.high - self.low < self.width)
            idle = 0 if len(left) < len(undecided) else idle + 1
            undecided = left

    def _reach(self, cost):
        """Note where every target lies in the table that makes the cost least."""
        found = self._table(cost)
        if found.status:
            raise DisclosureError(
                f"The attack on {len(self.width)} hidden figures that are tied to each other found no end "
                f"({found.message}), so it can't be said that they are safe. Nothing is published. Run `evalkit "
                "check` and mend the sums that don't add up."
            )
        at = self.wanted @ found.x * self.unit
        self.low, self.high = np.minimum(self.low, at), np.maximum(self.high, at)

    def _table(self, cost):
        """The table that agrees with all equations and makes the cost least, as scipy gives it."""
        cap = 10 * max(np.abs(self.total).max(initial=1.0), self.width.max() / self.unit) + 100
        slack = _TOLERANCE * np.maximum(np.abs(self.total), 1)
        sums = LinearConstraint(self.matrix, self.total - slack, self.total + slack)
        return milp(cost, constraints=sums, bounds=Bounds(0, cap))


_CONTRADICTION = 2  # scipy's status of a program without a solution


def _agreeing(matrix, total, firm):
    """Which equations hold together: of those that contradict each other, the trusted give way to the printed."""
    count, width = matrix.shape
    off = sparse.identity(count)
    price = np.where(firm, 100.0, 1.0)
    found = linprog(
        np.r_[np.zeros(width), price, price],
        A_eq=sparse.hstack([matrix, off, -off]),
        b_eq=total,
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
