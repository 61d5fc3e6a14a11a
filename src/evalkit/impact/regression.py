"""Least squares with absorbed effects and clustered errors: what the designs of this package share.

One convention for clustered errors throughout. The sandwich is multiplied by

.. math:: \\frac{G}{G-1} \\cdot \\frac{n-1}{n-k}

with G clusters, n rows and k coefficients of regressors written out (the intercept among them where nothing
is absorbed); absorbed effects are not counted. Tests and intervals use the t distribution with G − 1
degrees of freedom. Without clusters: the heteroskedastic sandwich times n/(n − k), with n − k degrees of
freedom.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.errors import DataError
from evalkit.impact.frames import check_numbers, columns_of, with_plain_numbers
from evalkit.metrics.estimate import check_confidence

# A regressor of which less than this share of its spread is left once effects and earlier regressors are
# absorbed is collinear: beyond it, rounding errors of double precision decide the coefficient.
COLLINEAR = 1e-6
# Largest change between two rounds of absorbing the effects, in standard deviations of the column.
ABSORB_TOLERANCE = 1e-11


@dataclass(frozen=True)
class Design:
    """Outcome, regressors and instruments with the effects absorbed and the weights multiplied in.

    y: (n,); x: (n, k) with the regressors of interest first, their number ``interest``; z: (n, l) or None,
    where it stands in for the first ``interest`` columns of x. frame: the rows used. clusters: integer
    codes (n,) or (n, 2), or None. nested, crossed: codes of the absorbed effects that do, or don't, lie
    within clusters.
    """

    y: np.ndarray
    x: np.ndarray
    names: tuple[str, ...]
    interest: int
    z: np.ndarray | None
    frame: pd.DataFrame
    clusters: np.ndarray | None
    absorbed: np.ndarray
    root_weights: np.ndarray
    dropped: tuple[str, ...] = ()

    @property
    def cluster_count(self):
        """Number of clusters; the smaller number where errors are clustered two ways."""
        if self.clusters is None:
            return None
        return int(np.atleast_2d(self.clusters.T).max(axis=1).min() + 1)

    @property
    def degrees_of_freedom(self):
        """G − 1, or n − k where there are no clusters."""
        return (len(self.y) - self.x.shape[1]) if self.clusters is None else self.cluster_count - 1


@dataclass(frozen=True)
class Fit:
    """Coefficients with their covariance, by name, and the residuals."""

    coefficients: pd.Series
    covariance: pd.DataFrame
    residuals: np.ndarray
    degrees_of_freedom: int

    def table(self, confidence=0.95):
        """Return one row per term: estimate, std_error, lower, upper, p_value.

        The error is missing where the variance comes out negative: two ways of clustering, or very few clusters.
        """
        from scipy.stats import t

        check_confidence(confidence)
        variance = np.diag(self.covariance)
        error = np.sqrt(np.where(variance < 0, np.nan, variance))
        reach = t.ppf(0.5 + confidence / 2, self.degrees_of_freedom) * error
        estimate = self.coefficients.to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = 2 * t.sf(np.abs(estimate / error), self.degrees_of_freedom)
        return pd.DataFrame(
            {
                "term": self.coefficients.index,
                "estimate": estimate,
                "std_error": error,
                "lower": estimate - reach,
                "upper": estimate + reach,
                "p_value": p_value,
            }
        )

    def wald_p(self, names):
        """Return the p-value of the F test that the coefficients ``names`` are all zero."""
        return wald_p(self.coefficients[names], self.covariance.loc[names, names], self.degrees_of_freedom)


def wald_p(estimates, covariance, degrees_of_freedom):
    """Return the p-value of the F test that all ``estimates`` are zero; their covariance may be singular."""
    from scipy.stats import f

    rank = np.linalg.matrix_rank(covariance, hermitian=True)
    statistic = estimates @ np.linalg.pinv(covariance, hermitian=True) @ estimates
    return float(f.sf(statistic / rank, rank, degrees_of_freedom)) if rank else np.nan


def prepare(
    panel, *, outcome, regressors, controls=(), instruments=(), absorb=(), weights=None, cluster=None
):
    """Return the Design of a regression: complete rows, effects absorbed, weights multiplied in.

    Text and categorical controls become indicators. Rows with a missing value in any column used are left
    out; so are those of weight zero, and singletons, the rows that an absorbed effect fits by itself. Controls that the effects or
    earlier controls determine are left out and named in ``dropped``; a regressor of interest of that kind
    raises.
    """
    regressors, controls, instruments = columns_of(regressors), columns_of(controls), columns_of(instruments)
    absorb, clusters = columns_of(absorb), columns_of(cluster)
    used = list(
        dict.fromkeys(
            [outcome, *regressors, *controls, *instruments, *absorb, *clusters, *columns_of(weights)]
        )
    )
    bare = with_plain_numbers(panel, used)
    bare = bare[bare[used].notna().all(axis=1).to_numpy()]
    if weights is not None:
        bare = weighted(bare, weights)
    codes = (
        np.column_stack([pd.factorize(bare[name])[0] for name in absorb])
        if absorb
        else np.empty((len(bare), 0), int)
    )
    kept = without_singletons(codes)
    frame, codes = (bare, codes) if kept.all() else (bare[kept], renumbered(codes[kept]))
    if frame.empty:
        raise DataError(
            f"panel: no row has a value in all of {', '.join(map(str, used))}"
            f"{' and a positive weight' if weights else ''}; fill them or leave a column out."
        )
    weight = np.ones(len(frame)) if weights is None else frame[weights].to_numpy(float)
    inside = pd.concat([numbers(frame, regressors), indicators(frame, controls)], axis=1)
    if not absorb:
        inside["(intercept)"] = 1.0
    plain = np.column_stack([numbers(frame, [outcome, *instruments]), inside])
    clean = absorb_effects(plain, codes, weight) * np.sqrt(weight)[:, None]
    check_outcome(clean[:, 0], plain[:, 0], weight, outcome, absorb)
    split = 1 + len(instruments)
    keep = independent(clean[:, split:], plain[:, split:] * np.sqrt(weight)[:, None])
    names = np.array(inside.columns)
    if not keep[: len(regressors)].all():
        lost = names[: len(regressors)][~keep[: len(regressors)]]
        raise DataError(
            f"panel, column {', '.join(map(repr, lost))}: does not vary{once_absorbed(absorb)}, so nothing can be "
            "estimated. Use a dose that varies within them, or fewer effects."
        )
    grouped = [pd.factorize(frame[c])[0] for c in clusters]
    check_instruments(
        clean[:, 1:split], plain[:, 1:split] * np.sqrt(weight)[:, None], instruments, absorb, grouped
    )
    frame.attrs = panel.attrs
    return Design(
        y=clean[:, 0],
        x=clean[:, split:][:, keep],
        names=tuple(names[keep]),
        interest=len(regressors),
        z=clean[:, 1:split] if instruments else None,
        frame=frame,
        clusters=np.column_stack(grouped).squeeze() if clusters else None,
        absorbed=codes,
        root_weights=np.sqrt(weight),
        dropped=tuple(names[~keep]),
    )


def weighted(frame, weights, table="panel"):
    """Return the rows of positive weight; a weight of zero leaves a row out, a negative one raises DataError."""
    weight = numbers(frame, [weights])[weights].to_numpy()
    if (weight < 0).any():
        raise DataError(
            f"{table}, column {weights!r}: {int((weight < 0).sum())} weights are negative; weights must be positive."
        )
    return frame[weight > 0]


def check_outcome(left, plain, weight, outcome, absorb):
    """Raise DataError where the outcome, or what the effects leave of it (``left``), doesn't vary."""
    root = np.sqrt(weight)
    spread = np.linalg.norm(root * (plain - np.average(plain, weights=weight)))
    length = np.linalg.norm(root * plain)
    if spread > COLLINEAR**2 * length and (not absorb or np.linalg.norm(left) > COLLINEAR * spread):
        return
    raise DataError(
        f"panel, column {outcome!r}: does not vary{once_absorbed(absorb)}, so nothing can be estimated. Choose another outcome, or "
        "fewer effects."
    )


def check_instruments(clean, plain, instruments, absorb, clusters):
    """Raise DataError where instruments don't vary by themselves, or clusters are too few to tell their strength."""
    lost = [name for name, kept in zip(instruments, independent(clean, plain), strict=True) if not kept]
    if lost:
        raise DataError(
            f"panel, column {', '.join(map(repr, lost))}: does not vary by itself{once_absorbed(absorb)} beside the other "
            "instruments. Leave it out."
        )
    fewest = min((int(codes.max()) + 1 for codes in clusters), default=len(clean))
    if instruments and len(instruments) >= fewest:
        raise DataError(
            f"instruments: {len(instruments)} of them and {fewest} clusters; their strength can't be told from fewer "
            "clusters than instruments and one more. Name fewer."
        )


def once_absorbed(absorb):
    """Say in words that effects are absorbed, where there are any."""
    return f" once the effects of {', '.join(map(str, absorb))} are absorbed" if absorb else ""


def numbers(frame, names):
    """Return columns as floating-point numbers; raise DataError where one isn't numeric."""
    check_numbers(frame, names)
    return frame[names].astype(float)


def indicators(frame, controls):
    """Return controls as numbers; text and categories become indicators, the first category left out."""
    parts = []
    for name in controls:
        if pd.api.types.is_numeric_dtype(frame[name]):
            parts.append(frame[[name]].astype(float))
        else:
            levels = frame[name].astype("category").cat.remove_unused_categories()
            parts.append(pd.get_dummies(levels, prefix=name, prefix_sep="=", drop_first=True, dtype=float))
    return pd.concat(parts, axis=1) if parts else pd.DataFrame(index=frame.index)


def without_singletons(codes):
    """Return which rows stay once those that are alone in an absorbed effect are left out, until none is."""
    kept = np.ones(len(codes), bool)
    while True:
        alone = np.zeros(len(codes), bool)
        for column in codes.T:
            alone |= kept & (np.bincount(column[kept], minlength=column.max(initial=0) + 1)[column] == 1)
        if not alone.any():
            return kept
        kept &= ~alone


def renumbered(codes):
    """Return the codes of each column as 0, 1, 2, ... without gaps."""
    return np.column_stack([np.unique(column, return_inverse=True)[1] for column in codes.T])


def absorb_effects(matrix, codes, weight):
    """Return the residuals of each column on the effects, by weighted alternating projections."""
    if not codes.shape[1]:
        return matrix
    import pyhdfe

    spread = matrix.std(axis=0)
    spread[spread == 0] = 1
    options = {"options": {"tol": ABSORB_TOLERANCE}} if codes.shape[1] > 1 else {}
    absorber = pyhdfe.create(codes, drop_singletons=False, compute_degrees=False, **options)
    unweighted = bool((weight == weight[0]).all())
    return absorber.residualize(matrix / spread, None if unweighted else weight[:, None]) * spread


def effect_count(design):
    """Return how many coefficients the absorbed effects stand for: their levels less those that others determine."""
    if not design.absorbed.shape[1]:
        return 0
    import pyhdfe

    return int(pyhdfe.create(design.absorbed, drop_singletons=False).degrees)


def independent(matrix, plain):
    """Return which columns keep a spread of their own, given the earlier ones; ``plain`` sets the scale."""
    if not matrix.shape[1]:
        return np.zeros(0, bool)
    centred = plain - plain.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    scale[scale == 0] = np.sqrt((plain[:, scale == 0] ** 2).sum(axis=0))
    scale[scale == 0] = 1
    keep = np.ones(matrix.shape[1], bool)
    # The triangle has the same lengths and angles as the columns, and as few rows as there are columns.
    triangle = np.linalg.qr(matrix / scale, mode="r")
    for j in range(len(keep)):
        others, left = triangle[:, :j][:, keep[:j]], triangle[:, j]
        if others.size:
            left = left - others @ np.linalg.lstsq(others, left, rcond=None)[0]
        keep[j] = np.sqrt(left @ left) > COLLINEAR
    return keep


def fit(design):
    """Return the Fit of a Design: two-stage least squares where it has instruments."""
    x = design.x
    if design.z is None:
        projected = x
    else:
        exogenous = np.column_stack([design.z, x[:, design.interest :]])
        projected = exogenous @ np.linalg.lstsq(exogenous, x, rcond=None)[0]
    bread = np.linalg.inv(projected.T @ projected)
    coefficients = bread @ (projected.T @ design.y)
    residuals = design.y - x @ coefficients
    covariance = bread @ meat(projected * residuals[:, None], design) @ bread
    names = list(design.names)
    return Fit(
        pd.Series(coefficients, index=names),
        pd.DataFrame((covariance + covariance.T) / 2, index=names, columns=names),
        residuals,
        design.degrees_of_freedom,
    )


def meat(scores, design):
    """Return the sum of products of scores within clusters, with the factors of the convention."""
    n, k = scores.shape
    if design.clusters is None:
        return scores.T @ scores * n / (n - k)
    if design.clusters.ndim == 1:
        return clustered(scores, design.clusters, n, k)
    first, second = design.clusters.T
    both = np.unique(first * (second.max() + 1) + second, return_inverse=True)[1]
    return sum(sign * clustered(scores, codes, n, k) for sign, codes in ((1, first), (1, second), (-1, both)))


def clustered(scores, codes, n, k):
    """Return the one-way part of ``meat``; unknown where there is one cluster, or no observation to spare."""
    count = int(codes.max()) + 1
    sums = np.column_stack([np.bincount(codes, column, count) for column in scores.T])
    factor = count / (count - 1) * (n - 1) / (n - k) if count > 1 and n > k else np.nan
    return sums.T @ sums * factor


def first_stage(design):
    """Return the Fit of the dose on its instruments and the other regressors, the instruments first."""
    others = design.x[:, design.interest :]
    names = tuple(f"instrument {j}" for j in range(design.z.shape[1]))
    return fit(
        replace(
            design,
            y=design.x[:, 0],
            x=np.column_stack([design.z, others]),
            z=None,
            interest=len(names),
            names=names + design.names[design.interest :],
        )
    )


def first_stage_f(design):
    """Return the F statistic of the instruments in the first stage, by the clustered covariance."""
    stage = first_stage(design)
    names = list(stage.coefficients.index[: design.z.shape[1]])
    b, v = stage.coefficients[names].to_numpy(), stage.covariance.loc[names, names].to_numpy()
    return float(b @ np.linalg.pinv(v, hermitian=True) @ b / len(names))
