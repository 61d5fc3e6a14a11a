"""Fixed effects, instruments and errors against dummies written out and formulas by hand."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.impact import regression

# Alternating projections stop at 1e-11 of a standard deviation; the coefficients follow within this.
ABSORBED = 1e-7


def dummies(panel, formula, cluster, k):
    """Return estimate and error with effects as dummies, rescaled so that only ``k`` coefficients count."""
    fitted = smf.ols(formula, panel).fit(cov_type="cluster", cov_kwds={"groups": panel[cluster]})
    n, every = int(fitted.nobs), len(fitted.params)
    return fitted.params["x"], fitted.bse["x"] * np.sqrt((n - every) / (n - k))


@pytest.mark.parametrize(
    ("options", "formula", "k"),
    [
        ({"unit": "unit"}, "y ~ x + C(unit)", 1),
        ({"unit": "unit", "time": "year"}, "y ~ x + C(unit) + C(year)", 1),
        ({"unit": "unit", "time": "year", "controls": ["c"]}, "y ~ x + c + C(unit) + C(year)", 2),
        ({"unit": "unit", "time": "year", "within": "district"}, "y ~ x + C(unit) + C(later)", 1),
        ({"cluster": "unit"}, "y ~ x", 2),
    ],
)
def test_effects_absorbed_are_dummies_written_out(panel, options, formula, k):
    effect = impact.fixed_effects(panel, outcome="y", dose="x", wild=False, **options)
    # A cell for each district and year but the first: with the units, dummies that are not collinear.
    district_year = panel["district"].astype(str) + "-" + panel["year"].astype(str)
    panel["later"] = district_year.where(panel["year"] > panel["year"].min(), "first")
    estimate, error = dummies(panel, formula, "unit", k)
    assert effect.estimate == pytest.approx(estimate, rel=ABSORBED)
    assert effect.std_error == pytest.approx(error, rel=ABSORBED)
    assert effect.clusters == 40


def test_weights_are_weighted_least_squares(panel):
    effect = impact.fixed_effects(
        panel, outcome="y", dose="x", unit="unit", time="year", weights="w", wild=False
    )
    fitted = smf.wls("y ~ x + C(unit) + C(year)", panel, weights=panel["w"]).fit()
    assert effect.estimate == pytest.approx(fitted.params["x"], rel=ABSORBED)


def test_gaps_in_the_panel_change_nothing_but_the_rows(panel):
    holes = panel.drop(panel.index[[3, 17, 18, 60, 101]])
    effect = impact.fixed_effects(holes, outcome="y", dose="x", unit="unit", time="year", wild=False)
    estimate, error = dummies(holes, "y ~ x + C(unit) + C(year)", "unit", 1)
    assert effect.estimate == pytest.approx(estimate, rel=ABSORBED)
    assert effect.std_error == pytest.approx(error, rel=ABSORBED)


def test_instrument_is_the_ratio_of_reduced_form_to_first_stage(panel):
    names = {"unit": "unit", "time": "year", "wild": False}
    effect = impact.fixed_effects(panel, outcome="y", dose="x", instruments="z", **names)
    reduced = impact.fixed_effects(panel, outcome="y", dose="z", **names)
    stage = impact.fixed_effects(panel, outcome="x", dose="z", **names)
    assert effect.estimate == pytest.approx(reduced.estimate / stage.estimate, rel=ABSORBED)
    assert effect.diagnostics["first_stage_f"] == pytest.approx(
        (stage.estimate / stage.std_error) ** 2, rel=1e-6
    )
    assert abs(effect.estimate - 0.5) < abs(effect.diagnostics["ols_estimate"] - 0.5)


def test_anderson_rubin_bounds_are_where_its_test_turns(panel):
    names = {"unit": "unit", "time": "year", "wild": False}
    effect = impact.fixed_effects(panel, outcome="y", dose="x", instruments="z", **names)
    for side in ("lower", "upper"):
        r = effect.diagnostics[f"anderson_rubin_{side}"]
        at = impact.fixed_effects(
            panel.assign(left=panel["y"] - r * panel["x"]), outcome="left", dose="z", **names
        )
        assert at.p_value == pytest.approx(0.05, abs=1e-6)


def test_two_way_clusters_add_and_subtract(panel):
    def variance(cluster):
        return impact.fixed_effects(rows, outcome="y", dose="x", cluster=cluster, wild=False).std_error ** 2

    rows = panel.assign(row=np.arange(len(panel)))
    both_at_once = variance("row")
    both = impact.fixed_effects(panel, outcome="y", dose="x", cluster=("unit", "year"), wild=False)
    assert both.std_error**2 == pytest.approx(variance("unit") + variance("year") - both_at_once, rel=1e-9)


def test_rows_in_another_order_and_other_units_of_measure(panel):
    names = {"unit": "unit", "time": "year", "wild": False}
    one = impact.fixed_effects(panel, outcome="y", dose="x", **names)
    shuffled = impact.fixed_effects(panel.sample(frac=1, random_state=1), outcome="y", dose="x", **names)
    scaled = impact.fixed_effects(panel.assign(x=panel["x"] * 1e6), outcome="y", dose="x", **names)
    assert shuffled.estimate == pytest.approx(one.estimate, rel=ABSORBED)
    assert shuffled.std_error == pytest.approx(one.std_error, rel=ABSORBED)
    assert scaled.estimate * 1e6 == pytest.approx(one.estimate, rel=ABSORBED)


def test_the_panel_given_stays_as_it_was(panel):
    before = panel.copy()
    impact.fixed_effects(
        panel, outcome="y", dose="x", unit="unit", time="year", within="district", wild=False
    )
    pd.testing.assert_frame_equal(panel, before)


def test_a_control_that_the_effects_determine_is_left_out_by_name(panel):
    fixed = panel.assign(height=panel["unit"] * 2.0)
    effect = impact.fixed_effects(fixed, outcome="y", dose="x", unit="unit", controls=["height"], wild=False)
    assert any(w.code == "controls_dropped" and "height" in w.details["names"] for w in effect.warnings)
    assert effect.estimate == pytest.approx(
        impact.fixed_effects(panel, outcome="y", dose="x", unit="unit", wild=False).estimate
    )


def test_what_cannot_be_estimated_says_why(panel):
    with pytest.raises(DataError, match="no column 'nowhere'"):
        impact.fixed_effects(panel, outcome="nowhere", dose="x", unit="unit")
    with pytest.raises(DataError, match="does not vary"):
        impact.fixed_effects(panel.assign(x=panel["unit"]), outcome="y", dose="x", unit="unit")
    with pytest.raises(DataError, match="not a number"):
        impact.fixed_effects(panel.assign(x="3,5"), outcome="y", dose="x", unit="unit")
    negative = panel.assign(w=panel["w"].mask(panel.index == 3, -1.0))
    with pytest.raises(DataError, match="1 weights are negative"):
        impact.fixed_effects(negative, outcome="y", dose="x", unit="unit", weights="w")
    with pytest.raises(DataError, match="no row"):
        impact.fixed_effects(panel.assign(w=0.0), outcome="y", dose="x", unit="unit", weights="w")
    with pytest.raises(DataError, match="no row"):
        impact.fixed_effects(panel.assign(y=np.nan), outcome="y", dose="x", unit="unit")
    with pytest.raises(ParameterError, match="Name the time"):
        impact.fixed_effects(panel, outcome="y", dose="x", unit="unit", within="district")


def test_missing_values_leave_rows_out_and_say_so(panel):
    holes = panel.assign(c=panel["c"].mask(panel.index < 12))
    effect = impact.fixed_effects(holes, outcome="y", dose="x", unit="unit", controls=["c"], wild=False)
    assert effect.n == len(panel) - 12
    assert effect.warnings[0].code == "rows_left_out"
    assert effect.warnings[0].details == {"rows": 12}


def test_instruments_and_clusters_are_those_of_linearmodels(panel):
    """With k = 2 regressors written out; linearmodels counts the same k and the same G/(G - 1)."""
    from linearmodels.iv import IV2SLS

    rows = panel.assign(one=1.0)
    for groups, instruments in ((["district"], "z"), (["district", "year"], "z"), (["district"], None)):
        model = (
            IV2SLS(rows["y"], rows[["one"]], rows["x"], rows["z"])
            if instruments
            else IV2SLS(rows["y"], rows[["one", "x"]], None, None)
        )
        theirs = model.fit(cov_type="clustered", clusters=rows[groups], debiased=True)
        ours = impact.fixed_effects(
            panel, outcome="y", dose="x", instruments=instruments, cluster=groups, wild=False
        )
        assert ours.coefficients.set_index("term").loc["x", "estimate"] == pytest.approx(
            theirs.params["x"], rel=1e-9
        )
        assert ours.coefficients.set_index("term").loc["x", "std_error"] == pytest.approx(
            theirs.std_errors["x"], rel=1e-9
        )


def test_a_variance_that_comes_out_negative_is_a_missing_error():
    names = ["x", "z"]
    covariance = pd.DataFrame([[-1e-9, 0.0], [0.0, 4.0]], index=names, columns=names)
    fit = regression.Fit(pd.Series([1.0, 2.0], index=names), covariance, np.zeros(3), 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = fit.table().set_index("term")
    assert np.isnan(table.loc["x", ["std_error", "lower", "upper", "p_value"]].astype(float)).all()
    assert table.loc["z", "std_error"] == 2
