"""Measures of inequality of incomes, each with a linearised design-based standard error.

Every measure is unchanged when all incomes are multiplied by a constant and when the population is
replicated, and weights count households (or persons, when multiplied by household size). Incomes must be on
one basis: real, and all per month or all per year. A negative or zero income is refused by name where the
measure isn't defined for it; bottom-code or leave out such households first, and say so.

Arguments that all measures share (``design``): weights, strata, cluster, fpc, single_psu, by and the faults
raised are those of :func:`evalkit.metrics.sample.draw`. With ``by`` the result is a table, one row per group.
Intervals are t intervals, on the log scale except for the Gini coefficient; for small samples of very skewed
incomes they remain too short.
"""

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.metrics import survey
from evalkit.metrics.quantiles import weighted_quantile
from evalkit.metrics.sample import draw


def gini(income, *, confidence=0.95, **design):
    r"""Gini coefficient.

    .. math:: G = \frac{\sum_i \sum_j w_i w_j |y_i - y_j|}{2 N \sum_i w_i y_i}, \quad N = \sum_i w_i

    Unit: index, 0 (all equal) to 1. No small-sample correction (n/(n-1)). Zero incomes count; with negative
    incomes G may exceed 1 and is refused.

    Raises DataError where an income is negative or a group's mean is 0.
    Source: Gini (1914); influence: Deville (1999); Langel and Tillé (2013), JRSS A 176, 521-540.
    """
    drawn = draw(income, **design)
    _refuse(drawn, drawn.values < 0, "the Gini coefficient", "negative")
    value, influence = gini_and_influence(drawn, drawn.weights)
    return survey.estimate(
        drawn, value, influence, method="Gini, linearised", unit="index", bounds=(0, 1), confidence=confidence
    )


def gini_and_influence(sample, weights):
    """Gini coefficient of each group under ``weights`` and its derivative by each observation's weight."""
    group, y = sample.group, sample.values
    order = np.lexsort((y, group))
    size = np.bincount(group, weights=weights, minlength=sample.groups)
    total = np.bincount(group, weights=weights * y, minlength=sample.groups)
    people, money = np.empty(len(y)), np.empty(len(y))
    people[order] = _running(weights[order], group[order], size)
    money[order] = _running((weights * y)[order], group[order], total)
    size, total = size[group], total[group]
    distance = y * (2 * people - size) + total - 2 * money
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.bincount(group, weights=weights * distance / (2 * size * total), minlength=sample.groups)
        mine = value[group]
        influence = distance / (size * total) - mine / size - mine * y / total
    return value, influence


def theil(income, *, confidence=0.95, **design):
    r"""Theil's index T (generalised entropy of parameter 1).

    .. math:: T = \frac1N \sum_i w_i \frac{y_i}{\mu} \ln\frac{y_i}{\mu}

    Unit: index, 0 (all equal) to ln N. A zero income adds 0, its limit; a negative one is refused.

    Raises DataError where an income is negative or a group's mean is 0.
    Source: Theil (1967), Economics and Information Theory, ch. 4.
    """
    drawn = draw(income, **design)
    _refuse(drawn, drawn.values < 0, "Theil's index", "negative")
    y, w, group = drawn.values, drawn.weights, drawn.group
    y_log = y * np.log(np.where(y > 0, y, 1.0))
    size, total, logs = drawn.sum(w), drawn.sum(w * y), drawn.sum(w * y_log)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = logs / total - np.log(total / size)
        influence = (y_log - y * (logs / total)[group] - y) / total[group] + 1 / size[group]
    return _entropy(drawn, value, influence, "Theil T, linearised", confidence)


def mean_log_deviation(income, *, confidence=0.95, **design):
    r"""Mean log deviation (Theil's L, generalised entropy of parameter 0).

    .. math:: L = \ln\mu - \frac1N \sum_i w_i \ln y_i

    Unit: index, 0 (all equal) upwards. Weighs differences among the poor most.

    Raises DataError where an income is zero or negative.
    Source: Theil (1967), Economics and Information Theory, ch. 4; Shorrocks (1980), Econometrica 48, 613-625.
    """
    drawn = draw(income, **design)
    _refuse(drawn, drawn.values <= 0, "the mean log deviation", "zero or negative")
    y, w, group = drawn.values, drawn.weights, drawn.group
    size, total, logs = drawn.sum(w), drawn.sum(w * y), drawn.sum(w * np.log(y))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(total / size) - logs / size
        influence = y / total[group] - (1 + np.log(y) - (logs / size)[group]) / size[group]
    return _entropy(drawn, value, influence, "mean log deviation, linearised", confidence)


def atkinson(income, *, epsilon=0.5, confidence=0.95, **design):
    r"""Atkinson's index of inequality aversion ``epsilon``.

    .. math:: A = 1 - \frac1\mu \Big(\frac1N \sum_i w_i y_i^{1-\varepsilon}\Big)^{1/(1-\varepsilon)}

    and 1 minus the geometric over the arithmetic mean for epsilon 1. Unit: the share of total income that
    could be given up if the rest were shared equally, 0 to 1.

    Raises DataError where epsilon isn't positive, an income is negative, or, from epsilon 1, zero.
    Source: Atkinson (1970), Journal of Economic Theory 2, 244-263.
    """
    if not epsilon > 0:
        raise DataError(f"epsilon={epsilon!r}: must be positive. 0.5, 1 and 2 are usual.")
    drawn = draw(income, **design)
    w, group = drawn.weights, drawn.group
    wrong, fault = (drawn.values < 0, "negative") if epsilon < 1 else (drawn.values <= 0, "zero or negative")
    _refuse(drawn, wrong, f"Atkinson's index of epsilon {epsilon:g}", fault)
    size = drawn.sum(w)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = drawn.values / (drawn.sum(w * drawn.values) / size)[group]
        transformed = np.log(y) if epsilon == 1 else y ** (1 - epsilon)
        average = drawn.sum(w * transformed) / size
        equal = np.exp(average) if epsilon == 1 else average ** (1 / (1 - epsilon))
        slope = equal if epsilon == 1 else equal / average / (1 - epsilon)
        value = np.maximum(1 - equal, 0)
        change = slope[group] * (transformed - average[group]) - equal[group] * (y - 1)
        influence = -change / size[group]
    return survey.estimate(
        drawn,
        value,
        influence,
        method=f"Atkinson {epsilon:g}, linearised",
        unit="proportion",
        bounds=(0, 1),
        log=True,
        confidence=confidence,
    )


def quintile_ratio(income, *, rule="averaged_inverted_cdf", split=True, confidence=0.95, **design):
    r"""Income of the richest fifth over income of the poorest fifth (S80/S20).

    .. math:: \frac{Y - Y_{0.8}}{Y_{0.2}}, \quad Y_p = \sum_i w_i y_i 1(y_i \le q_p) - q_p (F(q_p) - p) N

    q_p: the quantile by ``rule`` (see :func:`evalkit.metrics.quantiles.weighted_quantile`). With ``split``
    the household at the limit is divided so that each fifth holds exactly a fifth of the weight;
    ``split=False`` drops the last term and counts it whole in the lower part.
    Unit: ratio, 1 (all equal) upwards.

    Raises DataError where the poorest fifth of a group has no positive income.
    Source: Langel and Tillé (2011), Journal of Statistical Planning and Inference 141, 2976-2985.
    """
    drawn = draw(income, **design)
    y, w, group = drawn.values, drawn.weights, drawn.group
    size, total = drawn.sum(w), drawn.sum(w * y)
    part, slope = {}, {}
    for p in (0.2, 0.8):
        limit = weighted_quantile(y, w, p, group=group, groups=drawn.groups, rule=rule)
        below = y <= limit[group]
        part[p] = drawn.sum(w * y * below)
        if split:
            part[p] -= limit * (drawn.sum(w * below) - p * size)
        slope[p] = (y - limit[group]) * below + p * limit[group]
    poorest, richest = part[0.2], total - part[0.8]
    if (poorest[drawn.sum(w) > 0] <= 0).any():
        raise DataError(
            "income: the poorest fifth has no positive income, so the quintile ratio isn't defined."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        value = richest / poorest
        influence = (y - slope[0.8] - value[group] * slope[0.2]) / poorest[group]
    return survey.estimate(
        drawn,
        value,
        influence,
        method=f"S80/S20, {rule}, linearised",
        unit="ratio",
        log=True,
        confidence=confidence,
    )


MEASURES = {
    "gini": gini,
    "theil": theil,
    "mean_log_deviation": mean_log_deviation,
    "atkinson": atkinson,
    "quintile_ratio": quintile_ratio,
}


def inequality_by(frame, *, by, income, measures=("gini", "theil"), weights=None, **design):
    """Table of several measures for every group of ``frame`` in one pass, with a column ``indicator``.

    by: columns that name the group (place and year); income, weights, strata and cluster: column names.
    A group without a known income has no row. Errors as the single measures.
    """
    shared = survey.of_columns(frame, by=by, weights=weights, **design)
    tables = [MEASURES[name](frame[income], **shared).assign(indicator=name) for name in measures]
    return pd.concat(tables, ignore_index=True)


def _entropy(drawn, value, influence, method, confidence):
    value = np.maximum(value, 0)  # rounding leaves an equal distribution a little below
    return survey.estimate(
        drawn, value, influence, method=method, unit="index", log=True, confidence=confidence
    )


def _running(values, group, totals):
    """Cumulative sum within each group; groups are contiguous and ``totals`` are their sums."""
    before = np.concatenate([[0.0], np.cumsum(totals)[:-1]])
    return np.cumsum(values) - before[group]


def _refuse(drawn, wrong, measure, fault):
    count = int((wrong & drawn.used).sum())
    if count:
        raise DataError(
            f"income: {count} of {int(drawn.used.sum())} incomes are {fault}, for which {measure} isn't "
            "defined. Leave these households out or bottom-code them, and say so."
        )
    size, total = drawn.sum(drawn.weights), drawn.sum(drawn.weights * drawn.values)
    if ((size > 0) & (total <= 0)).any():
        raise DataError(f"income: the mean is 0 or less, so {measure} isn't defined.")
