"""Design-based means, ratios and totals against printed results, another package, and laws."""

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.metrics import survey


@pytest.fixture
def two_strata():
    """Eight sampled units in two strata: data set fpc of Stata's manual [SVY] svyset and of R's survey."""
    return pd.DataFrame(
        {
            "stratum": [1] * 5 + [2] * 3,
            "psu": [1, 2, 3, 4, 5, 1, 2, 3],
            "weight": [3.0] * 5 + [4.0] * 3,
            "population": [15] * 5 + [12] * 3,
            "x": [2.8, 4.1, 6.8, 6.8, 9.2, 3.7, 6.6, 4.2],
        }
    )


def test_printed_means_of_stata_and_r(two_strata):
    d = two_strata
    design = {"weights": d.weight, "strata": d.stratum, "cluster": d.psu}
    plain = survey.mean(d.x, **design)
    # R survey 3.x, example(fpc): 5.4481, SE 0.7413 and with fpc 0.616; Stata: 5.448148, .7412683, .6160407.
    assert (plain.estimate, plain.std_error) == pytest.approx((5.448148, 0.7412683), abs=5e-7)
    assert plain.clusters == 8
    finite = survey.mean(d.x, **design, fpc=d.population)
    assert finite.std_error == pytest.approx(0.6160407, abs=5e-7)
    # Stata's interval rests on 8 - 2 degrees of freedom: [3.940751, 6.955545].
    assert (finite.lower, finite.upper) == pytest.approx((3.940751, 6.955545), abs=5e-6)
    as_fraction = survey.mean(d.x, **design, fpc=np.where(d.stratum == 1, 5 / 15, 3 / 12))
    assert as_fraction == finite


def test_hand_count_of_six_with_a_missing_value():
    y = [1.0, 2.0, np.nan, 4.0, 5.0, 8.0]
    got = survey.mean(y)
    assert got.estimate == 4.0
    # Deviations -3 -2 0 1 4 over 5, squares 30/25; the missing unit stays in the sample of six: 6/5.
    assert got.std_error == pytest.approx(np.sqrt(6 / 5 * 30 / 25))
    assert got.n == 5
    assert got.warnings == ("1 of 6 observations missing or without weight, left out",)
    assert survey.total(y).estimate == 20
    assert survey.ratio(y, [1, 1, 1, np.nan, 2, 2]).estimate == pytest.approx(16 / 6)


def test_groups_equal_the_estimates_made_one_by_one():
    rng = np.random.default_rng(3)
    d = pd.DataFrame(
        {
            "place": rng.choice(["00123", "00124", "08473"], 600),
            "stratum": rng.integers(0, 3, 600),
            "psu": rng.integers(0, 8, 600),
            "w": rng.uniform(1, 5, 600),
            "y": np.where(rng.random(600) < 0.1, np.nan, rng.normal(10, 3, 600)),
        }
    )
    table = survey.mean(d.y, weights=d.w, strata=d.stratum, cluster=d.psu, by=d.place)
    assert table.place.tolist() == ["00123", "00124", "08473"]
    for row in table.itertuples():
        part = d[d.place == row.place]
        alone = survey.mean(part.y, weights=part.w, strata=part.stratum, cluster=part.psu)
        assert (row.estimate, row.std_error, row.lower, row.upper) == pytest.approx(
            (alone.estimate, alone.std_error, alone.lower, alone.upper)
        )
        assert (row.n, row.clusters) == (alone.n, alone.clusters)


def test_a_group_without_a_known_value_has_no_row_and_a_single_value_no_interval():
    table = survey.mean([1.0, 2.0, np.nan, 7.0], by=["a", "a", "b", "c"])
    assert table.group.tolist() == ["a", "c"]
    assert np.isnan(table.set_index("group").loc["c", ["std_error", "lower", "upper"]].astype(float)).all()
    nothing = survey.mean([np.nan, np.nan])
    assert np.isnan(nothing.estimate)
    assert "no known value" in nothing.warnings
    assert survey.mean([]).n == 0


def test_single_unit_policies(two_strata):
    d = pd.concat([two_strata, two_strata.tail(1).assign(stratum=3)])
    design = {"weights": d.weight, "strata": d.stratum, "cluster": d.psu}
    with pytest.raises(DataError, match="1 strata have one sampling unit"):
        survey.mean(d.x, **design)
    error = {
        p: survey.mean(d.x, **design, single_psu=p).std_error for p in ("certainty", "average", "adjust")
    }
    # "average": three strata, two of which have a variance.
    assert error["average"] == pytest.approx(error["certainty"] * np.sqrt(3 / 2))
    mean = np.average(d.x, weights=d.weight)
    assert error["adjust"] ** 2 == pytest.approx(
        error["certainty"] ** 2 + (4.0 * (4.2 - mean) / d.weight.sum()) ** 2
    )
    assert np.isnan(survey.mean(d.x, **design, single_psu="nan").std_error)
    # A stratum of one unit of which the population has no other adds nothing, whatever the policy.
    certain = survey.mean(d.x, **design, fpc=np.where(d.stratum == 3, 1, 1e12))
    assert certain.std_error == pytest.approx(error["certainty"])


def test_share_interval_is_wilson_for_a_simple_sample_and_wider_in_clusters():
    event = [1] * 15 + [0] * 133
    got = survey.proportion(event)
    assert (got.lower, got.upper) == pytest.approx((0.0624, 0.1605), abs=5e-5)  # Newcombe (1998), 15 of 148
    clustered = survey.proportion(event, cluster=np.repeat(range(37), 4))
    assert clustered.upper - clustered.lower > got.upper - got.lower
    none = survey.proportion([0] * 20)
    assert (none.lower, none.upper) == pytest.approx((0, 0.1611), abs=5e-5)
    census = survey.proportion([1, 0, 0, 1], fpc=4)
    assert (census.std_error, census.lower, census.upper) == (0, 0.5, 0.5)


def test_covers_the_truth_as_often_as_it_says_in_clustered_samples():
    rng = np.random.default_rng(11)
    draws, clusters, size = 1500, 20, 15
    village = rng.normal(0, 1, (draws, clusters, 1))
    poor = (village + rng.normal(0, 2, (draws, clusters, size)) < -2).astype(float)
    draw, unit = np.indices((draws, clusters, size))[:2]
    truth = 0.185547  # P(N(0, 5) < -2)
    naive = survey.proportion(poor.ravel(), by=draw.ravel())
    table = survey.proportion(poor.ravel(), cluster=unit.ravel(), by=draw.ravel())
    assert ((table.lower <= truth) & (truth <= table.upper)).mean() == pytest.approx(0.95, abs=0.018)
    assert ((naive.lower <= truth) & (truth <= naive.upper)).mean() < 0.9


def test_agrees_with_the_package_svy():
    svy = pytest.importorskip("svy", reason="svy is among the oracle requirements")
    pl = pytest.importorskip("polars")
    rng = np.random.default_rng(5)
    n = 400
    d = pd.DataFrame(
        {
            "stratum": np.repeat(["a", "b", "c", "d"], n // 4),
            "psu": np.repeat(np.arange(40), n // 40),
            "w": rng.uniform(1, 9, n),
            "y": rng.lognormal(1, 0.7, n),
            "x": rng.uniform(1, 3, n),
        }
    )
    theirs = svy.Sample(pl.from_pandas(d), svy.Design(stratum="stratum", psu="psu", wgt="w"))
    design = {"weights": d.w, "strata": d.stratum, "cluster": d.psu}
    for ours, other in (
        (survey.mean(d.y, **design), theirs.estimation.mean("y")),
        (survey.total(d.y, **design), theirs.estimation.total("y")),
        (survey.ratio(d.y, d.x, **design), theirs.estimation.ratio("y", "x")),
    ):
        other = other.estimates[0]
        assert (ours.estimate, ours.std_error, ours.lower, ours.upper) == pytest.approx(
            (other.est, other.se, other.lci, other.uci), rel=1e-6
        )


def test_faults_are_named():
    with pytest.raises(DataError, match=r"weights: 2 entries for 3"):
        survey.mean([1, 2, 3], weights=[1, 1])
    with pytest.raises(DataError, match=r"weights, position 1: nan"):
        survey.mean([1, 2, 3], weights=[1, np.nan, 1])
    with pytest.raises(DataError, match=r"strata, position 2: missing"):
        survey.mean([1, 2, 3], strata=["a", "a", None])
    with pytest.raises(DataError, match=r"fpc: 2 sampling units in the population"):
        survey.mean([1, 2, 3], fpc=2)
    with pytest.raises(DataError, match="single_psu='guess'"):
        survey.mean([1, 2], single_psu="guess")
    with pytest.raises(DataError, match="position 0: infinite"):
        survey.mean([np.inf, 2])
