"""Design-based estimates from a sample of households: strata, clusters, weights and finite populations.

A measure is a smooth function of weighted totals. Its derivative by the weight of each observation (the
influence) turns its variance into that of a total, which the design gives (Taylor linearisation). Every
measure of poverty and inequality takes this one road.

Source: Binder (1983), International Statistical Review 51, 279-292; Deville (1999), Survey Methodology 25,
193-203.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from evalkit.errors import DataError
from evalkit.metrics import intervals
from evalkit.metrics.estimate import Estimate
from evalkit.metrics.sample import draw, numbers, same_length, same_rows, variance


@dataclass(frozen=True)
class Precision:
    """Standard error, known observations, sampling units and degrees of freedom, one of each per group."""

    std_error: np.ndarray
    n: np.ndarray
    clusters: np.ndarray
    freedom: np.ndarray


def precision(sample, value, influence):
    """Return the :class:`Precision` of ``value`` from its influence per observation.

    Degrees of freedom: sampling units with a known value minus their strata; the standard error is NaN where
    there are none.
    """
    with np.errstate(invalid="ignore"):
        std_error = np.sqrt(variance(sample, np.where(sample.used, influence, 0.0)))
    seen = np.bincount(sample.psu, weights=sample.used, minlength=len(sample.stratum_of_psu)) > 0
    strata_seen = np.unique(sample.stratum_of_psu[seen])
    clusters = np.bincount(sample.group_of_stratum[sample.stratum_of_psu[seen]], minlength=sample.groups)
    freedom = clusters - np.bincount(sample.group_of_stratum[strata_seen], minlength=sample.groups)
    known = (freedom > 0) & ~np.isnan(value)
    return Precision(
        np.where(known, std_error, np.nan), sample.sum(sample.used).astype(int), clusters, freedom
    )


def estimate(sample, value, influence, *, method, unit, bounds=(-np.inf, np.inf), log=False, confidence=0.95):
    """Return ``value`` with its standard error and a t interval cut at ``bounds``: an Estimate, or a table.

    value: one per group; influence: one per observation. log: make the interval on the logarithm, for
    measures above 0 whose sampling distribution leans to the right.
    """
    found = precision(sample, value, influence)
    lower, upper = np.clip(t_interval(value, found, confidence, log), *bounds)
    interval = "t interval on the log scale" if log else "t interval"
    return present(sample, value, found, (lower, upper), f"{method}; {interval}", unit, confidence)


def t_interval(value, found, confidence, log=False):
    """Value minus and plus the t quantile times its standard error; with ``log``, of its logarithm."""
    tail = (1 + intervals.fraction(confidence)) / 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quantile = special.stdtrit(np.where(found.freedom > 0, found.freedom, np.nan), tail)
        half = quantile * found.std_error
        if log:
            factor = np.exp(np.where(value > 0, half / value, 0 * half))
            return value / factor, value * factor
    return value - half, value + half


def present(sample, value, found, interval, method, unit, confidence):
    """Assemble the Estimate of a sample without groups, or the table of one with groups."""
    known = found.n > 0
    figures = {
        "estimate": value,
        "std_error": found.std_error,
        "lower": interval[0],
        "upper": interval[1],
    }
    columns = {name: np.where(known, figure, np.nan) for name, figure in figures.items()}
    columns |= {"n": found.n, "clusters": found.clusters}
    missing = sample.sum(~sample.used).astype(int)
    if sample.labels is not None:
        table = sample.labels.assign(**columns, missing=missing, unit=unit, method=method)
        return table[known].reset_index(drop=True)
    row = {name: column[0].item() for name, column in columns.items()}
    row["clusters"] = row["clusters"] if sample.clustered else None
    warnings = _warnings(row["n"], missing[0], row["std_error"], row["estimate"])
    return Estimate(**row, method=method, unit=unit, confidence=confidence, warnings=warnings)


def mean(values, *, unit="", confidence=0.95, **design):
    r"""Weighted mean.

    .. math:: \bar y = \sum_i w_i y_i / \sum_i w_i

    Unit: that of the values. Interval: t. Returns an Estimate, or with ``by`` a table of one row per group
    that has a known value. ``design``, ``by`` and errors: see
    :func:`evalkit.metrics.sample.draw`.
    """
    drawn = draw(values, **design)
    value, influence = mean_and_influence(drawn, drawn.values)
    return estimate(
        drawn, value, influence, method="weighted mean, linearised", unit=unit, confidence=confidence
    )


def total(values, *, unit="", confidence=0.95, **design):
    r"""Weighted total of the known values.

    .. math:: \hat Y = \sum_i w_i y_i

    Unit: that of the values. Interval: t. A missing value adds nothing, so a total with missing values is
    too low; the warning says how many there are. ``design``, ``by`` and errors: see
    :func:`evalkit.metrics.sample.draw`.
    """
    drawn = draw(values, **design)
    value = drawn.sum(drawn.weights * drawn.values)
    return estimate(drawn, value, drawn.values, method="weighted total", unit=unit, confidence=confidence)


def ratio(numerator, denominator, *, unit="", confidence=0.95, **design):
    r"""Ratio of two weighted totals.

    .. math:: \hat R = \sum_i w_i y_i / \sum_i w_i x_i

    Observations with numerator or denominator unknown are left out of both. Interval: t. A group whose
    denominator is 0 has NaN. ``design``, ``by`` and errors: see
    :func:`evalkit.metrics.sample.draw`.
    """
    same_rows(numerator=numerator, denominator=denominator, **paired(design))
    numerator, denominator = numbers(numerator, "numerator"), numbers(denominator, "denominator")
    same_length(len(numerator), denominator=denominator)
    both = np.where(np.isnan(denominator), np.nan, numerator)
    drawn = draw(both, **design)
    x = np.where(drawn.used, denominator, 0.0)
    below = drawn.sum(drawn.weights * x)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(below == 0, np.nan, drawn.sum(drawn.weights * drawn.values) / below)
        influence = (drawn.values - value[drawn.group] * x) / below[drawn.group]
    return estimate(
        drawn, value, influence, method="ratio of totals, linearised", unit=unit, confidence=confidence
    )


def proportion(event, *, method="share", confidence=0.95, **design):
    r"""Weighted share of observations with ``event`` (0, 1 or NaN).

    Unit: proportion, 0 to 1. Interval: Wilson score on the effective sample size

    .. math:: n^* = n \frac{\hat p(1-\hat p)/(n-1)}{\widehat{var}(\hat p)} \left(\frac{t_{n-1}}{t_d}\right)^2

    which is n itself for a simple random sample, so the interval never leaves 0 to 1 and isn't empty where
    no event was seen (there n* is n, as the design effect is unknown: too short if events cluster). d:
    degrees of freedom of the design; a single cluster of several observations has no interval. ``design``,
    ``by`` and errors: see :func:`evalkit.metrics.sample.draw`; an event other than 0, 1 or missing is one.

    Source: Korn and Graubard (1998), Survey Methodology 24, 193-201; Dean and Pagano (2015), Journal of
    Survey Statistics and Methodology 3, 484-503.
    """
    same_rows(event=event, **paired(design))
    drawn = draw(events(event, "event"), **design)
    return proportion_of(drawn, drawn.values, method=method, confidence=confidence)


def proportion_of(sample, event, *, method, confidence=0.95):
    """As :func:`proportion`, for a prepared sample; for events of the known observations."""
    value, influence = mean_and_influence(sample, np.where(sample.used, event, 0.0))
    found = precision(sample, value, influence)
    interval = share_interval(value, found, confidence)
    return present(sample, value, found, interval, f"{method}; Wilson interval", "proportion", confidence)


def share_interval(p, found, confidence):
    """Wilson interval of a share on the effective sample size of its design; see :func:`proportion`."""
    tail, n = (1 + confidence) / 2, found.n
    with np.errstate(divide="ignore", invalid="ignore"):
        t_ratio = special.stdtrit(np.maximum(n - 1, 1), tail) / special.stdtrit(
            np.maximum(found.freedom, 1), tail
        )
        effective = n * p * (1 - p) / (n - 1) / found.std_error**2 * t_ratio**2
        effective = np.where(np.isclose(p * (1 - p), 0, atol=1e-12), n, effective)
        full_count = np.isinf(effective)
        one_cluster = (found.freedom <= 0) & (found.clusters < n)
        size = np.where(full_count | one_cluster, np.nan, effective)
        lower, upper = intervals.wilson(p * size, size, confidence=confidence)
    return np.where(full_count, p, lower), np.where(full_count, p, upper)


def mean_and_influence(sample, values):
    """Weighted mean of ``values`` per group and its influence per observation."""
    size = sample.sum(sample.weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sample.sum(sample.weights * values) / size
        influence = (values - value[sample.group]) / size[sample.group]
    return value, np.where(sample.used, influence, 0.0)


def events(values, name):
    """Return values as numbers. Raises DataError where one is other than 0, 1 or missing."""
    values = numbers(values, name)
    wrong = ~(np.isnan(values) | (values == 0) | (values == 1))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"{name}, position {at}: {values[at]:g}. Values other than 0, 1 and missing are no event; apply "
            "the cut-off first."
        )
    return values


def of_columns(frame, *, by, weights=None, **design):
    """Return the design of one estimate per group of ``frame``, whose columns are given by name.

    A stratum of one sampling unit leaves the standard error of its group unknown instead of failing the table.
    """
    names = {"weights": weights, **{k: design.pop(k) for k in ("strata", "cluster", "fpc") if k in design}}
    columns = {name: None if column is None else frame[column] for name, column in names.items()}
    return {"single_psu": "nan", "by": frame[list(by)], **design, **columns}


def paired(design):
    """Return the columns among the arguments of a design."""
    return {name: design.get(name) for name in ("weights", "strata", "cluster", "fpc", "by")}


def _warnings(n, missing, std_error, estimate):
    found = []
    if n == 0:
        found.append("no known value")
    if missing:
        found.append(f"{missing} of {n + missing} observations missing or without weight, left out")
    if n > 0 and not np.isfinite(estimate):
        found.append("not defined for these values")
    elif n > 0 and np.isnan(std_error):
        found.append("no standard error: one sampling unit")
    return tuple(found)
