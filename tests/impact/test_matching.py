"""Households matched with their nearest neighbours."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.impact import matching, regression

ONE = np.array([1.0, 1.0, 1.0, 1.0, 1.0])


def test_neighbours_at_one_distance_share_a_place():
    place = np.array([[0.0], [10], [1], [-1], [9]])
    on = np.array([True, True, False, False, False])
    one_cell = np.zeros(5, int)
    assert list(matching.counts(place, on, ONE, one_cell, 1)) == [1, 1, 0.5, 0.5, 1]
    heavier = np.array([2.0, 1, 7, 7, 7])
    assert list(matching.counts(place, on, heavier, one_cell, 1)) == [2, 1, 1, 1, 1]
    assert list(matching.counts(place, on, ONE, one_cell, 5)) == pytest.approx([1, 1, 2 / 3, 2 / 3, 2 / 3])
    # In cells of their own the treated at 10 has only the one at -1, and the treated at 0 the two others.
    assert list(matching.counts(place, on, ONE, np.array([0, 1, 0, 1, 0]), 1)) == [1, 1, 1, 1, 0]
    assert list(matching.counts(place, on, ONE, np.array([0, 1, 0, 0, 0]), 1)) == [1, 0, 0.5, 0.5, 0]
    with pytest.raises(DataError, match="fewer columns"):
        matching.counts(place, on, ONE, np.array([1, 1, 0, 0, 0]), 1)


def test_blocks_of_distances_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    place, on, weight = rng.normal(size=(60, 2)), np.arange(60) < 25, rng.random(60)
    whole = matching.counts(place, on, weight, np.zeros(60, int), 2)
    monkeypatch.setattr(matching, "BLOCK", 64)
    assert np.allclose(matching.counts(place, on, weight, np.zeros(60, int), 2), whole)


def test_distances_do_not_depend_on_units_of_measurement_or_repeated_columns():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 2)) @ np.array([[2.0, 1], [0, 1]])
    inverse = np.linalg.inv(np.cov(x.T, ddof=0))
    gap = x[0] - x[1]
    for columns in (x, x * [1000, 0.001], np.column_stack([x, x[:, 0], np.ones(50)])):
        place = matching.whitened(columns, np.ones(50))
        assert ((place[0] - place[1]) ** 2).sum() == pytest.approx(gap @ inverse @ gap)


def test_what_neighbours_differ_by_is_taken_out():
    x = np.array([0.0, 10, 1, -2, 8, 30])
    on = np.array([True, True, False, False, False, False])
    y = 2 + x + 3 * on
    count = matching.counts(x[:, None], on, np.ones(6), np.zeros(6, int), 1)
    assert count[5] == 0
    assert y @ (count * np.where(on, 1, -1)) / 2 == pytest.approx(3.5)  # neighbours lie half a unit below
    left = matching.without_bias(y, x[:, None], on, count)
    assert left @ (count * np.where(on, 1, -1)) / 2 == pytest.approx(3)


def test_birth_weight_of_smokers_children():
    """Effect on the treated that Stata's teffects nnmatch prints for Cattaneo's (2010) data: -238.5204.

    Options ematch(mmarried prenatal1) biasadj(mage fage medu) atet; the error differs (docs/differences.md).
    """
    file = Path(statsmodels.__file__).parent / "treatment/tests/results/cataneo2.csv"
    if not file.exists():
        pytest.skip("statsmodels is installed without its tests' data")
    births = pd.read_csv(file)
    births["mother"] = np.arange(len(births))
    births["married"], births["seen"] = births["mmarried"] == "married", births["prenatal1"] == "Yes"
    on = (births["mbsmoke"] == "smoker").to_numpy()
    covariates = births[["married", "seen", "mage", "fage", "medu"]].to_numpy(float)
    place = matching.whitened(covariates, np.ones(len(births)))
    cells = births.groupby(["married", "seen"]).ngroup().to_numpy()
    births["count"] = matching.counts(place, on, np.ones(len(births)), cells, 1)
    births["left"] = matching.without_bias(
        births["bweight"].to_numpy(float), covariates[:, 2:], on, births["count"].to_numpy()
    )
    births["smoked"] = on * 1.0
    design = regression.prepare(
        births, outcome="left", regressors="smoked", weights="count", cluster="mother"
    )
    row = regression.fit(design).table().iloc[0]
    assert row["estimate"] == pytest.approx(-238.5204, abs=5e-5)
    assert row["std_error"] == pytest.approx(30.41661, rel=0.06)


def survey(size=600, seed=3):
    """Return two rounds of households: the older and the poorer borrow; borrowing adds 0.15 to growth."""
    rng = np.random.default_rng(seed)
    head = pd.DataFrame({"household": np.arange(size), "commune": np.arange(size) // 20})
    head["age"], head["area"] = rng.normal(45, 10, size), np.where(rng.random(size) < 0.4, "urban", "rural")
    head["weight"] = rng.uniform(0.5, 2, size)
    start = rng.normal(10, 0.5, size)
    chance = 1 / (1 + np.exp(-(0.05 * (head["age"] - 45) - 1.5 * (start - 10) - 0.8)))
    head["borrowed"] = (rng.random(size) < chance) * 1
    growth = 0.1 + 0.01 * (head["age"] - 45) - 0.3 * (start - 10) + 0.15 * head["borrowed"]
    later = start + growth + rng.normal(0, 0.1, size)
    return pd.concat([head.assign(year=2016, income=start), head.assign(year=2018, income=later)])


NAMES = {
    "outcome": "income",
    "treated": "borrowed",
    "covariates": ["income", "age"],
    "unit": "household",
    "time": "year",
    "before": 2016,
    "as_of": 2016,
    "after": 2018,
    "weights": "weight",
    "cluster": "commune",
    "draws": 199,
    "method": "matching",
}


@pytest.mark.parametrize("distance", ["mahalanobis", "score"])
def test_borrowers_matched_with_their_like(distance):
    rows = survey()
    effect = impact.household_difference(rows, exact=["area"], distance=distance, **NAMES)
    assert effect.lower < 0.15 < effect.upper
    assert effect.std_error < 0.03
    assert effect.level == "L2"
    assert effect.balance["difference_before"].abs().max() > 0.4
    assert effect.balance["difference_after"].abs().max() < 0.15
    assert "exactly on area, bias corrected" in effect.method
    short = rows.astype({"income": "float32"})
    assert impact.household_difference(
        short, exact=["area"], distance=distance, **NAMES
    ).estimate == pytest.approx(effect.estimate, abs=0.002)
    turned = rows.sample(frac=1, random_state=1)
    again = impact.household_difference(turned, exact=["area"], distance=distance, **NAMES)
    assert again.estimate == pytest.approx(effect.estimate)
    assert again.std_error == pytest.approx(effect.std_error)


def test_whole_numbers_are_matched_as_others_are():
    rows = survey(300)
    rows["income"] = (1e6 * np.exp(rows["income"] - 10)).round().astype(int)
    effect = impact.household_difference(rows, **NAMES)
    assert effect.estimate == pytest.approx(
        impact.household_difference(rows.astype({"income": float}), **NAMES).estimate
    )


def test_matching_keeps_to_the_gates():
    rows = survey()
    alone = rows.assign(
        kind=np.where((rows["borrowed"] == 1) & (rows["household"] % 2 == 0), "own", "shared")
    )
    refused = impact.household_difference(alone, exact=["kind"], **NAMES)
    assert "overlap" in [r.code for r in refused.refusals]
    assert np.isnan(refused.estimate)
    past = rows[rows["year"] == 2016].assign(year=2014)
    past = past.assign(income=past["income"] - 0.1 * past["borrowed"])
    gaps = past.iloc[10:]  # ten households were not seen then
    diverged = impact.household_difference(pd.concat([gaps, rows]), earlier=2014, **NAMES)
    assert "pre_trends" in [r.code for r in diverged.refusals]
    same_time = impact.household_difference(rows, **{**NAMES, "as_of": None})
    assert same_time.level == "L1"


def test_what_matching_cannot_do_is_named():
    rows = survey(200)
    for wrong, said in (
        ({"method": "guess"}, "method='guess'"),
        ({"distance": "miles"}, "distance='miles'"),
        ({"neighbours": 0}, "neighbours=0"),
        ({"neighbours": 1.5}, "neighbours=1.5"),
        ({"method": "weighting", "exact": ["area"]}, "only matching compares within cells"),
    ):
        with pytest.raises(ParameterError, match=said):
            impact.household_difference(rows, **{**NAMES, **wrong})
    with pytest.raises(DataError, match="no column 'village'"):
        impact.household_difference(rows, exact=["village"], **NAMES)
    apart = rows.assign(side=rows["borrowed"].map({0: "a", 1: "b"}))
    with pytest.raises(DataError, match="fewer columns"):
        impact.household_difference(apart, exact=["side"], **NAMES)
