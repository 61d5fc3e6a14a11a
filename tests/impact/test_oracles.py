"""Agreement with other libraries, where requirements-oracles.txt is installed."""

import numpy as np
import pandas as pd
import pytest

from evalkit import impact

# The libraries themselves use what pandas will retire; that is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

# Both solve the same normal equations; what is left is the stopping rule of the projections.
SAME = 1e-6


def test_errors_are_those_of_pyfixest_with_the_same_convention(panel):
    pf = pytest.importorskip("pyfixest", reason="pyfixest is not installed")
    ssc = pf.ssc(k_adj=True, k_fixef="none", G_adj=True)
    for formula, options in (
        ("y ~ x | unit + year", {"time": "year"}),
        ("y ~ x + c | unit + district^year", {"time": "year", "within": "district", "controls": ["c"]}),
        ("y ~ 1 | unit + year | x ~ z", {"time": "year", "instruments": "z"}),
    ):
        theirs = pf.feols(formula, panel, vcov={"CRV1": "district"}, ssc=ssc)
        ours = impact.fixed_effects(
            panel, outcome="y", dose="x", unit="unit", cluster="district", wild=False, **options
        )
        assert ours.estimate == pytest.approx(float(theirs.coef()["x"]), rel=SAME)
        assert ours.std_error == pytest.approx(float(theirs.se()["x"]), rel=SAME)


def test_wild_bootstrap_is_that_of_wildboottest(voters):
    pytest.importorskip("wildboottest", reason="wildboottest is not installed")
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    model = smf.ols("proposition_vote ~ treatment + log_income", voters)
    theirs = wildboottest(model, param="treatment", cluster=voters["group_id1"], B=9999, seed=1, show=False)
    ours = impact.wild_bootstrap(
        voters, outcome="proposition_vote", dose="treatment", controls=["log_income"], cluster="group_id1"
    )
    # Two independent sets of 9,999 draws: the standard error of a p-value near 0.001 is 0.0003.
    assert ours.p_wild == pytest.approx(float(theirs["p-value"].iloc[0]), abs=0.002)
    assert abs(ours.estimate / ours.std_error) == pytest.approx(
        abs(float(theirs["statistic"].iloc[0])), rel=1e-3
    )


def test_synthetic_difference_in_differences_is_that_of_synthdid(replication):
    synthdid = pytest.importorskip("synthdid", reason="synthdid-py is not installed")
    states = pd.read_csv(replication / "california_prop99.csv", sep=";")
    wide = states.pivot(index="State", columns="Year", values="PacksPerCapita")
    wide = wide.loc[[s for s in wide.index if s != "California"] + ["California"]]
    theirs = synthdid.synthdid_estimate(wide.to_numpy(), 38, 19)
    ours = impact.synthetic_did(
        states, outcome="PacksPerCapita", unit="State", time="Year", treated="California", start=1989
    )
    assert ours.estimate == pytest.approx(float(theirs), abs=1e-3)
    # The spread of what synthdid_estimate gives for each of the 38 other states, California left out.
    assert ours.std_error == pytest.approx(9.3688, abs=1e-3)


def test_castle_doctrine_with_weights():
    """Cheng & Hoekstra (2013): more homicide, not less; the regression of the textbook with the data."""
    castle = pytest.importorskip("causaldata", reason="causaldata is not installed").castle.load_pandas().data
    pf = pytest.importorskip("pyfixest", reason="pyfixest is not installed")
    castle = castle.assign(l_homicide=np.log(castle["homicide"]))
    theirs = pf.feols(
        "l_homicide ~ post | sid + year",
        castle,
        vcov={"CRV1": "sid"},
        weights="popwt",
        ssc=pf.ssc(k_adj=True, k_fixef="none", G_adj=True),
    )
    ours = impact.fixed_effects(
        castle, outcome="l_homicide", dose="post", unit="sid", time="year", weights="popwt", draws=499
    )
    assert ours.estimate == pytest.approx(float(theirs.coef()["post"]), rel=SAME)
    assert ours.std_error == pytest.approx(float(theirs.se()["post"]), rel=SAME)
