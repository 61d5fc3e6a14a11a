"""Income: deflation by hand and by published figures, quantile rules, growth incidence, coverage."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import BasisError, DataError
from evalkit.metrics import income, poverty
from evalkit.metrics.quantiles import weighted_quantile

PRICES = pd.Series({2014: 80.0, 2016: 90.0, 2020: 100.0, 2022: 110.0}, name="price_index")


def test_deflation_by_hand():
    amount = pd.Series([800.0, np.nan, 1100.0, 500.0], index=[7, 8, 9, 10])
    real = income.deflate(amount, [2014, 2016, 2022, 2020], to=2020, prices=PRICES)
    assert real.index.tolist() == [7, 8, 9, 10]
    assert real.tolist()[:1] + real.tolist()[2:] == pytest.approx([1000, 1000, 500])
    assert np.isnan(real[8])
    assert income.deflate(900.0, 2016, to=2014, prices=PRICES) == pytest.approx(800)
    assert income.deflate(np.array([[900.0], [80.0]]), 2016, to=2016, prices=PRICES).shape == (2, 1)
    frame = pd.DataFrame({"year": PRICES.index, "index": PRICES.values})
    assert income.deflate(80.0, 2014, to=2022, prices=frame) == pytest.approx(110)


def test_rural_line_of_2011_in_later_prices():
    # World Bank, consumer prices of Viet Nam, change on the year before in per cent.
    change = pd.Series({2012: 9.0947034, 2013: 6.59267476, 2014: 4.08455447, 2015: 0.63120091})
    level = pd.concat([pd.Series({2011: 1.0}), (1 + change / 100).cumprod()])
    assert income.deflate(400_000, 2011, to=2015, prices=level) == pytest.approx(487_000, abs=500)


def test_bases_are_never_mixed():
    with pytest.raises(BasisError, match="self_survey, survey stand together"):
        income.deflate([1.0, 2.0], [2014, 2016], to=2020, prices=PRICES, basis=["survey", "self_survey"])
    with pytest.raises(BasisError, match="2014 occurs twice"):
        income.deflate(1.0, 2014, to=2020, prices=pd.concat([PRICES, PRICES.head(1)]))
    two = pd.DataFrame({"year": [2014, 2020], "index": [1.0, 2.0], "series": ["national", "Phú Thọ"]})
    with pytest.raises(BasisError, match="Phú Thọ, national stand together"):
        income.deflate(1.0, 2014, to=2020, prices=two)
    with pytest.raises(DataError, match=r"no level for 2013; there are 2014 to 2022"):
        income.deflate([1.0, 2.0], [2013, 2014], to=2020, prices=PRICES)
    with pytest.raises(BasisError, match="per: None"):
        income.per_month([12.0, 1.0], ["year", None])
    assert income.per_month(pd.Series([12.0, 5.0]), ["year", "month"]).tolist() == [1, 5]
    assert income.per_month(36.0, "year") == 3
    with pytest.raises(BasisError, match="2010 prices, 2020 prices"):
        income.growth_incidence([1, 2], [2, 3], basis=("2010 prices", "2020 prices"))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(1, 99))
def test_quantile_rules_are_those_of_numpy_and_weights_are_repetitions(values, rank):
    values = np.array(values, float)
    weights = np.arange(len(values)) % 3 + 1.0
    repeated = np.repeat(values, weights.astype(int))
    for rule in ("inverted_cdf", "averaged_inverted_cdf"):
        # numpy's ranks suffer from rounding at exact shares; a rank of 1/128 has none.
        q = round(rank * 1.28) / 128
        expected = np.quantile(repeated, q, method=rule)
        assert weighted_quantile(values, weights, q, rule=rule)[0] == expected
    assert weighted_quantile(values, np.ones(len(values)), 0.3, rule="linear")[0] == np.quantile(values, 0.3)


def test_quantiles_by_hand():
    got = income.percentile([4.0, 1.0, np.nan, 3.0, 2.0], 50)
    assert (got.estimate, got.n, got.unit) == (2.5, 4, "VND")
    assert income.median([4.0, 1.0, 3.0, 2.0], rule="inverted_cdf").estimate == 2
    assert income.median([4.0, 1.0, 3.0, 2.0], weights=[3, 1, 1, 1]).estimate == 3.5
    table = income.percentiles([1.0, 2.0, 3.0, 10.0, np.nan], (25, 75), by=["a", "a", "a", "b", "c"])
    assert table[["group", "percentile", "estimate"]].values.tolist() == [
        ["a", 25, 1],
        ["b", 25, 10],
        ["a", 75, 3],
        ["b", 75, 10],
    ]
    assert np.isnan(income.median([np.nan, np.nan]).estimate)
    with pytest.raises(DataError, match="rank=0"):
        income.percentile([1, 2], 0)


@pytest.mark.parametrize("rank", [10, 50, 90])
def test_percentile_intervals_cover_the_truth(rank):
    rng = np.random.default_rng(13)
    table = income.percentile(rng.lognormal(0, 0.6, 1000 * 200), rank, by=np.repeat(np.arange(1000), 200))
    truth = np.quantile(rng.lognormal(0, 0.6, 2_000_000), rank / 100)
    covered = ((table.lower <= truth) & (truth <= table.upper)).mean()
    assert 0.93 <= covered <= 0.975  # nominal 0.95, three standard errors of 1,000 draws
    assert table.std_error.mean() == pytest.approx(table.estimate.std(), rel=0.1)


def test_growth_incidence_of_a_uniform_rise_is_flat_and_growth_is_per_year():
    rng = np.random.default_rng(17)
    before = rng.lognormal(0, 0.5, 500)
    curve = income.growth_incidence(before, before * 1.21, years=2)
    assert curve.growth.tolist() == pytest.approx([0.10] * 19)
    assert ((curve.lower < 0.10) & (curve.upper > 0.10)).all()
    poorer_gain = income.growth_incidence(before, before + 0.1, ranks=(10, 90))
    assert poorer_gain.growth[0] > poorer_gain.growth[1]
    assert np.isnan(income.growth_incidence([0, 0, 5.0], [1, 1, 5.0], ranks=(25,)).growth[0])
    with pytest.raises(DataError, match="no known value"):
        income.growth_incidence([np.nan], [1.0])


def test_pro_poor_growth_is_the_mean_growth_of_the_poor():
    before = np.array([50.0, 80.0, 150.0, 300.0])
    after = np.array([60.0, 88.0, 150.0, 400.0])
    mean_growth = (np.log(60 / 50) + np.log(88 / 80)) / 2
    assert income.pro_poor_growth(before, after, 100) == pytest.approx(mean_growth)
    assert np.isnan(income.pro_poor_growth([200.0, 300.0], [210.0, 310.0], 100))
    assert income.mean(before).estimate == 145
    assert poverty.fgt(before, 100, alpha=0).estimate == 0.5
