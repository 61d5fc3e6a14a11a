"""Intervals against printed tables, by exact coverage, and bound arithmetic against enumeration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalkit.errors import DataError, ParameterError
from evalkit.metrics import intervals

INF = np.inf


# Newcombe (1998), Statistics in Medicine 17:857-872, table I: methods 3 (score) and 5 (exact).
@pytest.mark.parametrize(
    ("x", "n", "wilson", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_proportions_of_newcombe_table_1(x, n, wilson, exact):
    assert intervals.wilson(x, n) == pytest.approx(wilson, abs=5e-5)
    assert intervals.clopper_pearson(x, n) == pytest.approx(exact, abs=5e-5)


# Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10: (a) 56/70 - 48/80, (d) 9/10 - 3/10.
@pytest.mark.parametrize(
    ("counts", "printed"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_difference_of_newcombe_table_2(counts, printed):
    assert intervals.newcombe_difference(*counts) == pytest.approx(printed, abs=5e-5)


# Garwood (1936); the same limits stand in every printed table of exact Poisson limits.
@pytest.mark.parametrize(
    ("count", "printed"), [(0, (0, 3.689)), (1, (0.0253, 5.572)), (5, (1.623, 11.668)), (10, (4.795, 18.390))]
)
def test_poisson_limits_as_printed(count, printed):
    assert intervals.poisson(count) == pytest.approx(printed, abs=5e-4)
    assert intervals.poisson(count, 1000)[1] == pytest.approx(printed[1] / 1000, abs=5e-7)


def test_no_denominator_or_no_count_gives_no_interval_and_arrays_keep_their_shape():
    x, n = np.array([[0, 3, np.nan], [0, 5, 2]]), np.array([[0, 10, 10], [8, 5, np.nan]])
    for interval in (intervals.wilson, intervals.clopper_pearson):
        lower, upper = interval(x, n)
        assert (
            np.isnan(lower).tolist()
            == np.isnan(upper).tolist()
            == [[True, False, True], [False, False, True]]
        )
        assert lower[1, 0] == 0
        assert upper[1, 1] == 1
    assert np.isnan(intervals.poisson([np.nan, 4], [1, 0])).all()


def test_impossible_counts_are_refused_with_their_position():
    with pytest.raises(DataError, match=r"position 1: 7 events among 5"):
        intervals.wilson([1, 7], [5, 5])
    with pytest.raises(DataError, match=r"x, position 0: -1 is negative"):
        intervals.clopper_pearson(-1, 5)
    with pytest.raises(DataError, match=r"count, position 2"):
        intervals.poisson([1, 2, -3])
    for wrong in (95, "0.95", None, float("nan")):
        with pytest.raises(ParameterError, match="confidence"):
            intervals.wilson(1, 5, confidence=wrong)


@pytest.mark.parametrize("n", [20, 200])
def test_exact_interval_never_covers_less_than_it_says_and_wilson_does_on_average(n):
    p = np.linspace(0.005, 0.995, 199)
    probability = stats.binom.pmf(np.arange(n + 1)[:, None], n, p)

    def coverage(interval):
        lower, upper = interval(np.arange(n + 1), np.full(n + 1, n))
        return (probability * ((lower[:, None] <= p) & (p <= upper[:, None]))).sum(axis=0)

    assert coverage(intervals.clopper_pearson).min() >= 0.95
    assert coverage(intervals.wilson).mean() == pytest.approx(0.95, abs=0.01)


def test_poisson_interval_never_covers_less_than_it_says():
    mean = np.linspace(0.05, 40, 400)
    count = np.arange(150)
    lower, upper = intervals.poisson(count)
    inside = (lower[:, None] <= mean) & (mean <= upper[:, None])
    assert (stats.poisson.pmf(count[:, None], mean) * inside).sum(axis=0).min() >= 0.95


def test_poor_households_of_simulated_communes_lie_in_their_intervals():
    rng = np.random.default_rng(20240101)
    households, rate = rng.integers(150, 4000, 4000), rng.beta(1, 20, 4000)
    poor = rng.binomial(households, rate)
    for interval in (intervals.wilson, intervals.clopper_pearson):
        lower, upper = interval(poor, households)
        covered = ((lower <= rate) & (rate <= upper)).mean()
        assert (
            0.935 < covered < 0.98
        )  # four standard errors of a share of 0.95 among 4,000, and exact is wider


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_intervals_hold_the_estimate_and_mirror(x, n):
    x = min(x, n)
    for interval in (intervals.wilson, intervals.clopper_pearson):
        lower, upper = interval(x, n)
        assert 0 <= lower <= x / n <= upper <= 1
        assert interval(n - x, n) == pytest.approx((1 - upper, 1 - lower), abs=1e-9)


def test_printed_figures_divide_as_bounds():
    assert intervals.divide_bounds(26.5e9, INF, 0, 620) == pytest.approx((26.5e9 / 620, INF))
    assert intervals.divide_bounds(10, 10, 4, 5) == pytest.approx((2, 2.5))
    assert intervals.divide_bounds(0, INF, 10, INF) == (0, INF)
    assert intervals.divide_bounds(1, 2, -1, 1) == (-INF, INF)
    assert np.isnan(intervals.divide_bounds(1, 2, 0, 0)).all()
    assert np.isnan(intervals.divide_bounds(np.nan, 2, 1, 2)[0])
    assert intervals.subtract_bounds(30, INF, 20, 25) == (5, INF)
    assert intervals.add_bounds([1, np.nan], [2, 5], 10, INF)[1].tolist() == [INF, INF]
    assert intervals.multiply_bounds(0, 0, 1, INF) == (0, 0)


bounds = st.tuples(st.integers(-50, 50), st.integers(0, 50)).map(lambda b: (b[0], b[0] + b[1]))


@given(bounds, bounds, st.floats(0, 1), st.floats(0, 1))
def test_every_pair_of_true_values_lies_in_the_computed_bounds(a, b, share_a, share_b):
    true_a, true_b = a[0] + share_a * (a[1] - a[0]), b[0] + share_b * (b[1] - b[0])

    def holds(bounds, value):
        return bounds[0] - 1e-9 * abs(value) - 1e-9 <= value <= bounds[1] + 1e-9 * abs(value) + 1e-9

    assert holds(intervals.add_bounds(*a, *b), true_a + true_b)
    assert holds(intervals.subtract_bounds(*a, *b), true_a - true_b)
    assert holds(intervals.multiply_bounds(*a, *b), true_a * true_b)
    if true_b != 0:
        assert holds(intervals.divide_bounds(*a, *b), true_a / true_b)
