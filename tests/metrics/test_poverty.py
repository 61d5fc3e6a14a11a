"""Poverty measures against published examples, hand counts, laws, and the coverage of their intervals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.metrics import inequality, poverty, survey

# Haughton and Khandker (2009), Handbook on Poverty and Inequality, ch. 4, pp. 71-72: country C, line 125.
COUNTRY_C = [100, 110, 150, 160]
# Vectors of the examples of R's ineq.
X = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]
Y = [841, 2063, 2445, 3438, 4437, 5401, 6392, 8304, 11304, 21961]


def test_handbook_on_poverty_and_inequality():
    got = [poverty.fgt(COUNTRY_C, 125, alpha=a).estimate for a in (0, 1, 2)]
    assert got == pytest.approx([0.5, 0.08, 0.0136])


def test_printed_examples_of_r_ineq():
    assert poverty.watts(X, 2000).estimate == pytest.approx(0.1620141, abs=5e-8)
    assert poverty.watts(Y, 2000).estimate == pytest.approx(0.08663108, abs=5e-9)
    assert poverty.fgt(X, 2000, alpha=0).estimate == pytest.approx(0.2)
    assert poverty.fgt(Y, 2000, alpha=0).estimate == pytest.approx(0.1)


def test_hand_count_of_six_with_a_missing_income():
    income, line = [50.0, 100.0, np.nan, 100.0, 150.0, 0.0], 100
    strict = [poverty.fgt(income, line, alpha=a).estimate for a in (0, 1, 2)]
    assert strict == pytest.approx([2 / 5, 1.5 / 5, 1.25 / 5])
    weak = [poverty.fgt(income, line, alpha=a, inclusive=True).estimate for a in (0, 1, 2)]
    assert weak == pytest.approx([4 / 5, 1.5 / 5, 1.25 / 5])
    assert poverty.fgt(income, line, alpha=0).n == 5
    # H 2/5, I 3/4, Gini of (0, 50) 1/2.
    assert poverty.sen(income, line).estimate == pytest.approx(2 / 5 * (3 / 4 + 1 / 4 * 1 / 2))
    weighted = poverty.fgt(income, line, alpha=1, weights=[2, 1, 9, 1, 1, 1])
    assert weighted.estimate == pytest.approx((2 * 0.5 + 1) / 6)
    by_area = poverty.fgt([450, 450, 900], [400, 500, np.nan], alpha=0)
    assert (by_area.estimate, by_area.n) == (0.5, 2)


def test_at_risk_rate_by_hand():
    income = [2.0, 5.9, 8.0, 10.0, 10.0, 14.0, 30.0, np.nan]
    assert poverty.at_risk_rate(income).estimate == pytest.approx(2 / 7)  # median 10, line 6
    assert poverty.at_risk_rate(income, share=0.5).estimate == pytest.approx(1 / 7)
    even = [1.0, 4.0, 8.0, 20.0]  # the median is 6 or, as the smallest value that half reach, 4
    assert poverty.at_risk_rate(even).estimate == pytest.approx(0.25)
    assert poverty.at_risk_rate(even, share=0.7, rule="averaged_inverted_cdf").estimate == pytest.approx(0.5)
    assert poverty.at_risk_rate(even, share=0.7, rule="inverted_cdf").estimate == pytest.approx(0.25)


def test_printed_example_of_alkire_and_foster():
    # Alkire and Foster (2011): the numerical example of four persons, cut-offs (13, 12, 3, 1), k = 2.
    achievements = np.array([[13.1, 14, 4, 1], [15.2, 7, 5, 0], [12.5, 10, 1, 0], [20, 11, 3, 1]])
    deprived = (achievements < [13, 12, 3, 1]).astype(float)
    got = poverty.alkire_foster(deprived, None, 2)
    assert (got.H.estimate, got.A.estimate, got.M0.estimate) == pytest.approx((1 / 2, 3 / 4, 3 / 8))
    dimension = got.by_dimension
    assert dimension.uncensored.tolist() == pytest.approx([1 / 4, 3 / 4, 1 / 4, 2 / 4])
    assert dimension.censored.tolist() == pytest.approx([1 / 4, 2 / 4, 1 / 4, 2 / 4])
    assert dimension.contribution.tolist() == pytest.approx([1 / 6, 2 / 6, 1 / 6, 2 / 6])


def test_deprivation_weights_missing_values_and_groups():
    deprived = pd.DataFrame(
        {"school": [1, 1, 0, 0, 1, 0], "water": [1, 0, 1, 0, np.nan, 0], "house": [0, 0, 1, 0, 1, 0]}
    )
    got = poverty.alkire_foster(deprived, [2, 1, 1], 2)
    # Weighted counts 3 2 2 0 - 0 of 4: three of five poor, intensity 7/12.
    assert (got.H.estimate, got.A.estimate, got.M0.estimate) == pytest.approx((3 / 5, 7 / 12, 7 / 20))
    assert got.H.n == 5
    place = ["a", "a", "b", "b", "c", "d"]
    table = poverty.alkire_foster(deprived, [2, 1, 1], 2, by=place)
    assert table.H.group.tolist() == ["a", "b", "d"]
    assert table.M0.estimate.tolist() == pytest.approx([5 / 8, 1 / 4, 0])
    assert np.isnan(table.A.estimate.iloc[2])  # nobody poor: no intensity, which is not zero
    by_place = table.by_dimension.groupby("group").contribution.sum(min_count=1)
    assert by_place[["a", "b"]].tolist() == pytest.approx([1, 1])
    union = poverty.alkire_foster(deprived, None, 1)
    everything = poverty.alkire_foster(deprived, None, 3)
    assert union.H.estimate == pytest.approx(3 / 5)
    assert everything.H.estimate == 0


def test_moves_in_and_out():
    first, second, third = [1, 1, 1, 0, 0, 1], [0, 0, 1, 1, 0, np.nan], [1, 0, 0, 0, 0, 0]
    assert poverty.exit_rate(first, second).estimate == pytest.approx(2 / 3)
    assert poverty.exit_rate(first, second).n == 3
    assert poverty.entry_rate(first, second).estimate == pytest.approx(1 / 2)
    assert poverty.fall_back_rate(first, second, third).estimate == pytest.approx(1 / 2)
    assert np.isnan(poverty.exit_rate([0, 0], [0, 1]).estimate)


incomes = st.lists(st.integers(1, 200), min_size=2, max_size=40)


@settings(max_examples=40)
@given(incomes, st.integers(1, 200), st.floats(0.1, 1e5), st.randoms())
def test_scale_order_and_replication_change_nothing(income, line, factor, random):
    measures = [
        *(lambda y, z, a=a, **w: poverty.fgt(y, z, alpha=a, **w) for a in (0, 1, 2)),
        poverty.watts,
        poverty.sen,
    ]
    shuffled = random.sample(income, len(income))
    for measure in measures:
        base = measure(income, line).estimate
        same = pytest.approx(base, rel=1e-9, abs=1e-9)
        assert measure([2.0**20 * y for y in income], 2.0**20 * line).estimate == same
        assert measure(shuffled, line).estimate == same
        assert measure(income * 2, line).estimate == same
        assert measure(income, line, weights=[factor] * len(income)).estimate == same


@given(incomes, st.integers(1, 200))
def test_severity_below_gap_below_headcount(income, line):
    found = [poverty.fgt(income, line, alpha=a) for a in (0, 0.5, 1, 2, 3)]
    values = [e.estimate for e in found]
    assert values == sorted(values, reverse=True)
    for e in found:
        assert 0 <= e.lower <= e.estimate <= e.upper <= 1
        assert e.upper > 0


@settings(max_examples=40)
@given(incomes, st.integers(1, 200), st.data())
def test_a_whole_is_the_weighted_mean_of_its_parts(income, line, data):
    group = np.array(data.draw(st.lists(st.sampled_from("abc"), min_size=len(income), max_size=len(income))))
    frame = pd.DataFrame({"place": group, "income": income})
    table = poverty.fgt_by(frame, line, by=["place"], income="income")
    for alpha, part in table.groupby("alpha"):
        whole = poverty.fgt(income, line, alpha=alpha).estimate
        assert np.average(part.estimate, weights=part.n) == pytest.approx(whole, abs=1e-12)


@given(st.lists(st.integers(1, 99), min_size=2, max_size=20), st.data())
def test_transfers_among_the_poor(income, data):
    """From less poor to poorer: the gap stays, severity, Watts and Sen don't rise."""
    income = np.sort(np.array(income, float))
    poor, rich = sorted(
        data.draw(st.lists(st.integers(0, len(income) - 1), min_size=2, max_size=2, unique=True))
    )
    after = income.copy()
    amount = (income[rich] - income[poor]) * data.draw(st.floats(0, 0.5))
    after[poor] += amount
    after[rich] -= amount
    assert poverty.fgt(after, 100, alpha=1).estimate == pytest.approx(
        poverty.fgt(income, 100, alpha=1).estimate
    )
    assert poverty.fgt(after, 100, alpha=2).estimate <= poverty.fgt(income, 100, alpha=2).estimate + 1e-12
    assert poverty.watts(after, 100).estimate <= poverty.watts(income, 100).estimate + 1e-12
    assert poverty.sen(after, 100).estimate <= poverty.sen(income, 100).estimate + 1e-12


@pytest.mark.parametrize("name", ["headcount", "gap", "severity", "watts", "sen", "at_risk"])
def test_intervals_cover_the_truth(name):
    measure = {
        "headcount": lambda y, **d: poverty.fgt(y, 0.5, alpha=0, **d),
        "gap": lambda y, **d: poverty.fgt(y, 0.5, alpha=1, **d),
        "severity": lambda y, **d: poverty.fgt(y, 0.5, alpha=2, **d),
        "watts": lambda y, **d: poverty.watts(y, 0.5, **d),
        "sen": lambda y, **d: poverty.sen(y, 0.5, **d),
        "at_risk": poverty.at_risk_rate,
    }[name]
    rng = np.random.default_rng(21)
    truth = measure(rng.lognormal(0, 0.6, 1_000_000)).estimate
    table = measure(rng.lognormal(0, 0.6, 800 * 300), by=np.repeat(np.arange(800), 300))
    covered = ((table.lower <= truth) & (truth <= table.upper)).mean()
    assert 0.925 <= covered <= 0.975  # nominal 0.95, three standard errors of 800 draws
    assert table.std_error.mean() == pytest.approx(table.estimate.std(), rel=0.08)


def test_interval_where_nobody_poor_was_seen_reaches_as_far_as_the_headcount_s():
    income = [200.0] * 40
    headcount, gap = (poverty.fgt(income, 100, alpha=a) for a in (0, 1))
    assert gap.upper == headcount.upper == pytest.approx(0.0876, abs=5e-5)
    assert poverty.sen(income, 100).upper == headcount.upper
    assert np.isnan(poverty.watts(income, 100).upper)  # without a ceiling nothing bounds what wasn't seen
    assert poverty.alkire_foster([[0, 0]] * 40, None, 1).M0.upper == headcount.upper


def test_many_places_and_years_at_once_equal_one_by_one():
    rng = np.random.default_rng(4)
    n = 3000
    frame = pd.DataFrame(
        {
            "code": rng.choice(["00001", "08473", "25001"], n),
            "year": rng.choice([2018, 2020], n),
            "stratum": rng.choice(["r", "u"], n),
            "psu": rng.integers(0, 12, n),
            "w": rng.uniform(1, 4, n),
            "y": np.where(rng.random(n) < 0.05, np.nan, rng.lognormal(13.5, 0.6, n)),
        }
    )
    before = frame.copy()
    table = poverty.fgt_by(
        frame,
        7e5,
        by=["code", "year"],
        income="y",
        weights="w",
        strata="stratum",
        cluster="psu",
        inclusive=True,
    )
    assert len(table) == 3 * 2 * 3
    for row in table.itertuples():
        part = frame[(frame.code == row.code) & (frame.year == row.year)]
        alone = poverty.fgt(
            part.y,
            7e5,
            alpha=row.alpha,
            weights=part.w,
            strata=part.stratum,
            cluster=part.psu,
            inclusive=True,
        )
        assert (row.estimate, row.std_error, row.lower, row.upper) == pytest.approx(
            (alone.estimate, alone.std_error, alone.lower, alone.upper)
        )
    pd.testing.assert_frame_equal(frame, before)


def test_headcount_has_the_design_s_standard_error():
    rng = np.random.default_rng(2)
    income, w, psu = rng.lognormal(0, 1, 200), rng.uniform(1, 3, 200), np.repeat(np.arange(20), 10)
    for alpha in (0, 1, 2):
        gap = np.where(income < 0.8, (1 - income / 0.8).clip(0) ** alpha, 0)
        got = poverty.fgt(income, 0.8, alpha=alpha, weights=w, cluster=psu)
        assert got.std_error == pytest.approx(survey.mean(gap, weights=w, cluster=psu).std_error)
        assert got.clusters == 20


def test_faults_are_named_and_negative_incomes_announced():
    with pytest.raises(DataError, match="alpha=-1"):
        poverty.fgt([1], 2, alpha=-1)
    with pytest.raises(DataError, match="line, position 1: 0"):
        poverty.fgt([1, 2], [1, 0], alpha=0)
    with pytest.raises(DataError, match="line: 2 entries for 3 incomes"):
        poverty.fgt([1, 2, 3], [1, 2], alpha=0)
    with pytest.raises(DataError, match="1 incomes are zero or negative, for which the Watts"):
        poverty.watts([0, 2], 1)
    with pytest.raises(DataError, match="Sen's index"):
        poverty.sen([-1, 2], 1)
    with pytest.raises(DataError, match=r"k=4: must lie above 0 and up to the sum of the weights, 2"):
        poverty.alkire_foster([[1, 0]], None, 4)
    with pytest.raises(DataError, match="other than 0, 1 and missing"):
        poverty.alkire_foster([[1, 2]], None, 1)
    with pytest.raises(DataError, match="dimension_weights"):
        poverty.alkire_foster([[1, 0]], [1, 0], 1)
    with pytest.raises(DataError, match="share=0"):
        poverty.at_risk_rate([1, 2], share=0)
    debt = poverty.fgt([-50.0, 200.0], 100, alpha=1)
    assert debt.estimate == pytest.approx(0.75)
    assert "1 negative incomes: their gap exceeds 1" in debt.warnings


def test_agrees_with_the_package_microdf():
    mdf = pytest.importorskip("microdf", reason="microdf-python is among the oracle requirements")
    rng = np.random.default_rng(0)
    income, w, line = rng.lognormal(0, 1, 500), rng.uniform(1, 5, 500), 0.8
    theirs = mdf.MicroDataFrame({"income": income, "line": np.full(500, line)}, weights=w)
    people = w.sum()
    assert poverty.fgt(income, line, alpha=0, weights=w).estimate == pytest.approx(
        theirs.poverty_rate("income", "line")
    )
    # microdf returns the totals of gaps and of squared gaps in money.
    assert poverty.fgt(income, line, alpha=1, weights=w).estimate * people * line == pytest.approx(
        theirs.poverty_gap("income", "line")
    )
    assert poverty.fgt(income, line, alpha=2, weights=w).estimate * people * line**2 == pytest.approx(
        theirs.squared_poverty_gap("income", "line")
    )
    assert inequality.gini(income, weights=w).estimate == pytest.approx(theirs.income.gini())
