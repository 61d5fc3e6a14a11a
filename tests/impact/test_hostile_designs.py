"""Options and panels under which a design's formula would mislead: the right number, or the reason why there is none."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import t

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.impact import regression

UNITS, YEARS, START = 60, np.arange(2010, 2018), 2014
NAMES = {"outcome": "y", "unit": "unit", "time": "year"}


def made(seed=1):
    """Sixty units in fifteen districts; every second one starts in 2014."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"unit": np.repeat(np.arange(UNITS), len(YEARS)), "year": np.tile(YEARS, UNITS)})
    rows["district"] = rows["unit"] // 4
    rows["treated"], rows["post"] = (rows["unit"] % 2 == 0) * 1, (rows["year"] >= START) * 1
    rows["first"] = rows["treated"] * START
    rows["x"], rows["z"] = rng.normal(size=(2, len(rows)))
    rows["x"] += rows["z"]
    rows["y"] = rng.normal(size=UNITS)[rows["unit"]] + 0.3 * rows["x"] + rng.normal(size=len(rows))
    return rows


ROWS = made()


def codes(reasons):
    return [r.code for r in reasons]


DESIGNS = {
    "fixed_effects": lambda c: impact.fixed_effects(ROWS, dose="x", wild=False, confidence=c, **NAMES),
    "event_study": lambda c: impact.event_study(
        ROWS, first_treated="first", wild=False, confidence=c, **NAMES
    ),
    "difference_in_differences": lambda c: impact.difference_in_differences(
        ROWS, treated="treated", post="post", wild=False, confidence=c, **NAMES
    ),
    "long_differences": lambda c: impact.long_differences(
        ROWS, dose="x", start=2010, end=2017, cluster="unit", draws=99, confidence=c, **NAMES
    ),
    "staggered": lambda c: impact.staggered(ROWS, first_treated="first", confidence=c, **NAMES),
    "interrupted_series": lambda c: impact.interrupted_series(
        ROWS[ROWS["unit"] == 1], outcome="y", time="year", start=START, confidence=c
    ),
    "wild_bootstrap": lambda c: impact.wild_bootstrap(
        ROWS, outcome="y", dose="x", cluster="district", draws=99, confidence=c
    ),
    "shift_share": lambda c: (
        impact.shift_share(
            ROWS.assign(reach=ROWS["unit"] / UNITS), dose="x", exposure="reach", start=START, draws=99,
            despite=("first_stage",), confidence=c, **NAMES,
        ).effect
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("wrong", [95, "0.95", None, float("nan"), True])
def test_a_confidence_that_is_no_share_is_named(name, wrong):
    with pytest.raises(ParameterError, match="confidence"):
        DESIGNS[name](wrong)


@pytest.mark.parametrize("name", ["fixed_effects", "difference_in_differences", "staggered", "shift_share"])
def test_another_confidence_has_its_quantile(name):
    wide, narrow = DESIGNS[name](0.95), DESIGNS[name](np.float32(0.8))
    ratio = (wide.upper - wide.lower) / (narrow.upper - narrow.lower)
    assert ratio == pytest.approx(t.ppf(0.975, UNITS - 1) / t.ppf(0.9, UNITS - 1), rel=1e-6)


def test_the_average_of_an_event_study_is_of_the_periods_from_the_start_on_whatever_the_reference():
    last, earlier = (
        impact.event_study(ROWS, first_treated="first", reference=k, wild=False, **NAMES) for k in (-1, -3)
    )
    after = earlier.periods.set_index("event_time")["estimate"].loc[0:]
    assert earlier.estimate == pytest.approx(after.mean())
    shift = last.periods.set_index("event_time").loc[-3, "estimate"]
    assert earlier.estimate == pytest.approx(last.estimate - shift)
    assert earlier.diagnostics["pre_trends_p"] == pytest.approx(last.diagnostics["pre_trends_p"])
    with pytest.raises(ParameterError, match="reference=1"):
        impact.event_study(ROWS, first_treated="first", reference=1, **NAMES)
    with pytest.raises(DataError, match="last period before the start"):
        impact.sensitivity(earlier)


@pytest.mark.parametrize("units", [[3], [u for u in range(UNITS) if u != 3]])
def test_one_cluster_in_which_the_dose_moves_is_refused(units):
    rows = ROWS.assign(on=ROWS["unit"].isin(units) * ROWS["post"])
    absorbed = impact.fixed_effects(rows, dose="on", wild=False, cluster="unit", time="year", outcome="y")
    assert "treated_clusters" in codes(absorbed.refusals) or len(units) > 1
    flat = rows.assign(on=rows["unit"].isin(units) * 1)
    drawn = impact.wild_bootstrap(flat, outcome="y", dose="on", cluster="unit", draws=99)
    assert codes(drawn.refusals) == ["treated_clusters"]
    three = ROWS.assign(on=ROWS["unit"].isin([1, 2, 3]) * ROWS["post"])
    assert "few_treated_clusters" in codes(
        impact.fixed_effects(three, dose="on", wild=False, **NAMES).warnings
    )


def test_one_cluster_to_compare_with_is_refused():
    alone = ROWS.assign(treated=(ROWS["unit"] > 0) * 1, first=(ROWS["unit"] > 0) * START)
    found = (
        impact.difference_in_differences(alone, treated="treated", post="post", wild=False, **NAMES),
        impact.event_study(alone, first_treated="first", wild=False, **NAMES),
        impact.staggered(alone, first_treated="first", **NAMES),
    )
    for effect in found:
        assert "comparison_clusters" in codes(effect.refusals)


def test_a_treated_cluster_with_untreated_rows_has_no_placebos():
    one = ROWS.assign(treated=(ROWS["unit"] == 0) * 1)
    with pytest.raises(DataError, match="holds untreated ones as well"):
        impact.difference_in_differences(one, treated="treated", post="post", cluster="district", **NAMES)


def test_instruments_that_repeat_each_other_or_outnumber_the_clusters_are_named():
    shared = {"dose": "x", "wild": False, **NAMES}
    with pytest.raises(DataError, match="'twice'"):
        impact.fixed_effects(ROWS.assign(twice=2 * ROWS["z"]), instruments=["z", "twice"], **shared)
    with pytest.raises(DataError, match="'district'"):
        impact.fixed_effects(ROWS, instruments=["district"], **shared)
    rng = np.random.default_rng(3)
    many = {f"z{j}": rng.normal(size=len(ROWS)) for j in range(15)}
    with pytest.raises(DataError, match="15 of them and 15 clusters"):
        impact.fixed_effects(ROWS.assign(**many), instruments=list(many), cluster="district", **shared)
    fewer = impact.fixed_effects(
        ROWS.assign(**many), instruments=list(many)[:3], cluster="district", **shared
    )
    assert codes(fewer.refusals) == ["first_stage"]


def test_steps_of_two_years_are_steps_for_every_staggered_method():
    wide = ROWS.assign(year=2000 + 2 * (ROWS["year"] - 2010), first=ROWS["treated"] * 2008)
    for method in ("callaway_santanna", "imputation", "sun_abraham"):
        yearly, other = (
            impact.staggered(rows, first_treated="first", method=method, **NAMES) for rows in (ROWS, wide)
        )
        assert other.estimate == pytest.approx(yearly.estimate, rel=1e-12)
        assert other.std_error == pytest.approx(yearly.std_error, rel=1e-12)
        assert other.diagnostics["pre_trends_p"] == pytest.approx(yearly.diagnostics["pre_trends_p"])
        assert (other.periods["event_time"] == 2 * yearly.periods["event_time"]).all()


def test_a_missing_period_before_the_start_is_named_where_a_method_compares_with_it():
    gap = ROWS[ROWS["year"] != START - 1]
    wide = gap.pivot(index="unit", columns="year", values="y")
    gain = wide[YEARS[YEARS >= START]].sub(wide[START - 2], axis=0).mean(axis=1)
    expected = gain[gain.index % 2 == 0].mean() - gain[gain.index % 2 == 1].mean()
    found = impact.staggered(gap, first_treated="first", despite="pre_trends", **NAMES)
    assert found.estimate == pytest.approx(expected)
    with pytest.raises(DataError, match="callaway_santanna"):
        impact.staggered(gap, first_treated="first", method="sun_abraham", **NAMES)


def test_starts_before_the_panel_are_treated_from_the_first_time_on():
    early = ROWS.assign(first=ROWS["first"].mask(ROWS["unit"] == 0, 2009))
    without = ROWS[ROWS["unit"] != 0]
    found, expected = (impact.staggered(rows, first_treated="first", **NAMES) for rows in (early, without))
    assert found.estimate == pytest.approx(expected.estimate)
    assert "rows_left_out" in codes(found.warnings)


@pytest.mark.parametrize("cluster", [["district", "year"], "year"])
def test_clusters_that_a_staggered_design_cannot_use_are_named(cluster):
    with pytest.raises((ParameterError, DataError), match=r"cluster|Cluster"):
        impact.staggered(ROWS, first_treated="first", cluster=cluster, **NAMES)


def test_a_permutation_test_names_strata_and_clusters_it_cannot_use():
    shared = {"outcome": "y", "dose": "x", "unit": "unit", "draws": 19}
    with pytest.raises(ParameterError, match="one kind"):
        impact.randomisation_inference(ROWS, cluster=["district", "year"], **shared)
    holes = ROWS.assign(layer=ROWS["district"].where(ROWS["unit"] > 5))
    with pytest.raises(DataError, match="48 rows have none"):
        impact.randomisation_inference(holes, strata="layer", **shared)


def test_placebos_need_more_donors_than_treated_units():
    few = ROWS[ROWS["unit"] < 8]
    shared = {"treated": [0, 1, 2, 3, 4], "start": START, "draws": 20, **NAMES}
    with pytest.raises(ParameterError, match="3 donors can't stand in for 5"):
        impact.synthetic_did(few, **shared)
    assert "few_placebos" not in codes(impact.synthetic_did(few, errors="jackknife", **shared).warnings)


def test_units_and_households_that_fall_out_are_counted():
    gone = ROWS["y"].mask((ROWS["unit"] < 10) & (ROWS["year"] == 2017))
    ends = {"start": 2010, "end": 2017, "cluster": "unit", "draws": 99}
    effect = impact.long_differences(ROWS.assign(y=gone), dose="x", **ends, **NAMES)
    assert effect.n == UNITS - 10
    assert [w.details["rows"] for w in effect.warnings if w.code == "rows_left_out"] == [10]
    reach = ROWS.assign(reach=ROWS["unit"] / UNITS, x=ROWS["x"].mask(ROWS["year"] == 2010))
    shift = impact.shift_share(reach, dose="x", exposure="reach", start=START, draws=99, **NAMES)
    for part in (shift.effect, shift.reduced_form):
        assert [w.details["rows"] for w in part.warnings if w.code == "rows_left_out"] == [UNITS]


def households(size=400):
    """Three rounds; who borrows doesn't depend on the covariate."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"home": np.repeat(np.arange(size), 3), "year": np.tile([2016, 2018, 2020], size)})
    rows["m"], rows["b"] = rng.normal(size=size)[rows["home"]], rng.integers(0, 2, size)[rows["home"]]
    rows["group"], rows["w"] = rows["home"] // 5, 1.0
    rows["y"] = rows["m"] + rng.normal(size=len(rows))
    return rows


def difference(rows):
    return impact.household_difference(
        rows, outcome="y", treated="b", covariates=["m"], unit="home", time="year", before=2018, as_of=2018,
        after=2020, weights="w", cluster="group", draws=99,
    )  # fmt: skip


def test_households_that_fall_out_are_counted_and_negative_weights_named():
    rows = households()
    assert "households_left_out" not in codes(difference(rows).warnings)
    moved = rows[~((rows["year"] == 2020) & (rows["home"] < 30))]
    moved = moved.assign(m=moved["m"].mask(moved["home"] == 399))
    said = [w for w in difference(moved).warnings if w.code == "households_left_out"]
    assert [w.details["households"] for w in said] == [31]
    assert "31" in said[0].text("vi")
    with pytest.raises(DataError, match="households, column 'w': 50 weights are negative"):
        difference(rows.assign(w=np.where(rows["home"] < 50, -1.0, 1.0)))


def test_the_first_stage_knows_no_standard_of_the_outcome():
    crossed = ROWS.assign(standard=np.where(ROWS["year"] < START, "old", "new"), reach=ROWS["unit"] / UNITS)
    crossed["basis_of_y"] = "self"
    crossed.attrs = {"basis": {"y": "basis_of_y"}}
    found = impact.shift_share(crossed, dose="x", exposure="reach", start=START, draws=99, **NAMES)
    assert not found.first_stage.refused
    assert (found.first_stage.periods["event_time"] >= 0).any()


def test_counts_with_newey_west_errors_are_scaled_like_other_series():
    rng = np.random.default_rng(2)
    series = pd.DataFrame({"t": np.arange(40), "n": rng.poisson(20, 40)})
    effect = impact.interrupted_series(series, outcome="n", time="t", start=20, family="poisson", lags=2)
    after = (series["t"] >= 20) * 1.0
    x = np.column_stack([np.ones(40), series["t"], after, after * (series["t"] - 20)])
    mean = sm.GLM(series["n"], x, family=sm.families.Poisson()).fit().fittedvalues.to_numpy()
    scores = x * (series["n"].to_numpy() - mean)[:, None]
    meat = scores.T @ scores
    for lag, weight in ((1, 2 / 3), (2, 1 / 3)):
        both = scores[lag:].T @ scores[:-lag]
        meat += weight * (both + both.T)
    bread = np.linalg.inv(x.T @ (x * mean[:, None]))
    variance = (bread @ meat @ bread)[2, 2] * 40 / (40 - 4)
    assert effect.std_error == pytest.approx(np.sqrt(variance), rel=1e-6)
    for wrong in (-1, 2.5, "2", True):
        with pytest.raises(ParameterError, match="lags"):
            impact.interrupted_series(series, outcome="n", time="t", start=20, lags=wrong)


def test_own_slopes_have_errors_by_the_degrees_of_freedom_that_effects_leave():
    rows = ROWS.set_index(pd.Index(np.zeros(len(ROWS), int)))
    found = impact.unit_effects(rows, outcome="y", dose="x", unit="unit", time="year", cluster="district")
    design = regression.prepare(
        ROWS, outcome="y", regressors="x", absorb=["unit", "year"], cluster="district"
    )
    dummies = pd.get_dummies(ROWS[["unit", "year"]].astype(str), dtype=float).to_numpy()[:, :-1]
    full = sm.OLS(ROWS["y"].to_numpy(), np.column_stack([ROWS["x"], dummies])).fit()
    x = pd.Series(design.x[:, 0] ** 2).groupby(design.frame["unit"].to_numpy()).sum()
    expected = np.sqrt(full.mse_resid / x)
    assert found["own_std_error"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6)


def test_comparisons_name_cohorts_as_the_panel_writes_them():
    year = ROWS["year"].astype(str)
    first = pd.Series(np.select([ROWS["unit"] < 20, ROWS["unit"] < 40], ["2013-01-01", "2015-01-01"], ""))
    dated = ROWS.assign(year=pd.to_datetime(year + "-01-01"), first=pd.to_datetime(first.replace("", None)))
    table = impact.goodman_bacon(dated, first_treated="first", **NAMES)
    assert set(table["treated"]) == {pd.Timestamp("2013-01-01"), pd.Timestamp("2015-01-01")}
    assert table["weight"].sum() == pytest.approx(1)


SERIES = pd.DataFrame({"t": np.arange(24), "y": np.random.default_rng(8).poisson(5, 24)})
CASES = {
    "no count before": (
        SERIES["y"].where(SERIES["t"] >= 12, 0),
        {"family": "poisson"},
        DataError,
        "are zero",
    ),
    "constant": (SERIES["y"] * 0 + 7, {}, DataError, "lies on the line"),
    "a line": (SERIES["t"] * 0.3, {}, DataError, "lies on the line"),
    "more lags than rows": (SERIES["y"], {"lags": 24}, ParameterError, "24 rows"),
    "no cycle": (SERIES["y"], {"season": 0}, ParameterError, "season"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_series_that_leaves_nothing_to_estimate_is_named(name):
    y, options, kind, said = CASES[name]
    with pytest.raises(kind, match=said):
        impact.interrupted_series(SERIES.assign(y=y), outcome="y", time="t", start=12, **options)


@pytest.mark.parametrize("season", [2, 3, 4, 12])
def test_waves_of_a_season_are_as_many_as_its_rows_tell_apart(season):
    found = impact.interrupted_series(SERIES, outcome="y", time="t", start=12, season=season)
    waves = found.coefficients["term"].str.contains("sine").sum()
    assert waves == min(season - 1, 4)
    if season < 5:
        after = (SERIES["t"] >= 12) * 1.0
        line = np.column_stack([SERIES["t"], after, after * (SERIES["t"] - 12)])
        dummies = pd.get_dummies(SERIES["t"] % season, dtype=float)
        written = sm.OLS(SERIES["y"].to_numpy(float), np.column_stack([line, dummies])).fit()
        assert found.estimate == pytest.approx(written.params[1])


def test_doses_without_strength_and_polynomials_without_points_are_named():
    dose = ROWS["treated"] * (1 + ROWS["unit"] % 7)
    shared = {"first_treated": "first", "dose": "k", "draws": 19, **NAMES}
    full = impact.dose_response(ROWS.assign(k=dose), **shared)
    unknown = impact.dose_response(ROWS.assign(k=dose.where(ROWS["treated"] == 1)), **shared)
    assert unknown.estimate == full.estimate
    with pytest.raises(DataError, match="dose of zero or less"):
        impact.dose_response(ROWS.assign(k=dose.where(ROWS["unit"] != 2, 0)), **shared)
    with pytest.raises(DataError, match="1 different doses"):
        impact.dose_response(ROWS.assign(k=ROWS["treated"]), **shared)
    for wrong in ({"degree": 0}, {"degree": 1.5}, {"control_group": "nobody"}):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            impact.dose_response(ROWS.assign(k=dose), **shared, **wrong)


def test_where_all_start_in_the_end_each_method_says_whom_it_compares_with():
    all_start = ROWS.assign(first=np.where(ROWS["treated"] == 1, 2013, 2015))
    default, told = (
        impact.staggered(all_start, first_treated="first", method="imputation", control_group=group, **NAMES)
        for group in ("never", "not_yet")
    )
    assert default.estimate == told.estimate
    options = {"first_treated": "first", "method": "sun_abraham", "control_group": "not_yet", **NAMES}
    assert "comparison_group" in codes(impact.staggered(all_start, **options).refusals)
    with pytest.raises(ParameterError, match="base='latest'"):
        impact.staggered(ROWS, first_treated="first", base="latest", **NAMES)


def test_a_year_with_an_unknown_amount_has_no_mix():
    rows = [
        ("a", 2020, "poor", np.nan),
        ("a", 2020, "jobs", 5.0),
        ("a", 2021, "poor", 1.0),
        ("a", 2021, "jobs", 3.0),
    ]
    rows += [("b", 2020, "poor", np.nan), ("b", 2020, "jobs", 2.0)]
    credit = pd.DataFrame(rows, columns=["code", "year", "programme", "outstanding_vnd"])
    mix = impact.exposure(credit, programmes=["poor"], years=[2020, 2021])
    assert mix["a"] == 0.25
    assert np.isnan(mix["b"])
