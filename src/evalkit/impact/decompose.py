"""One commune's change taken apart: change of standard, what all shared, what goes with credit, the rest."""

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact import gates, regression

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
    regression.check_columns(panel, outcome, dose, unit, time, standard)
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
