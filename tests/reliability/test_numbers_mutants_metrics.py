"""Tests that mutation testing asked for: each fails on a change of the measures that the other tests let pass."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import evalkit as ek
from evalkit.errors import BasisError, DataError, ParameterError
from evalkit.metrics import (
    benchmarks,
    definitions,
    facts,
    groups,
    households,
    income,
    intervals,
    lending,
    loans,
    portfolio,
    poverty,
    reviews,
    survey,
    tabulate,
)
from evalkit.metrics.estimate import Estimate
from evalkit.metrics.quantiles import weighted_quantile
from evalkit.metrics.rows import difference, flags_of
from evalkit.metrics.sample import draw
from evalkit.metrics.suppress import primary


def test_a_lone_unit_is_measured_from_the_mean_of_all_units_not_from_their_sum():
    values, strata = [1.0, 3.0, 10.0], ["a", "a", "b"]
    found = survey.total(values, strata=strata, single_psu="adjust")
    of_a = 2 / 1 * ((1 - 2) ** 2 + (3 - 2) ** 2)
    of_b = (10 - (1 + 3 + 10) / 3) ** 2
    assert found.std_error == pytest.approx(np.sqrt(of_a + of_b))


def test_what_was_written_off_counts_also_where_the_group_is_not_known():
    loan = {"disbursed_on": "2019-03-01", "amount_vnd": 50e6, "as_of": "2020-12-31", "days_past_due": 0}
    rows = [
        loan | {"loan": "1", "group": "g", "outstanding_vnd": 40e6, "status": "current"},
        loan | {"loan": "2", "group": None, "outstanding_vnd": 20e6, "status": "written_off"},
        loan | {"loan": "3", "group": None, "outstanding_vnd": 30e6, "status": "current"},
    ]
    found = loans.vintages(pd.DataFrame(rows), by="group")
    assert found.written_off_vnd.tolist() == [0, 20e6]
    assert found.value.tolist() == [0, 0.2]


def test_two_units_of_a_population_of_two_leave_nothing_to_chance():
    assert survey.mean([1.0, 3.0], fpc=2).std_error == 0
    assert survey.mean([1.0, 3.0], fpc=1).std_error == 0  # the same, as a fraction


def test_a_row_bears_its_qualifier_and_scope_unless_it_is_exact_and_whole():
    assert flags_of(None, "exact", "whole", False) == ""
    assert flags_of("preliminary", "over", "one_union", True) == "one_union;other_figures;over;preliminary"


RELATIVE = {
    "gini": ek.inequality.gini,
    "theil": ek.inequality.theil,
    "mean_log_deviation": ek.inequality.mean_log_deviation,
    "atkinson": lambda income, **design: ek.inequality.atkinson(income, epsilon=0.5, **design),
    "quintile_ratio": ek.inequality.quintile_ratio,
}


@pytest.mark.parametrize("measure", RELATIVE.values(), ids=RELATIVE)
def test_no_income_is_too_small_and_no_weight_too_light(measure):
    income = np.arange(1.0, 11)
    assert measure(income * 1e-6).estimate == pytest.approx(measure(income).estimate)
    assert measure(income, weights=np.full(10, 0.01)).estimate == pytest.approx(measure(income).estimate)
    with pytest.raises(DataError):
        measure(np.zeros(10), weights=np.full(10, 0.01))


def test_a_rate_carried_to_another_standard_stays_at_most_100():
    rates = {"place": "a", "indicator": "poverty_rate_pct", "basis": "old", "flags": None}
    rates |= {"value": 80.0, "lower": 75.0, "upper": 85.0, "numerator": 8.0, "denominator": 10.0}
    bridge = {"place": "a", "indicator": "poverty_rate_pct", "basis_from": "old", "basis_to": "new"}
    bridge |= {"ratio": 1.5, "lower": 1.4, "upper": 1.6}
    (found,) = reviews.bridged(pd.DataFrame([rates]), pd.DataFrame([bridge])).to_dict("records")
    assert (found["value"], found["lower"], found["upper"], found["basis"]) == (100, 100, 100, "new")


def test_the_ratio_of_two_large_counts_has_the_interval_of_its_logarithm():
    """The delta method, which the interval nears where counts are large; Wilson's own bounds alone are wider."""
    x, n = np.array([4000.0]), np.array([20000.0])
    ratio, lower, upper = reviews._ratio_interval(x, n, 2 * x, 1.5 * n)
    spread = 1.959964 * np.sqrt((1 - 0.2) / 4000 + (1 - 8000 / 30000) / 8000)
    assert ratio[0] == pytest.approx(0.75)
    assert lower[0] == pytest.approx(0.75 * np.exp(-spread), rel=1e-3)
    assert upper[0] == pytest.approx(0.75 * np.exp(spread), rel=1e-3)


def test_others_near_in_time_lie_below_above_or_undecided():
    row = {"indicator": "i", "period": "2020", "year": 2020.0, "unit": "VND", "basis": None, "method": "bank"}
    bounds = {"a": (4, 6), "b": (1, 2), "c": (8, 9), "d": (9, 9), "e": (5, 7)}
    rows = [row | {"place": p, "value": (a + b) / 2, "lower": a, "upper": b} for p, (a, b) in bounds.items()]
    table = pd.DataFrame(rows).assign(flags="")
    found = benchmarks.among(table, pd.Series("commune", index=list("abcde")), ["i"], minimum=1, years=1)
    own = found.set_index("place").loc["a"]
    assert own[["n", "below", "above", "undecided"]].tolist() == [4, 1, 2, 1]


def test_two_sides_differ_in_what_is_named_and_in_nothing_else():
    pairs = pd.DataFrame({"basis": ["a", "a", None, None], "parent_basis": ["a", "b", None, "b"]})
    pairs = pairs.assign(
        unit=["x", "x", "x", "y"], parent_unit="x", method="m", parent_method=["m", "m", "n", "n"]
    )
    found = benchmarks._differs(pairs, ("basis", "unit", "method"))
    assert found.tolist() == ["", "basis", "method", "basis;unit;method"]


def test_the_quantile_of_a_group_is_one_of_its_own_values():
    values, group = np.array([1.0, 2, 3, 10, 20, 30]), np.repeat([0, 1], 3)
    found = weighted_quantile(values, np.ones(6), 0.0, group=group, groups=2)
    assert found.tolist() == [1, 10]


def test_a_household_without_a_line_counts_where_no_line_is_needed():
    places = [f"1000{i}" for i in range(8)]
    units = pd.DataFrame({"place": places, "level": "commune", "district_code": "100", "province_code": "10"})
    table = pd.DataFrame({"place": places * 3, "year": 2023, "household": [str(i) for i in range(24)]})
    table = table.assign(income_month_vnd=np.linspace(1e6, 24e6, 24), members=4.0, area="rural")
    table["area"] = table["area"].astype("string").mask(table.index >= 16)
    found = (
        households.rows(table.assign(cluster=table["place"]), units)
        .query("place == '10'")
        .set_index("indicator")
    )
    below = table.query("area == 'rural' and income_month_vnd <= 1.5e6")
    assert found.at["income_below_line_pct", "value"] == pytest.approx(100 * len(below) / 16)
    assert found.at["gini_index", "value"] == pytest.approx(
        ek.inequality.gini(table["income_month_vnd"]).estimate
    )


def required(value, expr="outstanding_poor", **tables):
    units = pd.DataFrame({"place": ["a"], "level": "commune", "district_code": "1", "province_code": "1"})
    cells = pd.DataFrame({"place": ["a"], "year": [2020], "value": [value], "expr": [expr]})
    given = {"threshold": 5, "percent": 10, "zeros": False}
    return primary.sensitive(SimpleNamespace(cells=cells), tables, units, **given).tolist()


@pytest.mark.parametrize(
    ("value", "borrowers", "width"),
    [(60e6, 3, 12e6), (60e6, 4, 12e6), (60e6, 5, 0), (60e6, 0, 0), (0, 3, 0), (1, 3, 1)],
)
def test_money_of_few_borrowers_is_hidden_within_twice_the_share_of_itself(value, borrowers, width):
    credit = {"place": ["a"], "year": [2020], "programme": ["poor"], "borrowers": [borrowers]}
    assert required(value, credit=pd.DataFrame(credit)) == [width]


def test_a_count_of_households_is_hidden_by_its_own_size_whatever_money_stands_behind_it():
    credit = pd.DataFrame({"place": ["a"], "year": [2020], "programme": ["poor"], "borrowers": [3]})
    assert [required(n, expr="poor", credit=credit) for n in (4, 5)] == [[5], [0]]


@pytest.mark.parametrize(
    ("owed", "hidden"),
    [
        ([10e6] * 5, False),
        ([10e6] * 4, True),
        ([10e6] * 4 + [0.0] * 3, True),  # whoever owes nothing stands behind no debt
        ([100e6, 50e6, 4e6, 4e6, 1e6], True),  # the rest is under a tenth of the largest
        ([100e6, 50e6, 4e6, 4e6, 2e6], False),
    ],
)
def test_single_loans_hide_a_sum_of_few_households_and_one_that_two_of_them_make(owed, hidden):
    loans = pd.DataFrame({"outstanding_vnd": owed, "place": "a", "as_of": "2020-12-31", "programme": "poor"})
    loans["household"] = loans.index.astype(str)
    assert (required(sum(owed), loans=loans)[0] > 0) == hidden


def test_a_confidence_of_none_or_all_is_no_confidence():
    for refused in (0, 1, -0.1, "0.95", None):
        with pytest.raises(ParameterError, match="confidence"):
            Estimate(1.0, confidence=refused)
    with pytest.raises(ParameterError, match="confidence=0: a share between"):
        intervals.wilson(1, 2, confidence=0)


def test_an_estimate_says_its_interval_where_it_has_one():
    assert "interval" not in Estimate(1.0).described()
    assert Estimate(1.0, lower=0.5, upper=2.0).described()["interval"] == "0.5 to 2 (95%)"
    assert Estimate(1.0, lower=0.5).described()["interval"] == "0.5 to nan (95%)"


def test_a_negative_count_is_named_by_its_position():
    with pytest.raises(DataError, match="x, position 1: -1 is negative"):
        intervals.wilson([0, -1, -2], [5, 5, 5])


def test_the_stratum_of_which_more_was_drawn_than_there_is_is_named():
    with pytest.raises(DataError, match="2 sampling units in the population of a stratum where 3 were drawn"):
        survey.mean([1.0, 2, 3, 4, 5], strata=list("aabbb"), fpc=[1, 1, 2, 2, 2])


def test_a_difference_of_two_rows_is_bounded_by_what_both_allow():
    row = {
        "indicator": "income_year_vnd",
        "unit": "VND",
        "basis": "current",
        "method": "bank",
        "period": "2020",
    }
    later, earlier = (
        row | dict(zip(("value", "lower", "upper"), v, strict=True)) for v in ((5, 4, 7), (3, 2, 3))
    )
    assert difference(later, earlier) == (2, 1, 5)
    no_basis = {"basis": pd.NA}
    assert difference(later | no_basis, earlier | no_basis) == (2, 1, 5)
    for one, other in ((later | no_basis, earlier), (later, earlier | no_basis)):
        with pytest.raises(BasisError, match="can't be subtracted"):
            difference(one, other)


def test_the_basis_of_amounts_is_one_none_or_refused():
    assert income.one_basis(None) is None
    assert income.one_basis("current") == income.one_basis(["current", "current"]) == "current"
    with pytest.raises(BasisError, match="current, real"):
        income.one_basis(["current", "real"])
    assert income.per_month(24.0, "year") == income.per_month(2.0, "month") == 2.0
    assert income.per_month(np.array([24.0, 2.0]), ["year", "month"]).tolist() == [2, 2]
    for rank in (0, 100, 100.5):
        with pytest.raises(DataError, match="must lie between 0 and 100"):
            income.percentile([1.0, 2.0], rank)


def test_growth_of_a_percentile_has_the_interval_of_its_logarithm():
    """The delta method by hand: the variances of the two logarithms add up, and the years divide both ends."""
    before, after = np.arange(10.0, 60), np.arange(12.0, 112, 2)
    (found,) = income.growth_incidence(before, after, ranks=(50,), years=2).to_dict("records")
    first, second = (income.percentile(y, 50) for y in (before, after))
    log = np.log(second.estimate / first.estimate)
    half = 1.959964 * np.hypot(first.std_error / first.estimate, second.std_error / second.estimate)
    assert found["growth"] == pytest.approx(np.exp(log / 2) - 1)
    assert found["lower"] == pytest.approx(np.exp((log - half) / 2) - 1, rel=1e-5)
    assert found["upper"] == pytest.approx(np.exp((log + half) / 2) - 1, rel=1e-5)


def test_rates_too_near_zero_are_bounded_by_what_both_intervals_allow():
    x2 = np.array([0.0, 1, 2, 3])
    x1, n = np.full(4, 20.0), np.full(4, 1000.0)
    ratio, lower, upper = reviews._ratio_interval(x1, n, x2, n)
    least, most = intervals.wilson(20, 1000)[0], intervals.wilson(x2, n)[1]
    assert lower.tolist() == pytest.approx((least / most).tolist())
    assert np.isinf(upper).tolist() == [True, False, False, False]
    assert ratio[1:].tolist() == pytest.approx([20, 10, 20 / 3])
    _, lower, _ = reviews._ratio_interval(np.array([20.0]), n[:1], np.array([20.0]), n[:1])
    assert lower[0] > 1.01 * least / intervals.wilson(20, 1000)[1]


@pytest.mark.parametrize(
    ("poor", "water", "total", "distinct", "most", "least"),
    [
        (60, 80, 120, 120, 120, 120),  # the office counts each household once
        (60, 80, 80, 80, 80, 80),  # all of the smaller programme are in the larger
        (60, 80, 140, None, 140, 80),  # a total that only adds up tells nothing
        (60, 80, 79, None, 140, 80),  # nor one below its largest part
        (60, 80, None, None, 140, 80),
        (60, 0, None, 60, 60, 60),  # one programme lends
        (1, 1, None, None, 2, 1),
        (0, 1, None, 1, 1, 1),
        (None, 80, 120, None, 120, 80),
        (None, 80, None, None, None, None),
    ],
)
def test_borrowers_of_two_programmes_are_between_the_larger_and_the_sum(
    poor, water, total, distinct, most, least
):
    parts = pd.DataFrame({"place": "a", "year": 2020, "programme": ["poor", "water", "total"]})
    parts["borrowers"] = pd.array([poor, water, total], "Float64")
    added = parts.iloc[:2]["borrowers"].sum() if poor is not None else np.nan
    index = pd.MultiIndex.from_tuples([("a", 2020)], names=["place", "year"])
    at = lambda value: pd.Series([np.nan if value is None else value], index, dtype=float)  # noqa: E731
    found = lending._borrowers(parts.iloc[:2].astype({"borrowers": float}), at(added), at(total)).iloc[0]
    wanted = [distinct, most, least]
    names = ["borrower_households", "borrowers_most", "borrowers_least"]
    assert found[names].tolist() == pytest.approx([np.nan if v is None else v for v in wanted], nan_ok=True)


def test_the_loan_book_of_a_year_by_hand():
    units = pd.DataFrame({"place": ["a"], "level": "commune", "code": "a", "name": "A"})
    row = {"place": "a", "programme": "poor", "loans": 3.0, "borrowers": 3.0, "lent": 0.0}
    money = {"lent_vnd": 10.0, "collected_vnd": 5.0, "written_off_vnd": 0.0}
    rows = [
        row | money | {"year": 2019, "outstanding_vnd": 60.0, "overdue_vnd": 2.0, "frozen_vnd": 3.0, "extended_vnd": 5.0},
        row | money | {"year": 2020, "outstanding_vnd": 100.0, "overdue_vnd": 10.0, "frozen_vnd": 20.0, "extended_vnd": 30.0},
        row | money | {"year": 2021, "outstanding_vnd": 10.0, "overdue_vnd": 5.0, "frozen_vnd": 4.0, "extended_vnd": 1.0},
        row | money | {"year": 2022, "outstanding_vnd": 10.0, "overdue_vnd": 5.0, "frozen_vnd": 4.0, "extended_vnd": 2.0},
    ]  # fmt: skip
    found = lending.sums(pd.DataFrame(rows).drop(columns="lent"), units).set_index("year")
    assert found["current"].tolist() == pytest.approx([50, 40, 0, np.nan], nan_ok=True)
    assert found["outstanding_mean"].tolist() == pytest.approx([np.nan, 80, 55, 10], nan_ok=True)
    assert found["rest"].tolist() == [0, 0, 0, 0]


def test_groups_of_a_commune_by_hand():
    rows = pd.DataFrame(
        {"place": "a", "year": 2020, "members": [3.0, 30, 61], "outstanding_vnd": [1.0, 2, 4]}
    )
    rows = rows.assign(savings_vnd=1.0, overdue_vnd=[0.0, 0.0, 5.0], rating=["good", pd.NA, "weak"])
    rows = rows.assign(
        union=pd.array(["women", pd.NA, "youth"], "string"), rating=rows["rating"].astype("string")
    )
    (found,) = groups.sums(rows).to_dict("records")
    assert (found["groups"], found["rated"], found["good"], found["weak"]) == (3, 2, 1, 1)
    assert (found["without_overdue"], found["outside_size"]) == (2, 2)
    assert (found["outstanding_women"], found["outstanding_youth"], found["outstanding_of_unions"]) == (
        1,
        4,
        5,
    )
    (none,) = groups.sums(rows.assign(overdue_vnd=[0.0, np.nan, 0.0], members=[5.0, 60, 60])).to_dict(
        "records"
    )
    assert (none["outside_size"], np.isnan(none["without_overdue"])) == (0, True)


def test_what_a_definition_makes_of_nothing_and_of_one_part():
    nothing = definitions.Quantity("n", "c", "VND", "", sparse=True).of({"c": np.array([0.0, 5.0])})
    assert nothing["value"].tolist() == pytest.approx([np.nan, 5], nan_ok=True)
    kept = definitions.Quantity("n", "c", "VND", "").of({"c": np.array([0.0, 5.0])})
    assert kept["value"].tolist() == [0, 5]
    hhi = definitions.Concentration("h", ("a", "b"), "w", "", "")
    found = hhi.of({"a": np.array([30.0, 0]), "b": np.array([20.0, 0]), "w": np.array([100.0, 0])})
    assert found["value"].tolist() == pytest.approx([0.13, np.nan], nan_ok=True)
    assert found["upper"].tolist() == pytest.approx([0.13 + 0.25, np.nan], nan_ok=True)
    number = definitions.NumberOf("n", ("a", "b"), "", "")
    assert number.of({"a": np.array([0.0, 1, np.nan]), "b": np.array([1.0, 1, np.nan])})[
        "value"
    ].tolist() == (pytest.approx([1, 2, np.nan], nan_ok=True))


def test_a_ratio_of_facts_bears_the_method_of_its_numerator_and_the_year_of_the_later():
    base = {"place": "a", "code": "a", "qualifier": "exact", "scope": "whole", "source_url": "https://page"}
    debt = base | {
        "indicator": "outstanding_loans_vnd",
        "value": "1000",
        "unit": "VND",
        "as_of": "2020-12-31",
    }
    people = base | {
        "indicator": "borrower_households",
        "value": "10",
        "unit": "households",
        "as_of": "2021-01-31",
    }
    rest = dict.fromkeys(
        ("period_start", "period_end", "basis", "flags", "note", "published_on", "source_title")
    )
    table = pd.DataFrame([debt | rest | {"method": "bank"}, people | rest | {"method": "yearbook"}]).astype(
        "string"
    )
    found = facts.derived(table).set_index("indicator").loc["outstanding_per_borrower_vnd"]
    assert (found["value"], found["method"], found["period"]) == (100, "bank", "2021-01-31")
    undated = facts.rows(pd.concat([table, table.iloc[:1].assign(value="31/12/2020", unit="date")]))
    assert undated["value"].tolist() == [1000, 10]
    assert "index" not in undated
    assert not undated["flags"].str.contains("other_figures").any()
    assert undated.index.tolist() == [0, 1]


def test_a_quantile_is_the_same_for_weights_a_billion_times_heavier():
    values = np.arange(1.0, 11)
    for scale in (1e-9, 1.0, 1e9 / 3):
        for tenth in range(1, 10):
            found = weighted_quantile(values, np.full(10, 0.1 * scale), tenth / 10)
            assert found.tolist() == [tenth + 0.5]


def test_a_row_of_households_stands_on_its_line_or_on_the_prices_of_its_year():
    places = [f"1000{i}" for i in range(8)]
    units = pd.DataFrame({"place": places, "level": "commune", "district_code": "100", "province_code": "10"})
    table = pd.DataFrame({"place": places * 3, "year": 2023, "household": [str(i) for i in range(24)]})
    table = table.assign(income_month_vnd=np.linspace(1e6, 24e6, 24), members=4.0, cluster=table["place"])
    found = households.rows(table, units).drop_duplicates("indicator").set_index("indicator")["basis"]
    assert found["income_below_line_pct"] == "2022-2025"
    assert set(found.drop("income_below_line_pct").dropna()) <= {"current", "2022-2025"}
    assert "current" in set(found)


def test_a_denominator_that_is_at_most_nothing_bounds_a_ratio_from_above():
    assert intervals.divide_bounds(1, 2, -1, 0) == (-np.inf, -1)
    assert intervals.divide_bounds(1, 2, 0, 4) == (0.25, np.inf)


def test_a_share_of_two_has_the_interval_of_its_two():
    found = survey.proportion([1.0, 0.0])
    assert (found.lower, found.upper) == pytest.approx(intervals.wilson(1, 2))


def test_the_interval_of_the_quintile_ratio_is_that_of_its_logarithm():
    found = ek.inequality.quintile_ratio(np.arange(1.0, 51) ** 2)
    assert found.lower * found.upper == pytest.approx(found.estimate**2)


def test_a_group_without_income_is_refused_beside_others_that_have_some():
    with pytest.raises(DataError, match="the mean is 0 or less"):
        ek.inequality.gini([1.0, 2.0, 0.0, 0.0], by=["a", "a", "b", "b"])


def test_the_relative_line_itself_is_not_poor_and_no_share_is_above_one():
    income_ = [6.0, 10, 10, 10, 12]
    assert ek.poverty.at_risk_rate(income_, share=0.6).estimate == 0
    assert ek.poverty.at_risk_rate([5.9, *income_[1:]], share=0.6).estimate == 0.2
    for share in (0, 1.01, 2):
        with pytest.raises(DataError, match="must be a share of the median"):
            ek.poverty.at_risk_rate(income_, share=share)


def test_the_density_is_that_of_another_library():
    rng = np.random.default_rng(8)
    y = np.r_[rng.lognormal(size=40), 50.0]
    spread = min(y.std(), np.subtract(*np.quantile(y, [0.75, 0.25], method="averaged_inverted_cdf")) / 1.34)
    width = 0.9 * spread * len(y) ** -0.2
    other = stats.gaussian_kde(y, bw_method=width / y.std(ddof=1))
    found = poverty._density(draw(y), np.array([1.5]))
    assert found == pytest.approx(other(1.5))
    heavy = poverty._density(draw(y, weights=np.full(len(y), 3.0)), np.array([1.5]))
    assert heavy == pytest.approx(found)


def test_an_income_below_one_is_no_negative_one():
    assert not any("negative" in w for w in ek.poverty.fgt([0.5, 2.0, 0.0], 1.0, alpha=1).warnings)
    assert any("1 negative" in w for w in ek.poverty.fgt([-0.5, 2.0, 0.0], 1.0, alpha=1).warnings)


def test_sums_of_a_loan_book_are_over_all_its_loans():
    loan = {
        "household": "h",
        "code": "a",
        "programme": "poor",
        "as_of": "2020-12-31",
        "disbursed_on": "2018-01-01",
    }
    loan |= {"amount_vnd": 9e6, "overdue_vnd": 1e6, "days_past_due": 0, "outstanding_vnd": 2e6}
    states = ("current", "frozen", "extended", "written_off", "repaid")
    rows = [loan | {"loan": f"{s}{i}", "status": s} for s in states for i in (1, 2)]
    rows += [loan | {"loan": f"unknown{i}", "status": "overdue", "days_past_due": None} for i in (1, 2)]
    (found,) = portfolio.annual(pd.DataFrame(rows), by=("code",)).to_dict("records")
    for name in ("frozen_vnd", "extended_vnd", "written_off_vnd", "days_unknown_vnd"):
        assert found[name] == 4e6, name
    assert (found["loans"], found["outstanding_vnd"], found["overdue_vnd"]) == (8, 16e6, 8e6)


def test_four_communes_of_five_speak_for_their_district_and_three_do_not():
    units = pd.DataFrame(
        {"place": [*"abcde"], "level": "commune", "district_code": "1", "province_code": "9"}
    )
    share = definitions.Ratio("r", ("x",), ("n",), "percent", "", scale=100)
    total = definitions.Quantity("q", "x", "households", "")
    for seen, flags in (
        (5, {"r": "computed", "q": ""}),
        (4, {"r": "computed;nearly_whole", "q": "part"}),
        (3, {"r": "computed;part", "q": "part"}),
    ):
        sums = pd.DataFrame({"place": [*"abcde"][:seen], "year": 2020, "x": 1.0, "n": 2.0})
        made = tabulate.rows(sums, [share, total], units, method="m", source="s")
        district = made[made["place"] == "1"].set_index("indicator")
        assert district["flags"].to_dict() == flags
        assert district.loc["r", "value"] == 50
        assert district.loc["q", ["value", "upper"]].tolist() == [seen, seen if seen == 5 else np.inf]


FACT = {
    "place": "a",
    "code": "a",
    "qualifier": "exact",
    "scope": "whole",
    "method": "bank",
    "source_url": "https://p",
}


def test_two_figures_of_one_quantity_are_marked_also_where_no_basis_is_known():
    base = FACT | {"indicator": "savings_loan_groups", "unit": "groups", "as_of": "2020"}
    rest = dict.fromkeys(
        ("period_start", "period_end", "basis", "flags", "note", "published_on", "source_title")
    )
    table = pd.DataFrame([base | rest | {"value": v} for v in ("16", "17")]).astype("string")
    (found,) = facts.rows(table).to_dict("records")
    assert (found["value"], found["flags"]) == (16, "other_figures")
    (alone,) = facts.rows(table.iloc[:1]).to_dict("records")
    assert alone["flags"] == ""


@pytest.mark.parametrize("event", [0.0, 1.0])
def test_nobody_and_everybody_have_an_interval_too(event):
    found = survey.proportion([event] * 7, weights=np.arange(1.0, 8))
    assert (found.lower, found.upper) == pytest.approx(intervals.wilson(7 * event, 7))


def test_a_fact_without_a_number_makes_no_row():
    base = FACT | {"indicator": "savings_loan_groups", "as_of": "2020", "value": "16", "unit": "groups"}
    rest = dict.fromkeys(
        ("period_start", "period_end", "basis", "flags", "note", "published_on", "source_title")
    )
    rows = [
        base,
        base | {"as_of": "2021", "value": None},
        base | {"as_of": "2022", "value": "2022", "unit": "date"},
    ]
    found = facts.rows(pd.DataFrame([row | rest for row in rows]).astype("string"))
    assert found["value"].tolist() == [16]


def test_a_group_whose_incomes_are_all_missing_is_no_group_without_income():
    y = [*np.arange(1.0, 11), np.nan, np.nan]
    for split in (True, False):
        found = ek.inequality.quintile_ratio(y, by=["a"] * 10 + ["b"] * 2, split=split)
        alone = ek.inequality.quintile_ratio(y[:10], split=split)
        assert found["estimate"].tolist() == pytest.approx([alone.estimate])
