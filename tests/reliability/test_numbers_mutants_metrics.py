"""Tests that mutation testing asked for: each fails on a change of the measures that the other tests let pass."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.errors import DataError
from evalkit.metrics import benchmarks, households, loans, reviews, survey
from evalkit.metrics.quantiles import weighted_quantile
from evalkit.metrics.rows import flags_of
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
