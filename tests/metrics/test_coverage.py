"""How often intervals hold the truth, where the modules' own tests don't show it already."""

import numpy as np
import pytest
from scipy import stats

from evalkit.metrics import intervals, survey


def test_the_difference_of_two_proportions_covers_by_exact_enumeration():
    n1, n2 = 40, 30
    x1, x2 = (a.ravel() for a in np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij"))
    lower, upper = intervals.newcombe_difference(x1, np.full(x1.shape, n1), x2, np.full(x2.shape, n2))
    covered = []
    for p1, p2 in np.random.default_rng(41).uniform(0.02, 0.98, (300, 2)):
        chance = stats.binom.pmf(x1, n1, p1) * stats.binom.pmf(x2, n2, p2)
        covered.append(chance[(lower <= p1 - p2) & (p1 - p2 <= upper)].sum())
    assert np.mean(covered) == pytest.approx(0.953, abs=0.01)  # Newcombe (1998), table III: mean 0.9531
    assert min(covered) > 0.86  # the same table: least 0.867


def test_the_mean_of_a_stratified_sample_of_clusters_covers_the_truth_and_its_error_is_the_spread():
    rng = np.random.default_rng(43)
    draws, clusters, size = 1200, 12, 8
    level, share = np.array([1.0, 3.0]), np.array([0.7, 0.3])
    village = rng.normal(0, 0.6, (draws, 2, clusters, 1))
    income = level[:, None, None] + village + rng.normal(0, 1, (draws, 2, clusters, size))
    draw, stratum, unit = np.indices(income.shape)[:3]
    table = survey.mean(
        income.ravel(),
        weights=share[stratum].ravel(),
        strata=stratum.ravel(),
        cluster=(stratum * clusters + unit).ravel(),
        by=draw.ravel(),
    )
    truth = level @ share
    covered = ((table.lower <= truth) & (truth <= table.upper)).mean()
    assert covered == pytest.approx(0.95, abs=0.019)  # three standard errors of 1,200 draws
    assert table.std_error.mean() == pytest.approx(table.estimate.std(), rel=0.06)
