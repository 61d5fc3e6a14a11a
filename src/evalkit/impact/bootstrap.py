"""The wild cluster bootstrap with the null imposed, for few clusters, and its interval by inversion.

With the regressor (or its one instrument) z cleaned of all else, u(r) = M(y − r d) are the residuals under
the null that the coefficient of d is r. A draw flips or rescales them by one weight v per cluster. The
studentised score of a draw needs only sums by cluster, and each of these is linear in r:

.. math:: t^*(r) = \\frac{\\sum_g v_g z_g'u_g}{\\sqrt{\\sum_g (z_g'\\hat u^*_g)^2}}

so ten thousand draws cost one product of a G-row matrix, and the p-value at another r next to nothing.
With an instrument this is the bootstrapped Anderson–Rubin test, valid however weak the instrument is.

Sources: Cameron, Gelbach & Miller (2008), Rev. Econ. Stat. 90; MacKinnon (2023), Econometrics and Statistics;
Webb (2023), Canadian J. Econ. 56 (six-point weights); Davidson & MacKinnon (2010), JBES 28.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from evalkit.errors import DataError, ParameterError
from evalkit.impact.frames import check_draws
from evalkit.impact.regression import absorb_effects

# Draws that tie with the sample (its own signs, and their mirror image) must count as ties whatever the order
# of summation was.
TIE = 1e-9
# A bound of the interval is found to this share of the standard error.
BOUND_TOLERANCE = 1e-8
# Draws handled at once: a block of 4,096 stays in the processor's cache for a few hundred clusters.
BLOCK = 4096
# Absorbed effects across clusters are written out as indicators; beyond this many the matrix no longer fits.
MOST_CROSSED_EFFECTS = 3000
WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])


@dataclass(frozen=True)
class Scores:
    """Pieces of t*(r) by draw, the sample first: numerator n0 − r n1, its square's d0 − 2 r d1 + r² d2."""

    pieces: np.ndarray  # (5, draws + 1)
    enumerated: bool
    kind: str

    def t(self, null):
        """Return the studentised scores of all draws under the null; the first is the sample's."""
        n0, n1, d0, d1, d2 = self.pieces
        squared = np.maximum(d0 - 2 * null * d1 + null**2 * d2, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num((n0 - null * n1) / np.sqrt(squared), nan=0.0, posinf=np.inf, neginf=-np.inf)

    def p_value(self, null=0.0):
        """Return the share of draws, the sample among them, at least as far from zero as the sample."""
        t = np.abs(self.t(null))
        return float((t >= t[0] * (1 - TIE)).mean())


def cluster_weights(clusters, draws, kind, rng):
    """Return weights (clusters, draws), the sample's ones first, and whether they are all the patterns."""
    if kind == "auto":
        kind = "rademacher"
    if kind not in ("rademacher", "webb"):
        raise ParameterError(
            f"weights {kind!r}: no such bootstrap weights. Use 'auto', 'rademacher' or 'webb'."
        )
    if kind == "rademacher" and 2**clusters <= draws + 1:
        return sign_patterns(clusters), True, kind
    points = np.array([-1.0, 1.0]) if kind == "rademacher" else WEBB
    drawn = points[rng.integers(0, len(points), size=(clusters, draws))]
    return np.column_stack([np.ones(clusters), drawn]), False, kind


@cache
def sign_patterns(clusters):
    """Return the sign patterns (clusters, 2^(clusters − 1)), all ones first.

    A pattern and its mirror image give the same |t|, so one of each pair stands for both.
    """
    patterns = 1.0 - 2.0 * (np.arange(2 ** (clusters - 1)) >> np.arange(clusters)[:, None] & 1)
    patterns.flags.writeable = False
    return patterns


def crossed_indicators(design):
    """Return the effects that cross clusters as indicators, and the codes of those within them."""
    nested, crossed = [], []
    for codes in design.absorbed.T:
        within = np.zeros(codes.max() + 1, int)
        within[codes] = design.clusters
        (nested if (within[codes] == design.clusters).all() else crossed).append(codes)
    width = sum(int(codes.max()) + 1 for codes in crossed)
    if width > MOST_CROSSED_EFFECTS:
        raise DataError(
            f"panel: {width} absorbed effects cross the clusters, more than the "
            f"{MOST_CROSSED_EFFECTS} that the wild "
            "bootstrap can write out. Cluster at their level, or absorb coarser effects."
        )
    dummies = [np.eye(int(codes.max()) + 1)[codes] for codes in crossed]
    nested = np.column_stack(nested) if nested else np.empty((len(design.y), 0), int)
    return (np.column_stack(dummies) if dummies else np.empty((len(design.y), 0))), nested


def scores(design, *, draws=9999, kind="auto", rng=None):
    """Return the bootstrap Scores of the first regressor of a Design with one-way clusters.

    The first column of x is tested. Where the design has an instrument (one only), the test is of the
    Anderson–Rubin kind. rng: numpy Generator or seed.
    """
    check_draws(draws)
    if design.clusters is None or design.clusters.ndim > 1:
        raise ParameterError(
            "cluster: the wild bootstrap needs clusters of one kind. Name one cluster column."
        )
    if design.z is not None and design.z.shape[1] != 1:
        raise ParameterError(
            "instruments: the wild bootstrap takes one instrument. Name one, or set wild=False."
        )
    count, groups = design.cluster_count, design.clusters
    x, others = design.x[:, 0], design.x[:, 1:]
    z = x if design.z is None else design.z[:, 0]
    indicators, nested = crossed_indicators(design)
    if indicators.shape[1]:
        roots = design.root_weights
        indicators = absorb_effects(indicators, nested, roots**2) * roots[:, None]
    clean = _residuals(np.column_stack([z, design.y, x]), others)
    z, u0, u1 = clean.T
    basis = _orthonormal(np.column_stack([z, others, indicators]))

    def by_cluster(matrix):
        return np.column_stack([np.bincount(groups, matrix[:, j], count) for j in range(matrix.shape[1])])

    own = by_cluster(np.column_stack([z * u0, z * u1]))
    loading = by_cluster(z[:, None] * basis)
    spread = by_cluster(basis * u0[:, None]), by_cluster(basis * u1[:, None])
    weights, enumerated, kind = cluster_weights(count, draws, kind, np.random.default_rng(rng))
    pieces = np.empty((5, weights.shape[1]))
    for start in range(0, weights.shape[1], BLOCK):
        v = weights[:, start : start + BLOCK]
        a, b = (v * own[:, [i]] - loading @ (spread[i].T @ v) for i in (0, 1))
        pieces[:, start : start + BLOCK] = (
            own[:, 0] @ v,
            own[:, 1] @ v,
            (a * a).sum(axis=0),
            (a * b).sum(axis=0),
            (b * b).sum(axis=0),
        )
    return Scores(pieces, enumerated, kind)


def interval(scores, estimate, std_error, *, confidence=0.95):
    """Return the values of the coefficient that the bootstrap doesn't reject, as the pair of their bounds.

    A bound is infinite where no value in that direction is rejected.
    """
    alpha = 1 - confidence
    return tuple(_bound(scores, estimate, side * std_error, alpha) for side in (-1.0, 1.0))


def _bound(scores, estimate, step, alpha):
    inside, outside = estimate, estimate + step
    for _ in range(30):
        if scores.p_value(outside) <= alpha:
            break
        inside, outside = outside, estimate + 2 * (outside - estimate)
    else:
        return float(np.copysign(np.inf, step))
    for _ in range(60):
        if abs(outside - inside) <= BOUND_TOLERANCE * abs(step):
            break
        middle = (inside + outside) / 2
        if scores.p_value(middle) > alpha:
            inside = middle
        else:
            outside = middle
    return float(inside)


def _residuals(matrix, others):
    if not others.shape[1]:
        return matrix
    return matrix - others @ np.linalg.lstsq(others, matrix, rcond=None)[0]


def _orthonormal(matrix):
    from scipy.linalg import orth

    return orth(matrix)
