"""What would have to be true for the conclusion to change."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EvalkitError, ParameterError
from evalkit.impact import frames, gates, honest, regression
from evalkit.impact.effect import EventStudy
from evalkit.impact.event_study import starts
from evalkit.impact.shift_share import ShiftShare
from evalkit.metrics.estimate import check_confidence

# Oster's rule of thumb for the largest share of variance that could be explained (2019, section 4.1).
OSTER_SHARE = 1.3


def sensitivity(
    event_study, *, bound="relative", values=(0.5, 1, 2), weights=None, confidence=0.95, seed=20141122
):
    """Confidence sets of an event study's effect when trends may diverge by as much as each value allows.

    event_study: an EventStudy whose coefficients are all relative to one period. bound: "relative" lets the
    divergence change between periods after the start by ``value`` times the largest change before it (the
    least-favourable hybrid of Rambachan & Roth); "smoothness" lets its slope change by ``value``, in outcome
    units, per period (shortest fixed-length interval). weights: of the periods after the start in the effect;
    the first of them by default, ``"average"`` for their mean.

    Returns one row per value: bound, value, lower, upper, excludes_zero. attrs["breakdown"] is the largest
    of the values that still excludes zero, missing where none does. Raises DataError where the study was
    refused, has no covariance or fewer clusters than periods, varying base periods or too few periods.

    Sources: Rambachan & Roth (2023), Rev. Econ. Stud. 90; Andrews, Roth & Pakes (2023), Rev. Econ. Stud. 90.
    """
    if bound not in ("relative", "smoothness"):
        raise ParameterError(f"bound {bound!r}: use 'relative' or 'smoothness'.")
    check_confidence(confidence)
    try:
        values = np.atleast_1d(np.asarray(values, float))
    except (TypeError, ValueError):
        values = np.array([])
    if not len(values) or not (np.isfinite(values) & (values >= 0)).all():
        given = ", ".join(f"{v:g}" for v in values) or "none"
        raise ParameterError(f"values: found {given}. Give one or more numbers of zero or more.")
    estimates, covariance, distance = bounded_parts(event_study)
    before = int((distance < 0).sum())
    after = len(distance) - before
    if isinstance(weights, str):
        if weights != "average":
            raise ParameterError(
                f"weights {weights!r}: give numbers, one per period after the start, or 'average'."
            )
        weights = np.full(after, 1 / after)
    if weights is not None and len(weights) != after:
        raise ParameterError(f"weights: {len(weights)} given for {after} periods after the start.")
    alpha = 1 - confidence
    rows = []
    for value in values:
        if bound == "relative":
            lower, upper = honest.relative_magnitude(
                estimates, covariance, before, bound=value, weights=weights, alpha=alpha, seed=seed
            )
        else:
            lower, upper = honest.smoothness(
                estimates, covariance, distance, bound=value, weights=weights, alpha=alpha
            )
        rows.append(
            {
                "bound": bound,
                "value": value,
                "lower": lower,
                "upper": upper,
                "excludes_zero": lower > 0 or upper < 0,
            }
        )
    table = pd.DataFrame(rows)
    table.attrs["breakdown"] = float(table.loc[table["excludes_zero"], "value"].max())
    return table


def bounded_parts(study):
    """Return coefficients, covariance and distance from the reference of an event study."""
    if not isinstance(study, EventStudy):
        raise ParameterError(
            f"event study: found {type(study).__name__}. Give what event_study, staggered or the reduced form of "
            "shift_share returned."
        )
    if study.refused or study.covariance.size == 0:
        raise DataError(
            "event study: was refused, or has no covariance of its periods; there is nothing to bound."
        )
    if study.base != "universal":
        raise DataError(
            "event study: its earlier periods have varying bases. Estimate it again with base='universal'."
        )
    rank = np.linalg.matrix_rank(study.covariance, hermitian=True)
    if rank < len(study.covariance):
        raise DataError(
            f"event study: the covariance of its {len(study.covariance)} periods has rank {rank}: there are too few "
            "clusters for them. Bound a study of fewer periods or more clusters."
        )
    moving = study.periods[study.periods["event_time"] != study.reference]
    if ((moving["event_time"] > study.reference) & (moving["event_time"] < 0)).any():
        raise DataError(
            f"event study: its reference, {study.reference:g}, isn't the last period before the start, from which "
            "divergence is counted. Estimate it again with that one."
        )
    distance = moving["event_time"].to_numpy() - study.reference
    if not (distance < 0).any() or not (distance > 0).any():
        raise DataError("event study: needs a coefficient before the reference and one after it.")
    return moving["estimate"].to_numpy(), study.covariance, distance


def oster(panel, *, outcome, dose, controls, unit=None, time=None, weights=None, largest_r2=None, beta=0.0):
    r"""How strong selection on the unobserved must be, beside the observed, to explain an estimate away.

    Compares a short regression on the dose (with unit and time effects, where given, in both) with one that
    adds the controls. delta: the ratio at which the true effect is ``beta``. bounded: the effect when the
    ratio is one; the set from it to the full estimate should leave out zero. largest_r2: what all that
    matters would explain, at most 1; by default 1.3 times the R² of the full regression. R² are of the
    outcome with the effects absorbed.

    Returns one row: short, short_r2, full, full_r2, largest_r2, delta, bounded.
    Source: Oster (2019), JBES 37, propositions 2 and 3.
    """
    if not frames.columns_of(controls):
        raise ParameterError("oster: without controls there is no selection to compare with. Name some.")
    shared = {"outcome": outcome, "absorb": frames.columns_of(unit, time), "weights": weights}
    full = regression.prepare(panel, regressors=dose, controls=controls, **shared)
    short = replace(full, **short_columns(full))
    y = full.y - intercept_part(full, full.y)
    x = full.x[:, 0] - intercept_part(full, full.x[:, 0])
    others = full.x[:, 1:]
    left = full.x[:, 0] - (
        others @ np.linalg.lstsq(others, full.x[:, 0], rcond=None)[0] if others.size else 0
    )
    n = len(y)
    var_y, var_x, var_left = y @ y / n, x @ x / n, left @ left / n
    b0, b1 = (float(regression.fit(d).coefficients.iloc[0]) for d in (short, full))
    r0, r1 = (1 - float((regression.fit(d).residuals ** 2).sum()) / (var_y * n) for d in (short, full))
    limit = min(OSTER_SHARE * r1, 1.0) if largest_r2 is None else float(largest_r2)
    if not r1 <= limit <= 1:
        raise ParameterError(f"largest_r2={limit:g}: lies between the full regression's {r1:.4g} and 1.")
    figures = {
        "b0": b0,
        "b1": b1,
        "gain": (r1 - r0) * var_y,
        "room": (limit - r1) * var_y,
        "var_x": var_x,
        "var_left": var_left,
    }
    return pd.DataFrame(
        [
            {
                "short": b0,
                "short_r2": r0,
                "full": b1,
                "full_r2": r1,
                "largest_r2": limit,
                "delta": oster_delta(b1 - beta, **figures),
                "bounded": oster_bound(**figures),
            }
        ]
    )


def short_columns(design):
    """Return the fields of a Design that keep the dose alone, and the intercept where there is one."""
    keep = [0] + [j for j, name in enumerate(design.names) if name == "(intercept)"]
    return {"x": design.x[:, keep], "names": tuple(design.names[j] for j in keep)}


def intercept_part(design, column):
    """Return the part of a column that the intercept fits; zero where effects are absorbed."""
    if "(intercept)" not in design.names:
        return 0.0
    one = design.x[:, design.names.index("(intercept)")]
    return one * (one @ column) / (one @ one)


def oster_delta(distance, *, b0, b1, gain, room, var_x, var_left):
    """Return δ at which the bias of the full estimate is ``distance``."""
    moved = b0 - b1
    shared = distance**2 * var_left * moved * var_x
    cubic = distance**3 * (var_left * var_x - var_left**2)
    above = distance * gain * var_left + distance * var_x * var_left * moved**2 + 2 * shared + cubic
    below = room * moved * var_x + distance * room * (var_x - var_left) + shared + cubic
    return float(above / below) if below else np.nan


def oster_bound(*, b0, b1, gain, room, var_x, var_left):
    """Return the effect at δ = 1: the root nearest the full estimate that moves on from the short one."""
    moved = b0 - b1
    a = var_left * moved * var_x
    b = gain * var_left + var_x * var_left * moved**2 - room * (var_x - var_left)
    c = -room * moved * var_x
    roots = np.roots([a, b, c]) if a else np.roots([b, c])
    real = roots[np.isreal(roots)].real
    if not len(real):
        return np.nan
    onward = real[np.sign(real) == np.sign(moved)]
    chosen = onward if len(onward) else real
    return float(b1 - chosen[np.abs(chosen).argmin()])


def leave_one_out(estimator, panel, *, by, **options):
    """Estimate again without each value of ``by`` in turn (each unit, district or year).

    Returns one row per value left out: left_out, estimate, std_error, lower, upper, p_value, refusals; the
    first row, left_out missing, is the full sample. attrs["range"] holds the smallest and largest estimate.
    """
    frames.check_columns(panel, by)
    rows = [_row(estimator, panel, options, left_out=None)]
    rows += [
        _row(estimator, panel[panel[by] != value], options, left_out=value)
        for value in panel[by].dropna().unique()
    ]
    table = pd.DataFrame(rows)
    table.attrs["range"] = (float(table["estimate"].min()), float(table["estimate"].max()))
    return table


def placebo_outcomes(estimator, panel, *, outcomes, **options):
    """Estimate the effect on outcomes that the treatment can't have changed; returns one row per outcome."""
    return pd.DataFrame([_row(estimator, panel, {**options, "outcome": o}, outcome=o) for o in outcomes])


def placebo_dates(estimator, panel, *, time, dates, start=None, first_treated=None, **options):
    """Pretend an earlier start, with the rows from the true one on left out; returns one row per date.

    estimator takes ``time`` and either ``start`` (``interrupted_series``, ``synthetic_control``, ``synthetic_did``,
    ``shift_share``) or ``first_treated`` (``event_study``, ``staggered``): name the one that it takes. first_treated:
    one time, or a column; then the rows before the first start of all are kept, and every unit that ever starts is
    taken to start at the date. Raises ParameterError where both are named, or neither.
    """
    if (start is None) == (first_treated is None):
        raise ParameterError(
            "placebo_dates: name the true start as start or as first_treated, whichever the design takes."
        )
    frames.check_columns(panel, time, options.get("unit"))
    if isinstance(first_treated, str):
        early, starters = _before_anyone(panel, options.get("unit"), time, first_treated)
        pretended = [
            (
                early.assign(**{first_treated: pd.Series(date, index=early.index).where(starters)}),
                first_treated,
            )
            for date in dates
        ]
    else:
        early = panel[panel[time] < (first_treated if start is None else start)]
        pretended = [(early, date) for date in dates]
    name = "first_treated" if start is None else "start"
    rows = []
    for (frame, named), date in zip(pretended, dates, strict=True):
        frame.attrs = panel.attrs
        rows.append(_row(estimator, frame, {**options, "time": time, name: named}, start=date))
    return pd.DataFrame(rows)


def _before_anyone(panel, unit, time, first_treated):
    """Return the rows before the first start of all, and which of them belong to units that start later on."""
    if unit is None:
        raise ParameterError("placebo_dates: a column of starts needs unit. Name it.")
    times, start = starts(panel, unit, time, first_treated)
    if start.isna().all():
        raise DataError(
            f"panel, column {first_treated!r}: no unit starts by the last {time}. Name the true starts."
        )
    early = (times < start.min()).to_numpy()
    return panel[early], start.notna().to_numpy()[early]


def specification_curve(estimator, panel, specifications, **shared):
    """Estimate under every defensible specification; returns one row each, sorted by the estimate.

    specifications: name → options that differ (a mapping of keyword arguments), shared: those that don't.
    attrs: median, share_positive, share_significant at 5 % by the headline p-value, over those not refused.
    Source: Simonsohn, Simmons & Nelson (2020), Nature Human Behaviour 4.
    """
    rows = [
        _row(estimator, panel, {**shared, **options}, specification=name)
        for name, options in specifications.items()
    ]
    table = pd.DataFrame(rows).sort_values("estimate", ignore_index=True)
    made = table.dropna(subset=["estimate"])
    table.attrs |= {
        "median": float(made["estimate"].median()),
        "share_positive": float((made["estimate"] > 0).mean()),
        "share_significant": float((made["p_value"] < gates.PRE_TRENDS_P).mean()),
    }
    return table


def _row(estimator, panel, options, **labels):
    """Return one estimate as a row; what can't be estimated says why instead of vanishing."""
    try:
        made = estimator(panel, **options)
    except EvalkitError as why:
        return {
            **labels,
            "estimate": np.nan,
            "std_error": np.nan,
            "lower": np.nan,
            "upper": np.nan,
            "p_value": np.nan,
            "n": 0,
            "refusals": (str(why),),
        }
    effect = made.effect if isinstance(made, ShiftShare) else made
    return {
        **labels,
        "estimate": effect.estimate,
        "std_error": effect.std_error,
        "lower": effect.lower,
        "upper": effect.upper,
        "p_value": effect.p_headline,
        "n": effect.n,
        "refusals": effect.refusals,
    }
