"""What is hidden is enough and not more: small hierarchies, tried by an attack written from scratch here."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.metrics import suppress
from evalkit.metrics.suppress.system import system

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from suppress_sample import COMMUNES, PUBLISH, decided, interval, province


def test_the_only_small_count_of_a_district_takes_a_second_with_it():
    rows = decided([2, 40, 60, 50, 20, 30])
    counts = rows[rows["indicator"] == "poor_households"].set_index("place")["hidden"]
    assert counts[["10000", "10001", "10002"]].tolist() == ["primary", "secondary", ""]
    assert (counts[["10003", "10004", "10005", "100", "101", "10"]] == "").all()
    low, high = interval(rows, "10000")
    assert high - low >= 5


def test_the_rest_of_a_whole_is_hidden_too():
    rows = decided([298, 40, 60, 50, 20, 30])
    assert set(rows.loc[rows["place"] == "10000", "hidden"]) <= {"primary", "secondary"}
    low, high = interval(rows, "10000")
    assert high - low >= 5


def test_hidden_is_neither_zero_nor_without_a_mark():
    shown = suppress.shown(decided([2, 40, 60, 50, 20, 30]))
    row = shown[(shown["place"] == "10000") & (shown["indicator"] == "poverty_rate_pct")].iloc[0]
    assert row[["value", "lower", "upper", "numerator", "denominator"]].isna().all()
    assert "hidden" in row["flags"].split(";")


@pytest.mark.parametrize("poor", [[0, 40, 60, 50, 20, 30], [5, 40, 60, 50, 20, 30]])
def test_a_table_without_small_counts_stays_as_it_is(poor):
    rows, tables, units = province(poor)
    out = suppress.shown(suppress.decide(rows, tables, units, PUBLISH)[0])
    pd.testing.assert_frame_equal(out, rows, check_exact=True)


def test_zeros_are_hidden_by_choice():
    assert decided([0, 40, 60, 50, 20, 30], hide_zeros=True)["hidden"].eq("primary").any()


def test_without_a_threshold_nothing_is_hidden():
    assert decided([1, 2, 3, 4, 1, 2], suppression_threshold=0)["hidden"].eq("").all()


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=COMMUNES, max_size=COMMUNES))
def test_no_small_count_can_be_worked_out(poor):
    if sum(poor) < 12:  # a province so poor in cases hides all it has; see the docs
        return
    rows = decided(poor)
    small = [f"1000{i}" for i, x in enumerate(poor) if 0 < x < 5]
    for place in small:
        low, high = interval(rows, place)
        assert high - low >= 5 - 1e-6
    assert small or rows["hidden"].eq("").all()


def test_means_and_growth_that_weigh_a_hidden_figure_are_hidden_with_it():
    """An area's mean income is a sum of households with known weights; real growth is money over a known price."""
    units = province([9] * COMMUNES)[2]
    known = {"period": "2023", "year": 2023, "method": "bank", "source": "credit", "flags": ""}
    growth = {"indicator": "outstanding_growth_pct", "numerator": 120.0, "denominator": 100.0}
    real = growth | {"indicator": "outstanding_real_growth_pct", "basis": "prices of 2024"}
    counted = {"indicator": "households_total", "value": 300.0, "source": "poverty", "method": "review"}
    mean = {"indicator": "income_year_vnd", "numerator": 9e9, "denominator": 900.0, "source": "income"}
    rows = pd.DataFrame(
        [
            known | {"place": "10000"} | growth,
            known | {"place": "10000"} | real,
            known | {"place": "10000"} | counted,
            known | {"place": "100"} | mean,
            known | {"place": "101"} | mean,
        ]
    ).reindex(columns=[*known, "place", "indicator", "value", "numerator", "denominator", "basis"])
    found = system(rows, units)
    of = found.cells.loc[found.touches["cell"], ["place", "expr"]]
    pairs = set(zip(found.touches["row"], of["place"], of["expr"], strict=True))
    assert {(1, "10000", "outstanding"), (1, "10000", "outstanding_before")} <= pairs
    assert (3, "10000", "households") in pairs
    assert (4, "10000", "households") not in pairs
