"""Designs that can't carry a number: collinear controls, units seen once, few clusters, nothing that varies."""

import numpy as np
import pandas as pd
import pytest
from two_way import OPTIONS

import evalkit as ek
from evalkit.errors import DataError


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(1)
    unit, year = np.repeat(np.arange(24), 5), np.tile(np.arange(2018, 2023), 24)
    dose = rng.normal(size=unit.size)
    outcome = 2 * dose + unit / 10 + rng.normal(size=unit.size)
    return pd.DataFrame(
        {
            "unit": unit,
            "year": year,
            "dose": dose,
            "y": outcome,
            "x": rng.normal(size=unit.size),
            "district": unit % 12,
        }
    )


def effect(panel, **more):
    return ek.impact.fixed_effects(panel, **OPTIONS | more)


COLLINEAR = {
    "with the dose": (lambda p: p.assign(c=3 * p.dose + 1), ["c"], []),
    "with the units": (lambda p: p.assign(c=2.0 * p.unit), ["c"], []),
    "with another control": (lambda p: p.assign(c=2 * p.x), ["x", "c"], ["x"]),
    "but for rounding": (lambda p: p.assign(c=p.dose + 1e-9 * p.x), ["c"], []),
}


@pytest.mark.parametrize(("change", "controls", "kept"), COLLINEAR.values(), ids=COLLINEAR)
def test_a_collinear_control_is_left_out_and_named(panel, change, controls, kept):
    found = effect(change(panel), controls=tuple(controls))
    without = effect(panel, controls=tuple(kept))
    assert found.estimate == pytest.approx(without.estimate, rel=1e-9)
    assert found.std_error == pytest.approx(without.std_error, rel=1e-9)
    assert any("controls c were left out" in warning for warning in found.warnings)


@pytest.mark.parametrize("clusters", [2, 5])
def test_below_six_clusters_there_is_no_number(panel, clusters):
    found = effect(panel.assign(district=panel.unit % clusters))
    assert np.isnan([found.estimate, found.std_error, found.lower, found.upper, found.p_value]).all()
    assert f"only {clusters} clusters and at least 6 are needed" in found.refusals[0]


def test_a_unit_seen_once_says_nothing_of_a_change(panel):
    once = panel.iloc[:3].assign(unit=[100, 101, 102], y=[1e6, -1e6, 5.0])
    found = effect(pd.concat([panel, once], ignore_index=True))
    assert found.estimate == pytest.approx(effect(panel).estimate, rel=1e-9)
    assert found.n == effect(panel).n
    with pytest.raises(DataError, match="no row has a value"):
        effect(panel.groupby("unit").head(1))


@pytest.mark.parametrize("flat", [1.0, "unit", "year"])
def test_a_dose_that_does_not_vary_within_the_effects_has_no_effect_to_estimate(panel, flat):
    dose = panel[flat].astype(float) if isinstance(flat, str) else flat
    with pytest.raises(DataError, match="'dose': does not vary once the effects of unit, year are absorbed"):
        effect(panel.assign(dose=dose))
