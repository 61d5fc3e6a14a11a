"""Regressions on the intensity of credit with fixed effects, instruments and honest errors."""

from dataclasses import replace

from evalkit.impact import estimation, frames, gates, regression


def fixed_effects(
    panel,
    *,
    outcome,
    dose,
    unit=None,
    time=None,
    within=None,
    controls=(),
    baseline=None,
    instruments=(),
    weights=None,
    cluster=None,
    wild=True,
    draws=9999,
    seed=20141122,
    despite=(),
    confidence=0.95,
    alternatives=True,
):
    r"""Association of an outcome with a dose, given unit and time effects; with instruments, by 2SLS.

    .. math:: y_{it} = \beta d_{it} + x_{it}'\gamma + \alpha_i + \lambda_{t} + e_{it}

    panel: one row per unit and time. dose: a numeric column, such as lagged real credit per household.
    within: a column (a district, say) whose own time effects replace the common ones. controls: numbers, or
    text and categories that become indicators. weights: positive, proportional to the inverse variance.
    cluster: the column of the clusters, the unit where none is named; two columns cluster both ways.

    baseline: a column whose first value in each unit may matter differently at every time: units that start
    high fall faster everywhere, and lending that follows need would take the credit for it.

    Unit of the estimate: outcome units per unit of dose. Errors: see :mod:`evalkit.impact.regression`. With
    fewer than 50 clusters lower, upper and ``headline`` are those of the wild cluster bootstrap, ``draws``
    of it from ``seed`` (every sign pattern where they are no more than the draws).

    Where the dose of the next time goes with the outcome of this one, lending reacts to the outcome and the
    coefficient mixes cause and response: diagnostics hold ``later_dose_p`` and a warning says so (Wooldridge
    2010, section 10.7.1). Likewise ``baseline_held`` is the estimate with the outcome's own first value held;
    where it lies more than a standard error away, the gate starting_point demotes the result to L1.
    ``alternatives=False`` leaves both out.

    Gates: clusters, treated_clusters (in which the dose, or its instrument, departs from the value that most rows share),
    mechanical_link, one_basis, merged_units, starting_point (without baseline), and first_stage with instruments. Level L2 at most: effects and controls alone don't make a design. Raises DataError where a column is missing or the
    dose doesn't vary within the effects, ParameterError where ``despite`` names no gate.
    """
    controls = frames.columns_of(controls)
    panel = frames.tabled(
        panel, outcome, dose, unit, time, within, controls, baseline, instruments, weights, cluster
    )
    panel, absorb = estimation.effect_columns(panel, unit, time, within)
    if baseline is not None:
        panel, held = estimation.baseline_columns(panel, baseline, unit, time)
        controls = [*controls, *held]
    model = {
        "outcome": outcome,
        "controls": controls,
        "absorb": absorb,
        "weights": weights,
        "cluster": cluster or unit,
    }
    design = regression.prepare(panel, regressors=dose, instruments=instruments, **model)
    conditions = estimation.design_gates(design, outcome, dose, unit)
    moved = None
    if design.clusters is not None:
        moved = estimation.moved_clusters(design, *(frames.columns_of(instruments)[:1] or [dose]))
        conditions.insert(1, gates.treated_clusters(moved))
    effect = estimation.estimate(
        design, outcome=outcome, dose=dose, wild=wild, draws=draws, seed=seed, confidence=confidence
    )
    effect = replace(
        effect,
        method=f"{effect.method}; {estimation.describe_effects(unit, time, within)}",
        warnings=estimation.left_out(panel, design)
        + effect.warnings
        + (gates.few_treated(moved) if moved else ()),
    )
    if alternatives and unit and time and design.z is None:
        effect = estimation.with_later_dose(effect, panel, dose, unit, time, model)
        if baseline is None:
            effect, held = estimation.with_baseline_held(effect, panel, dose, unit, time, model)
            if held is not None:
                conditions.append(gates.starting_point(effect, held, outcome))
    if design.z is not None:
        conditions.append(gates.first_stage(effect.diagnostics["first_stage_f"]))
    return gates.judge(effect, conditions, level="L2", despite=despite)
