"""Weighted quantiles of many groups at once, with the rule named."""

import numpy as np

from evalkit.errors import DataError

RULES = ("inverted_cdf", "averaged_inverted_cdf")


def weighted_quantile(values, weights, q, *, group=None, groups=1, rule="averaged_inverted_cdf"):
    """Weighted quantile of each group, an array of length ``groups`` (NaN where a group has no weight).

    q: share of the weight at or below, one number or one per group. rule, in numpy's names: "inverted_cdf" is
    the smallest value at which the cumulative weight reaches q (R's type 1); "averaged_inverted_cdf" takes
    the mean with the next value where it reaches q exactly (R's type 2, Eurostat's). Both give the same for
    a weight of 2 as for the observation twice; rules that interpolate by rank don't, and are taken only
    where all weights are equal: any other name that numpy.quantile knows, such as "linear" (R's type 7).

    Source: Hyndman and Fan (1996), The American Statistician 50, 361-365.
    """
    values, weights = np.asarray(values, float), np.asarray(weights, float)
    group = np.zeros(len(values), int) if group is None else group
    kept = weights > 0
    values, weights, group = values[kept], weights[kept], group[kept]
    order = np.lexsort((values, group))
    values, weights, group = values[order], weights[order], group[order]
    if rule not in RULES:
        return _by_rank(values, weights, group, groups, q, rule)

    size = np.bincount(group, weights=weights, minlength=groups)
    last = np.cumsum(np.bincount(group, minlength=groups)) - 1
    first = np.concatenate([[0], last[:-1] + 1])
    start = np.concatenate([[0.0], np.cumsum(size)[:-1]])
    cumulated = np.concatenate([np.cumsum(weights), [np.inf]])
    target = start + np.asarray(q, float) * size
    slack = 1e-12 * np.cumsum(size)
    at = np.searchsorted(cumulated, target - slack)
    at = np.clip(at, first, np.maximum(last, first))
    padded = np.append(values, np.nan)
    found = padded[np.minimum(at, len(values))]
    if rule == "averaged_inverted_cdf":
        reached = np.abs(cumulated[np.minimum(at, len(values))] - target) <= slack
        following = padded[np.clip(at + 1, first, np.maximum(last, first))]
        found = np.where(reached & (np.asarray(q) > 0), (found + following) / 2, found)
    return np.where(size > 0, found, np.nan)


def _by_rank(values, weights, group, groups, q, rule):
    if len(weights) and not np.allclose(weights, weights[0]):
        raise DataError(f"rule={rule!r}: not defined for unequal weights. Choose one of {', '.join(RULES)}.")
    limits = np.searchsorted(group, np.arange(groups + 1))
    q = np.broadcast_to(q, groups)
    parts = [(values[a:b], share) for a, b, share in zip(limits[:-1], limits[1:], q, strict=True)]
    return np.array([np.quantile(part, share, method=rule) if len(part) else np.nan for part, share in parts])
