"""The survey agrees with the law, with the reviews and with its own design."""

import numpy as np
import pytest

from evalkit import simulate
from evalkit.load import reference


@pytest.fixture(scope="module")
def province():
    difficulties = simulate.Difficulties.only("standards_break", "mergers_2020", "mean_reversion", "floor")
    return simulate.draw(
        tables=("households", "poverty", "credit", "income"),
        seed=5, communes=120, survey_communes=120, loan_communes=0, difficulties=difficulties,
    )  # fmt: skip


def test_the_law_classifies_every_household_as_the_survey_does(province):
    for year, survey in province["households"].groupby("year"):
        standard = reference.standards_of_year(int(year))[0]
        by_law = reference.classify_households(
            survey["area"], survey["income_month_vnd"], survey["deprivations"], standard=standard
        ).to_numpy()
        stated = np.select([survey["poor"], survey["near_poor"]], ["poor", "near_poor"], "not_poor")
        # An income line alone decides 2011-2015: there the survey counted no deprivations.
        assert (by_law == stated).all(), year


def test_the_survey_counts_the_poor_as_the_reviews_do(province):
    survey = province["households"].assign(weighted=lambda d: d["weight"] * d["poor"])
    rate = survey.groupby("year")["weighted"].sum() / survey.groupby("year")["weight"].sum()
    review = (
        province["poverty"].drop_duplicates(["code", "year"]).groupby("year")[["poor", "households"]].sum()
    )
    review = (review["poor"] / review["households"]).reindex(rate.index)
    assert rate.to_numpy() == pytest.approx(review.to_numpy(), abs=0.03)


def test_weights_stand_for_all_households(province):
    survey = province["households"].groupby("year")["weight"].sum()
    households = province["poverty"].drop_duplicates(["code", "year"]).groupby("year")["households"].sum()
    assert (survey / households.reindex(survey.index)).to_numpy() == pytest.approx(1.0, abs=0.1)


def test_clusters_lie_in_one_stratum_and_every_stratum_has_two(province):
    survey = province["households"]
    assert (survey.groupby("cluster")["stratum"].nunique() == 1).all()
    assert (survey.groupby("stratum")["cluster"].nunique() >= 2).all()


def test_the_poor_borrow_more_often_and_as_many_as_the_bank_says(province):
    survey, credit = province["households"], province["credit"]
    rates = survey.groupby("poor")["borrowed"].mean()
    assert rates[True] > rates[False]
    total = credit.query("programme == 'total'").groupby("year")["borrowers"].sum()
    households = province["poverty"].drop_duplicates(["code", "year"]).groupby("year")["households"].sum()
    coverage = (total / households).reindex(survey["year"].unique())
    found = survey.groupby("year")[["borrowed"]].mean()["borrowed"].reindex(coverage.index)
    assert found.to_numpy() == pytest.approx(coverage.to_numpy(), abs=0.08)
