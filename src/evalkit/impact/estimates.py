"""Everything that a data set's impact report shows, estimated once for all communes."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact import estimation, plan, regression
from evalkit.impact.data_quality import mean_reversion
from evalkit.impact.decompose import decompose_all, unit_effects
from evalkit.impact.fixed_effects import fixed_effects
from evalkit.impact.inference import adjust_p_values
from evalkit.impact.panel import exposure, intensity_panel
from evalkit.impact.sensitivity import oster, sensitivity
from evalkit.impact.shift_share import ShiftShare
from evalkit.load import reference

NEEDED = ("credit", "poverty")
# Purposes that lend for nothing which earns within a year: where their credit "works", something else does.
PLACEBO = ("study", "water", "housing")
# Enough for a picture of many estimates; the planned ones take every sign pattern.
CURVE_DRAWS = 999
# Times what was seen before a change of supply; no bend at all is a straight line carried on.
BOUNDS = {"relative": (0.5, 1.0, 2.0), "smoothness": (0.0, 1.0)}
PARTS = {
    **dict.fromkeys(("place", "outcome", "dose", "part", "level", "crossed"), "string"),
    **dict.fromkeys(("value", "lower", "upper"), "float64"),
    **dict.fromkeys(("start", "end"), "Int64"),
    "known": "boolean",
}
# The indicator that shows an outcome to readers.
_SEEN_AS = {
    "poor_pct": "poverty_rate_pct",
    "poor_near_poor_pct": "poor_plus_near_poor_rate_pct",
    "log_odds_poor": "poverty_rate_pct",
}
# What moves outcomes in a reduced form: how far the change of supply reaches a commune.
EXPOSURE = "exposure"
PERIODS = ("name", "part", "event_time", "estimate", "lower", "upper")
CURVE = ("specification", "estimate", "lower", "upper", "p_value", "refused")
CHECKS = ("check", "name", "label", "value", "lower", "upper", "p_value")


def of_dataset(dataset, former=None, rows=None):
    """Return the tables panel, effects, periods, curve, checks and decomposition of a data set, and their record.

    former: the record of the build before, so that a change of plan is seen. rows: the indicator rows with the
    column ``hidden`` (see ``evalkit.metrics.suppress``): no commune's change is taken apart from what it marks. The record holds the plan (see
    ``plan.record``), the price year and, where nothing could be estimated, ``skipped``: "no_tables" (no yearly
    tables of credit and poverty), "no_panel" (too few years or communes) or "one_district". Refused estimates keep their row
    with the reasons, and no figure.
    """
    record = plan.record(dataset.settings.get("plan"), former) | {"skipped": ""}
    if not all(name in dataset.tables for name in NEEDED):
        return _empty(), record | {"skipped": "no_tables"}
    year = min(dataset.settings["data"]["years"][1], reference.last_price_year())
    record["price_year"] = year
    try:
        panel = panel_of(dataset, year)
    except DataError:
        return _empty(), record | {"skipped": "no_panel"}
    if panel["unit"].nunique() < 2 or panel["year"].nunique() < 2:
        return _empty(), record | {"skipped": "no_panel"}
    if panel["district_code"].nunique() < 2:
        return _empty(), record | {"skipped": "one_district"}
    return tables(panel, dataset.tables["credit"], record["plan"], rows), record


def panel_of(dataset, price_year):
    """Return the panel of intensity of a data set, with the kind of area and where each unit began."""
    communes = dataset.places[dataset.places["level"] == "commune"]
    panel = intensity_panel(
        credit=dataset.tables["credit"],
        poverty=dataset.tables["poverty"],
        communes=communes.drop(columns=["place", "level"]),
        programmes=reference.programmes(),
        prices=reference.price_index(price_year),
        price_year=price_year,
        income=dataset.tables.get("income"),
        lag=plan.LAG,
    )
    if "log_income" not in panel:
        panel["log_income"], panel["income_basis"] = np.nan, pd.NA
    panel["area"] = panel["unit"].map(communes.set_index("place")["area"]).astype(object)
    first = panel.sort_values("year", kind="stable").groupby("unit")["poor_pct"].first()
    poorer = panel["unit"].map(first) >= first.median()
    panel["started"] = np.where(poorer, "poorer_at_first", "less_poor_at_first")
    earlier = panel.sort_values("year", kind="stable").groupby("unit_standard")
    for purpose in ("production", "total"):
        name = f"{purpose}_credit_lag1"
        panel[f"{purpose}_credit_lag2"] = earlier[name].shift()
        panel.attrs["made_of"][f"{purpose}_credit_lag2"] = panel.attrs["made_of"][name]
    return panel


def tables(panel, credit, planned, rows=None):
    """Return the tables of ``of_dataset`` from a panel, the table of credit, a plan and the indicator rows."""
    changes = reference.table("supply_changes")
    exposures = {
        c.id: exposure(
            credit, programmes=c.programmes.split("|"), years=[c.date.year - 2, c.date.year - 1], by="place"
        )
        for c in changes.itertuples()
    }
    listed = plan.analyses(planned, changes)
    done = {a: attempt(a, panel, changes, exposures) for a in [*listed, *_exploratory(planned)]}
    effects = plan.table([plan.summary(a, found) for a, found in each_effect(done)])
    decided = effects["planned"].astype(bool)
    effects.loc[decided, "p_adjusted"] = adjust_p_values(effects.loc[decided, "p_headline"])
    main = next((a for a in listed if a.design == "fixed_effects"), None)
    return {
        "panel": panel.assign(**{c: panel[c].astype("string") for c in ("area", "income_basis")}),
        "effects": effects,
        "periods": _frame(
            [row for a, found in done.items() for row in _periods(a, found)], PERIODS
        ).drop_duplicates(["name", "part", "event_time"], ignore_index=True),
        "curve": _frame(curve(panel, main) if main else [], CURVE),
        "checks": _frame(checks(panel, main, done), CHECKS),
        "decomposition": decomposition(panel, seen(panel, rows), done),
    }


def attempt(analysis, panel, changes, exposures):
    """Return what an analysis gives, or the DataError that says why the data don't allow it."""
    try:
        return plan.run(analysis, panel, changes, exposures)
    except DataError as why:
        return why
    except np.linalg.LinAlgError as why:
        return DataError(f"panel: too little varies in it for this design ({why}). Add communes or years.")


def curve(panel, main):
    """Return the estimates of the main outcome under every defensible specification, refusals with no figure."""
    options = plan.level_options(main.outcome) | {"outcome": main.outcome, "dose": main.column}
    everywhere = {"main": {}, "year_effects": {"within": None}, "by_unit": {"cluster": "unit"}}
    everywhere["weighted"] = {"weights": "households"}
    everywhere["no_baseline"] = {"baseline": None}
    if f"{main.dose}_credit_lag2" in panel:
        everywhere["two_years"] = {"dose": f"{main.dose}_credit_lag2"}
    if main.dose != "total":
        everywhere["all_credit"] = {"dose": f"total_credit_lag{plan.LAG}"}
    if main.outcome == "poor_pct":
        everywhere["near_poor"] = {"outcome": "poor_near_poor_pct", "baseline": "poor_near_poor_pct"}
    rows = [_specification(name, panel, options | changed) for name, changed in everywhere.items()]
    parts = [(f"only:{s}", panel["standard"] == s) for s in sorted(panel["standard"].unique())]
    parts += [("rural", panel["area"] == "rural")] + [
        (name, panel["started"] == name) for name in ("poorer_at_first", "less_poor_at_first")
    ]
    for name, kept in parts:
        cut = panel[kept]
        cut.attrs = panel.attrs
        rows.append(_specification(name, cut, options))
    return rows


def _specification(name, panel, options):
    try:
        effect = fixed_effects(panel, **options, draws=CURVE_DRAWS, alternatives=False)
    except DataError:
        return {"specification": name, "refused": True}
    figures = {"estimate": effect.estimate, "lower": effect.lower, "upper": effect.upper}
    return {"specification": name, **figures, "p_value": effect.p_headline, "refused": effect.refused}


def checks(panel, main, done):
    """Return what would change the conclusions: each row a check with its figures."""
    rows = []
    if main is not None and isinstance(done[main], DataError) is False and not done[main].refused:
        options = plan.level_options(main.outcome) | {"outcome": main.outcome, "dose": main.column}
        left = without_each_cluster(panel, **options)
        rows.append({"check": "leave_one_out", "name": main.name, "lower": left.min(), "upper": left.max()})
        rows += [{"check": "oster", "name": main.name, **_oster(panel, main, options)}]
        later = done[main].diagnostics.get("later_dose_p", np.nan)
        rows.append({"check": "later_dose", "name": main.name, "p_value": later})
        back = plan.longest_standard(plan.usable(panel, main), "poor_pct")
        span = {"start": int(back["year"].min()), "end": int(back["year"].max())}
        turn = mean_reversion(back, outcome="poor_pct", unit="unit", time="year", **span).iloc[0]
        label = f"{span['start']}–{span['end']}"
        shown = {"value": turn.slope, "lower": turn.lower, "upper": turn.upper, "p_value": turn.p_value}
        rows.append({"check": "mean_reversion", "name": main.name, "label": label, **shown})
    for a, found in each_effect(done):
        if a.design == "reduced_form" and not found.refused:
            rows += [{"name": a.name, **bound} for bound in bounds(found)]
    return rows


def bounds(study):
    """Return the study's bounds: of what paths did before, and of how they bent before, each times BOUNDS."""
    rows = []
    for kind, unit in (("relative", 1.0), ("smoothness", largest_bend(study))):
        for times in BOUNDS[kind]:
            try:
                found = sensitivity(study, bound=kind, values=times * unit, weights="average").iloc[0]
            except DataError:
                continue
            rows.append({"check": kind, "value": times, "lower": found.lower, "upper": found.upper})
    return rows


def largest_bend(study):
    """Return the largest change of slope between the periods up to the reference of an event study."""
    before = study.periods[study.periods["event_time"] <= study.reference]["estimate"]
    return float(np.abs(np.diff(before, 2)).max(initial=0.0))


def without_each_cluster(panel, *, outcome, dose, unit, time, within, cluster, baseline=None):
    """Return the coefficient without each cluster in turn, where effects lie within clusters.

    Unit and district-year effects of one district touch no other, so its rows are left out of the absorbed
    columns instead of absorbing them anew.
    """
    held = []
    if baseline:
        panel, held = estimation.baseline_columns(panel, baseline, unit, time)
    panel, absorb = estimation.effect_columns(panel, unit, time, within)
    design = regression.prepare(
        panel, outcome=outcome, regressors=dose, controls=held, absorb=absorb, cluster=cluster
    )
    kept = [design.clusters != code for code in range(design.cluster_count)]
    return np.array([np.linalg.lstsq(design.x[k], design.y[k], rcond=None)[0][0] for k in kept])


def _oster(panel, main, options):
    baseline = options.get("baseline") or "poor_pct"
    panel, held = estimation.baseline_columns(panel, baseline, options["unit"], options["time"])
    panel, (unit, time) = estimation.effect_columns(
        panel, options["unit"], options["time"], options["within"]
    )
    row = oster(panel, outcome=main.outcome, dose=main.column, controls=held, unit=unit, time=time).iloc[0]
    return {"label": "delta", "value": row.delta, "lower": row.bounded, "upper": row.full}


def seen(panel, rows):
    """Return the panel without the outcomes and doses that are made of hidden rows."""
    if rows is None or "hidden" not in rows:
        return panel
    hidden = rows[rows["hidden"].fillna("").ne("") & rows["year"].notna()]
    hidden = hidden.astype({"place": object, "year": int, "basis": object})
    out, year = panel.copy(), panel["year"].astype(int)
    for column, indicator in _SEEN_AS.items():
        at = pd.MultiIndex.from_frame(
            hidden.loc[hidden["indicator"] == indicator, ["place", "year", "basis"]]
        )
        own = pd.MultiIndex.from_arrays([panel["unit"], year, panel["standard"].astype(object)])
        out.loc[own.isin(at), column] = np.nan
    for dose in [
        c.removesuffix(f"_credit_lag{plan.LAG}") for c in panel if c.endswith(f"_credit_lag{plan.LAG}")
    ]:
        names = ["outstanding_loans_vnd" if dose == "total" else f"share_{dose}_pct", "households_total"]
        at = pd.MultiIndex.from_frame(hidden.loc[hidden["indicator"].isin(names), ["place", "year"]])
        own = pd.MultiIndex.from_arrays([panel["unit"], year - plan.LAG])
        out.loc[own.isin(at), f"{dose}_credit_lag{plan.LAG}"] = np.nan
    return out


def decomposition(panel, seen, done):
    """Return every commune's change taken apart for each outcome of the plan, its own pooled slope as a last row.

    seen: the panel as readers see it. The mean of all communes is that of those seen, or it would give back what
    one of them hides; a slope is given of communes of which every year is seen.
    """
    found = []
    for a, effect in done.items():
        if a.design != "fixed_effects" or a.subgroup or not a.planned or isinstance(effect, DataError):
            continue
        standard = "income_basis" if a.outcome == "log_income" else "standard"
        try:
            parts = decompose_all(seen, effect, outcome=a.outcome, dose=a.column, standard=standard)
        except DataError:
            continue
        if not effect.refused:
            years = [plan.usable(rows, a).groupby("unit").size() for rows in (panel, seen)]
            whole = years[0].index[years[0].eq(years[1].reindex(years[0].index))]
            slopes = unit_effects(
                plan.usable(panel, a), outcome=a.outcome, dose=a.column, **plan.level_options(a.outcome)
            )
            named = {"shrunk": "value", "shrunk_lower": "lower", "shrunk_upper": "upper"}
            pooled = slopes.rename(columns=named)[["unit", *named.values()]].assign(part="pooled", known=True)
            shown = pooled["unit"].isin(parts["unit"]) & pooled["unit"].isin(whole)
            parts = pd.concat([parts, pooled[shown]], ignore_index=True)
        found.append(parts.assign(outcome=a.outcome, dose=a.dose, level=effect.level))
    whole = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    return whole.rename(columns={"unit": "place"}).reindex(columns=list(PARTS)).astype(PARTS)


def _exploratory(planned):
    """Return analyses outside the plan: purposes that should show nothing within a year, the main dose held."""
    others = [p for p in PLACEBO if p not in planned["doses"] and "total" not in planned["doses"]]
    main = planned["doses"][0]
    return [
        plan.Analysis("fixed_effects", o, p, held=main, planned=False)
        for o in planned["outcomes"]
        for p in others
    ]


def each_effect(done):
    """Yield every analysis with its Effect; of a change of supply also its reduced form, once for each outcome."""
    said = set()
    for a, found in done.items():
        if not isinstance(found, ShiftShare):
            yield a, found
            continue
        yield a, found.effect
        reduced = replace(a, design="reduced_form", dose=EXPOSURE)
        if reduced.name not in said:
            said.add(reduced.name)
            yield reduced, found.reduced_form


def _periods(analysis, found):
    """Return the event studies of a change of supply, each under its analysis; of a refused one the years before."""
    if not isinstance(found, ShiftShare):
        return []
    rows = []
    reduced = replace(analysis, design="reduced_form", dose=EXPOSURE)
    for a, part, study, refused in (
        (analysis, "first_stage", found.first_stage, found.effect.refused),
        (reduced, "reduced_form", found.reduced_form, found.reduced_form.refused),
    ):
        shown = study.periods
        if refused and len(shown):
            shown = shown[shown["event_time"] < 0]
        for p in shown.itertuples():
            ends = {"estimate": p.estimate, "lower": p.lower, "upper": p.upper}
            rows.append({"name": a.name, "part": part, "event_time": p.event_time, **ends})
    return rows


def _frame(rows, columns):
    texts = [c for c in columns if c in ("name", "part", "specification", "check", "label")]
    out = pd.DataFrame(rows).reindex(columns=list(columns)).astype(dict.fromkeys(texts, "string"))
    numbers = [c for c in columns if c not in (*texts, "refused")]
    out[numbers] = out[numbers].astype("float64")
    return out.astype({"refused": "boolean"}) if "refused" in columns else out


def _empty():
    panel = pd.DataFrame({"unit": pd.Series(dtype="string")})
    return {
        "panel": panel,
        "effects": plan.table([]),
        "periods": _frame([], PERIODS),
        "curve": _frame([], CURVE),
        "checks": _frame([], CHECKS),
        "decomposition": pd.DataFrame(columns=list(PARTS)).astype(PARTS),
    }
