"""Measures of poverty: income against a line, several deprivations at once, and moves in and out.

A line is one number or one per household (area, year and standard differ); law and dates are reference data,
not here. Income and line must be on one basis: real or in the year's prices, and both per month or both per
year. Statements on persons take household weights times household size.

Arguments that all measures share (``design``): weights, strata, cluster, fpc, single_psu, by and the faults
raised are those of :func:`evalkit.metrics.sample.draw`. With ``by`` the result is a table, one row per group
that has a known value. Missing incomes are left out and counted, never read as zero or as not poor.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.metrics import survey
from evalkit.metrics.estimate import Estimate
from evalkit.metrics.inequality import gini_and_influence
from evalkit.metrics.quantiles import weighted_quantile
from evalkit.metrics.sample import draw, numbers, same_length, same_rows


def fgt(income, line, *, alpha, inclusive=False, confidence=0.95, **design):
    r"""Foster-Greer-Thorbecke measure: headcount (alpha 0), gap (1), severity (2).

    .. math:: P_\alpha = \frac1N \sum_{i:\, y_i < z_i} w_i \Big(\frac{z_i - y_i}{z_i}\Big)^\alpha

    inclusive: count an income equal to the line as poor, as Vietnamese standards do ("từ ... trở xuống");
    the textbook's line is strict. Unit: proportion, 0 to 1. Interval: headcount Wilson on the effective
    sample size, otherwise t on the log scale, cut at 1; where no poor household was seen, up to the
    headcount's upper bound, which holds because no gap exceeds 1. Zero incomes are valid. A negative income
    has a gap above 1; it counts as it is, and a warning says so.

    Raises DataError where alpha is negative, a line isn't positive and finite, or line and income are pandas
    columns of differently labelled rows.
    Source: Foster, Greer and Thorbecke (1984), Econometrica 52, 761-766.
    """
    if not 0 <= alpha < np.inf:
        raise DataError(f"alpha={alpha!r}: must be 0 (headcount), 1 (gap), 2 (severity) or another power.")
    drawn, line, poor = _against_line(income, line, inclusive, design)
    method = f"FGT({alpha:g}), {'weak' if inclusive else 'strict'} line"
    if alpha == 0:
        return survey.proportion_of(drawn, poor, method=method, confidence=confidence)
    gap = np.where(poor, 1 - drawn.values / line, 0.0) ** alpha
    value, influence = survey.mean_and_influence(drawn, gap)
    negative = int((drawn.used & (drawn.values < 0)).sum())
    ceiling = np.inf if negative else 1
    result = _shortfall(drawn, value, influence, f"{method}, linearised", "proportion", ceiling, confidence)
    return _noting(result, negative, "negative incomes: their gap exceeds 1")


def fgt_by(frame, line, *, by, income, alphas=(0, 1, 2), weights=None, inclusive=False, **design):
    """Table of FGT measures for every group of ``frame`` in one pass, with a column ``alpha``.

    by: columns that name the group (place and year); income, weights and, in ``design``, strata, cluster and
    fpc: column names; line: one number or one per row. A stratum of one sampling unit leaves the standard
    error of its group unknown instead of failing the table. Errors as :func:`fgt`.
    """
    shared = survey.of_columns(frame, by=by, weights=weights, **design)
    tables = [
        fgt(frame[income], line, alpha=alpha, inclusive=inclusive, **shared).assign(alpha=alpha)
        for alpha in alphas
    ]
    return pd.concat(tables, ignore_index=True)


def watts(income, line, *, inclusive=False, confidence=0.95, **design):
    r"""Watts index: mean proportionate shortfall of income from the line.

    .. math:: W = \frac1N \sum_{i:\, y_i < z_i} w_i \ln(z_i / y_i)

    Unit: index, 0 upwards; divided by a growth rate it is the mean time to exit. Interval: t on the log
    scale; where no poor household was seen its upper end is unknown (NaN).

    Raises DataError where an income is zero or negative (no logarithm) or a line isn't positive.
    Source: Watts (1968), in Moynihan (ed.), On Understanding Poverty; Zheng (1993), Economics Letters 42.
    """
    drawn, line, poor = _against_line(income, line, inclusive, design)
    wrong = int((drawn.used & (drawn.values <= 0)).sum())
    if wrong:
        raise DataError(
            f"income: {wrong} incomes are zero or negative, for which the Watts index isn't defined. "
            "Leave these households out or bottom-code them, and say so."
        )
    value, influence = survey.mean_and_influence(drawn, np.where(poor, np.log(line / drawn.values), 0.0))
    return _shortfall(drawn, value, influence, "Watts, linearised", "index", np.inf, confidence)


def sen(income, line, *, inclusive=False, confidence=0.95, **design):
    r"""Sen's index in its form that replication of the population leaves unchanged.

    .. math:: S = H\,[I + (1 - I)\, G_p]

    H: headcount, I: mean gap of the poor, G_p: Gini coefficient among the poor. Sen's own small-population
    form has G_p q/(q+1) for q poor. Unit: index, 0 to 1, and 0 where nobody is poor. Interval: as for
    :func:`fgt`.

    Raises DataError where an income is negative or a line isn't positive.
    Source: Sen (1976), Econometrica 44, 219-231.
    """
    drawn, line, poor = _against_line(income, line, inclusive, design)
    if (drawn.used & (drawn.values < 0)).any():
        raise DataError(
            "income: negative incomes, for which Sen's index isn't defined. Bottom-code them at 0."
        )
    headcount, of_headcount = survey.mean_and_influence(drawn, poor.astype(float))
    gap, of_gap = survey.mean_and_influence(drawn, np.where(poor, 1 - drawn.values / line, 0.0))
    among_poor, of_gini = gini_and_influence(drawn, drawn.weights * poor)
    among_poor = np.nan_to_num(among_poor)  # nobody poor, or all the poor without income: I is then 1
    mine = drawn.group
    value = gap + (headcount - gap) * among_poor
    influence = of_gap + (of_headcount - of_gap) * among_poor[mine]
    influence += (headcount - gap)[mine] * np.where(poor, np.nan_to_num(of_gini), 0.0)
    return _shortfall(drawn, value, influence, "Sen, linearised", "index", 1, confidence)


def at_risk_rate(income, *, share=0.6, rule="averaged_inverted_cdf", confidence=0.95, **design):
    r"""At-risk-of-poverty rate: the share of incomes below ``share`` of the median (a relative line).

    .. math:: \hat p = F(z), \quad z = \text{share} \cdot q_{0.5}

    rule: how the weighted median is taken (:func:`evalkit.metrics.quantiles.weighted_quantile`). The line is
    estimated too, so the linearisation has the densities of income at line and median, by a Gaussian kernel
    of Silverman's bandwidth. Unit: proportion. Interval: Wilson on the effective sample size.

    Raises DataError where share doesn't lie between 0 and 1 or a group's median isn't positive.
    Source: Eurostat's at-risk-of-poverty rate; Deville (1999), Survey Methodology 25, 193-203.
    """
    if not 0 < share <= 1:
        raise DataError(f"share={share!r}: the line must be a share of the median, 0 to 1. 0.6 is usual.")
    drawn = draw(income, **design)
    y, w, mine = drawn.values, drawn.weights, drawn.group
    median = weighted_quantile(y, w, 0.5, group=mine, groups=drawn.groups, rule=rule)
    if (median <= 0).any():
        raise DataError(
            f"income: a median of {np.nanmin(median):g}, so no line can be a share of it. Are incomes of 0 "
            "unknown ones?"
        )
    line = share * median
    value, influence = survey.mean_and_influence(drawn, (y < line[mine]).astype(float))
    _, of_median = survey.mean_and_influence(drawn, (y <= median[mine]).astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = share * _density(drawn, line) / _density(drawn, median)
        influence = influence - np.nan_to_num(slope)[mine] * of_median
    found = survey.precision(drawn, value, influence)
    interval = survey.share_interval(value, found, confidence)
    method = f"share below {share:g} of the median, linearised; Wilson interval"
    return survey.present(drawn, value, found, interval, method, "proportion", confidence)


@dataclass(frozen=True)
class MultidimensionalPoverty:
    """Result of :func:`alkire_foster`: Estimates H, A and M0 (tables where ``by`` was given), and a table by
    dimension with its headcounts and contribution to M0."""

    H: Estimate | pd.DataFrame
    A: Estimate | pd.DataFrame
    M0: Estimate | pd.DataFrame
    by_dimension: pd.DataFrame


def alkire_foster(deprivations, dimension_weights, k, *, confidence=0.95, **design):
    r"""Multidimensional poverty by dual cut-off: headcount H, intensity A and adjusted headcount M0 = H A.

    .. math:: c_i = \sum_d v_d g_{id}, \quad H = \frac1N \sum_i w_i 1(c_i \ge k), \quad
              M_0 = \frac{1}{N V} \sum_i w_i c_i 1(c_i \ge k), \quad V = \sum_d v_d

    deprivations: households by dimensions, 1 deprived, 0 not, NaN unknown (the household is left out).
    dimension_weights: v_d, or None for 1 each; a Series or dict is read by the names of the dimensions. k: the poverty cut-off on the scale of the weighted count, so
    3 for "at least three of ten". by_dimension has one row per dimension (and group): uncensored headcount
    (all the deprived), censored headcount (the deprived who are poor) with its interval, and contribution,
    the dimension's share of M0. Unit: proportions. Intervals: H and headcounts Wilson, A t, M0 as for
    :func:`fgt`.

    Raises DataError where a deprivation is other than 0, 1 or missing, a weight isn't positive or names
    another dimension, or k lies outside 0 to V.
    Source: Alkire and Foster (2011), Journal of Public Economics 95, 476-487.
    """
    table = pd.DataFrame(deprivations)
    if not len(table.columns):
        raise DataError("deprivations: no column. Give one for each dimension.")
    same_rows(deprivations=deprivations, **survey.paired(design))
    g = np.column_stack([survey.events(column, str(name)) for name, column in table.items()])
    v = _dimension_weights(dimension_weights, table.columns)
    if not 0 < k <= v.sum() + 1e-9:
        raise DataError(f"k={k!r}: must lie above 0 and up to the sum of the weights, {v.sum():g}.")
    drawn = draw(g @ v, **design)
    poor = drawn.used & (drawn.values >= k - 1e-9)
    censored = np.where(poor, drawn.values / v.sum(), 0.0)
    headcount = survey.proportion_of(drawn, poor, method="Alkire-Foster H", confidence=confidence)
    m0, of_m0 = survey.mean_and_influence(drawn, censored)
    h, of_h = survey.mean_and_influence(drawn, poor.astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        intensity = m0 / h
        of_intensity = (of_m0 - intensity[drawn.group] * of_h) / h[drawn.group]
    return MultidimensionalPoverty(
        H=headcount,
        A=survey.estimate(
            drawn,
            intensity,
            of_intensity,
            method="Alkire-Foster A, linearised",
            unit="proportion",
            bounds=(0, 1),
            confidence=confidence,
        ),
        M0=_shortfall(drawn, m0, of_m0, "Alkire-Foster M0, linearised", "proportion", 1, confidence),
        by_dimension=_by_dimension(drawn, table.columns, g, v, poor, m0, confidence),
    )


def exit_rate(poor_before, poor_after, *, confidence=0.95, **design):
    r"""Share of the households poor before that aren't poor after.

    .. math:: \hat p = x / n

    n: households poor before whose later state is known; x: those not poor after. Both states must rest on
    one standard. Unit: proportion. Interval: Wilson. Describes; says nothing of cause.
    """
    before, after = _states(design, poor_before=poor_before, poor_after=poor_after)
    return survey.proportion(
        np.where(before == 1, 1 - after, np.nan), method="exit rate", confidence=confidence, **design
    )


def entry_rate(poor_before, poor_after, *, confidence=0.95, **design):
    """Share of the households not poor before that are poor after; see :func:`exit_rate`."""
    before, after = _states(design, poor_before=poor_before, poor_after=poor_after)
    return survey.proportion(
        np.where(before == 0, after, np.nan), method="entry rate", confidence=confidence, **design
    )


def fall_back_rate(poor_first, poor_second, poor_third, *, confidence=0.95, **design):
    """Share of the households that left poverty between the first two counts and are poor again in the third;
    see :func:`exit_rate`."""
    first, second, third = _states(
        design, poor_first=poor_first, poor_second=poor_second, poor_third=poor_third
    )
    left = (first == 1) & (second == 0)
    return survey.proportion(
        np.where(left, third, np.nan), method="fall-back rate", confidence=confidence, **design
    )


def _states(design, **columns):
    """The same households' states at several counts, 0 or 1 each."""
    same_rows(**columns, **survey.paired(design))
    states = {name: survey.events(column, name) for name, column in columns.items()}
    same_length(len(next(iter(states.values()))), **states)
    return states.values()


def _dimension_weights(weights, names):
    if weights is None:
        return np.ones(len(names))
    if isinstance(weights, dict | pd.Series):
        weights = pd.Series(weights)
        if set(weights.index) != set(names) or len(weights) != len(names):
            raise DataError(
                f"dimension_weights: of {', '.join(map(str, weights.index))}; the dimensions are "
                f"{', '.join(map(str, names))}. Give one positive weight for each, by its name."
            )
        weights = weights[list(names)]
    found = numbers(weights, "dimension_weights")
    if len(found) != len(names) or not ((found > 0) & (found < np.inf)).all():
        raise DataError(f"dimension_weights: {found.tolist()}. Give one positive weight for each dimension.")
    return found


def _against_line(income, line, inclusive, design):
    same_rows(income=income, line=line, **survey.paired(design))
    income, line = numbers(income, "income"), numbers(np.atleast_1d(line), "line")
    if len(line) not in (1, len(income)):
        raise DataError(
            f"line: {len(line)} entries for {len(income)} incomes. Give one number or one for each."
        )
    line = np.broadcast_to(line, len(income))
    wrong = (line <= 0) | np.isinf(line)
    if wrong.any():
        raise DataError(
            f"line, position {int(np.argmax(wrong))}: {line[wrong][0]:g}. A line is positive and finite."
        )
    drawn = draw(np.where(np.isnan(line), np.nan, income), **design)
    below = drawn.values <= line if inclusive else drawn.values < line
    return drawn, line, drawn.used & below


def _shortfall(drawn, value, influence, method, unit, ceiling, confidence):
    """A measure that is 0 where nobody poor was seen and, below a ceiling of 1, at most the headcount."""
    found = survey.precision(drawn, value, influence)
    lower, upper = survey.t_interval(value, found, confidence, log=True)
    _, at_most = survey.share_interval(np.where(value == 0, 0.0, np.nan), found, confidence)
    upper = np.where(value == 0, at_most if ceiling == 1 else np.nan, np.minimum(upper, ceiling))
    method = f"{method}; t interval on the log scale"
    return survey.present(drawn, value, found, (lower, upper), method, unit, confidence)


def _noting(result, count, note):
    if not count or isinstance(result, pd.DataFrame):
        return result
    return replace(result, warnings=(*result.warnings, f"{count} {note}"))


def _density(drawn, at):
    """Gaussian kernel density of each group's incomes at one point per group, Silverman's bandwidth."""
    y, w, mine, groups = drawn.values, drawn.weights, drawn.group, drawn.groups
    mean, _ = survey.mean_and_influence(drawn, y)
    spread, _ = survey.mean_and_influence(drawn, (y - mean[mine]) ** 2)
    upper, lower = (weighted_quantile(y, w, q, group=mine, groups=groups) for q in (0.75, 0.25))
    width = 0.9 * np.fmin(np.sqrt(spread), (upper - lower) / 1.34) * drawn.sum(drawn.used) ** -0.2
    kernel = np.exp(-0.5 * ((at[mine] - y) / width[mine]) ** 2) / np.sqrt(2 * np.pi) / width[mine]
    return drawn.sum(w * kernel) / drawn.sum(w)


def _by_dimension(drawn, names, g, v, poor, m0, confidence):
    one_row = replace(drawn, labels=pd.DataFrame(index=[0])) if drawn.labels is None else drawn
    known = drawn.sum(drawn.used) > 0
    rows = []
    for name, deprived, weight in zip(names, g.T, v, strict=True):
        row = survey.proportion_of(
            one_row, poor & (deprived == 1), method="censored headcount", confidence=confidence
        )
        uncensored, _ = survey.mean_and_influence(drawn, np.where(drawn.used, deprived, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            contribution = weight / v.sum() * row.estimate.to_numpy() / m0[known]
        rows.append(
            row.assign(dimension=name, weight=weight, uncensored=uncensored[known], contribution=contribution)
        )
    return pd.concat(rows, ignore_index=True).rename(columns={"estimate": "censored"})
