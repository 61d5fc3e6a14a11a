"""Event study, series, synthetic control and households by hand counts and laws."""

import numpy as np
import pandas as pd
import pytest

from evalkit import impact
from evalkit.errors import DataError, ParameterError


def test_two_by_two_is_four_means():
    frame = pd.DataFrame({"y": [1.0, 2, 3, 9, 2, 4, 6, 15], "t": [0, 0, 1, 1] * 2, "post": [0] * 4 + [1] * 4})
    effect = impact.difference_in_differences(frame, outcome="y", treated="t", post="post")
    assert effect.estimate == pytest.approx((10.5 - 6) - (3 - 1.5))
    assert effect.clusters is None
    assert "no_clusters" in [w.code for w in effect.warnings]


def test_event_study_of_one_cohort_is_a_difference_of_means(counties):
    frame = counties[counties["first.treat"].isin([0, 2006])]
    study = impact.event_study(
        frame, outcome="lemp", unit="countyreal", time="year", first_treated="first.treat"
    )
    mean = frame.groupby([frame["first.treat"] > 0, "year"])["lemp"].mean()
    for year in (2003, 2004, 2006, 2007):
        by_hand = (mean[True, year] - mean[True, 2005]) - (mean[False, year] - mean[False, 2005])
        assert study.periods.set_index("event_time").loc[year - 2006, "estimate"] == pytest.approx(by_hand)
    later = study.periods.query("event_time >= 0")["estimate"]
    assert study.estimate == pytest.approx(later.mean())
    variance = study.covariance[2:, 2:].mean()
    assert study.std_error == pytest.approx(np.sqrt(variance))
    assert impact.staggered(
        frame, outcome="lemp", unit="countyreal", time="year", first_treated="first.treat", base="universal"
    ).periods["estimate"].to_numpy() == pytest.approx(study.periods["estimate"].to_numpy())


def test_few_clusters_of_staggered_starts_are_said(counties):
    names = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first.treat"}
    few = counties[
        counties["countyreal"].isin(counties["countyreal"].drop_duplicates().sample(45, random_state=1))
    ]
    for panel, expected in ((few, [45]), (counties, [])):
        study = impact.staggered(panel, despite=("pre_trends",), **names)
        assert [w.details["clusters"] for w in study.warnings if w.code == "few_staggered"] == expected


def test_dose_scales_the_event_study(counties):
    frame = counties[counties["first.treat"].isin([0, 2006])].assign(d=lambda f: (f["first.treat"] > 0) * 2.0)
    names = {"outcome": "lemp", "unit": "countyreal", "time": "year"}
    plain = impact.event_study(frame, first_treated="first.treat", **names)
    dosed = impact.event_study(frame, dose="d", first_treated=2006, **names)
    assert dosed.estimate == pytest.approx(plain.estimate / 2)
    assert dosed.diagnostics["pre_trends_p"] == pytest.approx(plain.diagnostics["pre_trends_p"])


def test_units_that_start_after_the_panel_ends_have_not_started(counties):
    cut = counties[counties["year"] < 2007]
    names = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first.treat"}
    never = cut.assign(**{"first.treat": cut["first.treat"].replace(2007, 0)})
    assert impact.staggered(cut, **names).estimate == impact.staggered(never, **names).estimate


def test_detectable_slope_is_found_with_the_power_promised(medicaid_study):
    """Earlier coefficients drawn with that slope: the joint test rejects four times in five."""
    from scipy.stats import f

    rng = np.random.default_rng(5)
    v = medicaid_study.covariance[:5, :5]
    slope, distance = medicaid_study.diagnostics["detectable_slope"], np.array([-5, -4, -3, -2, -1])
    freedom, draws = medicaid_study.clusters - 1, 4000
    root = np.linalg.cholesky(v)
    z = slope * distance + rng.standard_normal((draws, 5)) @ root.T
    scale = rng.chisquare(freedom, draws) / freedom
    wald = (z @ np.linalg.inv(v) * z).sum(axis=1) / scale / 5
    # Standard error of a share of 0.8 in 4,000 draws is 0.006.
    assert (wald > f.ppf(0.95, 5, freedom)).mean() == pytest.approx(0.80, abs=0.02)


def test_counts_recover_a_known_rate_ratio_and_season():
    months = np.arange(120)
    population = np.linspace(2e5, 2.2e5, 120)
    after = months >= 70
    rate = np.exp(-7 + 0.002 * months - 0.2 * after + 0.3 * np.sin(2 * np.pi * months / 12))
    series = pd.DataFrame(
        {
            "month": pd.date_range("2012-01-01", periods=120, freq="MS"),
            "cases": np.random.default_rng(1).poisson(population * rate),
            "people": population,
        }
    )
    effect = impact.interrupted_series(
        series,
        outcome="cases",
        time="month",
        start=pd.Timestamp("2017-11-01"),
        slope_change=False,
        family="poisson",
        offset="people",
        season=12,
    )
    assert abs(effect.estimate + 0.2) < 3 * effect.std_error
    assert effect.std_error < 0.05
    assert effect.diagnostics["rate_ratio"] == pytest.approx(np.exp(effect.estimate))
    assert effect.unit == "log rate ratio"
    terms = effect.coefficients.set_index("term")["estimate"]
    assert terms["sine_1"] == pytest.approx(0.3, abs=0.05)


def test_newey_west_without_lags_is_the_robust_error(smoking):
    import statsmodels.api as sm

    series = smoking[smoking["state"] == "California"].sort_values("year")
    effect = impact.interrupted_series(series, outcome="cigsale", time="year", start=1989, lags=0)
    t = np.arange(31.0)
    x = np.column_stack([np.ones(31), t, t >= 19, (t - 19) * (t >= 19)])
    fitted = sm.OLS(series["cigsale"].to_numpy(), x).fit(cov_type="HC1")
    assert effect.std_error == pytest.approx(fitted.bse[2])


def test_a_series_with_faults_is_named(smoking):
    series = smoking[smoking["state"] == "California"]
    names = {"outcome": "cigsale", "time": "year"}
    with pytest.raises(DataError, match="gap after"):
        impact.interrupted_series(series[series["year"] != 1980], start=1989, **names)
    with pytest.raises(DataError, match="stands twice"):
        impact.interrupted_series(smoking, start=1989, **names)
    with pytest.raises(ParameterError, match="Start between"):
        impact.interrupted_series(series, start=2010, **names)
    with pytest.raises(DataError, match="not counts"):
        impact.interrupted_series(series, start=1989, family="poisson", **names)
    short = series[series["year"].between(1987, 1993)]
    assert [r.code for r in impact.interrupted_series(short, start=1989, **names).refusals] == [
        "years_before"
    ]


def test_a_unit_that_is_a_mixture_is_found_again():
    rng = np.random.default_rng(0)
    donors = rng.normal(size=(20, 6)).cumsum(axis=0)
    treated = donors @ [0.5, 0.3, 0.2, 0, 0, 0] + 4.0 * (np.arange(20) >= 14)
    wide = pd.DataFrame(np.column_stack([donors, treated]), columns=list("abcdeft"))
    long = wide.rename_axis("year").reset_index().melt("year", var_name="unit", value_name="y")
    names = {"outcome": "y", "unit": "unit", "time": "year", "start": 14}
    control = impact.synthetic_control(long, treated="t", **names)
    assert control.estimate == pytest.approx(4.0, abs=1e-6)
    assert control.weights[["a", "b", "c"]].to_list() == pytest.approx([0.5, 0.3, 0.2], abs=1e-6)
    assert control.weights.sum() == pytest.approx(1)
    assert (control.weights >= 0).all()
    assert control.p_value == pytest.approx(1 / 7)
    assert "few_placebos" in [w.code for w in control.warnings]
    shared = impact.all_placebos(long, **names)
    again = impact.synthetic_control(long, treated="t", placebo_table=shared, **names)
    pd.testing.assert_frame_equal(again.placebos, control.placebos)
    outside = long.assign(y=long["y"] + 50 * (long["unit"] == "t"))
    assert [r.code for r in impact.synthetic_control(outside, treated="t", **names).refusals] == ["pre_fit"]
    with pytest.raises(ParameterError, match="not among"):
        impact.synthetic_control(long, treated="z", **names)


def test_donors_with_gaps_are_left_out_and_counted(smoking):
    holes = smoking.drop(smoking.index[(smoking["state"] == "Utah") & (smoking["year"] == 1975)])
    control = impact.synthetic_control(
        holes, outcome="cigsale", unit="state", time="year", treated="California", start=1989, placebos=False
    )
    assert "Utah" not in control.weights.index
    assert control.warnings[0].details == {"units": 1}


def test_households_made_comparable():
    rng = np.random.default_rng(3)
    size = 900
    head = pd.DataFrame(
        {"household": np.arange(size), "commune": np.arange(size) // 30, "age": rng.normal(45, 10, size)}
    )
    head["area"] = np.where(rng.random(size) < 0.4, "urban", "rural")
    chance = 1 / (1 + np.exp(-(0.05 * (head["age"] - 45) + 0.6 * (head["area"] == "urban"))))
    head["borrowed"] = (rng.random(size) < chance).astype(int)
    growth = 0.1 + 0.01 * (head["age"] - 45) + 0.15 * head["borrowed"] + rng.normal(0, 0.1, size)
    start = rng.normal(10, 0.5, size)
    rows = pd.concat(
        [head.assign(year=2016, log_income=start), head.assign(year=2018, log_income=start + growth)]
    )
    names = {
        "outcome": "log_income",
        "treated": "borrowed",
        "covariates": ["age", "area"],
        "unit": "household",
        "time": "year",
        "before": 2016,
        "after": 2018,
        "cluster": "commune",
        "draws": 999,
    }
    effect = impact.household_difference(rows, as_of=2016, **names)
    assert effect.lower < 0.15 < effect.upper
    assert abs(effect.balance.loc["age", "difference_before"]) > 0.3
    assert effect.balance["difference_after"].abs().max() < 0.05
    assert effect.level == "L2"
    with pytest.raises(ParameterError, match="no row of 2013; there are 2016, 2018"):
        impact.household_difference(rows, **{**names, "before": 2013})
    same_time = impact.household_difference(rows, **names)
    assert same_time.level == "L1"
    assert "dated_before" in [w.code for w in same_time.warnings]
    for ahead, refused in ((0.0, False), (0.1, True)):
        noise = rng.normal(0, 0.1, size)
        past = head.assign(year=2014, log_income=start - ahead * head["borrowed"] + noise)
        longer = impact.household_difference(pd.concat([past, rows]), as_of=2016, earlier=2014, **names)
        assert longer.refused == refused
        assert ("pre_trends" in [r.code for r in longer.refusals]) == refused
    apart = rows.assign(age=rows["age"] + 60 * rows["borrowed"])
    with pytest.raises(DataError, match="like covariates"):
        impact.household_difference(
            apart,
            outcome="log_income",
            treated="borrowed",
            covariates=["age"],
            unit="household",
            time="year",
            before=2016,
            after=2018,
        )


def test_starters_that_began_high_are_not_credited_with_falling_faster():
    rng = np.random.default_rng(5)
    level = rng.normal(20, 5, 200)
    rows = pd.DataFrame({"unit": np.repeat(np.arange(200), 4), "year": np.tile(np.arange(2018, 2022), 200)})
    rows["district"], rows["post"] = rows["unit"] % 12, (rows["year"] >= 2020) * 1
    rows["treated"] = (level > 20)[rows["unit"]] * 1
    # Everyone falls towards the mean from 2020 on; before that there is no trend to give it away.
    rows["y"] = (
        level[rows["unit"]] - 0.3 * rows["post"] * (level - 20)[rows["unit"]] + rng.normal(0, 0.5, 800)
    )
    names = {"outcome": "y", "treated": "treated", "post": "post", "unit": "unit", "time": "year"}
    effect = impact.difference_in_differences(rows, cluster="district", draws=199, **names)
    first = rows["treated"] * 2020
    study = impact.event_study(
        rows.assign(first=first),
        outcome="y",
        unit="unit",
        time="year",
        first_treated="first",
        cluster="district",
        draws=199,
    )
    for found in (effect, study):
        assert found.upper < 0
        assert found.level == "L1"
        assert "starting_point" in [w.code for w in found.warnings]
        assert abs(found.diagnostics["baseline_held"]) < 0.2 * abs(found.estimate)


def flat_paths():
    """Seven units over eight years that differ by a constant, and one that rises by three from the sixth year."""
    frame = pd.DataFrame({"unit": np.repeat(np.arange(8), 8), "year": np.tile(np.arange(8), 8)})
    common = np.array([0.0, 2, 1, 3, 2, 4, 4, 5])
    frame["y"] = (
        frame["unit"] * 1.5 + common[frame["year"]] + 3.0 * ((frame["unit"] == 7) & (frame["year"] >= 6))
    )
    return frame


def test_every_donor_stands_in_once_for_one_treated_unit():
    frame = flat_paths()
    noise = np.random.default_rng(4).normal(0, 0.2, len(frame))
    frame["y"] += noise
    names = {"outcome": "y", "unit": "unit", "time": "year", "start": 6}
    effect = impact.synthetic_did(frame, treated=7, **names)
    others = frame[frame["unit"] != 7]
    placebos = [impact.synthetic_did(others, treated=u, **names).estimate for u in range(7)]
    assert effect.std_error == pytest.approx(np.std(placebos))
    assert effect.p_value == pytest.approx(1 / 8)
    assert "all 7 placebos" in effect.method
    assert effect.estimate == impact.synthetic_did(frame, treated=7, seed=1, **names).estimate
    assert abs(effect.estimate - 3) < 3 * effect.std_error
    with pytest.raises(DataError, match="does not vary"):
        impact.synthetic_did(frame.assign(y=1.0), treated=7, **names)
    drawn = impact.synthetic_did(frame, treated=7, draws=6, **names)
    assert "6 placebos from seed" in drawn.method


def test_several_treated_units_have_three_errors():
    frame = flat_paths()
    frame["y"] += np.random.default_rng(4).normal(0, 0.2, len(frame))
    names = {"outcome": "y", "unit": "unit", "time": "year", "start": 6}
    jackknife = impact.synthetic_did(frame, treated=[6, 7], errors="jackknife", **names)
    wide = frame.pivot(index="unit", columns="year", values="y")
    times = jackknife.gaps.query("before").set_index("time")["weight"]
    gain = wide[[6, 7]].mean(axis=1) - wide[times.index] @ times
    without = []
    for unit in wide.index:
        donors = jackknife.weights.drop(unit, errors="ignore")
        kept = gain.drop(unit)
        without.append(kept.reindex([6, 7]).mean() - kept[donors.index] @ donors / donors.sum())
    by_hand = np.sqrt(7 / 8 * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert jackknife.std_error == pytest.approx(by_hand, rel=1e-6)
    drawn = impact.synthetic_did(frame, treated=[6, 7], errors="bootstrap", draws=60, **names)
    assert drawn.estimate == jackknife.estimate
    assert (
        drawn.std_error
        == impact.synthetic_did(frame, treated=[6, 7], errors="bootstrap", draws=60, **names).std_error
    )
    assert "bootstrap draws of units" in drawn.method
    for errors in ("jackknife", "bootstrap"):
        with pytest.raises(ParameterError, match="one treated unit"):
            impact.synthetic_did(frame, treated=[7, 7], errors=errors, **names)
    with pytest.raises(ParameterError, match="errors='robust'"):
        impact.synthetic_did(frame, treated=7, errors="robust", **names)


def test_a_path_that_donors_do_not_follow_is_no_effect_shown():
    frame = flat_paths()
    frame.loc[frame["unit"] == 7, "y"] += 4.0 * np.tile([0, 1], 4) * (np.arange(8) < 6)
    effect = impact.synthetic_did(frame, outcome="y", unit="unit", time="year", treated=7, start=6)
    assert effect.level == "L2"
    assert "pre_fit" in [w.code for w in effect.warnings]


def test_interaction_weighted_effects_are_cohort_means(counties):
    """Sun & Abraham: each cohort against the never treated, relative to the year before, weighted by its size."""
    study = impact.staggered(
        counties,
        outcome="lemp",
        unit="countyreal",
        time="year",
        first_treated="first.treat",
        method="sun_abraham",
    )
    mean = counties.pivot_table(index="year", columns="first.treat", values="lemp")
    size = counties.groupby("first.treat")["countyreal"].nunique()
    periods = study.periods.set_index("event_time")["estimate"]
    for k in (-3, -2, 0, 1, 2, 3):
        reached = [g for g in (2004, 2006, 2007) if g + k in mean.index]
        found = [(mean.loc[g + k] - mean.loc[g - 1])[[g, 0]].diff().iloc[-1] * -1 for g in reached]
        assert periods[k] == pytest.approx(np.average(found, weights=size[reached]))


def test_imputed_outcomes_are_those_of_unit_and_year_means(counties):
    """Borusyak, Jaravel & Spiess: effects fitted on what is not yet treated, the rest predicted from them."""
    counties = counties[counties["countyreal"] % 4 == 1].reset_index(drop=True)
    study = impact.staggered(
        counties,
        outcome="lemp",
        unit="countyreal",
        time="year",
        first_treated="first.treat",
        method="imputation",
    )
    on = (counties["first.treat"] > 0) & (counties["year"] >= counties["first.treat"])
    written = pd.get_dummies(counties[["countyreal", "year"]].astype("category"), dtype=float)
    fitted = np.linalg.lstsq(written[~on], counties.loc[~on, "lemp"], rcond=None)[0]
    gap = (counties["lemp"] - written @ fitted)[on]
    assert study.estimate == pytest.approx(gap.mean())
    assert "compared with not yet treated" in study.method
    by_time = gap.groupby((counties["year"] - counties["first.treat"])[on]).mean()
    periods = study.periods.set_index("event_time")["estimate"]
    assert periods[by_time.index].to_list() == pytest.approx(by_time.to_list())


def test_dose_response_of_one_start_is_a_line_through_changes():
    """One start, a dose that differs: the mean change against the untreated, and the slope among the treated."""
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(90), 2), "year": np.tile([1, 2], 90)})
    dose = np.where(np.arange(90) < 30, 0.0, rng.uniform(1, 3, 90))
    frame["first"], frame["dose"] = np.where(dose > 0, 2, 0)[frame["unit"]], dose[frame["unit"]]
    frame["y"] = rng.normal(size=180) + (0.5 + frame["dose"]) * ((frame["first"] > 0) & (frame["year"] == 2))
    effect = impact.dose_response(
        frame, outcome="y", unit="unit", time="year", first_treated="first", dose="dose", draws=99
    )
    change = frame.pivot(index="unit", columns="year", values="y").diff(axis=1)[2].to_numpy()
    slope = np.polyfit(dose[dose > 0], change[dose > 0], 1)[0]
    assert effect.estimate == pytest.approx(change[dose > 0].mean() - change[dose == 0].mean())
    assert effect.diagnostics["slope"] == pytest.approx(slope)
    assert effect.level == "L2"
    assert "pre_trends_untested" in [w.code for w in effect.warnings]
