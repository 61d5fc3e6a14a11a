"""Nearest neighbours: for each treated unit the untreated ones most like it, with replacement.

With S the shares of each treated unit's neighbours (rows add to one) and w the weights, an untreated unit counts
κ = S'w. Matching leaves a bias where neighbours differ; Abadie and Imbens take it out by a regression μ of the
outcome on the covariates among the neighbours, and the effect on the treated is

.. math:: \\hat\\tau = \\frac{\\sum_T w_i (y_i - \\hat\\mu(x_i)) - \\sum_C \\kappa_j (y_j - \\hat\\mu(x_j))}{\\sum_T w_i}

a weighted difference of means of y − μ(x), so its error is that of a regression of y − μ(x) on the treatment with
these weights: neighbours used often count as often, and whole clusters can stand together. Resampling units anew
would be wrong (Abadie & Imbens 2008), resampling the terms of this sum is not (Otsu & Rai 2017).

Sources: Abadie & Imbens (2006), Econometrica 74; (2011), JBES 29; Otsu & Rai (2017), JASA 112.
"""

import numpy as np

from evalkit.errors import DataError

# Distances nearer than this to the nearest one tie with it and share.
TIE = 1e-9
# Distances held at once: 128 MiB of them.
BLOCK = 1 << 24


def whitened(x, weight):
    """Return covariates whose squared Euclidean distance is Mahalanobis's; those that others determine drop out."""
    centred = x - np.average(x, axis=0, weights=weight)
    spread = np.sqrt(np.average(centred**2, axis=0, weights=weight))
    centred = centred / np.where(spread > 0, spread, 1.0)
    covariance = (centred * weight[:, None]).T @ centred / weight.sum()
    values, vectors = np.linalg.eigh(covariance)
    kept = values > TIE * max(values.max(), 1.0)
    return centred @ vectors[:, kept] / np.sqrt(values[kept])


def counts(place, on, weight, cells, neighbours):
    """Return how much each unit counts: the matched treated their weight, the untreated κ, all others nothing.

    place: (units, dimensions), near where alike. cells: codes; neighbours come from the same cell, and a treated unit
    of a cell without any is left out. Units at one distance share a neighbour's place.
    """
    out = np.zeros(len(on))
    for cell in np.unique(cells[on]):
        treated, others = np.flatnonzero(on & (cells == cell)), np.flatnonzero(~on & (cells == cell))
        if not len(others):
            continue
        for some in np.array_split(treated, 1 + treated.size * others.size // BLOCK):
            out[others] += weight[some] @ shares(place[some], place[others], neighbours)
        out[treated] = weight[treated]
    if not out[on].any():
        raise DataError(
            "households: no treated household shares its cell with an untreated one. Match exactly on fewer columns."
        )
    return out


def shares(treated, others, neighbours):
    """Return how each treated unit (rows) divides among its nearest ``others`` (columns)."""
    from scipy.spatial.distance import cdist

    distance = cdist(treated, others)
    last = min(neighbours, len(others)) - 1
    reach = np.partition(distance, last, axis=1)[:, [last]]
    near = distance <= reach * (1 + TIE) + TIE
    return near / near.sum(axis=1, keepdims=True)


def without_bias(y, x, on, count):
    """Return y − μ(x), μ the least-squares fit on the covariates among the neighbours, each as often as it counts."""
    design = np.column_stack([np.ones(len(y)), x])
    neighbours = ~on & (count > 0)
    root = np.sqrt(count[neighbours])
    slopes = np.linalg.lstsq(design[neighbours] * root[:, None], y[neighbours] * root, rcond=None)[0]
    return y - design @ slopes
