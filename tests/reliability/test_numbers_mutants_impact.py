"""Tests that mutation testing asked for in the estimates of impact."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from two_way import OPTIONS

import evalkit as ek
from evalkit.errors import DataError
from evalkit.impact import bootstrap, gates
from evalkit.impact.sensitivity import leave_one_out
from evalkit.impact.synthetic_did import by_placebos


def test_the_range_without_each_district_goes_from_the_smallest_to_the_largest_estimate():
    rng = np.random.default_rng(2)
    unit, year = np.repeat(np.arange(16), 4), np.tile(np.arange(2019, 2023), 16)
    panel = pd.DataFrame(
        {"unit": unit, "year": year, "district": unit % 8, "dose": rng.normal(size=unit.size)}
    )
    panel["y"] = panel["dose"] * (1 + panel["district"]) + rng.normal(size=unit.size)
    table = leave_one_out(ek.impact.fixed_effects, panel, by="district", **OPTIONS)
    assert len(table) == 9
    assert table.attrs["range"] == (table["estimate"].min(), table["estimate"].max())
    assert table.attrs["range"][0] < table["estimate"].iloc[0] < table.attrs["range"][1]


def test_bounds_exclude_zero_where_they_do_however_small_the_effect():
    rng = np.random.default_rng(3)
    unit, time = np.repeat(np.arange(60), 8), np.tile(np.arange(8), 60)
    treated = unit < 30
    panel = pd.DataFrame({"unit": unit, "time": time, "start": np.where(treated, 4.0, np.nan)})
    panel["y"] = 0.5 * (treated & (time >= 4)) + rng.normal(scale=0.1, size=unit.size)
    study = ek.impact.event_study(
        panel, outcome="y", unit="unit", time="time", first_treated="start", cluster="unit"
    )
    table = ek.impact.sensitivity(study, bound="smoothness", values=(0, 1))
    assert 0 < table["lower"].iloc[0] < 1
    assert table["lower"].iloc[1] < 0 < table["upper"].iloc[1]
    assert table["excludes_zero"].tolist() == [True, False]


def test_exactly_as_many_years_as_are_needed_are_enough():
    for gate in (gates.years_before, gates.years_after):
        assert [gate(found, 3).passed for found in (2, 3, 4)] == [False, True, True]


def test_two_cohorts_without_anyone_left_untreated_have_nobody_to_compare_with():
    rng = np.random.default_rng(4)
    unit, year = np.repeat(np.arange(24), 6), np.tile(np.arange(2015, 2021), 24)
    panel = pd.DataFrame({"unit": unit, "year": year, "start": np.where(unit % 2, 2018, 2020)})
    panel["y"] = rng.normal(size=unit.size)
    given = {"outcome": "y", "unit": "unit", "time": "year", "first_treated": "start"}
    found = ek.impact.staggered(panel, **given, control_group="never")
    assert "comparison_group" in [reason.code for reason in found.refusals]
    later = ek.impact.staggered(panel, **given, control_group="not_yet")
    assert "comparison_group" not in [reason.code for reason in later.refusals]


def test_the_order_and_the_labels_of_a_series_say_nothing():
    rng = np.random.default_rng(5)
    series = pd.DataFrame({"t": np.arange(2000, 2024), "y": rng.normal(size=24).cumsum()})
    given = {"outcome": "y", "time": "t", "start": 2012}
    whole = ek.impact.interrupted_series(series, **given)
    other = ek.impact.interrupted_series(series.sample(frac=1, random_state=1), **given)
    assert (other.estimate, other.std_error) == (whole.estimate, whole.std_error)


def test_effects_that_cross_clusters_are_counted_before_they_are_written_out():
    codes = np.tile(np.arange(bootstrap.MOST_CROSSED_EFFECTS + 1), 2)
    clusters = np.repeat([0, 1], len(codes) // 2)
    design = SimpleNamespace(absorbed=codes[:, None], clusters=clusters, y=np.zeros(len(codes)))
    with pytest.raises(DataError, match="absorbed effects cross the clusters"):
        bootstrap.crossed_indicators(design)


def test_the_interval_by_placebos_is_that_of_a_normal_with_their_spread():
    placebos = np.array([-2.0, -1, 0, 1, 2])
    _, error, lower, upper, p = by_placebos(3.0, placebos, 0.9)
    assert error == pytest.approx(np.sqrt(2))
    assert (lower, upper) == pytest.approx((3 - 1.644854 * error, 3 + 1.644854 * error))
    assert p == pytest.approx(1 / 6)


def test_dates_of_the_start_beside_numbered_years_are_refused():
    panel = pd.DataFrame({"unit": np.repeat(range(8), 4), "year": np.tile(range(2017, 2021), 8), "y": 1.0})
    panel["start"] = pd.Timestamp("2019-01-01")
    given = {"outcome": "y", "unit": "unit", "time": "year", "first_treated": "start"}
    with pytest.raises(DataError, match="holds dates"):
        ek.impact.event_study(panel, **given)
