"""The yearly review of poor households, by standard."""

import numpy as np
import pandas as pd


def table(history, boundaries):
    """Return the table of poverty: commune × year × standard, with the flows since the year before."""
    households = boundaries.count(history.households)
    pieces = [_counted(history, boundaries, households, s) for s in dict.fromkeys(s for _, s in history.poor)]
    frame = pd.concat(pieces, ignore_index=True)
    return frame.sort_values(["code", "year", "standard"], ignore_index=True)


def _counted(history, boundaries, households, standard):
    counted = np.isin(boundaries.years, [history.years[t] for t, s in history.poor if s == standard])
    poor = _delivered(history.poor, history, boundaries, standard)
    near_poor = _delivered(history.near_poor, history, boundaries, standard)
    followed = np.isin(boundaries.years, [history.years[t] for t, s in history.flows if s == standard])
    frame = pd.DataFrame(
        {
            "code": boundaries.codes,
            "year": boundaries.years,
            "standard": standard,
            "households": households,
            "poor": poor,
            "near_poor": near_poor,
        }
    )
    for name in ("escaped", "fell_back", "newly_poor"):
        flows = {key: flow[name] for key, flow in history.flows.items()}
        values = pd.array(_delivered(flows, history, boundaries, standard), dtype="Int64")
        values[~followed] = pd.NA
        frame[name] = values
    frame["poor_pct"] = (100 * frame["poor"] / frame["households"]).round(2)
    frame["near_poor_pct"] = (100 * frame["near_poor"] / frame["households"]).round(2)
    return frame[counted]


def _delivered(by_review, history, boundaries, standard):
    values = np.zeros(history.households.shape, dtype=np.int64)
    for (t, s), count in by_review.items():
        if s == standard:
            values[:, t] = count
    return boundaries.count(values)
