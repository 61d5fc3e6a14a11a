"""The units of a design on starts: complete, in plain numbers, by when they start, and what their sample allows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact import frames, gates, regression
from evalkit.impact.effect import Reason
from evalkit.impact.event_study import starts


@dataclass(frozen=True)
class Sample:
    """Complete units with plain numbers, the controls written out, and what the estimators call their columns.

    names: outcome, unit, time and first_treat (zero: never) → column; times are counted in steps, from one. labels: each
    first time as the panel writes it. step: between two times, in the panel's own. said: warnings of what was left out.
    """

    frame: pd.DataFrame
    names: dict
    controls: list
    labels: dict
    step: float
    said: tuple

    @property
    def first(self):
        """Return the first treated time of each row, zero for never."""
        return self.frame[self.names["first_treat"]]


def balanced(panel, outcome, unit, time, first_treated, *, controls=(), others=(), keep_always_treated=False):
    """Return the Sample of the units that have every time."""
    controls, others = frames.columns_of(controls), frames.columns_of(others)
    panel = frames.tabled(panel, outcome, unit, time, controls, others)
    frames.check_numbers(panel, outcome)
    times, start, step = stepped(*starts(panel, unit, time, first_treated))
    began = start.notna()
    labels = dict(zip(start[began], panel.loc[began, first_treated], strict=True))
    first, clock = frames.unused(panel, "first treated", "time")
    written = regression.indicators(panel.assign(**{c: panel[c] for c in controls}), controls)
    written = written.where(panel[controls].notna().all(axis=1), axis=0) if controls else written
    written.columns = frames.unused(panel, *(f"control {name}" for name in written))
    frame = pd.concat([panel.assign(**{first: start.fillna(0.0), clock: times}), written], axis=1)
    frame = frame.dropna(subset=[outcome, unit, clock, *others, *written])
    if frame.duplicated([unit, clock]).any():
        twice = frame[frame.duplicated([unit, clock])].iloc[0]
        raise DataError(f"panel: {unit} {twice[unit]} has several rows for {time} {twice[time]}. Keep one.")
    frame = frame[frame.groupby(unit)[clock].transform("nunique") == frame[clock].nunique()]
    if not keep_always_treated:
        frame = frame[(frame[first] == 0) | (frame[first] > frame[clock].min())]
    check_varies(frame, outcome, unit, clock)
    frame.attrs = panel.attrs
    rows = len(panel) - len(frame)
    return Sample(
        frame,
        {"outcome": outcome, "unit": unit, "time": clock, "first_treat": first},
        list(written),
        labels,
        step,
        (Reason("rows_left_out", {"rows": rows}),) if rows else (),
    )


def stepped(times, start):
    """Return times and starts counted in steps from one, and the step: the smallest, where it divides all, else one.

    What starts before the first time counts as starting with it; zero is left for those that never do.
    """
    apart = np.diff(np.unique(times.dropna()))
    smallest = apart.min() if len(apart) else 1.0
    step = float(smallest) if np.allclose(apart / smallest, np.round(apart / smallest)) else 1.0
    first = times.min()
    counted, began = (((column - first) / step + 1).round(6) for column in (times, start))
    return counted, began.clip(lower=1.0), step


def check_period_before(sample, time):
    """Raise DataError where the period before some cohort's start is missing, with which its others are compared."""
    observed = set(sample.frame[sample.names["time"]])
    absent = [g for g in sample.first[sample.first > 0].unique() if g - 1 not in observed]
    if absent:
        raise DataError(
            f"panel, column {time!r}: no row stands one step before the start at {sample.labels[min(absent)]}, with which "
            "'sun_abraham' compares. Use method='callaway_santanna'."
        )


def check_varies(frame, outcome, unit, time):
    """Raise DataError where unit and time means are all there is to the outcome of a balanced panel."""
    if frame.empty:
        return
    wide = frame.pivot(index=unit, columns=time, values=outcome).to_numpy(float)
    left = wide - wide.mean(axis=0) - wide.mean(axis=1, keepdims=True) + wide.mean()
    regression.check_outcome(left, wide.ravel(), np.ones(wide.size), outcome, [unit, time])


def treated_clusters(sample, cluster):
    """Return the number of clusters in which a unit starts."""
    return sample.frame.loc[sample.first > 0, cluster or sample.names["unit"]].nunique()


def never_clusters(sample, cluster):
    """Return the number of clusters with units that never start."""
    return sample.frame.loc[sample.first == 0, cluster or sample.names["unit"]].nunique()


def sample_gates(sample, cluster, control_group, method="callaway_santanna"):
    """Return the gates that look at the sample: clusters, someone to compare with, bases and mergers."""
    cohorts = sample.first[sample.first > 0].nunique()
    later = method == "imputation" or (method == "callaway_santanna" and control_group == "not_yet")
    has_controls = bool((sample.first == 0).any()) or (later and cohorts > 1)
    unit = sample.names["unit"]
    never = []
    if has_controls and not later:
        never = [never_clusters(sample, cluster)]
    return [
        gates.clusters(sample.frame[cluster or unit].nunique()),
        gates.gate("comparison_group", has_controls and cohorts > 0),
        gates.treated_clusters(treated_clusters(sample, cluster)),
        *map(gates.comparison_clusters, never),
        *gates.data_gates(sample.frame, sample.names["outcome"], unit),
    ]
