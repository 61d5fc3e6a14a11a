"""Inequality measures against printed results of R's ineq, hand counts, and the laws of the measures."""

from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.metrics import inequality, survey

# Vector of the examples of R's ineq (mean incomes of ten classes, USA 1968).
X = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]
MEASURES = list(inequality.MEASURES.values())


def test_printed_examples_of_r_ineq():
    assert inequality.gini(X).estimate == pytest.approx(0.4620911, abs=5e-8)
    assert inequality.atkinson(X, epsilon=0.5).estimate == pytest.approx(0.1796591, abs=5e-8)
    # Damgaard and Weiner (2000), figure 2, with the correction n/(n-1): 0.4444444.
    assert inequality.gini([50 / 9] * 9 + [50]).estimate * 10 / 9 == pytest.approx(0.4444444, abs=5e-8)
    assert inequality.gini([2] * 5 + [18] * 5).estimate * 10 / 9 == pytest.approx(0.4444444, abs=5e-8)


def test_printed_indices_of_ilocos(replication):
    d = pd.read_csv(replication / "Ilocos.csv")
    printed = {"Pangasinan": (0.1291856, 0.2837236), "La Union": (0.1672924, 0.3622122)}
    for province, (atkinson, theil) in printed.items():
        income = d.income[d.province == province]
        assert inequality.atkinson(income, epsilon=0.5).estimate == pytest.approx(atkinson, abs=5e-8)
        assert inequality.theil(income).estimate == pytest.approx(theil, abs=5e-8)
    table = inequality.inequality_by(d, by=["province"], income="income", measures=("atkinson", "theil"))
    found = table.set_index(["province", "indicator"]).estimate
    assert found["La Union", "theil"] == pytest.approx(0.3622122, abs=5e-8)


def test_hand_count_of_six_with_a_missing_income():
    income = [1.0, 1.0, 2.0, 4.0, np.nan, 2.0]
    # Mean 2. Differences over pairs: 1-2 (4 pairs) 4, 1-4 (2) 6, 2-4 (2) 4: both ways 28 over 2*5*10.
    assert inequality.gini(income).estimate == pytest.approx(0.28)
    assert inequality.theil(income).estimate == pytest.approx((2 * 0.5 * np.log(0.5) + 2 * np.log(2)) / 5)
    assert inequality.mean_log_deviation(income).estimate == pytest.approx(np.log(2) / 5)
    assert inequality.atkinson(income, epsilon=1).estimate == pytest.approx(1 - 2**0.8 / 2)
    assert inequality.atkinson(income, epsilon=2).estimate == pytest.approx(1 - (5 / 3.25) / 2)
    # Fifths of one household each: richest 4, poorest 1.
    assert inequality.quintile_ratio(income).estimate == pytest.approx(4)
    assert inequality.gini(income).n == 5


def test_quintile_ratio_conventions():
    income = np.arange(1.0, 13)  # 12 households: a fifth is 2.4 of them
    assert inequality.quintile_ratio(income).estimate == pytest.approx(
        (12 + 11 + 0.4 * 10) / (1 + 2 + 0.4 * 3)
    )
    assert inequality.quintile_ratio(income, split=False).estimate == pytest.approx((11 + 12) / (1 + 2 + 3))


incomes = st.lists(st.integers(1, 10_000), min_size=2, max_size=30)


@settings(max_examples=40)
@given(incomes, st.floats(0.01, 1e6), st.randoms())
def test_scale_replication_and_order_change_nothing(income, factor, random):
    shuffled = random.sample(income, len(income))
    for measure in MEASURES:
        base = measure(income).estimate
        assert measure(np.multiply(income, factor)).estimate == pytest.approx(base, rel=1e-6, abs=1e-9)
        assert measure(income * 2).estimate == pytest.approx(base, rel=1e-6, abs=1e-9)
        assert measure(income, weights=[2] * len(income)).estimate == pytest.approx(base, rel=1e-6, abs=1e-9)
        assert measure(shuffled).estimate == pytest.approx(base, rel=1e-6, abs=1e-9)


@given(incomes, st.data())
def test_a_transfer_from_rich_to_poor_lowers_inequality(income, data):
    income = np.sort(np.array(income, float))
    poor, rich = sorted(
        data.draw(st.lists(st.integers(0, len(income) - 1), min_size=2, max_size=2, unique=True))
    )
    amount = (income[rich] - income[poor]) * data.draw(st.floats(0, 0.5))
    after = income.copy()
    after[poor] += amount
    after[rich] -= amount
    for measure in MEASURES:
        assert measure(after).estimate <= measure(income).estimate + 1e-9


@given(incomes, st.data())
def test_theil_and_mean_log_deviation_decompose_into_within_and_between(income, data):
    income = np.array(income, float)
    group = np.array(data.draw(st.lists(st.sampled_from("ab"), min_size=len(income), max_size=len(income))))
    means = np.array([income[group == g].mean() for g in group])
    parts = [income[group == g] for g in np.unique(group)]
    by_income = [part.sum() / income.sum() for part in parts]
    by_people = [len(part) / len(income) for part in parts]
    for measure, shares in ((inequality.theil, by_income), (inequality.mean_log_deviation, by_people)):
        within = sum(s * measure(part).estimate for s, part in zip(shares, parts, strict=True))
        assert measure(income).estimate == pytest.approx(within + measure(means).estimate, abs=1e-9)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 500), min_size=11, max_size=25, unique=True), st.integers(0, 10))
def test_influence_is_the_derivative_by_the_weight(income, k):
    """Standard errors rest on the influence; a finite difference must find the same."""
    income = np.array(income, float)
    weights = 1 + 0.5 * np.sin(np.arange(len(income)))  # no quantile falls between two households
    step = 1e-6
    for measure in MEASURES:
        with patch.object(survey, "estimate", wraps=survey.estimate) as spy:
            measure(income, weights=weights)
        influence = spy.call_args.args[2]
        more, less = weights.copy(), weights.copy()
        more[k] += step
        less[k] -= step
        slope = (measure(income, weights=more).estimate - measure(income, weights=less).estimate) / (2 * step)
        assert influence[k] == pytest.approx(slope, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.__name__)
def test_intervals_cover_the_truth_of_a_lognormal(measure):
    rng = np.random.default_rng(7)
    income = rng.lognormal(0, 0.6, (800, 300))
    truth = measure(rng.lognormal(0, 0.6, 1_000_000)).estimate
    table = measure(income.ravel(), by=np.repeat(np.arange(800), 300))
    covered = ((table.lower <= truth) & (truth <= table.upper)).mean()
    assert 0.92 <= covered <= 0.97  # nominal 0.95; three standard errors of 800 draws, and a known small bias
    assert table.std_error.mean() == pytest.approx(table.estimate.std(), rel=0.08)


def test_groups_equal_the_measures_made_one_by_one_and_input_is_untouched():
    rng = np.random.default_rng(1)
    d = pd.DataFrame({"place": rng.choice(["00001", "00002", "00003"], 300), "y": rng.lognormal(0, 1, 300)})
    d.loc[rng.random(300) < 0.05, "y"] = np.nan
    d["w"] = rng.integers(1, 5, 300)
    before = d.copy()
    for measure in MEASURES:
        table = measure(d.y, weights=d.w, by=d.place).set_index("place")
        for place, part in d.groupby("place"):
            alone = measure(part.y, weights=part.w)
            assert table.loc[place, ["estimate", "std_error", "upper"]].astype(
                float
            ).tolist() == pytest.approx([alone.estimate, alone.std_error, alone.upper])
    pd.testing.assert_frame_equal(d, before)


def test_incomes_for_which_a_measure_is_not_defined_are_refused():
    with pytest.raises(
        DataError, match="1 of 3 incomes are zero or negative, for which the mean log deviation"
    ):
        inequality.mean_log_deviation([0, 1, 2])
    with pytest.raises(DataError, match="1 of 3 incomes are negative, for which the Gini"):
        inequality.gini([-1, 1, 2])
    with pytest.raises(DataError, match="Atkinson's index of epsilon 1"):
        inequality.atkinson([0, 1, 2], epsilon=1)
    with pytest.raises(DataError, match="epsilon=0"):
        inequality.atkinson([1, 2], epsilon=0)
    with pytest.raises(DataError, match="mean is 0"):
        inequality.theil([0, 0])
    with pytest.raises(DataError, match="poorest fifth"):
        inequality.quintile_ratio([0, 0, 0, 1, 2])
    with pytest.raises(DataError, match="rule='linear'"):
        inequality.quintile_ratio([1, 2, 3], weights=[1, 2, 1], rule="linear")
    assert np.isnan(inequality.gini([np.nan, np.nan]).estimate)
    # Zero incomes have their limit where one exists.
    assert inequality.theil([0, 2]).estimate == pytest.approx(np.log(2))
    assert inequality.gini([0, 2]).estimate == pytest.approx(0.5)
