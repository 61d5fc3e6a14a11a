"""Intervals for counts, and arithmetic on figures known only between two bounds.

Every function works on numbers or arrays of any one shape and returns ``(lower, upper)``. A place-year
without a denominator, or with a missing count, has the interval (nan, nan): missing is never zero.

On a full count (every household of a commune is listed) such an interval isn't sampling error. It says how
far the figure could have come out otherwise if the same underlying rate had been at work in another year.
"""

import numpy as np
from scipy import special

from evalkit.errors import DataError
from evalkit.metrics.estimate import check_confidence


def wilson(x, n, *, confidence=0.95):
    r"""Wilson score interval of the proportion ``x / n``.

    .. math:: \frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

    x: events, n: those at risk, both counts. Unit: proportion, 0 to 1. The mean coverage is close to
    ``confidence``; single values of p may lie a little below it, unlike with :func:`clopper_pearson`.

    Raises DataError where a count is negative or x exceeds n.
    Source: Wilson (1927), JASA 22; Newcombe (1998), Statistics in Medicine 17, 857-872, method 3.
    """
    x, n = _proportion_counts(x, n)
    z = _normal_quantile(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
        centre = p + z**2 / (2 * n)
        half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        scale = 1 + z**2 / n
        lower = np.where(x == 0, 0.0, (centre - half) / scale)
        upper = np.where(x == n, 1.0, (centre + half) / scale)
    return _known(np.isfinite(p), lower, upper)


def clopper_pearson(x, n, *, confidence=0.95):
    r"""Exact (Clopper-Pearson) interval of the proportion ``x / n``.

    .. math:: \left[B_{\alpha/2}(x,\, n-x+1),\; B_{1-\alpha/2}(x+1,\, n-x)\right]

    B: quantile of the beta distribution. Unit: proportion, 0 to 1. Coverage is at least ``confidence`` for
    every p, so the interval is wider than :func:`wilson`.

    Raises DataError where a count is negative or x exceeds n.
    Source: Clopper and Pearson (1934), Biometrika 26, 404-413.
    """
    x, n = _proportion_counts(x, n)
    tail = (1 - fraction(confidence)) / 2
    lower = np.where(x == 0, 0.0, special.betaincinv(np.where(x == 0, 1, x), n - x + 1, tail))
    upper = np.where(x == n, 1.0, special.betaincinv(x + 1, np.where(x == n, 1, n - x), 1 - tail))
    return _known((n > 0) & np.isfinite(x), lower, upper)


def poisson(count, exposure=1.0, *, confidence=0.95):
    r"""Exact (Garwood) interval of the rate ``count / exposure``.

    .. math:: \left[\chi^2_{\alpha/2,\,2x},\; \chi^2_{1-\alpha/2,\,2x+2}\right] / (2 \cdot \text{exposure})

    Unit: events per unit of exposure; with the default exposure, the expected count itself.

    Raises DataError where a count or an exposure is negative.
    Source: Garwood (1936), Biometrika 28, 437-442.
    """
    count, exposure = np.broadcast_arrays(_counts(count, "count"), _counts(exposure, "exposure"))
    tail = (1 - fraction(confidence)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.where(count == 0, 0.0, special.gammaincinv(count, tail)) / exposure
        upper = special.gammaincinv(count + 1, 1 - tail) / exposure
    return _known((exposure > 0) & np.isfinite(count), lower, upper)


def newcombe_difference(x1, n1, x2, n2, *, confidence=0.95):
    r"""Interval of the difference ``x1/n1 - x2/n2`` of two independent proportions, from Wilson's limits.

    .. math:: \hat p_1 - \hat p_2 - \sqrt{(\hat p_1 - l_1)^2 + (u_2 - \hat p_2)^2},\quad
              \hat p_1 - \hat p_2 + \sqrt{(u_1 - \hat p_1)^2 + (\hat p_2 - l_2)^2}

    Unit: difference of proportions, -1 to 1.

    Raises DataError where a count is negative or x exceeds n.
    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    lower1, upper1 = wilson(x1, n1, confidence=confidence)
    lower2, upper2 = wilson(x2, n2, confidence=confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p2 = np.divide(x1, n1, dtype=float), np.divide(x2, n2, dtype=float)
    difference = p1 - p2
    return (
        difference - np.hypot(p1 - lower1, upper2 - p2),
        difference + np.hypot(upper1 - p1, p2 - lower2),
    )


def add_bounds(a_lower, a_upper, b_lower, b_upper):
    """Bounds of a + b, each known only to lie within its own bounds (inf allowed)."""
    return np.add(a_lower, b_lower, dtype=float), np.add(a_upper, b_upper, dtype=float)


def subtract_bounds(a_lower, a_upper, b_lower, b_upper):
    """Bounds of a - b, each known only to lie within its own bounds (inf allowed)."""
    return np.subtract(a_lower, b_upper, dtype=float), np.subtract(a_upper, b_lower, dtype=float)


def multiply_bounds(a_lower, a_upper, b_lower, b_upper):
    """Bounds of a * b, each known only to lie within its own bounds (inf allowed; 0 * inf counts as 0)."""
    corners = np.broadcast_arrays(*(_times(a, b) for a in (a_lower, a_upper) for b in (b_lower, b_upper)))
    return np.min(corners, axis=0), np.max(corners, axis=0)


def divide_bounds(num_lower, num_upper, den_lower, den_upper):
    """Bounds of numerator / denominator, each known only to lie within its own bounds.

    "Over 26.5 billion" over "nearly 620 borrowers" is ``divide_bounds(26.5e9, inf, 0, 620)``: from
    42.7 million to inf. A denominator that may be of either sign gives (-inf, inf); one known to be 0,
    or a missing bound, gives nan.
    """
    den_lower, den_upper = np.broadcast_arrays(np.asarray(den_lower, float), np.asarray(den_upper, float))
    with np.errstate(divide="ignore"):
        inverse_lower = np.where(den_upper == 0, -np.inf, 1 / den_upper)
        inverse_upper = np.where(den_lower == 0, np.inf, 1 / den_lower)
    lower, upper = multiply_bounds(num_lower, num_upper, inverse_lower, inverse_upper)
    either_sign = (den_lower < 0) & (den_upper > 0) & ~np.isnan(lower)
    lower, upper = np.where(either_sign, -np.inf, lower), np.where(either_sign, np.inf, upper)
    return _known((den_lower != 0) | (den_upper != 0), lower, upper)


def _times(a, b):
    with np.errstate(invalid="ignore"):
        product = np.multiply(a, b, dtype=float)
    zero_times_inf = (np.equal(a, 0) & np.isinf(b)) | (np.isinf(a) & np.equal(b, 0))
    return np.where(zero_times_inf, 0.0, product)


def _known(known, lower, upper):
    lower, upper = np.where(known, lower, np.nan), np.where(known, upper, np.nan)
    return (lower, upper) if lower.ndim else (float(lower), float(upper))


def fraction(confidence):
    """Return confidence. Raises ParameterError where it is no share between 0 and 1."""
    check_confidence(confidence)
    return confidence


def _normal_quantile(confidence):
    return special.ndtri((1 + fraction(confidence)) / 2)


def _counts(values, name):
    values = np.asarray(values, float)
    if (values < 0).any():
        position = int(np.argmax(np.ravel(values < 0)))
        raise DataError(
            f"{name}, position {position}: {np.ravel(values)[position]:g} is negative. Mend the count."
        )
    return values


def _proportion_counts(x, n):
    x, n = np.broadcast_arrays(_counts(x, "x"), _counts(n, "n"))
    if (x > n).any():
        position = int(np.argmax(np.ravel(x > n)))
        raise DataError(
            f"x, position {position}: {np.ravel(x)[position]:g} events among {np.ravel(n)[position]:g} at "
            "risk. The numerator of a proportion must not exceed its denominator; check which count is which."
        )
    return x, n
