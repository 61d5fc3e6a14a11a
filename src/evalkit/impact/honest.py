"""How far trends may diverge before an event study's conclusion changes (Rambachan & Roth 2023).

The bias δ of every period is bounded by what was seen before the start. Relative magnitude: between
consecutive periods after the start the divergence changes by at most M̄ times its largest change before.
Smoothness: its slope changes by at most M from one period to the next.

Relative magnitude: the confidence set is the union, over each period before the start and each sign, of the
sets in which the change there is the largest; each is inverted from the least-favourable hybrid test of
Andrews, Roth & Pakes (2023). The test's linear programme runs over a polyhedron that doesn't depend on the
value tested, so its corners are listed once and each value costs one product of matrices.

Smoothness: the shortest interval of fixed length around an affine estimator.

Sources: Rambachan & Roth (2023), Rev. Econ. Stud. 90; Andrews, Roth & Pakes (2023), Rev. Econ. Stud. 90.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from evalkit.errors import DataError

# Size of the first stage of the hybrid test, as a share of the size of the whole (Rambachan & Roth, section
# 4).
FIRST_STAGE_SHARE = 0.1
# Draws for the least-favourable critical value: its error moves the ends of the interval by less than the
# grid.
LEAST_FAVOURABLE_DRAWS = 20_000
# Values tested between twenty standard errors on both sides, as in the authors' package.
GRID = 1001
GRID_REACH = 20
# Corners: beyond this many the listing takes minutes (ten periods after the start already give 184,756).
MOST_CORNERS = 200_000
# Rounding of linear algebra: weights of a corner below it are zero.
ZERO = 1e-9


@dataclass(frozen=True)
class Moments:
    """Inequalities E[y] ≤ a τ₁ + X τ₋₁: y = A b − d, with the corners of the test's dual programme.

    corners: rows γ ≥ 0 with γ'X = 0 and γ'σ = 1, σ the standard deviations of y.
    """

    y: np.ndarray
    slope: np.ndarray
    covariance: np.ndarray
    corners: np.ndarray


def relative_magnitude(estimates, covariance, before, *, bound, weights=None, alpha=0.05, seed=0):
    """Return the confidence set of ``weights``'τ under relative magnitude ``bound``, as its two ends.

    estimates, covariance: of the coefficients, ``before`` of them before the start, the reference left out.
    weights: of the periods after the start in the effect of interest; the first of them by default.
    """
    after = len(estimates) - before
    weights = np.eye(after)[0] if weights is None else np.asarray(weights, float)
    error = np.sqrt(weights @ covariance[before:, before:] @ weights)
    centre = weights @ estimates[before:]
    normal = np.random.default_rng(seed).standard_normal((LEAST_FAVOURABLE_DRAWS, len(estimates)))
    draws = normal @ np.linalg.cholesky(covariance).T
    tests = []
    for largest in range(before):
        for sign in (1.0, -1.0):
            a = restrictions(before, after, largest, sign, bound)
            tests.append((moments(a, estimates, covariance, before, weights), draws @ a.T))
    accepted = _Union(tests, alpha)
    return accepted.ends(centre, error)


def restrictions(before, after, largest, sign, bound):
    """Return A with A δ ≤ 0: after the start |Δδ| ≤ bound · sign · Δδ at position ``largest`` before it.

    Position j is the change from the j-th to the next coefficient before the start; the last leads to the
    reference, whose δ is zero. Rows on the periods before alone are left out: they hold no parameter.
    """
    changes = np.zeros((before + after, before + after + 1))
    for j in range(before + after):
        changes[j, j], changes[j, j + 1] = -1.0, 1.0
    changes = np.delete(changes, before, axis=1)
    benchmark = bound * sign * changes[largest]
    later = changes[before:]
    return np.vstack([later - benchmark, -later - benchmark])


def moments(a, estimates, covariance, before, weights):
    """Return the Moments of A δ ≤ 0 for the value of weights'τ, the other effects being nuisances."""
    basis = np.vstack([weights, _complement(weights)])
    effects = a[:, before:] @ np.linalg.inv(basis)
    sigma = a @ covariance @ a.T
    corners = list_corners(effects[:, 1:], np.sqrt(np.diag(sigma)))
    return Moments(a @ estimates, effects[:, 0], sigma, corners)


def list_corners(nuisance, deviations):
    """Return the corners of {γ ≥ 0: γ'nuisance = 0, γ'deviations = 1}, one per row."""
    from math import comb

    rows, size = len(deviations), nuisance.shape[1] + 1
    if comb(rows, size) > MOST_CORNERS:
        raise DataError(
            f"event study: {size} periods after the start give {comb(rows, size):,} corners to "
            f"search, more than "
            f"{MOST_CORNERS:,}. Bound a study of fewer periods."
        )
    chosen = np.array(list(combinations(range(rows), size)))
    equations = np.column_stack([deviations, nuisance])[chosen].transpose(0, 2, 1)
    regular = np.abs(np.linalg.det(equations / np.abs(equations).max(axis=(1, 2), keepdims=True))) > ZERO
    chosen, equations = chosen[regular], equations[regular]
    target = np.zeros((len(chosen), size, 1))
    target[:, 0] = 1.0
    solution = np.linalg.solve(equations, target)[..., 0]
    feasible = (solution >= -ZERO * np.abs(solution).max(axis=1, keepdims=True)).all(axis=1)
    corners = np.zeros((int(feasible.sum()), rows))
    np.put_along_axis(corners, chosen[feasible], np.clip(solution[feasible], 0, None), axis=1)
    return np.unique(corners.round(12), axis=0)


def _complement(weights):
    """Return rows that make a basis with ``weights``: the unit rows without the largest weight's."""
    return np.delete(np.eye(len(weights)), np.abs(weights).argmax(), axis=0)


class _Union:
    """The values that at least one of several hybrid tests accepts."""

    def __init__(self, tests, alpha):
        self.alpha, self.kappa = alpha, alpha * FIRST_STAGE_SHARE
        self.tests = [
            (m, float(np.quantile((draws @ m.corners.T).max(axis=1), 1 - self.kappa))) for m, draws in tests
        ]

    def accepts(self, values):
        """Return for each value whether it stays in the set."""
        accepted = np.zeros(len(values), bool)
        for m, critical in self.tests:
            accepted |= self._one(m, critical, values)
        return accepted

    def _one(self, m, critical, values):
        y = m.y[:, None] - np.outer(m.slope, values)
        heights = m.corners @ y
        best = heights.argmax(axis=0)
        accepted = np.zeros(len(values), bool)
        for corner in np.unique(best):
            at = np.flatnonzero(best == corner)
            accepted[at] = heights[corner, at] <= self._limit(m, corner, heights[:, at], critical)
        return accepted

    def _limit(self, m, corner, heights, critical):
        """Return the height up to which each value is accepted, given which corner is the highest."""
        from scipy.stats import truncnorm

        covered = m.corners @ (m.covariance @ m.corners[corner])
        variance = covered[corner]
        if variance < ZERO * (covered.max() or 1.0):
            # A pair of opposite inequalities binds exactly: nothing is random, and the bound is zero.
            return np.full(heights.shape[1], ZERO)
        climb = covered / variance
        rest = heights - np.outer(climb, heights[corner])
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = rest / (1 - climb)[:, None]
        low = np.where((climb < 1 - ZERO)[:, None], crossing, -np.inf).max(axis=0)
        high = np.where((climb > 1 + ZERO)[:, None], crossing, np.inf).min(axis=0)
        high = np.maximum(np.minimum(high, critical), low)
        size = (self.alpha - self.kappa) / (1 - self.kappa)
        deviation = np.sqrt(variance)
        with np.errstate(invalid="ignore"):
            limit = truncnorm.ppf(1 - size, low / deviation, high / deviation) * deviation
        return np.minimum(np.maximum(np.nan_to_num(limit, nan=0.0), 0.0), critical)

    def ends(self, centre, error):
        """Return the ends of the set: a grid finds the outermost accepted values, bisection refines them."""
        values = np.linspace(-GRID_REACH * error, GRID_REACH * error, GRID) + centre
        accepted = self.accepts(values)
        if not accepted.any():
            return np.nan, np.nan
        first, last = np.flatnonzero(accepted)[[0, -1]]
        if first == 0 or last == len(values) - 1:
            return (-np.inf if first == 0 else values[first]), (
                np.inf if last == len(values) - 1 else values[last]
            )
        return self._refine(values[first], values[first - 1]), self._refine(values[last], values[last + 1])

    def _refine(self, inside, outside):
        for _ in range(30):
            middle = (inside + outside) / 2
            if self.accepts(np.array([middle]))[0]:
                inside = middle
            else:
                outside = middle
        return float(inside)


def smoothness(estimates, covariance, distance, *, bound, weights=None, alpha=0.05):
    """Return the shortest fixed-length interval of ``weights``'τ when the bias bends by at most ``bound``.

    distance: of each coefficient's period from the reference, negative before it, in whole periods. The
    estimator adds to the effect of interest the combination w of earlier coefficients that cancels any linear
    divergence and minimises the half-length

    .. math:: s(w) \\, cv_\\alpha(b(w) / s(w))

    with s its standard deviation, b the largest bias, and cv the 1 − α quantile of |N(t, 1)|. It is convex
    in w.
    """
    from scipy.optimize import LinearConstraint, minimize
    from scipy.stats import foldnorm

    distance = np.asarray(distance, float)
    before = int((distance < 0).sum())
    interest = np.zeros(len(distance))
    interest[before:] = np.eye(len(distance) - before)[0] if weights is None else weights
    bends = bend_loadings(distance)

    def parts(w):
        full = interest.copy()
        full[:before] = w
        return full, np.sqrt(full @ covariance @ full)

    def half_length(x):
        spread = parts(x[:before])[1]
        return spread * foldnorm.ppf(1 - alpha, bound * x[before:].sum() / spread)

    width = bends.shape[1]
    one = np.eye(width)
    lined_up = LinearConstraint(
        np.r_[distance[:before], np.zeros(width)][None], -interest @ distance, -interest @ distance
    )
    above = LinearConstraint(np.hstack([-bends[:before].T, one]), bends.T @ interest, np.inf)
    below = LinearConstraint(np.hstack([bends[:before].T, one]), -bends.T @ interest, np.inf)
    scale = np.sqrt(interest @ covariance @ interest)
    best = None
    for start in starting_weights(distance, before, interest, covariance):
        full = parts(start)[0]
        x = np.r_[start, np.abs(bends.T @ full)]
        found = minimize(
            lambda x: half_length(x) / scale,
            x,
            method="SLSQP",
            constraints=[lined_up, above, below],
            options={"maxiter": 1000, "ftol": 1e-12},
        )
        if best is None or found.fun < best.fun:
            best = found
    full, spread = parts(best.x[:before])
    worst = bound * np.abs(bends.T @ full).sum()
    centre, reach = full @ estimates, spread * foldnorm.ppf(1 - alpha, worst / spread)
    return float(centre - reach), float(centre + reach)


def bend_loadings(distance):
    """Return how each period's bias loads on each change of slope, given no linear divergence.

    With e_k the change of slope at k periods from the reference, the bias at j > 0 is Σ (j − k) e_k over
    0 < k < j, and at −j it is Σ (j − k) e_{−k} over 0 ≤ k < j.
    """
    if (distance != np.round(distance)).any():
        raise DataError(
            "event study: periods are not whole steps apart, so a change of slope has no meaning here."
        )
    places = np.arange(distance.min() + 1, max(distance.max(), 1))
    ahead = (distance[:, None] > 0) & (places > 0)
    behind = (distance[:, None] < 0) & (places <= 0)
    gap = np.abs(distance)[:, None] - np.abs(places)
    return np.where(ahead | behind, np.maximum(gap, 0), 0.0)


def starting_weights(distance, before, interest, covariance):
    """Return two combinations that cancel a linear divergence: the nearest period alone, least variance."""
    need = -interest @ distance
    nearest = np.zeros(before)
    nearest[np.abs(distance[:before]).argmin()] = need / distance[:before][np.abs(distance[:before]).argmin()]
    v = covariance[:before, :before]
    system = np.block([[2 * v, distance[:before, None]], [distance[None, :before], np.zeros((1, 1))]])
    right = np.r_[-2 * covariance[:before] @ interest, need]
    return nearest, np.linalg.solve(system, right)[:before]
