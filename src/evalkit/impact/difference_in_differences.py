"""Difference in differences, before against after."""

from dataclasses import replace

import numpy as np

from evalkit.errors import DataError
from evalkit.impact import estimation, frames, gates, regression
from evalkit.impact.effect import Effect, Reason
from evalkit.impact.inference import by_placebos

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

    treated, post: columns of 0 and 1 (or False and True), who is ever treated and when. unit: absorbs unit effects (in a repeated cross-section leave it out:
    treated itself is then a regressor). time: absorbs time effects and lets earlier trends be tested;
    without it post stands in for them. Errors are clustered by ``cluster``, or unit.

    With a single treated cluster no clustered error means anything: std_error is then the spread of the
    estimates that the untreated give in its place, and p_value its rank among them (Arkhangelsky et al. 2021,
    algorithm 4). Raises DataError where that cluster holds untreated rows too: others would stand in for it whole.

    Gates: clusters, comparison_clusters, pre_trends (untested without ``time``), mechanical_link, one_basis, merged_units, and
    starting_point with unit and time: starters that began high fall faster, and few periods can't test it.
    Level L3 where all hold.
    """
    controls = frames.columns_of(controls)
    panel = frames.tabled(panel, outcome, treated, post, unit, time, controls, weights, cluster)
    check_roles(panel, treated, post, unit, time)
    (interaction,) = frames.unused(panel, f"{treated} x {post}")
    panel[interaction] = panel[treated].astype(float) * panel[post].astype(float)
    if not (panel.dropna(subset=[outcome, interaction])[treated] == 0).any():
        nobody = Effect(np.nan, outcome=outcome, dose=interaction, method="difference in differences")
        return gates.judge(nobody, [gates.gate("comparison_group", False)], level="L3")
    own = frames.columns_of(None if unit else treated, None if time else post)
    design = regression.prepare(
        panel,
        outcome=outcome,
        regressors=interaction,
        controls=[*own, *controls],
        absorb=frames.columns_of(unit, time),
        weights=weights,
        cluster=cluster or unit,
    )
    check_cells(design.frame, treated, post)
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
        check_whole(design, treated_clusters, treated, cluster or unit)
        effect = with_placebo_error(effect, design, treated_clusters, post, unit, time, shared)
    effect = replace(effect, warnings=effect.warnings + gates.few_treated(len(treated_clusters)))
    p = (
        np.nan
        if time is None or len(treated_clusters) == 1
        else earlier_trends(panel, treated, post, unit, time, shared)
    )
    effect = replace(effect, diagnostics={**effect.diagnostics, "pre_trends_p": p})
    conditions = [*estimation.design_gates(design, outcome, interaction, unit), gates.pre_trends(p)]
    if design.clusters is not None:
        others = estimation.clusters_among(design, (design.frame[treated] == 0).to_numpy())
        conditions.insert(1, gates.comparison_clusters(others))
    if unit and time and len(treated_clusters) > 1:
        model = {**shared, "absorb": frames.columns_of(unit, time)}
        effect, held = estimation.with_baseline_held(effect, panel, interaction, unit, time, model)
        if held is not None:
            conditions.append(gates.starting_point(effect, held, outcome))
    return gates.judge(effect, conditions, level="L3", despite=despite)


def check_roles(panel, treated, post, unit, time):
    """Raise DataError where treated or post are not 0 and 1, or don't say who and when."""
    frames.check_zero_one(panel, treated, post)
    if unit:
        mend = f"Mark the {unit}s that are ever treated; {post} says when."
        frames.constant_within(panel, treated, unit, mend)
    if time:
        mend = "Where units start at different dates, use staggered."
        frames.constant_within(panel, post, time, mend)


def check_cells(frame, treated, post):
    """Raise DataError where treated or others are missing before or after."""
    for who, on in (("treated", 1), ("untreated", 0)):
        for when, after in (("before", 0), ("after", 1)):
            if not ((frame[treated] == on) & (frame[post] == after)).any():
                raise DataError(
                    f"panel: no {who} row {when} the start, by columns {treated!r} and {post!r}. Changes of both sides "
                    "are needed."
                )


def clusters_with(design, column):
    """Return the codes of the clusters in which a column is ever other than zero."""
    if design.clusters is None or design.clusters.ndim > 1:
        return np.arange(gates.FEW_TREATED_CLUSTERS)
    return np.unique(design.clusters[design.frame[column].to_numpy() != 0])


def check_whole(design, treated_clusters, treated, cluster):
    """Raise DataError where the one treated cluster holds untreated rows as well."""
    rows = np.isin(design.clusters, treated_clusters)
    if not rows.all() and (design.frame.loc[rows, treated] == 0).any():
        raise DataError(
            f"panel: the one {cluster} with treated rows holds untreated ones as well, and no whole {cluster} can stand "
            "in for it. Cluster by unit, or use synthetic_did."
        )


def with_placebo_error(effect, design, treated_clusters, post, unit, time, shared):
    """Return the effect with the spread and rank of what each untreated cluster gives in its place."""
    others = ~np.isin(design.clusters, treated_clusters)
    rows, codes = design.frame[others], design.clusters[others]
    ever, on = frames.unused(rows, "placebo", "placebo x post")
    placebos = []
    for code in np.unique(codes):
        stand_in = (codes == code).astype(float)
        panel = rows.assign(**{ever: stand_in, on: stand_in * rows[post].to_numpy(float)})
        alone = regression.prepare(
            panel,
            outcome=shared["outcome"],
            regressors=on,
            absorb=frames.columns_of(unit, time),
            controls=[*([] if unit else [ever]), *([] if time else [post]), *shared["controls"]],
            weights=shared["weights"],
        )
        placebos.append(regression.fit(alone).coefficients.iloc[0])
    _, error, lower, upper, p = by_placebos(effect.estimate, np.array(placebos), effect.confidence)
    figures = {"std_error": error, "lower": lower, "upper": upper, "p_value": p}
    return replace(
        effect,
        **figures,
        p_wild=np.nan,
        headline="p_value",
        coefficients=effect.coefficients.iloc[:1].assign(**figures),
        method=f"difference in differences, placebo error over {len(placebos)} untreated clusters",
        warnings=(
            *(w for w in effect.warnings if w.code in KEPT),
            Reason("one_treated_cluster", {"placebos": len(placebos)}),
        ),
        diagnostics={},
    )


def earlier_trends(panel, treated, post, unit, time, shared):
    """Return the p-value of the joint test that treated and others moved together before the start.

    Missing where that can't be tested: one time before, or nothing varies then.
    """
    before = panel[panel[post] == 0]
    times = np.sort(before[time].dropna().unique())
    if len(times) < 2:
        return np.nan
    terms = frames.unused(before, *(f"{treated} at {t}" for t in times[:-1]))
    each = {
        name: (before[time] == t) * before[treated].astype(float)
        for name, t in zip(terms, times[:-1], strict=True)
    }
    try:
        design = regression.prepare(
            before.assign(**each), regressors=terms, absorb=[unit or treated, time], **shared
        )
    except DataError:
        return np.nan
    return regression.fit(design).wald_p(terms)
