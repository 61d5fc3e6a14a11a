"""Bounds, Oster, specification curves and the checks of the data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.impact import honest

# One step of the grid between the standard errors that bisection refines, and the draws of the first stage.
CLOSE = 1e-3


def test_bounds_widen_with_the_divergence_allowed(medicaid_study):
    for bound, values in (("relative", (0.5, 2)), ("smoothness", (0, 0.03))):
        table = impact.sensitivity(medicaid_study, bound=bound, values=values)
        assert (np.diff(table["lower"]) < CLOSE / 10).all()
        assert (np.diff(table["upper"]) > -CLOSE / 10).all()


def test_no_divergence_allowed_gives_about_the_usual_interval(medicaid_study):
    first = medicaid_study.periods.set_index("event_time").loc[0]
    row = impact.sensitivity(medicaid_study, values=[0]).iloc[0]
    normal = 1.96 * first["std_error"]
    assert (row["lower"], row["upper"]) == pytest.approx(
        (first["estimate"] - normal, first["estimate"] + normal), abs=0.2 * normal
    )


def test_average_of_the_later_periods(medicaid_study):
    table = impact.sensitivity(medicaid_study, values=[0.5], weights="average")
    by_hand = impact.sensitivity(medicaid_study, values=[0.5], weights=[0.5, 0.5])
    pd.testing.assert_frame_equal(table, by_hand)
    assert table["lower"].iloc[0] < medicaid_study.estimate < table["upper"].iloc[0]


def test_smoothness_shifts_with_a_linear_trend_and_no_more(medicaid_study):
    """A linear divergence is differenced away: adding one to all periods leaves the interval where it was."""
    moving = medicaid_study.periods["event_time"] != -1
    periods = medicaid_study.periods.copy()
    periods.loc[moving, "estimate"] += 0.01 * (periods.loc[moving, "event_time"] + 1)
    tilted = replace(medicaid_study, periods=periods)
    for value in (0.0, 0.01):
        one, other = (
            impact.sensitivity(study, bound="smoothness", values=[value]).iloc[0]
            for study in (medicaid_study, tilted)
        )
        assert (one["lower"], one["upper"]) == pytest.approx((other["lower"], other["upper"]), abs=1e-4)


def test_corners_solve_their_equations():
    rng = np.random.default_rng(2)
    a = honest.restrictions(3, 3, largest=1, sign=1.0, bound=0.7)
    deviations = rng.uniform(0.5, 2, size=len(a))
    nuisance = (a[:, 3:] @ np.linalg.inv(np.eye(3)))[:, 1:]
    corners = honest.list_corners(nuisance, deviations)
    assert len(corners)
    assert (corners >= 0).all()
    assert np.allclose(corners @ nuisance, 0, atol=1e-9)
    assert np.allclose(corners @ deviations, 1)


def test_highest_corner_is_the_linear_programme():
    from scipy.optimize import linprog

    rng = np.random.default_rng(4)
    a = honest.restrictions(4, 2, largest=2, sign=-1.0, bound=1.0)
    deviations, y = rng.uniform(0.5, 2, size=len(a)), rng.normal(size=len(a))
    nuisance = a[:, 4:][:, 1:]
    corners = honest.list_corners(nuisance, deviations)
    answer = linprog(
        np.r_[1.0, 0.0], A_ub=-np.column_stack([deviations, nuisance]), b_ub=-y, bounds=[(None, None)] * 2
    )
    assert (corners @ y).max() == pytest.approx(answer.fun)


def test_studies_that_cannot_be_bounded_say_why(medicaid_study, counties):
    with pytest.raises(ParameterError, match="relative"):
        impact.sensitivity(medicaid_study, bound="both")
    with pytest.raises(ParameterError, match="zero or more"):
        impact.sensitivity(medicaid_study, values=[-1])
    names = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first.treat"}
    with pytest.raises(DataError, match="universal"):
        impact.sensitivity(impact.staggered(counties, **names))
    with pytest.raises(DataError, match="refused"):
        impact.sensitivity(impact.event_study(counties, **names))
    universal = impact.staggered(counties, base="universal", **names)
    assert len(impact.sensitivity(universal, values=[0.5, 1])) == 2


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf], ["a"], None])
def test_bounds_ask_for_numbers(medicaid_study, values):
    with pytest.raises(ParameterError, match="zero or more"):
        impact.sensitivity(medicaid_study, values=values)


def test_what_has_no_periods_is_no_event_study(panel):
    effect = impact.fixed_effects(panel, outcome="y", dose="x", wild=False)
    with pytest.raises(ParameterError, match="found Effect"):
        impact.sensitivity(effect)
    with pytest.raises(ParameterError, match="without controls"):
        impact.oster(panel, outcome="y", dose="x", controls=[])


@pytest.mark.parametrize(("delta", "effect"), [(1.0, 0.5), (2.0, -0.3), (0.5, 1.0)])
def test_oster_recovers_the_selection_it_is_told_of(delta, effect):
    """Moments made exact: selection on the unseen is delta times that on the seen."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(500, 3))
    raw -= raw.mean(axis=0)
    w1, w2, own = np.linalg.qr(raw)[0].T * np.sqrt(500)
    w2 *= 0.8
    x = 0.4 * w1 + 0.4 * delta * w2 + own
    frame = pd.DataFrame({"y": effect * x + w1 + w2, "x": x, "w1": w1})
    row = impact.oster(frame, outcome="y", dose="x", controls=["w1"], largest_r2=1, beta=effect).iloc[0]
    assert row["delta"] == pytest.approx(delta, rel=1e-6)
    if delta == 1:
        assert row["bounded"] == pytest.approx(effect, rel=1e-6)


def test_leaving_out_and_other_specifications(panel):
    names = {"outcome": "y", "dose": "x", "unit": "unit", "wild": False}
    table = impact.leave_one_out(impact.fixed_effects, panel, by="district", **names)
    assert len(table) == 9
    without = impact.fixed_effects(panel[panel["district"] != 3], **names)
    assert table.set_index("left_out").loc[3, "estimate"] == pytest.approx(without.estimate)
    curve = impact.specification_curve(
        impact.fixed_effects,
        panel,
        {
            "plain": {},
            "years": {"time": "year"},
            "controls": {"controls": ["c"]},
            "wrong": {"controls": ["nowhere"]},
        },
        **names,
    )
    assert curve["estimate"].dropna().is_monotonic_increasing
    assert "nowhere" in curve.set_index("specification").loc["wrong", "refusals"][0]
    assert curve.attrs["share_positive"] == 1
    placebo = impact.placebo_outcomes(
        impact.fixed_effects, panel, outcomes=["c"], dose="x", unit="unit", wild=False
    )
    assert placebo["outcome"].to_list() == ["c"]


def test_an_earlier_start_that_never_was(smoking):
    series = smoking[smoking["state"] == "California"]
    table = impact.placebo_dates(
        impact.interrupted_series,
        series,
        time="year",
        start=1989,
        dates=[1978, 1982],
        outcome="cigsale",
        lags=1,
    )
    by_hand = impact.interrupted_series(
        series[series["year"] < 1989], outcome="cigsale", time="year", start=1978, lags=1
    )
    assert table["estimate"].iloc[0] == by_hand.estimate


def test_an_earlier_start_of_units_that_never_was(counties):
    names = {"outcome": "lemp", "unit": "countyreal", "time": "year"}
    table = impact.placebo_dates(
        impact.event_study,
        counties[counties["first.treat"] != 2004],
        first_treated="first.treat",
        dates=[2004, 2005],
        **names,
    )
    early = counties[(counties["first.treat"] != 2004) & (counties["year"] < 2006)]
    by_hand = impact.event_study(
        early.assign(starts=2005.0 * (early["first.treat"] > 0)), first_treated="starts", **names
    )
    assert table["estimate"].iloc[1] == by_hand.estimate
    assert table["start"].to_list() == [2004, 2005]
    late = impact.placebo_dates(
        impact.staggered, counties, first_treated="first.treat", dates=[2005], **names
    )
    assert late["n"].iloc[0] == 0  # only 2003 is left: refused, and said
    assert late["refusals"].iloc[0]
    for both in ({}, {"start": 2004, "first_treated": "first.treat"}):
        with pytest.raises(ParameterError, match="whichever the design takes"):
            impact.placebo_dates(impact.staggered, counties, dates=[2003], **both, **names)
    with pytest.raises(DataError, match="no unit starts"):
        impact.placebo_dates(
            impact.staggered, counties.assign(none=0), first_treated="none", dates=[2003], **names
        )


def test_one_earlier_start_of_all_units():
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"unit": np.repeat(np.arange(40), 8), "year": np.tile(np.arange(2010, 2018), 40)})
    rows["mix"], rows["y"] = rng.random(40)[rows["unit"]], rng.normal(size=len(rows))
    names = {"outcome": "y", "dose": "mix", "unit": "unit", "time": "year", "wild": False}
    table = impact.placebo_dates(impact.event_study, rows, first_treated=2016, dates=[2013], **names)
    by_hand = impact.event_study(rows[rows["year"] < 2016], first_treated=2013, **names)
    assert table["estimate"].iloc[0] == by_hand.estimate


def test_heaping_counts_both_sides():
    values = [11.0] * 3 + [12.0] * 9 + [12.4] * 6 + [11.6, 10.0, np.nan]
    row = impact.heaping(values, threshold=12, window=0.5).iloc[0]
    assert (row["favourable"], row["other"]) == (15, 1)
    assert row["p_value"] == pytest.approx(17 / 2**16)
    below = impact.heaping([-v for v in values], threshold=-12, window=0.5, favourable="below").iloc[0]
    assert (below["favourable"], below["other"]) == (15, 1)
    assert np.isnan(impact.heaping([1.0], threshold=12, window=0.5)["p_value"].iloc[0])


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_noise_alone_reverts_to_the_mean(seed):
    """True values never change; the slope is then minus the share of noise in the first value's variance."""
    rng = np.random.default_rng(seed)
    true, noise = rng.normal(size=4000), rng.normal(size=(2, 4000)) * 0.5
    frame = pd.DataFrame(
        {"unit": np.tile(np.arange(4000), 2), "year": np.repeat([0, 1], 4000), "y": (true + noise).ravel()}
    )
    row = impact.mean_reversion(
        frame, outcome="y", unit="unit", time="year", start=0, end=1, noise_variance=0.25
    ).iloc[0]
    assert row["noise_slope"] == pytest.approx(-0.2, abs=0.03)
    # Five standard errors: in 10 examples of 1,000 seeds chance goes no further.
    assert abs(row["slope"] + 0.2) < 5 * row["std_error"]


def test_neighbours_by_baseline():
    frame = pd.DataFrame({"unit": list("abcd"), "year": 2014, "poor": [1.0, 2.0, 4.0, 9.0]})
    table = impact.same_baseline(frame, outcome="poor", unit="unit", time="year", baseline=2014, neighbours=2)
    assert table.query("unit == 'c'")["comparator"].to_list() == ["b", "a"]
    assert table.query("unit == 'd'")["distance"].to_list() == [5.0, 7.0]


def test_bounds_of_a_build_grow_from_what_was_seen_before(medicaid_study):
    from evalkit.impact import estimates

    rows = pd.DataFrame(estimates.bounds(medicaid_study))
    assert list(rows["check"]) == ["relative"] * 3 + ["smoothness"] * 2
    for _, same in rows.groupby("check"):
        assert (same["upper"] - same["lower"]).is_monotonic_increasing
    before = medicaid_study.periods.query("event_time <= -1")["estimate"].to_numpy()
    assert estimates.largest_bend(medicaid_study) == pytest.approx(
        np.abs(before[2:] - 2 * before[1:-1] + before[:-2]).max()
    )
    straight = impact.sensitivity(medicaid_study, bound="smoothness", values=0, weights="average")
    assert rows.iloc[3]["upper"] == pytest.approx(straight["upper"].iloc[0])


def test_fewer_clusters_than_periods_are_named(medicaid):
    few = medicaid[medicaid["stfips"].isin(medicaid["stfips"].unique()[:9])]
    study = impact.event_study(
        few,
        outcome="dins",
        unit="stfips",
        time="year",
        first_treated="yexp2",
        despite=("pre_trends",),
        draws=99,
    )
    singular = replace(study, covariance=study.covariance * 0 + 1.0)
    with pytest.raises(DataError, match="too few clusters"):
        impact.sensitivity(singular)
