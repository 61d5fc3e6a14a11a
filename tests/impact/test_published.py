"""Published figures, to the printed digits; what differs is explained in docs/differences.md."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit import impact
from evalkit.errors import DataError, ParameterError
from evalkit.present import replications


@pytest.mark.parametrize("study", list(replications.STUDIES))
def test_every_published_number(study, replication):
    table = replications.replicate(study, replication)
    wrong = table[table["verdict"] == replications.DIFFERS]
    assert wrong.empty, wrong.to_string()
    assert table.loc[table["verdict"] == replications.EXPLAINED, "why"].ne("").all()


def test_a_wrong_number_is_seen(replication, monkeypatch):
    file, _ = replications.STUDIES["ilocos_incomes"]
    off = {"Pangasinan atkinson": 0.1291857, "Pangasinan theil": float("nan")}
    monkeypatch.setitem(replications.STUDIES, "ilocos_incomes", (file, lambda path: off))
    assert set(replications.replicate("ilocos_incomes", replication)["verdict"]) == {replications.DIFFERS}


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(ParameterError, match="teen_employment"):
        replications.replicate("teens", tmp_path)
    with pytest.raises(DataError, match=r"mpdta\.csv"):
        replications.replicate("teen_employment", tmp_path)


def test_the_synthetic_controls_fit_better_than_the_published_ones(replication, smoking):
    """What the explanations of ``replications.csv`` say of the errors before the start."""
    states = pd.read_csv(replication / "california_prop99.csv", sep=";")
    control = impact.synthetic_control(
        states,
        outcome="PacksPerCapita",
        unit="State",
        time="Year",
        treated="California",
        start=1989,
        placebos=False,
    )
    assert (control.gaps.query("before")["gap"] ** 2).mean() < 2.75
    eighties = range(1980, 1989)
    averages = [(name, eighties) for name in ("lnincome", "age15to24", "retprice")]
    control = impact.synthetic_control(
        smoking,
        outcome="cigsale",
        unit="state",
        time="year",
        treated="California",
        start=1989,
        predictors=[
            *averages,
            ("beer", range(1984, 1989)),
            *(("cigsale", year) for year in (1975, 1980, 1988)),
        ],
    )
    assert control.diagnostics["pre_rmspe"] ** 2 < 3.08
    assert control.weights.iloc[5:].max() < 1e-3
    assert control.p_value == pytest.approx(1 / 39)


def test_where_the_medicaid_expansion_breaks_down(medicaid_study):
    as_fixest = replace(medicaid_study, covariance=medicaid_study.covariance * replications.FIXEST_FACTOR)
    table = impact.sensitivity(as_fixest, bound="smoothness", values=[0, 0.01, 0.02, 0.03])
    assert table.attrs["breakdown"] == 0.02


def test_eight_schools_share_one_mean():
    """Rubin (1981): mean 7.7, error 4.1, and no more spread than noise alone would give."""
    schools = pd.DataFrame(
        {"estimate": [28, 8, -3, 7, -1, 1, 18, 12], "std_error": [15, 10, 16, 11, 9, 11, 10, 18]}
    )
    pooled = impact.partial_pooling(schools)
    assert pooled["mean"].iloc[0] == pytest.approx(7.7, abs=0.05)
    assert pooled["mean_std_error"].iloc[0] == pytest.approx(4.1, abs=0.05)
    assert np.allclose(pooled["tau2"], 0)
    assert np.allclose(pooled["shrunk"], pooled["mean"])
