"""Effects period by period since a start that units share, relative to the period before it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import estimation, frames, gates, regression
from evalkit.impact.effect import Effect, EventStudy, Reason

# Power at which a divergence counts as one the test of earlier trends would have seen; the usual choice.
POWER = 0.80


def event_study(
    panel,
    *,
    outcome,
    unit,
    time,
    first_treated=None,
    dose=None,
    controls=(),
    weights=None,
    cluster=None,
    within=None,
    reference=-1,
    wild=True,
    draws=9999,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    r"""Effects by period since the start, each relative to the period before it.

    .. math:: y_{it} = \sum_{k \ne -1} \beta_k \, 1[t - s = k] \, d_i + x_{it}'\gamma + \alpha_i
              + \lambda_t + e_{it}

    first_treated: a column with the time each unit starts (missing, zero, infinite or after the last time
    of the panel: never), or one time for all, which needs dose. dose: how strongly each unit is exposed, a column that
    doesn't change over time (an earlier programme mix, say); without it d is one for units that ever start.
    within: a column whose own time effects replace the common ones. reference: the time since the start that all
    others are compared with, one before it. Times are numbers, dates or
    periods (see ``frames.times_as_numbers``); numbers of any spacing are kept apart.

    The estimate is the mean of the coefficients from the start on, in outcome units (per unit of dose).
    ``periods`` holds them all, ``covariance`` their covariance, diagnostics the p-value of the joint test
    before the start and the divergence per period that this test sees with 80 % power (Roth 2022, AER:
    Insights 4).

    Gates: clusters, treated_clusters, comparison_group, comparison_clusters (without dose), single_date, pre_trends (untested with one period before),
    mechanical_link, one_basis, merged_units, starting_point (units that began high fall faster, and few periods can't
    test it: L1). Level L3 where all hold.
    """
    controls = frames.columns_of(controls)
    panel = frames.tabled(panel, outcome, unit, time, dose, within, controls, weights, cluster)
    times, start = starts(panel, unit, time, first_treated, dose)
    began = start.dropna()
    conditions = [gates.single_date(began.nunique())]
    if dose is None:
        conditions.append(gates.gate("comparison_group", bool(start.isna().any())))
        if not conditions[-1].passed:
            return gates.judge(
                EventStudy(np.nan, outcome=outcome, method="event study"), conditions, level="L3"
            )
    panel, terms = event_columns(
        panel, time, times - start, 1.0 if dose is None else panel[dose].astype(float), reference
    )
    panel, absorb = estimation.effect_columns(panel, unit, time, within)
    design = regression.prepare(
        panel,
        outcome=outcome,
        regressors=list(terms),
        controls=controls,
        absorb=absorb,
        weights=weights,
        cluster=cluster or unit,
    )
    exposed = (design.frame[list(terms)] != 0).any(axis=1).to_numpy()
    treated = estimation.clusters_among(design, exposed)
    never = ~design.frame[unit].isin(design.frame.loc[exposed, unit]).to_numpy()
    untreated = estimation.clusters_among(design, never)
    study = from_design(
        design,
        pd.Series(terms),
        reference,
        outcome=outcome,
        dose=dose or "started",
        wild=wild,
        draws=draws,
        seed=seed,
        confidence=confidence,
    )
    study = replace(
        study,
        warnings=estimation.left_out(panel, design) + study.warnings + gates.few_treated(treated),
        method=f"event study, {study.method}; {estimation.describe_effects(unit, time, within)}",
    )
    conditions += [
        *estimation.design_gates(design, outcome, dose or "started", unit),
        gates.treated_clusters(treated),
        *([] if dose else [gates.comparison_clusters(untreated)]),
        gates.pre_trends(study.diagnostics["pre_trends_p"]),
    ]
    later = [name for name, k in terms.items() if k >= 0]
    model = {"absorb": absorb, "controls": controls, "outcome": outcome, "weights": weights}
    study, held = estimation.with_baseline_held(study, panel, list(terms), unit, time, model, average=later)
    if held is not None:
        conditions.append(gates.starting_point(study, held, outcome))
    return gates.judge(study, conditions, level="L3", despite=despite)


def starts(panel, unit, time, first_treated, dose=None):
    """Return the time of each row and the start of its unit as numbers, missing where it doesn't start by then."""
    if first_treated is None:
        raise ParameterError(
            "first_treated: when does it start? Name the column, or give one time together with dose."
        )
    if isinstance(first_treated, str):
        frames.check_columns(panel, first_treated)
        times, start = frames.times_as_numbers(panel[time], panel[first_treated])
        never = (start == 0) & (not frames.is_dated(panel[time]))
        start = start.where(np.isfinite(start) & ~never & (start <= times.max()))
        if (start.groupby(panel[unit]).nunique(dropna=False) > 1).any():
            raise DataError(
                f"panel, column {first_treated!r}: changes within a unit. Give each unit one first time."
            )
        return times, start
    if dose is None:
        raise ParameterError("dose: with one start for all units, name the column of their exposure.")
    mend = "Use exposure as it stood before the start."
    frames.constant_within(panel, dose, unit, mend)
    return frames.times_as_numbers(
        panel[time], pd.Series(first_treated, index=panel.index, name="first_treated")
    )


def event_columns(panel, time, event, exposure, reference):
    """Return the panel with one column per event time, and the event time of each column."""
    found = np.sort(event.dropna().unique())
    if not reference < 0:
        raise ParameterError(f"reference={reference!r}: lies before the start. Give a negative number.")
    if reference not in found:
        raise DataError(
            f"panel, column {time!r}: no row stands {abs(reference)} before the start. Set "
            f"reference to one that does."
        )
    if not (found >= 0).any():
        raise DataError(
            f"panel, column {time!r}: no row of those that start stands at the start or after it."
        )
    moving = [k for k in found if k != reference]
    terms = dict(zip(frames.unused(panel, *(f"event {k:+g}" for k in moving)), moving, strict=True))
    return panel.assign(**{name: (event == k).astype(float) * exposure for name, k in terms.items()}), terms


def from_design(design, event_times, reference, **options):
    """Return the EventStudy of a Design whose first regressors stand for ``event_times``, before any gate.

    The average is estimated as a coefficient of its own: with b_j = b + c_j over the m later periods and
    the c_j adding to zero, it belongs to the sum of their columns.
    """
    names = list(event_times.index)
    solved = regression.fit(design)
    after = event_times.to_numpy() >= 0
    later, earlier = design.x[:, : len(names)][:, after], design.x[:, : len(names)][:, ~after]
    turned = np.column_stack(
        [later.sum(axis=1), later[:, :-1] - later[:, -1:], earlier, design.x[:, len(names) :]]
    )
    labels = ("average", *(f"contrast {j}" for j in range(later.shape[1] - 1)), *np.array(names)[~after])
    average = estimation.estimate(
        replace(design, x=turned, interest=1, names=labels + design.names[len(names) :]), **options
    )
    periods = solved.table(options["confidence"]).iloc[: len(names)].drop(columns="term")
    periods.insert(0, "event_time", event_times.to_numpy())
    base = {
        "event_time": reference,
        "estimate": 0.0,
        "std_error": np.nan,
        "lower": np.nan,
        "upper": np.nan,
        "p_value": np.nan,
    }
    periods = pd.concat([periods, pd.DataFrame([base])]).sort_values("event_time", ignore_index=True)
    covariance = solved.covariance.loc[names, names].to_numpy()
    study = as_study(
        average,
        periods=periods,
        covariance=covariance,
        reference=reference,
        coefficients=solved.table(options["confidence"]),
    )
    return with_pre_trends(study, design.degrees_of_freedom)


def as_study(effect, **tables):
    """Return an Effect as an EventStudy with its tables."""
    shared = {name: getattr(effect, name) for name in Effect.__dataclass_fields__}
    return EventStudy(**{**shared, **tables})


def with_pre_trends(study, degrees_of_freedom):
    """Return the study with the joint test before the start, its power, and a warning where that is low."""
    moving = study.periods[study.periods["event_time"] != study.reference]
    universal = study.base == "universal"
    times = moving["event_time"].to_numpy()
    last = study.reference if universal else times[times < 0].max(initial=-np.inf)
    early = (times < 0) & moving["std_error"].notna().to_numpy()
    if not early.any():
        return replace(study, diagnostics={**study.diagnostics, "pre_trends_p": np.nan})
    estimates, covariance = moving["estimate"].to_numpy()[early], study.covariance[np.ix_(early, early)]
    p = regression.wald_p(estimates, covariance, degrees_of_freedom)
    step = np.diff(times).min() if len(times) > 1 else 1.0
    distance = times[early] - last if universal else np.full(early.sum(), step)
    slope = detectable_slope(distance, covariance, degrees_of_freedom)
    late = times[times >= 0]
    study = replace(study, diagnostics={**study.diagnostics, "pre_trends_p": p, "detectable_slope": slope})
    if len(late) and slope * np.mean(late - last) > abs(study.estimate):
        words = {"power": round(100 * POWER), "slope": gates.number(slope)}
        study = replace(study, warnings=(*study.warnings, Reason("low_power", words)))
    return study


def detectable_slope(distance, covariance, degrees_of_freedom, *, power=POWER, alpha=gates.PRE_TRENDS_P):
    """Return the divergence per period that the joint test of earlier trends rejects with this power.

    The test's statistic is noncentral F with noncentrality s² d'V⁻¹d for a divergence of s per period.
    Source: Roth (2022), AER: Insights 4(3), section I.
    """
    from scipy.optimize import brentq
    from scipy.stats import f, ncf

    count = len(distance)
    critical = f.ppf(1 - alpha, count, degrees_of_freedom)
    needed = brentq(lambda nc: ncf.sf(critical, count, degrees_of_freedom, nc) - power, 1e-6, 1e4)
    weight = distance @ np.linalg.pinv(covariance, hermitian=True) @ distance
    return float(np.sqrt(needed / weight)) if weight > 0 else np.nan
