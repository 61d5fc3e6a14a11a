"""Errors of a staggered design by leaving each cluster out: right where clusters are few or uneven.

.. math:: V = \\frac{G-1}{G} \\sum_g (\\hat\\theta_{-g} - \\bar\\theta)(\\hat\\theta_{-g} - \\bar\\theta)'

Source: MacKinnon, Nielsen & Webb (2023), J. Applied Econometrics 38 (the jackknife estimator CV3J).
"""

from dataclasses import replace

import numpy as np
import pandas as pd


def errors(found, fit, frame, cluster):
    """Return what ``fit`` found (a Staggered record) with jackknife errors in place of its own.

    An estimate that can't be made without one of the clusters keeps its own error; all do where ``fit`` itself can't.
    The error of before is the diagnostic ``library_std_error``.
    """
    names = frame[cluster].unique()
    try:
        without = [fit(frame[(frame[cluster] != name).to_numpy()]) for name in names]
    except ValueError:
        return found
    each = pd.DataFrame([estimates(one) for one in without], columns=estimates(found).index)
    away = each - each.mean(skipna=False)
    covariance = (len(names) - 1) / len(names) * (away.T @ away)
    error = pd.Series(np.sqrt(np.diag(covariance)), index=covariance.index)
    found = replace(
        found,
        std_error=float(error["overall"]) if error["overall"] > 0 else found.std_error,
        periods=with_errors(found.periods, "event_time", error),
        groups=with_errors(found.groups, "group", error),
        covariance=of_periods(found, covariance),
        diagnostics=found.diagnostics | {"library_std_error": found.std_error},
    )
    if "slope" not in error:
        return found
    return replace(found, diagnostics=found.diagnostics | {"slope_std_error": float(error["slope"])})


def estimates(found):
    """Return every estimate of a record, by what it is of."""
    out = {"overall": found.estimate}
    for table, by in ((found.periods, "event_time"), (found.groups, "group")):
        if len(table):
            out |= dict(zip(labels(table, by), table["estimate"], strict=True))
    if "slope" in found.diagnostics:
        out["slope"] = found.diagnostics["slope"]
    return pd.Series(out, dtype=float)


def labels(table, by):
    """Return the name of each row of a table of periods or groups."""
    return [f"{by} {value:g}" for value in table[by]]


def with_errors(table, by, error):
    """Return a table of estimates with the errors found; a reference, or a row without one, stays as it is."""
    if table.empty:
        return table
    own = table["std_error"]
    new = error[labels(table, by)].set_axis(table.index)
    return table.assign(std_error=new.where((new > 0) & own.notna(), own))


def of_periods(found, covariance):
    """Return the covariance of the periods, the library's own where one of them has no other."""
    if not found.covariance.size:
        return found.covariance
    moving = labels(found.periods[found.periods["std_error"].notna()], "event_time")
    block = covariance.loc[moving, moving].to_numpy()
    return block if np.isfinite(block).all() else found.covariance
