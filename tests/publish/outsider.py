"""A statistician outside: works hidden figures out of the files of a release, which is all that he has.

figures.csv, places.csv and indicators.csv give him what is shown, which places make up an area, and the formulas.
He knows how a bank's and a commune's books add up, that counts are whole and that a part is no more than its whole.
Unlike evalkit's own attack he solves for whole numbers, and the formulas are read from the release, not the code.
"""

import re
from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse.csgraph import connected_components

COUNTS = (
    "households",
    "poor",
    "near_poor",
    "escaped",
    "fell_back",
    "newly_poor",
    "borrowers",
    "loans",
    "members",
)
BY_STANDARD = ("poor", "near_poor", "escaped", "fell_back", "newly_poor", "not_poor")
SUMS = {  # whole: parts, with their sign
    "outstanding": ({"current": 1, "overdue": 1, "frozen": 1, "extended": 1},
                    {"outstanding_before": 1, "lent": 1, "collected": -1, "written_off": -1}),
    "outstanding_mean": ({"outstanding": 0.5, "outstanding_before": 0.5},),
    "poor": ({"poor_before": 1, "fell_back": 1, "newly_poor": 1, "escaped": -1},),
}  # fmt: skip
PARTS = (
    ("escaped", "poor_before"),
    ("poor", "households"),
    ("borrowers_poor", "borrowers"),
    ("borrowers_near_poor", "borrowers"),
    ("borrower_households", "borrowers"),
    ("borrowers", "loans"),
)
PURPOSES = ("production", "study", "water", "housing", "other")
# A ratio over poor households that is missing though the count above its line stands: nobody was poor that year before.
OVER_POOR = {
    "poor_household_coverage_pct": ("borrower_households_poor_hh", 0),
    "exit_rate_pct": ("households_escaped_poverty", 1),
}


class Outsider:
    """Reads a release folder; ``bounds(place, year, quantity, standard)`` is what it gives away of a quantity."""

    def __init__(self, release, programmes, prices):
        figures, places, formulas = (
            pd.read_csv(release / f"{name}.csv", dtype=str, encoding="utf-8-sig", keep_default_na=False)
            for name in ("figures", "places", "indicators")
        )
        self.programmes, self.prices = programmes, prices
        self.formulas = {
            i: list(_read(f)) for i, f in zip(formulas["indicator"], formulas["formula"], strict=True)
        }
        self.number, self.equations = {}, []
        self._read_rows(figures, places)
        self._books(set(places["successor_place"]))
        self._solve_singles()

    def _read_rows(self, figures, places):
        rows = figures[
            figures["source"].isin(["credit", "poverty", "groups", "credit; poverty", "groups; credit"])
        ]
        rows = rows[rows["period"].str.fullmatch(r"\d{4}")]
        above = {r.place: (r.district, r.province) for r in places.itertuples() if r.type}
        members = {}
        for r in rows.itertuples():
            for whole in (r.place, *above[r.place]) if r.place in above else ():
                members.setdefault((whole, r.indicator, r.period, r.basis), []).append(r.place)
        self.empty = self._without_poor(rows[rows["place"].isin(above)])
        for place, year, basis in self.empty:
            self.equations.append(({self._of(place, int(year), "poor", basis): 1.0}, 0.0))
        for r in rows.itertuples():
            name = r.place if r.place in above else r.name
            communes = members.get((name, r.indicator, r.period, r.basis), [])
            for role, (quantities, factor) in self._said(r).items():
                below = list(communes)
                if r.indicator == "poor_household_coverage_pct":
                    below += [
                        p for p, year, basis in self.empty
                        if (year, basis) == (r.period, r.basis) and name in above[p]
                    ]  # fmt: skip
                terms = {
                    self._of(p, int(r.period), q, r.basis): factor for p in set(below) for q in quantities
                }
                value = getattr(r, role)
                if terms and value:
                    self.equations.append((terms, float(value)))

    def _without_poor(self, rows):
        """(place, year, basis) of the counts of poor households that say nought, or that a missing ratio gives away."""
        there = set(zip(rows["place"], rows["period"], rows["basis"], rows["indicator"], strict=True))
        found = set()
        for r in rows[rows["indicator"] == "poor_households"].itertuples():
            if r.value and float(r.value) == 0:
                found.add((r.place, r.period, r.basis))
            for ratio, (above, years) in OVER_POOR.items():
                year = str(int(r.period) + years)
                counted = {(r.place, year, basis, above) for basis in (r.basis, "households")} & there
                if counted and (r.place, year, r.basis, ratio) not in there:
                    found.add((r.place, r.period, r.basis))
        return found

    def _said(self, row):
        """{column of the row: (quantities that it adds up, factor)}."""
        for over, under in self.formulas.get(row.indicator, []):
            said = {"numerator": over, "denominator": under} if under else {"value": over}
            factor = 1.0
            if any("_real" in q for q in over):
                year = int(row.period)
                said = {k: [q.replace("_real", "") for q in v] for k, v in said.items()}
                factor = 100 / self.prices[year]
                if "denominator" in said and "_before" in said["denominator"][0]:
                    return {
                        "numerator": (said["numerator"], factor),
                        "denominator": (said["denominator"], 100 / self.prices[year - 1]),
                    }
                return {k: (v, factor if k != "denominator" else 1.0) for k, v in said.items()}
            return {k: (v, factor) for k, v in said.items()}
        return {}

    def _of(self, place, year, quantity, basis):
        return self.number.setdefault(_key(place, year, basis, quantity), len(self.number))

    def _books(self, heirs):
        def tie(whole, parts, every=True):
            found = {self.number[k]: c for k, c in parts.items() if k in self.number}
            if found and (len(found) == len(parts) or not every):
                self.equations.append(({whole: -1.0, **found}, 0.0))

        self.at_most = []
        for (place, year, q, basis), n in list(self.number.items()):
            key = partial(_key, place, year, basis)
            for parts in SUMS.get(q, ()):
                tie(n, {key(name): c for name, c in parts.items()})
            if q == "outstanding" or q in PURPOSES:
                own = [c for c, purpose in self.programmes.items() if q in ("outstanding", purpose)]
                tie(n, {key(f"outstanding_{code}"): 1.0 for code in own}, every=False)
            if q in ("poor_before", "outstanding_before") and place not in heirs:
                tie(n, {_key(place, year - 1, basis, q.removesuffix("_before")): 1.0})
            for part, whole in PARTS:
                if q == part and key(whole) in self.number:
                    self.at_most.append((n, self.number[key(whole)]))

    def _solve_singles(self):
        count = len(self.equations), len(self.number)
        i, j, v = zip(
            *((i, j, c) for i, (terms, _) in enumerate(self.equations) for j, c in terms.items()), strict=True
        )
        matrix = sparse.csr_matrix((v, (i, j)), shape=count)
        total = np.array([value for _, value in self.equations])
        self.known = np.full(count[1], np.nan)
        while True:
            open_ = np.isnan(self.known)
            left = total - matrix @ np.where(open_, 0, self.known)
            alone = np.flatnonzero(np.asarray((matrix[:, open_] != 0).sum(axis=1)).ravel() == 1)
            if not len(alone):
                break
            for row in alone:
                columns = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
                column = next(c for c in columns if open_[c])
                self.known[column] = left[row] / matrix[row, column]
        self.position = np.where(open_, np.cumsum(open_) - 1, -1)
        whole = np.array([q.split("+")[0].startswith(COUNTS) for _, _, q, _ in self.number])[open_]
        keep = np.asarray((matrix[:, open_] != 0).sum(axis=1)).ravel() > 1
        if open_.any():
            self.rules = _Rules(matrix[keep][:, open_], left[keep], whole, self._limits())

    def _limits(self):
        """What is no more than what: [(coefficients by position, the most that they come to)]."""
        found = []
        for part, whole in self.at_most:
            a, b = self.position[part], self.position[whole]
            if a >= 0:
                found.append(({a: 1.0, b: -1.0}, 0.0) if b >= 0 else ({a: 1.0}, self.known[whole]))
        return found

    def bounds(self, place, year, quantity, standard=""):
        """The least and the most that a quantity can be."""
        n = self.number.get((place, year, quantity, standard))
        if n is None:
            return 0.0, np.inf
        if not np.isnan(self.known[n]):
            return self.known[n], self.known[n]
        return self.rules.ends(self.position[n])


class _Rules:
    """Equations and limits of what is not known by itself, split into parts that have nothing to do with each other."""

    def __init__(self, matrix, total, whole, limits):
        self.unit = np.where(whole, 1.0, 1e6)
        matrix = (matrix @ sparse.diags(self.unit)).tocsr()
        size = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-9)
        slack = 1e-6 * np.maximum(abs(total), 1) / size
        less = sparse.dok_matrix((len(limits), matrix.shape[1]))
        for i, (terms, _) in enumerate(limits):
            for j, c in terms.items():
                less[i, j] = c
        self.matrix = sparse.vstack([sparse.diags(1 / size) @ matrix, less]).tocsr()
        self.low = np.r_[total / size - slack, np.full(len(limits), -np.inf)]
        self.high = np.r_[total / size + slack, [most + 1e-6 for _, most in limits]]
        self.whole = whole
        links = sparse.bmat([[None, self.matrix], [self.matrix.T, None]])
        label = connected_components(links, directed=False)[1]
        self.of_rule, self.of_quantity = label[: self.matrix.shape[0]], label[self.matrix.shape[0] :]

    def ends(self, at):
        own = np.flatnonzero(self.of_quantity == self.of_quantity[at])
        rules = np.flatnonzero(self.of_rule == self.of_quantity[at])
        agree = LinearConstraint(self.matrix[rules][:, own], self.low[rules], self.high[rules])
        cost = (own == at).astype(float)
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * cost, constraints=agree, bounds=Bounds(0, np.inf), integrality=self.whole[own]
            )
            assert found.status != 2, "what he takes for true contradicts itself"
            ends.append(np.inf * -sign if found.x is None else sign * found.fun * self.unit[at])
        return tuple(ends)


def _key(place, year, basis, quantity):
    return place, year, quantity, basis if quantity.startswith(BY_STANDARD) else ""


def _read(formulas):
    """Formulas in words as (quantities above, quantities below); none below where there is no division."""
    for formula in formulas.split("; "):
        bare = re.sub(r"^[\d.]+ × ", "", formula).replace(" − 1", "").replace("(", "").replace(")", "")
        over, _, under = bare.partition(" / ")
        if re.fullmatch(r"[a-z_ +]+", over) and "mean" not in bare.split():
            yield over.split(" + "), under.split(" + ") if under else []
