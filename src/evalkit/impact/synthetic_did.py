"""Synthetic difference in differences: donors and times weighted so that trends run parallel."""

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import adapter, frames, gates
from evalkit.impact.effect import Reason, SyntheticControl


def synthetic_did(
    panel, *, outcome, unit, time, treated, start, draws=200, seed=20141122, despite=(), confidence=0.95
):
    r"""Effect on the units of one start date by weighted difference in differences.

    .. math:: \hat\tau = \arg\min \sum_{it} (y_{it} - \alpha_i - \beta_t - \tau D_{it})^2 \omega_i \lambda_t

    treated: the unit, or a list of units, treated from ``start`` on. weights: the donors'. gaps: the time
    weights. The error is that of placebos: ``draws`` assignments of the treatment among the donors.

    Gates: clusters, years_before, one_basis, merged_units. Level L3 where all hold. Units that miss a time
    raise. Source: Arkhangelsky, Athey, Hirshberg, Imbens & Wager (2021), AER 111.
    """
    panel = frames.tabled(panel, outcome, unit, time)
    frames.check_numbers(panel, outcome)
    if panel.duplicated([unit, time]).any():
        raise DataError(f"panel: several rows for one {unit} and {time}. Keep one.")
    units = [treated] if isinstance(treated, str) or not np.iterable(treated) else list(treated)
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
    (on,) = frames.unused(frame, "treated")
    frame = frame.assign(**{on: frame[unit].isin(units).astype(int)})
    figures, donors, early = adapter.synthetic_did(
        frame,
        outcome=outcome,
        treatment=on,
        unit=unit,
        time=time,
        after=after,
        draws=draws,
        seed=seed,
        alpha=1 - confidence,
    )
    estimate, error, lower, upper, p = figures
    count = frame[unit].nunique()
    conditions = [
        gates.clusters(count),
        gates.years_before(len(times) - len(after), gates.FEWEST_FIT_PERIODS),
        gates.years_after(len(after), 1),
        *gates.data_gates(panel, outcome, unit),
    ]
    said = (Reason("few_placebos", {"units": count, "least": gates.number(1 / count)}),) if count < 20 else ()
    effect = SyntheticControl(
        estimate,
        error,
        lower,
        upper,
        n=len(frame),
        clusters=count,
        method=f"synthetic difference in differences, {draws} placebos from seed {seed}",
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
