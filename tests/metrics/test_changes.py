"""Changes from year to year: hand counts, breaks, and how often their intervals hold the truth."""

import numpy as np
import pandas as pd
import pytest
from indicator_tables import simulated_rows

from evalkit.metrics import changes


def row(year, poor, households=800, basis="2016-2020", **other):
    given = {"place": "99001", "indicator": "poverty_rate_pct", "method": "review", "unit": "percent"}
    rate = 100 * poor / households
    bounds = {"value": rate, "lower": rate - 1, "upper": rate + 1}
    return (
        given | bounds | {"year": year, "basis": basis, "numerator": poor, "denominator": households} | other
    )


def test_by_hand_with_newcombe_s_interval():
    made = changes.yearly(pd.DataFrame([row(2017, 48, 80), row(2018, 56, 70), row(2020, 10, 70)]))
    assert made["year"].tolist() == [2018]  # 2020 has no year before it
    only = made.iloc[0]
    assert only["change"] == pytest.approx(20)
    # Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10: 56/70 - 48/80
    assert (only["lower"], only["upper"]) == pytest.approx((5.24, 33.39), abs=5e-3)
    assert only["growth_pct"] == pytest.approx(100 / 3)
    assert changes.distinguishable(made).tolist() == [True]


def test_no_change_across_a_standard_or_a_kind_of_statistic():
    rows = [row(2021, 40), row(2022, 60, basis="2022-2025"), row(2022, 50, method="survey")]
    assert changes.yearly(pd.DataFrame(rows)).empty
    bridge = changes.yearly(pd.DataFrame([*rows, row(2021, 70, basis="2022-2025")]))
    assert bridge[["year", "basis"]].values.tolist() == [[2022, "2022-2025"]]
    assert bridge["change"].iloc[0] == pytest.approx(-1.25)


def test_over_each_standard_from_its_first_to_its_last_year():
    rows = pd.DataFrame(
        [row(2014, 56, 70, "2011-2015"), row(2015, 9, 90), row(2016, 9, 80), row(2019, 3, 90), row(2022, 1, 90, "2022-2025")]
    )  # fmt: skip
    made = changes.spans(rows)
    assert made[["basis", "since", "year"]].values.tolist() == [["2016-2020", 2015, 2019]]
    assert made["change"].iloc[0] == pytest.approx(100 * (3 - 9) / 90)


def test_amounts_change_between_their_printed_bounds():
    given = {"indicator": "outstanding_loans_vnd", "unit": "VND", "basis": pd.NA, "method": "bank"}
    given |= {"numerator": np.nan, "denominator": np.nan}
    rows = [
        row(2019, 0) | given | {"value": 5e9, "lower": 5e9, "upper": 5e9},
        row(2020, 0) | given | {"value": 6e9, "lower": 6e9, "upper": np.inf},
    ]
    made = changes.yearly(pd.DataFrame(rows)).iloc[0]
    assert (made["change"], made["lower"], made["upper"], made["growth_pct"]) == (1e9, 1e9, np.inf, 20)


def test_hidden_and_impossible_counts():
    rows = pd.DataFrame([row(2019, 40), row(2020, 3, value=np.nan), row(2021, 4), row(2022, 900)])
    made = changes.yearly(rows)
    assert made["year"].tolist() == [2022]  # what is hidden or missing in one year leaves no change
    assert made["upper"].iloc[0] == pytest.approx(made["change"].iloc[0] + 2)


def test_every_change_of_the_simulated_province_holds_its_interval_and_stays_on_one_standard():
    rows = simulated_rows()
    rows = rows[rows["indicator"].isin(["poverty_rate_pct", "outstanding_per_household_real_vnd"])]
    rows = rows[rows["method"] != "survey"]
    made = changes.yearly(rows)
    assert len(made) > 4_000
    assert (made["lower"] <= made["change"] + 1e-9).all()
    assert (made["change"] <= made["upper"] + 1e-9).all()
    rates = made[made["indicator"] == "poverty_rate_pct"]
    firsts = rows[rows["indicator"] == "poverty_rate_pct"].groupby(["place", "basis"])["year"].min()
    first = rates.set_index(["place", "basis"]).index.map(firsts)
    assert (rates["year"].to_numpy() > first.to_numpy()).all()


def test_the_interval_of_a_change_covers_the_truth():
    rng = np.random.default_rng(31)
    draws, before, after = 3000, rng.beta(2, 20, 3000), rng.beta(2, 22, 3000)
    households = rng.integers(150, 3000, (2, draws))
    poor = rng.binomial(households, [before, after])
    year = np.repeat([2018, 2019], draws)
    rows = pd.DataFrame(
        {
            "place": np.tile(np.arange(draws), 2),
            "indicator": "poverty_rate_pct",
            "basis": "2016-2020",
            "method": "review",
            "unit": "percent",
            "year": year,
            "numerator": poor.ravel(),
            "denominator": households.ravel(),
        }
    )
    rows["value"] = rows["lower"] = rows["upper"] = 100 * rows["numerator"] / rows["denominator"]
    made = changes.yearly(rows).sort_values("place")
    truth = 100 * (after - before)
    covered = ((made["lower"] <= truth) & (truth <= made["upper"])).mean()
    assert (
        0.935 < covered < 0.97
    )  # four standard errors of a share of 0.95 among 3,000, rather wide for small n


def test_the_interval_of_a_change_is_too_wide_for_households_that_stay():
    """Most of a year's poor were poor the year before: the interval says less than it could, never more."""
    rng = np.random.default_rng(32)
    draws, n = 1500, 900
    was = rng.random((draws, n)) < 0.12
    stays, falls = rng.random((draws, n)) < 0.8, rng.random((draws, n)) < 0.01
    now = np.where(was, stays, falls)
    truth = 100 * (0.12 * 0.8 + 0.88 * 0.01 - 0.12)
    rows = pd.concat(
        pd.DataFrame([row(year, int(x), n, place=str(i)) for i, x in enumerate(counts.sum(axis=1))])
        for year, counts in ((2018, was), (2019, now))
    )
    made = changes.yearly(rows)
    assert ((made["lower"] <= truth) & (truth <= made["upper"])).mean() > 0.99
