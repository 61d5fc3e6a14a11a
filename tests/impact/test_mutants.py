"""What mutation testing asked for: pieces of the estimates against other ways to the same number."""

import numpy as np
import pandas as pd
import pytest
import scipy.linalg
import statsmodels.api as sm
from scipy import stats

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.impact import (
    autoregressive,
    bootstrap,
    comparisons,
    estimation,
    frames,
    gates,
    inference,
    power,
    regression,
)
from evalkit.impact.event_study import POWER, detectable_slope, with_pre_trends
from evalkit.impact.households import rounds
from evalkit.impact.sensitivity import bounded_parts
from evalkit.impact.staggered import t_interval
from evalkit.impact.synthetic_control import pose


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(11)
    unit, year = np.repeat(np.arange(30), 5), np.tile(np.arange(2015, 2020), 30)
    table = pd.DataFrame(
        {"unit": unit, "year": year, "district": unit % 6, "weight": rng.uniform(1, 3, unit.size)}
    )
    table["x"], table["c"] = rng.normal(size=(2, unit.size))
    table["y"] = 0.3 * table["x"] - 0.2 * table["c"] + rng.normal(size=unit.size) + unit % 3
    return table


def test_the_covariance_of_a_short_series_by_error_contrasts():
    """The restricted likelihood is that of contrasts in which the coefficients don't stand, whichever are taken."""
    rng = np.random.default_rng(5)
    n = 9
    x, y = (
        np.column_stack([np.ones(n), np.arange(n), np.arange(n) > 4]).astype(float),
        rng.normal(size=n).cumsum(),
    )
    contrasts = scipy.linalg.null_space(x.T)
    z, k = contrasts.T @ y, x.shape[1]
    likelihood, each = [], []
    for rho in autoregressive.GRID:
        correlation = scipy.linalg.toeplitz(rho ** np.arange(n))
        assert autoregressive.precision(rho, n) @ correlation == pytest.approx(np.eye(n), abs=1e-9)
        of_z = contrasts.T @ correlation @ contrasts
        variance = z @ np.linalg.solve(of_z, z) / (n - k)
        likelihood.append(stats.multivariate_normal(cov=variance * of_z).logpdf(z))
        bread = np.linalg.pinv(x)
        each.append(variance * bread @ correlation @ bread.T)
    weight = np.exp(likelihood - np.max(likelihood))
    covariance, mean = autoregressive.covariance(x, y)
    assert covariance == pytest.approx(np.average(each, axis=0, weights=weight))
    assert mean == pytest.approx(np.average(autoregressive.GRID, weights=weight))


@pytest.mark.parametrize("weights", [None, "weight"])
def test_least_squares_without_clusters_and_its_tests_are_those_of_another_library(rows, weights):
    design = regression.prepare(rows, outcome="y", regressors=["x", "c"], weights=weights)
    solved = regression.fit(design)
    table = solved.table(0.9).set_index("term")
    plain = sm.WLS(rows["y"], sm.add_constant(rows[["x", "c"]]), 1.0 if weights is None else rows[weights])
    other = plain.fit(cov_type="HC1", use_t=True)
    for name in ("x", "c"):
        bounds = other.conf_int(0.1).loc[name].tolist()
        wanted = [other.params[name], other.bse[name], *bounds, other.pvalues[name]]
        assert table.loc[name].tolist() == pytest.approx(wanted)
    assert solved.wald_p(["x", "c"]) == pytest.approx(float(other.f_test("x = 0, c = 0").pvalue))


def test_the_test_of_doses_dealt_anew_has_the_t_of_the_regression(rows):
    design = regression.prepare(
        rows,
        outcome="y",
        regressors="x",
        controls=["c"],
        absorb=["year"],
        cluster="district",
        weights="weight",
    )
    row = regression.fit(design).table().iloc[0]
    own, twice = inference.many_t(design, np.column_stack([rows["x"], 2 * rows["x"]]))
    assert own == pytest.approx([row.estimate, row.estimate / 2])
    factor = 6 / 5 * (len(rows) - 1) / (len(rows) - 2)  # the same for every deal, and left out
    assert twice == pytest.approx([np.sqrt(factor) * row.estimate / row.std_error] * 2)


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: value} for name in ("power", "alpha", "share_treated") for value in (0, 1)),
        *({"intraclass": value} for value in (-0.1, 1.1)),
        *({name: value} for name in ("explained", "explained_between") for value in (-0.1, 1)),
    ],
    ids=str,
)
def test_a_design_whose_shares_lie_outside_their_bounds_is_refused(wrong):
    good = {"sd": 1.0, "clusters": 10, "intraclass": 0.0}
    assert power.minimum_detectable_effect(**good | {"intraclass": 1}) > 0
    with pytest.raises(ParameterError, match="lie between 0 and 1"):
        power.minimum_detectable_effect(**good | wrong)


def test_all_patterns_stand_where_they_are_no_more_than_the_draws():
    for draws, all_of_them in ((7, True), (6, False)):
        weights, enumerated, _ = bootstrap.cluster_weights(3, draws, "auto", np.random.default_rng(1))
        assert (enumerated, weights.shape) == (all_of_them, (3, 4 if all_of_them else 1 + draws))
        assert (weights[:, 0] == 1).all()


@pytest.mark.parametrize("cluster", [None, ["district", "year"]])
def test_the_wild_bootstrap_takes_clusters_of_one_kind(rows, cluster):
    design = regression.prepare(rows, outcome="y", regressors="x", cluster=cluster)
    with pytest.raises(ParameterError, match="needs clusters of one kind"):
        bootstrap.scores(design)


def test_a_bound_of_the_bootstrap_is_where_the_test_changes_its_mind(rows):
    design = regression.prepare(rows, outcome="y", regressors="x", cluster="district")
    scores, row = bootstrap.scores(design), regression.fit(design).table().iloc[0]
    for scale in (1.0, 0.01):  # however far the first step goes
        lower, upper = bootstrap.interval(scores, row.estimate, scale * row.std_error)
        for bound, outward in ((lower, -1), (upper, 1)):
            assert scores.p_value(bound) > 0.05
            assert scores.p_value(bound + outward * 1e-7 * row.std_error) <= 0.05


def test_times_become_numbers_on_one_scale():
    def numbers(times, starts=None):
        both = frames.times_as_numbers(pd.Series(times), None if starts is None else pd.Series(starts))
        return both.tolist() if starts is None else [one.tolist() for one in both]

    ends = pd.to_datetime(["2019-12-31", "2020-12-31", "2023-12-31"])
    assert numbers(ends) == [2019, 2020, 2023]
    assert numbers(pd.PeriodIndex(["2019", "2021"], freq="Y")) == [2019, 2021]
    quarters = pd.PeriodIndex(["2019Q1", "2019Q3", "2020Q1"], freq="Q")
    assert numbers(quarters, quarters[[2, 2, 1]]) == [[0, 1, 2], [2, 2, 1]]
    middle = pd.to_datetime(["2019-01-15", "2019-02-15", "2019-05-15"])
    assert numbers(middle) == [0, 1, 4]
    assert numbers(middle, pd.to_datetime(["2019-03-15"] * 3)) == [[0, 1, 4], [2, 2, 2]]
    last = pd.to_datetime(["2019-01-31", "2019-02-28", "2019-04-30"])
    assert numbers(last) == [0, 1, 3]
    weeks = pd.to_datetime(["2019-01-07", "2019-01-14", "2019-02-04"])
    assert numbers(weeks) == [0, 1, 4]


def test_a_link_by_construction_is_found_by_what_both_are_made_of_or_by_what_is_left():
    frame = pd.DataFrame({"a": [1.0], "b": [1.0]})
    frame.attrs["made_of"] = {"a": ["poor", "households"], "b": ["poor"]}
    assert (
        gates.mechanical_link(frame, "a", "b", np.ones(2), np.array([1.0, -1])).reason.details["shared"]
        == "poor"
    )
    frame.attrs["made_of"] = {"a": ["households"], "b": ["households"]}
    assert gates.mechanical_link(frame, "a", "b").passed
    assert not gates.mechanical_link(frame, "a", "a").passed
    assert not gates.mechanical_link(frame, "a", "b", np.ones(3), 2 * np.ones(3)).passed
    assert gates.mechanical_link(frame, "a", "b", np.array([1.0, 1]), np.array([1.0, -1])).passed


def test_the_divergence_that_is_detected_is_detected_that_often():
    rng = np.random.default_rng(6)
    root = rng.normal(size=(3, 3))
    covariance, distance = root @ root.T + np.eye(3), np.array([-3.0, -2, -1])
    slope = detectable_slope(distance, covariance, 20)
    strength = slope**2 * distance @ np.linalg.solve(covariance, distance)
    found = stats.ncf.sf(stats.f.ppf(1 - gates.PRE_TRENDS_P, 3, 20), 3, 20, strength)
    assert found == pytest.approx(POWER)


@pytest.mark.parametrize("low", [True, False])
def test_low_power_is_said_where_the_effect_is_less_than_the_divergence_would_make(low):
    times = np.array([-3, -2, -1, 0, 1])
    periods = pd.DataFrame({"event_time": times, "estimate": [0.2, 0.1, 0, 1, 1], "std_error": 1.0})
    covariance = np.diag([1.0, 2, 3, 4])
    slope = detectable_slope(np.array([-2.0, -1]), covariance[:2, :2], 30)
    after = slope * np.mean([1, 2])  # one and two periods from the last one before the start
    study = impact.EventStudy(
        after * (0.99 if low else 1.01),
        periods=periods,
        covariance=covariance,
        base="universal",
        reference=-1,
    )
    found = with_pre_trends(study, 30)
    assert found.diagnostics["detectable_slope"] == pytest.approx(slope)
    statistic = (0.2**2 / 1 + 0.1**2 / 2) / 2
    assert found.diagnostics["pre_trends_p"] == pytest.approx(stats.f.sf(statistic, 2, 30))
    assert [w.code for w in found.warnings] == (["low_power"] if low else [])


def test_bounds_of_a_t_with_ten_degrees_of_freedom_as_printed():
    lower, upper, p = t_interval(5.0, 2.0, 10, 0.95)
    assert (lower, upper) == pytest.approx((5 - 2.228 * 2, 5 + 2.228 * 2), abs=1e-3)
    assert t_interval(2.228, 1.0, 10, 0.95)[2] == pytest.approx(0.05, abs=1e-4)
    assert p == pytest.approx(2 * stats.t.cdf(-2.5, 10))


@pytest.mark.parametrize("wrong", [{"method": "guess"}, {"control_group": "guess"}])
def test_a_design_of_starts_that_isnt_known_is_refused(rows, wrong):
    given = {"outcome": "y", "unit": "unit", "time": "year", "first_treated": "start"}
    with pytest.raises(ParameterError, match="guess"):
        impact.staggered(rows.assign(start=np.where(rows["unit"] < 15, 2017.0, np.nan)), **given, **wrong)


def test_the_first_value_of_a_baseline_times_each_later_year_whatever_the_order_of_rows(rows):
    panel = rows.sort_values("year", ascending=False)
    out, names = estimation.baseline_columns(panel, "c", "unit", "year")
    assert names == [f"first c x {year}" for year in range(2016, 2020)]
    first = rows[rows["year"] == 2015].set_index("unit")["c"]
    for year, name in zip(range(2016, 2020), names, strict=True):
        wanted = out["unit"].map(first).where(out["year"] == year, 0.0)
        assert out[name].tolist() == wanted.tolist()


def test_the_dose_of_the_next_year_is_that_of_the_next_year(rows):
    model = {"outcome": "y", "absorb": ["unit", "year"], "cluster": "unit"}
    study = impact.Effect(1.0)
    found = estimation.with_later_dose(study, rows, "x", "unit", "year", model)
    by_hand = rows.assign(next=rows["x"].shift(-1).where(rows["unit"].shift(-1) == rows["unit"]))
    design = regression.prepare(by_hand, regressors=["x", "next"], **model)
    assert found.diagnostics["later_dose_p"] == pytest.approx(regression.fit(design).wald_p(["next"]))


@pytest.fixture
def series():
    y = np.array([3, 5, 4, 6, 5, 9, 8, 9, 11, 10])
    return pd.DataFrame({"t": np.arange(10), "y": y, "people": 100.0})


@pytest.mark.parametrize("counts", [[3, -1, 4], [3, 4.5, 4]])
def test_what_isnt_all_counts_is_no_series_of_counts(series, counts):
    spoiled = series.assign(y=[*counts, *series["y"].iloc[3:]])
    with pytest.raises(DataError, match="not counts"):
        impact.interrupted_series(spoiled, outcome="y", time="t", start=5, family="poisson")


def test_only_counts_have_an_exposure(series):
    with pytest.raises(ParameterError, match="only counts"):
        impact.interrupted_series(series, outcome="y", time="t", start=5, offset="people")


def test_the_dispersion_of_counts_is_pearsons(series):
    found = impact.interrupted_series(
        series, outcome="y", time="t", start=5, family="poisson", slope_change=False
    )
    x = np.column_stack([np.ones(10), series["t"], series["t"] >= 5])
    model = sm.GLM(series["y"], x, family=sm.families.Poisson()).fit()
    assert found.diagnostics["dispersion"] == pytest.approx(model.pearson_chi2 / (10 - 3))
    assert found.std_error == pytest.approx(model.bse.iloc[2] * np.sqrt(model.pearson_chi2 / 7))


def test_of_comparable_households_at_the_edge_of_what_is_kept():
    assert 0 < comparisons.LEAST_SCORE < comparisons.MOST_SCORE < 1
    gate = gates.overlap(0.25)
    assert (gate.passed, gate.reason.details["share"]) == (False, "25")


def test_placebos_give_their_spread_and_their_rank():
    placebos = np.array([-2.0, 0, 2, 3])
    _, error, lower, upper, p = inference.by_placebos(2.0, placebos, 0.95)
    assert error == pytest.approx(np.std(placebos))
    assert (lower, upper) == pytest.approx((2 - 1.96 * error, 2 + 1.96 * error), abs=1e-3)
    assert p == (1 + 3) / (1 + 4)


def test_two_units_are_each_others_nearest_and_one_has_none():
    panel = pd.DataFrame({"unit": ["a", "b"], "year": 2019, "y": [1.0, 3.0]})
    found = impact.same_baseline(panel, outcome="y", unit="unit", time="year", baseline=2019)
    assert found[["unit", "comparator", "distance"]].to_numpy().tolist() == [["a", "b", 2.0], ["b", "a", 2.0]]
    with pytest.raises(ParameterError, match="fewer than two units"):
        impact.same_baseline(panel.iloc[:1], outcome="y", unit="unit", time="year", baseline=2019)


def test_rounds_of_households_come_once_and_in_their_order():
    table = pd.DataFrame({"unit": [1, 2, 1, 2], "time": [2018, 2018, 2020, 2020], "y": 1.0})
    order = {"before": 2018, "as_of": 2018, "after": 2020, "earlier": None}
    assert sorted(rounds(table, "unit", "time", **order)) == [2018, 2020]
    with pytest.raises(DataError, match="several rows"):
        rounds(pd.concat([table, table.iloc[:1]]), "unit", "time", **order)
    for wrong in ({"after": 2018}, {"as_of": 2021}, {"earlier": 2018}):
        with pytest.raises(ParameterError, match=r"in this order|lies before"):
            rounds(table, "unit", "time", **order | wrong)


def posed(panel):
    return pose(panel, "y", "unit", "time", 3, None)


def test_a_synthetic_control_needs_two_whole_donors_and_one_row_each():
    panel = pd.DataFrame({"unit": np.repeat([*"abcd"], 4), "time": np.tile(range(1, 5), 4)})
    panel["y"] = np.arange(16.0) ** 1.5
    assert list(posed(panel)[0].units) == [*"abcd"]
    holed = panel.assign(y=panel["y"].mask((panel["unit"] == "d") & (panel["time"] == 4)))
    assert list(posed(holed)[0].units) == [*"abc"]
    with pytest.raises(DataError, match="2 units are complete"):
        posed(holed[holed["unit"] != "c"])
    with pytest.raises(DataError, match="several rows"):
        posed(pd.concat([panel, panel.iloc[:1]]))


def study_of(times, **more):
    periods = pd.DataFrame({"event_time": times, "estimate": 1.0, "std_error": 1.0})
    given = {"covariance": np.eye(len(times) - 1), "base": "universal", "reference": -1}
    return impact.EventStudy(1.0, periods=periods, **given | more)


def test_bounds_need_a_period_on_either_side_and_a_covariance():
    assert bounded_parts(study_of([-2, -1, 0]))[2].tolist() == [-1, 1]
    for times in ([-1, 0, 1], [-3, -2, -1]):
        with pytest.raises(DataError, match="before the reference and one after"):
            bounded_parts(study_of(times))
    with pytest.raises(DataError, match="no covariance"):
        bounded_parts(study_of([-2, -1, 0], covariance=np.zeros((0, 0))))
    with pytest.raises(DataError, match="varying bases"):
        bounded_parts(study_of([-2, -1, 0], base="varying"))
