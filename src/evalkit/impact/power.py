"""What an effect must be for a design to see it."""

from numbers import Real

import numpy as np

from evalkit.errors import ParameterError


def minimum_detectable_effect(
    std_error=None,
    *,
    degrees_of_freedom=None,
    power=0.80,
    alpha=0.05,
    sd=None,
    clusters=None,
    per_cluster=1,
    intraclass=0.0,
    share_treated=0.5,
    explained=0.0,
    explained_between=None,
):
    r"""Smallest true effect that a two-sided test at ``alpha`` finds with probability ``power``.

    .. math:: (t_{1-\alpha/2} + t_{power}) \cdot SE

    with G − 2 degrees of freedom (infinite where neither they nor clusters are given). Give the std_error,
    or a design to be: sd of the outcome, number of clusters, rows per cluster, intraclass correlation ρ,
    share of clusters treated P, and shares of variance explained by controls within (R²) and between
    clusters:

    .. math:: SE^2 = \frac{sd^2}{P(1-P)G}\left[\rho(1-R_b^2) + \frac{(1-\rho)(1-R^2)}{m}\right]

    Unit: that of std_error or sd. A missing std_error gives a missing effect. Raises ParameterError where a
    size is negative, a share out of bounds or clusters fewer than three. Source: Bloom (1995), Evaluation Review 19; Bloom, Richburg-Hayes & Black
    (2007).
    """
    from scipy.stats import norm, t

    size = sd if std_error is None else std_error
    if size is not None and (not isinstance(size, Real) or size < 0):
        raise ParameterError(
            f"minimum_detectable_effect: std_error or sd is {size!r}. Give one number, zero or more."
        )
    if (std_error is None) == (sd is None):
        raise ParameterError("minimum_detectable_effect: give either std_error or sd with clusters.")
    if not (
        0 < power < 1
        and 0 < alpha < 1
        and 0 < share_treated < 1
        and 0 <= intraclass <= 1
        and 0 <= explained < 1
        and 0 <= (explained_between or 0) < 1
    ):
        raise ParameterError("minimum_detectable_effect: power, alpha and shares lie between 0 and 1.")
    if (sd is not None and clusters is None) or (clusters is not None and clusters < 3):
        raise ParameterError(
            "minimum_detectable_effect: a design needs at least three clusters. Give clusters."
        )
    if per_cluster < 1:
        raise ParameterError(f"minimum_detectable_effect: per_cluster={per_cluster}: at least one row each.")
    if sd is not None:
        between = explained if explained_between is None else explained_between
        spread = intraclass * (1 - between) + (1 - intraclass) * (1 - explained) / per_cluster
        std_error = sd * np.sqrt(spread / (share_treated * (1 - share_treated) * clusters))
    if degrees_of_freedom is None and clusters is not None:
        degrees_of_freedom = clusters - 2
    law = norm if degrees_of_freedom is None else t(degrees_of_freedom)
    return float((law.ppf(1 - alpha / 2) + law.ppf(power)) * std_error)
