"""Change over many years against the change of the dose, the starting point held."""

from dataclasses import replace

import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import estimation, frames, gates, regression


def long_differences(
    panel,
    *,
    outcome,
    dose,
    unit,
    time,
    start,
    end,
    baseline=True,
    within=None,
    controls=(),
    weights=None,
    cluster=None,
    draws=9999,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    r"""Association of the change over many years with the change of the dose, the starting point held.

    .. math:: \Delta y_i = \beta \, \Delta d_i + \gamma y_{i,0} + x_i'\delta + \alpha_{j(i)} + e_i

    baseline: hold the outcome at ``start`` (units that start high fall more everywhere). within: a column
    whose effects are absorbed (the district), also the cluster where none is named. controls are taken at
    ``start``; units that miss any of these are left out and counted. Gates and level as ``fixed_effects`` (starting_point where the baseline isn't held); rows of one unit and time on several standards need one
    chosen first.
    """
    panel = frames.tabled(panel, outcome, dose, unit, time, within, controls, cluster, weights)
    frames.check_numbers(panel, outcome, dose)
    first, last = (
        panel[panel[time] == t].set_index(unit, drop=False).rename_axis(None) for t in (start, end)
    )
    if first.empty or last.empty or start >= end:
        raise ParameterError(
            f"start={start!r}, end={end!r}: the times run from {panel[time].min()} to {panel[time].max()}. Take two "
            "of them, the earlier one first."
        )
    if not (first.index.is_unique and last.index.is_unique):
        raise DataError(f"panel: a {unit} has several rows in {start} or {end}. Choose one standard first.")
    keep = list(dict.fromkeys([outcome, *frames.columns_of(within, controls, cluster, weights)]))
    changes = (
        pd.DataFrame({f"change of {c}": last[c] - first[c] for c in (outcome, dose)})
        .join(first[keep])
        .dropna()
    )
    changes.attrs = {
        "made_of": {f"change of {c}": parts for c, parts in panel.attrs.get("made_of", {}).items()}
    }
    model = {
        "outcome": f"change of {outcome}",
        "regressors": f"change of {dose}",
        "absorb": within,
        "weights": weights,
        "cluster": cluster or within,
    }
    own = frames.columns_of(controls)
    design = regression.prepare(changes, controls=[outcome, *own] if baseline else own, **model)
    effect = estimation.estimate(
        design,
        outcome=f"change of {outcome}",
        dose=f"change of {dose}",
        draws=draws,
        seed=seed,
        confidence=confidence,
    )
    effect = replace(
        effect,
        method=f"long differences {start} to {end}, {effect.method}",
        warnings=estimation.left_out(first.index.union(last.index), design) + effect.warnings,
    )
    basis = gates.basis_column(panel, outcome)
    crossing = 0
    if basis:
        used = design.frame.index
        crossing = int(
            (
                first.loc[used, basis].astype(str).to_numpy() != last.loc[used, basis].astype(str).to_numpy()
            ).sum()
        )
    conditions = [
        gates.mechanical_link(
            design.frame, f"change of {outcome}", f"change of {dose}", design.y, design.x[:, 0]
        ),
        gates.gate("one_basis", crossing == 0, found=crossing, outcome=outcome, units=crossing),
        gates.merged_units(first, None),
        gates.merged_units(last, None),
    ]
    if not baseline:
        held = regression.fit(regression.prepare(changes, controls=[outcome, *own], **model))
        conditions.append(gates.starting_point(effect, held.coefficients.iloc[0], outcome))
    if design.clusters is not None:
        conditions.insert(0, gates.clusters(design.cluster_count))
    return gates.judge(effect, conditions, level="L2", despite=despite)
