"""Published facts as indicator rows: bounds from the print, and only what belongs together combined."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import BasisError
from evalkit.metrics import facts
from evalkit.metrics.rows import difference

COLUMNS = [
    *("code", "name", "level", "district", "province", "indicator", "value", "unit", "qualifier", "as_of"),
    *("period_start", "period_end", "basis", "method", "scope", "flags", "source_url", "source_title"),
    *("published_on", "note", "place"),
]


def table(*rows):
    """A table of facts; what a row leaves out is missing, the whole place of one page is meant."""
    default = {
        "place": "08473",
        "code": "08473",
        "qualifier": "exact",
        "as_of": "2024",
        "scope": "whole",
        "method": "bank",
        "source_url": "https://page",
    }
    frame = pd.DataFrame([{**default, **row} for row in rows], columns=COLUMNS)
    return frame.astype("string")


def fact(indicator, value, unit="VND", **more):
    return {"indicator": indicator, "value": value, "unit": unit, **more}


DEBT = fact("outstanding_loans_vnd", "26500000000", qualifier="over")
BORROWERS = fact("borrower_households", "614", "households")
GROUPS = fact("savings_loan_groups", "16", "groups")


def one(rows, indicator):
    found = rows[rows["indicator"] == indicator]
    assert len(found) == 1
    return found.iloc[0]


def test_over_26_5_billion_for_614_households_is_over_43_2_million_each():
    each = one(facts.derived(table(DEBT, BORROWERS)), "outstanding_per_borrower_vnd")
    assert each["lower"] == pytest.approx(26.5e9 / 614)  # 43,159,609
    assert each["upper"] == math.inf
    assert each["basis"] == "households"


def test_savings_over_a_lower_bound_are_at_most():
    saved = fact("savings_deposits_vnd", "829000000")
    ratio = one(facts.derived(table(DEBT, saved)), "savings_to_loans_pct")
    assert (ratio["lower"], ratio["upper"]) == (0, pytest.approx(3.1283, abs=1e-4))


def test_households_per_group():
    assert one(facts.derived(table(BORROWERS, GROUPS)), "borrowers_per_group")["value"] == 38.375


@pytest.mark.parametrize(
    ("qualifier", "lower", "upper"),
    [
        ("exact", 500, 500),
        ("over", 500, math.inf),
        ("nearly", 0, 500),
        ("under", 0, 500),
        ("about", 0, math.inf),
    ],
)
def test_bounds_come_from_the_printed_word(qualifier, lower, upper):
    row = facts.rows(table(fact("borrower_households", "500", "households", qualifier=qualifier))).iloc[0]
    assert (row["value"], row["lower"], row["upper"]) == (500, lower, upper)


@pytest.mark.parametrize(
    "other",
    [
        {"scope": "one_union"},  # the Women's Union's portfolio only
        {"scope": "uncertain"},  # perhaps the whole former district
        {"as_of": "2023-03-31"},  # more than a quarter away
        {"as_of": pd.NA, "period_start": "2014", "period_end": "2024"},  # a flow
        {"unit": "turns (lượt)"},
        {"flags": "flow"},
    ],
)
def test_facts_that_do_not_belong_together_are_not_combined(other):
    debt = {**DEBT, "as_of": "2024-12-31"}
    borrowers = {**BORROWERS, "as_of": "2024-12-31", **other}
    assert "outstanding_per_borrower_vnd" not in set(facts.derived(table(debt, borrowers))["indicator"])


def test_undated_facts_go_together_only_on_one_page():
    undated = [{**DEBT, "as_of": pd.NA}, {**BORROWERS, "as_of": pd.NA}]
    elsewhere = [undated[0], {**undated[1], "source_url": "https://other"}]
    assert len(facts.derived(table(*undated))) == 1
    assert len(facts.derived(table(*elsewhere))) == 0


def test_customers_are_not_households():
    each = one(facts.derived(table(DEBT, {**BORROWERS, "unit": "customers"})), "outstanding_per_borrower_vnd")
    assert each["basis"] == "customers"


def test_poor_and_near_poor_are_added_on_one_standard_only():
    poor = fact("poverty_rate_pct", "7.3", "percent", basis="2016-2020", method="review")
    near = fact("near_poor_rate_pct", "7.8", "percent", basis="2016-2020", method="review")
    assert one(facts.derived(table(poor, near)), "poor_plus_near_poor_rate_pct")["value"] == pytest.approx(
        15.1
    )
    assert len(facts.derived(table(poor, {**near, "basis": "2022-2025"}))) == 0


def test_thousands_of_the_statistical_office_are_scaled():
    row = facts.rows(
        table(
            fact(
                "monthly_income_per_capita",
                "4715.31",
                "thousand VND/person/month",
                basis="current",
                method="survey",
            )
        )
    ).iloc[0]
    assert (row["indicator"], row["unit"], row["value"]) == (
        "income_month_vnd",
        "VND/person/month",
        pytest.approx(4_715_310),
    )


def test_the_final_figure_replaces_the_preliminary_one():
    early = fact(
        "poverty_rate_pct",
        "3.5",
        "percent",
        basis="2022-2025",
        flags="preliminary",
        qualifier="preliminary",
        as_of="2023",
    )
    final = fact("poverty_rate_pct", "3.66", "percent", basis="2022-2025", as_of="2023")
    assert facts.rows(table(early, final))["value"].tolist() == [3.66]


def test_rates_on_different_standards_cannot_be_subtracted():
    old = fact("poverty_rate_pct", "9.5", "percent", as_of="2014", basis="2011-2015", method="review")
    new = fact("poverty_rate_pct", "1", "percent", as_of="2024", basis="2022-2025", method="review")
    rows = facts.rows(table(old, new))
    with pytest.raises(BasisError, match="2011-2015"):
        difference(rows.iloc[1], rows.iloc[0])
    same = facts.rows(table(old, {**new, "basis": "2011-2015"}))
    assert difference(same.iloc[1], same.iloc[0])[0] == pytest.approx(-8.5)


def test_rates_without_a_known_standard_cannot_be_subtracted():
    unknown = [
        fact("poverty_rate_pct", v, "percent", as_of=y, method="review")
        for v, y in (("13.3", "2021"), ("11", "2018"))
    ]
    rows = facts.rows(table(*unknown))
    with pytest.raises(BasisError):
        difference(rows.iloc[0], rows.iloc[1])


@given(
    debt=st.integers(10**6, 10**13),
    borrowers=st.integers(1, 10**5),
    q1=st.sampled_from(["exact", "over", "nearly", "about"]),
    q2=st.sampled_from(["exact", "over", "nearly", "about"]),
)
def test_the_ratio_of_the_printed_values_lies_within_its_bounds(debt, borrowers, q1, q2):
    rows = facts.derived(
        table(
            {**DEBT, "value": str(debt), "qualifier": q1},
            {**BORROWERS, "value": str(borrowers), "qualifier": q2},
        )
    )
    row = rows.iloc[0]
    assert row["lower"] <= row["value"] * (1 + 1e-12)
    assert row["value"] <= row["upper"] * (1 + 1e-12)


def test_the_input_is_left_as_it_was():
    given_ = table(DEBT, BORROWERS, GROUPS)
    before = given_.copy()
    facts.rows(given_), facts.derived(given_)
    pd.testing.assert_frame_equal(given_, before)
