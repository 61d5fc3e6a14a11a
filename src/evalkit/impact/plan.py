"""The plan of analysis carried out: which estimates were decided beforehand, each by its design."""

import hashlib
import json
from dataclasses import dataclass, replace
from itertools import product

import pandas as pd

from evalkit.errors import DataError
from evalkit.impact.fixed_effects import fixed_effects
from evalkit.impact.long_differences import long_differences
from evalkit.impact.shift_share import shift_share
from evalkit.load.plan import DEFAULT

# Years around a change of supply: enough to see the paths before it, and an end before other changes set in.
YEARS_BEFORE, YEARS_AFTER = 6, 2
# Credit acts from the year after: the dose of every design here is a year old.
LAG = 1


@dataclass(frozen=True)
class Analysis:
    """One estimate: design, outcome, dose (a purpose), sub-group, change of supply (shift_share), dose held."""

    design: str
    outcome: str
    dose: str
    subgroup: str = ""
    change: str = ""
    held: str = ""
    planned: bool = True

    @property
    def name(self):
        """Return the stable name of the analysis."""
        parts = (self.design, self.change, self.outcome, self.dose, self.subgroup)
        return ":".join(part for part in parts if part)

    @property
    def column(self):
        """Return the panel's column of the dose."""
        return f"{self.dose}_credit_lag{LAG}"


def plan_digest(plan):
    """Return the SHA-256 of a plan of analysis, the same whatever the order of its keys."""
    text = json.dumps(plan, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def record(plan, former=None):
    """Return what a report says of a plan: name, date, hash, whether it was registered, and what it replaced.

    plan: as settings hold it, None where the data set brings none. former: the record of the release before;
    its plan joins ``replaced`` where the hash differs, and earlier ones stay there.
    """
    used = plan or DEFAULT
    now = {
        "name": "registered" if plan else "default",
        "preregistered": plan is not None,
        "decided_on": plan["decided_on"] if plan else None,
        "digest": plan_digest(used),
        "plan": used,
        "replaced": [],
    }
    if former:
        now["replaced"] = list(former.get("replaced", []))
        if former["digest"] != now["digest"]:
            kept = ("name", "decided_on", "digest", "plan")
            now["replaced"].append({key: former[key] for key in kept})
    return now


def analyses(plan, changes, *, planned=True):
    """Return the analyses that a plan stands for, the main outcome and dose first.

    Every design for every outcome and dose, shift_share once for each change of supply; the first design
    again within each sub-group.
    """
    found = []
    for outcome, dose in product(plan["outcomes"], plan["doses"]):
        for design in plan["designs"]:
            dated = changes["id"] if design == "shift_share" else [""]
            found += [Analysis(design, outcome, dose, change=c, planned=planned) for c in dated]
        found += [Analysis(plan["designs"][0], outcome, dose, s, planned=planned) for s in plan["subgroups"]]
    return found


def within_subgroup(panel, subgroup):
    """Return the rows of the panel that belong to a sub-group."""
    if not subgroup:
        return panel
    kept = panel["area"] == subgroup if subgroup in ("rural", "urban") else panel["started"] == subgroup
    rows = panel[kept]
    rows.attrs = panel.attrs
    if rows.empty:
        raise DataError(f"panel: no unit belongs to the sub-group {subgroup!r}. Leave it out of the plan.")
    return rows


def usable(panel, analysis):
    """Return the rows with outcome and dose, once per unit and year where the outcome has no standard."""
    rows = panel.dropna(subset=[analysis.outcome, analysis.column])
    rows.attrs = panel.attrs
    if rows.empty:
        raise DataError(f"panel: no row has both {analysis.outcome} and {analysis.column}.")
    return rows


def longest_standard(rows, outcome, *, around=None):
    """Return the rows of the standard that spans most years; around: of those that hold both sides of a start."""
    if outcome == "log_income":
        return rows
    spans = rows.groupby("standard")["year"].agg(["min", "max"])
    if around is not None:
        spans = spans[(spans["min"] < around - 1) & (spans["max"] >= around)]
    if spans.empty:
        raise DataError(f"panel: no standard of {outcome} has years on both sides of {around}.")
    kept = rows[rows["standard"] == (spans["max"] - spans["min"]).idxmax()]
    kept.attrs = rows.attrs
    return kept


def run(analysis, panel, changes, exposures, **options):
    """Return what the design of one analysis gives: an Effect, or a ShiftShare for shift_share.

    panel: of ``intensity_panel`` with columns area and started. changes: table of changes of supply with id
    and date; exposures: id → Series by unit. Raises DataError where the data don't allow the design.
    """
    rows = usable(within_subgroup(panel, analysis.subgroup), analysis)
    runner = {"fixed_effects": _levels, "long_differences": _changes, "shift_share": _shift}[analysis.design]
    shared = {"outcome": analysis.outcome, "dose": analysis.column, **options}
    return runner(rows, analysis, shared, changes, exposures)


def level_options(outcome):
    """Return the options of ``fixed_effects`` for an outcome: units by standard, district-years, baseline held."""
    district = {"within": "district_code", "cluster": "district_code"}
    if outcome == "log_income":
        return {"unit": "unit", "time": "year", **district}
    return {"unit": "unit_standard", "time": "year_standard", "baseline": outcome, **district}


def _levels(rows, analysis, shared, changes, exposures):
    held = [f"{analysis.held}_credit_lag{LAG}"] if analysis.held else []
    return fixed_effects(rows, **level_options(analysis.outcome), controls=held, **shared)


def _changes(rows, analysis, shared, changes, exposures):
    rows = longest_standard(rows, analysis.outcome)
    years = {"start": int(rows["year"].min()), "end": int(rows["year"].max())}
    return long_differences(rows, unit="unit", time="year", within="district_code", **years, **shared)


def _shift(rows, analysis, shared, changes, exposures):
    """The change reaches units by their earlier mix; the outcome can answer from the year after it on."""
    start = int(changes.set_index("id").at[analysis.change, "date"].year) + LAG
    near = rows[rows["year"].between(start - YEARS_BEFORE, start + YEARS_AFTER - 1)]
    near = near.assign(exposure=near["unit"].map(exposures[analysis.change]).astype(float))
    near.attrs = rows.attrs
    near = longest_standard(near, analysis.outcome, around=start)
    found = shift_share(
        near,
        exposure="exposure",
        unit="unit",
        time="year",
        start=start,
        within="district_code",
        cluster="district_code",
        **shared,
    )
    return replace(found, effect=replace(found.effect, method=f"shift-share, {found.effect.method}"))


def summary(analysis, effect):
    """Return one analysis as a plain row; of a refused effect nothing that was estimated is left in it."""
    row = {name: getattr(analysis, name) for name in ("name", "planned", "design", "outcome", "dose")}
    row |= {"subgroup": analysis.subgroup, "change": analysis.change}
    if isinstance(effect, DataError):
        return row | {"level": "L0", "refusals": json.dumps([{"code": "not_estimable", "details": {}}])}
    row |= {"level": effect.level, "clusters": effect.clusters, "n": effect.n, "headline": effect.headline}
    row["gates"] = json.dumps(
        [{"gate": g.gate, "passed": None if g.passed is None else bool(g.passed)} for g in effect.gates.itertuples()]
    )  # fmt: skip
    row["refusals"] = reasons(effect.refusals)
    if effect.refused:
        return row
    figures = ("estimate", "std_error", "lower", "upper", "p_value", "p_wild", "p_headline", "method")
    row |= {name: getattr(effect, name) for name in figures}
    kept = ("detectable", "first_stage_f", "ols_estimate", "later_dose_p", "baseline_held", "pre_trends_p")
    row |= {name: effect.diagnostics[name] for name in kept if name in effect.diagnostics}
    return row | {"warnings": reasons(effect.warnings)}


def reasons(found):
    """Return reasons as JSON: code and details, to be put into words by whoever shows them."""
    return json.dumps([{"code": r.code, "details": r.details} for r in found], default=str)


def table(rows):
    """Return rows of ``summary`` as one table with every column present."""
    columns = {
        **dict.fromkeys(("name", "design", "outcome", "dose", "subgroup", "change", "level"), "string"),
        **dict.fromkeys(("headline", "method", "refusals", "warnings", "gates"), "string"),
        **dict.fromkeys(
            (
                *("estimate", "std_error", "lower", "upper", "p_value", "p_wild", "p_headline", "p_adjusted"),
                *("clusters", "n", "detectable", "first_stage_f", "ols_estimate", "later_dose_p"),
                *("baseline_held", "pre_trends_p"),
            ),
            "float64",
        ),
        "planned": "boolean",
    }
    out = pd.DataFrame(rows).reindex(columns=list(columns)).astype(columns)
    return out.fillna({"refusals": "[]", "warnings": "[]", "gates": "[]"})
