"""Designs in which units start at different dates."""

from dataclasses import replace

import numpy as np

from evalkit.errors import ParameterError
from evalkit.impact import adapter, gates, regression
from evalkit.impact.effect import Effect, EventStudy, Reason
from evalkit.impact.event_study import starts, with_pre_trends

METHODS = {
    "callaway_santanna": (adapter.callaway_santanna, "group-time effects (Callaway & Sant'Anna 2021)"),
    "sun_abraham": (adapter.sun_abraham, "interaction-weighted event study (Sun & Abraham 2021)"),
    "imputation": (adapter.imputation, "imputation (Borusyak, Jaravel & Spiess 2024)"),
}
FIRST = "first treated"


def staggered(
    panel,
    *,
    outcome,
    unit,
    time,
    first_treated,
    controls=(),
    control_group="never",
    cluster=None,
    method="callaway_santanna",
    base="varying",
    despite=(),
    confidence=0.95,
):
    """Effects of staggered starts, without comparing late starters with early ones.

    first_treated: column with the time each unit starts; missing, zero, infinite or after the last time of
    the panel: never. control_group: "never", or "not_yet" to compare with units that start later as well.
    method: "callaway_santanna", "sun_abraham" or "imputation". base: "varying" compares each period before
    the start with the one before it, "universal" every period with the last one before the start
    (``sensitivity`` needs that). cluster: the unit where none is named.

    The estimate is the mean effect over all treated units and times (did's "simple"), in outcome units.
    ``periods`` holds the effects by time since the start, ``groups`` those by cohort.

    Units treated from the first time on and units that miss a time are left out and counted in the warnings.
    Gates: clusters, comparison_group, pre_trends, one_basis, merged_units. Level L3 where all hold.
    """
    if method not in METHODS or control_group not in adapter.CONTROL_GROUPS:
        raise ParameterError(
            f"method {method!r}, control_group {control_group!r}: use one of {', '.join(METHODS)} and one of "
            f"{', '.join(adapter.CONTROL_GROUPS)}."
        )
    frame, said = balanced(
        panel, outcome, unit, time, first_treated, [*controls, *regression.columns_of(cluster)]
    )
    estimator, described = METHODS[method]
    conditions = sample_gates(frame, outcome, unit, cluster, control_group)
    study = EventStudy(
        np.nan,
        n=len(frame),
        clusters=frame[cluster or unit].nunique(),
        outcome=outcome,
        dose="started",
        warnings=said,
        method=f"{described}, compared with {control_group.replace('_', ' ')} treated, errors "
        f"clustered by {cluster or unit}",
        confidence=confidence,
        base=base if method == "callaway_santanna" else "universal",
    )
    if not all(g.passed for g in conditions if g.name == "comparison_group"):
        return gates.judge(study, conditions, level="L3")
    found = estimator(
        frame,
        column_names(outcome, unit, time),
        controls=controls,
        control_group=control_group,
        cluster=None if cluster in (None, unit) else cluster,
        base=base,
        alpha=1 - confidence,
    )
    study = replace(
        study,
        estimate=found.estimate,
        std_error=found.std_error,
        lower=found.lower,
        upper=found.upper,
        p_value=found.p_value,
        periods=found.periods,
        covariance=found.covariance,
        groups=found.groups,
        coefficients=found.periods,
        diagnostics={"pre_trends_p": found.pre_trends_p},
    )
    if study.covariance.size:
        study = with_pre_trends(study, study.clusters - 1)
    return gates.judge(
        study, [*conditions, gates.pre_trends(study.diagnostics["pre_trends_p"])], level="L3", despite=despite
    )


def dose_response(
    panel,
    *,
    outcome,
    unit,
    time,
    first_treated,
    dose,
    degree=1,
    control_group="never",
    draws=999,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    """Effect of staggered starts of different strength, and how it changes with the dose.

    dose: column with each unit's strength once started, zero for the untreated. degree: of the polynomial
    in the dose. The estimate is the mean effect over the doses; the diagnostics ``slope`` and
    ``slope_std_error`` are its mean change per unit of dose. Gates: as in ``staggered``, earlier trends
    untested. Level L2.

    Source: Callaway, Goodman-Bacon & Sant'Anna (2024), NBER 32117.
    """
    frame, said = balanced(panel, outcome, unit, time, first_treated, [dose])
    frame = frame.assign(**{dose: frame[dose].where(frame[FIRST] > 0, 0.0).astype(float)})
    conditions = [*sample_gates(frame, outcome, unit, None, control_group), gates.pre_trends(None)]
    effect = Effect(
        np.nan,
        n=len(frame),
        clusters=frame[unit].nunique(),
        outcome=outcome,
        dose=dose,
        warnings=said,
        confidence=confidence,
        method=f"continuous dose, polynomial of degree {degree} (Callaway, Goodman-Bacon & Sant'Anna 2024)",
    )
    if not all(g.passed for g in conditions if g.name == "comparison_group"):
        return gates.judge(effect, conditions, level="L2")
    found = adapter.continuous(
        frame,
        column_names(outcome, unit, time),
        dose=dose,
        degree=degree,
        control_group=control_group,
        alpha=1 - confidence,
        draws=draws,
        seed=seed,
    )
    effect = replace(
        effect,
        estimate=found.estimate,
        std_error=found.std_error,
        lower=found.lower,
        upper=found.upper,
        p_value=found.p_value,
        diagnostics=found.diagnostics,
    )
    return gates.judge(effect, conditions, level="L2", despite=despite)


def goodman_bacon(panel, *, outcome, unit, time, first_treated):
    """What a two-way fixed-effects regression averages: every comparison of two cohorts, with its weight.

    Returns one row per comparison: comparison ("treated_vs_never", "earlier_vs_later", "later_vs_earlier"),
    treated, control (their first times), weight, estimate. The weights add to one and the weighted mean of
    the estimates is the two-way coefficient; weight on "later_vs_earlier" is weight on forbidden
    comparisons.

    Source: Goodman-Bacon (2021), J. Econometrics 225, theorem 1. Needs a balanced panel; incomplete units are
    left out.
    """
    frame, _ = balanced(panel, outcome, unit, time, first_treated, (), keep_always_treated=True)
    _, table = adapter.goodman_bacon(frame, column_names(outcome, unit, time))
    names = {"comparison_type": "comparison", "treated_group": "treated", "control_group": "control"}
    return table.rename(columns=names)[["comparison", "treated", "control", "weight", "estimate"]]


def column_names(outcome, unit, time):
    """Return the names that diff-diff's estimators ask for."""
    return {"outcome": outcome, "unit": unit, "time": time, "first_treat": FIRST}


def balanced(panel, outcome, unit, time, first_treated, others, *, keep_always_treated=False):
    """Return the complete units with ``first treated`` (zero: never), and warnings of what was left out."""
    regression.check_columns(panel, outcome, unit, time, first_treated, others)
    start = starts(panel, unit, time, first_treated).fillna(0.0)
    frame = panel.assign(**{FIRST: start, time: panel[time].astype(float)}).dropna(
        subset=[outcome, unit, time, *others]
    )
    times = frame[time].nunique()
    frame = frame[frame.groupby(unit)[time].transform("nunique") == times]
    if not keep_always_treated:
        frame = frame[(frame[FIRST] == 0) | (frame[FIRST] > frame[time].min())]
    if frame.duplicated([unit, time]).any():
        twice = frame[frame.duplicated([unit, time])].iloc[0]
        raise ParameterError(
            f"panel: {unit} {twice[unit]} has several rows for {time} {twice[time]:g}. Keep one."
        )
    frame.attrs = panel.attrs
    rows = len(panel) - len(frame)
    return frame, ((Reason("rows_left_out", {"rows": rows}),) if rows else ())


def sample_gates(frame, outcome, unit, cluster, control_group):
    """Return the gates that look at the sample: clusters, someone to compare with, bases and mergers."""
    cohorts = frame.loc[frame[FIRST] > 0, FIRST].nunique()
    has_controls = bool((frame[FIRST] == 0).any()) or (control_group == "not_yet" and cohorts > 1)
    return [
        gates.clusters(frame[cluster or unit].nunique()),
        gates.gate("comparison_group", has_controls and cohorts > 0),
        *gates.data_gates(frame, outcome, unit),
    ]
