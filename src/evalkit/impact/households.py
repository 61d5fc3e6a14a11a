"""Household designs: borrowers and others made comparable before their changes are compared."""

from dataclasses import dataclass, field, replace

import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import estimation, frames, gates, matching, regression
from evalkit.impact.comparisons import DISTANCES, comparable
from evalkit.impact.effect import TABLE, Effect, Reason


def household_difference(
    households,
    *,
    outcome,
    treated,
    covariates,
    unit,
    time,
    before,
    after,
    as_of=None,
    earlier=None,
    method="weighting",
    exact=(),
    distance="mahalanobis",
    neighbours=1,
    weights=None,
    cluster=None,
    wild=True,
    draws=9999,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    """Change of those who took up credit less the change of comparable others, the covariates held as well.

    households: one row per household and time. treated: 0 and 1 at ``as_of``, from ``before`` on and earlier than
    ``after`` (at ``after`` where none is named). covariates: as of ``before``. Take ``before`` = ``as_of`` with the
    outcome itself among the covariates: who borrows is decided by how the household stands then, and a baseline
    from an earlier round misses that (a warning says so). earlier: a time before ``before``, from which the same
    comparison must find no difference. cluster: the level at which credit is decided (the savings-and-loan group, or the commune),
    the household where none is named.

    method: "weighting" weights by the score and holds the covariates by regression as well: one of the two suffices
    (doubly robust). "matching" compares each treated household with its nearest ``neighbours`` (``exact`` and
    ``distance`` as in ``comparable``), takes out the bias that is left where they differ, and clusters the terms of the
    sum (see ``matching``). Two ways that agree are firmer than one.

    Estimates the effect on the treated where selection follows what was measured, or never changes. Gates:
    overlap, balance, clusters; dated_before demotes to L1 where credit is read at the same time as the
    outcome (whoever is poor then may borrow for it); pre_trends, untested without ``earlier``. Level L2: who
    borrows is chosen. A warning counts the households of ``before`` that are not there later or miss a value. Diagnostics: overlap, pre_trends_p; ``gates`` and the effect's coefficients hold the rest. Raises DataError where a
    household has two rows.

    Sources: Heckman, Ichimura & Todd (1997); Abadie (2005), Rev. Econ. Stud. 72; Sant'Anna & Zhao (2020); Abadie &
    Imbens (2011), JBES 29.
    """
    covariates, exact = frames.columns_of(covariates), frames.columns_of(exact)
    needed = frames.columns_of(outcome, treated, covariates, exact, unit, time, weights, cluster)
    households = frames.tabled(households, needed, table="households")
    as_of = after if as_of is None else as_of
    at = rounds(households, unit, time, before=before, after=after, as_of=as_of, earlier=earlier)
    held = frames.columns_of(covariates, exact, weights, cluster)
    changes = at[before][list(dict.fromkeys(held))].copy()
    change, past, borrowed = frames.unused(
        changes, f"change of {outcome}", f"earlier change of {outcome}", treated
    )
    changes[change] = at[after][outcome] - at[before][outcome]
    changes[borrowed] = at[as_of][treated]
    if earlier is not None:
        changes[past] = at[before][outcome] - at[earlier][outcome]
    changes = changes.dropna(subset=[change, borrowed]).reset_index()
    way = {"method": method, "exact": exact, "distance": distance, "neighbours": neighbours}
    whole = changes.dropna(subset=[*covariates, *exact, *frames.columns_of(weights, cluster)])
    lost = len(at[before]) - len(whole)
    match = comparable(changes, treated=borrowed, covariates=covariates, weights=weights, **way)
    if method == "matching":
        free = [name for name in covariates if name not in exact]
        match = replace(
            match, frame=unbiased(match, borrowed, free, [change, *([past] if earlier is not None else [])])
        )
    model = {
        "regressors": borrowed,
        "controls": covariates if method == "weighting" else (),
        "weights": match.weight,
        "cluster": cluster or unit,
    }
    design = regression.prepare(match.frame, outcome=change, **model)
    effect = estimation.estimate(
        design,
        outcome=outcome,
        dose=treated,
        wild=wild and cluster is not None,
        draws=draws,
        seed=seed,
        confidence=confidence,
    )
    p = None
    if earlier is not None:
        p = regression.fit(regression.prepare(match.frame, outcome=past, **model)).wald_p([borrowed])
    effect = replace(
        effect,
        method=f"{describe(**way)}, {effect.method}",
        warnings=((Reason("households_left_out", {"households": lost}),) if lost else ())
        + effect.warnings
        + ((Reason("older_baseline", {"before": before, "as_of": as_of}),) if before < as_of < after else ()),
        diagnostics={**effect.diagnostics, "overlap": match.overlap, "pre_trends_p": p},
    )
    conditions = [
        gates.clusters(design.cluster_count),
        gates.overlap(match.overlap),
        gates.balance(match.balance["difference_after"]),
        gates.gate("dated_before", as_of < after, cap="L1", found=as_of, treated=treated, outcome=outcome),
        gates.pre_trends(p),
    ]
    return gates.judge(as_household(effect, match.balance), conditions, level="L2", despite=despite)


def rounds(households, unit, time, *, before, after, as_of, earlier):
    """Return time → the households' rows then, by unit."""
    if households.duplicated([unit, time]).any():
        raise DataError(f"households: several rows for one {unit} and {time}. Keep one.")
    if not before < after or as_of > after:
        raise ParameterError(f"before={before!r}, as_of={as_of!r}, after={after!r}: give them in this order.")
    if earlier is not None and not earlier < before:
        raise ParameterError(f"earlier={earlier!r}: lies before before={before!r}. Name an earlier time.")
    wanted = {before, after, as_of, earlier} - {None}
    at = {t: households[households[time] == t].set_index(unit) for t in wanted}
    absent = [t for t, rows in at.items() if rows.empty]
    if absent:
        there = ", ".join(map(str, sorted(households[time].dropna().unique())))
        raise ParameterError(f"households, column {time!r}: no row of {absent[0]!r}; there are {there}.")
    return at


def unbiased(match, treated, covariates, outcomes):
    """Return the matched rows with what the covariates explain among the neighbours taken out of the outcomes."""
    frame = match.frame.copy()
    for outcome in outcomes:
        known = frame[outcome].notna()
        rows = frame[known]
        x, y = regression.indicators(rows, covariates).to_numpy(float), rows[outcome].to_numpy(float)
        on, count = rows[treated].to_numpy() == 1, rows[match.weight].to_numpy(float)
        frame[outcome] = pd.Series(matching.without_bias(y, x, on, count), index=rows.index)
    return frame


def describe(method, exact, distance, neighbours):
    """Say in words how households were made comparable."""
    if method == "weighting":
        return "weighted difference in differences of households"
    cells = f", exactly on {', '.join(exact)}" if exact else ""
    return (
        f"matched difference in differences of households ({neighbours} nearest by {DISTANCES[distance]}{cells}, "
        "bias corrected)"
    )


@dataclass(frozen=True)
class HouseholdEffect(Effect):
    """An Effect with the balance of covariates behind it, before and after weighting."""

    balance: pd.DataFrame = field(default_factory=pd.DataFrame, **TABLE)


def as_household(effect, balance):
    """Return an Effect with its balance."""
    return HouseholdEffect(
        **{name: getattr(effect, name) for name in Effect.__dataclass_fields__}, balance=balance
    )
