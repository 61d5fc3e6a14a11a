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
# A commune without poor households has no such ratio, and its borrowers are in the area's sum all the same.
_HOLDER = {"poor_household_coverage_pct": "poor_households"}
_TOLERANCE = 1e-6


def must_fail(build_folder, *, earlier=None):
    """Raise DisclosureError, naming the worst figure, where the attack on a build succeeds; else return its table.

    earlier: the figures of a release that readers already have, as they were shown. Those that are still true are
    used against this build, and nothing that was hidden there may be shown here: it would be used against that
    release, of which the sums are still known.
    """
    rows, sensitive, units = (built.read(build_folder, t) for t in ("indicators", "sensitive", "places"))
    public = suppress.shown(rows)
    found = [intervals(public, sensitive, units)] if len(sensitive) else []
    if earlier is not None:
        _nothing_uncovered(public, earlier)
    if earlier is not None and len(sensitive):
        found.append(intervals(_filled(public, rows, earlier), sensitive, units))
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    broken = table[table["disclosed"]] if len(table) else table
    if len(broken):
        worst = (
            broken.assign(wide=broken["upper"] - broken["lower"]).sort_values("wide", kind="stable").iloc[0]
        )
        raise DisclosureError(
            f"{worst['place']}, {worst['year']}, {worst['expr']}: whoever subtracts what is shown learns that it lies "
            f"between {worst['lower']:g} and {worst['upper']:g}, and so for {len(broken)} figures in all. Nothing is "
            f"published. {_MEND}"
        )
    return table


_MEND = (
    "Build again with this version of evalkit, beside the release that readers have (--since, or the site in the "
    "output folder). If it is a matter of a new threshold, take that release down and publish to another folder."
)


def _nothing_uncovered(public, earlier):
    """Raise where a figure is shown that the earlier release hid."""
    hidden = suppress.beside(public, earlier)["hidden"].eq(True).to_numpy()
    again = public[hidden & ~suppress.is_hidden(public)]
    if len(again):
        first = again.iloc[0]
        raise DisclosureError(
            f"{first['place']}, {first['period']}, {first['indicator']}: hidden in the release that readers have and "
            f"shown in this build, and so {len(again)} figures in all. Nothing is published. {_MEND}"
        )


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


def _filled(public, rows, earlier):
    """The rows as a reader of both releases has them: of what is hidden now, what the earlier one shows and still holds."""
    back = suppress.is_hidden(public) & suppress.holds(rows, suppress.beside(rows, earlier))
    figures = ["value", "lower", "upper", "numerator", "denominator"]
    out = public.copy()
    out.loc[back, figures] = rows.loc[back, figures]
    return out


class _System:
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


def _equations(public, units):
    """Write down what the shown rows say: single figures are known, sums and identities tie the others."""
    level = units.drop_duplicates("place").set_index("place")["level"].astype(object)
    rows = public[suppress.from_tables(public) & public["indicator"].isin(_DEFINITIONS)].reset_index(
        drop=True
    )
    rows = rows.astype({"place": object, "indicator": object, "year": "int64"})
    rows["level"] = rows["place"].map(level)
    terms, totals, count = [], [], 0
    nothing = rows.iloc[:0].assign(area=None)
    saying = {at: _by_indicator(rows[rows["level"] == at]) for at in ("district", "province", "commune")}
    communes = rows[rows["level"] == "commune"]
    members = {
        at: _by_indicator(communes.assign(area=communes["place"].map(_area_of(units, at))))
        for at in ("district", "province")
    } | {"commune": _by_indicator(communes.assign(area=communes["place"]))}
    for name, definition in _DEFINITIONS.items():
        for role, columns in _said(definition).items():
            for at, below in members.items():
                said = saying[at].get(name, nothing)
                said = said.assign(eq=np.arange(len(said)) + count)
                count += len(said)
                totals.append(said[role].to_numpy(float))
                one = below.get(_HOLDER.get(name, name), nothing)[["place", "area", "year", "basis"]]
                if name in _HOLDER:
                    lent = below.get("borrower_households_poor_hh", nothing)[["place", "year"]]
                    one = one.merge(lent, on=["place", "year"])
                pairs = said[["place", "year", "basis", "eq"]].rename(columns={"place": "area"})
                pairs = pairs.merge(one, on=["area", "year", "basis"])
                terms += [_term(pairs, c, 1.0) for c in columns]
    noughts = _given_away(saying["commune"], nothing)
    noughts = noughts.assign(eq=np.arange(len(noughts)) + count)
    count += len(noughts)
    totals.append(np.zeros(len(noughts)))
    terms.append(_term(noughts, "poor", 1.0))
    sure = pd.concat(terms, ignore_index=True)
    total = np.concatenate(totals)
    atoms = sure.drop_duplicates(_KEY)[_KEY].reset_index(drop=True)
    trusted, extra = _identities(atoms, units, count)
    every = pd.concat([sure, trusted], ignore_index=True)
    total = np.r_[total, np.zeros(extra)]
    index = pd.MultiIndex.from_frame(atoms)
    number = index.get_indexer(pd.MultiIndex.from_frame(every[_KEY]))
    matrix = sparse.csr_matrix((every["coef"], (every["eq"], number)), shape=(len(total), len(atoms)))
    matrix = matrix[~np.isnan(total)]
    firm = (np.arange(len(total)) < count)[~np.isnan(total)]
    return _System(atoms, index, matrix, total[~np.isnan(total)], firm)


def _given_away(saying, nothing):
    """The hidden counts of poor households of which a ratio over them is missing though its other part is there: noughts."""
    poor = saying.get("poor_households", nothing)
    poor = poor[poor["value"].isna()]
    found = [poor.iloc[:0]]
    for ratio, (above, years) in suppress.OVER_POOR.items():
        there = {name: saying.get(name, nothing) for name in (ratio, above)}
        on = {ratio: ["place", "year", "basis"], above: ["place", "year", *(["basis"] if years else [])]}
        later = poor.assign(year=poor["year"] + years)
        has = {
            name: pd.MultiIndex.from_frame(later[keys]).isin(pd.MultiIndex.from_frame(there[name][keys]))
            for name, keys in on.items()
        }
        found.append(poor[has[above] & ~has[ratio]])
    return pd.concat(found).drop_duplicates(["place", "year", "basis"])


def _by_indicator(rows):
    return dict(tuple(rows.groupby("indicator", sort=False)))


def _said(definition):
    if isinstance(definition, Ratio):
        return {"numerator": definition.over, "denominator": definition.under}
    return {"value": definition.columns}


def _area_of(units, level):
    return units.drop_duplicates("place").set_index("place")[f"{level}_code"].astype(object)


def _term(pairs, column, coef):
    standard = pairs["basis"].astype(object).fillna("") if column.startswith(_OF_STANDARD) else ""
    return pairs[["eq", "place", "year"]].assign(standard=standard, column=column, coef=coef)


_CODES = tuple(f"outstanding_{code}" for code in reference.programmes().index)
_SUMS = (
    ("outstanding", dict.fromkeys(_CODES, 1.0), False),
    ("outstanding", dict.fromkeys(("current", "overdue", "frozen", "extended"), 1.0), True),
    ("poor", {"poor_before": 1.0, "fell_back": 1.0, "newly_poor": 1.0, "escaped": -1.0}, True),
    *(
        (
            purpose,
            {
                f"outstanding_{code}": 1.0
                for code in reference.programmes().query("purpose == @purpose").index
            },
            False,
        )
        for purpose in credit.PURPOSES
    ),
)


def _identities(atoms, units, count):
    """What an intruder trusts to hold: parts add up, last year's end is this year's start, flows move stocks."""
    at = pd.MultiIndex.from_frame(atoms)
    found, extra = [], 0

    def tie(cells, others, every):
        nonlocal extra
        there = {}
        for key, (frame, coef) in others.items():
            there[key] = (frame, coef, at.get_indexer(pd.MultiIndex.from_frame(frame[_KEY])) >= 0)
        have = np.array([t for _, _, t in there.values()])
        keep = have.all(axis=0) if every else have.any(axis=0)
        eq = np.arange(len(cells)) + count + extra
        extra += len(cells)
        found.append(cells.assign(eq=eq, coef=-1.0)[keep])
        found.extend(f.assign(eq=eq, coef=c)[keep & t] for f, c, t in there.values())

    for whole, parts, every in _SUMS:
        cells = atoms[atoms["column"] == whole]
        tie(cells, {c: (cells.assign(column=c), k) for c, k in parts.items()}, every)
    merged = set(units["successor_code"].dropna()) if "successor_code" in units else set()
    for name in ("poor", "outstanding"):
        cells = atoms[(atoms["column"] == f"{name}_before") & ~atoms["place"].isin(merged)]
        tie(cells, {name: (cells.assign(column=name, year=cells["year"] - 1), 1.0)}, True)
    return pd.concat(found, ignore_index=True), extra


def _targets(sensitive, system, units):
    """Each protected figure as a sum of the communes' amounts."""
    atoms = system.atoms
    by_area = {"commune": atoms["place"]} | {
        n: atoms["place"].map(_area_of(units, n)) for n in ("district", "province")
    }
    level = units.drop_duplicates("place").set_index("place")["level"].astype(object)
    wanted = sensitive.assign(target=np.arange(len(sensitive)), level=sensitive["place"].map(level))
    parts = []
    for row in wanted.itertuples():
        for column, sign in _columns(row.expr):
            parts.append((row.target, row.place, row.year, row.level, column, row.standard, sign))
    want = pd.DataFrame(parts, columns=["target", "area", "year", "level", "column", "wanted", "sign"])
    found = []
    for name, area in by_area.items():
        own = atoms.assign(area=area, atom=np.arange(len(atoms)))
        pairs = want[want["level"] == name].merge(own, on=["area", "year", "column"])
        found.append(
            pairs[
                (pairs["standard"] == "") | (pairs["wanted"] == "") | (pairs["standard"] == pairs["wanted"])
            ]
        )
    pairs = pd.concat(found, ignore_index=True)
    return sparse.csr_matrix(
        (pairs["sign"], (pairs["target"], pairs["atom"])), shape=(len(sensitive), len(atoms))
    )


def _columns(expr):
    """The columns that an expression adds up; what a share leaves is its whole less its part."""
    bare = expr.split("@")[0]
    if bare.startswith("rest of "):
        definition = _DEFINITIONS[bare.removeprefix("rest of ")]
        return [(c, 1.0) for c in definition.under] + [(c, -1.0) for c in definition.over]
    return [(c, 1.0) for c in bare.split("+")]
