"""Permutation, several outcomes, power and pooling against definitions and laws."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.impact import inference


def test_permutation_agrees_with_all_assignments_counted():
    """Two treated of eight units: 28 ways to choose them; the share at least as far from zero."""
    y = np.array([0.3, -1.2, 0.8, 2.5, 0.1, -0.4, 0.9, 3.1])
    frame = pd.DataFrame({"unit": range(8), "y": y, "d": [0, 0, 0, 1, 0, 0, 0, 1]})

    def t(treated):
        d = np.zeros(8)
        d[list(treated)] = 1
        x = d - d.mean()
        b = x @ y / (x @ x)
        return abs(b) * (x @ x) / np.sqrt((x**2 * (y - y.mean() - b * x) ** 2).sum())

    every = [t(pair) for pair in combinations(range(8), 2)]
    exact = np.mean(np.array(every) >= t((3, 7)) - 1e-12)
    drawn = impact.randomisation_inference(frame, outcome="y", dose="d", unit="unit", draws=3999).iloc[0]
    # Standard error of a share from 4,000 draws is at most 0.008.
    assert drawn["p_value"] == pytest.approx(exact, abs=0.024)


def test_permutation_keeps_paths_whole_and_strata_apart(panel):
    rng = np.random.default_rng(0)
    layer = np.repeat([0, 0, 1, 1], 3)
    for _ in range(20):
        dealt = inference.deal(layer, rng)
        assert sorted(dealt) == list(range(12))
        assert (layer[dealt] == layer).all()
    names = {"outcome": "y", "dose": "x", "unit": "unit", "absorb": ["unit", "year"], "draws": 199}
    row = impact.randomisation_inference(panel, strata="district", **names).iloc[0]
    fitted = impact.fixed_effects(panel, outcome="y", dose="x", unit="unit", time="year", wild=False)
    assert row["estimate"] == pytest.approx(fitted.estimate, rel=1e-9)
    assert row["p_value"] == pytest.approx(1 / 200)
    with pytest.raises(DataError, match="between equal ones"):
        impact.randomisation_inference(panel.iloc[1:], **names)


def test_holm_by_hand():
    adjusted = impact.adjust_p_values(pd.Series({"a": 0.01, "b": 0.04, "c": 0.03, "d": np.nan}))
    assert adjusted[["a", "c", "b"]].to_list() == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(adjusted["d"])
    with pytest.raises(ParameterError, match="holm"):
        impact.adjust_p_values([0.1], method="bonferroni")


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_stepdown_lies_between_the_single_p_and_the_sum_of_all(seed):
    t = np.abs(np.random.default_rng(seed).normal(size=(4, 400)))
    single = (t >= t[:, :1] * (1 - inference.TIE)).mean(axis=1)
    adjusted = inference.stepdown(t)
    assert (adjusted >= single - 1e-12).all()
    order = np.argsort(-t[:, 0])
    union = np.array([(t >= observed * (1 - inference.TIE)).mean(axis=1).sum() for observed in t[order, 0]])
    assert (adjusted[order] <= np.maximum.accumulate(union) + 1e-12).all()
    assert (np.diff(adjusted[order]) >= 0).all()


def test_twice_the_same_outcome_costs_nothing(panel):
    doubled = panel.assign(again=panel["y"])
    table = impact.romano_wolf(
        doubled, outcomes=["y", "again"], dose="x", cluster="district", absorb=["unit"], draws=999
    )
    assert table["p_adjusted"].to_list() == table["p_wild"].to_list()


def test_detectable_effect_of_a_known_error_and_of_a_design():
    assert impact.minimum_detectable_effect(1.0) == pytest.approx(1.959964 + 0.841621, abs=1e-6)
    # Bloom (1995), table 1: with few degrees of freedom the multiplier of a two-sided 5 % test at 80 % is
    # 3.07 at 10.
    assert impact.minimum_detectable_effect(1.0, degrees_of_freedom=10) == pytest.approx(3.11, abs=0.01)
    one = impact.minimum_detectable_effect(sd=1.0, clusters=40, per_cluster=20, intraclass=0.05)
    by_hand = np.sqrt((0.05 + 0.95 / 20) / (0.25 * 40))
    assert one == pytest.approx(impact.minimum_detectable_effect(by_hand, degrees_of_freedom=38))
    for wrong in ({}, {"std_error": 1.0, "sd": 1.0}, {"sd": 1.0}, {"std_error": 1.0, "power": 1.2}):
        with pytest.raises(ParameterError):
            impact.minimum_detectable_effect(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"std_error": -1.0},
        {"std_error": "0.5"},
        {"std_error": 0.5, "clusters": 2},
        {"sd": -1.0, "clusters": 20},
        {"sd": 1.0, "clusters": 20, "per_cluster": 0},
        {"sd": 1.0, "clusters": 20, "explained_between": 1.5},
    ],
)
def test_a_design_that_cannot_be_is_no_detectable_effect(wrong):
    with pytest.raises(ParameterError, match="minimum_detectable_effect"):
        impact.minimum_detectable_effect(**wrong)


@pytest.mark.parametrize("wrong", [[1.5], [0.1, -0.1], ["a"]])
def test_p_values_are_shares(wrong):
    with pytest.raises(ParameterError, match="p_values: found"):
        impact.adjust_p_values(wrong)


def test_one_outcome_by_its_name(panel):
    named = panel.rename(columns={"y": "poor_pct"})
    options = {"dose": "x", "cluster": "district", "draws": 99}
    alone, listed = (impact.romano_wolf(named, outcomes=o, **options) for o in ("poor_pct", ["poor_pct"]))
    pd.testing.assert_frame_equal(alone, listed)


@pytest.mark.parametrize("draws", [0, -5, 99.5, True])
def test_draws_are_a_whole_number(panel, draws):
    names = {"outcome": "y", "dose": "x", "cluster": "district", "draws": draws}
    for estimator in (impact.wild_bootstrap, impact.fixed_effects):
        with pytest.raises(ParameterError, match="draws="):
            estimator(panel, **names)


def test_confidence_is_a_share_in_every_result(panel):
    names = {"outcome": "y", "dose": "x", "cluster": "district", "confidence": 95}
    for estimator in (impact.wild_bootstrap, impact.fixed_effects):
        with pytest.raises(ParameterError, match=r"0\.95 for 95 %"):
            estimator(panel, **names)


def test_pooling_pulls_the_noisy_further():
    effects = pd.DataFrame(
        {"estimate": [9.0, 9.0, -5.0, 1.0, np.nan], "std_error": [0.5, 6.0, 0.5, 0.5, np.nan]}
    )
    pooled = impact.partial_pooling(effects)
    mean = pooled["mean"].iloc[0]
    assert pooled["tau2"].iloc[0] > 0
    assert abs(pooled["shrunk"][1] - mean) < abs(pooled["shrunk"][0] - mean)
    assert pooled["weight"].between(0, 1).all()
    assert (pooled["shrunk_std_error"][:4] < effects["std_error"][:4]).all()
    assert pooled["shrunk"][4] == pytest.approx(mean)
    with pytest.raises(DataError, match="two are needed"):
        impact.partial_pooling(effects.iloc[:1])
