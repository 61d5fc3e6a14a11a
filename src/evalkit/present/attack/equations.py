"""Every equation that the shown rows and the published definitions write down, and the figures aimed at, as sums of it."""

import numpy as np
import pandas as pd
from scipy import sparse

from evalkit.load import reference
from evalkit.metrics import credit, reviews, suppress
from evalkit.metrics.definitions import Ratio
from evalkit.present.attack.bounds import System

_DEFINITIONS = {
    d.name: d
    for d in (
        *credit.DEFINITIONS, *credit.PER_HOUSEHOLD, *credit.PER_POOR_HOUSEHOLD, *reviews.DEFINITIONS, *reviews.HOUSEHOLDS
    )
    if isinstance(d, Ratio) or hasattr(d, "column")
}  # fmt: skip
_OF_STANDARD = ("poor", "near_poor", "escaped", "fell_back", "newly_poor", "not_poor", "stayed")
_KEY = ["place", "year", "standard", "column"]
# A commune without poor households has no such ratio, and its borrowers are in the area's sum all the same.
_HOLDER = {"poor_household_coverage_pct": "poor_households"}


def equations(public, units):
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
    return System(atoms, matrix, total[~np.isnan(total)], firm)


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


def targets(sensitive, system, units):
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
