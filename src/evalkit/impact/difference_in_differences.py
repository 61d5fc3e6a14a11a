"""Difference in differences, before against after."""

from dataclasses import replace

import numpy as np

from evalkit.errors import DataError
from evalkit.impact import estimation, gates, regression
from evalkit.impact.effect import Reason

# With fewer treated clusters the wild bootstrap may be far off either way: MacKinnon & Webb (2018),
# Econometrics Journal 21, find it unreliable below about six.
FEW_TREATED_CLUSTERS = 6
# Warnings that stay true when the placebo error takes the place of the clustered one.
KEPT = ("rows_left_out", "controls_dropped")


def difference_in_differences(
    panel,
    *,
    outcome,
    treated,
    post,
    unit=None,
    time=None,
    controls=(),
    weights=None,
    cluster=None,
    wild=True,
    draws=9999,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    r"""Change of the treated less the change of the others.

    .. math:: y_{it} = \beta \, \mathrm{treated}_i \mathrm{post}_t + x_{it}'\gamma + \alpha_i
              + \lambda_t + e_{it}

    treated, post: columns of 0 and 1. unit: absorbs unit effects (in a repeated cross-section leave it out:
    treated itself is then a regressor). time: absorbs time effects and lets earlier trends be tested;
    without it post stands in for them. Errors are clustered by ``cluster``, or unit.

    With a single treated cluster no clustered error means anything: std_error is then the spread of the
    estimates that the untreated give in its place, and p_value its rank among them (Arkhangelsky et al. 2021,
    algorithm 4).

    Gates: clusters, pre_trends (untested without ``time``), mechanical_link, one_basis, merged_units, and
    starting_point with unit and time: starters that began high fall faster, and few periods can't test it.
    Level L3 where all hold.
    """
    regression.check_columns(panel, outcome, treated, post, unit, time)
    for name in (treated, post):
        if not set(panel[name].dropna().unique()) <= {0, 1}:
            raise DataError(f"panel, column {name!r}: holds values other than 0 and 1. Recode it.")
    interaction = f"{treated} x {post}"
    panel = panel.assign(**{interaction: panel[treated].astype(float) * panel[post].astype(float)})
    own = regression.columns_of(None if unit else treated, None if time else post)
    design = regression.prepare(
        panel,
        outcome=outcome,
        regressors=interaction,
        controls=[*own, *controls],
        absorb=regression.columns_of(unit, time),
        weights=weights,
        cluster=cluster or unit,
    )
    effect = estimation.estimate(
        design, outcome=outcome, dose=interaction, wild=wild, draws=draws, seed=seed, confidence=confidence
    )
    described = estimation.describe_effects(unit, time, None)
    effect = replace(
        effect,
        method=f"difference in differences, {effect.method}; {described}",
        warnings=estimation.left_out(panel, design) + effect.warnings,
    )
    shared = {"outcome": outcome, "controls": controls, "weights": weights, "cluster": cluster or unit}
    treated_clusters = clusters_with(design, interaction)
    if len(treated_clusters) == 1:
        effect = with_placebo_error(effect, design, treated_clusters, post, own, unit, time, shared)
    elif len(treated_clusters) < FEW_TREATED_CLUSTERS:
        effect = replace(
            effect,
            warnings=(*effect.warnings, Reason("few_treated_clusters", {"treated": len(treated_clusters)})),
        )
    p = (
        np.nan
        if time is None or len(treated_clusters) == 1
        else earlier_trends(panel, treated, post, unit, time, shared)
    )
    effect = replace(effect, diagnostics={**effect.diagnostics, "pre_trends_p": p})
    conditions = [*estimation.design_gates(design, outcome, interaction, unit), gates.pre_trends(p)]
    if unit and time and len(treated_clusters) > 1:
        model = {**shared, "absorb": regression.columns_of(unit, time)}
        effect, held = estimation.with_baseline_held(effect, panel, interaction, unit, time, model)
        if held is not None:
            conditions.append(gates.starting_point(effect, held, outcome))
    return gates.judge(effect, conditions, level="L3", despite=despite)


def clusters_with(design, column):
    """Return the codes of the clusters in which a column is ever other than zero."""
    if design.clusters is None or design.clusters.ndim > 1:
        return np.arange(FEW_TREATED_CLUSTERS)
    return np.unique(design.clusters[design.frame[column].to_numpy() != 0])


def with_placebo_error(effect, design, treated_clusters, post, own, unit, time, shared):
    """Return the effect with the spread and rank of what each untreated cluster gives in its place."""
    from scipy.stats import norm

    others = ~np.isin(design.clusters, treated_clusters)
    rows, codes = design.frame[others], design.clusters[others]
    placebos = []
    for code in np.unique(codes):
        stand_in = (codes == code).astype(float)
        panel = rows.assign(stand_in=stand_in, placebo=stand_in * rows[post].to_numpy(float))
        alone = regression.prepare(
            panel,
            outcome=shared["outcome"],
            regressors="placebo",
            absorb=regression.columns_of(unit, time),
            controls=[*([] if unit else ["stand_in"]), *([] if time else [post]), *shared["controls"]],
            weights=shared["weights"],
        )
        placebos.append(regression.fit(alone).coefficients.iloc[0])
    placebos = np.array(placebos)
    error = float(placebos.std())
    reach = norm.ppf(0.5 + effect.confidence / 2) * error
    p = (1 + (np.abs(placebos) >= abs(effect.estimate)).sum()) / (1 + len(placebos))
    table = effect.coefficients.iloc[:1].assign(
        std_error=error, lower=effect.estimate - reach, upper=effect.estimate + reach, p_value=p
    )
    return replace(
        effect,
        std_error=error,
        lower=effect.estimate - reach,
        upper=effect.estimate + reach,
        p_value=float(p),
        p_wild=np.nan,
        headline="p_value",
        coefficients=table,
        method=f"difference in differences, placebo error over {len(placebos)} untreated clusters",
        warnings=(
            *(w for w in effect.warnings if w.code in KEPT),
            Reason("one_treated_cluster", {"placebos": len(placebos)}),
        ),
        diagnostics={},
    )


def earlier_trends(panel, treated, post, unit, time, shared):
    """Return the p-value of the joint test that treated and others moved together before the start."""
    before = panel[panel[post] == 0]
    times = np.sort(before[time].dropna().unique())
    if len(times) < 2:
        return np.nan
    terms = {f"{treated} at {t}": (before[time] == t) * before[treated].astype(float) for t in times[:-1]}
    design = regression.prepare(
        before.assign(**terms),
        outcome=shared["outcome"],
        regressors=list(terms),
        controls=shared["controls"],
        absorb=[unit or treated, time],
        weights=shared["weights"],
        cluster=shared["cluster"],
    )
    return regression.fit(design).wald_p(list(terms))
