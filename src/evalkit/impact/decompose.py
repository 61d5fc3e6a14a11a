"""One commune's change taken apart: change of standard, what all shared, what goes with credit, the rest."""

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact import frames, gates, regression

PARTS = ("standard", "shared", "credit", "rest")


def decompose(panel, effect, *, outcome, dose, unit="unit", time="year", standard="standard", start, end):
    r"""Take every unit's change of ``outcome`` between two times apart into four parts that add up to it.

    standard: jumps between two standards counted at the same time, the unit's own bridges; without one of
    them the part, and with it the rest, is unknown. shared: the mean over units of what is left. credit: β
    (Δd_i − mean Δd), with the interval of β from ``effect``; missing where the effect was refused or stands
    below L2. rest: what remains. ``credit`` compares units of different intensity: what credit did for all
    alike is in ``shared``.

    Returns one row per unit and part: unit, part, value, lower, upper, known (False: can't be told apart),
    and a row "change" with the total. Unit: that of the outcome. Raises DataError where no unit has both
    times.
    """
    frames.check_columns(panel, outcome, dose, unit, time, standard)
    rows = panel[(panel[time] >= start) & (panel[time] <= end)].dropna(subset=[outcome])
    if rows.duplicated([unit, time, standard]).any():
        raise DataError(f"panel: several rows for one {unit}, {time} and {standard}. Keep one.")
    order = {s: k for k, s in enumerate(rows.groupby(standard)[time].min().sort_values().index)}
    rows = rows.assign(order=rows[standard].map(order)).sort_values([unit, time, "order"])
    ends = pd.DataFrame(
        {
            "first": _at(rows, unit, time, start, outcome, "first"),
            "last": _at(rows, unit, time, end, outcome, "last"),
        }
    )
    change = (ends["last"] - ends["first"]).dropna()
    if change.empty:
        raise DataError(
            f"panel: no {unit} has {outcome} in both {start} and {end}. Choose times that were delivered."
        )
    jumps = bridged(rows, outcome, unit, time, standard).reindex(change.index)
    within = change - jumps
    shared = within.mean()
    moved = (_at(rows, unit, time, end, dose, "last") - _at(rows, unit, time, start, dose, "first")).reindex(
        change.index
    )
    apart = moved - moved[within.notna()].mean()
    usable = not effect.refused and gates.LEVELS.index(effect.level) >= gates.LEVELS.index("L2")
    bounds = [effect.estimate, effect.lower, effect.upper] if usable else [np.nan] * 3
    middle, one, other = (apart * b for b in bounds)
    low, high = np.minimum(one, other), np.maximum(one, other)
    left = within - shared
    parts = {
        "change": (change, change, change),
        "standard": (jumps, jumps, jumps),
        "shared": (within.notna() * shared, within.notna() * shared, within.notna() * shared),
        "credit": (middle, low, high),
        "rest": (left - middle.fillna(0.0), left - high.fillna(0.0), left - low.fillna(0.0)),
    }
    table = pd.concat(
        [
            pd.DataFrame({"part": name, "value": v, "lower": low_, "upper": high_})
            for name, (v, low_, high_) in parts.items()
        ]
    )
    unknown = table.index.isin(within.index[within.isna()]) & table["part"].isin(PARTS)
    table.loc[unknown, ["value", "lower", "upper"]] = np.nan
    return table.assign(known=table["value"].notna()).rename_axis(unit).reset_index()


def decompose_all(panel, effect, *, outcome, dose, unit="unit", time="year", standard="standard"):
    """Take the change of every unit apart over the longest span that it has itself.

    Units that a merger made begin later than others; each is compared with all units over its own span. Returns
    the rows of ``decompose`` with start, end, and crossed: the times at which the unit's change of standard is
    bridged. A unit with one time has no row.
    """
    frames.check_columns(panel, outcome, dose, unit, time, standard)
    rows = panel[[unit, time, standard, outcome, dose]].dropna(subset=[outcome, dose])
    rows.attrs = {}
    spans = rows.groupby(unit)[time].agg(["min", "max"])
    found = []
    for (start, end), members in spans[spans["min"] < spans["max"]].groupby(["min", "max"]):
        parts = decompose(
            rows, effect, outcome=outcome, dose=dose, unit=unit, time=time, standard=standard,
            start=start, end=end,
        )  # fmt: skip
        found.append(parts[parts[unit].isin(members.index)].assign(start=int(start), end=int(end)))
    if not found:
        raise DataError(f"panel: no {unit} has {outcome} and {dose} at two times. Deliver more years.")
    twice = rows[rows.duplicated([unit, time], keep=False)].drop_duplicates([unit, time])
    crossed = twice.groupby(unit)[time].agg(lambda years: ",".join(str(int(y)) for y in sorted(years)))
    table = pd.concat(found, ignore_index=True)
    return table.assign(crossed=table[unit].map(crossed).astype("string").fillna(""))


def unit_effects(
    panel, *, outcome, dose, unit, time, cluster, within=None, baseline=None, by="unit", confidence=0.95
):
    """Return the association within each unit, by itself and pulled towards the mean of all (empirical Bayes).

    Outcome and dose are freed of effects and controls as ``fixed_effects`` does with these options; within
    each value of ``by`` the slope is Σxy/Σx² with the error s/√Σx², s the spread of what the common model leaves, by the degrees of freedom that its coefficients and effects leave. Returns
    one row per value of ``by``: own, own_std_error and the columns of ``partial_pooling``. A single commune's own slope is
    mostly noise: ``shrunk`` is the one to read, and tau2 says whether units differ at all.
    """
    from evalkit.impact.estimation import baseline_columns, effect_columns
    from evalkit.impact.inference import partial_pooling

    held = []
    if baseline:
        panel, held = baseline_columns(panel, baseline, unit, time)
    panel, absorb = effect_columns(panel, unit, time, within)
    design = regression.prepare(
        panel, outcome=outcome, regressors=dose, controls=held, absorb=absorb, cluster=cluster
    )
    others = design.x[:, 1:]
    x, y = design.x[:, 0], design.y
    if others.shape[1]:
        x, y = (v - others @ np.linalg.lstsq(others, v, rcond=None)[0] for v in (x, y))
    left = y - x * (x @ y) / (x @ x)
    spread = np.sqrt(left @ left / max(len(y) - design.x.shape[1] - regression.effect_count(design), 1))
    sums = pd.DataFrame({"xy": x * y, "xx": x * x}).groupby(design.frame[by].to_numpy()).sum()
    sums = sums[sums["xx"] > sums["xx"].max() * 1e-9]
    own = pd.DataFrame({"own": sums["xy"] / sums["xx"], "own_std_error": spread / np.sqrt(sums["xx"])})
    pooled = partial_pooling(own, estimate="own", std_error="own_std_error", confidence=confidence)
    return pooled.rename_axis(by).reset_index()


def bridged(rows, outcome, unit, time, standard):
    """Return the sum of each unit's jumps between standards, missing where a jump has no bridge.

    A unit's path is known where every pair of consecutive standards was counted at one time.
    """
    earlier = rows.groupby(unit)[[time, standard, outcome]].shift()
    changes = rows[standard] != earlier[standard]
    later = earlier[standard].notna() & changes
    bridge = later & (rows[time] == earlier[time])
    jump = (rows[outcome] - earlier[outcome]).where(bridge, 0.0).mask(later & ~bridge)
    return jump.groupby(rows[unit]).sum(min_count=0).where(~(later & ~bridge).groupby(rows[unit]).any())


def _at(rows, unit, time, when, column, which):
    """Return the value of each unit at a time, of its first or last standard then."""
    found = rows[rows[time] == when].groupby(unit)[column]
    return found.first() if which == "first" else found.last()
