"""Designs in which units start at different dates."""

from dataclasses import replace

import numpy as np

from evalkit.errors import DataError, ParameterError
from evalkit.impact import adapter, frames, gates, jackknife
from evalkit.impact.cohorts import balanced, check_period_before, sample_gates, treated_clusters
from evalkit.impact.effect import Effect, EventStudy, Reason
from evalkit.impact.event_study import starts, with_pre_trends

BASES = ("varying", "universal")
METHODS = {
    "callaway_santanna": (adapter.callaway_santanna, "group-time effects (Callaway & Sant'Anna 2021)"),
    "sun_abraham": (adapter.sun_abraham, "interaction-weighted event study (Sun & Abraham 2021)"),
    "imputation": (adapter.imputation, "imputation (Borusyak, Jaravel & Spiess 2024)"),
}


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
    the panel: never. control_group: "never", or "not_yet" to compare with units that start later as well
    (imputation always does, "sun_abraham" needs some that never start).
    method: "callaway_santanna", "sun_abraham" or "imputation". base: "varying" compares each period before
    the start with the one before it, "universal" every period with the last one before the start
    (``sensitivity`` needs that). cluster: the unit where none is named.

    The estimate is the mean effect over all treated units and times (did's "simple"), in outcome units.
    ``periods`` holds the effects by time since the start, ``groups`` those by cohort.

    Units treated from the first time on and units that miss a time are left out and counted in the warnings.
    Intervals and tests: t with as many degrees of freedom as clusters less one (R's did takes the normal
    distribution). Below 50 clusters the library's errors are too small: they are then those of the jackknife over
    clusters (MacKinnon, Nielsen & Webb 2023; imputation keeps its own, which are conservative), the degrees of freedom
    those of the smaller side, treated or not, the library's error is the diagnostic ``library_std_error``, and a
    warning gives the coverage measured. The F test of earlier trends takes the same degrees of freedom.
    Gates: clusters, treated_clusters, comparison_group, comparison_clusters (where only those that never start are
    compared with), pre_trends, one_basis, merged_units. Level L3 where all hold.
    """
    check_choice(method=(method, METHODS))
    check_choice(control_group=(control_group, adapter.CONTROL_GROUPS), base=(base, BASES))
    if len(frames.columns_of(cluster)) > 1:
        raise ParameterError("cluster: staggered designs take clusters of one kind. Name one column.")
    sample = balanced(panel, outcome, unit, time, first_treated, controls=controls, others=cluster)
    if cluster is not None:
        frames.constant_within(sample.frame, cluster, unit, "Cluster at the level of the unit or above it.")
    if method == "sun_abraham":
        check_period_before(sample, time)
    estimator, described = METHODS[method]
    against = "not yet" if method == "imputation" else control_group.replace("_", " ")
    conditions = sample_gates(sample, cluster, control_group, method)
    universal = base == "universal" or method != "callaway_santanna"
    study = EventStudy(
        np.nan,
        n=len(sample.frame),
        clusters=sample.frame[cluster or unit].nunique(),
        outcome=outcome,
        dose="started",
        warnings=sample.said
        + gates.few_treated(treated_clusters(sample, cluster))
        + few_units(sample, cluster),
        method=f"{described}, compared with {against} treated, errors clustered by {cluster or unit}",
        confidence=confidence,
        base="universal" if universal else "varying",
        reference=-sample.step if universal else np.nan,
    )
    if not all(g.passed for g in conditions if g.name == "comparison_group"):
        return gates.judge(study, conditions, level="L3")
    options = {
        "controls": sample.controls,
        "control_group": control_group,
        "cluster": None if cluster in (None, unit) else cluster,
        "base": base,
        "alpha": 1 - confidence,
    }

    def fit(frame):
        refit = {} if len(frame) == len(sample.frame) else {"cluster": None}
        return estimator(frame, sample.names, **options | refit)

    found, freedom = with_few_clusters(fit, sample, cluster or unit, method)
    low, high, p = t_interval(found.estimate, found.std_error, freedom, confidence)
    periods = with_t(found.periods, freedom, confidence)
    periods = periods.assign(event_time=periods["event_time"] * sample.step)
    study = replace(
        study,
        estimate=found.estimate,
        std_error=found.std_error,
        lower=float(low),
        upper=float(high),
        p_value=float(p),
        periods=periods,
        covariance=found.covariance,
        groups=labelled(with_t(found.groups, freedom, confidence), sample.labels),
        coefficients=periods,
        diagnostics=found.diagnostics | {"pre_trends_p": f_test(*found.pre_trends, freedom)},
    )
    if study.covariance.size:
        study = with_pre_trends(study, freedom)
    return gates.judge(
        study, [*conditions, gates.pre_trends(study.diagnostics["pre_trends_p"])], level="L3", despite=despite
    )


def check_choice(**given):
    """Raise ParameterError where an option (name → value and what it may be) is none of what it may be."""
    for name, (value, choices) in given.items():
        if value not in choices:
            raise ParameterError(f"{name}={value!r}: use one of {', '.join(choices)}.")


def with_few_clusters(fit, sample, cluster, method):
    """Return what ``fit`` finds, with jackknife errors where clusters are few, and the degrees of freedom of its t."""
    found, count = fit(sample.frame), sample.frame[cluster].nunique()
    if count >= gates.FEW_CLUSTERS:
        return found, count - 1
    if method != "imputation":
        found = jackknife.errors(found, fit, sample.frame, cluster)
    return found, max(smaller_side(sample, cluster) - 1, 1)


def smaller_side(sample, cluster):
    """Return the number of clusters with treated units, or with those they are compared with if these are fewer.

    Compared with: the never treated, or the last to start where all do.
    """
    first = sample.first.replace(0.0, np.inf)
    sides = first < first.max(), first == first.max()
    return min(sample.frame.loc[side, cluster].nunique() for side in sides)


def few_units(sample, cluster):
    """Return the warning that clusters are few for a design whose errors no bootstrap corrects, or nothing."""
    count = sample.frame[cluster or sample.names["unit"]].nunique()
    return (Reason("few_staggered", {"clusters": count}),) if count < gates.FEW_CLUSTERS else ()


def t_interval(estimate, std_error, degrees_of_freedom, confidence):
    """Return lower and upper bound and p-value by the t distribution."""
    from scipy.stats import t

    reach = t.ppf(0.5 + confidence / 2, degrees_of_freedom) * std_error
    with np.errstate(divide="ignore", invalid="ignore"):
        return estimate - reach, estimate + reach, 2 * t.sf(np.abs(estimate / std_error), degrees_of_freedom)


def f_test(statistic, count, degrees_of_freedom):
    """Return the p-value of an F statistic of ``count`` coefficients, missing where there is none."""
    from scipy.stats import f

    return float(f.sf(statistic, count, degrees_of_freedom)) if count else np.nan


def with_t(table, degrees_of_freedom, confidence):
    """Return a table of estimates with bounds and p-values by the t distribution."""
    if table.empty:
        return table
    figures = t_interval(table["estimate"], table["std_error"], degrees_of_freedom, confidence)
    return table.assign(**dict(zip(("lower", "upper", "p_value"), figures, strict=True)))


def labelled(groups, labels):
    """Return the table of cohorts with their first times as the panel writes them."""
    return groups.assign(group=groups["group"].map(labels)) if len(groups) else groups


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
    ``slope_std_error`` are its mean change per unit of dose. Errors: of ``draws`` multipliers, below 50 units of the
    jackknife; intervals as in ``staggered``. Gates: as in ``staggered``, earlier trends untested. Level L2.

    Source: Callaway, Goodman-Bacon & Sant'Anna (2024), NBER 32117.
    """
    frames.check_draws(draws, 2)
    check_choice(control_group=(control_group, adapter.CONTROL_GROUPS))
    panel = with_no_dose(panel, outcome, unit, time, first_treated, dose)
    sample = balanced(panel, outcome, unit, time, first_treated, others=dose)
    frame = sample.frame.assign(**{dose: sample.frame[dose].where(sample.first > 0, 0.0).astype(float)})
    frames.constant_within(frame, dose, unit, "Give each unit the strength it has once started.")
    check_doses(frame.loc[sample.first > 0, dose], dose, degree)
    conditions = [*sample_gates(sample, None, control_group), gates.pre_trends(None)]
    effect = Effect(
        np.nan,
        n=len(frame),
        clusters=frame[unit].nunique(),
        outcome=outcome,
        dose=dose,
        warnings=sample.said + few_units(sample, None),
        confidence=confidence,
        method=f"continuous dose, polynomial of degree {degree} (Callaway, Goodman-Bacon & Sant'Anna 2024)",
    )
    if not all(g.passed for g in conditions if g.name == "comparison_group"):
        return gates.judge(effect, conditions, level="L2")
    options = {
        "dose": dose,
        "degree": degree,
        "control_group": control_group,
        "alpha": 1 - confidence,
        "seed": seed,
    }

    def fit(rows):
        return adapter.continuous(
            rows, sample.names, draws=draws if len(rows) == len(frame) else 0, **options
        )

    found, freedom = with_few_clusters(fit, replace(sample, frame=frame), unit, "continuous")
    low, high, p = t_interval(found.estimate, found.std_error, freedom, confidence)
    slope, error = found.diagnostics["slope"], found.diagnostics["slope_std_error"]
    ends = t_interval(slope, error, freedom, confidence)[:2]
    effect = replace(
        effect,
        estimate=found.estimate,
        std_error=found.std_error,
        lower=float(low),
        upper=float(high),
        p_value=float(p),
        diagnostics=found.diagnostics
        | dict(zip(("slope_lower", "slope_upper"), map(float, ends), strict=True)),
    )
    return gates.judge(effect, conditions, level="L2", despite=despite)


def with_no_dose(panel, outcome, unit, time, first_treated, dose):
    """Return the panel with a dose of zero for the units that never start, whatever stood there."""
    panel = frames.tabled(panel, outcome, unit, time, dose)
    frames.check_numbers(panel, dose)
    never = starts(panel, unit, time, first_treated)[1].isna()
    out = panel.assign(**{dose: panel[dose].astype(float).mask(never, 0.0)})
    out.attrs = panel.attrs
    return out


def check_doses(doses, name, degree):
    """Raise where a dose of those that start is none, or too few doses differ for a polynomial of this degree."""
    if (doses <= 0).any():
        raise DataError(
            f"panel, column {name!r}: {int((doses <= 0).sum())} rows of units that start have a dose of zero or less. Give "
            "their strength, or leave first_treated missing."
        )
    if isinstance(degree, bool) or not isinstance(degree, int | np.integer) or degree < 1:
        raise ParameterError(f"degree={degree!r}: a whole number of at least 1.")
    if len(doses) and doses.nunique() <= degree:
        raise DataError(
            f"panel, column {name!r}: {doses.nunique()} different doses don't determine a polynomial of degree {degree}. "
            "Use staggered, or a lower degree."
        )


def goodman_bacon(panel, *, outcome, unit, time, first_treated):
    """What a two-way fixed-effects regression averages: every comparison of two cohorts, with its weight.

    Returns one row per comparison: comparison ("treated_vs_never", "earlier_vs_later", "later_vs_earlier"),
    treated, control (their first times), weight, estimate. The weights add to one and the weighted mean of
    the estimates is the two-way coefficient; weight on "later_vs_earlier" is weight on forbidden
    comparisons. Needs a balanced panel; incomplete units are left out.

    Source: Goodman-Bacon (2021), J. Econometrics 225, theorem 1.
    """
    sample = balanced(panel, outcome, unit, time, first_treated, keep_always_treated=True)
    if sample.first.nunique() < 2:
        raise DataError(
            f"panel, column {first_treated!r}: all units start together; there is nothing to compare."
        )
    _, table = adapter.goodman_bacon(sample.frame, sample.names)
    names = {"comparison_type": "comparison", "treated_group": "treated", "control_group": "control"}
    table = table.rename(columns=names)[["comparison", "treated", "control", "weight", "estimate"]]
    return table.assign(
        **{
            side: table[side].map(lambda g: sample.labels.get(g, g))
            for side in names.values()
            if side != "comparison"
        }
    )
