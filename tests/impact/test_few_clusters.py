"""Staggered starts and doses where clusters are few."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f, t

from evalkit import impact
from evalkit.impact import regression

TREATED, OTHERS, YEARS, START = 12, 9, np.arange(2013, 2019), 2016
NAMES = {"outcome": "y", "unit": "unit", "time": "year", "first_treated": "first"}


@pytest.fixture(scope="module")
def few():
    rng = np.random.default_rng(7)
    units = TREATED + OTHERS
    rows = pd.DataFrame({"unit": np.repeat(np.arange(units), len(YEARS)), "year": np.tile(YEARS, units)})
    rows["first"] = np.where(rows["unit"] < TREATED, START, 0)
    rows["dose"] = rng.uniform(0.5, 1.5, units)[rows["unit"]] * (rows["first"] > 0)
    rows["y"] = rng.normal(size=units)[rows["unit"]] + rng.normal(size=len(rows))
    return rows


def by_hand(rows):
    """Return the gain of the starters over the year before the start less that of the others, mean over years."""
    wide = rows.pivot(index="unit", columns="year", values="y")
    gain = wide[YEARS[YEARS >= START]].sub(wide[START - 1], axis=0).mean(axis=1)
    return gain[gain.index < TREATED].mean() - gain[gain.index >= TREATED].mean()


def test_errors_leave_each_unit_out_and_the_smaller_side_decides(few):
    study = impact.staggered(few, **NAMES)
    assert study.estimate == pytest.approx(by_hand(few))
    without = np.array([by_hand(few[few["unit"] != unit]) for unit in few["unit"].unique()])
    count = len(without)
    error = np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())
    assert study.std_error == pytest.approx(error)
    assert 0 < study.diagnostics["library_std_error"] < error
    assert study.upper == pytest.approx(study.estimate + t.ppf(0.975, OTHERS - 1) * error)
    assert "few_staggered" in [w.code for w in study.warnings]
    assert np.sqrt(np.diag(study.covariance)) == pytest.approx(study.periods["std_error"].to_numpy())
    assert study.groups["std_error"].iloc[0] == pytest.approx(error)
    apart = impact.staggered(few, base="universal", **NAMES)
    reference = apart.periods.set_index("event_time").loc[-1]
    assert (reference["estimate"], np.isnan(reference["std_error"])) == (0, True)


def test_a_cohort_of_one_unit_keeps_the_error_it_has(few):
    alone = few.assign(first=few["first"].mask(few["unit"] == 0, 2017))
    study = impact.staggered(alone, despite=("pre_trends",), **NAMES)
    assert study.periods["std_error"].notna().all()
    assert study.std_error > 0


def test_doses_of_few_units_have_wider_intervals(few):
    effect = impact.dose_response(few, dose="dose", draws=99, **NAMES)
    reach = t.ppf(0.975, OTHERS - 1)
    assert effect.upper - effect.estimate == pytest.approx(reach * effect.std_error)
    found = effect.diagnostics
    assert found["slope_upper"] - found["slope"] == pytest.approx(reach * found["slope_std_error"])
    assert found["slope_std_error"] > 0
    assert "few_staggered" in [w.code for w in effect.warnings]


def test_the_period_before_the_start_counts_among_earlier_trends(few):
    """With varying bases no period is the reference; a move in the last one before the start is refused."""
    study = impact.staggered(few, **NAMES)
    early = (study.periods["event_time"] < 0).to_numpy()
    assert early.sum() == 2
    p = regression.wald_p(
        study.periods["estimate"].to_numpy()[early], study.covariance[np.ix_(early, early)], OTHERS - 1
    )
    assert study.diagnostics["pre_trends_p"] == pytest.approx(p)
    expected = few["y"] + 6.0 * ((few["year"] == START - 1) & (few["first"] > 0))
    refused = impact.staggered(few.assign(y=expected), **NAMES)
    assert "pre_trends" in [r.code for r in refused.refusals]
    assert refused.periods["event_time"].to_list() == [-2, -1]
    assert refused.covariance.shape == (2, 2)


def test_imputation_tests_earlier_trends_with_the_degrees_of_freedom_of_the_smaller_side(few):
    study = impact.staggered(few, method="imputation", **NAMES)
    before = few[(few["first"] == 0) | (few["year"] < START)]
    leads = {f"lead {year}": (before["year"] == year) * (before["first"] > 0) * 1.0 for year in (2013, 2014)}
    design = regression.prepare(
        before.assign(**leads), outcome="y", regressors=list(leads), absorb=["unit", "year"], cluster="unit"
    )
    found = regression.fit(design)
    rows, years = len(before), len(YEARS)
    # The library counts the year effects among the coefficients of n - k, which the convention here doesn't.
    statistic = f.isf(found.wald_p(list(leads)), 2, TREATED + OTHERS - 1)
    statistic *= (rows - 2 - years) / (rows - 2)
    assert study.diagnostics["pre_trends_p"] == pytest.approx(f.sf(statistic, 2, OTHERS - 1))
