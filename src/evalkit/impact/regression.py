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
        """Return one row per term: estimate, std_error, lower, upper, p_value."""
        from scipy.stats import t

        error = np.sqrt(np.diag(self.covariance))
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


def columns_of(*names):
    """Return names as a flat list of column names: each may be None, a name or several."""
    flat = []
    for name in names:
        if name is not None:
            flat += [name] if isinstance(name, str) else list(name)
    return flat


def check_columns(panel, *names, table="panel"):
    """Raise DataError where the table lacks one of the columns."""
    missing = [name for name in columns_of(*names) if name not in panel.columns]
    if missing:
        raise DataError(
            f"{table}: no column {', '.join(map(repr, missing))}; found "
            f"{', '.join(map(str, panel.columns))}. "
            "Name a column that is there."
        )


def prepare(
    panel, *, outcome, regressors, controls=(), instruments=(), absorb=(), weights=None, cluster=None
):
    """Return the Design of a regression: complete rows, effects absorbed, weights multiplied in.

    Text and categorical controls become indicators. Rows with a missing value in any column used are left
    out; so are singletons, the rows that an absorbed effect fits by itself. Controls that the effects or
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
    check_columns(panel, used)
    bare = panel.copy(deep=False)
    bare.attrs = {}  # pandas copies attrs deeply at every step
    bare = bare[bare[used].notna().all(axis=1).to_numpy()]
    codes = (
        np.column_stack([pd.factorize(bare[name])[0] for name in absorb])
        if absorb
        else np.empty((len(bare), 0), int)
    )
    kept = without_singletons(codes)
    frame, codes = (bare, codes) if kept.all() else (bare[kept], renumbered(codes[kept]))
    if frame.empty:
        raise DataError(
            f"panel: no row has a value in all of {', '.join(used)}; fill them or leave a column out."
        )
    weight = np.ones(len(frame)) if weights is None else frame[weights].to_numpy(float)
    if (weight <= 0).any():
        raise DataError(
            f"panel, column {weights!r}: {int((weight <= 0).sum())} weights are not positive; "
            f"weights must be."
        )
    inside = pd.concat([numbers(frame, regressors), indicators(frame, controls)], axis=1)
    if not absorb:
        inside["(intercept)"] = 1.0
    plain = np.column_stack([numbers(frame, [outcome, *instruments]), inside])
    clean = absorb_effects(plain, codes, weight) * np.sqrt(weight)[:, None]
    split = 1 + len(instruments)
    keep = independent(clean[:, split:], plain[:, split:] * np.sqrt(weight)[:, None])
    names = np.array(inside.columns)
    if not keep[: len(regressors)].all():
        lost = names[: len(regressors)][~keep[: len(regressors)]]
        raise DataError(
            f"panel, column {', '.join(map(repr, lost))}: does not vary once the effects of "
            f"{', '.join(absorb)} are "
            "absorbed, so nothing can be estimated. Use a dose that varies within them, or fewer effects."
        )
    grouped = [pd.factorize(frame[c])[0] for c in clusters]
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


def numbers(frame, names):
    """Return columns as floating-point numbers; raise DataError where one isn't numeric."""
    wrong = [
        n
        for n in names
        if not (pd.api.types.is_numeric_dtype(frame[n]) or pd.api.types.is_bool_dtype(frame[n]))
    ]
    if wrong:
        raise DataError(
            f"panel, column {wrong[0]!r}: is {frame[wrong[0]].dtype}, not a number. Convert it first."
        )
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
