"""Households made comparable: the untreated weighted by the score, or matched with the treated; and the balance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, ParameterError
from evalkit.impact import frames, matching, regression

# Crump, Hotz, Imbens & Mitnik (2009), Biometrika 96: outside these scores the comparison rests on nobody.
LEAST_SCORE, MOST_SCORE = 0.1, 0.9


METHODS = ("weighting", "matching")
DISTANCES = {"mahalanobis": "Mahalanobis distance", "score": "score"}


@dataclass(frozen=True)
class Comparable:
    """Households kept, with columns named ``score`` and ``weight``, the share of the treated kept, and the balance.

    balance: per covariate the means of treated and others and their standardised difference before and after.
    """

    frame: pd.DataFrame
    overlap: float
    balance: pd.DataFrame
    score: str = "score"
    weight: str = "comparison_weight"


def comparable(
    households,
    *,
    treated,
    covariates,
    weights=None,
    method="weighting",
    exact=(),
    distance="mahalanobis",
    neighbours=1,
):
    r"""Make the untreated resemble the treated: by weights, or by the nearest neighbours of each.

    Households with a score outside 0.1 to 0.9 are left out, e(x) being the logit score. "weighting": the untreated
    count e(x)/(1 − e(x)). "matching": the untreated count as often as they are among the ``neighbours`` nearest to a
    treated household (with replacement, ties sharing), by ``distance`` "mahalanobis" of the covariates or "score" (of
    its log odds), among those that agree in the columns ``exact``; the others are left out. treated: column of 0 and 1.
    covariates: as they stood before. weights: survey weights, multiplied in. Raises DataError where nobody is left on
    one side.

    Source: Hirano, Imbens & Ridder (2003), Econometrica 71; Rosenbaum & Rubin (1983); Abadie & Imbens (2006),
    Econometrica 74.
    """
    covariates, exact = frames.columns_of(covariates), frames.columns_of(exact)
    check_method(method, exact, distance, neighbours)
    households = frames.tabled(households, treated, covariates, exact, weights, table="households")
    frame = households.dropna(subset=[treated, *covariates, *exact, *frames.columns_of(weights)])
    if weights is not None:
        frame = regression.weighted(frame, weights, table="households")
    frames.check_zero_one(frame, treated, table="households")
    x = regression.indicators(frame, list(covariates))
    on = frame[treated].to_numpy(float) == 1
    base = np.ones(len(frame)) if weights is None else frame[weights].to_numpy(float)
    score = scores(x, on, base)
    kept = (score > LEAST_SCORE) & (score < MOST_SCORE)
    check_sides(kept, on, treated)
    if method == "weighting":
        weight = np.where(kept, base * np.where(on, 1.0, score / (1 - score)), 0.0)
    else:
        weight = np.zeros(len(frame))
        logit = np.log(score[kept] / (1 - score[kept]))[:, None]
        place = logit if distance == "score" else matching.whitened(x[kept].to_numpy(float), base[kept])
        cells = frame[kept].groupby(exact).ngroup().to_numpy() if exact else np.zeros(kept.sum(), int)
        weight[kept] = matching.counts(place, on[kept], base[kept], cells, neighbours)
    used = weight > 0
    overlap = float(base[used & on].sum() / base[on].sum())
    balance = standardised(x, on, base, "before").join(standardised(x[used], on[used], weight[used], "after"))
    names = frames.unused(frame, "score", "comparison_weight")
    rows = frame.assign(**dict(zip(names, (score, weight), strict=True)))[used]
    return Comparable(rows, overlap, balance, *names)


def check_method(method, exact, distance, neighbours):
    """Raise ParameterError where the way of comparing isn't one there is."""
    if method not in METHODS or distance not in DISTANCES:
        raise ParameterError(
            f"method={method!r}, distance={distance!r}: use one of {', '.join(METHODS)} and one of {', '.join(DISTANCES)}."
        )
    if isinstance(neighbours, bool) or not isinstance(neighbours, int | np.integer) or neighbours < 1:
        raise ParameterError(f"neighbours={neighbours!r}: a whole number of at least 1.")
    if exact and method != "matching":
        raise ParameterError(
            "exact: only matching compares within cells. Set method='matching', or leave it out."
        )


def scores(x, on, weight):
    """Return the logit score of being treated, given the covariates."""
    import statsmodels.api as sm

    scaled = (x - x.mean()) / x.std().replace(0.0, 1.0)
    model = sm.GLM(
        on.astype(float),
        sm.add_constant(scaled.to_numpy(), has_constant="add"),
        family=sm.families.Binomial(),
        freq_weights=weight / weight.mean(),
    )
    return model.fit().fittedvalues


def check_sides(kept, on, treated):
    """Raise DataError where treated or others are missing among the households kept."""
    if not (kept & on).any() or not (kept & ~on).any():
        raise DataError(
            f"households: no {treated} and others with like covariates. Use fewer covariates, or another comparison."
        )


def standardised(x, on, weight, label):
    """Return weighted means of both sides and their difference in standard deviations of the treated."""
    one, other = on == 1, on == 0
    mean = {
        side: np.average(x[rows], axis=0, weights=weight[rows])
        for side, rows in (("treated", one), ("others", other))
    }
    spread = np.sqrt(np.average((x[one] - mean["treated"]) ** 2, axis=0, weights=weight[one]))
    spread[spread == 0] = 1.0
    return pd.DataFrame(
        {
            f"treated_{label}": mean["treated"],
            f"others_{label}": mean["others"],
            f"difference_{label}": (mean["treated"] - mean["others"]) / spread,
        },
        index=x.columns,
    )
