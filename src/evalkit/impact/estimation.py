"""From a prepared regression to an Effect: errors, bootstrap, instruments, what must be said."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import bootstrap, frames, gates, regression
from evalkit.impact.effect import Effect, Reason
from evalkit.impact.power import minimum_detectable_effect

# The 5 % at which the conventional p-value and the bootstrap's are compared.
SIGNIFICANT = 0.05


def effect_columns(panel, unit, time, within):
    """Return the panel and the columns whose effects to absorb; ``within`` crosses a column with the time."""
    if within is None:
        return panel, frames.columns_of(unit, time)
    if time is None:
        raise ParameterError(
            f"within={within!r}: needs time, to give each {within} its own time effects. Name the time."
        )
    frames.check_columns(panel, within, time)
    (name,) = frames.unused(panel, f"{within} x {time}")
    crossed = panel.groupby([within, time], sort=False, dropna=True).ngroup().astype(float)
    return panel.assign(**{name: crossed.where(crossed >= 0)}), frames.columns_of(unit, name)


def baseline_columns(panel, baseline, unit, time):
    """Return the panel and each unit's first value of ``baseline`` times each time but the first."""
    if unit is None or time is None:
        raise ParameterError(f"baseline={baseline!r}: needs unit and time. Name both.")
    ordered = panel[[unit, time, baseline]].dropna(subset=[baseline]).sort_values(time, kind="stable")
    first = panel[unit].map(ordered.groupby(unit)[baseline].first()).to_numpy(float)[:, None]
    codes, times = pd.factorize(panel[time], sort=True)
    each = np.where(codes[:, None] == np.arange(1, len(times)), first, first * 0.0)
    held = pd.DataFrame(each, index=panel.index, columns=[f"first {baseline} x {t}" for t in times[1:]])
    out = pd.concat([panel.drop(columns=held.columns, errors="ignore"), held], axis=1)
    out.attrs = panel.attrs
    return out, list(held)


def with_later_dose(effect, panel, dose, unit, time, model):
    """Return the effect with the p-value of the next time's dose, and a warning where that matters."""
    if panel.duplicated([unit, time]).any():
        return effect
    ordered = panel[[unit, time, dose]].sort_values(time, kind="stable")
    (name,) = frames.unused(panel, f"later {dose}")
    later = panel.assign(**{name: ordered.groupby(unit)[dose].shift(-1)})
    try:
        design = regression.prepare(later, regressors=[dose, name], **model)
        p = regression.fit(design).wald_p([name])
    except DataError:
        return effect
    effect = replace(effect, diagnostics={**effect.diagnostics, "later_dose_p": p})
    if not p < SIGNIFICANT:
        return effect
    return replace(
        effect, warnings=(*effect.warnings, Reason("later_dose", {"dose": dose, "p": gates.number(p)}))
    )


def with_baseline_held(effect, panel, dose, unit, time, model, *, average=None):
    """Return the effect and, where it can be estimated, the estimate given the outcome's first value.

    average: the terms whose mean is the estimate, the one dose where none are named.
    """
    held, columns = baseline_columns(panel, model["outcome"], unit, time)
    try:
        design = regression.prepare(
            held, regressors=dose, **{**model, "controls": [*model["controls"], *columns]}
        )
    except DataError:
        return effect, None
    estimate = float(regression.fit(design).coefficients[average or [dose]].mean())
    return replace(effect, diagnostics={**effect.diagnostics, "baseline_held": estimate}), estimate


def describe_effects(unit, time, within):
    """Say in words which effects are absorbed."""
    kinds = frames.columns_of(unit, f"{within} x {time}" if within else time)
    return f"effects of {' and '.join(kinds)} absorbed" if kinds else "no effects absorbed"


def design_gates(design, outcome, dose, unit):
    """Return the gates that every regression of an outcome on a dose shares."""
    conditions = [
        gates.mechanical_link(design.frame, outcome, dose, design.y, design.x[:, 0]),
        *gates.data_gates(design.frame, outcome, unit),
    ]
    return conditions if design.clusters is None else [gates.clusters(design.cluster_count), *conditions]


def clusters_among(design, rows):
    """Return the number of clusters among some rows; of two ways of clustering the smaller."""
    return min(len(np.unique(codes[rows])) for codes in np.atleast_2d(design.clusters.T))


def moved_clusters(design, dose):
    """Return the number of clusters in which ``dose`` departs from the value that most rows share."""
    column = design.frame[dose].to_numpy(float)
    values, counts = np.unique(column, return_counts=True)
    return clusters_among(design, column != values[counts.argmax()])


def left_out(panel, design):
    """Return warnings of the rows and controls that could not be used."""
    said = []
    if len(panel) > len(design.frame):
        said.append(Reason("rows_left_out", {"rows": len(panel) - len(design.frame)}))
    if design.dropped:
        said.append(Reason("controls_dropped", {"names": ", ".join(design.dropped)}))
    return tuple(said)


def estimate(design, *, outcome="", dose="", wild=True, draws=9999, seed=None, confidence=0.95):
    """Return the Effect of the first regressor of a Design, before any gate is judged."""
    instrumented = design.z is not None
    if wild:
        frames.check_draws(draws)
    solved = regression.fit(design)
    rows = solved.table(confidence)
    first = rows.iloc[0]
    said, diagnostics = [], {}
    if design.clusters is None:
        said.append(Reason("no_clusters"))
    effect = Effect(
        first.estimate,
        first.std_error,
        first.lower,
        first.upper,
        n=len(design.y),
        clusters=design.cluster_count,
        method=("two-stage least squares" if instrumented else "least squares")
        + ", "
        + describe_errors(design),
        confidence=confidence,
        p_value=first.p_value,
        outcome=outcome,
        dose=dose,
        coefficients=rows,
    )
    if wild and design.clusters is not None and design.clusters.ndim == 1 and design.cluster_count >= 2:
        try:
            effect = with_bootstrap(effect, design, draws=draws, seed=seed)
            said += disagreement(effect)
        except (DataError, ParameterError) as why:
            said.append(Reason("wild_unavailable", {"why": str(why)}))
    seen = minimum_detectable_effect(effect.std_error, degrees_of_freedom=design.degrees_of_freedom)
    effect = replace(effect, diagnostics={**effect.diagnostics, "detectable": seen})
    if effect.p_headline >= SIGNIFICANT:
        said.append(Reason("small_change", {"mde": gates.number(seen)}))
    if instrumented:
        diagnostics, more = instrument_checks(design, effect)
        said += more
    return replace(
        effect, warnings=effect.warnings + tuple(said), diagnostics={**effect.diagnostics, **diagnostics}
    )


def describe_errors(design):
    """Say in words how the errors were computed."""
    if design.clusters is None:
        return "heteroskedasticity-robust errors, n/(n-k)"
    counted = "G/(G-1) (n-1)/(n-k), absorbed effects not counted"
    return f"errors clustered ({design.cluster_count} clusters), {counted}"


def with_bootstrap(effect, design, *, draws, seed, kind="auto"):
    """Return the effect with p_wild, and with the bootstrap's interval as its own where clusters are few."""
    scores = bootstrap.scores(design, draws=draws, kind=kind, rng=seed)
    lower, upper = bootstrap.interval(scores, effect.estimate, effect.std_error, confidence=effect.confidence)
    described = f"{scores.kind}, " + (
        "all patterns" if scores.enumerated else f"{draws} draws from seed {seed}"
    )
    few = design.cluster_count < gates.FEW_CLUSTERS
    effect = replace(
        effect,
        p_wild=scores.p_value(),
        diagnostics={**effect.diagnostics, "wild_lower": lower, "wild_upper": upper, "wild_draws": described},
    )
    if not few:
        return effect
    return replace(
        effect,
        lower=lower,
        upper=upper,
        headline="p_wild",
        method=f"{effect.method}; wild cluster bootstrap ({described})",
        warnings=(
            *effect.warnings,
            Reason("few_clusters", {"clusters": design.cluster_count, "kind": described}),
        ),
    )


def disagreement(effect):
    """Return the warning that the conventional p-value and the bootstrap's fall on two sides of 0.05."""
    if np.isnan(effect.p_wild) or (effect.p_value < SIGNIFICANT) == (effect.p_wild < SIGNIFICANT):
        return []
    return [
        Reason(
            "bootstrap_disagrees", {"p": gates.number(effect.p_value), "p_wild": gates.number(effect.p_wild)}
        )
    ]


def instrument_checks(design, effect):
    """Return first-stage F and least-squares estimate, and warnings of weakness or opposite signs."""
    f = regression.first_stage_f(design)
    plain = float(regression.fit(replace(design, z=None)).coefficients.iloc[0])
    said = []
    if np.sign(plain) * np.sign(effect.estimate) < 0:
        said.append(
            Reason("opposite_signs", {"ols": gates.number(plain), "iv": gates.number(effect.estimate)})
        )
    diagnostics = {"first_stage_f": f, "ols_estimate": plain}
    if design.z.shape[1] == 1:
        lower, upper = anderson_rubin(design, effect)
        diagnostics |= {"anderson_rubin_lower": lower, "anderson_rubin_upper": upper}
        if f < gates.SAFE_FIRST_STAGE:
            words = {"f": f, "needed": gates.SAFE_FIRST_STAGE, "lower": lower, "upper": upper}
            said.append(Reason("weak_interval", {key: gates.number(value) for key, value in words.items()}))
    return diagnostics, said


def anderson_rubin(design, effect):
    """Return the coefficients r of the dose at which y − r d has no reduced form on the instrument.

    Solves the quadratic inequality t(r)² ≤ c. Where the instrument is so weak that the set is unbounded, its
    bounds are infinite. Source: Anderson & Rubin (1949); Andrews, Stock & Sun (2019), Annu. Rev. Econ. 11.
    """
    from scipy.stats import t

    reduced = replace(
        design,
        x=np.column_stack([design.z, design.x[:, 1:]]),
        z=None,
        names=("instrument", *design.names[1:]),
        y=np.zeros_like(design.y),
    )
    at = {r: regression.fit(replace(reduced, y=design.y - r * design.x[:, 0])) for r in (-1.0, 0.0, 1.0)}
    slope = (at[1.0].coefficients.iloc[0] - at[-1.0].coefficients.iloc[0]) / 2
    variance = {r: fit.covariance.iloc[0, 0] for r, fit in at.items()}
    v2 = (variance[1.0] + variance[-1.0]) / 2 - variance[0.0]
    v1 = (variance[1.0] - variance[-1.0]) / 2
    c = t.ppf(0.5 + effect.confidence / 2, design.degrees_of_freedom) ** 2
    b = at[0.0].coefficients.iloc[0]
    quadratic = slope**2 - c * v2, 2 * b * slope - c * v1, b**2 - c * variance[0.0]
    if quadratic[0] <= 0:
        return -np.inf, np.inf
    return tuple(float(root) for root in np.sort(np.roots(quadratic).real))
