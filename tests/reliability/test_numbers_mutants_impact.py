"""Tests that mutation testing asked for in the estimates of impact."""

import numpy as np
import pandas as pd
from two_way import OPTIONS

import evalkit as ek
from evalkit.impact.sensitivity import leave_one_out


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
