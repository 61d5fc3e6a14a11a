"""Synthetic difference in differences: donors and times weighted so that trends run parallel."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import adapter, frames, gates
from evalkit.impact.cohorts import check_varies
from evalkit.impact.effect import Reason, SyntheticControl
from evalkit.impact.inference import by_placebos
from evalkit.impact.synthetic_control import ENOUGH_PLACEBOS
from evalkit.metrics.estimate import check_confidence

# What the library asks for where the error is not taken from it.
FEWEST_DRAWS = 2
# Below as many treated units the bootstrap and the jackknife know too little of how the treated differ.
FEW_TREATED_UNITS = 20
# Where an error may come from, as the method says it.
ERRORS = {
    "placebo": "{draws} placebos from seed {seed}",
    "bootstrap": "{draws} bootstrap draws of units from seed {seed}",
    "jackknife": "jackknife over units",
}


def synthetic_did(
    panel,
    *,
    outcome,
    unit,
    time,
    treated,
    start,
    errors="placebo",
    draws=200,
    seed=20141122,
    despite=(),
    confidence=0.95,
):
    r"""Effect on the units of one start date by weighted difference in differences.

    .. math:: \hat\tau = \arg\min \sum_{it} (y_{it} - \alpha_i - \beta_t - \tau D_{it})^2 \omega_i \lambda_t

    treated: the unit, or a list of units, treated from ``start`` on. weights: the donors'. gaps: the time
    weights. errors: "placebo", the spread over ``draws`` assignments of the treatment among the donors (every donor once
    where one unit is treated), which takes treated and donors to vary alike; with several treated units also
    "bootstrap", ``draws`` samples of units with the weights found anew, or "jackknife", each unit left out with the
    weights kept (algorithms 2 to 4 of the source).

    Gates: clusters, years_before, one_basis, merged_units. Level L3 where all hold. Units that miss a time
    raise. Source: Arkhangelsky, Athey, Hirshberg, Imbens & Wager (2021), AER 111.
    """
    frames.check_draws(draws, FEWEST_DRAWS)
    check_confidence(confidence)
    if errors not in ERRORS:
        raise ParameterError(f"errors={errors!r}: use one of {', '.join(map(repr, ERRORS))}.")
    panel = frames.tabled(panel, outcome, unit, time)
    frames.check_numbers(panel, outcome)
    if panel.duplicated([unit, time]).any():
        raise DataError(f"panel: several rows for one {unit} and {time}. Keep one.")
    units = (
        [treated] if isinstance(treated, str) or not np.iterable(treated) else list(dict.fromkeys(treated))
    )
    if errors != "placebo" and len(units) == 1:
        raise ParameterError(
            f"errors={errors!r}: from one treated unit alone no such error can be found. Use 'placebo'."
        )
    frame = panel[[unit, time, outcome]].dropna()
    absent = [u for u in units if u not in set(frame[unit])]
    if absent:
        raise DataError(
            f"panel, column {unit!r}: no unit {', '.join(map(repr, absent))}. Name units that are there."
        )
    if not units or frame[unit].nunique() == len(units):
        raise DataError(
            f"panel: {len(units)} of {frame[unit].nunique()} units are treated; treated and others are needed."
        )
    if errors == "placebo" and frame[unit].nunique() - len(units) <= len(units) > 1:
        raise ParameterError(
            f"errors='placebo': {frame[unit].nunique() - len(units)} donors can't stand in for {len(units)} treated units. "
            "Use 'bootstrap' or 'jackknife', or more donors."
        )
    incomplete = frame.groupby(unit)[time].nunique() < frame[time].nunique()
    if incomplete.any():
        raise DataError(
            f"panel: {int(incomplete.sum())} units miss a time "
            f"({', '.join(map(str, incomplete.index[incomplete][:5]))}). "
            "Fill them or leave those units out."
        )
    times = np.sort(frame[time].unique())
    after = [t for t in times if t >= start]
    if not after or len(after) == len(times):
        raise ParameterError(
            f"start={start!r}: the times run from {times[0]} to {times[-1]}. Start between them."
        )
    check_varies(frame, outcome, unit, time)
    (on,) = frames.unused(frame, "treated")
    frame = frame.assign(**{on: frame[unit].isin(units).astype(int)})
    names = {"outcome": outcome, "treatment": on, "unit": unit, "time": time, "after": after}
    names |= {"seed": seed, "alpha": 1 - confidence}
    count = frame[unit].nunique()
    every = len(units) == 1 and 1 < count - 1 <= draws
    figures, donors, early = adapter.synthetic_did(
        frame, **names, errors=errors, draws=FEWEST_DRAWS if every else draws
    )
    if every:
        figures = by_placebos(figures[0], every_placebo(frame, names), confidence)
    estimate, error, lower, upper, p = figures
    conditions = [
        gates.clusters(count),
        gates.years_before(len(times) - len(after), gates.FEWEST_FIT_PERIODS),
        gates.years_after(len(after), 1),
        replace(gates.pre_fit(path_ratio(frame, names, donors)), cap="L2"),
        *gates.data_gates(panel, outcome, unit),
    ]
    said = ()
    if errors == "placebo" and count < ENOUGH_PLACEBOS:
        said = (Reason("few_placebos", {"units": count, "least": gates.number(1 / count)}),)
    if errors != "placebo" and len(units) < FEW_TREATED_UNITS:
        said = (*said, Reason("few_treated_units", {"treated": len(units)}))
    effect = SyntheticControl(
        estimate,
        error,
        lower,
        upper,
        n=len(frame),
        clusters=count,
        method="synthetic difference in differences, "
        + (f"all {count - 1} placebos" if every else ERRORS[errors].format(draws=draws, seed=seed)),
        confidence=confidence,
        p_value=p,
        outcome=outcome,
        dose=f"{', '.join(map(str, units))} from {start}",
        warnings=said,
        weights=donors.sort_values(ascending=False),
        gaps=pd.DataFrame({"time": times}).assign(
            before=times < start, weight=lambda g: g["time"].map(early)
        ),
    )
    return gates.judge(effect, conditions, level="L3", despite=despite)


def every_placebo(frame, names):
    """Return the estimate that each donor gives in the place of the treated unit, that unit left out."""
    on, unit = names["treatment"], names["unit"]
    others = frame[frame[on] == 0]
    stand_ins = (others.assign(**{on: (others[unit] == u).astype(int)}) for u in others[unit].unique())
    found = (adapter.synthetic_did(f, **names, errors="jackknife", draws=FEWEST_DRAWS) for f in stand_ins)
    return np.array([figures[0] for figures, *_ in found])


def path_ratio(frame, names, donors):
    """Return how far the donors' weighted path strays from the treated before the start, to the units' spread.

    The difference of levels, which the design takes out, is left aside.
    """
    wide = frame.pivot(index=names["time"], columns=names["unit"], values=names["outcome"])
    wide = wide[wide.index < min(names["after"])]
    treated = wide.columns.isin(frame.loc[frame[names["treatment"]] == 1, names["unit"]])
    gap = wide.loc[:, treated].mean(axis=1) - wide[donors.index] @ donors / donors.sum()
    spread = float(np.sqrt(wide.var(axis=1, ddof=0).mean()))
    return float(np.sqrt(((gap - gap.mean()) ** 2).mean())) / spread if spread else np.inf
