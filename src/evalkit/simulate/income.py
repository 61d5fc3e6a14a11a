"""Income per person as the communes report it."""

import numpy as np
import pandas as pd

from evalkit.simulate import law

_STEP_VND = 100_000  # the communes report in million VND with one decimal
_MEASUREMENT = 0.015  # log points of error in a commune's own survey
_OVER = 6  # steps above the threshold at most, where a report is heaped
STATUSES = np.array(["none", "basic", "advanced"])


def table(history, territory, boundaries, draws, *, heaping):
    """Return (table of income, the rows that were heaped).

    Each commune surveys itself. With ``heaping``, one whose own figure lies below the threshold in the
    year of its recognition reports a little above the threshold instead.
    """
    persons = history.households * territory.household_size[:, None]
    true = boundaries.sum(history.income_year_vnd * persons) / boundaries.sum(persons)
    error = np.exp(_MEASUREMENT * draws.normal("income surveys", len(true)))
    reported = np.rint(true * error / _STEP_VND).astype(np.int64) * _STEP_VND
    status = boundaries.least(history.nrd_status)
    before = boundaries.least(np.concatenate([history.nrd_status[:, :1], history.nrd_status[:, :-1]], axis=1))
    threshold = np.nan_to_num(
        law.recognition_thresholds_vnd(history.years)[boundaries.years - history.years[0]]
    )
    short = (status == 1) & (before == 0) & (reported < threshold) & heaping
    over = draws.generator("heaping").integers(0, _OVER, len(true)) * _STEP_VND
    frame = pd.DataFrame(
        {
            "code": boundaries.codes,
            "year": boundaries.years,
            "income_vnd": np.where(short, threshold + over, reported).astype(np.int64),
            "per": "year",
            "basis": "self_survey",
            "nrd_status": STATUSES[status],
        }
    )
    heaped = frame.loc[short, ["code", "year"]]
    return frame.sort_values(["code", "year"], ignore_index=True), heaped.sort_values(
        ["code", "year"], ignore_index=True
    )
