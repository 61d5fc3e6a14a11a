"""Which further cells must be hidden so that no sum gives a sensitive one back: linear programming by blocks.

For each sensitive cell a second table is sought that agrees with the true one on everything shown, ties
included, and in which the cell differs by its required width; the cells in which the two tables differ are
hidden. Among all such tables the one that costs least information is taken.

Source: Fischetti and Salazar (2001), Management Science 47(7), 1008-1027 (the model); Kelly, Golden and Assad
(1992), Networks 22, 397-417 (cell by cell with linear programs); Hundepool et al. (2012), chapter 4.
"""

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from evalkit.errors import DisclosureError
from evalkit.metrics.suppress.cells import PEOPLE, REST

# What a reader loses with a cell: the larger, the later it is hidden. Others: 3.
_WORTH = {
    "outstanding": 3000, "households": 3000, "lent": 300, "collected": 300, "written_off": 100, "poor": 60,
    "poor_before": 60, "outstanding_before": 3000, "outstanding_mean": 3000, "members": 300, "borrowers": 300,
    "borrowers_most": 300, "borrower_households": 300, "loans": 300, "near_poor": 40, "poor+near_poor": 40,
    "production": 40, "study": 20, "water": 20, "housing": 20, "other": 20, "current": 10, "overdue": 20,
    "not_poor_before": 60, "escaped": 12, "newly_poor": 2, "fell_back": 1,
}  # fmt: skip
_LEVELS = {"commune": 1, "district": 10, "province": 100}
# Counts that add up with each other; all other counts of people belong to the review of poverty.
_KIND = dict.fromkeys(
    ("borrowers", "borrower_households", "borrowers_most", "borrowers_least"), "borrowers"
) | {"borrowers_poor": "poor", "borrowers_near_poor": "near_poor", "loans": "loans", "members": "members"}
_PARTNERS = 4
_FREE = 1e-3  # of a hidden cell: it costs nothing more, and a short way is still the better one
_MILLION = 1e6
_SECONDS = (
    600  # a program of one block takes milliseconds; so long that a loaded machine hides the same figures
)


def protect(system, width, known=None, kept=None):
    """Return which cells are to be hidden, a boolean array.

    width: for each cell how wide the interval that the shown cells leave must be (see
    :func:`evalkit.metrics.suppress.primary.sensitive`). known: cells that readers have from an earlier release,
    which therefore protect no other. kept: cells that stay hidden because they were. Nothing else is hidden where
    no cell is sensitive.
    Raises DisclosureError where a cell can't be protected, which only happens if all that is hidden in its
    province is worth less than the width.
    """
    work = _Work(system, width, known, kept)
    for cell in work.order():
        for block in work.blocks(cell):
            if work.wide_enough(cell) or work.widen(cell, block):
                break
        else:
            work.give_up(cell)
    return work.hidden


class _Work:
    def __init__(self, system, width, known=None, kept=None):
        cells = system.cells
        self.known = np.zeros(len(cells), bool) if known is None else known
        self.cells = cells
        expr = cells["expr"].str.split("@").str[0]
        self.people = (expr.isin(PEOPLE) | expr.str.startswith(REST)).to_numpy()
        unit = np.where(self.people, 1.0, _MILLION)
        self.value, self.width = cells["value"].to_numpy(float) / unit, width / unit
        self.columns, self.rows = system.relations.tocsc(), system.relations.tocsr()
        self.printed = cells["printed"].to_numpy(bool)
        self.hidden = ((width > 0) | (False if kept is None else kept)) & self.printed
        self.low, self.high = np.zeros(len(cells)), np.zeros(len(cells))
        worth = expr.map(_WORTH).fillna(3).to_numpy(float)
        worth = worth * cells["level"].map(_LEVELS).fillna(1).to_numpy() * (1 + np.log1p(np.abs(self.value)))
        self.worth = np.where(self.printed, worth, _FREE)
        self.place, self.expr = cells["place"].to_numpy(object), expr.to_numpy(object)
        self.level = cells["level"].to_numpy(object)
        self.year = cells["year"].to_numpy()
        self.area = cells["district"].fillna(cells["place"]).to_numpy()
        self.province = cells["province"].fillna(cells["place"]).to_numpy()
        self.kind = expr.map(_KIND).fillna("poverty").where(self.people, "money").to_numpy()
        self.dear = (expr.map(_WORTH).fillna(3) >= 100).to_numpy()
        self.area_cells = cells.groupby([self.area, self.kind]).indices
        self.province_cells = cells.groupby([self.province, self.kind]).indices

    def order(self):
        """Sensitive cells of larger areas first, then by place and year."""
        level = self.cells["level"].map(_LEVELS).fillna(1)
        return (
            self.cells[self.width > 0]
            .assign(size=-level)
            .sort_values(["size", "place", "year"], kind="stable")
            .index
        )

    def blocks(self, cell):
        """The cells that may move with ``cell``: near in time in its district, its district, its province."""
        for block in self._blocks(cell):
            yield block[~self.known[block] | (block == cell)]

    def _blocks(self, cell):
        people = self.people[cell]
        span = 1 if people else 0
        if self.level[cell] == "commune":
            own = self.area_cells[self.area[cell], self.kind[cell]]
            own = own[(self.level[own] == "commune") | self.hidden[own]]
            near = own[np.abs(self.year[own] - self.year[cell]) <= span]
            cheap = near[~self.dear[near] | self.hidden[near]]
            yield cheap[np.isin(self.place[cheap], self.partners(cell, own))]
            yield cheap
            yield near
        every = self.province_cells[self.province[cell], self.kind[cell]]
        near = every[np.abs(self.year[every] - self.year[cell]) <= span]
        yield near[~self.dear[near] | self.hidden[near]]
        yield near
        yield every

    def partners(self, cell, block):
        """The communes most worth moving against this one: those that hide the same figure, else a small one."""
        same = block[(self.year[block] == self.year[cell]) & (self.expr[block] == self.expr[cell])]
        enough = self.value[same] >= self.width[cell]
        order = np.lexsort((self.value[same], ~enough, ~self.hidden[same]))
        return [self.place[cell], *self.place[same[order][: _PARTNERS + 1]]]

    def wide_enough(self, cell):
        return self.high[cell] - self.low[cell] >= self.width[cell] - 1e-6

    def widen(self, cell, block):
        """Find the cheapest tables in which the cell lies higher (and, if need be, lower); hide what differs."""
        problem = _Problem(self, cell, block)
        if problem.solve(self.width[cell] + self.low[cell]):
            return True
        up = problem.furthest(1.0)
        down = problem.furthest(-1.0)
        if up + down < self.width[cell] - 1e-6:
            return False
        up = min(up, self.width[cell])
        done = (up <= self.high[cell] or problem.solve(up)) and problem.solve(up - self.width[cell])
        return done and self.wide_enough(cell)

    def note(self, block, step):
        """Hide the cells that differ, and keep how far each is known to move with all shown cells unmoved."""
        moved = np.abs(step) > 1e-7
        cells, step = block[moved], step[moved]
        self.hidden[cells] |= self.printed[cells]
        self.low[cells] = np.minimum(self.low[cells], step)
        self.high[cells] = np.maximum(self.high[cells], step)
        back = np.min(
            np.where(step > 0, self.value[cells] / np.where(step > 0, step, 1), np.inf), initial=np.inf
        )
        if np.isfinite(back) and back > 0:
            back = np.floor(back) if self.people[cells[0]] else back
            self.low[cells] = np.minimum(self.low[cells], -back * step)
            self.high[cells] = np.maximum(self.high[cells], -back * step)

    def give_up(self, cell):
        at = self.cells.loc[cell]
        named = f"{at['place']}, {at['year']}, {at['expr']}"
        rule = "set hide_zeros = false" if at["value"] == 0 else "lower suppression_threshold"
        if self.known[cell]:
            raise DisclosureError(
                f"{named}: readers have this figure from an earlier release, and what is public can't be hidden any more. "
                f"Take that release down and build into another folder, or {rule} in dataset.toml."
            )
        beside = " that no earlier release shows" if self.known.any() else ""
        take_down = ", or take the earlier release down and build into another folder" if beside else ""
        raise DisclosureError(
            f"{named}: can't be protected by hiding other figures of its province{beside}. "
            f"Leave the column out of the data set, or {rule} in dataset.toml{take_down}."
        )


class _Problem:
    """The tables that agree with the true one outside ``block``, as steps up and down of its cells."""

    def __init__(self, work, cell, block):
        self.work, self.block = work, block
        ties = work.columns[:, block].tocsr()
        ties = ties[np.diff(ties.indptr) > 0]
        self.ties = sparse.hstack([ties, -ties]).tocsr()
        self.at = int(np.flatnonzero(block == cell)[0]) if cell in block else -1
        self.value = work.value[block]

    def _milp(self, cost, up, down):
        n = len(self.block)
        upper = np.r_[np.full(n, np.inf), np.maximum(self.value, 0)]
        lower = np.zeros(2 * n)
        upper[[self.at, n + self.at]] = up[1], down[1]
        lower[[self.at, n + self.at]] = up[0], down[0]
        return milp(
            cost,
            bounds=Bounds(lower, upper),
            constraints=LinearConstraint(self.ties, 0, 0),
            options={"time_limit": 20, "presolve": False},
        )

    def solve(self, target):
        """Move the cell by ``target`` at the least cost; return whether that is possible."""
        if abs(target) < 1e-9:
            return True
        if -target > self.value[self.at] + 1e-9:
            return False
        work, block = self.work, self.block
        cost = np.where(work.hidden[block] | ~work.printed[block], _FREE, work.worth[block])
        up, down = ((target, target), (0, 0)) if target > 0 else ((0, 0), (-target, -target))
        found = self._milp(np.r_[cost, cost], up, down)
        if found.x is None:
            return False
        work.note(block, found.x[: len(block)] - found.x[len(block) :])
        return True

    def furthest(self, sign):
        """How far the cell can be moved up (1) or down (-1), at most by its required width."""
        n, far = len(self.block), self.work.width[self.work_cell()]
        cost = np.zeros(2 * n)
        cost[self.at if sign > 0 else n + self.at] = -1.0
        limit = far if sign > 0 else min(far, self.value[self.at])
        up, down = ((0, limit), (0, 0)) if sign > 0 else ((0, 0), (0, limit))
        found = self._milp(cost, up, down)
        return 0.0 if found.x is None else -found.fun

    def work_cell(self):
        return self.block[self.at]
